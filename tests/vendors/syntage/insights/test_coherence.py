"""Insights against each other, over real HTTP: statements add up, ratios are theirs, risks say what others do."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import openpyxl
import pytest

from belvo_async import NotFoundError, Session, Syntage, syntage
from belvo_async.simulator import SyntageSimulator
from tests.vendors.syntage.insights.test_end_to_end import Desk, add, at, party, pesos
from tests.virtual_time import VirtualClock

PERIOD = syntage.Period(date(2024, 1, 1), date(2026, 5, 31))
OPTIONS: dict[str, Any] = {
    "invoice": syntage.InvoiceOptions(period=PERIOD),
    "annual_tax_return": syntage.TaxReturnOptions(period=PERIOD),
    "electronic_accounting": syntage.ElectronicAccountingOptions(period=PERIOD),
}
# Whose the equity is: beside its parts, in the document's own example.
OF_WHICH = ("Participación controladora", "Participación no controladora")
FINE = Decimal("1e-12")


@pytest.fixture
async def desk(clock: VirtualClock) -> AsyncIterator[Desk]:
    """A session and the first entity, a company, of which nothing was extracted."""
    async with (
        SyntageSimulator(now=clock.now, invoices_per_year=60, limits=False) as simulator,
        Session(Syntage(simulator.api_key, base_url=simulator.url), clock=clock) as session,
    ):
        yield Desk(session, simulator, simulator.entities[0], [])


async def extracted(desk: Desk, *extractors: str) -> Desk:
    """Have these extracted."""
    for each in extractors:
        await (await desk.session.fire(syntage.Extraction(desk.entity, each, OPTIONS.get(each))))
    desk.invoices = await desk.rows(syntage.Invoices)
    return desk


def total(category: Any, year: int) -> Decimal:
    return category.years[year].total or Decimal(0)


def walked(categories: Any) -> Iterator[Any]:
    for each in categories or ():
        yield each
        yield from walked(each.children)


def named(statement: Any, name: str) -> Any:
    """The category of that name: the outermost, where an inner one has it too."""
    return next(each for each in walked(statement.data) if each.category == name)


def figure(statement: Any, name: str, year: int) -> Decimal:
    return total(named(statement, name), year)


async def test_statements_add_up(desk: Desk) -> None:
    """Each category is the sum of what it is made of; what is owned is what is owed and the capital."""
    await extracted(desk, "annual_tax_return")
    balance, income = await desk.ask(syntage.GetBalanceSheet), await desk.ask(syntage.GetIncomeStatement)
    returns = [each for each in await desk.rows(syntage.TaxReturns) if each.interval_unit == "Anual"]
    years = sorted({int(each.fiscal_year) for each in returns})

    assert [2023, 2024, 2025] == years
    for statement in (balance, income):
        assert 601 == statement.tax_regime.id
        for each in walked(statement.data):
            assert years == list(each.years), each.category
            parts = [part for part in each.children or () if part.category not in OF_WHICH]
            for year in years if parts else ():
                assert total(each, year) == add(total(part, year) for part in parts), each.category
    assert ["Activo", "Pasivo", "Capital"] == [each.category for each in balance.data]
    for year in years:
        assets, debts, capital = (total(each, year) for each in balance.data)
        assert assets == debts + capital > 0


async def test_the_income_statement_goes_from_sales_to_profit(desk: Desk) -> None:
    """Outflows are negative; sales are those of the invoices of the year, and profits end up in the balance sheet."""
    await extracted(desk, "annual_tax_return", "invoice")
    balance, income = await desk.ask(syntage.GetBalanceSheet), await desk.ask(syntage.GetIncomeStatement)

    for year in (2024, 2025):
        period = syntage.Period(date(year, 1, 1), date(year, 12, 31))
        sold = desk.of(issued=True, period=period)
        assert round(add(pesos(each, "subtotal") for each in sold)) == figure(
            income, "Ventas y/o servicios nacionales", year
        )
        steps = iter(income.data)
        running = Decimal(0)
        for each in steps:
            if each.category.startswith(("Utilidad", "Pérdida")):
                assert total(each, year) in (running, 0), each.category
            else:
                running += total(each, year)
        assert running == figure(income, "Utilidad o pérdida neta", year)
        for name in ("Gastos de operación", "Total de materiales utilizados o comercializados"):
            assert figure(income, name, year) < 0
        kept = figure(balance, "Utilidades acumuladas", year) - figure(balance, "Utilidades acumuladas", year - 1)
        assert running == kept
        assert -figure(income, "Inventario Inicial", year) == figure(balance, "Inventarios", year - 1)
        assert figure(income, "Inventario Final", year) == figure(balance, "Inventarios", year)


async def test_statements_are_of_the_years_asked_for(desk: Desk) -> None:
    """By a period of fiscal years, and by the format; a year before 2021 is not of that of 2022."""
    await extracted(desk, "annual_tax_return")
    filed = syntage.Period(date(2021, 1, 1), date(2021, 12, 31))
    former = syntage.Extraction(desk.entity, "annual_tax_return", syntage.TaxReturnOptions(period=filed))
    await (await desk.session.fire(former))

    two = await desk.ask(syntage.GetBalanceSheet, period=syntage.Period(date(2023, 1, 1), date(2024, 12, 31)))
    every, newer = [await desk.ask(syntage.GetIncomeStatement, year_format=each) for each in (None, "2022")]

    assert [2023, 2024] == list(two.data[0].years)
    assert ([2020, 2023, 2024, 2025], [2023, 2024, 2025]) == (list(every.data[0].years), list(newer.data[0].years))
    notes = {each.comment for row in walked(two.data) for each in row.years.values()}
    assert {None, "Línea recta, 10 % anual"} == notes


async def test_ratios_are_those_of_the_statements(desk: Desk) -> None:
    """Each one can be worked out from what the two statements say."""
    await extracted(desk, "annual_tax_return")
    balance, income = await desk.ask(syntage.GetBalanceSheet), await desk.ask(syntage.GetIncomeStatement)
    found = (await desk.ask(syntage.GetFinancialRatios)).data

    for year in (2023, 2024, 2025):
        expected = ratios(balance, income, year)
        said = {
            name: getattr(group, name)[year]
            for group in (found.liquidity, found.activity, found.profitability, found.leverage)
            for name in group.__struct_fields__
        }
        assert expected.keys() == said.keys()
        for name, (part, whole) in expected.items():
            value = said[name]
            assert (value is None) == (whole == 0), name
            assert value is None or abs(value - part / whole) < FINE, name
    only = (await desk.ask(syntage.GetFinancialRatios, period=PERIOD)).data
    assert 2023 not in only.leverage.solvency
    assert only.leverage.solvency[2024] == found.leverage.solvency[2024]


def ratios(balance: Any, income: Any, year: int) -> dict[str, tuple[Decimal, Decimal]]:
    def of(name: str) -> Decimal:
        return figure(balance if name in {each.category for each in walked(balance.data)} else income, name, year)

    assets, debts, equity = of("Activo"), of("Pasivo"), of("Capital")
    current, owed, sales = of("Activo a corto plazo"), of("Pasivo a corto plazo"), of("Ingresos Netos")
    cost = -of("Total de materiales utilizados o comercializados")
    stock, cash, net = of("Inventarios"), of("Efectivo y equivalentes de efectivo"), of("Utilidad o pérdida neta")
    interest, gross = -of("Resultado Integral de Financiamiento"), of("Utilidad o pérdida bruta")
    return {
        "current_ratio": (current, owed),
        "quick_ratio": (current - stock, owed),
        "cash_ratio": (cash, owed),
        "cash_to_assets": (cash, assets),
        "net_working_capital_to_sales": (current - owed, sales),
        "total_asset_turnover": (sales, assets),
        "inventory_turnover": (cost, stock),
        "fixed_asset_turnover_ratio": (sales, of("Propiedades, plantas y equipo")),
        "sales_to_capital_employed": (sales, assets - owed),
        "accounts_payable_payment_period": (of("Proveedores") * 365, cost),
        "accounts_receivable_collection_period": (of("Clientes") * 365, sales),
        "return_on_assets": (net, assets),
        "return_on_equity": (net, equity),
        "return_on_sales": (net, sales),
        "gross_profit_margin": (gross, sales),
        "return_on_investment": (net, equity + of("Pasivo a largo plazo")),
        "total_debt_ratio": (debts, assets),
        "debt_equity_ratio": (debts, equity),
        "coverage": (of("Utilidad o pérdida de operación"), interest),
        "capital_intensity_ratio": (assets, sales),
        "solvency": (assets, debts),
        "interest_expense_to_sales": (interest, sales),
    }


async def test_a_trial_balance_moves_from_one_month_to_the_next(desk: Desk) -> None:
    """Of the months whose balance was sent and not rejected; groups are the sum of their accounts."""
    await extracted(desk, "electronic_accounting")
    (found,) = await desk.ask(syntage.GetTrialBalance, periodicity="monthly")
    sent = [each for each in await desk.rows(syntage.ElectronicAccountingRecords) if each.file_type == "B"]
    accepted = sorted(f"{each.year}-{each.month:02}" for each in sent if each.status != "rejected")

    assert accepted == list(found.data.periods)
    assert {each.status for each in sent} > {"accepted"}
    for key, period in found.data.periods.items():
        assert key == f"{period.year}-{period.month:02}"
    for group in found.data.accounts.values():
        for account in (group, *group.children.values()):
            assert accepted == list(account.trial_balance)
            for each in account.trial_balance.values():
                assert each.ending_balance == each.initial_balance + each.credits - each.debits
        for key, whole in group.trial_balance.items():
            for name in whole.__struct_fields__:
                parts = add(getattr(each.trial_balance[key], name) for each in group.children.values())
                assert getattr(whole, name) == parts
    banks = found.data.accounts["100"].children["102"]
    for earlier, later in pairwise(accepted):
        if int(later[:4]) * 12 + int(later[5:]) == int(earlier[:4]) * 12 + int(earlier[5:]) + 1:
            before, after = banks.trial_balance[earlier], banks.trial_balance[later]
            assert before.ending_balance == after.initial_balance
    for key in accepted:
        assert ending(found, key, "100") == ending(found, key, "200") + ending(found, key, "300") + result(found, key)


def result(found: Any, key: str) -> Decimal:
    """Income less costs, expenses and interest."""
    return ending(found, key, "400") - add(ending(found, key, code) for code in ("500", "600", "700"))


def ending(found: Any, key: str, code: str) -> Decimal:
    return found.data.accounts[code].trial_balance[key].ending_balance


async def test_a_year_of_trial_balances_ends_where_the_statements_do(desk: Desk) -> None:
    """Before it is closed: accounts of the result still hold what the income statement says."""
    await extracted(desk, "electronic_accounting", "annual_tax_return")
    period = syntage.Period(date(2024, 1, 1), date(2025, 12, 31))
    (found,) = await desk.ask(syntage.GetTrialBalance, period=period)
    balance, income = await desk.ask(syntage.GetBalanceSheet), await desk.ask(syntage.GetIncomeStatement)

    assert {2024, 2025} == {each.year for each in found.data.periods.values()}
    ended = [key for key in found.data.periods if key.endswith("-12")]
    assert ended
    for key in ended:
        year = int(key[:4])
        assert ending(found, key, "100") == figure(balance, "Activo", year)
        assert ending(found, key, "200") == figure(balance, "Pasivo", year)
        assert ending(found, key, "400") == figure(income, "Ingresos Netos", year)
        assert ending(found, key, "500") == -figure(income, "Total de materiales utilizados o comercializados", year)
        assert result(found, key) == figure(income, "Utilidad o pérdida neta", year)
        assert ending(found, key, "300") + result(found, key) == figure(balance, "Capital", year)


async def test_risks_say_what_the_other_insights_do(desk: Desk) -> None:
    """Concentrations, the blacklist, interest on arrears, the ratio, the opinion; of the same days."""
    first = desk.vendor.invoices(desk.entity)[0]
    other: Any = first["receiver" if first["isIssuer"] else "issuer"]
    desk.vendor.alter("definitive", other["rfc"])
    await extracted(desk, "invoice", "annual_tax_return", "tax_compliance")
    for since in (None, date(2025, 3, 1), datetime(2026, 2, 1, 18, 30, tzinfo=UTC)):
        await _check_risks(desk, since)


async def _check_risks(desk: Desk, since: date | None) -> None:
    period = syntage.Period(since or date(2014, 1, 1), desk.vendor.now())
    given = {"period": period} if since else {}
    risks = (await desk.ask(syntage.GetRisks, since=since)).data
    moratory = (await desk.ask(syntage.GetMoratoryInterest, **given)).summary
    blacklist = (await desk.ask(syntage.GetInvoicingBlacklist, period=period)).data
    solvency = (await desk.ask(syntage.GetFinancialRatios, period=period)).data.leverage.solvency
    (check,) = await desk.rows(syntage.TaxComplianceChecks)

    for kind, found in (
        (syntage.GetCustomerConcentration, risks.customer_concentration),
        (syntage.GetSupplierConcentration, risks.supplier_concentration),
    ):
        shares = [each.share for each in await desk.ask(kind, period=period)]
        assert round(add(each**2 for each in shares)) == found.value > 0
        assert found.risky is (found.value > 2500)
    listed = {each.taxpayer.rfc for each in [*blacklist.issued, *blacklist.received]}
    found = risks.blacklisted_counterparties
    assert (len(listed), bool(listed)) == (found.value, found.risky)
    assert (moratory.period_total, moratory.is_recurring, moratory.period_institution_count) == (
        risks.moratory_interest.value,
        risks.moratory_interest.is_recurring,
        risks.moratory_interest.institution_count,
    )
    newest = solvency[max(solvency)] if solvency else None
    assert (newest, newest is not None and newest < 1) == (
        risks.accounting_insolvency.value,
        risks.accounting_insolvency.risky,
    )
    assert (check.result, check.result != "positive") == (risks.tax_compliance.value, risks.tax_compliance.risky)
    _check_invoices(desk, period, risks)
    await _check_interest(desk, moratory, risks.moratory_interest)


def _check_invoices(desk: Desk, period: Any, risks: Any) -> None:
    """Cancellations by number, currencies, cash and dealings in both directions by amount."""
    sides = [desk.of(issued=side, period=period) for side in (True, False)]
    for side, found in ((True, risks.canceled_issued_invoices), (False, risks.canceled_received_invoices)):
        gone = len(desk.of(issued=side, period=period, status="CANCELADO"))
        assert close(found.value, Decimal(gone), Decimal(gone + len(desk.of(issued=side, period=period))))
    valid = [*sides[0], *sides[1]]
    both = set.intersection(*({party(each).rfc for each in side} for side in sides))
    whole = add(map(pesos, valid))
    for found, meant in (
        (risks.foreign_exchange_risk, [each for each in valid if each.currency != "MXN"]),
        (risks.cash_transaction_risk, [each for each in valid if each.payment_method == "01"]),
        (risks.intercompany_transactions, [each for each in valid if party(each).rfc in both]),
    ):
        assert close(found.value, add(map(pesos, meant)), whole)


def close(share: Decimal, part: Decimal, whole: Decimal) -> bool:
    return share == (part / whole).quantize(Decimal("0.0001"))


async def _check_interest(desk: Desk, moratory: Any, found: Any) -> None:
    """Ordinary interest is what lines of lenders are called so; the penalty is the part of both that is for arrears."""
    received = {each.id: each for each in desk.of(issued=False, period=None)}
    charged = [
        (line.total_amount - (line.discount_amount or 0)) * (received[line.invoice.id].exchange_rate or 1)
        for line in await desk.rows(syntage.InvoiceLineItems)
        if line.description == "Intereses ordinarios" and line.invoice.id in received
        if moratory.period_from <= at(received[line.invoice.id]).date() <= moratory.period_to
    ]

    assert add(charged) == found.ordinary_interest_total
    both = found.value + found.ordinary_interest_total
    assert found.penalty_ratio is None if not both else close(found.penalty_ratio, found.value, both)


async def test_a_summary_is_what_the_records_say(desk: Desk) -> None:
    """The certificate, the payroll of the month before, the sales of this year, the last annual return."""
    await extracted(desk, "invoice", "annual_tax_return", "tax_status", "sat_certificates")
    found = await desk.ask(syntage.GetEntitySummary)
    (status,) = await desk.rows(syntage.TaxStatuses)
    income = await desk.ask(syntage.GetIncomeStatement)
    now = desk.vendor.now()
    month = syntage.Period(date(2026, 5, 1), date(2026, 5, 31))
    staff = [each.metric for each in (await desk.ask(syntage.GetEmployees, period=month)).data]
    sales = (await desk.ask(syntage.GetSalesRevenue, period=syntage.Period(date(now.year, 1, 1), now))).data

    assert (status.rfc, status.company.legal_name, status.address) == (found.rfc, found.name, found.address)
    assert all(str(part) in found.fiscal_address for part in (status.address.street_name, status.address.postal_code))
    assert status.address.status_raw == found.fiscal_address_status_raw
    assert [(each.name, int(each.percentage), each.start_date) for each in status.economic_activities] == [
        (each.name, each.percentage, each.start_date) for each in found.economic_activities
    ]
    assert [each.name for each in status.tax_regimes] == [each.name for each in found.tax_regimes]
    assert staff == [found.total_employees]
    assert add(each.metric for each in sales) == found.total_sales_revenue_current_year > 0
    assert 2025 == found.last_tax_return_year
    assert figure(income, "Ingresos Netos", 2025) == found.last_year_total_income == found.last_year_net_income
    assert figure(income, "Utilidad o pérdida bruta", 2025) == found.total_revenue_last_tax_return
    assert figure(income, "Utilidad o pérdida neta", 2025) == found.total_net_profit_last_tax_return
    efirmas = [each for each in await desk.rows(syntage.SatCertificates) if each.type == "efirma"]
    newest = max(efirmas, key=lambda each: each.valid_from)
    assert (newest.id, newest.serial_number, newest.valid_to, newest.status) == (
        found.last_efirma_certificate.id,
        found.last_efirma_certificate.serial_number,
        found.last_efirma_certificate.valid_to,
        found.last_efirma_certificate.status,
    )
    assert found.blacklist_status is None


async def test_who_is_on_the_list_is_told_so(desk: Desk) -> None:
    """In the summary and among the risks."""
    desk.vendor.alter("presumed", desk.vendor.rfc_of(desk.entity))

    summary, risks = await desk.ask(syntage.GetEntitySummary), (await desk.ask(syntage.GetRisks)).data

    assert ("presumed", "presumed", True) == (
        summary.blacklist_status,
        risks.blacklist_status.value,
        risks.blacklist_status.risky,
    )


async def test_scores_of_the_bureau_are_those_of_its_reports(desk: Desk, tmp_path: Path) -> None:
    """A row each score, of the days asked for; the same as files."""
    await extracted(desk, "buro_de_credito_report")
    reports = {each.id: each for each in await desk.rows(syntage.BuroReports)}
    rows = await desk.rows(syntage.BuroSummaries)
    today = desk.vendor.now().date()
    before = syntage.Period(date(2020, 1, 1), date(today.year - 1, 12, 31))
    of_today = syntage.Period(today, today)

    (row,) = rows
    report = reports[row.report]
    assert (report.score, report.product_type, report.created_at) == (row.score_value, row.product_type, row.created_at)
    assert (2, "1") == (len(row.score_reason_codes), row.external_return_key)
    assert ([], rows) == (
        await desk.rows(syntage.BuroSummaries, period=before),
        await desk.rows(syntage.BuroSummaries, period=of_today),
    )
    export = syntage.BuroSummaryExport(entity=desk.entity, period=of_today)
    (line,) = csv.DictReader(io.StringIO((await desk.session.download(export).read()).decode()))
    book = syntage.BuroSummaryExport(entity=desk.entity, format="xlsx")
    await desk.session.download(book).save(tmp_path / "buro.xlsx")
    header, cells = openpyxl.load_workbook(tmp_path / "buro.xlsx").active.iter_rows(values_only=True)
    assert (row.report, row.score_value) == (line["id"], line["scoreValue"])
    assert list(line) == list(header)
    assert row.score_value == cells[header.index("scoreValue")]


async def test_a_score_is_read_once_it_is_calculated(desk: Desk) -> None:
    """With what it is made of; of several, the newest counts in how those of the account are spread."""
    await extracted(desk, "annual_tax_return", "tax_compliance")
    await desk.session.call(syntage.CalculateSyntageScore(entity=desk.entity))
    early = (await desk.ask(syntage.GetScores)).scores
    await asyncio.sleep(60)
    (first,) = (await desk.ask(syntage.GetScores)).scores
    await extracted(desk, "tax_compliance")
    await desk.session.call(syntage.CalculateSyntageScore(entity=desk.entity))
    await asyncio.sleep(60)

    newest, former = (await desk.ask(syntage.GetScores)).scores
    spread = (await desk.session.call(syntage.GetScoreDistribution())).distribution

    assert ((), first.id) == (early, former.id)
    assert ("syntage", "internal", True) == (newest.source, newest.type, newest.generated_at > first.generated_at)
    assert {"breakdown", "distribution"} == msgspec.json.decode(newest.metadata).keys()
    assert [(int(newest.score) // 100 * 100, 1)] == [(each.label, each.metric) for each in spread]
    assert [each["score"] for each in desk.vendor.scores(desk.entity)] == [newest.score, former.score]


async def test_an_entity_without_data_has_empty_insights(desk: Desk) -> None:
    """Nothing was extracted: no year, no account, no score; of risks, none is seen."""
    balance, income = await desk.ask(syntage.GetBalanceSheet), await desk.ask(syntage.GetIncomeStatement)
    ratios_ = (await desk.ask(syntage.GetFinancialRatios)).data
    risks = (await desk.ask(syntage.GetRisks)).data
    summary = await desk.ask(syntage.GetEntitySummary)

    assert (None, ()) == (balance.tax_regime, balance.data) == (income.tax_regime, income.data)
    assert () == await desk.ask(syntage.GetTrialBalance)
    assert {} == ratios_.liquidity.current_ratio == ratios_.leverage.solvency
    assert () == (await desk.ask(syntage.GetScores)).scores
    assert () == (await desk.session.call(syntage.GetScoreDistribution())).distribution
    assert [] == await desk.rows(syntage.BuroSummaries)
    for name in risks.__struct_fields__:
        assert (True, False) == (not getattr(risks, name).value, getattr(risks, name).risky), name
    assert desk.vendor.rfc_of(desk.entity) == summary.rfc
    assert (None, (), None, None, None) == (
        summary.address,
        summary.economic_activities,
        summary.total_employees,
        summary.last_tax_return_year,
        summary.total_sales_revenue_current_year,
    )
    with pytest.raises(NotFoundError):
        await desk.session.call(syntage.GetRisks(entity="0f3a5c1e-7b42-4d19-9c60-2a8e51d7b904"))
