"""How fast jobs are kept, and others told, against the bare driver of each database, in one run.

    python benchmarks/store.py [--only sqlite|postgres|redis|wake] [--rounds 7] [--directory DIR]

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
from pathlib import Path

from store_table import show, show_head

# Each part is a module with `about() -> str` and `measure(directory, rounds) -> Iterable[Line]`.
PARTS = {name: f"store_{name}" for name in ("sqlite", "postgres", "redis", "wake")}


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
