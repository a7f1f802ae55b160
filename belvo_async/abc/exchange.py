"""What passes between the rooms: secrets, headers, requests, answers, and the shape of pages."""

from __future__ import annotations

import hmac
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, IntEnum
from typing import Any, Generic, Protocol, Self, TypeAlias, TypeVar, cast

import msgspec

from ..discreet import discreet
from ..errors import ConfigurationError
from ..jobs import Observation

R_co = TypeVar("R_co", covariant=True)
T = TypeVar("T")


class Clock(Protocol):
    """Where the wall clock comes from. Sleeping goes through the event loop; tests replace both together."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...


class Secret:
    """A text that shows nowhere: not in repr, str, format, pickle or JSON. Compared in constant time.

    Raises ConfigurationError for one that UTF-8 cannot hold: encoding it later would fail with the text in the error.
    """

    __slots__ = ("_text",)

    @discreet
    def __init__(self, text: str) -> None:
        if any("\ud800" <= char <= "\udfff" for char in text):
            raise ConfigurationError("a secret holds characters that no UTF-8 text can")
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

    __slots__ = ("_pairs", "_values")

    def __init__(self, headers: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        if isinstance(headers, Mapping):
            headers = cast("Mapping[str, str]", headers).items()
        self._pairs = [(name.lower(), value) for name, value in headers]
        self._values: dict[str, list[str]] = {}
        for name, value in self._pairs:
            self._values.setdefault(name, []).append(value)

    def get_all(self, name: str) -> tuple[str, ...]:
        """All values of a header, in the order they came."""
        return tuple(self._values.get(name.lower(), ()))

    def get(self, name: str) -> str | None:
        """The first value of a header, or None."""
        values = self._values.get(name.lower())
        return None if values is None else values[0]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._pairs)

    def __repr__(self) -> str:
        # Names only: values hold credentials and cookies.
        return f"Headers({sorted(self._values)})"


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
    """Starts work that costs money: retried only when certainly not sent, or certainly not accepted (429, HTML 403).

    One that needs a `Permit` is retried only until it was asked for.
    """
    NEVER = "never"


class Urgency(IntEnum):
    """Which of our own requests go first where they wait for each other: for a connection, or a place in a budget.

    Within one kind, who came first. A less urgent one is passed by a bounded number of others.
    """

    INTERACTIVE = 0
    """Somebody waits for this one: a single submission, a call."""
    BULK = 1
    """One of many: submissions of a run, the reading of records."""
    POLL = 2
    """Polls and what is like them: a webhook may make them needless."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request, in values. `target` is path and query, already encoded, below the vendor's origin.

    `name` is what logs and errors call it: method and path template, without ids. Credentials are added by the edge.
    `follow` allows redirects, up to five, taken without credentials and headers, from https to https only and to no
    network that is not public, unless the origin itself is there. `timeout` replaces the usual total. With `is_large`,
    an answer that is read whole may be as large as any body.
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
    is_large: bool = False

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

    def chunks(self) -> AsyncGenerator[bytes, None]:
        """The decompressed body as it arrives. Raises TransportError when it is cut, PayloadError past the cap."""
        ...

    async def answer(self) -> Answer:
        """Read the whole body, up to the cap for small answers."""
        ...

    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *exc_info: object) -> None: ...


Permit: TypeAlias = Callable[[], Awaitable[None]]
"""Asked once, when a request that starts work has its turn and its connection, and not a byte of it has left.

Returns when it may go out. Whatever it raises comes out of the sending instead, and nothing was sent.
"""

Conversation: TypeAlias = Generator[Request, Answer, T]
"""Yields requests, is sent their answers, returns what it learned. Owns no socket and knows no clock."""


class Shape(msgspec.Struct, Generic[R_co], frozen=True, kw_only=True):
    """Which array of a page holds which records.

    `rows`: names of the array's key, best first; empty when the whole body is the array. `next` and `count`: key paths
    of the link to the following page and of the total. `keep` refuses rows that are not of this subject, period or kind
    (vendors ignore unknown filters). `record_id` gives what de-duplication compares, or None. `remark` says what a
    record tells about its job (that data is missing), or None. When rows are decoded into a type of the caller's own,
    these three look at a `guard` of the same row instead: a small struct of just the fields they read (without one, a
    whole `record`).

    Rows that do not fit are read tolerantly, and what cannot be read of them is None: it is no reason to refuse a row.
    Where `keep` takes None for one, `keep_odd` decides in its place, given the attributes that could not be read (as
    paths like `taxpayer.id`). With `has_ids`, a row that does not fit and shows no id is an error; without, some rows
    are documented to have none.
    """

    record: type[R_co]
    rows: tuple[str, ...] = ()
    next: tuple[tuple[str, ...], ...] = ()
    count: tuple[tuple[str, ...], ...] = ()
    keep: Callable[[Any], bool] | None = None
    keep_odd: Callable[[Any, Collection[str]], bool] | None = None
    record_id: Callable[[Any], str | None] | None = None
    remark: Callable[[Any, datetime], Observation | None] | None = None
    guard: type[object] | None = None
    has_ids: bool = True


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """What a page told beside its rows: the link to the next one as the vendor wrote it, the total, rows it held.

    `rows` is 0 until all of them are counted.
    """

    next: str | None = None
    count: int | None = None
    rows: int = 0

    def __repr__(self) -> str:
        # The link holds the filters of the list, which may name a taxpayer.
        return f"Page({self.rows} rows of {self.count})"


@dataclass(frozen=True, repr=False)
class Walk(Generic[R_co]):
    """The way through the pages of one reading: a value, which any number of readings may follow.

    `steps(None)` starts from the first page, `steps(target)` from a page met before (raising TaskError for a target
    of another reading): the generator yields requests and is sent what each page told. `ahead` guesses, from a request
    and what is known of its page so far, the requests `steps` will ask for next, nearest first: they may be sent
    early, and are dropped unless `steps` yields just the same.
    """

    shape: Shape[R_co]
    steps: Callable[[str | None], Generator[Request, Page, None]]
    ahead: Callable[[Request, Page], Iterable[Request]] | None = None


class Query(msgspec.Struct, Generic[R_co], frozen=True, kw_only=True):
    """A typed direct read, given to `session.list`. Subclasses live in the vendors' catalogues."""


class Call(msgspec.Struct, Generic[R_co], frozen=True, kw_only=True):
    """One plain exchange, given to `session.call`: made at once, stored nowhere, so it may carry secrets.

    Subclasses live in the vendors' catalogues. No repr shows a field that holds one.
    """

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []


class Download(msgspec.Struct, frozen=True, kw_only=True):
    """A file to read as bytes, given to `session.download`. Subclasses live in the vendors' catalogues."""


class Fetch(msgspec.Struct, frozen=True, kw_only=True):
    """How to read a file: the request whose body it is, and its length in bytes where the vendor tells it."""

    request: Request
    size_bytes: int | None = None
