"""Opening, closing, cancelling, and driving conversations."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from datetime import timedelta

import pytest

from belvo_async._http import Http, ask, converse
from belvo_async.abc import Answer, Budget, Conversation, Request
from belvo_async.errors import BelvoAsyncError, PayloadError, SessionClosedError, TransportError
from belvo_async.stores import MemoryStore
from tests import virtual_time
from tests.http.origin import Cut, Origin, credentials, read, reply, submission
from tests.virtual_time import VirtualClock


def others() -> set[asyncio.Task[object]]:
    return asyncio.all_tasks() - {asyncio.current_task()}  # type: ignore[arg-type]


async def test_closing_leaves_nothing(clock: VirtualClock) -> None:
    """No task and no socket survives the client."""
    before = others()
    async with Origin([(reply(),)]) as origin:
        async with Http(clock=clock) as http:
            await ask(http.send_to(origin.url, credentials), read())
            await ask(http.send_to(origin.url, credentials), submission())
            await asyncio.sleep(0.1)
            assert 1 == origin.open_connections  # the reads' own; the submission's is gone

        await asyncio.sleep(0.1)
        assert 0 == origin.open_connections
    assert before == others()


async def test_closing_twice_is_one_closing(clock: VirtualClock) -> None:
    """`close` may come from `async with` and from a handler."""
    async with Http(clock=clock) as http:
        await http.close()
        await http.close()


@pytest.mark.parametrize("entered", [True, False], ids=["closed", "never opened"])
async def test_client_that_is_not_open_says_so(clock: VirtualClock, entered: bool) -> None:
    """Nothing is sent, and the error tells what to do."""
    http = Http(clock=clock)
    if entered:
        async with http:
            pass

    with pytest.raises(SessionClosedError):
        await ask(http.send_to("http://127.0.0.1:9", credentials), read())


async def test_closed_client_is_not_opened_again(clock: VirtualClock) -> None:
    """One client, one life: its timers and windows belong to it."""
    async with Http(clock=clock) as http:
        pass

    with pytest.raises(SessionClosedError):
        async with http:
            pass


@pytest.mark.parametrize("script", [(3600.0,), (reply(429, retry_after="50"),)], ids=["in flight", "between attempts"])
async def test_calls_under_way_end_with_the_session(clock: VirtualClock, script: tuple[float | bytes, ...]) -> None:
    """Closing answers every waiting call at once."""
    async with Origin([script]) as origin:
        async with Http(clock=clock) as http:
            call = asyncio.create_task(ask(http.send_to(origin.url, credentials), read()))
            await asyncio.sleep(1)
            began = asyncio.get_running_loop().time()
        with pytest.raises(SessionClosedError):
            await call

        assert asyncio.get_running_loop().time() - began < 6


async def test_calls_that_wait_for_a_connection_end_with_the_session(clock: VirtualClock) -> None:
    """All of them, not only the first in the queue."""
    async with Origin([(3600.0,)]) as origin:
        async with Http(clock=clock, connections=1) as http:
            send = http.send_to(origin.url, credentials)
            calls = [asyncio.create_task(ask(send, read())) for _ in range(5)]
            await asyncio.sleep(1)

        outcomes = await asyncio.gather(*calls, return_exceptions=True)

    assert [SessionClosedError] * 5 == [type(each) for each in outcomes]


async def test_call_that_waits_for_its_budget_ends_with_the_session(clock: VirtualClock) -> None:
    """A reservation far ahead does not keep a closed session alive."""
    budget = Budget("k", 1, timedelta(hours=1))
    async with MemoryStore() as store:
        await store.reserve(budget, clock.now())
        async with Http(clock=clock, shared_limits=store) as http:
            send = http.send_to("http://127.0.0.1:9", credentials)
            calls = [asyncio.create_task(ask(send, read(budget=budget))) for _ in range(3)]
            await asyncio.sleep(1)

        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        assert [SessionClosedError] * 3 == [type(each) for each in outcomes]
        # The place it waited for was given back.
        assert clock.now() + timedelta(hours=1) > await store.reserve(budget, clock.now())


async def test_stream_ends_with_the_session(clock: VirtualClock) -> None:
    """A reader of a page learns that the session closed, not that the vendor failed."""
    script = (reply(body=b"x" * 9)[:-5], 3600.0)
    async with (
        Origin([script]) as origin,
        Http(clock=clock) as http,
        http.send_to(origin.url, credentials)(read()) as response,
    ):
        chunks = response.chunks()
        assert b"xxxx" == await anext(chunks)
        await http.close()

        with pytest.raises(SessionClosedError):
            await anext(chunks)


async def test_stream_that_is_waited_for_ends_with_the_session(clock: VirtualClock) -> None:
    """Who waits for more of a page while the session closes is woken: no end of it will come any more."""
    script = (reply(body=b"x" * 9)[:-5], 3600.0)
    async with (
        Origin([script]) as origin,
        Http(clock=clock) as http,
        http.send_to(origin.url, credentials, bulk=True)(read()) as response,
    ):
        chunks = response.chunks()
        assert b"xxxx" == await anext(chunks)
        waiting = asyncio.ensure_future(anext(chunks))
        await asyncio.sleep(1)
        await http.close()

        with pytest.raises(SessionClosedError):
            async with asyncio.timeout(1):
                await waiting


async def test_cancelled_call_gives_its_connection_back(clock: VirtualClock) -> None:
    """Ten callers that give up do not use up the connections."""
    async with Origin([(3600.0,)] * 10 + [(reply(),)]) as origin, Http(clock=clock, connections=1) as http:
        send = http.send_to(origin.url, credentials)
        for _ in range(10):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(5):
                    await ask(send, read())

        assert 200 == (await ask(send, read())).status


async def test_abandoned_body_drops_its_connection(clock: VirtualClock) -> None:
    """Leaving a response early must not hand the rest of its body to the next request."""
    async with Origin([(reply(body=b"x" * 5_000_000),), (reply(body=b"[]"),)]) as origin, Http(clock=clock) as http:
        send = http.send_to(origin.url, credentials)
        async with send(read()) as response:
            chunks = response.chunks()
            await anext(chunks)
            await chunks.aclose()  # type: ignore[attr-defined]

        assert b"[]" == (await ask(send, read())).body


def test_client_of_another_loop_is_refused() -> None:
    """Sockets belong to the loop that opened them: a clear error instead of a hang."""

    async def open_one() -> Http:
        http = Http(clock=VirtualClock(asyncio.get_running_loop()))
        return await http.__aenter__()

    async def use(http: Http) -> None:
        with pytest.raises(BelvoAsyncError, match="another event loop"):
            await ask(http.send_to("http://127.0.0.1:9", credentials), read())
        await http.close()

    virtual_time.run(use(virtual_time.run(open_one())))


# Conversations


def two_questions() -> Conversation[list[bytes]]:
    first = yield read("/first")
    second = yield read("/second")
    return [first.body, second.body]


async def test_conversation_gets_its_answers_in_turn(clock: VirtualClock) -> None:
    """Each request is sent, its answer handed back, and what was learned returned."""
    async with Origin([(reply(body=b"1"),), (reply(body=b"2"),)]) as origin, Http(clock=clock) as http:
        assert [b"1", b"2"] == await converse(http.send_to(origin.url, credentials), two_questions())


async def test_conversation_without_questions_ends_at_once(clock: VirtualClock) -> None:
    """A dialect may know the answer already."""

    def silent() -> Generator[Request, Answer, str]:
        return "known"
        yield read()

    async with Http(clock=clock) as http:
        assert "known" == await converse(http.send_to("http://127.0.0.1:9", credentials), silent())


@pytest.mark.parametrize(
    ("script", "kind"),
    [((Cut.CLOSE,), TransportError), ((reply(content_encoding="br"),), PayloadError)],
    ids=["no answer", "unreadable answer"],
)
async def test_conversation_may_handle_a_failure(
    clock: VirtualClock, script: tuple[Cut | bytes, ...], kind: type[Exception]
) -> None:
    """The failure is raised where the generator waits, so that it may ask something else."""

    def careful() -> Conversation[bytes]:
        try:
            yield submission()
        except kind:
            return (yield read()).body
        raise AssertionError("the failure did not come")

    async with Origin([script, (reply(body=b"found"),)]) as origin, Http(clock=clock) as http:
        assert b"found" == await converse(http.send_to(origin.url, credentials), careful())


async def test_failure_that_a_conversation_does_not_handle_comes_out(clock: VirtualClock) -> None:
    """And the generator is closed: its `finally` has run."""
    closed = False

    def careless() -> Conversation[None]:
        nonlocal closed
        try:
            yield submission()
        finally:
            closed = True

    async with Origin([(Cut.CLOSE,)]) as origin, Http(clock=clock) as http:
        with pytest.raises(TransportError):
            await converse(http.send_to(origin.url, credentials), careless())

    assert closed


async def test_cancelled_conversation_is_closed(clock: VirtualClock) -> None:
    """Cancellation passes through and leaves no generator half way."""
    closed = False

    def asking() -> Conversation[None]:
        nonlocal closed
        try:
            yield read()
        finally:
            closed = True

    async with Origin([(3600.0,)]) as origin, Http(clock=clock) as http:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await converse(http.send_to(origin.url, credentials), asking())

    assert closed
