"""What both processes of the wake part of `store.py` open."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from belvo_async.abc import Store
from belvo_async.stores.postgres.store import PostgresStore
from belvo_async.stores.redis.store import RedisStore


def open_store(url: str, name: str) -> AbstractAsyncContextManager[Store]:
    """A store whose schema or prefix has this name."""
    return PostgresStore(f"{url}?schema={name}") if url.startswith("postgresql") else RedisStore(url, prefix=name)


def channel(name: str) -> str:
    """Where the bare drivers tell each other; the store's own notifications must not be heard there."""
    return f"{name}_bare"
