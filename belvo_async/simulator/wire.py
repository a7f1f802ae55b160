"""What crosses the simulator's wire: JSON with exact money, requests as seen, answers as given."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final, TypeAlias

import msgspec

Json: TypeAlias = "bool | int | float | str | Decimal | list[Json] | dict[str, Json] | None"
JsonObject: TypeAlias = dict[str, Json]
Query: TypeAlias = dict[str, list[str]]

# A host with an optional port, as a client may name it: a name, an address, or one of IPv6 in brackets.
_HOST: Final = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
# Where "every address" is listened on, and this machine reaches it.
_EVERYWHERE: Final = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104

# Headers that would leak a credential into a log, an assertion message or a report.
SECRET_HEADERS: Final = frozenset({"authorization", "x-api-key", "cookie", "proxy-authorization"})

# Decimals become JSON number literals with their exact digits (12.30 stays 12.30): both vendors send
# amounts as numbers, and a float on the way would add artefacts no client could undo.
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


def encode(value: Json) -> bytes:
    """Encode to JSON; a Decimal is written as a number with exactly its own digits."""
    return _ENCODER.encode(value)


def decode(body: bytes) -> Json:
    """Decode a JSON body. Raises ValueError (msgspec.DecodeError) when it is not JSON."""
    value: Json = msgspec.json.decode(body)
    return value


@dataclass(kw_only=True)
class SeenRequest:
    """One request as it reached the simulator, without its credentials.

    `status` is None until the answer was decided; 0 when the connection was cut or left unanswered.
    `fault` names the fault that was played on it, if any.
    """

    method: str
    path: str
    query: Query
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    at: datetime
    status: int | None = None
    fault: str | None = None


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One webhook request the simulator made. `status` is 0 when nobody answered in time; it took `seconds`."""

    url: str
    body: bytes = field(repr=False)
    status: int
    attempt: int
    kind: str
    at: datetime
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """A request as a route sees it; `args` are the parts of the path named by its template.

    `asked` is the query word for word, with its question mark; empty without one.
    """

    method: str
    path: str
    query: Query
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    args: Mapping[str, str] = field(default_factory=dict[str, str])
    fault: str | None = None
    asked: str = ""

    def one(self, name: str) -> str | None:
        """Give the last value of a query parameter, as web frameworks do; None when absent."""
        values = self.query.get(name)
        return values[-1] if values else None

    def origin(self, otherwise: str) -> str:
        """Give the origin as the client named it by Host: a container's or a proxy's port map may have changed it."""
        host = self.headers.get("Host", "")
        scheme = self.headers.get("X-Forwarded-Proto", "http")
        if not _HOST.fullmatch(host) or scheme not in ("http", "https"):
            return otherwise
        return f"{scheme}://{host}"


@dataclass(frozen=True, kw_only=True)
class Reply:
    """A response before it becomes bytes on a socket."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


def answer(status: int, value: Json, content_type: str = "application/json") -> Reply:
    """Answer `value` as JSON."""
    return Reply(status=status, body=encode(value), content_type=content_type)


def address(host: str, port: int) -> str:
    """Give the origin under which this machine reaches what listens there."""
    name = _EVERYWHERE.get(host, host)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


Handler: TypeAlias = Callable[[Incoming], Awaitable[Reply]]


class Route:
    """One method and path template, such as `GET /api/links/{id}/`.

    `query` and `headers` name what it understands beside its path; whatever else is asked is left alone.
    """

    def __init__(
        self, method: str, template: str, handler: Handler, *, query: Sequence[str] = (), headers: Sequence[str] = ()
    ) -> None:
        self.query = tuple(query)
        self.headers = tuple(headers)
        self.method = method
        self.template = template
        self.handler = handler
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(template))
        self._pattern = re.compile(pattern)

    @property
    def name(self) -> str:
        """Method and template: what a rate budget is counted by."""
        return f"{self.method} {self.template}"

    def match(self, path: str) -> dict[str, str] | None:
        """Give the named parts of `path`, or None when it is another resource."""
        found = self._pattern.fullmatch(path)
        return found.groupdict() if found else None
