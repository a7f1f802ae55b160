"""Every area beside its peers, in one table, and as a chart.

    python benchmarks/all.py [--quick] [--only AREA] [--chart benchmarks/chart.png]

Each area is measured in a fresh process, one after the other; nothing else should run on the machine. Compare ratios,
not figures: machines differ, and so do two runs. The whole takes about an hour, `--quick` some minutes. Peers come with
the extra `bench`.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from table import Row, show

HERE = Path(__file__).parent
# Area and the module that measures it with `measure(quick) -> list[Row]`.
AREAS = {
    "decode": "decode",
    "stream": "stream",
    "http": "over_http",
    "jobs": "jobs",
    "backfill": "backfill",
    "fire": "fire",
    "webhooks": "webhooks",
    "store": "store",
    "exports": "exports",
    "startup": "startup",
    "planning": "planning",
    "telemetry": "telemetry",
}


def run(area: str, quick: bool) -> list[Row]:
    """Measure one area in a fresh process; what it prints stays visible, its rows come by a file."""
    with tempfile.TemporaryDirectory() as room:
        rows = Path(room) / "rows.json"
        command = [sys.executable, str(Path(__file__)), "--area", area, "--into", str(rows), *(["--quick"] * quick)]
        subprocess.run(command, check=True, env=os.environ | {"PYTHONUNBUFFERED": "1"})
        return [Row(**each) for each in json.loads(rows.read_text(encoding="utf-8"))]


def measure_here(area: str, quick: bool, into: Path) -> None:
    """The fresh process's part."""
    try:
        module = importlib.import_module(AREAS[area])
    except ModuleNotFoundError as missing:
        extras = "bench,otel,parquet,postgres,redis"
        raise SystemExit(f"{missing.name} is missing: pip install 'belvo-async[{extras}]'") from None
    rows = module.measure(quick)
    into.write_text(json.dumps([dataclasses.asdict(row) for row in rows]), encoding="utf-8")


def measured(areas: list[str], quick: bool) -> Iterator[Row]:
    """All rows; an area that fails is named and left out."""
    for area in areas:
        print(f"measuring {area} ...", file=sys.stderr, flush=True)
        try:
            yield from run(area, quick)
        except subprocess.CalledProcessError as failed:
            print(f"{area} was not measured: exit code {failed.returncode}", file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure every area beside its peers.")
    parser.add_argument("--quick", action="store_true", help="smaller inputs, fewer rounds, rougher figures")
    parser.add_argument("--only", choices=AREAS, action="append", help="measure this area; may be repeated")
    parser.add_argument("--chart", type=Path, help="write a picture of the rows that have a goal")
    parser.add_argument("--area", choices=AREAS, help=argparse.SUPPRESS)
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.area:
        measure_here(options.area, options.quick, options.into)
        return
    areas = options.only or list(AREAS)
    rows = list(measured(areas, options.quick))
    print(f"Python {sys.version.split()[0]}")
    show(rows)
    if options.chart:
        draw(rows, options.chart)
    if len({row.area for row in rows}) < len(areas):
        sys.exit(1)


def draw(rows: list[Row], path: Path) -> None:
    """Draw the chart, if matplotlib is there."""
    try:
        chart = importlib.import_module("chart")
    except ModuleNotFoundError as missing:
        raise SystemExit(f"{missing.name} is missing: pip install 'belvo-async[bench]'") from None
    chart.draw(rows, path)


if __name__ == "__main__":
    main()
