"""One odd value costs only itself: of a reading, of a call, of a webhook; and it is told, to those who may know it."""

from __future__ import annotations

import gc
import logging
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from aiohttp import web

from belvo_async import IncompleteResultError, Misfits, PayloadError, Session, Status, TransportError, belvo, syntage
from tests.frames import leaks_of, provoked
from tests.session.paged import Pages, invoices
from tests.session.world import World

JANUARY = belvo.InvoiceList(link="a", date_from=date(2025, 1, 1), date_to=date(2025, 1, 31))
NAME = "ANA PRUEBA"
ENTITY = "7b1f3a52-0c7e-4b52-8a39-9d4f3f1f2a10"


async def open_on(world: World, pages: Pages) -> Session:
    """A session whose Belvo is those pages."""
    vendor = world.belvo_vendor(base_url=await world.serve(pages.application()), budget=False)
    return await world.open(vendor, webhooks=False)


async def open_on_syntage(world: World, body: object) -> Session:
    """A session whose Syntage answers everything with one body."""

    async def answer(request: web.Request) -> web.Response:
        return web.json_response(body)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    return await world.open(world.syntage_vendor(base_url=await world.serve(app)), webhooks=False)


def warnings_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]


async def test_odd_values_are_told_by_row_path_and_value(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """All records come; the log has one line a place, with no value."""
    rows = invoices(30)
    rows[3] |= {"total_amount": NAME}
    rows[14] |= {"total_amount": [NAME], "payroll": {"days": NAME}}
    rows[15] |= {"folio": 5, "collected_at": "15/01/2025 10:00:00 T.CENTRO"}
    session = await open_on(world, Pages(rows, size=10))
    results = session.list(JANUARY)

    records = await results.to_list()

    assert [row["id"] for row in rows] == [each.id for each in records]
    assert (None, "5", datetime(2025, 1, 15, 16, tzinfo=UTC)) == (
        records[3].total_amount,
        records[15].folio,
        records[15].collected_at,
    )
    assert [
        (rows[3]["id"], "$.results[3].total_amount", f'"{NAME}"'),
        (rows[14]["id"], "$.results[4].total_amount", f'["{NAME}"]'),
        (rows[14]["id"], "$.results[4].payroll.days", f'"{NAME}"'),
    ] == [(each.row_id, each.path, each.raw) for each in results.misfits]
    assert 3 == results.misfits.count
    assert [
        "GET /api/invoices/: a value at $.results[].total_amount cannot be read; it is None, and counted in `misfits`",
        "GET /api/invoices/: a value at $.results[].payroll.days cannot be read; it is None, and counted in `misfits`",
    ] == warnings_of(caplog)
    assert NAME not in f"{caplog.text} {results!r} {results.misfits!r} {list(results.misfits)}"


async def test_each_iteration_counts_anew(world: World) -> None:
    """What an earlier one could not read is not counted again; of one that broke off, what it met is there."""
    rows = invoices(30)
    rows[3] |= {"currency": [1, 2]}
    rows[25] |= {"currency": [1, 2]}
    session = await open_on(world, Pages(rows, size=10))
    results = session.list(JANUARY)

    counts = [0]
    for _ in range(2):
        await results.to_list()
        counts.append(results.misfits.count)
    reading = aiter(results)
    await anext(reading)
    counts.append(results.misfits.count)
    await reading.aclose()

    assert [0, 2, 2, 1] == counts


async def test_a_page_read_again_tells_its_odd_values_once(world: World) -> None:
    """So does a row that moved to the next page."""
    rows = invoices(40)
    rows[11] |= {"currency": [1, 2]}
    rows[18] |= {"currency": {}, "folio": {"a": 1}}
    rows[21] = rows[18]
    rows[22] |= {"id": None, "link": None}
    session = await open_on(world, Pages(rows, size=10, cuts=[(2, 5), (2, 9), (3, 2)]))
    results = session.list(JANUARY)

    with pytest.raises(IncompleteResultError):
        await results.to_list()

    assert ["$.results[1].currency", "$.results[8].folio"] == [each.path for each in results.misfits]
    assert 2 == results.misfits.count


async def test_only_rows_that_are_passed_on_are_told(world: World) -> None:
    """What is odd about another's row is none of this reading's business."""
    rows = invoices(10)
    rows[2] |= {"currency": {"a": 1}, "link": "b"}
    rows[3] |= {"currency": {"a": 1}, "invoice_date": "2024-12-31"}
    session = await open_on(world, Pages(rows, size=10))
    results = session.list(JANUARY)

    records = await results.to_list()

    assert (8, 0) == (len(records), results.misfits.count)


class Total(msgspec.Struct):
    """What a caller may want of an invoice."""

    total_amount: Decimal | None = None


@pytest.mark.parametrize("kind", [None, dict, Total, msgspec.Raw])
async def test_no_row_is_lost_because_what_it_is_told_by_is_odd(world: World, kind: Any) -> None:
    """A filter that cannot decide keeps; one that can, by another field, does."""
    rows = invoices(12)
    rows[1] |= {"link": {"a": 1}}
    rows[2] |= {"type": 5}
    rows[3] |= {"invoice_date": "soon"}
    rows[4] |= {"invoice_date": "15/01/2025"}
    rows[5] |= {"invoice_date": "2025-01-15T00:00:00Z"}
    rows[6] |= {"invoice_date": "soon", "link": "b"}
    rows[7] |= {"link": ["b"]}
    rows[8] |= {"invoice_date": "31/12/2024"}
    rows[9] |= {"warnings": NAME}
    rows[10] |= {"id": 10}
    session = await open_on(world, Pages(rows, size=20))
    query = msgspec.structs.replace(JANUARY, type="INFLOW")
    # A type that is a number reads as a text, and is not the one that was asked for.
    gone = {2, 6, 7, 8}

    results = session.list(query, type=kind)
    records: Any = await results.to_list()

    kept = [row["total_amount"] for place, row in enumerate(rows) if place not in gone]
    amounts = {
        None: lambda each: each.total_amount,
        dict: lambda each: each["total_amount"],
        Total: lambda each: each.total_amount,
        msgspec.Raw: lambda each: msgspec.json.decode(each)["total_amount"],
    }[kind]
    assert kept == [amounts(each) for each in records]
    # Misfits: two that the filter reads, and the warnings.
    assert ["link", "invoice_date", "warnings"] == [each.path.rpartition(".")[2] for each in results.misfits]


async def test_strictly_the_first_odd_row_ends_the_reading(world: World) -> None:
    """By its path, once the rows before it are out."""
    rows = invoices(30)
    rows[14] |= {"total_amount": NAME}
    session = await open_on(world, Pages(rows, size=10))
    results = session.list(JANUARY, strict=True)
    ids: list[str | None] = []

    with pytest.raises(PayloadError) as refused:  # noqa: PT012 - the loop is what raises
        async for record in results:
            ids.append(record.id)

    assert ([row["id"] for row in rows[:14]], "$.results[4].total_amount") == (ids, refused.value.path)
    assert 0 == results.misfits.count


@pytest.mark.parametrize("kind", [None, Total, dict])
async def test_a_row_without_its_id_ends_the_reading(world: World, kind: Any) -> None:
    """Nothing of it, nor of the odd rows before it, shows in a frame."""
    rows = invoices(30)
    rows[3] |= {"warnings": NAME, "total_amount": NAME}
    rows[14] |= {"id": {"a": NAME}, "warnings": NAME}
    session = await open_on(world, Pages(rows, size=30))

    with pytest.raises(PayloadError) as refused:
        await session.list(JANUARY, type=kind).to_list()

    assert ("$.results[14]", "a row without its id") == (refused.value.path, refused.value.reason)
    assert [] == leaks_of(provoked(refused), "ANA")


async def test_what_was_odd_shows_in_no_frame_of_a_later_fault(world: World) -> None:
    """A page that breaks off for good after odd rows: their values stay in the misfits."""
    rows = invoices(30)
    for row in rows:
        row["total_amount"] = NAME
    session = await open_on(world, Pages(rows, size=30, cuts=[(1, 20)] * 10))
    results = session.list(JANUARY)

    with pytest.raises(TransportError) as broken:
        await results.to_list()

    assert [] == leaks_of(provoked(broken), "ANA")
    assert [] == [type(each) for each in gc.get_objects() if isinstance(each, belvo.Invoice) and NAME in repr(each)]


async def test_an_odd_value_does_not_make_a_job_partial(world: World) -> None:
    """Partial says that rows may be missing; a misfit says that a value is."""
    session = await world.open()
    handle = await session.fire(world.invoices())
    await handle
    for row in world.belvo.invoices(world.belvo.links[0], date(2025, 1, 1), date(2025, 12, 31), "INFLOW"):
        row["folio"] = {"a": 1}

    results = handle.results()
    await results.to_list()

    assert handle.job.partial is False


# Syntage's filters take a row that does not say for one that was not asked for.


def hydra(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"hydra:totalItems": len(rows), "hydra:member": list(rows)}


async def test_a_syntage_row_is_kept_where_its_filter_cannot_decide(world: World) -> None:
    """Missing is not asked for; unreadable may be. Another field that can decide does."""
    body = hydra(
        {"id": "a", "type": "I"},
        {"id": "b"},
        {"id": "c", "type": {"a": 1}},
        {"id": "d", "type": {"a": 1}, "issuer": {"rfc": "XAXX010101000"}},
        {"id": "e", "type": "I", "issuer": 5},
        {"id": "f", "type": "I", "issuer": {"rfc": [1, 2]}},
        {"id": "g", "type": "E", "issuer": 5},
    )
    session = await open_on_syntage(world, body)
    by_type = session.list(syntage.Invoices(entity=ENTITY, type="I"))
    by_both = session.list(syntage.Invoices(entity=ENTITY, type="I", issuer_rfc="AAA010101AAA"))

    assert ["a", "c", "d", "e", "f"] == [each.id for each in await by_type.to_list()]
    assert ["e", "f"] == [each.id for each in await by_both.to_list()]


async def test_an_extractions_row_is_kept_where_its_filter_cannot_decide(world: World) -> None:
    """Its side, its kind or its day may be anything."""
    plain = {"type": "I", "isIssuer": True, "isReceiver": False, "issuedAt": "2025-02-01 10:00:00"}
    body = hydra(
        {"id": "a", **plain},
        {"id": "b", **plain, "issuedAt": "2024-02-01 10:00:00"},
        {"id": "c", **plain, "issuedAt": "soon"},
        {"id": "d", **plain, "isIssuer": "maybe"},
        {"id": "e", **plain, "type": [1, 2]},
        {"id": "f", **plain, "currency": [1, 2], "issuedAt": "2024-02-01 10:00:00"},
        {"id": "g", **plain, "isIssuer": "true", "issuedAt": "01/02/2025 10:00:00 T.CENTRO"},
    )
    session = await open_on_syntage(world, body)
    job = await session.adopt("syntage", ENTITY, world.extraction())

    for kind in (None, dict):
        records: Any = await job.results(type=kind).to_list()
        assert ["a", "c", "d", "e", "g"] == [each["id"] if kind else each.id for each in records]


# Single objects and webhooks


async def test_a_call_costs_only_the_odd_value(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """It is None, told in the log by its path, and kept for whoever asks."""
    session = await open_on_syntage(world, {"id": ENTITY, "currency": "MXN", "total": NAME, "version": "4.0"})
    misfits = Misfits()

    invoice = await session.call(syntage.GetInvoice(ENTITY), misfits=misfits)
    again = await session.call(syntage.GetInvoice(ENTITY), misfits=misfits)

    assert ("MXN", None, Decimal("4.0")) == (invoice.currency, invoice.total, again.version)
    assert [("$.total", f'"{NAME}"', ENTITY)] * 2 == [(each.path, each.raw, each.row_id) for each in misfits]
    assert ["GetInvoice: a value at $.total cannot be read; it is None, and counted in `misfits`"] * 2 == warnings_of(
        caplog
    )


async def test_a_strict_call_is_refused(world: World) -> None:
    session = await open_on_syntage(world, {"id": ENTITY, "total": NAME})

    with pytest.raises(PayloadError) as refused:
        await session.call(syntage.GetInvoice(ENTITY), strict=True)

    assert "$.total" == refused.value.path


async def test_a_webhook_with_an_odd_value_settles_its_job(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """What is not needed for the outcome may be anything; it is told, not shown."""
    session = await world.open(webhooks=False)
    world.deliver_to(None)
    handle = await session.fire(world.invoices())
    headers, body = world.belvo_delivery(
        handle.job.remote_id or "", webhook_id={"name": NAME}, webhook_type=["INVOICES"]
    )

    status = await session.receive("belvo", headers, body)

    assert (200, Status.FINISHED) == (status, (await handle).status)
    assert [
        "a webhook of belvo: a value at $.webhook_id cannot be read; it is None, and counted in `misfits`"
    ] == warnings_of(caplog)


async def test_an_unproven_webhook_is_not_read_at_all(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Neither strictly nor tolerantly."""
    session = await world.open(webhooks=False)
    _, body = world.belvo_delivery("1" * 32, webhook_id={"name": NAME})

    assert 401 == await session.receive("belvo", {"Authorization": "Bearer somebody-else-0000"}, body)
    assert [] == [each for each in warnings_of(caplog) if "webhook_id" in each]
