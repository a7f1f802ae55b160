"""Fiscal documents as Syntage hands them out: a CFDI as JSON or PDF, a retention as XML, the data of a return."""

import re
from decimal import Decimal
from typing import Final
from xml.sax.saxutils import quoteattr

from ...cfdi import Cfdi, Line, Tax
from ...wire import Json, JsonObject
from .held import pdf_of

_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?")
_SAT_TAXES: Final = {"ISR": "001", "IVA": "002"}


def number_of(text: str) -> Json:
    """Read a text that is a number as one: Syntage's JSON form of a CFDI leaves quotes off (`0012` stays text)."""
    if _NUMBER.fullmatch(text) is None:
        return text
    return Decimal(text) if "." in text else int(text)


def cfdi_json(cfdi: Cfdi) -> JsonObject:
    """Give a CFDI as its XML mapped to JSON: attributes are keys, a single child is an object, not a list of one."""
    found: JsonObject = {
        "Version": Decimal("4.0"),
        "Serie": cfdi.series,
        "Folio": number_of(cfdi.folio),
        "Fecha": f"{cfdi.issued_at:%Y-%m-%dT%H:%M:%S}",
        "FormaPago": cfdi.payment_form,
        "SubTotal": cfdi.subtotal,
        "Descuento": cfdi.discount or None,
        "Moneda": cfdi.currency,
        "TipoCambio": cfdi.exchange_rate if cfdi.currency == "USD" else None,
        "Total": cfdi.total,
        "TipoDeComprobante": cfdi.kind,
        "MetodoPago": cfdi.payment_method,
        "LugarExpedicion": cfdi.issuer.postal_code,
        "Emisor": {
            "Rfc": cfdi.issuer.rfc,
            "Nombre": cfdi.issuer.name,
            "RegimenFiscal": number_of(cfdi.issuer.regime),
        },
        "Receptor": {"Rfc": cfdi.receiver.rfc, "Nombre": cfdi.receiver.name, "UsoCFDI": cfdi.usage},
        "Conceptos": {"Concepto": [_concept(line) for line in cfdi.lines]},
        "Complemento": {"TimbreFiscalDigital": {"UUID": cfdi.uuid}},
    }
    # An attribute that the XML does not have is no key here either.
    return {name: value for name, value in found.items() if value is not None}


def _concept(line: Line) -> JsonObject:
    taxes: JsonObject = {}
    if line.transferred:
        taxes["Traslados"] = {"Traslado": _single([_tax(tax) for tax in line.transferred])}
    if line.retained:
        taxes["Retenciones"] = {"Retencion": _single([_tax(tax) for tax in line.retained])}
    return {
        "ClaveProdServ": number_of(line.product),
        "Cantidad": line.quantity,
        "ClaveUnidad": line.unit_code,
        "Descripcion": line.description,
        "ValorUnitario": line.unit_price,
        "Importe": line.amount,
        **({"Impuestos": taxes} if taxes else {}),
    }


def _single(children: list[Json]) -> Json:
    return children[0] if len(children) == 1 else children


def _tax(tax: Tax) -> JsonObject:
    return {
        "Base": tax.base,
        "Impuesto": _SAT_TAXES[tax.name],
        "TipoFactor": "Tasa",
        "TasaOCuota": tax.rate / 100,
        "Importe": tax.amount,
    }


def cfdi_pdf(cfdi: Cfdi) -> bytes:
    """Give the printed form of a CFDI."""
    return pdf_of(
        (
            f"CFDI {cfdi.uuid}",
            f"Emisor {cfdi.issuer.rfc} {cfdi.issuer.name}",
            f"Receptor {cfdi.receiver.rfc} {cfdi.receiver.name}",
            *(f"{line.quantity} {line.description} {line.amount}" for line in cfdi.lines),
            f"Total {cfdi.total} {cfdi.currency}",
        )
    )


def retention_json(row: JsonObject) -> JsonObject:
    """Give a retention record as its CFDI mapped to JSON."""
    issuer, receiver = _object(row["issuer"]), _object(row["receiver"])
    return {
        "Version": row["version"],
        "FolioInt": number_of(str(row["internalIdentifier"])),
        "FechaExp": row["issuedAt"],
        "CveRetenc": row["code"],
        "Emisor": {"RfcE": issuer["rfc"], "NomDenRazSocE": issuer["name"]},
        "Receptor": {
            "NacionalidadR": "Nacional",
            "Nacional": {"RfcR": receiver["rfc"], "NomDenRazSocR": receiver["name"]},
        },
        "Totales": {
            "MontoTotOperacion": row["totalOperationAmount"],
            "MontoTotGrav": row["totalTaxableAmount"],
            "MontoTotExent": row["totalExemptAmount"],
            "MontoTotRet": row["totalRetainedAmount"],
        },
        "Complemento": {"TimbreFiscalDigital": {"UUID": row["uuid"]}},
    }


def retention_xml(row: JsonObject) -> bytes:
    """Give a retention record as XML of the SAT's version 2.0, without seals."""
    body = _element("Retenciones", retention_json(row), ' xmlns="http://www.sat.gob.mx/esquemas/retencionpago/2"')
    return f'<?xml version="1.0" encoding="UTF-8"?>{body}'.encode()


def _element(name: str, value: JsonObject, namespace: str = "") -> str:
    attributes = "".join(f" {key}={quoteattr(str(one))}" for key, one in value.items() if not isinstance(one, dict))
    children = "".join(_element(key, one) for key, one in value.items() if isinstance(one, dict))
    return f"<{name}{namespace}{attributes}>{children}</{name}>"


def retention_pdf(row: JsonObject) -> bytes:
    """Give the printed form of a retention."""
    return pdf_of((f"Retención {row['uuid']}", f"Clave {row['code']}", f"Retenido {row['totalRetainedAmount']}"))


def return_data(row: JsonObject) -> JsonObject:
    """Give what was read out of a tax return. The vendor names the variables, not the shape: it is made up here."""
    amount = Decimal(str(row["operationNumber"])[-6:])
    if row["intervalUnit"] == "Anual":
        return {"format": "2022", "fiscalYear": str(row["fiscalYear"]), "balanceSheet": {"totalAssets": amount * 12},
                "incomeStatement": {"netSales": amount * 10, "netProfit": amount}}  # fmt: skip
    return {
        "period": row["period"],
        "fiscalYear": str(row["fiscalYear"]),
        "salesRevenue": amount,
        "cashInflow": amount,
        "cashOutflow": amount / 2,
        "employees": int(amount) % 40,
        "payrollAmount": amount / 10,
    }


def _object(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}
