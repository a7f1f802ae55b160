"""Where jobs are kept: in memory, in an SQLite file, or on a server that processes share."""

from __future__ import annotations

from typing import Final

from ..abc import Store
from ..discreet import discreet
from ..errors import ConfigurationError
from .joined import join_accounts
from .memory.store import MemoryStore
from .moving import Moved, move_account

__all__ = ["MemoryStore", "Moved", "join_accounts", "move_account", "open_store"]

_FORMS: Final = "`memory:`, `sqlite:PATH`, `postgresql://HOST/DATABASE`, `redis://HOST:PORT/NUMBER`"


@discreet
def open_store(url: str) -> Store:
    """Make the store a URL names; open it with `async with`.

    `memory:` ends with the process. `sqlite:PATH` is a file, absolute or relative to the working directory.
    `postgresql://` (or `postgres://`), `redis://` and `rediss://` are servers that processes and machines share:
    `PostgresStore` explains the option `?schema=`, `RedisStore` `?prefix=` and `?require_durable=true`. Raises
    ConfigurationError for anything else; what is wrong with the file or the server itself is found on opening.
    """
    scheme, colon, path = url.partition(":")
    if url == "memory:":
        return MemoryStore()
    if (scheme, colon) == ("sqlite", ":"):
        return _open_sqlite(path)
    if scheme in {"redis", "rediss"}:
        return _open_redis(url)
    if scheme in {"postgresql", "postgres"}:
        return _open_postgres(url)
    # The URL is not repeated: it may hold a password.
    raise ConfigurationError(f"the store's URL has none of the known forms: {_FORMS}")


def _open_sqlite(path: str) -> Store:
    # Elsewhere `sqlite:///jobs.db` means a relative path; here it would be a file in the root directory.
    if not path or path.startswith(("//", ":memory:")):
        raise ConfigurationError(f"`sqlite:` must be followed by a plain path (`sqlite:jobs.db`); forms: {_FORMS}")
    from .sqlite.store import SqliteStore  # only who uses it pays for loading sqlite3

    return SqliteStore(path)


def _open_redis(url: str) -> Store:
    try:
        from .redis.store import RedisStore
    except ModuleNotFoundError as error:
        raise ConfigurationError("a Redis store needs `pip install 'belvo-async[redis]'`") from error
    return RedisStore(url)


def _open_postgres(url: str) -> Store:
    try:
        from .postgres.store import PostgresStore
    except ImportError as error:  # psycopg without libpq is an ImportError of its own
        raise ConfigurationError("a PostgreSQL store needs `pip install 'belvo-async[postgres]'`") from error
    return PostgresStore(url)
