"""Which store is meant, and one that is to be there already."""

from __future__ import annotations

from pathlib import Path

from ..abc import Store
from ..errors import ConfigurationError
from ..stores import open_store
from .config import CONFIG_FILE, Config, config_at


def store_url(url: str | None, config: Config | None = None, *, in_memory: str) -> str:
    """The store that was typed, else the file's. Raises ConfigurationError; `in_memory` says why none there will do."""
    found = url or (config or config_at(None)).store
    if not found:
        raise ConfigurationError(
            f"which store? give --store sqlite:jobs.db, set BELVO_ASYNC_STORE, or write `store` into {CONFIG_FILE}"
        )
    if found == "memory:":
        raise ConfigurationError(in_memory)
    return found


def existing_store(url: str | None, config: Config | None = None) -> Store:
    """Open a store that is there: a mistyped path must not make a new one."""
    found = store_url(url, config, in_memory="a store in memory ends with its process: there is nothing to look into")
    store = open_store(found)
    path = found.removeprefix("sqlite:")
    if found != path and not Path(path).is_file():
        raise ConfigurationError(f"there is no store at {path}")
    return store
