"""Clocks under seeded histories, and proof that these can fail. `BELVO_ASYNC_SEEDS=50000` runs more of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from belvo_async.jobs import Job
from tests.simulation.clocks import run_clock_seed
from tests.simulation.seeds import Search, chunks, each_search, never_seen


@chunks(120, plain=5, size=5)
def test_every_rule_of_clocks_holds(seeds: range) -> None:
    """No poll is late, nothing is concluded from a step, waits are as long as was said: under every seed."""
    for seed in seeds:
        world = run_clock_seed(seed)

        assert [] == world.trace.broken, f"seed {seed}: {world.trace.show()}"


@pytest.mark.proof
@each_search
def test_every_trouble_comes_sometimes(search: Search) -> None:
    """A simulation that never gets there proves nothing about it."""
    wanted = {"set", "jump", "sleep", "restart", "given up", "ended by poll", "ended by inference", "answer lost"}

    assert set() == never_seen(wanted, lambda seed: run_clock_seed(seed).hits, search((1, 32), range(40)))


def believe_all(*_: Any) -> list[Any]:
    """Plans of any clock are waited for."""
    return []


def as_it_is(job: Job, _now: datetime, _usual: timedelta) -> Job:
    """What was written by any clock, or long ago, counts."""
    return job


DOUBT, WEIGH = "belvo_async.stores.memory.due.DueJobs.take_doubtful", "belvo_async._tracker.reconciler.at_present"
OFTEN = "belvo_async._tracker.poller.DOUBT_EVERY"


@each_search
@pytest.mark.parametrize(
    ("where", "bug", "rule", "known"),
    [
        (DOUBT, believe_all, "not polled", 12),
        (WEIGH, as_it_is, "inferred to have ended after", 37),
        (OFTEN, timedelta(0), "polls of vendors", 5),
    ],
    ids=["planned by a clock ahead", "evidence of a step", "doubt at each sweep"],
)
def test_a_planted_bug_is_found(
    monkeypatch: pytest.MonkeyPatch,
    where: str,
    bug: Callable[..., Any] | timedelta,
    rule: str,
    known: int,
    search: Search,
) -> None:
    """Each mistake about clocks breaks its rule within a hundred seeds."""
    monkeypatch.setattr(where, bug)

    seeds = search([known], range(100))
    found = next((seed for seed in seeds if any(rule in broken for broken in run_clock_seed(seed).trace.broken)), None)

    print(f"{where}: found by seed {found}")
    assert found is not None
