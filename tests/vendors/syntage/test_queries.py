"""Direct reads of each list: which path, which filters, which rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import msgspec
import pytest

from belvo_async.abc import Query
from belvo_async.errors import TaskError
from belvo_async.vendors import syntage
from belvo_async.vendors.syntage.schema.insights.forms import InsightList
from belvo_async.vendors.syntage.schema.queries import ListQuery
from tests.vendors.syntage.kit import ENTITY, RFC, params, path, vendor

ID = "b9e60d3a-8f27-4a55-93c1-4f7d2e1a6c08"
INVOICE = f"/invoices/{ID}"
HOLDER, CHECK = f"/shareholders/{ID}", f"/background-checks/{ID}"
REPORTS = "/datasources/mx/company-verification/reports"
AFTER, BEFORE = datetime(2025, 3, 1, tzinfo=UTC), datetime(2025, 3, 31, 12, tzinfo=UTC)
LATEST = datetime.max.replace(tzinfo=timezone(timedelta(hours=-6)))
WITHIN, OUTSIDE = "2025-03-14T00:00:00Z", "2025-04-14T00:00:00Z"
CURSOR = {"X-Pagination-Style": "cursor", "X-Pagination-Enable-Partial": "0"}


def read(query: Query[Any]) -> Any:
    return vendor().list(query)


LISTS: list[tuple[Query[Any], str, type[msgspec.Struct]]] = [
    (syntage.Entities(), "/entities", syntage.Entity),
    (syntage.Extractions(), "/extractions", syntage.ExtractionState),
    (syntage.Credentials(), "/credentials", syntage.Credential),
    (syntage.Events(), "/events", syntage.Event),
    (syntage.Events(entity=ENTITY), f"{ENTITY}/events", syntage.Event),
    (syntage.EntityTags(), "/entity-tags", syntage.EntityTag),
    (syntage.EntityTags(entity=ENTITY), f"{ENTITY}/tags", syntage.EntityTag),
    (syntage.Tags(), "/tags", syntage.Tag),
    (syntage.EntityIdentifiers(entity=ENTITY), f"{ENTITY}/identifiers", syntage.EntityIdentifier),
    (syntage.Schedulers(), "/schedulers", syntage.Scheduler),
    (syntage.InsightReports(), "/reports", syntage.InsightReport),
    (syntage.BuroAuthorizations(), "/datasources/mx/buro-de-credito/authorizations", syntage.BuroAuthorization),
    (
        syntage.BuroAuthorizations(entity=ENTITY),
        f"{ENTITY}/datasources/mx/buro-de-credito/authorizations",
        syntage.BuroAuthorization,
    ),
    (syntage.PostalAddresses(postal_code="11510"), "/datasources/mx/addresses/11510", syntage.PostalAddress),
    (syntage.Invoices(entity=ENTITY), f"{ENTITY}/invoices", syntage.Invoice),
    (syntage.InvoiceLineItems(entity=ENTITY), f"{ENTITY}/invoices/line-items", syntage.InvoiceLineItem),
    (syntage.InvoiceLineItems(invoice=INVOICE), f"{INVOICE}/line-items", syntage.InvoiceLineItem),
    (syntage.InvoicePayments(), "/invoices/payments", syntage.InvoicePayment),
    (syntage.InvoicePayments(entity=ENTITY), f"{ENTITY}/invoices/payments", syntage.InvoicePayment),
    (syntage.InvoicePayments(invoice=ID.upper()), f"{INVOICE}/payments", syntage.InvoicePayment),
    (syntage.InvoiceBatchPayments(), "/invoices/batch-payments", syntage.InvoiceBatchPayment),
    (syntage.InvoiceBatchPayments(invoice=ID), f"{INVOICE}/batch-payments", syntage.InvoiceBatchPayment),
    (syntage.InvoiceRelations(invoice=ID), f"{INVOICE}/relations", syntage.InvoiceRelation),
    (
        syntage.InvoiceRelations(invoice=ID, entity=ENTITY),
        f"{ENTITY}{INVOICE}/relations",
        syntage.InvoiceRelation,
    ),
    (syntage.InvoiceCreditNotes(), "/invoices/credit-notes", syntage.InvoiceCreditNote),
    (syntage.InvoiceCreditNotes(entity=ENTITY), f"{ENTITY}/invoices/credit-notes", syntage.InvoiceCreditNote),
    (
        syntage.InvoiceCreditNotes(invoice=ID, side="issued"),
        f"{INVOICE}/issued-credit-notes",
        syntage.InvoiceCreditNote,
    ),
    (
        syntage.InvoiceCreditNotes(invoice=ID, side="applied"),
        f"{INVOICE}/applied-credit-notes",
        syntage.InvoiceCreditNote,
    ),
    (syntage.TaxReturns(entity=ENTITY), f"{ENTITY}/tax-returns", syntage.TaxReturn),
    (syntage.TaxStatuses(entity=ENTITY), f"{ENTITY}/tax-status", syntage.TaxStatus),
    (syntage.TaxStatuses(), "/tax-status", syntage.TaxStatus),
    (syntage.TaxComplianceChecks(entity=ENTITY), f"{ENTITY}/tax-compliance-checks", syntage.TaxComplianceCheck),
    (syntage.TaxRetentions(entity=ENTITY), f"{ENTITY}/tax-retentions", syntage.TaxRetention),
    (
        syntage.ElectronicAccountingRecords(entity=ENTITY),
        f"{ENTITY}/electronic-accounting-records",
        syntage.ElectronicAccountingRecord,
    ),
    (
        syntage.SatCertificates(entity=ENTITY),
        f"{ENTITY}/datasources/mx/sat/certificados",
        syntage.SatCertificate,
    ),
    (syntage.RpcEntidades(entity=ENTITY), f"{ENTITY}/datasources/mx/rpc/entidades", syntage.RpcEntidade),
    (syntage.RpcActos(entity=ENTITY), f"{ENTITY}/datasources/mx/rpc/actos", syntage.RpcActo),
    (syntage.RugGarantias(entity=ENTITY), f"{ENTITY}/datasources/rug/garantias", syntage.RugGarantia),
    (syntage.RugOperaciones(entity=ENTITY), f"{ENTITY}/datasources/rug/operaciones", syntage.RugOperacion),
    (syntage.BilReports(entity=ENTITY), f"{ENTITY}/datasources/bil/reports", syntage.BilReport),
    (syntage.BuroReports(entity=ENTITY), f"{ENTITY}/datasources/mx/buro-de-credito/reports", syntage.BuroReport),
    (syntage.BackgroundChecks(), "/background-checks", syntage.BackgroundCheck),
    (syntage.BackgroundChecks(entity=ENTITY), f"{ENTITY}/background-checks", syntage.BackgroundCheck),
    (syntage.WebhookEndpoints(), "/webhook-endpoints", syntage.WebhookEndpoint),
    (syntage.WebhookRequests(), "/webhook-requests", syntage.WebhookRequest),
    (syntage.BackgroundCheckRecords(background_check=ID), f"{CHECK}/records", syntage.BackgroundCheckRecord),
    (syntage.Shareholders(), "/shareholders", syntage.Shareholder),
    (syntage.Shareholders(entity=ENTITY), f"{ENTITY}/shareholders", syntage.Shareholder),
    (syntage.ShareholderRelations(shareholder=HOLDER), f"{HOLDER}/relations", syntage.ShareholderRelation),
    (
        syntage.ShareholderSources(shareholder=ID, relation=f"{HOLDER}/relations/{ID}"),
        f"{HOLDER}/relations/{ID}/sources",
        syntage.ShareholderSource,
    ),
    (syntage.CompanyVerificationReports(), REPORTS, syntage.CompanyVerificationReport),
    (syntage.CompanyVerificationReports(entity=ENTITY), f"{ENTITY}{REPORTS}", syntage.CompanyVerificationReport),
    (syntage.FoundEntities(report=f"{REPORTS}/{ID}"), f"{REPORTS}/{ID}/found-entities", syntage.FoundEntity),
]


def test_every_query_type_has_a_case() -> None:
    """The table covers all that the dialect lists, but for insights, whose rows are no records."""
    insights = {each for each in vendor().queries if issubclass(each, InsightList)}

    assert set(vendor().queries) - insights == {type(query) for query, _, _ in LISTS}


@pytest.mark.parametrize(("query", "target", "record"), LISTS, ids=[target for _, target, _ in LISTS])
def test_each_list_is_asked_for_where_it_stands(query: Query[Any], target: str, record: type[msgspec.Struct]) -> None:
    """The path is the documented one, the name holds no id, and without filters nothing is asked and all is kept."""
    reading = read(query)
    request = next(reading.steps(None))

    size = "?itemsPerPage=100" if type(query).is_sized else ""
    assert (f"{target}{size}", record) == (request.target, reading.shape.record)
    template = target.replace(ENTITY, "/entities/{id}").replace(INVOICE, "/invoices/{id}").replace("/11510", "/{id}")
    template = template.replace(ID, "{id}")
    assert f"GET {template}" == request.name
    assert reading.shape.keep is None
    assert "x" == reading.shape.record_id(reading.shape.guard(id="x"))


def test_cursor_style_is_for_the_lists_that_document_it() -> None:
    """The guide names them; elsewhere the header would be ignored at best."""
    asked = {
        target for query, target, _ in LISTS if CURSOR.items() <= dict(next(read(query).steps(None)).headers).items()
    }

    assert {
        f"{ENTITY}/invoices",
        f"{ENTITY}/invoices/line-items",
        f"{INVOICE}/line-items",
        "/invoices/payments",
        f"{ENTITY}/invoices/payments",
        f"{INVOICE}/payments",
    } == asked


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: syntage.Invoices(entity="nobody"), "entity"),
        (lambda: syntage.Invoices(entity=f"/taxpayers/{RFC}"), "entity"),
        (lambda: syntage.InvoiceLineItems(), "entity"),
        (lambda: syntage.InvoiceLineItems(entity=ENTITY, invoice=INVOICE), "invoice"),
        (lambda: syntage.InvoiceLineItems(invoice=ENTITY), "invoice"),
        (lambda: syntage.InvoiceRelations(), "invoice"),
        (lambda: syntage.InvoiceCreditNotes(invoice=ID), "side"),
        (lambda: syntage.InvoiceCreditNotes(entity=ENTITY, side="issued"), "side"),
        (lambda: syntage.TaxReturns(entity=ENTITY, presented_after=datetime(2025, 1, 1)), "presented_after"),  # noqa: DTZ001
        (lambda: syntage.Invoices(entity=ENTITY, type=["I"]), "type"),  # type: ignore[arg-type]
    ],
    ids=range(10),
)
def test_what_names_no_list_is_refused(make: Any, field: str) -> None:
    """A query is complete when it is made: nothing is sent for half of one."""
    with pytest.raises(TaskError) as caught:
        make()

    assert field == caught.value.field
    assert str(caught.value).startswith(field)


@pytest.mark.parametrize(
    ("kind", "asked", "sentence"),
    [
        (syntage.Invoices, {"currency": 5}, "currency must be a text or a tuple of them"),
        (syntage.Invoices, {"currency": ("MXN", 5)}, "currency must be a text or a tuple of them"),
        (syntage.Invoices, {"currency": ""}, "currency must be a text or a tuple of them"),
        (syntage.Invoices, {"currency": ()}, "currency must be a text or a tuple of them"),
        (syntage.Invoices, {"is_issuer": "no"}, "is_issuer must be True or False"),
        (syntage.Invoices, {"is_issuer": 0}, "is_issuer must be True or False"),
        (syntage.Invoices, {"type": "Q"}, "type must be one of I, E, P, N, T or a tuple of them"),
        (syntage.Invoices, {"type": ("I", "Q")}, "type must be one of I, E, P, N, T or a tuple of them"),
        (syntage.Invoices, {"type": 7}, "type must be one of I, E, P, N, T or a tuple of them"),
        (syntage.Invoices, {"status": "NOPE"}, "status must be one of VIGENTE, CANCELADO"),
        (syntage.Invoices, {"status": ["VIGENTE"]}, "status must be one of VIGENTE, CANCELADO"),
        (syntage.Invoices, {"payment_type": "PPP"}, "payment_type must be one of PUE, PPD"),
        (syntage.TaxReturns, {"operation_number": "7"}, "operation_number must be a whole number"),
        (syntage.TaxReturns, {"operation_number": True}, "operation_number must be a whole number"),
        (syntage.TaxReturns, {"fiscal_year": 2025}, "fiscal_year must be a text"),
        (syntage.TaxReturns, {"interval_unit": "Anualmente"}, "interval_unit must be one of Anual, Mensual, RIF"),
        (syntage.SatCertificates, {"type": "fiel"}, "type must be one of efirma, csd"),
        (syntage.RpcActos, {"lookup_by": "owner"}, "lookup_by must be one of entity, shareholder"),
        (syntage.TaxReturns, {"presented_after": "2025-01-01"}, "presented_after must be a datetime with a time zone"),
        (syntage.TaxReturns, {"presented_before": LATEST}, "presented_before must be a datetime with a time zone"),
    ],
)
def test_filters_that_can_match_nothing_are_refused(kind: Any, asked: dict[str, Any], sentence: str) -> None:
    """Wrong types, and words outside the closed sets, would give an empty list without a word."""
    with pytest.raises(TaskError) as caught:
        kind(entity=ENTITY, **asked)

    assert (sentence, *asked) == (str(caught.value), caught.value.field)


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: syntage.Entities(name=5), "name"),  # type: ignore[arg-type]
        (lambda: syntage.Entities(person_type="dog"), "person_type"),  # type: ignore[arg-type]
        (lambda: syntage.Extractions(rate_limited="yes"), "rate_limited"),  # type: ignore[arg-type]
        (lambda: syntage.Credentials(type="fiel"), "type"),  # type: ignore[arg-type]
    ],
    ids=["text", "word", "flag", "kind"],
)
def test_lists_of_the_whole_account_are_as_strict(make: Any, field: str) -> None:
    """Filters are checked alike, whether a list is an entity's or not."""
    with pytest.raises(TaskError, match=f"^{field} must be") as caught:
        make()

    assert field == caught.value.field


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        (
            syntage.Invoices(entity=ENTITY, usage="Z99", payment_method=("98",)),
            {"usage": "Z99", "paymentMethod[]": "98"},
        ),
        (syntage.Extractions(extractor="new", status="paused"), {"extractor": "new", "status": "paused"}),
        (syntage.Events(type="moon.risen"), {"type": "moon.risen"}),
    ],
    ids=["codes of the SAT", "extractors", "events"],
)
def test_open_words_stay_open(query: Query[Any], asked: dict[str, str]) -> None:
    """Words that Syntage or the SAT may add to are passed on as they are."""
    assert {**asked, "itemsPerPage": "100"} == params(next(read(query).steps(None)))


@pytest.mark.parametrize("field", ["issued", "certified", "created"])
def test_spans_end_after_they_begin(field: str) -> None:
    """A span that ends before it begins holds nothing; one of a single instant may hold a row."""
    make: Any = syntage.Invoices
    make(entity=ENTITY, **{f"{field}_after": AFTER, f"{field}_before": AFTER})

    with pytest.raises(TaskError) as caught:
        make(entity=ENTITY, **{f"{field}_after": BEFORE, f"{field}_before": AFTER})

    assert f"{field}_before must not lie before {field}_after" == str(caught.value)
    assert f"{field}_before" == caught.value.field


FILTERS: list[tuple[Query[Any], dict[str, str], dict[str, Any], list[dict[str, Any]]]] = [
    (
        syntage.Invoices(
            entity=ENTITY, type=("I", "E"), issuer_rfc=RFC, is_issuer=True, has_xml=True, issued_after=AFTER
        ),
        {
            "type[]": "E",
            "issuer.rfc": RFC,
            "isIssuer": "true",
            "hasXml": "true",
            "issuedAt[after]": "2025-03-01T00:00:00Z",
        },
        {"type": "I", "issuer": {"rfc": RFC}, "isIssuer": True, "xml": True, "issuedAt": WITHIN},
        [{"type": "P"}, {"issuer": {"rfc": f"{RFC}X"}}, {"issuer": None}, {"isIssuer": False}, {"xml": None}],
    ),
    (
        syntage.Invoices(entity=ENTITY, uuid=ID.upper(), status="VIGENTE", currency="MXN"),
        {"uuid": ID.upper(), "status": "VIGENTE", "currency": "MXN"},
        {"uuid": ID, "status": "VIGENTE", "currency": "MXN"},
        [{"uuid": str(UUID(int=1))}, {"status": "CANCELADO"}, {"currency": "USD"}],
    ),
    (
        syntage.Credentials(rfc=RFC, type="ciec", status="valid", created_before=BEFORE),
        {"rfc": RFC, "type": "ciec", "status": "valid", "createdAt[before]": "2025-03-31T12:00:00Z"},
        {"rfc": RFC, "type": "ciec", "status": "valid", "createdAt": WITHIN},
        [{"rfc": "X"}, {"type": "efirma"}, {"status": "pending"}, {"createdAt": OUTSIDE}, {"createdAt": None}],
    ),
    (
        syntage.Events(type="file.created", source="/extractions/1", resource="/files/1", rfc=RFC),
        {"type": "file.created", "source": "/extractions/1", "resource": "/files/1", "taxpayer.id": RFC},
        {"type": "file.created", "source": "/extractions/1", "resource": "/files/1", "taxpayer": {"id": RFC}},
        [{"type": "export.created"}, {"source": None}, {"resource": "/files/2"}, {"taxpayer": None}],
    ),
    (
        syntage.TaxReturns(
            entity=ENTITY, interval_unit="Mensual", fiscal_year="2025", operation_number=7, presented_before=BEFORE
        ),
        {
            "intervalUnit": "Mensual",
            "fiscalYear": "2025",
            "operationNumber": "7",
            "presentedAt[before]": "2025-03-31T12:00:00Z",
        },
        {"intervalUnit": "Mensual", "fiscalYear": "2025", "operationNumber": 7, "presentedAt": WITHIN},
        [{"intervalUnit": "Anual"}, {"fiscalYear": "2024"}, {"operationNumber": 8}, {"presentedAt": OUTSIDE}],
    ),
    (
        syntage.TaxComplianceChecks(entity=ENTITY, result="positive", checked_after=AFTER, checked_before=BEFORE),
        {
            "result": "positive",
            "checkedAt[after]": "2025-03-01T00:00:00Z",
            "checkedAt[before]": "2025-03-31T12:00:00Z",
        },
        {"result": "positive", "checkedAt": WITHIN},
        [{"result": "negative"}, {"checkedAt": OUTSIDE}],
    ),
    (
        syntage.TaxRetentions(entity=ENTITY, code=("14", "16"), receiver_rfc=RFC, has_pdf=False, issued_after=AFTER),
        {"code[]": "16", "receiver.rfc": RFC, "hasPdf": "false", "issuedAt[after]": "2025-03-01T00:00:00Z"},
        {"code": "14", "receiver": {"rfc": RFC}, "pdf": False, "issuedAt": WITHIN},
        [{"code": "15"}, {"receiver": {}}, {"pdf": True}, {"issuedAt": None}],
    ),
    (
        syntage.ElectronicAccountingRecords(entity=ENTITY, year=2025, month=13, file_type="B", status="accepted"),
        {"year": "2025", "month": "13", "fileType": "B", "status": "accepted"},
        {"year": 2025, "month": 13, "fileType": "B", "status": "accepted"},
        [{"year": 2024}, {"month": 12}, {"fileType": "CT"}, {"status": "rejected"}],
    ),
    (
        syntage.SatCertificates(entity=ENTITY, serial_number="0001", type="csd", valid_to_after=AFTER),
        {"serialNumber": "0001", "type": "csd", "validTo[after]": "2025-03-01T00:00:00Z"},
        {"serialNumber": "0001", "type": "csd", "validTo": OUTSIDE},
        [{"serialNumber": "00011"}, {"type": "efirma"}, {"validTo": "2024-01-01T00:00:00Z"}],
    ),
    (
        syntage.RpcEntidades(entity=ENTITY, lookup_by="entity"),
        {"lookupBy": "entity"},
        {"lookupBy": "entity"},
        [{"lookupBy": "shareholder"}],
    ),
    (
        syntage.RugGarantias(entity=ENTITY, numero_de_garantia=5, fecha_de_inscripcion_after=AFTER),
        {"numeroDeGarantia": "5", "fechaDeInscripcion[after]": "2025-03-01T00:00:00Z"},
        {"numeroDeGarantia": 5, "fechaDeInscripcion": WITHIN},
        [{"numeroDeGarantia": 55}, {"fechaDeInscripcion": "2025-01-01T00:00:00Z"}],
    ),
    (
        syntage.RugOperaciones(entity=ENTITY, tipo="inscripcion", fecha_before=BEFORE),
        {"tipo": "inscripcion", "fecha[before]": "2025-03-31T12:00:00Z"},
        {"tipo": "inscripcion", "fecha": WITHIN},
        [{"tipo": "cancelacion"}, {"fecha": OUTSIDE}],
    ),
    (
        syntage.BackgroundChecks(entity=ENTITY, status="completed", country="MX"),
        {"status": "completed", "country": "MX"},
        {"status": "completed", "country": "MX"},
        [{"status": "pending"}, {"country": "ALL"}],
    ),
]


@pytest.mark.parametrize(
    ("query", "asked", "fitting", "changes"), FILTERS, ids=[type(query).__name__ for query, *_ in FILTERS]
)
def test_filters_are_sent_and_asked_of_each_row_again(
    query: Query[Any], asked: dict[str, str], fitting: dict[str, Any], changes: list[dict[str, Any]]
) -> None:
    """A row that fits is kept and one that differs in anything asked is not, by record and by guard alike."""
    reading = read(query)

    assert {**asked, "itemsPerPage": "100"} == params(next(reading.steps(None)))
    for kind in (reading.shape.record, reading.shape.guard):
        rows = [msgspec.convert({**fitting, **change}, kind) for change in ({}, *changes)]
        assert [True] + [False] * len(changes) == [reading.shape.keep(each) for each in rows]


def test_guards_are_small() -> None:
    """A guard has the id and what the filters compare, nested parts cut down too; nothing else is decoded twice."""
    guard: Any = read(syntage.Invoices(entity=ENTITY, issuer_rfc=RFC, issued_after=AFTER)).shape.guard

    issuer = next(each for each in msgspec.structs.fields(guard) if each.name == "issuer").type
    assert {"id", "issuer", "issued_at"} == set(guard.__struct_fields__)
    assert ("rfc",) == issuer.__args__[0].__struct_fields__


def test_what_rows_do_not_show_is_left_to_the_vendor() -> None:
    """A filter on something that rows lack is sent and not compared."""
    acts = read(syntage.RpcActos(entity=ENTITY, lookup_by="entity"))

    assert {"rpcEntidade.lookupBy": "entity", "itemsPerPage": "100"} == params(next(acts.steps(None)))
    assert acts.shape.keep is None
    gone = read(syntage.Credentials(deactivated_before=BEFORE))
    assert {"deactivatedAt[before]": "2025-03-31T12:00:00Z", "itemsPerPage": "100"} == params(next(gone.steps(None)))
    assert gone.shape.keep is None


def test_links_of_offset_lists_are_followed() -> None:
    """Credentials are paged by number: the link says which, we never do."""
    reading = read(syntage.Credentials())

    assert "page" not in next(reading.steps(None)).target
    assert "/credentials?page=3" == next(reading.steps("/credentials?page=3")).target
    assert "/credentials" == path(next(reading.steps(None)))


@pytest.mark.parametrize("query", [query for query, *_ in FILTERS], ids=[type(query).__name__ for query, *_ in FILTERS])
def test_queries_show_nothing(query: Query[Any]) -> None:
    """What was asked for stays out of repr."""
    assert (f"{type(query).__name__}(...)", []) == (repr(query), list(query.__rich_repr__()))


def test_a_filter_that_no_row_answers_must_be_named() -> None:
    """By convention a field is compared with the row's attribute of its name: one that is not there is a mistake."""

    class Odd(ListQuery[syntage.Tag], frozen=True, kw_only=True):
        apart = "/tags"

        colour: str | None = None

    with pytest.raises(TypeError, match="colour"):
        Odd()
