"""Belvo's dialect: the `Vendor` that turns our words into its HTTP and back."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Final, Self

from ...abc import (
    Answer,
    Budget,
    Call,
    Conversation,
    Download,
    Fetch,
    Headers,
    PlanRules,
    Query,
    Secret,
    Walk,
    catalogue_of,
)
from ...accounts import identify, read_keys, read_name
from ...discreet import discreet
from ...errors import TaskError, UnsupportedError, VendorError
from ...jobs import Job, Observation, Task
from ...origins import choose_origin
from ...payload import whole
from ...settings import Variables, read_flag, read_span, read_timeout
from .calls import carry_out
from .errors import read_error
from .find import find
from .lists import walk_query
from .plans import plan_rules
from .poll import PATIENCE, QUIET, poll
from .results import walk_results
from .schema.listings import LISTINGS
from .schema.tasks import Invoices
from .settings import ORIGINS, Keys, Pace, read_authorization, read_id, read_password
from .start import start
from .webhooks import read_delivery, verify

if TYPE_CHECKING:
    from ...abc.changes import ChangeRules

# Error catalogue: 80 requests per 30 s and source address; above it, the proxy answers with a page and may block.
RATE_LIMIT: Final = 80
RATE_SPAN: Final = timedelta(seconds=30)

_PACKAGE: Final = __name__.rpartition(".")[0]


class Belvo:
    """Belvo for Mexican fiscal data: `Session(Belvo(secret_id, secret_password))`.

    `environment` is `sandbox` or `production`; `base_url` replaces its address, for a simulator or a relay (https,
    except on loopback). `webhook_authorization` is the whole Authorization value typed into Belvo's dashboard, such as
    `Bearer ...`; without it deliveries are refused, unless `allow_unauthenticated` waives the proof.
    `budget=False` leaves out the pacing to 80 requests in 30 s, for accounts that Belvo exempted. `quiet` is how long
    Belvo must stay quiet before an end that it does not announce is inferred: of a `Refresh` since its last report, of
    other jobs over three equal polls. Less is for simulators: Belvo's own reports come minutes apart. Where none of the
    job's records came since its POST, nothing speaks for success: the job is given up (JobUnconfirmedError), at once
    without webhooks, else after 24 times as long, for the webhook may only be late (a `Refresh` always then).
    `account` names the account whose jobs these are, so that they outlive its keys. Without a name the account is that
    of the secret id (a new password changes nothing), or of the oldest of `previous_keys`, earlier secret ids: give
    those (the oldest last) while a key is being changed, with a name or without, and jobs that were fired under them
    are followed. They are sent nowhere.
    `timeout` is how long an answer may take to begin and may be silent, for accounts whose lists take longer than the
    usual (half a minute; three minutes for lists; what a submission needs goes before it).
    Raises ConfigurationError for anything missing or unsafe.
    """

    required_variables: ClassVar[tuple[str, ...]] = ("BELVO_SECRET_ID", "BELVO_SECRET_PASSWORD")
    documented_plans: ClassVar[Mapping[str, PlanRules]] = plan_rules(None)

    # What one shows that could not be made.
    origin = "refused"

    @discreet
    def __init__(
        self,
        secret_id: str,
        secret_password: str,
        *,
        base_url: str | None = None,
        environment: str = "sandbox",
        webhook_authorization: str | None = None,
        allow_unauthenticated: bool = False,
        budget: bool = True,
        quiet: timedelta = QUIET,
        account: str | None = None,
        previous_keys: str | Sequence[str] = (),
        timeout: timedelta | None = None,
    ) -> None:
        self._keys = Keys(read_id(secret_id), read_password(secret_password))
        self.name = "belvo"
        self.tasks, self.queries, self.calls, self.downloads = catalogue_of(_PACKAGE)
        self.timeout = read_timeout(timeout)
        self.origin = choose_origin(base_url or None, environment, ORIGINS)
        self._authorization = read_authorization(webhook_authorization)
        self._allow_unauthenticated = read_flag(allow_unauthenticated, "allow_unauthenticated")
        keys = (self._keys.id, *read_keys(previous_keys))
        named = read_name(account, [*keys, self._keys.password, self._authorization or Secret("")])
        self.account, self.former_accounts = identify(self.origin, keys, named)
        is_paced = read_flag(budget, "budget")
        paced_by = Budget(key=self.account, limit=RATE_LIMIT, span=RATE_SPAN) if is_paced else None
        read_span(quiet, "quiet")
        # Without webhooks nothing is worth waiting for longer.
        patience = quiet * PATIENCE if self.accepts_webhooks else quiet
        self.plans, self.listings = plan_rules(paced_by), LISTINGS
        self._pace = Pace(budget=paced_by, quiet=quiet, patience=patience)

    @classmethod
    @discreet
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read BELVO_SECRET_ID and BELVO_SECRET_PASSWORD, and if set BELVO_ENV, BELVO_BASE_URL, BELVO_WEBHOOK_AUTH,
        BELVO_ACCOUNT and BELVO_PREVIOUS_KEYS (parted by commas).

        Raises ConfigurationError naming the variable that is missing or wrong.
        """
        given = Variables("BELVO_", environ)
        secret_id, secret_password = given.need("SECRET_ID"), given.need("SECRET_PASSWORD")
        authorization = given.get("WEBHOOK_AUTH")
        read_authorization(authorization, given.name("WEBHOOK_AUTH"))
        common = given.common(ORIGINS, (secret_id, secret_password, authorization))
        return cls(secret_id, secret_password, webhook_authorization=authorization, **common)

    def __repr__(self) -> str:
        return f"Belvo({self.origin})"

    @property
    def changes(self) -> Mapping[str, ChangeRules]:
        """How changes of records are told, by resource. Loaded when first asked for."""
        from .changes.rules import CHANGE_RULES

        return CHANGE_RULES

    @property
    def accepts_webhooks(self) -> bool:
        """Whether deliveries can be proven, or proof was waived."""
        return self._authorization is not None or self._allow_unauthenticated

    def credentials(self) -> Mapping[str, str]:
        """HTTP Basic, on every call; Belvo's interface has no tokens."""
        pair = f"{self._keys.id.reveal()}:{self._keys.password.reveal()}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}

    def check(self, task: Task[object], now: datetime) -> None:
        """Refuse a period that ends after today in UTC, and tasks that are not Belvo's."""
        if not isinstance(task, tuple(self.tasks.values())):
            known = ", ".join(sorted(each.__name__ for each in self.tasks.values()))
            raise TaskError(f"a Belvo task is one of {known}: {task.kind} is none", field="task")
        if isinstance(task, Invoices) and task.date_to > now.astimezone(UTC).date():
            raise TaskError("date_to lies in the future; Belvo takes periods up to today", field="date_to")

    def lane(self, task: Task[object]) -> str | None:
        """One open request per link, of whatever kind: a second one meets too_many_sessions."""
        return f"{self.account}/link:{task.subject}"

    def start(self, job: Job, now: datetime) -> Conversation[Observation]:
        """See `Vendor.start`; the request asks for the asynchronous mode."""
        return start(job, now, self._pace.budget)

    def poll(self, jobs: Sequence[Job], now: datetime) -> Conversation[tuple[Observation, ...]]:
        """See `Vendor.poll`; one read per link and one more per job whose link was used since its POST.

        Belvo publishes no status: a job that cannot be told about gets an observation without one.
        """
        return poll(jobs, now, self._pace)

    def find(self, job: Job, now: datetime) -> Conversation[Observation]:
        """See `Vendor.find`; only a deletion can be looked up, others are given up after 15 minutes."""
        return find(job, now, self._pace)

    def catch_up(self, since: datetime, now: datetime) -> Conversation[tuple[Observation, ...]]:
        """Nothing: Belvo keeps no list of what it announced."""
        return ()
        yield  # makes it a conversation of no requests

    def stop(self, job: Job, now: datetime) -> Conversation[Observation | None]:
        """Belvo cannot stop a request."""
        raise UnsupportedError("Belvo has no call that stops a request")

    def results(self, job: Job, resource: str | None = None) -> Walk[object]:
        """See `Vendor.results`."""
        return walk_results(job.task, resource, self._pace)

    def list(self, query: Query[object]) -> Walk[object]:
        """See `Vendor.list`."""
        return walk_query(query, self._pace)

    def call(self, call: Call[object], now: datetime) -> Conversation[object]:
        """See `Vendor.call`; nothing is repeated by itself once Belvo may have taken it."""
        return carry_out(call, now, self._pace, self._keys)

    def download(self, download: Download) -> Conversation[Fetch]:
        """None: Belvo sends documents inside its records (`attach_pdf`, `attach_xml`)."""
        raise UnsupportedError(f"Belvo has no file of the name {type(download).__name__}")

    def read_error(self, answer: Answer) -> VendorError:
        """See `Vendor.read_error`; messages are our own wording."""
        return read_error(answer)

    @discreet
    def read_webhook(self, headers: Headers, body: bytes, now: datetime) -> tuple[Observation, ...]:
        """See `Vendor.read_webhook`."""
        verify(headers, self._authorization, allow_unauthenticated=self._allow_unauthenticated)
        return whole(read_delivery, body, now)
