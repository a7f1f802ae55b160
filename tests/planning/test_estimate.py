"""What a plan costs and how long it takes, before anything is fired."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from belvo_async.errors import ConfigurationError, TaskError
from belvo_async.jobs import ISSUED, Job
from belvo_async.planning import (
    Durations,
    Estimate,
    Price,
    Prices,
    Settled,
    affordable,
    cover,
    durations,
    estimate,
    propose,
)
from tests.planning.kit import DAY, HOUR, LINKS, NOW, TODAY, Walk, extent, job_for, settled

MINUTE = timedelta(minutes=1)
PRICES = Prices.from_toml("""
belvo = 1.50
[syntage]
invoice = { low = 10, high = 23 }
""")


def told(plan: Settled, *jobs: Job) -> Estimate:
    proposal = propose(cover(plan.plan, jobs), plan.rules, NOW)
    return estimate(plan.plan, plan.rules, proposal, PRICES, durations(jobs, plan.plan.resource, plan.rules))


def test_an_estimate_counts_what_is_reused_open_asked_and_refused() -> None:
    """Each request once, whatever it is good for."""
    walk = Walk(settled(first=date(2022, 1, 1), last=date(2023, 12, 31)))
    for chunk, how in zip(walk.proposal().chunks, ("whole", "open", "failed for good", "failed"), strict=True):
        walk.ask(chunk, how)

    found = told(walk.plan, *walk.jobs)

    assert (3, 1, 1, 1, 1, 1) == (
        found.requests,
        found.reused,
        found.under_way,
        found.to_fire,
        found.later,
        found.refused,
    )


def test_the_price_is_that_of_what_is_fired() -> None:
    """From the list, low and high; none where it does not say."""
    assert Price(Decimal(10), Decimal(23)) == told(settled("syntage")).price
    assert Price(Decimal("3.00"), Decimal("3.00")) == told(settled()).price
    assert told(settled("syntage", resource="tax_retention")).price is None


@pytest.mark.parametrize(
    ("vendor", "first", "last", "requests"),
    [
        pytest.param("syntage", date(2021, 1, 1), date(2025, 12, 31), 10, id="five years, two directions"),
        pytest.param("syntage", date(2025, 12, 31), date(2026, 1, 1), 4, id="two days of two years"),
        pytest.param("syntage", TODAY, TODAY, 2, id="one day"),
        pytest.param("belvo", date(2020, 1, 1), date(2024, 12, 31), 14, id="leap years are a day too long"),
        pytest.param("belvo", date(2022, 3, 1), date(2023, 2, 28), 4, id="one request that is of two years"),
    ],
)
def test_splitting_by_year_is_told(vendor: str, first: date, last: date, requests: int) -> None:
    """Each calendar year and direction alone, as often as the vendor's limit then asks; a year counts once."""
    plan = settled(vendor, first=first, last=last)

    found = told(plan)

    each = PRICES.price(vendor, plan.plan.resource)
    assert each is not None
    assert each.times(requests) == found.by_year


def test_a_resource_without_days_is_one_request_either_way() -> None:
    """There is nothing to split."""
    plan = settled("syntage", resource="tax_status", first=None, last=None)
    proposal = propose(cover(plan.plan, ()), plan.rules, NOW)

    found = estimate(plan.plan, plan.rules, proposal, Prices.from_toml("syntage = 5"), Durations(MINUTE, HOUR))

    assert Price(Decimal(5), Decimal(5)) == found.price == found.by_year


def finished(plan: Settled, *minutes: int) -> list[Job]:
    year = extent(date(2025, 1, 1), date(2025, 12, 31))
    return [
        job_for(plan, year, at=NOW + place * DAY, id=str(place), settled_at=NOW + place * DAY + each * MINUTE)
        for place, each in enumerate(minutes)
    ]


def test_durations_come_from_the_stores_own_jobs() -> None:
    """The middle one, and the nineteenth of twenty."""
    plan = settled("syntage")

    found = durations(finished(plan, *range(20, 0, -1)), "invoice", plan.rules)

    assert Durations(10 * MINUTE, 19 * MINUTE, 20) == found


def test_a_short_history_says_less_than_the_vendor() -> None:
    """Below twenty, and of other resources, the vendor's own words count."""
    plan = settled("syntage")
    jobs = finished(plan, *range(1, 20))

    assert Durations(*plan.rules.typical) == durations(jobs, "invoice", plan.rules)
    assert Durations(*plan.rules.typical) == durations([*jobs, *jobs], "tax_status", plan.rules)


def test_what_failed_and_what_clocks_set_back_tell_nothing() -> None:
    """Only what finished, and not before it began."""
    plan = settled("syntage")
    jobs = finished(plan, *([5] * 20), *([-5] * 20))
    failed = job_for(plan, extent(date(2025, 1, 1), date(2025, 12, 31)), "failed", settled_at=NOW + 9 * DAY)

    assert Durations(5 * MINUTE, 5 * MINUTE, 20) == durations([failed, *jobs], "invoice", plan.rules)


def test_requests_of_one_link_take_turns() -> None:
    """Two directions of two years: four, one after the other; another link goes beside it."""
    period = {"first": date(2022, 1, 1), "last": date(2023, 12, 31)}

    one, two = told(settled(**period)), told(settled(**period, subjects=LINKS))

    assert (20 * MINUTE, 4 * HOUR) == (one.p50, one.p95)
    assert (one.p50, 8) == (two.p50, two.to_fire)


def test_the_vendors_budget_bounds_the_time() -> None:
    """Two thousand links are not asked at once: 80 requests in 30 s, two for each."""
    links = [f"{each:032x}" for each in range(1, 2001)]

    found = told(settled(subjects=links, directions=[ISSUED]))

    assert timedelta(seconds=30 * 2000 * 2 / 80) + 5 * MINUTE == found.p50


def test_nothing_to_fire_takes_no_time() -> None:
    """And costs nothing."""
    plan = settled("syntage")

    found = told(plan, *finished(plan, 5))

    assert (0, timedelta(0), Decimal(0)) == (found.to_fire, found.p95, found.price and found.price.high)


# ---------------------------------------------------------------------------------------------------------------------
# Sums


@pytest.mark.parametrize(
    ("price", "most", "requests"),
    [
        ("10", "55", 5),
        ("10", "50", 5),
        ("10", "9.99", 0),
        ("0.1", "0.3", 3),
        ("0", "5", None),
        ("1E-10", "1E+20", 10**30),
    ],
)
def test_a_sum_pays_for_so_many(price: str, most: str, requests: int | None) -> None:
    """At the higher price, to the last digit."""
    assert requests == affordable(Price(Decimal(0), Decimal(price)), Decimal(most))


def test_no_sum_and_no_price_bound_nothing() -> None:
    """Any number."""
    assert affordable(None, Decimal(5)) is None
    assert affordable(Price(Decimal(1), Decimal(1)), None) is None


@pytest.mark.parametrize("most", ["NaN", "Infinity", "-1"])
def test_what_is_no_sum_is_refused(most: str) -> None:
    """Before anything is sent."""
    with pytest.raises(TaskError) as caught:
        affordable(Price(Decimal(1), Decimal(1)), Decimal(most))

    assert "max_cost" == caught.value.field


# ---------------------------------------------------------------------------------------------------------------------
# The price list


def test_a_price_list_names_vendors_or_their_resources() -> None:
    """In any letters; what it does not name has no price."""
    prices = Prices.from_toml('currency = "usd"\nBelvo = 2\n[syntage]\nTAX_STATUS = 5\ninvoice = {low = 10, high = 23}')

    assert "USD" == prices.currency
    assert Price(Decimal(2), Decimal(2)) == prices.price("belvo", "INVOICES")
    assert Price(Decimal(10), Decimal(23)) == prices.price("syntage", "invoice")
    assert Price(Decimal(5), Decimal(5)) == prices.price("syntage", "tax_status")
    assert prices.price("syntage", "rpc") is None


def test_amounts_are_exact() -> None:
    """No float on the way."""
    assert Price(Decimal("0.1"), Decimal("0.1")) == Prices.from_toml("belvo = 0.1").price("belvo", "INVOICES")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("belvo = -1", "belvo"),
        ("belvo = nan", "belvo"),
        ("belvo = inf", "belvo"),
        ("belvo = true", "belvo"),
        ('belvo = "ten"', "belvo"),
        ("belvo = [1, 2]", "belvo"),
        ("belvo = 2025-01-01", "belvo"),
        ("[syntage]\ninvoice = {low = 10}", "syntage.invoice"),
        ("[syntage]\ninvoice = {low = 10, high = 5}", "syntage.invoice"),
        ("[syntage]\ninvoice = {low = 10, high = 20, middle = 15}", "syntage.invoice"),
        ("[syntage]\ninvoice = {low = 10, high = 'x'}", "syntage.invoice"),
        ("[syntage]\nlow = 10", "syntage"),
        ("currency = 5", "currency"),
        ("currency = 'pesos'", "currency"),
        ("belvo = 1\nsyntage = = 2", "line 2"),
        ("belvo = 1\nbelvo = 2\n[syntage]", "line 2"),
    ],
)
def test_what_is_no_price_is_named(text: str, named: str) -> None:
    """By its key, or where the text is none, by its line."""
    with pytest.raises(ConfigurationError, match=named):
        Prices.from_toml(text)
