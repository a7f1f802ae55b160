"""The PostgreSQL server the tests use, and schemas on it that are dropped again."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, NoReturn, Self

import psycopg
import pytest

from belvo_async.stores.postgres.store import PostgresStore
from belvo_async.stores.rules import ASIDE, PARKED, Bounds
from tests.waiting import hold_time_for_postgres

URL = "postgresql://postgres@127.0.0.1:5432/postgres"
BINARIES = Path(os.environ.get("PG_BINARIES", "/usr/lib/postgresql/15/bin"))
HOW_TO_START = (
    "no PostgreSQL on 127.0.0.1:5432: start one whose user `postgres` needs no password there, "
    "for example `docker run -e POSTGRES_HOST_AUTH_METHOD=trust -p 127.0.0.1:5432:5432 postgres`"
)


class Stores:
    """Makes stores, not yet open, all in one schema.

    Their connections carry the schema's name as application_name.
    """

    def __init__(self, schema: str) -> None:
        self.schema = schema

    def __call__(self, url: str = URL, *, parked: Bounds = PARKED, aside: Bounds = ASIDE) -> PostgresStore:
        options = f"?schema={self.schema}&application_name={self.schema}"
        return PostgresStore(url + options, parked=parked, aside=aside)


def missing(what: str) -> NoReturn:
    """Skip for want of a server, or fail where one is demanded."""
    if os.environ.get("BELVO_ASYNC_REQUIRE_SERVERS") == "1":
        pytest.fail(what)
    pytest.skip(what)


def admin() -> psycopg.Connection[tuple[object, ...]]:
    """A connection beside the store's."""
    try:
        return psycopg.connect(URL, autocommit=True, connect_timeout=2)
    except psycopg.OperationalError:
        missing(HOW_TO_START)


@contextmanager
def own_stores() -> Iterator[Stores]:
    """Stores in a schema nobody else uses; it is dropped in the end. Meanwhile time waits for the server."""
    schema = f"test_{secrets.token_hex(6)}"
    with admin() as connection, hold_time_for_postgres():
        yield Stores(schema)
        connection.execute(_END_OPEN_ONES, (schema,))
        connection.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE'.encode())


# Tables that have one row from the beginning, and what is in it before anything is written.
ONE_ROW = {"store_version": "era = 0, place = NULL", "parked_load": "count = 0, bytes = 0"}


class ReusedSchema:
    """A schema for one test after the other: its tables are emptied between them, not made and dropped."""

    def __init__(self) -> None:
        self._schema = f"test_{secrets.token_hex(6)}"
        self._connection = admin()
        # Emptied tables need not survive the server.
        self._connection.execute("SET synchronous_commit = off")
        # What triggers count is set below.
        self._connection.execute("SET session_replication_role = replica")
        self._connection.execute(f'SET search_path = "{self._schema}"'.encode())

    @contextmanager
    def stores(self) -> Iterator[Stores]:
        """Stores in it, for one test. Meanwhile time waits for the server."""
        with hold_time_for_postgres():
            yield Stores(self._schema)
        self._connection.execute(_END_OPEN_ONES, (self._schema,))
        if found := self._connection.execute(_TABLES_AND_PAGES, (self._schema,)).fetchall():
            self._empty([str(name) for name, _ in found], is_large=sum(int(str(size)) for _, size in found) > LARGE)

    def _empty(self, tables: list[str], *, is_large: bool) -> None:
        """Have the tables as they are when they are new; those that grew are made again."""
        if is_large:
            self.drop()
            return
        # Whoever still writes has ended, or been ended, before the lock is given.
        statements = [
            f"LOCK TABLE {', '.join(tables)}",
            *(f"DELETE FROM {each}" for each in {*tables} - ONE_ROW.keys()),
        ]
        statements += [f"UPDATE {table} SET {values}" for table, values in ONE_ROW.items()]
        with self._connection.transaction():
            self._connection.execute(";".join(statements).encode())

    def drop(self) -> None:
        """Leave nothing of it."""
        self._connection.execute(f'DROP SCHEMA IF EXISTS "{self._schema}" CASCADE'.encode())

    def close(self) -> None:
        self.drop()
        self._connection.close()


# A session that is still open, on an event loop that stands still meanwhile, would hold its locks for ever.
_END_OPEN_ONES = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s"
_TABLES_AND_PAGES = """
    SELECT relname, pg_total_relation_size(c.oid) FROM pg_class c JOIN pg_namespace n ON relnamespace = n.oid
    WHERE nspname = %s AND relkind = 'r'
"""
# New ones, with their indexes, are a third of it. What was deleted stays in them, and is gone through.
LARGE = 1_000_000


class OwnServer:
    """A server on a free port that a test may stop and start."""

    def __init__(self, home: Path) -> None:
        self._home = home
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.url = f"postgresql://postgres@127.0.0.1:{self._port}/postgres"
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            shutil.chown(home, "postgres")
        self._run("initdb", "-D", str(home), "-U", "postgres", "-A", "trust", "--no-sync")

    def start(self) -> None:
        options = f"-p {self._port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
        self._run("pg_ctl", "-D", str(self._home), "-w", "-l", str(self._home / "log"), "-o", options, "start")

    def stop(self, mode: str = "immediate") -> None:
        self._run("pg_ctl", "-D", str(self._home), "-w", "-m", mode, "stop")

    def _run(self, program: str, *arguments: str) -> None:
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
        command = [*as_user, str(BINARIES / program), *arguments]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd="/")


@contextmanager
def own_server() -> Iterator[OwnServer]:
    """A started server whose files are deleted in the end."""
    if not (BINARIES / "initdb").exists():
        missing(f"no PostgreSQL programs in {BINARIES}: install `postgresql`, or name their directory in PG_BINARIES")
    # The directories pytest makes may not be entered by other users.
    with tempfile.TemporaryDirectory(prefix="belvo_async_pg_") as home:
        server = OwnServer(Path(home))
        server.start()
        try:
            yield server
        finally:
            with suppress(subprocess.CalledProcessError):
                server.stop()


# The end of a transaction, and the one statement by which a job is written alone.
_COMMITS = (b"COMMIT", b"WITH written AS")


class Proxy:
    """A TCP proxy before the server that loses a connection at the moment the client commits.

    A chunk of the client's that holds `hold` it passes on once it is told to `go_on`.
    """

    def __init__(self) -> None:
        self.cut_at_commit: Literal["before", "after"] | None = None
        self.cuts = 0
        # Pieces of the client's: a round trip of few bytes is one.
        self.asked = 0
        self.hold: bytes | None = None
        self.holds = asyncio.Event()
        self.go_on = asyncio.Event()
        self._writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        self.url = f"postgresql://postgres@127.0.0.1:{self._server.sockets[0].getsockname()[1]}/postgres"
        return self

    def hear_nobody(self) -> None:
        """Take no new connections."""
        self._server.close()

    async def __aexit__(self, *exc_info: object) -> None:
        self.hear_nobody()
        for writer in self._writers:
            writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection("127.0.0.1", 5432)
        self._writers += [writer, to_server]
        answers = asyncio.create_task(_pump(from_server, writer))
        while chunk := await reader.read(65536):
            self.asked += 1
            if self.cut_at_commit is not None and any(each in chunk for each in _COMMITS):
                fate, self.cut_at_commit = self.cut_at_commit, None
                self.cuts += 1
                if fate == "after":
                    # Nothing more reaches the client; the server still gets to read all.
                    answers.cancel()
                    to_server.write(chunk)
                    await to_server.drain()
                    await from_server.read(1)
                break
            if self.hold is not None and self.hold in chunk:
                self.holds.set()
                await self.go_on.wait()
            to_server.write(chunk)
        to_server.close()
        writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while chunk := await reader.read(65536):
            writer.write(chunk)
    writer.close()
