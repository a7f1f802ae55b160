"""Whom an entity deals with, and what in: counterparties, institutions, public bodies, products, the blacklist."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from ...wire import Json, JsonObject
from .holdings import (
    Holdings,
    amount,
    day_of,
    grouped,
    issued_at,
    line_pesos,
    monthly,
    other,
    part,
    percent,
    pesos,
    rate,
    rfc_of,
    total,
)
from .options import Question

_TOP: Final = 10
# "0.8379419130473325" in the document.
_FINE: Final = Decimal("0.0000000000000001")
_DAY, _MONTH = "%Y-%m-%d", "%Y-%m"


def _shares(rows: Sequence[JsonObject]) -> list[JsonObject]:
    """Give counterparties with their share of the totals in percent, the largest first."""
    whole = total(pesos(row) for row in rows)
    parties = grouped(rows, rfc_of)
    sums = {rfc: total(pesos(row) for row in found) for rfc, found in parties.items()}
    return [
        {
            "name": other(parties[rfc][-1]).get("name"),
            "rfc": rfc,
            "total": sums[rfc],
            "share": percent(sums[rfc], whole),
            "transactions": monthly(((day_of(row), pesos(row)) for row in parties[rfc]), _DAY),
        }
        for rfc in sorted(parties, key=lambda rfc: (-sums[rfc], rfc))
    ]


def customers(holdings: Holdings, asked: Question) -> Json:
    """Customers, by the totals of valid income invoices issued to them."""
    return [*_shares(holdings.select(asked, is_issued=True))]


def suppliers(holdings: Holdings, asked: Question) -> Json:
    """Suppliers, by the totals of valid income invoices received from them."""
    return [*_shares(holdings.select(asked, is_issued=False))]


def concentration(holdings: Holdings, asked: Question) -> Json:
    """The ten largest customers (`issued`) or suppliers. The deprecated form: texts for amounts, and no RFC."""
    rows = _shares(holdings.select(asked, is_issued=asked.type == "issued"))[:_TOP]
    return [
        {
            "name": row["name"],
            "total": str(row["total"]),
            "share": str(row["share"]),
            "transactions": row["transactions"],
        }
        for row in rows
    ]


def government(holdings: Holdings, asked: Question) -> Json:
    """Public bodies among the customers, with what they are of all sales in percent."""
    sales = holdings.select(asked, is_issued=True)
    whole = total(pesos(row) for row in sales)
    bodies = grouped((row for row in sales if rfc_of(row) in holdings.public_bodies), rfc_of)
    found = [_body(rfc, holdings.public_bodies[rfc], bodies[rfc], whole) for rfc in bodies]
    return {"data": _largest_first(found)}


def _body(rfc: str, name: str, rows: Sequence[JsonObject], whole: Decimal) -> JsonObject:
    mine = total(pesos(row) for row in rows)
    return {
        "rfc": rfc,
        "fullName": name.title(),
        "shortName": "".join(word[0] for word in name.split()),
        "website": website(name),
        "total": mine,
        "percentageOfSales": percent(mine, whole, _FINE),
        "transactions": monthly(((day_of(row), pesos(row)) for row in rows), _MONTH),
    }


def institutions(holdings: Holdings, asked: Question) -> Json:
    """Banks that payments of valid receipts name on either side, with what went through them.

    Months are declared as whole numbers, but they are amounts.
    """
    receipts = [row for side in (True, False) for row in holdings.select(asked, is_issued=side, kind="P")]
    named = [
        (str(part(batch, side).get("rfc")), batch, row)
        for batch, row in holdings.payments_of(receipts)
        for side in ("payerBank", "beneficiaryBank")
    ]
    names = {rfc: str(part(batch, "payerBank").get("name")) for rfc, batch, _ in named if _pays(rfc, batch)}
    banks = grouped(named, lambda found: found[0])
    return {"data": _largest_first(_bank(rfc, names.get(rfc), [each[1:] for each in banks[rfc]]) for rfc in banks)}


def _pays(rfc: str, batch: JsonObject) -> bool:
    # The beneficiary's bank comes without its name.
    return part(batch, "payerBank").get("rfc") == rfc


def _bank(rfc: str, name: str | None, paid: Sequence[tuple[JsonObject, JsonObject]]) -> JsonObject:
    sums = [(day_of(row), amount(batch, "amount") * rate(batch)) for batch, row in paid]
    return {
        "rfc": rfc,
        **(institution(name) if name else {"legalName": None, "tradeName": None, "website": None}),
        "sector": "Instituciones de banca múltiple",
        "total": total(each for _, each in sums),
        "transactions": monthly(sums, _MONTH),
    }


def institution(name: str) -> JsonObject:
    """Give what a catalogue says of a financial institution."""
    return {"legalName": name, "tradeName": name.partition(" SA ")[0].title(), "website": website(name)}


def website(name: str) -> str:
    """Make up an address that nobody can have."""
    return f"{name.partition(' SA ')[0].lower().replace(' ', '-')}.example"


def _largest_first(rows: Iterable[JsonObject]) -> list[Json]:
    ordered = sorted(rows, key=lambda row: (-amount(row), str(row["rfc"])))
    return [*ordered]


def blacklist(holdings: Holdings, asked: Question) -> Json:
    """Counterparties that the newest of their invoices marks as on the list of article 69-B; all kinds of invoices."""
    return {"data": {word: _listed(holdings, asked, is_issued=word == "issued") for word in ("issued", "received")}}


def _listed(holdings: Holdings, asked: Question, *, is_issued: bool) -> list[Json]:
    rows = [row for row in holdings.invoices if row["isIssuer"] is is_issued and asked.covers(issued_at(row))]
    parties = grouped(sorted(rows, key=issued_at), rfc_of)
    marked = {rfc: found for rfc, found in parties.items() if any(other(row).get("blacklistStatus") for row in found)}
    return [_mark(rfc, marked[rfc]) for rfc in sorted(marked)]


def _mark(rfc: str, rows: Sequence[JsonObject]) -> JsonObject:
    # An invoice that was gathered before the list named its party is not marked.
    marked = [row for row in rows if other(row).get("blacklistStatus")]
    newest = other(marked[-1])
    taxpayer: JsonObject = {"rfc": rfc, "name": newest["name"], "blacklistStatus": newest["blacklistStatus"]}
    return {"invoices": len(marked), "taxpayer": taxpayer}


def sold(holdings: Holdings, asked: Question) -> list[JsonObject]:
    """What valid income invoices that were issued are for, by the descriptions of their lines."""
    return _products(holdings, holdings.select(asked, is_issued=True))


def bought(holdings: Holdings, asked: Question) -> list[JsonObject]:
    """What valid income invoices that were received are for, by the descriptions of their lines."""
    return _products(holdings, holdings.select(asked, is_issued=False))


def _products(holdings: Holdings, invoices: Sequence[JsonObject]) -> list[JsonObject]:
    lines = [
        (str(line["description"]), day_of(row), line_pesos(line, row)) for line, row in holdings.lines_of(invoices)
    ]
    whole = total(each for _, _, each in lines)
    products = grouped(lines, lambda found: found[0])
    sums = {name: total(each for _, _, each in found) for name, found in products.items()}
    return [
        {
            "name": name,
            "total": sums[name],
            "share": percent(sums[name], whole),
            "transactions": monthly(((day, each) for _, day, each in products[name]), _MONTH),
        }
        for name in sorted(products, key=lambda name: (-sums[name], name))
    ]
