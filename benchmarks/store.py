"""How fast jobs are kept, against the bare driver of each database, in one run.

    python benchmarks/store.py [--only sqlite] [--rounds 7] [--directory DIR]

Cases take turns round by round, so that a noisy machine disturbs all alike; compare ratios, not figures. An event is
one `put` of a new job that was acknowledged as durable. `--directory` must be on the disk that is meant.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
from pathlib import Path

from store_table import show

# Each part is a module with `measure(directory, rounds) -> list[Line]`.
PARTS = {"sqlite": "store_sqlite"}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the stores against bare drivers, in one run.")
    parser.add_argument("--only", choices=sorted(PARTS), help="measure one store")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--directory", help="where files are made; default: the temporary directory")
    options = parser.parse_args()
    for name in [options.only] if options.only else PARTS:
        part = importlib.import_module(PARTS[name])
        with tempfile.TemporaryDirectory(dir=options.directory) as directory:
            lines = part.measure(Path(directory), options.rounds)
        print(f"{name}: Python {sys.version.split()[0]}, {part.about()}")
        show(lines)


if __name__ == "__main__":
    main()
