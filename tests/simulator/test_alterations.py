"""What the simulated SAT says later than it said first: by order, by the seed, and not at all unless asked."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest

from belvo_async import Session, Syntage, syntage as words
from belvo_async.simulator import BelvoSimulator, SyntageSimulator
from tests.virtual_time import VirtualClock

YEAR: Any = {"period": {"from": "2025-01-01", "to": "2025-12-31"}}
DAYS = date(2025, 1, 1), date(2025, 12, 31)


def states(simulator: Any) -> Counter[str]:
    """How many invoices are in which state, at whichever vendor."""
    if isinstance(simulator, BelvoSimulator):
        rows: list[Any] = simulator.invoices(simulator.links[0], *DAYS)
    else:
        rows = simulator.invoices(simulator.entities[0], YEAR)
    return Counter(str(row["status"]).upper() for row in rows)


@pytest.mark.parametrize("kind", [BelvoSimulator, SyntageSimulator])
async def test_nothing_changes_unless_it_is_asked_for(kind: Any, clock: VirtualClock) -> None:
    """The same rows as ever; those of a share are the same for a seed, and more are cancelled as time passes."""
    async with kind(now=clock.now) as plain, kind(now=clock.now, changes_share=0.5) as moving:
        await asyncio.sleep(timedelta(days=30).total_seconds())
        before, usual = states(moving), states(plain)
        await asyncio.sleep(timedelta(days=300).total_seconds())

        assert usual == states(plain)
        assert before["CANCELADO"] >= usual["CANCELADO"]
        assert sum(before.values()) < sum(usual.values())
    async with kind(now=clock.now, changes_share=0.5) as again:
        assert states(moving) == states(again)


async def test_syntage_tells_of_what_it_saw_by_itself(clock: VirtualClock) -> None:
    """`updatedAt` moves, and an event names the fields with what they were (resources/core/events)."""
    async with SyntageSimulator(now=clock.now) as syntage:
        entity = syntage.entities[0]
        await gather(syntage, entity, clock)
        row = next(row for row in syntage.invoices(entity, YEAR) if row["status"] == "VIGENTE")
        await asyncio.sleep(3600)

        syntage.alter("cancelled", str(row["uuid"]), seen=True)

        changed = next(each for each in syntage.invoices(entity, YEAR) if each["id"] == row["id"])
        assert ("CANCELADO", row["createdAt"]) == (changed["status"], changed["createdAt"])
        assert str(row["updatedAt"]) < str(changed["updatedAt"])
        (event,) = syntage.events(["invoice.updated"])
        data: Any = event["data"]
        assert {"old": "VIGENTE", "new": "CANCELADO"} == data["changes"]["status"]


async def test_syntage_tells_of_what_vanished(clock: VirtualClock) -> None:
    """The row is gone from its list, and an event says so."""
    async with SyntageSimulator(now=clock.now) as syntage:
        entity = syntage.entities[0]
        await gather(syntage, entity, clock)
        row = syntage.invoices(entity, YEAR)[0]

        syntage.alter("vanished", str(row["uuid"]), seen=True)

        assert row["id"] not in [each["id"] for each in syntage.rows(f"{entity}/invoices")]
        assert [row["@id"]] == [each["resource"] for each in syntage.events(["invoice.deleted"])]


async def gather(syntage: SyntageSimulator, entity: str, clock: VirtualClock) -> None:
    """Let an extraction of the year come to its end."""
    vendor = Syntage(syntage.api_key, base_url=syntage.url, allow_unauthenticated=True)
    period = words.Period(from_=DAYS[0], to=DAYS[1])
    async with Session(vendor, clock=clock) as session:
        await (await session.fire(words.Extraction(entity, "invoice", words.InvoiceOptions(period=period))))


@pytest.mark.parametrize("kind", [BelvoSimulator, SyntageSimulator])
async def test_an_unknown_alteration_is_refused(kind: Any, clock: VirtualClock) -> None:
    """A slip in a test is told at once."""
    async with kind(now=clock.now) as simulator:
        with pytest.raises(ValueError, match="unknown alteration"):
            simulator.alter("canceled", "some uuid")
