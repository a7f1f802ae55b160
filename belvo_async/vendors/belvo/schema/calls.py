"""Plain calls: links and their credentials, single records and their deletion.

A call is made at once and stored nowhere, so it may carry passwords and tokens; no repr shows any of its fields.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final, Generic, Literal, TypeVar

from msgspec.structs import force_setattr

from ....abc import Call, Secret
from ....discreet import discreet
from ....errors import ConfigurationError, TaskError
from .checks import Resource, check_id, check_natural, fix_link, fix_selection, resource_names
from .invoices import Invoice
from .links import Institution, Link
from .statements import FinancialStatement
from .tax_returns import TaxReturn
from .taxes import TaxComplianceStatus, TaxRetention, TaxStatus

if TYPE_CHECKING:
    from .widget import CreateWidgetToken

R_co = TypeVar("R_co", covariant=True)

_INSTITUTION: Final = re.compile(r"[a-z]+_[a-z]{2}_[a-z]+")
_USERNAME: Final = re.compile(r".{12,13}")
# The specification's pattern has no end: longer passwords pass, as the sandbox's own does.
_PASSWORD: Final = re.compile(r"[a-zA-Z0-9]{8}.*")
_EXTERNAL_ID: Final = re.compile(r"[A-Za-z0-9_-]{3,256}")
_DAYS: Final = re.compile(r"[0-9]{1,3}d")
# Credentials of links that are not stored for good are kept for 1 to 365 days.
_LONGEST_STORAGE_DAYS: Final = 365


def secret_text(secret: str | Secret) -> str:
    """The text of what may be given bare or as a Secret."""
    return secret.reveal() if isinstance(secret, Secret) else secret


def hide(call: Call[object], *names: str) -> None:
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


def check_form(form: re.Pattern[str], value: object, *, field: str, rule: str) -> None:
    """Refuse what has not the form."""
    if not isinstance(value, str) or not form.fullmatch(value):
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

    @discreet
    def __post_init__(self) -> None:
        hide(self, "username", "password")
        _check_login(self)
        check_form(_PASSWORD, secret_text(self.password), field="password", rule="begin with eight letters or digits")
        if self.external_id is not None:
            rule = "be 3 to 256 letters, digits, - or _"
            check_form(_EXTERNAL_ID, self.external_id, field="external_id", rule=rule)
        _check_access_mode(self.access_mode)
        _fix_resources(self)
        check_stale_in(self.stale_in)
        _check_storage(self)


def _check_login(call: CreateLink | UpdateLink) -> None:
    rule = "be a name like sat_mx_fiscal: small letters, with the country's two between the underscores"
    check_form(_INSTITUTION, call.institution, field="institution", rule=rule)
    check_form(_USERNAME, secret_text(call.username), field="username", rule="have 12 or 13 characters")


def _check_access_mode(value: object) -> None:
    if value not in (None, "single", "recurrent"):
        raise TaskError("access_mode must be single or recurrent", field="access_mode")


def check_stale_in(value: object) -> None:
    """Refuse what is no number of days to keep data for."""
    if value is not None:
        check_form(_DAYS, value, field="stale_in", rule="be a number of days like 90d")


def _fix_resources(call: CreateLink | ChangeLink) -> None:
    if call.fetch_resources is not None:
        names = resource_names(call.fetch_resources, field="fetch_resources")
        force_setattr(call, "fetch_resources", names)


def check_storage(kept: object) -> None:
    """Refuse what is no way of keeping credentials."""
    if kept in (None, "store", "nostore"):
        return
    rule = "be store, nostore or 1d to 365d"
    check_form(_DAYS, kept, field="credentials_storage", rule=rule)
    if not 1 <= int(str(kept)[:-1]) <= _LONGEST_STORAGE_DAYS:
        raise TaskError(f"credentials_storage must {rule}", field="credentials_storage")


def check_what_is_fetched(call: CreateLink | CreateWidgetToken) -> None:
    """Refuse a link that could never be read: one that stores no credentials, and fetches nothing at once."""
    if call.credentials_storage == "nostore" and not call.fetch_resources:
        raise TaskError("a link that stores no credentials must say what to fetch at once", field="fetch_resources")


def _check_storage(call: CreateLink) -> None:
    check_storage(call.credentials_storage)
    if call.credentials_storage not in (None, "store") and call.access_mode != "single":
        raise TaskError("recurrent links must store their credentials", field="credentials_storage")
    check_what_is_fetched(call)


class UpdateLink(Call[Link], frozen=True, kw_only=True):
    """Give a link new credentials: PUT /api/links/{id}/. A recurrent link fetches at once. Gives the Link.

    `institution` and `username` are those the link was made with: Belvo wants them beside the password.
    `password2` and `token` are for institutions that ask for them; SAT asks for the password alone. Raises TaskError
    naming the field that does not fit.
    """

    link: str
    institution: str
    username: str | Secret
    password: str | Secret
    password2: str | Secret | None = None
    token: str | Secret | None = None

    @discreet
    def __post_init__(self) -> None:
        fix_link(self)
        hide(self, "username", "password", "password2", "token")
        _check_login(self)
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

    @discreet
    def __post_init__(self) -> None:
        fix_link(self)
        _check_access_mode(self.access_mode)
        check_stale_in(self.stale_in)
        _fix_resources(self)
        if self.access_mode is None and self.stale_in is None and self.fetch_resources is None:
            raise TaskError("give at least one of access_mode, stale_in and fetch_resources", field="access_mode")


class GetLink(Call[Link], frozen=True):
    """Read one link: GET /api/links/{id}/. Raises NotFoundError for one that is not there."""

    link: str

    @discreet
    def __post_init__(self) -> None:
        fix_link(self)


# Single records


class Get(Call[R_co], Generic[R_co], frozen=True):
    """One record by Belvo's own id. `fields` and `omit` choose its keys. Raises NotFoundError."""

    id: str
    fields: Sequence[str] | None = None
    omit: Sequence[str] | None = None

    @discreet
    def __post_init__(self) -> None:
        check_id(self.id, field="id", of="a record")
        fix_selection(self)


class GetInvoice(Get[Invoice], frozen=True):
    """Read one invoice by Belvo's id: GET /api/invoices/{id}/."""


class GetFinancialStatement(Get[FinancialStatement], frozen=True):
    """Read the financial statements of one year by Belvo's id: GET /api/financial-statements/{id}/."""


class GetTaxReturn(Get[TaxReturn], frozen=True):
    """Read one tax return by Belvo's id: GET /api/tax-returns/{id}/."""


class GetTaxStatus(Get[TaxStatus], frozen=True):
    """Read one tax status by Belvo's id: GET /api/tax-status/{id}/."""


class GetTaxComplianceStatus(Get[TaxComplianceStatus], frozen=True):
    """Read one tax compliance status by Belvo's id: GET /api/tax-compliance-status/{id}/."""


class GetTaxRetention(Get[TaxRetention], frozen=True):
    """Read one tax retention by Belvo's id: GET /api/tax-retentions/{id}/."""


class Delete(Call[None], frozen=True):
    """Delete one record at Belvo by its id there, for good; the taxpayer's others and the link stay.

    Raises NotFoundError for one that is not there: also where an earlier attempt had deleted it and its answer was
    lost. The next retrieval, or the next update of a recurrent link, may bring the same data again: `DeleteLink` ends
    that. Monthly tax returns that come without an id go with their link alone.
    """

    record: ClassVar[type[object]]

    id: str

    @discreet
    def __post_init__(self) -> None:
        check_id(self.id, field="id", of="a record")


class DeleteInvoice(Delete, frozen=True):
    """Delete one invoice: DELETE /api/invoices/{id}/."""

    record = Invoice


class DeleteFinancialStatement(Delete, frozen=True):
    """Delete the financial statements of one year: DELETE /api/financial-statements/{id}/."""

    record = FinancialStatement


class DeleteTaxReturn(Delete, frozen=True):
    """Delete one tax return: DELETE /api/tax-returns/{id}/."""

    record = TaxReturn


class DeleteTaxStatus(Delete, frozen=True):
    """Delete one tax status: DELETE /api/tax-status/{id}/."""

    record = TaxStatus


class DeleteTaxComplianceStatus(Delete, frozen=True):
    """Delete one tax compliance status: DELETE /api/tax-compliance-status/{id}/."""

    record = TaxComplianceStatus


class DeleteTaxRetention(Delete, frozen=True):
    """Delete one tax retention: DELETE /api/tax-retentions/{id}/."""

    record = TaxRetention


class GetInstitution(Call[Institution], frozen=True):
    """Read one institution: GET /api/institutions/{id}/. Its `status` tells whether SAT is down."""

    id: int

    @discreet
    def __post_init__(self) -> None:
        check_natural(self.id, field="id")
