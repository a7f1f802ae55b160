"""Proof that the simulation can fail: mistakes planted on purpose are found."""

from __future__ import annotations

import pytest

from tests.simulation.plants import (
    EagerReconciler,
    EndlessPark,
    FifoPark,
    ForgetfulDoor,
    HastyDoor,
    LiteralPark,
    believe,
    plant,
    plant_park,
    trust,
)
from tests.simulation.runner import run_seed
from tests.simulation.seeds import Search, each_search
from tests.simulation.world import Plant

SEEDS = 1000
EVICTED = "claimed went before a stranger"


@each_search
@pytest.mark.parametrize(
    ("bug", "rule", "known"),
    [
        pytest.param(plant(ForgetfulDoor), "an accepted delivery was lost", 6, id="parking dropped"),
        pytest.param(plant(HastyDoor), "an accepted delivery was lost", 65, id="answered before it is durable"),
        pytest.param(plant(EagerReconciler), "a waiter woke before the end was kept", 0, id="woken before the write"),
        pytest.param(believe, ": finished, at the vendor ", 22, id="a touch taken for an end"),
        pytest.param(trust, ": still ", 0, id="deliveries taken for granted"),
        pytest.param(plant_park(FifoPark), EVICTED, 40, id="evicted by age alone"),
        pytest.param(plant_park(LiteralPark), EVICTED, 40, id="blind for submissions under way"),
        pytest.param(plant_park(EndlessPark), "more is parked than the bound", 9, id="parked without end"),
    ],
)
def test_planted_bug_is_found(
    bug: Plant, rule: str, known: int, search: Search, request: pytest.FixtureRequest
) -> None:
    """A tracker or a store with this mistake breaks its rule within a thousand seeds."""
    seeds = search([known], range(SEEDS))
    found = next((seed for seed in seeds if any(rule in broken for broken in run_seed(seed, bug).broken)), None)

    print(f"{request.node.name}: found by seed {found}")
    assert found is not None
