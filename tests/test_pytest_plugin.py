"""The fixtures users get for their own tests."""

from __future__ import annotations

from datetime import date

import pytest

from belvo_async import JobFailedError, Session, Way, belvo, syntage
from belvo_async.simulator import BelvoSimulator, SyntageSimulator

MARCH = (date(2025, 3, 1), date(2025, 3, 31))


async def test_a_job_is_awaited_and_read(belvo_async_session: Session, belvo_simulator: BelvoSimulator) -> None:
    """The session talks to the simulated Belvo, whose webhook settles the job."""
    task = belvo.Invoices(belvo_simulator.links[0], *MARCH, type="INFLOW")

    done = await (job := await belvo_async_session.fire(task))

    held = belvo_simulator.invoices(belvo_simulator.links[0], *MARCH, "INFLOW")
    assert Way.WEBHOOK == done.settled_by
    assert {row["id"] for row in held} == {invoice.id async for invoice in job.results()}


async def test_a_scripted_failure_arrives(belvo_async_session: Session, belvo_simulator: BelvoSimulator) -> None:
    """Users test their error paths by scripting the vendor."""
    belvo_simulator.next_job(outcome="failed", error_code="institution_down")
    job = await belvo_async_session.fire(belvo.Invoices(belvo_simulator.links[0], *MARCH))

    with pytest.raises(JobFailedError) as caught:
        await job

    assert "institution_down" == caught.value.code


async def test_both_vendors_serve_one_session(
    belvo_async_session: Session, syntage_simulator: SyntageSimulator
) -> None:
    """The same session extracts from the simulated Syntage."""
    options = syntage.InvoiceOptions(period=syntage.Period(*MARCH))
    job = await belvo_async_session.fire(syntage.Extraction(syntage_simulator.entities[0], "invoice", options))

    await job

    held = syntage_simulator.invoices(
        syntage_simulator.entities[0], {"period": {"from": "2025-03-01", "to": "2025-03-31"}}
    )
    assert len(held) == len(await job.results().to_list())
