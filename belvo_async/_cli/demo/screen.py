"""Where the demo is shown: a live view on a terminal with rich, plain lines anywhere else."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, TextIO

from ...jobs import Status
from ..table import Table
from .progress import Track


class Screen(Protocol):
    """What the demo needs of a screen."""

    def say(self, text: str = "") -> None:
        """Show a line."""
        ...

    def table(self, table: Table) -> None:
        """Show a table."""
        ...

    def live(self, tracks: Sequence[Track]) -> AbstractContextManager[Callable[[], None]]:
        """Show the jobs as they change; what it gives is called many times a second."""
        ...


def open_screen(stream: TextIO | None = None) -> Screen:
    """Choose the screen for a stream (default stdout): live when it is a terminal and rich is installed."""
    target = sys.stdout if stream is None else stream
    if target.isatty():
        try:
            from .rich_screen import RichScreen
        except ImportError:
            pass
        else:
            return RichScreen.on(target)
    return PlainScreen(target)


class PlainScreen:
    """Lines that a file or a pipe can take: one when a job becomes uncertain or is found, one when it is over."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._told: dict[str, str] = {}

    def say(self, text: str = "") -> None:
        print(text, file=self._stream, flush=True)

    def table(self, table: Table) -> None:
        for line in table.lines():
            self.say(line)

    @contextmanager
    def live(self, tracks: Sequence[Track]) -> Generator[Callable[[], None], None, None]:
        began = asyncio.get_running_loop().time()

        def refresh() -> None:
            for at, track, news in sorted(self._fresh(tracks), key=lambda told: told[0]):
                self.say(f"{at - began:5.1f}s  {track.vendor:7}  {track.planned.label:22}  {news}")

        yield refresh

    def _fresh(self, tracks: Sequence[Track]) -> Iterator[tuple[float, Track, str]]:
        """What was not told yet, and when it was so."""
        for track in tracks:
            news = _news(track)
            if news and self._told.get(track.planned.label) != news:
                self._told[track.planned.label] = news
                yield (track.fired_at or 0.0) + track.passed(), track, news


def _news(track: Track) -> str | None:
    job = track.job
    if job is None:
        return None
    if track.seconds is None:
        if not track.was_uncertain or job.status.is_terminal:
            return None
        return "uncertain: its 202 was lost" if job.status is Status.UNCERTAIN else "uncertain no more: it was found"
    if track.trouble:
        return track.trouble
    counts = track.planned.held and job.status is Status.FINISHED
    records = f", {len(track.record_file.totals)} records" if counts else ""
    code = f" ({job.failure.code})" if job.failure else ""
    return f"{job.status} by {job.settled_by}{code}{records}"
