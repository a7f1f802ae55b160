"""Real processes on one store: webhooks reach one, another polls the jobs, a third awaits them."""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from belvo_async.simulator import BelvoSimulator, SyntageSimulator
from tests.variables import variables_of

pytestmark = pytest.mark.proof

ROOT = Path(__file__).parents[2]
SPEED = 20.0
# Long enough for the other processes to start and to poll a few times.
LONG = timedelta(seconds=8 * SPEED)
# Longer than two processes that are started together may differ.
LEASE_SECONDS = 5.0
# Half of what the whole may take.
PATIENCE_SECONDS = 30.0


@dataclass
class Process:
    """A process and every line it told."""

    process: asyncio.subprocess.Process
    told: list[dict[str, Any]] = field(default_factory=list)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            async with self.news:
                self.told.append(msgspec.json.decode(line))
                self.news.notify_all()

    def order(self, **words: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(msgspec.json.encode(words) + b"\n")

    async def hear(self, name: str, count: int = 1) -> list[dict[str, Any]]:
        """Wait until so many lines with a name were told, and give all of them."""
        async with asyncio.timeout(PATIENCE_SECONDS), self.news:
            await self.news.wait_for(lambda: len(self.all_of(name)) >= count)
        return self.all_of(name)

    def all_of(self, name: str) -> list[dict[str, Any]]:
        return [each for each in self.told if name in each]

    async def fire(self, vendor: str, *subjects: str) -> list[str]:
        """Fire one job for each subject; the ids fired so far."""
        before = len(self.all_of("fired"))
        for subject in subjects:
            self.order(fire=vendor, subject=subject)
        return [each["fired"] for each in (await self.hear("fired", before + len(subjects)))[before:]]

    async def outcomes(self, ids: list[str]) -> dict[str, Any]:
        """Wait for the ends of jobs asked for by `await`."""
        return {each["ended"]: each["outcome"] for each in await self.hear("ended", len(ids))}


@dataclass
class Town:
    """Two vendors in this process, and the processes on one store."""

    belvo: BelvoSimulator
    syntage: SyntageSimulator
    environ: dict[str, str]
    stack: AsyncExitStack

    async def start(self, *options: str, module: str = "tests.proof.fellow") -> Process:
        """Start a fellow; it is ready when this returns."""
        fellow = Process(await self._run(module, *options))
        reading = asyncio.create_task(fellow.read())
        self.stack.push_async_callback(_end, fellow.process, reading)
        await fellow.hear("ready")
        return fellow

    async def serve(self) -> asyncio.subprocess.Process:
        """Start a receiver that polls nothing, and send both vendors' webhooks there."""
        receiver = await self._run("belvo_async", "serve", "--port", "0", "--no-poll")
        self.stack.push_async_callback(_end, receiver)
        assert receiver.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            url = (await receiver.stdout.readline()).decode().split()[-1]
        self.belvo.webhook_url, self.syntage.webhook_url = f"{url}/webhooks/belvo", f"{url}/webhooks/syntage"
        return receiver

    async def _run(self, module: str, *options: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, *options,
            cwd=ROOT, env=self.environ, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip


async def _end(process: asyncio.subprocess.Process, reading: asyncio.Task[None] | None = None) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()
    if reading is not None:
        await reading


@asynccontextmanager
async def town(store: str) -> AsyncIterator[Town]:
    async with (
        asyncio.timeout(2 * PATIENCE_SECONDS),
        BelvoSimulator(speed=SPEED) as belvo,
        SyntageSimulator(speed=SPEED) as syntage,
        AsyncExitStack() as stack,
    ):
        environ = os.environ | variables_of(belvo, syntage) | {"BELVO_ASYNC_STORE": store}
        yield Town(belvo, syntage, environ, stack)


def polls(process: Process) -> list[tuple[str, float, float]]:
    """Every poll of a process as job, beginning and end; for ever, when its end was not told."""
    begun: dict[str, list[float]] = {}
    spans: list[tuple[str, float, float]] = []
    for told in process.told:
        for job_id in told.get("polls", ()):
            begun.setdefault(job_id, []).append(told["at"])
        for job_id in told.get("polled", ()):
            spans.append((job_id, begun[job_id].pop(0), told["at"]))
    return spans + [(job_id, at, float("inf")) for job_id, starts in begun.items() for at in starts]


def shared_polls(*processes: Process) -> list[str]:
    """Jobs that were polled twice in the same moment."""
    spans = sorted(span for process in processes for span in polls(process))
    return [one[0] for one, other in itertools.pairwise(spans) if one[0] == other[0] and other[1] < one[2]]


def in_real_time(scenario: Callable[[str], Awaitable[None]]) -> Callable[[str], None]:
    """Run a test on a loop of its own with the machine's clock: processes live by no other."""

    def test(store: str) -> None:
        asyncio.run(scenario(store))  # type: ignore[arg-type]

    test.__name__, test.__doc__ = scenario.__name__, scenario.__doc__
    return test


@in_real_time
async def test_received_in_one_polled_in_another_awaited_in_a_third(store: str) -> None:
    """Whoever awaits wakes with the one outcome; no job is ever polled by two processes at once."""
    async with town(store) as place:
        receiver = await place.serve()
        awaiting = await place.start()
        for vendor in (place.belvo, place.syntage):
            for _ in range(3):
                vendor.next_job(duration=LONG)
        ids = await awaiting.fire("belvo", *place.belvo.links[:3])
        ids += await awaiting.fire("syntage", *place.syntage.entities[:3])
        everybody = [awaiting, *await asyncio.gather(place.start("--sweep"), place.start("--sweep"))]
        for process in everybody:
            for job_id in ids:
                process.order(**{"await": job_id})

        outcomes = [await process.outcomes(ids) for process in everybody]

        assert sorted(ids) == sorted(outcomes[0])
        assert [outcomes[0]] * 3 == outcomes
        assert {"finished"} == {outcome[0] for outcome in outcomes[0].values()}
        # A poll may see the end in the moment between the vendor's deciding and its telling; of Belvo's none can.
        assert ["webhook"] * 3 == [outcomes[0][job_id][1] for job_id in ids[:3]]
        assert {200} == {each.status for each in (*place.belvo.deliveries, *place.syntage.deliveries)}
        assert [] == awaiting.all_of("polls")
        assert set(ids[3:]) <= {job_id for process in everybody for job_id, _, _ in polls(process)}
        assert [] == shared_polls(*everybody)
        receiver.terminate()
        assert 0 == await receiver.wait()


@in_real_time
async def test_another_process_takes_over_from_a_killed_one(store: str) -> None:
    """What a process held when it was killed is polled by another once its lease is over, not before."""
    async with town(store) as place:
        awaiting = await place.start()
        (job_id,) = await awaiting.fire("syntage", place.syntage.entities[0])
        awaiting.order(**{"await": job_id})
        place.syntage.next_answer("timeout", method="GET")
        sweeping = ("--sweep", "--lease", str(LEASE_SECONDS))
        pair = await asyncio.gather(place.start(*sweeping), place.start(*sweeping))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (any(map(polls, pair)) and place.syntage.requests[-1].fault):  # noqa: ASYNC110 - it has no event
                await asyncio.sleep(0.02)
        held, heir = sorted(pair, key=polls, reverse=True)
        assert [] == polls(heir)
        held.process.kill()

        outcomes = await awaiting.outcomes([job_id])

        assert ("finished", "poll") == tuple(outcomes[job_id][:2])
        (claimed,) = polls(held)
        taken_over = polls(heir)[0]
        assert (job_id, job_id) == (claimed[0], taken_over[0])
        # The lease begins when the job is claimed, a moment before the poll is.
        assert LEASE_SECONDS - 1 < taken_over[1] - claimed[1]
