"""Documents and rows read strictly first, and tolerantly where they do not fit."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from contextlib import AbstractContextManager
from contextvars import ContextVar
from functools import cache
from typing import Any, Final, Generic, NamedTuple, TypeVar, cast

import msgspec
from msgspec import inspect

from ..errors import PayloadError
from ..payload import PAGE, check_depth, check_numbers, is_markup, rethrow
from .misfits import Misfits
from .nodes import UNFIT, Outcome, Told, Where, node_of
from .texts import exact

T = TypeVar("T")


class Reread(NamedTuple, Generic[T]):
    """What a second reading gave, and what it could not read."""

    value: T
    told: Sequence[Told]


class Rereader(Generic[T]):
    """Reads values of one type that the strict decoder refused."""

    def __init__(self, kind: type[T]) -> None:
        self._node = node_of(inspect.type_info(kind))

    def reread(self, raw: bytes, at: str) -> Reread[T] | None:
        """Read a JSON value once more; None when nothing can be made of it. `at` is its path.

        Raises PayloadError for what is no text, or nested too deeply: that is no odd value but no JSON.
        """
        told: list[Told] = []
        try:
            str(raw, "utf-8")
            value = self._node.reread(raw.strip(), Where(at), told)
        except (UnicodeDecodeError, RecursionError) as error:
            fault = rethrow(error, at=at)
        else:
            return None if isinstance(value, Outcome) else Reread(cast("T", value), told)
        # Raised out here: the decoder's exception may hold the input, and so may this frame.
        del raw, told
        raise fault.with_traceback(None)


@cache
def _rereader(kind: Any) -> Rereader[Any] | None:
    try:
        return Rereader(kind)
    except TypeError:
        return None


def rereader(kind: type[T]) -> Rereader[T] | None:
    """The second reading of a type; None for one that msgspec cannot tell the parts of."""
    return _rereader(cast("Hashable", kind))


class _MisfitScope(NamedTuple):
    misfits: Misfits
    is_strict: bool


# Dialects decode deep inside of conversations: what they could not read is told to whoever drives those, by the context
# as with decimal's, since neither an observation nor a record has room for it.
_EAR: Final[ContextVar[_MisfitScope | None]] = ContextVar("belvo_async_ear", default=None)


def listening(*, strict: bool = False) -> AbstractContextManager[Misfits, None]:
    """Hear what `read` cannot read meanwhile; with `strict`, have it raise PayloadError instead."""
    return _Listening(_MisfitScope(Misfits(), strict))


class _Listening(AbstractContextManager[Misfits, None]):
    __slots__ = ("_scope", "_token")

    def __init__(self, scope: _MisfitScope) -> None:
        self._scope = scope

    def __enter__(self) -> Misfits:
        self._token = _EAR.set(self._scope)
        return self._scope.misfits

    def __exit__(self, *exc_info: object) -> None:
        _EAR.reset(self._token)


def read(body: bytes | bytearray | memoryview, kind: type[T], *, needs: str = "id") -> T:
    """Decode one small JSON document; values that do not fit are read tolerantly, or None and told to the listener.

    Raises PayloadError, naming the path, for what is no JSON, for a document of which nothing can be read, and where
    the field `needs`, in the vendor's name, is there and cannot be.
    """
    try:
        check_depth(body)
        return _strictly(bytes(body), kind)
    except UNFIT as error:
        fault = PayloadError(PAGE) if is_markup(body) else rethrow(error)
    ear = _EAR.get()
    found = None if ear is not None and ear.is_strict else _reread(bytes(body), kind)
    del body  # the frames of an error hold no input
    if found is None:
        raise fault.with_traceback(None)
    lost = next((each.place.path for each in found.told if each.place.path == f"$.{needs}"), None)
    if lost is not None:
        del found
        raise PayloadError("the id cannot be read", path=lost)
    if ear is not None:
        row_id: object = getattr(found.value, "id", None)
        for each in found.told:
            ear.misfits.add(each.place.path, each.raw, row_id if isinstance(row_id, str) else None)
    return found.value


def _strictly(body: bytes, kind: type[T]) -> T:
    value = cast("T", _decoder(cast("Hashable", kind)).decode(body))
    check_numbers(value)
    return value


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind, float_hook=exact)


def _reread(body: bytes, kind: type[T]) -> Reread[T] | None:
    again = rereader(kind)
    if again is None or not _is_json(body):
        return None
    try:
        return again.reread(body, "$")
    except PayloadError:
        return None


def _is_json(body: bytes) -> bool:
    try:
        _RAW.decode(body)
    except UNFIT:
        return False
    return True


_RAW: Final = msgspec.json.Decoder(msgspec.Raw)
