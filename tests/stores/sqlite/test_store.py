"""What the SQLite store promises beyond the contract: durability, group commit and its one thread."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest

from belvo_async.errors import StoreError
from belvo_async.stores.sqlite import group_commit
from belvo_async.stores.sqlite.store import SqliteStore
from tests.stores.samples import ACCOUNT, NOON, a_due_job, a_job, after, changed, word


def move_away(path: Path) -> None:
    path.rename(path.with_suffix(".gone"))


class Wire:
    """A connection factory that writes down the statements, and can be told to fail at one of them."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.fail_at: str | None = None
        self.code = "SQLITE_FULL"

    def __call__(self, path: str) -> sqlite3.Connection:
        wire = self

        class Connection(sqlite3.Connection):
            def execute(self, statement: str, *values: object) -> sqlite3.Cursor:
                if wire.fail_at is not None and wire.fail_at in statement:
                    wire.break_down()
                return super().execute(statement, *values)  # type: ignore[arg-type]

        connection = sqlite3.connect(path, factory=Connection)
        connection.set_trace_callback(self.statements.append)
        return connection

    def break_down(self) -> None:
        error = sqlite3.OperationalError("secret of SQLite")
        error.sqlite_errorcode = getattr(sqlite3, self.code)
        error.sqlite_errorname = self.code
        raise error

    def count(self, statement: str) -> int:
        return sum(each.startswith(statement) for each in self.statements)


async def test_everything_survives_closing_and_opening(path: Path) -> None:
    """Another store on the same file finds jobs, claims, parked words, places and leases."""
    async with SqliteStore(path) as store:
        await store.put(a_due_job("job-1", 0, remote_id="r"), expected=None, observation=word())
        await store.claim_due([ACCOUNT], now=NOON, until=after(30), limit=1)
        await store.park(ACCOUNT, word(remote_id="early"))
        token = await store.lease("lane", "ana", now=NOON, until=after(30))

    async with SqliteStore(path) as store:
        assert a_due_job("job-1", 0, remote_id="r") == await store.get("job-1")
        assert (word(),) == await store.timeline("job-1")
        assert after(30) == await store.next_due([ACCOUNT])
        assert (word(remote_id="early"),) == await store.parked(ACCOUNT)
        assert token == await store.lease("lane", "ana", now=NOON, until=after(60))
        assert await store.lease("lane", "ben", now=NOON, until=after(60)) is None


async def test_two_stores_on_one_file_see_each_other(path: Path) -> None:
    """Processes that share a file share its jobs and exclude each other."""
    async with SqliteStore(path) as one, SqliteStore(path) as other:
        await one.put(a_due_job("job-1", 0), expected=None)

        assert a_due_job("job-1", 0) == await other.get("job-1")
        claims = await asyncio.gather(
            *(each.claim_due([ACCOUNT], now=NOON, until=after(9), limit=1) for each in (one, other))
        )

    assert [0, 1] == sorted(map(len, claims))


async def test_many_writes_share_a_commit(path: Path) -> None:
    """What arrives during a commit goes into the next one together, and wakes the loop once."""
    wire = Wire()
    async with SqliteStore(path, connect=wire) as store:
        before = wire.count("COMMIT")

        await asyncio.gather(*(store.put(a_job(f"{number}"), expected=None) for number in range(256)))

        assert wire.count("COMMIT") - before <= 32
        assert 256 == len([job async for job in store.open_jobs()])


async def test_reads_alone_take_no_write_lock(path: Path) -> None:
    """Reading goes on while another process writes."""
    async with SqliteStore(path) as store:
        await store.put(a_job(), expected=None)
        writer = sqlite3.connect(path, isolation_level=None)
        writer.execute("BEGIN IMMEDIATE")

        assert a_job() == await store.get("job-1")

        writer.close()


async def test_a_failing_call_fails_alone(path: Path) -> None:
    """One refused write leaves the others of its transaction in place."""
    async with SqliteStore(path) as store:
        answers = await asyncio.gather(
            store.put(a_job("one"), expected=None),
            store.put(a_job("nobody"), expected=3),
            store.put(a_job("two"), expected=None),
            return_exceptions=True,
        )

        assert [None, StoreError, None] == [answer and type(answer) for answer in answers]
        assert ["one", "two"] == [job.id async for job in store.open_jobs()]


@pytest.mark.parametrize("statement", ["BEGIN IMMEDIATE", "INSERT INTO timeline", "COMMIT"])
@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("SQLITE_FULL", "disk is full"),
        ("SQLITE_IOERR", "I/O error"),
        ("SQLITE_BUSY", "locked by another process"),
        ("SQLITE_READONLY", "read-only"),
        ("SQLITE_NOMEM", "cannot be used"),
    ],
)
async def test_a_failed_transaction_leaves_nothing_half_done(
    path: Path, monkeypatch: pytest.MonkeyPatch, statement: str, code: str, sentence: str
) -> None:
    """Whatever fails wherever: the caller is told, nothing was changed, the next call works again."""
    monkeypatch.setattr(group_commit, "LOCKED_SECONDS", 0.1)
    wire = Wire()
    async with SqliteStore(path, connect=wire) as store:
        job = a_job()
        await store.put(job, expected=None)
        wire.fail_at, wire.code = statement, code

        with pytest.raises(StoreError, match=sentence) as caught:
            await store.put(changed(job, polls=9), expected=0, observation=word())
        wire.fail_at = None

        assert "secret" not in str(caught.value)
        assert job == await store.get(job.id)
        assert () == await store.timeline(job.id)
        assert await store.put(changed(job), expected=0) is None


async def test_reads_of_a_failed_transaction_are_done_without_it(path: Path) -> None:
    """A full disk stops writing, not reading; each failed caller has an error of its own."""
    wire = Wire()
    async with SqliteStore(path, connect=wire) as store:
        await store.put(a_job(), expected=None)
        wire.fail_at = "BEGIN IMMEDIATE"

        first, kept, second = await asyncio.gather(
            store.put(a_job("one"), expected=None),
            store.get("job-1"),
            store.put(a_job("two"), expected=None),
            return_exceptions=True,
        )

    assert a_job() == kept
    assert isinstance(first, StoreError)
    assert isinstance(second, StoreError)
    assert first is not second


async def test_a_full_disk_is_survived(path: Path) -> None:
    """A real SQLITE_FULL rolls back by itself; there is room again once the limit is gone."""
    made: list[sqlite3.Connection] = []

    def limited(path: str) -> sqlite3.Connection:
        connection = sqlite3.connect(path, check_same_thread=False)
        made.append(connection)
        return connection

    async with SqliteStore(path, connect=limited) as store:
        await store.put(a_job(), expected=None)
        (pages,) = made[0].execute("PRAGMA page_count").fetchone()
        made[0].execute(f"PRAGMA max_page_count={pages}")

        with pytest.raises(StoreError, match="disk is full"):
            await store.set_aside(ACCOUNT, b"x" * 1_000_000, NOON)
        assert () == await store.laid_aside()
        made[0].execute("PRAGMA max_page_count=1000000")
        await store.set_aside(ACCOUNT, b"x" * 1_000_000, NOON)

        assert 1 == len(await store.laid_aside())


async def test_a_file_moved_away_is_noticed(path: Path) -> None:
    """Writes to a file nobody will find again are not acknowledged."""
    async with SqliteStore(path) as store:
        move_away(path)

        with pytest.raises(StoreError, match="moved or deleted"):
            await store.put(a_job(), expected=None)


async def test_a_locked_file_is_reported(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process that holds the write lock costs an error, not an endless wait."""
    monkeypatch.setattr(group_commit, "LOCKED_SECONDS", 0.1)
    async with SqliteStore(path) as store:
        writer = sqlite3.connect(path, isolation_level=None)
        writer.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked by another process"):
            await store.put(a_job(), expected=None)
        writer.execute("ROLLBACK")
        writer.close()

        assert await store.put(a_job(), expected=None) is None


async def test_closing_leaves_no_thread_and_no_open_file(path: Path) -> None:
    """What was queued before is done first."""
    before = set(threading.enumerate())
    async with SqliteStore(path) as store:
        late = [asyncio.create_task(store.put(a_job(f"{number}"), expected=None)) for number in range(20)]
        await asyncio.sleep(0)

    assert before == set(threading.enumerate())
    assert [None] * 20 == await asyncio.gather(*late)
    assert {"jobs.db", "jobs.db-mark"} == {each.name for each in path.parent.iterdir()}


async def test_opening_may_be_cancelled(path: Path) -> None:
    """Whoever gives up waiting leaves no thread behind."""
    before = set(threading.enumerate())
    opening = asyncio.create_task(SqliteStore(path).__aenter__())
    await asyncio.sleep(0)
    (thread,) = set(threading.enumerate()) - before
    opening.cancel()

    with pytest.raises(asyncio.CancelledError):
        await opening
    thread.join(5)

    assert not thread.is_alive()


async def test_virtual_time_waits_for_the_store(path: Path) -> None:
    """A timer never fires because the disk is slow: the thread is at work until its callers are told."""
    async with asyncio.timeout(0.000_1), SqliteStore(path) as store:
        for number in range(50):
            await store.put(a_job(f"{number}"), expected=None)

    assert 0 == asyncio.get_running_loop().time()
