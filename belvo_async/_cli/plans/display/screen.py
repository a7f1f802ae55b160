"""Where a run is shown: a live view on a terminal with rich, plain lines anywhere else; on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from typing import Final, Protocol, TextIO

from ...._session.extraction.progress import PlanTally
from ....abc import Clock
from .look import Look

# How often a log is told how a run stands: while something happens, and while nothing does.
EVERY: Final = timedelta(seconds=30)
CALM: Final = timedelta(minutes=5)


class RunScreen(Protocol):
    """What a run needs of a screen. `tick_seconds`: how often it is refreshed when nothing happens; None: never."""

    tick_seconds: float | None

    def say(self, text: str) -> None:
        """Show a line that stays."""
        ...

    def live(self, looks: Sequence[Look], clock: Clock) -> AbstractContextManager[Callable[[], None]]:
        """Show the plans as they change; what it gives is called whenever something happened."""
        ...


def open_screen(stream: TextIO | None = None) -> RunScreen:
    """Choose the screen for a stream (default stderr): live when it is a terminal and rich is installed."""
    target = sys.stderr if stream is None else stream
    if target.isatty():
        try:
            from .rich_screen import LiveScreen
        except ImportError:
            pass
        else:
            return LiveScreen.on(target)
    return LogScreen(target)


class LogScreen:
    """Lines that a file or a pipe can take."""

    tick_seconds: float | None = EVERY.total_seconds()

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def say(self, text: str) -> None:
        print(text, file=self._stream, flush=True)

    @contextmanager
    def live(self, looks: Sequence[Look], clock: Clock) -> Generator[Callable[[], None]]:
        told: dict[str, tuple[datetime, str, PlanTally]] = {}

        def refresh() -> None:
            now = clock.now()
            for look in looks:
                if look.is_idle:
                    continue
                at, before, tally = told.get(look.name, (None, "", None))
                every, line = CALM if look.tally == tally else EVERY, look.line(now)
                if (at is None or now - at >= every or look.is_over) and line != before:
                    told[look.name] = now, line, look.tally
                    self.say(f"{look.name}: {line}")

        yield refresh
