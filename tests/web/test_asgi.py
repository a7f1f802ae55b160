"""`WebhookApp`: the same deliveries through the ASGI interface, called directly and mounted in frameworks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from belvo_async import ConfigurationError, Session, Status, Way
from belvo_async.web.asgi import WebhookApp
from tests.session.world import BreakableStore, World

LIMIT = 256 * 1024


@pytest.fixture
async def store() -> BreakableStore:
    return BreakableStore()


@pytest.fixture
async def session(world: World, store: BreakableStore) -> Session:
    return await world.open(webhooks=False, store=store)


@pytest.fixture(autouse=True)
def no_traceback(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever comes in, nothing is logged as an error."""
    yield
    assert [] == [record for record in caplog.get_records("call") if record.levelno >= logging.ERROR]


async def call(
    app: WebhookApp,
    *,
    path: str = "/belvo",
    method: str = "POST",
    headers: Iterable[tuple[bytes, bytes]] = (),
    parts: Iterable[bytes] = (b"",),
    **scope: Any,
) -> tuple[int, dict[bytes, bytes]]:
    """Make one request as a server would; its status and headers."""
    body = list(parts)
    messages = [{"type": "http.request", "body": part, "more_body": i < len(body) - 1} for i, part in enumerate(body)]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    plain = {"type": "http", "path": path, "method": method, "headers": list(headers), "root_path": ""}
    await app(plain | scope, receive, send)
    start, end = sent
    assert ("http.response.start", "http.response.body", b"") == (start["type"], end["type"], end["body"])
    return start["status"], dict(start["headers"])


def raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


async def test_a_delivery_settles(world: World, session: Session) -> None:
    """200 when it is durable, whether it comes whole or in parts."""
    jobs = [await session.fire(world.invoices()), await session.fire(world.extraction())]
    belvo, syntage = world.belvo_delivery(jobs[0].job.remote_id), world.syntage_delivery(jobs[1].job.remote_id)
    app = WebhookApp(session)

    whole = await call(app, headers=raw(belvo[0]), parts=[belvo[1]])
    in_parts = await call(app, path="/syntage", headers=raw(syntage[0]), parts=[syntage[1][:9], b"", syntage[1][9:]])

    assert [200, 200] == [whole[0], in_parts[0]]
    assert [(Status.FINISHED, Way.WEBHOOK)] * 2 == [(each.status, each.job.settled_by) for each in jobs]


@pytest.mark.parametrize(
    "values",
    [[], [b"Bearer wrong"], ["Bearer ñandú".encode()], [b"Bearer \xff\xfe\x00"], ["right", "right"]],
    ids=["missing", "wrong", "not ASCII", "raw bytes", "twice"],
)
async def test_an_unproven_delivery_is_401(world: World, session: Session, values: list[Any]) -> None:
    """The proof is checked before anything is parsed, whatever bytes the header holds."""
    right = world.belvo.webhook_authorization.encode()
    headers = [(b"authorization", right if value == "right" else value) for value in values]

    assert 401 == (await call(WebhookApp(session), headers=headers, parts=[b"\xff"]))[0]


@pytest.mark.parametrize("signature", [b"", b"\xff", "t=١,s=é".encode(), b"t=1,s=" + b"0" * 64])
async def test_an_unproven_event_is_401(session: Session, signature: bytes) -> None:
    """The same for signatures."""
    headers = [(b"x-syntage-signature", signature)]

    assert 401 == (await call(WebhookApp(session), path="/syntage", headers=headers, parts=[b"{}"]))[0]


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_over_the_limit_is_413(world: World, session: Session, declared: bool) -> None:
    """Reading stops at the limit, whether or not the length was declared."""
    headers = raw(world.belvo_proof() | ({"Content-Length": str(10**9)} if declared else {}))

    assert 413 == (await call(WebhookApp(session), headers=headers, parts=[b" " * 8192] * 40))[0]


async def test_an_encoded_body_is_415(world: World, session: Session) -> None:
    """Nothing is unpacked for strangers."""
    headers = raw(world.belvo_proof() | {"Content-Encoding": "gzip"})

    assert 415 == (await call(WebhookApp(session), headers=headers, parts=[b"{}"]))[0]


async def test_an_unreadable_delivery_is_200(world: World, session: Session) -> None:
    """Authentic, so it is kept aside."""
    assert 200 == (await call(WebhookApp(session), headers=raw(world.belvo_proof()), parts=[b"\xff"]))[0]


async def test_a_store_that_is_down_is_503(world: World, session: Session, store: BreakableStore) -> None:
    """The vendor is asked to repeat."""
    headers, body = world.belvo_delivery("1" * 32)
    store.is_down = True

    status, answered = await call(WebhookApp(session), headers=raw(headers), parts=[body])

    assert (503, b"5") == (status, answered[b"retry-after"])


async def test_a_closed_session_is_503(world: World, session: Session) -> None:
    """Whoever opens the store next takes the repetition."""
    app = WebhookApp(session)
    await session.close()
    headers, body = world.belvo_delivery("1" * 32)

    assert 503 == (await call(app, headers=raw(headers), parts=[body]))[0]


async def test_a_session_nobody_opened_is_503(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """The usual mistake; the log says how to open it, once."""
    app = WebhookApp(Session(world.belvo_vendor(), clock=world.clock))
    headers, body = world.belvo_delivery("1" * 32)

    answers = [(await call(app, headers=raw(headers), parts=[body]))[0] for _ in range(2)]

    assert [503, 503] == answers
    assert ["WARNING"] == [record.levelname for record in caplog.records if "is not open" in record.message]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/other", 404),
        ("POST", "/", 404),
        ("POST", "/belvo/x", 404),
        ("GET", "/belvo", 405),
        ("PUT", "/belvo", 405),
    ],
)
async def test_other_paths_and_methods(session: Session, method: str, path: str, status: int) -> None:
    """An unknown vendor is 404, a wrong method 405."""
    assert status == (await call(WebhookApp(session), method=method, path=path))[0]


@pytest.mark.parametrize(
    ("root_path", "path"), [("", "/belvo"), ("/hooks", "/hooks/belvo"), ("/hooks", "/belvo"), ("", "/belvo/")]
)
async def test_a_mount_may_or_may_not_be_in_the_path(world: World, session: Session, root_path: str, path: str) -> None:
    """Frameworks disagree on whether `path` holds the mount's prefix: both are understood."""
    headers, body = world.belvo_delivery("1" * 32)

    status, _ = await call(WebhookApp(session), path=path, root_path=root_path, headers=raw(headers), parts=[body])

    assert 200 == status


async def test_a_body_that_trickles_is_408(world: World, session: Session) -> None:
    """A slow sender holds a request for five seconds at most."""
    sent: list[Any] = []

    async def receive() -> Any:
        await asyncio.sleep(2)
        return {"type": "http.request", "body": b" ", "more_body": True}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "path": "/belvo", "method": "POST", "headers": raw(world.belvo_proof())}
    await WebhookApp(session)(scope, receive, send)

    assert 408 == sent[0]["status"]


async def test_a_sender_that_goes_away_harms_nobody(session: Session) -> None:
    """A delivery cut half-way is no delivery: it is not verified, parsed or raised."""

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        """Nobody hears."""

    scope = {"type": "http", "path": "/belvo", "method": "POST", "headers": []}
    await WebhookApp(session)(scope, receive, send)


async def test_lifespan_is_answered(session: Session) -> None:
    """At the root of a server, starting and stopping are confirmed; the session is its owner's to open and close."""
    messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message["type"])

    await WebhookApp(session)({"type": "lifespan"}, receive, send)

    assert ["lifespan.startup.complete", "lifespan.shutdown.complete"] == sent


async def test_an_app_is_refused_without_a_secret(world: World) -> None:
    """Nobody serves what nobody could prove, unless that is spelled out."""
    bare = await world.open(world.syntage_vendor(webhook_secrets=()), webhooks=False)
    waived = await world.open(world.syntage_vendor(webhook_secrets=(), allow_unauthenticated=True), webhooks=False)

    with pytest.raises(ConfigurationError, match="syntage"):
        WebhookApp(bare)
    assert 200 == (await call(WebhookApp(waived), path="/syntage", parts=[b'{"type": "x"}']))[0]


@pytest.mark.parametrize("given", ["x", None, Session], ids=repr)
def test_what_is_no_session_is_refused(given: Any) -> None:
    """In a sentence, before anything is served."""
    with pytest.raises(ConfigurationError, match="webhooks are handed to a Session"):
        WebhookApp(given)


async def test_mounted_under_fastapi(world: World, session: Session) -> None:
    """`app.mount` under any path, beside the application's own routes."""
    app = FastAPI()
    app.mount("/api/hooks", WebhookApp(session))
    handle = await session.fire(world.invoices())
    headers, body = world.belvo_delivery(handle.job.remote_id)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as http:
        taken = await http.post("/api/hooks/belvo", content=body, headers=headers)
        others = [
            (await http.post("/api/hooks/belvo", content=body)).status_code,
            (await http.get("/api/hooks/belvo")).status_code,
            (await http.post("/api/hooks/other", content=body)).status_code,
            (await http.post("/api/hooks/belvo", content=b" " * (LIMIT + 1), headers=headers)).status_code,
        ]

    assert (200, Status.FINISHED) == (taken.status_code, handle.status)
    assert [401, 405, 404, 413] == others
