"""The rows of the simulated Belvo hold the documented fields, and their amounts agree."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from belvo_async.simulator import BelvoSimulator

COMPANY, PERSON = 0, 2
YEARS: dict[str, Any] = {"type": "yearly", "year_from": "2020", "year_to": "2025"}
MONTHS: dict[str, Any] = {"type": "monthly", "date_from": "2025-01-01", "date_to": "2025-12-31"}
Row = dict[str, Any]
KEPT = "id link collected_at created_at pdf receipt_pdf informacion_general"
SHAPES = {
    "personal_yearly": (PERSON, YEARS, f"{KEPT} sueldos_salarios servicios_profesionales deducciones_personales "
                        "determinacion_impuesto retenciones dividendos datos_informativos"),
    "personal_monthly": (PERSON, MONTHS, "collected_at created_at pdf receipt_pdf informacion_general isr iva type"),
    "business_yearly": (COMPANY, YEARS, f"{KEPT} datos_adicionales estado_resultados "
                        "estado_posicion_financiera_balance "
                        "conciliacion_entre_resultado_contable_fiscal deducciones_autorizadas cifras_cierre_ejercicio "
                        "determinacion_del_impuesto_sobre_la_renta dividendos_o_utilidades_distribuidos "
                        "detalle_pago_r1_isr_personas_morales ingressos determinacion"),
    "business_monthly": (COMPANY, MONTHS, "id collected_at created_at pdf receipt_pdf informacion_general type "
                         "determinacion_isr detalle_pago_isr determinacion_iva detalle_pago_iva"),
}  # fmt: skip


@pytest.fixture
async def belvo(clock: Any) -> BelvoSimulator:
    return BelvoSimulator(now=clock.now, invoices_per_year=400)


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for each in value.values():
            yield from leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from leaves(each)
    else:
        yield value


@pytest.mark.parametrize(("place", "order", "fields"), SHAPES.values(), ids=SHAPES)
async def test_tax_returns_have_four_shapes(belvo: BelvoSimulator, place: int, order: Row, fields: str) -> None:
    """A person's and a company's, of a year and of a month; a person's monthly one shows neither id nor link."""
    rows = belvo.records("TAX_RETURNS", belvo.links[place], **order)

    assert rows
    assert {frozenset(fields.split())} == {frozenset(row) for row in rows}


async def test_yearly_returns_come_once_or_corrected(belvo: BelvoSimulator) -> None:
    """Each closed year has its normal return; some have a second one, filed later."""
    rows = [row["informacion_general"] for row in belvo.records("TAX_RETURNS", belvo.links[COMPANY], **YEARS)]

    normal = [row for row in rows if row["tipo_declaracion"] == "Normal"]
    corrected = [row for row in rows if row["tipo_declaracion"] == "Complementaria"]
    assert [2020, 2021, 2022, 2023, 2024, 2025] == [row["ejercicio"] for row in normal]
    assert corrected
    assert all(row["tipo_complementaria"] for row in corrected)
    assert {"Del Ejercicio"} == {row["periodo_declaracion"] for row in rows}


async def test_returns_are_filed_after_their_period(belvo: BelvoSimulator) -> None:
    """A month is filed in the next one: on 1 June April is there and May is not."""
    order = {"type": "monthly", "date_from": "2026-03-15", "date_to": "2026-06-01"}

    rows = belvo.records("TAX_RETURNS", belvo.links[COMPANY], **order)

    assert ["Marzo", "Abril"] == [row["informacion_general"]["periodo_declaracion"] for row in rows]
    assert all(row["informacion_general"]["fecha_hora_presentacion"][-6:] == "-06:00" for row in rows)


async def test_years_are_the_sum_of_their_months(belvo: BelvoSimulator) -> None:
    """Income agrees between the returns of a year and of its months, and the tax is thirty percent of the result."""
    link = belvo.links[COMPANY]
    (year, *_) = belvo.records("TAX_RETURNS", link, type="yearly", year_from="2025", year_to="2025")
    months: list[Any] = belvo.records("TAX_RETURNS", link, **MONTHS)

    tax: Any = year["determinacion_del_impuesto_sobre_la_renta"]
    tax = tax["determinacion_del_impuesto_sobre_la_renta"]
    general: list[Any] = [row["determinacion_isr"]["personas_morales_regimen_general"] for row in months]
    assert tax["total_ingresos_acumulables"] == sum(row["ingresos_nominales_mes_que_declara"] for row in general)
    assert tax["total_ingresos_acumulables"] == general[-1]["total_ingresos_nominales"]
    assert abs(tax["impuesto_causado_en_ejercicio"] * 10 - tax["resultado_fiscal"] * 3) < 1
    balance: Any = year["estado_posicion_financiera_balance"]
    assert balance["activo"]["suma_activo"] == balance["capital_contable"]["suma_pasivo_mas_capital_contable"]


@pytest.mark.parametrize("direction", ["INFLOW", "OUTFLOW"])
async def test_retentions_add_up(belvo: BelvoSimulator, direction: str) -> None:
    """The breakdown gives the total retained; the owner sends or receives; nobody abroad has an RFC."""
    link = belvo.links[COMPANY]
    period = {"date_from": "2022-01-01", "date_to": "2026-05-31"}

    rows: list[Any] = belvo.records("TAX_RETENTIONS", link, type=direction, **period)

    mine = "sender_id" if direction == "OUTFLOW" else "receiver_id"
    assert {belvo.rfc_of(link)} == {row[mine] for row in rows}
    for row in rows:
        assert row["total_retained_amount"] == sum(part["retained_amount"] for part in row["retention_breakdown"])
        assert row["total_invoice_amount"] == row["total_exempt_amount"] + row["total_taxable_amount"]
        assert (row["receiver_nationality"] == "FOREIGN") == (row["receiver_id"] is None)
    assert any(row["cancelled_at"] for row in rows)


async def test_tax_status_fits_the_taxpayer(belvo: BelvoSimulator) -> None:
    """A person has a CURP and names, a company its commercial and social name."""
    status: list[Any] = [belvo.records("TAX_STATUS", belvo.links[place])[0] for place in (COMPANY, PERSON)]

    company, person = (each["tax_payer_information"] for each in status)
    assert [belvo.rfc_of(belvo.links[place]) for place in (COMPANY, PERSON)] == [company["rfc"], person["rfc"]]
    assert (None, None, True) == (company["curp"], company["name"], bool(company["social_name"]))
    assert (18, None, True) == (len(person["curp"]), person["social_name"], bool(person["first_last_name"]))


async def test_compliance_is_one_of_three(belvo: BelvoSimulator) -> None:
    """The outcome is documented; the row names the taxpayer and no link."""
    (row,) = belvo.records("TAX_COMPLIANCE_STATUS", belvo.links[COMPANY])

    assert row["outcome"] in {"POSITIVE", "NEGATIVE", "NO_OBLIGATIONS"}
    assert (belvo.rfc_of(belvo.links[COMPANY]), False) == (row["rfc"], "link" in row)


async def test_no_amount_is_a_float(belvo: BelvoSimulator) -> None:
    """Every amount of every resource is an exact decimal on its way out."""
    link, period = belvo.links[COMPANY], {"date_from": "2025-01-01", "date_to": "2025-12-31"}
    rows = [
        *belvo.records("TAX_RETURNS", link, **YEARS),
        *belvo.records("TAX_RETURNS", belvo.links[PERSON], **MONTHS),
        *belvo.records("TAX_RETENTIONS", link, type="INFLOW", **period),
        *belvo.records("INVOICES", link, type=None, **period),
    ]

    assert not [leaf for leaf in leaves(rows) if isinstance(leaf, float)]


async def test_refused_orders_are_told(belvo: BelvoSimulator) -> None:
    """`records` refuses what Belvo would refuse."""
    with pytest.raises(ValueError, match="year_from"):
        belvo.records("TAX_RETURNS", belvo.links[0], type="yearly", year_to="2024")


async def test_payrolls_vary(belvo: BelvoSimulator) -> None:
    """Wages of several rhythms, Christmas bonuses partly free of tax, subsidies; the net amount is the total."""
    rows: list[Any] = belvo.invoices(belvo.links[COMPANY], date(2023, 1, 1), date(2025, 12, 31))
    payrolls = [row["payroll"] for row in rows if row["payroll"]]

    assert {"O", "E"} == {payroll["type"] for payroll in payrolls}
    assert {"FIFTEENTH_DAY", "WEEKLY", "MONTHLY", "OTHER_PERIODICITY"} == {each["periodicity"] for each in payrolls}
    kinds = {part["type"] for payroll in payrolls for part in payroll["earnings_breakdown"]}
    assert {"SALARY", "BONUS", "CHRISTMAS_BONUS"} == kinds
    assert {"EMPLOYMENT_SUBSIDY"} == {part["type"] for payroll in payrolls for part in payroll["other_payments"]}
    for row in (row for row in rows if row["payroll"]):
        withheld = sum(part["amount"] for part in row["payroll"]["tax_deductions"])
        assert row["total_amount"] == row["payroll"]["amount"] - withheld
        earned = sum(part["taxable_amount"] + part["vat_free_amount"] for part in row["payroll"]["earnings_breakdown"])
        assert row["payroll"]["amount"] == earned + sum(part["amount"] for part in row["payroll"]["other_payments"])


async def test_payments_vary(belvo: BelvoSimulator) -> None:
    """Receipts pay one invoice or several, in full or in parts, by transfer, cheque or cash."""
    rows: list[Any] = belvo.invoices(belvo.links[COMPANY], date(2023, 1, 1), date(2025, 12, 31))
    payments = [payment for row in rows for payment in row["payments"]]

    assert {"01", "02", "03"} == {payment["payment_type"] for payment in payments}
    assert {1, 2} <= {len(payment["related_documents"]) for payment in payments}
    documents = [document for payment in payments for document in payment["related_documents"]]
    assert any(document["outstanding_balance"] for document in documents)
    assert {1, 2} <= {document["partiality_number"] for document in documents}
    assert all((payment["payer_account_number"] is None) == (payment["payment_type"] == "01") for payment in payments)
