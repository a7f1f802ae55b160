"""A mirror in a schema of PostgreSQL."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from ....abc import Secret
from ....discreet import discreet
from ....errors import ConfigurationError, SinkError
from ..installed import load
from .place import Hold

_CONNECT_SECONDS: Final = 10
# A load takes seconds; what waits for longer waits for somebody who is stuck.
_LOCK_MILLISECONDS: Final = 600_000
_RIGHTS: Final = """
SELECT CASE WHEN EXISTS (SELECT FROM pg_namespace WHERE nspname = %s)
            THEN has_schema_privilege(%s, 'CREATE, USAGE')
            ELSE has_database_privilege(current_database(), 'CREATE') END
   AND CASE WHEN EXISTS (SELECT FROM pg_namespace WHERE nspname = %s)
            THEN has_schema_privilege(%s, 'CREATE, USAGE')
            ELSE has_database_privilege(current_database(), 'CREATE') END
"""


class PostgresPlace:
    """Keeps the contract `MirrorPlace`. One mirror loads at a time, held apart from others by an advisory lock."""

    @discreet
    def __init__(self, url: str, schema: str) -> None:
        self.schema = schema
        parts = _read(url)
        self._password = Secret(parts.pop("password", ""))
        self._parts = parts
        where = f"{parts.get('host', 'localhost')}:{parts.get('port', '5432')}"
        self._where = f"PostgreSQL at {where}"
        self.name = f"postgresql://{where}/{parts.get('dbname', '')}?schema={schema}"

    def __repr__(self) -> str:
        return f"<PostgresPlace {self.name}>"

    def check(self) -> None:
        """See `MirrorPlace.check`."""
        load("dlt.destinations")
        try:
            connection = self._open()
        except SinkError as error:
            raise ConfigurationError(f"{error}; nothing was fired. Mend that, or name another place") from error
        staging = f"{self.schema}_staging"
        try:
            rows = _OpenSchema(connection, self._parts, self._password).query(
                _RIGHTS, self.schema, self.schema, staging, staging
            )
        finally:
            connection.close()
        if rows != [(True,)]:
            raise ConfigurationError(
                f"{self._where} does not let this user make the schemas {self.schema} and {staging}: "
                "nothing was fired. Grant CREATE on the database, or name another place"
            )

    @contextmanager
    def hold(self) -> Generator[Hold]:
        """See `MirrorPlace.hold`."""
        psycopg2, connection = load("psycopg2"), self._open()
        try:
            held = _OpenSchema(connection, self._parts, self._password)
            try:
                held.query(f"SET lock_timeout = {_LOCK_MILLISECONDS}")
                held.query("SELECT pg_advisory_lock(%s)", _number(self.schema))
                held.query("SET lock_timeout = 0")
            except psycopg2.Error:
                text = f"another mirror has been writing to {self.schema} for ten minutes: look after that one"
                raise SinkError(text, path=self.name) from None
            yield held
        finally:
            # With the connection, its lock ends.
            connection.close()

    def _open(self) -> Any:
        psycopg2 = load("psycopg2")
        try:
            connection = psycopg2.connect(**_all(self._parts, self._password))
        except psycopg2.Error as error:
            raise SinkError(f"cannot open {self._where}: {_why(error)}", path=self.name) from None
        connection.autocommit = True
        return connection


def _read(url: str) -> dict[str, str]:
    extensions = load("psycopg2.extensions")
    try:
        parts: dict[str, str] = extensions.parse_dsn(url)
    except load("psycopg2").Error:
        # What it says repeats the text.
        raise ConfigurationError("that is no URL of PostgreSQL: postgresql://USER@HOST:5432/DATABASE") from None
    return parts


# What the server or its client says first of why a connection failed; the rest may hold names.
_REASONS: Final = ("Connection refused", "password authentication failed", "does not exist", "timeout expired")


def _why(error: Exception) -> str:
    text = str(error)
    return next((each for each in _REASONS if each in text), "it refuses the connection")


def _number(schema: str) -> int:
    """The number of a schema's lock: 64 bits with a sign, as PostgreSQL wants it."""
    digest = hashlib.blake2b(f"belvo_async mirror {schema}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _all(parts: Mapping[str, str], password: Secret) -> dict[str, str]:
    known = {"connect_timeout": str(_CONNECT_SECONDS), **parts}
    return {**known, "password": password.reveal()} if password else known


# What dlt calls the parts of an address; all others go along as they are.
_NAMED: Final = {"host": "host", "port": "port", "dbname": "database", "user": "username"}


class _OpenSchema:
    def __init__(self, connection: Any, parts: Mapping[str, str], password: Secret) -> None:
        self._connection = connection
        self._parts, self._password = parts, password

    @property
    def destination(self) -> Any:
        """See `Hold.destination`."""
        credentials = load("dlt.destinations.impl.postgres.configuration").PostgresCredentials()
        left = {each: text for each, text in self._parts.items() if each not in _NAMED}
        for ours, theirs in _NAMED.items():
            if ours in self._parts:
                setattr(credentials, theirs, int(self._parts[ours]) if ours == "port" else self._parts[ours])
        credentials.query = left
        # dlt insists on one; an empty one is what the client takes from its own file or variable.
        credentials.password = self._password.reveal()
        return load("dlt.destinations").postgres(credentials)

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """See `Hold.query`."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql.replace("?", "%s"), values)
            found: list[tuple[Any, ...]] = [] if cursor.description is None else cursor.fetchall()
        return found

    def execute(self, sql: str) -> None:
        """See `Hold.execute`."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql)
