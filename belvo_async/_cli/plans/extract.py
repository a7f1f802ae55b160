"""`belvo-async extract` and `sync`: carries plans out, shows how it goes, and says how it ended."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from ..._session.extraction.progress import PlanOutcome
from ..._session.extraction.run import PlanRun
from ..._session.extraction.steps import CONCURRENCY
from ...abc import Clock, Sink
from ...errors import BelvoAsyncError, ConfigurationError
from ...planning import Freshness, Prices, encode_certificate
from ..codes import Code, code_of, worst
from ..config import config_at, prefix, prices_at
from ..words import counted, money, span
from .accounts import Environ
from .display.ending import said_of
from .display.look import Look, news
from .display.screen import RunScreen
from .errands import Errand, errands_of, store_of
from .ready import Ready, opened


class _Agreed(TypedDict):
    """What an estimate and a run are to agree on."""

    freshness: Freshness
    prices: Prices
    retry: bool


@dataclass(frozen=True, kw_only=True)
class Carriage:
    """One plan to be run, and where its rows go."""

    ready: Ready
    sink: Sink
    run: PlanRun
    look: Look


async def extract(options: argparse.Namespace, environ: Environ, clock: Clock, screen: RunScreen) -> int:
    """Carry out what was asked for; the exit code. Raises what keeps it from beginning; the rest is told."""
    config = config_at(options.config)
    errands = errands_of(options, config, clock.now())
    prices, store = prices_at(options.prices, config) or Prices(), store_of(options, config)
    sinks = [_sink(each) for each in errands]
    async with opened(errands, store, environ, clock) as ready, _ends(sinks):
        both = zip(ready, sinks, strict=True)
        jobs = [await plan_carriage(each, sink, options, prices, clock) for each, sink in both]
        return worst(await carry_all(jobs, screen, clock))


async def carry_all(jobs: Sequence[Carriage], screen: RunScreen, clock: Clock) -> list[int]:
    """Run plans beside each other, show how they go, and say how each ended; their exit codes."""
    for job in jobs:
        screen.say(_beginning(job))
    looks = [job.look for job in jobs]
    with screen.live(looks, clock) as refresh:
        async with _ticking(refresh, screen.tick_seconds):
            runs = (_carry_out(job, screen, refresh) for job in jobs)
            ends = await asyncio.gather(*runs, return_exceptions=True)
    return [await _conclude(job, end, screen, clock) for job, end in zip(jobs, ends, strict=True)]


def _sink(errand: Errand) -> Sink:
    """Open where a plan goes: what is wrong with that is told before anything is asked."""
    from ...sinks import FolderSink, open_sink

    if errand.into is None:
        raise ConfigurationError(f"{prefix(errand.name)}where to? say --into ndjson:DIR, or write `into` into the file")
    sink = open_sink(errand.into)
    if errand.single and not isinstance(sink, FolderSink):
        raise ConfigurationError("--single merges the files of a folder: ndjson, csv or parquet")
    return sink


async def plan_carriage(
    ready: Ready, sink: Sink, options: argparse.Namespace, prices: Prices, clock: Clock
) -> Carriage:
    """Estimate a plan and begin its run; nothing is sent yet. Raises what keeps it from beginning."""
    errand, plan = ready.errand, ready.plan
    if errand.max_cost is not None and prices.price(plan.vendor, plan.resource) is None:
        raise ConfigurationError(f"--max-cost needs a price: --prices FILE does not name {plan.vendor}.{plan.resource}")
    terms = _Agreed(freshness=errand.freshness, prices=prices, retry=options.retry)
    estimate = await ready.session.estimate(plan, **terms)
    run = await ready.session.extract(
        plan,
        into=sink,
        max_cost=errand.max_cost,
        patience=options.wait,
        deadline=options.deadline,
        concurrency=options.concurrency or CONCURRENCY,
        tags=dict(options.tag),
        files=errand.files,
        **terms,
    )
    look = Look(name=errand.name, began=clock.now(), estimate=estimate)
    return Carriage(ready=ready, sink=sink, run=run, look=look)


def _beginning(job: Carriage) -> str:
    estimate, left_out = job.look.estimate, job.ready.left_out
    facts = [f"{counted(estimate.to_fire, 'request')} to send", f"{estimate.reused} of {estimate.requests} known"]
    if estimate.under_way:
        facts.append(f"{estimate.under_way} under way")
    if estimate.price is not None:
        facts.append(money(estimate.price, estimate.currency))
    if estimate.to_fire:
        facts.append(f"about {span(estimate.p50)}, at worst {span(estimate.p95)}")
    if left_out:
        facts.append(f"{counted(left_out, 'subject')} left out: access is not valid")
    return f"{job.look.name}: {', '.join(facts)}"


@asynccontextmanager
async def _ends(sinks: Sequence[Sink]) -> AsyncGenerator[None]:
    async with AsyncExitStack() as stack:
        for sink in sinks:
            stack.push_async_callback(sink.end)
        yield


@asynccontextmanager
async def _ticking(refresh: Callable[[], None], seconds: float | None) -> AsyncGenerator[None]:
    """Let a clock on the screen go on while nothing happens."""

    async def tick() -> None:
        while seconds is not None:
            await asyncio.sleep(seconds)
            refresh()

    ticking = asyncio.create_task(tick())
    try:
        yield
    finally:
        ticking.cancel()
        await asyncio.gather(ticking, return_exceptions=True)


async def _carry_out(job: Carriage, screen: RunScreen, refresh: Callable[[], None]) -> PlanOutcome:
    look = job.look
    try:
        async for progress in job.run:
            look.take(progress)
            told = news(progress)
            if told is not None:
                screen.say(f"{look.name}: {told}")
            refresh()
        look.tally = job.run.outcome.tally
    finally:
        look.is_over = True
        with suppress(OSError):
            refresh()
    return job.run.outcome


async def _conclude(job: Carriage, end: PlanOutcome | BaseException, screen: RunScreen, clock: Clock) -> int:
    """Say how a plan ended, and write what was asked for beside its rows."""
    errand = job.ready.errand
    if isinstance(end, BaseException):
        if not isinstance(end, BelvoAsyncError | OSError):
            raise end
        screen.say(f"{errand.name}: broke off: {end}; the same command goes on from here")
        return Code.FAILED
    for line in said_of(end, job.sink.name, clock.now()):
        print(f"{errand.name}: {line}")
    if errand.single:
        from ...sinks import FolderSink, merge

        if isinstance(job.sink, FolderSink):
            for path in await merge(job.sink.root):
                print(f"{errand.name}: merged into {path}")
    if errand.certificate is not None:
        certificate = await job.ready.session.certificate(job.ready.plan, into=job.sink)
        await asyncio.to_thread(_write, errand.certificate, encode_certificate(certificate))
        print(f"{errand.name}: certificate in {errand.certificate}")
    return code_of(end)


def _write(path: Path, document: bytes) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    draft.write_bytes(document)
    draft.replace(path)
