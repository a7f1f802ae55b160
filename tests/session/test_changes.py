"""`session.changes`: what changed at either vendor since it was acknowledged, and nothing else; nothing is paid for."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import aclosing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from belvo_async import Change, ChangeKind, ConfigurationError, Plan, Session, StoreError, TaskError
from belvo_async._session.changes.watched import watch
from belvo_async.abc import Query
from belvo_async.abc.changes import ChangeRules
from belvo_async.planning import Freshness
from tests.kept_sink import KeptSink
from tests.session.world import World

# A year that is over: nothing is paid any more in it.
DAYS = {"first": date(2025, 3, 1), "last": date(2025, 5, 31)}
# Everything is asked for again.
AGAIN = Freshness(max_age=timedelta(minutes=1))


def invoice_plan(world: World, vendor: str, **changes: object) -> Plan:
    belvo = vendor == "belvo"
    subjects = world.belvo.links[:2] if belvo else world.syntage.entities[:2]
    plain = {"vendor": vendor, "resource": "invoices" if belvo else "invoice", "subjects": subjects, **DAYS}
    return Plan(**plain | changes)  # type: ignore[arg-type]


async def extract(session: Session, plan: Plan, **options: Any) -> None:
    """Ask for what a plan wants, and for all of it again if `options` say so."""
    async for _ in await session.extract(plan, into=KeptSink(), **options):
        pass


async def told(session: Session, plan: Plan, cursor: Path, *, baseline: bool = False) -> list[Change]:
    """What is told, and acknowledged at the end."""
    changes = session.changes(plan, since=cursor, baseline=baseline)
    found = [each async for each in changes]
    assert () == changes.unread
    await changes.ack()
    return found


def kinds(changes: list[Change]) -> dict[str, int]:
    return dict(Counter(str(each.kind) for each in changes))


def folio_of(row: Any) -> str:
    return str(row.get("uuid") or row["invoice_identification"])


def receipts(world: World, plan: Plan, subject: int = 0) -> list[Any]:
    """The valid invoices that the vendor holds of a subject, by nobody's account but its own."""
    who = plan.subjects[subject]
    if plan.vendor == "belvo":
        rows: list[Any] = world.belvo.invoices(who, DAYS["first"], DAYS["last"])
    else:
        rows = world.syntage.invoices(who, {"period": {"from": "2025-03-01", "to": "2025-05-31"}})
    return [row for row in rows if row["status"].upper() == "VIGENTE"]


def simulator(world: World, plan: Plan) -> Any:
    return world.belvo if plan.vendor == "belvo" else world.syntage


@pytest.fixture
def cursor(tmp_path: Path) -> Path:
    return tmp_path / "changes.db"


@pytest.fixture(params=["belvo", "syntage"])
def plan(request: pytest.FixtureRequest, world: World) -> Plan:
    return invoice_plan(world, request.param)


async def learned(world: World, plan: Plan, cursor: Path) -> Session:
    """A session on a plan that was carried out, and whose records are known."""
    session = await world.open()
    await extract(session, plan)
    assert [] == await told(session, plan, cursor, baseline=True)
    return session


async def test_at_first_all_is_new(world: World, plan: Plan, cursor: Path) -> None:
    """Every record that the vendor holds for the plan, once, as its type; then nothing."""
    session = await world.open()
    await extract(session, plan)

    first = await told(session, plan, cursor)
    second = await told(session, plan, cursor)

    new = [each for each in first if each.kind is ChangeKind.NEW]
    assert len(new) == len({each.record_id for each in new})
    held = [folio_of(row).lower() for subject in (0, 1) for row in receipts(world, plan, subject)]
    names = [getattr(each.record, "uuid", None) or getattr(each.record, "invoice_identification", "") for each in new]
    assert set(held) <= {str(each).lower() for each in names}
    assert [] == second


async def test_nothing_is_paid_for(world: World, plan: Plan, cursor: Path) -> None:
    """Lists are read, and no job is started."""
    session = await world.open()
    await extract(session, plan)
    paid = len(world.sent("POST"))

    await told(session, plan, cursor)

    assert paid == len(world.sent("POST"))


async def test_what_changes_is_told_by_its_kind(world: World, plan: Plan, cursor: Path) -> None:
    """A cancellation, another amount, an invoice that is there no longer; and not the one that is spelled anew."""
    session = await learned(world, plan, cursor)
    cancelled, repriced, vanished, respelled = (folio_of(row) for row in receipts(world, plan)[:4])
    vendor = simulator(world, plan)
    vendor.alter("cancelled", cancelled)
    vendor.alter("repriced", repriced)
    vendor.alter("vanished", vanished)
    vendor.alter("respelled", respelled)
    await asyncio.sleep(timedelta(days=2).total_seconds())

    await extract(session, plan, freshness=AGAIN)
    found = await told(session, plan, cursor)

    assert {"cancelled": 1, "changed": 1, "vanished": 1} == kinds(found)
    by_kind = {str(each.kind): each for each in found}
    assert "status" in by_kind["cancelled"].fields
    assert by_kind["changed"].fields in (("total",), ("total_amount",))
    assert by_kind["vanished"].record is None
    assert {plan.subjects[0]} == {each.subject for each in found}
    assert [] == await told(session, plan, cursor)


@pytest.mark.proof
async def test_syntage_tells_by_its_lists_alone(world: World, cursor: Path) -> None:
    """What it refreshed by itself moves `updatedAt`: nothing needs to be asked for again."""
    plan = invoice_plan(world, "syntage")
    session = await learned(world, plan, cursor)
    await asyncio.sleep(timedelta(days=3).total_seconds())
    world.syntage.alter("cancelled", folio_of(receipts(world, plan)[0]), seen=True)
    world.syntage.alter("respelled", folio_of(receipts(world, plan)[1]), seen=True)

    assert {"cancelled": 1} == kinds(await told(session, plan, cursor))


async def test_what_is_not_listed_is_not_called_vanished(world: World, cursor: Path) -> None:
    """Only days that were asked for again, and are proven, can show that something is missing."""
    plan = invoice_plan(world, "syntage")
    session = await learned(world, plan, cursor)
    world.syntage.alter("vanished", folio_of(receipts(world, plan)[0]), seen=True)

    before = await told(session, plan, cursor)
    await asyncio.sleep(120)
    await extract(session, plan, freshness=AGAIN)
    after = await told(session, plan, cursor)

    assert ([], {"vanished": 1}) == (before, kinds(after))


async def test_only_what_the_plan_wants_is_told(world: World, cursor: Path) -> None:
    """One direction, some days: what a wider job brought beside them is not told."""
    wide = invoice_plan(world, "syntage")
    narrow = invoice_plan(world, "syntage", directions=["issued"], first=date(2025, 4, 1), last=date(2025, 4, 30))
    session = await world.open()
    await extract(session, wide)

    records: list[Any] = [each.record for each in await told(session, narrow, cursor)]

    assert records
    assert all(each.is_issuer and each.issued_at.month in (4, 5) for each in records)
    assert len(records) < len(await told(session, wide, cursor))


async def test_a_counterparty_is_told_of_once(world: World, plan: Plan, cursor: Path) -> None:
    """Put on the list of article 69-B, it is told for each subject that trades with it, however many invoices."""
    session = await learned(world, plan, cursor)
    row = receipts(world, plan)[0]
    other = row["issuer" if not row["isIssuer"] else "receiver"]["rfc"] if "issuer" in row else (
        row["receiver_id"] if row["type"] == "OUTFLOW" else row["sender_id"]
    )  # fmt: skip
    simulator(world, plan).alter("presumed", other)
    await asyncio.sleep(120)

    await extract(session, plan, freshness=AGAIN)
    presumed = [each for each in await told(session, plan, cursor) if each.subject == plan.subjects[0]]
    simulator(world, plan).alter("definitive", other)
    await asyncio.sleep(120)
    await extract(session, plan, freshness=AGAIN)
    definitive = [each for each in await told(session, plan, cursor) if each.subject == plan.subjects[0]]

    assert ({"blacklisted": 1}, {"blacklisted": 1}) == (kinds(presumed), kinds(definitive))


async def opinions(world: World, vendor: str) -> tuple[Session, Plan, Plan]:
    """A session, and the plans for opinions of compliance and for tax statuses."""
    session = await world.open()
    if vendor == "belvo":
        make = [Plan(vendor="belvo", resource=each, subjects=world.belvo.links[:1]) for each in
                ("tax_compliance_status", "tax_status")]  # fmt: skip
    else:
        make = [Plan(vendor="syntage", resource=each, subjects=world.syntage.entities[:1]) for each in
                ("tax_compliance", "tax_status")]  # fmt: skip
    return session, make[0], make[1]


async def look_up(world: World, session: Session, *plans: Plan) -> None:
    """Let the vendor ask the tax office, each in its way."""
    await asyncio.sleep(timedelta(days=1).total_seconds())
    if plans[0].vendor == "belvo":
        world.belvo.emit_historical(plans[0].subjects[0], ["TAX_COMPLIANCE_STATUS", "TAX_STATUS"])
        return
    for each in plans:
        await extract(session, each, freshness=AGAIN)


@pytest.mark.proof
@pytest.mark.parametrize("vendor", ["belvo", "syntage"])
async def test_an_opinion_turns_negative_and_a_taxpayer_is_suspended(world: World, vendor: str, cursor: Path) -> None:
    """Each opinion is a record of its own: only that it says something else is told."""
    session, opinion, status = await opinions(world, vendor)
    rfc = world.belvo.rfc_of(opinion.subjects[0]) if vendor == "belvo" else world.syntage.rfc_of(opinion.subjects[0])
    vendors: Any = world.belvo if vendor == "belvo" else world.syntage
    found: list[tuple[dict[str, int], dict[str, int]]] = []
    vendors.alter("compliant", rfc)

    for order in (None, None, "negative", None, "suspended", None):
        if order is not None:
            vendors.alter(order, rfc)
        await look_up(world, session, opinion, status)
        found.append((kinds(await told(session, opinion, cursor)), kinds(await told(session, status, cursor))))

    nothing: dict[str, int] = {}
    # Belvo's opinion knows no suspension: it says that there are no obligations.
    turned = {"changed": 1} if vendor == "belvo" else {"taxpayer suspended": 1}
    assert [
        ({"new": 1}, {"new": 1}),
        (nothing, nothing),
        ({"compliance negative": 1}, nothing),
        (nothing, nothing),
        (turned, {"taxpayer suspended": 1}),
        (nothing, nothing),
    ] == found


# The cursor


async def test_unacknowledged_everything_is_told_again(world: World, plan: Plan, cursor: Path) -> None:
    """Whoever dies before hears of it once more."""
    session = await world.open()
    await extract(session, plan)

    first = [each async for each in session.changes(plan, since=cursor)]
    again = [each async for each in session.changes(plan, since=cursor)]

    assert first
    assert [(each.kind, each.record_id) for each in first] == [(each.kind, each.record_id) for each in again]


@pytest.mark.parametrize("heard", [1, 7, 20])
async def test_what_was_acknowledged_is_not_told_again_and_the_rest_is(
    world: World, plan: Plan, cursor: Path, heard: int
) -> None:
    """To the very change: the cursor stands where the caller put it."""
    session = await world.open()
    await extract(session, plan)
    every = [(each.kind, each.record_id) async for each in session.changes(plan, since=cursor)]
    before: list[Any] = []

    changes = session.changes(plan, since=cursor)
    async with aclosing(aiter(changes)) as reading:
        async for each in reading:
            before.append((each.kind, each.record_id))
            if len(before) == heard:
                await changes.ack()
            if len(before) == heard + 3:
                break
    after = [(each.kind, each.record_id) for each in await told(session, plan, cursor)]

    # A record of which only the first of two changes was acknowledged is told whole again.
    split = before[heard - 1][1] == before[heard][1]
    assert every[heard - split :] == after


async def test_another_reading_cannot_be_acknowledged_for(world: World, plan: Plan, cursor: Path) -> None:
    """What a newer reading will tell again is not struck out by an older one."""
    session = await world.open()
    await extract(session, plan)
    older = session.changes(plan, since=cursor)
    assert [each async for each in older]
    newer = session.changes(plan, since=cursor)
    assert [each async for each in newer]

    with pytest.raises(ConfigurationError, match="another reading"):
        await older.ack()
    await newer.ack()

    assert [] == await told(session, plan, cursor)


async def test_one_reading_has_the_file_at_a_time(world: World, plan: Plan, cursor: Path) -> None:
    """Two would tell the same, and each acknowledge for the other."""
    session = await world.open()
    await extract(session, plan)

    async with aclosing(aiter(session.changes(plan, since=cursor))) as reading:
        assert await anext(reading)
        with pytest.raises(StoreError, match="in use"):
            await anext(aiter(session.changes(plan, since=cursor)))


async def test_a_list_that_cannot_be_read_loses_nothing(world: World, cursor: Path) -> None:
    """Its subject is named, the others are told; the next reading tells what this one could not."""
    plan = invoice_plan(world, "syntage")
    session = await world.open()
    await extract(session, plan)
    world.syntage.next_answer("unprocessable", method="GET", path=f"{plan.subjects[0]}/invoices")

    changes = session.changes(plan, since=cursor)
    first = [each async for each in changes]
    await changes.ack()
    rest = await told(session, plan, cursor)

    assert (plan.subjects[0],) == changes.unread
    assert {plan.subjects[1]} == {each.subject for each in first}
    assert {plan.subjects[0]} == {each.subject for each in rest}


# The file


def content(path: Path) -> bytes:
    return path.read_bytes()


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize("since", ["", "sqlite:", "postgresql://localhost/x", 3, None], ids=repr)
async def test_a_cursor_is_a_file(world: World, plan: Plan, since: Any) -> None:
    """Anything else is refused before a byte is sent."""
    session = await world.open()

    with pytest.raises(ConfigurationError, match="since"):
        session.changes(plan, since=since)


async def test_another_programs_file_is_left_alone(world: World, plan: Plan, cursor: Path) -> None:
    """A store of jobs, say, named by mistake."""
    with sqlite3.connect(cursor) as other:
        other.execute("CREATE TABLE jobs (id)")
    other.close()
    before = content(cursor)
    session = await world.open()

    with pytest.raises(ConfigurationError, match="no file of changes"):
        await anext(aiter(session.changes(plan, since=cursor)))

    assert before == content(cursor)


async def test_the_file_holds_no_content(world: World, plan: Plan, cursor: Path) -> None:
    """Neither names, RFCs nor folios of taxpayers; and nobody else may read it."""
    await learned(world, plan, cursor)
    row = receipts(world, plan)[0]
    held = content(cursor)

    if "issuer" in row:
        words = [row["issuer"]["rfc"], row["issuer"]["name"], row["receiver"]["rfc"], row["uuid"], str(row["total"])]
    else:
        words = [row["sender_id"], row["sender_name"], row["receiver_id"], folio_of(row), str(row["total_amount"])]
    words += [plan.subjects[0].rpartition("/")[2], world.syntage.api_key, world.belvo.secret_password]
    assert [] == [each for each in words if each.encode() in held or each.lower().encode() in held]
    assert 0o600 == mode(cursor)


# What it is told of


@pytest.mark.parametrize(
    ("resource", "more"),
    [("background_check", {}), ("nonsense", {}), ("tax_status", {"directions": ["issued"]}), ("invoice", {})],
)
async def test_a_plan_that_does_not_fit_is_refused(
    world: World, cursor: Path, resource: str, more: dict[str, Any]
) -> None:
    """Before a byte is sent, naming the field."""
    session = await world.open()
    plan = Plan(vendor="syntage", resource=resource, subjects=world.syntage.entities, **more)

    with pytest.raises(TaskError):
        session.changes(plan, since=cursor)

    assert [] == world.sent()


async def test_what_is_only_listed_has_no_days(world: World, cursor: Path) -> None:
    """Belvo's tax status cannot be planned for; its list is read as it is."""
    session = await world.open()
    plan = Plan(vendor="belvo", resource="tax_status", subjects=world.belvo.links, **DAYS)  # type: ignore[arg-type]

    with pytest.raises(TaskError, match="only listed"):
        session.changes(plan, since=cursor)


async def test_changes_show_nothing_of_a_record(world: World, plan: Plan, cursor: Path) -> None:
    """A log of changes names kinds and ids."""
    session = await world.open()
    await extract(session, plan)

    change = (await told(session, plan, cursor))[0]

    assert f"<Change new {plan.resource.upper() if plan.vendor == 'belvo' else 'invoice'} {change.record_id}>" == repr(
        change
    )


def test_nothing_of_it_is_imported_unless_used() -> None:
    """Neither by the package, nor by a session, nor by what vendors bring."""
    code = (
        "import sys, belvo_async; from belvo_async import Session, Belvo, Syntage, Plan;"
        "Belvo('a', 'b' * 8).plans; Syntage('k' * 20).plans;"
        "found = [each for each in sys.modules if 'changes' in each and not each.endswith('_tracker.changes')];"
        "sys.exit(', '.join(found) or None)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (0, "") == (done.returncode, done.stderr)


async def test_days_that_a_plan_wants_later_are_read_whole(world: World, cursor: Path) -> None:
    """A period that moves on or begins earlier: what the vendor has long held of the new days is told as new."""
    plan = invoice_plan(world, "syntage")
    session = await world.open()
    await extract(session, plan)
    await told(session, invoice_plan(world, "syntage", first=date(2025, 4, 1), last=date(2025, 4, 30)), cursor)
    await asyncio.sleep(timedelta(hours=5).total_seconds())

    more = await told(session, plan, cursor)

    whole = {row["id"] for subject in (0, 1) for row in receipts(world, plan, subject)}
    months = {each.record.issued_at.month for each in more if each.kind is ChangeKind.NEW}  # type: ignore[union-attr, attr-defined]
    assert {3, 5} <= months
    assert {each.record_id for each in more} & whole
    assert [] == await told(session, plan, cursor)


class Third:
    """A vendor of somebody else's, as far as it matters here."""

    def __init__(self, **more: object) -> None:
        self.name, self.plans = "third", dict[str, object]()
        self.__dict__.update(more)


def test_a_third_vendor_brings_its_own_rules_or_none() -> None:
    """What changes are told of is the vendor's to say; one that says nothing is refused in a sentence."""
    plan = Plan(vendor="third", resource="receipts", subjects=["a", "a", "b"])
    rules = ChangeRules(record=Plan, listed=lambda subject, extent, since: PlainQuery(), moment=lambda row: None)
    silent: Any = {"third": Third()}
    telling: Any = {"third": Third(changes={"receipt": rules})}

    with pytest.raises(TaskError, match="changes are told at third: none"):
        watch(plan, silent, datetime(2026, 6, 1, tzinfo=UTC))
    watched = watch(plan, telling, datetime(2026, 6, 1, tzinfo=UTC))

    assert ("receipt", ("a", "b")) == (watched.plan.resource, watched.plan.subjects)
    assert rules is watched.rules


class PlainQuery(Query[object], frozen=True, kw_only=True):
    """Asks for whatever there is."""
