"""A CFDI 4.0 as XML text, unsigned: enough for a client to store and parse."""

from xml.sax.saxutils import quoteattr

from .cfdi import Cfdi, Line


def xml_of(cfdi: Cfdi) -> str:
    """Give the receipt as CFDI 4.0 XML (Anexo 20 of SAT), without seals."""
    lines = "".join(_line(line) for line in cfdi.lines)
    head = _attributes({
        "Version": "4.0",
        "Serie": cfdi.series,
        "Folio": cfdi.folio,
        "Fecha": f"{cfdi.issued_at:%Y-%m-%dT%H:%M:%S}",
        "SubTotal": str(cfdi.subtotal),
        "Descuento": str(cfdi.discount),
        "Moneda": cfdi.currency,
        "Total": str(cfdi.total),
        "TipoDeComprobante": cfdi.kind,
        "LugarExpedicion": cfdi.issuer.postal_code,
    })  # fmt: skip
    issuer = _attributes({"Rfc": cfdi.issuer.rfc, "Nombre": cfdi.issuer.name, "RegimenFiscal": cfdi.issuer.regime})
    receiver = _attributes({"Rfc": cfdi.receiver.rfc, "Nombre": cfdi.receiver.name, "UsoCFDI": cfdi.usage})
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<cfdi:Comprobante xmlns:cfdi="http://www.sat.gob.mx/cfd/4"{head}>'
        f"<cfdi:Emisor{issuer}/><cfdi:Receptor{receiver}/>"
        f"<cfdi:Conceptos>{lines}</cfdi:Conceptos>"
        '<cfdi:Complemento><tfd:TimbreFiscalDigital xmlns:tfd="http://www.sat.gob.mx/TimbreFiscalDigital"'
        f"{_attributes({'UUID': cfdi.uuid.upper()})}/></cfdi:Complemento></cfdi:Comprobante>"
    )


def _line(line: Line) -> str:
    attributes = _attributes({
        "ClaveProdServ": line.product,
        "Cantidad": str(line.quantity),
        "ClaveUnidad": line.unit_code,
        "Descripcion": line.description,
        "ValorUnitario": str(line.unit_price),
        "Importe": str(line.amount),
    })  # fmt: skip
    return f"<cfdi:Concepto{attributes}/>"


def _attributes(values: dict[str, str]) -> str:
    return "".join(f" {name}={quoteattr(value)}" for name, value in values.items())
