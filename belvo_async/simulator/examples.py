"""What the vendors' official examples say against the schema of the same document: some rows here say it too.

Belvo (OpenAPI 1.223.0) shows a year as a number where it declares a text; Syntage (2020-06-28) a fiscal year and an
idCIF, and dates of the register of commerce as local time with a zone's name. Whether life does so nobody knows: a
client should live with both.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final
from zlib import crc32
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .wire import Json, JsonObject

# One row in so many, where nothing else is asked for: enough to be met, and the schema stays the rule.
EXAMPLE_SHARE: Final = 0.25
_SHARES: Final = 1000


def _as_number(value: Json) -> Json:
    """Give digits as a number, unless a zero in front would be lost."""
    return int(value) if isinstance(value, str) and value.isdecimal() and str(int(value)) == value else value


def _mexico() -> tzinfo:
    try:
        return ZoneInfo("America/Mexico_City")
    except ZoneInfoNotFoundError:  # a system without the database of zones
        return timezone(timedelta(hours=-6))


def _as_local(value: Json) -> Json:
    """Give an instant as the register prints it: `01/01/2017 12:00:00 T.CENTRO`."""
    if not isinstance(value, str):
        return value
    at = datetime.fromisoformat(value).astimezone(UTC)
    return f"{at.astimezone(_mexico()):%d/%m/%Y %H:%M:%S} T.CENTRO"


_SAID: Mapping[str, tuple[str, Callable[[Json], Json]]] = {
    "FINANCIAL_STATEMENTS": ("year", _as_number),
    "TaxReturn": ("fiscalYear", _as_number),
    "TaxStatus": ("cif", _as_number),
    "RpcActo": ("fechaDeIngreso", _as_local),
    "RpcEntidade": ("fechaDeInscripcion", _as_local),
}


def as_in_examples(kind: str, row: JsonObject, share: float, *, of: str) -> JsonObject:
    """Give the row as an example shows it, for a share of all rows: always the same, by `of`, which names the row."""
    if kind not in _SAID or crc32(of.encode()) % _SHARES >= share * _SHARES:
        return row
    name, said = _SAID[kind]
    return {**row, name: said(row[name])}
