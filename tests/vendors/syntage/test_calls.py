"""Plain calls and files: one request, or two, and what comes back."""

from __future__ import annotations

import pickle
from typing import Any

import msgspec
import pytest

from belvo_async.abc import Call, Download, Fetch, Request, Retry, Secret
from belvo_async.errors import NotFoundError, PayloadError, TaskError, UnsupportedError, VendorError
from belvo_async.tolerant import listening
from belvo_async.vendors import syntage
from belvo_async.vendors.syntage.schema.insights.forms import Insight
from tests.vendors.syntage.kit import ENTITY, NOW, RFC, answer, converse, raw, sample, vendor
from tests.vendors.syntage.ownership.test_calls import CASES as OWNERSHIP
from tests.vendors.syntage.workspace.test_calls import WORKSPACE

ID = "b9e60d3a-8f27-4a55-93c1-4f7d2e1a6c08"
CREDENTIAL = "c2b7d9e4-05a1-4c3f-9f18-6d4e7a0b3c52"
PASSWORD = "not-a-real-ciec1"
CIEC = syntage.Ciec(rfc=RFC, password=PASSWORD)
EFIRMA = syntage.Efirma(certificate=b"fake .cer bytes", private_key=b"fake .key bytes", password="not-a-real-key")
VERIFICATION = "/datasources/mx/company-verification/reports"


def call(asked: Call[Any]) -> Any:
    return vendor().call(asked, NOW)


SINGLE = [
    (syntage.GetBackgroundCheck, "/background-checks", syntage.BackgroundCheck),
    (syntage.GetBilReport, "/datasources/bil/reports", syntage.BilReport),
    (
        syntage.GetBuroAuthorization,
        "/datasources/mx/buro-de-credito/authorizations",
        syntage.BuroAuthorization,
    ),
    (syntage.GetBuroReport, "/datasources/mx/buro-de-credito/reports", syntage.BuroReport),
    (syntage.GetCompanyVerificationReport, VERIFICATION, syntage.CompanyVerificationReport),
    (syntage.GetCredential, "/credentials", syntage.Credential),
    (syntage.GetElectronicAccountingRecord, "/electronic-accounting-records", syntage.ElectronicAccountingRecord),
    (syntage.GetEntity, "/entities", syntage.Entity),
    (syntage.GetEntityTag, "/entity-tags", syntage.EntityTag),
    (syntage.GetEvent, "/events", syntage.Event),
    (syntage.GetExport, "/exports", syntage.ExportState),
    (syntage.GetExtraction, "/extractions", syntage.ExtractionState),
    (syntage.GetFile, "/files", syntage.File),
    (syntage.GetInsightReport, "/reports", syntage.InsightReport),
    (syntage.GetInvoice, "/invoices", syntage.Invoice),
    (syntage.GetInvoiceBatchPayment, "/invoices/batch-payments", syntage.InvoiceBatchPayment),
    (syntage.GetInvoiceCreditNote, "/invoices/credit-notes", syntage.InvoiceCreditNote),
    (syntage.GetInvoiceLineItem, "/invoices/line-items", syntage.InvoiceLineItem),
    (syntage.GetInvoicePayment, "/invoices/payments", syntage.InvoicePayment),
    (syntage.GetInvoiceRelation, "/invoices/relations", syntage.InvoiceRelation),
    (syntage.GetRpcActo, "/rpc/actos", syntage.RpcActo),
    (syntage.GetRpcEntidade, "/datasources/mx/rpc/entidades", syntage.RpcEntidade),
    (syntage.GetRpcSocio, "/datasources/rpc/socios", syntage.RpcSocio),
    (syntage.GetRugGarantia, "/datasources/rug/garantias", syntage.RugGarantia),
    (syntage.GetRugOperacion, "/datasources/rug/operaciones", syntage.RugOperacion),
    (syntage.GetSatCertificate, "/datasources/mx/sat/certificados", syntage.SatCertificate),
    (syntage.GetSatCfdi, "/datasources/mx/sat/cfdis", syntage.SatCfdi),
    (syntage.GetShareholder, "/shareholders", syntage.Shareholder),
    (syntage.GetScheduler, "/schedulers", syntage.Scheduler),
    (syntage.GetSchedulerRule, "/schedulers/rules", syntage.SchedulerRule),
    (syntage.GetTaxComplianceCheck, "/tax-compliance-checks", syntage.TaxComplianceCheck),
    (syntage.GetTaxRetention, "/tax-retentions", syntage.TaxRetention),
    (syntage.GetTaxReturn, "/tax-returns", syntage.TaxReturn),
    (syntage.GetTaxStatus, "/tax-status", syntage.TaxStatus),
    (syntage.GetWebhookEndpoint, "/webhook-endpoints", syntage.WebhookEndpoint),
    (syntage.GetWebhookRequest, "/webhook-requests", syntage.WebhookRequest),
]
OTHERS = {
    *(syntage.CreateCredential, syntage.CreateEntity, syntage.DeleteCredential, syntage.RevalidateCredential),
    *(syntage.CreateWebhookEndpoint, syntage.UpdateWebhookEndpoint, syntage.DeleteWebhookEndpoint),
    syntage.GetScoreDistribution,
}
# These have their cases in `ownership`.
OTHERS |= {kind for kind, *_ in OWNERSHIP}


def test_every_call_has_a_case() -> None:
    """The tables cover all that the dialect can be asked, but for insights, which have tests of their own."""
    insights = {each for each in vendor().calls if issubclass(each, Insight)}

    assert {*OTHERS, *WORKSPACE, *(kind for kind, *_ in SINGLE)} == set(vendor().calls) - insights


@pytest.mark.parametrize(("kind", "collection", "record"), SINGLE, ids=[collection for _, collection, _ in SINGLE])
def test_single_reads_are_by_id_or_iri(kind: Any, collection: str, record: type[msgspec.Struct]) -> None:
    """Both forms are the same call; the request's name holds no id."""
    found, (request,) = converse(call(kind(f"{collection}/{ID}")), answer(200, {"id": ID, "uuid": ID}))

    assert kind(ID) == kind(f"{collection}/{ID}")
    assert (f"{collection}/{ID}", f"GET {collection}/{{id}}", Retry.SAFE) == (
        request.target,
        request.name,
        request.retry,
    )
    assert record is type(found)


@pytest.mark.parametrize("given", ["", "../x", f"/entities/{ID}/x", "a b", None, f"/credentials/{ID}", "x" * 65])
def test_other_ids_are_refused(given: Any) -> None:
    """An id cannot lead to another path."""
    with pytest.raises(TaskError) as caught:
        syntage.GetInvoice(given)

    assert "id" == caught.value.field
    assert "id must be an id or /invoices/<id>" == str(caught.value)


def test_unknown_objects_are_told() -> None:
    """A 404 is the vendor's error."""
    with pytest.raises(NotFoundError):
        converse(call(syntage.GetInvoice(ID)), answer(404, raw("error.404")))


@pytest.mark.parametrize("body", [b"[]", b"7", b'"text"', b"{", b'{"id": {"a": 1}}'])
def test_bodies_of_another_shape_are_refused(body: bytes) -> None:
    """So is an object whose id cannot be read."""
    with pytest.raises(PayloadError):
        converse(call(syntage.GetInvoice(ID)), answer(200, body))


@pytest.mark.parametrize("total", [b"1E+1000000000", b'"NaN"', b'"x"', b"[1,2]", b"true"])
def test_misfits_are_none_and_told(total: bytes) -> None:
    """Numbers that would be bombs among them; the rest of the object stands."""
    with listening() as unread:
        invoice, _ = converse(call(syntage.GetInvoice(ID)), answer(200, b'{"currency": "MXN", "total": %s}' % total))

    assert ("MXN", None) == (invoice.currency, invoice.total)
    assert [("$.total", total.decode())] == [(each.path, each.raw) for each in unread]


@pytest.mark.parametrize(
    ("access", "body"), list(zip((CIEC, EFIRMA), sample("credential.create_requests"), strict=True))
)
def test_credentials_are_created_as_documented(access: Any, body: dict[str, str]) -> None:
    """Both kinds are sent in the vendor's words, files in base64, once; what comes back is the credential."""
    made, (request,) = converse(call(syntage.CreateCredential(access)), answer(202, raw("credential.pending")))

    assert body == msgspec.json.decode(request.body or b"")
    assert ("POST", "/credentials", Retry.SUBMIT) == (request.method, request.target, request.retry)
    assert ("pending", syntage.Credential) == (made.status, type(made))


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: syntage.Ciec(rfc="X", password=PASSWORD), "rfc"),
        (lambda: syntage.Ciec(rfc=RFC, password="short"), "password"),
        (lambda: syntage.Ciec(rfc=RFC, password=""), "password"),
        (lambda: syntage.Efirma(certificate=b"", private_key=b"x", password="x"), "certificate"),
        (lambda: syntage.Efirma(certificate=b"x", private_key="x", password="x"), "private_key"),  # type: ignore[arg-type]
        (lambda: syntage.Efirma(certificate=b"x", private_key=b"x" * 65537, password="x"), "private_key"),
        (lambda: syntage.Efirma(certificate=b"x", private_key=b"x", password=""), "password"),
        (lambda: syntage.Efirma(certificate=b"x", private_key=Secret(""), password="x"), "private_key"),
        (lambda: syntage.Ciec(rfc=RFC, password=7), "password"),  # type: ignore[arg-type]
        (lambda: syntage.CreateCredential(PASSWORD), "access"),  # type: ignore[arg-type]
        (lambda: syntage.CreateCredential(None), "access"),  # type: ignore[arg-type]
        (lambda: syntage.CreateCredential(syntage.Ciec), "access"),  # type: ignore[arg-type]
    ],
    ids=range(12),
)
def test_incomplete_access_is_refused(make: Any, field: str) -> None:
    """Before a byte is sent, and without repeating it."""
    with pytest.raises(TaskError) as caught:
        make()

    assert field == caught.value.field
    assert str(caught.value).startswith(f"{field} must ")


@pytest.mark.parametrize("access", [CIEC, EFIRMA], ids=["ciec", "efirma"])
def test_secrets_stay_secret(access: Any) -> None:
    """Nothing shows them: no repr of the call, of its parts or of the request; they are not written or pickled."""
    asked = syntage.CreateCredential(access)
    request = next(call(asked))

    shown = repr(asked) + repr(access) + repr(request) + repr(list(asked.__rich_repr__()) + access.__rich_repr__())
    for secret in (RFC, PASSWORD, "not-a-real-key", *access.body().values()):
        assert secret in ("ciec", "efirma") or secret not in shown
    with pytest.raises(TypeError):
        pickle.dumps(asked)
    with pytest.raises(TypeError):
        msgspec.json.encode(asked)


def test_secrets_may_come_wrapped() -> None:
    """Whoever keeps a password in a `Secret` need not open it."""
    wrapped = syntage.Ciec(rfc=RFC.lower(), password=Secret(PASSWORD))

    assert CIEC.body() == wrapped.body()


def test_refused_credentials_name_the_field() -> None:
    """A validation error is the vendor's, in our words."""
    body = {"violations": [{"propertyPath": "rfc", "message": f"{RFC} is known already"}]}

    with pytest.raises(VendorError, match="rfc") as caught:
        converse(call(syntage.CreateCredential(CIEC)), answer(400, body))

    assert ("validation", "rfc") == (caught.value.code, caught.value.field)
    assert RFC not in str(caught.value)


def test_revalidation_gives_the_credential_as_it_is_then() -> None:
    """What the 202 holds is not documented: the credential is read after it."""
    found, asked = converse(
        call(syntage.RevalidateCredential(CREDENTIAL)), answer(202), answer(200, raw("credential.error"))
    )

    assert [("POST", f"/credentials/{CREDENTIAL}/revalidate"), ("GET", f"/credentials/{CREDENTIAL}")] == [
        (each.method, each.target) for each in asked
    ]
    assert ("error", "unsupportedPortableEfirma") == (found.status, found.status_reason.type)


def test_credentials_are_deleted() -> None:
    """A 204, and nothing to give."""
    gone, (request,) = converse(call(syntage.DeleteCredential(f"/credentials/{CREDENTIAL}")), answer(204))

    assert gone is None
    assert ("DELETE", f"/credentials/{CREDENTIAL}") == (request.method, request.target)


def test_entities_are_created_as_documented() -> None:
    """Sources may be names, or names with their options; the answer is told as it came."""
    asked = syntage.CreateEntity(
        name="X", type="company", rfc=RFC, datasources={"sat": {"a": 1}, "rpc": {}}, identifiers=(("curp", "C"),)
    )

    made, (request,) = converse(call(asked), answer(201, raw("entity.created")))

    assert {
        "name": "X",
        "type": "company",
        "rfc": RFC,
        "datasources": [{"name": "sat", "options": {"a": 1}}, {"name": "rpc"}],
        "identifiers": [{"country": "mx", "identifier": "curp", "value": "C"}],
    } == msgspec.json.decode(request.body or b"")
    assert Retry.SUBMIT is request.retry
    assert ENTITY == f"/entities/{made.id}"
    assert made.onboarding_url not in repr(made) + repr(asked)


def test_an_entity_needs_little() -> None:
    """What is not given is not sent."""
    request = next(call(syntage.CreateEntity(name="X", type="person", datasources=["bil"])))

    assert {"name": "X", "type": "person", "datasources": [{"name": "bil"}]} == msgspec.json.decode(request.body or b"")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"type": "dog"}, "type"),
        ({"rfc": "X"}, "rfc"),
        ({"datasources": ("sat", "tas")}, "datasources"),
        ({"identifiers": (("nss", "1"),)}, "identifiers"),
        ({"name": 5}, "name"),
        ({"rfc": 5}, "rfc"),
        ({"datasources": 5}, "datasources"),
        ({"datasources": [{}]}, "datasources"),
        ({"datasources": {"sat": 5}}, "datasources"),
        ({"identifiers": 5}, "identifiers"),
        ({"identifiers": ("rfc", "1")}, "identifiers"),
        ({"identifiers": (("rfc",),)}, "identifiers"),
        ({"identifiers": (("rfc", 1),)}, "identifiers"),
        ({"identifiers": (("rfc", ""),)}, "identifiers"),
    ],
    ids=range(15),
)
def test_wrong_entities_are_refused(changes: dict[str, Any], field: str) -> None:
    """Before a byte is sent."""
    with pytest.raises(TaskError) as caught:
        syntage.CreateEntity(**{"name": "X", "type": "company", **changes})

    assert field == caught.value.field
    assert str(caught.value).startswith(f"{field} must ")


def fetch(download: Download, *answers: Any) -> tuple[Fetch, list[Request]]:
    conversation = vendor().download(download)
    if not answers:
        with pytest.raises(StopIteration) as end:
            next(conversation)
        return end.value.value, []
    return converse(conversation, *answers)


def test_files_are_followed_without_the_key() -> None:
    """The length is read first; the download may redirect once, and the edge drops the key there."""
    found, asked = fetch(syntage.FileDownload(f"/files/{ID}"), answer(200, raw("file")))

    assert ["GET /files/{id}"] == [each.name for each in asked]
    assert (f"/files/{ID}/download", "GET /files/{id}/download", True, 5120) == (
        found.request.target,
        found.request.name,
        found.request.follow,
        found.size_bytes,
    )
    assert "*/*" == dict(found.request.headers)["Accept"]


@pytest.mark.parametrize(
    ("download", "target", "accept"),
    [
        (syntage.Cfdi(ID), f"/invoices/{ID}/cfdi", "text/xml"),
        (syntage.Cfdi(f"/invoices/{ID}", format="pdf"), f"/invoices/{ID}/cfdi", "application/pdf"),
        (syntage.Cfdi(ID, "json"), f"/invoices/{ID}/cfdi", "application/json"),
        (syntage.TaxRetentionCfdi(ID), f"/tax-retentions/{ID}/cfdi", "text/xml"),
        (syntage.TaxReturnPdf(ID), f"/tax-returns/{ID}/pdf", "application/pdf"),
        (syntage.TaxReturnData(ID), f"/tax-returns/{ID}/data", "application/json"),
        (syntage.BackgroundCheckPdf(ID), f"/background-checks/{ID}/pdf", "application/pdf"),
        (syntage.CompanyVerificationPdf(f"{VERIFICATION}/{ID}"), f"{VERIFICATION}/{ID}/pdf", "application/pdf"),
    ],
    ids=["xml", "pdf", "json", "retention", "return", "return data", "check", "verification"],
)
def test_documents_are_asked_for_by_their_form(download: Download, target: str, accept: str) -> None:
    """One request, whose Accept chooses the form; its name holds no id, and it follows nowhere."""
    found, asked = fetch(download)

    assert [] == asked
    assert (target, target.replace(ID, "{id}")) == (found.request.target, found.request.name.removeprefix("GET "))
    assert (accept, "2020-06-28") == tuple(dict(found.request.headers)[each] for each in ("Accept", "Accept-Version"))
    assert (False, None) == (found.request.follow, found.size_bytes)


def test_every_file_type_is_offered() -> None:
    """The dialect names all it can download."""
    assert {
        syntage.BackgroundCheckPdf,
        syntage.Cfdi,
        syntage.CompanyVerificationPdf,
        syntage.ExportFile,
        syntage.FileDownload,
        syntage.TaxRetentionCfdi,
        syntage.TaxReturnData,
        syntage.TaxReturnPdf,
        syntage.InsightExport,
        syntage.BuroSummaryExport,
    } == set(vendor().downloads)


def test_an_export_is_read_as_its_file() -> None:
    """The export names its file, and mostly its length."""
    file = sample("export.finished")["file"]

    found, asked = fetch(syntage.ExportFile(ID), answer(200, raw("export.finished")))

    assert [f"/exports/{ID}"] == [each.target for each in asked]
    assert (f"/files/{file['id']}/download", file["size"]) == (found.request.target, found.size_bytes)


def test_an_export_may_say_little_of_its_file() -> None:
    """Without a length there, the file is asked."""
    export = {**sample("export.finished"), "file": {"id": ID}}

    found, asked = fetch(syntage.ExportFile(ID), answer(200, export), answer(200, raw("file")))

    assert [f"/exports/{ID}", f"/files/{ID}"] == [each.target for each in asked]
    assert 5120 == found.size_bytes


@pytest.mark.parametrize(("name", "words"), [("pending", "await"), ("running", "await"), ("failed", "fire it again")])
def test_an_export_without_a_file_says_so(name: str, words: str) -> None:
    """It is not finished, or it failed."""
    with pytest.raises(UnsupportedError, match=words):
        fetch(syntage.ExportFile(ID), answer(200, raw(f"export.{name}")))


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: syntage.ExportFile(None), "export"),
        (lambda: syntage.ExportFile("../x"), "export"),
        (lambda: syntage.FileDownload("/exports/1"), "id"),
        (lambda: syntage.Cfdi("../x"), "invoice"),
        (lambda: syntage.Cfdi(ID, format="doc"), "format"),  # type: ignore[arg-type]
        (lambda: syntage.TaxReturnPdf(""), "tax_return"),
        (lambda: syntage.TaxRetentionCfdi(ID, format=""), "format"),  # type: ignore[arg-type]
        (lambda: syntage.BackgroundCheckPdf("a/b"), "background_check"),
        (lambda: syntage.Cfdi(ID, format=["xml"]), "format"),  # type: ignore[arg-type]
    ],
    ids=range(9),
)
def test_wrong_files_are_refused(make: Any, field: str) -> None:
    """When they are named, not when they are read."""
    with pytest.raises(TaskError) as caught:
        make()

    assert field == caught.value.field
    assert str(caught.value).startswith(f"{field} must ")


def test_foreign_calls_and_files_are_refused() -> None:
    """Another vendor's are not for this dialect."""

    class ForeignCall(Call[Any], frozen=True, kw_only=True):
        pass

    class ForeignFile(Download, frozen=True, kw_only=True):
        pass

    with pytest.raises(UnsupportedError, match="ForeignCall"):
        vendor().call(ForeignCall(), NOW)
    with pytest.raises(UnsupportedError, match="ForeignFile"):
        vendor().download(ForeignFile())


def test_a_text_no_request_can_carry_is_refused_unseen() -> None:
    """Encoding fails with the whole text in the error; ours has none of it."""
    with pytest.raises(TaskError) as refused:
        next(call(syntage.CreateEntity(name="Ana \udc81 Prueba", type="person")))

    assert "Ana" not in repr(refused.value)
    assert (None, None) == (refused.value.__cause__, refused.value.__context__)
