"""What is refused before a byte is sent: a mistake costs no request, and the error names the field to mend."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from belvo_async import Task, TaskError, belvo, syntage
from tests.session.world import FIRST, LAST, PERIOD, World

Make = Callable[[World], Any]


def _belvo(**changes: Any) -> Make:
    return lambda world: world.invoices(**changes)


def _syntage(**changes: Any) -> Make:
    return lambda world: world.extraction(**changes)


def _period(first: date, last: date) -> Make:
    return lambda world: world.extraction(
        options=syntage.InvoiceOptions(period=syntage.Period(from_=first, to=last)),
    )


@pytest.mark.parametrize(
    ("make", "field"),
    [
        pytest.param(_belvo(date_to=date(2026, 1, 1)), "date_to", id="belvo: 366 days"),
        pytest.param(_belvo(date_from=date(2025, 6, 2), date_to=date(2025, 6, 1)), "date_to", id="belvo: ends early"),
        pytest.param(_belvo(date_from=date(2026, 5, 1), date_to=date(2026, 6, 2)), "date_to", id="belvo: tomorrow"),
        pytest.param(lambda world: belvo.FinancialStatements(link=""), "link", id="belvo: empty link"),
        pytest.param(
            lambda w: belvo.Invoices(link="  ", date_from=FIRST, date_to=LAST), "link", id="belvo: blank link"
        ),
        pytest.param(_belvo(type="SIDEWAYS"), "type", id="belvo: unknown direction"),
        pytest.param(_belvo(fields=["id", "Not a name"]), "fields", id="belvo: no name of a field"),
        pytest.param(_period(date(2025, 3, 1), date(2025, 2, 1)), "options.period.to", id="syntage: ends early"),
        pytest.param(_period(date(2026, 5, 1), date(2026, 6, 2)), "options.period.to", id="syntage: tomorrow"),
        pytest.param(lambda w: syntage.Extraction(entity="", extractor="rpc"), "entity", id="syntage: empty entity"),
        pytest.param(_syntage(extractor="invoices", options=None), "extractor", id="syntage: unknown extractor"),
        pytest.param(_syntage(options={"period": PERIOD, "kinds": ["I"]}), "options.kinds", id="syntage: new option"),
        pytest.param(_syntage(options={"period": PERIOD, "types": ["X"]}), "options.types[0]", id="syntage: type X"),
        pytest.param(_syntage(options=None), "options.period", id="syntage: no period"),
        pytest.param(_syntage(options=syntage.NoOptions()), "options", id="syntage: options of another extractor"),
    ],
)
async def test_a_wrong_task_costs_no_request(world: World, make: Make, field: str) -> None:
    """A task that the vendor would refuse, or bill in vain, is refused here, naming the field."""
    session = await world.open()

    with pytest.raises(TaskError) as refused:
        await session.fire(make(world))

    assert field == refused.value.field
    assert isinstance(refused.value, ValueError)
    assert [] == world.sent()


async def test_a_period_of_365_days_passes(world: World) -> None:
    """Both ends of a period count: 365 days are the most one request covers."""
    session = await world.open()

    job = await session.fire(world.invoices(date_from=date(2025, 1, 1), date_to=date(2025, 12, 31)))

    assert job.job.remote_id is not None


async def test_a_period_that_ends_today_passes(world: World) -> None:
    """Today in UTC is not the future."""
    session = await world.open()

    job = await session.fire(world.invoices(date_from=date(2026, 5, 1), date_to=date(2026, 6, 1)))

    assert job.job.remote_id is not None


class Strange(Task[object], frozen=True, kw_only=True, tag="strange.Task"):
    """A task of no vendor of ours."""


async def test_a_task_of_no_vendor_here_is_refused(world: World) -> None:
    """A session takes the tasks of its own vendors only."""
    session = await world.open(world.belvo_vendor(), webhooks=False)

    for task in (Strange(), world.extraction()):
        with pytest.raises(TaskError) as refused:
            await session.fire(task)
        assert "task" == refused.value.field

    assert [] == world.sent()


async def test_what_is_no_task_is_refused(world: World) -> None:
    """Untyped callers get the same error as typed ones: a TaskError, not an AttributeError."""
    session = await world.open(webhooks=False)

    for thing in ("invoices", None, {"link": "x"}):
        with pytest.raises(TaskError):
            await session.fire(thing)  # type: ignore[arg-type]

    assert [] == world.sent()


@pytest.mark.parametrize("deadline", [timedelta(0), timedelta.max], ids=["past", "after the calendar's end"])
async def test_a_deadline_that_cannot_be_is_refused(world: World, deadline: timedelta) -> None:
    """A deadline that can never be met is a mistake, told before anything is sent."""
    session = await world.open(webhooks=False)

    with pytest.raises(TaskError) as refused:
        await session.fire(world.invoices(), deadline=deadline)

    assert "deadline" == refused.value.field
    assert [] == world.sent()


@pytest.mark.parametrize(
    ("vendor_name", "remote_id", "field"), [("syntage", "a" * 32, "task"), ("belvo", "  ", "remote_id")]
)
async def test_adopting_nonsense_is_refused(world: World, vendor_name: str, remote_id: str, field: str) -> None:
    """The task must be the named vendor's, and the vendor's id must be there."""
    session = await world.open(webhooks=False)

    with pytest.raises(TaskError) as refused:
        await session.adopt(vendor_name, remote_id, world.invoices())

    assert field == refused.value.field


async def test_a_query_of_no_vendor_here_is_refused(world: World) -> None:
    """Direct reads are checked like tasks."""
    session = await world.open(world.belvo_vendor(), webhooks=False)

    with pytest.raises(TaskError):
        session.list(syntage.Entities())

    assert [] == world.sent()
