"""Who waits for what. A job costs nothing here until somebody holds a handle on it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Generator
from contextlib import contextmanager, suppress
from typing import Final
from weakref import WeakValueDictionary

from msgspec.structs import replace

from ..errors import SessionClosedError, lost_error
from ..jobs import Job, Observation

# What a slow reader of `updates()` may leave unread; the store keeps the same number for the timeline.
FEED_LIMIT: Final = 200
# More than so many ids are not worth keeping: all jobs are looked at then.
RUMOURS_LIMIT: Final = 10_000


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

    __slots__ = ("__weakref__", "_feeds", "_waiters", "closed", "era", "job", "lost", "promised", "remote_id")

    def __init__(self, job: Job) -> None:
        self.job = job
        self.closed = False
        # The vendor's id, which stays known when the store forgets it.
        self.remote_id = job.remote_id
        # The era of the store in which it was so, once that is known.
        self.era: int = -1
        # Whether the store keeps the job no longer, as far as we know.
        self.lost = False
        # The latest instant a waiter of this process was promised; the store is told once for all.
        self.promised = job.deadline
        # Made when needed: many handles are held that nobody awaits at the moment, and two empty sets weigh 432 bytes.
        self._waiters: set[asyncio.Future[bool]] | None = None
        self._feeds: set[Feed] | None = None

    @property
    def is_awaited(self) -> bool:
        """Whether anybody waits for news of an open job."""
        return self.job.is_open and bool(self._waiters or self._feeds)

    def add_waiter(self) -> asyncio.Future[bool]:
        waiter: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        if self._waiters is None:
            self._waiters = set()
        self._waiters.add(waiter)
        return waiter

    def drop_waiter(self, waiter: asyncio.Future[bool]) -> None:
        if self._waiters is not None:
            self._waiters.discard(waiter)
        if waiter.done() and not waiter.cancelled():
            waiter.exception()  # its reader may have left before; asyncio reports errors nobody has seen

    def add_feed(self) -> Feed:
        feed = Feed()
        if self._feeds is None:
            self._feeds = set()
        self._feeds.add(feed)
        return feed

    def drop_feed(self, feed: Feed) -> None:
        if self._feeds is not None:
            self._feeds.discard(feed)

    def is_behind(self, job: Job, era: int) -> bool:
        """Whether a state is newer than what is known here: in a store that went back, versions count anew."""
        return (era, job.version) > (self.era, self.job.version) or self.knows_more(job)

    def knows_more(self, job: Job) -> bool:
        """Whether the store has forgotten what the vendor calls the job."""
        return job.remote_id is None and self.remote_id is not None

    def publish(self, job: Job, seen: Observation | None, *, era: int | None = None) -> None:
        """Take over a newer state, read in an era of the store; wake the waiters when the job is over."""
        era = self.era if era is None else era
        if (era, job.version) >= (self.era, self.job.version):
            self.job, self.era = job, era
            self.remote_id = job.remote_id or self.remote_id
            self.lost = False
        is_over = not self.job.is_open
        if is_over:
            for waiter in self._take_waiters():
                waiter.set_result(True)
        for feed in self._feeds or ():
            if seen is not None:
                feed.add(seen)
            elif is_over:
                feed.wake()

    def lose(self) -> None:
        """Wake everybody: the store keeps the job no longer. How one that is over ended stays known."""
        self.lost = self.job.is_open
        for feed in self._feeds or ():
            feed.wake()
        for waiter in self._take_waiters():
            waiter.set_exception(lost_error(self.job))

    def close(self) -> None:
        """Wake everybody with a SessionClosedError of their own."""
        self.closed = True
        for feed in self._feeds or ():
            feed.wake()
        for waiter in self._take_waiters():
            waiter.set_exception(closed_error())

    def _take_waiters(self) -> list[asyncio.Future[bool]]:
        """Those that still wait; they are not woken twice."""
        waiters, self._waiters = self._waiters, None
        return [waiter for waiter in waiters or () if not waiter.done()]


def closed_error() -> SessionClosedError:
    """Make a fresh error: one instance must not be raised by two waiters."""
    return SessionClosedError("the session is closed; the job goes on: open a session on the same store and attach")


class Rumours:
    """Jobs of which one reader heard that they may have ended, until it looks at them; bounded.

    `anything`: any job of the store may have.
    """

    def __init__(self) -> None:
        self.anything = True
        self._ids: dict[str, None] = {}
        self._news = asyncio.Event()

    def add(self, job_ids: Collection[str]) -> None:
        """Hear of jobs; of none stands for any."""
        self._ids.update(dict.fromkeys(job_ids))
        if not job_ids or len(self._ids) > RUMOURS_LIMIT:
            self._ids.clear()
            self.anything = True
        self._news.set()

    def wake(self) -> None:
        """Have the reader look up for another reason."""
        self._news.set()

    def take(self) -> list[str]:
        """The jobs it heard of since."""
        ids = list(self._ids)
        self._ids.clear()
        return ids

    async def wait(self, seconds: float) -> None:
        """Wait for news, so long at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()
        self._news.clear()


class Watches:
    """All watches of a session. A watch lives as long as somebody holds it."""

    def __init__(self) -> None:
        self.is_closed = False
        self._by_job: WeakValueDictionary[str, Watch] = WeakValueDictionary()
        self._rumours: set[Rumours] = set()

    @contextmanager
    def rumours(self) -> Generator[Rumours]:
        """Hear of jobs that may have ended, as long as it lasts."""
        heard = Rumours()
        self._rumours.add(heard)
        try:
            yield heard
        finally:
            self._rumours.discard(heard)

    def spread(self, job_ids: Collection[str]) -> None:
        """Tell whoever listens that jobs may have ended; none stands for any."""
        for heard in self._rumours:
            heard.add(job_ids)

    def on(self, job: Job) -> Watch:
        """The watch of a job, brought up to this state."""
        watch = self._by_job.get(job.id)
        if watch is None:
            watch = self._by_job[job.id] = Watch(job)
        elif job.version > watch.job.version:
            watch.publish(job, None)
        return watch

    def publish(self, job: Job, seen: Observation | None, *, era: int | None = None) -> None:
        """Tell whoever watches this job, and of its end whoever listens."""
        if not job.is_open and self._rumours:
            self.spread((job.id,))
        watch = self._by_job.get(job.id)
        if watch is not None:
            watch.publish(job, seen, era=era)

    def publish_all(self, jobs: Collection[Job], *, era: int) -> None:
        """`publish` for jobs that are open still, and of which nothing was seen."""
        if self._by_job:
            for job in jobs:
                self.publish(job, None, era=era)

    def lose(self, job: Job) -> None:
        """Tell whoever watches this job that the store keeps it no longer. The vendor's id may be news."""
        watch = self._by_job.get(job.id)
        if watch is not None:
            watch.job = watch.job if watch.job.remote_id else replace(watch.job, remote_id=job.remote_id)
            watch.lose()

    def awaited(self) -> list[Watch]:
        """The watches of open jobs that somebody waits for."""
        return [watch for watch in list(self._by_job.values()) if watch.is_awaited]

    def close(self) -> None:
        """Wake every waiter of the session, and all who listen."""
        self.is_closed = True
        for heard in self._rumours:
            heard.wake()
        for watch in list(self._by_job.values()):
            watch.close()
