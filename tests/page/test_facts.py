"""What the page shows, decided from jobs, plans, receipts and prices."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, strategies as st

from belvo_async._page import Morning, Preferences, make_morning
from belvo_async._page.months import strips
from belvo_async.abc import LaidAside, Receipt
from belvo_async.jobs import Failure, Job, Status, Way
from belvo_async.planning import Cell, Known, Prices
from tests.page.kit import (
    LINK,
    NOW,
    OTHER,
    RFC,
    a_job,
    extraction,
    failed_job,
    held,
    invoices,
    morning,
    open_job,
    planned,
)


def both_sides(link: str = LINK, year: int = 2025) -> list[Job]:
    sides = ("OUTFLOW", "INFLOW")
    return [a_job(f"{link[:8]}-{year}-{side}", task=invoices(link, year, side)) for side in sides]


def counts(page: Morning) -> tuple[int, int, int]:
    return page.standing.whole, page.standing.in_progress, page.standing.needs_a_person


def test_an_empty_store_has_a_page() -> None:
    """Nothing was asked for: every part is there and is empty."""
    page = morning()

    assert (0, 0, 0) == counts(page)
    assert page.is_asked
    assert ((), (), (), (), (), ()) == (
        page.troubles,
        page.calendars,
        page.came,
        page.took,
        page.failures,
        page.webhooks,
    )
    assert page.oldest is None


def test_a_taxpayer_is_whole_when_every_wanted_day_is_proven() -> None:
    """Both directions of the plan; one that nobody asked for is in progress."""
    jobs = both_sides()

    page = morning(*jobs, scopes=[planned(*jobs, subjects=(LINK, OTHER))])

    assert (1, 1, 0) == counts(page)
    (calendar,) = page.calendars
    assert (False, True) == tuple(row.is_whole for row in calendar.rows)
    assert [(0, 730), (730, 730)] == [(row.proven_days, row.wanted_days) for row in calendar.rows]


def test_a_taxpayer_of_two_plans_counts_once() -> None:
    """By what it needs in the worst of them."""
    jobs = [*both_sides(), failed_job(task=invoices(year=2023))]
    scopes = [planned(*jobs), planned(*jobs, years=3, name="three years")]

    page = morning(*jobs, scopes=scopes)

    assert (0, 0, 1) == counts(page)


def test_a_refusal_needs_a_person() -> None:
    """Said once for each reason, with the taxpayers, why, and what to type."""
    jobs = [failed_job("one"), failed_job("two", task=invoices(OTHER), settled_at=NOW - timedelta(hours=1))]

    page = morning(*jobs, scopes=[planned(*jobs, subjects=(LINK, OTHER))])

    (trouble,) = page.troubles
    assert ("login_error", 2) == (trouble.code, trouble.taxpayers)
    assert "the institution did not accept the link's credentials" == trouble.why
    assert ("belvo-async jobs explain two", "belvo-async extract --plan nightly --retry") == trouble.commands
    assert [OTHER, LINK] == [each.subject for each in trouble.examples]


def test_a_plan_with_blanks_in_its_name_can_be_typed() -> None:
    """As a shell takes it."""
    page = morning(failed_job(), scopes=[planned(failed_job(), name="it's all")])

    assert "belvo-async extract --plan 'it'\\''s all' --retry" == page.troubles[0].commands[1]


def test_a_failure_that_may_pass_needs_nobody() -> None:
    """It is asked again by itself."""
    passing = failed_job(failure=Failure(code="institution_down", retryable=True))

    assert (0, 1, 0) == counts(morning(passing))


def test_a_refused_key_is_told_as_one() -> None:
    """It is not about the taxpayer."""
    refused = failed_job(status=Status.REJECTED, failure=Failure(code="authentication_failed", refused_key=401))

    assert "the vendor refused the key itself (HTTP 401)" in morning(refused).troubles[0].why


def test_a_job_that_nobody_waits_for_needs_a_person() -> None:
    """It is past its deadline, and holds up its days."""
    overdue = open_job(deadline=NOW - timedelta(minutes=1))

    page = morning(overdue)

    assert (0, 0, 1) == counts(page)
    assert ("overdue", ("belvo-async jobs explain open", "belvo-async jobs abandon open")) == (
        page.troubles[0].code,
        page.troubles[0].commands,
    )


def test_an_inferred_end_proves_nothing() -> None:
    """Whether to ask again is for a person."""
    page = morning(a_job(settled_by=Way.INFERENCE))

    assert (0, 0, 1) == counts(page)
    assert "inferred" == page.troubles[0].code


def test_deliveries_that_could_not_be_read_need_a_person() -> None:
    """However whole everything else is."""
    store = held(a_job(), aside=(LaidAside("https://x#a", NOW, b"{"),))

    page = make_morning(store, None, Preferences(), NOW)

    assert ("belvo-async jobs aside",) == page.troubles[-1].commands
    assert 1 == page.webhooks[0].unread


def test_without_a_plan_it_is_what_was_ever_asked_for() -> None:
    """From each taxpayer's first day to its last; what lies between and was not asked for shows."""
    far_apart = [a_job("a", task=invoices(year=2022)), a_job("b", task=invoices(year=2025))]
    jobs = [*far_apart, a_job("c", task=invoices(OTHER))]

    page = morning(*jobs)

    assert page.is_asked
    assert (1, 1, 0) == counts(page)
    (days,) = page.calendars[0].rows[0].open_days
    assert (Known.NEVER_ASKED, date(2023, 1, 1), date(2024, 12, 31)) == (days.known, days.first, days.last)


def test_a_day_that_had_not_ended_is_left_out_of_what_was_asked_for() -> None:
    """Whoever asks day by day asks for today, too: the taxpayer is whole all the same."""
    daily = [
        a_job(f"{day}", task=invoices(first=date(2026, 6, 1), last=date(2026, 6, day)), created_at=at, settled_at=at)
        for day in (8, 9)
        for at in (datetime(2026, 6, day, 18, tzinfo=UTC),)
    ]

    page = morning(*daily)

    assert (1, 0, 0) == counts(page)
    assert 8 == page.calendars[0].rows[0].proven_days


def test_taxpayers_are_masked_unless_asked() -> None:
    """One whose id is an RFC has a number, the same in every place; a link's id says nothing."""
    job = failed_job(vendor="syntage", task=extraction(f"/taxpayers/{RFC}"))
    shown = msgspec.json.encode(morning(job, open_job(task=job.task), show_taxpayers=True)).decode()
    masked = msgspec.json.encode(morning(job, open_job(task=job.task))).decode()

    assert RFC in shown
    assert RFC not in masked
    assert "taxpayer-1" in masked
    assert "taxpayer-2" not in masked


def test_money_is_this_months_by_the_price_list() -> None:
    """What the vendor refused, what waits here and what was sent last month costs nothing now."""
    jobs = [
        a_job("paid"),
        failed_job("failed"),
        failed_job("refused", status=Status.REJECTED),
        open_job("queued", status=Status.SUBMITTING, attempted_at=None),
        a_job("last month", attempted_at=datetime(2026, 6, 1, 5, tzinfo=UTC)),
        a_job("unpriced", vendor="other"),
    ]

    money = morning(*jobs, prices=Prices.from_toml("belvo = { low = 1, high = 2.5 }"), budget=Decimal(10)).money

    assert (3, 1, Decimal(2), Decimal(5)) == (money.requests, money.unpriced, money.price.low, money.price.high)  # type: ignore[union-attr]
    assert date(2026, 6, 1) == money.month


def test_without_a_price_list_requests_are_counted() -> None:
    """No price of a vendor is known here."""
    money = morning(a_job()).money

    assert (1, None) == (money.requests, money.price)


def test_the_oldest_open_job_is_named() -> None:
    """And how many are open."""
    jobs = [open_job("new"), open_job("old", created_at=NOW - timedelta(days=2)), a_job()]

    oldest = morning(*jobs).oldest

    assert oldest is not None
    assert ("old", "running", 2) == (oldest.job, oldest.state, oldest.count)


def test_what_came_since_yesterday() -> None:
    """Ends by how they ended, the vendor's counts where it gives some, rows by receipts."""
    jobs = [
        a_job("whole", created_count=7),
        a_job("part", partial=True, updated_count=2),
        failed_job(),
        a_job("long ago", settled_at=NOW - timedelta(days=2)),
    ]
    receipts = [_receipt("whole", 9), _receipt("long ago", 4), _receipt("whole", 100, at=NOW - timedelta(days=3))]

    (came,) = make_morning(held(*jobs, receipts=tuple(receipts)), None, Preferences(), NOW).came

    assert (1, 1, 1) == (came.finished, came.partial, came.failed)
    assert (7, 2, 13, 2) == (came.new, came.changed, came.rows, came.parts)


def _receipt(job: str, rows: int, at: datetime = NOW - timedelta(hours=1)) -> Receipt:
    return Receipt(sink="ndjson:/x", job=job, part="p", rows=rows, size_bytes=1, digest="", ids="", at=at)


def test_durations_are_those_of_the_store() -> None:
    """Half within, nineteen of twenty within, and today's."""
    minutes = [a_job(f"j{each}", settled_at=NOW, created_at=NOW - timedelta(minutes=each)) for each in range(1, 101)]
    yesterday = [a_job("y", settled_at=NOW - timedelta(days=1), created_at=NOW - timedelta(days=1, minutes=50))]

    (took,) = morning(*minutes, *yesterday, failed_job()).took

    assert (101, timedelta(minutes=50), timedelta(minutes=95)) == (took.jobs, took.p50, took.p95)
    assert (100, timedelta(minutes=50)) == (took.today_jobs, took.today_p50)
    assert 60 == len(took.today)


def test_failures_are_counted_by_code_over_thirty_days() -> None:
    """By day, the last one today; the most frequent first."""
    other = Failure(code="institution_down")
    jobs = [
        failed_job("a"),
        failed_job("b", failure=other),
        failed_job("c", failure=other, settled_at=NOW - timedelta(days=29)),
        failed_job("d", settled_at=NOW - timedelta(days=31)),
    ]

    first, second = morning(*jobs).failures

    assert ("institution_down", 2, "b") == (first.code, first.count, first.last_job)
    assert (1, 1) == (first.by_day[0], first.by_day[-1])
    assert ("login_error", 1) == (second.code, second.count)


def test_webhook_health_tells_the_ways_of_a_week() -> None:
    """What ended longer ago does not count."""
    jobs = [
        a_job("a"),
        a_job("b", settled_by=Way.POLL),
        a_job("c", settled_by=Way.INFERENCE),
        a_job("d", settled_at=NOW - timedelta(days=8)),
    ]

    (health,) = make_morning(held(*jobs, deliveries={"belvo": NOW}), None, Preferences(), NOW).webhooks

    assert (1, 1, 1, 3, NOW) == (
        health.by_webhook,
        health.by_poll,
        health.by_inference,
        health.total,
        health.last_delivery,
    )


def test_not_whole_ones_come_first_and_rows_are_bounded() -> None:
    """What is left off is counted."""
    links = [f"{number:08x}-6dd6-4806-af9b-3fe4a9d9e8e1" for number in range(10)]
    jobs = [job for link in links for job in both_sides(link)]
    jobs[6] = failed_job(jobs[6].id, task=jobs[6].task)

    (calendar,) = morning(*jobs, rows_limit=4).calendars

    assert (True, False, False, False) == tuple(row.needs_a_person for row in calendar.rows)
    assert (10, 9, 6, 0) == (
        calendar.taxpayers,
        calendar.whole,
        calendar.whole_left_off,
        calendar.others_left_off,
    )


@given(
    st.lists(
        st.tuples(st.integers(1, 70), st.sampled_from(list(Known))),
        min_size=1,
        max_size=30,
    )
)
def test_every_month_of_a_strip_shows_once(spans: list[tuple[int, Known]]) -> None:
    """In order and without gap; the loudest of what is known of its days."""
    cells, day, known_of = list[Cell](), date(2024, 1, 1), dict[int, set[Known]]()
    for length, known in spans:
        last = day + timedelta(days=length - 1)
        cells.append(Cell(subject="x", direction="issued", first=day, last=last, known=known))
        for each in range(length):
            at = day + timedelta(days=each)
            known_of.setdefault((at.year - 2024) * 12 + at.month - 1, set()).add(known)
        day = last + timedelta(days=1)

    (strip,) = strips(cells, date(2024, 1, 1))

    shown = {month: each.known for each in strip.stretches for month in range(each.first, each.last + 1)}
    loudest = (Known.FAILED, Known.MISSING, Known.PARTIAL, Known.NEVER_ASKED, Known.PROVEN)
    assert {month: next(each for each in loudest if each in known) for month, known in known_of.items()} == shown
    assert sum(each.last - each.first + 1 for each in strip.stretches) == len(known_of)


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_jobs_does_not_matter(seed: int) -> None:
    """A store may give them in any."""
    jobs = [*both_sides(), *both_sides(OTHER, 2023), failed_job(), open_job(task=invoices(OTHER, 2021))]
    shuffled = jobs[seed:] + jobs[:seed]

    assert morning(*jobs) == morning(*shuffled)


def test_a_plan_is_covered_by_its_own_days() -> None:
    """What was fetched beside it does not show."""
    jobs = [*both_sides(), failed_job(task=invoices(year=2021))]

    (calendar,) = morning(*jobs, scopes=[planned(*jobs)]).calendars

    assert (date(2025, 1, 1), 12, 1) == (calendar.start, calendar.months, calendar.whole)
