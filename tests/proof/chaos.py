"""A real server killed, frozen and restarted under load, and the processes that share it: nothing lost, all agree.

    python -m tests.proof.chaos --server postgres --seconds 300 --seed 1

Both vendors are simulated here; workers and receivers are processes of their own; a nemesis torments them. When the
time is over everything is mended, every worker awaits every job of the run, and the history is judged.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import socket
import sys
import tempfile
import time
from collections import Counter
from contextlib import AsyncExitStack, suppress
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from belvo_async.jobs import Job, normal_id
from belvo_async.simulator import BelvoSimulator, Faults, SyntageSimulator
from belvo_async.stores import open_store
from tests.proof import servers
from tests.proof.chaos_history import Report, Run, Toll, examine
from tests.proof.chaos_plan import History, Plan

RECEIVERS = 2
START_SECONDS = 3.0
FAULTS = Faults(webhook_duplicated=0.1, webhook_reordered=0.1, webhook_early=0.1, lost_202=0.02)
# A Belvo job takes 2 to 9 seconds then, and its webhook is tried for 18; a Syntage job 1 to 5, and 3.
BELVO_SPEED, SYNTAGE_SPEED = 10.0, 60.0


class Child:
    """A worker or a receiver, started again after each death."""

    def __init__(self, name: str, plan: Path, number: int, port: int = 0) -> None:
        self.name = name
        self._arguments = (str(plan), name, str(number), str(port))
        self._trouble = plan.with_name(f"{name}.log")
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        command = (sys.executable, "-m", "tests.proof.chaos_worker", *self._arguments)
        with self._trouble.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.PIPE, stderr=log)

    def signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    def drain(self) -> None:
        """Tell it to fire no more and to await everything."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(b"drain\n")

    async def ended(self) -> int:
        assert self._process is not None
        return await self._process.wait()

    async def kill(self) -> None:
        if self._process is not None:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGKILL)
            await self._process.wait()

    def complaints(self) -> str:
        """Errors nobody caught, of all its lives: the first, with what stands around it."""
        text = self._trouble.read_text() if self._trouble.exists() else ""
        place = min((text.index(word) for word in ("Traceback", "a tracker task ended") if word in text), default=None)
        return "" if place is None else text[max(0, place - 500) : place + 2000]


class Nemesis:
    """Does one bad thing after the other, and mends each before the next."""

    def __init__(self, server: servers.Server, workers: list[Child], receivers: list[Child], chance: Random) -> None:
        self._server = server
        self._workers = workers
        self._receivers = receivers
        self._chance = chance
        self.deeds: Counter[str] = Counter()

    async def rage(self, seconds: float) -> None:
        """Go on for so long."""
        until = time.monotonic() + seconds
        deeds = (self._kill_server, self._freeze_server, self._kill_worker, self._freeze_worker, self._end_worker)
        bag = [*deeds, self._kill_server, self._kill_worker, self._kill_receiver]
        turn: list[int] = []
        while time.monotonic() < until:
            # Every deed has its turn before one comes again: short runs see them all.
            turn = turn or self._chance.sample(range(len(bag)), len(bag))
            await bag[turn.pop()]()
            await asyncio.sleep(self._chance.uniform(0.2, 1.5))

    async def _kill_server(self) -> None:
        self.deeds["kills"] += 1
        await asyncio.to_thread(self._server.kill)
        await asyncio.sleep(self._chance.uniform(0, 2.5))
        await asyncio.to_thread(self._server.start)

    async def _freeze_server(self) -> None:
        self.deeds["pauses"] += 1
        self._server.freeze()
        await asyncio.sleep(self._chance.uniform(1, 7))
        self._server.thaw()

    async def _kill_worker(self) -> None:
        self.deeds["worker_kills"] += 1
        await self._replace(self._chance.choice(self._workers), signal.SIGKILL)

    async def _end_worker(self) -> None:
        """As a service manager does: SIGTERM, and patience."""
        self.deeds["worker_ends"] += 1
        await self._replace(self._chance.choice(self._workers), signal.SIGTERM)

    async def _kill_receiver(self) -> None:
        self.deeds["receiver_kills"] += 1
        await self._replace(self._chance.choice(self._receivers), signal.SIGKILL)

    async def _freeze_worker(self) -> None:
        self.deeds["worker_pauses"] += 1
        worker = self._chance.choice(self._workers)
        worker.signal(signal.SIGSTOP)
        await asyncio.sleep(self._chance.uniform(1, 5))
        worker.signal(signal.SIGCONT)

    async def _replace(self, child: Child, number: signal.Signals) -> None:
        child.signal(number)
        await child.ended()
        await asyncio.sleep(self._chance.uniform(0, 1))
        await child.start()


class Options(msgspec.Struct, kw_only=True):
    """What a run is made of."""

    server: str
    seconds: float
    seed: int
    workers: int
    every: float
    haste: float
    drain: float
    show: bool


async def run(options: Options, server: servers.Server, room: Path) -> tuple[Toll, str]:
    """Make one run on a started server; what was found, and a line about it."""
    common: dict[str, Any] = {"seed": options.seed, "faults": FAULTS, "invoices_per_year": 12, "limits": False}
    async with (
        BelvoSimulator(speed=BELVO_SPEED, links=16, **common) as belvo,
        SyntageSimulator(speed=SYNTAGE_SPEED, entities=8, rate_limit=100_000, **common) as syntage,
        AsyncExitStack() as stack,
    ):
        path, history = room / "plan", History(room / "history")
        stack.callback(history.close)
        path.write_bytes(msgspec.json.encode(_plan(options, server.url, room / "history", belvo, syntage)))
        ports = [_free_port() for _ in range(RECEIVERS)]
        belvo.webhook_url = f"http://127.0.0.1:{ports[0]}/webhooks/belvo"
        syntage.webhook_url = f"http://127.0.0.1:{ports[1]}/webhooks/syntage"
        workers = [Child(f"worker-{number}", path, number) for number in range(options.workers)]
        receivers = [Child(f"receiver-{number}", path, number, port) for number, port in enumerate(ports)]
        for child in (*receivers, *workers):
            stack.push_async_callback(child.kill)
            await child.start()
        failing = asyncio.create_task(_let_some_fail(syntage, Random(options.seed)))
        stack.callback(failing.cancel)
        await asyncio.sleep(START_SECONDS)
        nemesis = Nemesis(server, workers, receivers, Random(options.seed))
        await nemesis.rage(options.seconds)
        failing.cancel()

        drained = await _drain(workers, options.drain)
        posts = (seen for seen in (*belvo.requests, *syntage.requests) if seen.method == "POST")
        report = Report(
            events=history.news(),
            jobs=await _read_jobs(server),
            runs=[*_belvo_runs(belvo), *_syntage_runs(syntage)],
            told=_told(belvo, syntage),
            refused=sum((seen.status or 0) in range(400, 500) for seen in posts),
        )
        toll = examine(report)
        if sum(event.kind == "drained" for event in report.events) < options.workers:
            toll.unfinished.append(f"not every worker had all outcomes after {options.drain:.0f} s")
        toll.unfinished += [
            f"{child.name} complained: {words}" for child in (*workers, *receivers) if (words := child.complaints())
        ]
    for job in report.jobs:
        if options.show and (job.is_open or job.abandoned):
            print(job)
    ends = Counter("uncertain" if job.abandoned else str(job.status) for job in report.jobs)
    facts = {f"jobs_{name}": count for name, count in sorted(ends.items())} | dict(sorted(nemesis.deeds.items()))
    return toll, f"{options.server}: {_line(toll, facts | {'drained_in_seconds': round(drained)})}"


def _plan(options: Options, store: str, history: Path, belvo: BelvoSimulator, syntage: SyntageSimulator) -> Plan:
    return Plan(
        store=store,
        history=str(history),
        seed=options.seed,
        workers=options.workers,
        began=time.monotonic() + START_SECONDS,
        every=options.every,
        haste=options.haste,
        belvo_url=belvo.url,
        belvo_secret_id=belvo.secret_id,
        belvo_secret_password=belvo.secret_password,
        belvo_authorization=belvo.webhook_authorization,
        links=belvo.links,
        syntage_url=syntage.url,
        syntage_key=syntage.api_key,
        syntage_secret=syntage.signing_secret,
        entities=syntage.entities,
    )


async def _drain(workers: list[Child], seconds: float) -> float:
    """Let every worker await every job; how long the last one took."""
    began = time.monotonic()
    for worker in workers:
        worker.drain()
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.gather(*(worker.ended() for worker in workers))
    return time.monotonic() - began


def _line(toll: Toll, facts: dict[str, int]) -> str:
    wrongs = {name: len(getattr(toll, name)) for name in ("doubled", "lost", "disagreements", "unfinished")}
    first = {"jobs": toll.jobs, "outcomes": toll.outcomes, "equal": toll.equal}
    words = first | facts | {"uncertain": toll.uncertain, "inferred": toll.inferred} | wrongs
    return " ".join(f"{name}={count}" for name, count in words.items())


async def _let_some_fail(syntage: SyntageSimulator, chance: Random) -> None:
    """So that there is more than one outcome to agree on.

    Belvo's jobs all finish: one that failed, and whose webhook met nobody in all its tries, rightly stays open until
    its deadline, and its lane with it.
    """
    while True:
        await asyncio.sleep(chance.uniform(0.5, 2))
        syntage.next_job(outcome="failed")


async def _read_jobs(server: servers.Server) -> list[Job]:
    """Every job of the store, found in its tables and not through what this project believes to be there."""
    async with open_store(server.url) as store:
        jobs = [await store.get(job_id) for job_id in sorted(server.job_ids())]
    return [job for job in jobs if job is not None]


def _belvo_runs(belvo: BelvoSimulator) -> list[Run]:
    return [
        Run(
            "belvo",
            request_id,
            job.link.id,
            str(job.body["date_from"]),
            job.created_at.timestamp(),
            _seconds(job.finished_at),
            job.state,
        )
        for request_id, job in belvo.jobs.items()
    ]


def _syntage_runs(syntage: SyntageSimulator) -> list[Run]:
    runs: list[Run] = []
    for number, job in syntage.jobs.items():
        period = job.requested["period"]
        assert isinstance(period, dict)
        times = job.created_at.timestamp(), _seconds(job.finished_at)
        runs.append(Run("syntage", number, job.entity.iri, str(period["from"])[:10], *times, job.status))
    return runs


def _seconds(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()


def _told(belvo: BelvoSimulator, syntage: SyntageSimulator) -> set[str]:
    """Ids at the vendor of jobs whose end was announced and accepted."""
    ids: set[str] = set()
    for delivery in (*belvo.deliveries, *syntage.deliveries):
        if not 200 <= delivery.status < 300:
            continue
        body = msgspec.json.decode(delivery.body)
        if "request_id" in body:
            ids.add(normal_id(body["request_id"]))
        elif body["data"]["object"]["status"] in ("finished", "failed"):
            ids.add(normal_id(body["data"]["object"]["id"]))
    return ids


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _main(options: Options) -> int:
    this = asyncio.current_task()
    assert this is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    with servers.running(options.server) as server, tempfile.TemporaryDirectory(prefix="belvo_async_chaos_") as room:
        toll, line = await run(options, server, Path(room))
    for each in toll.wrongs[:20]:
        print(each)
    print(line)
    return 1 if toll.wrongs else 0


def main() -> int:
    parser = argparse.ArgumentParser(description="Torment a database server and the workers that share it.")
    parser.add_argument("--server", choices=sorted(servers.KINDS), required=True)
    parser.add_argument("--seconds", type=float, default=60, help="how long the nemesis rages")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--every", type=float, default=0.25, help="seconds between two tasks")
    parser.add_argument("--haste", type=float, default=30, help="what takes minutes is divided by this")
    parser.add_argument("--drain", type=float, default=120, help="seconds for the last outcome once all is mended")
    parser.add_argument("--show", action="store_true", help="print the jobs that are open or given up in the end")
    return asyncio.run(_main(Options(**vars(parser.parse_args()))))


if __name__ == "__main__":
    raise SystemExit(main())
