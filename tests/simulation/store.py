"""A store that takes its time and is down at times; it remembers every write for the checks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from belvo_async.errors import StoreError
from belvo_async.jobs import Job, Observation, Seen, Status, Way, normal_id
from belvo_async.stores.memory.parked import Parked
from belvo_async.stores.memory.store import MemoryStore
from belvo_async.stores.rules import Bounds, identity
from belvo_async.stores.several import put_each
from tests.simulation.swarm import Swarm
from tests.simulation.trace import Trace
from tests.troubled_store import TroubledStore

# More than the deliveries of one seed's own jobs, so that only strangers ever fill the park.
PARK_COUNT = 40


class OpenStore(MemoryStore):
    """A store whose jobs the checks see at any moment, without a call."""

    def __init__(self) -> None:
        super().__init__()
        self._ids: dict[str, None] = {}

    def peek(self, job_id: str) -> Job | None:
        """What is durable now."""
        return self._index.get(job_id)

    def jobs(self) -> list[Job]:
        """Every job that is kept, as it is now."""
        return [job for job_id in self._ids if (job := self.peek(job_id)) is not None]

    async def put(self, job: Job, **options: Any) -> Job | None:
        standing = await super().put(job, **options)
        if standing is None:
            self._ids.setdefault(job.id)
        return standing

    async def put_all(self, jobs: Sequence[Job]) -> list[Job]:
        return await put_each(self, jobs)


class ShakyStore(TroubledStore):
    """A store whose calls interleave: each takes as long, and fails, as the swarm likes. It remembers every write."""

    def __init__(self, swarm: Swarm, trace: Trace, outages: list[tuple[float, float]]) -> None:
        super().__init__(parked=Bounds(count=PARK_COUNT, limit_bytes=10**6))
        self._swarm = swarm
        self._trace = trace
        self._outages = outages
        self.history: dict[str, list[Job]] = {}
        self.ended_at: dict[str, float] = {}
        self.known_at: dict[str, float] = {}
        self._accounts: set[str] = set()

    @property
    def is_down(self) -> bool:
        now = asyncio.get_running_loop().time()
        return any(start <= now < end for start, end in self._outages)

    def peek(self, job_id: str) -> Job | None:
        """What is durable now."""
        return self._index.get(job_id)

    def jobs(self) -> list[Job]:
        """Every job that was ever kept, as it is now."""
        return [past[-1] for past in self.history.values()]

    def parked_now(self) -> int:
        return len(self._parked)

    def plant_park(self, park: type[Parked]) -> None:
        """Spoil the park, to prove that the checks can fail."""
        self._parked.__class__ = park

    async def put_all(self, jobs: Sequence[Job]) -> list[Job]:
        # Some may be written, and others fail.
        return await put_each(self, jobs)

    async def put(self, job: Job, **options: Any) -> Job | None:
        await self.before("put")
        standing = await MemoryStore.put(self, job, **options)
        if standing is None:
            self._remember(job, options.get("observation"))
        elif options["expected"] is not None:
            self._swarm.reach("compare-and-swap lost")
        await self.after("put")
        return standing

    async def park(self, account: str, observation: Observation) -> None:
        await self.before("park")
        self._accounts.add(account)
        before = self._all_parked()
        await MemoryStore.park(self, account, observation)
        self._check_park([*before, (account, observation)])
        self._swarm.reach("delivery parked")
        self._trace.note("store", f"park {(observation.remote_id or '')[-4:]} {observation.status}")
        await self.after("park")

    def _all_parked(self) -> list[tuple[str, Observation]]:
        return [(account, seen) for account in self._accounts for seen in self._parked.read(account, None, None, None)]

    def _check_park(self, offered: list[tuple[str, Observation]]) -> None:
        """The bound holds, and what a job could claim does not go while there are strangers."""
        kept = self._all_parked()
        self._trace.check(len(kept) <= PARK_COUNT, "more is parked than the bound allows")
        # A delivery that is repeated is kept once.
        marks = {(account, identity(seen)) for account, seen in kept}
        gone = [(account, seen) for account, seen in offered if (account, identity(seen)) not in marks]
        if gone:
            self._swarm.reach("park was full")
            is_wrong = any(self._is_claimed(*each) for each in gone) and not all(
                self._is_claimed(*each) for each in kept
            )
            self._trace.check(not is_wrong, "what could be claimed went before a stranger")

    def _is_claimed(self, account: str, seen: Observation) -> bool:
        return any(job.account == account and _may_claim(job, seen) for job in self.jobs() if self.peek(job.id))

    async def unpark(self, account: str, observations: Any) -> None:
        await self.before("unpark")
        await MemoryStore.unpark(self, account, observations)
        self._swarm.reach("parked delivery replayed")
        await self.after("unpark")

    async def lease(self, key: str, owner: str, **options: Any) -> int | None:
        await self.before("lease")
        token = await MemoryStore.lease(self, key, owner, **options)
        if token is None and not key.startswith("served:"):
            self._swarm.reach("lane was busy")
        await self.after("lease")
        return token

    async def reserve_somewhere(self) -> None:
        """What the edge does before it sends: a budget that cannot be read stops the request."""
        await self.before("reserve")

    async def before(self, name: str) -> None:
        await self._pause()
        if self._swarm.on and (self.is_down or self._swarm.happens("store call fails")):
            self._swarm.reach("store refused a call")
            raise StoreError("the simulated store is down")

    async def after(self, name: str) -> None:
        # What was written is durable now; its caller learns of it later.
        await self._pause()

    async def _pause(self) -> None:
        await asyncio.sleep(self._swarm.span(2) if self._swarm.happens("store slow") else 0)

    def _remember(self, job: Job, seen: Observation | None) -> None:
        past = self.history.setdefault(job.id, [])
        last = past[-1] if past else None
        self._trace.note("store", f"{job.id} v{job.version} {job.status}{' abandoned' if job.abandoned else ''}")
        self._trace.check(job.version == (last.version + 1 if last else 0), f"{job.id}: versions count up by one")
        if last is not None:
            ended = last.status.is_terminal and last.status is not job.status
            self._trace.check(not ended, f"{job.id}: ended as {last.status}, then became {job.status}")
            self._note_branches(last, job, seen)
        if job.remote_id is not None:
            self.known_at.setdefault(job.id, asyncio.get_running_loop().time())
        if not job.is_open:
            self.ended_at.setdefault(job.id, asyncio.get_running_loop().time())
        past.append(job)

    def _note_branches(self, last: Job, job: Job, seen: Observation | None) -> None:
        """Count the branches a run went through."""
        way = seen.way if seen else None
        closed = job.abandoned and not last.abandoned
        superseded = job.superseded_by is not None and last.superseded_by is None
        found = last.status is Status.UNCERTAIN and last.remote_id is None and job.remote_id is not None
        branches = {
            "uncertain submission adopted a delivery": found and way is Way.WEBHOOK,
            "uncertain submission found": found and way is Way.POLL,
            "uncertain search given up": closed and job.status is Status.UNCERTAIN and way is Way.POLL,
            "given up by its user": closed and way is Way.USER and job.superseded_by is None,
            "ended after it was given up": last.abandoned and last.settled_by is Way.USER and job.status.is_terminal,
            "end inferred": job.settled_by is Way.INFERENCE and job.status.is_terminal and last.is_open,
            "given up for want of evidence": job.is_unconfirmed and last.is_open,
            "overtaken": job.evidence.overtaken_at is not None and last.evidence.overtaken_at is None,
            "end by webhook": job.settled_by is Way.WEBHOOK and last.is_open,
            "end by poll": job.settled_by is Way.POLL and last.is_open,
            "gone": last.is_open and job.failure is not None and job.failure.code == "gone",
            "submission tried again": job.is_queued and last.submission.attempted_at is not None,
            "queued for its lane": job.is_queued and last.is_queued and job.schedule.polls > last.schedule.polls,
            "withdrawn": job.failure is not None and job.failure.code == "withdrawn",
            "lost submission": job.submission.doubt is not None
            and "process ended" in job.submission.doubt
            and last.submission.doubt is None,
            "became due by a hint": seen is None
            and job.schedule.next_poll != last.schedule.next_poll
            and job.schedule.polls == last.schedule.polls,
            "partial noted after the end": last.status.is_terminal and job.partial and not last.partial,
            "resubmitted": superseded and job.abandoned,
            "started anew past its deadline": superseded and job.is_open,
            "deadline put off": (job.deadline or job.created_at) > (last.deadline or job.created_at),
        }
        for branch, reached in branches.items():
            if reached:
                self._swarm.reach(branch)
        is_new = job.conflicts > last.conflicts
        self._trace.check(not is_new or self._may_conflict(job, way), f"{job.id}: a contradiction was counted")

    def _may_conflict(self, job: Job, way: Way | None) -> bool:
        # An inferred end, or one by `gone`, may be contradicted by what was said before or comes later.
        return Way.INFERENCE in (job.settled_by, way) or (job.failure is not None and job.failure.code == "gone")


def _may_claim(job: Job, seen: Observation) -> bool:
    """Whether a delivery may be about a job, said once more in other words than the store's."""
    if job.remote_id is not None:
        return seen.remote_id is not None and normal_id(job.remote_id) == normal_id(seen.remote_id)
    may_run = job.status is Status.UNCERTAIN or (
        job.status is Status.SUBMITTING and job.submission.attempted_at is not None
    )
    is_of_another = isinstance(seen, Seen) and seen.adoptable and seen.resource != job.task.resource
    fits = seen.subject in (None, job.task.subject) and not is_of_another
    return may_run and not job.abandoned and fits
