"""The tracker under thousands of seeded histories. `BELVO_ASYNC_SEEDS=50000` runs more of them."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from .runner import run_seed

SEEDS = int(os.environ.get("BELVO_ASYNC_SEEDS", "2000"))
CHUNK = 100 if SEEDS <= 10_000 else SEEDS // 100
CHUNKS = [range(start, min(start + CHUNK, SEEDS)) for start in range(0, SEEDS, CHUNK)]

# What must have happened somewhere in the normal run: a simulation that never gets there proves nothing about it.
SOMETIMES = (
    "answer lost",
    "arrives late",
    "became due by a hint",
    "compare-and-swap lost",
    "conflict answered with the running job",
    "delivery parked",
    "end by poll",
    "end by webhook",
    "end inferred",
    "gateway error",
    "gone",
    "joined an equal job",
    "lane was busy",
    "list lags",
    "lost submission",
    "parked delivery replayed",
    "partial",
    "queued for its lane",
    "refresh",
    "refused",
    "request lost",
    "restart",
    "resubmitted",
    "second worker",
    "short deadline",
    "stop",
    "stop at once",
    "store down",
    "store refused a call",
    "store slow",
    "submission tried again",
    "submit cancelled",
    "throttled",
    "uncertain search given up",
    "uncertain submission adopted a delivery",
    "uncertain submission found",
    "unknown word",
    "waiter cancelled",
    "waiter impatient",
    "webhook dropped",
    "webhook early",
    "webhook forged",
    "webhook given up",
    "webhook hint only",
    "webhook late",
    "webhook repeated",
    "withdrawn",
)


@pytest.fixture(scope="module")
def reached() -> Counter[str]:
    """Counts what the seeds of this module went through."""
    return Counter()


@pytest.mark.parametrize("seeds", CHUNKS, ids=lambda seeds: f"{seeds.start}-{seeds.stop - 1}")
def test_every_rule_holds(seeds: range, reached: Counter[str]) -> None:
    """No invariant of the tracker breaks under any seed."""
    for seed in seeds:
        report = run_seed(seed)
        reached.update(report.hits)
        reached["seeds"] += 1

        assert not report.broken, report.explain()


def test_every_branch_was_reached_sometimes(reached: Counter[str]) -> None:
    """Each fault struck and each branch was taken at least once in a whole run."""
    if reached["seeds"] < min(SEEDS, 1500):
        pytest.skip("only a part of the seeds ran")

    missing = [name for name in SOMETIMES if not reached[name]]

    assert missing == []


@pytest.mark.parametrize("seed", range(0, 40, 4))
def test_seed_is_a_whole_history(seed: int) -> None:
    """The same seed twice gives the same trace, to the last line."""
    first = run_seed(seed)

    second = run_seed(seed)

    assert first.digest == second.digest
    assert first.hits == second.hits
