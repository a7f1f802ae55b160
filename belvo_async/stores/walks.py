"""Walking over many jobs, slice by slice: nothing is held open between two slices, and jobs may come and go."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Final, NamedTuple, TypeVar

from ..jobs import Job
from .documents import read_job

P = TypeVar("P")
T = TypeVar("T")

# How many jobs a walk reads at a time: decoding them takes about a millisecond.
SLICE: Final = 256


class Position(NamedTuple):
    """Where a walk over the rows of jobs has got to."""

    created_us: int
    job_id: str


# Before every job, whatever clock it was created by.
START: Final = Position(-(2**63), "")


async def walk(
    read_slice: Callable[[P], Awaitable[tuple[Iterable[Job], P | None]]],
    start: P,
    *,
    only: Callable[[Job], bool] | None = None,
) -> AsyncIterator[Job]:
    """Every job there is, or those that fit, each as it is when its slice is read.

    `read_slice` is given a position and gives the jobs after it, and where to go on; None at the end.
    """
    position: P | None = start
    while position is not None:
        jobs, position = await read_slice(position)
        for job in jobs:
            if only is None or only(job):
                yield job


def read_rows(rows: Sequence[tuple[int, str, bytes]]) -> tuple[list[Job], Position | None]:
    """A slice of jobs from their rows (instant of creation, id, document), and where to go on; None at the end."""
    end = Position(*rows[-1][:2]) if len(rows) == SLICE else None
    return [read_job(document) for _, _, document in rows], end


async def in_slices(items: AsyncIterator[T]) -> AsyncIterator[list[T]]:
    """Items in lists of SLICE, the last one shorter or empty: stores commit what arrives together in one go."""
    some: list[T] = []
    async for each in items:
        some.append(each)
        if len(some) == SLICE:
            yield some
            some = []
    yield some
