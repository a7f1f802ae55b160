"""What dashboards read: jobs and coverage as plain columns of the SQLite file and of PostgreSQL, and read-only."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import psycopg
import pytest
from msgspec.structs import replace

from belvo_async.jobs import STATES, Extent, Failure, Job, Status, Task, Way, encode_job
from belvo_async.planning import Known, Plan, cover
from belvo_async.stores.postgres.store import PostgresStore
from belvo_async.stores.sqlite import schema
from belvo_async.stores.sqlite.store import SqliteStore
from tests.stores.postgres.server import URL, Stores, admin
from tests.stores.samples import ACCOUNT, NOON, a_job, after, changed, proving

LINK = "00000000-0000-4000-8000-000000000001"
PAGE = (Path(__file__).parents[2] / "docs" / "stores.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
Row = dict[str, Any]
Ask = Callable[[str], list[Row]]


class Wanting(Task[object], frozen=True, kw_only=True, tag="views.Wanting"):
    """A task of days of both directions."""

    link: str = LINK
    first: date | None = date(2026, 5, 1)
    last: date | None = date(2026, 5, 31)

    @property
    def subject(self) -> str:
        return self.link

    @property
    def resource(self) -> str:
        return "INVOICES"

    @property
    def extent(self) -> Extent:
        return Extent(directions=("issued", "received"), first=self.first, last=self.last)


class Kept(NamedTuple):
    """A store, not yet open, and two ways beside it: that of a program which may only read, and that of its owner."""

    store: SqliteStore | PostgresStore
    ask: Ask
    change: Callable[..., None]


@pytest.fixture(params=["sqlite", "postgres"])
def kept(request: pytest.FixtureRequest, path: Path) -> Kept:
    if request.param == "sqlite":
        return Kept(SqliteStore(path), partial(read_sqlite, path), partial(change_sqlite, path))
    stores: Stores = request.getfixturevalue("postgres_stores")
    return Kept(stores(), partial(read_postgres, stores.schema), partial(change_postgres, stores.schema))


def read_sqlite(path: Path, query: str) -> list[Row]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(each) for each in connection.execute(query)]


def change_sqlite(path: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(statement, values)


def read_postgres(schema: str, query: str) -> list[Row]:
    with admin() as connection:
        settings = f'SET search_path = "{schema}"; SET TIME ZONE UTC; SET default_transaction_read_only = on'
        connection.execute(settings.encode())
        cursor = connection.execute(query.encode())
        names = [each.name for each in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def change_postgres(schema: str, statement: str, *values: object) -> None:
    with admin() as connection:
        connection.execute(f'SET search_path = "{schema}"'.encode())
        connection.execute(statement.replace("?", "%s").encode(), values)


def instant(value: Any) -> datetime | None:
    """An instant, whichever store tells it."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def day(value: Any) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else value


ENDED = {"status": Status.FINISHED, "settled_at": after(90.5), "settled_by": Way.WEBHOOK, "attempted_at": NOON}
JOBS = {
    "queued": a_job(task=Wanting()),
    "submitting": a_job(task=Wanting(), attempted_at=NOON),
    "uncertain": a_job(task=Wanting(), status=Status.UNCERTAIN, attempted_at=NOON),
    "pending": a_job(task=Wanting(), status=Status.PENDING, attempted_at=NOON, remote_id="AB-1"),
    "stopping": a_job(task=Wanting(), status=Status.STOPPING, attempted_at=NOON),
    "finished": a_job(task=Wanting(), **ENDED),
    "partial": a_job(task=Wanting(), **ENDED, partial=True, retry_at=after(3600)),
    "inferred": a_job(task=Wanting(), **{**ENDED, "settled_by": Way.INFERENCE}),
    "failed": a_job(task=Wanting(), **{**ENDED, "status": Status.FAILED}, failure=Failure(code="login_error")),
    "rejected": a_job(task=Wanting(), **{**ENDED, "status": Status.REJECTED}, failure=Failure(code="bad")),
    "withdrawn": a_job(task=Wanting(), status=Status.REJECTED, settled_by=Way.USER, settled_at=NOON),
    "stopped": a_job(task=Wanting(), **{**ENDED, "status": Status.STOPPED}),
    "abandoned": a_job(task=Wanting(), status=Status.PENDING, attempted_at=NOON, abandoned=True, settled_by=Way.USER),
    "given up unsent": a_job(task=Wanting(), abandoned=True, settled_by=Way.USER),
    "given up in doubt": a_job(task=Wanting(), attempted_at=NOON, abandoned=True, settled_by=Way.USER),
    "unconfirmed": a_job(
        task=Wanting(), status=Status.RUNNING, attempted_at=NOON, abandoned=True, settled_by=Way.INFERENCE
    ),
    "asked on its last day": a_job(task=Wanting(last=date(2026, 6, 1)), **ENDED),
    "asked before midnight in Mexico": a_job(
        task=Wanting(), **ENDED, created_at=datetime(2026, 6, 1, 5, 59, tzinfo=UTC)
    ),
    "asked before its days": a_job(task=Wanting(first=date(2026, 6, 2), last=date(2026, 6, 3)), **ENDED),
    "without days": a_job(task=Wanting(first=None, last=None), **ENDED),
}
EVERY_JOB = [pytest.param(job, id=name) for name, job in JOBS.items()]


def test_every_word_of_a_state_is_among_the_samples() -> None:
    """So that the view is held against each of them."""
    assert {*STATES} <= {each.state for each in JOBS.values()}


@pytest.mark.parametrize("job", EVERY_JOB)
async def test_a_job_is_a_row_of_plain_columns(kept: Kept, job: Job) -> None:
    """Under the words that `Job` has, in real dates and instants."""
    store, ask, _ = kept
    job = replace(job, tags={"team": "risk"}, once=("a", "b"))
    async with store:
        await store.put(job, expected=None)

        (row,) = ask("SELECT * FROM jobs_view")

    extent = job.task.extent
    assert extent is not None
    assert ("job-1", "test", ACCOUNT, LINK) == (row["id"], row["vendor"], row["account"], row["subject"])
    assert ("INVOICES", "views.Wanting", "issued+received") == (row["resource"], row["kind"], row["direction"])
    assert (extent.first, extent.last) == (day(row["first_day"]), day(row["last_day"]))
    assert (job.state, job.partial) == (row["state"], bool(row["partial"]))
    assert (job.settled_by, job.failure and job.failure.code) == (row["settled_by"], row["failure_code"])
    assert (job.created_at, job.settled_at) == (instant(row["created_at"]), instant(row["settled_at"]))
    assert (job.retry_at, job.remote_id) == (instant(row["retry_at"]), row["remote_id"])
    assert (None if job.settled_at is None else (job.settled_at - job.created_at).total_seconds()) == (
        row["duration_seconds"]
    )
    assert ({"team": "risk"}, ["a", "b"]) == (parsed(row["tags"]), parsed(row["once"]))


def parsed(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def known(rows: Sequence[Row]) -> list[tuple[str, date | None, date | None, str]]:
    found = [(row["direction"], day(row["first_day"]), day(row["last_day"]), row["what"]) for row in rows]
    return sorted(found, key=str)


@pytest.mark.parametrize("is_pruned", [False, True], ids=["kept", "pruned"])
@pytest.mark.parametrize("job", EVERY_JOB)
async def test_coverage_says_what_plans_say_of_a_job(kept: Kept, job: Job, is_pruned: bool) -> None:
    """Of every day and direction, by the same words; a job that was pruned counts by the proof it left."""
    store, ask, _ = kept
    if is_pruned and (job.is_open or job.is_queued):
        return
    extent = job.task.extent
    assert extent is not None
    plan = Plan(
        vendor="test",
        resource="INVOICES",
        subjects=(LINK,),
        directions=extent.directions,
        first=extent.first,
        last=extent.last,
    )
    async with store:
        await store.put(job, expected=None)
        if is_pruned:
            await store.forget(job.id, keep_proof=True)

        rows = ask("SELECT * FROM coverage_view")

    cells = [each for each in cover(plan, [job]).cells if each.known is not Known.NEVER_ASKED]
    words = {Known.MISSING: "open" if job.is_open else "missing"}
    assert sorted(((c.direction, c.first, c.last, words.get(c.known, str(c.known))) for c in cells), key=str) == known(
        rows
    )
    assert {(LINK, "INVOICES", job.id, job.settled_at, is_pruned)} >= {
        (row["subject"], row["resource"], row["job"], instant(row["settled_at"]), bool(row["pruned"])) for row in rows
    }


async def test_a_job_that_is_kept_and_proven_counts_once(kept: Kept) -> None:
    """As after a restore of what was pruned meanwhile."""
    store, ask, _ = kept
    async with store:
        await store.put(proving(), expected=None)
        await store.forget("job-1", keep_proof=True)
        await store.put(proving(), expected=None)

        rows = ask("SELECT * FROM coverage_view")

    assert [False] == [bool(each["pruned"]) for each in rows]


async def test_an_odd_row_costs_no_other(kept: Kept) -> None:
    """Neither signs that PostgreSQL keeps in no text, nor what is no JSON, nor what an earlier build wrote."""
    store, ask, change = kept
    async with store:
        await store.put(proving("good"), expected=None)
        await store.put(replace(proving("signs", key="k2"), tags={"a\0b": "\\u0000 \\\0", "c": "\\"}), expected=None)
        for place, document in enumerate(ODD):
            await store.put(proving(f"odd-{place}", key=f"{place}"), expected=None)
            change("UPDATE job SET document = ? WHERE id = ?", document, f"odd-{place}")

        rows = {row["id"]: row for row in ask("SELECT * FROM jobs_view")}
        covered = [row["job"] for row in ask("SELECT * FROM coverage_view ORDER BY job")]

    assert {"good", "signs", *(f"odd-{place}" for place in range(len(ODD)))} == set(rows)
    assert {"finished"} == {row["state"] for row in rows.values()}
    assert {ACCOUNT} == {row["account"] for row in rows.values()}
    assert ["good", "signs"] == covered
    assert "\\" == parsed(rows["signs"]["tags"])["c"]
    assert "odd-0" == parsed(rows["odd-0"]["tags"])["kept"]


def earlier() -> bytes:
    """A document as it was before it had an outline."""
    document = json.loads(encode_job(replace(proving("odd-0"), tags={"kept": "odd-0"})))
    del document["outline"]
    return json.dumps(document).encode()


# After the first: what no build of ours writes. A lone surrogate is JSON, and no text of PostgreSQL's.
ODD = (
    earlier(),
    b"no JSON",
    b'{"facts": {}, "x": "\\ud800"}',
    b'{"facts": []}',
    b'{"facts": {"retry_at": "never"}}',
    b"\xff",
)


@pytest.mark.parametrize("taxpayer", ["/taxpayers/XAXX010101000", "XAXX010101000", "x;XAXX010101000"])
async def test_no_taxpayer_is_named(kept: Kept, taxpayer: str) -> None:
    """A subject that is an RFC is shown as the digest that export folders have of it; a UUID as it is."""
    store, ask, _ = kept
    async with store:
        await store.put(proving(task=Wanting(link=taxpayer)), expected=None)
        await store.put(proving("job-2", key="k2", task=Wanting(link=f"/entities/{LINK.upper()}")), expected=None)

        rows = [*ask("SELECT * FROM jobs_view ORDER BY id"), *ask("SELECT * FROM coverage_view ORDER BY job")]

    assert "XAXX010101000" not in str(rows)
    assert {True, False} == {row["subject"] == LINK for row in rows}
    assert 2 == len({row["subject"] for row in rows})


@pytest.mark.parametrize("view", ["jobs_view", "coverage_view"])
@pytest.mark.parametrize(
    "change", ["DELETE FROM {}", "UPDATE {} SET vendor = 'x'", "INSERT INTO {} (vendor) VALUES ('x')"]
)
async def test_nothing_is_written_through_a_view(kept: Kept, view: str, change: str) -> None:
    """Not even by who may write to the tables."""
    store, _, write = kept
    async with store:
        await store.put(proving(), expected=None)

        with pytest.raises((sqlite3.OperationalError, psycopg.Error), match=r"cannot (modify|delete|update|insert)"):
            write(change.format(view))

        assert await store.get("job-1") == proving()


@contextmanager
def role(schema: str, *grants: str) -> Iterator[str]:
    """A role of PostgreSQL that may do so much."""
    name = f"{schema}_role"
    with admin() as connection:
        connection.execute(f'CREATE ROLE "{name}" LOGIN'.encode())
        try:
            for grant in grants:
                connection.execute(grant.format(schema=schema, name=name).encode())
            yield name
        finally:
            connection.execute(f'DROP OWNED BY "{name}"; DROP ROLE "{name}"'.encode())


async def test_a_role_that_reads_the_views_reads_nothing_else(postgres_stores: Stores) -> None:
    """What a dashboard is given: two views. The tables, and with them the documents, stay shut."""
    async with postgres_stores() as store:
        await store.put(proving(), expected=None)
        schema = postgres_stores.schema
        grants = (
            'GRANT USAGE ON SCHEMA "{schema}" TO "{name}"',
            'GRANT SELECT ON "{schema}".jobs_view, "{schema}".coverage_view TO "{name}"',
        )
        with role(schema, *grants) as name, psycopg.connect(URL, user=name, autocommit=True) as connection:
            jobs = connection.execute(f'SELECT id FROM "{schema}".jobs_view'.encode()).fetchall()
            days = connection.execute(f'SELECT job, what FROM "{schema}".coverage_view'.encode()).fetchall()

            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f'SELECT * FROM "{schema}".job'.encode())

    assert ([("job-1",)], [("job-1", "proven")]) == (jobs, days)


async def test_a_store_of_an_earlier_build_is_given_its_views(kept: Kept) -> None:
    """When it is opened again; nothing else of it changes."""
    store, ask, _ = kept
    async with store:
        await store.put(proving(), expected=None)
        drop_views(kept)

    for _ in range(2):
        async with store:
            assert ["job-1"] == [row["id"] for row in ask("SELECT * FROM jobs_view")]
            assert ["job-1"] == [row["job"] for row in ask("SELECT * FROM coverage_view")]


@pytest.mark.parametrize("view", ["coverage_view", "jobs_view"])
async def test_a_view_that_somebody_dropped_keeps_no_store_closed(kept: Kept, view: str) -> None:
    """It is made again, as far as anybody notices."""
    store, ask, change = kept
    async with store:
        change(f"DROP VIEW {view}")
    async with store:
        await store.put(proving(), expected=None)
        assert ["job-1"] == [row["job"] for row in ask("SELECT * FROM coverage_view")]


def drop_views(kept: Kept) -> None:
    """Have the schema as an earlier build made it."""
    for view in ("coverage_view", "jobs_view"):
        kept.change(f"DROP VIEW {view}")
    if isinstance(kept.store, PostgresStore):
        kept.change("DROP FUNCTION read_document")


async def test_a_role_that_may_make_nothing_opens_a_store_without_views(postgres_stores: Stores) -> None:
    """Where an administrator made the tables, who only writes into them goes on as before."""
    schema = postgres_stores.schema
    async with postgres_stores() as store:
        drop_views(Kept(store, partial(read_postgres, schema), partial(change_postgres, schema)))
    grants = (
        'GRANT USAGE ON SCHEMA "{schema}" TO "{name}"',
        'GRANT ALL ON ALL TABLES IN SCHEMA "{schema}" TO "{name}"',
        'GRANT ALL ON ALL SEQUENCES IN SCHEMA "{schema}" TO "{name}"',
    )

    with role(schema, *grants) as name:
        async with postgres_stores(URL.replace("postgres@", f"{name}@")) as store:
            await store.put(proving(), expected=None)
            found = await store.get("job-1")

    assert proving() == found


async def test_a_changed_job_is_a_changed_row(kept: Kept) -> None:
    """A view holds nothing of its own."""
    store, ask, _ = kept
    job = a_job(task=Wanting(), status=Status.PENDING, attempted_at=NOON)
    async with store:
        await store.put(job, expected=None)
        await store.put(changed(job, **ENDED), expected=0)

        (row,) = ask("SELECT state, version FROM jobs_view")

    assert ("finished", 1) == (row["state"], row["version"])


@pytest.mark.parametrize(
    "title", ["what is under way, and for how long such jobs take", "until which day each subject is proven"]
)
async def test_queries_of_the_page(kept: Kept, title: str) -> None:
    """The same text in both, as it stands there."""
    store, ask, _ = kept
    query = next(each for each in QUERIES if each.startswith(f"-- {title}\n"))
    async with store:
        await store.put(proving(task=Wanting(), **ENDED), expected=None)

        rows = [{name: str(value) for name, value in row.items()} for row in ask(query)]

    whose = {"subject": LINK, "resource": "INVOICES", "proven_until": "2026-05-31"}
    expected = {
        "what": [{"vendor": "test", "resource": "INVOICES", "state": "finished", "jobs": "1", "seconds": "90.5"}],
        "until": [{**whose, "direction": "issued"}, {**whose, "direction": "received"}],
    }
    assert expected[title.split()[0]] == rows


def test_every_column_stands_on_the_page() -> None:
    """In the order of the views."""
    rows = dict(re.findall(r"^\| `(\w+_view)` \|.*\| (.*) \|$", PAGE, re.MULTILINE))
    with closing(sqlite3.connect(":memory:")) as connection:
        schema.create(connection, 0)
        for view, columns in rows.items():
            found = [str(each[1]) for each in connection.execute(f"PRAGMA table_info({view})")]
            assert re.findall(r"`(\w+)`", columns) == found

    assert {"jobs_view", "coverage_view"} == set(rows)


@pytest.mark.proof
async def test_duckdb_attaches_the_file(path: Path) -> None:
    """By its extension for SQLite, which it loads from the net once (`INSTALL sqlite`)."""
    async with SqliteStore(path) as store:
        await store.put(proving(), expected=None)
        await store.put(proving("job-2", key="k2", task=Wanting()), expected=None)
        await store.forget("job-2", keep_proof=True)

        with duckdb.connect() as connection:
            try:
                connection.execute("LOAD sqlite")
            except duckdb.Error:
                pytest.skip("DuckDB has no extension for SQLite here: `INSTALL sqlite` brings it")
            connection.execute(f"ATTACH '{path}' AS store (TYPE sqlite, READ_ONLY)")
            query = "SELECT id, created_at::TIMESTAMP, duration_seconds::DOUBLE FROM store.jobs_view"
            jobs = connection.execute(query).fetchall()
            days = connection.execute("SELECT job, direction, what FROM store.coverage_view ORDER BY ALL").fetchall()

    assert [("job-1", NOON.replace(tzinfo=None), 5.0)] == jobs
    assert [("job-1", "all", "proven"), ("job-2", "issued", "proven"), ("job-2", "received", "proven")] == days
