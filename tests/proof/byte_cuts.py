"""Cuts a submission after every byte of its exchange and holds what comes of it against two written tables.

`python -m tests.proof.byte_cuts --vendor both --step 1` tries every byte; `--step 25` every 25th and all borders.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import multiprocessing
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from typing import Any

from aiohttp import web

from belvo_async import (
    Belvo,
    JobHandle,
    JobRejectedError,
    JobTimeoutError,
    Polling,
    Session,
    Status,
    SubmissionUncertainError,
    Syntage,
    belvo,
    syntage,
)
from belvo_async.jobs import Later, Observation, Seen
from belvo_async.simulator import BelvoSimulator, SyntageSimulator
from belvo_async.web.aiohttp import webhook_routes
from tests.proof.cut_proxy import Cut, CutProxy, Exchange, Manner, Side, head_bytes, message_bytes
from tests.virtual_time import VirtualClock, run


class Phase(Enum):
    """How far the exchange had come when it was cut."""

    UNREACHABLE = "never connected"
    UNREACHABLE_AT_FIRST = "connected at a later attempt"
    ACCEPTED = "connected"
    REQUEST_HEAD = "request head"
    REQUEST_BODY = "request body"
    REQUEST_SENT = "request sent"
    ANSWER_HEAD = "answer head"
    ANSWER_BODY = "answer body"
    COMPLETE = "complete"
    UNENDED = "complete, not said to be"
    """Every byte has come, but only the end of the connection can tell so."""


class Outcome(Enum):
    """What the library makes of a submission."""

    NOT_SENT = "not sent"
    MAYBE = "maybe sent"
    ANSWERED = "answered"


NOT_SENT, MAYBE, ANSWERED = Outcome

# The first table: what a cut must be taken for. Not sent is only what failed before there was a connection. From then
# on the client has handed bytes to its kernel and cannot see how many arrived: even a request of which the vendor got
# half may be completed later (LATE does so), so it is MAYBE, for it may never be sent again. An answer is one whose
# every byte has come: by its length or, without one, by any end of the connection after a JSON document that parses
# to its own end. A status line without its body names no job: MAYBE.
# fmt: off
TABLE: dict[Phase, dict[Manner, Outcome]] = {
    phase: dict(zip(Manner, row, strict=True)) for phase, row in {
        #                            close     half      reset     silence   late
        Phase.UNREACHABLE:          (NOT_SENT, NOT_SENT, NOT_SENT, NOT_SENT, NOT_SENT),
        Phase.UNREACHABLE_AT_FIRST: (ANSWERED, ANSWERED, ANSWERED, ANSWERED, ANSWERED),
        Phase.ACCEPTED:             (MAYBE,    MAYBE,    MAYBE,    MAYBE,    MAYBE),
        Phase.REQUEST_HEAD:         (MAYBE,    MAYBE,    MAYBE,    MAYBE,    MAYBE),
        Phase.REQUEST_BODY:         (MAYBE,    MAYBE,    MAYBE,    MAYBE,    MAYBE),
        Phase.REQUEST_SENT:         (MAYBE,    MAYBE,    MAYBE,    MAYBE,    MAYBE),
        Phase.ANSWER_HEAD:          (MAYBE,    MAYBE,    MAYBE,    MAYBE,    MAYBE),
        Phase.ANSWER_BODY:          (MAYBE,    MAYBE,    MAYBE,    MAYBE,    MAYBE),
        Phase.COMPLETE:             (ANSWERED, ANSWERED, ANSWERED, ANSWERED, ANSWERED),
        Phase.UNENDED:              (ANSWERED, ANSWERED, ANSWERED, MAYBE,    MAYBE),
    }.items()
}
# fmt: on

# The second table: how the job ends, by what it was taken for and whether the vendor had accepted it. None: cannot be.
ENDS: dict[tuple[Outcome, bool], str | None] = {
    (Outcome.NOT_SENT, False): "rejected: unreachable",
    (Outcome.NOT_SENT, True): None,
    (Outcome.MAYBE, False): "uncertain",
    (Outcome.MAYBE, True): "finished",
    (Outcome.ANSWERED, False): None,
    (Outcome.ANSWERED, True): "finished",
}

# How long after its attempt an uncertain job that the vendor never got is given up: Syntage's list shows it absent
# for two minutes, Belvo has fifteen to announce it. The second figure allows for time-outs and the next poll.
GIVEN_UP: dict[str, tuple[timedelta, timedelta]] = {
    "belvo": (timedelta(minutes=15), timedelta(minutes=25)),
    "syntage": (timedelta(minutes=2), timedelta(minutes=6)),
}

# Belvo's webhook comes after the client has noticed the cut, or while it still waits its five minutes of silence.
DURATION = {"belvo": timedelta(minutes=3), "syntage": timedelta(seconds=20)}
# Fewer polls than users get, to save time: what is searched for is the same.
POLLING = Polling(first=timedelta(seconds=10), factor=2, longest=timedelta(minutes=1))
# Nothing may be sent again after the end either.
AFTERWARDS = 600.0
# Between two jobs of a line.
PAUSE = 60.0
# Refused this long, the first attempt fails and a later one passes; the first pause is 0.16 s with this seed.
BRIEFLY = 0.1
SEED = 7


@dataclass(frozen=True)
class Case:
    """One cut at one vendor; `kept`: after a read, whose connection was kept and meets the cut as well."""

    vendor: str
    cut: Cut
    kept: bool = False


@dataclass(frozen=True)
class Report:
    """What became of one case; `broken` names every rule that did not hold."""

    case: Case
    phase: Phase
    outcome: Outcome
    accepted: bool
    end: str
    broken: tuple[str, ...] = ()

    @property
    def row(self) -> tuple[str, str, str, str, str, str]:
        """What reports are counted by."""
        held = "accepted" if self.accepted else "not accepted"
        manner = self.case.cut.manner.value
        return self.case.vendor, self.phase.value, manner, self.outcome.value, held, self.end


class Line:
    """One session that talks to one simulated vendor through a proxy; every case has a subject of its own."""

    def __init__(self, vendor: str, *, subjects: int) -> None:
        self.vendor = vendor
        self.clock = VirtualClock(asyncio.get_running_loop())
        self.simulator: BelvoSimulator | SyntageSimulator
        self.proxy: CutProxy
        self.session: Session
        self._subjects = subjects
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Line:
        async with AsyncExitStack() as stack:
            make = {"belvo": self._belvo, "syntage": self._syntage}[self.vendor]
            await make(stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._stack.aclose()

    async def _belvo(self, stack: AsyncExitStack) -> None:
        simulator = BelvoSimulator(now=self.clock.now, links=self._subjects, invoices_per_year=2)
        await self._connect(stack, simulator)
        vendor = Belvo(
            simulator.secret_id,
            simulator.secret_password,
            base_url=self.proxy.url,
            webhook_authorization=simulator.webhook_authorization,
        )
        await self._open(stack, vendor)
        # Belvo tells about lost requests by webhook alone. It does not pass the proxy: the vendor opens it.
        app = web.Application()
        app.add_routes(webhook_routes(self.session))
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        simulator.webhook_url = f"http://127.0.0.1:{runner.addresses[0][1]}/webhooks/belvo"

    async def _syntage(self, stack: AsyncExitStack) -> None:
        simulator = SyntageSimulator(now=self.clock.now, entities=self._subjects, invoices_per_year=2)
        await self._connect(stack, simulator)
        await self._open(stack, Syntage(simulator.api_key, base_url=self.proxy.url))

    async def _connect(self, stack: AsyncExitStack, simulator: BelvoSimulator | SyntageSimulator) -> None:
        self.simulator = await stack.enter_async_context(simulator)
        self.proxy = await stack.enter_async_context(CutProxy(to=simulator.url))

    async def _open(self, stack: AsyncExitStack, vendor: Any) -> None:
        session = Session(vendor, clock=self.clock, chance=random.Random(SEED), polling=POLLING)
        self.session = await stack.enter_async_context(session)

    async def fire(self, subject: int) -> JobHandle[Any]:
        """Submit the job of a subject, which the vendor is told to run for a known time."""
        duration = DURATION[self.vendor]
        first, last = date(2025, 1, 1), date(2025, 3, 31)
        if isinstance(self.simulator, BelvoSimulator):
            link = self.simulator.links[subject]
            self.simulator.next_job(link=link, duration=duration)
            return await self.session.fire(belvo.Invoices(link=link, date_from=first, date_to=last, type="INFLOW"))
        entity = self.simulator.entities[subject]
        self.simulator.next_job(entity=entity, duration=duration)
        options = syntage.InvoiceOptions(period=syntage.Period(from_=first, to=last))
        return await self.session.fire(syntage.Extraction(entity=entity, extractor="invoice", options=options))

    async def read(self) -> None:
        """Read something, so that a connection is kept."""
        query: Any = belvo.Links() if self.vendor == "belvo" else syntage.Entities()
        assert await self.session.list(query).to_list()

    def jobs_of(self, subject: str) -> int:
        """How many submissions for a subject the vendor accepted."""
        if isinstance(self.simulator, BelvoSimulator):
            return sum(job.link.id == subject for job in self.simulator.jobs.values())
        return sum(job.entity.iri == subject for job in self.simulator.jobs.values())


@dataclass
class Trial:
    """One job that met its cut, and what was seen of it."""

    case: Case
    handle: JobHandle[Any]
    said: Observation
    end: str
    waited: timedelta
    cuts: int
    kept: int
    target: Exchange | None

    @property
    def subject(self) -> str:
        return self.handle.job.task.subject


async def try_line(several: Sequence[Case]) -> list[Report]:
    """Fire one job after the other into its cut, at one vendor; judge them when more time has passed."""
    async with Line(several[0].vendor, subjects=len(several)) as line:
        trials = [await _try_cut(line, case, subject) for subject, case in enumerate(several)]
        await asyncio.sleep(AFTERWARDS)
        return [_judge(line, trial) for trial in trials]


async def _try_cut(line: Line, case: Case, subject: int) -> Trial:
    # The HTTP client measures by the machine's clock how long it keeps a connection: here they are kept for ever.
    line.proxy.hang_up()
    await asyncio.sleep(PAUSE)
    if case.kept:
        await line.read()
    kept = len(line.proxy.links)
    await line.proxy.arm(case.cut)
    handle = await line.fire(subject)
    end = await _end_of(handle)
    # Read now: what the next cuts do is not this one's.
    cuts, target = line.proxy.cuts, line.proxy.target
    line.proxy.disarm()
    waited = line.clock.now() - (handle.job.submission.attempted_at or line.clock.now())
    said = (await line.session.store.timeline(handle.id))[0]
    return Trial(case, handle, said, end, waited, cuts, kept, target)


async def _end_of(handle: JobHandle[Any]) -> str:
    try:
        return str((await handle).status)
    except SubmissionUncertainError:
        return "uncertain"
    except JobRejectedError as refused:
        return f"rejected: {refused.code}"
    except JobTimeoutError:
        return "still open at its deadline"


def _judge(line: Line, trial: Trial) -> Report:
    accepted = line.jobs_of(trial.subject)
    phase, outcome = phase_of(trial.case.cut, trial.target), outcome_of(trial.said)
    broken = (
        *_tables_broken(trial, phase, outcome, accepted=accepted > 0),
        *_rules_broken(line, trial, accepted=accepted),
    )
    return Report(trial.case, phase, outcome, accepted > 0, trial.end, broken)


def phase_of(cut: Cut, exchange: Exchange | None) -> Phase:
    """How far the exchange had come, by the bytes that the proxy passed on."""
    if cut.side is Side.CONNECT:
        return Phase.UNREACHABLE if cut.lasting is None else Phase.UNREACHABLE_AT_FIRST
    if cut.side is Side.ACCEPT or exchange is None:
        return Phase.ACCEPTED
    if cut.side is Side.REQUEST:
        if cut.offset >= message_bytes(exchange.request):
            return Phase.REQUEST_SENT
        return Phase.REQUEST_HEAD if cut.offset < head_bytes(exchange.request) else Phase.REQUEST_BODY
    if cut.offset < head_bytes(exchange.response):
        return Phase.ANSWER_HEAD
    if cut.offset < message_bytes(exchange.response):
        return Phase.ANSWER_BODY
    return Phase.UNENDED if cut.hides_length else Phase.COMPLETE


def outcome_of(said: Observation) -> Outcome:
    """What the submission was taken for, by the first observation of its job."""
    if said.status is Status.UNCERTAIN:
        return Outcome.MAYBE
    if isinstance(said, Later):
        return Outcome.NOT_SENT  # it is tried again, which is allowed only then
    if isinstance(said, Seen) and said.failure is not None and said.failure.code == "unreachable":
        return Outcome.NOT_SENT
    return Outcome.ANSWERED


def _tables_broken(trial: Trial, phase: Phase, outcome: Outcome, *, accepted: bool) -> Iterator[str]:
    expected = TABLE[phase][trial.case.cut.manner]
    if expected is not outcome:
        yield f"taken for {outcome.value}, not for {expected.value}"
    if ENDS[outcome, accepted] != trial.end:
        yield f"ended {trial.end}, not {ENDS[outcome, accepted]}"


def _rules_broken(line: Line, trial: Trial, *, accepted: int) -> Iterator[str]:
    mine = [each for each in line.proxy.submissions if trial.subject.encode() in each.request]
    shortest, longest = GIVEN_UP[line.vendor]
    if accepted > 1:
        yield "doubled: the vendor runs the job twice"
    if len(mine) > 1:
        # The vendors refuse equal work that is still under way; it must not come to that.
        yield "doubled: bytes of a second submission left"
    if any(each.position for each in line.proxy.submissions):
        yield "a submission travelled on a used connection"
    if trial.cuts != 1 or bool(trial.kept) != trial.case.kept:
        yield f"not the case that was meant: {trial.cuts} cuts, {trial.kept} connections kept"
    if accepted and not any(each.reached_vendor for each in mine):
        yield "the vendor accepted a request that it cannot have"
    if trial.target is not None and trial.target.response and not accepted:
        yield "the vendor answered a request that it did not accept"
    if trial.end == "uncertain" and not shortest <= trial.waited < longest:
        yield f"given up after {trial.waited}"


# Which cuts


@dataclass(frozen=True)
class Sizes:
    """The bytes of an uncut submission: head and whole of the request, head and whole of the answer."""

    request_head: int
    request: int
    answer_head: int
    answer: int

    def offsets(self, side: Side, step: int) -> list[int]:
        """Every `step`-th number of bytes, and those around each border."""
        head, whole = (self.request_head, self.request) if side is Side.REQUEST else (self.answer_head, self.answer)
        # One more: an RFC has 12 or 13 characters, so messages differ in length; a shorter one is cut at its end.
        borders = {0, 1, head - 1, head, head + 1, whole - 1, whole, whole + 1}
        return sorted(borders | set(range(0, whole + 1, step)))


async def measure(vendor: str) -> Sizes:
    """Submit once without a cut and count."""
    async with Line(vendor, subjects=1) as line:
        await line.fire(0)
        (whole,) = line.proxy.submissions
        sent, got = whole.request, whole.response
        return Sizes(head_bytes(sent), message_bytes(sent), head_bytes(got), message_bytes(got))


def cases(vendor: str, manner: Manner, *, step: int) -> list[Case]:
    """Every cut of one manner, on new and after kept connections."""
    cuts = list(_cuts(run(measure(vendor)), manner, step))
    after_kept = [Case(vendor, cut, kept=True) for cut in cuts if not cut.hides_length]
    return [*(Case(vendor, cut) for cut in cuts), *after_kept]


def _cuts(sizes: Sizes, manner: Manner, step: int) -> Iterator[Cut]:
    if manner in (Manner.RESET, Manner.SILENCE):
        yield Cut(Side.CONNECT, manner)
        yield Cut(Side.CONNECT, manner, lasting=BRIEFLY)
    if manner is not Manner.LATE:
        yield Cut(Side.ACCEPT, manner)
    for offset in sizes.offsets(Side.REQUEST, step):
        yield Cut(Side.REQUEST, manner, offset)
    if manner is Manner.LATE:
        return  # the vendor has the whole request: there is nothing to come late
    for offset in sizes.offsets(Side.RESPONSE, step):
        yield Cut(Side.RESPONSE, manner, offset)
    for offset in sizes.offsets(Side.RESPONSE, step):
        if offset >= sizes.answer_head:
            yield Cut(Side.RESPONSE, manner, offset, hides_length=True)


# Many cuts

# Jobs fired one after the other through one proxy, and how many such lines share a loop: while some are busy, no time
# is spent on making sure that nothing is.
LINE, LINES = 20, 25


def try_all(several: Sequence[Case]) -> list[Report]:
    """Try cases of one vendor on one loop."""
    length = min(LINE, -(-len(several) // LINES))
    return run(_try_all([several[start : start + length] for start in range(0, len(several), length)]))


async def _try_all(lines: Sequence[Sequence[Case]]) -> list[Report]:
    places = asyncio.Semaphore(LINES)

    async def try_one(line: Sequence[Case]) -> list[Report]:
        async with places:
            return await try_line(line)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(try_one(line)) for line in lines]
    return [report for task in tasks for report in task.result()]


def try_everywhere(several: Sequence[Case], processes: int | None = None) -> Iterator[Report]:
    """Try cases in several processes."""
    size = LINE * LINES
    parts = [
        mine[start : start + size]
        for vendor in ("belvo", "syntage")
        if (mine := [case for case in several if case.vendor == vendor])
        for start in range(0, len(mine), size)
    ]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes or os.cpu_count(), mp_context=context, initializer=_hush) as pool:
        for reports in pool.map(try_all, parts):
            yield from reports


def _hush() -> None:
    # Each cut is warned about, as it should be.
    logging.disable(logging.CRITICAL)


def main() -> int:
    """Try the cuts; the exit code says whether every rule held."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.byte_cuts", description=__doc__)
    parser.add_argument("--vendor", choices=("belvo", "syntage", "both"), default="both")
    parser.add_argument("--manner", choices=[each.value for each in Manner], help="this manner only")
    parser.add_argument("--step", type=int, default=1, help="cut after every so many bytes, and at all borders")
    parser.add_argument("--processes", type=int, help="as many as there are processors, if not given")
    asked = parser.parse_args()
    vendors = ("belvo", "syntage") if asked.vendor == "both" else (asked.vendor,)
    manners = [each for each in Manner if asked.manner in (None, each.value)]
    several = [case for vendor in vendors for manner in manners for case in cases(vendor, manner, step=asked.step)]
    return _tell(several, try_everywhere(several, asked.processes))


def _tell(several: Sequence[Case], reports: Iterable[Report]) -> int:
    began = time.perf_counter()
    rows: Counter[tuple[str, ...]] = Counter()
    broken: list[Report] = []
    for count, report in enumerate(reports, start=1):
        rows[report.row] += 1
        if report.broken:
            broken.append(report)
        if count % 1000 == 0:
            print(f"{count} of {len(several)}", file=sys.stderr)
    for row, count in sorted(rows.items()):
        print(f"{count:6}  " + "  ".join(f"{word:{width}}" for word, width in zip(row, WIDTHS, strict=True)))
    for report in broken[:20]:
        print(f"BROKEN {report.case}: {', '.join(report.broken)}")
    classes = Counter(row[3] for row in rows.elements())
    doubled = sum(1 for each in broken if any("doubled" in rule for rule in each.broken))
    spent = time.perf_counter() - began
    counts = ", ".join(f"{name} {count}" for name, count in sorted(classes.items()))
    print(f"{len(several)} cuts in {spent:.1f} s ({len(several) / spent:.0f}/s): {counts}")
    print(f"doubled={doubled} violations={len(broken)}")
    return int(bool(broken))


WIDTHS = (8, 29, 11, 11, 13, 0)

if __name__ == "__main__":
    sys.exit(main())
