"""That a job's rows were handed to a sink: which of them, and the sink's receipt."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeAlias

import msgspec
from msgspec.structs import replace

from ...abc import Entry, Receipt
from ...planning import Cell, Known
from ...planning.calendar import number
from ...planning.spans import Canvas, Span, join
from ...stores.documents import unreadable

RECEIPT: Final = "receipt"

# Direction, first and last day, both counted.
HeldSpan: TypeAlias = tuple[str, int, int]


class Handed(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt, and of which days and directions the rows are that it tells of.

    `files` are the forms of documents that were saved beside them, of which `unsaved` could not be had. `strays`: where
    rows of it belong, should another job bring what is there. `given`: where rows belong that were met and left to
    the jobs of those days. `read_at`: when reading began. `is_begun`: it is being handed over, and stays so where a run
    dies just then: the part may be there or not, and `held` is all it may hold.
    """

    receipt: Receipt
    held: tuple[HeldSpan, ...]
    files: tuple[str, ...] = ()
    unsaved: int = 0
    strays: tuple[HeldSpan, ...] = ()
    given: tuple[HeldSpan, ...] = ()
    read_at: datetime | None = None
    is_begun: bool = False

    def is_done(self, due: Sequence[HeldSpan], forms: Sequence[str]) -> bool:
        """Whether nothing is left to do for these rows and documents."""
        has_files = not forms or (set(forms) <= set(self.files) and not self.unsaved)
        return has_files and unite(self.held) == due and not self.is_begun

    def is_outdated(self, wanted: Sequence[HeldSpan], given: Iterable[tuple[HeldSpan, datetime]]) -> bool:
        """Whether its rows are to be read again: some belong to another job by now, or some came to light since.

        `wanted`: what is brought by now. `given`: what jobs that ended at an instant left to those of its days.
        """
        read_at = self.read_at or self.receipt.at
        since = [span for span, ended in given if read_at < ended]
        return _overlap(self.strays, wanted) or _overlap(since, self.held)

    def brings(self, wanted: Sequence[HeldSpan]) -> bool:
        """Whether it tells of all rows that the job is to bring."""
        return not self.is_begun and unite([*self.held, *wanted]) == unite(self.held)


def begun(handed: Handed | None, sink: str, job: str, due: Iterable[HeldSpan], now: datetime) -> Handed:
    """What is kept of a part before it is committed; `handed`: what was."""
    if handed is not None:
        return replace(handed, held=unite([*handed.held, *due]), is_begun=True)
    receipt = Receipt(sink=sink, job=job, part="", rows=0, size_bytes=0, digest="", ids="", at=now)
    return Handed(receipt=receipt, held=tuple(due), is_begun=True)


def entry_of(account: str, handed: Handed) -> Entry:
    """Keep it under the sink and the job: a job that is written again replaces its own."""
    key = f"{_digest(handed.receipt.sink)}/{handed.receipt.job}"
    return Entry(account=account, kind=RECEIPT, key=key, document=msgspec.json.encode(handed))


def is_of_sink(entry: Entry, sink_name: str) -> bool:
    """Whether an entry is of a sink, before it is read."""
    return entry.key.startswith(f"{_digest(sink_name)}/")


def read_handed(entry: Entry) -> Handed:
    """Read what was kept. Raises StoreError for what does not fit."""
    try:
        return msgspec.json.decode(entry.document, type=Handed)
    except msgspec.MsgspecError:
        raise unreadable("receipt") from None


def _digest(sink_name: str) -> str:
    return hashlib.sha256(sink_name.encode()).hexdigest()[:16]


def unite(spans: Iterable[HeldSpan]) -> tuple[HeldSpan, ...]:
    """The same days, in as few spans as there can be."""
    found: dict[str, list[Span]] = {}
    for direction, begins, ends in spans:
        found.setdefault(direction, []).append((begins, ends))
    return tuple((direction, *each) for direction in sorted(found) for each in join(found[direction]))


def wanted_of(cells: Iterable[Cell]) -> Mapping[str, tuple[HeldSpan, ...]]:
    """Which rows each job is to bring: those of the days that it proves, or brought a part of."""
    wanted: dict[str, list[HeldSpan]] = {}
    for cell in cells:
        if cell.job is not None and cell.known in (Known.PROVEN, Known.PARTIAL):
            wanted.setdefault(cell.job, []).append((cell.direction, number(cell.first), number(cell.last)))
    return {job: unite(spans) for job, spans in wanted.items()}


def due_of(job_id: str, handed: Handed | None, wanted: Mapping[str, Sequence[HeldSpan]]) -> tuple[HeldSpan, ...]:
    """Which rows are to be in the part of a job: those it is to bring, and what it holds that no other job brings.

    So what was handed over stays where it is until a newer answer is there, and what a plan does not want for good.
    """
    mine = tuple(wanted.get(job_id, ()))
    if handed is None or unite(handed.held) == mine:
        return mine
    every = [span for spans in wanted.values() for span in spans]
    return unite([*mine, *(left for span in handed.held for left in _without(span, every))])


def _overlap(some: Iterable[HeldSpan], others: Sequence[HeldSpan]) -> bool:
    return any(
        side == other and first <= ends and begins <= last
        for side, begins, ends in some
        for other, first, last in others
    )


def _without(span: HeldSpan, others: Iterable[HeldSpan]) -> Iterator[HeldSpan]:
    direction, begins, ends = span
    canvas = Canvas((begins, ends))
    for side, first, last in others:
        if side == direction:
            canvas.paint(first, last)
    return ((direction, *each) for each in canvas.bare)
