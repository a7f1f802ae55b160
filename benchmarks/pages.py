"""The chart and the tables of the pages, from the committed run: nobody types a figure.

    python benchmarks/pages.py [--check]

Renders `chart.png`, `docs/performance.md` and `docs/scale.md` from `results.json`; with --check only says, by its exit
code, whether the pages say what the file says.
"""

from __future__ import annotations

import argparse
import importlib
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import capacity
from results import COMMITTED, Results, digest, read_results
from table import Row

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"
CHART = HERE / "chart.png"


def tables(results: Results) -> Mapping[Path, Mapping[str, str]]:
    """Of each page, what stands between the marks of a name."""
    figures = capacity.read_figures(results)
    return {
        DOCS / "performance.md": {"run": run_line(results), "measured": measured_table(results)},
        DOCS / "scale.md": {
            "run": run_line(results),
            "units": capacity.units_table(figures),
            "loads": capacity.loads_table(capacity.LOADS, figures),
            "sizes": capacity.sizes_table(capacity.LOADS, figures),
            "simulated": simulated_table(results),
        },
    }


def run_line(results: Results) -> str:
    """Where the figures are from."""
    size = "in full" if results.size == "full" else f"`--{results.size}`"
    busy = "; the machine was busy, so ratios are rough" if results.is_busy else ""
    return (
        f"Measured on {results.measured_on}, {size}, at commit `{results.commit}`: Python {results.python}, "
        f"{results.cores} cores, {results.machine}{busy}."
    )


def measured_table(results: Results) -> str:
    """Every row, area by area."""
    lines: list[tuple[str, ...]] = []
    area = ""
    for row in results.rows:
        lines.append(("" if row.area == area else row.area, *cells(row)))
        area = row.area
    return capacity.table(("area", "what", "ours", "beside", "ratio", "goal", "", "limit"), lines)


def cells(row: Row) -> tuple[str, ...]:
    sign = "≥" if row.at_least else "≤"
    ratio = "" if row.ratio is None else f"{row.ratio:.3g}"
    goal = "" if row.goal is None else f"{sign} {row.goal:.3g}"
    return row.what.replace("|", "\\|"), row.ours, row.peer, ratio, goal, row.verdict, row.limit


def simulated_table(results: Results) -> str:
    """What the formulas of scale are held against."""
    rows = [row for row in results.rows if row.area == "scale" and row.peer]
    lines = [(row.what, row.ours, row.peer, f"{row.ratio:.2f}") for row in rows]
    return capacity.table(("simulated", "measured", "by the formula", "apart"), lines)


def rendered(page: str, parts: Mapping[str, str]) -> str:
    """The page with these parts between their marks."""
    for name, part in parts.items():
        mark = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        if not mark.search(page):
            raise LookupError(f"the page has no marks {name!r}")
        page = mark.sub(lambda found: f"{found[1]}\n{part}\n\n{found[2]}", page)  # noqa: B023
    return page


def differing(results: Results) -> Iterator[tuple[Path, str]]:
    """The pages that do not say what the run says, and what they should say."""
    for path, parts in tables(results).items():
        page = path.read_text(encoding="utf-8")
        if (wanted := rendered(page, parts)) != page:
            yield path, wanted


def render() -> None:
    """Write all of it."""
    results = read_results()
    for path, text in differing(results):
        path.write_text(text, encoding="utf-8")
    importlib.import_module("chart").draw(results.rows, CHART, digest())


def check() -> list[str]:
    """What is not of the committed run, by name."""
    found = [path.name for path, _ in differing(read_results(COMMITTED))]
    return found if digest().encode() in CHART.read_bytes() else [*found, CHART.name]


def main() -> None:
    parser = argparse.ArgumentParser(description="Render the chart and the tables from the committed run.")
    parser.add_argument("--check", action="store_true", help="only say whether they are of that run")
    if not parser.parse_args().check:
        render()
    elif stale := check():
        sys.exit(f"not of the committed run: {', '.join(stale)}; run python benchmarks/pages.py")


if __name__ == "__main__":
    main()
