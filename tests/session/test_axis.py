"""Which part a row belongs to, where several may have it: exactly one."""

from __future__ import annotations

from datetime import UTC, date, datetime

from belvo_async import Plan, Syntage
from belvo_async._session.extraction.axis import Axis
from belvo_async._session.extraction.handed import HeldSpan
from belvo_async.abc import RowPlace
from belvo_async.planning import settle_plan

FIRST, LAST = date(2025, 1, 1), date(2025, 12, 31)
ENTITY = "/entities/91106968-1abd-4d64-85c1-4e73d96fb997"
DAYS = FIRST.toordinal(), LAST.toordinal()
ISSUED, RECEIVED = ("issued", *DAYS), ("received", *DAYS)
OWN = RowPlace(("issued", "received"), date(2025, 5, 5))


def axis(*parts: HeldSpan, directions: tuple[str, ...] = (), others: tuple[HeldSpan, ...] = ()) -> Axis:
    """Of a plan for the year; each span is a part."""
    plan = Plan(vendor="syntage", resource="invoice", subjects=[ENTITY], first=FIRST, last=LAST, directions=directions)
    settled = settle_plan(plan, {"syntage": Syntage("a-key-of-a-test")}, datetime(2026, 6, 1, tzinfo=UTC))
    return Axis(settled, [[part] for part in parts], DAYS, others)


def test_an_invoice_to_oneself_is_with_those_issued() -> None:
    """Whichever parts are written together."""
    assert 0 == axis(ISSUED).owner(OWN)
    assert 1 == axis(RECEIVED, ISSUED).owner(OWN)
    assert axis(RECEIVED).owner(OWN) is None


def test_where_nobody_wants_what_was_issued_it_is_with_those_received() -> None:
    """Until somebody does."""
    alone = axis(RECEIVED, directions=("received",))

    assert 0 == alone.owner(OWN)
    assert (("issued", date(2025, 5, 5).toordinal(), date(2025, 5, 5).toordinal()),) == alone.strays(0)
    assert axis(RECEIVED, directions=("received",), others=(ISSUED,)).owner(OWN) is None


def test_a_row_of_another_direction_or_of_unwanted_days_is_nobodys() -> None:
    """A job may bring more than a plan wants of it."""
    march = ("issued", date(2025, 3, 1).toordinal(), date(2025, 3, 31).toordinal())

    assert axis(ISSUED, directions=("issued",)).owner(RowPlace(("received",), date(2025, 5, 5))) is None
    assert axis(march).owner(RowPlace(("issued",), date(2025, 5, 5))) is None
    assert 0 == axis(march).owner(RowPlace(("issued",), date(2025, 3, 5)))


def test_what_a_job_brings_from_beyond_its_days_is_with_the_nearest() -> None:
    """Where no other part has it."""
    before, eve = RowPlace(("issued",), date(2024, 12, 31)), date(2024, 12, 31).toordinal()

    assert 0 == axis(ISSUED).owner(before)
    assert axis(ISSUED, others=(("issued", eve, eve),)).owner(before) is None


def test_a_row_that_does_not_say_is_in_one_part() -> None:
    """Of neither direction, or without a day."""
    silent = RowPlace((), date(2025, 5, 5))

    assert 0 == axis(ISSUED).owner(silent) == axis(ISSUED).owner(RowPlace())
    assert axis(RECEIVED).owner(silent) is axis(RECEIVED).owner(RowPlace()) is None
    assert 0 == axis(RECEIVED, directions=("received",)).owner(silent)
