"""Long queues under seeded histories, and proof that these can fail. `BELVO_ASYNC_SEEDS=5000` runs more of them."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from belvo_async._tracker import Tracker
from belvo_async._tracker.attempts import LOST_AFTER, Attempt, Attempts
from belvo_async._tracker.context import Converse
from belvo_async.abc import Permit
from tests.jobs.flat import flat
from tests.simulation.queues import run_queue_seed
from tests.simulation.seeds import Search, chunks, each_search, never_seen

PLANTED_SEEDS = 60


@pytest.fixture(autouse=True)
def _few_words() -> Iterator[None]:
    """A store that fails is told of often here."""
    log = logging.getLogger("belvo_async")
    level = log.level
    log.setLevel(logging.CRITICAL)
    yield
    log.setLevel(level)


@chunks(20, plain=2, size=2)
def test_every_rule_of_queues_holds(seeds: range) -> None:
    """Cut by close, kill and standstill at any point before its first byte, a job is queued, and sent once."""
    for seed in seeds:
        world = run_queue_seed(seed)

        assert [] == world.broken, f"seed {seed}: {world.hits}"


@pytest.mark.proof
@each_search
def test_every_trouble_of_queues_comes_sometimes(search: Search) -> None:
    """A simulation that never gets there proves nothing about it."""
    troubles = {"closed", "killed", "stood still", "stopped", "forgotten", "no connection", "too many requests"}
    troubles.add("answer of the store lost")

    assert set() == never_seen(troubles, lambda seed: run_queue_seed(seed).hits, search((0, 11), range(12)))


class BlindAttempts(Attempts):
    """Looks at nothing: neither while a job waits, nor whether the one it sends is still the one that was queued."""

    async def _renew(self, attempt: Attempt) -> None:
        """Nobody learns that it waits."""

    async def _write_mark(self, attempt: Attempt) -> None:
        job, now = attempt.job, self._context.clock.now()
        marked = flat(job, attempted_at=now, attempts=job.submission.attempts + 1, next_poll=now + LOST_AFTER)
        await self._reconciler.write(flat(marked, sender=self._sender), expected=job)
        attempt.sent = flat(marked, sender=self._sender, version=job.version + 1)


def mark_early(tracker: Tracker) -> None:
    """A job is marked before it waits for its turn."""
    talks: Any = tracker.context.talks
    talks.update({name: marking_early(talk) for name, talk in talks.items()})


def marking_early(talk: Converse) -> Any:
    async def mark_and_talk(conversation: Any, *, permit: Permit | None = None, **how: Any) -> Any:
        if permit is not None:
            await permit()
        return await talk(conversation, permit=permit, **how)

    return mark_and_talk


def look_at_nothing(tracker: Tracker) -> None:
    tracker.submitter.attempts.__class__ = BlindAttempts


@each_search
@pytest.mark.parametrize(
    ("plant", "rule", "known"),
    [
        pytest.param(mark_early, "although nothing was sent", 3, id="marked before its turn"),
        pytest.param(mark_early, "sent without a mark of this moment", 0, id="marked long before it is sent"),
        pytest.param(look_at_nothing, "sent twice", 2, id="sent whatever became of it: twice"),
        pytest.param(look_at_nothing, "nobody wants it any more", 54, id="sent whatever became of it: withdrawn"),
    ],
)
def test_planted_bug_of_queues_is_found(plant: Any, rule: str, known: int, search: Search) -> None:
    """A tracker with this mistake breaks its rule."""
    for seed in search([known], range(PLANTED_SEEDS)):
        if any(rule in broken for broken in run_queue_seed(seed, plant).broken):
            print(f"{rule}: found by seed {seed}")
            return

    pytest.fail("not found")
