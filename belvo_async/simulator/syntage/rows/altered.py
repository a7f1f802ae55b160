"""Syntage's rows of receipts and taxpayers of which the SAT says something else by now."""

from decimal import Decimal

from ...alterations import Alterations
from ...cfdi import Cfdi
from ...wire import JsonObject
from .invoices import stamp

_AMOUNTS = ("total", "subtotal", "tax", "discount")


def altered_invoice(row: JsonObject, cfdi: Cfdi, alterations: Alterations) -> JsonObject:
    """Give an `Invoice` as the SAT has it now."""
    holds = alterations.of_receipt(cfdi)
    sides = {role: row[role] for role in ("issuer", "receiver")}
    found: JsonObject = {}
    for role, side in sides.items():
        if isinstance(side, dict):
            stage = alterations.listed(str(side["rfc"]))
            name = str(side["name"])
            shown = alterations.spell(name) if "respelled" in holds else name
            found[role] = {**side, "name": shown, "blacklistStatus": stage}
    if "respelled" in holds:
        found |= {name: alterations.digits(row[name]) for name in _AMOUNTS}
        found |= {"uuid": str(row["uuid"]).upper(), "issuedAt": f"{cfdi.issued_at:%Y-%m-%dT%H:%M:%S}+00:00"}
    if "repriced" in holds:
        found["total"] = cfdi.total + Decimal("100.00")
    if "cancelled" in holds and row["status"] == "VIGENTE":
        found |= {
            "status": "CANCELADO",
            "cancellationProcessStatus": "Cancelado con aceptación",
            "canceledAt": stamp(holds["cancelled"]),
        }
    return {**row, **found}


def altered_record(kind: str, row: JsonObject, rfc: str, alterations: Alterations) -> JsonObject:
    """Give a tax status or a compliance check as the SAT has it now; others as they are."""
    if kind == "TaxStatus" and alterations.is_suspended(rfc):
        return {**row, "status": "SUSPENDIDO"}
    opinion = alterations.opinion(rfc) if kind == "TaxComplianceCheck" else None
    words = {"compliant": "positive", "negative": "negative", "suspended": "activity_suspended"}
    return row if opinion is None else {**row, "result": words[opinion]}
