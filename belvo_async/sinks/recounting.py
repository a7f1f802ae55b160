"""Exported files against their receipts: without store, network or keys."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from ..abc import Receipt
from ..discreet import discreet
from ..errors import ConfigurationError
from .merging import place_of
from .rows_of_files import UnreadableFileError, read_rows
from .tally import add_up, add_up_ids, sum_of_ids, written_ids


class Recount(msgspec.Struct, frozen=True, kw_only=True):
    """What a recount found. `fault` is one sentence about the first thing that does not fit, None where all does."""

    parts: int
    rows: int
    fault: str | None = None


class _Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a file must hold: one part, or all parts that were merged into it."""

    path: Path
    rows: int
    ids: str
    sums: Mapping[str, Decimal]
    parts: int
    digest: str | None = None
    size_bytes: int | None = None


@discreet
def recount(receipts: Sequence[Receipt], data: Sequence[str | os.PathLike[str]]) -> Recount:
    """Recount rows, ids and sums of exported files and hold them against receipts, in their order.

    `data` names directories that sinks wrote to, wherever they were moved, or merged files. With a directory, the part
    of each receipt is looked for below it, and its bytes must be those of the receipt; a merged file must hold the rows
    of all parts of its vendor and resource. What is told first is what says most: a missing part, an unreadable row,
    the number of rows, a duplicate id, other ids, the sum of a column, other bytes. Of workbooks only bytes are
    compared. Of several receipts of one part the last one counts. Raises ConfigurationError when `data` names what is
    not there. Reads one file at a time; memory grows by the ids of the largest part.
    """
    newest = list({each.part: each for each in receipts}.values())
    parts = rows = 0
    for wanted in _wanted(newest, [Path(each) for each in data]):
        if isinstance(wanted, str):
            return Recount(parts=parts, rows=rows, fault=wanted)
        fault = _fault(wanted)
        if fault is not None:
            return Recount(parts=parts, rows=rows, fault=f"{wanted.path}: {fault}")
        parts += wanted.parts
        rows += wanted.rows
    return Recount(parts=parts, rows=rows)


def _wanted(receipts: Sequence[Receipt], data: Sequence[Path]) -> Iterator[_Wanted | str]:
    folders = [each for each in data if each.is_dir()]
    merged = {each.name: each for each in data if each.is_file()}
    for each in data:
        if not each.exists():
            raise ConfigurationError(f"{each} is not there: name the directory of an export, or a merged file")
    groups: dict[str, list[Receipt]] = {}
    for receipt in receipts:
        place = place_of(receipt.part)
        if place is not None and place.merged in merged:
            groups.setdefault(place.merged, []).append(receipt)
            continue
        yield from _parts(receipt, folders)
    for name, several in groups.items():
        yield _sum_up(merged[name], several)


def _parts(receipt: Receipt, folders: Sequence[Path]) -> Iterator[_Wanted | str]:
    for part in (receipt.part, *(each.part for each in receipt.beside)):
        if not any((folder / part).is_file() for folder in folders):
            yield f"{part}: missing; the receipt of job {receipt.job} tells of it ({receipt.rows} rows)"
            return
    path = next(folder / receipt.part for folder in folders if (folder / receipt.part).is_file())
    yield _Wanted(
        path=path,
        rows=receipt.rows,
        ids=receipt.ids,
        sums=receipt.sums,
        parts=1,
        digest=receipt.digest,
        size_bytes=receipt.size_bytes,
    )
    for each in receipt.beside:
        path = next(folder / each.part for folder in folders if (folder / each.part).is_file())
        yield _Wanted(path=path, rows=0, ids="", sums={}, parts=0, digest=each.digest, size_bytes=each.size_bytes)


def _sum_up(path: Path, receipts: Sequence[Receipt]) -> _Wanted:
    columns = {column for each in receipts for column in each.sums}
    return _Wanted(
        path=path,
        rows=sum(each.rows for each in receipts),
        ids=add_up_ids(each.ids for each in receipts),
        sums={column: add_up(each.sums[column] for each in receipts if column in each.sums) for column in columns},
        parts=len(receipts),
    )


# Tables beside a part, and workbooks: their bytes say all there is to say.
_UNREAD: Final = ".xlsx"


def _fault(wanted: _Wanted) -> str | None:
    try:
        if wanted.parts and wanted.path.suffix != _UNREAD and (fault := _rows_fault(wanted)):
            return fault
        return None if wanted.digest is None else _bytes_fault(wanted)
    except UnreadableFileError as error:
        return str(error)
    except OSError as error:
        return f"cannot be read: {error.strerror or type(error).__name__}"


def _rows_fault(wanted: _Wanted) -> str | None:
    rows, total, met = 0, 0, set[str]()
    sums = dict.fromkeys(wanted.sums, Decimal(0))
    duplicate: str | None = None
    for batch in read_rows(wanted.path, list(wanted.sums)):
        rows += batch.rows
        total += sum_of_ids(batch.ids)
        # In one part only: two jobs may well bring the same row.
        if wanted.parts == 1 and wanted.digest is not None and duplicate is None:
            duplicate = next((each for each in batch.ids if each in met or met.add(each)), None)  # type: ignore[func-returns-value]
        for column, values in batch.values.items():
            sums[column] = add_up([sums[column], *values])
    if rows != wanted.rows:
        return f"{rows} rows, and {wanted.rows} by the receipt"
    if duplicate is not None:
        return f"the row with the id {duplicate} stands there twice"
    if written_ids(total) != wanted.ids:
        return f"as many rows as by the receipt ({rows}), but not the same ones: their ids differ"
    for column in sums:
        if sums[column] != wanted.sums[column]:
            return f"the sum of {column} is {sums[column]:f}, and {wanted.sums[column]:f} by the receipt"
    return None


def _bytes_fault(wanted: _Wanted) -> str | None:
    size = wanted.path.stat().st_size
    if size != wanted.size_bytes:
        return f"{size} bytes, and {wanted.size_bytes} by the receipt"
    with wanted.path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != wanted.digest:
            return "its bytes are not those of the receipt, although rows, ids and sums are: something else was changed"
    return None
