"""What public clients of Syntage send: their documented calls, with the queries, headers and bodies they have.

Of `syntage_sdk` (Ruby, 0.1.0) all that its manual shows, but for the two paths it gets wrong; of two clients in
TypeScript what is documented, and the lists of the older form, below `/taxpayers`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

RFC: Final = "ZZT190415QA7"
PERIOD: Final = {"from": "2025-01-01T00:00:00.000Z", "to": "2025-12-31T23:59:59.000Z"}
Words = Mapping[str, str]

# HTTParty sends the type of a body along with whatever has none.
PLAIN: Final = {"Content-Type": "application/json", "Accept": "application/json"}
LD: Final = {**PLAIN, "Accept": "application/ld+json"}
CURSOR: Final = {**LD, "X-Pagination-Style": "cursor"}
MERGE: Final = {**PLAIN, "Content-Type": "application/merge-patch+json"}
NODE: Final = {**LD, "Accept-Version": "2020-06-28"}


@dataclass(frozen=True)
class Sent:
    """One request. Places of the path, and of paths in the body, are filled with ids that exist."""

    method: str
    path: str
    headers: Words
    query: Words = field(default_factory=dict[str, str])
    body: Any = None
    status: int = 200

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


ENTITY: Final = "/entities/{entityId}"
SPAN: Final = {"options[from]": "2025-01-01T00:00:00Z", "options[to]": "2025-12-31T23:59:59Z"}
TWENTY: Final = {"itemsPerPage": "20"}
FIFTY: Final = {"itemsPerPage": "50"}

_ENTITIES: Final = (
    Sent("POST", "/entity-tags", PLAIN, body={"name": "vip"}, status=201),
    Sent("GET", "/entity-tags", LD, TWENTY),
    Sent("GET", "/entity-tags", LD, {**TWENTY, "id[lt]": "a224731b-5dcb-4cb4-89bc-3467f460c75b"}),
    Sent("GET", f"{ENTITY}/tags", LD),
    Sent("GET", "/entity-tags/{id}", LD),
    Sent("PATCH", "/entity-tags/{id}", MERGE, body={"name": "premium"}),
    Sent("GET", "/entities", LD, {"taxpayer.id": RFC}),
    Sent(
        "GET",
        "/entities",
        LD,
        {
            "taxpayer.name": "Acme",
            "taxpayer.personType": "legal",
            "taxpayer.registrationDate[after]": "2020-01-01",
            "order[updatedAt]": "desc",
            **FIFTY,
        },
    ),
    Sent("GET", ENTITY, LD),
    Sent("POST", "/entities", PLAIN, body={"name": "Acme SA de CV", "type": "company"}, status=201),
    Sent(
        "POST",
        "/entities",
        PLAIN,
        body={"name": "Acme SA de CV", "type": "company", "rfc": "CSU190415QA7", "datasources": [{"name": "sat"}]},
        status=201,
    ),
    Sent("PATCH", ENTITY, MERGE, body={"name": "Syntage", "tags": ["/entity-tags/{id}"]}),
    Sent("POST", f"{ENTITY}/datasources/syntage/score/calculate", PLAIN, body={}, status=201),
    Sent("POST", "/credentials", PLAIN, body={"type": "ciec", "rfc": RFC, "password": "not-a-real-ciec1"}, status=202),
    Sent(
        "POST",
        "/credentials",
        PLAIN,
        body={"type": "efirma", "certificate": "AA==", "privateKey": "AA==", "password": "not-a-real-one"},
        status=202,
    ),
)
_EXTRACTIONS: Final = (
    Sent(
        "POST",
        "/extractions",
        PLAIN,
        body={"entity": ENTITY, "extractor": "tax_status", "options": {"period": {"from": "2026-01-01"}}},
        status=202,
    ),
    Sent(
        "GET",
        "/extractions",
        LD,
        {
            "extractor": "tax_status",
            "status": "finished",
            "datasource": "sat",
            "taxpayer.id": RFC,
            "startedAt[after]": "2026-01-01",
            "finishedAt[before]": "2026-06-01",
            "order[startedAt]": "desc",
            **FIFTY,
        },
    ),
    Sent("GET", "/extractions/{id}", LD),
    Sent("DELETE", "/extractions/{id}/stop", PLAIN, status=204),
    Sent("GET", "/events", LD, {"type": "credential.updated", "taxpayer.id": RFC}),
    Sent("GET", "/events", LD, {**TWENTY, "page": "2"}),
    Sent("GET", "/events", CURSOR, TWENTY),
    Sent("POST", "/exports", PLAIN, body={"format": "csv", "uri": f"{ENTITY}/invoices"}, status=202),
    Sent(
        "POST",
        "/exports",
        PLAIN,
        body={"format": "csv", "uri": f"{ENTITY}/invoices", "fileTypes": ["invoice.cfdi.xml", "invoice.cfdi.pdf"]},
        status=202,
    ),
    Sent("GET", "/exports/{id}", LD),
    Sent("GET", "/files/{id}", LD),
    # HTTParty follows the redirect, and sends its key to the storage.
    Sent("GET", "/files/{id}/download", {**PLAIN, "Accept": "*/*"}, status=302),
)
_INVOICES: Final = (
    Sent(
        "GET",
        f"{ENTITY}/invoices",
        LD,
        {
            "type": "I",
            "status": "VIGENTE",
            "paymentMethod": "PUE",
            "issuer.rfc": RFC,
            "isIssuer": "true",
            "currency": "MXN",
            "hasXml": "true",
            "issuedAt[after]": "2025-01-01",
            "issuedAt[before]": "2025-06-01",
            "total[gte]": "1000",
            "order[issuedAt]": "desc",
            **FIFTY,
        },
    ),
    Sent("GET", f"{ENTITY}/invoices", LD, {"issuedAt[strictly_after]": "2025-01-01", "issuedAt[before]": "2025-06-01"}),
    Sent("GET", f"{ENTITY}/invoices", LD, {"total[gte]": "1000", "total[lt]": "50000"}),
    Sent("GET", f"{ENTITY}/invoices", LD, {"order[issuedAt]": "desc", "order[amount]": "asc"}),
    Sent("GET", f"{ENTITY}/invoices", LD, TWENTY),
    Sent("GET", "/invoices/{id}", LD),
    *(
        Sent("GET", "/invoices/{id}/cfdi", {**PLAIN, "Accept": accept})
        for accept in ("application/json", "text/xml", "application/pdf")
    ),
    Sent("GET", "/invoices/payments", LD, FIFTY),
    Sent("GET", "/invoices/payments", LD, {"id[lt]": "a1fd895b-5dcb-4cb4-89bc-3467f460c75b", **FIFTY}),
    Sent("GET", "/invoices/{id}/payments", LD),
    Sent("GET", "/invoices/payments/{id}", LD),
    Sent("GET", "/invoices/batch-payments", LD, FIFTY),
    Sent("GET", "/invoices/{id}/batch-payments", LD),
    Sent("GET", "/invoices/batch-payments/{id}", LD),
    Sent("GET", "/invoices/{id}/line-items", LD, FIFTY),
    Sent("GET", "/invoices/credit-notes", LD, FIFTY),
    Sent("GET", "/invoices/{id}/issued-credit-notes", LD),
    Sent("GET", "/invoices/{id}/applied-credit-notes", LD),
    Sent("POST", "/tags", PLAIN, body={"name": "audited", "resourceType": "invoice"}, status=201),
    Sent(
        "POST",
        "/tags",
        PLAIN,
        body={"name": "audited too", "resourceType": "invoice", "resourceId": "/invoices/{id}"},
        status=201,
    ),
    Sent("GET", "/tags", LD, TWENTY),
    Sent("PATCH", "/tags/{id}", MERGE, body={"name": "reviewed"}),
    Sent("DELETE", "/tags/{id}", PLAIN, status=204),
)
_RECORDS: Final = (
    Sent("GET", f"{ENTITY}/tax-returns", LD, {"fiscalYear": "2025", "order[presentedAt]": "desc"}),
    Sent("GET", f"{ENTITY}/tax-returns", LD, {"intervalUnit": "Mensual", "fiscalYear": "2025", "itemsPerPage": "100"}),
    Sent("GET", "/tax-returns/{id}", LD),
    Sent("GET", "/tax-returns/{id}/data", PLAIN),
    Sent("GET", "/tax-returns/{id}/pdf", {**PLAIN, "Accept": "application/pdf"}),
    Sent("GET", f"{ENTITY}/tax-status", LD, FIFTY),
    Sent("GET", "/tax-status/{id}", LD),
    Sent("GET", f"{ENTITY}/tax-compliance-checks", LD, {"result": "positive", "order[checkedAt]": "desc"}),
    Sent("GET", "/tax-compliance-checks/{id}", LD),
    Sent(
        "GET",
        f"{ENTITY}/tax-retentions",
        CURSOR,
        {"issuedAt[after]": "2025-01-01", "issuedAt[strictly_before]": "2026-01-01", "itemsPerPage": "200"},
    ),
    Sent("GET", f"{ENTITY}/tax-retentions", LD, {"totalOperationAmount[gte]": "1", "order[issuedAt]": "desc"}),
    Sent("GET", "/tax-retentions/{id}", LD),
    *(
        Sent("GET", "/tax-retentions/{id}/cfdi", {**PLAIN, "Accept": accept})
        for accept in ("application/json", "text/xml", "application/pdf")
    ),
    Sent("GET", f"{ENTITY}/electronic-accounting-records", LD, {"year": "2025", "order[receivedAt]": "desc"}),
    Sent("GET", "/electronic-accounting-records/{id}", LD),
    Sent("GET", f"{ENTITY}/datasources/mx/sat/certificados", LD, {"type": "CSD", "order[validTo]": "desc"}),
    Sent(
        "GET",
        f"{ENTITY}/datasources/mx/sat/certificados",
        LD,
        {"validTo[after]": "2026-06-01", "validTo[strictly_before]": "2026-07-01"},
    ),
    Sent("GET", "/datasources/mx/sat/certificados/{id}", LD),
    Sent("GET", f"{ENTITY}/datasources/rug/garantias", LD, FIFTY),
    Sent("GET", f"{ENTITY}/datasources/rug/operaciones", LD, FIFTY),
    Sent("GET", "/datasources/rug/garantias/{id}", LD),
    Sent("GET", "/datasources/rug/operaciones/{id}", LD),
    Sent("GET", f"{ENTITY}/background-checks", LD, {"order[score]": "desc"}),
    Sent("GET", "/background-checks", LD, {"country": "MX"}),
    Sent("GET", "/background-checks/{id}", LD),
    Sent("GET", "/background-checks/{id}/pdf", LD),
    Sent("GET", "/background-checks/{id}/records", LD, {"category": "criminal_record"}),
    Sent("GET", f"{ENTITY}/datasources/mx/company-verification/reports", LD, {"order[createdAt]": "desc"}),
    Sent("GET", "/datasources/mx/company-verification/reports", LD, FIFTY),
    Sent("GET", "/datasources/mx/company-verification/reports/{id}", LD),
    Sent("GET", "/datasources/mx/addresses/64000", PLAIN),
    Sent(
        "POST",
        f"{ENTITY}/shareholders",
        PLAIN,
        body={"relationType": "shareholders", "name": "Jane Doe", "shares": 150, "rfc": "XAXX010101000"},
        status=201,
    ),
    Sent("GET", f"{ENTITY}/shareholders", LD, {"order[name]": "asc"}),
    Sent("GET", "/shareholders", LD, {"rfc": "XAXX010101000"}),
    Sent("GET", "/shareholders/{id}", LD),
    Sent("PATCH", "/shareholders/{id}", MERGE, body={"name": "Jane A. Doe"}),
    Sent("DELETE", "/shareholders/{id}", PLAIN, status=204),
)
_INSIGHTS: Final = (
    Sent("GET", f"{ENTITY}/insights/summary", PLAIN),
    Sent("GET", f"{ENTITY}/insights/metrics/scores", PLAIN),
    *(
        Sent("GET", f"{ENTITY}/insights/{name}", PLAIN, query)
        for name in (
            "sales-revenue",
            "expenditures",
            "financial-institutions",
            "employees",
            "rpc-shareholders",
            "government-customers",
            "invoicing-blacklist",
            "risks",
            "financial-ratios",
            "trial-balance",
            "cash-flow-stats",
            "accounts-payable",
            "accounts-receivable",
            "customer-concentration",
            "supplier-concentration",
            "products-and-services-sold",
            "products-and-services-bought",
            "metrics/customer-network",
            "metrics/vendor-network",
            "metrics/invoicing-annual-comparison",
        )
        for query in ({}, SPAN)
    ),
    *(
        Sent("GET", f"{ENTITY}/insights/{name}", PLAIN, {"options[periodicity]": "monthly"})
        for name in ("employees", "trial-balance", "cash-flow-stats", "accounts-payable", "accounts-receivable")
    ),
    *(
        Sent("GET", f"{ENTITY}/insights/metrics/{name}", {**PLAIN, "X-Insight-Format": "2022"}, SPAN)
        for name in ("balance-sheet", "income-statement", "invoicing-annual-comparison")
    ),
    Sent("GET", f"{ENTITY}/insights/invoicing-concentration", PLAIN, {"options[type]": "issued"}),
)
_SCHEDULERS: Final = (
    Sent("POST", "/schedulers", PLAIN, body={"type": "recurring"}, status=202),
    Sent(
        "POST",
        "/schedulers",
        PLAIN,
        body={"type": "recurring", "name": "Daily extractions", "isEnabled": True, "tags": ["/entity-tags/{id}"]},
        status=202,
    ),
    Sent("GET", "/schedulers", LD, TWENTY),
    Sent("GET", "/schedulers", LD, {**TWENTY, "id[lt]": "a1fd895b-5dcb-4cb4-89bc-3467f460c75b"}),
    Sent("GET", "/schedulers/{id}", LD),
    Sent("PUT", "/schedulers/{id}", PLAIN, body={"name": "Weekly extractions", "isEnabled": False}),
    Sent(
        "POST",
        "/schedulers/rules",
        PLAIN,
        body={
            "scheduler": "/schedulers/{id}",
            "extractor": "invoice",
            "cronExpression": "@daily",
            "options": {"types": ["I", "E", "P"], "period": PERIOD},
        },
        status=202,
    ),
    Sent("GET", "/schedulers/rules/{id}", LD),
    Sent(
        "PUT",
        "/schedulers/rules/{id}",
        PLAIN,
        body={"extractor": "tax_status", "cronExpression": "@weekly", "options": {"types": ["I"]}},
    ),
    Sent("DELETE", "/schedulers/rules/{id}", PLAIN, status=204),
    Sent("DELETE", "/schedulers/{id}", PLAIN, status=204),
)
RUBY: Final = (
    *_ENTITIES,
    *_EXTRACTIONS,
    *_INVOICES,
    *_RECORDS,
    *_INSIGHTS,
    *_SCHEDULERS,
    Sent("DELETE", "/entity-tags/{id}", PLAIN, status=204),
)


HOOK: Final = {"url": "https://example.com/hook", "events": ["extraction.updated"]}
_TAXPAYER: Final = "/taxpayers/{id}"
TYPESCRIPT: Final = (
    Sent("GET", "/credentials", NODE),
    Sent("GET", "/credentials", NODE, {"page": "1", "itemsPerPage": "100"}),
    Sent("GET", "/credentials/{id}", NODE),
    Sent("POST", "/credentials/{id}/revalidate", NODE, status=202),
    Sent("POST", "/extractions", NODE, body={"taxpayer": _TAXPAYER, "extractor": "tax_status"}, status=202),
    Sent(
        "POST",
        "/extractions",
        NODE,
        body={"taxpayer": _TAXPAYER, "extractor": "invoice", "options": {"period": PERIOD, "issued": True}},
        status=202,
    ),
    Sent("GET", "/extractions", NODE, {"status": "finished", "page": "1", "itemsPerPage": "100"}),
    *(
        Sent("GET", f"{_TAXPAYER}/{name}", NODE, {"page": "1", "itemsPerPage": "100"})
        for name in ("tax-returns", "tax-retentions", "electronic-accounting-records")
    ),
    *(Sent("GET", f"{_TAXPAYER}/{name}", NODE) for name in ("tax-status", "tax-compliance-checks")),
    Sent("GET", f"{_TAXPAYER}/invoices", {**NODE, "X-Pagination-Style": "cursor"}, {"properties[]": "uuid"}),
    Sent("GET", f"{_TAXPAYER}/invoices", NODE, {"itemsPerPage": "100"}),
    Sent("GET", f"{_TAXPAYER}/invoices/line-items", NODE),
    Sent("GET", f"{_TAXPAYER}/invoices/payments", NODE),
    Sent("GET", "/invoices/{id}/line-items", {**NODE, "X-Pagination-Style": "cursor"}),
    Sent("GET", "/invoices/{id}/payments", {**NODE, "X-Pagination-Style": "cursor"}),
    Sent("GET", "/invoices/{id}/cfdi", {"Accept": "application/xml", "Accept-Version": "2020-06-28"}),
    Sent("GET", f"{ENTITY}/insights/metrics/scores", NODE),
    Sent("GET", "/background-checks/{id}/records", NODE),
    Sent("GET", "/datasources/mx/addresses/64000", NODE),
    Sent("GET", f"{ENTITY}/datasources/mx/buro-de-credito/reports", NODE),
    Sent("POST", "/schedulers", NODE, body={"type": "recurring", "name": "Daily"}, status=202),
    Sent("GET", "/schedulers", NODE, {"page": "1", "itemsPerPage": "100"}),
    Sent("GET", "/schedulers/{id}", NODE),
    Sent("PUT", "/schedulers/{id}", NODE, body={"isEnabled": False}),
    Sent("DELETE", "/schedulers/{id}", NODE, status=204),
    Sent(
        "POST",
        "/webhook-endpoints",
        NODE,
        body={**HOOK, "enabled": True, "contentType": "application/ld+json"},
        status=202,
    ),
    Sent("GET", "/webhook-endpoints", NODE, {"page": "1", "itemsPerPage": "100"}),
    Sent("GET", "/webhook-endpoints/{id}", NODE),
    Sent("PUT", "/webhook-endpoints/{id}", NODE, body={**HOOK, "enabled": False, "contentType": "application/ld+json"}),
    Sent("GET", "/webhook-requests", NODE),
    Sent("DELETE", "/webhook-endpoints/{id}", NODE, status=204),
    Sent("DELETE", "/credentials/{id}", NODE, status=204),
    Sent("DELETE", ENTITY, NODE, status=204),
)
