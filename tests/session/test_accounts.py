"""Keys change, jobs stay: an account goes on under its name, or under its oldest key."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest

from belvo_async import ConfigurationError, Session, Status, Syntage, UnknownJobError
from belvo_async.stores import move_account, open_store
from tests.session.world import World

NEW_KEY = "a-new-key-0123456789"


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"sqlite:{tmp_path / 'jobs.db'}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param({"account": "acme"}, {"account": "acme"}, id="one name"),
        pytest.param({}, {"previous_keys": "OLD"}, id="no name"),
        pytest.param({}, {"account": "acme", "previous_keys": ["OLD"]}, id="a name from now on"),
    ],
)
async def test_a_changed_key_finds_its_jobs(
    world: World, store: str, before: dict[str, Any], after: dict[str, Any]
) -> None:
    """They are listed, attached to, joined by equal tasks, and end."""
    first = await world.open(world.syntage_vendor(**before), store=store)
    fired = await first.fire(world.extraction())
    await first.close()
    old = world.syntage.api_key
    after = {name: old if value == "OLD" else [old] if value == ["OLD"] else value for name, value in after.items()}
    world.syntage.api_key = NEW_KEY

    second = await world.open(world.syntage_vendor(**after), store=store)
    listed = [each.id async for each in second.open_jobs()]
    joined = await second.fire(world.extraction())
    job = await (await second.attach(fired.id))

    assert [fired.id] == listed
    assert fired.id == joined.id
    assert Status.FINISHED == job.status
    assert 1 == len(world.sent("POST"))


async def test_two_customers_never_see_each_other(world: World, store: str) -> None:
    """Two keys without names, or two names, are two accounts, whatever the store."""
    first = await world.open(world.syntage_vendor(), store=store, webhooks=False)
    fired = await first.fire(world.extraction())

    for settings in ({}, {"account": "other"}):
        stranger = Syntage(NEW_KEY, base_url=world.syntage.url, **settings)
        session = await world.open(stranger, store=store, webhooks=False)

        assert [] == [each.id async for each in session.open_jobs()]
        with pytest.raises(UnknownJobError):
            await session.attach(fired.id)


async def test_an_early_webhook_finds_the_job_of_the_old_key(world: World, store: str) -> None:
    """A delivery that was parked before the change, or comes after it, ends the job of the account."""
    first = await world.open(world.syntage_vendor(), store=store, webhooks=False)
    fired = await first.fire(world.extraction())
    await first.close()
    old, world.syntage.api_key = world.syntage.api_key, NEW_KEY

    second = await world.open(
        world.syntage_vendor(account="acme", previous_keys=old), store=store, sweep=False, webhooks=False
    )
    handle = await second.attach(fired.id)
    headers, body = world.syntage_delivery(handle.job.remote_id or "")
    status = await second.receive("syntage", headers, body)

    assert (200, Status.FINISHED) == (status, (await handle).status)


async def test_a_link_stays_busy_under_another_name(world: World, store: str) -> None:
    """One open request per link, also while the account's name is new."""
    first = await world.open(world.belvo_vendor(), store=store, webhooks=False)
    await first.fire(world.invoices(type="INFLOW"))
    await first.close()

    second = await world.open(world.belvo_vendor(account="acme"), store=store, webhooks=False, chance=random.Random(8))
    queued = await second.fire(world.invoices(type="OUTFLOW"))
    waited_in = queued.status
    job = await queued

    assert (Status.SUBMITTING, Status.FINISHED) == (waited_in, job.status)
    assert 2 == len(world.sent("POST"))


async def test_old_and_new_processes_work_side_by_side(world: World, store: str) -> None:
    """While a name is rolled out, what either of them fires ends for both."""
    old = await world.open(world.syntage_vendor(), store=store, webhooks=False)
    new = await world.open(world.syntage_vendor(account="acme"), store=store, webhooks=False, chance=random.Random(8))

    theirs, ours = await old.fire(world.extraction()), await new.fire(world.extraction(1))
    jobs = await asyncio.gather(theirs, ours, await new.attach(theirs.id))

    assert [Status.FINISHED] * 3 == [job.status for job in jobs]


def test_two_vendors_need_two_accounts(world: World) -> None:
    """At one address, behind a relay, one name for both would mix their jobs up."""
    relay = "https://relay.example"

    with pytest.raises(ConfigurationError, match="names of their own"):
        Session(
            world.belvo_vendor(base_url=relay, account="acme"), world.syntage_vendor(base_url=relay, account="acme")
        )


async def test_moved_jobs_go_on_under_their_new_account(world: World, store: str) -> None:
    """Whatever the key was, and while a session of the old one still waits for them."""
    first = await world.open(world.syntage_vendor(), store=store, webhooks=False)
    fired = await first.fire(world.extraction())
    waiting = asyncio.create_task(fired.wait())
    name = f"{world.syntage.url}#acme"
    async with open_store(store) as opened:
        await move_account(opened, world.syntage_vendor().account, name, now=world.clock.now())

    world.syntage.api_key = NEW_KEY
    second = await world.open(
        world.syntage_vendor(account="acme"), store=store, webhooks=False, chance=random.Random(8)
    )
    joined = await second.fire(world.extraction())

    assert fired.id == joined.id
    assert [Status.FINISHED] * 2 == [(await joined).status, (await waiting).status]
