"""Proof that the simulation can fail: mistakes planted on purpose are found."""

from __future__ import annotations

import pytest

from .plants import (
    EagerDoor,
    EndlessPark,
    FifoPark,
    ForgetfulDoor,
    HastyDoor,
    LiteralPark,
    believe,
    plant,
    plant_park,
)
from .runner import first_failure
from .world import Plant

SEEDS = 1000


@pytest.mark.parametrize(
    ("bug", "rule"),
    [
        pytest.param(plant(ForgetfulDoor), "an accepted delivery was lost", id="parking dropped"),
        pytest.param(plant(HastyDoor), "an accepted delivery was lost", id="answered before it is durable"),
        pytest.param(plant(EagerDoor), "a waiter woke before the end was kept", id="woken before the write"),
        pytest.param(believe, ": finished, at the vendor ", id="a touch taken for an end"),
        pytest.param(plant_park(FifoPark), "claimed went before a stranger", id="evicted by age alone"),
        pytest.param(plant_park(LiteralPark), "claimed went before a stranger", id="blind for submissions under way"),
        pytest.param(plant_park(EndlessPark), "more is parked than the bound", id="parked without end"),
    ],
)
def test_planted_bug_is_found(bug: Plant, rule: str, request: pytest.FixtureRequest) -> None:
    """A tracker or a store with this mistake breaks its rule within a thousand seeds."""
    start, count, found = 0, 0, False
    while start < SEEDS and not found:
        taken, report = first_failure(range(start, SEEDS), bug)
        start += taken
        found = report is not None and any(rule in broken for broken in report.broken)
        count = start
    print(f"{request.node.name}: found after {count} seeds")

    assert found
