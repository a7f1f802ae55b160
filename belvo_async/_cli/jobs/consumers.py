"""`belvo-async jobs consumers`: who is told of jobs that ended, and how many each has yet to acknowledge."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Final

import msgspec

from ...abc import EVER, Store
from ...errors import ConfigurationError
from ...stores.consumers import drop_consumer, read_backlogs
from ..existing import existing_store
from ..lasting import run
from ..table import Table, print_table
from ..words import second, stamp

HEADINGS: Final = ("consumer", "to acknowledge", "the oldest since")


def list_consumers(url: str | None, *, form: str) -> int:
    """Print every consumer of the store's jobs, how many it has yet to acknowledge, and since when."""
    counts, oldest = run(_backlogs(existing_store(url)))
    if form == "json":
        for name in sorted(counts):
            at = oldest.get(name)
            facts = {"consumer": name, "to_acknowledge": counts[name], "oldest": None if at is None else stamp(at)}
            print(msgspec.json.encode(facts).decode())
    elif not counts:
        print("nobody asks for `session.settled` of this store")
    else:
        rows = [(name, str(counts[name]), second(oldest[name]) if name in oldest else "") for name in sorted(counts)]
        print_table(Table(headings=HEADINGS, rows=rows))
    return 0


def forget_consumer(url: str | None, *, name: str) -> int:
    """Forget a consumer, and what it acknowledged: should it ask again, it is told of everything."""
    if not run(_drop(existing_store(url), name)):
        raise ConfigurationError(f"the store knows no consumer {name!r}: `jobs consumers` lists them")
    print(f"forgot the consumer {name!r}")
    return 0


async def _backlogs(store: Store) -> tuple[dict[str, int], dict[str, datetime]]:
    async with store:
        waiting, oldest = await read_backlogs(store), dict[str, datetime]()
        counts = Counter[str](dict.fromkeys(waiting.known, 0))
        async for job in store.ended_jobs(before=EVER):
            at = job.settled_at or job.created_at
            for name in waiting.names(job):
                counts[name] += 1
                oldest[name] = min(at, oldest.get(name, at))
        return dict(counts), oldest


async def _drop(store: Store, name: str) -> bool:
    async with store:
        return await drop_consumer(store, name)
