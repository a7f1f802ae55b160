"""What being watched costs a `session.fire`: nothing told, told to an API that nobody listens to, told to an SDK.

    python benchmarks/telemetry.py [--quick]

As `fire.py`: the memory store, 64 in flight, the vendor in a process of its own, ways in turns. The SDK samples every
span and drops it unexported. What a session without telemetry pays is too little to be seen so: the calls that do
nothing are measured by themselves, as many as one fire makes, beside the time of one fire.
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from functools import partial

from apart import serving
from fire import IN_FLIGHT, Way, link_of, ours, speed
from table import Middle, Row, Size, beside, run, span

from belvo_async import Status, Way as SaidBy, belvo
from belvo_async.integrations.otel import OpenTelemetry
from belvo_async.jobs import Job, Seen, Verdict
from belvo_async.telemetry import SILENT, Telemetry

AREA = "telemetry"
CALLS = 20_000
LISTENERS = {"off": "nobody", "API": "OpenTelemetry's API, nobody listening", "SDK": "its SDK, all spans and metrics"}
GOALS = {"off": 0.01, "API": None, "SDK": None}


def watched_by_an_sdk() -> OpenTelemetry:
    """All of it on, but for the sending."""
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from opentelemetry.sdk.trace import TracerProvider

    return OpenTelemetry(tracer_provider=TracerProvider(), meter_provider=MeterProvider([InMemoryMetricReader()]))


def telemetries() -> dict[str, Telemetry]:
    """An SDK is not everybody's: without one its rows are left out."""
    found: dict[str, Telemetry] = {"off": SILENT, "API": OpenTelemetry()}
    try:
        return found | {"SDK": watched_by_an_sdk()}
    except ImportError:
        return found


async def compare(url: str, rounds: int, count: int) -> dict[str, list[float]]:
    """POSTs a second of each way, round by round."""
    numbers = itertools.count()
    chosen: dict[str, Way] = {name: partial(ours, telemetry=each) for name, each in telemetries().items()}
    speeds: dict[str, list[float]] = {name: [] for name in chosen}
    for number in range(rounds + 1):
        for name, way in chosen.items():
            once = await speed(way, url, numbers, count, IN_FLIGHT)
            if number:  # the first round warms up
                speeds[name].append(once)
    return speeds


def tell_of_a_fire(telemetry: Telemetry, job: Job, seen: Seen) -> None:
    """Every call that one fire makes: its span, its request's, the trace, the wait, and what was observed."""
    with telemetry.fire(job.task) as fire:
        telemetry.traceparent()
        if telemetry.is_on:
            telemetry.wait("https://x", "POST /api/invoices/", 0.0)
        with telemetry.request("https://x", "POST /api/invoices/", 1) as request:
            request.answer(202)
        telemetry.observe(job, job, seen, Verdict.ADVANCED)
        fire.become(job)


def seconds_of_telling(telemetry: Telemetry, calls: int) -> list[float]:
    """Five times."""
    from datetime import UTC, date, datetime

    now = datetime.now(UTC)
    task = belvo.Invoices(link=link_of(1), date_from=date(2025, 1, 1), date_to=date(2025, 12, 31), type="INFLOW")
    job = Job(id="j", vendor="v", account="a", task=task, created_at=now)
    seen = Seen(way=SaidBy.ANSWER, at=now, status=Status.PENDING)
    times: list[float] = []
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(calls):
            tell_of_a_fire(telemetry, job, seen)
        times.append((time.perf_counter() - began) / calls)
    return times


def measure(size: Size = Size.FULL) -> list[Row]:
    """All ways in turns, and the calls that do nothing."""
    with serving("fire_server.py") as url:
        speeds = asyncio.run(compare(url, size.pick(7, 3, 1), size.pick(2000, 500, 64)))
    fired = 1 / statistics.median(speeds["off"])
    rows: list[Row] = []
    for name, telemetry in telemetries().items():
        seconds = seconds_of_telling(telemetry, size.pick(CALLS, CALLS // 4, 20))
        what = f"what one fire tells {LISTENERS[name]}, beside the fire"
        ours, ratio = f"{1e6 * statistics.median(seconds):.2f} us", Middle(each / fired for each in seconds)
        rows.append(
            Row(area=AREA, what=what, ours=ours, peer=span(fired), ratio=ratio, goal=GOALS[name], at_least=False)
        )
        if name != "off":
            rows.append(beside(AREA, f"POSTs started, told {LISTENERS[name]}", speeds[name], speeds["off"], None))
    return rows


if __name__ == "__main__":
    run(measure, __doc__)
