"""Excel workbooks, which accountants open: one a part, a sheet a table, and a sheet that says what Excel cannot."""

from __future__ import annotations

import datetime as dt
import importlib
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, Final

import msgspec

from ...abc import PartKey
from ...errors import ConfigurationError
from ..columns import ColumnKind
from ..folder import FolderSink
from ..part import Closed, PartWriter, Work
from ..part_file import PartFile, PartStream
from ..small_letters import Values, recaster, values_of
from ..tables import FlatTable, Leaf, fill, tables_of

# Excel's own limits (support.microsoft.com, "Excel specifications and limits").
SHEET_ROWS: Final = 1_048_576
_CELL_CHARACTERS: Final = 32_767
_NAME_CHARACTERS: Final = 31
_DIGITS: Final = 15
_FIRST_DAY: Final = dt.date(1900, 1, 1)

_BATCH_ROWS: Final = 500

_NOTE: Final = (
    "What this workbook is",
    "One part of an export by belvo-async: the rows of one job.",
    "Excel calculates with 15 digits. Numbers that need more stand here as text, exact to the last digit;",
    "sums over many rows may differ in the last digits from those of the other formats, which are exact.",
    "Instants are in UTC. Days before 1900, which Excel does not know, stand here as text.",
    "No text is a formula. A text of more than 32,767 characters is cut, and says so at its end.",
    "Lists of records have sheets of their own: `record_id` and `place` tell where they belong.",
)


class ExcelSink(FolderSink):
    """Workbooks by xlsxwriter (extra `excel`), row by row in constant memory.

    Excel holds 15 digits: a number of more is written as text. A table of more rows than a sheet has goes on in
    further sheets. Workbooks cannot be recounted or merged, only compared byte by byte: take another format for both.
    """

    kind: ClassVar[str] = "excel"
    suffix: ClassVar[str] = ".xlsx"

    def __init__(
        self, directory: str | Path, options: Mapping[str, str] | None = None, *, sheet_rows: int = SHEET_ROWS
    ) -> None:
        super().__init__(directory, options)
        if options:
            raise ConfigurationError(f"`excel:` has no options, not {', '.join(sorted(options))}")
        self._sheet_rows = sheet_rows

    def check_installed(self) -> None:
        """ConfigurationError without xlsxwriter."""
        _load()

    def make_writer(self, key: PartKey, part: str) -> PartWriter:
        """Open the file of a part."""
        return _Workbook(PartFile(self.root / part, self.root), key, self._sheet_rows)


def _load() -> Any:
    try:
        return importlib.import_module("xlsxwriter")
    except ImportError as error:
        raise ConfigurationError("Excel needs `pip install 'belvo-async[excel]'`") from error


class _Workbook:
    def __init__(self, file: PartFile, key: PartKey, sheet_rows: int) -> None:
        self._file = file
        self._record = key.record
        self._recast = recaster(key.record)
        # Rows wait here for the end, and not where the system keeps what is temporary: that may be small.
        self._scratch = file.temporary.with_suffix(".tmpd")
        self._rows: list[Any] = []
        self._is_closed = False
        try:
            self._wrapping: type[Exception] = _load().exceptions.XlsxWriterException
            self._scratch.mkdir()
            options = {"constant_memory": True, "tmpdir": str(self._scratch)}
            self._book = _load().Workbook(PartStream(file), options)
            formats = _Formats(self._book)
            sheets = _Sheets(self._book, formats, sheet_rows)
            self._tables = {
                each.name: _Cursor(sheets, each, each.name or key.resource) for each in tables_of(key.record).all()
            }
        except BaseException:
            self.drop()
            raise

    @property
    def path(self) -> str:
        return str(self._file.place)

    def take(self, rows: Sequence[Any], values: Sequence[Values]) -> Work | None:
        self._rows += rows
        if len(self._rows) < _BATCH_ROWS:
            return None
        taken, self._rows = self._rows, []
        return lambda: self._write(taken)

    def _write(self, rows: Sequence[Any]) -> None:
        for table, cells in fill(self._record, self._recast(rows, values_of(rows))):
            cursor = self._tables[table.name]
            for values in zip(*cells, strict=True):
                cursor.write(values)

    def close(self) -> Closed:
        self._write(self._rows)
        self._rows = []
        note = self._book.add_worksheet("about")
        for row, text in enumerate(_NOTE):
            note.write_string(row, 0, text)
        self._is_closed = True
        try:
            self._book.close()
        except self._wrapping as error:
            # xlsxwriter wraps what the system says.
            raise next((each for each in error.args if isinstance(each, OSError)), error) from None
        shutil.rmtree(self._scratch, ignore_errors=True)
        return Closed(*self._file.rename())

    def drop(self) -> None:
        self._rows.clear()
        if not self._is_closed and hasattr(self, "_book"):
            # Its destructor would write the workbook.
            self._book.fileclosed = 1
            for each in self._book.worksheets():
                with suppress(Exception):
                    each.row_data_fh.close()
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._file.drop()


class _Formats:
    def __init__(self, book: Any) -> None:
        self.head = book.add_format({"bold": True})
        self.money = book.add_format({"num_format": "#,##0.00####"})
        self.day = book.add_format({"num_format": "yyyy-mm-dd"})
        self.instant = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})


class _Sheets:
    """Makes sheets, each under a name that no other has."""

    def __init__(self, book: Any, formats: _Formats, rows: int) -> None:
        self._book = book
        self._taken = {"about"}
        self.formats = formats
        self.rows = rows

    def add(self, title: str, leaves: Sequence[Leaf]) -> Any:
        sheet = self._book.add_worksheet(self._name(title))
        sheet.write_row(0, 0, [each.name for each in leaves], self.formats.head)
        sheet.freeze_panes(1, 0)
        return sheet

    def _name(self, title: str) -> str:
        number, name = 1, title[:_NAME_CHARACTERS]
        while name.lower() in self._taken:
            number += 1
            end = f" ({number})"
            name = title[: _NAME_CHARACTERS - len(end)] + end
        self._taken.add(name.lower())
        return name


class _Cursor:
    """Where a table goes on: the next row of its last sheet."""

    def __init__(self, sheets: _Sheets, table: FlatTable, title: str) -> None:
        self._sheets = sheets
        self._table = table
        self._title = title
        self._sheet = sheets.add(title, table.leaves)
        self._row = 1

    def write(self, values: Sequence[Any]) -> None:
        if self._row >= self._sheets.rows:
            self._sheet, self._row = self._sheets.add(self._title, self._table.leaves), 1
        for place, (leaf, value) in enumerate(zip(self._table.leaves, values, strict=True)):
            if value is not None:
                _write_cell(self._sheet, self._row, place, leaf.column.kind, value, self._sheets.formats)
        self._row += 1


def _write_cell(sheet: Any, row: int, place: int, kind: ColumnKind, value: Any, formats: _Formats) -> None:
    if kind in {ColumnKind.DECIMAL, ColumnKind.INTEGER, ColumnKind.FLOAT} and _is_held(value):
        sheet.write_number(row, place, value, formats.money if kind is ColumnKind.DECIMAL else None)
    elif kind is ColumnKind.BOOLEAN:
        sheet.write_boolean(row, place, value)
    elif kind is ColumnKind.DATE and value >= _FIRST_DAY:
        sheet.write_datetime(row, place, value, formats.day)
    elif kind is ColumnKind.INSTANT and value.date() > _FIRST_DAY:
        sheet.write_datetime(row, place, _naive(value), formats.instant)
    else:
        sheet.write_string(row, place, _text(kind, value))


def _is_held(value: Decimal | int | float) -> bool:
    """Whether Excel holds a number to its last digit."""
    number = value if isinstance(value, Decimal) else Decimal(value if isinstance(value, int) else repr(value))
    if not number.is_finite():
        return False
    digits = number.normalize().as_tuple()
    return len(digits.digits) <= _DIGITS and abs(number.adjusted()) < 300


def _naive(value: dt.datetime) -> dt.datetime:
    return value.astimezone(dt.UTC).replace(tzinfo=None) if value.tzinfo else value


def _text(kind: ColumnKind, value: Any) -> str:
    if kind is ColumnKind.DECIMAL:
        text = format(value, "f")
    elif kind in {ColumnKind.DATE, ColumnKind.INSTANT}:
        text = value.isoformat()
    elif kind is ColumnKind.LIST:
        text = msgspec.json.encode(value).decode()
    else:
        text = str(value)
    if len(text) <= _CELL_CHARACTERS:
        return text
    end = f" … ({len(text):,} characters)"
    return text[: _CELL_CHARACTERS - len(end)] + end
