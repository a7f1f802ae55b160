"""Other ways to write a JSON number, text or flag that say the very same.

Everything here gives JSON text; whether it fits is for the strict decoder of the type to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Final

import msgspec

from ..errors import PayloadError
from ..payload import check_number

# A million taxpayers with a million invoices each have fewer.
COUNT_LIMIT: Final = 10**15
LONGEST_COUNT: Final = 18

_PLAIN: Final = re.compile(r"([+-]?)(\d+\.?\d*|\.\d+)((?:[eE][+-]?\d{1,4})?)", re.ASCII)
# Blanks, among them those that do not break lines, between groups of three digits say nothing but thousands.
_BLANK_GROUPS: Final = re.compile(r"([+-]?)([1-9]\d{0,2}(?:[ \u00a0\u2009\u202f]\d{3})+(?:\.\d+)?)", re.ASCII)
# One comma alone may be the decimal one of other countries: `1,234`. Several, or one before a point, cannot.
_COMMA_GROUPS: Final = re.compile(r"([+-]?)([1-9]\d{0,2}(?:(?:,\d{3}){2,}(?:\.\d+)?|(?:,\d{3})+\.\d+))", re.ASCII)
_GROUP_MARKS: Final = str.maketrans("", "", ", \u00a0\u2009\u202f")

_FLAGS: Final = {"true": b"true", "1": b"true", "yes": b"true", "si": b"true", "s\u00ed": b"true"}
_NO_FLAGS: Final = {"false": b"false", "0": b"false", "no": b"false"}

# Nearly all numbers are shorter, and of these magnitudes: they need no second question.
_SHORT: Final = 32
_USUAL: Final = frozenset(range(-16, 25))


def exact(number: str) -> Decimal:
    """Read the text of a number, exactly. Raises PayloadError for one out of bounds."""
    found = Decimal(number)
    return found if len(number) < _SHORT and found.adjusted() in _USUAL else check_number(found)


def text_of(raw: bytes) -> str | None:
    """The text of a JSON string; None for what is none that can be had, such as half of a surrogate pair."""
    try:
        return _TEXT.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def written(text: str) -> bytes:
    """Write a text as JSON."""
    return msgspec.json.encode(text)


def stripped(text: str) -> str:
    """Take the white space, of any script, off both ends."""
    return text.strip().strip("\ufeff\u200b").strip()


def plain_number(text: str) -> str | None:
    """Write a number as JSON does, from a text without blanks at its ends; None for what is none for certain."""
    found = _PLAIN.fullmatch(text)
    exponent = found.group(3) if found else ""
    found = found or _BLANK_GROUPS.fullmatch(text) or _COMMA_GROUPS.fullmatch(text)
    if found is None:
        return None
    whole, point, fraction = found.group(2).translate(_GROUP_MARKS).partition(".")
    sign = "-" if found.group(1) == "-" else ""
    digits = whole.lstrip("0") or "0"
    return f"{sign}{digits}{point if fraction else ''}{fraction}{exponent}"


def whole_number(number: str) -> str | None:
    """Write a JSON number without a fraction, as `10` for `10.0`; None where it has one, or is out of bounds."""
    try:
        found = check_number(Decimal(number))
    except (PayloadError, InvalidOperation):
        return None
    whole = int(found)
    return str(whole) if whole == found else None


def count_of(value: object) -> int | None:
    """Read a count that came as a number or as a text; None for what counts nothing, or more than anybody has."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if isinstance(value, int):
        return value if 0 <= value < COUNT_LIMIT else None
    # Compared as a number: thousands of digits cannot even be written as a text.
    if not isinstance(value, str) and not 0 <= value < COUNT_LIMIT:
        return None
    whole = whole_number(str(value)) if len(str(value)) <= LONGEST_COUNT else None
    return int(whole) if whole is not None and 0 <= int(whole) < COUNT_LIMIT else None


def flag(text: str) -> bytes | None:
    """Write a flag as JSON does, from words or digits; None for what is none for certain."""
    word = text.casefold()
    known = _FLAGS.get(word) or _NO_FLAGS.get(word)
    if known is not None:
        return known
    number = plain_number(text)
    return {"1": b"true", "0": b"false"}.get(whole_number(number) or "") if number else None


def rewrites_of_number(raw: bytes) -> Iterator[bytes]:
    """A JSON number as others may have meant it: whole, as its own text, as a flag."""
    number = raw.decode("ascii", "replace")
    whole = whole_number(number)
    if whole is not None:
        yield whole.encode()
    yield written(number)
    known = flag(number)
    if known is not None:
        yield known


_TEXT: Final = msgspec.json.Decoder(str)
