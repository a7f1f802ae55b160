"""Series: one row a period and dimension. A period of which there is nothing has no row."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, Literal

from ...cfdi import ZERO
from ...wire import Json, JsonObject
from .holdings import Holdings, amount, day_of, grouped, is_valid, issued_at, other, part, pesos, rate, rfc_of, total
from .options import Question
from .periods import start_of, written

_KINDS: Final = {"I": "Ingreso", "E": "Egreso", "P": "Pago", "T": "Traslado", "N": "Nómina"}
# SAT c_FormaPago; others are shown as their code ("falls back to the raw numeric code").
_FORMS: Final = {
    "01": "Efectivo",
    "02": "Cheque nominativo",
    "03": "Transferencia electrónica de fondos",
    "04": "Tarjeta de crédito",
    "28": "Tarjeta de débito",
    "99": "Por definir",
}
_FOREIGN: Final = "XEXX010101000"
_GENERIC: Final = frozenset({"XAXX010101000", _FOREIGN})
_OTHERS_SHARE: Final = Decimal("0.1")
_DUE: Final[Mapping[bool, tuple[str, str, str]]] = {
    False: ("Due", "Paid", "Cumulative Due"),
    True: ("Vencido", "Pagado", "Vencido Acumulado"),
}

Dimension = Callable[[JsonObject], tuple[str, str]]
"""The dimension of an invoice, and its label."""


def _word(value: Json) -> tuple[str, str]:
    word = "unknown" if value is None else str(value)
    return word, word


def _kind(row: JsonObject) -> tuple[str, str]:
    return _word(f"{_KINDS[str(row['type'])]} ({row['type']})")


def _party(row: JsonObject) -> tuple[str, str]:
    return rfc_of(row), f"{other(row).get('name')} ({rfc_of(row)})"


def _person(row: JsonObject) -> tuple[str, str]:
    rfc = rfc_of(row)
    return _word(None if rfc in _GENERIC else "legal" if len(rfc) == 12 else "physical")


def _form(row: JsonObject) -> tuple[str, str]:
    code = row["paymentMethod"]
    return _word(f"{_FORMS[str(code)]} ({code})" if str(code) in _FORMS else code)


DIMENSIONS: Final[Mapping[str, Dimension]] = {
    "total": lambda _: ("total", "total"),
    "currency": lambda row: _word(row["currency"]),
    "counterparty": _party,
    "customers": _party,
    "invoice-type": _kind,
    "payment-type": lambda row: _word(row["paymentType"]),
    "payment-method": _form,
    "export": lambda row: _word("exports" if rfc_of(row) == _FOREIGN else "national"),
    "customer-type": _person,
}
_MANY: Final = frozenset({"counterparty", "customers"})


@dataclass(frozen=True, kw_only=True)
class Addend:
    """What one invoice adds to a series: `amount` in its currency, `metric` in MXN."""

    start: date
    dimension: str
    label: str
    amount: Decimal
    metric: Decimal
    flow: Literal["inflow", "outflow"] = "inflow"


def _addend(row: JsonObject, asked: Question) -> Addend:
    dimension, label = DIMENSIONS[asked.type](row)
    return Addend(
        start=start_of(asked.periodicity, day_of(row)),
        dimension=dimension,
        label=label,
        amount=amount(row),
        metric=pesos(row),
    )


def _dated(start: date, asked: Question) -> JsonObject:
    short, label = written(asked.periodicity, start)
    return {"date": short, "dateLabel": label, "startDate": start.isoformat()}


def _named(dimension: str, label: str) -> JsonObject:
    return {"dimension": dimension, "label": label, "groupName": dimension}


def _stats(rows: Iterable[JsonObject], asked: Question) -> list[Json]:
    """Tell how many invoices of each period there are, and of how many the XML is held: only those say everything."""
    periods = grouped(rows, lambda row: start_of(asked.periodicity, day_of(row)))
    return [
        {"total": len(periods[each]), "hits": sum(row["xml"] is True for row in periods[each]), **_dated(each, asked)}
        for each in sorted(periods)
    ]


def _rows(addends: Iterable[Addend], asked: Question) -> list[tuple[Addend, JsonObject]]:
    """Add up by period, flow and dimension, oldest first, the largest of a period first."""
    groups = grouped(addends, lambda each: (each.start, each.flow, each.dimension))
    sums = [(found[0], total(each.metric for each in found), found) for found in groups.values()]
    ordered = sorted(sums, key=lambda each: (each[0].start, each[0].flow, -each[1], each[0].dimension))
    return [
        (
            first,
            {
                "amount": total(each.amount for each in found),
                "mxnAmount": metric,
                "metric": metric,
                "transactions": len(found),
                **_dated(first.start, asked),
                **_named(first.dimension, first.label),
            },
        )
        for first, metric, found in ordered
    ]


def _bundled(addends: list[Addend], asked: Question) -> list[Addend]:
    """Put counterparties that have less than a tenth of a period together, as `others`."""
    if asked.type not in _MANY:
        return addends
    wholes = {start: total(each.metric for each in found) for start, found in grouped(addends, _start).items()}
    parts = grouped(addends, lambda each: (each.start, each.dimension))
    large = {
        key for key, found in parts.items() if total(each.metric for each in found) >= wholes[key[0]] * _OTHERS_SHARE
    }
    return [each if (each.start, each.dimension) in large else _other(each) for each in addends]


def _start(addend: Addend) -> date:
    return addend.start


def _other(addend: Addend) -> Addend:
    return Addend(start=addend.start, dimension="others", label="others", amount=addend.amount, metric=addend.metric)


def expenditures(holdings: Holdings, asked: Question) -> Json:
    """Money spent: the totals of valid income invoices that were received."""
    return _totals(holdings.select(asked, is_issued=False), asked)


def sales_revenue(holdings: Holdings, asked: Question) -> Json:
    """Money earned: the totals of valid income invoices that were issued. Its rows have no `amount`."""
    whole = _totals(holdings.select(asked, is_issued=True), asked)
    rows = whole["data"]
    shown: list[Json] = [
        {name: value for name, value in row.items() if name != "amount"}
        for row in (rows if isinstance(rows, list) else [])
        if isinstance(row, dict)
    ]
    return {**whole, "data": shown}


def _totals(invoices: list[JsonObject], asked: Question) -> JsonObject:
    addends = _bundled([_addend(row, asked) for row in invoices], asked)
    data: list[Json] = [row for _, row in _rows(addends, asked)]
    return {"data": data, "stats": _stats(invoices, asked)}


# Which way the money of a valid receipt goes when the entity issued it; received, the other way. Deferred income is
# none until a payment receipt tells of it, and a transfer of goods never is.
_FLOWS: Final[Mapping[str, tuple[Literal["inflow", "outflow"], Literal["inflow", "outflow"]]]] = {
    "I": ("inflow", "outflow"),
    "P": ("inflow", "outflow"),
    "E": ("outflow", "inflow"),
    "N": ("outflow", "inflow"),
}


def cash_flow(holdings: Holdings, asked: Question) -> Json:
    """Money that moved: income paid at once (PUE), payments, credit notes given back, payroll."""
    rows = [row for row in holdings.invoices if is_valid(row) and _moves(row) and asked.covers(issued_at(row))]
    plain = [_flow(row, row, asked) for row in rows if row["type"] != "P"]
    paid = [_flow(row, _as_paid(row, batch), asked) for batch, row in holdings.payments_of(rows)]
    data: list[Json] = [
        {"type": first.flow, **row, "metric": _signed(first, row)} for first, row in _rows([*plain, *paid], asked)
    ]
    return {"data": data, "stats": _stats(rows, asked)}


def _moves(row: JsonObject) -> bool:
    return row["type"] in _FLOWS and (row["type"] != "I" or row["paymentType"] == "PUE")


def _as_paid(row: JsonObject, batch: JsonObject) -> JsonObject:
    """Give a payment receipt as if its payment stood on it: the receipt itself is over nothing."""
    said = {name: batch[name] for name in ("currency", "exchangeRate", "amount", "paymentMethod")}
    return {**row, **said, "total": batch["amount"]}


def _flow(row: JsonObject, money: JsonObject, asked: Question) -> Addend:
    dimension, label = DIMENSIONS[asked.type](money)
    return Addend(
        start=start_of(asked.periodicity, day_of(row)),
        dimension=dimension,
        label=label,
        amount=amount(money),
        metric=amount(money) * rate(money),
        flow=_FLOWS[str(row["type"])][0 if row["isIssuer"] else 1],
    )


def _signed(first: Addend, row: JsonObject) -> Decimal:
    metric = amount(row, "metric")
    return metric if first.flow == "inflow" else -metric


def receivable(holdings: Holdings, asked: Question) -> Json:
    """What is due and was paid of valid income invoices that were issued, by the period they were issued in."""
    return _accounts(holdings.select(asked, is_issued=True), asked)


def payable(holdings: Holdings, asked: Question) -> Json:
    """What is due and was paid of valid income invoices that were received."""
    return _accounts(holdings.select(asked, is_issued=False), asked)


def _accounts(invoices: list[JsonObject], asked: Question) -> Json:
    due_word, paid_word, cumulative_word = _DUE[asked.is_spanish]
    periods = grouped(invoices, lambda row: start_of(asked.periodicity, day_of(row)))
    plain: list[Json] = []
    running: list[Json] = []
    due, due_pesos = ZERO, ZERO
    for start in sorted(periods):
        rows = periods[start]
        plain.append(_account(start, due_word, *_both(rows, "dueAmount"), asked))
        plain.append(_account(start, paid_word, *_both(rows, "paidAmount"), asked))
        here = _both(rows, "dueAmount")
        due, due_pesos = due + here[0], due_pesos + here[1]
        running.append(_account(start, cumulative_word, due, due_pesos, asked))
    return {"data": {"nonCumulative": plain, "cumulative": running}}


def _both(rows: list[JsonObject], name: str) -> tuple[Decimal, Decimal]:
    return total(amount(row, name) for row in rows), total(pesos(row, name) for row in rows)


def _account(start: date, word: str, own: Decimal, metric: Decimal, asked: Question) -> JsonObject:
    dated = _dated(start, asked)
    # Here the document writes both deprecated forms alike.
    return {"amount": own, "metric": metric, **dated, "dateLabel": dated["date"], **_named(word, word)}


def employees(holdings: Holdings, asked: Question) -> Json:
    """Count whom valid payroll receipts were issued to."""
    payroll = holdings.select(asked, is_issued=True, kind="N")
    periods = grouped(payroll, lambda row: start_of(asked.periodicity, day_of(row)))
    counts = {
        start: len({str(part(row, "receiver").get("rfc")) for row in periods[start]}) for start in sorted(periods)
    }
    data: list[Json] = [
        {"total": count, "metric": count, **_dated(start, asked), "dimension": "total", "label": "total"}
        for start, count in counts.items()
    ]
    return {"data": data}
