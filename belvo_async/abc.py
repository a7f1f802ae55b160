"""What passes between the rooms, and the two contracts: Vendor and Store."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator, Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, Generic, Protocol, Self, TypeAlias, TypeVar, cast

import msgspec

from .errors import VendorError
from .jobs import Job, Observation, Task

__all__ = [
    "Answer",
    "Budget",
    "Clock",
    "Conversation",
    "Headers",
    "Page",
    "Query",
    "Request",
    "Response",
    "Retry",
    "Secret",
    "Shape",
    "Store",
    "SystemClock",
    "Vendor",
    "Walk",
]

R_co = TypeVar("R_co", covariant=True)
T = TypeVar("T")


class Clock(Protocol):
    """Where the wall clock comes from. Sleeping goes through the event loop; tests replace both together."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The present instant in UTC."""
        return datetime.now(UTC)


class Secret:
    """A text that shows nowhere: not in repr, str, format, pickle or JSON. Compared in constant time."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Give the text. Only for the function that builds the header or the signature."""
        return self._text

    def matches(self, candidate: str) -> bool:
        """Compare in constant time; a candidate with any character never raises."""
        return hmac.compare_digest(self._text.encode(), candidate.encode("utf-8", "surrogatepass"))

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return "Secret(***)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.matches(other._text)

    def __hash__(self) -> int:
        return hash(Secret)

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a Secret is not pickled")


class Headers:
    """HTTP headers as they came: names without case, repeated ones kept."""

    __slots__ = ("_pairs",)

    def __init__(self, headers: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        if isinstance(headers, Mapping):
            headers = cast("Mapping[str, str]", headers).items()
        self._pairs = tuple((name.lower(), value) for name, value in headers)

    def get_all(self, name: str) -> tuple[str, ...]:
        """All values of a header, in the order they came."""
        wanted = name.lower()
        return tuple(value for each, value in self._pairs if each == wanted)

    def get(self, name: str) -> str | None:
        """The first value of a header, or None."""
        return next(iter(self.get_all(name)), None)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._pairs)

    def __repr__(self) -> str:
        # Names only: values hold credentials and cookies.
        return f"Headers({sorted({name for name, _ in self._pairs})})"


class Budget(msgspec.Struct, frozen=True):
    """At most `limit` requests per `span`, counted under `key` over all workers of a store."""

    key: str
    limit: int
    span: timedelta


class Retry(Enum):
    """What the edge may do by itself when a request fails."""

    SAFE = "safe"
    """Reading or deleting: retried after transport faults, 429, 5xx, and a proxy's HTML 403."""
    SUBMIT = "submit"
    """Starts work that costs money: retried only when certainly not sent, or certainly not accepted (429, HTML 403)."""
    NEVER = "never"


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request, in values. `target` is path and query, already encoded, below the vendor's origin.

    `name` is what logs and errors call it: method and path template, without ids. Credentials are added by the edge.
    `follow` allows one redirect, taken without credentials. `timeout` replaces the usual total.
    A request whose retry is SUBMIT starts a job: the edge sends it on a fresh connection.
    """

    method: str
    target: str
    name: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    budget: Budget | None = None
    retry: Retry = Retry.SAFE
    follow: bool = False
    timeout: timedelta | None = None

    def __repr__(self) -> str:
        return f"Request({self.name})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("name", self.name)]


class Answer(msgspec.Struct, frozen=True):
    """A whole, small response: status, headers and the body's bytes."""

    status: int
    headers: Headers
    body: bytes

    def __repr__(self) -> str:
        return f"Answer({self.status}, {len(self.body)} bytes)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("status", self.status)]


class Response(Protocol):
    """A response whose body streams. Use as `async with`: leaving it gives the connection back or drops it."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Headers: ...

    def chunks(self) -> AsyncIterator[bytes]:
        """The decompressed body as it arrives. Raises TransportError when it is cut, PayloadError past the cap."""
        ...

    async def answer(self) -> Answer:
        """Read the whole body, up to the cap for small answers."""
        ...

    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *exc_info: object) -> None: ...


Conversation: TypeAlias = Generator[Request, Answer, T]
"""Yields requests, is sent their answers, returns what it learned. Owns no socket and knows no clock."""


class Shape(msgspec.Struct, Generic[R_co], frozen=True, kw_only=True):
    """Which array of a page holds which records.

    `rows`: names of the array's key, best first; empty when the whole body is the array. `next` and `count`: key paths
    of the link to the following page and of the total. `keep` refuses rows that are not of this subject, period or kind
    (vendors ignore unknown filters). `record_id` gives what de-duplication compares, or None. `remark` says what a
    record tells about its job (that data is missing), or None.
    """

    record: type[R_co]
    rows: tuple[str, ...] = ()
    next: tuple[tuple[str, ...], ...] = ()
    count: tuple[tuple[str, ...], ...] = ()
    keep: Callable[[Any], bool] | None = None
    record_id: Callable[[Any], str | None] | None = None
    remark: Callable[[Any, datetime], Observation | None] | None = None


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """What a page told beside its rows: the link to the next one as the vendor wrote it, the total, rows it held."""

    next: str | None = None
    count: int | None = None
    rows: int = 0


@dataclass(frozen=True)
class Walk(Generic[R_co]):
    """The way through the pages of one reading.

    Calling `steps` starts from the first page: the generator yields requests and is sent what each page told.
    """

    shape: Shape[R_co]
    steps: Callable[[], Generator[Request, Page, None]]


class Query(msgspec.Struct, Generic[R_co], frozen=True, kw_only=True):
    """A typed direct read, given to `session.list`. Subclasses live in the vendors' catalogues."""


class Vendor(Protocol):
    """One vendor's dialect: plain functions and generators, no `await`, no clock.

    `name` is what users call it; `account` the origin plus a hash of the key id; `origin` scheme, host and port that
    credentials may go to; `tasks` maps each stored kind to its type; `queries` the types `list` takes;
    `accepts_webhooks` whether deliveries can be proven (or proof was explicitly waived). Answers that fit nothing raise
    PayloadError; error answers to reads raise VendorError.
    """

    @property
    def name(self) -> str: ...
    @property
    def account(self) -> str: ...
    @property
    def origin(self) -> str: ...
    @property
    def tasks(self) -> Mapping[str, type[Task[Any]]]: ...
    @property
    def queries(self) -> tuple[type[object], ...]: ...
    @property
    def accepts_webhooks(self) -> bool: ...

    def credentials(self) -> Mapping[str, str]:
        """The headers that prove who we are. Called by the edge for each request to `origin`, kept nowhere."""
        ...

    def check(self, task: Task[Any], now: datetime) -> None:
        """Raise TaskError for what only the present day can tell (future dates). Shapes are checked at construction."""
        ...

    def lane(self, task: Task[Any]) -> str | None:
        """Name what only one open job may use at a time, or None."""
        ...

    def start(self, job: Job, now: datetime) -> Conversation[Observation]:
        """Submit a job once.

        The observation says pending (with `remote_id`), rejected, finished (answered synchronously; the body is
        dropped), uncertain (may have been accepted), or submitting with `retry_at` (certainly not accepted; try then).
        """
        ...

    def poll(self, jobs: Sequence[Job], now: datetime) -> Conversation[tuple[Observation, ...]]:
        """Look at all due jobs in as few requests as possible.

        Reports every row seen that may be a job of ours, due or not, and `gone` for a due job that is not known.
        """
        ...

    def find(self, job: Job, now: datetime) -> Conversation[Observation]:
        """Look for an uncertain submission: pending with its `remote_id`, or uncertain with `absent`/`abandon`."""
        ...

    def stop(self, job: Job, now: datetime) -> Conversation[Observation | None]:
        """Ask the vendor to end a job. Raises UnsupportedError where it has no such call."""
        ...

    def results(self, job: Job) -> Walk[object]:
        """The pages that hold a job's records. Raises UnsupportedError for tasks whose records have no list."""
        ...

    def list(self, query: Query[object]) -> Walk[object]:
        """The pages that answer a direct read."""
        ...

    def read_error(self, answer: Answer) -> VendorError:
        """Turn an error answer to a read into the error to raise."""
        ...

    def read_webhook(self, headers: Headers, body: bytes, now: datetime) -> tuple[Observation, ...]:
        """Verify a delivery, then decode it; empty for deliveries about no job.

        Raises SignatureError before a byte of the body is parsed, PayloadError for a proven delivery that cannot be
        read.
        """
        ...


class Store(Protocol):
    """Keeps jobs. Meaning, not mechanism: no status rules, no events, no business retries.

    Every method raises StoreError when the store cannot do it; then nothing was changed. What returned is durable
    (as far as the store promises durability at all). Opened and closed as `async with`.
    """

    async def put(self, job: Job, *, expected: int | None, observation: Observation | None = None) -> Job | None:
        """Write a job if it still has version `expected`; `None` demands that it is new.

        Returns None when written, else the stored job that stands in the way: its newer version or, for a new job, the
        open job with the same account and `key` (jobs without `key` and abandoned or superseded ones never stand in
        the way). `job.version` is the new version, chosen by the caller. The last 200 observations are kept for
        `timeline`. A written job is no longer leased.
        """
        ...

    async def get(self, job_id: str) -> Job | None:
        """Read one job."""
        ...

    async def find(self, account: str, remote_id: str) -> tuple[Job, ...]:
        """The jobs that the vendor knows by this id, compared in normal form. Usually none or one."""
        ...

    def open_jobs(self, accounts: Collection[str] | None = None, *, lane: str | None = None) -> AsyncIterator[Job]:
        """Every job with `is_open`, oldest first; all accounts for None."""
        ...

    async def claim_due(self, accounts: Collection[str], *, now: datetime, until: datetime, limit: int) -> list[Job]:
        """Lease up to `limit` open jobs whose `next_poll` is at or before `now`.

        A leased job is invisible to other callers until `until`, so two processes never poll the same job. Earliest
        first. Jobs without `next_poll` are never returned.
        """
        ...

    async def next_due(self, accounts: Collection[str]) -> datetime | None:
        """When `claim_due` will have something to give: the earliest instant an open job is due and not leased."""
        ...

    async def park(self, account: str, observation: Observation) -> None:
        """Keep an observation whose job is not known yet; bounded in number and bytes, the oldest go first."""
        ...

    async def parked(self, account: str, remote_id: str | None = None) -> tuple[Observation, ...]:
        """The parked observations about one remote id (normal form), or all of the account; oldest first."""
        ...

    async def unpark(self, account: str, observations: Collection[Observation]) -> None:
        """Drop parked observations that were applied or have become too old."""
        ...

    async def set_aside(self, account: str, body: bytes, at: datetime) -> None:
        """Keep an authentic delivery that could not be read; bounded like `park`."""
        ...

    async def reserve(self, budget: Budget, now: datetime) -> datetime:
        """Take one place in a budget and return the instant the request may go out: `now` or later."""
        ...

    async def lease(self, key: str, owner: str, *, now: datetime, until: datetime) -> int | None:
        """Take or renew a lease: the fencing token (grows with each change of owner), None while another holds it."""
        ...

    async def release(self, key: str, owner: str) -> None:
        """Give a lease back; nothing happens when it is not held by `owner`."""
        ...

    async def timeline(self, job_id: str) -> tuple[Observation, ...]:
        """The last observations of a job, oldest first."""
        ...

    async def forget(self, job_id: str) -> bool:
        """Drop a job and its timeline; whether there was one."""
        ...

    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *exc_info: object) -> None: ...
