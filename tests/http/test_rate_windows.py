"""Exhausted rate windows are waited out by all workers of a store."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta

import pytest

from belvo_async._http import Http, ask
from belvo_async.abc import Budget, Request
from belvo_async.errors import SessionClosedError, TransportError
from tests.http.origin import Cut, Origin, Step, credentials, read, reply, submission
from tests.troubled_store import TroubledStore
from tests.virtual_time import EPOCH, VirtualClock

BUDGET = Budget("b", 80, timedelta(seconds=30))


@pytest.fixture
async def http(clock: VirtualClock, store: TroubledStore) -> AsyncIterator[Http]:
    async with Http(clock=clock, chance=lambda: 0.0, shared_limits=store) as http:
        yield http


@pytest.fixture
async def other(clock: VirtualClock, store: TroubledStore) -> AsyncIterator[Http]:
    """What another process has."""
    async with Http(clock=clock, chance=lambda: 0.0, shared_limits=store) as http:
        yield http


def last_call(seconds: float) -> bytes:
    return reply(x_ratelimit_remaining="0", x_ratelimit_reset=_instant(seconds))


async def test_a_window_one_worker_exhausted_is_waited_out_by_the_others(http: Http, other: Http) -> None:
    """Requests of that name and account wait for the reset; others do not."""
    async with Origin([(last_call(40),), (reply(),)]) as origin:
        await ask(http.send_to(origin.url, credentials, account="ana"), read())
        await ask(other.send_to(origin.url, credentials, account="ben"), read())
        await ask(other.send_to(origin.url, credentials, account="ana"), submission())
        await ask(other.send_to(origin.url, credentials, account="ana"), read())

        assert [0, 0, 0, 40] == pytest.approx([each.at for each in origin.seen], abs=0.5)


async def test_a_worker_that_sent_before_learns_of_it_too(http: Http, other: Http) -> None:
    """What it knew of the window is older than what the store knows."""
    plenty = reply(x_ratelimit_remaining="59", x_ratelimit_limit="60")
    async with Origin([(plenty,), (last_call(40),), (reply(),)]) as origin:
        for each in (other, http, other, other, http):
            await ask(each.send_to(origin.url, credentials), read())

        assert [0, 0, 40, 40, 40] == pytest.approx([each.at for each in origin.seen], abs=0.5)


def counted(number: int, calls: int, *, resets_at: float = 40) -> bytes:
    """How a window of so many calls answers the one that comes as number so and so: from 0."""
    left = str(max(0, calls - 1 - number))
    return reply(200 if number < calls else 429, x_ratelimit_remaining=left, x_ratelimit_reset=_instant(resets_at))


def _instant(seconds: float) -> str:
    return (EPOCH + timedelta(seconds=seconds)).isoformat()


@pytest.mark.parametrize("kind", [read, submission])
@pytest.mark.parametrize("calls", [2, 5, 11])
async def test_no_more_go_out_than_a_window_has_calls_left(http: Http, calls: int, kind: Callable[[], Request]) -> None:
    """Those on their way are not told of yet, and count: none is refused, and the rest waits for the next window."""
    window = [(0.1, counted(number, calls)) for number in range(calls)]
    async with Origin([*window, (0.1, reply())]) as origin:
        send = http.send_to(origin.url, credentials)
        await ask(send, kind())
        await asyncio.gather(*(ask(send, kind()) for _ in range(12)))

        early = [each for each in origin.seen if each.at < 40]
        assert (calls, 13) == (len(early), len(origin.seen))


async def test_answers_that_overtake_each_other_do_not_widen_a_window(http: Http) -> None:
    """The least of what answers of one window tell is what is left."""
    calls = 6
    slow = [(2.0 if number == 1 else 0.1, counted(number, calls)) for number in range(calls)]
    async with Origin([*slow, (0.1, reply())]) as origin:
        send = http.send_to(origin.url, credentials)
        await ask(send, read())
        await asyncio.gather(*(ask(send, read()) for _ in range(12)))

        assert calls == len([each for each in origin.seen if each.at < 40])


async def test_who_tells_no_reset_is_believed_by_the_last_answer(http: Http) -> None:
    """Of which window it speaks is not known: a low number of before must not hold requests up for ever."""
    plenty = [(0.1, reply(x_ratelimit_remaining="50"))]
    async with Origin([(reply(x_ratelimit_remaining="2"),), *plenty]) as origin:
        send = http.send_to(origin.url, credentials)
        await ask(send, read())
        await ask(send, read())
        began = asyncio.get_running_loop().time()
        await asyncio.gather(*(ask(send, read()) for _ in range(8)))

        assert asyncio.get_running_loop().time() - began < 0.2


@pytest.mark.parametrize("end", [Cut.RESET, Cut.CLOSE])
async def test_one_that_fails_on_its_way_frees_its_room(http: Http, end: Cut) -> None:
    """Whoever waits for answers waits for failures, too."""
    scripts: list[tuple[Step, ...]] = [(counted(58, 60),), (0.1, end), (counted(58, 60),)]
    async with Origin(scripts) as origin:
        send = http.send_to(origin.url, credentials)
        await ask(send, read())
        async with asyncio.timeout(30):
            done = await asyncio.gather(ask(send, submission()), ask(send, submission()), return_exceptions=True)

        assert 1 == sum(isinstance(each, TransportError) for each in done)


async def test_who_gives_up_waiting_for_room_leaves_the_others_theirs(http: Http) -> None:
    """A cancelled caller returns its connection and counts for nothing."""
    async with Origin([(counted(58, 60),), (5.0, counted(58, 60)), (counted(58, 60),)]) as origin:
        send = http.send_to(origin.url, credentials)
        await ask(send, read())
        callers = [asyncio.create_task(ask(send, read())) for _ in range(3)]
        await asyncio.sleep(1)
        callers[1].cancel()
        await asyncio.wait(callers)

        assert [False, True, False] == [each.cancelled() for each in callers]
        assert 3 == len(origin.seen)


async def test_the_window_after_an_exhausted_one_has_as_many_calls_as_it_had(http: Http) -> None:
    """Its first callers, of whom no answer has told yet, are no more than that."""
    first = [reply(x_ratelimit_limit="5", x_ratelimit_remaining="0", x_ratelimit_reset=_instant(40))]
    second = [(0.1, counted(number, 5, resets_at=80)) for number in range(5)]
    async with Origin([first, *second, (0.1, reply())]) as origin:
        send = http.send_to(origin.url, credentials)
        await ask(send, read())
        await asyncio.gather(*(ask(send, read()) for _ in range(12)))

        assert [1, 5, 7] == [len([each for each in origin.seen if low <= each.at < low + 40]) for low in (0, 40, 80)]


async def test_a_far_reset_makes_the_others_wait_a_minute_at_most(http: Http, other: Http) -> None:
    """What the vendor says is believed no more by others than by the one it was said to."""
    async with Origin([(last_call(3_600),), (reply(),)]) as origin:
        await ask(http.send_to(origin.url, credentials), read())
        await ask(other.send_to(origin.url, credentials), read())

        assert [0, 60] == pytest.approx([each.at for each in origin.seen], abs=1)


@pytest.mark.parametrize("until", [EPOCH + timedelta(seconds=61), datetime.max.replace(tzinfo=EPOCH.tzinfo), EPOCH])
async def test_a_note_that_no_rule_explains_is_not_believed(http: Http, store: TroubledStore, until: datetime) -> None:
    """Whoever wrote it has a wrong clock: the request goes out and gets its own answer."""
    async with Origin([(reply(),)]) as origin:
        await store.exhaust(f"{origin.url} GET /things", until)
        for _ in range(3):
            await ask(http.send_to(origin.url, credentials), read())

        assert asyncio.get_running_loop().time() < 1


async def test_a_budget_needs_no_notes(http: Http, store: TroubledStore) -> None:
    """Requests that are counted ask the store for their place, and nothing else."""
    async with Origin([(last_call(40),), (reply(),)]) as origin:
        send = http.send_to(origin.url, credentials)
        await ask(send, read("/one", budget=BUDGET))
        assert 1 == store.asked
        await ask(send, read("/two", budget=BUDGET))

        assert [0, 40] == pytest.approx([each.at for each in origin.seen], abs=0.5)


async def test_a_store_that_is_down_holds_nothing_up(
    http: Http, store: TroubledStore, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the answer that tells of an exhausted window nor the next request: both are only logged."""
    store.is_down = True
    async with Origin([(last_call(40),), (reply(),)]) as origin:
        with caplog.at_level(logging.WARNING, "belvo_async"):
            assert 200 == (await ask(http.send_to(origin.url, credentials), read())).status
        await ask(http.send_to(origin.url, credentials), read())

        assert [0, 40] == pytest.approx([each.at for each in origin.seen], abs=0.5)
    warnings = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    assert ["other workers could not be told of an exhausted rate window: the store is down"] == warnings


async def test_a_store_that_is_slow_holds_nobody_up_for_long(http: Http, store: TroubledStore) -> None:
    """Two seconds are what a note is worth."""
    store.delay = 3_600
    async with Origin([(last_call(40),), (reply(),)]) as origin:
        await ask(http.send_to(origin.url, credentials), read())

        assert 4 == pytest.approx(asyncio.get_running_loop().time(), abs=0.5)


async def test_a_call_cancelled_while_its_window_is_noted_gives_its_connection_back(
    clock: VirtualClock, store: TroubledStore
) -> None:
    """And one that waits for a window holds none."""
    async with (
        Http(clock=clock, shared_limits=store, connections=1) as http,
        Origin([(last_call(40),), (reply(),)]) as origin,
    ):
        send = http.send_to(origin.url, credentials)
        store.delay = 1
        for seconds in (1.5, 10):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(seconds):
                    await ask(send, read())
        store.delay = 0
        assert 200 == (await ask(send, read("/other", budget=BUDGET))).status


async def test_who_waits_for_a_window_ends_with_the_session(http: Http) -> None:
    """As everybody else who waits."""
    async with Origin([(last_call(40),), (reply(),)]) as origin:
        send = http.send_to(origin.url, credentials)
        await ask(send, read())
        call = asyncio.create_task(ask(send, read()))
        await asyncio.sleep(1)
        await http.close()

        with pytest.raises(SessionClosedError):
            await call
