"""Belvo's rows of receipts and taxpayers of which the SAT says something else by now."""

from decimal import Decimal

from ...alterations import Alterations
from ...cfdi import Cfdi
from ...wire import JsonObject

_AMOUNTS = ("total_amount", "subtotal_amount", "tax_amount", "discount_amount")
_STAGES = {"presumed": "INVESTIGATING", "definitive": "CONFIRMED"}


def altered_invoice(row: JsonObject, cfdi: Cfdi, alterations: Alterations) -> JsonObject:
    """Give an `Invoice` as the SAT has it now."""
    holds = alterations.of_receipt(cfdi)
    found: JsonObject = {}
    for role in ("sender", "receiver"):
        stage = alterations.listed(str(row[f"{role}_id"]))
        if stage is not None:
            found[f"{role}_tax_fraud_status"] = _STAGES[stage]
        if "respelled" in holds:
            found[f"{role}_name"] = alterations.spell(str(row[f"{role}_name"]))
    if "respelled" in holds:
        found |= {name: alterations.digits(row[name]) for name in _AMOUNTS}
        found["invoice_identification"] = str(row["invoice_identification"]).lower()
    if "repriced" in holds:
        found["total_amount"] = cfdi.total + Decimal("100.00")
    if "cancelled" in holds and row["status"] == "Vigente":
        found |= {
            "status": "Cancelado",
            "cancelation_status": "Cancelado con aceptación",
            "cancelation_update_date": holds["cancelled"].date().isoformat(),
        }
    return {**row, **found}


def altered_status(row: JsonObject, rfc: str, alterations: Alterations) -> JsonObject:
    """Give a tax status as the SAT has it now."""
    who = row["tax_payer_information"]
    if not isinstance(who, dict) or not alterations.is_suspended(rfc):
        return row
    return {**row, "tax_payer_information": {**who, "status_padron": "INACTIVO"}}


def altered_opinion(row: JsonObject, rfc: str, alterations: Alterations) -> JsonObject:
    """Give an opinion of compliance as the SAT has it now."""
    # Belvo's words know no suspended activity.
    words = {"compliant": "POSITIVE", "negative": "NEGATIVE", "suspended": "NO_OBLIGATIONS"}
    opinion = alterations.opinion(rfc)
    return row if opinion is None else {**row, "outcome": words[opinion]}
