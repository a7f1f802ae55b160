"""Connections to PostgreSQL: how they are made and lost, and what to say when there is none."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Final, LiteralString, NamedTuple, TypeAlias

import psycopg
from psycopg import AsyncConnection, AsyncCursor
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import Conninfo

from ...abc import Secret
from ...descriptors import EXHAUSTED, are_exhausted
from ...discreet import discreet
from ...errors import ConfigurationError, StoreError, StoreLostError

Row = tuple[Any, ...]
Arrive: TypeAlias = "Callable[[AsyncConnection[Row]], Awaitable[None]]"

DEFAULT_SCHEMA: Final = "belvo_async"
# A name that needs no quoting, at most NAMEDATALEN - 1 bytes: it also names the channel of notifications.
SCHEMA_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")
# The server ends every statement after 5 s: one that has not answered by then is stopped or unreachable.
ANSWER_SECONDS: Final = 6.0
FIRST_PAUSE_SECONDS: Final = 0.05
LONGEST_PAUSE_SECONDS: Final = 1.0

# What the URL may override. A read-only server would refuse every write: libpq looks for the primary of several hosts.
_DEFAULTS: Final = {
    "fallback_application_name": "belvo_async",
    "connect_timeout": "3",
    "target_session_attrs": "read-write",
    "keepalives_idle": "10",
    "keepalives_interval": "3",
    "keepalives_count": "3",
    "tcp_user_timeout": "6000",
}
# A role that asks for more than `on` keeps it.
_SETTINGS: Final = """
    SELECT set_config('statement_timeout', '5s', false),
        set_config('lock_timeout', '1s', false),
        set_config('idle_in_transaction_session_timeout', '10s', false),
        set_config('default_transaction_isolation', 'read committed', false),
        set_config('search_path', %s, false),
        set_config('synchronous_commit', CASE WHEN current_setting('synchronous_commit') = 'remote_apply'
            THEN 'remote_apply' ELSE 'on' END, false),
        current_setting('server_encoding')
"""


class Statement(NamedTuple):
    """One SQL statement with its values."""

    query: LiteralString
    values: Sequence[object] = ()


class ConnectionLostError(Exception):
    """The connection was lost while the server worked on something. Never leaves the store."""


class Server:
    """Where the database is. Its URL shows nowhere: it may hold a password."""

    @discreet
    def __init__(self, url: str) -> None:
        url, self.schema = _without_schema(url)
        try:
            given = conninfo_to_dict(url)
            self._conninfo = Secret(make_conninfo("", **{**_DEFAULTS, **given, "client_encoding": "UTF8"}))
        except psycopg.Error:
            # libpq quotes the part it does not understand, which may be the password.
            raise ConfigurationError(f"the store's PostgreSQL URL cannot be read: {_complaint(url)}") from None

    @discreet
    async def connect(self, arrive: Arrive | None = None) -> AsyncConnection[Row]:
        """Open a connection with our settings, or raise StoreError. `arrive` is the first to use it."""
        _check_loop()
        connection: AsyncConnection[Row] | None = None
        try:
            connection = await AsyncConnection[Row].connect(
                self._conninfo.reveal(), autocommit=True, prepare_threshold=2
            )
            settings = await (await connection.execute(_SETTINGS, (self.schema,))).fetchone()
            if arrive is not None:
                await arrive(connection)
        except BaseException as error:
            if connection is not None:
                await connection.close()
            if isinstance(error, psycopg.Error):
                raise store_error(error) from None
            raise
        if settings is None or settings[-1] != "UTF8":
            await connection.close()
            raise StoreError("the PostgreSQL database must have the encoding UTF8; it was left as it is")
        return connection


def _check_loop() -> None:
    """Refuse the loop that Windows has by default: it cannot wait for sockets of others, psycopg's among them."""
    proactor: type[object] | None = getattr(asyncio, "ProactorEventLoop", None)
    if proactor is not None and isinstance(asyncio.get_running_loop(), proactor):
        raise StoreError(
            "psycopg cannot work on the ProactorEventLoop that Windows has by default; nothing was changed. Start the "
            "program with `asyncio.run(main(), loop_factory=asyncio.SelectorEventLoop)`, before Python 3.12 with "
            "`asyncio.Runner(loop_factory=asyncio.SelectorEventLoop)`"
        )


class PersistentConnection:
    """One connection, made when it is needed and again after it was lost. Used by one task at a time."""

    def __init__(self, server: Server, arrive: Arrive | None = None) -> None:
        self._server = server
        self._arrive = arrive
        self._connection: AsyncConnection[Row] | None = None
        self._failures = 0
        self._retry_at = 0.0

    @property
    def backend(self) -> int | None:
        """The number of the server process at the other end."""
        return None if self._connection is None else self._connection.pgconn.backend_pid

    async def connect(self) -> AsyncConnection[Row]:
        """The connection; raises StoreError while there is none, at once when it was just tried in vain."""
        if self._connection is not None and not self._connection.closed:
            return self._connection
        await self.drop()
        loop = asyncio.get_running_loop()
        if loop.time() < self._retry_at:
            raise StoreError(_UNREACHABLE)
        try:
            self._connection = await self._server.connect(self._arrive)
        except StoreError:
            pause = min(FIRST_PAUSE_SECONDS * 2 ** min(self._failures, 9), LONGEST_PAUSE_SECONDS)
            self._failures += 1
            self._retry_at = loop.time() + pause
            raise
        self._failures = 0
        return self._connection

    async def ask(self, statements: Sequence[Statement]) -> list[list[Row]]:
        """Send statements together and give the rows of each.

        The first that is refused ends them all: psycopg.Error. Raises ConnectionLostError when the connection goes
        meanwhile and StoreError when there was none.
        """
        connection = await self.connect()
        overdue = asyncio.get_running_loop().call_later(ANSWER_SECONDS, self.cut)
        try:
            return await _run(connection, statements)
        except psycopg.Error as error:
            cause = _first(error)
            if connection.closed or _is_farewell(cause):
                await self.drop()
                raise ConnectionLostError from None
            raise cause from None
        except BaseException:
            await self.drop()
            raise
        finally:
            overdue.cancel()

    def cut(self) -> None:
        """Shut the socket down: whoever waits for an answer is told that the connection is lost."""
        if self._connection is None or self._connection.closed:
            return
        # Closing it instead would leave its number to a new socket while the event loop still watches it.
        with suppress(OSError):
            end = socket.socket(fileno=self._connection.fileno())
            try:
                end.shutdown(socket.SHUT_RDWR)
            finally:
                end.detach()

    async def drop(self) -> None:
        """Close the connection; the next use makes a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    def abandon(self) -> None:
        """Close the socket without an event loop."""
        if self._connection is not None:
            self._connection.pgconn.finish()


async def _run(connection: AsyncConnection[Row], statements: Sequence[Statement]) -> list[list[Row]]:
    if len(statements) == 1:
        cursors = [await connection.execute(*statements[0], binary=True)]
    else:
        cursors = await _send_together(connection, statements)
    return [await cursor.fetchall() if cursor.description else [] for cursor in cursors]


async def _send_together(connection: AsyncConnection[Row], statements: Sequence[Statement]) -> list[AsyncCursor[Row]]:
    """Run statements in one round trip, or raise what was wrong with the first that failed."""
    first: psycopg.Error | None = None
    cursors: list[AsyncCursor[Row]] = []
    try:
        async with connection.pipeline():
            try:
                # Of a pipeline that breaks off, nobody knows which statements were prepared.
                cursors = [
                    await connection.execute(query, values, prepare=False, binary=True) for query, values in statements
                ]
            except psycopg.Error as error:
                # Leaving the block with it would have psycopg log what follows from it.
                first = error
    except psycopg.Error as error:
        first = first or error
    if first is not None:
        raise first
    return cursors


def _without_schema(url: str) -> tuple[str, str]:
    """Split off our own option, which libpq would refuse."""
    base, _, query = url.partition("?")
    _check_place(base)
    options = [each for each in query.split("&") if each]
    ours = [each.partition("=")[2] for each in options if each.partition("=")[0] == "schema"]
    schema = ours[-1] if ours else DEFAULT_SCHEMA
    if not SCHEMA_NAME.fullmatch(schema):
        raise ConfigurationError("the store's `schema` must be a name of lower-case letters, digits and underscores")
    rest = "&".join(each for each in options if each.partition("=")[0] != "schema")
    return (f"{base}?{rest}" if rest else base), schema


def _complaint(url: str) -> str:
    """What is wrong with a URL that libpq refuses, without any value of it."""
    known = {each.keyword.decode() for each in Conninfo.get_defaults()}
    query = url.partition("?")[2]
    # With an `@` in it, the password holds the question mark.
    names = [] if "@" in query else [each.partition("=")[0] for each in query.split("&")]
    strange = [each for each in names if each not in known and _OPTION_NAME.fullmatch(each)]
    if strange:
        return f"libpq has no option {', '.join(f'`{each}`' for each in strange)} (another tool's may be left out)"
    return "check its parts, and percent-encode what is special in user and password"


_OPTION_NAME: Final = re.compile(r"[A-Za-z_]{1,40}")


def _check_place(base: str) -> None:
    """Refuse a password that ends the part it stands in: the rest of it would be taken for the server's name."""
    place, _, rest = base.partition("://")[2].partition("/")
    if place.count("@") > 1 or "@" in rest:
        raise ConfigurationError("the store's PostgreSQL URL: percent-encode `@` and `/` in user and password")


NO_RIGHT: Final = "PostgreSQL refused: the user of the store's URL lacks a right in the store's database or schema"
_UNREACHABLE: Final = "PostgreSQL cannot be reached or refuses connections; nothing was changed: try again"
# By SQLSTATE or its class, the first that fits. PostgreSQL's own messages may quote stored rows: they are not repeated.
_SENTENCES: Final = {
    "28": "PostgreSQL refused the user or the password of the store's URL",
    "3D": "the database of the store's URL does not exist",
    "42501": NO_RIGHT,
    "42P01": "the store's tables are gone; nothing was changed",
    "3F": "the store's schema is gone; nothing was changed",
    "TLS": "PostgreSQL cannot be reached by TLS as the store's URL asks: see its sslmode and certificates",
    "55P03": "the store is locked by another worker; nothing was changed: try again",
    "57014": "PostgreSQL did not answer in time; nothing was changed: try again",
    "57P": _UNREACHABLE,
    "25006": "PostgreSQL is read-only there; nothing was changed: the URL must name the primary",
    "53": "PostgreSQL has no disk, memory or connection left; nothing was changed",
    "23": "PostgreSQL refused a row that breaks the store's rules; nothing was changed",
}

# Tables or schema do not exist any more: they were there when the store was opened.
_LOSSES: Final = ("42P01", "3F")


def store_error(error: psycopg.Error) -> StoreError:
    """Say in one sentence what PostgreSQL complains about and what to do."""
    if error.sqlstate is None and isinstance(error, psycopg.OperationalError) and are_exhausted():
        return StoreError(f"PostgreSQL cannot be reached: {EXHAUSTED}; nothing was changed")
    state = error.sqlstate or _unsent_state(error)
    sentence = next((text for start, text in _SENTENCES.items() if state.startswith(start)), None)
    kind = StoreLostError if state.startswith(_LOSSES) else StoreError
    return kind(sentence or f"PostgreSQL refused ({state}); nothing was changed")


def _unsent_state(error: psycopg.Error) -> str:
    """What the SQLSTATE would be: libpq passes none on when a connection cannot be made."""
    if not isinstance(error, psycopg.OperationalError):
        return type(error).__name__
    # What stands before is about the way there, names of hosts and all.
    way, is_refusal, reason = str(error).partition("FATAL:")
    rules, text = (_REFUSALS, reason) if is_refusal else (_OBSTACLES, way)
    return next((state for words, state in rules if re.search(words, text)), "57P")


# From the messages of PostgreSQL 15 in English; in other languages a refusal looks like a server that is down.
_REFUSALS: Final = (
    (r"too many (connections|clients)|connection slots", "53"),
    (r"^ *database .* does not exist", "3D"),
    (r"permission denied", "42501"),
    (r"authentication failed|^ *role |pg_hba\.conf", "28"),
)
# From libpq itself, which the server said nothing to.
_OBSTACLES: Final = ((r"no password supplied", "28"), (r"\bSSL\b|root certificate", "TLS"))


def _first(error: psycopg.Error) -> psycopg.Error:
    """The error that made the rest of a pipeline fail."""
    while isinstance(error, psycopg.errors.PipelineAborted) and isinstance(error.__context__, psycopg.Error):
        error = error.__context__
    return error


def _is_farewell(error: psycopg.Error) -> bool:
    """Whether the server said goodbye, or that it cannot say what it did: it is stopped, or no longer the primary."""
    state = error.sqlstate
    return state is not None and state.startswith(("08", "57P", "25006", "25P03", "40003"))
