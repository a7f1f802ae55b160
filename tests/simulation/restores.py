"""Histories in which the store is put back from a backup, under trackers that work on it."""

from __future__ import annotations

import asyncio
import copy
from datetime import datetime
from typing import Any

from belvo_async._tracker import Tracker
from belvo_async._tracker.attempts import Attempt, Attempts
from belvo_async._tracker.reconciler import Reconciler
from belvo_async.abc import Request
from belvo_async.jobs import Job, Status
from tests.simulation.checks import Checks
from tests.simulation.server import Run
from tests.simulation.store import ShakyStore
from tests.simulation.world import FAULTY_SECONDS, World

# What goes back in time.
KEPT = ("_index", "_parked", "_aside", "_budgets", "_windows", "_leases", "_last_token")
KEPT += ("history", "ended_at", "known_at")


class PastStore(ShakyStore):
    """A store that a backup may be made of, and put back; as all stores do, it notices that."""

    _past: dict[str, Any] | None = None

    def save(self) -> None:
        """Make a backup."""
        self._past = copy.deepcopy({name: self.__dict__[name] for name in KEPT})
        self._trace.note("store", "saved")

    def go_back(self) -> None:
        """Put the backup back."""
        queued = [job.id for job in self.jobs() if job.submission.attempted_at is not None]
        self.__dict__.update(copy.deepcopy(self._past or {}))
        self._era += 1
        self._trace.note("store", f"went back, era {self._era}")
        self._swarm.reach("went back")
        if any(job.is_queued and job.is_open and job.id in queued for job in self.jobs()):
            self._swarm.reach("a sent job is queued again")

    def _note_branches(self, last: Job, job: Job, seen: Any) -> None:
        if job.status is Status.UNCERTAIN and "went back" in (job.submission.doubt or "") and last.is_queued:
            self._swarm.reach("a queued job was in doubt")
        if (
            last.status is Status.UNCERTAIN
            and job.remote_id is not None
            and "went back" in (last.submission.doubt or "")
        ):
            self._swarm.reach("one in doubt was found")

    def _check_park(self, offered: Any) -> None:
        """Whose job a delivery is may be forgotten."""


class PastChecks(Checks):
    """What holds whatever the store forgot: no job is accepted twice, and nobody hangs."""

    def before_send(self, request: Request) -> None:
        """What is sent was kept then, be it gone since."""

    def on_accept(self, run: Run) -> None:
        """Promise 3: at most one submission of a job."""
        self._trace.check(not self._accepted[run.job_id], f"{run.job_id}: accepted twice")
        self._accepted[run.job_id].append(run)

    def on_outcome(self, job_id: str, outcome: str) -> None:
        """Waiters may be told of what the store knows no more."""
        self._trace.note("waiter", f"{job_id}: {outcome}")

    def on_timeout(self, job_id: str, until: datetime) -> None:
        """A timeout comes at its time."""
        self._trace.check(self._world.clock.now() >= until, f"{job_id}: a waiter timed out early")

    def at_rest(self) -> None:
        """Every job came to an end, and nobody hangs."""
        for job in self._world.store.jobs():
            self._trace.check(not job.is_open or self._is_silent(job), f"{job.id}: still {job.status} at the end")
        self._trace.check(self._world.users.overdue == 0, "a waiter hangs")


class PastWorld(World):
    """A world whose operator puts backups back."""

    store_type = PastStore
    checks_type = PastChecks

    async def play(self) -> None:
        self.act(self._travel(), "operator")
        await super().play()

    async def _travel(self) -> None:
        store = self.store
        assert isinstance(store, PastStore)
        for _ in range(self.swarm.chance.randint(1, 3)):
            await asyncio.sleep(self.swarm.between(1, FAULTY_SECONDS / 8))
            # Most backups are of nothing that matters: here one waits for a job that waits.
            while self.swarm.on and not any(job.is_queued and job.is_open for job in store.jobs()):  # noqa: ASYNC110
                await asyncio.sleep(self.swarm.between(0.01, 0.5))
            store.save()
            await asyncio.sleep(self.swarm.span(FAULTY_SECONDS / 4))
            if self.swarm.on:
                store.go_back()


class TrustingDoor(Reconciler):
    """Believes the store that a queued job was not sent."""

    def may_have_been_sent(self, job: Job) -> bool:
        return False


class TrustingAttempts(Attempts):
    """Does not look which era it is when an attempt is marked."""

    async def _check_era(self, attempt: Attempt) -> None:
        """Nothing is checked."""


def trust(tracker: Tracker) -> None:
    """Plant the mistake."""
    tracker.reconciler.__class__ = TrustingDoor
    tracker.submitter.attempts.__class__ = TrustingAttempts
