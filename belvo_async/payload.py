"""Guarded decoding: every byte from outside goes through here, and every complaint leaves as PayloadError."""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any, Concatenate, Final, ParamSpec, TypeVar, cast, overload
from urllib.parse import urlencode

import msgspec

from .errors import PayloadError, TaskError

P = ParamSpec("P")
T = TypeVar("T")

# No documented payload of either vendor nests deeper than about ten. msgspec recurses in C: in a thread with a small
# stack a few hundred levels end the process before any exception, so the limit is checked first.
DEPTH_LIMIT: Final = 64

# Documented bodies of webhooks stay under 10 KiB; the vendors' own limits are not published. Whoever receives one stops
# reading there, before memory is spent.
DELIVERY_LIMIT_BYTES: Final = 256 * 1024

# Strings are skipped whole, an unterminated one to the end of the input, so the scan is one linear pass.
_STRING: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)', re.DOTALL)
_NO_BRACKETS: Final = bytes(each for each in range(256) if each not in b"[]{}")

# msgspec messages that hold no value of the input. Others (enums, literals, unknown tags) echo it and are replaced.
_HARMLESS: Final = re.compile(
    r"(Expected `[\w |.-]+`(?:, got `[\w|. -]+`)?|Object missing required field `\w+`|JSON is malformed"
    r"|Input data was truncated|Invalid (?:RFC3339 encoded datetime|RFC3339 encoded date|UUID|decimal string))"
)
_NOT_UTF_8: Final = "Invalid UTF-8 encoded string"
# The path and the position stand at the end; the same words inside an echoed value must not be taken for them.
_PATH: Final = re.compile(r"`(\$[^`]*)`\Z")
_BYTE: Final = re.compile(r"\(byte (\d+)\)\Z")


@overload
def decode(body: bytes | bytearray | memoryview, kind: type[T]) -> T: ...
@overload
def decode(body: bytes | bytearray | memoryview, kind: msgspec.json.Decoder[T]) -> T: ...
def decode(body: bytes | bytearray | memoryview, kind: type[T] | msgspec.json.Decoder[T]) -> T:
    """Decode one JSON document into `kind`, or raise PayloadError naming the field's path, never its value.

    For small documents (webhooks, answers, errors): the nesting is checked first.
    """
    try:
        check_depth(body)
        if isinstance(kind, msgspec.json.Decoder):
            return kind.decode(body)
        return msgspec.json.decode(body, type=kind)
    except (PayloadError, *UNREADABLE) as error:
        failure = PayloadError(PAGE) if is_markup(body) else rethrow(error)
    # Raised out here: `from None` would only hide the decoder's exception, which may hold the input, not drop it. Error
    # trackers show the locals of every frame as well: none of ours may hold it either.
    del body
    raise failure.with_traceback(None)


PAGE: Final = "a page (HTML) came instead of JSON"
_PAGE_BEGIN: Final = re.compile(rb"(?:\xef\xbb\xbf)?[ \t\r\n]*<")


def is_markup(body: bytes | bytearray | memoryview) -> bool:
    """Whether a body that is no JSON is a page: of a proxy, a login, a maintenance."""
    return _PAGE_BEGIN.match(body) is not None


def whole(read: Callable[Concatenate[bytes, P], T], body: bytes, *args: P.args, **options: P.kwargs) -> T:
    """Read a proven body, or raise PayloadError, whatever goes wrong: it can be kept aside, but not be raised for."""
    try:
        return read(body, *args, **options)
    except Exception as error:  # noqa: BLE001 - any value may be odd in a way nobody foresaw
        failure = rethrow(error)
    del body, args, options
    raise failure.with_traceback(None)


def refuse_repeated_keys(body: bytes, deciding: Collection[str]) -> None:
    """Refuse JSON in which a key that decides what it means stands twice: readers disagree which of them counts."""

    def pairs(given: list[tuple[str, object]]) -> None:
        names = [name for name, _ in given if name in deciding]
        if len(names) != len(set(names)):
            raise PayloadError("a key that decides stands twice")

    try:
        # The standard reader shows all keys; numbers stay text, since Python's own limits are not the vendors'.
        json.loads(body, object_pairs_hook=pairs, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        raise PayloadError("JSON is malformed") from None


_BODY: Final = msgspec.json.Encoder(decimal_format="number")
_NO_TEXT: Final = "a text holds characters that UTF-8 cannot"


def encode_body(words: Mapping[str, object]) -> bytes:
    """Encode a body to send, or raise TaskError for what no request can carry, without showing it.

    A Decimal becomes a number, digit for digit.
    """
    try:
        return _BODY.encode(words)
    except UnicodeEncodeError:
        del words
        failure = TaskError(_NO_TEXT, field="text")
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError):
        del words
        failure = TaskError("a value is of a kind that JSON does not have", field="value")
    raise failure


def encode_query(pairs: Iterable[tuple[str, str]], *, safe: str = "") -> str:
    """Encode a query string, or raise TaskError for text that no request can carry, without showing it."""
    try:
        return urlencode([*pairs], safe=safe)
    except UnicodeEncodeError:
        del pairs
    raise TaskError(_NO_TEXT, field="text")


# RecursionError is no MsgspecError, nor is the UnicodeDecodeError of a msgspec before 0.23, which would carry the whole
# input in `.object`.
UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OverflowError, MemoryError, ValueError)


def rethrow(error: Exception, *, at: str = "$", offset: int | None = 0) -> PayloadError:
    """Turn a decoder's complaint into a PayloadError that holds no byte of the input. `at` prefixes the path.

    `offset` is where in the body the decoded bytes begin; None where nobody knows, and then no position is told.
    """
    if isinstance(error, PayloadError):
        return error
    if isinstance(error, RecursionError):
        return PayloadError("nested too deeply", path=at)
    text = str(error)
    if isinstance(error, UnicodeDecodeError) or text.startswith(_NOT_UTF_8):
        return PayloadError("not UTF-8", path=at)
    path = _PATH.search(text)
    byte = _BYTE.search(text)
    harmless = _HARMLESS.match(text)
    reason = harmless.group(1) if harmless else "unexpected content"
    where = f" (byte {offset + int(byte.group(1))})" if byte and offset is not None else ""
    return PayloadError(reason + where, path=at + path.group(1)[1:] if path else at)


def check_depth(body: bytes | bytearray | memoryview) -> None:
    """Refuse input nested deeper than DEPTH_LIMIT, in one linear pass."""
    too_deep = _is_too_deep(bytes(body))
    del body  # the frames of an error hold no input
    if too_deep:
        raise PayloadError("nested too deeply")


def _is_too_deep(text: bytes) -> bool:
    if text.count(b"[") + text.count(b"{") <= DEPTH_LIMIT:
        return False
    depth = 0
    for bracket in _STRING.sub(b"", text).translate(None, _NO_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if depth > DEPTH_LIMIT:
            return True
    return False


# Money of either vendor has at most 15 digits before and 6 after the point; rates a few more. Both bounds are far above
# that, and far below what makes a bomb of the first `int()` or `format()`.
MAGNITUDE_LIMIT: Final = 128
_DIGITS_LIMIT: Final = 2500


def check_number(number: Decimal, *, path: str = "$") -> Decimal:
    """Refuse NaN, infinities, magnitudes beyond 10^±MAGNITUDE_LIMIT and numbers of absurdly many digits.

    The magnitude is that of the first digit (of a zero, its exponent): it bounds the exponent from above, and from
    below as far as there are digits.
    """
    if (
        not number.is_finite()
        or abs(number.adjusted()) > MAGNITUDE_LIMIT
        or (number.__sizeof__() > _SMALL_BYTES and len(number.as_tuple().digits) > _DIGITS_LIMIT)
    ):
        raise PayloadError("a number out of bounds", path=path)
    return number


# What a number of a few dozen digits takes: counting digits is slow, and only longer ones need it.
_SMALL_BYTES: Final = Decimal(0).__sizeof__()


def check_numbers(value: object, *, path: str = "$") -> None:
    """Check every Decimal in a decoded value, at any depth; raise PayloadError with the path of the first bad one."""
    if isinstance(value, Decimal):
        check_number(value, path=path)
        return
    for place, each in _members(value):
        check_numbers(each, path=path + place)


def _members(value: object) -> Iterable[tuple[str, object]]:
    """What a value is made of, each with its place in the vendor's own names."""
    if isinstance(value, str | bytes | msgspec.Raw | None):
        return ()
    if isinstance(value, Mapping):
        # The keys of a mapping are the vendor's data: they stay out of the path, as in msgspec's own.
        mapping = cast("Mapping[object, object]", value)
        return zip(itertools.repeat("[...]"), itertools.chain(mapping, mapping.values()))
    if isinstance(value, list | tuple | set | frozenset):
        return ((f"[{index}]", each) for index, each in enumerate(cast("Iterable[object]", value)))
    return ((f".{encoded}", getattr(value, name)) for name, encoded in _fields(cast("Hashable", type(value))))


@cache
def _fields(kind: Any) -> tuple[tuple[str, str], ...]:
    """The attributes of a record type and their names in the payload; none of a plain value's type."""
    if issubclass(kind, msgspec.Struct):
        return tuple((field.name, field.encode_name) for field in msgspec.structs.fields(kind))
    if dataclasses.is_dataclass(kind):
        return tuple((field.name, field.name) for field in dataclasses.fields(kind))
    return tuple((field.name, field.name) for field in getattr(kind, "__attrs_attrs__", ()))
