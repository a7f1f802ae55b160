"""Everything an error tracker shows of an exception: its texts, its causes, and the locals of the frames it passed.

Frames of programs (here: tests, and the simulators that stand for the vendors) are theirs. Those of the library count,
and those of the packages below it that an exception of ours carries along.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import NamedTuple

import pytest

import belvo_async

_LIBRARY = Path(belvo_async.__file__).parent
_TESTS = Path(__file__).parent
_PROGRAMS = (str(_TESTS), str(_LIBRARY / "simulator"), str(_LIBRARY.parent / "examples"))


class Shown(NamedTuple):
    """A text, and where it shows."""

    place: str
    text: str


def shown_by(error: BaseException) -> Iterator[Shown]:
    """All texts that are shown of an exception, of its causes and contexts (suppressed ones too), and of a group's."""
    for each in chain(error):
        name = type(each).__name__
        yield Shown(f"text of {name}", " ".join(traceback.format_exception_only(each)))
        yield Shown(f"repr of {name}", _repr(each))
        yield Shown(f"attributes of {name}", _repr(vars(each)))
        for frame in counted_frames(each):
            place = f"{name}: {frame.f_globals.get('__name__')}.{frame.f_code.co_qualname}"
            yield from (Shown(f"{place}: {local}", _repr(value)) for local, value in frame.f_locals.items())


def leaks_of(error: BaseException, *canaries: str) -> list[str]:
    """Where canaries show; and what cannot be shown at all, which hides the error itself."""
    return [place for place, text in shown_by(error) if text.startswith(_NO_REPR) or any(c in text for c in canaries)]


def chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and all that hang on it, each once."""
    met: set[int] = set()
    waiting = [error]
    while waiting:
        each = waiting.pop()
        if id(each) in met:
            continue
        met.add(id(each))
        yield each
        waiting += [link for link in (each.__cause__, each.__context__) if link is not None]
        if isinstance(each, BaseExceptionGroup):
            waiting += each.exceptions


def counted_frames(error: BaseException) -> Iterator[FrameType]:
    """The frames of an exception that are not a program's, from the first one of the library on.

    All of them where no program caught it: what the library hung on another exception has come out of it, too.
    """
    trace = error.__traceback__
    below = trace is not None and not is_program(trace.tb_frame)
    for frame, _ in traceback.walk_tb(trace):
        is_users = is_program(frame)
        below = below or (not is_users and frame.f_code.co_filename.startswith(str(_LIBRARY)))
        if below and not is_users:
            yield frame


def is_program(frame: FrameType) -> bool:
    """Whether a frame is of a program that uses the library."""
    file = frame.f_code.co_filename
    return file.startswith(_PROGRAMS) or "_pytest" in file or "pluggy" in file or "pytest_asyncio" in file


_NO_REPR = "repr failed with "


def _repr(value: object) -> str:
    try:
        return repr(value)
    except Exception as error:
        return f"{_NO_REPR}{type(error).__name__}"


def provoked(raised: pytest.ExceptionInfo[BaseException]) -> BaseException:
    """What was raised, which must have come through the library."""
    assert any(list(counted_frames(each)) for each in chain(raised.value)), (
        "no frame of the library: nothing was provoked"
    )
    return raised.value
