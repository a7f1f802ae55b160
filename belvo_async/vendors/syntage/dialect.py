"""Syntage's dialect: our words to its HTTP and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Self

from ...abc import (
    Answer,
    Call,
    Conversation,
    Download,
    Fetch,
    Headers,
    ManagedWebhooks,
    PlanRules,
    Query,
    Walk,
    catalogue_of,
)
from ...accounts import identify, read_keys, read_name
from ...discreet import discreet
from ...errors import SignatureError, TaskError, UnsupportedError, VendorError
from ...jobs import Job, Observation, Task
from ...origins import choose_origin
from ...payload import whole
from ...settings import Variables, read_flag, read_timeout
from .calls import carry_out, fetch
from .errors import read_error
from .events import catch_up
from .find import find
from .lists import walk_query
from .plans import PLAN_RULES
from .poll import poll
from .results import check_readable, walk_results
from .schema.listings import LISTINGS
from .schema.options import Period
from .schema.tasks import Export, Extraction
from .settings import ORIGINS, read_key, read_secrets, read_webhook_url
from .start import start
from .stop import stop
from .webhooks import read_event, verify
from .workspace.webhooks import SyntageWebhooks

if TYPE_CHECKING:
    from ...abc.changes import ChangeRules

_PACKAGE: Final = __name__.rpartition(".")[0]


class Syntage:
    """Syntage, formerly Satws (docs.syntage.com). Implements `Vendor`.

    `environment` is `sandbox` or `production`; `base_url` replaces its address (https, or http on loopback).
    `webhook_secrets` are the signing secrets of the endpoints, one or several, at least 16 characters each. With
    `confirm`, a webhook only makes the job due for a poll. `allow_unauthenticated` takes deliveries unproven while no
    secret is given. `webhook_url` is where Syntage reaches the receiver: the address of the endpoint that a session
    checks (`Session(check_webhooks=...)`) and that commands are about.
    `account` names the account whose jobs these are, so that they outlive its keys. Without a name the account is that
    of the key, or of the oldest of `previous_keys`: give those (the oldest last) while a key is being changed, with a
    name or without, and jobs that were fired under them are followed. They are sent nowhere.
    `timeout` is how long an answer may take to begin and may be silent, for accounts whose lists take longer than the
    usual (half a minute; three minutes for lists; what a submission needs goes before it).
    Raises ConfigurationError.
    """

    required_variables: ClassVar[tuple[str, ...]] = ("SYNTAGE_API_KEY",)
    documented_plans: ClassVar[Mapping[str, PlanRules]] = PLAN_RULES

    # What one shows that could not be made.
    origin = "refused"

    @discreet
    def __init__(
        self,
        api_key: str,
        *,
        base_url: str | None = None,
        environment: Literal["sandbox", "production"] = "sandbox",
        webhook_secrets: str | Sequence[str] = (),
        confirm: bool = False,
        webhook_url: str | None = None,
        allow_unauthenticated: bool = False,
        account: str | None = None,
        previous_keys: str | Sequence[str] = (),
        timeout: timedelta | None = None,
    ) -> None:
        self._key = read_key(api_key)
        self.name = "syntage"
        self.tasks, self.queries, self.calls, self.downloads = catalogue_of(_PACKAGE)
        self.plans, self.listings = PLAN_RULES, LISTINGS
        self.timeout = read_timeout(timeout)
        self.origin = choose_origin(base_url, environment, ORIGINS)
        self._secrets = read_secrets(webhook_secrets)
        self._webhook_url = read_webhook_url(webhook_url)
        keys = (self._key, *read_keys(previous_keys))
        named = read_name(account, [*keys, *self._secrets])
        self.account, self.former_accounts = identify(self.origin, keys, named)
        self._confirm = read_flag(confirm, "confirm")
        self._allow_unauthenticated = read_flag(allow_unauthenticated, "allow_unauthenticated")

    @classmethod
    @discreet
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read SYNTAGE_API_KEY, and if set SYNTAGE_ENV, SYNTAGE_BASE_URL, SYNTAGE_WEBHOOK_SECRET, SYNTAGE_WEBHOOK_URL,
        SYNTAGE_ACCOUNT and SYNTAGE_PREVIOUS_KEYS.

        Several secrets or keys are parted by commas. Raises ConfigurationError naming the variable that is missing or
        wrong.
        """
        given = Variables("SYNTAGE_", environ)
        key, secrets = given.need("API_KEY"), given.several("WEBHOOK_SECRET")
        url = given.get("WEBHOOK_URL")
        read_webhook_url(url, given.name("WEBHOOK_URL"))
        return cls(key, webhook_secrets=secrets, webhook_url=url, **given.common(ORIGINS, (key, *secrets)))

    def __repr__(self) -> str:
        return f"Syntage({self.origin})"

    @property
    def changes(self) -> Mapping[str, ChangeRules]:
        """How changes of records are told, by resource. Loaded when first asked for."""
        from .changes.rules import CHANGE_RULES

        return CHANGE_RULES

    @property
    def managed_webhooks(self) -> ManagedWebhooks:
        """Its endpoints and deliveries, by its API."""
        return SyntageWebhooks(url=self._webhook_url, secrets=self._secrets, is_waived=self._allow_unauthenticated)

    @property
    def accepts_webhooks(self) -> bool:
        """Whether deliveries can be proven, or proof was waived."""
        return bool(self._secrets) or self._allow_unauthenticated

    def credentials(self) -> Mapping[str, str]:
        """The API key header, the only credential there is (guides/api/environments)."""
        return {"X-API-Key": self._key.reveal()}

    def check(self, task: Task[Any], now: datetime) -> None:
        """Refuse what would be billed for nothing.

        A period that ends after today would miss what is yet to come; of what an extraction in the taxpayer form
        brings, only invoices could be read.
        """
        own = _own(task)
        if isinstance(own, Extraction):
            check_readable(own)
        period = getattr(own, "period", None)
        if isinstance(period, Period) and period.last >= _end_of_today(now):
            raise TaskError("options.period.to must not lie in the future", field="options.period.to")

    def lane(self, task: Task[Any]) -> str | None:
        """None: different extractions of an entity do not exclude each other, nor do exports."""
        return None

    def start(self, job: Job, now: datetime) -> Conversation[Observation]:
        """`POST /extractions` or `POST /exports`, once.

        A 409 joins the equal extraction that is under way. A 429 is submitting with `retry_at`, and so is a 409 whose
        extraction cannot be found, until the third attempt is rejected. Whatever may have been accepted is uncertain,
        any 5xx included: Syntage documents no error code of its own there.
        """
        return start(job, _own(job.task), now)

    def poll(self, jobs: Sequence[Job], now: datetime) -> Conversation[tuple[Observation, ...]]:
        """See `Vendor.poll`; extractions are polled by id or by their list, exports by id."""
        return poll(jobs, now)

    def find(self, job: Job, now: datetime) -> Conversation[Observation]:
        """Search for an equal extraction in the list, for an equal export in the events, created since the attempt.

        The newest wins. Given up after two minutes of absence.
        """
        return find(job, _own(job.task), now)

    def catch_up(self, since: datetime, now: datetime) -> Conversation[tuple[Observation, ...]]:
        """Read the events about extractions since an instant; see `events`."""
        return catch_up(since, now)

    def stop(self, job: Job, now: datetime) -> Conversation[Observation | None]:
        """`DELETE /extractions/{id}/stop`. One that has not started ends as cancelled, unbilled; others are stopping.

        A 409 means it is over already: the observation says how. Raises UnsupportedError for a job without remote id,
        and for an export, which cannot be stopped.
        """
        if isinstance(_own(job.task), Export):
            raise UnsupportedError("Syntage has no way to stop an export")
        return stop(job, now)

    def results(self, job: Job, resource: str | None = None) -> Walk[object]:
        """The pages of what an extraction brought: the list that goes with its extractor, or the one `resource` names.

        An `invoice` extraction brings `invoices` (`Invoice`), `line-items` (`InvoiceLineItem`), `payments`
        (`InvoicePayment`) and `credit-notes` (`InvoiceCreditNote`); `rpc` brings `entidades` and `actos`, `rug`
        `garantias` and `operaciones`; the others bring one list. Payments name no date and no kind, so all of the
        entity's are given. Raises TaskError (field `resource`) naming the words, UnsupportedError for an export and for
        lists that the deprecated taxpayer form does not have.
        """
        task = _own(job.task)
        if isinstance(task, Export):
            raise UnsupportedError(
                "an export brings a file, not records: session.download(syntage.ExportFile(job.remote_id))"
            )
        return walk_results(task, resource)

    def list(self, query: Query[object]) -> Walk[object]:
        """The pages that answer one of `queries`."""
        return walk_query(query)

    def call(self, call: Call[object], now: datetime) -> Conversation[object]:
        """Carry out one of `calls`."""
        return carry_out(call)

    def download(self, download: Download) -> Conversation[Fetch]:
        """Find out how to read one of `downloads`."""
        return fetch(download)

    def read_error(self, answer: Answer) -> VendorError:
        """The error to raise for an error answer to a read; `request_id` is `X-Request-ID` (guides/api/request-ids)."""
        return read_error(answer)

    @discreet
    def read_webhook(self, headers: Headers, body: bytes, now: datetime) -> tuple[Observation, ...]:
        """Verify the signature over the raw body, then read the event. Empty for events about no job."""
        if self._secrets:
            verify(headers, body, self._secrets, now)
        elif not self._allow_unauthenticated:
            raise SignatureError("no webhook secret is configured, so nothing can be proven")
        return whole(read_event, body, now, confirm=self._confirm)


# The tax office's days are those of Mexico, and end after the day in UTC does (Cancun to Tijuana).
_ZONES: Final = (UTC, *(timezone(timedelta(hours=-hours)) for hours in (5, 6, 7, 8)))


def _end_of_today(now: datetime) -> datetime:
    """When the day that runs now has ended in UTC and everywhere in Mexico."""
    tomorrows = (now.astimezone(zone) + timedelta(days=1) for zone in _ZONES)
    return max(datetime.combine(each.date(), time.min, each.tzinfo) for each in tomorrows)


def _own(task: Task[Any]) -> Extraction[Any] | Export:
    if not isinstance(task, (Extraction, Export)):
        raise UnsupportedError(f"{task.kind} is not a task for Syntage")
    return task
