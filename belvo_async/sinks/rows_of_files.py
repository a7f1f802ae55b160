"""Exported files read back, as far as a recount needs them: ids, and the columns that are summed."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from .formats.arrow import load_arrow
from .formats.csv import read_text

_BATCH_ROWS: Final = 5_000


class ReadRows(NamedTuple):
    """Some rows: how many, the ids of those that have one, and their values by column, None left out."""

    rows: int
    ids: list[str]
    values: Mapping[str, list[Decimal]]


class UnreadableFileError(Exception):
    """A file is not what its name says; the message names the place."""


def read_rows(path: Path, columns: Sequence[str]) -> Iterator[ReadRows]:
    """The rows of an exported file. UnreadableFileError for one that no sink wrote."""
    read = _READERS.get(path.suffix)
    if read is None:
        raise UnreadableFileError(f"is no export that can be recounted: {', '.join(_READERS)} are")
    return read(path, columns)


def _read_ndjson(path: Path, columns: Sequence[str]) -> Iterator[ReadRows]:
    fields: list[tuple[str, Any, Any]] = [(name, str | None, None) for name in ("uuid", "id")]
    # A column of the record's own may bear a name that is none in Python.
    fields += [(f"sum_{place}", Decimal | None, None) for place in range(len(columns))]
    line_type = msgspec.defstruct("Line", fields, rename={f"sum_{place}": name for place, name in enumerate(columns)})
    decode = msgspec.json.Decoder(line_type).decode
    with path.open("rb") as lines:
        number = 0
        while some := list(islice(lines, _BATCH_ROWS)):
            rows: list[Any] = []
            for line in some:
                number += 1
                if not line.endswith(b"\n"):
                    raise UnreadableFileError(f"line {number} is cut off")
                try:
                    rows.append(decode(line))
                except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                    raise UnreadableFileError(f"line {number} cannot be read") from error
            values = {name: [getattr(row, f"sum_{place}") for row in rows] for place, name in enumerate(columns)}
            yield _batch([row.uuid or row.id for row in rows], values)


def _first(ids: Sequence[str | None]) -> str | None:
    return next((each for each in ids if each), None)


def _batch(ids: Sequence[str | None], values: Mapping[str, Sequence[Decimal | None]]) -> ReadRows:
    some = {name: [each for each in column if each is not None] for name, column in values.items()}
    return ReadRows(len(ids), [each.lower() for each in ids if each], some)


# Some cells hold whole documents.
_CELL_BYTES: Final = 2**31 - 1


def _read_csv(path: Path, columns: Sequence[str]) -> Iterator[ReadRows]:
    before = csv.field_size_limit(_CELL_BYTES)
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            reader = csv.DictReader(lines, strict=True)
            missing = set(columns) - set(reader.fieldnames or ())
            if missing:
                raise UnreadableFileError(f"has no column {', '.join(sorted(missing))}")
            while some := list(islice(reader, _BATCH_ROWS)):
                ids = [read_text(row.get("uuid") or row.get("id") or "") for row in some]
                yield _batch(ids, {name: [_number(row[name]) for row in some] for name in columns})
    except (csv.Error, UnicodeDecodeError, InvalidOperation) as error:
        raise UnreadableFileError("cannot be read as CSV") from error
    finally:
        csv.field_size_limit(before)


def _number(cell: str | None) -> Decimal | None:
    return Decimal(cell) if cell else None


def _read_parquet(path: Path, columns: Sequence[str]) -> Iterator[ReadRows]:
    arrow, parquet = load_arrow()
    try:
        with parquet.ParquetFile(path) as file:
            names = set(file.schema_arrow.names)
            missing = set(columns) - names
            if missing:
                raise UnreadableFileError(f"has no column {', '.join(sorted(missing))}")
            ids = [each for each in ("uuid", "id") if each in names]
            for batch in file.iter_batches(_BATCH_ROWS, columns=[*ids, *columns]):
                held: dict[str, list[Any]] = {name: batch.column(name).to_pylist() for name in (*ids, *columns)}
                found = [_first(row) for row in zip(*(held[each] for each in ids), strict=True)]
                values = {name: [None if each is None else Decimal(each) for each in held[name]] for name in columns}
                yield ReadRows(batch.num_rows, *_batch(found, values)[1:])
    except arrow.ArrowException as error:
        raise UnreadableFileError("cannot be read as Parquet") from error


_READERS: Final[Mapping[str, Callable[[Path, Sequence[str]], Iterator[ReadRows]]]] = {
    ".ndjson": _read_ndjson,
    ".csv": _read_csv,
    ".parquet": _read_parquet,
}
