"""A store that is to be there already."""

from __future__ import annotations

from pathlib import Path

from ..abc import Store
from ..errors import ConfigurationError
from ..stores import open_store


def existing_store(url: str | None) -> Store:
    """Open a store that is there: a mistyped path must not make a new one."""
    if not url:
        raise ConfigurationError("which store? give --store URL or set BELVO_ASYNC_STORE")
    if url == "memory:":
        raise ConfigurationError("a store in memory ends with its process: there is nothing to look into")
    store = open_store(url)
    path = url.removeprefix("sqlite:")
    if url != path and not Path(path).is_file():
        raise ConfigurationError(f"there is no store at {path}")
    return store
