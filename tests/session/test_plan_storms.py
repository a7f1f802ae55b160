"""Plans in storms: for each day paid once, each row written once, whatever fails and whenever runs are broken off."""

from __future__ import annotations

import pytest

from tests.session.plan_storm import weather
from tests.simulation.seeds import chunks
from tests.virtual_time import run


@pytest.mark.proof
@chunks(200, plain=2, size=2)
def test_nothing_is_paid_or_written_twice(seeds: range) -> None:
    """And nothing is missing: what is proven is in every sink."""
    for seed in seeds:
        run(weather(seed), seed=seed)


@pytest.mark.parametrize(
    "seed", [1042, *(pytest.param(seed, marks=pytest.mark.proof) for seed in (146, 1030, 2003, 2085))]
)
def test_what_broke_once_holds(seed: int) -> None:
    """Runs that did not know of each other's halves, or inferred ends; a row that the next job brought to light; a part
    whose run died before its receipt."""
    run(weather(seed), seed=seed)
