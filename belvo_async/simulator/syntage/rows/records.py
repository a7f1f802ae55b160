"""The records other extractors bring: their kinds, where Syntage lists them, and what it holds of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ...wire import JsonObject
from ..lists import Filters, Match, same
from ..state import Change, compare
from ..webhooks import SyntageEvents
from .invoices import Entity


@dataclass(frozen=True, kw_only=True)
class RecordKind:
    """One kind of record: `path` is its list below an entity, `single` where one is read by id.

    `event` is the stem of its event types (None: no event is documented); `everywhere` is a list
    of the records of all entities, where one is documented.
    """

    name: str
    single: str
    path: str | None
    event: str | None
    known: Filters = field(default_factory=dict[str, tuple[str, Match]])
    order: Sequence[str] = ()
    everywhere: str | None = None


_AMOUNTS: Final = ("totalOperationAmount", "totalTaxableAmount", "totalExemptAmount", "totalRetainedAmount")
_TIMES: Final = same("date", "createdAt", "updatedAt")
_SPANS: Final = ("fechaDeInscripcion", "fechaDeCancelacion", "fechaDeCelebracionDelActoOContrato",
          "fechaDeTerminacionDelActoOContrato")  # fmt: skip
_KINDS: Final = (
    RecordKind(
        name="TaxReturn",
        single="/tax-returns",
        path="tax-returns",
        event="tax_return",
        known={
            **same("exact", "type", "intervalUnit", "period", "fiscalYear"),
            **same("partial", "operationNumber", "complementary", "captureLine"),
            **same("date", "presentedAt"),
        },
        order=("period", "presentedAt"),
    ),
    RecordKind(name="TaxStatus", single="/tax-status", path="tax-status", event="tax_status", everywhere="/tax-status"),
    RecordKind(
        name="TaxComplianceCheck",
        single="/tax-compliance-checks",
        path="tax-compliance-checks",
        event="tax_compliance_check",
        known={
            **same("exact", "internalIdentifier", "result"),
            **same("partial", "taxpayer.rfc", "taxpayer.name"),
            **same("date", "checkedAt", "createdAt"),
        },
        order=("checkedAt", "createdAt"),
    ),
    RecordKind(
        name="TaxRetention",
        single="/tax-retentions",
        path="tax-retentions",
        event="tax_retention",
        known={
            **same("exact", "uuid", "code", "internalIdentifier", "receiver.nationality"),
            **same("partial", "pac", "issuer.rfc", "issuer.name", "issuer.curp", "receiver.rfc",
                   "receiver.name", "receiver.curp"),
            **same("number", "version", *_AMOUNTS),
            **same("date", "issuedAt", "canceledAt", "certifiedAt", "periodFrom", "periodTo"),
            "hasXml": ("xml", "bool"),
            "hasPdf": ("pdf", "bool"),
        },
        order=("issuedAt", "canceledAt", "certifiedAt", "periodFrom", "periodTo", *_AMOUNTS),
    ),
    RecordKind(
        name="ElectronicAccountingRecord",
        single="/electronic-accounting-records",
        path="electronic-accounting-records",
        event="electronic_accounting_record",
        known={
            **same("exact", "type", "reason", "fileType", "code", "status"),
            **same("partial", "filename"),
            **same("number", "year", "month"),
            **same("date", "receivedAt"),
        },
        order=("year", "month", "receivedAt"),
    ),
    RecordKind(
        name="SatCertificate",
        single="/datasources/mx/sat/certificados",
        path="datasources/mx/sat/certificados",
        event="sat_certificate",
        known={**same("exact", "type", "serialNumber"), **same("date", "validFrom", "validTo")},
        order=("validFrom", "validTo"),
    ),
    RecordKind(
        name="RpcEntidade",
        single="/datasources/mx/rpc/entidades",
        path="datasources/mx/rpc/entidades",
        event="rpc_entidades",
        known=same("exact", "lookupBy"),
    ),
    RecordKind(
        name="RpcActo",
        single="/rpc/actos",  # so, without `datasources/mx`, in the vendor's OpenAPI
        path="datasources/mx/rpc/actos",
        event="rpc_acto",
        known={"rpcEntidade.lookupBy": ("entity", "unseen")},
    ),
    RecordKind(name="RpcSocio", single="/datasources/rpc/socios", path=None, event="rpc_socios"),
    RecordKind(
        name="RugGarantia",
        single="/datasources/rug/garantias",
        path="datasources/rug/garantias",
        event="rug_garantia",
        known={
            **same("exact", "tipoDeGarantia", "moneda"),
            **same("partial", "acreedor", "descripcionDeLosBienes"),
            **same("number", "numeroDeGarantia", "monto"),
            **same("date", *_SPANS),
            **_TIMES,
        },
        order=("createdAt", "updatedAt"),
    ),
    RecordKind(
        name="RugOperacion",
        single="/datasources/rug/operaciones",
        path="datasources/rug/operaciones",
        event=None,
        known={
            **same("exact", "tipo"),
            **same("number", "numeroDeAsiento", "numeroDeGarantia"),
            **same("date", "fecha"),
            **_TIMES,
        },
        order=("createdAt", "updatedAt"),
    ),
    RecordKind(name="BilReport", single="/datasources/bil/reports", path="datasources/bil/reports", event=None),
    RecordKind(
        name="BuroDeCreditoReport",
        single="/datasources/mx/buro-de-credito/reports",
        path="datasources/mx/buro-de-credito/reports",
        event="buro_de_credito_report",
    ),
    RecordKind(
        name="BackgroundCheck",
        single="/background-checks",
        path="background-checks",
        event="background_check",
        known=same("exact", "status", "country"),
        order=("score", "createdAt", "updatedAt"),
        everywhere="/background-checks",
    ),
    RecordKind(
        name="CompanyVerificationReport",
        single="/datasources/mx/company-verification/reports",
        path="datasources/mx/company-verification/reports",
        event="company_verification_report",
        order=("createdAt", "updatedAt"),
        everywhere="/datasources/mx/company-verification/reports",
    ),
)  # fmt: skip
KINDS: Mapping[str, RecordKind] = {kind.name: kind for kind in _KINDS}


class Records:
    """The records held, per kind and entity; new and changed ones are announced."""

    def __init__(self, events: SyntageEvents) -> None:
        self._events = events
        self._rows: dict[str, dict[str, tuple[str, JsonObject]]] = {name: {} for name in KINDS}

    def keep(self, kind: str, entity: Entity, row: JsonObject, *, source: str) -> Change:
        """Store a row gathered by an extraction (its IRI is the source of the event)."""
        rows, number = self._rows[kind], str(row["id"])
        known = rows[number][1] if number in rows else None
        if known is not None and "xml" in row:  # a file once held stays held
            row = {**row, "xml": row["xml"] or known["xml"], "pdf": row["pdf"] or known["pdf"]}
        change, changes = compare(known, row)
        if change == "same":
            return change
        if known is not None:
            row = {**row, "createdAt": known["createdAt"]}
        rows[number] = (entity.id, row)
        stem = KINDS[kind].event
        if stem is not None:
            self._events.emit(f"{stem}.{change}", entity, str(row["@id"]), lambda: row, source=source, changes=changes)
        return change

    def newest_first(self, kind: str, entity: str | None = None) -> list[JsonObject]:
        """Give the rows of a kind, of one entity or of all, newest id first."""
        rows = self._rows[kind]
        numbers = (number for number in sorted(rows, reverse=True) if entity in (None, rows[number][0]))
        return [rows[number][1] for number in numbers]

    def find(self, kind: str, number: str) -> JsonObject | None:
        """Give one record by its id."""
        found = self._rows[kind].get(number)
        return found[1] if found else None

    def drop(self, entity: str) -> None:
        """Forget all records of an entity."""
        for rows in self._rows.values():
            for number in [number for number, (owner, _) in rows.items() if owner == entity]:
                del rows[number]
