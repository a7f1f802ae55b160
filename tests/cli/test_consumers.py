"""`belvo-async jobs consumers`, and what their feed keeps from being pruned."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from belvo_async._cli import main
from belvo_async.jobs import Job
from belvo_async.stores import open_store
from belvo_async.stores.consumers import Consumer, acknowledge, enter_consumers
from tests.cli.test_jobs import AT, a_job
from tests.stores.urls import empty_store


@pytest.fixture(params=["sqlite", "postgres", "redis"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with empty_store(request.param, tmp_path) as url:
        yield url


JOBS = [a_job(f"job-{number}", settled_at=AT + timedelta(hours=number), tags={"n": str(number)}) for number in range(3)]


def fill(url: str, consumers: list[Consumer], acknowledged: dict[str, list[Job]]) -> None:
    async def put_all() -> None:
        async with open_store(url) as store:
            for job in JOBS:
                await store.put(job, expected=None)
            await enter_consumers(store, consumers)

    asyncio.run(put_all())
    asyncio.run(acknowledge_all(url, acknowledged))


async def acknowledge_all(url: str, acknowledged: dict[str, list[Job]]) -> None:
    async with open_store(url) as store:
        for name, jobs in acknowledged.items():
            for job in jobs:
                await acknowledge(store, name, job)


def a_consumer(name: str, **facts: Any) -> Consumer:
    return Consumer(accounts=("x",), name=name, **facts)


def said(capsys: pytest.CaptureFixture[str], *command: str) -> str:
    assert 0 == main(["jobs", *command])
    return capsys.readouterr().out


def test_what_a_consumer_waits_for_is_not_pruned(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Until it acknowledges it, or is forgotten; what it does not want goes."""
    fill(url, [a_consumer("etl", tags={"n": "1"}), a_consumer("late", since=AT + timedelta(hours=2))], {})
    prune = ["prune", "--before", "2026-06-02", "--store", url]

    for dry_run, did in ((["--dry-run"], "would forget"), ([], "forgot")):
        lines = said(capsys, *prune, *dry_run).splitlines()
        assert f"{did} 1 job that ended before 2026-06-02 00:00:00Z" == lines[0]
        assert [
            "kept 1 job that the consumer 'etl' did not acknowledge",
            "kept 1 job that the consumer 'late' did not acknowledge",
        ] == lines[1:]

    asyncio.run(acknowledge_all(url, {"etl": [JOBS[1]]}))
    assert "forgot the consumer 'late'\n" == said(capsys, "consumers", "--forget", "late", "--store", url)
    assert said(capsys, *prune).startswith("forgot 2 jobs")


def test_the_list_tells_who_waits_and_since_when(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    fill(url, [a_consumer("etl"), a_consumer("done")], {"etl": [JOBS[0]], "done": JOBS})

    table = said(capsys, "consumers", "--store", url).splitlines()
    told = [json.loads(line) for line in said(capsys, "consumers", "--store", url, "--format", "json").splitlines()]

    assert [["done", "0"], ["etl", "2", "2026-06-01", "13:00:00Z"]] == [line.split() for line in table[2:]]
    assert [
        {"consumer": "done", "to_acknowledge": 0, "oldest": None},
        {"consumer": "etl", "to_acknowledge": 2, "oldest": "2026-06-01T13:00:00Z"},
    ] == told


def test_a_store_that_nobody_consumes_says_so(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    fill(url, [], {})

    assert "nobody asks for `session.settled` of this store\n" == said(capsys, "consumers", "--store", url)
    assert 1 == main(["jobs", "consumers", "--forget", "etl", "--store", url])
    assert "knows no consumer 'etl'" in capsys.readouterr().err


def test_acknowledgements_go_with_their_job(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing grows without end."""
    fill(url, [a_consumer("etl")], {"etl": JOBS})
    assert said(capsys, "prune", "--before", datetime.now(UTC).isoformat(), "--store", url).startswith("forgot 3 jobs")

    async def left() -> list[str]:
        async with open_store(url) as store:
            return [entry.kind async for entry in store.entries(None)]

    assert {"consumer", "proof"} >= set(asyncio.run(left()))
