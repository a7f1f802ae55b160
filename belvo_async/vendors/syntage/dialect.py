"""Syntage's dialect: our words to its HTTP and back."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, ClassVar, Final, Literal, Self, cast
from urllib.parse import quote, urlsplit

from ...abc import Answer, Call, Conversation, Download, Fetch, Headers, Query, Request, Secret, Walk
from ...errors import (
    ConfigurationError,
    PayloadError,
    SignatureError,
    TaskError,
    TransportError,
    UnsupportedError,
    VendorError,
)
from ...jobs import Job, Observation, Status, Task, Way, normal_id
from .answers import read_failure, read_vendor_error, reset_wait
from .events import read_events
from .extractions import Sighting, is_same_work, read_document, read_listing, read_sighting
from .reading import HEADERS, get, next_target, target, walk_invoices, walk_query
from .schema import Entities, Extraction, Extractions
from .submission import doubt, read_acceptance, reject, submit, throttle, try_again
from .webhook import read_event, verify

__all__ = ["Syntage"]

# guides/api/environments
_ORIGINS: Mapping[str, str] = MappingProxyType(
    {"production": "https://api.syntage.com", "sandbox": "https://api.sandbox.syntage.com"}
)
_LOOPBACK: Final = re.compile(r"localhost|127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}|::1")
_KEY: Final = re.compile(r"[\x21-\x7e]{1,512}")
# Syntage's own secrets have 32 characters; a short one can be guessed.
_SHORTEST_SECRET: Final = 16

# A 409 names no id. When the extraction in the way cannot be found either, it has probably just ended: try again soon.
_CONFLICT_PAUSE: Final = timedelta(seconds=5)
_CONFLICT_ATTEMPTS: Final = 3
# The window of the vendor's example is minutes long; without a word from it, half a minute.
_LIMIT_PAUSE: Final = timedelta(seconds=30)

# Up to this many jobs are looked at one by one: cheaper than a page of a hundred.
_FEW: Final = 2
# Jobs the list did not show, looked up by id in one round; the budget of that route is shared by all.
_SINGLE_LOOKS: Final = 20
_LIST_PAGES: Final = 20
_FIND_PAGES: Final = 10
# Our clock and Syntage's may differ, and a joined extraction is older than the job that joined it.
_LIST_SLACK: Final = timedelta(days=1)
_FIND_SLACK: Final = timedelta(minutes=5)
# An accepted extraction shows in the list at once; two minutes are given to replicas.
_ABANDON_AFTER: Final = timedelta(minutes=2)

_FAULTS: Final = (VendorError, PayloadError, TransportError)


class Syntage:
    """Syntage, formerly Satws (docs.syntage.com). Implements `Vendor`.

    `environment` is `sandbox` or `production`; `base_url` replaces its address (https, or http on loopback).
    `webhook_secrets` are the signing secrets of the endpoints, one or several, at least 16 characters each. With
    `confirm`, a webhook only makes us look. `allow_unauthenticated` takes deliveries unproven while no secret is
    given. Raises ConfigurationError.
    """

    required_variables: ClassVar[tuple[str, ...]] = ("SYNTAGE_API_KEY",)

    def __init__(
        self,
        api_key: str,
        *,
        base_url: str | None = None,
        environment: Literal["sandbox", "production"] = "sandbox",
        webhook_secrets: str | Sequence[str] = (),
        confirm: bool = False,
        allow_unauthenticated: bool = False,
    ) -> None:
        if not _KEY.fullmatch(api_key):
            raise ConfigurationError("the Syntage API key is empty or holds characters that no header can carry")
        self.name = "syntage"
        self.origin = _read_origin(base_url, environment)
        self.account = f"{self.origin}#{hashlib.sha256(api_key.encode()).hexdigest()[:12]}"
        self.tasks: Mapping[str, type[Task[Any]]] = MappingProxyType({"syntage.Extraction": Extraction})
        self.queries: tuple[type[object], ...] = (Entities, Extractions)
        self._key = Secret(api_key)
        self._secrets = _read_secrets(webhook_secrets)
        self._confirm = confirm
        self._allow_unauthenticated = allow_unauthenticated

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read SYNTAGE_API_KEY, and if set SYNTAGE_ENV, SYNTAGE_BASE_URL and SYNTAGE_WEBHOOK_SECRET.

        Several secrets are parted by commas. Raises ConfigurationError naming the variable that is missing or wrong.
        """
        known = os.environ if environ is None else environ
        key = known.get("SYNTAGE_API_KEY", "").strip()
        if not key:
            raise ConfigurationError("SYNTAGE_API_KEY is not set")
        environment = known.get("SYNTAGE_ENV", "").strip() or "sandbox"
        if environment not in _ORIGINS:
            raise ConfigurationError("SYNTAGE_ENV is neither sandbox nor production")
        base_url = known.get("SYNTAGE_BASE_URL", "").strip() or None
        if base_url is not None:
            _read_origin(base_url, environment, "SYNTAGE_BASE_URL")
        secrets = [each.strip() for each in known.get("SYNTAGE_WEBHOOK_SECRET", "").split(",") if each.strip()]
        chosen = cast("Literal['sandbox', 'production']", environment)
        return cls(key, base_url=base_url, environment=chosen, webhook_secrets=secrets)

    def __repr__(self) -> str:
        return f"Syntage({self.origin})"

    @property
    def calls(self) -> tuple[type[object], ...]:
        return ()

    @property
    def downloads(self) -> tuple[type[object], ...]:
        return ()

    @property
    def accepts_webhooks(self) -> bool:
        """Whether deliveries can be proven, or proof was waived."""
        return bool(self._secrets) or self._allow_unauthenticated

    def credentials(self) -> Mapping[str, str]:
        """The API key header, the only credential there is (guides/api/environments)."""
        return {"X-API-Key": self._key.reveal()}

    def check(self, task: Task[Any], now: datetime) -> None:
        """Refuse a period that ends after today (UTC): it would be billed and miss what is yet to come."""
        period = _own(task).period
        if period is not None and period.last.date() > now.astimezone(UTC).date():
            raise TaskError("the period ends in the future", field="options.period.to")

    def lane(self, task: Task[Any]) -> str | None:
        """None: different extractions of an entity do not exclude each other."""
        return None

    def start(self, job: Job, now: datetime) -> Conversation[Observation]:
        """`POST /extractions` once. A 409 joins the equal extraction that is under way.

        A 429 is submitting with `retry_at`, and so is a 409 whose extraction cannot be found, until the third attempt
        is rejected. Whatever may have been accepted is uncertain, any 5xx included: Syntage documents no error code
        of its own there.
        """
        answer = yield submit(_own(job.task))
        if 200 <= answer.status < 300:
            return read_acceptance(job, answer, now)
        if answer.status == 409:
            return (yield from self._join(job, answer, now))
        if answer.status == 429:
            wait = reset_wait(answer.headers, now) or _LIMIT_PAUSE
            return throttle(job, now, wait=wait)
        # 408: the connection was closed on a slow request; nothing says whether it was read.
        if 400 <= answer.status < 500 and answer.status != 408:
            return reject(job, read_failure(answer), now)
        return doubt(job, f"HTTP {answer.status}", now)

    def _join(self, job: Job, answer: Answer, now: datetime) -> Conversation[Observation]:
        try:
            running = yield from self._look_up(_own(job.task), _is_under_way)
        except _FAULTS:
            # The 409 said for certain that nothing was accepted; that must not get lost.
            running = None
        if running is not None:
            return running.observe(Way.ANSWER, now, job=job, is_new=True)
        return try_again(job, answer, now, wait=_CONFLICT_PAUSE, attempts=_CONFLICT_ATTEMPTS)

    def poll(self, jobs: Sequence[Job], now: datetime) -> Conversation[tuple[Observation, ...]]:
        """Look at jobs: one or two by id, more by the list, then what it did not show by id (20 a round).

        Every row of the list is reported. A fault after the first answer ends the round; what was seen is reported.
        """
        asked = [job for job in jobs if job.remote_id]
        seen: list[Observation] = []
        try:
            if len({normal_id(job.remote_id or "") for job in asked}) > _FEW:
                shown = yield from self._look_through(asked, seen, now)
                asked = _rotate([job for job in asked if normal_id(job.remote_id or "") not in shown], now)
            for job in asked[:_SINGLE_LOOKS]:
                seen.append((yield from self._look(job, Way.POLL, now)))
        except _FAULTS:
            if not seen:
                raise
        return tuple(seen)

    def _look(self, job: Job, way: Way, now: datetime) -> Conversation[Observation]:
        answer = yield get(_path(job), "GET /extractions/{id}")
        if answer.status == 404:
            return Observation(way=way, at=now, job_id=job.id, remote_id=job.remote_id, gone=True)
        row = read_document(self._success(answer).body)
        seen = read_sighting(row, remote_id=job.remote_id)
        if seen is None:
            raise PayloadError("no id", path="$.id")
        return seen.observe(way, now, job=job)

    def _look_through(
        self, jobs: Sequence[Job], seen: list[Observation], now: datetime
    ) -> Conversation[frozenset[str]]:
        """Read the list until all jobs were shown; give the ids it showed."""
        missing = {normal_id(job.remote_id or "") for job in jobs}
        since = min(job.created_at for job in jobs) - _LIST_SLACK
        shown: set[str] = set()

        def is_enough(rows: Sequence[Sighting]) -> bool:
            seen.extend(row.observe(Way.POLL, now) for row in rows)
            shown.update(normal_id(row.remote_id) for row in rows)
            return missing <= shown or _are_older(rows, since)

        # The bound keeps the reading short whatever the order of the list, of which Syntage says nothing.
        yield from self._list([_created_after(since)], is_enough, pages=_LIST_PAGES)
        return frozenset(shown)

    def _list(
        self, params: Sequence[tuple[str, str]], is_enough: Callable[[Sequence[Sighting]], bool], *, pages: int
    ) -> Conversation[None]:
        """Read pages of `GET /extractions` until one is enough, the last, empty, or named a second time."""
        following, read = target("/extractions", params), set[str]()
        while following not in read and len(read) < pages:
            read.add(following)
            answer = yield get(following, "GET /extractions")
            listing = read_listing(self._success(answer).body)
            if is_enough(listing.rows) or listing.next is None or listing.held == 0:
                return
            following = next_target(listing.next, origin=self.origin, path="/extractions")

    def find(self, job: Job, now: datetime) -> Conversation[Observation]:
        """Look for an extraction of the same RFC, extractor and options, created since the attempt; the newest wins.

        Absent when there is none, or when the entity has no RFC to look by. Given up after two minutes of absence.
        """
        since = (job.attempted_at or job.created_at) - _FIND_SLACK

        def is_young(seen: Sighting) -> bool:
            return seen.created_at is not None and seen.created_at >= since

        found = yield from self._look_up(_own(job.task), is_young, since=since)
        if found is not None:
            return found.observe(Way.POLL, now, job=job, is_new=True)
        abandon = job.absent_since is not None and now - job.absent_since >= _ABANDON_AFTER
        return Observation(way=Way.POLL, at=now, job_id=job.id, status=Status.UNCERTAIN, absent=True, abandon=abandon)

    def _look_up(
        self, task: Extraction, fits: Callable[[Sighting], bool], *, since: datetime | None = None
    ) -> Conversation[Sighting | None]:
        rfc = task.rfc or (yield from self._read_rfc(task.entity))
        if rfc is None:
            return None
        # The filter by extractor is partial (`tax_return` finds three), unknown filters are ignored: all is compared.
        params = [("taxpayer.id", rfc), ("extractor", task.extractor)]
        found: list[Sighting] = []

        def is_enough(rows: Sequence[Sighting]) -> bool:
            found.extend(row for row in rows if row.rfc == rfc and is_same_work(task, row) and fits(row))
            return since is not None and _are_older(rows, since)

        yield from self._list(params + ([_created_after(since)] if since else []), is_enough, pages=_FIND_PAGES)
        return max(found, key=_age, default=None)

    def _read_rfc(self, entity: str) -> Conversation[str | None]:
        """Read the RFC of an entity, by which alone extractions can be listed; None without one."""
        answer = yield get(entity, "GET /entities/{id}")
        if answer.status == 404:
            return None
        taxpayer = read_document(self._success(answer).body).get("taxpayer")
        rfc = cast("Mapping[str, object]", taxpayer).get("id") if isinstance(taxpayer, dict) else None
        return rfc if isinstance(rfc, str) and rfc else None

    def catch_up(self, since: datetime, now: datetime) -> Conversation[tuple[Observation, ...]]:
        """Read the events about extractions since an instant; see `read_events`."""
        return read_events(since, now, origin=self.origin)

    def stop(self, job: Job, now: datetime) -> Conversation[Observation | None]:
        """`DELETE /extractions/{id}/stop`. One that has not started ends as cancelled, unbilled; others are stopping.

        A 409 means it is over already: the observation says how. Raises UnsupportedError for a job without remote id.
        """
        if job.remote_id is None:
            raise UnsupportedError("Syntage stops extractions by id, and this job has none yet")
        answer = yield Request(
            method="DELETE", target=f"{_path(job)}/stop", name="DELETE /extractions/{id}/stop", headers=HEADERS
        )
        if answer.status == 409:
            return (yield from self._look(job, Way.ANSWER, now))
        if answer.status == 404:
            return Observation(way=Way.ANSWER, at=now, job_id=job.id, remote_id=job.remote_id, gone=True)
        self._success(answer)
        return Observation(way=Way.ANSWER, at=now, job_id=job.id, remote_id=job.remote_id, status=Status.STOPPING)

    def results(self, job: Job, resource: str | None = None) -> Walk[object]:
        """The pages of an invoice extraction's `Invoice` records. Raises UnsupportedError for other extractors.

        The list is the entity's: it holds what all its extractions brought for the task's period, kinds and sides.
        """
        return walk_invoices(_own(job.task), self.origin)

    def list(self, query: Query[object]) -> Walk[object]:
        """The pages that answer `Entities` or `Extractions`."""
        return walk_query(query, self.origin)

    def call(self, call: Call[object], now: datetime) -> Conversation[object]:
        """See `Vendor.call`."""
        raise UnsupportedError(f"no call of the name {type(call).__name__}")

    def download(self, download: Download) -> Conversation[Fetch]:
        """See `Vendor.download`."""
        raise UnsupportedError(f"no file of the name {type(download).__name__}")

    def read_error(self, answer: Answer) -> VendorError:
        """The error to raise for an error answer to a read; `request_id` is `X-Request-ID` (guides/api/request-ids)."""
        return read_vendor_error(answer)

    def read_webhook(self, headers: Headers, body: bytes, now: datetime) -> tuple[Observation, ...]:
        """Verify the signature over the raw body, then read the event. Empty for events about no extraction."""
        if self._secrets:
            verify(headers, body, self._secrets, now)
        elif not self._allow_unauthenticated:
            raise SignatureError("no webhook secret is configured, so nothing can be proven")
        return read_event(body, now, confirm=self._confirm)

    def _success(self, answer: Answer) -> Answer:
        if not 200 <= answer.status < 300:
            raise self.read_error(answer)
        return answer


def _read_origin(base_url: str | None, environment: str, name: str = "the Syntage base URL") -> str:
    if base_url is None and environment not in _ORIGINS:
        raise ConfigurationError("the Syntage environment is neither sandbox nor production")
    try:
        parts = urlsplit(_ORIGINS[environment] if base_url is None else base_url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ConfigurationError(f"{name} cannot be read") from None
    if parts.scheme != "https" and not (parts.scheme == "http" and _LOOPBACK.fullmatch(host)):
        raise ConfigurationError(f"{name} must be https; http is for loopback only")
    if not host or "@" in parts.netloc or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ConfigurationError(f"{name} must be scheme and host only, without user, path or query")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port is not None else "")


def _read_secrets(given: str | Sequence[str]) -> tuple[Secret, ...]:
    texts = (given,) if isinstance(given, str) else tuple(given)
    if any(len(text) < _SHORTEST_SECRET for text in texts):
        raise ConfigurationError(f"a Syntage webhook secret has fewer than {_SHORTEST_SECRET} characters")
    return tuple(Secret(text) for text in texts)


def _own(task: Task[Any]) -> Extraction:
    if not isinstance(task, Extraction):
        raise UnsupportedError(f"{task.kind} is not a task for Syntage")
    return task


def _path(job: Job) -> str:
    return f"/extractions/{quote(job.remote_id or '', safe='')}"


def _is_under_way(seen: Sighting) -> bool:
    # One that is stopping would take the job that joins it along. A word we do not know is not an end.
    return seen.status in (Status.PENDING, Status.RUNNING, None)


def _created_after(since: datetime) -> tuple[str, str]:
    return "createdAt[after]", since.astimezone(UTC).date().isoformat()


def _are_older(rows: Sequence[Sighting], since: datetime) -> bool:
    return bool(rows) and all(row.created_at is not None and row.created_at < since for row in rows)


def _age(seen: Sighting) -> datetime:
    return seen.created_at or datetime.min.replace(tzinfo=UTC)


def _rotate(jobs: list[Job], now: datetime) -> list[Job]:
    """Begin elsewhere each second, so that with many missing jobs none is left out for ever."""
    begin = int(now.timestamp()) % len(jobs) if len(jobs) > _SINGLE_LOOKS else 0
    return jobs[begin:] + jobs[:begin]
