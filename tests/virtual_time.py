"""An event loop whose time jumps forward when nothing else can happen.

Real loopback sockets keep working: before every jump the selector is asked for real readiness first. Time is a number
we own, so an hour of polling takes milliseconds and no test sleeps. With a `seed`, the order in which ready tasks run
is shuffled: asyncio promises no order between independent tasks, so correct code passes under every seed.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import os
import random
import select
import selectors
import threading
import time
from asyncio import selector_events
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

EPOCH = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
# A loop with nothing ready, nothing scheduled and no worker thread alive can never go on. Bytes in flight on loopback
# arrive within microseconds; this is how long (real time) we look for them before calling it a deadlock.
DEADLOCK_SECONDS = 5.0
# Real time granted to the kernel and to worker threads before a jump: a few times after a socket was last touched, and
# then no more, since nothing can be in flight; always, where threads are at work that nobody here knows.
GRACE_SECONDS = 0.0005
GRACES = 3
# On a machine that is overloaded, the kernel itself may be late with what was written on loopback.
LATE_GRACE_SECONDS = 0.005


class DeadlockError(RuntimeError):
    """Every coroutine waits and no timer will ever wake one."""


class _VirtualSelector(selectors.DefaultSelector):  # type: ignore[valid-type, misc]
    def __init__(self) -> None:
        super().__init__()
        self.virtual_seconds = 0.0
        self._graces = 0
        self._old_threads = set(threading.enumerate())

    def stir(self) -> None:
        """Note that something may be in flight."""
        self._graces = GRACES

    def register(self, *arguments: Any) -> Any:
        self.stir()
        return super().register(*arguments)

    def modify(self, *arguments: Any) -> Any:
        self.stir()
        return super().modify(*arguments)

    def unregister(self, *arguments: Any) -> Any:
        self.stir()
        return super().unregister(*arguments)

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if timeout is None:
            ready = ready or super().select(DEADLOCK_SECONDS)
            if not ready:
                raise DeadlockError("nothing is ready, nothing is scheduled: every coroutine waits for ever")
        elif timeout > 0 and not ready:
            ready = self._wait_for_others()
            if not ready:
                self.virtual_seconds += timeout
        if ready:
            self.stir()
        return ready

    def _wait_for_others(self) -> Any:
        """What comes within the real time that the kernel, threads and servers get."""
        ready = []
        if self._graces or self._has_strangers():
            self._graces = max(self._graces - 1, 0)
            # Asked itself, it would round up to the next millisecond.
            select.select([self.fileno()], (), (), _grace())
            ready = super().select(0)
        while not ready and any(is_busy() for is_busy in _holds):
            ready = super().select(0.002)
        return ready

    def _has_strangers(self) -> bool:
        """Whether threads are at work that nobody here knows."""
        threads = set(threading.enumerate()) - self._old_threads
        return not all(isinstance(thread, tuple(_held_threads)) for thread in threads)


def _grace() -> float:
    return _grace_at(int(time.monotonic() * 10))


@functools.lru_cache(1)
def _grace_at(_tenth_of_a_second: int) -> float:
    """Asked anew ten times a second: the kernel itself counts its load anew every five seconds."""
    return LATE_GRACE_SECONDS if os.getloadavg()[0] > 2 * (os.cpu_count() or 1) else GRACE_SECONDS


_holds: list[Callable[[], bool]] = []
_held_threads: set[type[threading.Thread]] = set()


@contextmanager
def hold_time_while(is_busy: Callable[[], bool], *, by: type[threading.Thread] | None = None) -> Iterator[None]:
    """Keep time from jumping over work that is done elsewhere: by a server, or `by` threads of a kind."""
    _holds.append(is_busy)
    if by is not None:
        _held_threads.add(by)
    try:
        yield
    finally:
        _holds.remove(is_busy)


class _ShuffledReady(deque[Any]):
    """Task steps leave in seeded random order; every other callback keeps the order asyncio documents."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self._chance = chance

    def popleft(self) -> Any:
        if len(self) > 1 and _is_task_step(self[0]):
            steps = [index for index, handle in enumerate(self) if _is_task_step(handle)]
            index = self._chance.choice(steps)
            if index:
                self[0], self[index] = self[index], self[0]
        return super().popleft()


def _is_task_step(handle: asyncio.Handle) -> bool:
    return isinstance(_owner(handle), asyncio.Task)


def _owner(handle: asyncio.Handle) -> object:
    """The object whose method a handle calls."""
    return getattr(getattr(handle, "_callback", None), "__self__", None)


class _StirringTransport(selector_events._SelectorSocketTransport):  # type: ignore[name-defined, misc]
    """A connection whose loop knows that bytes are on their way."""

    def write(self, data: Any) -> None:
        self._loop.virtual.stir()
        super().write(data)

    def writelines(self, data: Any) -> None:
        self._loop.virtual.stir()
        super().writelines(data)

    def write_eof(self) -> None:
        self._loop.virtual.stir()
        super().write_eof()


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """`seed=None` keeps the usual first-in first-out order."""

    def __init__(self, seed: int | None = None) -> None:
        self.virtual = _VirtualSelector()
        super().__init__(self.virtual)
        self._clock_resolution = 1e-6
        if seed is not None:
            self._ready = _ShuffledReady(random.Random(seed))
            # C-accelerated tasks put opaque wrappers into the ready queue; the Python ones can be recognised.
            self.set_task_factory(_python_task)

    @property
    def scheduled(self) -> list[asyncio.TimerHandle]:
        """Every timer that is set, or was set and cancelled since."""
        return self._scheduled

    def time(self) -> float:
        return self.virtual.virtual_seconds

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Wait for its threads in real time: from Python 3.12 on, the runner grants them 300 seconds of this loop's."""
        await super().shutdown_default_executor()

    def _make_socket_transport(self, sock: Any, protocol: Any, *arguments: Any, **more: Any) -> Any:
        return _StirringTransport(self, sock, protocol, *arguments, **more)


def _python_task(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> asyncio.Task[Any]:
    task_type: Any = getattr(asyncio.tasks, "_PyTask")  # noqa: B009 - private on purpose, tests only
    return task_type(coroutine, loop=loop, **options)  # type: ignore[no-any-return]


class VirtualClock:
    """The wall clock that belongs to a virtual loop: starts at EPOCH, moves with `loop.time()`, and may be stepped."""

    def __init__(self, loop: asyncio.AbstractEventLoop, start: datetime = EPOCH) -> None:
        self._loop = loop
        self._start = start

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._loop.time())

    def step(self, by: timedelta) -> None:
        """Set the clock, forward or back; the loop's time knows nothing of it."""
        self._start += by


def armed_timers(*, of: type = object) -> list[asyncio.TimerHandle]:
    """The timers that the running loop holds; those `of` objects of a kind, whose methods they call."""
    loop: Any = asyncio.get_running_loop()
    armed = [handle for handle in loop.scheduled if not handle.cancelled()]
    return [handle for handle in armed if isinstance(_owner(handle), of)]


def run(coroutine: Any, *, seed: int | None = None) -> Any:
    """Run one coroutine to its end on a fresh virtual loop."""
    loop = VirtualTimeLoop(seed)
    try:
        asyncio.set_event_loop(loop)
        return contextvars.copy_context().run(loop.run_until_complete, coroutine)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        asyncio.set_event_loop(None)
        loop.close()
