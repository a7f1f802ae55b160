"""Plans carried out while everything goes wrong: vendors fail, webhooks get lost, runs are broken off, sessions close.

One seed is one history: what fails, in which order tasks run, when runs are broken off, whether two sessions carry the
same plan out at once.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from datetime import date
from typing import Any, Self

from aiohttp import web

from belvo_async import Session, SessionClosedError, SinkError, StoreError
from belvo_async._session.extraction.subject_state import STUCK_LIMIT
from belvo_async.abc import OpenPart, PartKey
from belvo_async.planning import Cell, Coverage, Known, Plan
from belvo_async.simulator import BelvoSimulator, Faults, SyntageSimulator
from tests.kept_sink import KeptSink
from tests.session.world import World
from tests.troubled_store import TroubledStore
from tests.virtual_time import VirtualClock

FIRST, LAST = date(2024, 4, 7), date(2026, 2, 11)
LIVES = 6
# What makes jobs fail.
_SYNTAGE = ("login_failed", "sat_unavailable", "unrecoverable")
_BELVO = ("institution_down", "institution_unavailable", "session_expired")
# What no later run makes good by itself, told by its code.
FOR_A_PERSON = {"inferred", "uncertain", "abandoned", "unconfirmed", "session_expired", *_SYNTAGE}


class StormStore(TroubledStore):
    """What several processes share, and what outlives them: some calls fail, or their answers get lost."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self.chance = chance
        # By how many calls one fails, and of how many answers one gets lost.
        self.failing = self.losing = 0.0
        self.is_open = False

    async def before(self, name: str) -> None:
        await super().before(name)
        if self.chance.random() < self.failing:
            raise StoreError("the store did not take this")

    async def after(self, name: str) -> None:
        await super().after(name)
        if self.chance.random() < self.losing and not name.endswith("_jobs"):
            raise StoreError("the store's answer got lost", maybe_done=True)

    async def __aenter__(self) -> Self:
        # It outlives its sessions.
        if not self.is_open:
            self.is_open = True
            await super().__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Stays open."""


class StormSink(KeptSink):
    """A sink whose disk is full now and then."""

    def __init__(self, name: str, chance: random.Random) -> None:
        super().__init__(name)
        self.chance, self.failing, self.open_parts = chance, 0.0, 0

    @asynccontextmanager
    async def part(self, key: PartKey) -> AsyncIterator[OpenPart]:
        self.open_parts += 1
        try:
            async with super().part(key) as part:
                await asyncio.sleep(self.chance.expovariate(2))
                yield part
                if self.chance.random() < self.failing:
                    raise SinkError("no space left", path=key.job)
        finally:
            self.open_parts -= 1


class Storm:
    """One history, by its seed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.store = StormStore(random.Random(seed + 1))
        self.sinks = [StormSink(f"kept:{place}", self.chance) for place in range(2)]
        self.sessions: list[Session] = []
        self.errors = Counter[str]()

    def faults(self) -> Faults:
        kinds = {
            "webhook_duplicated": 0.1,
            "webhook_reordered": 0.1,
            "webhook_early": 0.1,
            "rate_limited": 0.05,
            "html_403": 0.03,
            "server_error": 0.05,
            "slow": 0.1,
            "cut_body": 0.1,
            "lost_202": 0.05,
            "webhook_dropped": 0.05,
        }
        return Faults(**{kind: share for kind, share in kinds.items() if self.chance.random() < 0.5})

    @asynccontextmanager
    async def world(self) -> AsyncIterator[World]:
        clock = VirtualClock(asyncio.get_running_loop())
        seed = self.chance.randrange(1 << 30)
        # A fault of each kind is drawn from the simulator's own seed.
        async with (
            BelvoSimulator(
                now=clock.now, seed=seed, faults=self.faults(), links=3, invoices_per_year=40, page_size_default=20
            ) as belvo,
            SyntageSimulator(now=clock.now, seed=seed, faults=self.faults(), entities=3, invoices_per_year=40) as syn,
            AsyncExitStack() as stack,
        ):
            world = World(belvo, syn, clock, stack)
            app = web.Application()
            app.router.add_post("/{vendor}", self._receive)
            world.deliver_to(await world.serve(app))
            self._spoil(world)
            yield world

    async def _receive(self, request: web.Request) -> web.Response:
        body, headers = await request.read(), list(request.headers.items())
        if not self.sessions:
            return web.Response(status=503)
        session = self.chance.choice(self.sessions)
        try:
            return web.Response(status=await session.receive(request.match_info["vendor"], headers, body))
        except SessionClosedError:
            return web.Response(status=503)

    def _spoil(self, world: World) -> None:
        # The tax office's limits hold until midnight: a day that costs a minute to simulate.
        words = [*_SYNTAGE, "rate_limited"] if self.chance.random() < 0.2 else _SYNTAGE
        for _ in range(self.chance.randrange(6)):
            word, entity = self.chance.choice(words), self.chance.choice(world.syntage.entities)
            if word == "rate_limited":
                world.syntage.next_job(entity=entity, outcome="rate_limited")
            else:
                world.syntage.next_job(entity=entity, outcome="failed", error_code=word)
        for _ in range(self.chance.randrange(6)):
            link, code = self.chance.choice(world.belvo.links), self.chance.choice(_BELVO)
            world.belvo.next_job(link=link, outcome="failed", error_code=code)

    def plans(self, world: World) -> list[Plan]:
        belvo = Plan(vendor="belvo", resource="INVOICES", subjects=world.belvo.links, first=FIRST, last=LAST)
        syntage = Plan(vendor="syntage", resource="invoice", subjects=world.syntage.entities, first=FIRST, last=LAST)
        return [belvo, syntage]

    @asynccontextmanager
    async def session(self, world: World) -> AsyncIterator[Session]:
        chance = random.Random(self.chance.random())
        vendors = world.belvo_vendor(), world.syntage_vendor()
        async with Session(*vendors, clock=world.clock, store=self.store, chance=chance) as session:
            self.sessions.append(session)
            try:
                yield session
            finally:
                self.sessions.remove(session)

    async def live(self, world: World) -> None:
        """One life of one or two processes: each carries some plans out, and is broken off."""
        self.store.failing, self.store.losing = (self.chance.choice((0.0, 0.0, 0.01)) for _ in range(2))
        for sink in self.sinks:
            sink.failing = self.chance.choice((0.0, 0.0, 0.3))
        async with AsyncExitStack() as stack:
            works: list[Any] = []
            for sink in self.sinks[: self.chance.choice((1, 1, 2))]:
                session = await stack.enter_async_context(self.session(world))
                works += (self._run_a_while(session, plan, sink) for plan in self.plans(world))
            tasks = [asyncio.create_task(work) for work in works]
            if self.chance.random() < 0.5:
                # The session closes under its runs.
                await asyncio.sleep(self.chance.expovariate(1 / 600))
                await stack.aclose()
            for result in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(result, BaseException):
                    self.errors[type(result).__name__] += 1
                    if not isinstance(result, SessionClosedError | StoreError | SinkError):
                        raise result
        assert not any(sink.open_parts for sink in self.sinks)

    async def _run_a_while(self, session: Session, plan: Plan, sink: KeptSink) -> None:
        run = await session.extract(plan, into=sink, concurrency=self.chance.choice((1, 2, 500)))
        left, patience = self.chance.randrange(60), self.chance.expovariate(1 / 3600)
        async with aclosing(aiter(run)) as events:
            with suppress(StopAsyncIteration, TimeoutError):
                async with asyncio.timeout(patience):
                    while left > 0:
                        await anext(events)
                        left -= 1

    async def finish(self, world: World) -> list[Coverage]:
        coverages: list[Coverage] = []
        self.store.failing = self.store.losing = 0.0
        for sink in self.sinks:
            sink.failing = 0.0
        async with self.session(world) as session:
            for plan in self.plans(world):
                for sink in self.sinks:
                    for _ in range(3):
                        run = await session.extract(plan, into=sink)
                        async for _progress in run:
                            pass
                        if not run.outcome.stuck:
                            break
                    assert not run.outcome.unwritten, run.outcome
                certificate = await session.certificate(plan, into=self.sinks[0])
                assert not certificate.unreceipted
                coverages.append(await session.coverage(plan))
        return coverages

    def check(self, world: World, coverages: Sequence[Coverage]) -> dict[str, Any]:
        belvo, syntage = self.plans(world)
        twice = [what for what, times in (paid_by_belvo(world) + paid_by_syntage(world)).items() if times > 1]
        assert not twice, sorted(twice, key=str)[:3]
        for coverage in coverages:
            codes = {cell.code for _, cells in coverage.by_subject() for cell in left_of(cells)}
            assert codes <= FOR_A_PERSON, codes
        wanted = {"period": {"from": FIRST.isoformat(), "to": LAST.isoformat()}}
        held = Counter(row["id"] for link in belvo.subjects for row in world.belvo.invoices(link, FIRST, LAST))
        held += Counter(row["uuid"] for each in syntage.subjects for row in world.syntage.invoices(each, wanted))
        is_whole = all(coverage.is_whole for coverage in coverages)
        for sink in self.sinks:
            rows = Counter(getattr(row, "uuid", None) or row.id for row in sink.rows)
            assert max(rows.values(), default=0) <= 1, "a row is there twice"
            assert not rows - held, "a row that nobody wanted"
            if is_whole:
                assert rows == held, f"rows are missing: {len(held - rows)} of {len(held)}"
        return {"whole": is_whole, "jobs": len(world.belvo.jobs) + len(world.syntage.jobs), "errors": dict(self.errors)}


def left_of(cells: Sequence[Cell]) -> Iterator[Cell]:
    """What is not proven of a subject; nothing of one of which two requests came to nothing, and nobody tells."""
    open_jobs = {cell.job for cell in cells if cell.code == "pending"}
    return (cell for cell in cells if cell.known is not Known.PROVEN and len(open_jobs) < STUCK_LIMIT)


def paid_by_belvo(world: World) -> Counter[Any]:
    paid = Counter[Any]()
    for job in world.belvo.jobs.values():
        if job.state == "finished":
            first, last = (date.fromisoformat(str(job.body[each])) for each in ("date_from", "date_to"))
            paid.update((job.link.id, job.body["type"], day) for day in range(first.toordinal(), last.toordinal() + 1))
    return paid


def paid_by_syntage(world: World) -> Counter[Any]:
    paid = Counter[Any]()
    for job in world.syntage.jobs.values():
        if job.status == "finished" and job.rate_limited_at is None:
            period: Any = job.options["period"]
            first, last = (date.fromisoformat(str(period[each])[:10]) for each in ("from", "to"))
            sides = [side for side in ("issued", "received") if job.options[side]]
            days = range(first.toordinal(), last.toordinal() + 1)
            paid.update((job.entity.id, side, day) for side in sides for day in days)
    return paid


async def weather(seed: int) -> dict[str, Any]:
    """Live one history to its end, and hold it against what the vendors did and hold."""
    storm = Storm(seed)
    async with storm.world() as world:
        for _ in range(storm.chance.randrange(1, LIVES)):
            await storm.live(world)
            await asyncio.sleep(storm.chance.expovariate(1 / 60))
        coverages = await storm.finish(world)
        report = storm.check(world, coverages)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    assert not left, left
    return report
