"""The live view of a run: a row per plan. Needs rich (extra `cli`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Final, TextIO

import rich.box
import rich.table
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.text import Text

from ....abc import Clock
from .look import HEADINGS, RIGHT, Look, table_of

# Eyes follow no faster, and thousands of jobs may end in a second.
LEAST_SECONDS: Final = 0.2


class LiveScreen:
    """A terminal."""

    tick_seconds: float | None = 1.0

    def __init__(self, console: Console) -> None:
        self._console = console

    @classmethod
    def on(cls, stream: TextIO) -> LiveScreen:
        """Take a stream that is a terminal."""
        return cls(Console(file=stream, highlight=False))

    def say(self, text: str) -> None:
        # Soft wrap: a command that is longer than the line can still be copied.
        self._console.print(Text(text), soft_wrap=True)

    @contextmanager
    def live(self, looks: Sequence[Look], clock: Clock) -> Generator[Callable[[], None]]:
        # Not refreshed by a thread of rich: the command's own loop is the only one that reads the plans.
        loop, shown_at = asyncio.get_running_loop(), -1.0
        with Live(console=self._console, auto_refresh=False, transient=True) as live:

            def refresh() -> None:
                nonlocal shown_at
                if loop.time() - shown_at >= LEAST_SECONDS or all(each.is_over for each in looks):
                    shown_at = loop.time()
                    live.update(view(looks, clock), refresh=True)

            yield refresh


def view(looks: Sequence[Look], clock: Clock) -> RenderableType:
    """The table and a bar over all plans."""
    made = rich.table.Table(box=rich.box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1))
    for heading in HEADINGS:
        made.add_column(heading, justify="right" if heading in RIGHT else "left", no_wrap=heading != HEADINGS[-1])
    for row in table_of(looks, clock.now()).rows:
        made.add_row(*map(Text, row))
    done = sum(each.done for each in looks)
    total = done + sum(each.to_come for each in looks)
    return Group(made, ProgressBar(total=max(total, 1), completed=done if total else 1, width=60))
