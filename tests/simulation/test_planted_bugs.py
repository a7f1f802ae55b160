"""Proof that the simulation can fail: mistakes planted on purpose are found."""

from __future__ import annotations

import pytest

from belvo_async._tracker.door import Door

from .plants import EagerDoor, ForgetfulDoor, HastyDoor, plant
from .runner import first_failure

SEEDS = 1000


@pytest.mark.parametrize(
    ("door", "rule"),
    [
        pytest.param(ForgetfulDoor, "an accepted delivery was lost", id="parking dropped"),
        pytest.param(HastyDoor, "an accepted delivery was lost", id="answered before it is durable"),
        pytest.param(EagerDoor, "a waiter woke before the end was kept", id="woken before the write"),
    ],
)
def test_planted_bug_is_found(door: type[Door], rule: str) -> None:
    """A tracker with this mistake breaks its rule within a thousand seeds."""
    start, count, found = 0, 0, False
    while start < SEEDS and not found:
        taken, report = first_failure(range(start, SEEDS), plant(door))
        start += taken
        found = report is not None and any(rule in broken for broken in report.broken)
        count = start
    print(f"{door.__name__}: found after {count} seeds")

    assert found
