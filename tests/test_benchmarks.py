"""The benchmarks run, the pages say what the committed run says, and a busy machine is said to be busy."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.test_docs import ROOT

BENCHMARKS = ROOT / "benchmarks"
MODULES = sorted(path.stem for path in BENCHMARKS.glob("*.py"))
MEASURING = [
    each
    for each in MODULES
    if re.search(r"^def measure\((size|quick)\b", (BENCHMARKS / f"{each}.py").read_text(), re.M)
]

IMPORT = "import importlib, sys; [importlib.import_module(each) for each in sys.argv[1:]]"


class Benchmarks:
    """The modules of the folder, by name."""

    def __getattr__(self, name: str) -> ModuleType:
        return importlib.import_module(name)


@pytest.fixture
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Benchmarks]:
    """Their names are short: none stays."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(BENCHMARKS)
    yield Benchmarks()
    for name in set(MODULES) & (set(sys.modules) - before):
        del sys.modules[name]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=BENCHMARKS, capture_output=True, text=True, check=False)


def test_every_module_can_be_imported() -> None:
    """One that no longer fits the package fails here, and not on the day it is needed."""
    done = run("-c", IMPORT, *MODULES)

    assert (0, "") == (done.returncode, done.stderr)


def test_every_area_is_measured_with_the_others(benchmarks: Benchmarks) -> None:
    """A module with `measure` is an area of `all.py`, or said to be measured apart."""
    areas = importlib.import_module("all").AREAS | importlib.import_module("all").APART

    assert set(MEASURING) == set(areas.values())


@pytest.mark.proof
@pytest.mark.parametrize("area", MEASURING)
@pytest.mark.timeout(600)
def test_every_area_measures(area: str, tmp_path: Path, benchmarks: Benchmarks) -> None:
    """At the smallest size, peers and servers included; where a server is missing, a row says so."""
    areas = importlib.import_module("all").AREAS | importlib.import_module("all").APART
    (name,) = [name for name, module in areas.items() if module == area]
    into = tmp_path / "rows.json"

    done = run("all.py", "--size", "SMOKE", "--area", name, "--into", str(into))

    assert 0 == done.returncode, done.stderr
    rows = json.loads(into.read_text(encoding="utf-8"))
    assert rows
    assert [] == [row["what"] for row in rows if "left out" in row["what"]]


def test_pages_and_chart_are_of_the_committed_run() -> None:
    """Whoever changes a figure of theirs by hand, or measures anew without rendering, is told so."""
    done = run("pages.py", "--check")

    assert (0, "") == (done.returncode, done.stderr)


def test_a_changed_figure_is_noticed(benchmarks: Benchmarks) -> None:
    """The check compares every table, not their presence."""
    pages, results = benchmarks.pages, benchmarks.results.read_results()
    for path, parts in pages.tables(results).items():
        page = path.read_text(encoding="utf-8")
        for part in parts.values():
            figure = re.findall(r"\d+", part)[-1]
            changed = page.replace(part, part[::-1].replace(figure[::-1], "0", 1)[::-1])

            assert changed != page
            assert page == pages.rendered(changed, parts)


def test_a_page_without_its_marks_is_refused(benchmarks: Benchmarks) -> None:
    """A table that has no place would be left out in silence."""
    with pytest.raises(LookupError, match="measured"):
        benchmarks.pages.rendered("# Performance", {"measured": "| a |"})


def test_a_ratio_shows_how_far_its_rounds_lie_apart(benchmarks: Benchmarks) -> None:
    """The median, and behind it the least and the greatest."""
    table = benchmarks.table

    assert "0.71 (0.66-0.75)" == f"{table.middle_ratio([66, 71, 75], [100, 100, 100]):.3g}"
    assert "0.71" == f"{table.Middle([0.71]):.3g}"


def test_a_run_reads_back_as_it_was_written(tmp_path: Path, benchmarks: Benchmarks) -> None:
    """Rows, rounds and marks."""
    table, results = benchmarks.table, benchmarks.results
    middle = table.Middle([0.5, 0.7, 0.6])
    rows = (
        table.Row(area="a", what="b", ours="5/s", peer="8/s", ratio=middle, goal=0.8, is_rough=True),
        table.Row(area="a", what="left out", at_least=False),
    )
    run = results.of_run(rows, "quick")

    results.write_results(tmp_path / "run.json", run)
    read = results.read_results(tmp_path / "run.json")

    assert run == read
    assert middle.rounds == read.rows[0].ratio.rounds
    assert "short rough" == read.rows[0].verdict
    assert read.is_busy


def test_a_busy_machine_is_said_to_be_busy(benchmarks: Benchmarks) -> None:
    """In one line, with what it gives."""
    probe = benchmarks.idle.Probe

    assert "this machine is busy (load 6.6, a core gives 55 %): ratios are rough" == str(probe(0.55, 6.6))
    assert "this machine is busy (a core gives 55 %): ratios are rough" == str(probe(0.55))
    assert not probe(0.97, 6.6).is_busy


def test_a_probe_tells_what_a_core_gives(benchmarks: Benchmarks) -> None:
    """It looks for a moment, in processes of its own."""
    assert 0 < benchmarks.idle.probe(1000).share <= 1


@pytest.mark.parametrize(("shares", "slept"), [([0.3, 0.4, 0.95], 30), ([0.3] * 9, 40), ([0.95], 0)])
def test_waiting_ends_when_it_is_idle_or_too_late(shares: list[float], slept: float, benchmarks: Benchmarks) -> None:
    """As soon as nobody else is at work, or when the time is over; the last look is told."""
    idle, now, looks = benchmarks.idle, [0.0], iter(shares)
    told: list[float] = []

    def look() -> object:
        told.append(next(looks))
        return idle.Probe(told[-1])

    def sleep(seconds: float) -> None:
        now[0] += seconds

    last = idle.wait_until_idle(40, look=look, sleep=sleep, clock=lambda: now[0])

    assert slept == now[0]
    assert told[-1] == last.share


def test_rows_between_busy_looks_are_marked(benchmarks: Benchmarks, monkeypatch: pytest.MonkeyPatch) -> None:
    """An area is rough if the machine was busy before it or after it; one that fails is left out, and named."""
    every, idle, row = importlib.import_module("all"), benchmarks.idle, benchmarks.table.Row
    looks = iter([0.99, 0.99, 0.5, 0.99, 0.99, 0.99])

    class Watch:
        def wait(self) -> object:
            return idle.Probe(next(looks))

        look = wait

    def measure(area: str, _size: object) -> list[object]:
        if area == "broken":
            raise subprocess.CalledProcessError(1, area)
        return [row(area=area, what="x")]

    monkeypatch.setattr(every, "run", measure)

    rows = list(every.measured(["decode", "fire", "broken", "jobs"], benchmarks.table.Size.SMOKE, Watch()))

    assert [("decode", False), ("fire", True), ("jobs", False)] == [(each.area, each.is_rough) for each in rows]


def test_figures_are_read_as_they_are_written(benchmarks: Benchmarks) -> None:
    """The formulas take the numbers of the table."""
    number = benchmarks.capacity.number

    assert [5449, 148, 2933, 1.34] == [number(each) for each in ("5,449/s", "148 MB/s", "2,933 B", "1.34")]


def test_a_run_that_lacks_a_figure_is_refused(benchmarks: Benchmarks) -> None:
    """By the name of the row."""
    results = benchmarks.results.of_run([], "full")

    with pytest.raises(LookupError, match=r"webhooks that begins with 'aiohttp.web, memory'"):
        benchmarks.capacity.read_figures(results)


def test_twice_the_taxpayers_take_twice_as_much(benchmarks: Benchmarks) -> None:
    """Of everything, and the scarcest comes first."""
    capacity = benchmarks.capacity
    figures = capacity.read_figures(benchmarks.results.read_results())
    one, two = (capacity.needs(capacity.Load(name="x", taxpayers=each), figures) for each in (50_000, 100_000))

    assert [each.what for each in one] == [each.what for each in two]
    assert [pytest.approx(2 * each.times) for each in one] == [each.times for each in two]
    assert sorted((each.times for each in one), reverse=True) == [each.times for each in one]


def test_the_budget_of_the_formula_is_that_of_the_library(benchmarks: Benchmarks) -> None:
    """80 requests in 30 s, and a sixtieth of it for those that are late."""
    assert pytest.approx(80 / 30.5) == benchmarks.capacity.belvo_requests()
    assert pytest.approx(2 * 80 / 30.5 / 1.25) == benchmarks.capacity.jobs_by_budget(2, 1.25)
