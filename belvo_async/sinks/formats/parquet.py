"""Apache Parquet: typed columns, exact decimals, nested as the records are, or flat as several tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, Final

from ...abc import PartKey, SideFile
from ...errors import ConfigurationError
from ..folder import FolderSink, take_choice
from ..layout import part_path
from ..part import Closed, PartWriter, Work
from ..part_file import PartFile, PartStream
from ..small_letters import Values, recaster, values_of
from ..tables import Cells, fill, tables_of
from .arrow import Arrays, Batches, load_arrow

# Rows that are made arrays at once, and rows of one row group: wide enough to compress, small enough to hold.
_BATCH_ROWS: Final = 2_000
_GROUP_ROWS: Final = 16_000


class ParquetSink(FolderSink):
    """Parquet by pyarrow (extra `parquet`): decimal128(38, 9), date32, timestamps in microseconds and UTC.

    Nested records are structs and lists. With `flat=1` they are columns, and lists of records tables of their own
    (`resource=INVOICES.payments/`), joined by `record_id` and `place`. A number that decimal128 cannot hold exactly
    fails its part by a SinkError that names the column; `decimals=text` writes all of them as exact texts.
    """

    kind: ClassVar[str] = "parquet"
    suffix: ClassVar[str] = ".parquet"

    def __init__(self, directory: str | Path, options: Mapping[str, str] | None = None) -> None:
        super().__init__(directory, options)
        given = dict(options or {})
        self._is_flat = take_choice(given, "flat", "0", "1") == "1"
        self._as_text = take_choice(given, "decimals", "exact", "text") == "text"
        if given:
            raise ConfigurationError(f"`parquet:` knows `flat` and `decimals`, not {', '.join(sorted(given))}")

    def check_installed(self) -> None:
        """ConfigurationError without pyarrow."""
        load_arrow()

    def make_writer(self, key: PartKey, part: str) -> PartWriter:
        """Open the files of a part."""
        arrays = Arrays(as_text=self._as_text)
        return _Flat(self.root, key, part, arrays) if self._is_flat else _Nested(self.root, key, part, arrays)


class _ParquetFile:
    """One Parquet file that grows by row groups."""

    def __init__(self, place: Path, root: Path, schema: Any) -> None:
        self._arrow, parquet = load_arrow()
        self.file = PartFile(place, root)
        self.rows = 0
        self._schema = schema
        self._batches: list[Any] = []
        self._waiting_rows = 0
        try:
            self._writer = parquet.ParquetWriter(PartStream(self.file), schema, compression="zstd")
        except BaseException:
            self.file.drop()
            raise

    def add_arrays(self, arrays: Sequence[Any]) -> None:
        self.add(self._arrow.RecordBatch.from_arrays(arrays, schema=self._schema))

    def add(self, batch: Any) -> None:
        self._batches.append(batch)
        self.rows += batch.num_rows
        self._waiting_rows += batch.num_rows
        if self._waiting_rows >= _GROUP_ROWS:
            self._write()

    def _write(self) -> None:
        table = self._arrow.Table.from_batches(self._batches, schema=self._schema)
        self._batches, self._waiting_rows = [], 0
        self._writer.write_table(table, row_group_size=_GROUP_ROWS)

    def finish(self) -> None:
        """Write all but the name."""
        if self._batches:
            self._write()
        self._writer.close()

    def drop(self) -> None:
        self._batches.clear()
        # It would write its footer; where that fails, nothing is lost.
        with suppress(Exception):
            self._writer.close()
        self.file.drop()


class _Gathering:
    """Gathers rows until they are worth a thread's while."""

    def __init__(self, place: Path) -> None:
        self.path = str(place)
        self._rows: list[Any] = []

    def take(self, rows: Sequence[Any], values: Sequence[Values]) -> Work | None:
        self._rows += rows
        if len(self._rows) < _BATCH_ROWS:
            return None
        taken, self._rows = self._rows, []
        return lambda: self._add(taken)

    def _add(self, rows: Sequence[Any]) -> None:
        raise NotImplementedError

    def _flush(self) -> None:
        if self._rows:
            taken, self._rows = self._rows, []
            self._add(taken)


class _Nested(_Gathering):
    def __init__(self, root: Path, key: PartKey, part: str, arrays: Arrays) -> None:
        super().__init__(root / part)
        self._made = Batches(key.record, arrays)
        self._file = _ParquetFile(root / part, root, self._made.schema)

    def _add(self, rows: Sequence[Any]) -> None:
        self._file.add(self._made.make(rows))

    def close(self) -> Closed:
        self._flush()
        self._file.finish()
        return Closed(*self._file.file.rename())

    def drop(self) -> None:
        self._rows.clear()
        self._file.drop()


class _Flat(_Gathering):
    def __init__(self, root: Path, key: PartKey, part: str, arrays: Arrays) -> None:
        super().__init__(root / part)
        self._arrays = arrays
        self._record = key.record
        self._recast = recaster(key.record)
        self._files: dict[str, tuple[str, _ParquetFile]] = {}
        try:
            for table in tables_of(key.record).all():
                path = part_path(key, ParquetSink.suffix, table.name)
                schema = arrays.schema(table.leaves)
                self._files[table.name] = (path, _ParquetFile(root / path, root, schema))
        except BaseException:
            self.drop()
            raise

    def _add(self, rows: Sequence[Any]) -> None:
        for table, cells in fill(self._record, self._recast(rows, values_of(rows))):
            named: list[tuple[Any, Cells]] = list(zip(table.leaves, cells, strict=True))
            where = f"{table.name}." if table.name else ""
            made = [self._arrays.make(leaf.column, each, f"{where}{leaf.name}") for leaf, each in named]
            self._files[table.name][1].add_arrays(made)

    def close(self) -> Closed:
        self._flush()
        for _, each in self._files.values():
            each.finish()
        beside: list[SideFile] = []
        own = self._files[""][1]
        # The record type's own table last: it is what says that the part is there.
        for path, each in self._files.values():
            if each is not own:
                size, digest = each.file.rename()
                beside.append(SideFile(part=path, rows=each.rows, size_bytes=size, digest=digest))
        return Closed(*own.file.rename(), tuple(beside))

    def drop(self) -> None:
        self._rows.clear()
        for _, each in self._files.values():
            each.drop()
