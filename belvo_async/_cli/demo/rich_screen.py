"""The live view: a row per job, a bar per vendor. Needs rich (extra `cli`)."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, TextIO

import rich.box
import rich.table
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.text import Text

from ..table import Table
from .progress import Track, table_of

# What says how a job fares; anything else is plain.
STYLES: Final = {
    "queued": "dim",
    "submitting": "cyan",
    "pending": "cyan",
    "running": "blue",
    "stopping": "magenta",
    "uncertain": "bold yellow",
    "finished": "green",
    "stopped": "magenta",
    "failed": "red",
    "rejected": "red",
}
# Lines of the live view that are no job: heading, rule, the two bars, the line the cursor is on.
OTHER_LINES: Final = 5


class RichScreen:
    """A terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console

    @classmethod
    def on(cls, stream: TextIO) -> RichScreen:
        """Take a stream that is a terminal."""
        return cls(Console(file=stream, highlight=False))

    def say(self, text: str = "") -> None:
        # Soft wrap: a path that is longer than the line can still be copied.
        self._console.print(Text(text), soft_wrap=True)

    def table(self, table: Table) -> None:
        self._console.print(_rendered(table))

    @contextmanager
    def live(self, tracks: Sequence[Track]) -> Generator[Callable[[], None], None, None]:
        # Not refreshed by a thread of rich: the demo's own loop is the only one that reads the jobs.
        with Live(console=self._console, auto_refresh=False, transient=True) as live:
            yield lambda: live.update(self._view(tracks), refresh=True)

    def _view(self, tracks: Sequence[Track]) -> RenderableType:
        room = self._console.height - OTHER_LINES
        shown = tracks
        if len(tracks) > room:  # then those under way come first, and what does not fit is left out
            shown = sorted(tracks, key=lambda track: (track.seconds is not None, track.fired_at is None))
        return Group(_rendered(table_of(shown[: max(room, 1)], with_ids=False)), *_bars(tracks))


def _rendered(table: Table) -> rich.table.Table:
    made = rich.table.Table(box=rich.box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=0)
    for heading in table.headings:
        made.add_column(heading, justify="right" if heading in table.right else "left", no_wrap=True)
    for row in table.rows:
        made.add_row(*(Text(text, style=STYLES.get(text.rstrip("*"), "")) for text in row))
    return made


def _bars(tracks: Sequence[Track]) -> Iterator[RenderableType]:
    for vendor in sorted({track.vendor for track in tracks}):
        mine = [track for track in tracks if track.vendor == vendor]
        over = sum(track.seconds is not None for track in mine)
        records = sum(len(track.record_file.totals) for track in mine)
        grid = rich.table.Table.grid(padding=(0, 1))
        grid.add_row(
            Text(f"{vendor:8}"),
            ProgressBar(total=len(mine), completed=over, width=30),
            Text(f"{over:2} of {len(mine)} jobs, {records:,} records"),
        )
        yield grid
