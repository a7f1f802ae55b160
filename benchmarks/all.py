"""Every area beside its peers, in one table, as a file, and as a chart.

    python benchmarks/all.py [--quick] [--only AREA] [--wait-idle MINUTES] [--json FILE] [--chart FILE] [--publish]

Each area is measured in a fresh process, one after the other; nothing else should run on the machine. Whether something
does is looked at before each area and after it (`idle.py`): rows in between are marked `rough` where it does, and
--wait-idle waits for it to end, for so many minutes in all. Compare ratios, not figures: machines differ, and so do two
runs; behind a ratio stand the least and the greatest of its rounds. The whole takes about an hour, `--quick` less than
five minutes on two idle cores. Peers come with the extra `bench`. --publish measures all, in full, writes
`results.json` and renders the chart and the pages from it.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from idle import Probe, probe, wait_until_idle
from results import COMMITTED, Results, document_of, of_run, row_of, write_results
from table import Row, Size, show

HERE = Path(__file__).parent
# Area and the module that measures it with `measure(size) -> list[Row]`.
AREAS = {
    "decode": "decode",
    "stream": "stream",
    "http": "over_http",
    "jobs": "jobs",
    "growth": "growth",
    "backfill": "backfill",
    "fire": "fire",
    "webhooks": "webhooks",
    "store": "store",
    "exports": "exports",
    "startup": "startup",
    "planning": "planning",
    "telemetry": "telemetry",
    "scale": "scale",
}
# Measured only where asked for by name: it takes hours.
APART = {"bulk": "bulk"}
EXTRAS = "bench,otel,parquet,postgres,redis"


def run(area: str, size: Size) -> list[Row]:
    """Measure one area in a fresh process; what it prints stays visible, its rows come by a file."""
    with tempfile.TemporaryDirectory() as room:
        rows = Path(room) / "rows.json"
        command = [sys.executable, str(Path(__file__)), "--area", area, "--into", str(rows), "--size", size.name]
        subprocess.run(command, check=True, env=os.environ | {"PYTHONUNBUFFERED": "1"})
        return [row_of(each) for each in json.loads(rows.read_text(encoding="utf-8"))]


def measure_here(area: str, size: Size, into: Path) -> None:
    """The fresh process's part."""
    try:
        module = importlib.import_module((AREAS | APART)[area])
    except ModuleNotFoundError as missing:
        raise SystemExit(f"{missing.name} is missing: pip install 'belvo-async[{EXTRAS}]'") from None
    rows = module.measure(size)
    into.write_text(json.dumps([document_of(row) for row in rows]), encoding="utf-8")


class Watch:
    """Looks whether the machine is idle, waits for that if asked to, and says so where it changes."""

    def __init__(self, minutes: float) -> None:
        self._until = time.monotonic() + 60 * minutes
        self._told = ""

    def wait(self) -> Probe:
        return self._tell(wait_until_idle(self._until - time.monotonic()))

    def look(self) -> Probe:
        return self._tell(probe())

    def _tell(self, seen: Probe) -> Probe:
        if seen.is_busy or self._told:
            self._told = str(seen) if seen.is_busy else ""
            print(seen, file=sys.stderr, flush=True)
        return seen


def measured(areas: Sequence[str], size: Size, watch: Watch) -> Iterator[Row]:
    """All rows; an area that fails is named and left out."""
    before: Probe | None = None
    for area in areas:
        if before is None or before.is_busy:
            before = watch.wait()
        print(f"measuring {area} ...", file=sys.stderr, flush=True)
        try:
            rows = run(area, size)
        except subprocess.CalledProcessError as failed:
            print(f"{area} was not measured: exit code {failed.returncode}", file=sys.stderr, flush=True)
            rows = []
        after = watch.look()
        yield from (replace(row, is_rough=before.is_busy or after.is_busy) for row in rows)
        before = after


def main() -> None:
    options = read_options()
    size = Size[options.size]
    if options.area:
        measure_here(options.area, size, options.into)
        return
    areas = options.only or list(AREAS)
    results = of_run(list(measured(areas, size, Watch(options.wait_idle))), size.name.lower())
    print(f"Python {results.python}, {results.cores} cores, {results.machine}, {results.commit}")
    show(results.rows)
    keep(results, options.json, options.chart)
    if len({row.area for row in results.rows}) < len(areas):
        sys.exit(1)
    if options.publish:
        publish(results)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure every area beside its peers.")
    parser.add_argument("--quick", dest="size", action="store_const", const="QUICK", default="FULL",
                        help="smaller inputs, fewer rounds, rougher figures")  # fmt: skip
    parser.add_argument("--size", choices=Size.__members__, help=argparse.SUPPRESS)
    known = [*AREAS, *APART]
    parser.add_argument("--only", choices=known, action="append", help="measure this area; may be repeated")
    parser.add_argument("--wait-idle", type=float, default=0, metavar="MINUTES",
                        help="wait until nobody else is at work here, for so many minutes in all")  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all of it to a file")
    parser.add_argument("--chart", type=Path, metavar="FILE", help="write a picture of the rows that have a goal")
    parser.add_argument("--publish", action="store_true",
                        help=f"write {COMMITTED.name}, and render the chart and the pages from it")  # fmt: skip
    parser.add_argument("--area", choices=known, help=argparse.SUPPRESS)
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.publish and options.only:
        parser.error("what is published is one run of all areas")
    return options


def keep(results: Results, path: Path | None, picture: Path | None) -> None:
    """Write what was asked for."""
    if path:
        write_results(path, results)
    if picture:
        draw(results.rows, picture)


def publish(results: Results) -> None:
    """Commit to this run: whatever the pages and the chart show is from it."""
    write_results(COMMITTED, results)
    importlib.import_module("pages").render()


def draw(rows: Sequence[Row], path: Path) -> None:
    """Draw the chart, if matplotlib is there."""
    try:
        chart = importlib.import_module("chart")
    except ModuleNotFoundError as missing:
        raise SystemExit(f"{missing.name} is missing: pip install 'belvo-async[bench]'") from None
    chart.draw(rows, path)


if __name__ == "__main__":
    main()
