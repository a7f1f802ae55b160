"""Budgets at the edge: who waits for a place, who gives it back, and what callers with time limits get."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from belvo_async._http import Http, Send, ask
from belvo_async.abc import Budget, Retry
from belvo_async.errors import StoreError, TransportError
from belvo_async.stores import MemoryStore
from tests.http.origin import Cut, Origin, credentials, read, reply, submission
from tests.troubled_store import TroubledStore
from tests.virtual_time import VirtualClock

BELVO = Budget("b", 80, timedelta(seconds=30))
ONE = Budget("one", 1, timedelta(seconds=30))


@pytest.fixture
async def http(clock: VirtualClock, store: TroubledStore) -> AsyncIterator[Http]:
    async with Http(clock=clock, chance=lambda: 0.0, shared_limits=store) as http:
        yield http


def loop_time() -> float:
    return asyncio.get_running_loop().time()


def most_in_a_window(instants: Sequence[float], seconds: float = 30) -> int:
    ordered = sorted(instants)
    return max(bisect_left(ordered, at + seconds) - index for index, at in enumerate(ordered))


async def give_up(calls: Sequence[asyncio.Task[object]]) -> None:
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)


async def test_callers_that_gave_up_make_nobody_wait(http: Http) -> None:
    """Three thousand calls are made and cancelled; the next one waits for those that were sent, and no more."""
    async with Origin([(reply(),)]) as origin:
        send = http.send_to(origin.url, credentials)
        calls = [asyncio.create_task(ask(send, read(budget=BELVO))) for _ in range(3_000)]
        await asyncio.sleep(1)
        await give_up(calls)
        await ask(send, read(budget=BELVO))

        assert 81 == len(origin.seen)
        assert 30 == pytest.approx(origin.seen[-1].at, abs=0.6)


@pytest.mark.parametrize("after_seconds", [0, 0.5, 2, 28])
async def test_a_place_goes_back_whenever_its_caller_gives_up(
    http: Http, store: TroubledStore, clock: VirtualClock, after_seconds: float
) -> None:
    """While the store is asked for it, or while its instant has not come: the next caller has it."""
    store.delay = 1
    taken = await store.reserve(ONE, clock.now())
    async with Origin([(reply(),)]) as origin:
        send = http.send_to(origin.url, credentials)
        call = asyncio.create_task(ask(send, read(budget=ONE)))
        await asyncio.sleep(after_seconds)
        await give_up([call])
        await asyncio.sleep(3)

        now = clock.now()
        assert max(now, taken + timedelta(seconds=31)) >= await store.reserve(ONE, now)


async def test_a_place_goes_back_when_the_caller_waits_for_a_connection(
    clock: VirtualClock, store: MemoryStore
) -> None:
    """Who has no connection holds no place for long."""
    two = Budget("two", 2, timedelta(seconds=1000))
    async with (
        Http(clock=clock, shared_limits=store, connections=1) as http,
        Origin([(50.0, reply()), (reply(),)]) as origin,
    ):
        send = http.send_to(origin.url, credentials)
        first = asyncio.create_task(ask(send, read(budget=two, timeout=timedelta(hours=1))))
        await asyncio.sleep(1)
        await give_up([asyncio.create_task(ask(send, read(budget=two))) for _ in range(3)])
        waiting = asyncio.create_task(ask(send, read(budget=two)))
        await asyncio.sleep(1)
        await give_up([waiting])
        await first
        await ask(send, read(budget=two))

        assert [0, 50] == pytest.approx([each.at for each in origin.seen], abs=0.6)


@pytest.mark.parametrize("retry", [Retry.NEVER, Retry.SAFE, Retry.SUBMIT])
async def test_what_was_never_sent_costs_no_place(http: Http, store: MemoryStore, retry: Retry) -> None:
    """A refused connection: each attempt takes a place and gives it back."""
    async with Origin([(reply(),)]) as origin:
        with pytest.raises(TransportError):
            await ask(http.send_to("http://127.0.0.1:9", credentials), read(budget=ONE, retry=retry))
        await asyncio.sleep(0.01)
        began = loop_time()
        await ask(http.send_to(origin.url, credentials), read(budget=ONE))

        assert loop_time() - began < 0.5


async def test_what_may_have_been_sent_keeps_its_place(http: Http) -> None:
    """The vendor may have counted it."""
    async with Origin([(Cut.CLOSE,), (reply(),)]) as origin:
        await ask(http.send_to(origin.url, credentials), read(budget=ONE))

        assert [0, 30] == pytest.approx([each.at for each in origin.seen], abs=0.6)


async def test_a_call_cancelled_in_flight_keeps_its_place(http: Http) -> None:
    """Its request is at the vendor; its connection is free again."""
    async with Origin([(3600.0,), (reply(),)]) as origin:
        send = http.send_to(origin.url, credentials)
        call = asyncio.create_task(ask(send, read(budget=ONE)))
        await asyncio.sleep(5)
        await give_up([call])
        await ask(send, read(budget=ONE))

        assert [0, 30] == pytest.approx([each.at for each in origin.seen], abs=0.6)


async def retrying(send: Send, *, until: float, answers: Counter[int], number: int, again: bool) -> None:
    """A caller with a five-second limit that comes again at once."""
    while loop_time() < until:
        try:
            async with asyncio.timeout(5):
                await ask(send, read(budget=BELVO))
        except TimeoutError:
            continue
        answers[number] += 1
        if not again:
            return


async def test_callers_with_time_limits_get_their_answers(http: Http) -> None:
    """Two hundred callers of five seconds each, at eighty answers per half minute: all are done after one minute."""
    answers = Counter[int]()
    async with Origin([(reply(),)]) as origin:
        send = http.send_to(origin.url, credentials)
        await asyncio.gather(*(retrying(send, until=200, answers=answers, number=n, again=False) for n in range(200)))

        assert 200 == len(answers) == len(origin.seen)
        assert loop_time() == pytest.approx(60, abs=1)


@pytest.mark.parametrize("latency", [0.0, 0.3])
async def test_callers_with_time_limits_starve_nobody(http: Http, latency: float) -> None:
    """All two hundred come again and again, also those with an answer: the full rate, and a fair share for each."""
    answers = Counter[int]()
    async with Origin([(latency, reply())]) as origin:
        send = http.send_to(origin.url, credentials)
        await asyncio.gather(*(retrying(send, until=299, answers=answers, number=n, again=True) for n in range(200)))

        assert 800 == len(origin.seen)
        assert 80 == most_in_a_window([each.at for each in origin.seen])
    assert 200 == len(answers)
    # Ten windows of eighty are four for each; some were on their way when their caller gave up.
    assert min(answers.values()) >= (2 if latency else 4)
    assert max(answers.values()) - min(answers.values()) <= 1


async def test_the_limit_holds_with_a_slow_store_and_few_connections(clock: VirtualClock, store: TroubledStore) -> None:
    """A place that comes too late for its instant is taken anew: the vendor never sees more than it allows."""
    store.delay = 0.2
    async with Http(clock=clock, shared_limits=store, connections=16) as http, Origin([(3.0, reply())]) as origin:
        send, bulk = http.send_to(origin.url, credentials), http.send_to(origin.url, credentials, bulk=True)
        await asyncio.gather(
            *(ask(send, read(budget=BELVO, timeout=timedelta(hours=1))) for _ in range(30)),
            *(ask(bulk, read(budget=BELVO)) for _ in range(100)),
            *(ask(send, submission(budget=BELVO)) for _ in range(100)),
        )

        assert 230 == len(origin.seen)
        assert most_in_a_window([each.at for each in origin.seen]) <= 80


async def test_a_process_holds_one_place_ahead(http: Http, store: MemoryStore, clock: VirtualClock) -> None:
    """A hundred callers wait; were the process killed, one request's room would be lost."""
    ten = Budget("ten", 10, timedelta(seconds=30))
    async with Origin([(reply(),)]) as origin:
        send = http.send_to(origin.url, credentials)
        calls = [asyncio.create_task(ask(send, read(budget=ten))) for _ in range(100)]
        await asyncio.sleep(1)

        others = [await store.reserve(ten, clock.now()) for _ in range(10)]
        assert [29] * 9 + [59] == pytest.approx([(place - clock.now()).total_seconds() for place in others], abs=0.6)
        await give_up(calls)


async def test_a_store_that_is_down_is_told_to_all_who_wait(http: Http, store: TroubledStore) -> None:
    """At once, not one after the other; what had its place goes on."""
    async with Origin([(10.0, reply())]) as origin:
        send = http.send_to(origin.url, credentials)
        first = asyncio.create_task(ask(send, read(budget=BELVO)))
        await asyncio.sleep(1)
        store.is_down, store.delay = True, 2
        calls = [ask(send, read(budget=BELVO)) for _ in range(50)]
        outcomes = await asyncio.gather(*calls, return_exceptions=True)

        assert [StoreError] * 50 == [type(each) for each in outcomes]
        assert 3 == pytest.approx(loop_time(), abs=0.6)
        assert 200 == (await first).status
        store.is_down = False
        assert 200 == (await ask(send, read(budget=BELVO))).status


async def test_a_full_pool_fails_its_waiters_together(clock: VirtualClock, store: MemoryStore) -> None:
    """Connections that never get free cost each caller one minute, not one minute after the other."""
    http = Http(clock=clock, shared_limits=store, connections=1)
    async with http, Origin([(reply(body=b"x" * 9)[:-5], 3600.0)]) as origin:
        send = http.send_to(origin.url, credentials)
        async with send(read()):
            calls = [ask(send, read(budget=BELVO, retry=Retry.NEVER)) for _ in range(20)]
            outcomes = await asyncio.gather(*calls, return_exceptions=True)

        assert [TransportError] * 20 == [type(each) for each in outcomes]
        assert 60 == pytest.approx(loop_time(), abs=1)


class SteppingClock(VirtualClock):
    """A wall clock that is set while the process runs."""

    step = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.step


@pytest.mark.parametrize("step", [timedelta(hours=-1), timedelta(hours=1), timedelta(days=-400)], ids=str)
async def test_a_clock_that_is_set_changes_nothing(store: MemoryStore, step: timedelta) -> None:
    """Within a process, distances are the loop's: no wait, and no window that is counted twice."""
    clock = SteppingClock(asyncio.get_running_loop())
    async with Http(clock=clock, shared_limits=store) as http, Origin([(reply(),)]) as origin:
        send = http.send_to(origin.url, credentials)
        for number in range(6):
            clock.step = step if number % 2 else timedelta(0)
            await ask(send, read(budget=ONE))

        assert [30] * 5 == pytest.approx([later.at - each.at for each, later in pairwise(origin.seen)], abs=0.6)
