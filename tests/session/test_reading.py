"""How pages are read: ahead of need, again after a fault, on from a checkpoint, into the caller's own types."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from belvo_async import PayloadError, Session, TaskError, TransportError, belvo
from belvo_async._session.reading.dedup import WINDOW_IDS
from belvo_async._session.reading.prefetch import PAGES_AHEAD
from tests.frames import leaks_of, provoked
from tests.session.paged import Pages, invoices
from tests.session.world import World

JANUARY = belvo.InvoiceList(link="a", date_from=date(2025, 1, 1), date_to=date(2025, 1, 31))


async def open_on(world: World, pages: Pages, **options: object) -> Session:
    """A session whose Belvo is those pages."""
    vendor = world.belvo_vendor(base_url=await world.serve(pages.application()), budget=False)
    return await world.open(vendor, webhooks=False, **options)


def ids(records: list[belvo.Invoice]) -> list[str]:
    return [each.id or "" for each in records]


async def test_several_numbered_pages_are_under_way_at_once(world: World) -> None:
    """Belvo numbers its pages and counts its rows, so nobody waits for one page to ask for the next."""
    pages = Pages(invoices(400), size=10, late=0.2)
    session = await open_on(world, pages)
    began = world.clock.now()

    records = await session.list(JANUARY).to_list()

    assert [row["id"] for row in pages.rows] == ids(records)
    assert list(range(1, 41)) == sorted(pages.asked)
    assert PAGES_AHEAD <= pages.most_under_way <= PAGES_AHEAD + 1
    assert world.clock.now() - began < timedelta(seconds=40 * 0.2 / 3)


async def test_no_page_is_asked_for_that_is_not_there(world: World) -> None:
    """While a long page is read, its rows so far say nothing of how many pages there are."""
    rows = [row | {"xml": "x" * 5000} for row in invoices(2500)]
    pages = Pages(rows, size=1000)
    session = await open_on(world, pages)

    records = await session.list(JANUARY).to_list()

    assert (2500, [1, 2, 3]) == (len(records), pages.asked)


async def test_the_next_page_is_asked_for_while_one_is_read(world: World) -> None:
    """What the consumer does with a record does not delay the vendor's next answer."""
    pages = Pages(invoices(20), size=10)
    session = await open_on(world, pages)

    reading = aiter(session.list(JANUARY))
    await anext(reading)
    await asyncio.sleep(1)

    assert [1, 2] == pages.asked
    await reading.aclose()


async def test_links_decide_whatever_was_guessed(world: World) -> None:
    """A page that was asked for early and does not come next is dropped; the one the vendor links to is read."""
    pages = Pages(invoices(60), size=10, links={2: 5, 6: None})
    session = await open_on(world, pages)
    records: list[belvo.Invoice] = []

    with pytest.raises(Exception, match="40 records arrived, the vendor counts 60"):  # noqa: PT012 - the loop raises
        async for record in session.list(JANUARY):
            records.append(record)

    assert [row["id"] for row in [*pages.rows[:20], *pages.rows[40:]]] == ids(records)


async def test_leaving_drops_what_was_asked_for_early(world: World) -> None:
    """A reading that ended holds no connection, neither for its page nor for those it asked for early."""
    pages = Pages(invoices(400), size=10, late=0.1)
    session = await open_on(world, pages, connections=16)

    for _ in range(20):
        async with aclosing(session.list(JANUARY).batches()) as batches:
            await anext(batches)
    began = world.clock.now()
    records = await session.list(JANUARY).to_list()

    assert 400 == len(records)
    assert world.clock.now() - began < timedelta(seconds=2)


async def test_readings_share_what_may_be_under_way_early(world: World) -> None:
    """However many read slowly, the pages that somebody waits for find a connection."""
    pages = Pages(invoices(400), size=10)
    session = await open_on(world, pages, connections=16)
    slow: list[AsyncGenerator[belvo.Invoice, None]] = [session.list(JANUARY).__aiter__() for _ in range(3)]
    for each in slow:
        await anext(each)
    await asyncio.sleep(1)
    began = world.clock.now()

    records = await session.list(JANUARY).to_list()

    assert 400 == len(records)
    assert world.clock.now() - began < timedelta(seconds=5)
    for each in slow:
        await each.aclose()


@pytest.mark.parametrize("ill", [401, 404, 429, 500, 503])
async def test_an_early_failure_is_none(world: World, ill: int) -> None:
    """What failed when nobody needed it is asked for again when somebody does: by then the vendor may be well."""
    pages = Pages(invoices(40), size=10)
    session = await open_on(world, pages)
    records: list[belvo.Invoice] = []

    async for record in session.list(JANUARY):
        if not records:
            pages.ill = ill
            await asyncio.sleep(300)
            pages.ill = None
        records.append(record)

    assert [row["id"] for row in pages.rows] == ids(records)


@pytest.mark.parametrize(("readings", "connections"), [(2, 5), (4, 10), (7, 16), (28, 64)])
async def test_readings_in_lockstep_do_not_starve_each_other(world: World, readings: int, connections: int) -> None:
    """As many readings as there are connections for them: what is unread gives way to what somebody waits for."""
    pages = Pages(invoices(60), size=10, late=0.1)
    session = await open_on(world, pages, connections=connections)
    began = world.clock.now()

    merged = [session.list(JANUARY).__aiter__() for _ in range(readings)]
    rows = [[await anext(each) for each in merged] for _ in pages.rows]
    for each in merged:
        await each.aclose()

    assert all(row["id"] == each.id for row, line in zip(pages.rows, rows, strict=True) for each in line)
    assert world.clock.now() - began < timedelta(seconds=30)


async def test_a_call_within_a_reading_finds_a_connection(world: World) -> None:
    """Even of a session with a single one for each kind."""
    session = await world.open(webhooks=False, connections=1)

    async for link in session.list(belvo.Links()):
        assert link.id == (await session.call(belvo.GetLink(link.id or ""))).id


async def test_a_page_that_breaks_off_is_read_again(world: World) -> None:
    """Rows that came before the break come once; the reading goes on where it stood."""
    pages = Pages(invoices(40), size=10, cuts=[(2, 5), (2, 3), (4, 9)])
    session = await open_on(world, pages)

    records = await session.list(JANUARY).to_list()

    assert [row["id"] for row in pages.rows] == ids(records)
    assert [2, 2, 2, 4, 4] == [number for number in sorted(pages.asked) if number in (2, 4)]


async def test_a_reading_goes_on_from_its_checkpoint(world: World) -> None:
    """After a fault that does not pass, another process reads on: nothing is missing, only one page comes twice."""
    pages = Pages(invoices(40), size=10, cuts=[(3, 5)] * 10)
    session = await open_on(world, pages)
    results = session.list(JANUARY)
    first: list[belvo.Invoice] = []
    with pytest.raises(TransportError):  # noqa: PT012 - the loop is what raises
        async for record in results:
            first.append(record)
    pages.cuts.clear()
    checkpoint = results.checkpoint

    rest = await session.list(JANUARY, resume=checkpoint).to_list()

    assert [row["id"] for row in pages.rows[:20]] == ids(first)[:20]
    assert [row["id"] for row in pages.rows[20:]] == ids(rest)


async def test_a_reading_that_ended_has_no_checkpoint(world: World) -> None:
    """There is nothing to go on from."""
    session = await open_on(world, Pages(invoices(3), size=10))
    results = session.list(JANUARY)

    await results.to_list()

    assert results.checkpoint is None


@pytest.mark.parametrize(
    "text", ["", "x", "5", "5 /api/links/", "-1 x /api/invoices/", "5 x https://evil.example/api/"]
)
async def test_what_is_no_checkpoint_of_this_reading_is_refused(world: World, text: str) -> None:
    """Nothing is sent to an address that did not come from the same list."""
    pages = Pages(invoices(3), size=10)
    session = await open_on(world, pages)

    with pytest.raises(TaskError) as refused:
        session.list(JANUARY, resume=text)

    assert ("resume", []) == (refused.value.field, pages.asked)


async def test_a_checkpoint_of_another_reading_is_refused(world: World) -> None:
    """Of the same list with other filters, too: its rows and its count are not those of this one."""
    session = await open_on(world, Pages(invoices(30), size=10))
    results = session.list(JANUARY)
    async with aclosing(results.batches()) as batches:
        await anext(batches)
    february = belvo.InvoiceList(link="a", date_from=date(2025, 2, 1), date_to=date(2025, 2, 28))

    for other in (february, belvo.InvoiceList(link="a")):
        with pytest.raises(TaskError, match="of another reading"):
            session.list(other, resume=results.checkpoint)


class Total(msgspec.Struct):
    """What a caller may want of an invoice."""

    total_amount: Decimal


async def test_records_come_in_a_type_of_the_callers_own(world: World) -> None:
    """Only the fields asked for are built; rows that do not belong or come twice are left out all the same."""
    rows = invoices(30)
    rows[3] = {**rows[3], "invoice_date": "2024-12-31"}
    rows[12] = rows[7]
    session = await open_on(world, Pages(rows, size=10))
    wanted = [row["total_amount"] for place, row in enumerate(rows) if place not in (3, 12)]
    totals: list[Total] = []

    with pytest.raises(Exception, match="29 records arrived, the vendor counts 30"):  # noqa: PT012 - the loop raises
        async for total in session.list(JANUARY, type=Total):
            totals.append(total)

    assert [Total(Decimal(amount)) for amount in wanted] == totals


async def test_rows_pass_through_undecoded(world: World) -> None:
    """`msgspec.Raw` gives the vendor's bytes of each row, to keep."""
    pages = Pages(invoices(30), size=10)
    session = await open_on(world, pages)

    records = await session.list(JANUARY, type=msgspec.Raw).to_list()

    assert list(pages.rows) == [msgspec.json.decode(record) for record in records]


@pytest.mark.parametrize("kind", [None, dict, Total, msgspec.Raw])
async def test_no_frame_of_a_fault_holds_a_record(world: World, kind: type[Any] | None) -> None:
    """Who collects errors with the locals of their frames collects no taxpayer's data."""
    rows: list[dict[str, Any]] = [row | {"sender_name": "ANA PRUEBA", "xml": "x" * 900} for row in invoices(900)]
    rows[600]["invoice_date"] = "ANA PRUEBA"
    rows[600]["total_amount"] = "ANA PRUEBA"
    session = await open_on(world, Pages(rows, size=1000))

    with pytest.raises(PayloadError) as broken:
        await session.list(JANUARY, type=kind, strict=True).to_list()  # type: ignore[arg-type]

    assert [] == leaks_of(provoked(broken), "ANA")


async def test_rows_are_told_apart_within_a_window(world: World) -> None:
    """Memory stays bounded: a row met again after more than the window's ids comes twice."""
    rows = invoices(WINDOW_IDS + 1000)
    rows += [rows[-WINDOW_IDS], rows[0]]
    session = await open_on(world, Pages(rows, size=1000))
    records: list[str] = []

    with pytest.raises(Exception, match="records arrived"):  # noqa: PT012 - the loop raises
        async for record in session.list(JANUARY):
            records.append(record.id or "")

    assert [row["id"] for row in [*rows[:-2], rows[0]]] == records
