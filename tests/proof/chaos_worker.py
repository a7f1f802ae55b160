"""One process of a chaos run: a worker that fires, attaches and awaits, or a receiver of webhooks.

`python -m tests.proof.chaos_worker PLAN NAME NUMBER PORT`: port 0 makes a worker. Standard input is its leash: a line
tells a worker to fire no more and await everything, the end of the input ends the process.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from belvo_async import JobHandle, Session
from belvo_async._tracker import attempts, changes, poller
from belvo_async.errors import JobError, JobTimeoutError, SessionClosedError, StoreError, UnknownJobError
from belvo_async.jobs import Polling
from belvo_async.vendors.belvo import find as belvo_find
from belvo_async.vendors.syntage import find as syntage_find
from belvo_async.web.aiohttp import webhook_routes
from tests.proof.chaos_plan import Event, History, Kind, Plan

T = TypeVar("T")

POLLING = Polling(first=timedelta(seconds=0.5), longest=timedelta(seconds=5))
# How often a worker takes up a job that another one fired.
ATTACHED_SHARE = 0.3
# What the tracker waits for before it believes that a process or a delivery is gone: minutes in earnest.
PATIENCE = (
    (poller, "POLL_EVERY"),
    (poller, "LEASE"),
    (poller, "SEARCHED_FOR"),
    (attempts, "LOST_AFTER"),
    (attempts, "RETAKEN_AFTER"),
    (attempts, "RETAKEN_AFTER_AT_MOST"),
    (changes, "READ_EVERY"),
    (belvo_find, "ADOPTION_SPAN"),
    (syntage_find, "ABANDON_AFTER"),
)


def hasten(factor: float) -> None:
    """Shorten what takes minutes, so that a run of a minute sees it; 1 leaves the times of the release."""
    for room, name in PATIENCE:
        span: timedelta = getattr(room, name)
        setattr(room, name, span / factor)


async def persist(call: Callable[[], Awaitable[T]]) -> T:
    """Repeat a call until the store is back."""
    while True:
        try:
            return await call()
        except StoreError:
            await asyncio.sleep(0.3)


async def open_session(plan: Plan, stack: AsyncExitStack) -> Session:
    """Open a session as soon as the store can be reached."""
    return await persist(lambda: stack.enter_async_context(Session(*plan.vendors(), store=plan.store, polling=POLLING)))


class Worker:
    """Fires its slots, follows its own jobs and many of the others', and notes what it is told."""

    def __init__(self, plan: Plan, session: Session, name: str, number: int) -> None:
        self._plan = plan
        self._session = session
        self._name = name
        self._number = number
        self._history = History(Path(plan.history))
        self._chance = Random(f"{plan.seed}:{name}:{os.getpid()}")
        self._followed: set[str] = set()
        self._heard: set[str] = set()
        self._is_draining = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def drain(self) -> None:
        self._is_draining.set()

    async def run(self) -> None:
        """Work until told to drain; then await every job anybody fired, and end."""
        self._note("start")
        for handle in await persist(self._open_jobs):
            self._follow(handle)
        firing = asyncio.create_task(self._fire_slots())
        while not self._is_draining.is_set():
            self._take_up(job_id for job_id in self._hear() if self._chance.random() < ATTACHED_SHARE)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._is_draining.wait(), 0.3)
        firing.cancel()
        self._take_up(self._heard)
        while self._tasks:
            await asyncio.wait(self._tasks, timeout=0.5)
            self._take_up(self._hear())
        self._note("drained")

    async def _open_jobs(self) -> list[JobHandle[Any]]:
        return [handle async for handle in self._session.open_jobs()]

    async def _fire_slots(self) -> None:
        slot = int((time.monotonic() - self._plan.began) / self._plan.every) + 1
        while True:
            await asyncio.sleep(max(0.0, self._plan.began + slot * self._plan.every - time.monotonic()))
            if self._number in self._plan.workers_of(slot):
                self._spawn(self._fire(slot))
            slot += 1

    async def _fire(self, slot: int) -> None:
        """Fire until it is kept: a store that is down refuses before a byte is sent."""
        while True:
            since = time.monotonic()
            self._note("fire", slot=slot)
            try:
                handle = await self._session.fire(self._plan.task(slot))
            except StoreError:
                self._note("trouble", slot=slot, since=since)
                await asyncio.sleep(0.5)
                continue
            self._note("fired", slot=slot, since=since, job=handle.id, word=_word(handle))
            self._follow(handle)
            return

    def _hear(self) -> list[str]:
        """The jobs others have fired since the last time."""
        told = dict.fromkeys(event.job for event in self._history.news() if event.job)
        fresh = [job_id for job_id in told if job_id not in self._heard]
        self._heard.update(fresh)
        return fresh

    def _take_up(self, job_ids: Iterable[str]) -> None:
        for job_id in job_ids:
            if job_id not in self._followed:
                self._followed.add(job_id)
                self._spawn(self._attach(job_id))

    async def _attach(self, job_id: str) -> None:
        since = time.monotonic()
        try:
            handle = await persist(lambda: self._session.attach(job_id))
        except UnknownJobError:
            self._note("unknown", job=job_id, since=since)
            return
        self._note("attached", job=job_id, since=since, word=_word(handle))
        await self._await(handle)

    def _follow(self, handle: JobHandle[Any]) -> None:
        self._followed.add(handle.id)
        self._spawn(self._await(handle))

    async def _await(self, handle: JobHandle[Any]) -> None:
        since = time.monotonic()
        try:
            await handle
        except JobTimeoutError:
            return
        except JobError:
            pass
        self._note("outcome", job=handle.id, since=since, word=_word(handle))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(_until_closed(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _note(self, kind: Kind, **facts: Any) -> None:
        self._history.note(Event(kind=kind, who=f"{self._name}/{os.getpid()}", at=time.monotonic(), **facts))


async def _until_closed(work: Coroutine[Any, Any, None]) -> None:
    """What a closing session cuts off goes on in another process, or in the next life of this one."""
    with suppress(SessionClosedError):
        await work


def _word(handle: JobHandle[Any]) -> str:
    """What a waiter is told of a job as the handle has it."""
    job = handle.job
    if job.is_open:
        return "open"
    return str(job.status) if job.failure is None else f"{job.status}:{job.failure.code}"


async def receive(session: Session, port: int) -> None:
    """Take webhooks until ended."""
    app = web.Application()
    app.add_routes(webhook_routes(session))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port, reuse_address=True).start()
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


async def hold_leash(on_line: Callable[[], None]) -> None:
    """Obey the parent; without one, end at once."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.readline():
        on_line()
    os._exit(1)


async def main(plan: Plan, name: str, number: int, port: int) -> None:
    """Take part until told to end. SIGTERM closes the session as a service manager would have it."""
    this = asyncio.current_task()
    assert this is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    lines = asyncio.Event()
    leash = asyncio.create_task(hold_leash(lines.set))
    with suppress(asyncio.CancelledError):
        async with AsyncExitStack() as stack:
            session = await open_session(plan, stack)
            if port:
                await receive(session, port)
                return
            worker = Worker(plan, session, name, number)
            ordering = asyncio.create_task(_pass_on(lines, worker))
            await worker.run()
            ordering.cancel()
    leash.cancel()


async def _pass_on(lines: asyncio.Event, worker: Worker) -> None:
    await lines.wait()
    worker.drain()


if __name__ == "__main__":
    _, plan_path, own_name, own_number, own_port = sys.argv
    shared = msgspec.json.decode(Path(plan_path).read_bytes(), type=Plan)
    hasten(shared.haste)
    asyncio.run(main(shared, own_name, int(own_number), int(own_port)))
