"""Plain calls: links and their credentials, single records, and retrievals that Belvo carries out while we wait.

A call is made at once and stored nowhere, so it may carry passwords and tokens; no repr shows any of its fields.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Generic, Literal, TypeVar

from msgspec.structs import force_setattr

from belvo_async.abc import Call, Secret
from belvo_async.errors import ConfigurationError, TaskError

from .checks import (
    Direction,
    Resource,
    check_date,
    check_direction,
    check_flag,
    check_id,
    check_natural,
    check_order,
    check_year,
    fix_link,
    fix_selection,
    resource_names,
)
from .invoices import Invoice
from .links import Institution, Link
from .statements import FinancialStatement
from .tax_returns import TaxReturn
from .taxes import TaxComplianceStatus, TaxRetention, TaxStatus

R_co = TypeVar("R_co", covariant=True)

_INSTITUTION = re.compile(r"[a-z]+_[a-z]{2}_[a-z]+")
_USERNAME = re.compile(r".{12,13}")
# The specification's pattern has no end: longer passwords pass, as the sandbox's own does.
_PASSWORD = re.compile(r"[a-zA-Z0-9]{8}.*")
_EXTERNAL_ID = re.compile(r"[A-Za-z0-9_-]{3,256}")
_DAYS = re.compile(r"[0-9]{1,3}d")
_SESSION = re.compile(r"[a-f0-9]{32}")
# Credentials of links that are not stored for good are kept for 1 to 365 days.
_LONGEST_STORAGE_DAYS = 365


def secret_text(secret: str | Secret) -> str:
    """The text of what may be given bare or as a Secret."""
    return secret.reveal() if isinstance(secret, Secret) else secret


def _hide(call: Call[object], *names: str) -> None:
    """Wrap what was given bare, so that neither a debugger nor a careless copy shows it."""
    for name in names:
        given = getattr(call, name)
        if isinstance(given, str):
            try:
                force_setattr(call, name, Secret(given))
            except ConfigurationError:
                raise TaskError(f"{name} must be text that UTF-8 can hold", field=name) from None
        elif given is not None and not isinstance(given, Secret):
            raise TaskError(f"{name} must be a str or a Secret", field=name)


def _check_form(form: re.Pattern[str], value: object, *, field: str, rule: str) -> None:
    text = value.reveal() if isinstance(value, Secret) else value
    if not isinstance(text, str) or not form.fullmatch(text):
        raise TaskError(f"{field} must {rule}", field=field)


# Links


class CreateLink(Call[Link], frozen=True, kw_only=True):
    """Connect a taxpayer: POST /api/links/. Gives the new Link.

    `username` is the RFC (12 characters for companies, 13 for persons), `password` the CIEC. Belvo keeps links
    `recurrent` and their credentials unless told otherwise: then `credentials_storage` is `store`; single links may
    use `nostore` (with `fetch_resources`) or `1d` to `365d`. `stale_in` (`90d`) deletes data that was not updated for
    so long. `external_id` must hold no personal data. What the link fetches by itself is announced by webhooks; start
    nothing on it before. Raises TaskError naming the field that does not fit, before anything is sent.
    """

    institution: str
    username: str | Secret
    password: str | Secret
    external_id: str | None = None
    access_mode: Literal["single", "recurrent"] | None = None
    fetch_resources: Sequence[Resource] | None = None
    credentials_storage: str | None = None
    stale_in: str | None = None

    def __post_init__(self) -> None:
        _hide(self, "username", "password")
        rule = "be a name like sat_mx_fiscal: small letters, with the country's two between the underscores"
        _check_form(_INSTITUTION, self.institution, field="institution", rule=rule)
        _check_form(_USERNAME, self.username, field="username", rule="have 12 or 13 characters")
        _check_form(_PASSWORD, self.password, field="password", rule="begin with eight letters or digits")
        if self.external_id is not None:
            rule = "be 3 to 256 letters, digits, - or _"
            _check_form(_EXTERNAL_ID, self.external_id, field="external_id", rule=rule)
        _check_access_mode(self.access_mode)
        _fix_resources(self)
        _check_stale_in(self.stale_in)
        _check_storage(self)


def _check_access_mode(value: object) -> None:
    if value not in (None, "single", "recurrent"):
        raise TaskError("access_mode must be single or recurrent", field="access_mode")


def _check_stale_in(value: object) -> None:
    if value is not None:
        _check_form(_DAYS, value, field="stale_in", rule="be a number of days like 90d")


def _fix_resources(call: CreateLink | ChangeLink) -> None:
    if call.fetch_resources is not None:
        names = resource_names(call.fetch_resources, field="fetch_resources")
        force_setattr(call, "fetch_resources", names)


def _check_storage(call: CreateLink) -> None:
    kept = call.credentials_storage
    if kept is None or kept == "store":
        return
    if kept != "nostore":
        rule = "be store, nostore or 1d to 365d"
        _check_form(_DAYS, kept, field="credentials_storage", rule=rule)
        if not 1 <= int(kept[:-1]) <= _LONGEST_STORAGE_DAYS:
            raise TaskError(f"credentials_storage must {rule}", field="credentials_storage")
    if call.access_mode != "single":
        raise TaskError("recurrent links must store their credentials", field="credentials_storage")
    if kept == "nostore" and not call.fetch_resources:
        raise TaskError("a link that stores no credentials must say what to fetch at once", field="fetch_resources")


class UpdateLink(Call[Link], frozen=True, kw_only=True):
    """Give a link new credentials: PUT /api/links/{id}/. A recurrent link fetches at once. Gives the Link.

    `password2` and `token` are for institutions that ask for them; SAT asks for the password alone.
    """

    link: str
    password: str | Secret
    password2: str | Secret | None = None
    token: str | Secret | None = None

    def __post_init__(self) -> None:
        fix_link(self)
        _hide(self, "password", "password2", "token")
        if not self.password:
            raise TaskError("password must not be empty", field="password")


class ChangeLink(Call[Link], frozen=True, kw_only=True):
    """Change how a link retrieves data: PATCH /api/links/{id}/. What is None stays as it is. Gives the Link.

    From single to recurrent, the historical data comes on the next day.
    """

    link: str
    access_mode: Literal["single", "recurrent"] | None = None
    stale_in: str | None = None
    fetch_resources: Sequence[Resource] | None = None

    def __post_init__(self) -> None:
        fix_link(self)
        _check_access_mode(self.access_mode)
        _check_stale_in(self.stale_in)
        _fix_resources(self)
        if self.access_mode is None and self.stale_in is None and self.fetch_resources is None:
            raise TaskError("give at least one of access_mode, stale_in and fetch_resources", field="access_mode")


class GetLink(Call[Link], frozen=True):
    """Read one link: GET /api/links/{id}/. Raises NotFoundError for one that is not there."""

    link: str

    def __post_init__(self) -> None:
        fix_link(self)


# Single records


class _Detail(Call[R_co], Generic[R_co], frozen=True):
    """One record by Belvo's own id. `fields` and `omit` choose its keys. Raises NotFoundError."""

    id: str
    fields: Sequence[str] | None = None
    omit: Sequence[str] | None = None

    def __post_init__(self) -> None:
        check_id(self.id, field="id", of="a record")
        fix_selection(self)


class GetInvoice(_Detail[Invoice], frozen=True):
    """Read one invoice by Belvo's id: GET /api/invoices/{id}/."""


class GetFinancialStatement(_Detail[FinancialStatement], frozen=True):
    """Read the financial statements of one year by Belvo's id: GET /api/financial-statements/{id}/."""


class GetTaxReturn(_Detail[TaxReturn], frozen=True):
    """Read one tax return by Belvo's id: GET /api/tax-returns/{id}/."""


class GetTaxStatus(_Detail[TaxStatus], frozen=True):
    """Read one tax status by Belvo's id: GET /api/tax-status/{id}/."""


class GetTaxComplianceStatus(_Detail[TaxComplianceStatus], frozen=True):
    """Read one tax compliance status by Belvo's id: GET /api/tax-compliance-status/{id}/."""


class GetTaxRetention(_Detail[TaxRetention], frozen=True):
    """Read one tax retention by Belvo's id: GET /api/tax-retentions/{id}/."""


class GetInstitution(Call[Institution], frozen=True):
    """Read one institution: GET /api/institutions/{id}/. Its `status` tells whether SAT is down."""

    id: int

    def __post_init__(self) -> None:
        check_natural(self.id, field="id")


# Retrievals. Belvo fetches from SAT while we wait, for up to five minutes; one at a time for each link.


class _Retrieval(Call[R_co], Generic[R_co], frozen=True, kw_only=True):
    """What all retrievals take. With `save_data` false, Belvo keeps nothing of what it gives."""

    link: str
    save_data: bool = True
    fields: Sequence[str] | None = None
    omit: Sequence[str] | None = None

    def __post_init__(self) -> None:
        fix_link(self)
        check_flag(self.save_data, field="save_data")
        fix_selection(self)


class RetrieveYearlyTaxReturns(_Retrieval[tuple[TaxReturn, ...]], frozen=True, kw_only=True):
    """Fetch the yearly tax returns from SAT and wait for them: POST /api/tax-returns/. Both years count.

    Takes up to five minutes; a link that is already being read answers `too_many_sessions`. Raises TaskError naming
    the field that does not fit, TokenRequiredError when the institution asks for a token (see `Resume`).
    """

    year_from: int
    year_to: int
    attach_pdf: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_year(self.year_from, field="year_from")
        check_year(self.year_to, field="year_to")
        check_order(self.year_from, self.year_to, field="year_to")
        check_flag(self.attach_pdf, field="attach_pdf")


class RetrieveMonthlyTaxReturns(_Retrieval[tuple[TaxReturn, ...]], frozen=True, kw_only=True):
    """Fetch the monthly tax returns of a period from SAT and wait for them: POST /api/tax-returns/.

    As `RetrieveYearlyTaxReturns`, with both dates included.
    """

    date_from: date
    date_to: date
    attach_pdf: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_date(self.date_from, field="date_from")
        check_date(self.date_to, field="date_to")
        check_order(self.date_from, self.date_to, field="date_to")
        check_flag(self.attach_pdf, field="attach_pdf")


class RetrieveTaxStatus(_Retrieval[TaxStatus], frozen=True, kw_only=True):
    """Fetch the tax status from SAT and wait for it: POST /api/tax-status/. Takes up to five minutes.

    Raises TokenRequiredError when the institution asks for a token (see `Resume`).
    """

    attach_pdf: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_flag(self.attach_pdf, field="attach_pdf")


class RetrieveTaxComplianceStatus(_Retrieval[TaxComplianceStatus], frozen=True, kw_only=True):
    """Fetch SAT's opinion on compliance and wait for it: POST /api/tax-compliance-status/.

    As `RetrieveTaxStatus`.
    """

    attach_pdf: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_flag(self.attach_pdf, field="attach_pdf")


class RetrieveTaxRetentions(_Retrieval[tuple[TaxRetention, ...]], frozen=True, kw_only=True):
    """Fetch the tax retentions of a period from SAT and wait for them: POST /api/tax-retentions/.

    At most 500 come for one period: a full 500 mean that there may be more, so split it. Both dates count.
    As `RetrieveTaxStatus` otherwise.
    """

    date_from: date
    date_to: date
    type: Direction
    attach_xml: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_date(self.date_from, field="date_from")
        check_date(self.date_to, field="date_to")
        check_order(self.date_from, self.date_to, field="date_to")
        check_direction(self.type, both=False)
        check_flag(self.attach_xml, field="attach_xml")


# Tokens


class Resume(Call[R_co], Generic[R_co], frozen=True, kw_only=True):
    """Go on with a call that met TokenRequiredError: PATCH on its collection. Gives what the call would have given.

        try:
            status = await session.call(call)
        except TokenRequiredError as wanted:
            token = await ask_taxpayer(wanted.instructions)
            status = await session.call(Resume(call=call, session=wanted.session, link=wanted.link, token=token))

    `call` is a retrieval, CreateLink or UpdateLink. `link` is needed after CreateLink, which had none; others know
    theirs.
    `token` None is for institutions where the taxpayer confirms in an app. Raises TaskError naming the field that does
    not fit, TokenRequiredError again when another token is wanted.
    """

    call: Call[R_co]
    session: str | None
    token: str | Secret | None = None
    link: str | None = None

    def __post_init__(self) -> None:
        _hide(self, "token")
        if not isinstance(self.call, _Retrieval | CreateLink | UpdateLink):
            raise TaskError("call must be a retrieval, CreateLink or UpdateLink: others need no token", field="call")
        _check_form(_SESSION, self.session, field="session", rule="be the session of a TokenRequiredError")
        if self.link is None and isinstance(self.call, _Retrieval | UpdateLink):
            force_setattr(self, "link", self.call.link)
        fix_link(self)  # type: ignore[arg-type]  # refuses None as well
