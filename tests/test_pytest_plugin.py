"""The fixtures users get for their own tests."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from belvo_async import JobFailedError, Session, Way, belvo, syntage
from belvo_async.pytest_plugin import SIMULATED_SPEED, session_on
from belvo_async.simulator import BelvoSimulator, SyntageSimulator
from tests.virtual_time import VirtualClock

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


@pytest.mark.parametrize("resources", [("TAX_STATUS",), ("INVOICES", "TAX_RETURNS"), None], ids=str)
async def test_a_refresh_ends_within_seconds(
    belvo_simulator: BelvoSimulator, syntage_simulator: SyntageSimulator, clock: VirtualClock, resources: Any
) -> None:
    """The quiet that ends it is as short as everything else here, and all its reports came before."""
    async with session_on(belvo_simulator, syntage_simulator, clock=clock) as session:
        before = clock.now()

        done = await (await session.fire(belvo.Refresh(belvo_simulator.links[0], resources)))

        (run,) = belvo_simulator.jobs.values()
        assert (Way.INFERENCE, "finished") == (done.settled_by, run.state)
        assert clock.now() - before < run.duration / SIMULATED_SPEED + timedelta(seconds=1.5)


async def test_a_link_may_be_refreshed_again_once_a_refresh_ended(
    belvo_simulator: BelvoSimulator, syntage_simulator: SyntageSimulator, clock: VirtualClock
) -> None:
    """As at Belvo, whose pause between two refreshes is as long as the quiet that ends one."""
    async with session_on(belvo_simulator, syntage_simulator, clock=clock) as session:
        task = belvo.Refresh(belvo_simulator.links[0], ("TAX_STATUS",))

        ends = [await (await session.fire(task)) for _ in range(2)]

    assert [Way.INFERENCE] * 2 == [done.settled_by for done in ends]


async def test_a_silent_end_is_inferred_within_seconds(
    belvo_simulator: BelvoSimulator, syntage_simulator: SyntageSimulator, clock: VirtualClock
) -> None:
    """Three equal polls, over a second instead of ten minutes."""
    async with session_on(belvo_simulator, syntage_simulator, clock=clock) as session:
        before = clock.now()
        belvo_simulator.next_job(outcome="silent")

        done = await (await session.fire(belvo.Invoices(belvo_simulator.links[0], *MARCH)))

        assert Way.INFERENCE == done.settled_by
        assert done.evidence.quiet is not None
        assert 3 <= done.evidence.quiet.count
        assert clock.now() - before < timedelta(seconds=2)


async def test_the_fixture_is_that_session(belvo_async_session: Session, belvo_simulator: BelvoSimulator) -> None:
    """With the polls and the quiet of the tests above, on the clock of the wall."""
    before = datetime.now(UTC)

    job = await belvo_async_session.fire(belvo.Invoices(belvo_simulator.links[0], *MARCH))

    assert ["belvo", "syntage"] == list(belvo_async_session.vendors)
    assert before <= job.job.created_at <= datetime.now(UTC)


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


def test_the_plugin_needs_pytest_asyncio_only_for_its_fixtures(tmp_path: Path) -> None:
    """It loads in every pytest run of an environment: without the extra, other people's tests go on."""
    (tmp_path / "test_theirs.py").write_text(
        "def test_plain(): pass\ndef test_asks(belvo_async_session): pass\ndef test_too(syntage_simulator): pass\n"
    )
    program = (
        "import sys; sys.modules['pytest_asyncio'] = None\n"
        "import pytest\n"
        "from belvo_async import pytest_plugin\n"
        "sys.exit(pytest.main(['-q', '-p', 'no:cacheprovider', '-p', 'no:xdist'], plugins=[pytest_plugin]))"
    )
    options = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=os.environ | options, capture_output=True, text=True
    )

    assert "1 passed, 2 errors" in ran.stdout
    assert "`belvo_async_session` needs pytest-asyncio: pip install 'belvo-async[test]'" in ran.stdout
    assert "Traceback" not in ran.stdout + ran.stderr
