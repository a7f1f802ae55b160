"""What grows as open jobs grow: requests, processor time, memory, and what a store is asked for.

    python benchmarks/growth.py [--quick] [--store URL]

A thousand open jobs, ten thousand, a hundred thousand, and a million on a clock that jumps (`growth_side.py`), each
line in a process of its own; with --store also in that store, which must be empty, else in an SQLite file. Each line is
beside the one before it, which had a tenth of the jobs: where cost is linear, the ratio is ten; the goal is that none
grows faster (noise and the cost of starting allowed for), and that waking an awaiter stays as it is.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from apart import ask
from table import Row, Size, show, span

AREA = "growth"
COUNTS = (1_000, 10_000, 100_000, 1_000_000)
# What tenfold jobs may cost, at most: what is linear, and noise.
LINEAR = 10 * 1.25
CONSTANT = 1.5
# Under this a step is lost in the cost of starting: nothing is told by its growth.
LEAST_SECONDS = 0.1
# The page of a list, and what a timer is set by, do not depend on how many more there are.
STEADY = {"open", "due", "page"}
WORDS = {
    "write": "written, 256 at a time",
    "open": "the store is opened",
    "due": "when the next is due",
    "count": "counted",
    "page": "a hundred listed",
    "list": "all listed",
}


def tracked(counts: tuple[int, ...]) -> Iterator[Row]:
    """In memory, polled every five minutes."""
    before: Mapping[str, float] = {}
    for count in counts:
        now = ask("growth_side.py", "memory", str(count))
        yield row(count, "polls, requests a second", f"{now['requests']:.2f}/s", before, now, "requests", LINEAR)
        yield row(count, "polls, of a core", f"{100 * now['cpu']:.2f} %", before, now, "cpu", LINEAR)
        yield row(count, "memory a job, with its record", f"{now['bytes']:,.0f} B", before, now, "bytes", CONSTANT)
        yield row(count, "from the end of a put to its awaiter", f"{now['wake']:.0f} us", before, now, "wake", CONSTANT)
        before = now


def kept(counts: tuple[int, ...], url: str | None) -> Iterator[Row]:
    """In a store."""
    before: Mapping[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for count in counts:
            where = url or f"sqlite:{Path(folder) / f'{count}.db'}"
            now = ask("growth_side.py", where, str(count))
            for name, word in WORDS.items():
                goal = CONSTANT if name in STEADY else LINEAR
                is_told = before and max(before[name], now[name]) > LEAST_SECONDS
                yield row(
                    count,
                    f"{where.partition(':')[0]}, {word}",
                    span(now[name]),
                    before if is_told else {},
                    now,
                    name,
                    goal,
                )
            if now["bytes"]:
                yield row(count, "sqlite, bytes a job", f"{now['bytes'] / count:,.0f} B", before, now, "bytes", LINEAR)
            before = now


def row(
    count: int, what: str, ours: str, before: Mapping[str, float], now: Mapping[str, float], name: str, goal: float
) -> Row:
    """One figure, and what it is to that of a tenth of the jobs."""
    if not before or not before[name]:
        return Row(area=AREA, what=f"{count:,} open jobs: {what}", ours=ours)
    ratio = now[name] / before[name]
    return Row(area=AREA, what=f"{count:,} open jobs: {what}", ours=ours, ratio=ratio, goal=goal, at_least=False)


def measure(size: Size = Size.FULL) -> list[Row]:
    """Up to a million in memory, a hundred thousand in a file; quick: ten thousand."""
    in_memory, in_file = size.pick((COUNTS, COUNTS[:3]), (COUNTS[:2], COUNTS[:2]), ((300,), (300,)))
    return [*tracked(in_memory), *kept(in_file, None)]


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what grows as open jobs grow.")
    parser.add_argument("--quick", action="store_true", help="ten thousand jobs at most")
    parser.add_argument("--store", help="measure what this empty store is asked for, at a hundred thousand jobs alone")
    asked = parser.parse_args()
    show(kept(COUNTS[2:3], asked.store) if asked.store else measure(Size(asked.quick)))


if __name__ == "__main__":
    main()
