"""The tables of the PostgreSQL store: how they are made, and which version of them this release knows."""

from __future__ import annotations

from typing import Any, Final

import psycopg
from psycopg import AsyncConnection, sql

from ...errors import StoreError
from ..sql import ENDED, STATUSES
from .connection import NO_RIGHT, Server, store_error
from .era import WRITTEN_BY
from .parked_schema import PARK
from .views import has_views, make_views

SCHEMA_VERSION: Final = 1


async def open_schema(server: Server) -> None:
    """See that the tables are there, or raise StoreError saying why the store cannot be used."""
    connection = await server.connect()
    try:
        await _refuse_pooler(server, connection)
        await _set_up(connection, server.schema)
        await connection.execute("DELETE FROM writer WHERE at < now() - interval '30 days'")
    except psycopg.Error as error:
        raise store_error(error) from None
    finally:
        await connection.close()


async def _refuse_pooler(server: Server, connection: AsyncConnection[Any]) -> None:
    """Raise StoreError where one server session serves several clients: they would share settings and notifications.

    PostgreSQL tells a client the number of its server process. A pooler tells one of its own making; in session mode,
    which does no harm, every client still has a process to itself.
    """
    process = await _process_of(connection)
    if process == connection.info.backend_pid:
        return
    for _ in range(POOLER_TRIES):
        if process != (process := await _process_of(connection)):
            raise StoreError(_POOLED)
        other = await server.connect()
        try:
            async with other.transaction():
                if await _process_of(other) == process:
                    raise StoreError(_POOLED)
        except psycopg.errors.ProtocolViolation:  # in statement mode there are no transactions
            raise StoreError(_POOLED) from None
        finally:
            await other.close()


async def _process_of(connection: AsyncConnection[Any]) -> int:
    found = await connection.execute("SELECT pg_backend_pid()")
    (process,) = await found.fetchone() or (0,)
    return int(process)


# Between two tries another client may have taken the process.
POOLER_TRIES: Final = 3
_POOLED: Final = (
    "a pooler in transaction mode stands before PostgreSQL and mixes the settings of its clients; nothing was changed: "
    "name the server itself, or a pooler in session mode"
)


async def _set_up(connection: AsyncConnection[Any], schema: str) -> None:
    """Make what is missing of tables and views; raise StoreError, touching nothing, where another program made them."""
    if await _version(connection, schema) == SCHEMA_VERSION and await has_views(connection, schema):
        return
    async with connection.transaction():
        # Several workers may start at once: the first makes the tables, the others find them.
        await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"belvo_async {schema}",))
        if await _version(connection, schema) is None:
            await _create(connection, schema)
        if not await has_views(connection, schema):
            await make_views(connection)


async def _version(connection: AsyncConnection[Any], schema: str) -> int | None:
    """The version of the tables there are; None when there are none."""
    found = await connection.execute(
        "SELECT count(*), count(*) FILTER (WHERE relname = 'store_version'), "
        "bool_and(has_schema_privilege(relnamespace, 'USAGE')) FROM pg_class WHERE relnamespace = "
        "(SELECT oid FROM pg_namespace WHERE nspname = %s) AND relkind = 'r'",
        (schema,),
    )
    tables, ours, visible = await found.fetchone() or (0, 0, None)
    if not tables:
        return None
    if not visible:
        # The server would say that there are no tables.
        raise StoreError(NO_RIGHT)
    if not ours:
        raise StoreError(f"the schema {schema} holds tables of another program; it was left as it is: name another one")
    rows = await connection.execute("SELECT version FROM store_version")
    (version,) = await rows.fetchone() or (0,)
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"the schema {schema} was written by a newer release (version {version}, this one knows {SCHEMA_VERSION}); "
            "it was left as it is: install that release"
        )
    return int(version)


async def _create(connection: AsyncConnection[Any], schema: str) -> None:
    # The right to make schemas is not needed where an administrator made this one.
    known = await connection.execute("SELECT FROM pg_namespace WHERE nspname = %s", (schema,))
    if await known.fetchone() is None:
        await connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    for statement in _TABLES:
        await connection.execute(statement.encode())
    await connection.execute("INSERT INTO store_version (version) VALUES (%s)", (SCHEMA_VERSION,))


# Instants are microseconds since 1970, UTC. `key` is set while the job stands in the way of equal ones; `started` while
# it has done so ever since it was new: of two equal jobs written as new at once the index refuses one, while a search
# that was given up may still find its job beside a younger equal one. `remote_id` is in normal form. `planned_at` is by
# which clock it was set when the job is due: its own, or that of who leased it last. `subject`, a digest, and
# `resource` are set while the job `is_nameless`; `whole` is the key of one that `is_whole`; `once` lists the names it
# holds, as JSON. Everything else about a job is in its document: bytes, because jsonb refuses U+0000.
_TABLES: Final = (
    # `place` is where the tables are: null until the first connection has found out.
    "CREATE TABLE store_version (version integer NOT NULL, era bigint NOT NULL DEFAULT 0, place text)",
    f"""
    CREATE TABLE job (
        id text COLLATE "C" PRIMARY KEY,
        account text COLLATE "C" NOT NULL,
        key text COLLATE "C",
        started boolean NOT NULL CHECK (key IS NOT NULL OR NOT started),
        open boolean NOT NULL,
        status text COLLATE "C" NOT NULL CHECK (status IN ({STATUSES})),
        remote_id text COLLATE "C",
        lane text COLLATE "C",
        created_at bigint NOT NULL,
        next_poll bigint,
        planned_at bigint,
        leased_until bigint NOT NULL DEFAULT 0,
        version bigint NOT NULL,
        seen bigint NOT NULL,
        document bytea NOT NULL,
        subject bytea,
        resource text COLLATE "C",
        once text,
        whole text COLLATE "C",
        settled_at bigint,
        era bigint NOT NULL,
        written_by bigint NOT NULL DEFAULT ({WRITTEN_BY}),
        due_at bigint GENERATED ALWAYS AS (
            CASE WHEN open AND next_poll IS NOT NULL THEN greatest(next_poll, leased_until) END
        ) STORED
    ) WITH (fillfactor = 80)
    """,
    "CREATE UNIQUE INDEX job_started ON job (account, key) WHERE started",
    "CREATE INDEX job_key ON job (account, key) WHERE key IS NOT NULL",
    "CREATE INDEX job_remote_id ON job (account, remote_id) WHERE remote_id IS NOT NULL",
    "CREATE INDEX job_nameless ON job (account, subject, resource) WHERE subject IS NOT NULL",
    "CREATE INDEX job_open ON job (created_at, id, account) WHERE open",
    "CREATE INDEX job_ended ON job (created_at, id, account) WHERE NOT open",
    "CREATE INDEX job_lane ON job (lane, created_at, id) WHERE open AND lane IS NOT NULL",
    "CREATE INDEX job_due ON job (account, due_at, created_at) WHERE due_at IS NOT NULL",
    "CREATE INDEX job_planned ON job (account, planned_at) WHERE due_at IS NOT NULL",
    "CREATE INDEX job_whole ON job (account, whole, settled_at) WHERE whole IS NOT NULL",
    """
    CREATE FUNCTION refuse_slower() RETURNS boolean LANGUAGE plpgsql AS
    $$ BEGIN RAISE serialization_failure USING MESSAGE = 'an equal job was started and finished meanwhile'; END $$
    """,
    """
    CREATE FUNCTION refuse_second_end() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE check_violation USING MESSAGE = 'the status of an ended job never changes'; END $$
    """,
    f"""
    CREATE TRIGGER job_end_is_final BEFORE UPDATE OF status ON job FOR EACH ROW
    WHEN (OLD.status IN ({ENDED}) AND NEW.status <> OLD.status)
    EXECUTE FUNCTION refuse_second_end()
    """,
    # Written and dropped under the lock of the job's row, which makes a foreign key unnecessary.
    """
    CREATE TABLE timeline (
        job_id text COLLATE "C",
        place bigint,
        document bytea NOT NULL,
        PRIMARY KEY (job_id, place)
    )
    """,
    # Given and taken under the lock of the job's row as well.
    """
    CREATE TABLE once (
        account text COLLATE "C",
        name text COLLATE "C",
        job_id text COLLATE "C" NOT NULL,
        PRIMARY KEY (account, name)
    )
    """,
    "CREATE INDEX once_job ON once (job_id)",
    # The texts in UTF-8, so that any may be kept, in their order.
    """
    CREATE TABLE entry (
        kind bytea,
        account bytea,
        key bytea,
        document bytea NOT NULL,
        PRIMARY KEY (kind, account, key)
    )
    """,
    *PARK,
    """
    CREATE TABLE aside (
        number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        account text COLLATE "C" NOT NULL,
        at bigint NOT NULL,
        document bytea NOT NULL
    )
    """,
    'CREATE TABLE budget (key text COLLATE "C" PRIMARY KEY, document bytea)',
    'CREATE TABLE rate_window (key text COLLATE "C" PRIMARY KEY, until bigint NOT NULL)',
    # A lease given back keeps its row, and with it the token the next owner's must exceed.
    """
    CREATE TABLE lease (
        key text COLLATE "C" PRIMARY KEY,
        owner text COLLATE "C",
        since bigint NOT NULL DEFAULT 0,
        until bigint NOT NULL DEFAULT 0,
        token bigint NOT NULL DEFAULT 0
    )
    """,
    # The last batch each open store wrote: tells whether a commit took place whose answer got lost.
    "CREATE TABLE writer (id text PRIMARY KEY, batch bigint NOT NULL, at timestamptz NOT NULL DEFAULT now())",
)
