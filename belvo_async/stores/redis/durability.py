"""Whether a Redis server keeps what it is given: asked once, on opening."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

from ...errors import StoreError
from .lua.script import pack
from .pipeline import Pipeline

_log = logging.getLogger("belvo_async.stores")

_SETTINGS: Final = ("appendonly", "appendfsync", "save", "maxmemory-policy")


async def check_durability(pipeline: Pipeline, *, required: bool) -> bool:
    """Warn of a server that may lose jobs; with `required`, raise StoreError unless it surely keeps them.

    Gives whether the server comes back from a restart with all that it has answered, as far as it tells.
    """
    found = await _read_settings(pipeline)
    gaps = _gaps(found)
    if required and gaps:
        raise StoreError(f"`require_durable` is set, and the Redis server {', '.join(gaps)}; nothing was changed")
    for gap in gaps:
        _log.warning("the Redis server of the store %s: jobs may be lost", gap, extra={"setting": gap})
    return (found.get("appendonly"), found.get("appendfsync")) == ("yes", "always")


def _gaps(found: dict[str, str]) -> list[str]:
    """How the server may lose what it has answered for."""
    if len(found) < len(_SETTINGS):
        return ["does not tell whether it keeps jobs (CONFIG GET is refused)"]
    gaps: list[str] = []
    if found["appendonly"] != "yes":
        has_snapshots = "has no append-only file, so that a crash takes it back to its last snapshot"
        gaps.append(f"{has_snapshots if found['save'] else 'keeps nothing on disk'} (set `appendonly yes`)")
    elif found["appendfsync"] != "always":
        gaps.append("answers before it has flushed, so that a crash takes it back a second (set `appendfsync always`)")
    if found["maxmemory-policy"] != "noeviction":
        gaps.append("drops keys when memory is short (set `maxmemory-policy noeviction`)")
    return gaps


async def _read_settings(pipeline: Pipeline) -> dict[str, str]:
    """The settings the server tells; managed servers often tell none."""
    calls = [pipeline.submit(pack(b"CONFIG", b"GET", name.encode())) for name in _SETTINGS]
    found: dict[str, str] = {}
    # All are awaited: asyncio complains of errors nobody has seen.
    replies: list[Any] = await asyncio.gather(*(call.future for call in calls), return_exceptions=True)
    for call, reply in zip(calls, replies, strict=True):
        if call.is_refused:
            continue
        if isinstance(reply, BaseException):
            raise reply  # the connection failed
        if len(reply) == 2:
            found[reply[0].decode()] = reply[1].decode()
    return found
