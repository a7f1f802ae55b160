"""Budgets under seeded histories, and proof that these can fail. `BELVO_ASYNC_SEEDS=50000` runs more of them."""

from __future__ import annotations

import math
from typing import Any

import pytest

from belvo_async._http.background import Background
from belvo_async._http.budget_queue import BudgetQueue
from belvo_async._http.pools import Pool
from belvo_async._http.shared_limits import Sleep, Steady
from belvo_async.abc import Budget, Urgency
from belvo_async.stores.budgets import Ledger
from tests.simulation.budgets import run_budget_seed
from tests.simulation.seeds import Search, chunks, each_search, never_seen


@chunks(300, plain=15, size=15)
def test_every_rule_of_budgets_holds(seeds: range) -> None:
    """The vendor's limit, full rate while somebody waits, and nothing held by nobody: under every seed."""
    for seed in seeds:
        world = run_budget_seed(seed)

        assert [] == world.broken, f"seed {seed}: {world.hits}"


@pytest.mark.proof
def test_every_trouble_comes_sometimes() -> None:
    """A simulation that never gets there proves nothing about it."""
    troubles = {"gave up", "never sent", "store refused", "clock is wrong", "killed"}

    assert set() == never_seen(troubles, lambda seed: run_budget_seed(seed).hits, range(60))


class BelievingLedger(Ledger):
    """Believes every caller's clock."""

    def take(self, budget: Budget, asked: int, mark: str | None) -> tuple[int, int]:
        self.latest = None
        return super().take(budget, asked, mark)


class KeepingLedger(Ledger):
    """Takes nothing back."""

    def give_back(self, mark: str) -> None:
        """The place stays taken."""


class ForgettingQueue(BudgetQueue):
    """Lets who gives up take the place ahead along."""

    async def take(self, pool: Pool, urgency: Urgency, patience: float | None) -> Any:
        try:
            return await super().take(pool, urgency, patience)
        except BaseException:
            self._ahead = None
            raise


class LateQueue(BudgetQueue):
    """Uses a place however late it is."""

    def __init__(self, budget: Budget, steady: Steady, errands: Background, sleep: Sleep) -> None:
        super().__init__(budget, steady, errands, sleep)
        self._slack = math.inf


class TightQueue(BudgetQueue):
    """Takes windows just as long as the vendor's."""

    def __init__(self, budget: Budget, steady: Steady, errands: Background, sleep: Sleep) -> None:
        super().__init__(budget, steady, errands, sleep)
        self._budget = budget


LEDGER, QUEUE = "belvo_async.stores.memory.store.Ledger", "belvo_async._http.admission.BudgetQueue"


@each_search
@pytest.mark.parametrize(
    ("where", "bug", "rule", "known"),
    [
        (LEDGER, BelievingLedger, "nothing was sent", 12),
        (LEDGER, KeepingLedger, "nothing was sent", 1),
        (QUEUE, ForgettingQueue, "nothing was sent", 1),
        (QUEUE, LateQueue, "requests within a span", 27),
        (QUEUE, TightQueue, "requests within a span", 13),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_planted_bug_is_found(
    monkeypatch: pytest.MonkeyPatch, where: str, bug: type[object], rule: str, known: int, search: Search
) -> None:
    """Each mistake that such limiters really make breaks its rule within a few hundred seeds."""
    monkeypatch.setattr(where, bug)

    seeds = search([known], range(300))
    found = next((seed for seed in seeds if any(rule in broken for broken in run_budget_seed(seed).broken)), None)

    print(f"{bug.__name__}: found by seed {found}")
    assert found is not None
