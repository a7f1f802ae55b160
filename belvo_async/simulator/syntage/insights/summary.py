"""An entity in short: what its certificate says, its last annual return, its payroll and its sales."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

from ...wire import Json, JsonObject
from .accounting.statements import declared
from .holdings import Holdings, day_of, grouped, part, pesos, total
from .options import Question
from .periods import months_before, start_of

_STREET: Final = ("streetType", "streetName", "streetNumber")


def summary(holdings: Holdings, asked: Question) -> Json:
    """Give the profile. Without a certificate, what the entity was made with; of what is not held, null."""
    statuses = holdings.records("TaxStatus")
    status: JsonObject = statuses[0] if statuses else {}
    taxpayer, address = part(holdings.entity.row(), "taxpayer"), part(status, "address")
    return {
        "rfc": status.get("rfc") or taxpayer.get("id"),
        "name": _name(status) or taxpayer.get("name"),
        "fiscalAddress": _one_line(address) if address else None,
        "address": address or None,
        "fiscalAddressStatusRaw": address.get("statusRaw"),
        "economicActivities": _standing(status, "economicActivities", asked.now.date()),
        "taxRegimes": _standing(status, "taxRegimes", asked.now.date()),
        "totalEmployees": _employees(holdings, asked),
        **_figures(holdings, asked),
        "totalSalesRevenueCurrentYear": _sales(holdings, asked),
        "registrationDate": taxpayer.get("registrationDate"),
        "blacklistStatus": holdings.stage,
        "lastEfirmaCertificate": _efirma(holdings),
    }


def _name(status: JsonObject) -> Json:
    return part(status, "company").get("legalName") or part(status, "person").get("fullName")


def _one_line(address: JsonObject) -> str:
    street = " ".join(str(address[name]) for name in _STREET)
    others = (address["postalCode"], address["municipality"], address["state"])
    return ", ".join([street, f"COL. {address['neighborhood']}", *map(str, others)])


def _standing(status: JsonObject, name: str, today: date) -> list[Json]:
    """Give activities or regimes that have not ended, without their codes and order."""
    rows = status.get(name)
    found = [row for row in (rows if isinstance(rows, list) else ()) if isinstance(row, dict)]
    return [_shown(row) for row in found if row["endDate"] is None or str(row["endDate"]) > today.isoformat()]


def _shown(row: JsonObject) -> JsonObject:
    share: JsonObject = {"percentage": int(str(row["percentage"]))} if "percentage" in row else {}
    return {"name": row["name"], **share, "startDate": row["startDate"], "endDate": row["endDate"]}


def _employees(holdings: Holdings, asked: Question) -> int | None:
    """Count who received payroll in the month before this one; None where no payroll is held at all."""
    payroll = holdings.select(None, is_issued=True, kind="N")
    months = grouped(payroll, lambda row: start_of("monthly", day_of(row)))
    last = months.get(months_before(asked.now.date(), 1), [])
    return len({str(part(row, "receiver").get("rfc")) for row in last}) if payroll else None


def _figures(holdings: Holdings, asked: Question) -> JsonObject:
    """Give what the latest annual return says. Two names are deprecated, and one says net of what is gross."""
    names = ("lastYearNetIncome", "lastYearTotalIncome", "totalRevenueLastTaxReturn", "totalNetProfitLastTaxReturn",
             "lastTaxReturnYear")  # fmt: skip
    years = declared(holdings, asked)
    if not years:
        return dict.fromkeys(names)
    year = years[-1]
    return dict(zip(names, (year.revenue, year.revenue, year.gross, year.net, year.year), strict=True))


def _sales(holdings: Holdings, asked: Question) -> Json:
    """Add up the sales since January; None while extractions that are done do not reach from there to this month."""
    today = asked.now.date()
    first, month = today.replace(month=1, day=1), today.replace(day=1)
    if not reaches(holdings.invoice_periods, first, max(month, first + timedelta(days=1))):
        return None
    return total(pesos(row) for row in holdings.select(None, is_issued=True) if first <= day_of(row) <= today)


def reaches(periods: Iterable[tuple[date, date]], first: date, last: date) -> bool:
    """Whether periods, one after the other, leave no day out between two."""
    reached = first
    for begin, end in sorted(periods):
        if begin <= reached:
            reached = max(reached, end + timedelta(days=1))
    return reached >= last


def _efirma(holdings: Holdings) -> JsonObject | None:
    found = [row for row in holdings.records("SatCertificate") if row["type"] == "efirma"]
    newest = max(found, key=lambda row: str(row["validFrom"]), default=None)
    names = ("id", "serialNumber", "type", "status", "validFrom", "validTo", "revokedAt")
    return None if newest is None else {name: newest[name] for name in names}
