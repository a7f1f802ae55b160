"""What an exception carries along. Pure.

Error trackers show the locals of every frame an exception came through, and the same of its causes and contexts: rows,
bodies, passwords. So whatever leaves the library by a door (what users call) comes without the frames behind that door,
and without exceptions of other packages, whose texts and attributes are not ours to vouch for. Frames and exceptions of
the user's own code stay as they are.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from functools import wraps
from types import FrameType, TracebackType
from typing import Any, Final, ParamSpec, TypeVar, cast

from .errors import BelvoAsyncError

P = ParamSpec("P")
T = TypeVar("T")
E = TypeVar("E", bound=BaseException)

_STANDARD: Final = frozenset(sys.stdlib_module_names)
# We, and what we call: another package below that may wrap one of these, as tracers do.
_LIBRARIES: Final = frozenset(
    {
        __name__.partition(".")[0],
        "aiohappyeyeballs",
        "aiohttp",
        "aiosignal",
        "dlt",
        "duckdb",
        "frozenlist",
        "msgspec",
        "multidict",
        "propcache",
        "psycopg",
        "psycopg2",
        "psycopg_binary",
        "psycopg_c",
        "pyarrow",
        "redis",
        "tenacity",
        "xlsxwriter",
        "yarl",
    }
)
# So much of the way is told of an exception that is no error of ours, and so may be a fault of ours.
_LONGEST_WAY: Final = 8
_NOTE: Final = "belvo_async leaves out the frames behind this one, since they hold data; it came from "


def discreet(function: Callable[P, T]) -> Callable[P, T]:
    """Make a door of a function or a coroutine function: what it raises shows nothing of it, its arguments included."""
    if inspect.iscoroutinefunction(function):
        return cast("Callable[P, T]", _coroutine_door(function))

    @wraps(function)
    def door(*args: P.args, **options: P.kwargs) -> T:
        try:
            return function(*args, **options)
        except BaseException as error:
            del args, options
            relieve(error)
            raise

    return door


def _coroutine_door(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    async def door(*args: Any, **options: Any) -> Any:
        try:
            return await function(*args, **options)
        except BaseException as error:
            del args, options
            relieve(error)
            raise

    return door


class Discretion:
    """`with Discretion():` around the body of a generator that users iterate: its own frame shows, none behind it."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None:
            relieve(error)


def relieve(error: BaseException) -> None:
    """Take from an exception that is just caught all frames but the catching one, and what other packages hung on it.

    The frames of users' code that raised it stay, and so do exceptions that came from there.
    """
    own = error.__traceback__
    if own is not None:
        own.tb_next = _cut(error, own.tb_next)


def bare(error: E) -> E:
    """Take from an exception that is handed on as a value, its traceback too."""
    error.__traceback__ = _cut(error, error.__traceback__)
    return error


def _cut(error: BaseException, trace: TracebackType | None) -> TracebackType | None:
    """Tell of a traceback that is to be left out, and give the part of it that stays."""
    shown = _shown(trace)
    way = _way(trace, shown)
    if way and isinstance(error, Exception) and not isinstance(error, BelvoAsyncError):
        _tell_way(error, way)
    if shown is None:
        _relieve_links(error)
    return shown


def _relieve_links(error: BaseException) -> None:
    waiting, met = [error], {id(error)}
    while waiting:
        each = waiting.pop()
        is_suppressed = each.__suppress_context__
        each.__cause__, each.__context__ = _heir(each.__cause__), _heir(each.__context__)
        each.__suppress_context__ = is_suppressed
        links = [link for link in (each.__cause__, each.__context__) if link is not None]
        if isinstance(each, BaseExceptionGroup):
            links += cast("BaseExceptionGroup[BaseException]", each).exceptions
        for link in links:
            # What users' code has raised or caught before is theirs, with all that hangs on it.
            if id(link) not in met and not _is_users(link):
                met.add(id(link))
                link.__traceback__ = None
                waiting.append(link)


def _heir(link: BaseException | None) -> BaseException | None:
    """The first of a chain that may stay: an error of ours, or one that users' code raised or caught."""
    met: set[int] = set()
    while link is not None and not (isinstance(link, BelvoAsyncError) or _is_users(link)):
        if id(link) in met:
            return None
        met.add(id(link))
        link = link.__cause__ or link.__context__
    return link


def _is_users(error: BaseException) -> bool:
    trace = error.__traceback__
    if trace is None:
        # It was never raised. The classes of the standard library are everybody's.
        return not isinstance(error, BelvoAsyncError) and not _is_behind(type(error).__module__)
    return not _is_behind(_module(trace.tb_frame)) or _shown(trace) is not None


def _shown(trace: TracebackType | None) -> TracebackType | None:
    """The part of a traceback that is of users' code which raised: behind the last frame of a library."""
    first: TracebackType | None = None
    for each in _entries(trace):
        module = _module(each.tb_frame)
        if _top(module) in _LIBRARIES:
            first = None
        elif first is None and not _is_behind(module):
            first = each
    return first


def _is_behind(module: str) -> bool:
    return _top(module) in _LIBRARIES or _top(module) in _STANDARD


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _top(module: str) -> str:
    return module.partition(".")[0]


def _entries(trace: TracebackType | None) -> Iterator[TracebackType]:
    while trace is not None:
        yield trace
        trace = trace.tb_next


def _way(trace: TracebackType | None, shown: TracebackType | None) -> list[str]:
    """The places of the frames that are left out."""
    places: list[str] = []
    for each in _entries(trace):
        if each is shown:
            break
        places.append(f"{_module(each.tb_frame)}:{each.tb_lineno}")
    return places


def _tell_way(error: Exception, way: list[str]) -> None:
    if not any(note.startswith(_NOTE) for note in getattr(error, "__notes__", ())):
        error.add_note(_NOTE + " < ".join(reversed(way[-_LONGEST_WAY:])))
