"""One run of `scale.py`, in a process of its own; prints what it measured as JSON.

    python benchmarks/scale_side.py VENDOR KEYS PROCESSES JOBS UNDER_WAY LIMITS WRITES SPREAD

So many sessions stand for processes: each has its own HTTP client and tracker, all share one store, one key has as
many of them as another. Each carries out its share of the jobs, of which so many of each key are UNDER_WAY at a time:
fire, await, read the rows. VENDOR is `belvo` or `syntage`, whose simulator there is one of for each key; without
LIMITS (0) it refuses nobody and the sessions do not pace themselves. Webhooks reach any of the sessions. The store
takes so many WRITES a second, one after the other; 0: as many as come. The first jobs begin within SPREAD seconds.
All of it is on one loop whose time jumps, so that what is counted is waiting, and no processor of anybody.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import random
import sys
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import date, datetime
from typing import Any, Self

import msgspec
from aiohttp import web
from jumping_time import JumpingLoop, run

from belvo_async import Belvo, Session, Syntage, belvo, syntage
from belvo_async.abc import Budget
from belvo_async.jobs import Job
from belvo_async.simulator import BelvoSimulator, SyntageSimulator
from belvo_async.stores import MemoryStore

FIRST, LAST = date(2025, 1, 1), date(2025, 12, 31)
Simulator = BelvoSimulator | SyntageSimulator


class SharedStore(MemoryStore):
    """A server: opened once for all, it tells each process what the others wrote, and its writes take turns."""

    def __init__(self, writes_per_second: float, loop: JumpingLoop) -> None:
        super().__init__(finished_limit=10**6)
        self._loop = loop
        self._seconds_of_write = 1 / writes_per_second if writes_per_second else 0.0
        self._free_at = 0.0
        self._listeners: set[asyncio.Queue[str]] = set()
        self._users = 0
        self.written_at: list[datetime] = []
        self.reservations = 0

    async def put(self, job: Job, **options: Any) -> Job | None:
        self.written_at.append(self._loop.now())
        if self._seconds_of_write:
            self._free_at = max(self._free_at, self._loop.time()) + self._seconds_of_write
            await asyncio.sleep(self._free_at - self._loop.time())
        standing = await super().put(job, **options)
        for listener in self._listeners:
            listener.put_nowait(job.id)
        return standing

    async def reserve(self, budget: Budget, now: datetime, *, mark: str | None = None) -> datetime:
        self.reservations += 1
        return await super().reserve(budget, now, mark=mark)

    async def changes(self) -> AsyncIterator[tuple[str, ...]]:
        listener = asyncio.Queue[str]()
        self._listeners.add(listener)
        try:
            while True:
                yield (await listener.get(),)
        finally:
            self._listeners.discard(listener)

    async def __aenter__(self) -> Self:
        self._users += 1
        return await super().__aenter__() if self._users == 1 else self

    async def __aexit__(self, *exc_info: object) -> None:
        self._users -= 1
        if not self._users:
            await super().__aexit__(*exc_info)


class Platform:
    """Simulators, one a key, and sessions on them that share one store."""

    def __init__(self, vendor: str, keys: int, jobs: int, limits: bool, store: SharedStore, loop: JumpingLoop) -> None:
        self._vendor = vendor
        self._loop = loop
        self._limits = limits
        self._chance = random.Random(11)
        self.store = store
        self.vendors: list[Simulator] = [self._simulator(number, -(-jobs // keys)) for number in range(keys)]
        self._sessions: list[list[Session]] = [[] for _ in range(keys)]

    def _simulator(self, number: int, subjects: int) -> Simulator:
        common: dict[str, Any] = {"seed": number + 1, "now": self._loop.now, "limits": self._limits}
        if self._vendor == "belvo":
            return BelvoSimulator(links=subjects, invoices_per_year=2, xml_limit_share=0, **common)
        return SyntageSimulator(entities=subjects, invoices_per_year=2, **common)

    async def open(self, stack: AsyncExitStack, processes: int) -> None:
        for each in self.vendors:
            await stack.enter_async_context(each)
        for number in range(processes):
            key = number % len(self.vendors)
            session = Session(
                self._account(self.vendors[key]), store=self.store, clock=self._loop, chance=random.Random(number),
                connections=256,
            )  # fmt: skip
            self._sessions[key].append(await stack.enter_async_context(session))
        for key, each in enumerate(self.vendors):
            each.webhook_url = await self._receive(stack, key)

    def _account(self, vendor: Simulator) -> Belvo | Syntage:
        if isinstance(vendor, SyntageSimulator):
            return Syntage(vendor.api_key, base_url=vendor.url, webhook_secrets=(vendor.signing_secret,))
        return Belvo(
            vendor.secret_id, vendor.secret_password, base_url=vendor.url,
            webhook_authorization=vendor.webhook_authorization, budget=self._limits,
        )  # fmt: skip

    async def _receive(self, stack: AsyncExitStack, key: int) -> str:
        """An address at which any of a key's sessions takes the next delivery, as behind a balancer."""

        async def take(request: web.Request) -> web.Response:
            session = self._chance.choice(self._sessions[key])
            return web.Response(status=await session.receive(self._vendor, request.headers, await request.read()))

        app = web.Application()
        app.router.add_post("/hook", take)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}/hook"

    async def carry_out(self, jobs: int, under_way: int, spread_seconds: int) -> None:
        """All jobs, each subject's by whichever process of its key is free."""
        async with asyncio.TaskGroup() as workers:
            for vendor, sessions in zip(self.vendors, self._sessions, strict=True):
                rest = iter(self._tasks(vendor, jobs // len(self.vendors)))
                for number, session in zip(range(under_way), itertools.cycle(sessions), strict=False):
                    workers.create_task(work(session, rest, after=number / under_way * spread_seconds))

    def _tasks(self, vendor: Simulator, count: int) -> Iterator[Any]:
        if isinstance(vendor, BelvoSimulator):
            for link in vendor.links[:count]:
                yield belvo.Invoices(link=link, date_from=FIRST, date_to=LAST, type="INFLOW")
        else:
            for entity in vendor.entities[:count]:
                yield syntage.Extraction(entity, "tax_status")


async def work(session: Session, rest: Iterator[Any], *, after: float) -> None:
    await asyncio.sleep(after)
    for task in rest:
        handle = await session.fire(task)
        await handle
        await handle.results().to_list()


def told(platform: Platform) -> dict[str, float]:
    """Counts up to the last POST, of all and of what is late: all that came after half of the POSTs.

    Until then everybody had something to do; half on, nobody begins any more, and the sessions have learned how long
    jobs take.
    """
    requests = [each for vendor in platform.vendors for each in vendor.requests]
    posts = sorted(each.at for each in requests if each.method == "POST" and each.status not in (403, 429))
    first, middle, last = posts[0], posts[len(posts) // 2], posts[-1]

    def late(instants: Iterable[datetime]) -> int:
        return sum(middle < each <= last for each in instants)

    return {
        "seconds": (last - first).total_seconds(),
        "jobs": len(posts),
        "requests": sum(each.at <= last for each in requests),
        "refused": sum(each.status in (403, 429) for each in requests),
        "late_seconds": (last - middle).total_seconds(),
        "late_jobs": late(posts),
        "late_requests": late(each.at for each in requests),
        "late_writes": late(platform.store.written_at),
        "reservations": platform.store.reservations,
    }


async def main(arguments: Sequence[str]) -> dict[str, float]:
    vendor, (keys, processes, jobs, under_way, limits, writes, spread) = arguments[0], map(int, arguments[1:])
    loop = asyncio.get_running_loop()
    assert isinstance(loop, JumpingLoop)
    platform = Platform(vendor, keys, jobs, bool(limits), SharedStore(writes, loop), loop)
    async with AsyncExitStack() as stack:
        await platform.open(stack, processes)
        await platform.carry_out(jobs, under_way, spread)
        return told(platform)


if __name__ == "__main__":
    logging.getLogger("belvo_async").setLevel(logging.ERROR)
    print(msgspec.json.encode(run(main(sys.argv[1:]))).decode())
