"""Insights over real HTTP: their sums are what a user gets who reads the invoices and adds them up."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from operator import itemgetter
from pathlib import Path
from typing import Any

import msgspec
import openpyxl
import pytest

from belvo_async import NotFoundError, Session, Syntage, syntage
from belvo_async.simulator import SyntageSimulator
from belvo_async.vendors.syntage import pages
from belvo_async.vendors.syntage.schema.insights.export import InsightExport
from tests.virtual_time import VirtualClock

HALF = syntage.Period(date(2025, 1, 10), date(2025, 6, 20))
STARTS: dict[str, Callable[[date], date]] = {
    "daily": lambda day: day,
    "weekly": lambda day: day - timedelta(day.isoweekday() - 1),
    "monthly": lambda day: day.replace(day=1),
    "quarterly": lambda day: day.replace(month={0: 1, 1: 4, 2: 7, 3: 10}[(day.month - 1) // 3], day=1),
    "yearly": lambda day: day.replace(month=1, day=1),
}


@dataclass
class Desk:
    """A session on a Syntage that holds two years of invoices of its first entity, and what those are as records."""

    session: Session
    vendor: SyntageSimulator
    entity: str
    invoices: list[syntage.Invoice]

    async def ask(self, kind: Any, **given: Any) -> Any:
        return await self.session.call(kind(entity=self.entity, **given))

    async def rows(self, kind: Any, **given: Any) -> list[Any]:
        return await self.session.list(kind(entity=self.entity, **given)).to_list()

    def of(
        self, *, issued: bool, kind: str = "I", period: Any = HALF, status: str = "VIGENTE"
    ) -> list[syntage.Invoice]:
        return [
            each
            for each in self.invoices
            if (each.is_issuer, each.type, each.status) == (issued, kind, status)
            and (period is None or period.first <= at(each) <= period.last)
        ]


async def gathered(session: Session, vendor: SyntageSimulator, number: int = 0) -> Desk:
    entity = vendor.entities[number]
    options = syntage.InvoiceOptions(period=syntage.Period(date(2024, 1, 1), date(2025, 12, 31)))
    await (await session.fire(syntage.Extraction(entity, "invoice", options)))
    return Desk(session, vendor, entity, await session.list(syntage.Invoices(entity=entity)).to_list())


@pytest.fixture
async def session(clock: VirtualClock) -> AsyncIterator[tuple[Session, SyntageSimulator]]:
    """A session and a Syntage of which nothing was asked yet."""
    async with (
        SyntageSimulator(now=clock.now, invoices_per_year=90, limits=False) as simulator,
        Session(Syntage(simulator.api_key, base_url=simulator.url), clock=clock) as opened,
    ):
        yield opened, simulator


@pytest.fixture
async def desk(session: tuple[Session, SyntageSimulator]) -> Desk:
    """The first entity, a company, with everything gathered; one customer is on the list of article 69-B."""
    opened, simulator = session
    first = simulator.invoices(simulator.entities[0])[0]
    party: Any = first["receiver" if first["isIssuer"] else "issuer"]
    simulator.alter("definitive", party["rfc"])
    return await gathered(opened, simulator)


def at(invoice: syntage.Invoice) -> datetime:
    assert invoice.issued_at is not None
    return invoice.issued_at


def pesos(invoice: syntage.Invoice, name: str = "total") -> Decimal:
    return (getattr(invoice, name) or Decimal(0)) * (invoice.exchange_rate or 1)


def add(values: Iterable[Decimal]) -> Decimal:
    return sum(values, Decimal(0))


def party(invoice: syntage.Invoice) -> Any:
    return invoice.receiver if invoice.is_issuer else invoice.issuer


def by(
    invoices: Iterable[Any], key: Callable[[Any], Any], value: Callable[[Any], Decimal] = pesos
) -> dict[Any, Decimal]:
    sums: dict[Any, Decimal] = defaultdict(Decimal)
    for each in invoices:
        sums[key(each)] += value(each)
    return dict(sums)


def by_period(invoices: Iterable[Any], periodicity: str, key: Callable[[Any], Any], name: str = "total") -> Any:
    start = STARTS[periodicity]
    return by(invoices, lambda each: (start(at(each).date()), key(each)), lambda each: pesos(each, name))


def series(rows: Iterable[Any]) -> dict[Any, Decimal]:
    found = {(each.start_date, each.dimension): each.metric for each in rows}
    assert len(found) == len(list(rows))
    return found


async def test_revenue_and_expenditures_are_the_totals_of_income_invoices(desk: Desk) -> None:
    """In every periodicity, by the currency they are in; statistics count the same invoices."""
    for periodicity in STARTS:
        await _check_totals(desk, periodicity)


async def _check_totals(desk: Desk, periodicity: str) -> None:
    given = {"period": HALF, "periodicity": periodicity, "type": "currency"}
    sales, costs = await desk.ask(syntage.GetSalesRevenue, **given), await desk.ask(syntage.GetExpenditures, **given)

    for found, invoices in ((sales, desk.of(issued=True)), (costs, desk.of(issued=False))):
        assert invoices
        assert by_period(invoices, periodicity, lambda each: each.currency) == series(found.data)
        assert len(invoices) == sum(each.transactions for each in found.data) == sum(each.total for each in found.stats)
        assert len(invoices) == sum(each.hits for each in found.stats)
    assert {"MXN", "USD"} == {each.dimension for each in [*sales.data, *costs.data]}
    assert by(desk.of(issued=False), lambda each: each.currency, lambda each: each.total) == by(
        costs.data, lambda row: row.dimension, lambda row: row.amount
    )


async def test_revenue_is_parted_in_every_documented_way(desk: Desk) -> None:
    """Each way adds up to the same; counterparties below a tenth of a period are others."""
    ways: dict[Any, Callable[[Any], str]] = {
        "total": lambda _: "total",
        "payment-type": lambda each: each.payment_type,
        "customer-type": lambda each: "legal" if len(each.receiver.rfc) == 12 else "physical",
        "export": lambda each: "exports" if each.receiver.rfc == "XEXX010101000" else "national",
    }
    for way, key in ways.items():
        found = await desk.ask(syntage.GetSalesRevenue, type=way)

        assert by_period(desk.of(issued=True, period=None), "monthly", key) == series(found.data), way
    named = await desk.ask(syntage.GetSalesRevenue, type="customers", periodicity="yearly")
    sales = desk.of(issued=True, period=None)
    sums = by_period(sales, "yearly", lambda each: each.receiver.rfc)
    wholes = by(sales, lambda each: at(each).year)
    expected = by(sums, lambda key: (key[0], key[1] if sums[key] * 10 >= wholes[key[0].year] else "others"), sums.get)
    assert expected == series(named.data)
    assert all(each.label.endswith(f"({each.dimension})") for each in named.data if each.dimension != "others")
    months = (await desk.ask(syntage.GetSalesRevenue)).data
    assert [(f"{each.start_date:%Y%m}", f"{each.start_date:%Y/%b}") for each in months] == [
        (each.date, each.date_label) for each in months
    ]


async def test_cash_moves_when_it_is_paid(desk: Desk) -> None:
    """Income paid at once, payments of what was deferred, notes and payroll; in both directions, signed."""
    batches = await desk.session.list(syntage.InvoiceBatchPayments()).to_list()
    ways = {each.id: each for each in desk.invoices}
    moved = [
        *((each, pesos(each), each.is_issuer) for side in (True, False) for each in desk.of(issued=side)
          if each.payment_type == "PUE"),
        *((each, pesos(each), not each.is_issuer) for side in (True, False) for kind in "EN"
          for each in desk.of(issued=side, kind=kind)),
        *((ways[each.invoice.id], each.amount, each.invoice.is_issuer) for each in batches
          if each.invoice.status == "VIGENTE" and HALF.first <= at(each.invoice) <= HALF.last),
    ]  # fmt: skip

    found = await desk.ask(syntage.GetCashFlow, period=HALF)
    parted = await desk.ask(syntage.GetCashFlow, period=HALF, type="invoice-type")
    forms = await desk.ask(syntage.GetCashFlow, period=HALF, type="payment-method", periodicity="yearly")

    flows = by(
        moved,
        lambda each: (at(each[0]).date().replace(day=1), "inflow" if each[2] else "outflow"),
        lambda each: each[1] if each[2] else -each[1],
    )
    assert flows == {(each.start_date, each.type): each.metric for each in found.data}
    assert len(moved) == sum(each.transactions for each in found.data)
    assert all(each.mxn_amount == abs(each.metric) for each in found.data)
    assert {"Ingreso (I)", "Pago (P)", "Egreso (E)", "Nómina (N)"} == {each.dimension for each in parted.data}
    assert add(each.metric for each in found.data) == add(each.metric for each in parted.data)
    assert add(flows.values()) == add(each.metric for each in forms.data)
    assert "Transferencia electrónica de fondos (03)" in {each.dimension for each in forms.data}


async def test_accounts_are_what_invoices_say_is_due_and_paid(desk: Desk) -> None:
    """Period by period, and what was due up to it."""
    kinds = ((syntage.GetAccountsReceivable, True), (syntage.GetAccountsPayable, False))
    for kind, issued in kinds:
        found = (await desk.ask(kind, period=HALF, periodicity="quarterly")).data
        invoices = desk.of(issued=issued)
        due = by_period(invoices, "quarterly", lambda _: "Due", "due_amount")
        paid = by_period(invoices, "quarterly", lambda _: "Paid", "paid_amount")

        assert {**due, **paid} == series(found.non_cumulative)
        assert any(due.values())
        assert found.cumulative[-1].metric == add(due.values())
        assert sorted(start for start, _ in due) == [each.start_date for each in found.cumulative]


async def test_employees_are_those_who_received_payroll(desk: Desk) -> None:
    """Each once a period."""
    found = await desk.ask(syntage.GetEmployees, periodicity="yearly")

    payroll = desk.of(issued=True, kind="N", period=None)
    expected = {year: {each.receiver.rfc for each in payroll if at(each).year == year} for year in (2024, 2025)}
    assert {year: len(rfcs) for year, rfcs in expected.items()} == {
        each.start_date.year: each.metric for each in found.data
    }


async def test_counterparties_have_their_shares(desk: Desk) -> None:
    """Of all invoiced, in percent; month by month; the deprecated form gives the ten largest."""
    for kind, issued, word in (
        (syntage.GetCustomerConcentration, True, "issued"),
        (syntage.GetSupplierConcentration, False, "received"),
    ):
        rows = await desk.ask(kind, period=HALF)
        top = await desk.ask(syntage.GetInvoicingConcentration, period=HALF, type=word)
        invoices = desk.of(issued=issued)
        whole = add(map(pesos, invoices))

        assert by(invoices, lambda each: party(each).rfc) == {each.rfc: each.total for each in rows}
        assert [each.total for each in rows] == sorted((each.total for each in rows), reverse=True)
        assert all(each.share == round(each.total * 100 / whole, 2) for each in rows)
        assert abs(100 - add(each.share for each in rows)) < 1
        assert all(each.total == add(month.total for month in each.transactions) for each in rows)
        assert [(each.name, each.total, each.share) for each in rows[:10]] == [
            (each.name, each.total, each.share) for each in top
        ]


async def test_public_bodies_and_banks_are_known(desk: Desk) -> None:
    """The one among customers, with their share of sales; the others where payments name them, on either side."""
    bodies = (await desk.ask(syntage.GetGovernmentCustomers)).data
    banks = (await desk.ask(syntage.GetFinancialInstitutions)).data
    sales = desk.of(issued=True, period=None)
    batches = await desk.session.list(syntage.InvoiceBatchPayments()).to_list()
    valid = [each for each in batches if each.invoice.status == "VIGENTE"]

    assert bodies
    for body in bodies:
        mine = add(pesos(each) for each in sales if each.receiver.rfc == body.rfc)
        assert (mine, mine) == (body.total, add(month.total for month in body.transactions))
        assert abs(mine * 100 / add(map(pesos, sales)) - body.percentage_of_sales) < Decimal("1e-12")
    sides = [(getattr(each, side).rfc, each.amount) for each in valid for side in ("payer_bank", "beneficiary_bank")]
    assert by(sides, lambda each: each[0], lambda each: each[1]) == {each.rfc: each.total for each in banks}
    assert all(each.total == add(month.total for month in each.transactions) for each in banks)


async def test_the_blacklist_counts_the_invoices_that_are_marked(desk: Desk) -> None:
    """On the side they are on."""
    found = (await desk.ask(syntage.GetInvoicingBlacklist)).data

    for issued, rows in ((True, found.issued), (False, found.received)):
        marked = [each for each in desk.invoices if each.is_issuer is issued and party(each).blacklist_status]
        assert by(marked, lambda each: (party(each).rfc, "definitive"), lambda _: Decimal(1)) == {
            (each.taxpayer.rfc, each.taxpayer.blacklist_status): each.invoices for each in rows
        }
    assert found.issued or found.received


async def test_products_are_the_lines_of_invoices(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Less their discounts, in pesos; page by page, to the end."""
    lines = await desk.rows(syntage.InvoiceLineItems)
    monkeypatch.setattr(pages, "ROWS_PER_PAGE", 2)
    asked = len(desk.vendor.requests)

    for kind, issued in ((syntage.ProductsAndServicesSold, True), (syntage.ProductsAndServicesBought, False)):
        rows = await desk.rows(kind, period=HALF)
        invoices = {each.id: each for each in desk.of(issued=issued)}
        sold = [
            (each.description, net(each, invoices[each.invoice.id])) for each in lines if each.invoice.id in invoices
        ]
        sums = by(sold, itemgetter(0), itemgetter(1))

        assert sums == {each.name: each.total for each in rows}
        assert all(each.share == round(each.total * 100 / add(sums.values()), 2) for each in rows)
        assert all(each.total == add(month.total for month in each.transactions) for each in rows)
    assert len(desk.vendor.requests) - asked >= 6


def net(line: Any, invoice: syntage.Invoice) -> Decimal:
    return (line.total_amount - (line.discount_amount or 0)) * (invoice.exchange_rate or 1)


async def test_interest_on_arrears_is_in_the_lines_of_lenders(desk: Desk) -> None:
    """The months and institutions of a period add up to it; without one it is the last twelve full months."""
    lines = await desk.rows(syntage.InvoiceLineItems)
    received = {each.id: each for each in desk.of(issued=False, period=None)}
    charged = [
        (at(received[each.invoice.id]).date(), net(each, received[each.invoice.id]))
        for each in lines
        if each.description == "Intereses moratorios" and each.invoice.id in received
    ]

    usual = await desk.ask(syntage.GetMoratoryInterest)
    chosen = await desk.ask(syntage.GetMoratoryInterest, period=HALF)

    for found in (usual, chosen):
        first, last = found.summary.period_from, found.summary.period_to
        expected = add(amount for day, amount in charged if first <= day <= last)
        assert expected == found.summary.period_total == add(each.total_amount for each in found.monthly)
        assert expected == add(each.total_amount for each in found.monthly_by_institution)
        assert len({each.issuer_rfc for each in found.monthly_by_institution}) == found.summary.period_institution_count
    assert usual.summary.twelve_month_total == usual.summary.period_total
    assert usual.summary.period_total > 0
    assert (date(2025, 1, 10), date(2025, 6, 20)) == (chosen.summary.period_from, chosen.summary.period_to)
    assert add(each.total_amount for each in usual.institutions) == usual.summary.twelve_month_total


async def test_years_and_networks_add_up(desk: Desk) -> None:
    """By what the document's own examples show: net is the total less discounts, notes and what is unpaid."""
    years = {each.period: each for each in await desk.rows(syntage.InvoicingAnnualComparison)}
    vendors, customers = await desk.rows(syntage.VendorNetwork), await desk.rows(syntage.CustomerNetwork)

    assert {"2024", "2025"} == set(years)
    for name, year in years.items():
        period = syntage.Period(date(int(name), 1, 1), date(int(name), 12, 31))
        sales, costs = desk.of(issued=True, period=period), desk.of(issued=False, period=period)
        assert cents(map(pesos, sales)) == year.total_sales_revenue
        assert cents(map(pesos, costs)) == year.total_expenses
        assert cents(map(pesos, desk.of(issued=True, period=period, status="CANCELADO"))) == year.total_income_cancelled
        assert cents(map(pesos, desk.of(issued=True, kind="N", period=period))) == year.payroll
        assert close(year.net_income, year.total_sales_revenue - year.income_discounts - year.income_credit_notes
                     - year.income_payment_pending)  # fmt: skip
        assert close(year.profit_or_loss, year.net_income_plus_payroll - year.net_expenses_plus_payroll)
        assert 1 == year.income_due_upon_receipt + year.income_due_over_time
    for rows, issued, pending in (
        (vendors, False, "received_payment_pending"),
        (customers, True, "emitted_payment_pending"),
    ):
        invoices = desk.of(issued=issued, period=None)
        assert close(add(map(pesos, invoices)), add(each.total_received for each in rows))
        assert sum(each.ppd_count for each in rows) == len([each for each in invoices if each.payment_type == "PPD"])
        assert close(add(pesos(each, "due_amount") for each in invoices), add(getattr(each, pending) for each in rows))
    assert len(vendors) > 20


def cents(values: Iterable[Decimal]) -> Decimal:
    return add(values).quantize(Decimal("0.01"))


def close(one: Decimal, other: Decimal) -> bool:
    """Equal but for the cents that rows are rounded to."""
    return abs(one - other) < 1


async def test_an_entity_without_data_has_empty_insights(session: tuple[Session, SyntageSimulator]) -> None:
    """Not an error: nothing was extracted yet. One that is not there is an error."""
    opened, simulator = session
    empty = Desk(opened, simulator, simulator.entities[1], [])

    assert syntage.SalesRevenue(data=(), stats=()) == await empty.ask(syntage.GetSalesRevenue)
    assert () == await empty.ask(syntage.GetCustomerConcentration)
    assert () == (await empty.ask(syntage.GetAccountsPayable)).data.cumulative
    assert (await empty.ask(syntage.GetInvoicingBlacklist)).data == syntage.BlacklistSides(issued=(), received=())
    assert 0 == (await empty.ask(syntage.GetMoratoryInterest)).summary.twelve_month_total
    assert [] == await empty.rows(syntage.ProductsAndServicesSold) == await empty.rows(syntage.VendorNetwork)
    with pytest.raises(NotFoundError):
        await opened.call(syntage.GetEmployees(entity="0f3a5c1e-7b42-4d19-9c60-2a8e51d7b904"))


async def test_payroll_is_the_income_of_a_person(session: tuple[Session, SyntageSimulator]) -> None:
    """Received, it counts as income of the year and as an inflow."""
    desk = await gathered(*session, number=2)

    (year,) = [each for each in await desk.rows(syntage.InvoicingAnnualComparison) if each.period == "2025"]
    flow = await desk.ask(syntage.GetCashFlow, type="invoice-type", periodicity="yearly",
                          period=syntage.Period(date(2025, 1, 1), date(2025, 12, 31)))  # fmt: skip

    payroll = [each for each in desk.of(issued=False, kind="N", period=None) if at(each).year == 2025]
    assert payroll
    assert cents(map(pesos, payroll)) == year.income_payroll == year.total_income - year.total_sales_revenue
    assert [("inflow", add(map(pesos, payroll)))] == [
        (each.type, each.metric) for each in flow.data if each.dimension == "Nómina (N)"
    ]


async def test_an_export_holds_the_rows_of_its_insight(desk: Desk, tmp_path: Path) -> None:
    """As CSV and as a workbook that others open; with the same options."""
    sales = desk.of(issued=True)
    sums = {
        "sales-revenue": ("metric", add(map(pesos, sales))),
        "customer-concentration": ("total", add(map(pesos, sales))),
        "accounts-receivable": (
            "metric",
            add(pesos(each, side) for each in sales for side in ("due_amount", "paid_amount")),
        ),
    }
    for name, (amount, expected) in sums.items():
        export = InsightExport(entity=desk.entity, insight=name, period=HALF)

        rows = list(csv.DictReader(io.StringIO((await desk.session.download(export).read()).decode())))
        await desk.session.download(msgspec.structs.replace(export, format="xlsx")).save(tmp_path / f"{name}.xlsx")

        header, *cells = openpyxl.load_workbook(tmp_path / f"{name}.xlsx").active.iter_rows(values_only=True)
        assert len(cells) == len(rows) > 0
        assert [float(each[amount]) for each in rows] == [float(each[header.index(amount)]) for each in cells]
        assert expected == add(Decimal(each[amount]) for each in rows if each.get("series") != "cumulative")


async def test_what_cannot_be_exported_is_not_found(desk: Desk) -> None:
    """Names are not listed by Syntage, so a new one is asked for, and its answer is told."""
    with pytest.raises(NotFoundError):
        await desk.session.download(InsightExport(entity=desk.entity, insight="of-tomorrow")).read()
