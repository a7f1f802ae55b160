"""How fast jobs are kept, and others told, against the bare driver of each database, in one run.

    python benchmarks/store.py [--only sqlite|postgres|redis|wake|park] [--rounds 7] [--directory DIR]

Cases take turns round by round, so that a noisy machine disturbs all alike; compare ratios, not figures. An event is
one `put` that was acknowledged as durable. `--directory` must be on the disk that is meant. PostgreSQL and Redis are
those on 127.0.0.1 with their usual ports, used in a schema and under a prefix that are removed again; what is not there
is left out.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from store_table import Line, show, show_head
from table import Row

# Each part is a module with `about() -> str` and `measure(directory, rounds) -> Iterable[Line]`.
PARTS = {name: f"store_{name}" for name in ("sqlite", "postgres", "redis", "wake", "park")}


def measure(quick: bool = False) -> list[Row]:
    """The lines that have a goal, for the table of all areas."""
    rows: list[Row] = []
    for name in PARTS.values():
        module = importlib.import_module(name)
        with tempfile.TemporaryDirectory() as directory:
            lines = module.measure(Path(directory), 3 if quick else 7)
            rows += [_row(line) for line in lines if line.goal]
    return rows


def _row(line: Line) -> Row:
    goal = line.at_most if line.at_least is None else line.at_least
    ours, peer = _both(line)
    ratio = line.seconds if line.ratio is None else line.ratio
    assert ratio is not None
    return Row(
        area="store", what=line.name, ours=ours.speed, peer=peer.speed, ratio=ratio, goal=goal,
        at_least=line.at_least is not None,
    )  # fmt: skip


def _both(line: Line) -> tuple[Line, Line]:
    """A line shows one side's speed; the other's follows from the ratio."""
    if line.ratio is None:
        return line, replace(line, seconds=None, per_second=None)
    is_ours = "ours" in line.name
    factor = 1 / line.ratio if is_ours else line.ratio
    other = replace(
        line,
        per_second=None if line.per_second is None else line.per_second * factor,
        seconds=None if line.seconds is None else line.seconds * factor,
    )
    return (line, other) if is_ours else (other, line)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the stores against bare drivers, in one run.")
    parser.add_argument("--only", choices=PARTS, help="measure one part")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--directory", help="where files are made; default: the temporary directory")
    options = parser.parse_args()
    parts = [options.only] if options.only else PARTS
    modules = {name: importlib.import_module(PARTS[name]) for name in parts}
    print(f"Python {sys.version.split()[0]}, " + "; ".join(module.about() for module in modules.values()))
    show_head()
    for module in modules.values():
        with tempfile.TemporaryDirectory(dir=options.directory) as directory:
            show(module.measure(Path(directory), options.rounds))


if __name__ == "__main__":
    main()
