"""Comma-separated values: one line a record, its nested records spread out, its lists as JSON."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, Final

import msgspec

from ...abc import PartKey
from ...errors import ConfigurationError
from ..columns import ColumnKind, columns_of
from ..folder import FolderSink, take_choice
from ..part import PartWriter
from ..part_file import PartFile
from ..small_letters import Values, recaster
from ..tables import Cells, cells_of, one_table
from .lines import Encode, LineWriter

# What a spreadsheet would take for a formula, and what was already marked so.
_FORMULA: Final = re.compile(r"'*[=+\-@\t\r]")
_FORMULA_STARTS: Final = frozenset("'=+-@\t\r")


class CsvSink(FolderSink):
    """CSV in UTF-8, with a header, after RFC 4180; texts always stand in quotes, so that "" is not None.

    A text that a spreadsheet would run as a formula gets an apostrophe before it (one more where it has some already,
    so that it can be taken away again: `read_text`). With `plain=1` texts stand as they are.
    """

    kind: ClassVar[str] = "csv"
    suffix: ClassVar[str] = ".csv"

    def __init__(self, directory: str | Path, options: Mapping[str, str] | None = None) -> None:
        super().__init__(directory, options)
        given = dict(options or {})
        self._is_plain = take_choice(given, "plain", "0", "1") == "1"
        if given:
            raise ConfigurationError(f"`csv:` knows the option `plain`, not {', '.join(sorted(given))}")

    def make_writer(self, key: PartKey, part: str) -> PartWriter:
        """Open the file of a part."""
        return LineWriter(
            PartFile(self.root / part, self.root), _encoder(key.record, self._is_plain), _head(key.record)
        )


def read_text(cell: str) -> str:
    """The text that a cell of ours holds: without the apostrophe that keeps it from being a formula."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def _head(record: type) -> bytes:
    return (",".join(each.name for each in one_table(record).leaves) + "\n").encode()


Texts = list[str]
"""Cells as they are written, of the values of a column that are there."""


def _encoder(record: type, is_plain: bool) -> Encode:
    columns, recast = columns_of(record), recaster(record)
    text = _quoted if is_plain else _neutral
    of_kind: dict[ColumnKind, Callable[[list[Any]], Texts]] = {**_CELLS, ColumnKind.TEXT: text, ColumnKind.OPEN: text}
    cells = [of_kind[each.column.kind] for each in one_table(record).leaves]

    def encode(rows: Sequence[Any], values: Sequence[Values]) -> bytes:
        held = cells_of(columns, recast(rows, values))
        written = [_written(texts_of, each) for texts_of, each in zip(cells, held, strict=True)]
        return ("\n".join(map(",".join, zip(*written, strict=True))) + "\n").encode()

    return encode


def _written(texts_of: Callable[[list[Any]], Texts], values: Cells) -> Texts:
    there = [each for each in values if each is not None]
    if not there:
        return [""] * len(values)
    texts = texts_of(there)
    if len(texts) == len(values):
        return texts
    ahead = iter(texts)
    return ["" if each is None else next(ahead) for each in values]


def _quoted(texts: Texts) -> Texts:
    if '"' in "".join(texts):
        texts = [each.replace('"', '""') for each in texts]
    return [f'"{each}"' for each in texts]


def _neutral(texts: Texts) -> Texts:
    if not _FORMULA_STARTS.isdisjoint({each[:1] for each in texts}):
        texts = [f"'{each}" if _FORMULA.match(each) else each for each in texts]
    return _quoted(texts)


def _decimals(values: list[Decimal]) -> Texts:
    """Without an exponent, which some readers of decimals do not take."""
    texts = list(map(str, values))
    return [format(each, "f") for each in values] if "E" in "".join(texts) else texts


def _instants(values: list[dt.datetime]) -> Texts:
    return [each.isoformat().replace("+00:00", "Z") for each in values]


def _lists(values: list[Sequence[object]]) -> Texts:
    return _quoted([msgspec.json.encode(each).decode() for each in values])


_CELLS: Final[Mapping[ColumnKind, Callable[[list[Any]], Texts]]] = {
    ColumnKind.DECIMAL: _decimals,
    ColumnKind.INTEGER: lambda values: list(map(str, values)),
    ColumnKind.FLOAT: lambda values: list(map(repr, values)),
    ColumnKind.BOOLEAN: lambda values: ["true" if each else "false" for each in values],
    ColumnKind.DATE: lambda values: list(map(dt.date.isoformat, values)),
    ColumnKind.INSTANT: _instants,
    ColumnKind.LIST: _lists,
}
