"""What a vendor's API offers for its webhooks: where deliveries go, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol, cast

import msgspec

from ..discreet import discreet
from ..errors import TaskError
from ..jobs import Job
from .exchange import Conversation, Headers, Secret


class HookEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where a vendor sends deliveries, which, and by which secret they are proven.

    `secret` is None where the vendor does not tell. No repr shows the address: it may hold a password.
    """

    id: str
    url: str
    events: tuple[str, ...] = ()
    is_enabled: bool = True
    content_type: str | None = None
    secret: Secret | None = None
    created_at: datetime | None = None

    def __repr__(self) -> str:
        return f"HookEndpoint({self.id})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("id", self.id)]


class DeliveryAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """One try of a vendor's to deliver something, as it recorded it. `status` is 0 where nobody answered.

    `event` is what it was about where that was asked for: vendors need not tell it.
    """

    id: str
    status: int
    url: str = ""
    endpoint: str | None = None
    took: timedelta | None = None
    at: datetime | None = None
    event: str | None = None

    def __repr__(self) -> str:
        return f"DeliveryAttempt({self.id}, {self.status})"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return [("id", self.id)]

    @property
    def is_accepted(self) -> bool:
        """Whether the receiver took it: any answer of 200 to 299."""
        return 200 <= self.status < 300


class AttemptFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which attempts are asked for, the newest `limit` of them. `job`: those that told how it goes on.

    Raises TaskError for a job that its vendor has not named yet, and for no positive number of attempts.
    """

    url: str | None = None
    event: str | None = None
    status: int | None = None
    job: Job | None = None
    limit: int = 100

    @discreet
    def __post_init__(self) -> None:
        limit = cast("object", self.limit)
        if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
            raise TaskError("limit must be a whole number, at least 1", field="limit")
        if self.job is None:
            return
        if not isinstance(cast("object", self.job), Job):
            raise TaskError("job must be a Job: a handle has it as its `job`", field="job")
        if self.job.remote_id is None:
            raise TaskError("job must be one that its vendor has named: of others nothing was delivered", field="job")
        if self.event is not None:
            raise TaskError("event must be left out where a job is given: the job tells it", field="event")


class ManagedWebhooks(Protocol):
    """A vendor whose webhooks can be managed by its API: conversations as those of `Vendor`, which offers this.

    `url` is where this account's deliveries are to come, None where nobody said; `needed` the events a session lives
    by; `offered` all there are; `variable` which variable of the environment holds the secrets. Error answers raise
    VendorError; what it would refuse raises TaskError before a byte.
    """

    @property
    def url(self) -> str | None: ...
    @property
    def needed(self) -> tuple[str, ...]: ...
    @property
    def offered(self) -> tuple[str, ...]: ...
    @property
    def variable(self) -> str: ...

    def knows(self, secret: Secret) -> bool:
        """Whether deliveries that are proven by a secret are taken: it is one of ours, or proof was waived."""
        ...

    def endpoints(self, url: str | None = None) -> Conversation[tuple[HookEndpoint, ...]]:
        """Every endpoint of the account, or those with exactly this address; the oldest first."""
        ...

    def create(
        self, url: str, events: Sequence[str], *, is_enabled: bool, content_type: str | None = None
    ) -> Conversation[HookEndpoint]:
        """Make an endpoint, with the secret the vendor gives it. Sent once: after a TransportError, look first."""
        ...

    def replace(self, endpoint: HookEndpoint) -> Conversation[HookEndpoint]:
        """Bring an endpoint to what is said here; its secret stays."""
        ...

    def delete(self, endpoint: HookEndpoint) -> Conversation[None]:
        """Delete an endpoint. One that is gone already is as good as deleted."""
        ...

    def attempts(self, asked: AttemptFilter) -> Conversation[tuple[DeliveryAttempt, ...]]:
        """What was recorded of deliveries, the newest first."""
        ...

    def specimen(self, endpoint: HookEndpoint, now: datetime) -> tuple[Headers, bytes]:
        """A delivery of our own that looks and is proven as the vendor's would be, and is about nothing.

        Raises UnsupportedError where the vendor does not tell the endpoint's secret.
        """
        ...
