"""What the parts of a sink hold while answers are asked again, and what is said of them: no row goes missing."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from belvo_async import Session, SinkError
from belvo_async.abc import OpenPart, PartKey
from belvo_async.planning import Freshness, Plan
from belvo_async.simulator import BelvoSimulator
from tests.kept_sink import KeptSink
from tests.session.test_extract import belvo_plan, carry_out, held_by_belvo, syntage_plan
from tests.session.world import World

YEAR = {"first": date(2025, 1, 1), "last": date(2025, 12, 31)}
STALE = Freshness(max_age=timedelta(hours=5))


async def test_rows_stay_until_a_newer_answer_brings_them(world: World) -> None:
    """What is asked again stays in the sink meanwhile, and for good where the vendor then fails."""
    session, sink = await world.open(), KeptSink()
    plan = syntage_plan(world, subjects=world.syntage.entities[:1], **YEAR)
    await carry_out(session, plan, sink)
    rows = Counter(row.uuid for row in sink.rows)
    await asyncio.sleep(timedelta(hours=10).total_seconds())
    world.syntage.next_job(outcome="failed", error_code="invalid_credentials")

    outcome = await carry_out(session, plan, sink, freshness=STALE)

    assert not outcome.is_whole
    assert rows
    assert rows == Counter(row.uuid for row in sink.rows)


async def test_rows_stay_while_more_options_are_asked_for(world: World) -> None:
    """Records without their XML stay until those with it are there."""
    session, sink = await world.open(), KeptSink()
    plan = syntage_plan(world, subjects=world.syntage.entities[:1], **YEAR)
    await carry_out(session, plan, sink)
    rows = Counter(row.uuid for row in sink.rows)
    world.syntage.next_job(outcome="failed", error_code="invalid_credentials")

    more = syntage_plan(world, subjects=world.syntage.entities[:1], options=["xml"], **YEAR)
    await carry_out(session, more, sink)
    kept = Counter(row.uuid for row in sink.rows)
    await carry_out(session, more, sink, retry=True)

    assert rows == kept == Counter(row.uuid for row in sink.rows)
    assert 1 == len([rows for rows in sink.parts.values() if rows])


async def test_each_of_several_jobs_learns_what_its_rows_lack(world: World) -> None:
    """Read by one list, each is partial where a row of its own says that its XML may be had only later."""
    world.belvo = await world.stack.enter_async_context(BelvoSimulator(now=world.clock.now, xml_limit_share=1.0))
    session, sink = await world.open(), KeptSink()
    plan = belvo_plan(world, subjects=world.belvo.links[:1], options=["xml"])

    outcome = await carry_out(session, plan, sink, patience=timedelta(0))

    lacking = {job.id for job in [each async for each in session.history()] if job.partial and job.retry_at is not None}
    assert 6 == len(sink.parts)
    assert {job for job, rows in sink.parts.items() if rows} == lacking
    assert not outcome.is_whole
    assert outcome.retry_at is not None


async def test_a_receipt_of_fewer_days_proves_no_rows_of_the_others(world: World) -> None:
    """Of a job that covers years, a sink that was filled by a plan for one month holds that month."""
    session, sink = await world.open(), KeptSink()
    years = syntage_plan(world, subjects=world.syntage.entities[:1])
    await carry_out(session, years, KeptSink("kept:2"))
    month = syntage_plan(world, subjects=world.syntage.entities[:1], first=date(2025, 3, 1), last=date(2025, 3, 31))
    await carry_out(session, month, sink)

    assert {"2025-03"} == {f"{row.issued_at:%Y-%m}" for row in sink.rows}
    narrow = await session.certificate(years, into=sink)
    await carry_out(session, years, sink)
    whole = await session.certificate(years, into=sink)

    assert narrow.unreceipted
    assert not narrow.receipts
    assert not whole.unreceipted


async def rows_of(session: Session, plan: Plan, folder: Path, **options: Any) -> Counter[str]:
    async for _ in await session.extract(plan, into=f"ndjson:{folder}", patience=timedelta(0), **options):
        pass
    return Counter(ids_in(folder))


def ids_in(folder: Path) -> Iterator[str]:
    for part in folder.rglob("*.ndjson"):
        yield from (msgspec.json.decode(line)["id"] for line in part.read_bytes().splitlines())


async def test_documents_of_one_direction_leave_the_other_alone(world: World, tmp_path: Path) -> None:
    """Parts that a plan does not want are neither read nor written for its documents."""
    session = await world.open()
    links = world.belvo.links[:1]
    received = belvo_plan(world, subjects=links, directions=["received"], options=["xml"])
    issued = belvo_plan(world, subjects=links, directions=["issued"], options=["xml"])

    await rows_of(session, received, tmp_path)
    written = await rows_of(session, issued, tmp_path, files=["xml"])

    assert held_by_belvo(world, belvo_plan(world, subjects=links)) == written


def a_night_of(world: World) -> datetime:
    """When an invoice was issued on a day that in Mexico had not begun."""
    issued = (datetime.fromisoformat(str(row["issuedAt"])) for row in world.syntage.invoices(world.syntage.entities[0]))
    return next(at for at in issued if at.hour < 6 and at.year == 2025)


async def test_rows_that_only_the_next_job_brings_are_written(world: World) -> None:
    """By the vendor's clock they are of its first day, by the tax office's of the other's last, which was read."""
    session, sink, entities = await world.open(), KeptSink(), world.syntage.entities[:1]
    at = a_night_of(world)
    wanted = {"period": {"from": "2024-01-01", "to": "2025-12-31"}}

    await carry_out(session, syntage_plan(world, subjects=entities, last=at.date() - timedelta(days=1)), sink)
    await carry_out(session, syntage_plan(world, subjects=entities), sink)
    commits = sink.commits
    await carry_out(session, syntage_plan(world, subjects=entities), sink)

    held = Counter(str(row["uuid"]) for row in world.syntage.invoices(entities[0], wanted))
    assert held == Counter(row.uuid for row in sink.rows)
    assert commits == sink.commits


async def test_a_plan_that_reaches_further_back_writes_no_row_twice(world: World) -> None:
    """A row of the first day by one clock is of the day before by the other: the older part gives it up."""
    session, sink, entities = await world.open(), KeptSink(), world.syntage.entities[:1]
    at = a_night_of(world)
    later = syntage_plan(world, subjects=entities, first=at.date(), last=date(2025, 12, 31))
    sooner = syntage_plan(world, subjects=entities, first=at.date() - timedelta(days=40), last=date(2025, 12, 31))

    await carry_out(session, later, sink)
    before = Counter(row.uuid for row in sink.rows)
    await carry_out(session, sooner, sink)
    after = Counter(row.uuid for row in sink.rows)
    commits = sink.commits
    for plan in (later, sooner):
        await carry_out(session, plan, sink)

    assert before < after
    assert {1} == set(after.values())
    assert (commits, after) == (sink.commits, Counter(row.uuid for row in sink.rows))


@pytest.mark.parametrize("resource", ["electronic_accounting", "tax_retention"])
async def test_a_plan_that_grows_writes_no_row_twice(world: World, resource: str) -> None:
    """What came in after a month and is about it belongs to the day it came, once the plan wants that."""
    session, sink = await world.open(), KeptSink()

    for last in (date(2025, 3, 31), date(2025, 6, 30), date(2025, 12, 31)):
        plan = syntage_plan(world, resource=resource, subjects=world.syntage.entities[:1], last=last)
        await carry_out(session, plan, sink)

    rows = Counter(row.id for row in sink.rows)
    assert rows
    assert {1} == set(rows.values())


class DyingSink(KeptSink):
    """A sink whose process dies behind the first part it has committed."""

    @asynccontextmanager
    async def part(self, key: PartKey) -> AsyncIterator[OpenPart]:
        async with super().part(key) as part:
            yield part
        if self.commits == 1:
            raise SinkError("dead")


async def test_a_part_without_its_receipt_gives_its_rows_up_as_well(world: World) -> None:
    """Where the run died between the two: once another job brings the rows, they are there once."""
    session, sink = await world.open(), DyingSink()
    plan = syntage_plan(world, subjects=world.syntage.entities[:1], **YEAR)
    with pytest.raises(SinkError):
        await carry_out(session, plan, sink)
    await asyncio.sleep(timedelta(hours=10).total_seconds())
    await carry_out(session, plan, KeptSink("kept:2"), freshness=STALE)

    before = await session.certificate(plan, into=sink)
    await carry_out(session, plan, sink)

    assert before.unreceipted
    assert {1} == set(Counter(row.uuid for row in sink.rows).values())
