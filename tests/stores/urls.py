"""URLs of stores that processes can share, each there for one test only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.stores.postgres.server import URL, own_stores
from tests.stores.redis.server import SHARED_URL, shared_stores


@contextmanager
def empty_store(kind: str, path: Path) -> Iterator[str]:
    """The URL of an empty store of a kind; what was made on a server is dropped in the end."""
    if kind == "memory":
        yield "memory:"
    elif kind == "sqlite":
        yield f"sqlite:{path / 'jobs.db'}"
    elif kind == "postgres":
        with own_stores() as schemas:
            yield f"{URL}?schema={schemas.schema}"
    else:
        with shared_stores() as prefixes:
            yield f"{SHARED_URL}?prefix={prefixes.prefix}"
