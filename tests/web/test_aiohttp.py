"""`webhook_routes`: deliveries over real HTTP reach the session; whatever else comes is answered, never raised."""

from __future__ import annotations

import asyncio
import gzip
import logging
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.compression_utils import ZLibDecompressor
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.typedefs import Handler

from belvo_async import ConfigurationError, Session, Status, Way
from belvo_async.web.aiohttp import webhook_routes
from tests.session.world import World
from tests.troubled_store import TroubledStore

LIMIT = 256 * 1024


@pytest.fixture
async def store() -> TroubledStore:
    return TroubledStore()


@pytest.fixture
async def session(world: World, store: TroubledStore) -> Session:
    return await world.open(webhooks=False, store=store)


@pytest.fixture
async def url(world: World, session: Session) -> str:
    """Where the routes are served, with the application's defaults."""
    app = web.Application()
    app.add_routes(webhook_routes(session))
    return f"{await world.serve(app)}/webhooks"


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as client:
        yield client


@pytest.fixture(autouse=True)
def no_traceback(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever comes in, nothing is logged as an error."""
    yield
    assert [] == [record for record in caplog.get_records("call") if record.levelno >= logging.ERROR]


async def test_deliveries_of_both_vendors_settle(world: World, session: Session, url: str) -> None:
    """The vendors' own deliveries, proven as they prove them."""
    world.deliver_to(url)

    jobs = [await (await session.fire(task)) for task in (world.invoices(), world.extraction())]

    assert [(Status.FINISHED, Way.WEBHOOK)] * 2 == [(job.status, job.settled_by) for job in jobs]
    assert {200} == {each.status for each in (*world.belvo.deliveries, *world.syntage.deliveries)}


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 401), ({"Authorization": "Bearer wrong"}, 401), ({"Authorization": "Bearer ñandú"}, 401)],
    ids=["missing", "wrong", "not ASCII"],
)
async def test_an_unproven_delivery_is_401(
    http: aiohttp.ClientSession, url: str, headers: dict[str, str], status: int
) -> None:
    """The proof is checked before anything is parsed."""
    async with http.post(f"{url}/belvo", data=b"{", headers=headers) as answer:
        assert (status, b"") == (answer.status, await answer.read())


async def test_a_repeated_proof_is_401(world: World, http: aiohttp.ClientSession, url: str) -> None:
    """Two Authorization headers: readers disagree on which one counts."""
    value = world.belvo.webhook_authorization
    headers = [("Authorization", value), ("Authorization", value)]

    async with http.post(f"{url}/belvo", data=b"{}", headers=headers) as answer:
        assert 401 == answer.status


async def test_a_stale_signature_is_401(world: World, http: aiohttp.ClientSession, url: str) -> None:
    """An old delivery may be a replay."""
    headers = world.syntage_proof(b"{}", age=timedelta(minutes=6))

    async with http.post(f"{url}/syntage", data=b"{}", headers=headers) as answer:
        assert 401 == answer.status


async def test_a_declared_length_over_the_limit_is_413(world: World, http: aiohttp.ClientSession, url: str) -> None:
    """Said to be too large: refused unread."""
    async with http.post(f"{url}/belvo", data=b" " * (LIMIT + 1), headers=world.belvo_proof()) as answer:
        assert 413 == answer.status


async def test_a_chunked_body_over_the_limit_is_413(world: World, http: aiohttp.ClientSession, url: str) -> None:
    """Not said, but found while reading."""

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 8192

    async with http.post(f"{url}/belvo", data=chunks(), headers=world.belvo_proof()) as answer:
        assert 413 == answer.status


@pytest.mark.parametrize("body", [gzip.compress(b"{}"), b"no gzip at all"], ids=["gzip", "said to be gzip"])
async def test_an_encoded_body_is_415(world: World, http: aiohttp.ClientSession, url: str, body: bytes) -> None:
    """Nothing is unpacked for strangers."""
    headers = world.belvo_proof() | {"Content-Encoding": "gzip"}

    async with http.post(f"{url}/belvo", data=body, headers=headers, compress=None) as answer:
        assert 415 == answer.status


@pytest.mark.parametrize("is_chunked", [False, True], ids=["whole", "chunked"])
@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress], ids=["gzip", "deflate"])
async def test_an_encoded_body_is_not_unpacked(
    http: aiohttp.ClientSession,
    url: str,
    monkeypatch: pytest.MonkeyPatch,
    pack: Callable[[bytes], bytes],
    is_chunked: bool,
) -> None:
    """Nor when the application leaves it to aiohttp: a kilobyte of a bomb costs a megabyte, a thousand times over."""
    unpacked: list[int] = []

    def counted(self: ZLibDecompressor, *args: Any, **options: Any) -> bytes:
        data = plain(self, *args, **options)
        unpacked.append(len(data))
        return data

    plain = ZLibDecompressor.decompress_sync
    monkeypatch.setattr(ZLibDecompressor, "decompress_sync", counted)
    bomb = pack(bytes(40 * 2**20))

    async def parts() -> AsyncIterator[bytes]:
        for start in range(0, len(bomb), 4096):
            yield bomb[start : start + 4096]

    headers = {"Content-Encoding": "gzip" if pack is gzip.compress else "deflate"}
    async with http.post(
        f"{url}/belvo", data=parts() if is_chunked else bomb, headers=headers, compress=None
    ) as answer:
        assert (415, b"") == (answer.status, await answer.read())

    # What came along with the head, aiohttp had begun to unpack before anybody was asked.
    assert sum(unpacked) <= 2**20


async def test_the_encoding_identity_is_none(world: World, http: aiohttp.ClientSession, url: str) -> None:
    """`identity` says that nothing was encoded."""
    headers, body = world.belvo_delivery("1" * 32)

    async with http.post(f"{url}/belvo", data=body, headers=headers | {"Content-Encoding": "identity"}) as answer:
        assert 200 == answer.status


async def test_an_unreadable_delivery_is_200(world: World, http: aiohttp.ClientSession, url: str) -> None:
    """Authentic, so it is kept aside."""
    async with http.post(f"{url}/belvo", data=b"\xff", headers=world.belvo_proof()) as answer:
        assert 200 == answer.status


async def test_a_store_that_is_down_is_503(
    world: World, store: TroubledStore, http: aiohttp.ClientSession, url: str
) -> None:
    """The vendor is asked to repeat."""
    headers, body = world.belvo_delivery("1" * 32)
    store.is_down = True

    async with http.post(f"{url}/belvo", data=body, headers=headers) as answer:
        assert (503, "5") == (answer.status, answer.headers["Retry-After"])


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", "other", 404), ("POST", "", 404), ("POST", "belvo/x", 404), ("GET", "belvo", 405), ("PUT", "belvo", 405)],
)
async def test_other_paths_and_methods(
    http: aiohttp.ClientSession, url: str, method: str, path: str, status: int
) -> None:
    """An unknown vendor is 404, a wrong method 405."""
    async with http.request(method, f"{url}/{path}") as answer:
        assert status == answer.status


async def test_a_body_that_trickles_is_408(world: World, http: aiohttp.ClientSession, url: str) -> None:
    """A slow sender holds a connection for five seconds at most."""

    async def trickle() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(60)
        yield b"}"

    began = world.clock.now()
    try:
        async with http.post(f"{url}/belvo", data=trickle(), headers=world.belvo_proof()) as answer:
            assert 408 == answer.status
    except aiohttp.ClientError:
        pass  # answered and hung up while the body was on its way
    assert (world.clock.now() - began).total_seconds() < 30


@pytest.mark.parametrize(
    "rest",
    [
        b"Content-Length: 100\r\n\r\n{",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
    ids=["short body", "cut chunk", "broken chunk"],
)
async def test_a_sender_that_goes_away_harms_nobody(
    world: World, http: aiohttp.ClientSession, url: str, rest: bytes
) -> None:
    """A delivery cut half-way is no delivery; the next one is served."""
    host, port = url.split("/")[2].split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    # The body comes behind: what is no HTTP from its first line on never reaches the routes.
    for part in (b"POST /webhooks/belvo HTTP/1.1\r\nHost: x\r\n", *rest.partition(b"\r\n\r\n")):
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(0.1)
    await asyncio.sleep(0.5)
    writer.close()
    await writer.wait_closed()
    await asyncio.sleep(10)

    headers, body = world.belvo_delivery("1" * 32)
    async with http.post(f"{url}/belvo", data=body, headers=headers) as answer:
        assert 200 == answer.status


async def test_routes_are_refused_without_a_secret(world: World) -> None:
    """Nobody serves what nobody could prove, unless that is spelled out."""
    bare = await world.open(world.belvo_vendor(webhook_authorization=None), webhooks=False)
    waived = await world.open(
        world.belvo_vendor(webhook_authorization=None, allow_unauthenticated=True), webhooks=False
    )

    with pytest.raises(ConfigurationError, match="belvo"):
        webhook_routes(bare)
    assert ["/webhooks/belvo", "/webhooks/belvo/"] == [each.path for each in webhook_routes(waived)]


@pytest.mark.parametrize("given", ["x", None, Session], ids=repr)
def test_what_is_no_session_is_refused(given: Any) -> None:
    """In a sentence, before anything is served."""
    with pytest.raises(ConfigurationError, match="webhooks are handed to a Session"):
        webhook_routes(given)


@pytest.mark.parametrize(
    ("prefix", "path"),
    [
        ("/hooks/fiscal", "/hooks/fiscal/belvo"),
        ("/hooks/fiscal/", "/hooks/fiscal/belvo"),
        ("hooks", "/hooks/belvo"),
        ("", "/belvo"),
        ("/", "/belvo"),
    ],
)
@pytest.mark.parametrize("slash", ["", "/"], ids=["plain", "slash at the end"])
async def test_the_prefix_may_be_chosen(
    world: World, session: Session, http: aiohttp.ClientSession, prefix: str, path: str, slash: str
) -> None:
    """Routes go where the application wants them; vendors follow no redirect to the form without the slash."""
    app = web.Application()
    app.add_routes(webhook_routes(session, prefix=prefix))
    base_url = await world.serve(app)
    headers, body = world.belvo_delivery("1" * 32)

    async with http.post(f"{base_url}{path}{slash}", data=body, headers=headers) as answer:
        assert 200 == answer.status


async def test_routes_may_stand_in_an_application_within_another(
    world: World, session: Session, http: aiohttp.ClientSession
) -> None:
    """As `add_subapp` mounts it."""
    app, inner = web.Application(), web.Application()
    inner.add_routes(webhook_routes(session))
    app.add_subapp("/api", inner)
    base_url = await world.serve(app)
    headers, body = world.belvo_delivery("1" * 32)

    async with http.post(f"{base_url}/api/webhooks/belvo/", data=body, headers=headers) as answer:
        assert 200 == answer.status


async def remembers(request: web.Request) -> None:
    await request.read()


async def parses(request: web.Request) -> None:
    await request.json()


async def takes_all(request: web.Request) -> None:
    await request.content.read()


async def takes_some(request: web.Request) -> None:
    await request.content.readexactly(10)


@pytest.mark.parametrize("is_chunked", [False, True], ids=["whole", "chunked"])
@pytest.mark.parametrize(
    ("reads", "status"),
    [(remembers, 200), (parses, 200), (takes_all, 503), (takes_some, 503)],
    ids=["remembers", "parses", "takes all", "takes some"],
)
async def test_a_middleware_may_have_read_the_body(
    world: World,
    session: Session,
    http: aiohttp.ClientSession,
    caplog: pytest.LogCaptureFixture,
    reads: Callable[[web.Request], Awaitable[None]],
    status: int,
    is_chunked: bool,
) -> None:
    """Loggers and tracers do. A delivery whose bytes they kept for themselves is not answered as if it were kept."""

    @web.middleware
    async def curious(request: web.Request, handler: Handler) -> web.StreamResponse:
        await reads(request)
        return await handler(request)

    app = web.Application(middlewares=[curious])
    app.add_routes(webhook_routes(session))
    base_url = await world.serve(app)
    headers, body = world.belvo_delivery("1" * 32)

    async def parts() -> AsyncIterator[bytes]:
        yield body[:20]
        await asyncio.sleep(0.1)
        yield body[20:]

    for _ in range(2):
        data = parts() if is_chunked else body
        async with http.post(f"{base_url}/webhooks/belvo", data=data, headers=headers) as answer:
            assert status == answer.status

    kept = await session.store.parked(session.vendors["belvo"].account)
    told = [record for record in caplog.records if "await request.read()" in record.getMessage()]
    assert (1, 0) == (len(kept), len(told)) if status == 200 else (0, 1) == (len(kept), len(told))


async def test_a_session_of_another_loop_is_503(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """A server that runs its applications in threads: the vendor repeats, the log says once what is wrong."""
    session = await world.open(webhooks=False)
    app = web.Application()
    app.add_routes(webhook_routes(session))
    headers, body = world.belvo_delivery("1" * 32)

    async def served() -> list[int]:
        async with TestClient(TestServer(app)) as client:
            return [(await client.post("/webhooks/belvo", data=body, headers=headers)).status for _ in range(2)]

    assert [503, 503] == await asyncio.to_thread(asyncio.run, served())
    assert 1 == sum("belongs to another event loop" in record.getMessage() for record in caplog.records)
