"""How new an answer must be: for any day, for the last days, for the last months."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, strategies as st

from belvo_async.errors import TaskError
from belvo_async.planning import Freshness, Window, cover, propose, windows
from belvo_async.planning.calendar import TIMELESS
from belvo_async.planning.freshness import LIVE
from tests.planning.kit import DAY, HOUR, NOW, TODAY, extent, job_for, law, periods, settled


def shown(freshness: Freshness, *, now: datetime = NOW, **plan: Any) -> list[tuple[str, str, timedelta | None]]:
    """Windows with days, and with ages instead of instants."""
    found = windows(settled("syntage", now=now, **plan).plan, freshness, now)
    return [
        (
            str(date.fromordinal(each.span[0])),
            str(date.fromordinal(each.span[1])),
            None if each.since is None else now - each.since,
        )
        for each in found
    ]


def test_any_age_is_one_window() -> None:
    """By default any answer counts."""
    assert [("2025-01-01", "2025-12-31", None)] == shown(Freshness())


def test_the_last_days_and_months_are_alive() -> None:
    """The month of today is the first of the last two; today the first of the last four days."""
    period = {"first": date(2025, 1, 1), "last": date(2026, 3, 10)}

    found = shown(LIVE, now=datetime.fromisoformat("2026-03-10T18:00:00Z"), **period)

    assert [
        ("2025-01-01", "2026-01-31", None),
        ("2026-02-01", "2026-03-06", 7 * DAY),
        ("2026-03-07", "2026-03-10", DAY),
    ] == found


@pytest.mark.parametrize(
    ("today", "months", "begins"),
    [
        ("2026-03-10", 1, "2026-03-01"),
        ("2026-03-10", 2, "2026-02-01"),
        ("2026-03-10", 3, "2026-01-01"),
        ("2026-03-10", 4, "2025-12-01"),
        ("2026-03-01", 1, "2026-03-01"),
        ("2026-03-01", 2, "2026-02-01"),
        ("2026-03-31", 1, "2026-03-01"),
        ("2026-03-31", 2, "2026-02-01"),
        ("2024-02-29", 2, "2024-01-01"),
        ("2026-01-01", 13, "2025-01-01"),
    ],
)
def test_open_months_are_those_of_the_calendar(today: str, months: int, begins: str) -> None:
    """Whatever day of it today is."""
    now = datetime.fromisoformat(f"{today}T18:00:00Z")

    found = shown(Freshness(open_months=months), now=now, first=date(2020, 1, 1), last=date.fromisoformat(today))

    assert (begins, today, 7 * DAY) == found[-1]


def test_live_days_that_begin_before_the_open_month() -> None:
    """On the second of a month the live days reach into the last one."""
    period = {"first": date(2026, 1, 1), "last": date(2026, 3, 2)}
    now = datetime.fromisoformat("2026-03-02T18:00:00Z")

    found = shown(Freshness(live_days=4, open_months=1, open_age=HOUR), now=now, **period)

    assert [
        ("2026-01-01", "2026-02-26", None),
        ("2026-02-27", "2026-02-28", DAY),
        ("2026-03-01", "2026-03-02", HOUR),
    ] == found


def test_a_plan_of_the_past_has_no_live_days() -> None:
    """And one that begins with them has no others."""
    assert [("2025-01-01", "2025-12-31", None)] == shown(LIVE)
    assert [(str(TODAY), str(TODAY), DAY)] == shown(LIVE, first=TODAY, last=TODAY)


@law
@given(
    periods(last=date(2026, 5, 31)), st.integers(0, 3000), st.integers(0, 80), st.sampled_from((None, HOUR, 9 * DAY))
)
def test_windows_hold_each_day_once(
    period: tuple[date, date], live_days: int, open_months: int, max_age: timedelta | None
) -> None:
    """One after the other, without gap."""
    plan = settled("syntage", first=period[0], last=period[1]).plan

    found = windows(plan, Freshness(live_days=live_days, open_months=open_months, max_age=max_age), NOW)

    days = [day for each in found for day in range(each.span[0], each.span[1] + 1)]
    assert list(range(plan.span[0], plan.span[1] + 1)) == days


def test_ages_and_numbers_beyond_the_calendar_are_any() -> None:
    """Longer than there has been time."""
    freshness = Freshness(max_age=timedelta.max, live_days=10**9, open_months=10**9, open_age=timedelta.max)

    assert [("2025-01-01", "2025-12-31", DAY)] == shown(freshness)


def test_a_resource_without_days_has_one_window() -> None:
    """Of the age that holds for any."""
    plan = settled("syntage", resource="tax_status", first=None, last=None).plan

    assert (Window((TIMELESS, TIMELESS), NOW - DAY),) == windows(plan, Freshness(max_age=DAY, live_days=4), NOW)


@pytest.mark.parametrize(("age", "is_new"), [(DAY, True), (DAY + timedelta(microseconds=1), False)])
def test_an_answer_on_the_border_is_new_enough(age: timedelta, is_new: bool) -> None:
    """It is as old as it may be, and not older."""
    plan = settled("syntage")
    job = job_for(plan, extent(date(2025, 1, 1), date(2025, 12, 31)), settled_at=NOW - age, at=NOW - 9 * DAY)

    coverage = cover(plan.plan, [job], windows=windows(plan.plan, Freshness(max_age=DAY), NOW))

    assert is_new is coverage.is_whole


def test_what_is_alive_is_asked_again_in_one_request() -> None:
    """Old days stay proven; what must be newer is asked again, and what touches together."""
    plan = settled("syntage", first=date(2025, 1, 1), last=date(2026, 5, 31))
    job = job_for(plan, extent(date(2025, 1, 1), date(2026, 5, 31)), at=NOW - 8 * DAY)

    coverage = cover(plan.plan, [job], windows=windows(plan.plan, LIVE, NOW))
    (chunk,) = propose(coverage, plan.rules, NOW).chunks

    assert (date(2026, 5, 1), date(2026, 5, 31)) == (chunk.first, chunk.last)


def test_what_an_older_answer_proved_is_asked_again_whatever_failed_before_it() -> None:
    """A failure that was answered since says nothing any more; one that came after it does."""
    plan = settled("syntage")
    year = extent(date(2025, 1, 1), date(2025, 12, 31))
    answered = job_for(plan, year, at=NOW - 9 * DAY)
    before = job_for(plan, year, "failed for good", at=NOW - 10 * DAY)
    after = job_for(plan, year, "failed for good", at=NOW - 8 * DAY)
    old = windows(plan.plan, Freshness(max_age=DAY), NOW)

    asked = propose(cover(plan.plan, [before, answered], windows=old), plan.rules, NOW)
    refused = propose(cover(plan.plan, [answered, after], windows=old), plan.rules, NOW)

    assert 1 == len(asked.chunks)
    assert [after.id] * 2 == [cell.job for cell in refused.refused]


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({"max_age": timedelta(0)}, "max_age"),
        ({"live_age": 5}, "live_age"),
        ({"open_age": None}, "open_age"),
        ({"live_days": -1}, "live_days"),
        ({"open_months": 1.5}, "open_months"),
        ({"live_days": True}, "live_days"),
    ],
)
def test_what_cannot_be_meant_is_refused(words: dict[str, Any], field: str) -> None:
    """Naming the field."""
    with pytest.raises(TaskError) as caught:
        Freshness(**words)

    assert field == caught.value.field
