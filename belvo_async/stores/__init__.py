"""Where jobs are kept: in memory, or in an SQLite file that survives the process."""

from __future__ import annotations

from belvo_async.abc import Store
from belvo_async.errors import ConfigurationError

from .memory import MemoryStore

__all__ = ["MemoryStore", "open_store"]

_FORMS = "`memory:` or `sqlite:PATH`"
_NOT_YET = ("postgresql:", "postgres:", "redis:", "rediss:")


def open_store(url: str) -> Store:
    """Make the store a URL names; open it with `async with`.

    `memory:` ends with the process. `sqlite:PATH` is a file, absolute or relative to the working directory. Raises
    ConfigurationError for anything else; what is wrong with the file itself is found on opening.
    """
    scheme, colon, path = url.partition(":")
    if url == "memory:":
        return MemoryStore()
    if (scheme, colon) == ("sqlite", ":"):
        return _open_sqlite(path)
    if url.startswith(_NOT_YET):
        raise ConfigurationError(f"this release has no {scheme} store yet; the stores it has are {_FORMS}")
    # The URL is not repeated: it may hold a password.
    raise ConfigurationError(f"the store's URL has none of the known forms: {_FORMS}")


def _open_sqlite(path: str) -> Store:
    # Elsewhere `sqlite:///jobs.db` means a relative path; here it would be a file in the root directory.
    if not path or path.startswith(("//", ":memory:")):
        raise ConfigurationError(f"`sqlite:` must be followed by a plain path (`sqlite:jobs.db`); forms: {_FORMS}")
    from .sqlite import SqliteStore  # only who uses it pays for loading sqlite3

    return SqliteStore(path)
