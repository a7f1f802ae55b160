"""Parts of one resource as one file: streamed, and whole or absent as the parts are."""

from __future__ import annotations

import asyncio
import io
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from ..discreet import discreet
from ..errors import SinkError
from .formats.arrow import load_arrow
from .part import cannot_write
from .part_file import PartFile, PartStream

_PART: Final = re.compile(r"vendor=([^/]+)/resource=([^/]+)/subject=([^/]+)/[^/]+(\.\w+)")


class PartPlace(NamedTuple):
    """What a part's path says."""

    vendor: str
    resource: str
    subject: str
    suffix: str

    @property
    def merged(self) -> str:
        """The name of the file that its parts are merged into."""
        return f"{self.vendor}-{self.resource}{self.suffix}"


def place_of(part: str) -> PartPlace | None:
    """Read a part's path below the sink's directory; None for what is no part."""
    found = _PART.fullmatch(part)
    return PartPlace(*found.groups()) if found else None


@discreet
async def merge(directory: str | os.PathLike[str]) -> tuple[Path, ...]:
    """Write the parts of each vendor and resource into one file beside them, `DIR/VENDOR-INVOICES.ndjson`; give these.

    Rows have a first column more, `subject`, which the folders told before. The parts stay: they are what receipts
    tell of, and what the next run adds to. Merging again replaces the file. NDJSON, CSV and Parquet; workbooks are
    left as they are. Raises SinkError when it cannot be written, or when parts have different columns.
    """
    return await asyncio.to_thread(_merge, Path(directory))


def _merge(root: Path) -> tuple[Path, ...]:
    groups: dict[str, list[tuple[PartPlace, Path]]] = {}
    for path in sorted(root.glob("vendor=*/resource=*/subject=*/[!.]*")):
        place = place_of(path.relative_to(root).as_posix())
        if place is not None and place.suffix in _FORMATS:
            groups.setdefault(place.merged, []).append((place, path))
    return tuple(_merge_one(root, name, parts) for name, parts in groups.items())


def _merge_one(root: Path, name: str, parts: Sequence[tuple[PartPlace, Path]]) -> Path:
    target = root / name
    try:
        file = PartFile(target, root)
        try:
            _FORMATS[parts[0][0].suffix](file, parts)
            file.rename()
        finally:
            file.drop()
    except OSError as error:
        raise cannot_write(error, str(target)) from error
    return target


def _merge_lines(file: PartFile, parts: Sequence[tuple[PartPlace, Path]]) -> None:
    with io.BufferedWriter(PartStream(file), _BUFFER_BYTES) as out:
        for place, path in parts:
            with path.open("rb") as lines:
                for line in lines:
                    more = b"," if line[1:2] != b"}" else b""
                    out.write(b'{"subject":"%b"%b%b' % (place.subject.encode(), more, line[1:]))


def _merge_csv(file: PartFile, parts: Sequence[tuple[PartPlace, Path]]) -> None:
    with io.BufferedWriter(PartStream(file), _BUFFER_BYTES) as out:
        head = b""
        for place, path in parts:
            with path.open("rb") as lines:
                first = next(lines, b"")
                if head and first != head:
                    raise _different(path)
                if not head:
                    out.write(b"subject," + first)
                head = first
                for line, is_start in _records(lines):
                    out.write((b'"%b",' % place.subject.encode() if is_start else b"") + line)


def _records(lines: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each line, and whether a record begins with it: one within quotes goes on."""
    is_start = True
    for line in lines:
        yield line, is_start
        is_start ^= bool(line.count(b'"') % 2)


def _merge_parquet(file: PartFile, parts: Sequence[tuple[PartPlace, Path]]) -> None:
    arrow, parquet = load_arrow()
    own = parquet.read_schema(parts[0][1])
    schema = own.insert(0, arrow.field("subject", arrow.string()))
    with parquet.ParquetWriter(PartStream(file), schema, compression="zstd") as out:
        for place, path in parts:
            with parquet.ParquetFile(path) as source:
                if not source.schema_arrow.equals(own):
                    raise _different(path)
                for batch in source.iter_batches(_GROUP_ROWS):
                    out.write_batch(_with_subject(arrow, schema, batch, place.subject), _GROUP_ROWS)


def _with_subject(arrow: Any, schema: Any, batch: Any, subject: str) -> Any:
    column = arrow.repeat(arrow.scalar(subject, arrow.string()), batch.num_rows)
    return arrow.RecordBatch.from_arrays([column, *batch.columns], schema=schema)


def _different(path: Path) -> SinkError:
    text = f"{path} has other columns than the parts before it, so that they make no one table: export them anew"
    return SinkError(text, path=str(path))


_BUFFER_BYTES: Final = 1024 * 1024
_GROUP_ROWS: Final = 16_000

_FORMATS: Final[Mapping[str, Callable[[PartFile, Sequence[tuple[PartPlace, Path]]], None]]] = {
    ".ndjson": _merge_lines,
    ".csv": _merge_csv,
    ".parquet": _merge_parquet,
}
