"""The normal form of a value: two values that say the same have the same one, however they are spelled."""

from __future__ import annotations

import html
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final, cast

import msgspec

# Digits of a second that are printed at one time and not at another: whole milliseconds are compared.
_MILLISECOND: Final = 1000


def normal(value: object, ignored: Collection[str] = ()) -> str:
    """Bring a value into its normal form; empty for whatever says nothing.

    Texts: without case, accents, blanks, punctuation and entities of HTML, in Unicode's compatibility form; marks
    between two digits and a sign before one are kept, since they make another number of it. Numbers by value, instants
    by instant, to the millisecond. Of lists the order says nothing. Of records and mappings, attributes that are
    `ignored` or empty are left out.
    """
    if value is None or value is msgspec.UNSET:
        return ""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool):
        return f"is {value}"
    if isinstance(value, int | float | Decimal):
        return _number(value)
    if isinstance(value, datetime):
        return _instant(value)
    if isinstance(value, date):
        return f"day {value.isoformat()}"
    return _composed(value, ignored)


def _composed(value: object, ignored: Collection[str]) -> str:
    if isinstance(value, msgspec.Raw | bytes):
        content = bytes(value).hex()
        return content and f"bytes {content}"
    if isinstance(value, msgspec.Struct):
        return _named(((name, getattr(value, name)) for name in value.__struct_fields__), ignored)
    if isinstance(value, Mapping):
        pairs = cast("Mapping[object, object]", value).items()
        return _named(((str(name), each) for name, each in pairs), ignored)
    if isinstance(value, Collection):
        found = sorted(filter(None, (normal(each, ignored) for each in cast("Collection[object]", value))))
        return _joined("[", found, "]")
    return _text(str(value))


def _named(pairs: Iterable[tuple[str, object]], ignored: Collection[str]) -> str:
    found = sorted((name, normal(each, ignored)) for name, each in pairs if name not in ignored)
    return _joined("{", [part for name, each in found if each for part in (name, each)], "}")


def _joined(opens: str, parts: Collection[str], closes: str) -> str:
    # Each with its length: no two different lists are written alike.
    return f"{opens}{''.join(f'{len(each)}:{each}' for each in parts)}{closes}" if parts else ""


def _number(value: float | Decimal) -> str:
    exact = value if isinstance(value, Decimal) else Decimal(str(value))
    return _finite(exact) if exact.is_finite() else f"number {exact}"


# Equal numbers have one form, and rates of taxes and zeros come again and again.
@lru_cache(maxsize=4_096)
def _finite(exact: Decimal) -> str:
    if not exact:
        return "number 0"
    # Not `normalize`, which rounds to the context's precision.
    sign, digits, exponent = exact.as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    kept = text.rstrip("0")
    return f"number {'-' * sign}{kept}e{int(exponent) + len(text) - len(kept)}"


def _instant(value: datetime) -> str:
    at = value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)
    zone = "" if value.tzinfo is None else "Z"
    return f"at {at.replace(microsecond=at.microsecond // _MILLISECOND * _MILLISECOND).isoformat()}{zone}"


# Words of the tax office and names of who trades with whom come again and again.
@lru_cache(maxsize=16_384)
def _text(value: str) -> str:
    if value.isascii() and value.isalnum():
        return f"text {value.lower()}"
    bare = value.strip()
    if not bare:
        return ""
    folded = unicodedata.normalize("NFKD", html.unescape(bare)).casefold()
    # Folding may bring accents back.
    letters = [each for each in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(each)]
    kept = "".join(_kept(letters))
    return f"text {kept}" if kept else f"marks {bare}"


def _kept(letters: list[str]) -> list[str]:
    found: list[str] = []
    is_parted = is_negative = False
    for each in letters:
        if each.isalnum():
            if each.isdigit() and is_parted and (found and found[-1].isdigit()):
                found.append(" ")
            elif each.isdigit() and is_negative and not (found and found[-1].isalnum()):
                found.append("-")
            found.append(each)
            is_parted = is_negative = False
        else:
            is_parted, is_negative = True, each in "-\N{MINUS SIGN}"
    return found
