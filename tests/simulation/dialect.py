"""Two small vendors with a dialect of their own: one that tells the status of a job, and one that is silent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

import msgspec

from belvo_async.abc import Answer, Conversation, Headers, Query, Request, Retry, Walk
from belvo_async.errors import (
    NotFoundError,
    PayloadError,
    RateLimitError,
    SignatureError,
    UnsupportedError,
    VendorError,
)
from belvo_async.jobs import (
    Absent,
    Failure,
    Found,
    GivenUp,
    Gone,
    Job,
    Later,
    Nudge,
    Observation,
    Quiet,
    Seen,
    Status,
    Task,
    Way,
    normal_id,
)

WORDS = {
    "queued": Status.PENDING,
    "busy": Status.RUNNING,
    "ending": Status.STOPPING,
    "done": Status.FINISHED,
    "broken": Status.FAILED,
    "halted": Status.STOPPED,
}
ABSENT_FOR = timedelta(minutes=2)
ADOPTABLE_FOR = timedelta(minutes=15)
THROTTLED_ATTEMPTS = 6
POLLS = 3
POLLS_SPAN = timedelta(minutes=10)


class Fetch(Task[Any], frozen=True, kw_only=True):
    """What every task of the simulated vendors says."""

    owner: str
    table: str = "rows"
    year: int = 2025

    @property
    def subject(self) -> str:
        return self.owner

    @property
    def resource(self) -> str:
        return self.table


class OpenFetch(Fetch, frozen=True, kw_only=True, tag="open.Fetch"):
    """A task of the vendor that tells the status of its jobs."""

    vendor: ClassVar[str] = "open"


class MuteFetch(Fetch, frozen=True, kw_only=True, tag="mute.Fetch"):
    """A task of the vendor that does not."""

    vendor: ClassVar[str] = "mute"


class SimulatedVendor:
    """What both dialects share. `job` in a request's headers is there for the checks, not for the vendor."""

    name = ""
    account = ""
    origin = "https://simulated.test"
    tasks: Mapping[str, type[Task[Any]]] = {}
    queries: tuple[type[object], ...] = ()
    accepts_webhooks = True

    def credentials(self) -> Mapping[str, str]:
        return {}

    def check(self, task: Task[Any], now: datetime) -> None:
        """Nothing depends on the present day."""

    def lane(self, task: Task[Any]) -> str | None:
        return None

    def start(self, job: Job, now: datetime) -> Conversation[Observation]:
        answer = yield request("POST", "/jobs", job, job.task)
        said = _body(answer)
        match answer.status:
            case 202:
                return _say(job, now, status=Status.PENDING, remote_id=str(said["id"]), vendor_status="queued")
            case 409:
                return _say(job, now, status=Status.PENDING, remote_id=str(said["id"]))
            case 429 if job.submission.attempts < THROTTLED_ATTEMPTS:
                return Later(way=Way.ANSWER, at=now, job_id=job.id, retry_at=now + _wait(answer))
            case 422 | 429:
                return _say(job, now, status=Status.REJECTED, failure=Failure(code=str(said.get("code", "limit"))))
            case _:
                return _say(job, now, status=Status.UNCERTAIN, doubt=f"HTTP {answer.status}")

    def catch_up(self, since: datetime, now: datetime) -> Conversation[tuple[Observation, ...]]:
        yield from ()
        return ()

    def stop(self, job: Job, now: datetime) -> Conversation[Observation | None]:
        raise UnsupportedError("this vendor has no such call")

    def results(self, job: Job) -> Walk[object]:
        raise UnsupportedError("the simulated vendors keep no records")

    def list(self, query: Query[object]) -> Walk[object]:
        raise UnsupportedError("the simulated vendors keep no records")

    def read_error(self, answer: Answer) -> VendorError:
        if answer.status == 429:
            return RateLimitError("slow down", status_code=429, retry_after=_wait(answer))
        kind = NotFoundError if answer.status == 404 else VendorError
        return kind(f"HTTP {answer.status}", status_code=answer.status)

    def read_webhook(self, headers: Headers, body: bytes, now: datetime) -> tuple[Observation, ...]:
        if headers.get("proof") != self.name:
            raise SignatureError("not ours")
        said = msgspec.json.decode(body, type=Event)
        return (self._read_event(said, now),)

    def _read_event(self, said: Event, now: datetime) -> Observation:
        if said.word is None:
            return Nudge(way=Way.WEBHOOK, at=now, remote_id=said.id, delivery_id=said.delivery, subject=said.owner)
        return Seen(
            way=Way.WEBHOOK,
            at=now,
            remote_id=said.id,
            delivery_id=said.delivery,
            subject=said.owner,
            status=WORDS.get(said.word),
            vendor_status=said.word,
            resource=said.table,
            failure=_failure(said.word),
            partial=said.partial,
            adoptable=self.name == "mute",
        )


class Event(msgspec.Struct, kw_only=True):
    """The body of a delivery; without a word it is only a hint to go and poll."""

    delivery: str
    id: str | None = None
    word: str | None = None
    owner: str | None = None
    table: str | None = None
    partial: bool = False


class Row(msgspec.Struct, kw_only=True):
    """A job in the list of the open vendor."""

    id: str
    word: str
    owner: str
    table: str
    year: int
    created_at: datetime
    partial: bool = False

    def observe(self, way: Way, now: datetime) -> Seen:
        return Seen(
            way=way,
            at=now,
            remote_id=self.id,
            status=WORDS.get(self.word),
            vendor_status=self.word,
            failure=_failure(self.word),
            partial=self.partial,
        )


class OpenVendor(SimulatedVendor):
    """Tells the status of every job in one list, lets jobs be found and stopped; has no lanes."""

    name = "open"
    account = "open.test#1"
    tasks: Mapping[str, type[Task[Any]]] = {"open.Fetch": OpenFetch}

    def poll(self, jobs: Sequence[Job], now: datetime) -> Conversation[tuple[Observation, ...]]:
        rows = yield from self._rows()
        shown = {normal_id(row.id) for row in rows}
        gone = (
            Gone(way=Way.POLL, at=now, job_id=job.id) for job in jobs if normal_id(job.remote_id or "") not in shown
        )
        return (*(row.observe(Way.POLL, now) for row in rows), *gone)

    def find(self, job: Job, now: datetime) -> Conversation[Observation]:
        rows = yield from self._rows()
        for row in rows:
            fits = (row.owner, row.table, row.year) == (job.task.owner, job.task.table, job.task.year)
            if fits and row.created_at >= (job.submission.attempted_at or job.created_at):
                return msgspec.structs.replace(row.observe(Way.POLL, now), status=WORDS.get(row.word, Status.PENDING))
        return Absent(way=Way.POLL, at=now, final=now - (job.submission.absent_since or now) >= ABSENT_FOR)

    def stop(self, job: Job, now: datetime) -> Conversation[Observation | None]:
        answer = yield request("POST", f"/jobs/{job.remote_id}/stop", job)
        if answer.status != 200:
            raise self.read_error(answer)
        return _say(job, now, status=Status.STOPPING, vendor_status="ending")

    def _rows(self) -> Conversation[tuple[Row, ...]]:
        answer = yield request("GET", "/jobs")
        if answer.status != 200:
            raise self.read_error(answer)
        return msgspec.json.decode(answer.body, type=tuple[Row, ...])


class MuteVendor(SimulatedVendor):
    """Tells an end by webhook only; one job at a time for each owner. Ends can be inferred from the owner's table."""

    name = "mute"
    account = "mute.test#1"
    tasks: Mapping[str, type[Task[Any]]] = {"mute.Fetch": MuteFetch}

    def lane(self, task: Task[Any]) -> str | None:
        return f"mute:{task.subject}"

    def poll(self, jobs: Sequence[Job], now: datetime) -> Conversation[tuple[Observation, ...]]:
        seen: list[Observation] = []
        for owner in sorted({job.task.subject for job in jobs}):
            answer = yield request("GET", f"/owners/{owner}")
            if answer.status != 200:
                raise self.read_error(answer)
            touched = msgspec.json.decode(answer.body, type=dict[int, list[datetime]])
            seen.extend(self.weigh(job, touched, now) for job in jobs if job.task.subject == owner)
            seen.append(Found(way=Way.POLL, at=now, subject=owner))
        return tuple(seen)

    def weigh(self, job: Job, touched: Mapping[int, list[datetime]], now: datetime) -> Observation:
        """Infer an end when the owner's table stood still; only a touch of the job's own year speaks for it."""
        seen = Seen(way=Way.POLL, at=now, job_id=job.id)
        sent_at = job.submission.attempted_at or job.created_at
        # Time stands still here between a POST and an end that overtakes its answer: the same instant counts.
        accessed_at = max((at for each in touched.values() for at in each if at >= sent_at), default=None)
        if accessed_at is None:
            return seen
        quiet = Quiet(fingerprint=accessed_at.isoformat(), first_at=now, last_at=now, accessed_at=accessed_at)
        seen, run = msgspec.structs.replace(seen, quiet=quiet), job.evidence.quiet
        is_equal = run is not None and run.fingerprint == quiet.fingerprint and run.count + 1 >= POLLS
        if run is None or not is_equal or now - run.first_at < POLLS_SPAN:
            return seen
        mine = [at for at in touched.get(job.task.year, ()) if sent_at <= at <= (job.evidence.overtaken_at or at)]
        if mine:
            return msgspec.structs.replace(seen, way=Way.INFERENCE, status=Status.FINISHED)
        return GivenUp(way=Way.INFERENCE, at=now, job_id=job.id, quiet=quiet)

    def find(self, job: Job, now: datetime) -> Conversation[Observation]:
        yield from ()
        since = job.submission.absent_since or job.submission.attempted_at or now
        return Absent(way=Way.POLL, at=now, final=now - since >= ADOPTABLE_FOR)


def request(method: str, target: str, job: Job | None = None, body: object = None) -> Request:
    """Make a request that tells the checks whose it is."""
    return Request(
        method=method,
        target=target,
        name=f"{method} {target.split('/')[1]}",
        headers=(("job", job.id),) if job else (),
        body=msgspec.json.encode(body),
        retry=Retry.SUBMIT if method == "POST" else Retry.SAFE,
    )


def _say(job: Job, now: datetime, **facts: Any) -> Seen:
    return Seen(way=Way.ANSWER, at=now, job_id=job.id, **facts)


def _body(answer: Answer) -> dict[str, Any]:
    try:
        return dict(msgspec.json.decode(answer.body or b"{}"))
    except msgspec.DecodeError:
        if answer.status < 300:
            raise PayloadError("JSON is malformed") from None
        return {}


def _wait(answer: Answer) -> timedelta:
    return timedelta(seconds=float(answer.headers.get("retry-after") or 1))


def _failure(word: str) -> Failure | None:
    return Failure(code="portal_down", message="the portal is down", retryable=True) if word == "broken" else None
