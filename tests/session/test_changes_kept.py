"""Changes over a long time, over kills, and of many records."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import tracemalloc
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from belvo_async import Plan, Session
from belvo_async._session.changes.known import KnownRecords, RowRules, new_run
from belvo_async.abc import Query, RowPlace
from belvo_async.abc.changes import ChangeRules
from belvo_async.abc.plans import everywhere
from belvo_async.changes import Comparison, Fingerprints
from belvo_async.jobs import Extent
from belvo_async.simulator import BelvoSimulator, SyntageSimulator
from tests.session.test_changes import AGAIN, extract, told
from tests.session.world import World, world
from tests.virtual_time import VirtualClock

__all__ = ["world"]

# A year that is over: nothing is paid any more in it.
YEAR = {"first": date(2025, 1, 1), "last": date(2025, 12, 31)}
# Receipts that are young as the tests begin: of those more changes.
YOUNG = {"first": date(2026, 1, 1), "last": date(2026, 5, 31)}


def year_plan(world: World, vendor: str, days: Mapping[str, date] = YEAR) -> Plan:
    resource, subjects = (
        ("invoices", world.belvo.links[:1]) if vendor == "belvo" else ("invoice", world.syntage.entities[:1])
    )
    return Plan(vendor=vendor, resource=resource, subjects=subjects, **days)  # type: ignore[arg-type]


def held(world: World, plan: Plan) -> dict[str, Any]:
    """The invoices of the year as the vendor would give them now, by its own id."""
    who = plan.subjects[0]
    if plan.vendor == "belvo":
        rows: list[Any] = world.belvo.invoices(who, plan.first or date.min, plan.last or date.max)
    else:
        rows = world.syntage.invoices(who, {"period": {"from": str(plan.first), "to": str(plan.last)}})
    return {row["id"]: row for row in rows}


async def pass_over(session: Session, span: timedelta) -> None:
    """Let time pass while nobody listens."""
    await session.close()
    await asyncio.sleep(span.total_seconds())
    await session.open()


@pytest.mark.proof
@pytest.mark.parametrize("vendor", ["belvo", "syntage"])
async def test_a_year_of_respellings_tells_nothing(world: World, vendor: str, tmp_path: Path) -> None:
    """Names in other letters, amounts with other digits, folios in capitals, each time anew: no false alarm."""
    session, plan = await world.open(), year_plan(world, vendor)
    await extract(session, plan)
    rows = held(world, plan)
    for row in rows.values():
        (world.belvo if vendor == "belvo" else world.syntage).alter(
            "respelled", row.get("uuid") or row["invoice_identification"]
        )
    await told(session, plan, tmp_path / "cursor", baseline=True)
    shown = {repr(sorted(held(world, plan).items()))}
    found: list[Any] = []

    for _ in range(7):
        await pass_over(session, timedelta(days=52))
        await extract(session, plan, freshness=AGAIN)
        found += await told(session, plan, tmp_path / "cursor")
        shown.add(repr(sorted(held(world, plan).items())))

    assert len(rows) > 50
    # They were spelled in other ways indeed.
    assert len(shown) > 3
    assert [] == found


@pytest.fixture
async def moving_world(clock: VirtualClock) -> AsyncIterator[World]:
    """Most of what the vendors hold changes some day, by the seed."""
    async with (
        BelvoSimulator(now=clock.now, invoices_per_year=200, changes_share=0.7) as belvo_simulator,
        SyntageSimulator(now=clock.now, invoices_per_year=200, changes_share=0.7) as syntage_simulator,
        AsyncExitStack() as stack,
    ):
        yield World(belvo_simulator, syntage_simulator, clock, stack)


def compared(before: dict[str, Any], after: dict[str, Any]) -> dict[str, set[str]]:
    """What happened between two states of the vendor's rows, in the fewest words."""
    both = before.keys() & after.keys()
    total = "total_amount" if any("total_amount" in row for row in before.values()) else "total"
    return {
        "vanished": before.keys() - after.keys(),
        "cancelled": {each for each in both if before[each]["status"] != after[each]["status"]},
        "changed": {each for each in both if Decimal(before[each][total]) != Decimal(after[each][total])},
    }


@pytest.mark.parametrize("vendor", ["belvo", "syntage"])
async def test_what_is_told_is_what_the_vendor_holds(moving_world: World, vendor: str, tmp_path: Path) -> None:
    """Over ten months of a seeded life: the very records that differ, each by its kind, and no other."""
    world = moving_world
    session, plan = await world.open(), year_plan(world, vendor, YOUNG)
    await extract(session, plan)
    await told(session, plan, tmp_path / "cursor", baseline=True)
    everything: dict[str, set[str]] = {"vanished": set(), "cancelled": set(), "changed": set()}

    for _ in range(5):
        before = held(world, plan)
        await pass_over(session, timedelta(days=60))
        await extract(session, plan, freshness=AGAIN)
        found = await told(session, plan, tmp_path / "cursor")

        expected = compared(before, held(world, plan))
        # Besides amounts, payments come in all the time.
        repriced = [each for each in found if each.kind != "changed" or {"total", "total_amount"} & set(each.fields)]
        assert expected == {kind: {each.record_id for each in repriced if each.kind == kind} for kind in expected}
        for kind, ids in expected.items():
            everything[kind] |= ids

    assert all(everything.values())


WORKER = """
import sys
from datetime import date
from pathlib import Path
import msgspec
from belvo_async.abc import RowPlace
from belvo_async.abc.changes import ChangeRules
from belvo_async.changes import Comparison, Fingerprints
from belvo_async._session.changes.known import RowRules, ScopeState, KnownRecords, new_run

class Row(msgspec.Struct):
    id: str
    total: int

rules = ChangeRules(record=Row, listed=None, moment=lambda row: None)
file = KnownRecords(Path(sys.argv[1]), new_run())
comparison = Comparison(rules, Fingerprints(Row, (), file.key))
look = RowRules(comparison, lambda row: RowPlace(), lambda row: row.id, lambda place: True)
scope, heard = file.scope("one"), 0
for start in range(0, 3000, 100):
    rows = [Row(id=str(number), total=number) for number in range(start, start + 100)]
    for found in file.compare(scope, rows, look, doubtful=False):
        heard += 1
        print("told", found.record_id, flush=True)
        if heard % 20 == 0:
            file.acknowledge(heard)
            print("acknowledged", found.record_id, flush=True)
file.acknowledge(file.found)
print("done", flush=True)
"""


@pytest.mark.proof
def test_killed_at_any_moment_nothing_is_lost(tmp_path: Path) -> None:
    """Every record is told at least once, and none again that was acknowledged."""
    chance, known, lives = random.Random(7), set[str](), 0
    heard, is_done = set[str](), False

    while not is_done:
        with subprocess.Popen(
            [sys.executable, "-c", WORKER, str(tmp_path / "cursor")], stdout=subprocess.PIPE, text=True
        ) as worker:
            assert worker.stdout is not None
            lives += 1
            # Later lives are longer, so that there is a last one.
            lines_left, pending = chance.randrange(1, 300 * lives), list[str]()
            for line in worker.stdout:
                if not line.endswith("\n"):
                    break  # killed in the middle of a word
                word, _, record = line.strip().partition(" ")
                is_done = is_done or word == "done"
                if word == "told":
                    assert record not in known
                    heard.add(record)
                    pending.append(record)
                elif word == "acknowledged":
                    known.update(pending)
                    pending.clear()
                lines_left -= 1
                if lines_left == 0:
                    # What it has said until then is still heard.
                    worker.kill()

    assert lives > 3
    assert {str(number) for number in range(3000)} == heard


class Row(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    total: int


def id_of(row: Row) -> str:
    return row.id


def is_wanted(place: RowPlace) -> bool:
    return True


def peak(path: Path, count: int) -> int:
    """The most memory that a reading of so many new records needs, in bytes."""
    rules = ChangeRules(record=Row, listed=unlisted, moment=lambda row: None)
    file = KnownRecords(path, new_run())
    comparison = Comparison(rules, Fingerprints(Row, {"id"}, file.key))
    look = RowRules(comparison, everywhere, id_of, is_wanted)
    tracemalloc.start()
    for start in range(0, count, 100):
        rows = [Row(id=f"{number:036}", total=number) for number in range(start, start + 100)]
        assert 100 == len(file.compare(1, rows, look, doubtful=False))
    file.acknowledge(file.found)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    file.close()
    return most


def unlisted(subject: str, extent: Extent, since: datetime | None) -> Query[object]:
    raise NotImplementedError


@pytest.mark.proof
def test_memory_does_not_grow_with_the_records(tmp_path: Path) -> None:
    """What is known is in the file: one batch and some forms are in memory, and not every id and digest."""
    assert peak(tmp_path / "cursor", 30_000) < 3_000_000
