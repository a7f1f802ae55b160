"""Where a JSON value ends, told by a decoder that skips it."""

from __future__ import annotations

import json
import re
from typing import Final, Protocol

import msgspec

_RAW: Final = msgspec.json.Decoder(msgspec.Raw)
_TRAILING: Final = "JSON is malformed: trailing characters (byte "
_TRUNCATED: Final = "Input data was truncated"
_POSITION: Final = re.compile(r"\(byte (\d+)\)\Z")
_SOLID: Final = re.compile(r"[^ \t\r\n]")
_NUMBER: Final = frozenset(b"-0123456789")
_DIGITS: Final = re.compile(r"[-\d][-+.\deE]*", re.ASCII)


class Scanner(Protocol):
    """Finds the ends of values in one piece of JSON."""

    def after(self, start: int) -> int | None:
        """The place of the first byte behind the value at `start` that is no white space; the end when there is none.

        None when the value may go on, as a number does that nothing follows. Raises one of UNREADABLE (positions
        counted from `start`) when what stands there is no value.
        """
        ...


class _MsgspecScanner:
    """Has msgspec skip the value, at more than a gigabyte a second, and complain about what follows it.

    There is no such function in msgspec's interface: its wording is checked when this module is loaded.
    """

    def __init__(self, view: memoryview) -> None:
        self._view = view

    def after(self, start: int) -> int | None:
        try:
            _RAW.decode(self._view[start:])
        except msgspec.DecodeError as error:
            text = str(error)
        else:
            return None if self._view[start] in _NUMBER else len(self._view)
        if text.startswith(_TRAILING):
            # The place it tells is the one behind the first byte of them.
            return start + int(text[len(_TRAILING) : -1]) - 1
        at = _POSITION.search(text)
        # A number cut at the end of what has arrived is called malformed, with the end as its place.
        if text == _TRUNCATED or (at is not None and start + int(at.group(1)) >= len(self._view)):
            return None
        raise msgspec.DecodeError(text)


class _PlainScanner:
    """The same by the standard library, several times slower."""

    def __init__(self, view: memoryview) -> None:
        # Every byte becomes one character, so that places stay the same; JSON's own marks are all ASCII.
        self._text = str(view, "latin-1")

    def after(self, start: int) -> int | None:
        digits = _DIGITS.match(self._text, start)
        if digits and digits.end() == len(self._text):
            return None
        try:
            _, end = _PLAIN.raw_decode(self._text, start)
        except json.JSONDecodeError:
            # Cut or malformed: it does not tell. A malformed row fails when the body has ended or it is too long.
            return None
        found = _SOLID.search(self._text, end)
        return found.start() if found else len(self._text)


def _refuse(name: str) -> None:
    raise ValueError("JSON has no such number")


_PLAIN: Final = json.JSONDecoder(parse_int=len, parse_float=len, parse_constant=_refuse)


def _wording_holds() -> bool:
    ends = _MsgspecScanner(memoryview(b'{"a":[1]} , tru'))
    cut = _MsgspecScanner(memoryview(b"[] 12."))
    try:
        return (10, None, 3, None) == (ends.after(0), ends.after(12), cut.after(0), cut.after(3))
    except msgspec.DecodeError:
        return False


MSGSPEC_TELLS: bool = _wording_holds()


def open_scanner(view: memoryview) -> Scanner:
    """Look for ends in `view`, which must stay as it is meanwhile."""
    return _MsgspecScanner(view) if MSGSPEC_TELLS else _PlainScanner(view)
