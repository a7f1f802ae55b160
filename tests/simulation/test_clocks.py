"""Clocks under seeded histories, and proof that these can fail. `BELVO_ASYNC_SEEDS=50000` runs more of them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from belvo_async.jobs import Job

from .clocks import run_clock_seed

SEEDS = int(os.environ.get("BELVO_ASYNC_SEEDS", "120"))
CHUNK = max(20, SEEDS // 100)


@pytest.mark.parametrize("start", range(0, SEEDS, CHUNK))
def test_every_rule_of_clocks_holds(start: int) -> None:
    """No look is late, nothing is concluded from a step, waits are as long as was said: under every seed."""
    for seed in range(start, min(start + CHUNK, SEEDS)):
        world = run_clock_seed(seed)

        assert [] == world.trace.broken, f"seed {seed}: {world.trace.show()}"


def test_every_trouble_comes_sometimes() -> None:
    """A simulation that never gets there proves nothing about it."""
    hits = Counter[str]()
    for seed in range(40):
        hits += run_clock_seed(seed).hits

    wanted = {"set", "jump", "sleep", "restart", "given up", "ended by poll", "ended by inference", "answer lost"}
    assert set() == wanted - set(hits)


def believe_all(*_: Any) -> list[Any]:
    """Plans of any clock are waited for."""
    return []


def as_it_is(job: Job, _now: datetime, _usual: timedelta) -> Job:
    """What was written by any clock, or long ago, counts."""
    return job


DOUBT, WEIGH = "belvo_async.stores.memory.index._DueHeaps.take_doubtful", "belvo_async._tracker.reconciler.at_present"
OFTEN = "belvo_async._tracker.poller.DOUBT_EVERY"


@pytest.mark.parametrize(
    ("where", "bug", "rule"),
    [
        (DOUBT, believe_all, "not looked at"),
        (WEIGH, as_it_is, "inferred to have ended after"),
        (OFTEN, timedelta(0), "looks at vendors"),
    ],
    ids=["planned by a clock ahead", "evidence of a step", "doubt at each sweep"],
)
def test_a_planted_bug_is_found(
    monkeypatch: pytest.MonkeyPatch, where: str, bug: Callable[..., Any] | timedelta, rule: str
) -> None:
    """Each mistake about clocks breaks its rule within a hundred seeds."""
    monkeypatch.setattr(where, bug)

    seeds = range(100)
    found = next((seed for seed in seeds if any(rule in broken for broken in run_clock_seed(seed).trace.broken)), None)

    print(f"{where}: found after {found} seeds")
    assert found is not None
