"""Stores that go back in time, under many seeded histories; and the proof that a mistake would be found."""

from __future__ import annotations

import pytest

from .restores import PastWorld, trust
from .runner import run_seed

SEEDS = 150
CHUNK = 50


@pytest.mark.parametrize("start", range(0, SEEDS, CHUNK))
def test_no_job_is_sent_twice_however_often_the_store_goes_back(start: int) -> None:
    """And every job ends, and nobody who waits hangs."""
    for seed in range(start, start + CHUNK):
        report = run_seed(seed, kind=PastWorld)

        assert not report.broken, report.explain()


def test_what_is_to_be_shown_happens() -> None:
    """Jobs that were sent are queued again, come in doubt, and are found."""
    missing = {"went back", "a sent job is queued again", "a queued job was in doubt", "one in doubt was found"}

    for seed in range(SEEDS):
        missing.difference_update(run_seed(seed, kind=PastWorld).hits)
        if not missing:
            break

    assert set() == missing


def test_a_tracker_that_trusts_its_store_is_found() -> None:
    """It sends a job again that was sent before the store went back."""
    reports = (run_seed(seed, trust, PastWorld) for seed in range(SEEDS))

    assert any("accepted twice" in rule for report in reports for rule in report.broken)
