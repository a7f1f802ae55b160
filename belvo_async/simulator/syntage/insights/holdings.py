"""What Syntage holds of an entity, as insights look at it: the rows of its lists, so that sums over those agree."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final, TypeVar

from ...cfdi import ZERO
from ...taxpayers import Taxpayer
from ...wire import Json, JsonObject
from ..rows.invoices import Entity
from .accounting.years import Accounting
from .options import Question

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)

_HUNDRED: Final = Decimal(100)
_CENT: Final = Decimal("0.01")


@dataclass(frozen=True, kw_only=True)
class Holdings:
    """One entity's rows: `invoices`, `line_items` and `batches` (of invoices whose XML is held).

    `lenders` and `public_bodies` are names by RFC. `records` gives what other extractors brought, by its kind, newest
    first; `invoice_periods` are those of the invoice extractions that are done. `stage` is the entity's own on the list
    of article 69-B; `accounting` knows what stands in returns and balances.
    """

    entity: Entity
    records: Callable[[str], Sequence[JsonObject]]
    accounting: Accounting
    stage: str | None
    scores: Sequence[JsonObject]
    invoice_periods: Sequence[tuple[date, date]]
    invoices: Sequence[JsonObject]
    line_items: Sequence[JsonObject]
    batches: Sequence[JsonObject]
    lenders: dict[str, str]
    public_bodies: dict[str, str]

    @property
    def subject(self) -> Taxpayer:
        """Whose they are."""
        return self.entity.subject

    def select(self, asked: Question | None, *, is_issued: bool, kind: str = "I") -> list[JsonObject]:
        """Give valid invoices of a kind and side, issued in the period asked (None: whenever)."""
        return [row for row in self.all_of(asked, is_issued=is_issued, kind=kind) if is_valid(row)]

    def all_of(self, asked: Question | None, *, is_issued: bool, kind: str = "I") -> list[JsonObject]:
        """Give invoices of a kind and side, cancelled ones as well."""
        return [
            row
            for row in self.invoices
            if row["type"] == kind and row["isIssuer"] is is_issued and (asked is None or asked.covers(issued_at(row)))
        ]

    def lines_of(self, rows: Iterable[JsonObject]) -> Iterator[tuple[JsonObject, JsonObject]]:
        """Give the line items of these invoices, each with its invoice."""
        wanted = {str(row["id"]): row for row in rows}
        for line in self.line_items:
            number = str(part(line, "invoice").get("id"))
            if number in wanted:
                yield line, wanted[number]

    def payments_of(self, rows: Iterable[JsonObject]) -> Iterator[tuple[JsonObject, JsonObject]]:
        """Give the payments that these payment receipts hold, each with its receipt."""
        wanted = {str(row["id"]): row for row in rows}
        for batch in self.batches:
            number = str(part(batch, "invoice").get("id"))
            if number in wanted:
                yield batch, wanted[number]


def is_valid(row: JsonObject) -> bool:
    """Whether an invoice was not cancelled."""
    return row["status"] == "VIGENTE"


def issued_at(row: JsonObject) -> datetime:
    """Give when an invoice was issued."""
    return instant(row, "issuedAt") or datetime.min.replace(tzinfo=UTC)


def instant(row: JsonObject, name: str) -> datetime | None:
    """Read an instant of a row that may be missing."""
    value = row.get(name)
    return datetime.fromisoformat(value).astimezone(UTC) if isinstance(value, str) else None


def day_of(row: JsonObject) -> date:
    """Give the day an invoice was issued."""
    return issued_at(row).date()


def part(row: JsonObject, name: str) -> JsonObject:
    """Give an object inside a row; an empty one where there is none."""
    value = row.get(name)
    return value if isinstance(value, dict) else {}


def amount(row: JsonObject, name: str = "total") -> Decimal:
    """Give an amount of a row, in its currency; nothing is zero."""
    value = row.get(name)
    return Decimal(str(value)) if isinstance(value, (int, Decimal)) else ZERO


def rate(row: JsonObject) -> Decimal:
    """Give the exchange rate of an invoice; pesos have none."""
    return amount(row, "exchangeRate") or Decimal(1)


def pesos(row: JsonObject, name: str = "total") -> Decimal:
    """Give an amount of an invoice in MXN, exactly, by the rate of the day it was issued."""
    return amount(row, name) * rate(row)


def line_pesos(line: JsonObject, invoice: JsonObject) -> Decimal:
    """Give what a line comes to in MXN: without taxes, less its discount."""
    return (amount(line, "totalAmount") - amount(line, "discountAmount")) * rate(invoice)


def other(row: JsonObject) -> JsonObject:
    """Give the party of an invoice that is not the entity."""
    return part(row, "receiver" if row["isIssuer"] else "issuer")


def rfc_of(row: JsonObject) -> str:
    """Give the RFC of the other party."""
    return str(other(row).get("rfc"))


def total(values: Iterable[Decimal]) -> Decimal:
    """Add up."""
    return sum(values, ZERO)


def grouped(rows: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    """Group by a key, in the order in which keys come first."""
    found: dict[K, list[T]] = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return found


def percent(mine: Decimal, all_: Decimal, digits: Decimal = _CENT) -> Decimal:
    """Give a share in percent; of nothing, none."""
    return (mine * _HUNDRED / all_).quantize(digits) if all_ else ZERO


def monthly(sums: Iterable[tuple[date, Decimal]], form: str) -> list[Json]:
    """Give the months of which there is something, oldest first, written in a form of dates."""
    months = grouped(sums, lambda found: found[0].replace(day=1))
    return [{"date": f"{month:{form}}", "total": total(each for _, each in months[month])} for month in sorted(months)]
