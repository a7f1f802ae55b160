"""Nothing was sent: what `fire` says of a job that the store could not or would not say it has kept."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from copy import copy
from dataclasses import dataclass
from typing import Literal, Self

import pytest

from belvo_async import Status, StoreError, UnknownJobError
from belvo_async.abc import Store
from belvo_async.stores.redis.store import RedisStore
from tests.session.world import World
from tests.stores.conftest import postgres_stores, redis_stores
from tests.troubled_store import TroubledStore

__all__ = ["postgres_stores", "redis_stores"]

Cut = Literal["before", "after"]


class Relay:
    """Stands before a server. When `mark` comes by it goes away for good: before it is done, or after."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._ends: list[asyncio.StreamWriter] = []
        self.mark = b""
        self.cut: Cut | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._go_away()

    def _go_away(self) -> None:
        self._server.close()
        for end in self._ends:
            end.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self._port)
        self._ends += [writer, to_server]
        answers = asyncio.create_task(_pump(from_server, writer))
        with suppress(ConnectionError):
            while chunk := await reader.read(65536):
                if self.cut is not None and self.mark in chunk:
                    answers.cancel()
                    await asyncio.wait([answers])
                    if self.cut == "after":
                        to_server.write(chunk)
                        await from_server.read(1)
                    self._go_away()
                    break
                to_server.write(chunk)
        to_server.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while chunk := await reader.read(65536):
            writer.write(chunk)
    writer.close()


@dataclass
class Server:
    """A server, a relay before it, and stores that go there directly or by the relay."""

    relay: Relay
    direct: Callable[[], Store]
    relayed: Callable[[], Store]


@pytest.fixture(params=["postgres", "redis"])
async def server(request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    stores = request.getfixturevalue(f"{request.param}_stores")
    if request.param == "postgres":
        async with Relay(5432) as relay:
            relay.mark = b"INSERT INTO job"
            url = f"postgresql://postgres@{relay.address}/postgres"
            yield Server(relay, stores, lambda: stores(url))
    else:
        async with Relay(6379) as relay:
            relay.mark = b"belvo.Invoices"
            url = f"redis://{relay.address}/0"
            yield Server(relay, stores, lambda: RedisStore(url, prefix=stores.prefix, timeout=None))


async def fire_in_vain(world: World, server: Server, cut: Cut) -> StoreError:
    """Fire while the server goes away, and close."""
    session = await world.open(webhooks=False, sweep=False, store=server.relayed())
    server.relay.cut = cut
    with pytest.raises(StoreError) as failure:
        await session.fire(world.invoices())
    await session.close()
    return failure.value


async def test_an_intent_that_may_be_kept_is_told_with_its_job(world: World, server: Server) -> None:
    """It was: the next session sends it once, finds it by the id of the error, and joins it."""
    error = await fire_in_vain(world, server, "after")
    sent = len(world.sent("POST"))

    session = await world.open(store=server.direct())
    assert error.job_id is not None
    attached = await session.attach(error.job_id)
    again = await session.fire(world.invoices())
    await asyncio.sleep(60)

    assert (True, 0) == (error.maybe_done, sent)
    assert error.job_id in str(error)
    assert "may have been kept" in str(error)
    assert attached.id == again.id
    assert Status.FINISHED is (await attached).status
    assert 1 == len(world.sent("POST"))


async def test_an_intent_that_was_not_kept_is_fired_again(world: World, server: Server) -> None:
    """Nobody could say, and it was not: the same advice leads to one job."""
    error = await fire_in_vain(world, server, "before")

    session = await world.open(store=server.direct())
    with pytest.raises(UnknownJobError):
        await session.attach(error.job_id or "")
    again = await session.fire(world.invoices())
    await asyncio.sleep(60)

    assert error.maybe_done
    assert Status.FINISHED is (await again).status
    assert 1 == len(world.sent("POST"))


async def test_an_intent_that_was_refused_is_told_as_not_sent(world: World) -> None:
    """A store that is down has kept nothing, and says so: nothing is sent, ever."""
    store = TroubledStore()
    session = await world.open(store=store)
    store.is_down = True
    with pytest.raises(StoreError) as failure:
        await session.fire(world.invoices())
    store.is_down = False
    await asyncio.sleep(300)

    assert (False, None) == (failure.value.maybe_done, failure.value.job_id)
    assert [] == world.sent("POST")


def test_what_is_known_of_an_error_survives_copying() -> None:
    """For another caller, and for another process."""
    error = StoreError("lost", maybe_done=True, job_id="j")

    for same in (copy(error), pickle.loads(pickle.dumps(error))):
        assert ("lost", True, "j") == (str(same), same.maybe_done, same.job_id)
