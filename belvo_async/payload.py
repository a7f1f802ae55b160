"""Guarded decoding: every byte from outside goes through here, and every complaint leaves as PayloadError."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TypeVar, overload
from urllib.parse import urlsplit

import msgspec

from .errors import PayloadError

__all__ = ["DEPTH_LIMIT", "check_depth", "check_number", "decode", "local_target", "rethrow"]

T = TypeVar("T")

# No documented payload of either vendor nests deeper than about ten. msgspec recurses in C: in a thread with a small
# stack a few hundred levels end the process before any exception, so the limit is checked first.
DEPTH_LIMIT = 64

# Strings are skipped whole, an unterminated one to the end of the input, so the scan is one linear pass.
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)', re.DOTALL)
_NO_BRACKETS = bytes(each for each in range(256) if each not in b"[]{}")

# msgspec messages that hold no value of the input. Others (enums, literals, unknown tags) echo it and are replaced.
_HARMLESS = re.compile(
    r"(Expected `[\w |.-]+`(?:, got `[\w|. -]+`)?|Object missing required field `\w+`|JSON is malformed"
    r"|Input data was truncated|Invalid (?:RFC3339 encoded datetime|RFC3339 encoded date|UUID|decimal string))"
)
# The path and the position stand at the end; the same words inside an echoed value must not be taken for them.
_PATH = re.compile(r"`(\$[^`]*)`\Z")
_BYTE = re.compile(r"\(byte (\d+)\)\Z")


@overload
def decode(body: bytes | bytearray | memoryview, kind: type[T]) -> T: ...
@overload
def decode(body: bytes | bytearray | memoryview, kind: msgspec.json.Decoder[T]) -> T: ...
def decode(body: bytes | bytearray | memoryview, kind: type[T] | msgspec.json.Decoder[T]) -> T:
    """Decode one JSON document into `kind`, or raise PayloadError naming the field's path, never its value.

    For small documents (webhooks, answers, errors): the nesting is checked first.
    """
    check_depth(body)
    try:
        if isinstance(kind, msgspec.json.Decoder):
            return kind.decode(body)
        return msgspec.json.decode(body, type=kind)
    except _UNREADABLE as error:
        failure = rethrow(error)
    # Raised out here: `from None` would only hide the decoder's exception, which may hold the input, not drop it.
    raise failure


# RecursionError and UnicodeDecodeError are not MsgspecErrors; the last would carry the whole input in `.object`.
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OverflowError, MemoryError, ValueError)


def rethrow(error: Exception, *, at: str = "$") -> PayloadError:
    """Turn a decoder's complaint into a PayloadError that holds no byte of the input. `at` prefixes the path."""
    if isinstance(error, PayloadError):
        return error
    if isinstance(error, RecursionError):
        return PayloadError("nested too deeply", path=at)
    if isinstance(error, UnicodeDecodeError):
        return PayloadError("not UTF-8", path=at)
    text = str(error)
    path = _PATH.search(text)
    byte = _BYTE.search(text)
    harmless = _HARMLESS.match(text)
    reason = harmless.group(1) if harmless else "unexpected content"
    where = f" (byte {byte.group(1)})" if byte else ""
    return PayloadError(reason + where, path=at + path.group(1)[1:] if path else at)


def check_depth(body: bytes | bytearray | memoryview) -> None:
    """Refuse input nested deeper than DEPTH_LIMIT, in one linear pass."""
    text = bytes(body)
    if text.count(b"[") + text.count(b"{") <= DEPTH_LIMIT:
        return
    depth = 0
    for bracket in _STRING.sub(b"", text).translate(None, _NO_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if depth > DEPTH_LIMIT:
            raise PayloadError("nested too deeply")


# Money of either vendor has at most 15 digits before and 6 after the point; rates a few more.
_NUMBER_EXPONENT_LIMIT = 64


def check_number(number: Decimal, *, path: str = "$") -> Decimal:
    """Refuse NaN, infinities and exponents that would make a bomb of the first `int()` or `format()`."""
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or abs(exponent) > _NUMBER_EXPONENT_LIMIT:
        raise PayloadError("a number out of bounds", path=path)
    return number


def local_target(link: str, *, origin: str, path: str | None = None) -> str:
    """Reduce a link the vendor gave to path and query, or raise PayloadError when it points elsewhere.

    Credentials go only to the configured origin, so a link may name that origin or none; with `path`, it must stay
    on that path. Relative links and percent-encoding are kept word for word.
    """
    if any(char in link for char in "\\\t\r\n ") or link.startswith("//"):
        raise PayloadError("a link of a form that is not followed")
    try:
        parts = urlsplit(link)
        home = urlsplit(origin)
        same = (not parts.scheme and not parts.netloc) or (
            (parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme))
            == (home.scheme, home.hostname, home.port or _PORTS.get(home.scheme))
        )
    except ValueError:
        raise PayloadError("a link that cannot be read") from None
    if not same or parts.username is not None or not parts.path.startswith("/") or "/.." in parts.path:
        raise PayloadError("a link that points away from the vendor's own address")
    if path is not None and parts.path != path:
        raise PayloadError("a link that leaves its collection")
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


_PORTS = {"http": 80, "https": 443}
