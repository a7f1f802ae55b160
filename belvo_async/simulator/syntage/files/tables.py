"""Rows of a list as a table in a file: CSV, XLSX, JSON."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final
from xml.sax.saxutils import escape

from ...wire import Json, JsonObject, encode
from .held import zip_of

_CONTENT_TYPES: Final = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/xl/workbook.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
    '<Override PartName="/xl/worksheets/sheet1.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>'
)
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def _relation(kind: str, target: str) -> bytes:
    head = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    return f'{head}<Relationship Id="rId1" Type="{_OFFICE}/{kind}" Target="{target}"/></Relationships>'.encode()


def flatten(row: JsonObject, prefix: str = "") -> dict[str, Json]:
    """Give a row with dotted names instead of nested objects; lists stay, the JSON-LD keys go."""
    flat: dict[str, Json] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{prefix}{name}.")
        elif not name.startswith("@"):
            flat[prefix + name] = value
    return flat


def _text(value: Json) -> str:
    if isinstance(value, list):
        return encode(value).decode()
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _table(rows: Sequence[JsonObject]) -> list[list[Json]]:
    flat = [flatten(row) for row in rows]
    names = list(dict.fromkeys(name for row in flat for name in row))
    header: list[Json] = [*names]
    return [header, *([row.get(name) for name in names] for row in flat)]


def csv_of(rows: Sequence[JsonObject]) -> bytes:
    """Give CSV with a header line, as UTF-8."""
    target = io.StringIO(newline="")
    csv.writer(target).writerows([_text(value) for value in line] for line in _table(rows))
    return target.getvalue().encode()


def json_of(rows: Sequence[JsonObject]) -> bytes:
    """Give a JSON array of the rows."""
    return encode([*rows])


def xlsx_of(rows: Sequence[JsonObject]) -> bytes:
    """Give a workbook of one sheet; numbers are numbers, everything else is text."""
    lines = "".join(f"<row>{''.join(_cell(value) for value in line)}</row>" for line in _table(rows))
    sheet = f'<worksheet xmlns="{_MAIN}"><sheetData>{lines}</sheetData></worksheet>'
    book = (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="Export" sheetId="1" r:id="rId1"/></sheets></workbook>'
    )
    return zip_of(
        {
            "[Content_Types].xml": _CONTENT_TYPES.encode(),
            "_rels/.rels": _relation("officeDocument", "xl/workbook.xml"),
            "xl/workbook.xml": book.encode(),
            "xl/_rels/workbook.xml.rels": _relation("worksheet", "worksheets/sheet1.xml"),
            "xl/worksheets/sheet1.xml": sheet.encode(),
        }
    )


def _cell(value: Json) -> str:
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return f"<c><v>{value}</v></c>"
    return f'<c t="inlineStr"><is><t>{escape(_text(value))}</t></is></c>'


WRITERS: Mapping[str, Callable[[Sequence[JsonObject]], bytes]] = {"csv": csv_of, "json": json_of, "xlsx": xlsx_of}
