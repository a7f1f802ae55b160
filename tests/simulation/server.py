"""The vendors' side: jobs that go through their states as virtual time passes: the truth for the checks."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from belvo_async.abc import Answer, Clock, Headers, Request
from belvo_async.jobs import normal_id
from tests.simulation.dialect import Fetch, MuteFetch, OpenFetch, Row
from tests.simulation.swarm import Swarm
from tests.simulation.trace import Trace

ENDS = ("done", "done", "done", "done", "broken", "halted")
# How long the list may not show a new job yet.
LAG = timedelta(seconds=20)


@dataclass
class Run:
    """One accepted job at a vendor."""

    remote_id: str
    job_id: str
    task: Fetch
    created_at: datetime
    busy_at: datetime
    ended_at: datetime
    end: str
    early_word: str = "queued"
    partial: bool = False
    shown_at: datetime | None = None
    lost_at: datetime | None = None

    def word(self, now: datetime) -> str:
        if now >= self.ended_at:
            return self.end
        return "busy" if now >= self.busy_at else self.early_word

    def is_open(self, now: datetime) -> bool:
        return now < self.ended_at and not self.is_lost(now)

    def is_lost(self, now: datetime) -> bool:
        return self.lost_at is not None and now >= self.lost_at


@dataclass
class Server:
    """Both vendors' back ends. `on_accept` is called with each accepted job before its answer goes out."""

    clock: Clock
    swarm: Swarm
    trace: Trace
    on_accept: Callable[[Run], None]
    runs: dict[str, Run] = field(default_factory=lambda: dict[str, Run]())
    reads: int = 0
    longest: float = 1800.0
    _ids: itertools.count[int] = field(default_factory=itertools.count)

    def answer(self, vendor: str, request: Request) -> Answer:
        """Take one request and answer it."""
        answer = self._answer(vendor, request)
        self.trace.note("server", f"{request.name} {dict(request.headers).get('job', '')} -> {answer.status}")
        return answer

    def _answer(self, vendor: str, request: Request) -> Answer:
        if self.swarm.happens("throttled"):
            return Answer(429, Headers({"retry-after": f"{self.swarm.between(1, 60):.0f}"}), b"{}")
        if request.method == "POST" and request.target == "/jobs":
            return self._accept(vendor, request)
        if request.method == "POST":
            return self._stop(request.target.split("/")[2])
        self.reads += 1
        if request.target == "/jobs":
            return _json(200, self._list())
        return _json(200, self._touched(request.target.split("/")[2]))

    def _accept(self, vendor: str, request: Request) -> Answer:
        now = self.clock.now()
        if self.swarm.happens("refused"):
            return _json(422, {"code": "bad_period"})
        task = msgspec.json.decode(request.body or b"", type=OpenFetch if vendor == "open" else MuteFetch)
        equal = [run for run in self.runs.values() if run.task == task and run.is_open(now)]
        if equal and vendor == "open":
            self.swarm.reach("conflict answered with the running job")
            return _json(409, {"id": equal[0].remote_id})
        run = self._new_run(task, dict(request.headers)["job"], now)
        self.on_accept(run)
        self.runs[normal_id(run.remote_id)] = run
        return _json(202, {"id": run.remote_id})

    def _new_run(self, task: Fetch, job_id: str, now: datetime) -> Run:
        busy_at = now + timedelta(seconds=self.swarm.span(self.longest / 3))
        ended_at = busy_at + timedelta(seconds=self.swarm.span(self.longest))
        run = Run(
            remote_id=uuid.UUID(int=next(self._ids) + 2**100).hex,
            job_id=job_id,
            task=task,
            created_at=now,
            busy_at=busy_at,
            ended_at=ended_at,
            end=self.swarm.chance.choice(ENDS),
        )
        run.partial = run.end == "done" and self.swarm.happens("partial")
        run.early_word = "dreaming" if self.swarm.happens("unknown word") else "queued"
        if self.swarm.happens("list lags"):
            run.shown_at = now + LAG * self.swarm.chance.random()
        if isinstance(task, OpenFetch) and self.swarm.happens("job lost by vendor"):
            run.lost_at = now + (ended_at - now) * self.swarm.chance.random()
        self.trace.note("server", f"{run.remote_id[-4:]} is {job_id}; {run.end} in {(ended_at - now)}")
        return run

    def _list(self) -> list[Row]:
        now = self.clock.now()
        return [
            Row(
                id=run.remote_id,
                word=run.word(now),
                owner=run.task.owner,
                table=run.task.table,
                year=run.task.year,
                created_at=run.created_at,
                partial=run.partial and now >= run.ended_at,
            )
            for run in self.runs.values()
            if isinstance(run.task, OpenFetch) and now >= (run.shown_at or now) and not run.is_lost(now)
        ]

    def _stop(self, remote_id: str) -> Answer:
        run = self.runs.get(normal_id(remote_id))
        now = self.clock.now()
        if run is None or run.is_lost(now):
            return _json(404, {})
        if now < run.ended_at:
            run.busy_at = min(run.busy_at, now)
            run.ended_at, run.end, run.partial = now + timedelta(seconds=self.swarm.span(60)), "halted", False
        return _json(200, {})

    def _touched(self, owner: str) -> dict[int, list[datetime]]:
        # A silent vendor touches the owner's table when a job ends well, year by year: that is all there is to see.
        now = self.clock.now()
        touched: dict[int, list[datetime]] = {}
        for run in self.runs.values():
            if run.task.owner == owner and run.end == "done" and run.ended_at <= now:
                touched.setdefault(run.task.year, []).append(run.ended_at)
        return touched


def _json(status: int, body: object) -> Answer:
    return Answer(status, Headers(), msgspec.json.encode(body))
