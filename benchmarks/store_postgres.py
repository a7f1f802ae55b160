"""The PostgreSQL part of `store.py`."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psycopg
from store_jobs import AREA, IN_FLIGHT, Extent, Ours, make_jobs, write_in_turns
from store_servers import POSTGRES, admin, on_server, open_store
from table import Row, beside, span

from belvo_async.jobs import Job
from belvo_async.stores.postgres import group_commit, put
from belvo_async.stores.postgres.rows import arrays, columns
from belvo_async.stores.postgres.store import PostgresStore

# Short turns: checkpoints and what else the machine does then disturb a few of them, not their median.
TURN = 5 * IN_FLIGHT
# Jobs that are written one by one, of all events; and the first of their numbers: no other part has them.
ALONE = 1 / 12
ALONE_FROM = 10_000_000


class Bare:
    """The statement the store uses, with arrays made beforehand and as many rows as the store's last batches had."""

    def __init__(self, connection: psycopg.Connection[Any], sizes: Sequence[int]) -> None:
        self._connection = connection
        self._sizes = sizes

    async def __call__(self, jobs: Sequence[Job]) -> float:
        query = put._UPDATE if jobs[0].version else put._INSERT
        rows = iter([(*columns(job), job.key is not None, 0) for job in jobs])
        # Going first, there is nothing to go by yet: batches are as large as callers allow.
        sizes = self._sizes if sum(self._sizes) == len(jobs) else [IN_FLIGHT] * -(-len(jobs) // IN_FLIGHT)
        batches = [arrays(islice(rows, size)) for size in sizes]
        began = time.perf_counter()
        for batch in batches:
            self._connection.execute(query, batch, binary=True)
        return time.perf_counter() - began


class Noting(group_commit.Writer):
    """The store's writer, noting how large its batches are."""

    sizes: list[int]

    async def run(self, batch: list[Any]) -> None:
        self.sizes.append(len(batch))
        await super().run(batch)


async def put_alone(store: PostgresStore, connection: psycopg.Connection[Any], jobs: int) -> list[Row]:
    """One job at a time, without others' calls: seconds until it is durable, in turns with the bare statement."""
    rows: list[Row] = []
    for kind, version in (("insert", 0), ("update", 1)):
        ours: list[float] = []
        bare: list[float] = []
        query = put._UPDATE if version else put._INSERT
        for job in make_jobs(ALONE_FROM, jobs, version=version):
            values = arrays([(*columns(job), job.key is not None, 0)])
            began = time.perf_counter()
            connection.execute(query, values, binary=True)
            between = time.perf_counter()
            if await store.put(job, expected=version - 1 if version else None) is not None:
                raise RuntimeError("another job was in the way")
            bare.append(between - began)
            ours.append(time.perf_counter() - between)
        both = [statistics.median(each) for each in (ours, bare)]
        what = f"PostgreSQL {kind} of one job alone, until durable, p50, beside its bare statement"
        shown = [span(each) for each in both]
        rows.append(
            Row(
                area=AREA, what=what, ours=shown[0], peer=shown[1], ratio=both[0] / both[1], goal=1.3, at_least=False,
                limit="one round trip and the server's flush of its log, which the bare statement is",
            )
        )  # fmt: skip
    return rows


async def compare(extent: Extent, ours: str, bare: str) -> list[Row]:
    """Each writes the same jobs to a schema of its own: first new ones, then their next versions."""
    turns = extent.events // TURN + 1
    sizes = Noting.sizes = []
    with patch("belvo_async.stores.postgres.store.Writer", Noting):
        store = await PostgresStore(f"{POSTGRES}?schema={ours}").__aenter__()
    async with open_store(POSTGRES, bare):
        pass  # makes the tables
    batches: list[int] = []

    def note() -> None:
        batches.extend(sizes)
        sizes.clear()

    with closing(admin()) as connection:
        connection.execute(f"SET search_path TO {bare}".encode())
        ways = {"ours": Ours(store), "bare": Bare(connection, sizes)}
        speeds = await write_in_turns(ways, extent.rounds, turns=turns, count=extent.events // turns, after=note)
        alone = await put_alone(store, connection, round(extent.events * ALONE))
    await store.__aexit__()
    driver = f"psycopg {psycopg.__version__} ({psycopg.pq.__impl__}), {statistics.median(batches):.0f} a commit"
    return [
        *(
            beside(AREA, f"PostgreSQL {kind}, {IN_FLIGHT} in flight, beside {driver}", each["ours"], each["bare"], 0.65)
            for kind, each in speeds.items()
        ),
        *alone,
    ]


def measure(_directory: Path, extent: Extent) -> list[Row]:
    """Inserts and updates."""
    return on_server("PostgreSQL", partial(compare, extent))
