"""Which requests go first where they wait for each other: single ones, then many, then polls; none for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest
from hypothesis import given, strategies as st

from belvo_async._http import Http, ask
from belvo_async._http.fifo import PASSED_AT_MOST, Precedence
from belvo_async._http.pools import Slots
from belvo_async.abc import Budget, Urgency
from tests.http.origin import Origin, credentials, read, reply, submission
from tests.troubled_store import TroubledStore
from tests.virtual_time import VirtualClock

INTERACTIVE, BULK, POLL = Urgency
FOUR = Budget("four", 4, timedelta(seconds=30))


@pytest.fixture
async def http(clock: VirtualClock, store: TroubledStore) -> AsyncIterator[Http]:
    async with Http(clock=clock, chance=lambda: 0.0, shared_limits=store) as http:
        yield http


async def rush(http: Http, origin: Origin, calls: Sequence[tuple[Urgency, bool, str]]) -> list[str]:
    """Make calls at once (how urgent, whether it starts work, its name); the names in the order they arrived."""

    async def call(urgency: Urgency, starts: bool, name: str) -> None:
        bulk = urgency is BULK and not starts
        send = http.send_to(origin.url, credentials, urgency=urgency, bulk=bulk)
        make = submission if starts else read
        await ask(send, make(budget=FOUR, target=f"/{name}"))

    await asyncio.gather(*(call(*each) for each in calls))
    return [each.line.split()[1][1:] for each in origin.seen]


async def test_polls_wait_behind_submissions_and_reads(http: Http) -> None:
    """Four places are free; for those after them, who is most urgent goes first, on whatever connections."""
    polls = [(POLL, False, f"poll{n}") for n in range(6)]
    reads = [(BULK, False, f"read{n}") for n in range(2)]
    posts = [(BULK, True, f"post{n}") for n in range(2)]
    async with Origin([(reply(),)]) as origin:
        order = await rush(http, origin, [*polls, *reads, *posts, (INTERACTIVE, True, "fire")])

    # What came first of each kind may have its place before the others come.
    assert "fire" in order[:3]
    assert all(name.startswith("poll") for name in order[6:])


async def test_a_single_submission_passes_those_of_a_run(http: Http) -> None:
    """It comes last, and goes as soon as a place is free."""
    async with Origin([(reply(),)]) as origin:
        run = asyncio.create_task(rush(http, origin, [(BULK, True, f"post{n}") for n in range(20)]))
        await asyncio.sleep(40)
        await rush(http, origin, [(INTERACTIVE, True, "fire")])
        at = origin.seen[-1].at
        await run

    assert at <= 61.5


async def test_within_a_kind_who_came_first_goes_first(http: Http) -> None:
    """The submissions of a run and the reading of its records take turns: neither holds up the other."""
    posts = [(BULK, True, f"post{n}") for n in range(8)]
    reads = [(BULK, False, f"read{n}") for n in range(8)]
    async with Origin([(reply(),)]) as origin:
        order = await rush(http, origin, [*posts, *reads])

    assert [f"post{n}" for n in range(8)] == [name for name in order if name.startswith("post")]
    assert 2 <= sum(name.startswith("read") for name in order[4:8])


async def test_polls_are_not_starved(http: Http) -> None:
    """However much else there is to send, one of so many places is a poll's."""
    posts = [(BULK, True, f"post{n}") for n in range(3 * PASSED_AT_MOST)]
    async with Origin([(reply(),)]) as origin:
        order = await rush(http, origin, [*posts, (POLL, False, "poll0"), (POLL, False, "poll1")])

    assert order.index("poll1") <= 2 * (PASSED_AT_MOST + 1) + 4


async def test_free_connections_go_to_the_most_urgent() -> None:
    """The same rule where no budget is: vendors that tell their limits in headers."""
    slots, order = Slots(1), list[Urgency]()
    await slots.acquire(BULK)

    async def take(urgency: Urgency) -> None:
        await slots.acquire(urgency)
        order.append(urgency)
        slots.release()

    takers = [asyncio.create_task(take(each)) for each in (POLL, BULK, INTERACTIVE, BULK)]
    gone = asyncio.create_task(take(INTERACTIVE))
    await asyncio.sleep(1)
    gone.cancel()
    slots.release()
    await asyncio.gather(*takers)

    assert [INTERACTIVE, BULK, BULK, POLL] == order
    assert not slots.locked()


async def test_who_is_cancelled_on_getting_a_connection_passes_it_on() -> None:
    """At that very moment."""
    slots = Slots(1)
    await slots.acquire(BULK)
    first, second = (asyncio.create_task(slots.acquire(POLL)) for _ in range(2))
    await asyncio.sleep(1)

    slots.release()
    first.cancel()
    await second

    assert slots.locked()
    slots.release()
    assert not slots.locked()


@given(st.lists(st.sets(st.sampled_from(list(Urgency)), min_size=1), min_size=1, max_size=200))
def test_nobody_is_passed_for_ever(rounds: list[set[Urgency]]) -> None:
    """Who keeps waiting is served before it was passed more often than the bound, and one more each for the others."""
    precedence, passed = Precedence(), dict.fromkeys(Urgency, 0)
    waiting: set[Urgency] = set()

    for comers in rounds:
        waiting |= comers
        chosen = precedence.choose(waiting)
        served = precedence.serve(waiting)
        assert chosen is served
        for each in waiting - {served}:
            passed[each] += each > served
            assert passed[each] <= PASSED_AT_MOST + len(Urgency) - 2
        passed[served] = 0
        waiting.discard(served)
