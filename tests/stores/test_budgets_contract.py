"""What every store promises of budgets: places counted from those ahead, given back, and rate windows."""

from __future__ import annotations

import asyncio
import random
from datetime import datetime, timedelta

import pytest

from belvo_async.abc import Budget
from belvo_async.stores import MemoryStore
from tests.stores.conftest import AnyStore, MakeStore
from tests.stores.samples import NOON, after

BELVO = Budget("b", 80, timedelta(seconds=30))
LATEST = datetime.max.replace(tzinfo=NOON.tzinfo)


async def all_of(store: AnyStore, budget: Budget, now: datetime, count: int) -> list[datetime]:
    return [await store.reserve(budget, now) for _ in range(count)]


async def use_up(store: AnyStore, now: datetime) -> None:
    """Take all places of a span, in few commits."""
    await asyncio.gather(*(store.reserve(BELVO, now) for _ in range(BELVO.limit)))


@pytest.mark.parametrize("ahead", [timedelta(seconds=40), timedelta(hours=1), LATEST - NOON], ids=str)
async def test_a_clock_that_is_ahead_makes_nobody_wait(make_store: MakeStore, ahead: timedelta) -> None:
    """Eighty reads of a worker whose clock is wrong cost the others what eighty reads cost."""
    async with make_store() as store:
        await use_up(store, NOON + ahead)

    async with make_store() as other:
        places = await all_of(other, BELVO, NOON, 3)

    assert max(places) <= after(60)


@pytest.mark.parametrize(
    "behind", [timedelta(seconds=65), timedelta(hours=1), NOON - datetime.min.replace(tzinfo=NOON.tzinfo)], ids=str
)
async def test_a_clock_that_is_behind_waits_no_longer(make_store: MakeStore, behind: timedelta) -> None:
    """Eighty reads of the others cost it one span, and its own cost them one more."""
    async with make_store() as store:
        await use_up(store, NOON)
        place = await store.reserve(BELVO, NOON - behind)
        next_place = await store.reserve(BELVO, after(1))

    assert place - (NOON - behind) <= BELVO.span
    assert next_place <= after(30 + 1)


async def test_a_clock_that_steps_back_keeps_its_place_in_the_count(store: AnyStore) -> None:
    """What was taken before the step still counts, and only that."""
    await all_of(store, BELVO, NOON, 80)

    places = await all_of(store, BELVO, after(-3_600), 81)

    assert {after(-3_570)} == set(places[:80])
    assert after(-3_540) == places[80]


async def test_what_a_dead_worker_left_is_forgotten(make_store: MakeStore) -> None:
    """One bad instant costs the living nothing for longer than a span: they go on at the full rate."""
    async with make_store() as store:
        await use_up(store, NOON + timedelta(days=400))

    async with make_store() as other:
        places = [await other.reserve(BELVO, after(60 + number)) for number in range(100)]

    assert all(place - after(60 + number) <= BELVO.span for number, place in enumerate(places))
    assert all(later - earlier >= BELVO.span for earlier, later in zip(places, places[80:], strict=False))
    assert after(60 + 99) == places[-1]


async def test_a_place_given_back_is_the_next_callers(store: AnyStore) -> None:
    """The earliest one first; then those behind all that are taken."""
    budget = Budget("b", 1, timedelta(seconds=10))
    for number in range(5):
        await store.reserve(budget, NOON, mark=f"{number}")

    await store.give_back(budget, "3")
    await store.give_back(budget, "1")

    assert [after(10), after(30), after(50)] == await all_of(store, budget, NOON, 3)


async def test_places_given_back_at_the_end_are_as_if_never_taken(store: AnyStore) -> None:
    """Three thousand callers that gave up make nobody wait."""
    marks = [f"{number}" for number in range(3_000 if isinstance(store, MemoryStore) else 300)]
    await asyncio.gather(*(store.reserve(BELVO, NOON, mark=mark) for mark in marks))
    await asyncio.gather(*(store.give_back(BELVO, mark) for mark in marks))

    assert after(1) == await store.reserve(BELVO, after(1))


async def test_a_place_is_given_back_once(store: AnyStore) -> None:
    """Twice, unknown, or of another budget: nothing changes."""
    budget, other = Budget("b", 1, timedelta(seconds=10)), Budget("other", 1, timedelta(seconds=10))
    await store.give_back(budget, "a")
    await store.reserve(budget, NOON, mark="a")
    await store.reserve(budget, NOON, mark="b")
    await store.reserve(other, NOON, mark="c")

    await store.give_back(budget, "b")
    assert after(10) == await store.reserve(budget, NOON, mark="d")
    for mark in ("b", "c", "", "unknown"):
        await store.give_back(budget, mark)

    assert after(20) == await store.reserve(budget, NOON)


async def test_a_mark_keeps_its_place(store: AnyStore) -> None:
    """Asked for again it is the same one; given back, the mark may take another."""
    budget = Budget("b", 1, timedelta(seconds=10))
    first = await store.reserve(budget, NOON, mark="a")
    second = await store.reserve(budget, NOON, mark="b")

    assert (first, second) == (await store.reserve(budget, NOON, mark="a"), await store.reserve(budget, NOON, mark="b"))
    await store.give_back(budget, "a")
    assert first == await store.reserve(budget, NOON, mark="a")
    assert after(20) == await store.reserve(budget, NOON)


async def test_a_place_that_passed_unused_is_free(store: AnyStore) -> None:
    """Whoever could not use its place in time gives it back all the same: the window counts one less."""
    budget = Budget("b", 2, timedelta(seconds=10))
    await store.reserve(budget, NOON, mark="a")
    await store.reserve(budget, after(5), mark="b")

    await store.give_back(budget, "a")

    assert [after(5), after(15)] == await all_of(store, budget, after(5), 2)


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.proof) for seed in range(2, 5))])
async def test_every_store_keeps_the_same_rule(store: AnyStore, seed: int) -> None:
    """Any callers, clocks and returns: the same places as in memory."""
    chance = random.Random(seed)
    budget = Budget("b", chance.randint(1, 5), timedelta(seconds=10))
    told: list[tuple[datetime, datetime]] = []
    async with MemoryStore() as model:
        now, marks = 0.0, list[str]()
        for number in range(150):
            now += chance.choice([0, 0, 0.25, 3, 25])
            if chance.random() < 0.02:
                now += chance.choice([-3_600, -25, 3_600])
            if marks and chance.random() < 0.3:
                mark = chance.choice(marks)
                await asyncio.gather(store.give_back(budget, mark), model.give_back(budget, mark))
                continue
            marks.append(f"{number}")
            told.append(
                (
                    await model.reserve(budget, after(now), mark=marks[-1]),
                    await store.reserve(budget, after(now), mark=marks[-1]),
                )
            )

    assert [expected for expected, _ in told] == [place for _, place in told]


async def test_storms_of_cancellations_exceed_no_budget(store: AnyStore) -> None:
    """Callers that come, give up and come again at once: those who stay keep to the limit."""
    budget, chance = Budget("b", 7, timedelta(seconds=10)), random.Random(1)
    stayed: list[datetime] = []

    async def caller(number: int) -> None:
        place = await store.reserve(budget, NOON, mark=f"{number}")
        if chance.random() < 0.7:
            await store.give_back(budget, f"{number}")
        else:
            stayed.append(place)

    await asyncio.gather(*(caller(number) for number in range(400)))

    stayed.sort()
    assert len(stayed) > 80
    assert all(later - earlier >= budget.span for earlier, later in zip(stayed, stayed[7:], strict=False))


async def test_an_exhausted_window_is_known_to_all(make_store: MakeStore) -> None:
    """The last note stands, past or not; of other windows nothing is known."""
    async with make_store() as store:
        assert await store.exhausted_until("w") is None
        await store.exhaust("w", after(40))
        await store.exhaust("v", after(9))
        await asyncio.gather(*(store.exhaust("w", after(seconds)) for seconds in (50, 30)))

        assert after(30) == await store.exhausted_until("w")
        assert after(9) == await store.exhausted_until("v")
    if not isinstance(store, MemoryStore):
        async with make_store() as other:
            assert after(30) == await other.exhausted_until("w")
