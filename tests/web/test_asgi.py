"""`WebhookApp`: the same deliveries through the ASGI interface, called directly and mounted in frameworks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request, Response

from belvo_async import ConfigurationError, Session, Status, Way
from belvo_async.web.asgi import WebhookApp
from tests.session.world import World
from tests.troubled_store import TroubledStore

LIMIT = 256 * 1024


@pytest.fixture
async def store() -> TroubledStore:
    return TroubledStore()


@pytest.fixture
async def session(world: World, store: TroubledStore) -> Session:
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


async def test_an_encoded_body_is_not_even_read(world: World, session: Session) -> None:
    """What would have to be unpacked is refused by its headers."""

    async def receive() -> Any:
        raise AssertionError("it was read")

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [*raw(world.belvo_proof()), (b"Content-Encoding", b"br")]
    await WebhookApp(session)({"type": "http", "path": "/belvo", "method": "POST", "headers": headers}, receive, send)

    assert 415 == sent[0]["status"]


@pytest.mark.parametrize("headers", [{"Content-Length": "300"}, {"Transfer-Encoding": "chunked"}], ids=str)
async def test_a_body_that_somebody_else_has_read_is_503(
    world: World, session: Session, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """A middleware that kept the bytes for itself leaves none: that is no delivery to answer 200 to."""
    app = WebhookApp(session)

    answers = [(await call(app, headers=raw(world.belvo_proof() | headers)))[0] for _ in range(3)]

    assert [503] * 3 == answers
    assert 1 == sum("fewer bytes than its headers say" in record.getMessage() for record in caplog.records)


async def test_an_unreadable_delivery_is_200(world: World, session: Session) -> None:
    """Authentic, so it is kept aside."""
    assert 200 == (await call(WebhookApp(session), headers=raw(world.belvo_proof()), parts=[b"\xff"]))[0]


async def test_a_store_that_is_down_is_503(world: World, session: Session, store: TroubledStore) -> None:
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
    ("root_path", "path"),
    [
        pytest.param("", "/belvo", id="at the root"),
        pytest.param("", "/belvo/", id="with a slash at its end"),
        pytest.param("/hooks", "/hooks/belvo", id="prefix kept"),
        pytest.param("/hooks", "/belvo", id="prefix taken off"),
        pytest.param("/api/hooks", "/hooks/belvo", id="the proxy took its own off"),
        pytest.param("/api/hooks", "/api/hooks/belvo", id="the proxy left its own"),
        pytest.param("/api", "/hooks/belvo", id="only the proxy's told"),
        pytest.param("", "/hooks/belvo/", id="nothing told"),
        pytest.param("/hooks/", "/hooks/belvo", id="root with a slash at its end"),
        pytest.param("/belvo", "/belvo/belvo", id="mounted under a vendor's name"),
    ],
)
async def test_it_may_be_mounted_anywhere(world: World, session: Session, root_path: str, path: str) -> None:
    """Servers, proxies and frameworks disagree on what `path` and `root_path` hold: it is taken all the same."""
    headers, body = world.belvo_delivery("1" * 32)

    status, _ = await call(WebhookApp(session), path=path, root_path=root_path, headers=raw(headers), parts=[body])

    assert 200 == status
    assert 1 == len(await session.store.parked(session.vendors["belvo"].account))


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


@pytest.mark.filterwarnings("ignore:The `root_path` parameter is deprecated")
@pytest.mark.parametrize("proxy", ["", "/api"], ids=["no proxy", "behind a proxy"])
@pytest.mark.parametrize("strips", [True, False], ids=["stripping", "not stripping"])
@pytest.mark.parametrize("tells", ["application", "server"])
async def test_mounted_under_fastapi_with_a_root_path(
    world: World, session: Session, proxy: str, strips: bool, tells: str
) -> None:
    """`root_path` given to FastAPI or to the server, by proxies that take it off the path or leave it."""
    app = FastAPI(root_path=proxy if tells == "application" else "")
    app.mount("/v1/hooks", WebhookApp(session))
    server = httpx.ASGITransport(app, root_path=proxy if tells == "server" else "")
    headers, body = world.belvo_delivery("1" * 32)

    async with httpx.AsyncClient(transport=server, base_url="http://service") as http:
        path = "/v1/hooks/belvo" if strips else f"{proxy}/v1/hooks/belvo"
        taken = await http.post(path, content=body, headers=headers)

    assert 200 == taken.status_code
    assert 1 == len(await session.store.parked(session.vendors["belvo"].account))


async def test_a_middleware_of_fastapi_may_have_read_the_body(world: World, session: Session) -> None:
    """Starlette replays what its own middlewares have read."""
    app = FastAPI()
    app.mount("/hooks", WebhookApp(session))

    @app.middleware("http")
    async def curious(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        await request.body()
        return await call_next(request)

    headers, body = world.belvo_delivery("1" * 32)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as http:
        taken = await http.post("/hooks/belvo/", content=body, headers=headers)

    assert 200 == taken.status_code
    assert 1 == len(await session.store.parked(session.vendors["belvo"].account))


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
