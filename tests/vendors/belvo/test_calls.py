"""Belvo's plain calls: what is refused before a byte is sent, what is sent, and what an answer gives."""

from __future__ import annotations

import json
import pickle
from datetime import date, timedelta
from typing import Any, TypeVar, assert_type, cast

import msgspec
import pytest

from belvo_async.abc import Answer, Call, Request, Retry, Secret
from belvo_async.errors import NotFoundError, PayloadError, TaskError, TokenRequiredError, UnsupportedError, VendorError
from belvo_async.tolerant import listening
from belvo_async.vendors.belvo import (
    ChangeLink,
    CreateLink,
    DeleteFinancialStatement,
    DeleteInvoice,
    DeleteTaxComplianceStatus,
    DeleteTaxRetention,
    DeleteTaxReturn,
    DeleteTaxStatus,
    FinancialStatement,
    GetFinancialStatement,
    GetInstitution,
    GetInvoice,
    GetLink,
    GetTaxComplianceStatus,
    GetTaxRetention,
    GetTaxReturn,
    GetTaxStatus,
    Institution,
    Invoice,
    Link,
    Resume,
    RetrieveFinancialStatements,
    RetrieveInvoices,
    RetrieveMonthlyTaxReturns,
    RetrieveTaxComplianceStatus,
    RetrieveTaxRetentions,
    RetrieveTaxStatus,
    RetrieveYearlyTaxReturns,
    TaxComplianceStatus,
    TaxRetention,
    TaxReturn,
    TaxStatus,
    UpdateLink,
)
from tests.vendors.belvo.samples import BELVO, LINK, NOW, REQUEST_ID, answer, changed, converse, error, sample

T = TypeVar("T")

PASSWORD = "hunter2xyz"
RFC = "PFIS010101000"
SESSION = "3ba898e289fb5d76aca68f7b0236455b"
FIRST = date(2025, 1, 1)


def made(call: Call[T], given: Answer) -> tuple[T, Request]:
    value, (request,) = converse(BELVO.call(call, NOW), given)
    return cast("T", value), request


def body_of(request: Request) -> Any:
    return json.loads(request.body or b"null")


LOGIN: dict[str, Any] = {"institution": "tatooine_mx_fiscal", "username": RFC, "password": PASSWORD}


def creation(**changes: Any) -> CreateLink:
    return CreateLink(**{**LOGIN, **changes})


def update(**changes: Any) -> UpdateLink:
    return UpdateLink(**{"link": LINK, **LOGIN, **changes})


# Links


def test_a_link_is_created_with_what_is_given() -> None:
    """What is not given is not sent: Belvo has its own defaults, and a firewall checks requests."""
    link, request = made(creation(), answer(201, sample("link")))

    assert ("POST", "/api/links/", "POST /api/links/") == (request.method, request.target, request.name)
    assert {"institution": "tatooine_mx_fiscal", "username": RFC, "password": PASSWORD} == body_of(request)
    assert assert_type(link, Link).status == "valid"


def test_a_link_is_created_with_all_that_is_documented() -> None:
    """The body is the documented one, key by key."""
    wanted = json.loads(sample("post_links_request"))

    _, request = made(CreateLink(**wanted), answer(201, sample("link")))

    sent = body_of(request)
    assert sorted(wanted.pop("fetch_resources")) == sent.pop("fetch_resources")
    assert wanted == sent


def test_logging_in_takes_belvos_five_minutes_and_is_not_repeated() -> None:
    """Six unsuccessful attempts make a link invalid; the edge repeats only what was certainly not accepted."""
    for call in (creation(), update(), RetrieveTaxStatus(link=LINK)):
        request = next(BELVO.call(call, NOW))
        assert Retry.SUBMIT is request.retry
        assert request.timeout is not None
        assert request.timeout > timedelta(seconds=300)
        assert request.budget is not None


@pytest.mark.parametrize(
    ("field", "change"),
    [
        pytest.param("institution", {"institution": "SAT"}, id="no institution's name"),
        pytest.param("institution", {"institution": "no_such_inst"}, id="an institution without a country"),
        pytest.param("username", {"username": "PFIS0101010"}, id="11 characters"),
        pytest.param("username", {"username": "PFIS01010100000"}, id="15 characters"),
        pytest.param("username", {"username": None}, id="no user"),
        pytest.param("username", {"username": 5}, id="a number"),
        pytest.param("password", {"password": "short12"}, id="seven characters"),
        pytest.param("password", {"password": "with space 1"}, id="a blank among the first eight"),
        pytest.param("password", {"password": Secret("")}, id="an empty secret"),
        pytest.param("external_id", {"external_id": "ab"}, id="short external id"),
        pytest.param("external_id", {"external_id": "a b c"}, id="external id with blanks"),
        pytest.param("access_mode", {"access_mode": "often"}, id="unknown access mode"),
        pytest.param("fetch_resources", {"fetch_resources": ["INVOICES", "ACCOUNTS"]}, id="a bank's resource"),
        pytest.param("fetch_resources", {"fetch_resources": "INVOICES"}, id="resources as text"),
        pytest.param("fetch_resources", {"fetch_resources": [["INVOICES"]]}, id="resources in a list"),
        pytest.param("stale_in", {"stale_in": "1 year"}, id="stale in words"),
        pytest.param("credentials_storage", {"credentials_storage": "30 days"}, id="storage in words"),
        pytest.param("credentials_storage", {"credentials_storage": "366d", "access_mode": "single"}, id="366 days"),
        pytest.param("credentials_storage", {"credentials_storage": "0d", "access_mode": "single"}, id="no days"),
        pytest.param("credentials_storage", {"credentials_storage": "30d"}, id="recurrent, but not stored"),
        pytest.param(
            "fetch_resources", {"credentials_storage": "nostore", "access_mode": "single"}, id="nothing to fetch"
        ),
    ],
)
def test_a_link_that_cannot_be_is_refused_naming_the_field(field: str, change: dict[str, Any]) -> None:
    """Before any byte is sent, and without repeating the value."""
    with pytest.raises(TaskError) as refused:
        creation(**change)

    assert field == refused.value.field
    assert all(str(value) not in str(refused.value) for value in change.values() if isinstance(value, str) and value)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"access_mode": "single", "credentials_storage": "1d"}, id="one day"),
        pytest.param({"access_mode": "single", "credentials_storage": "365d"}, id="a year"),
        pytest.param({"access_mode": "single", "credentials_storage": "store"}, id="stored"),
        pytest.param(
            {"access_mode": "single", "credentials_storage": "nostore", "fetch_resources": ["INVOICES"]}, id="nostore"
        ),
        pytest.param({"credentials_storage": "store"}, id="recurrent and stored"),
        pytest.param({"password": Secret("12345678"), "username": Secret("PFI010101000")}, id="secrets"),
    ],
)
def test_links_that_belvo_documents_are_taken(change: dict[str, Any]) -> None:
    assert creation(**change).institution


def test_a_link_gets_new_credentials() -> None:
    link, request = made(update(link=LINK.upper()), answer(200, sample("link")))

    assert ("PUT", f"/api/links/{LINK}/", "PUT /api/links/{id}/") == (request.method, request.target, request.name)
    assert LOGIN == body_of(request)
    assert LINK == link.id


def test_new_credentials_say_all_that_belvo_requires() -> None:
    """Institution and user are required beside the password (LinksPutRequest, 1.223.0); the rest is sent when given."""
    _, request = made(update(password2="1234", token="5678"), answer(200, sample("link")))

    assert {**LOGIN, "password2": "1234", "token": "5678"} == body_of(request)


def test_a_link_changes_how_it_retrieves() -> None:
    call = ChangeLink(link=LINK, access_mode="recurrent", stale_in="90d", fetch_resources=["TAX_STATUS", "INVOICES"])

    _, request = made(call, answer(200, sample("link")))

    assert ("PATCH", f"/api/links/{LINK}/") == (request.method, request.target)
    wanted = {"access_mode": "recurrent", "stale_in": "90d", "fetch_resources": ["INVOICES", "TAX_STATUS"]}
    assert wanted == body_of(request)


@pytest.mark.parametrize(
    ("field", "build"),
    [
        pytest.param("link", lambda: GetLink(link="a/b"), id="a path as a link"),
        pytest.param("password", lambda: update(password=""), id="no password"),
        pytest.param("token", lambda: update(token=cast("str", 5)), id="a token as number"),
        pytest.param("institution", lambda: update(institution="SAT"), id="new credentials of no institution"),
        pytest.param("username", lambda: update(username="PFIS01"), id="new credentials of half a user"),
        pytest.param("access_mode", lambda: ChangeLink(link=LINK), id="nothing to change"),
        pytest.param("id", lambda: GetInvoice(id="../links"), id="a path as an id"),
        pytest.param("id", lambda: GetInstitution(id=-1), id="a negative id"),
        pytest.param("id", lambda: DeleteInvoice(id=""), id="a deletion of everything"),
        pytest.param("id", lambda: DeleteTaxStatus(cast("str", None)), id="a deletion of nothing"),
        pytest.param("omit", lambda: GetInvoice(id="a", fields=["xml"], omit=["xml"]), id="wanted and left out"),
        pytest.param("link", lambda: RetrieveTaxStatus(link=""), id="no link"),
        pytest.param("attach_pdf", lambda: RetrieveTaxStatus(link=LINK, attach_pdf=cast("bool", "yes")), id="yes"),
        pytest.param("save_data", lambda: RetrieveTaxStatus(link=LINK, save_data=cast("bool", None)), id="null"),
        pytest.param(
            "year_to", lambda: RetrieveYearlyTaxReturns(link=LINK, year_from=2025, year_to=2024), id="years backwards"
        ),
        pytest.param(
            "year_from", lambda: RetrieveYearlyTaxReturns(link=LINK, year_from=25, year_to=2025), id="two digits"
        ),
        pytest.param(
            "date_to",
            lambda: RetrieveMonthlyTaxReturns(link=LINK, date_from=FIRST, date_to=date(2024, 1, 1)),
            id="days backwards",
        ),
        pytest.param(
            "date_to",
            lambda: RetrieveInvoices(link=LINK, date_from=FIRST, date_to=date(2026, 1, 1)),
            id="invoices of 366 days",
        ),
        pytest.param(
            "type",
            lambda: RetrieveInvoices(link=LINK, date_from=FIRST, date_to=FIRST, type=cast("Any", "inflow")),
            id="no direction of invoices",
        ),
        pytest.param(
            "type",
            lambda: RetrieveTaxRetentions(link=LINK, date_from=FIRST, date_to=FIRST, type=cast("Any", None)),
            id="both directions",
        ),
    ],
)
def test_a_call_that_cannot_be_is_refused_naming_the_field(field: str, build: Any) -> None:
    with pytest.raises(TaskError) as refused:
        build()

    assert field == refused.value.field


# Single records


@pytest.mark.parametrize(
    ("call", "path", "record"),
    [
        (GetLink(link=LINK), f"/api/links/{LINK}/", Link),
        (GetInstitution(id=1003), "/api/institutions/1003/", Institution),
        (GetInvoice(id="a-1"), "/api/invoices/a-1/", Invoice),
        (GetFinancialStatement(id="a-1"), "/api/financial-statements/a-1/", FinancialStatement),
        (GetTaxReturn(id="a-1"), "/api/tax-returns/a-1/", TaxReturn),
        (GetTaxStatus(id="a-1"), "/api/tax-status/a-1/", TaxStatus),
        (GetTaxComplianceStatus(id="a-1"), "/api/tax-compliance-status/a-1/", TaxComplianceStatus),
        (GetTaxRetention(id="a-1"), "/api/tax-retentions/a-1/", TaxRetention),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, Call) else None,
)
def test_a_single_record_is_read(call: Call[object], path: str, record: type[object]) -> None:
    """By its id; the request's name holds none."""
    value, request = made(call, answer(200, b"{}"))

    assert ("GET", path, Retry.SAFE) == (request.method, request.target, request.retry)
    assert request.name.endswith("/{id}/")
    assert record is type(value)
    assert type(call) in BELVO.calls


def test_a_single_record_may_be_read_in_part() -> None:
    _, request = made(GetInvoice(id="a-1", fields=["xml"]), answer(200, b"{}"))

    assert "/api/invoices/a-1/?fields=id,xml" == request.target


def test_a_record_that_is_not_there_raises() -> None:
    with pytest.raises(NotFoundError):
        made(GetLink(link=LINK), answer(404, sample("error_404_not_found")))


@pytest.mark.parametrize(
    ("call", "collection"),
    [
        (DeleteInvoice("a-1"), "/api/invoices/"),
        (DeleteFinancialStatement("a-1"), "/api/financial-statements/"),
        (DeleteTaxReturn("a-1"), "/api/tax-returns/"),
        (DeleteTaxStatus("a-1"), "/api/tax-status/"),
        (DeleteTaxComplianceStatus("a-1"), "/api/tax-compliance-status/"),
        (DeleteTaxRetention("a-1"), "/api/tax-retentions/"),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, Call) else None,
)
def test_a_single_record_is_deleted(call: Call[None], collection: str) -> None:
    """By its id, which the request's name does not tell; it may be sent again, since it deletes nothing more."""
    value, request = made(call, answer(204))

    assert value is None
    assert ("DELETE", f"{collection}a-1/", Retry.SAFE) == (request.method, request.target, request.retry)
    assert (f"DELETE {collection}{{id}}/", None) == (request.name, request.body)
    assert request.budget is not None


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        pytest.param(answer(404, sample("error_404_not_found")), NotFoundError, id="not there"),
        pytest.param(answer(202, {"request_id": REQUEST_ID}), VendorError, id="a promise"),
        pytest.param(answer(428, sample("error_428_token_required")), TokenRequiredError, id="a token is wanted"),
    ],
)
def test_a_record_that_is_not_deleted_raises(given: Answer, kind: type[VendorError]) -> None:
    with pytest.raises(kind):
        made(DeleteInvoice("a-1"), given)


# Retrievals


def test_financial_statements_are_fetched() -> None:
    """While we wait, and Belvo keeps nothing of them."""
    statements, request = made(
        RetrieveFinancialStatements(link=LINK, save_data=False, fields=["year"]), answer(200, [{}])
    )

    assert ("POST", "/api/financial-statements/?fields=id,year") == (request.method, request.target)
    assert "X-Belvo-Request-Mode" not in dict(request.headers)
    assert {"link": LINK, "save_data": False} == body_of(request)
    assert 1 == len(assert_type(statements, tuple[FinancialStatement, ...]))


def test_yearly_tax_returns_are_fetched() -> None:
    """Years are sent as texts of four digits."""
    returns, request = made(
        RetrieveYearlyTaxReturns(link=LINK.upper(), year_from=2023, year_to=2024, attach_pdf=True, omit=["pdf"]),
        answer(201, b"[" + sample("tax_return_business_yearly") + b"]"),
    )

    assert ("POST", "/api/tax-returns/?omit=pdf") == (request.method, request.target)
    assert "POST /api/tax-returns/" == request.name
    assert {
        "link": LINK, "type": "yearly", "year_from": "2023", "year_to": "2024", "attach_pdf": True, "save_data": True
    } == body_of(request)  # fmt: skip
    assert ["business_yearly"] == [each.form for each in assert_type(returns, tuple[TaxReturn, ...])]


def test_monthly_tax_returns_are_fetched() -> None:
    returns, request = made(
        RetrieveMonthlyTaxReturns(link=LINK, date_from=FIRST, date_to=date(2025, 6, 30), save_data=False),
        answer(200, b"[" + sample("tax_return_personal_monthly") + b"]"),
    )

    assert {
        "link": LINK, "type": "monthly", "date_from": "2025-01-01", "date_to": "2025-06-30", "attach_pdf": False,
        "save_data": False,
    } == body_of(request)  # fmt: skip
    assert [2026] == [each.year for each in returns]


def test_a_tax_status_is_one_object() -> None:
    status, request = made(RetrieveTaxStatus(link=LINK), answer(201, sample("tax_status")))

    assert "/api/tax-status/" == request.target
    assert {"link": LINK, "attach_pdf": False, "save_data": True} == body_of(request)
    assert "19040417733" == assert_type(status, TaxStatus).id_cif


def test_a_tax_compliance_status_is_one_object() -> None:
    status, request = made(
        RetrieveTaxComplianceStatus(link=LINK, attach_pdf=True), answer(200, sample("tax_compliance_status"))
    )

    assert "/api/tax-compliance-status/" == request.target
    assert "POSITIVE" == assert_type(status, TaxComplianceStatus).outcome


def test_tax_retentions_are_fetched() -> None:
    call = RetrieveTaxRetentions(link=LINK, date_from=FIRST, date_to=FIRST, type="INFLOW", attach_xml=True)

    retentions, request = made(call, answer(201, b"[" + sample("tax_retention") + b"]"))

    assert {
        "link": LINK, "date_from": "2025-01-01", "date_to": "2025-01-01", "type": "INFLOW", "attach_xml": True,
        "save_data": True,
    } == body_of(request)  # fmt: skip
    assert 1 == len(assert_type(retentions, tuple[TaxRetention, ...]))


@pytest.mark.parametrize("direction", ["INFLOW", None])
def test_invoices_are_fetched_while_we_wait(direction: Any) -> None:
    """Without the header that makes a job of it. Both directions are said as null: `type` is a required key."""
    call = RetrieveInvoices(link=LINK, date_from=FIRST, date_to=date(2025, 12, 31), type=direction, omit=["xml"])

    invoices, request = made(call, answer(201, b"[" + sample("invoice_ingreso") + b"]"))

    assert ("POST", "/api/invoices/?omit=xml") == (request.method, request.target)
    assert "X-Belvo-Request-Mode" not in dict(request.headers)
    assert {
        "link": LINK, "date_from": "2025-01-01", "date_to": "2025-12-31", "type": direction, "attach_xml": False,
        "save_data": True,
    } == body_of(request)  # fmt: skip
    assert 1 == len(assert_type(invoices, tuple[Invoice, ...]))


@pytest.mark.parametrize(
    ("field", "call"),
    [
        ("year_to", RetrieveYearlyTaxReturns(link=LINK, year_from=2025, year_to=2027)),
        ("date_to", RetrieveMonthlyTaxReturns(link=LINK, date_from=FIRST, date_to=NOW.date() + timedelta(days=1))),
        (
            "date_to",
            RetrieveTaxRetentions(link=LINK, date_from=FIRST, date_to=NOW.date() + timedelta(days=1), type="INFLOW"),
        ),
        ("date_to", RetrieveInvoices(link=LINK, date_from=NOW.date(), date_to=NOW.date() + timedelta(days=1))),
    ],
    ids=["year", "month", "retentions", "invoices"],
)
def test_the_future_is_refused(field: str, call: Call[object]) -> None:
    """Against today in UTC, before anything is sent."""
    with pytest.raises(TaskError) as refused:
        BELVO.call(call, NOW)

    assert field == refused.value.field


@pytest.mark.parametrize(
    ("given", "code"),
    [
        pytest.param(error(400, "too_many_sessions"), "too_many_sessions", id="a link that is being read"),
        pytest.param(answer(408, sample("error_408")), "request_timeout", id="too slow"),
        pytest.param(answer(202, {"request_id": REQUEST_ID}), None, id="a promise instead of an answer"),
        pytest.param(answer(502, b"<html>"), None, id="a gateway"),
        pytest.param(error(428, "activation_required"), "activation_required", id="428 without a token"),
    ],
)
def test_an_error_answer_raises(given: Answer, code: str | None) -> None:
    """With Belvo's code, and none of its text."""
    with pytest.raises(VendorError) as refused:
        made(RetrieveTaxStatus(link=LINK), given)

    assert (given.status, code) == (refused.value.status_code, refused.value.code)
    assert not isinstance(refused.value, TokenRequiredError)
    assert "SECRET" not in str(refused.value)


@pytest.mark.parametrize(
    "body", [b"[]", b"{", b"5", b'{"id": {"a": 5}}'], ids=["a list", "cut", "a number", "an object for its id"]
)
def test_an_answer_that_does_not_fit_raises(body: bytes) -> None:
    with pytest.raises(PayloadError):
        made(RetrieveTaxStatus(link=LINK), answer(201, body))


@pytest.mark.parametrize(
    ("odd", "path"),
    [
        (b'{"id": 5, "rfc": [1, 2], "outcome": "POSITIVE"}', "$.rfc"),
        (b'{"id": "5", "outcome": "POSITIVE", "collected_at": "soon"}', "$.collected_at"),
    ],
)
def test_an_odd_value_costs_only_itself(odd: bytes, path: str) -> None:
    """It is None and told; the rest of the answer stands."""
    with listening() as unread:
        status, _ = made(RetrieveTaxComplianceStatus(link=LINK), answer(201, odd))

    assert ("5", "POSITIVE") == (status.id, status.outcome)
    assert [(path, "5")] == [(each.path, each.row_id) for each in unread]


def test_a_bomb_is_none() -> None:
    """A number out of bounds is never made."""
    call = RetrieveTaxRetentions(link=LINK, date_from=FIRST, date_to=FIRST, type="INFLOW")

    with listening() as unread:
        (_, second), _ = made(call, answer(201, b'[{}, {"total_exempt_amount": 1E+1000000000, "code": 26.0}]'))

    assert (None, 26) == (second.total_exempt_amount, second.code)
    assert ["$[1].total_exempt_amount"] == [each.path for each in unread]


def test_strictly_an_odd_value_raises() -> None:
    """Naming its path."""
    with listening(strict=True), pytest.raises(PayloadError) as refused:
        made(RetrieveTaxStatus(link=LINK), answer(201, b'{"tax_payer_information": {"rfc": 5}}'))

    assert "$.tax_payer_information.rfc" == refused.value.path


def test_calls_of_others_are_not_supported() -> None:
    class Foreign(Call[Link], frozen=True, kw_only=True):
        pass

    with pytest.raises(UnsupportedError):
        BELVO.call(Foreign(), NOW)


# Tokens


def demanded(call: Call[object], given: Answer | None = None) -> TokenRequiredError:
    with pytest.raises(TokenRequiredError) as wanted:
        made(call, given or answer(428, sample("error_428_token_required")))
    return wanted.value


def test_a_wanted_token_is_told_with_all_that_resuming_takes() -> None:
    """The session and Belvo's text for the taxpayer stay out of the message; the error pickles."""
    wanted = pickle.loads(pickle.dumps(demanded(RetrieveTaxStatus(link=LINK))))

    assert (SESSION, LINK, timedelta(minutes=15)) == (wanted.session, wanted.link, wanted.expires_in)
    assert "Read the number in your app" == wanted.instructions
    assert (428, "token_required") == (wanted.status_code, wanted.code)
    assert SESSION not in str(wanted) + repr(wanted)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param([{"code": "token_required"}], id="nothing else"),
        pytest.param([{"code": "token_required", "session": {"a": 5}}], id="a session of another type"),
        pytest.param([None, {"code": "token_required", "session": [1, 2]}], id="among other things"),
        pytest.param([{"code": "token_required", "session": "a b\n", "expiry": 0}], id="a session of odd form"),
    ],
)
def test_a_wanted_token_is_told_even_when_its_session_cannot_be_read(body: object) -> None:
    """Its class is what the caller acts on."""
    assert demanded(RetrieveTaxStatus(link=LINK), answer(428, body)).session is None


RESUMABLE: dict[str, tuple[Call[Any], str, bytes]] = {
    "yearly returns": (
        RetrieveYearlyTaxReturns(link=LINK, year_from=2023, year_to=2024), "/api/tax-returns/", b"[]",
    ),
    "monthly returns": (
        RetrieveMonthlyTaxReturns(link=LINK, date_from=FIRST, date_to=FIRST), "/api/tax-returns/", b"[]",
    ),
    "statements": (RetrieveFinancialStatements(link=LINK), "/api/financial-statements/", b"[]"),
    "tax status": (
        RetrieveTaxStatus(link=LINK, save_data=False, fields=["id_cif"]), "/api/tax-status/?fields=id,id_cif",
        sample("tax_status"),
    ),
    "compliance": (RetrieveTaxComplianceStatus(link=LINK), "/api/tax-compliance-status/", b"{}"),
    "retentions": (
        RetrieveTaxRetentions(link=LINK, date_from=FIRST, date_to=FIRST, type="INFLOW"), "/api/tax-retentions/",
        b"[]",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RESUMABLE)
def test_a_retrieval_is_resumed_by_documented_calls_alone(name: str) -> None:
    """These collections have no PATCH: the link takes the token, and the retrieval is sent again as it was."""
    call, target, body = RESUMABLE[name]
    resume = Resume(call=call, session=demanded(call).session, token="48213")

    value, requests = converse(BELVO.call(resume, NOW), answer(200, sample("link")), answer(200, body))
    again, original = converse(BELVO.call(call, NOW), answer(200, body))

    opening, repeated = requests
    assert ("PATCH", "/api/links/", "PATCH /api/links/") == (opening.method, opening.target, opening.name)
    assert {"session": SESSION, "link": LINK, "token": "48213"} == body_of(opening)
    assert ("POST", target) == (repeated.method, repeated.target)
    assert original == [repeated]
    assert again == value


def test_a_retrieval_is_not_sent_again_when_its_token_is_refused() -> None:
    """A failed login counts against the link; a second request would count again."""
    resume = Resume(call=RetrieveTaxStatus(link=LINK), session=SESSION, token="1")

    with pytest.raises(VendorError) as refused:
        converse(BELVO.call(resume, NOW), error(400, "login_error"))

    assert "login_error" == refused.value.code


def test_a_resumed_retrieval_may_want_another_token() -> None:
    """The error tells the new session."""
    resume = Resume(call=RetrieveTaxStatus(link=LINK), session="5" * 32, token="1")

    with pytest.raises(TokenRequiredError) as wanted:
        converse(BELVO.call(resume, NOW), answer(200, b""), answer(428, sample("error_428_token_required")))

    assert SESSION == wanted.value.session


def test_a_retrieval_of_invoices_is_resumed_on_invoices() -> None:
    """`PATCH /api/invoices/` is documented: it goes on where the POST stopped, with what that said of saving."""
    call = RetrieveInvoices(link=LINK, date_from=FIRST, date_to=FIRST, save_data=False, fields=["total_amount"])

    invoices, request = made(
        Resume(call=call, session=demanded(call).session, token="48213"),
        answer(200, b"[" + sample("invoice_ingreso") + b"]"),
    )

    assert ("PATCH", "/api/invoices/?fields=id,total_amount") == (request.method, request.target)
    assert {"session": SESSION, "link": LINK, "token": "48213", "save_data": False} == body_of(request)
    assert 1 == len(assert_type(invoices, tuple[Invoice, ...]))
    assert Retry.SUBMIT is request.retry


def test_resuming_the_creation_of_a_link_takes_the_links_id() -> None:
    """It was not known before; without a token, the taxpayer confirmed elsewhere."""
    wanted = demanded(creation())

    link, request = made(Resume(call=creation(), session=wanted.session, link=wanted.link), answer(200, sample("link")))

    assert ("PATCH", "/api/links/") == (request.method, request.target)
    assert {"session": SESSION, "link": LINK} == body_of(request)
    assert LINK == assert_type(link, Link).id


def test_new_credentials_may_want_a_token_as_well() -> None:
    """Their link is known."""
    call = update()

    _, request = made(Resume(call=call, session=demanded(call).session, token="1"), answer(200, sample("link")))

    assert ("PATCH", "/api/links/") == (request.method, request.target)
    assert {"session": SESSION, "link": LINK, "token": "1"} == body_of(request)


@pytest.mark.parametrize(
    ("field", "build"),
    [
        pytest.param("call", lambda: Resume(call=GetLink(link=LINK), session=SESSION), id="a call that needs no token"),
        pytest.param("session", lambda: Resume(call=RetrieveTaxStatus(link=LINK), session=None), id="no session"),
        pytest.param("session", lambda: Resume(call=RetrieveTaxStatus(link=LINK), session="x"), id="no such session"),
        pytest.param("link", lambda: Resume(call=creation(), session=SESSION), id="no link"),
        pytest.param(
            "token",
            lambda: Resume(call=RetrieveTaxStatus(link=LINK), session=SESSION, token=cast("str", 48213)),
            id="a token as a number",
        ),
    ],
)
def test_what_cannot_be_resumed_is_refused(field: str, build: Any) -> None:
    with pytest.raises(TaskError) as refused:
        build()

    assert field == refused.value.field


@pytest.mark.parametrize(
    "call",
    [
        creation(),
        update(password2=PASSWORD, token=PASSWORD),
        Resume(call=creation(), session=SESSION, link=LINK, token=PASSWORD),
    ],
    ids=lambda call: type(call).__name__,
)
def test_no_call_shows_or_stores_a_secret(call: Call[object]) -> None:
    """Not in repr, not in rich, not in JSON, not in pickle; nor does the request show its body."""
    shown = repr(call) + repr(list(call.__rich_repr__())) + repr(next(BELVO.call(call, NOW)))

    assert PASSWORD not in shown
    assert RFC not in shown
    with pytest.raises(TypeError):
        msgspec.json.encode(call)
    with pytest.raises(TypeError):
        pickle.dumps(call)


def test_a_new_link_that_exists_already_is_refused() -> None:
    with pytest.raises(VendorError) as refused:
        made(creation(), answer(400, sample("error_400_duplicated_link")))

    assert "duplicated" == refused.value.code


def test_a_link_that_comes_without_its_id_is_still_a_link() -> None:
    """No key of a link is marked as always sent."""
    link, _ = made(creation(), answer(201, changed("link", id=...)))

    assert link.id is None
