"""Who waits for what. A job costs nothing here until somebody holds a handle on it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from weakref import WeakValueDictionary

from ..errors import SessionClosedError
from ..jobs import Job, Observation

# What a slow reader of `updates()` may leave unread; the store keeps the same number for the timeline.
FEED_LIMIT = 200


class Feed:
    """The observations of one job that one reader has not read yet; the oldest give way to the newest."""

    __slots__ = ("_news", "pending")

    def __init__(self) -> None:
        self.pending: deque[Observation] = deque(maxlen=FEED_LIMIT)
        self._news = asyncio.Event()

    def add(self, seen: Observation) -> None:
        self.pending.append(seen)
        self._news.set()

    def wake(self) -> None:
        self._news.set()

    async def wait(self) -> None:
        await self._news.wait()
        self._news.clear()


class Watch:
    """The last known state of one job, shared by all its handles in this process.

    Each waiter has a future of its own: cancelling one touches no other.
    """

    __slots__ = ("__weakref__", "_feeds", "_waiters", "closed", "job")

    def __init__(self, job: Job) -> None:
        self.job = job
        self.closed = False
        self._waiters: set[asyncio.Future[bool]] = set()
        self._feeds: set[Feed] = set()

    @property
    def is_awaited(self) -> bool:
        """Whether anybody waits for news of an open job."""
        return self.job.is_open and bool(self._waiters or self._feeds)

    def add_waiter(self) -> asyncio.Future[bool]:
        waiter: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        return waiter

    def drop_waiter(self, waiter: asyncio.Future[bool]) -> None:
        self._waiters.discard(waiter)
        if waiter.done() and not waiter.cancelled():
            waiter.exception()  # its reader may have left before; asyncio reports errors nobody has seen

    def add_feed(self) -> Feed:
        feed = Feed()
        self._feeds.add(feed)
        return feed

    def drop_feed(self, feed: Feed) -> None:
        self._feeds.discard(feed)

    def publish(self, job: Job, seen: Observation | None) -> None:
        """Take over a newer state; wake the waiters when the job is over."""
        if job.version >= self.job.version:
            self.job = job
        for feed in self._feeds:
            if seen is not None:
                feed.add(seen)
            elif not self.job.is_open:
                feed.wake()
        if not self.job.is_open:
            self._wake(lambda waiter: waiter.set_result(True))

    def close(self) -> None:
        """Wake everybody with a SessionClosedError of their own."""
        self.closed = True
        for feed in self._feeds:
            feed.wake()
        self._wake(lambda waiter: waiter.set_exception(closed_error()))

    def _wake(self, wake: Callable[[asyncio.Future[bool]], None]) -> None:
        waiters, self._waiters = self._waiters, set()
        for waiter in waiters:
            if not waiter.done():
                wake(waiter)


def closed_error() -> SessionClosedError:
    """Make a fresh error: one instance must not be raised by two waiters."""
    return SessionClosedError("the session is closed; the job goes on: open a session on the same store and attach")


class Watches:
    """All watches of a session. A watch lives as long as somebody holds it."""

    def __init__(self) -> None:
        self._by_job: WeakValueDictionary[str, Watch] = WeakValueDictionary()

    def on(self, job: Job) -> Watch:
        """The watch of a job, brought up to this state."""
        watch = self._by_job.get(job.id)
        if watch is None:
            watch = self._by_job[job.id] = Watch(job)
        elif job.version > watch.job.version:
            watch.publish(job, None)
        return watch

    def publish(self, job: Job, seen: Observation | None) -> None:
        """Tell whoever watches this job."""
        watch = self._by_job.get(job.id)
        if watch is not None:
            watch.publish(job, seen)

    def awaited(self) -> list[Watch]:
        """The watches of open jobs that somebody waits for."""
        return [watch for watch in list(self._by_job.values()) if watch.is_awaited]

    def close(self) -> None:
        """Wake every waiter of the session."""
        for watch in list(self._by_job.values()):
            watch.close()
