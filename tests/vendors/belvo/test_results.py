"""Which pages are read for results and queries, which rows are kept, and what error answers raise."""

from __future__ import annotations

import json
import pickle
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest

from belvo_async.abc import Answer, Page, Query, Walk
from belvo_async.errors import (
    AuthenticationError,
    NotFoundError,
    PayloadError,
    RateLimitError,
    TaskError,
    TokenRequiredError,
    UnsupportedError,
    VendorError,
)
from belvo_async.jobs import read_task
from belvo_async.vendors.belvo import (
    FinancialStatement,
    FinancialStatementList,
    FinancialStatements,
    Institution,
    Institutions,
    Invoice,
    InvoiceList,
    Invoices,
    Link,
    Links,
    TaxComplianceStatus,
    TaxComplianceStatusList,
    TaxRetention,
    TaxRetentionList,
    TaxReturn,
    TaxReturnList,
    TaxStatus,
    TaxStatusList,
)
from belvo_async.vendors.belvo.lists import partial_remark
from belvo_async.vendors.belvo.schema.invoices import Warnings
from tests.vendors.belvo.samples import BELVO, LINK, REQUEST_ID, TASK, answer, error, job_of, sample, walked

ORIGIN = "https://sandbox.belvo.com"
HTML = b"<html></html>"


def filters(walk: Walk[object]) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(next(walk.steps(None)).target).query))


def chosen(task: Invoices) -> dict[str, str]:
    return {name: value for name, value in filters(BELVO.results(job_of(task))).items() if name in ("fields", "omit")}


def test_the_results_of_invoices_are_the_list_of_their_link_direction_and_period() -> None:
    """Commas stay as they are, since Belvo splits one parameter by them; pages are the largest there are."""
    walk = BELVO.results(job_of())

    request = next(walk.steps(None))

    assert (
        f"/api/invoices/?link={LINK}&type=OUTFLOW&invoice_date__range=2025-03-01,2026-02-28&page_size=1000"
        == request.target
    )
    assert ("GET", "GET /api/invoices/") == (request.method, request.name)
    assert (Invoice, ("results",), (("next",),), (("count",),)) == (
        walk.shape.record, walk.shape.rows, walk.shape.next, walk.shape.count
    )  # fmt: skip


def test_both_directions_are_one_list() -> None:
    task = msgspec.structs.replace(TASK, type=None)

    assert "type" not in filters(BELVO.results(job_of(task)))


def test_the_results_of_financial_statements_are_the_list_of_their_link() -> None:
    walk = BELVO.results(job_of(FinancialStatements(link=LINK)))

    assert {"link": LINK, "page_size": "1000"} == filters(walk)
    assert FinancialStatement is walk.shape.record


@pytest.mark.parametrize(
    ("selection", "sent"),
    [
        pytest.param({"fields": ("total_amount",)}, {"fields": "id,total_amount"}, id="id is added"),
        pytest.param({"fields": ("xml", "id")}, {"fields": "id,xml"}, id="id once"),
        pytest.param({"omit": ("id", "xml")}, {"omit": "xml"}, id="id is not left out"),
        pytest.param({"omit": ("id",)}, {}, id="nothing left to leave out"),
        pytest.param({"fields": ()}, {}, id="empty means all"),
    ],
)
def test_the_id_always_comes(selection: dict[str, Any], sent: dict[str, str]) -> None:
    """Without it a row met twice could not be told."""
    task = Invoices(link=LINK, date_from=TASK.date_from, date_to=TASK.date_to, **selection)

    assert sent == chosen(task)


def test_tasks_of_others_have_no_results() -> None:
    with pytest.raises(UnsupportedError):
        BELVO.results(job_of(read_task(b'{"kind":"other.Thing"}')))


def test_the_walk_follows_next_below_the_origin() -> None:
    """`next` is reduced to path and query, word for word."""
    linked = msgspec.json.decode(sample("invoices_page_1"))["next"]

    targets = walked(BELVO.results(job_of()).steps(None), [Page(next=linked, count=3, rows=2), Page(next=None)])

    assert [f"/api/invoices/?link={LINK}&page=2&page_size=2"] == targets[1:]


def test_a_link_met_before_ends_the_walk() -> None:
    """A `next` that points back would go round for ever; the count then tells what is missing."""
    steps = BELVO.results(job_of()).steps(None)
    again = Page(next=ORIGIN + "/api/invoices/?page=2")

    targets = walked(steps, [again, again, again])

    assert 2 == len(targets)


def test_each_reading_starts_anew() -> None:
    """A walk can be gone twice."""
    walk = BELVO.results(job_of())

    assert walked(walk.steps(None), []) == walked(walk.steps(None), [])


@pytest.mark.parametrize(
    "link",
    [
        "ftp://sandbox.belvo.com/api/invoices/?page=2",
        "javascript:/api/invoices/?page=2",
        "https://sandbox.belvo.com\\@evil.example.com/api/invoices/?page=2",
        "https://[evil/api/invoices/?page=2",
        "https://sandbox.belvo.com/api/links/?page=2",
        "https://sandbox.belvo.com/api/invoices/../links/",
        "page=2",
    ],
)
def test_a_link_that_leaves_the_list_is_refused(link: str) -> None:
    """Links are followed in the same collection only."""
    steps = BELVO.results(job_of()).steps(None)
    next(steps)

    with pytest.raises(PayloadError):
        steps.send(Page(next=link))


@pytest.mark.parametrize(
    "origin",
    [
        "https://api.belvo.com",
        "http://sandbox.belvo.com",
        "https://key@sandbox.belvo.com",
        "https://relay.example.com:8443",
        "//evil.example.com",
        "",
    ],
)
def test_a_link_is_asked_of_our_own_origin_whatever_it_names(origin: str) -> None:
    """Behind a relay or a proxy that ends TLS, `next` names an address that is not ours to ask."""
    steps = BELVO.results(job_of()).steps(None)
    next(steps)

    assert "/api/invoices/?page=2" == steps.send(Page(next=f"{origin}/api/invoices/?page=2")).target


@pytest.mark.parametrize(
    ("row", "kept"),
    [
        pytest.param({}, True, id="a row without these keys"),
        pytest.param({"link": LINK, "type": "OUTFLOW", "invoice_date": date(2025, 3, 1)}, True, id="first day"),
        pytest.param({"link": LINK.replace("-", "").upper(), "invoice_date": date(2026, 2, 28)}, True, id="last day"),
        pytest.param({"link": "68d3be27-1ba0-5aaa-b1e5-0d5e7fb2d4a1"}, False, id="another link"),
        pytest.param({"type": "INFLOW"}, False, id="another direction"),
        pytest.param({"invoice_date": date(2025, 2, 28)}, False, id="the day before"),
        pytest.param({"invoice_date": date(2026, 3, 1)}, False, id="the day after"),
    ],
)
def test_rows_of_others_are_dropped(row: dict[str, Any], kept: bool) -> None:
    """Should Belvo ignore a filter, what is not of this subject, direction or period is not given."""
    keep = BELVO.results(job_of()).shape.keep

    assert keep is not None
    assert kept == keep(Invoice(**row))


def test_both_directions_are_kept_when_both_were_asked_for() -> None:
    keep = BELVO.results(job_of(msgspec.structs.replace(TASK, type=None))).shape.keep

    assert keep is not None
    assert all(keep(Invoice(type=each)) for each in ("INFLOW", "OUTFLOW"))


def test_statements_of_other_links_are_dropped() -> None:
    keep = BELVO.results(job_of(FinancialStatements(link=LINK))).shape.keep

    assert keep is not None
    assert [True, True, False] == [keep(FinancialStatement(link=each)) for each in (LINK, None, "other")]


def test_records_are_compared_by_id() -> None:
    """A row without id (`save_data` false) is never taken for a repetition."""
    record_id = BELVO.results(job_of()).shape.record_id

    assert record_id is not None
    assert ["x", None] == [record_id(Invoice(id="x")), record_id(Invoice())]


@pytest.mark.parametrize(
    ("query", "path", "record", "sent"),
    [
        pytest.param(Links(), "/api/links/", Link, {}, id="all links"),
        pytest.param(
            Links(
                id=("a", "b"), status="valid", institution=["sat_mx_fiscal"], access_mode="recurrent",
                created_by_not=("c",), external_id="cust-1", created_from=date(2026, 1, 1),
                created_to=date(2026, 2, 1), omit=("created_by",),
            ),
            "/api/links/",
            Link,
            {
                "id__in": "a,b", "status": "valid", "institution__in": "sat_mx_fiscal", "access_mode": "recurrent",
                "created_by__not_in": "c", "external_id": "cust-1", "created_at__gte": "2026-01-01",
                "created_at__lte": "2026-02-01", "omit": "created_by",
            },
            id="narrowed links",
        ),
        pytest.param(
            InvoiceList(
                link=LINK.upper(), date_from=date(2025, 1, 1), date_to=date(2026, 2, 1), type="INFLOW",
                status=["Vigente", "Cancelado"], invoice_identification="D1", total_amount_from=Decimal("10.5"),
                total_amount_to=Decimal("1000000"), fields=("xml",),
            ),
            "/api/invoices/",
            Invoice,
            {
                "link": LINK, "invoice_date__gte": "2025-01-01", "invoice_date__lte": "2026-02-01", "type": "INFLOW",
                "status__in": "Vigente,Cancelado", "invoice_identification": "D1", "total_amount__gte": "10.5000",
                "total_amount__lte": "1000000.0000", "fields": "id,xml",
            },
            id="invoices",
        ),
        pytest.param(InvoiceList(link=("a", "b")), "/api/invoices/", Invoice, {"link__in": "a,b"}, id="two links"),
        pytest.param(
            FinancialStatementList(link=LINK), "/api/financial-statements/", FinancialStatement, {"link": LINK},
            id="statements",
        ),
        pytest.param(
            TaxReturnList(
                link=(LINK, "b"), id="a", year_from=2023, year_to=2025, tipo_declaracion=("Normal", "Complementaria"),
                created_from=date(2026, 1, 1), omit=("pdf",),
            ),
            "/api/tax-returns/",
            TaxReturn,
            {
                "link__in": f"{LINK},b", "id": "a", "ejercicio__gte": "2023", "ejercicio__lte": "2025",
                "tipo_declaracion__in": "Normal,Complementaria", "created_at__gte": "2026-01-01", "omit": "pdf",
            },
            id="tax returns",
        ),
        pytest.param(
            TaxStatusList(link=LINK, id=("a", "b"), fields=("id_cif",)), "/api/tax-status/", TaxStatus,
            {"link": LINK, "id__in": "a,b", "fields": "id,id_cif"}, id="tax statuses",
        ),
        pytest.param(
            TaxComplianceStatusList(link=LINK), "/api/tax-compliance-status/", TaxComplianceStatus, {"link": LINK},
            id="compliance",
        ),
        pytest.param(
            TaxRetentionList(link=LINK, created_to=date(2026, 2, 1)), "/api/tax-retentions/", TaxRetention,
            {"link": LINK, "created_at__lte": "2026-02-01"}, id="retentions",
        ),
        pytest.param(
            Institutions(resources=("INVOICES", "TAX_STATUS"), country_code="MX"), "/api/institutions/", Institution,
            {"resources__allin": "INVOICES,TAX_STATUS", "country_code": "MX"}, id="institutions",
        ),
    ],
)  # fmt: skip
def test_a_query_sends_the_documented_filters(
    query: Query[object], path: str, record: type[object], sent: dict[str, str]
) -> None:
    """Several values become one `__in` parameter; what is not given is not sent, since a firewall checks requests."""
    walk = BELVO.list(query)

    assert path == urlsplit(next(walk.steps(None)).target).path
    assert {**sent, "page_size": "1000"} == filters(walk)
    assert record is walk.shape.record
    assert type(query) in BELVO.queries


def test_queried_invoices_are_filtered_again() -> None:
    keep = BELVO.list(InvoiceList(link=("a", "b"), date_from=date(2026, 1, 1))).shape.keep

    assert keep is not None
    assert keep(Invoice(link="B", invoice_date=date(2030, 1, 1)))
    assert not keep(Invoice(link="c"))
    assert not keep(Invoice(link="a", invoice_date=date(2025, 12, 31)))


OTHER = "68d3be27-1ba0-5aaa-b1e5-0d5e7fb2d4a1"

# A query, the keys of a row of it, and whether the row belongs to it.
ROWS: list[tuple[Query[object], dict[str, Any], bool]] = [
    (InvoiceList(link=LINK), {}, True),
    (InvoiceList(link=LINK), {"link": LINK.upper()}, True),
    (InvoiceList(link=LINK), {"link": OTHER}, False),
    (InvoiceList(link=LINK, id=["A-1", "b"]), {"id": "a1"}, False),
    (InvoiceList(link=LINK, id=[OTHER]), {"id": OTHER.replace("-", "").upper()}, True),
    (InvoiceList(link=LINK, invoice_identification=OTHER.upper()), {"invoice_identification": OTHER}, True),
    (InvoiceList(link=LINK, invoice_identification=OTHER.upper()), {"invoice_identification": LINK}, False),
    (InvoiceList(link=LINK, total_amount_from=Decimal("10.5")), {"total_amount": 10.5}, True),
    (InvoiceList(link=LINK, total_amount_from=Decimal("10.5")), {"total_amount": 10.49}, False),
    (InvoiceList(link=LINK, total_amount_to=Decimal("10.5")), {"total_amount": 10.51}, False),
    (InvoiceList(link=LINK, type="INFLOW"), {"type": "OUTFLOW", "invoice_date": "2025-01-01"}, False),
    (InvoiceList(link=LINK, date_to=date(2025, 1, 1)), {"invoice_date": "2025-01-02"}, False),
    (TaxReturnList(link=LINK, year_from=2024), {"informacion_general": {"ejercicio": 2023}}, False),
    (TaxReturnList(link=LINK, year_to=2024), {"informacion_general": {"ejercicio": "2025"}}, False),
    (TaxReturnList(link=LINK, year_from=2024, year_to=2024), {"informacion_general": {"ejercicio": 2024}}, True),
    (TaxReturnList(link=LINK, year_from=2024), {"informacion_general": None, "isr": {}}, True),
    (TaxReturnList(link=LINK), {"link": OTHER}, False),
    (TaxStatusList(link=LINK), {"link": OTHER}, False),
    (TaxRetentionList(link=LINK), {"link": OTHER}, False),
    (TaxComplianceStatusList(link=LINK, id="a"), {"id": "b"}, False),
    (FinancialStatementList(link=LINK, id="a"), {"id": "b", "link": LINK}, False),
    (Links(id="a"), {"id": "b"}, False),
    (Links(institution_user_id="Ab=", status="valid"), {"institution_user_id": "cd=", "status": "valid"}, False),
    (Links(institution_user_id="Ab="), {"institution_user_id": "Ab="}, True),
    (Links(external_id=["mine-1", "mine-2"]), {"external_id": "mine-2"}, True),
    (Links(external_id=["mine-1", "mine-2"]), {"external_id": "theirs"}, False),
    (Links(institution="sat_mx_fiscal", access_mode="single"), {"access_mode": "recurrent"}, False),
    (Links(status="valid"), {"status": None}, True),
    (Institutions(name="sat_mx_fiscal"), {"name": "erebor_mx_retail"}, False),
    (Institutions(type="fiscal", status=["healthy", "down"]), {"type": "fiscal", "status": "down"}, True),
]


@pytest.mark.parametrize(("query", "row", "kept"), ROWS)
@pytest.mark.parametrize("of", ["record", "guard"])
def test_rows_that_were_not_asked_for_are_dropped(
    query: Query[object], row: dict[str, Any], kept: bool, of: str
) -> None:
    """Should Belvo ignore a filter; from a record and from its guard alike. A row without the key is kept."""
    shape = BELVO.list(query).shape
    seen = msgspec.json.decode(json.dumps(row), type=getattr(shape, of))

    assert shape.keep is not None
    assert kept is shape.keep(seen)


@pytest.mark.parametrize("query", [Links(), Institutions(), TaxComplianceStatusList(link=LINK)])
def test_what_no_row_can_tell_is_left_to_belvo(query: Query[object]) -> None:
    assert BELVO.list(query).shape.keep is None


EVERY_LIST: list[Query[object]] = [
    Links(),
    Institutions(),
    InvoiceList(link=LINK),
    FinancialStatementList(link=LINK),
    TaxReturnList(link=LINK),
    TaxStatusList(link=LINK),
    TaxComplianceStatusList(link=LINK),
    TaxRetentionList(link=LINK),
]


@pytest.mark.parametrize("query", EVERY_LIST, ids=lambda query: type(query).__name__)
def test_a_guard_is_a_small_part_of_its_record(query: Query[object]) -> None:
    """It reads the same keys, and knows a row by the same id; most rows have one, and none must."""
    shape = BELVO.list(query).shape
    assert shape.guard is not None
    assert shape.record_id is not None
    own_id: object = 7 if isinstance(query, Institutions) else "a"

    for kind in (shape.record, shape.guard):
        ids = [shape.record_id(msgspec.json.decode(json.dumps(row), type=kind)) for row in ({"id": own_id}, {})]
        assert [str(own_id), None] == ids
    keys = {field.encode_name for field in msgspec.structs.fields(cast("type[msgspec.Struct]", shape.guard))}
    assert keys < {field.encode_name for field in msgspec.structs.fields(cast("type[msgspec.Struct]", shape.record))}


def test_every_list_can_be_queried() -> None:
    assert set(BELVO.queries) == {type(query) for query in EVERY_LIST}


def test_only_invoices_tell_that_data_is_missing() -> None:
    """From a guard as from a record."""
    shapes = [BELVO.list(query).shape for query in EVERY_LIST]

    assert [InvoiceList] == [type(query) for query, shape in zip(EVERY_LIST, shapes, strict=True) if shape.remark]
    (remark, guard) = next((shape.remark, shape.guard) for shape in shapes if shape.remark)
    seen = msgspec.json.decode(b'{"warnings": {"code": "sat_xml_limit_reached"}}', type=cast("type[object]", guard))
    assert remark is not None
    assert getattr(remark(seen, datetime(2026, 6, 1, tzinfo=UTC)), "partial", None) is True


# Pages ahead, and readings that go on

PAGED = f"/api/invoices/?link={LINK}&page_size=1000"


def ahead(page: Page, *, of: str = PAGED) -> list[str]:
    walk = BELVO.list(InvoiceList(link=LINK))
    request = msgspec.structs.replace(next(walk.steps(None)), target=of)
    assert walk.ahead is not None
    return [each.target for each in walk.ahead(request, page)]


def numbered(number: int, size: int = 1000) -> str:
    return f"{ORIGIN}/api/invoices/?link={LINK}&page={number}&page_size={size}"


def test_pages_are_counted_on_from_the_next_one() -> None:
    """Belvo numbers its pages and counts the rows: what the last one is, is known."""
    first = ahead(Page(next=numbered(2), count=3500, rows=1000))
    third = ahead(Page(next=numbered(4), count=3500, rows=1000), of=f"{PAGED}&page=3")

    assert [numbered(each).removeprefix(ORIGIN) for each in (2, 3, 4)] == first
    assert [numbered(4).removeprefix(ORIGIN)] == third


def test_pages_ahead_are_those_the_walk_asks_for() -> None:
    """To the byte: another request would be sent in vain."""
    walk = BELVO.list(InvoiceList(link=LINK))
    steps = walk.steps(None)
    first = next(steps)
    page = Page(next=numbered(2), count=2500, rows=1000)
    assert walk.ahead is not None
    guessed = list(walk.ahead(first, page))

    asked = [steps.send(page), steps.send(Page(next=numbered(3), count=2500, rows=1000))]

    assert guessed == asked


@pytest.mark.parametrize(
    ("page", "pages"),
    [
        pytest.param(Page(next=numbered(2), count=3500), [2, 3, 4], id="rows not known yet: full pages"),
        pytest.param(Page(next=numbered(2, 10), count=35, rows=10), [2, 3, 4], id="small pages, as in the sandbox"),
        pytest.param(Page(next=numbered(2)), [2], id="no count"),
        pytest.param(Page(next=numbered(2), count=0), [2], id="a count that cannot be"),
        pytest.param(Page(next=f"{ORIGIN}/api/invoices/?cursor=x", count=3000, rows=1000), [], id="no number"),
        pytest.param(Page(next=f"{ORIGIN}/api/invoices/?webpage=2", count=3000, rows=1000), [], id="another number"),
        pytest.param(Page(count=3500, rows=1000), None, id="the last page"),
    ],
)
def test_what_is_not_known_is_not_guessed(page: Page, pages: list[int] | None) -> None:
    """The next page is what Belvo says; those after it only where they can be counted."""
    numbers = [int(found) for target in ahead(page) for found in re.findall(r"[?&]page=(\d+)", target)]

    assert (pages or []) == numbers
    assert (pages is None) == (ahead(page) == [])


def test_a_page_ahead_stays_on_the_list() -> None:
    with pytest.raises(PayloadError):
        ahead(Page(next=f"{ORIGIN}/api/links/?page=2", count=3500, rows=1000))


def test_a_reading_goes_on_from_a_page_met_before() -> None:
    """The page itself is read again, and the walk follows from there."""
    steps = BELVO.results(job_of()).steps(f"/api/invoices/?link={LINK}&page=3")

    targets = walked(steps, [Page(next=numbered(4)), Page()])

    assert [f"/api/invoices/?link={LINK}&page=3", numbered(4).removeprefix(ORIGIN)] == targets


@pytest.mark.parametrize(
    "checkpoint",
    [
        "/api/links/?page=3",
        f"/api/invoices/?link={OTHER}&page=3",
        f"/api/invoices/?link={LINK}&type=INFLOW&page=3",
        "https://evil.example.com/api/invoices/?page=3",
        "page=3",
        "",
        "//evil/api/invoices/",
    ],
)
def test_a_checkpoint_of_another_reading_is_refused(checkpoint: str) -> None:
    """Before anything is sent, as the caller's mistake."""
    with pytest.raises(TaskError) as refused:
        next(BELVO.results(job_of()).steps(checkpoint))

    assert "resume" == refused.value.field


def test_values_are_encoded() -> None:
    """A value cannot add a parameter."""
    walk = BELVO.list(Links(external_id="a&status=invalid#x"))

    assert {"external_id": "a&status=invalid#x", "page_size": "1000"} == filters(walk)


def test_queries_of_others_are_not_supported() -> None:
    class Foreign(Query[Link], frozen=True, kw_only=True):
        pass

    with pytest.raises(UnsupportedError):
        BELVO.list(Foreign())


@pytest.mark.parametrize(
    ("given", "kind", "code"),
    [
        pytest.param(answer(401, sample("error_401")), AuthenticationError, "authentication_failed", id="401"),
        pytest.param(
            answer(403, sample("error_403_resource")), AuthenticationError, "access_to_resource_denied", id="403"
        ),
        pytest.param(answer(404, sample("error_404_not_found")), NotFoundError, "not_found", id="404"),
        pytest.param(answer(404), VendorError, None, id="404 empty"),
        *(pytest.param(answer(status, HTML), VendorError, None, id=f"{status} page") for status in (401, 404, 410)),
        pytest.param(answer(401, {"message": "Unauthorized"}), VendorError, None, id="401 of a gateway, in JSON"),
        pytest.param(
            answer(404, sample("error_404_expired_credentials")), VendorError, "expired_credentials", id="expired"
        ),
        pytest.param(answer(429), RateLimitError, None, id="429"),
        pytest.param(answer(403, HTML), RateLimitError, None, id="HTML 403"),
        pytest.param(answer(405, sample("error_405")), VendorError, "method_not_allowed", id="405"),
        pytest.param(answer(428, sample("error_428_token_required")), TokenRequiredError, "token_required", id="428"),
        pytest.param(answer(408, sample("error_408")), VendorError, "request_timeout", id="408"),
        pytest.param(answer(500, sample("error_500")), VendorError, "unexpected_error", id="500"),
        pytest.param(answer(503, HTML), VendorError, None, id="503 HTML"),
        pytest.param(answer(400, b"[" * 9999), VendorError, None, id="nested"),
        pytest.param(answer(400, b"\xff\xfe"), VendorError, None, id="not UTF-8"),
        pytest.param(error(400, "ANA LOPEZ"), VendorError, None, id="a code that is no word"),
    ],
)
def test_an_error_answer_becomes_the_error_to_raise(given: Answer, kind: type[VendorError], code: str | None) -> None:
    """The class follows the status, the code is Belvo's; the error pickles."""
    raised = pickle.loads(pickle.dumps(BELVO.read_error(given)))

    assert (kind, given.status, code) == (type(raised), raised.status_code, raised.code)


def test_an_error_carries_the_request_id_and_the_field_but_not_belvos_text() -> None:
    """Support asks for the id; the text may hold names."""
    raised = BELVO.read_error(error(400, "invalid", field="created_at__gte"))

    assert (REQUEST_ID, "created_at__gte") == (raised.request_id, raised.field)
    assert "SECRET" not in str(raised)
    assert "created_at__gte" in str(raised)


def test_a_rate_limit_says_how_long_to_wait_where_it_was_told() -> None:
    raised = [BELVO.read_error(answer(429, retry_after="12")), BELVO.read_error(answer(429, retry_after="soon"))]

    assert [timedelta(seconds=12), None] == [each.retry_after for each in raised if isinstance(each, RateLimitError)]


def test_an_invoice_without_its_xml_makes_the_job_partial() -> None:
    """SAT's daily quota leaves invoices without details; it is filled up at 06:00 UTC."""
    limited = Invoice(warnings=Warnings(code="sat_xml_limit_reached"))
    now = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)

    seen = partial_remark(limited, now)

    assert seen is not None
    assert (True, datetime(2026, 6, 2, 6, 0, tzinfo=UTC)) == (seen.partial, seen.retry_at)
    assert partial_remark(Invoice(), now) is None
