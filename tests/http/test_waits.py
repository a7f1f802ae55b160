"""Waiting: what a response may ask for, the pauses between attempts, rate windows, budgets and connections."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from belvo_async._http import Http, ask
from belvo_async._http.retry_after import WAIT_CAP, asked_wait, exhausted_until
from belvo_async.abc import Budget, Headers, Retry
from belvo_async.errors import TransportError
from belvo_async.stores import MemoryStore
from tests.http.origin import Cut, Origin, credentials, read, reply, submission
from tests.virtual_time import EPOCH, VirtualClock

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "remaining", "matters"), [(200, "0", True), (200, "1", False), (429, "1", True), (200, None, False)]
)
def test_rate_window_matters_when_it_is_exhausted(status: int, remaining: str | None, matters: bool) -> None:
    """With calls left, nothing needs to wait."""
    headers = {"X-RateLimit-Reset": "2026-06-01T12:00:45Z"} | (
        {"X-RateLimit-Remaining": remaining} if remaining else {}
    )

    assert matters == (exhausted_until(status, Headers(headers), NOW) is not None)


def test_retry_after_goes_before_the_rate_window() -> None:
    """What is said about this very request counts more than what is said about all."""
    headers = Headers({"Retry-After": "3", "X-RateLimit-Reset": "2026-06-01T12:00:45Z", "X-RateLimit-Remaining": "0"})

    assert timedelta(seconds=3) == asked_wait(429, headers, NOW)


async def test_retry_after_is_waited_out(http: Http) -> None:
    """The next attempt comes when the vendor said, not before."""
    async with Origin([(reply(429, retry_after="7"),), (reply(),)]) as origin:
        await ask(http.send_to(origin.url, credentials), submission())

        first, second = origin.seen
        assert 7 == pytest.approx(second.at - first.at, abs=0.1)


async def test_long_retry_after_is_handed_out(http: Http) -> None:
    """Nobody sleeps for minutes inside a call: the answer goes out, with its header, and the tracker waits."""
    async with Origin([(reply(429, retry_after="61"),)]) as origin:
        began = asyncio.get_running_loop().time()
        answer = await ask(http.send_to(origin.url, credentials), read())

        assert (429, "61") == (answer.status, answer.headers.get("retry-after"))
        assert began == pytest.approx(asyncio.get_running_loop().time(), abs=0.1)
    assert timedelta(minutes=15) == WAIT_CAP


async def test_pauses_grow_with_full_jitter(clock: VirtualClock) -> None:
    """Half a second, then twice as long at most each time: a random part of it is waited."""
    chances = iter([1.0, 0.5, 1.0, 0.25, 1.0])
    async with Http(clock=clock, chance=lambda: next(chances)) as http, Origin([(reply(503),)]) as origin:
        await ask(http.send_to(origin.url, credentials), read())

        instants = [each.at for each in origin.seen]
    pauses = [later - earlier for earlier, later in pairwise(instants)]
    assert [0.5, 0.5, 2.0, 1.0] == pytest.approx(pauses, abs=0.1)


async def test_connection_is_given_back_while_a_retry_waits(clock: VirtualClock) -> None:
    """A failed answer holds no connection for the length of its Retry-After."""
    scripts = [(reply(429, retry_after="50"),), (reply(),)]
    async with Http(clock=clock, connections=1) as http, Origin(scripts) as origin:
        send = http.send_to(origin.url, credentials)
        waiting = asyncio.create_task(ask(send, read()))
        await asyncio.sleep(1)
        began = asyncio.get_running_loop().time()
        await ask(send, read())

        assert asyncio.get_running_loop().time() - began < 1
        await waiting


async def test_exhausted_window_holds_back_the_next_request(http: Http) -> None:
    """Remaining 0: requests of that name wait for the reset, others do not."""
    reset = (EPOCH + timedelta(seconds=40)).isoformat()
    last = reply(x_ratelimit_remaining="0", x_ratelimit_reset=reset)
    async with Origin([(last,), (reply(),)]) as origin:
        send = http.send_to(origin.url, credentials)
        await ask(send, read())
        await ask(send, submission())
        await ask(send, read())

        assert [0, 0, 40] == pytest.approx([each.at for each in origin.seen], abs=0.5)


async def test_far_reset_is_waited_for_a_minute_at_most(http: Http) -> None:
    """A reset in an hour may be a wrong clock: after a minute the request goes out and gets its own answer."""
    reset = (EPOCH + timedelta(hours=1)).isoformat()
    last = reply(x_ratelimit_remaining="0", x_ratelimit_reset=reset)
    async with Origin([(last,), (reply(),)]) as origin:
        send = http.send_to(origin.url, credentials)
        await ask(send, read())
        await ask(send, read())

        assert 60 == pytest.approx(origin.seen[1].at, abs=1)


async def test_every_attempt_takes_its_place_in_the_budget(clock: VirtualClock) -> None:
    """A retry is a request like any other to the vendor's limiter."""
    budget = Budget("b", 1, timedelta(seconds=20))
    async with MemoryStore() as store:
        http = Http(clock=clock, chance=lambda: 0.0, shared_limits=store)
        async with http, Origin([(reply(),), (Cut.CLOSE,), (reply(),)]) as origin:
            for request in (read(budget=budget), read(budget=budget), read()):
                await ask(http.send_to(origin.url, credentials), request)

            assert [0, 20, 40, 40] == pytest.approx([each.at for each in origin.seen], abs=0.7)


async def test_requests_wait_for_a_free_connection(clock: VirtualClock) -> None:
    """A kind of request has its share of the connections; waiting for one counts against no timeout of the request."""
    async with Http(clock=clock, connections=16) as http, Origin([(10.0, reply())]) as origin:
        send = http.send_to(origin.url, credentials)
        answers = await asyncio.gather(*(ask(send, read(retry=Retry.NEVER)) for _ in range(6)))

        assert [200] * 6 == [each.status for each in answers]
        assert [0, 0, 10, 10, 20, 20] == pytest.approx([each.at for each in origin.seen], abs=0.5)
        assert 2 == origin.connections


async def test_request_without_a_connection_was_not_sent(clock: VirtualClock) -> None:
    """Streams that hold every connection do not stop a call for ever, and it is certain that nothing left."""
    async with Http(clock=clock, connections=1) as http, Origin([(reply(body=b"x" * 9)[:-5], 3600.0)]) as origin:
        send = http.send_to(origin.url, credentials)
        async with send(read()):
            with pytest.raises(TransportError, match="no free connection") as failure:
                await ask(send, read(retry=Retry.NEVER))

        assert not failure.value.maybe_sent
        assert 1 == len(origin.seen)


async def test_submissions_do_not_wait_behind_reads(clock: VirtualClock) -> None:
    """Reads that hang take no connection from a submission."""
    async with Http(clock=clock, connections=1) as http, Origin([(reply(),)]) as origin:
        send = http.send_to(origin.url, credentials)
        async with send(read()):
            assert 200 == (await ask(send, submission())).status


async def test_a_list_may_take_minutes_to_its_first_byte(http: Http) -> None:
    """A page of a thousand invoices does; other reads are given up after half a minute."""
    async with Origin([(150.0, reply())]) as origin:
        assert 200 == (await ask(http.send_to(origin.url, credentials, bulk=True), read())).status
        with pytest.raises(TransportError, match="no byte for 30 s"):
            await ask(http.send_to(origin.url, credentials), read(retry=Retry.NEVER))


async def test_the_limit_may_be_set(http: Http) -> None:
    """For reads of any kind; a submission keeps the time it needs."""
    async with Origin([(100.0, reply())]) as origin:
        patient = http.send_to(origin.url, credentials, timeout=timedelta(seconds=110))
        hasty = http.send_to(origin.url, credentials, timeout=timedelta(seconds=20))

        assert 200 == (await ask(patient, read())).status
        with pytest.raises(TransportError, match="20 s"):
            await ask(hasty, read(retry=Retry.NEVER))
        assert 200 == (await ask(hasty, submission(timeout=timedelta(minutes=5)))).status


async def test_headers_of_32_kib_are_taken(http: Http) -> None:
    """Policies and links that a proxy adds: what Belvo accepted must not become uncertain for them."""
    async with Origin([(reply(202, content_security_policy="x" * 32 * 1024),)]) as origin:
        assert 202 == (await ask(http.send_to(origin.url, credentials), submission())).status


async def test_the_environments_proxy_brings_nobody_elses_password(
    clock: VirtualClock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`trust_env` is about the proxy alone: what ~/.netrc holds for the vendor's host is not ours to send."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone-else password other-secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    async with Origin([(reply(),)]) as proxy, Origin([(reply(),)]) as origin, Http(clock=clock, trust_env=True) as http:
        monkeypatch.setenv("http_proxy", proxy.url)
        for url in (origin.url, "http://api.example"):
            await ask(http.send_to(url, credentials), read())
            await ask(http.send_to(url, dict), read())

    assert "GET http://api.example/things HTTP/1.1" == proxy.seen[0].line
    for seen in (*origin.seen, *proxy.seen):
        assert seen.headers.get("authorization") in (None, credentials()["Authorization"])
    assert ["Basic canary-5f1e9c77", None] == [each.headers.get("authorization") for each in origin.seen]
