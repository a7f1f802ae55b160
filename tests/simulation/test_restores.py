"""Stores that go back in time, under many seeded histories; and the proof that a mistake would be found."""

from __future__ import annotations

from tests.simulation.restores import PastWorld, trust
from tests.simulation.runner import run_seed
from tests.simulation.seeds import Search, chunks, each_search, never_seen

SEEDS = 150


@chunks(SEEDS, plain=10, size=10)
def test_no_job_is_sent_twice_however_often_the_store_goes_back(seeds: range) -> None:
    """And every job ends, and nobody who waits hangs."""
    for seed in seeds:
        report = run_seed(seed, kind=PastWorld)

        assert not report.broken, report.explain()


@each_search
def test_what_is_to_be_shown_happens(search: Search) -> None:
    """Jobs that were sent are queued again, come in doubt, and are found."""
    wanted = {"went back", "a sent job is queued again", "a queued job was in doubt", "one in doubt was found"}

    assert set() == never_seen(wanted, lambda seed: run_seed(seed, kind=PastWorld).hits, search([39], range(SEEDS)))


def test_a_tracker_that_trusts_its_store_is_found() -> None:
    """It sends a job again that was sent before the store went back."""
    reports = (run_seed(seed, trust, PastWorld) for seed in range(SEEDS))

    assert any("accepted twice" in rule for report in reports for rule in report.broken)
