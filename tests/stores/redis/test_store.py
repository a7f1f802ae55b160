"""What the Redis store promises beyond the contract: pipelines, changes told to others, and honesty about losses."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
import redis
import redis.asyncio

from belvo_async.abc import Budget
from belvo_async.errors import ConfigurationError, StoreError
from belvo_async.jobs import Job, Status
from belvo_async.stores import open_store
from belvo_async.stores.redis.store import RedisStore
from tests.stores.redis.server import SHARED_URL, Stores, shared_stores
from tests.stores.samples import ACCOUNT, NOON, a_due_job, a_job, after, changed, word


class Wire:
    """Counts what redis-py sends, and can lose an answer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sends = 0
        self.lose_next = False
        send = redis.asyncio.Connection.send_packed_command
        read = redis.asyncio.Connection.read_response

        async def counting_send(connection: Any, command: Any, *options: Any, **more: Any) -> None:
            self.sends += 1
            await send(connection, command, *options, **more)

        async def losing_read(connection: Any, *options: Any, **more: Any) -> Any:
            answer = await read(connection, *options, **more)
            if self.lose_next:
                self.lose_next = False
                raise redis.ConnectionError("cut")
            return answer

        monkeypatch.setattr(redis.asyncio.Connection, "send_packed_command", counting_send)
        monkeypatch.setattr(redis.asyncio.Connection, "read_response", losing_read)


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    return Wire(monkeypatch)


async def test_everything_survives_closing_and_opening(redis_stores: Stores) -> None:
    """Another store under the same prefix finds jobs, claims, parked words, places and leases."""
    budget = Budget("b", 1, after(10) - NOON)
    async with redis_stores() as store:
        await store.put(a_due_job("job-1", 0, remote_id="r"), expected=None, observation=word())
        await store.claim_due([ACCOUNT], now=NOON, until=after(30), limit=1)
        await store.park(ACCOUNT, word(remote_id="early"))
        token = await store.lease("lane", "ana", now=NOON, until=after(30))
        await store.reserve(budget, NOON)

    async with redis_stores() as store:
        assert a_due_job("job-1", 0, remote_id="r") == await store.get("job-1")
        assert (word(),) == await store.timeline("job-1")
        assert after(30) == await store.next_due([ACCOUNT])
        assert (word(remote_id="early"),) == await store.parked(ACCOUNT)
        assert token == await store.lease("lane", "ana", now=NOON, until=after(60))
        assert after(10) == await store.reserve(budget, NOON)


async def test_prefixes_keep_stores_apart(redis_stores: Stores) -> None:
    """Two applications share a server without seeing each other."""
    with shared_stores() as others:
        async with redis_stores() as one, others() as other:
            await one.put(a_job(), expected=None)

            assert await other.get("job-1") is None


async def test_two_stores_never_claim_one_job_twice(redis_stores: Stores) -> None:
    """Every due job goes to exactly one of them."""
    async with redis_stores() as one, redis_stores() as other:
        await asyncio.gather(*(one.put(a_due_job(f"{number}", 0), expected=None) for number in range(200)))

        claims = await asyncio.gather(
            *(each.claim_due([ACCOUNT], now=NOON, until=after(9), limit=7) for each in [one, other] * 20)
        )

    assert 200 == len({job.id for claim in claims for job in claim}) == sum(map(len, claims))


async def test_two_stores_exclude_each_other(redis_stores: Stores) -> None:
    """Compare and swap holds across processes: of two writers with one expectation one wins."""
    async with redis_stores() as one, redis_stores() as other:
        job = a_job()
        await one.put(job, expected=None)

        answers = await asyncio.gather(
            *(each.put(changed(job, polls=number), expected=0) for number, each in enumerate([one, other] * 20))
        )

        assert 1 == answers.count(None)
        assert {await one.get(job.id)} == {answer for answer in answers if answer is not None}


async def test_many_writes_share_a_round_trip(redis_stores: Stores, wire: Wire) -> None:
    """What queues up while a pipeline is under way goes into the next one together."""
    async with redis_stores() as store:
        await store.put(a_job(), expected=None)
        wire.sends = 0

        await asyncio.gather(*(store.put(a_job(f"{number}"), expected=None) for number in range(256)))

        assert 1 == wire.sends
        assert 257 == len([job async for job in store.open_jobs()])


async def test_what_comes_during_a_pipeline_goes_into_the_next(redis_stores: Stores, wire: Wire) -> None:
    """A steady stream of callers costs a round trip for each pipeline, not for each caller."""
    async with redis_stores() as store:
        await store.put(a_job(), expected=None)
        wire.sends = 0

        async def write_ten(writer: int) -> None:
            for number in range(10):
                await store.put(a_job(f"{writer}-{number}"), expected=None)

        await asyncio.gather(*(write_ten(writer) for writer in range(50)))

    assert 10 <= wire.sends <= 20


async def test_reads_do_not_wait_for_writes(redis_stores: Stores, wire: Wire) -> None:
    """They have a line of their own; what a write has answered is seen by the next read."""
    async with redis_stores() as store:
        for number in range(20):
            await store.put(a_job(f"{number}"), expected=None)
            assert await store.get(f"{number}") is not None


async def test_changes_are_told_to_others(redis_stores: Stores) -> None:
    """After an empty tuple come the ids the other store wrote or forgot, each once a reading; not one's own."""
    async with redis_stores() as one, redis_stores() as other:
        told = other.changes()
        assert () == await anext(told)

        await other.put(a_job("own"), expected=None)
        await one.put(a_job("theirs"), expected=None)
        assert ("theirs",) == await anext(told)
        await one.forget("own")

        assert ("own",) == await anext(told)


async def test_many_changes_come_in_few_tuples(redis_stores: Stores) -> None:
    """A listener that was busy is told all at once, each job once."""
    async with redis_stores() as one, redis_stores() as other:
        told = other.changes()
        await anext(told)
        job = a_job()
        await one.put(job, expected=None)
        for number in range(1, 50):
            await one.put(changed(job, version=number), expected=number - 1)
        await one.put(a_job("last"), expected=None)

        assert ("job-1", "last") == await anext(told)


async def test_who_lags_too_far_is_told_that_anything_may_have_changed(redis_stores: Stores) -> None:
    """The stream is bounded; a gap in its numbers is noticed."""
    async with redis_stores() as one, redis_stores() as other:
        told = other.changes()
        await anext(told)
        for number in range(5):
            await one.put(a_job(f"{number}"), expected=None)
        with redis.Redis.from_url(redis_stores.url) as client:
            client.xtrim(f"{{{redis_stores.prefix}}}:changes", maxlen=2, approximate=False)

        assert () == await anext(told)
        await one.put(a_job("next"), expected=None)
        assert ("next",) == await anext(told)


async def test_changes_end_with_the_store(redis_stores: Stores) -> None:
    """Whoever waits for them is let go, and no connection stays."""
    async with redis_stores() as store:
        told = store.changes()
        await anext(told)
        waiting = asyncio.create_task(anext(told, None))  # type: ignore[arg-type]
        await store.put(a_job(), expected=None)

    assert await waiting is None
    assert [] == [job async for job in told]


async def test_closing_leaves_no_task_and_no_key_of_its_own(redis_stores: Stores) -> None:
    """What was queued before is done first; jobs that are forgotten leave nothing but the store's own facts."""
    store = redis_stores()
    async with store:
        job = a_due_job("job-1", 0, key="k", lane="l", remote_id="r")
        await store.put(job, expected=None, observation=word())
        await store.park(ACCOUNT, word(remote_id="x"))
        await store.unpark(ACCOUNT, [word(remote_id="x")])
        late = [asyncio.create_task(store.put(a_job(f"{number}"), expected=None)) for number in range(20)]
        await asyncio.sleep(0)

    assert [None] * 20 == await asyncio.gather(*late)
    assert {asyncio.current_task()} == asyncio.all_tasks()
    async with store:
        for each in [job, *(a_job(f"{number}") for number in range(20))]:
            assert await store.forget(each.id)
    prefix = f"{{{redis_stores.prefix}}}:"
    assert {f"{prefix}{name}" for name in ("meta", "changes", "writers")} == set(redis_stores.all_keys())


async def test_no_key_ever_expires(redis_stores: Stores) -> None:
    """Times are the callers': the server's clock drops nothing."""
    async with redis_stores() as store:
        await store.put(a_due_job("job-1", 0, key="k", lane="l", remote_id="r"), expected=None, observation=word())
        await store.lease("lane", "ana", now=NOON, until=after(1))
        await store.set_aside(ACCOUNT, b"?", NOON)

    with redis.Redis.from_url(redis_stores.url) as client:
        assert {-1} == {client.ttl(key) for key in redis_stores.all_keys()}


async def test_a_write_whose_answer_got_lost_is_recognised(redis_stores: Stores, wire: Wire) -> None:
    """The repeated write meets itself: it was written once, and its caller is told so."""
    async with redis_stores() as store:
        job = a_job()
        await store.put(job, expected=None)

        wire.lose_next = True
        assert await store.put(changed(job, polls=1), expected=0, observation=word()) is None
        wire.lose_next = True
        assert await store.put(a_job("new", key="k"), expected=None) is None

        assert changed(job, polls=1) == await store.get(job.id)
        assert (word(),) == await store.timeline(job.id)


async def test_a_repeated_call_takes_one_place(redis_stores: Stores, wire: Wire) -> None:
    """Budgets, leases and deliveries that could not be read count a call once, however often it was sent."""
    async with redis_stores() as store:
        budget = Budget("b", 2, after(10) - NOON)
        wire.lose_next = True
        assert NOON == await store.reserve(budget, NOON)
        wire.lose_next = True
        await store.set_aside(ACCOUNT, b"body", NOON)
        wire.lose_next = True
        token = await store.lease("l", "ana", now=NOON, until=after(9))

        assert NOON == await store.reserve(budget, NOON)
        assert 1 == len(await store.laid_aside())
        assert token == await store.lease("l", "ana", now=NOON, until=after(9))


async def test_a_lost_write_that_was_overtaken_stands_corrected(redis_stores: Stores, wire: Wire) -> None:
    """If another writer came between, the caller is given the newer job, as after any lost race."""
    async with redis_stores() as store:
        job = a_job()
        await store.put(job, expected=None)
        await store.put(changed(job, polls=1), expected=0)

        wire.lose_next = True
        assert changed(job, polls=1) == await store.put(changed(job, polls=2), expected=0)


async def test_a_newer_store_is_left_alone(redis_stores: Stores) -> None:
    """An older release refuses what it may not understand and writes nothing."""
    async with redis_stores() as store:
        await store.put(a_job(), expected=None)
    with redis.Redis.from_url(redis_stores.url) as client:
        meta = f"{{{redis_stores.prefix}}}:meta"
        client.hset(meta, "schema", 2)
        before = {key: client.dump(key) for key in redis_stores.all_keys()}

        with pytest.raises(StoreError, match="newer release"):
            await redis_stores().__aenter__()

        assert before == {key: client.dump(key) for key in redis_stores.all_keys()}


async def test_a_key_of_another_program_is_reported(redis_stores: Stores) -> None:
    """A prefix given by mistake costs a sentence, not their data."""
    with redis.Redis.from_url(redis_stores.url) as client:
        client.set(f"{{{redis_stores.prefix}}}:meta", "theirs")

        with pytest.raises(StoreError, match="something else under this prefix"):
            await redis_stores().__aenter__()

        assert b"theirs" == client.get(f"{{{redis_stores.prefix}}}:meta")


@pytest.mark.parametrize("status", [status for status in Status if status.is_terminal])
async def test_the_server_itself_keeps_an_end(redis_stores: Stores, status: Status) -> None:
    """Whichever process asks for a second outcome is refused."""
    async with redis_stores() as one, redis_stores() as other:
        job = a_job(status=status)
        await one.put(job, expected=None)

        with pytest.raises(StoreError, match=f"ended as {status}"):
            await other.put(changed(job, status=Status.PENDING), expected=0)


async def test_a_lone_surrogate_names_nothing(redis_stores: Stores) -> None:
    """Ids that cannot be encoded are unknown, and harm nobody else's call."""
    async with redis_stores() as store:
        found, lost = await asyncio.gather(store.put(a_job(), expected=None), store.get("\ud800"))

        assert (None, None) == (found, lost)


async def test_the_shared_server_is_warned_of(redis_stores: Stores, caplog: pytest.LogCaptureFixture) -> None:
    """A server that keeps nothing on disk is not used in silence, and not at all where durability is required."""
    with redis.Redis.from_url(redis_stores.url) as client:
        saves = client.config_get("save")["save"] or client.config_get("appendonly")["appendonly"] == "yes"
    if saves:
        pytest.skip("the shared server keeps its data")

    with caplog.at_level(logging.WARNING, "belvo_async"):
        async with redis_stores():
            pass
    with pytest.raises(StoreError, match="keeps nothing on disk"):
        await redis_stores(require_durable=True).__aenter__()

    assert ["keeps nothing on disk" in record.getMessage() for record in caplog.records] == [True]
    assert f"{{{redis_stores.prefix}}}:meta" in redis_stores.all_keys()


async def test_virtual_time_waits_for_the_store(redis_stores: Stores) -> None:
    """A timer never fires because the server is slow: it is at work until its callers are told."""
    async with asyncio.timeout(0.000_1), redis_stores() as store:
        for number in range(50):
            await store.put(a_job(f"{number}"), expected=None)

    assert 0 == asyncio.get_running_loop().time()


async def test_a_url_opens_a_store(redis_stores: Stores) -> None:
    """The options of the store are taken from the URL and not passed on."""
    async with redis_stores() as plain:
        store = RedisStore(
            f"{SHARED_URL}?prefix={redis_stores.prefix}&require_durable=no&client_name=x&socket_timeout=9"
        )
        async with store:
            await store.put(a_job(), expected=None)

        assert a_job() == await plain.get("job-1")


@pytest.mark.parametrize(
    "url",
    [
        "redis://",
        "redis:///0",
        "redis://:hunter2hunter2@[::1/0",
        "redis://:hunter2hunter2@host:port/0",
        "redis://:hunter2hunter2@host/0?colour=hunter2",
        "redis://:hunter2hunter2@host/0?db=hunter2",
        "redis://:hunter2hunter2@host/0?prefix=",
        "redis://:hunter2hunter2@host/0?prefix={hunter2}",
        "redis://:hunter2hunter2@host/0?require_durable=hunter2",
        "redis://:hunter2hunter2@host/0?socket_timeout=hunter2",
        "redis://:hunter2hunter2@host/0?socket_timeout=-1",
    ],
)
def test_a_wrong_url_is_refused(url: str) -> None:
    """Before anything is opened, and without repeating any of it."""
    with pytest.raises(ConfigurationError) as caught:
        open_store(url)

    assert "hunter2" not in f"{caught.value!r} {caught.value.__cause__!r}"


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("max_connections=10", "the option `max_connections`, or its value,"),
        ("ssl_cert_reqs=hunter2hunter2", "ssl_cert_reqs"),
        ("health_check_interval=hunter2hunter2", "health_check_interval"),
    ],
)
def test_what_another_tool_would_take_is_named(query: str, words: str) -> None:
    """The option's name, never its value."""
    with pytest.raises(ConfigurationError, match=words) as caught:
        open_store(f"rediss://:hunter2hunter2@host/0?{query}")

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("spelling", ["none", "CERT_NONE", "required", "CERT_REQUIRED", "CERT_OPTIONAL"])
def test_certificates_may_be_asked_for_as_celery_does(spelling: str) -> None:
    """Its spelling is that of Python's constants."""
    open_store(f"rediss://host/0?ssl_cert_reqs={spelling}")


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install."""
    monkeypatch.setitem(__import__("sys").modules, "belvo_async.stores.redis.store", None)

    with pytest.raises(ConfigurationError, match=r"pip install 'belvo-async\[redis\]'"):
        open_store("redis://127.0.0.1:6379/0")


async def test_no_secret_shows(caplog: pytest.LogCaptureFixture) -> None:
    """Neither in the store's repr, nor in the error of a server that is not there."""
    store = RedisStore("redis://ana:hunter2hunter2@127.0.0.1:1/0", timeout=None)

    with pytest.raises(StoreError, match="cannot be reached; nothing was changed") as caught:
        await store.__aenter__()

    shown = f"{store!r} {caught.value!r} {caught.value.__cause__!r} {caplog.text}"
    assert "hunter2" not in shown


def a_chain(job: Job, length: int) -> list[Job]:
    chain = [job]
    while len(chain) < length:
        chain.append(changed(chain[-1], polls=len(chain)))
    return chain


async def test_versions_are_written_in_order(redis_stores: Stores) -> None:
    """A chain of dependent writes in one pipeline is carried out in the order it was asked for."""
    async with redis_stores() as store:
        chain = a_chain(a_job(), 100)

        answers = await asyncio.gather(
            *(store.put(each, expected=None if not each.version else each.version - 1) for each in chain)
        )

        assert {None} == set(answers)
        assert chain[-1] == await store.get("job-1")
