"""How fast jobs are kept, and others told, against the bare driver of each database, in one run.

    python benchmarks/store.py [--only sqlite|postgres|redis|wake|park] [--rounds 7] [--directory DIR]

Cases take turns round by round, so that a noisy machine disturbs all alike; compare ratios, not figures. An event is
one `put` that was acknowledged as durable. `--directory` must be on the disk that is meant. PostgreSQL and Redis are
those on 127.0.0.1 with their usual ports, used in a schema and under a prefix that are removed again; where none
answers, a row says so.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from store_jobs import Extent
from table import Row, Size, show

FULL = Extent(rounds=7, events=5_000, parked=10_000, open_jobs=100_000)
QUICK = Extent(rounds=3, events=2_000, parked=2_000, open_jobs=20_000)
SMOKE = Extent(rounds=1, events=256, parked=500, open_jobs=200)
# Each part is a module `store_*` with `measure(directory, extent) -> Iterable[Row]`.
PARTS = ("sqlite", "postgres", "redis", "wake", "park")


def measure(size: Size = Size.FULL) -> list[Row]:
    """All parts."""
    return list(rows_of(PARTS, size.pick(FULL, QUICK, SMOKE)))


def rows_of(parts: Iterable[str], extent: Extent, directory: str | None = None) -> Iterator[Row]:
    """What these parts measure, one after the other."""
    # The stores warn of a server that may lose jobs, and of a full park.
    logging.getLogger("belvo_async").setLevel(logging.ERROR)
    for part in parts:
        with tempfile.TemporaryDirectory(dir=directory) as room:
            yield from importlib.import_module(f"store_{part}").measure(Path(room), extent)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the stores against bare drivers, in one run.")
    parser.add_argument("--only", choices=PARTS, help="measure one part")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--directory", help="where files are made; default: the temporary directory")
    options = parser.parse_args()
    extent = FULL._replace(rounds=options.rounds)
    show(rows_of([options.only] if options.only else PARTS, extent, options.directory))


if __name__ == "__main__":
    main()
