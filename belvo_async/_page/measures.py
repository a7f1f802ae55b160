"""Counts, sums and durations of what a store holds: money, yesterday, how long, which failures, which way."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from ..abc import Receipt
from ..jobs import Job, Status, Way
from ..planning import Prices
from ..planning.calendar import mexican_day
from ..planning.estimate import HISTORY_MOST
from ..planning.prices import FREE
from .facts import Came, FailureCode, Money, OldestOpen, Took, Webhooks
from .gather import Held
from .naming import Namer

FAILURE_DAYS: Final = 30
WEBHOOK_DAYS: Final = 7
# Of one resource, the ends of today that are drawn.
TODAY_LIMIT: Final = 60
CODES_LIMIT: Final = 20


def money(jobs: Iterable[Job], prices: Prices | None, budget: Decimal | None, now: datetime) -> Money:
    """Add up what this month's requests cost, by the price list."""
    month = mexican_day(now).replace(day=1)
    requests = unpriced = 0
    total = FREE
    for job in jobs:
        if not _is_paid(job) or mexican_day(job.attempted_at or job.created_at) < month:
            continue
        requests += 1
        price = None if prices is None else prices.price(job.vendor, job.task.resource)
        if price is None:
            unpriced += 1
        else:
            total = total.plus(price)
    return Money(
        month=month,
        requests=requests,
        unpriced=unpriced,
        currency="" if prices is None else prices.currency,
        price=None if prices is None else total,
        budget=budget,
    )


def _is_paid(job: Job) -> bool:
    """Whether a request was sent that may be charged: neither refused by the vendor, nor still here."""
    return job.status is not Status.REJECTED and not job.is_queued


def oldest_open(jobs: Iterable[Job], names: Namer) -> OldestOpen | None:
    """The job that is open for the longest time; None when none is open."""
    opened = [job for job in jobs if job.is_open]
    if not opened:
        return None
    oldest = min(opened, key=lambda job: (job.created_at, job.id))
    return OldestOpen(
        job=oldest.id,
        vendor=oldest.vendor,
        resource=names.of(oldest.task.resource),
        subject=names.of(oldest.task.subject),
        state=oldest.state,
        since=oldest.created_at,
        count=len(opened),
    )


def came(held: Held, since: datetime) -> tuple[Came, ...]:
    """What came of each resource since an instant."""
    found: dict[tuple[str, str], Came] = {}
    for job in held.jobs.values():
        if job.status.is_terminal and job.settled_at is not None and job.settled_at >= since:
            key = job.vendor, job.task.resource
            found[key] = _with_job(found.get(key) or Came(vendor=key[0], resource=key[1]), job)
    for receipt in held.receipts:
        key = _kind_of(receipt, held.jobs)
        if receipt.at >= since:
            so_far = found.get(key) or Came(vendor=key[0], resource=key[1])
            found[key] = replace(so_far, rows=so_far.rows + receipt.rows, parts=so_far.parts + 1)
    return tuple(found[key] for key in sorted(found))


def _with_job(so_far: Came, job: Job) -> Came:
    is_finished = job.status is Status.FINISHED
    return replace(
        so_far,
        finished=so_far.finished + (is_finished and not job.partial),
        partial=so_far.partial + (is_finished and job.partial),
        failed=so_far.failed + (not is_finished),
        new=_sum(so_far.new, job.created_count),
        changed=_sum(so_far.changed, job.updated_count),
    )


def _sum(one: int | None, other: int | None) -> int | None:
    return one if other is None else (one or 0) + other


def _kind_of(receipt: Receipt, jobs: Mapping[str, Job]) -> tuple[str, str]:
    job = jobs.get(receipt.job)
    return ("", "jobs that were forgotten") if job is None else (job.vendor, job.task.resource)


def took(jobs: Iterable[Job], now: datetime) -> tuple[Took, ...]:
    """How long the jobs of each resource took, by those that finished."""
    today = mexican_day(now)
    finished: dict[tuple[str, str], list[tuple[datetime, timedelta]]] = {}
    for job in jobs:
        if job.status is Status.FINISHED and job.settled_at is not None and job.settled_at >= job.created_at:
            ends = finished.setdefault((job.vendor, job.task.resource), [])
            ends.append((job.settled_at, job.settled_at - job.created_at))
    return tuple(_took(key, sorted(ends), today) for key, ends in sorted(finished.items()))


def _took(key: tuple[str, str], ends: Sequence[tuple[datetime, timedelta]], today: date) -> Took:
    newest = ends[-HISTORY_MOST:]
    spans = sorted(span for _, span in newest)
    todays = [span for at, span in ends if mexican_day(at) == today]
    return Took(
        vendor=key[0],
        resource=key[1],
        jobs=len(spans),
        p50=_part(spans, 0.5),
        p95=_part(spans, 0.95),
        today=tuple(todays[-TODAY_LIMIT:]),
        today_jobs=len(todays),
        today_p50=_part(sorted(todays), 0.5) if todays else None,
    )


def _part(spans: Sequence[timedelta], share: float) -> timedelta:
    """The span that this share of them stays within."""
    return spans[max(0, math.ceil(len(spans) * share) - 1)]


def failures(jobs: Iterable[Job], now: datetime) -> tuple[FailureCode, ...]:
    """By which codes jobs ended over the last days, the most frequent first."""
    today = mexican_day(now)
    found: dict[tuple[str, str], list[Job]] = {}
    for job in jobs:
        if job.settled_at is None or job.failure is None or not job.status.is_terminal:
            continue
        if 0 <= (today - mexican_day(job.settled_at)).days < FAILURE_DAYS:
            found.setdefault((job.vendor, job.failure.code), []).append(job)
    codes = [_failure_code(key, several, today) for key, several in found.items()]
    codes.sort(key=lambda each: (-each.count, each.vendor, each.code))
    return tuple(codes[:CODES_LIMIT])


def _failure_code(key: tuple[str, str], jobs: Sequence[Job], today: date) -> FailureCode:
    by_day = [0] * FAILURE_DAYS
    for job in jobs:
        by_day[FAILURE_DAYS - 1 - (today - mexican_day(_ended(job))).days] += 1
    last = max(jobs, key=_ended)
    return FailureCode(
        vendor=key[0], code=key[1], count=len(jobs), last_at=_ended(last), last_job=last.id, by_day=tuple(by_day)
    )


def _ended(job: Job) -> datetime:
    return job.settled_at or job.created_at


def webhooks(held: Held, now: datetime) -> tuple[Webhooks, ...]:
    """How each vendor's jobs were settled in the last days, and when its last delivery came."""
    since = now - timedelta(days=WEBHOOK_DAYS)
    ways: dict[str, dict[Way, int]] = {}
    vendor_of: dict[str, str] = {}
    for job in held.jobs.values():
        counts = ways.setdefault(job.vendor, {})
        vendor_of[job.account] = job.vendor
        if job.settled_at is not None and job.settled_at >= since and job.settled_by is not None:
            counts[job.settled_by] = counts.get(job.settled_by, 0) + 1
    aside = [(vendor_of.get(each.account), each.at) for each in held.aside]
    return tuple(_webhooks(vendor, ways[vendor], held, aside) for vendor in sorted(ways))


def _webhooks(
    vendor: str, ways: Mapping[Way, int], held: Held, aside: Iterable[tuple[str | None, datetime]]
) -> Webhooks:
    last = held.deliveries.get(vendor)
    unread = [at for whose, at in aside if whose == vendor]
    return Webhooks(
        vendor=vendor,
        last_delivery=max((at for at in (last, *unread) if at is not None), default=None),
        by_webhook=ways.get(Way.WEBHOOK, 0),
        by_poll=ways.get(Way.POLL, 0),
        by_inference=ways.get(Way.INFERENCE, 0),
        by_answer=ways.get(Way.ANSWER, 0),
        unread=len(unread),
        recorded=held.recorded.get(vendor),
    )
