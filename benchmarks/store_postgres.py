"""The PostgreSQL part of `store.py`."""

from __future__ import annotations

import asyncio
import secrets
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psycopg
from store_jobs import EVENTS, IN_FLIGHT, Ours, make_jobs, middle_ratio, take_turns
from store_table import Line

from belvo_async.jobs import Job
from belvo_async.stores.postgres import group_commit, put
from belvo_async.stores.postgres.rows import arrays, columns
from belvo_async.stores.postgres.store import PostgresStore

URL = "postgresql://postgres@127.0.0.1:5432/postgres"
# Short turns: checkpoints and what else the machine does then disturb a few of them, not their median.
TURN = 5 * IN_FLIGHT
TURNS = EVENTS // TURN + 1


def about() -> str:
    return f"psycopg {psycopg.__version__} ({psycopg.pq.__impl__})"


def admin() -> psycopg.Connection[Any]:
    return psycopg.connect(URL, autocommit=True, connect_timeout=2)


@contextmanager
def own_schema() -> Iterator[str]:
    """A schema nobody else uses; it is dropped in the end."""
    schema = f"benchmark_{secrets.token_hex(6)}"
    with closing(admin()) as connection:
        try:
            yield schema
        finally:
            connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE".encode())


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


async def compare(ours: str, bare: str, rounds: int) -> list[Line]:
    """Each writes the same jobs to a schema of its own: first new ones, then their next versions."""
    sizes = Noting.sizes = []
    with patch("belvo_async.stores.postgres.store.Writer", Noting):
        store = await PostgresStore(f"{URL}?schema={ours}").__aenter__()
    async with PostgresStore(f"{URL}?schema={bare}"):
        pass  # makes the tables
    speeds: dict[tuple[str, str], list[float]] = {}
    batches: list[int] = []
    with closing(admin()) as connection:
        connection.execute(f"SET search_path TO {bare}".encode())
        ways = {"ours": Ours(store), "bare": Bare(connection, sizes)}
        for number in range((rounds + 1) * TURNS):
            for version, kind in enumerate(("inserts", "updates")):
                jobs = make_jobs(number * TURN, TURN, version=version)
                seconds = await take_turns(ways, jobs, backwards=bool(number % 2))
                batches += sizes
                sizes.clear()
                for name, each in seconds.items() if number >= TURNS else ():  # the first round warms up
                    speeds.setdefault((kind, name), []).append(TURN / each)
    await store.__aexit__()
    size = statistics.median(batches)
    lines: list[Line] = []
    for kind in ("inserts", "updates"):
        own, other = speeds[kind, "ours"], speeds[kind, "bare"]
        lines += [
            Line(
                name=f"PostgreSQL {kind}: ours, {IN_FLIGHT} in flight",
                per_second=statistics.median(own),
                ratio=middle_ratio(own, other),
                at_least=0.6,
            ),
            Line(
                name=f"PostgreSQL {kind}: psycopg, the statement, {size:.0f} a commit",
                per_second=statistics.median(other),
            ),
        ]
    return lines


def measure(_directory: Path, rounds: int) -> list[Line]:
    """Inserts and updates; nothing where there is no server."""
    try:
        with own_schema() as ours, own_schema() as bare:
            return asyncio.run(compare(ours, bare, rounds))
    except psycopg.OperationalError:
        return [Line(name=f"PostgreSQL is left out: none answers at {URL.partition('@')[2]}")]
