"""What the simulated Belvo remembers: links, jobs, and the rows it has collected."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, get_args

from ..cfdi import Cfdi
from ..taxpayers import Taxpayer
from ..wire import Json, JsonObject
from .linking.checks import FETCHABLE
from .linking.institutions import SANDBOX
from .lists import Test
from .rows.invoices import Filed, stamp

BelvoOutcome = Literal["finished", "failed", "silent", "stuck"]
OUTCOMES: tuple[str, ...] = get_args(BelvoOutcome)
# Work on a link that is no POST of one resource: a refresh, what follows its creation, its deletion.
REFRESH, HISTORICAL, LINK_DELETION = "REFRESH", "HISTORICAL", "LINK_DELETION"
KINDS: Final = (*FETCHABLE, REFRESH, HISTORICAL, LINK_DELETION)
# "A link turns invalid after six unsuccessful POSTs" (error catalogue, invalid_link).
FAILED_POSTS_LIMIT: Final = 6
_REMEMBERED_LISTS: Final = 64


@dataclass(kw_only=True)
class Link:
    """One connected taxpayer."""

    id: str
    subject: Taxpayer = field(repr=False)
    external_id: str | None
    institution_user_id: str
    created_by: str
    created_at: datetime
    institution: str = SANDBOX
    access_mode: str = "single"
    credentials_storage: str = "365d"
    fetch_resources: tuple[str, ...] = FETCHABLE
    stale_in: str = "365d"
    status: str = "valid"
    last_accessed_at: datetime | None = None
    failed_posts: int = 0
    asks_token: bool = False  # at every retrieval
    is_open: bool = False  # a token that was given lets one retrieval through
    refreshed: float | None = None  # loop time of the last accepted refresh

    def row(self) -> JsonObject:
        """Give the link as Belvo shows it."""
        resources: list[Json] = list(self.fetch_resources)
        return {
            "id": self.id,
            "institution": self.institution,
            "access_mode": self.access_mode,
            "last_accessed_at": stamp(self.last_accessed_at) if self.last_accessed_at else None,
            "created_at": stamp(self.created_at),
            "external_id": self.external_id,
            "institution_user_id": self.institution_user_id,
            "status": self.status,
            "created_by": self.created_by,
            "refresh_rate": "7d" if self.access_mode == "recurrent" else None,
            "credentials_storage": self.credentials_storage,
            "fetch_resources": resources,
            "stale_in": self.stale_in,
        }

    def wants_token(self) -> bool:
        """Tell whether a retrieval must bring a token first; one was given by PATCH /api/links/ at most once."""
        if self.status == "token_required":
            return True
        was_open, self.is_open = self.is_open, False
        return self.asks_token and not was_open

    def count_failure(self) -> None:
        """Count an unsuccessful POST; the sixth in a row makes the link invalid."""
        self.failed_posts += 1
        if self.failed_posts >= FAILED_POSTS_LIMIT:
            self.status = "invalid"

    def holds_credentials(self, now: datetime) -> bool:
        """Tell whether the credentials are still stored (`nostore`, `30d`: not, or not any more)."""
        if self.credentials_storage in ("store", "nostore"):
            return self.credentials_storage == "store"
        return now < self.created_at + timedelta(days=int(self.credentials_storage.removesuffix("d")))


@dataclass(frozen=True, kw_only=True)
class BelvoScript:
    """What a coming job is to do. `link` None fits every link, `resource` None every accepted request."""

    link: str | None = None
    resource: str | None = None
    outcome: BelvoOutcome = "finished"
    error_code: str = "institution_down"
    duration: timedelta | None = None
    unreported: frozenset[str] = frozenset()

    def fits(self, link: str, resource: str) -> bool:
        """Tell whether it is meant for this job; a historical run is no request and must be named."""
        wanted = resource != HISTORICAL if self.resource is None else resource == self.resource
        return wanted and self.link in (None, link)


@dataclass(kw_only=True)
class BelvoJob:
    """One accepted request. `state` is `running`, `finished` or `failed`; `outcome` was decided at the start."""

    request_id: str
    link: Link
    resource: str
    body: JsonObject = field(repr=False)
    outcome: BelvoOutcome
    error_code: str
    duration: timedelta
    created_at: datetime
    is_async: bool
    unreported: frozenset[str] = frozenset()
    state: str = "running"
    finished_at: datetime | None = None
    count: int = 0
    plan: list[Cfdi] = field(default_factory=list[Cfdi], repr=False)
    started: float = field(default=0.0, repr=False)  # loop time
    timer: asyncio.TimerHandle | None = field(default=None, repr=False)

    @property
    def attaches_xml(self) -> bool:
        """Tell whether the XML text was asked for."""
        return self.body.get("attach_xml") is True

    @property
    def saves_data(self) -> bool:
        """Tell whether Belvo keeps what it collects."""
        return self.body.get("save_data", True) is True


class Archive:
    """Rows collected so far, per resource, in the order they were first collected."""

    def __init__(self) -> None:
        self._tables: dict[str, dict[str, Filed]] = {resource: {} for resource in FETCHABLE}
        self._found: dict[tuple[str, str], list[Filed]] = {}

    def keep(self, resource: str, rows: Sequence[Filed], *, in_front: bool = False) -> None:
        """Store rows; one collected before is replaced in its place."""
        fresh = {filed.id: filed for filed in rows}
        if fresh:
            self._found.clear()
            if in_front:
                self._tables[resource] = {**fresh, **self._tables[resource]}
            else:
                self._tables[resource].update(fresh)

    def get(self, resource: str, number: str) -> Filed | None:
        """Give a row by its id."""
        return self._tables[resource].get(number)

    def drop(self, resource: str, number: str) -> bool:
        """Delete a row; False when there is none."""
        self._found.clear()
        return self._tables[resource].pop(number, None) is not None

    def forget(self, link: str) -> None:
        """Delete everything that came through a link."""
        self._found.clear()
        for resource, table in self._tables.items():
            self._tables[resource] = {number: filed for number, filed in table.items() if filed.link != link}

    def find(self, resource: str, tests: Sequence[Test], question: str) -> list[Filed]:
        """Give the rows that pass all tests.

        `question` stands for the tests: pages of one list are asked for one after the other, and testing every
        row again for each of them would cost more than the page itself.
        """
        key = (resource, question)
        if key not in self._found:
            if len(self._found) >= _REMEMBERED_LISTS:
                self._found.clear()
            self._found[key] = [row for row in self._tables[resource].values() if all(test(row) for test in tests)]
        return self._found[key]
