"""The contract of a dialect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from ..errors import VendorError
from ..jobs import Job, Observation, Task
from .exchange import Answer, Call, Conversation, Download, Fetch, Headers, Query, Walk
from .listings import ListRules
from .plans import PlanRules


class Vendor(Protocol):
    """One vendor's dialect: plain functions and generators, no `await`, no clock.

    `name` is what users call it; `account` the origin plus the account's name, or a hash of its oldest key's id;
    `former_accounts` those whose jobs are followed as well, since they were fired under another name or key of the same
    account (a vendor may lack this: then there are none); `origin` scheme, host and port that credentials may go to;
    `tasks` maps each stored kind to its type; `queries`, `calls` and `downloads` are the types that `list`, `call` and
    `download` take; `accepts_webhooks` whether deliveries can be proven (or proof was explicitly waived); `plans` says
    by resource how requests may be cut that a plan asks for; `listings` by a word of our own which lists there are, and
    how a copy of them is kept; `changes` how changes of its records are told (`abc.changes`; a vendor may lack this:
    then none are); `managed_webhooks` what its API offers for its webhooks (`ManagedWebhooks`; a vendor whose API has
    nothing for them lacks this). Answers that fit nothing raise PayloadError; error answers to reads raise VendorError.
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
    def calls(self) -> tuple[type[object], ...]: ...
    @property
    def downloads(self) -> tuple[type[object], ...]: ...
    @property
    def accepts_webhooks(self) -> bool: ...
    @property
    def plans(self) -> Mapping[str, PlanRules]: ...
    @property
    def listings(self) -> Mapping[str, ListRules]: ...

    def credentials(self) -> Mapping[str, str]:
        """The headers that prove who we are. Called by the edge for each request to `origin`, kept nowhere."""
        ...

    def check(self, task: Task[Any], now: datetime) -> None:
        """Raise TaskError for what only the present day can tell (future dates), and for what nobody could read.

        Shapes are checked at construction.
        """
        ...

    def lane(self, task: Task[Any]) -> str | None:
        """Name what only one open job may use at a time, or None."""
        ...

    def start(self, job: Job, now: datetime) -> Conversation[Observation]:
        """Submit a job once.

        The observation says pending (with `remote_id`), rejected, finished (answered synchronously; the body is
        dropped) or uncertain (may have been accepted), or is `Later` (certainly not accepted; try again then).
        """
        ...

    def poll(self, jobs: Sequence[Job], now: datetime) -> Conversation[tuple[Observation, ...]]:
        """Poll all due jobs in as few requests as possible.

        Reports every row seen that may be a job of ours, due or not, and `Gone` for a due job that is not known.
        """
        ...

    def find(self, job: Job, now: datetime) -> Conversation[Observation]:
        """Look for an uncertain submission: what was found, with its `remote_id`, or `Absent`."""
        ...

    def catch_up(self, since: datetime, now: datetime) -> Conversation[tuple[Observation, ...]]:
        """What the vendor announced since an instant, for after a time in which nobody listened.

        Empty where it keeps no list of its announcements. Snapshots may be old and in any order.
        """
        ...

    def stop(self, job: Job, now: datetime) -> Conversation[Observation | None]:
        """Ask the vendor to end a job. Raises UnsupportedError where it has no such call."""
        ...

    def results(self, job: Job, resource: str | None = None) -> Walk[object]:
        """The pages that hold a job's records: of `resource`, or of the one its task is about.

        Raises UnsupportedError for tasks whose records have no list, and TaskError (field `resource`) where a job
        brings several resources and none, or another one, is named.
        """
        ...

    def list(self, query: Query[object]) -> Walk[object]:
        """The pages that answer a direct read."""
        ...

    def call(self, call: Call[object], now: datetime) -> Conversation[object]:
        """Carry out a plain call. Raises VendorError for an error answer."""
        ...

    def download(self, download: Download) -> Conversation[Fetch]:
        """Find out how to read a file. Raises VendorError for an error answer."""
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
