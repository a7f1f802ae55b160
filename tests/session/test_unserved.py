"""Jobs of an account that no session serves are told of when a session opens."""

from __future__ import annotations

import asyncio
import logging
import random
from pathlib import Path

import pytest

from belvo_async import Session, Syntage
from belvo_async._tracker.presence import UNSERVED
from tests.session.world import World

NEW_KEY = "a-new-key-0123456789"


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"sqlite:{tmp_path / 'jobs.db'}"


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, int]]:
    """Account and number of jobs of each warning."""
    records = [record for record in caplog.records if record.getMessage() == UNSERVED]
    assert {logging.WARNING} >= {record.levelno for record in records}
    return [(record.__dict__["account"], record.__dict__["jobs"]) for record in records]


async def open_new(world: World, store: str, chance: int = 8) -> Session:
    """A session whose key is another one, without a word about the old."""
    stranger = Syntage(NEW_KEY, base_url=world.syntage.url)
    return await world.open(stranger, store=store, webhooks=False, chance=random.Random(chance))


async def test_a_changed_key_is_warned_of(world: World, store: str, caplog: pytest.LogCaptureFixture) -> None:
    """Once, with how many jobs stay behind, and neither key."""
    first = await world.open(world.syntage_vendor(), store=store, webhooks=False)
    for entity in (0, 1):
        await first.fire(world.extraction(entity))
    await first.close()

    await open_new(world, store)
    await asyncio.sleep(600)

    assert [(world.syntage_vendor().account, 2)] == told(caplog)
    assert not any(key in caplog.text for key in (NEW_KEY, world.syntage.api_key))


@pytest.mark.proof
async def test_nothing_is_said_of_accounts_that_are_served(
    world: World, store: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Customers that share a store do not alarm each other, nor does a session alarm itself."""
    first = await world.open(world.syntage_vendor(), store=store, webhooks=False)
    world.syntage.next_job(outcome="stuck")
    await first.fire(world.extraction())

    await open_new(world, store)
    await asyncio.sleep(600)

    assert [] == told(caplog)


async def test_a_killed_session_is_missed(world: World, store: str, caplog: pytest.LogCaptureFixture) -> None:
    """It could not say that it left: it is believed to be there for a minute and a half, not longer."""
    first = await world.open(world.syntage_vendor(), store=store, webhooks=False)
    await first.fire(world.extraction())
    await first.store.__aexit__(None, None, None)  # from now on the store hears as little of it as of a killed one

    await open_new(world, store)
    at_open = told(caplog)
    await asyncio.sleep(240)

    assert [] == at_open
    assert [(world.syntage_vendor().account, 1)] == told(caplog)


async def test_ended_jobs_need_nobody(world: World, store: str, caplog: pytest.LogCaptureFixture) -> None:
    """Only open ones are followed."""
    first = await world.open(world.syntage_vendor(), store=store)
    await (await first.fire(world.extraction()))
    await first.close()

    await open_new(world, store)

    assert [] == told(caplog)
