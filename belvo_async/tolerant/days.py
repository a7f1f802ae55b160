"""Days and instants in forms that are met in Mexico, written again as ISO 8601 has them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

_DATE: Final = r"(?:(?P<y1>\d{4})(?P<s1>[-/.])(?P<m1>\d{1,2})(?P=s1)(?P<d1>\d{1,2})|"
_DAY_FIRST: Final = r"(?P<d2>\d{1,2})(?P<s2>[-/.])(?P<m2>\d{1,2})(?P=s2)(?P<y2>\d{4}))"
_TIME: Final = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
_ZONE: Final = r"(?P<zone>[Zz]|[+-]\d{2}(?::?\d{2})?|[^\W\d][\w./ ]{0,31})"
_MOMENT: Final = re.compile(rf"{_DATE}{_DAY_FIRST}(?:(?:[Tt]|,?\s+){_TIME}(?:\s*{_ZONE})?)?")
_OFFSET: Final = re.compile(r"([+-]\d{2}):?(\d{2})?")

# The four zones of the law (Ley de los Husos Horarios), and the letters North America gives its own.
_ZONES: Final = {
    "CENTRO": "America/Mexico_City",
    "PACIFICO": "America/Mazatlan",
    "SURESTE": "America/Cancun",
    "NOROESTE": "America/Tijuana",
    "AMERICA/MEXICO_CITY": "America/Mexico_City",
    "AMERICA/MAZATLAN": "America/Mazatlan",
    "AMERICA/CANCUN": "America/Cancun",
    "AMERICA/TIJUANA": "America/Tijuana",
}
_OFFSETS: Final = {
    **dict.fromkeys(("Z", "UTC", "GMT"), "+00:00"),
    "EST": "-05:00",
    "CDT": "-05:00",
    "CST": "-06:00",
    "MDT": "-06:00",
    "MST": "-07:00",
    "PDT": "-07:00",
    "PST": "-08:00",
}
_ZONE_WORDS: Final = re.compile(r"^(?:T[. ] ?|TIEMPO (?:DEL? )?|ZONA |HORA (?:DEL? )?)")


def days(text: str) -> Iterator[str]:
    """The day that a text tells, as it stands there: of an instant, the day it is written with."""
    found = _MOMENT.fullmatch(text)
    if found is not None:
        yield _day(found)


def instants(text: str) -> Iterator[str]:
    """The instant that a text tells; of a day, its midnight. Without a zone first, then, if it names none, in UTC."""
    found = _MOMENT.fullmatch(text)
    if found is None:
        return
    local = f"{_day(found)}T{_time(found)}"
    zone = found["zone"]
    if zone is None:
        yield local
        yield f"{local}Z"
        return
    offset = _offset(zone, local)
    if offset is not None:
        yield f"{local}{offset}"


def _day(found: re.Match[str]) -> str:
    year, month, day = (found[name + "1"] or found[name + "2"] for name in "ymd")
    return f"{year}-{month:0>2}-{day:0>2}"


def _time(found: re.Match[str]) -> str:
    if found["hour"] is None:
        return "00:00:00"
    fraction = f".{found['fraction']}" if found["fraction"] else ""
    return f"{found['hour']:0>2}:{found['minute']}:{found['second'] or '00'}{fraction}"


def _offset(zone: str, local: str) -> str | None:
    """The offset of a zone at a local time; None for a zone nobody knows, and for an hour that there is twice."""
    numbers = _OFFSET.fullmatch(zone)
    if numbers is not None:
        return f"{numbers[1]}:{numbers[2] or '00'}"
    word = unicodedata.normalize("NFKD", zone).encode("ascii", "ignore").decode().upper().strip()
    word = _ZONE_WORDS.sub("", word).strip(". ")
    if word in _OFFSETS:
        return _OFFSETS[word]
    return _offset_by_law(_ZONES[word], local) if word in _ZONES else None


def _offset_by_law(name: str, local: str) -> str | None:
    # Imported where it is needed: it reads the system's files, and hardly any value names a zone.
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        moment = datetime.fromisoformat(local[:19]).replace(tzinfo=ZoneInfo(name))
    except (ValueError, ZoneInfoNotFoundError):
        return None
    offsets = {moment.replace(fold=fold).utcoffset() for fold in (0, 1)}
    offset = offsets.pop()
    if offsets or offset is None:
        return None
    minutes = offset // timedelta(minutes=1)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
