"""Through a real session: what a sink holds is what the vendor holds, to the last digit."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

from belvo_async import belvo, syntage
from belvo_async.sinks import NdjsonSink, ParquetSink, PartKey, Receipt, Sink, recount, save_files
from tests.session.world import FIRST, LAST, World, world
from tests.sinks.kit import NOW

__all__ = ["world"]

YEAR = {"period": {"from": "2025-01-01", "to": "2025-03-31"}}


async def export(world: World, sink: Sink) -> list[Receipt]:
    """One job of each vendor, streamed into a sink."""
    session = await world.open()
    jobs = [await session.fire(world.invoices()), await session.fire(world.extraction())]
    receipts: list[Receipt] = []
    await sink.begin()
    for job, record in zip(jobs, (belvo.Invoice, syntage.Invoice), strict=True):
        await job
        task = job.task
        key = PartKey(
            vendor=task.vendor,
            resource=task.resource,
            subject=task.subject,
            job=job.id,
            record=record,
            first=FIRST,
            last=LAST,
        )
        async with sink.part(key) as part:
            async for batch in job.results().batches():
                await part.write(batch)
            receipts.append(await part.commit(now=NOW))
    await sink.end()
    return receipts


async def test_exports_are_exact(world: World, tmp_path: Path) -> None:
    """Rows, ids and sums are the vendors', and a recount of the files agrees."""
    held = world.belvo.invoices(world.belvo.links[0], FIRST, LAST, "INFLOW")

    receipts = await export(world, NdjsonSink(tmp_path))

    assert (None, 2) == ((found := recount(receipts, [tmp_path])).fault, found.parts)
    extracted = world.syntage.invoices(world.syntage.entities[0], YEAR)
    for receipt, rows, column in zip(receipts, (held, extracted), ("total_amount", "total"), strict=True):
        written = [json.loads(line) for line in (tmp_path / receipt.part).read_text(encoding="utf-8").splitlines()]
        assert {str(each["id"]): each[column] for each in rows} == {
            each["id"]: each[column] and Decimal(each[column]) for each in written
        }
        assert len(rows) == receipt.rows == len(written)
        assert (
            sum((Decimal(each[column]) for each in rows if each[column] is not None), Decimal(0))
            == receipt.sums[column]
        )


async def test_formats_agree(world: World, tmp_path: Path) -> None:
    """Parquet holds the same rows, ids and sums as NDJSON."""
    lines = await export(world, NdjsonSink(tmp_path))
    tables = await export(world, ParquetSink(tmp_path))

    assert [(each.rows, each.ids, each.sums) for each in lines] == [(each.rows, each.ids, each.sums) for each in tables]


async def test_documents_come_from_the_session(world: World, tmp_path: Path) -> None:
    """`session.download` is an opener."""
    session = await world.open()
    options = syntage.InvoiceOptions(period=syntage.Period(from_=FIRST, to=LAST), xml=True, pdf=True)
    job = await session.fire(world.extraction(options=options))
    await job
    invoices = [each for each in await job.results().to_list() if each.xml and each.pdf][:3]
    key = PartKey(vendor="syntage", resource="invoice", subject=job.task.subject, job=job.id, record=syntage.Invoice)

    saved = await save_files(
        invoices, lambda invoice, form: session.download(syntage.Cfdi(invoice.id, form)), tmp_path, key
    )

    assert 6 == len(saved)
    assert [None] * 6 == [each.fault for each in saved]
