"""The options of each extractor, and the period most of them have."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast

import msgspec
from msgspec.structs import force_setattr

from ....discreet import discreet
from ....errors import TaskError

InvoiceType: TypeAlias = Literal["I", "E", "P", "N", "T"]
"""Income, credit note (egreso), payment, payroll (nómina), transfer (traslado)."""
INVOICE_TYPES: Final[tuple[InvoiceType, ...]] = ("I", "E", "P", "N", "T")

if TYPE_CHECKING:
    # A datetime is a date to a type checker, so both may be given.
    Moment: TypeAlias = date
else:
    # msgspec allows one text-like type in a union: the text forms are read in Period.__post_init__.
    Moment = object


class Period(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The span an extraction covers, both ends meant: plain dates, or datetimes with a time zone (kept in UTC).

    For invoices it is about the issuing date, for tax returns about the filing date
    (api-reference/extractions/overview). Syntage does not say in which time zone plain dates are read.
    """

    from_: Moment = msgspec.field(name="from")
    to: Moment

    @discreet
    def __post_init__(self) -> None:
        for name, field in (("from_", "from"), ("to", "to")):
            force_setattr(self, name, _read_moment(getattr(self, name), f"options.period.{field}"))
        if self.last < self.first:
            raise TaskError("options.period.to must not lie before options.period.from", field="options.period.to")

    @property
    def first(self) -> datetime:
        """The first instant: a plain date begins at midnight UTC."""
        given = self.from_
        return given if isinstance(given, datetime) else datetime.combine(given, time.min, tzinfo=UTC)

    @property
    def last(self) -> datetime:
        """The last instant: a plain date ends with its day in UTC."""
        given = self.to
        return given if isinstance(given, datetime) else datetime.combine(given, time.max, tzinfo=UTC)

    @property
    def days(self) -> tuple[date, date] | None:
        """The first and the last day that it holds as a whole, in UTC; None where it holds none."""
        first, last = self.first, self.last
        begins, ends = first.date(), last.date()
        if first.time() != time.min:
            begins += _DAY
        if last.time().replace(microsecond=0) < _LAST_SECOND:
            ends -= _DAY
        return (begins, ends) if begins <= ends else None


_DAY: Final = timedelta(days=1)
_LAST_SECOND: Final = time(23, 59, 59)


def _read_moment(given: object, field: str) -> date:
    if isinstance(given, str):
        given = _parse_moment(given, field)
    if isinstance(given, datetime):
        if given.tzinfo is None:
            raise TaskError(f"{field} must have a time zone, or be a plain date", field=field)
        return _to_utc(given, field)
    if isinstance(given, date):
        return given
    raise TaskError(f"{field} must be a date or a datetime", field=field)


def _to_utc(given: datetime, field: str) -> datetime:
    try:
        return given.astimezone(UTC)
    except OverflowError:
        raise TaskError(f"{field} must lie within the calendar in UTC, too", field=field) from None


def _parse_moment(text: str, field: str) -> date:
    try:
        return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
    except ValueError:
        forms = "a date like 2025-03-01 or a date-time like 2025-03-01T00:00:00Z"
        raise TaskError(f"{field} must be {forms}", field=field) from None


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """The options of one extractor. What is None is not sent: Syntage's default applies."""


class InvoiceOptions(Options, frozen=True, kw_only=True):
    """Options of `invoice`; the defaults are the documented ones and always sent (api-reference/extractions/overview).

    `period` has none: Syntage's default start is documented contradictorily. Keep `P` in `types` to have payments, `E`
    to have credit notes (developers/extraction-request-examples). `complement` is an undocumented filter; -1 is none.
    """

    period: Period
    types: tuple[InvoiceType, ...] = INVOICE_TYPES
    issued: bool = True
    received: bool = True
    xml: bool = True
    pdf: bool = True
    complement: int | None = None

    @discreet
    def __post_init__(self) -> None:
        _check_sides(self.issued, self.received)
        given = cast("object", self.types)
        listed = isinstance(given, (tuple, list, set, frozenset))
        if not listed or not self.types or any(each not in INVOICE_TYPES for each in self.types):
            raise TaskError("options.types must be one or more of the letters I, E, P, N, T", field="options.types")
        # One order, so that equal tasks are equal; -1 is the documented default and the same as nothing.
        force_setattr(self, "types", tuple(each for each in INVOICE_TYPES if each in self.types))
        if self.complement == -1:
            force_setattr(self, "complement", None)


def _check_sides(issued: bool | None, received: bool | None) -> None:
    if issued is False and received is False:
        raise TaskError(
            "options.issued must be true where options.received is false: nothing is left", field="options.issued"
        )


class TaxRetentionOptions(Options, frozen=True, kw_only=True):
    """Options of `tax_retention` (developers/extraction-request-examples); `complement` was only seen in use."""

    period: Period | None = None
    issued: bool | None = None
    received: bool | None = None
    xml: bool | None = None
    pdf: bool | None = None
    complement: int | None = None

    @discreet
    def __post_init__(self) -> None:
        _check_sides(self.issued, self.received)


class TaxReturnOptions(Options, frozen=True, kw_only=True):
    """Options of `annual_tax_return`, `monthly_tax_return` and `rif_tax_return`; the period is about the filing date.

    Give a period: what Syntage takes without one is documented contradictorily.
    """

    period: Period | None = None


class ElectronicAccountingOptions(Options, frozen=True, kw_only=True):
    """Options of `electronic_accounting`, as seen in use."""

    period: Period | None = None


class BuroOptions(Options, frozen=True, kw_only=True):
    """Options of `buro_de_credito_report`.

    Persons: 007 (default), 004, INFORME_BURO; companies: INFORME_BURO (default), RCO.
    """

    product_type: str | None = None

    @discreet
    def __post_init__(self) -> None:
        if self.product_type not in (None, "007", "004", "INFORME_BURO", "RCO"):
            raise TaskError("options.productType must be 007, 004, INFORME_BURO or RCO", field="options.productType")


class NoOptions(Options, frozen=True, kw_only=True):
    """For extractors documented to take none: `tax_status` and `tax_compliance`."""


EXTRACTORS: Final[Mapping[str, type[Options] | None]] = MappingProxyType(
    {
        "invoice": InvoiceOptions,
        "annual_tax_return": TaxReturnOptions,
        "monthly_tax_return": TaxReturnOptions,
        "rif_tax_return": TaxReturnOptions,
        "tax_retention": TaxRetentionOptions,
        "electronic_accounting": ElectronicAccountingOptions,
        "tax_status": NoOptions,
        "tax_compliance": NoOptions,
        "buro_de_credito_report": BuroOptions,
        "sat_certificates": None,
        "rpc": None,
        "rug": None,
        "bil": None,
        "background_check": None,
    }
)
"""The 14 extractors and their options; None where Syntage publishes nothing and any JSON object is passed on."""

if TYPE_CHECKING:
    AnyOptions: TypeAlias = (
        InvoiceOptions
        | TaxRetentionOptions
        | TaxReturnOptions
        | ElectronicAccountingOptions
        | BuroOptions
        | NoOptions
        | Mapping[str, object]
        | None
    )
else:
    # msgspec allows one object-like type in a union: Extraction.__post_init__ finds the type by the extractor.
    AnyOptions = object
