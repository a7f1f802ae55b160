"""Reading records: of a job, and directly from the vendors' lists."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from belvo_async import (
    IncompleteResultError,
    JobFailedError,
    NotFoundError,
    Results,
    Session,
    TransportError,
    UnsupportedError,
    VendorError,
    belvo,
    syntage,
)
from belvo_async.simulator import BelvoSimulator
from tests.session.world import World

PAGE_ROWS = 1000  # what the dialect asks for, and the most Belvo gives
QUARTER = {"period": {"from": "2025-01-01", "to": "2025-03-31"}}


async def test_records_are_those_the_vendor_holds(world: World) -> None:
    """Every row of the task's link, period and direction, over all pages, typed."""
    session = await world.open()
    handle = await session.fire(world.invoices())
    await handle

    records = await handle.results().to_list()

    truth = world.belvo.invoices(world.belvo.links[0], date(2025, 1, 1), date(2025, 12, 31), "INFLOW")
    assert len(truth) > 20  # more than a page
    assert {row["id"]: row["total_amount"] for row in truth} == {each.id: each.total_amount for each in records}
    assert {belvo.Invoice} == {type(each) for each in records}
    assert all(isinstance(each.total_amount, Decimal) for each in records)


async def test_records_of_an_extraction(world: World) -> None:
    """The same for Syntage, along its cursor."""
    session = await world.open()
    handle = await session.fire(world.extraction())
    await handle

    records = await handle.results().to_list()

    assert {row["id"] for row in world.syntage.invoices(world.syntage.entities[0], QUARTER)} == {
        each.id for each in records
    }
    assert {syntage.Invoice} == {type(each) for each in records}


async def test_results_are_read_from_the_start_each_time(world: World) -> None:
    """Results are an iterable, not an iterator: nothing is used up."""
    session = await world.open()
    handle = await session.fire(world.invoices())
    await handle
    results = handle.results()

    assert await results.to_list() == [record async for record in results]


async def test_batches_hold_the_same_records(world: World) -> None:
    """`batches` gives them in tuples, never an empty one."""
    session = await world.open()
    handle = await session.fire(world.invoices())
    await handle

    batches = [batch async for batch in handle.results().batches()]

    assert all(isinstance(batch, tuple) and batch for batch in batches)
    assert await handle.results().to_list() == [record for batch in batches for record in batch]


async def test_a_job_that_runs_gives_what_is_there(world: World) -> None:
    """Reading before the end gives the rows gathered so far."""
    session = await world.open()
    world.belvo.next_job(duration=timedelta(minutes=10))
    handle = await session.fire(world.invoices())
    await world.until(lambda: world.clock.now() - handle.job.created_at > timedelta(minutes=5))

    early = await handle.results().to_list()
    await handle

    assert 0 < len(early) < len(await handle.results().to_list())


async def test_a_failed_job_may_have_records(world: World) -> None:
    """What an earlier job stored stays readable through the failed one."""
    session = await world.open()
    await (await session.fire(world.extraction()))
    world.syntage.next_job(outcome="failed")
    failed = await session.fire(world.extraction())
    with pytest.raises(JobFailedError):
        await failed

    assert len(world.syntage.invoices(world.syntage.entities[0], QUARTER)) == len(await failed.results().to_list())


async def _read_two_pages(world: World) -> tuple[Results[belvo.Invoice], int]:
    """A reading of more rows than a page holds, and how many."""
    world.belvo = await world.stack.enter_async_context(BelvoSimulator(now=world.clock.now, invoices_per_year=1100))
    session = await world.open()
    job = await (await session.fire(world.invoices(type=None)))
    count = job.created_count or 0
    assert count > PAGE_ROWS
    return session.list(belvo.InvoiceList(link=world.belvo.links[0])), count


async def test_rows_that_move_between_pages_come_once_and_are_told(world: World) -> None:
    """A row stored meanwhile pushes others onto the next page: each comes once, and one is said to be missing."""
    results, count = await _read_two_pages(world)
    link, day = world.belvo.links[0], date(2025, 1, 1)
    ids: list[str | None] = []

    with pytest.raises(IncompleteResultError) as incomplete:  # noqa: PT012 - the loop is what raises
        async for record in results:
            ids.append(record.id)
            if len(ids) == 1:
                world.belvo.stock_invoices(link, 1, date_from=day, date_to=day, in_front=True)

    assert (count, count) == (len(ids), len(set(ids)))
    assert (count + 1, count) == (incomplete.value.expected, incomplete.value.received)
    assert count + 1 == len(await results.to_list())


async def test_a_cut_page_is_told(world: World) -> None:
    """A body that stops too early is an error; the records before it were delivered."""
    results, count = await _read_two_pages(world)
    records: list[object] = []

    with pytest.raises(TransportError):  # noqa: PT012 - the loop is what raises
        async for record in results:
            if not records:
                world.belvo.next_answer("cut_body", method="GET", path="/api/invoices/", count=10)
            records.append(record)

    assert PAGE_ROWS < len(records) < count


async def test_an_error_answer_is_told(world: World) -> None:
    """What the vendor refuses to list is a VendorError, with its request id."""
    session = await world.open()
    handle = await session.fire(world.invoices())
    await handle
    world.belvo.next_answer("permission_denied", method="GET", path="/api/invoices/", count=10)

    with pytest.raises(VendorError) as refused:
        await handle.results().to_list()

    assert "permission_denied" == refused.value.code
    assert refused.value.request_id


async def test_a_missing_list_is_not_found(world: World) -> None:
    """404 is an error of its own."""
    session = await world.open()
    handle = await session.fire(world.extraction())
    await handle
    world.syntage.next_answer("not_found", method="GET", path="/entities/*")

    with pytest.raises(NotFoundError):
        await handle.results().to_list()


async def test_a_reading_survives_a_short_outage(world: World) -> None:
    """Reads are repeated after faults that pass."""
    session = await world.open()
    handle = await session.fire(world.invoices())
    job = await handle
    for fault in ("unsent", "server_error", "rate_limited", "html_403"):
        world.belvo.next_answer(fault, method="GET", path="/api/invoices/")

    assert job.created_count == len(await handle.results().to_list())


async def test_leaving_a_reading_gives_its_connection_back(world: World) -> None:
    """Breaking out of more readings than there are connections blocks nobody."""
    session = await world.open(connections=2)
    handle = await session.fire(world.invoices())
    await handle
    began = world.clock.now()

    for _ in range(10):
        async for _ in handle.results():
            break

    assert world.clock.now() - began < timedelta(seconds=20)
    assert await handle.results().to_list()


async def test_a_closed_reading_holds_nothing(world: World) -> None:
    """Closing the iterator closes the response beneath it at once, not when the collector comes by."""
    session = await world.open(connections=1)
    handle = await session.fire(world.invoices())
    await handle
    kept = []

    for _ in range(3):
        reading = aiter(handle.results())
        await anext(reading)
        await reading.aclose()
        kept.append(reading)

    assert await handle.results().to_list()


async def test_a_job_that_brings_no_records_says_so(world: World) -> None:
    """`results` refuses when called, not at the first record."""
    session = await world.open()
    handle = await session.fire(belvo.DeleteLink(world.belvo.links[1]))
    await handle

    with pytest.raises(UnsupportedError):
        handle.results()


async def test_fields_choose_the_keys(world: World) -> None:
    """`fields` and `omit` reach the vendor; the id always comes."""
    session = await world.open()
    handle = await session.fire(world.invoices(fields=["total_amount"]))
    await handle

    (first, *_) = await handle.results().to_list()

    assert first.id is not None
    assert (True, None) == (isinstance(first.total_amount, Decimal), first.currency)


# Direct reads


@pytest.fixture
async def session(world: World) -> Session:
    """A session with a finished invoice job of each vendor."""
    session = await world.open()
    for task in (world.invoices(), world.extraction()):
        await (await session.fire(task))
    return session


async def test_links_are_listed(world: World, session: Session) -> None:
    """All links, or those a filter leaves."""
    links = await session.list(belvo.Links()).to_list()
    one = await session.list(belvo.Links(id=world.belvo.links[1])).to_list()

    assert set(world.belvo.links) == {link.id for link in links}
    assert [world.belvo.links[1]] == [link.id for link in one]


async def test_stored_invoices_are_listed_without_a_job(world: World, session: Session) -> None:
    """A direct read starts nothing."""
    posted = len(world.sent("POST"))

    query = belvo.InvoiceList(link=world.belvo.links[0], date_from=date(2025, 1, 1), date_to=date(2025, 6, 30))
    rows = await session.list(query).to_list()

    truth = world.belvo.invoices(world.belvo.links[0], date(2025, 1, 1), date(2025, 6, 30), "INFLOW")
    assert {row["id"] for row in truth} == {row.id for row in rows}
    assert posted == len(world.sent("POST"))


async def test_entities_are_listed(world: World, session: Session) -> None:
    """All entities, or the one with an RFC."""
    entities = await session.list(syntage.Entities()).to_list()
    rfc = world.syntage.rfc_of(world.syntage.entities[1])
    one = await session.list(syntage.Entities(rfc=rfc)).to_list()

    assert set(world.syntage.entities) == {f"/entities/{each.id}" for each in entities}
    assert [world.syntage.entities[1]] == [f"/entities/{each.id}" for each in one]


async def test_extractions_are_listed(world: World, session: Session) -> None:
    """Extractions whoever started them, as the vendor shows them."""
    (row,) = await session.list(syntage.Extractions(status="finished")).to_list()

    assert list(world.syntage.jobs) == [row.id]
    assert ("invoice", "finished") == (row.extractor, row.status)


async def test_financial_statements_are_read(world: World, session: Session) -> None:
    """The other task of Belvo, end to end."""
    handle = await session.fire(belvo.FinancialStatements(link=world.belvo.links[0]))
    await handle

    records = await handle.results().to_list()

    truth = world.belvo.financial_statements(world.belvo.links[0])
    assert {row["id"] for row in truth} == {each.id for each in records}
    listed = await session.list(belvo.FinancialStatementList(link=world.belvo.links[0])).to_list()
    assert records == listed
