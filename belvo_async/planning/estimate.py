"""What a plan will cost and how long it will take, before anything is fired."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final, NamedTuple

import msgspec

from ..abc import PlanRules
from ..errors import TaskError
from ..jobs import Job, Status
from .calendar import TIMELESS
from .chunks import Chunk, Proposal
from .plan import Plan
from .prices import Price, Prices

# With fewer ended jobs of a resource than this, its history says less than the vendor's own range.
HISTORY_LEAST: Final = 20
# The newest of them: what was usual a thousand jobs ago may not be any more.
HISTORY_MOST: Final = 1_000


class Durations(NamedTuple):
    """How long jobs of a resource take: half of them at most, nineteen of twenty at most; from how many jobs.

    `jobs` 0: not from a history but from what the vendor says.
    """

    p50: timedelta
    p95: timedelta
    jobs: int = 0


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan needs.

    `requests` in all: `reused` are answered by jobs that ended, `under_way` by jobs that are open, `to_fire` are paid
    for; `later` of those may only be asked for after a wait. `price` of what is fired; `by_year` is what it would cost
    to ask for each calendar year and direction alone. Both are None where the price list does not name the resource.
    `p50` and `p95`: how long it takes. `history`: from how many ended jobs of the store that was worked out; 0: from
    the vendor's own words.
    """

    requests: int
    reused: int
    under_way: int
    to_fire: int
    later: int
    refused: int
    currency: str
    price: Price | None
    by_year: Price | None
    p50: timedelta
    p95: timedelta
    history: int


def durations(jobs: Iterable[Job], resource: str, rules: PlanRules) -> Durations:
    """How long jobs of a resource take from their submission to their end, by those that finished."""
    ended = sorted(
        (job.created_at, job.settled_at - job.created_at)
        for job in jobs
        if job.task.resource == resource and job.status is Status.FINISHED and job.settled_at is not None
    )
    took = sorted(span for _, span in ended[-HISTORY_MOST:] if span >= timedelta(0))
    if len(took) < HISTORY_LEAST:
        return Durations(*rules.typical)
    half, most = (took[math.ceil(len(took) * share) - 1] for share in (0.5, 0.95))
    return Durations(half, most, len(took))


def estimate(plan: Plan, rules: PlanRules, proposal: Proposal, prices: Prices, took: Durations) -> Estimate:
    """Work out what a proposal costs and takes."""
    fired = (*proposal.chunks, *proposal.later)
    each = prices.price(plan.vendor, plan.resource)
    reused = len(proposal.reused) + len(proposal.under_way)
    return Estimate(
        requests=reused + len(fired),
        reused=len(proposal.reused),
        under_way=len(proposal.under_way),
        to_fire=len(fired),
        later=len(proposal.later),
        refused=len(proposal.refused),
        currency=prices.currency,
        price=None if each is None else each.times(len(fired)),
        by_year=None if each is None else each.times(_requests_by_year(fired, rules)),
        p50=_lasts(fired, rules, took.p50),
        p95=_lasts(fired, rules, took.p95),
        history=took.jobs,
    )


def affordable(price: Price | None, max_cost: Decimal | None) -> int | None:
    """How many requests a sum pays for at the higher price; None for any number. TaskError for what is no sum."""
    if max_cost is None:
        return None
    if not max_cost.is_finite() or max_cost < 0:
        raise TaskError("max_cost must be an amount that is not negative", field="max_cost")
    if price is None or not price.high:
        return None
    # Exact, however far the two are apart.
    return int(Fraction(max_cost) / Fraction(price.high))


def _requests_by_year(chunks: Iterable[Chunk], rules: PlanRules) -> int:
    """How many requests ask for the same days, each for days of one calendar year, in one direction."""
    days = Counter[tuple[str, str, int]]()
    for chunk in chunks:
        for year, count in _days_by_year(chunk):
            for direction in chunk.directions:
                days[chunk.subject, direction, year] += count
    longest = rules.longest_days
    return len(days) if longest is None else sum(-(-count // longest) for count in days.values())


def _days_by_year(chunk: Chunk) -> Iterator[tuple[int, int]]:
    first, last = chunk.first, chunk.last
    if first is None or last is None:
        yield TIMELESS, 1
        return
    for year in range(first.year, last.year + 1):
        begins, ends = max(first, date(year, 1, 1)), min(last, date(year, 12, 31))
        yield year, ends.toordinal() - begins.toordinal() + 1


def _lasts(chunks: Sequence[Chunk], rules: PlanRules, each: timedelta) -> timedelta:
    """One request of a subject after the other, all subjects beside each other, within the vendor's budget."""
    if not chunks:
        return timedelta(0)
    longest_line = max(Counter(chunk.subject for chunk in chunks).values())
    in_lanes = each * (longest_line if rules.is_laned else 1)
    if rules.limit is None:
        return in_lanes
    return max(in_lanes, rules.span * math.ceil(len(chunks) * rules.requests / rules.limit) + each)
