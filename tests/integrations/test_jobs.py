"""What jobs brought, in a mirror: typed, merged, and to the cent what the vendor holds."""

from __future__ import annotations

import asyncio
from datetime import date
from decimal import Decimal
from typing import Any

from belvo_async import Session
from belvo_async._session.extraction.progress import PlanOutcome
from belvo_async.integrations.dlt import MirrorSink
from belvo_async.planning import Plan
from tests.integrations.kit import Database, both_databases, contents, tables_of
from tests.session.world import World

YEAR = {"first": date(2025, 1, 1), "last": date(2025, 12, 31)}
PERIOD = {"period": {"from": "2025-01-01", "to": "2025-12-31"}}


def belvo_plan(world: World, **changes: Any) -> Plan:
    return Plan(**{"vendor": "belvo", "resource": "invoices", "subjects": world.belvo.links[:2], **YEAR, **changes})


def syntage_plan(world: World, **changes: Any) -> Plan:
    plain = {"vendor": "syntage", "resource": "invoice", "subjects": world.syntage.entities[:2], **YEAR}
    return Plan(**{**plain, **changes})


async def mirror(session: Session, database: Database, *plans: Plan) -> list[PlanOutcome]:
    """Carry plans out into a mirror, one after the other."""
    outcomes: list[PlanOutcome] = []
    for plan in plans:
        run = await session.extract(plan, into=MirrorSink(database.spec, session.vendors))
        async for _ in run:
            pass
        outcomes.append(run.outcome)
    return outcomes


def total(rows: list[Any], column: str) -> Decimal:
    return sum((Decimal(str(row[column])) for row in rows if row[column] is not None), Decimal(0))


@both_databases
async def test_what_jobs_brought_is_there_to_the_cent(world: World, database: Database) -> None:
    """Rows and sums of both vendors are those that they hold; ids are in small letters."""
    session = await world.open()

    outcomes = await mirror(session, database, belvo_plan(world), syntage_plan(world))

    assert [True, True] == [each.is_whole for each in outcomes]
    belvo = [row for link in world.belvo.links[:2] for row in world.belvo.invoices(link, *YEAR.values())]
    syntage = [row for each in world.syntage.entities[:2] for row in world.syntage.invoices(each, PERIOD)]
    assert [(len(belvo), total(belvo, "total_amount"))] == database.rows(
        "SELECT count(*), sum(total_amount) FROM fiscal.belvo_invoices"
    )
    assert [(len(syntage), total(syntage, "total"))] == database.rows(
        "SELECT count(*), sum(total) FROM fiscal.syntage_invoices"
    )
    lines = [line for row in belvo for line in row["invoice_details"]]
    assert [(len(lines), total(lines, "total_amount"))] == database.rows(
        "SELECT count(*), sum(total_amount) FROM fiscal.belvo_invoices__invoice_details"
    )
    folios = {str(row["invoice_identification"]).lower() for row in belvo} | {
        str(row["uuid"]).lower() for row in syntage
    }
    assert folios == {folio for (folio,) in database.rows("SELECT uuid FROM fiscal.invoices")}


@both_databases
async def test_the_same_run_again_changes_nothing_and_pays_nothing(world: World, database: Database) -> None:
    """No request is sent to either vendor, and every row is what it was, with its history."""
    session = await world.open()
    plans = belvo_plan(world), syntage_plan(world)
    await mirror(session, database, *plans)
    sent, tables = len(world.sent()), tables_of(database)
    before = contents(database, tables)

    outcomes = await mirror(session, database, *plans)

    assert [True, True] == [each.is_whole for each in outcomes]
    assert sent == len(world.sent())
    assert before == contents(database, tables)


async def test_plans_may_share_a_mirror(world: World, database: Database) -> None:
    """Begun and ended by each run, it is open until the last; what one run loaded, the next one knows."""
    session = await world.open()
    plans = belvo_plan(world, subjects=world.belvo.links[:1]), syntage_plan(world, subjects=world.syntage.entities[:1])

    async def carry_out(plan: Plan, sink: MirrorSink) -> PlanOutcome:
        run = await session.extract(plan, into=sink)
        async for _ in run:
            pass
        return run.outcome

    async with MirrorSink(database.spec, session.vendors) as sink:
        first = await asyncio.gather(*(carry_out(plan, sink) for plan in plans))
        sent = len(world.sent())
        again = await asyncio.gather(*(carry_out(plan, sink) for plan in plans))

    assert all(each.is_whole for each in (*first, *again))
    assert [0, 0] == [each.tally.parts for each in again]
    assert sent == len(world.sent())
