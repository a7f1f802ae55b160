"""What planning costs: 2,000 links, ten years, both directions, from nothing and with every job ended.

    python benchmarks/planning.py [--quick]

Processor time, so that a busy machine does not count; the peak is that of a run apart, under tracemalloc, above the
jobs and the plan themselves. The goal of planning is a second and 50 MB; a certificate is there for comparison.
"""

from __future__ import annotations

import statistics
import time
import tracemalloc
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from table import Middle, Row, Size, run, span

from belvo_async import Belvo
from belvo_async.jobs import Job, Status, Way
from belvo_async.planning import (
    Coverage,
    Plan,
    Prices,
    Proposal,
    Settled,
    certify,
    cover,
    durations,
    encode_certificate,
    estimate,
    propose,
    read_certificate,
    settle_plan,
)

AREA = "planning"
LINKS = 2_000
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SECONDS_GOAL, MEGABYTES_GOAL = 1, 50
ROUNDS = 3


def settled_plan(links: int) -> Settled:
    """Ten years of both directions."""
    plan = Plan(
        vendor="belvo",
        subjects=[str(UUID(int=each)) for each in range(1, links + 1)],
        resource="invoices",
        first=date(2016, 1, 1),
        last=date(2025, 12, 31),
    )
    vendor = Belvo(secret_id="s" * 36, secret_password="p" * 40, environment="sandbox")
    return settle_plan(plan, {"belvo": vendor}, NOW)


def ended_jobs(settled: Settled) -> list[Job]:
    """What carries the plan out: every job finished whole, by the vendor's word."""
    chunks = propose(cover(settled.plan, ()), settled.rules, NOW).chunks
    return [
        Job(
            id=f"{place:08}",
            vendor="belvo",
            account="belvo#1",
            task=chunk.task(*settled),
            created_at=NOW,
            status=Status.FINISHED,
            settled_by=Way.WEBHOOK,
            settled_at=NOW + timedelta(minutes=1 + place % 50),
        )
        for place, chunk in enumerate(chunks)
    ]


def cost(do: Callable[[], Any], rounds: int) -> tuple[list[float], float]:
    """The processor seconds of some rounds, and the peak in megabytes of one more."""
    seconds: list[float] = []
    for _ in range(rounds):
        began = time.process_time()
        do()
        seconds.append(time.process_time() - began)
    tracemalloc.start()
    try:
        do()
        return seconds, tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()


def steps(settled: Settled, jobs: Sequence[Job]) -> dict[str, Callable[[], Any]]:
    """What is measured, by name."""
    plan, rules = settled

    def known(some: Sequence[Job]) -> tuple[Coverage, Proposal]:
        coverage = cover(plan, some)
        return coverage, propose(coverage, rules, NOW + timedelta(days=1))

    coverage, _ = known(jobs)
    _, proposal = known(())
    prices = Prices.from_toml("belvo = 1")
    document = encode_certificate(certify(coverage, (), NOW))
    return {
        f"cover and propose, {len(proposal.chunks):,} requests left": lambda: known(()),
        f"cover and propose, {len(jobs):,} jobs ended": lambda: known(jobs),
        "estimate": lambda: estimate(plan, rules, proposal, prices, durations(jobs, plan.resource, rules)),
        f"make and write the certificate, {len(document) / 1e6:.0f} MB": lambda: encode_certificate(
            certify(coverage, (), NOW)
        ),
        "read the certificate": lambda: read_certificate(document),
    }


def measure(size: Size = Size.FULL) -> list[Row]:
    """A row for the time of each step, and one for its memory."""
    settled = settled_plan(size.pick(LINKS, LINKS // 10, 2))
    jobs = ended_jobs(settled)
    rows: list[Row] = []
    for what, do in steps(settled, jobs).items():
        seconds, megabytes = cost(do, size.pick(ROUNDS, ROUNDS, 1))
        is_planning = "certificate" not in what
        for shown, ratio in (
            (span(statistics.median(seconds)), Middle(each / SECONDS_GOAL for each in seconds)),
            (f"{megabytes:.1f} MB", megabytes / MEGABYTES_GOAL),
        ):
            goal = 1 if is_planning else None
            rows.append(Row(area=AREA, what=what, ours=shown, ratio=ratio, goal=goal, at_least=False))
    return rows


if __name__ == "__main__":
    run(measure, "Measure what planning costs.")
