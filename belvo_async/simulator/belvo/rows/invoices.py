"""CFDIs and financial statements in Belvo's own shape (vendor schema `Invoice`, `FinancialStatement`)."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Final
from uuid import UUID, uuid5

from ...cfdi import ZERO, Cfdi, Line, Payment, Payroll, Tax
from ...cfdi_xml import xml_of
from ...taxpayers import Taxpayer
from ...wire import Json, JsonObject

INVOICE_TYPES: Final = {"I": "Ingreso", "E": "Egreso", "P": "Pago", "N": "Nómina", "T": "Traslado"}
PAC: Final = "XPA091218JV4"
# What `attach_pdf` brings: the smallest thing that still begins as a PDF does, in base64.
PDF: Final = "JVBERi0xLjQKJSBzaW11bGF0ZWQKJSVFT0YK"
NO_FRAUD: Final = "NO_TAX_FRAUD_STATUS"
# What Belvo says about a CFDI whose XML it could not download (help centre, article 360012064617).
XML_LIMIT: JsonObject = {
    "code": "sat_xml_limit_reached",
    "message": "The daily limit of XML downloads at SAT was reached; details are missing.",
}
# Without the XML only the fields shown in SAT's own table are sure; everything else is null or empty.
_NULL_WITHOUT_XML: Final = (
    "sender_fiscal_regime", "receiver_fiscal_regime", "payment_type", "payment_method", "usage", "version",
    "place_of_issue", "subtotal_amount", "exchange_rate", "tax_amount", "discount_amount", "folio", "series",
    "export_type", "xml", "payroll",
)  # fmt: skip
_EMPTY_WITHOUT_XML: Final = ("invoice_details", "related_invoices", "payments")


@dataclass(frozen=True, kw_only=True, slots=True)
class Filed:
    """A row as Belvo keeps it. Some rows show neither their own id nor their link; Belvo knows both."""

    id: str
    link: str
    row: JsonObject = field(repr=False)


def stamp(instant: datetime) -> str:
    """Print an instant as Belvo does most often: microseconds and Z."""
    return instant.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def invoice_id(link: str, cfdi: Cfdi) -> str:
    """Give Belvo's own id of a CFDI collected through a link."""
    return str(uuid5(UUID(link), cfdi.uuid))


def invoice_row(
    cfdi: Cfdi, link: str, *, collected_at: datetime, created_at: datetime, today: date, xml: bool, xml_limited: bool
) -> JsonObject:
    """Give a CFDI as Belvo's `Invoice`."""
    collected = stamp(collected_at)
    is_cancelled = cfdi.is_cancelled(today)
    cancelled_on = cfdi.cancelled_on.isoformat() if is_cancelled and cfdi.cancelled_on else None
    row: JsonObject = {
        "id": invoice_id(link, cfdi),
        "link": link,
        "collected_at": collected,
        "created_at": stamp(created_at),
        "invoice_identification": cfdi.uuid.upper(),
        "invoice_date": cfdi.issued_on.isoformat(),
        "status": "Cancelado" if is_cancelled else "Vigente",
        "invoice_type": INVOICE_TYPES[cfdi.kind],
        "type": cfdi.direction,
        "tax_details": _tax_details(cfdi),
        **_party("sender", cfdi.issuer),
        **_party("receiver", cfdi.receiver),
        "receiver_postal_code": cfdi.receiver.postal_code,
        "cancelation_status": "Cancelado sin aceptación" if is_cancelled else None,
        "cancelation_update_date": cancelled_on,
        "certification_date": cfdi.issued_on.isoformat(),
        "certification_authority": PAC,
        "payment_type": cfdi.payment_form,
        "payment_type_description": None,
        "payment_method": cfdi.payment_method,
        "payment_method_description": None,
        "usage": cfdi.usage,
        "version": "4.0",
        "place_of_issue": cfdi.issuer.postal_code,
        "invoice_details": [_line(line, collected) for line in cfdi.lines],
        "currency": cfdi.currency,
        "subtotal_amount": cfdi.subtotal,
        "exchange_rate": cfdi.exchange_rate,
        "tax_amount": cfdi.tax,
        "discount_amount": cfdi.discount,
        "total_amount": cfdi.total,
        "related_invoices": [_related(uuid) for uuid in cfdi.related],
        "payments": [_payment(cfdi.payment, cfdi)] if cfdi.payment else [],
        "payroll": _payroll(cfdi.payroll, collected) if cfdi.payroll else None,
        "folio": cfdi.folio,
        "series": cfdi.series,
        "export_type": "01",
        "xml": xml_of(cfdi) if xml else None,
        "warnings": None,
        "sender_blacklist_status": None,
        "receiver_blacklist_status": None,
    }
    return _without_xml(row) if xml_limited else row


def _without_xml(row: JsonObject) -> JsonObject:
    row.update(dict.fromkeys(_NULL_WITHOUT_XML))
    row.update({name: [] for name in _EMPTY_WITHOUT_XML})
    row["tax_details"] = {
        "total_tax_retained": None, "total_tax_transferred": None, "retained_taxes": [], "transferred_taxes": [],
    }  # fmt: skip
    row["warnings"] = XML_LIMIT
    return row


def _party(role: str, party: Taxpayer) -> JsonObject:
    return {
        f"{role}_id": party.rfc,
        f"{role}_fiscal_regime": party.regime,
        f"{role}_name": party.name,
        f"{role}_tax_fraud_status": NO_FRAUD,
    }


def _tax_details(cfdi: Cfdi) -> JsonObject:
    transferred = [tax for line in cfdi.lines for tax in line.transferred]
    retained = [tax for line in cfdi.lines for tax in line.retained]
    return {
        "total_tax_retained": sum((tax.amount for tax in retained), ZERO),
        "total_tax_transferred": sum((tax.amount for tax in transferred), ZERO),
        "retained_taxes": _grouped(retained),
        "transferred_taxes": _grouped(transferred),
    }


def _grouped(taxes: list[Tax]) -> Json:
    groups: dict[tuple[str, Decimal], list[Tax]] = defaultdict(list)
    for tax in taxes:
        groups[tax.name, tax.rate].append(tax)
    return [
        {
            "tax_type": "Tasa",
            "tax": name,
            "tax_percentage": rate,
            "pre_tax_amount": sum((tax.base for tax in group), ZERO),
            "tax_amount": sum((tax.amount for tax in group), ZERO),
        }
        for (name, rate), group in groups.items()
    ]


def _line(line: Line, collected: str) -> JsonObject:
    return {
        "collected_at": collected,
        "description": line.description,
        "product_identification": line.product,
        "quantity": line.quantity,
        "unit_code": line.unit_code,
        "unit_description": line.unit,
        "unit_amount": line.unit_price,
        "discount": line.discount,
        "tax_subject_code": "02" if line.transferred else "01",
        "identifier_number": None,
        "pre_tax_amount": line.amount,
        "tax_percentage": line.transferred[0].rate if line.transferred else ZERO,
        "tax_amount": line.tax,
        "total_amount": line.amount + line.tax,
        "retained_taxes": [_line_tax(tax, "retained_tax_amount", collected) for tax in line.retained],
        "transferred_taxes": [_line_tax(tax, "transferred_tax_amount", collected) for tax in line.transferred],
    }


def _line_tax(tax: Tax, amount_name: str, collected: str) -> JsonObject:
    return {
        "collected_at": collected,
        "tax_type": "Tasa",
        "tax": tax.name,
        "tax_percentage": tax.rate,
        amount_name: tax.amount,
    }


def _related(uuid: str) -> JsonObject:
    return {"relationship_type": "01", "related_invoice_identification": uuid.upper()}


def _payment(payment: Payment, cfdi: Cfdi) -> JsonObject:
    documents: Json = [
        {
            "invoice_identification": document.uuid.upper(),
            "currency": "MXN",
            "payment_method": "PPD",
            "partiality_number": document.partiality,
            "previous_balance": document.previous,
            "amount_paid": document.paid,
            "outstanding_balance": document.outstanding,
        }
        for document in payment.documents
    ]
    in_cash = payment.form == "01"
    return {
        "date": payment.at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "payment_type": payment.form,
        "currency": "MXN",
        "exchange_rate": "1",  # a string here, a number on the invoice (vendor schema)
        "amount": payment.amount,
        "operation_number": payment.operation,
        "beneficiary_rfc": "XBQ940101AA9",
        "beneficiary_account_number": None if in_cash else "012320001234567897",
        "payer_rfc": cfdi.receiver.rfc,
        "payer_account_number": None if in_cash else "012180009876543210",
        "payer_bank_name": None if in_cash else "BANCO ZARZAL",
        "related_documents": documents,
    }


def _payroll(payroll: Payroll, collected: str) -> JsonObject:
    earnings: list[Json] = []
    if payroll.salary:
        earnings.append({"type": "SALARY", "taxable_amount": payroll.salary, "vat_free_amount": ZERO})
    if payroll.bonus:
        kind = "CHRISTMAS_BONUS" if payroll.is_extraordinary else "BONUS"
        taxable = payroll.bonus - payroll.exempt
        earnings.append({"type": kind, "taxable_amount": taxable, "vat_free_amount": payroll.exempt})
    withheld: list[Json] = [
        {"type": kind, "amount": amount}
        for kind, amount in (("INCOME_TAX", payroll.deduction - payroll.dues), ("UNION_FEES", payroll.dues))
        if amount
    ]
    subsidy: list[Json] = [{"type": "EMPLOYMENT_SUBSIDY", "amount": payroll.subsidy}] if payroll.subsidy else []
    return {
        "days": payroll.days,
        "type": "E" if payroll.is_extraordinary else "O",  # SAT: ordinary or extraordinary payroll
        "amount": payroll.salary + payroll.bonus + payroll.subsidy,
        "version": "1.2",
        "date_from": payroll.date_from.isoformat(),
        "date_to": payroll.date_to.isoformat(),
        "collected_at": collected,
        "payment_date": payroll.date_to.isoformat(),
        "periodicity": payroll.periodicity,
        "earnings_breakdown": earnings,
        "tax_deductions": withheld,
        "other_payments": subsidy,
    }


_SECTIONS: dict[str, tuple[str, ...]] = {
    "current_assets": ("cash_and_equivalents", "short_term_investments", "accounts_receivable", "notes_receivable",
                       "other_debtors", "bad_debt_provision", "tax_recoverable", "inventory", "prepaid_expenses",
                       "assets_available_for_sale"),
    "non_current_assets": ("property_plant_and_equipment", "accumulated_depreciation_and_amortization",
                           "long_term_accounts_receivable", "prepayment_to_suppliers", "goodwill", "intangible_assets",
                           "investments_in_associates", "long_term_financial_instruments"),
    "current_liabilities": ("bank_loans", "accounts_payable", "notes_payable", "financial_instruments",
                            "other_creditors", "income_tax_payable", "customer_advances", "provisions",
                            "taxes_payable"),
    "non_current_liabilities": ("long_term_accounts_payable", "long_term_financial_instruments", "deferred_revenue",
                                "contributions_for_future_capital_increases", "deferred_income_tax",
                                "employee_benefits", "long_term_provisions"),
    "equity": ("stockholders_equity", "future_capital_contributions", "legal_reserve", "capital_update_excess",
               "capital_update_insufficiency", "capital_reserve", "share_premium_on_stock_sales", "retained_earnings",
               "other_comprehensive_income", "controlling_interest", "non_controlling_interest"),
}  # fmt: skip
_NO_INCOME_FIELDS: Final = (
    "foreign_sales", "cost_of_services_sold", "gross_loss", "operating_loss", "financial_result",
    "income_statement_financial_gains", "income_statement_financial_costs",
    "equity_in_earnings_of_affiliates", "loss_before_taxes", "loss_from_continuing_operations",
    "discontinued_operations", "net_loss")  # fmt: skip


def statement_row(seed: int, link: str, year: int, *, collected_at: datetime) -> JsonObject:
    """Give one year as Belvo's `FinancialStatement`; each section's total is the sum of its rows."""
    rng = Random(f"{seed}:{link}:statement:{year}")
    return {
        "id": str(uuid5(UUID(link), f"statement:{year}")),
        "link": link,
        "collected_at": stamp(collected_at),
        "created_at": stamp(collected_at + timedelta(seconds=1)),
        "error": None,
        "year": str(year),
        "currency": "MXN",
        "balance_sheet": {name: _section(rng, fields) for name, fields in _SECTIONS.items()},
        "income_statement": _income_statement(rng),
    }


def _section(rng: Random, fields: tuple[str, ...]) -> JsonObject:
    filled = {name: Decimal(rng.randrange(10**9)) / 100 if rng.random() < 0.7 else None for name in fields}
    return {**filled, "total": sum((amount for amount in filled.values() if amount is not None), ZERO)}


def _income_statement(rng: Random) -> JsonObject:
    revenue = Decimal(rng.randrange(10**9, 10**10)) / 100
    goods = (revenue / 2).quantize(ZERO)
    gross = revenue - goods
    expenses = (gross / 3).quantize(ZERO)
    operating = gross - expenses
    taxes = (operating * 3 / 10).quantize(ZERO)
    return {
        **dict.fromkeys(_NO_INCOME_FIELDS),
        "net_revenue": revenue,
        "domestic_sales": revenue,
        "materials_used": goods,
        "cost_of_goods_sold": goods,
        "gross_profit": gross,
        "operating_expenses": expenses,
        "operating_income": operating,
        "income_before_taxes": operating,
        "income_taxes": taxes,
        "income_from_continuing_operations": operating - taxes,
        "net_income": operating - taxes,
    }
