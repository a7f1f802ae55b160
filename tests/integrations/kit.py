"""Mirrors of the simulators: what a test asks of them, and time that waits for their loads."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from unittest.mock import patch

import duckdb
import psycopg
import pytest

from belvo_async.integrations.dlt import MirrorSink, list_tasks, mirror_lists
from belvo_async.integrations.dlt.loader import Loader
from belvo_async.planning import Plan
from belvo_async.simulator import BelvoSimulator, SyntageSimulator
from belvo_async.simulator.wire import JsonObject
from tests.session.world import FIRST, LAST, World
from tests.stores.postgres.server import URL, admin
from tests.virtual_time import VirtualClock, hold_time_while


class Database(Protocol):
    """Where a test mirrors to. `spec` is what one types."""

    spec: str
    schema: str

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask it, as its users do; `fiscal` stands for the schema."""
        ...


class DuckdbFile:
    """A file of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.path, self.schema = folder / "sat.duckdb", "fiscal"
        self.spec = f"duckdb:{self.path}"

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.path)) as connection:
            connection.execute("SET TimeZone = 'UTC'; SET search_path = 'fiscal'")
            return connection.execute(sql, list(values)).fetchall()


class PostgresSchema:
    """A schema of the test's own, dropped in the end."""

    def __init__(self) -> None:
        self.schema = f"mirror_{secrets.token_hex(6)}"
        self.spec = f"{URL}?schema={self.schema}"

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        sql = sql.replace("%", "%%").replace("?", "%s").replace("fiscal.", f"{self.schema}.")
        with psycopg.connect(URL, options="-c timezone=UTC", autocommit=True) as connection:
            connection.execute(f"SET search_path = {self.schema}".encode())
            found = connection.execute(sql.encode(), values)
            return [] if found.description is None else found.fetchall()

    def drop(self) -> None:
        with admin() as connection:
            for each in (self.schema, f"{self.schema}_staging"):
                connection.execute(f'DROP SCHEMA IF EXISTS "{each}" CASCADE'.encode())


@contextmanager
def open_database(kind: str, folder: Path) -> Iterator[Database]:
    """A place where nothing is yet."""
    if kind == "duckdb":
        yield DuckdbFile(folder)
        return
    with admin():
        schema = PostgresSchema()
    try:
        yield schema
    finally:
        schema.drop()


@contextmanager
def hold_time_for_mirrors() -> Iterator[None]:
    """Let no time pass while rows are being loaded."""
    under_way: list[Future[None]] = []
    submit = Loader.submit

    def noting(loader: Loader, spool: Any) -> Future[None]:
        future = submit(loader, spool)
        under_way.append(future)
        future.add_done_callback(under_way.remove)
        return future

    with patch.object(Loader, "submit", noting), hold_time_while(lambda: bool(under_way)):
        yield


def contents(database: Database, tables: Sequence[str]) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of some tables, history and all."""
    return {each: sorted(database.rows(f"SELECT * FROM fiscal.{each}"), key=repr) for each in tables}


def tables_of(database: Database) -> list[str]:
    """The tables and views of a mirror, without dlt's own."""
    sql = "SELECT table_name FROM information_schema.tables WHERE table_schema = ?"
    return sorted(str(name) for (name,) in database.rows(sql, database.schema) if not str(name).startswith("_dlt"))


@dataclass(frozen=True, kw_only=True)
class Mirrored:
    """A database that mirrors a year of both vendors, for tests that only read it; and what the vendors hold."""

    database: Database
    belvo: list[JsonObject]
    syntage: list[JsonObject]
    secrets: list[str]
    views: tuple[str, ...]


async def mirror_both(database: Database) -> Mirrored:
    """Mirror invoices of two links and two entities, and two lists."""
    clock = VirtualClock(asyncio.get_running_loop())
    async with (
        BelvoSimulator(now=clock.now, invoices_per_year=72) as belvo,
        SyntageSimulator(now=clock.now, invoices_per_year=72) as syntage,
        AsyncExitStack() as stack,
    ):
        session = await World(belvo, syntage, clock, stack).open()
        links, entities = belvo.links[:2], syntage.entities[:2]
        async with MirrorSink(database.spec, session.vendors) as sink:
            for plan in (
                Plan(vendor="belvo", resource="invoices", subjects=links, first=FIRST, last=LAST),
                Plan(vendor="syntage", resource="invoice", subjects=entities, first=FIRST, last=LAST),
            ):
                async for _ in await session.extract(plan, into=sink):
                    pass
            tasks = list(list_tasks(session.vendors, {}, names=["entities", "links"]))
            assert all([each.error is None async for each in mirror_lists(session, sink, tasks, clock=clock)])
            views = await sink.make_views()
            # Also where they are there already.
            assert views == await sink.make_views()
        period: JsonObject = {"period": {"from": FIRST.isoformat(), "to": LAST.isoformat()}}
        return Mirrored(
            database=database,
            belvo=[row for each in links for row in belvo.invoices(each, FIRST, LAST)],
            syntage=[row for each in entities for row in syntage.invoices(each, period)],
            secrets=[
                *(belvo.secret_id, belvo.secret_password, belvo.webhook_authorization),
                *(syntage.api_key, syntage.signing_secret),
            ],
            views=views,
        )


both_databases = pytest.mark.parametrize("database", ["duckdb", "postgres"], indirect=True)
