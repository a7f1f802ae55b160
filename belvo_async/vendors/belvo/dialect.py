"""Belvo's dialect: the `Vendor` that turns our words into its HTTP and back."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Self

from ...abc import Answer, Budget, Call, Conversation, Download, Fetch, Headers, Query, Secret, Walk
from ...accounts import identify, read_keys, read_name
from ...discreet import discreet
from ...errors import ConfigurationError, TaskError, UnsupportedError, VendorError
from ...jobs import Job, Observation, Status, Task, Way
from ...origins import read_origin, read_timeout
from ...payload import whole
from .calls import CALLS, carry_out
from .errors import read_error
from .lists import BY_QUERY
from .pages import Source, query_walk, results_walk
from .poll import PATIENCE, QUIET, find_deletion, poll
from .schema import DeleteLink, FinancialStatements, Invoices, Refresh
from .start import submit
from .webhooks import read_delivery, verify

ORIGINS = {"sandbox": "https://sandbox.belvo.com", "production": "https://api.belvo.com"}

# Error catalogue: 80 requests per 30 s and source address; above it, the proxy answers with a page and may block.
RATE_LIMIT, RATE_SPAN = 80, timedelta(seconds=30)

# No asynchronous request can be looked up at Belvo: this long we wait for a delivery to adopt.
ADOPTION_SPAN = timedelta(minutes=15)

# The header is the only proof a delivery has; shorter values can be guessed.
SHORTEST_AUTHORIZATION = 16

_TASKS: Mapping[str, type[Task[object]]] = {
    str(each.__struct_config__.tag): each for each in (Invoices, FinancialStatements, Refresh, DeleteLink)
}


class Belvo:
    """Belvo for Mexican fiscal data: `Session(Belvo(secret_id, secret_password))`.

    `environment` is `sandbox` or `production`; `base_url` replaces its address, for a simulator or a relay (https,
    except on loopback). `webhook_authorization` is the whole Authorization value typed into Belvo's dashboard, such as
    `Bearer ...`; without it deliveries are refused, unless `allow_unauthenticated` waives the proof.
    `budget=False` leaves out the pacing to 80 requests in 30 s, for accounts that Belvo exempted. `quiet` is how long
    Belvo must stay quiet before an end that it does not announce is inferred: of a `Refresh` since its last report, of
    other jobs over three equal looks. Less is for simulators: Belvo's own reports come minutes apart. Where none of the
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

    # What one shows that could not be made.
    _environment = _origin = "refused"

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
        # RFC 7617: the first colon ends the user name.
        if not _is_plain(secret_id) or ":" in secret_id:
            raise ConfigurationError("secret_id must be printable ASCII without a colon, or blanks at its ends")
        if not _is_plain(secret_password):
            raise ConfigurationError("secret_password must be printable ASCII without blanks at its ends")
        if environment not in tuple(ORIGINS):
            raise ConfigurationError("environment must be sandbox or production")
        _check_flag(allow_unauthenticated, "allow_unauthenticated")
        _check_flag(budget, "budget")
        _check_quiet(quiet)
        self.timeout = read_timeout(timeout)
        self._environment = environment
        self._origin = read_origin(base_url or ORIGINS[environment])
        self._secret_id = Secret(secret_id)
        self._secret_password = Secret(secret_password)
        self._authorization = _read_authorization(webhook_authorization)
        self._allow_unauthenticated = allow_unauthenticated
        ids = (self._secret_id, *read_keys(previous_keys))
        known = [*ids, self._secret_password, self._authorization or Secret("")]
        self._account, self._former_accounts = identify(self._origin, ids, read_name(account, known))
        pace = Budget(key=self._account, limit=RATE_LIMIT, span=RATE_SPAN) if budget else None
        # Without webhooks nothing is worth waiting for longer.
        patience = quiet * PATIENCE if self.accepts_webhooks else quiet
        self._source = Source(budget=pace, quiet=quiet, patience=patience)

    @classmethod
    @discreet
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read BELVO_SECRET_ID and BELVO_SECRET_PASSWORD, and if set BELVO_ENV, BELVO_BASE_URL, BELVO_WEBHOOK_AUTH,
        BELVO_ACCOUNT and BELVO_PREVIOUS_KEYS (parted by commas).

        Raises ConfigurationError naming the variable that is missing or wrong.
        """
        given = os.environ if environ is None else environ
        # What is read from a file into a variable often brings its line break along.
        found = {name: given[name].strip() for name in given if name.startswith("BELVO_")}
        for name in ("BELVO_SECRET_ID", "BELVO_SECRET_PASSWORD"):
            if not found.get(name):
                raise ConfigurationError(f"the environment variable {name} is missing")
        environment = found.get("BELVO_ENV") or "sandbox"
        if environment not in ORIGINS:
            raise ConfigurationError("the environment variable BELVO_ENV must be sandbox or production")
        base_url = found.get("BELVO_BASE_URL") or None
        if base_url is not None:
            read_origin(base_url, "the environment variable BELVO_BASE_URL")
        authorization = found.get("BELVO_WEBHOOK_AUTH") or None
        _read_authorization(authorization, "the environment variable BELVO_WEBHOOK_AUTH")
        previous = [each.strip() for each in found.get("BELVO_PREVIOUS_KEYS", "").split(",") if each.strip()]
        read_keys(previous, "the environment variable BELVO_PREVIOUS_KEYS")
        account = found.get("BELVO_ACCOUNT") or None
        known = (found["BELVO_SECRET_ID"], found["BELVO_SECRET_PASSWORD"], authorization or "", *previous)
        read_name(account, [Secret(each) for each in known], "the environment variable BELVO_ACCOUNT")
        return cls(
            found["BELVO_SECRET_ID"],
            found["BELVO_SECRET_PASSWORD"],
            base_url=base_url,
            environment=environment,
            webhook_authorization=authorization,
            account=account,
            previous_keys=previous,
        )

    def __repr__(self) -> str:
        return f"Belvo({self._environment}, {self._origin})"

    @property
    def name(self) -> str:
        return "belvo"

    @property
    def account(self) -> str:
        return self._account

    @property
    def former_accounts(self) -> tuple[str, ...]:
        return self._former_accounts

    @property
    def origin(self) -> str:
        return self._origin

    @property
    def tasks(self) -> Mapping[str, type[Task[object]]]:
        return _TASKS

    @property
    def queries(self) -> tuple[type[object], ...]:
        return tuple(BY_QUERY)

    @property
    def calls(self) -> tuple[type[object], ...]:
        return CALLS

    @property
    def downloads(self) -> tuple[type[object], ...]:
        return ()

    @property
    def accepts_webhooks(self) -> bool:
        return self._authorization is not None or self._allow_unauthenticated

    def credentials(self) -> Mapping[str, str]:
        """HTTP Basic, on every call; Belvo's interface has no tokens."""
        pair = f"{self._secret_id.reveal()}:{self._secret_password.reveal()}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}

    def check(self, task: Task[object], now: datetime) -> None:
        """Refuse a period that ends after today in UTC, and tasks that are not Belvo's."""
        if not isinstance(task, tuple(_TASKS.values())):
            known = ", ".join(sorted(each.__name__ for each in _TASKS.values()))
            raise TaskError(f"a Belvo task is one of {known}: {task.kind} is none", field="task")
        if isinstance(task, Invoices) and task.date_to > now.astimezone(UTC).date():
            raise TaskError("date_to lies in the future; Belvo takes periods up to today", field="date_to")

    def lane(self, task: Task[object]) -> str | None:
        """One open request per link, of whatever kind: a second one meets too_many_sessions."""
        return f"{self._account}/link:{task.subject}"

    def start(self, job: Job, now: datetime) -> Conversation[Observation]:
        """See `Vendor.start`; the request asks for the asynchronous mode."""
        return submit(job, now, self._source.budget)

    def poll(self, jobs: Sequence[Job], now: datetime) -> Conversation[tuple[Observation, ...]]:
        """See `Vendor.poll`; one read per link and one more per job whose link was used since its POST.

        Belvo publishes no status: a job that cannot be told about gets an observation without one.
        """
        return poll(jobs, now, self._source)

    def find(self, job: Job, now: datetime) -> Conversation[Observation]:
        """Look whether a link that was to be deleted is gone. Of others nothing can be asked: no list names requests.

        An uncertain job is given up after 15 minutes: from its attempt, or from the first search where none is known.
        """
        if (yield from find_deletion(job, now, self._source)):
            return Observation(way=Way.POLL, at=now, job_id=job.id, status=Status.FINISHED)
        return Observation(
            way=Way.POLL,
            at=now,
            job_id=job.id,
            status=Status.UNCERTAIN,
            absent=True,
            abandon=now - (job.absent_since or job.attempted_at or now) >= ADOPTION_SPAN,
        )

    def catch_up(self, since: datetime, now: datetime) -> Conversation[tuple[Observation, ...]]:
        """Nothing: Belvo keeps no list of what it announced."""
        return ()
        yield  # makes it a conversation of no requests

    def stop(self, job: Job, now: datetime) -> Conversation[Observation | None]:
        """Belvo cannot stop a request."""
        raise UnsupportedError("Belvo has no call that stops a request")

    def results(self, job: Job, resource: str | None = None) -> Walk[object]:
        """See `Vendor.results`."""
        return results_walk(job.task, resource, self._source)

    def list(self, query: Query[object]) -> Walk[object]:
        """See `Vendor.list`."""
        return query_walk(query, self._source)

    def call(self, call: Call[object], now: datetime) -> Conversation[object]:
        """See `Vendor.call`; nothing is repeated by itself once Belvo may have taken it."""
        return carry_out(call, now, self._source)

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


def _check_flag(value: object, name: str) -> None:
    # "no" would count as true, and waive a proof.
    if not isinstance(value, bool):
        raise ConfigurationError(f"{name} must be True or False")


def _check_quiet(value: object) -> None:
    if not isinstance(value, timedelta) or value <= timedelta(0):
        raise ConfigurationError("quiet must be a timedelta above zero, such as timedelta(minutes=10)")


def _is_plain(text: object) -> bool:
    return isinstance(text, str) and bool(text) and text.isascii() and text.isprintable() and text == text.strip()


def _read_authorization(value: object, name: str = "webhook_authorization") -> Secret | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise ConfigurationError(f"{name} must be a str")
    if len(value) < SHORTEST_AUTHORIZATION:
        raise ConfigurationError(f"{name} is shorter than {SHORTEST_AUTHORIZATION} characters")
    # Servers decode other characters in different ways, and cut blanks at the ends: it would never match.
    if not _is_plain(value):
        raise ConfigurationError(f"{name} must be printable ASCII without blanks at its ends")
    return Secret(value)
