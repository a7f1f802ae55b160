"""Extractors, their documented options, defaults and what Syntage refuses."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Final

from ..cfdi import Cfdi
from ..wire import Json, JsonObject

TYPES: Final = ("I", "E", "P", "N", "T")
Problem = tuple[str, str]
_PERIOD: Final = ("period",)
_FILES: Final = ("period", "issued", "received", "xml", "pdf", "complement")
# All 14 extractors and the option names documented (or, for `complement`, observed) for each.
EXTRACTORS: Mapping[str, tuple[str, ...]] = {
    "invoice": ("types", *_FILES),
    "annual_tax_return": _PERIOD,
    "monthly_tax_return": _PERIOD,
    "rif_tax_return": _PERIOD,
    "tax_retention": _FILES,
    "electronic_accounting": _PERIOD,
    "tax_status": (),
    "tax_compliance": (),
    "sat_certificates": (),
    "rpc": (),
    "rug": (),
    "bil": (),
    "buro_de_credito_report": ("productType",),
    "background_check": (),
}
# These read the SAT's portal: they need the RFC and an accepted credential of the entity.
SAT_EXTRACTORS: Final = frozenset(
    name for name in EXTRACTORS if name not in ("rpc", "rug", "bil", "buro_de_credito_report", "background_check")
)
# Default of period.from in the vendor's older options table; another source says three years back.
DEFAULT_FROM: Final = "2014-01-01"
PRODUCT_TYPES: Final = {True: ("INFORME_BURO", "RCO"), False: ("007", "004", "INFORME_BURO")}  # by "is a company"


@dataclass(frozen=True, kw_only=True)
class InvoiceScope:
    """Which CFDIs an invoice extraction brings; both bounds included."""

    types: frozenset[str]
    start: datetime
    end: datetime
    issued: bool
    received: bool
    xml: bool
    pdf: bool

    def covers(self, cfdi: Cfdi) -> bool:
        """Tell whether a CFDI is asked for."""
        wanted = self.issued if cfdi.is_issued else self.received
        return wanted and cfdi.kind in self.types and self.start <= cfdi.issued_at <= self.end


def check_options(extractor: str, options: JsonObject, *, is_company: bool) -> list[Problem]:
    """Check the options of an extractor. Names Syntage does not know are left alone."""
    known = EXTRACTORS[extractor]
    problems: list[Problem] = []
    if "types" in known and "types" in options:
        problems += _check_types(options["types"])
    for name in ("issued", "received", "xml", "pdf"):
        if name in known and not isinstance(options.get(name, True), bool):
            problems.append((f"options.{name}", "This value should be of type bool."))
    if "period" in known and "period" in options:
        problems += _check_period(options["period"])
    product = options.get("productType")
    if extractor == "buro_de_credito_report" and product is not None and product not in PRODUCT_TYPES[is_company]:
        problems.append(("options.productType", "The value you selected is not a valid choice."))
    return problems


def _check_types(types: Json) -> list[Problem]:
    if isinstance(types, list) and types and all(kind in TYPES for kind in types):
        return []
    return [("options.types", "One or more of the given values is invalid.")]


def _check_period(period: Json) -> list[Problem]:
    if not isinstance(period, dict):
        return [("options.period", "This value should be of type array.")]
    problems: list[Problem] = []
    for name in ("from", "to"):
        value = period.get(name)
        if value is not None and read_instant(value) is None:
            problems.append((f"options.period.{name}", "This value is not a valid date."))
    start, end = read_instant(period.get("from")), read_instant(period.get("to"))
    if start and end and start > end:
        problems.append(("options.period.to", "This value should be greater than or equal to period.from."))
    return problems


def read_instant(value: Json) -> datetime | None:
    """Read a date or date-time; without a zone it is UTC. None when it is neither."""
    if not isinstance(value, str):
        return None
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        return None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def echo_options(extractor: str, options: JsonObject, now: datetime) -> JsonObject:
    """Give the options as the extraction shows them: defaults filled in."""
    if extractor != "invoice":
        return dict(options)
    given = options.get("period")
    period = dict(given) if isinstance(given, dict) else {}
    defaults: JsonObject = {
        "types": list(TYPES), "issued": True, "received": True, "xml": True, "pdf": True, "complement": -1,
    }  # fmt: skip
    default_period: JsonObject = {"from": DEFAULT_FROM, "to": now.strftime("%Y-%m-%dT%H:%M:%S.000Z")}
    return {**defaults, **options, "period": {**default_period, **period}}


def same_options(extractor: str, one: JsonObject, other: JsonObject) -> bool:
    """Tell whether two requests ask for the same, whatever the order of `types` and missing defaults.

    What exactly Syntage compares is not documented. A missing `period.to` counts as equal.
    """
    epoch = datetime(2000, 1, 1, tzinfo=UTC)
    return _canonical(echo_options(extractor, one, epoch)) == _canonical(echo_options(extractor, other, epoch))


def _canonical(options: JsonObject) -> JsonObject:
    types = options.get("types")
    if not isinstance(types, list):
        return options
    ordered: list[Json] = [*sorted(str(kind) for kind in types)]
    return {**options, "types": ordered}


def invoice_scope(options: JsonObject) -> InvoiceScope:
    """Read echoed invoice options. A plain date as the end covers its whole day."""
    types = options["types"]
    start, end = period_of(options)
    return InvoiceScope(
        types=frozenset(str(kind) for kind in types) if isinstance(types, list) else frozenset(TYPES),
        start=start,
        end=end,
        issued=options["issued"] is True,
        received=options["received"] is True,
        xml=options["xml"] is True,
        pdf=options["pdf"] is True,
    )


def period_of(options: JsonObject) -> tuple[datetime, datetime]:
    """Read the period of options, both ends included; all there is where none was sent."""
    period = options.get("period")
    bounds = period if isinstance(period, dict) else {}
    start = read_instant(bounds.get("from")) or datetime.fromisoformat(DEFAULT_FROM).replace(tzinfo=UTC)
    return start, _end(bounds.get("to"))


def _end(value: Json) -> datetime:
    instant = read_instant(value) or datetime.max.replace(tzinfo=UTC)
    if isinstance(value, str) and len(value) == len("2025-01-31"):
        return datetime.combine(date.fromisoformat(value), time.max, tzinfo=UTC)
    return instant
