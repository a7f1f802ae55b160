"""What the PostgreSQL store promises beyond the contract: group commit, notifications, many workers, its schema."""

from __future__ import annotations

import asyncio
import builtins
import re
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from msgspec.structs import replace

from belvo_async.abc import Budget
from belvo_async.errors import ConfigurationError, StoreError
from belvo_async.jobs import Status
from belvo_async.stores import open_store
from belvo_async.stores.postgres.connection import store_error
from belvo_async.stores.postgres.store import PostgresStore
from belvo_async.stores.rules import Bounds
from tests.stores.postgres.server import URL, Proxy, Stores, admin
from tests.stores.samples import ACCOUNT, NOON, a_due_job, a_job, after, changed, word


@pytest.fixture
async def store(postgres_stores: Stores) -> AsyncIterator[PostgresStore]:
    async with postgres_stores() as opened:
        yield opened


@pytest.fixture
async def other(postgres_stores: Stores, store: PostgresStore) -> AsyncIterator[PostgresStore]:
    """What another process would have open."""
    async with postgres_stores() as opened:
        yield opened


def ask(stores: Stores, query: str, *values: object) -> Any:
    """The one value a query gives, asked beside the store."""
    with admin() as connection:
        connection.execute(f"SET search_path TO {stores.schema}".encode())
        row = connection.execute(query.encode(), values).fetchone()
        return row and row[0]


async def test_everything_survives_closing_and_opening(postgres_stores: Stores) -> None:
    """Another store in the same schema finds jobs, claims, parked words, places and leases."""
    budget = Budget("b", 1, timedelta(seconds=10))
    async with postgres_stores() as store:
        await store.put(a_due_job("job-1", 0, remote_id="r"), expected=None, observation=word())
        await store.claim_due([ACCOUNT], now=NOON, until=after(30), limit=1)
        await store.park(ACCOUNT, word(remote_id="early"))
        await store.reserve(budget, NOON)
        token = await store.lease("lane", "ana", now=NOON, until=after(30))

    async with postgres_stores() as store:
        assert a_due_job("job-1", 0, remote_id="r") == await store.get("job-1")
        assert (word(),) == await store.timeline("job-1")
        assert after(30) == await store.next_due([ACCOUNT])
        assert (word(remote_id="early"),) == await store.parked(ACCOUNT)
        assert after(10) == await store.reserve(budget, NOON)
        assert token == await store.lease("lane", "ana", now=NOON, until=after(60))
        assert await store.lease("lane", "ben", now=NOON, until=after(60)) is None


async def test_many_writes_share_a_commit(store: PostgresStore, postgres_stores: Stores) -> None:
    """256 puts at once are one transaction and one notification."""
    with admin() as listener:
        listener.execute(f"LISTEN {postgres_stores.schema}".encode())
        jobs = [a_job(f"{number}", key=f"{number}") for number in range(256)]

        assert {None} == set(await asyncio.gather(*(store.put(each, expected=None) for each in jobs)))

        assert 1 == ask(postgres_stores, "SELECT count(DISTINCT xmin::text) FROM job")
        assert 1 == len(list(listener.notifies(timeout=0.2)))
        newer = [changed(each, polls=1) for each in jobs]
        await asyncio.gather(*(store.put(each, expected=0, observation=word()) for each in newer))
        assert 1 == ask(postgres_stores, "SELECT count(DISTINCT xmin::text) FROM job")
        assert 2 == ask(postgres_stores, "SELECT batch FROM writer")


async def test_a_job_written_alone_takes_one_round_trip(postgres_stores: Stores) -> None:
    """A new one, a newer version, its end; one whose write is refused is looked at the usual way, in two or three."""
    async with Proxy() as proxy, postgres_stores(proxy.url) as store:
        await store.put(a_job("first"), expected=None)
        before = proxy.asked

        assert await store.put(a_job(), expected=None, observation=word(remote_id="a")) is None
        assert await store.put(changed(a_job(), polls=1), expected=0) is None
        ended = changed(a_job(), version=2, status=Status.FINISHED)
        assert await store.put(ended, expected=1, observation=word(remote_id="b")) is None
        assert 3 == proxy.asked - before

        assert ended == await store.put(changed(a_job(), polls=1), expected=0)
        assert 3 + 3 >= proxy.asked - before
        assert (word(remote_id="a"), word(remote_id="b")) == await store.timeline("job-1")


async def test_a_job_written_alone_leaves_nothing_where_it_may_not(store: PostgresStore) -> None:
    """Not the row, not the observation; what stands in the way is given."""
    await store.put(a_job("first"), expected=None)
    await store.put(a_job(key="k", remote_id="r"), expected=None)

    assert a_job(key="k", remote_id="r") == await store.put(a_job("job-2", key="k"), expected=None, observation=word())
    assert a_job(key="k", remote_id="r") == await store.put(changed(a_job(key="k"), version=5), expected=4)

    assert await store.get("job-2") is None
    assert () == await store.timeline("job-1") + await store.timeline("job-2")


async def test_calls_on_one_job_keep_their_order(store: PostgresStore) -> None:
    """A chain of writes in one batch counts as one after the other; each observation is kept."""
    chain = [a_job(polls=number, version=number) for number in range(5)]

    answers = await asyncio.gather(
        *(store.put(each, expected=each.version - 1 if each.version else None, observation=word()) for each in chain),
        store.put(changed(chain[2], polls=99), expected=2),
        store.forget("job-2"),
        store.put(a_job("job-2"), expected=None),
        store.forget("job-2"),
    )

    assert [*[None] * 5, chain[-1], False, None, True] == answers
    assert chain[-1] == await store.get("job-1")
    assert [word()] * 5 == list(await store.timeline("job-1"))
    assert await store.get("job-2") is None


async def test_a_key_is_free_as_soon_as_its_job_has_ended(store: PostgresStore) -> None:
    """Also when the end and the new job share a transaction."""
    first = a_job("first", key="k")
    await store.put(first, expected=None)

    answers = await asyncio.gather(
        store.put(changed(first, status=Status.FAILED), expected=0),
        store.put(a_job("second", key="k"), expected=None),
        store.put(a_job("third", key="k"), expected=None),
    )

    assert [None, None, a_job("second", key="k")] == answers


async def test_a_job_found_again_may_stand_beside_an_equal_one(store: PostgresStore) -> None:
    """A search that was given up may still find its job; the unique index is only about new ones."""
    lost = a_job("lost", key="k", status=Status.UNCERTAIN, abandoned=True)
    await store.put(replace(lost, abandoned=False), expected=None)
    await store.put(changed(lost), expected=0)
    await store.put(a_job("younger", key="k", created_at=after(1)), expected=None)

    found = replace(lost, version=2, status=Status.PENDING, abandoned=False)
    assert await store.put(found, expected=1) is None

    assert found == await store.put(a_job("third", key="k"), expected=None)


async def test_a_failing_call_fails_alone(store: PostgresStore) -> None:
    """One refused write leaves the others of its transaction in place, even when PostgreSQL refuses it."""
    answers = await asyncio.gather(
        store.put(a_job("one"), expected=None),
        store.put(a_job("nobody"), expected=3),
        store.put(a_job("odd", version=2**70), expected=None),
        store.put(a_job("two"), expected=None),
        return_exceptions=True,
    )

    assert [None, StoreError, StoreError, None] == [answer and type(answer) for answer in answers]
    assert ["one", "two"] == [job.id async for job in store.open_jobs()]


async def test_texts_with_nul_are_kept(store: PostgresStore) -> None:
    """Vendors choose remote ids; PostgreSQL keeps no U+0000 in a text."""
    job = a_job("a\0b", remote_id="r\0", lane="l\\0", key="k\0", account="\0")
    await store.put(job, expected=None)
    await store.park("\0", word(remote_id="x\0", subject="s\0"))

    assert job == await store.get("a\0b")
    assert (job,) == await store.find("\0", "r\0")
    assert () == await store.find("\0", "r\\0")
    assert [job] == [each async for each in store.open_jobs(["\0"], lane="l\\0")]
    assert (word(remote_id="x\0", subject="s\0"),) == await store.parked("\0", "x\0")


async def test_two_workers_start_an_equal_task_once(store: PostgresStore, other: PostgresStore) -> None:
    """The slower one is given the other's job, whoever commits first."""
    for number in range(20):
        jobs = [a_job(f"{number}-{side}-{n}", key=f"{n}:{number}") for side in "ab" for n in range(10)]
        answers = await asyncio.gather(
            *(where.put(job, expected=None) for where, job in zip([store] * 10 + [other] * 10, jobs, strict=True))
        )

        assert 10 == answers.count(None)
        for mine, theirs in zip(answers[:10], answers[10:], strict=True):
            assert (mine is None) != (theirs is None)


async def test_two_workers_write_a_version_once(store: PostgresStore, other: PostgresStore) -> None:
    """Compare and swap holds between processes, in whatever order their batches name the jobs."""
    jobs = [a_job(f"{number}") for number in range(50)]
    await asyncio.gather(*(store.put(each, expected=None) for each in jobs))

    answers = await asyncio.gather(
        *(store.put(changed(each, polls=1), expected=0) for each in jobs),
        *(other.put(changed(each, polls=2), expected=0) for each in reversed(jobs)),
    )

    assert 50 == answers.count(None)


async def test_two_workers_claim_no_job_twice(store: PostgresStore, other: PostgresStore) -> None:
    """And together they get all."""
    await asyncio.gather(*(store.put(a_due_job(f"{number}", 0), expected=None) for number in range(200)))

    claims = [
        job.id
        for _ in range(12)
        for claim in await asyncio.gather(
            *(each.claim_due([ACCOUNT], now=NOON, until=after(30), limit=9) for each in (store, other))
        )
        for job in claim
    ]

    assert 200 == len(claims) == len(set(claims))


async def test_a_claim_waits_for_nobody(store: PostgresStore, postgres_stores: Stores) -> None:
    """What another worker has locked is left to it."""
    await store.put(a_due_job("locked", 0), expected=None)
    await store.put(a_due_job("free", 1), expected=None)
    with admin() as elsewhere, elsewhere.transaction():
        elsewhere.execute(f"SELECT FROM {postgres_stores.schema}.job WHERE id = 'locked' FOR UPDATE".encode())

        claimed = await store.claim_due([ACCOUNT], now=after(9), until=after(30), limit=1)

    assert ["free"] == [job.id for job in claimed]


async def test_a_lock_held_elsewhere_is_reported(store: PostgresStore, postgres_stores: Stores) -> None:
    """It costs an error within the webhook's deadline, not an endless wait; reading goes on meanwhile."""
    await store.put(a_job(), expected=None)
    with admin() as elsewhere, elsewhere.transaction():
        elsewhere.execute(f"SELECT FROM {postgres_stores.schema}.job FOR UPDATE".encode())

        with pytest.raises(StoreError, match="locked by another worker"):
            await store.put(changed(a_job()), expected=0)
        assert a_job() == await store.get("job-1")

    assert await store.put(changed(a_job()), expected=0) is None


async def test_two_workers_share_a_budget(store: PostgresStore, other: PostgresStore) -> None:
    """The window is strict across processes, and what is kept of it stays small."""
    budget = Budget("b", 7, timedelta(seconds=10))

    places = sorted(
        await asyncio.gather(*(each.reserve(budget, after(n % 13)) for n in range(100) for each in (store, other)))
    )

    assert all(later - earlier >= budget.span for earlier, later in zip(places, places[7:], strict=False))
    await store.reserve(budget, after(10_000))
    assert await store.reserve(budget, after(10_000)) == after(10_000)


async def test_two_workers_share_the_bound_of_parked_words(postgres_stores: Stores) -> None:
    """The bound is one for the schema."""
    bounds = Bounds(count=20, limit_bytes=100_000)
    async with postgres_stores(parked=bounds) as store, postgres_stores(parked=bounds) as other:
        await asyncio.gather(
            *(
                each.park(ACCOUNT, word(remote_id=f"{n}{side}"))
                for n in range(50)
                for side, each in zip("ab", (store, other), strict=True)
            )
        )

        assert 20 == len(await other.parked(ACCOUNT))


async def test_an_ended_job_is_guarded_by_the_database(store: PostgresStore, postgres_stores: Stores) -> None:
    """Not even a program that knows no rules gives a job a second end."""
    await store.put(a_job(status=Status.FINISHED), expected=None)

    with pytest.raises(psycopg.errors.CheckViolation):
        ask(postgres_stores, "UPDATE job SET status = 'failed' RETURNING id")


async def test_two_workers_make_the_schema_at_once(postgres_stores: Stores) -> None:
    """Whoever comes second finds it made."""
    stores = [postgres_stores() for _ in range(4)]

    await asyncio.gather(*(each.__aenter__() for each in stores))

    assert 1 == ask(postgres_stores, "SELECT count(*) FROM store_version")
    await asyncio.gather(*(each.__aexit__() for each in stores))


async def test_a_newer_schema_is_refused(store: PostgresStore, postgres_stores: Stores) -> None:
    """And left as it is."""
    await store.put(a_job(), expected=None)
    ask(postgres_stores, "UPDATE store_version SET version = 99 RETURNING 1")

    with pytest.raises(StoreError, match="newer release"):
        await postgres_stores().__aenter__()

    assert 99 == ask(postgres_stores, "SELECT version FROM store_version")
    assert 1 == ask(postgres_stores, "SELECT count(*) FROM job")


async def test_tables_of_another_program_are_left_alone(postgres_stores: Stores) -> None:
    """A schema that is not ours is not written to."""
    with admin() as connection:
        connection.execute(f"CREATE SCHEMA {postgres_stores.schema}".encode())
        connection.execute(f"CREATE TABLE {postgres_stores.schema}.job (id int)".encode())

    with pytest.raises(StoreError, match="another program"):
        await postgres_stores().__aenter__()

    assert 1 == ask(postgres_stores, "SELECT count(*) FROM pg_tables WHERE schemaname = %s", postgres_stores.schema)


async def test_closing_leaves_no_task_and_no_connection(postgres_stores: Stores) -> None:
    """What was queued before is done first."""
    before = asyncio.all_tasks()
    async with postgres_stores() as store:
        late = [asyncio.create_task(store.put(a_job(f"{number}"), expected=None)) for number in range(20)]
        listening = asyncio.create_task(anext(store.changes()))
        assert () == await listening

    assert [None] * 20 == await asyncio.gather(*late)
    assert before == asyncio.all_tasks()
    with admin() as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
        for _ in range(100):
            connection.execute("SELECT pg_sleep(0.02)")
            if connection.execute(query, (postgres_stores.schema,)).fetchone() == (0,):
                return
    pytest.fail("a connection is left")


async def test_virtual_time_waits_for_the_store(postgres_stores: Stores) -> None:
    """A timer never fires because the server is slow."""
    async with asyncio.timeout(0.000_1), postgres_stores() as store:
        for number in range(20):
            await store.put(a_job(f"{number}"), expected=None)

    assert 0 == asyncio.get_running_loop().time()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ana:hunter2@[::1/db",
        "postgresql://ana:hunter2@host/db?hunter2=1",
        "postgresql://ana:hunter2@host/db?schema=Jobs",
        "postgresql://ana:hunter2@host/db?schema=",
    ],
)
def test_a_url_that_cannot_be_read_is_not_shown(url: str) -> None:
    """Neither the password nor the rest."""
    with pytest.raises(ConfigurationError) as caught:
        open_store(url)

    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://ana:hunter2@host/db?pgbouncer=true", "libpq has no option `pgbouncer`"),
        ("postgresql://ana:hunter2@host/db?sslmode=require&connection_limit=hunter2&a=b", "`connection_limit`, `a`"),
        ("postgresql://ana:hunter2@rest@host/db", "percent-encode `@` and `/`"),
        ("postgresql://ana:hunter2/rest@host/db", "percent-encode `@` and `/`"),
    ],
)
def test_what_another_tool_would_take_is_named(url: str, words: str) -> None:
    """The option's name, never a value: what looks like a name may be part of a password."""
    with pytest.raises(ConfigurationError, match=re.escape(words)) as caught:
        open_store(url)

    assert "hunter" not in str(caught.value)


async def test_secrets_show_nowhere() -> None:
    """Not in the store, not in its errors."""
    store = PostgresStore("postgres://ana:hunter2@127.0.0.1:1/db?password=hunter2")

    with pytest.raises(StoreError, match="cannot be reached") as caught:
        await store.__aenter__()

    parts = [vars(part) for part in vars(store).values() if hasattr(part, "__dict__")]
    shown = f"{store!r} {vars(store)} {parts} {caught.value!r} {caught.value.__cause__!r}"
    assert "hunter2" not in shown
    assert "ana" not in shown.replace("another", "")


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        (f"{URL}_nobody_has_this", "does not exist"),
        (URL.replace("postgres@", "nobody_is_this@"), "refused the user"),
    ],
)
async def test_a_refused_connection_says_why(url: str, sentence: str) -> None:
    """The server is there, the URL is wrong."""
    admin().close()

    with pytest.raises(StoreError, match=sentence):
        await PostgresStore(url).__aenter__()


THERE = 'connection failed: connection to server at "role.database.example" (192.0.2.1), port 5432 failed: '


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        pytest.param("Connection refused\n\tIs the server running on that host?", "cannot be reached", id="down"),
        pytest.param("timeout expired", "cannot be reached", id="late"),
        pytest.param("FATAL:  the database system is starting up", "cannot be reached or refuses", id="starting"),
        pytest.param(
            'FATAL:  database "jobs" is not currently accepting connections', "refuses connections", id="shut"
        ),
        pytest.param(
            'FATAL:  too many connections for role "app"', "no disk, memory or connection left", id="too many"
        ),
        pytest.param("FATAL:  sorry, too many clients already", "no disk, memory or connection left", id="full"),
        pytest.param('FATAL:  database "jobs" does not exist', "the database .* does not exist", id="no database"),
        pytest.param('FATAL:  permission denied for database "jobs"', "lacks a right", id="no right"),
        pytest.param('FATAL:  role "app" does not exist', "refused the user", id="no user"),
        pytest.param('FATAL:  role "app" is not permitted to log in', "refused the user", id="no log-in"),
        pytest.param('FATAL:  Peer authentication failed for user "app"', "refused the user", id="peer"),
        pytest.param('FATAL:  no pg_hba.conf entry for host "192.0.2.2", user "app"', "refused the user", id="pg_hba"),
        pytest.param("fe_sendauth: no password supplied", "refused the user or the password", id="no password"),
        pytest.param("server does not support SSL, but SSL was required", "by TLS", id="no TLS"),
        pytest.param("SSL error: certificate verify failed", "by TLS", id="no trust"),
    ],
)
def test_each_refusal_has_its_own_sentence(words: str, sentence: str) -> None:
    """By what the server says, not by what its host is called. Nothing of the text is repeated."""
    said = str(store_error(psycopg.OperationalError(THERE + words)))

    assert re.search(sentence, said)
    assert "app" not in said
    assert "example" not in said


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
async def test_a_url_opens_the_store(scheme: str, postgres_stores: Stores) -> None:
    """In either spelling."""
    store = open_store(f"{URL.replace('postgresql', scheme)}?schema={postgres_stores.schema}")

    async with store:
        assert await store.put(a_job(), expected=None) is None


async def test_the_loop_of_windows_is_refused_in_a_sentence(
    store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """psycopg waits for sockets itself, which that loop cannot: the message says how to start the program."""
    monkeypatch.setattr(asyncio, "ProactorEventLoop", type(asyncio.get_running_loop()), raising=False)

    with pytest.raises(StoreError, match=r"loop_factory=asyncio\.SelectorEventLoop"):
        await PostgresStore(URL).__aenter__()


def test_without_the_driver_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message is the command that helps."""
    for name in [each for each in sys.modules if each.startswith(("psycopg", "belvo_async.stores.postgres"))]:
        monkeypatch.delitem(sys.modules, name)
    genuine = builtins.__import__

    def without_driver(name: str, *rest: Any, **options: Any) -> Any:
        if name.partition(".")[0] == "psycopg":
            raise ModuleNotFoundError(name)
        return genuine(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without_driver)

    with pytest.raises(ConfigurationError, match=r"pip install 'belvo-async\[postgres\]'"):
        open_store("postgresql://host/db")
