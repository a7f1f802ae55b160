"""Results and direct reads: which pages are asked for and which rows are kept."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from belvo_async.abc import Page, Query
from belvo_async.errors import PayloadError, TaskError, UnsupportedError
from belvo_async.vendors import syntage
from tests.vendors.syntage.kit import ENTITY, RFC, invoice_task, job, params, path, vendor, walk

INVOICES = f"{ENTITY}/invoices"
MORE = f"{INVOICES}?itemsPerPage=100&id%5Blt%5D=b9e60d3a"


def steps(task: syntage.Extraction | None = None) -> Any:
    return vendor().results(job(task)).steps(None)


def keeps(invoice: syntage.Invoice, **options: Any) -> bool:
    keep = vendor().results(job(invoice_task(**options))).shape.keep
    assert keep is not None
    return keep(invoice)


def test_invoices_are_asked_for_in_cursor_style() -> None:
    """The list is the entity's, with a day of slack, the total switched on, and never a page number."""
    request = next(steps())

    assert (INVOICES, "GET /entities/{id}/invoices") == (path(request), request.name)
    assert {
        "issuedAt[after]": "2025-02-28",
        "issuedAt[before]": "2025-04-02",
        "type[]": "P",
        "itemsPerPage": "100",
    } == params(request)
    assert "type%5B%5D=I&type%5B%5D=E&type%5B%5D=P" in request.target
    assert {
        "Accept": "application/ld+json",
        "Accept-Version": "2020-06-28",
        "X-Pagination-Style": "cursor",
        "X-Pagination-Enable-Partial": "0",
    } == dict(request.headers)


def test_all_types_need_no_filter() -> None:
    """With all five types, no type is named."""
    assert "type" not in next(steps(invoice_task(types=syntage.INVOICE_TYPES))).target


def test_taxpayer_form_reads_its_own_list() -> None:
    """The deprecated form reads the superseded list, its RFC encoded and never in the request's name."""
    task = syntage.Extraction(entity="/taxpayers/Ñ&T190415QA7", extractor="invoice", options=invoice_task().options)

    request = next(steps(task))

    assert ("/taxpayers/%C3%91%26T190415QA7/invoices", "GET /taxpayers/{rfc}/invoices") == (
        path(request),
        request.name,
    )
    link = "/taxpayers/Ñ&T190415QA7/invoices?id[lt]=1"
    asked = walk(steps(task), Page(next=link, rows=1), Page(rows=1))
    assert "/taxpayers/%C3%91&T190415QA7/invoices?id[lt]=1" == asked[1].target


def test_links_are_followed_word_for_word() -> None:
    """The link to the next page is used as it came, reduced to path and query."""
    asked = walk(
        steps(), Page(next=MORE, rows=100), Page(next=f"https://api.sandbox.syntage.com{MORE}1", rows=3), Page()
    )

    assert [MORE, f"{MORE}1"] == [request.target for request in asked[1:]]


@pytest.mark.parametrize(
    "pages",
    [
        [Page(rows=100)],
        [Page(rows=0, next=MORE)],
        [Page(rows=100, next=MORE), Page(rows=100, next=MORE)],
    ],
    ids=["no link", "no rows", "repeated link"],
)
def test_reading_ends(pages: list[Page]) -> None:
    """No link, an empty page or a link for the second time ends the reading."""
    assert len(pages) == len(walk(steps(), *pages))


@pytest.mark.parametrize(
    "link", ["https://evil.example/x", "/invoices?id[lt]=1", "ftp://api.sandbox.syntage.com" + MORE, "//x", "/\\x"]
)
def test_links_elsewhere_are_refused(link: str) -> None:
    """A link that leaves the collection is refused, not followed."""
    with pytest.raises(PayloadError):
        walk(steps(), Page(next=link, rows=1), Page())


@pytest.mark.parametrize("origin", ["http://api.sandbox.syntage.com", "https://api.syntage.com", "//relay:8443", ""])
def test_links_are_asked_of_our_own_origin(origin: str) -> None:
    """Behind a relay or a proxy that ends TLS, links name an address that is not ours to ask."""
    asked = walk(steps(), Page(next=origin + MORE, rows=1), Page())

    assert MORE == asked[-1].target


def test_reading_starts_anew_each_time() -> None:
    """Calling `steps` again begins at the first page."""
    reading = vendor().results(job())

    assert next(reading.steps(None)) == next(reading.steps(None))


def test_reading_goes_on_from_a_page_met_before() -> None:
    """A checkpoint is the target of a page: reading begins there, in the same style."""
    reading = vendor().results(job())

    first, resumed = next(reading.steps(None)), next(reading.steps(MORE))

    assert (MORE, first.headers, first.name) == (resumed.target, resumed.headers, resumed.name)


@pytest.mark.parametrize(
    "target", ["/invoices?id[lt]=1", "https://evil.example/x", f"{ENTITY}/tax-returns?itemsPerPage=100"]
)
def test_checkpoint_of_another_reading_is_refused(target: str) -> None:
    """A target that is not of this list is a mistake of the caller's."""
    with pytest.raises(TaskError) as caught:
        next(vendor().results(job()).steps(target))

    assert "resume" == caught.value.field
    assert str(caught.value).startswith("resume must ")


def test_the_next_page_is_guessed_from_its_link() -> None:
    """A cursor cannot be guessed further than the link a page gave; the guess is just what `steps` then asks for."""
    reading = vendor().results(job())
    assert reading.ahead is not None
    steps = reading.steps(None)
    first = next(steps)

    (guess,) = reading.ahead(first, Page(next=MORE))

    assert guess == steps.send(Page(next=MORE, rows=100))


@pytest.mark.parametrize(
    "link", [None, "https://evil.example/x", "/invoices?id[lt]=1"], ids=["none", "away", "other list"]
)
def test_nothing_else_is_guessed(link: str | None) -> None:
    """Without a link there is no guess, nor with one that will be refused: that is told when its turn comes."""
    reading = vendor().results(job())
    assert reading.ahead is not None

    assert [] == list(reading.ahead(next(reading.steps(None)), Page(next=link)))


def test_shape_knows_both_spellings() -> None:
    """The prefixed Hydra keys come first, the plain ones of newer framework versions are read too."""
    shape = vendor().results(job()).shape

    assert (syntage.Invoice, ("hydra:member", "member")) == (shape.record, shape.rows)
    assert (("hydra:view", "hydra:next"), ("view", "next")) == shape.next
    assert (("hydra:totalItems",), ("totalItems",)) == shape.count
    assert shape.record_id is not None
    assert "x" == shape.record_id(syntage.Invoice(id="x"))


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("issued_at", "kept"),
    [
        ("2025-02-28T23:59:59", False),
        ("2025-03-01T00:00:00", True),
        ("2025-03-31T23:59:59", True),
        ("2025-04-01T05:59:59", True),
        ("2025-04-01T06:00:00", False),
    ],
    ids=["before", "first", "last", "last in Mexico", "after"],
)
def test_rows_outside_the_period_are_dropped(issued_at: str, kept: bool) -> None:
    """A plain date is the day in UTC or in central Mexican time: a row within either is in the period."""
    assert kept is keeps(syntage.Invoice(type="I", is_issuer=True, issued_at=instant(issued_at)))


def test_instants_bound_the_period_exactly() -> None:
    """A period given in instants has no slack."""
    period = syntage.Period(instant("2025-03-01T06:00:00"), instant("2025-04-01T06:00:00"))
    at = [instant(f"2025-{each}") for each in ("03-01T05:59:59", "03-01T06:00:00", "04-01T06:00:00", "04-01T06:00:01")]

    assert [False, True, True, False] == [keeps(syntage.Invoice(issued_at=each), period=period) for each in at]


def test_rows_of_other_types_are_dropped() -> None:
    """A filter the vendor ignored is made up for."""
    assert [True, False] == [keeps(syntage.Invoice(type=each, is_issuer=True)) for each in ("P", "N")]


@pytest.mark.parametrize(
    ("issued", "received", "kept"),
    [(True, True, [True, True, True]), (True, False, [True, False, True]), (False, True, [False, True, True])],
    ids=["both", "issued", "received"],
)
def test_rows_of_the_other_side_are_dropped(issued: bool, received: bool, kept: list[bool]) -> None:
    """Issued and received are told apart by the row; a row that does not say is kept."""
    rows = [
        syntage.Invoice(is_issuer=True, is_receiver=False),
        syntage.Invoice(is_issuer=False, is_receiver=True),
        syntage.Invoice(),
    ]

    assert kept == [keeps(each, issued=issued, received=received) for each in rows]


def listed(query: Query[Any]) -> Any:
    return vendor().list(query)


def test_entities_are_filtered_twice() -> None:
    """`rfc` is partial at the vendor and exact here."""
    query = syntage.Entities(rfc=RFC, person_type="legal", created_after=instant("2025-01-01T12:00:00"))
    reading = listed(query)
    request = next(reading.steps(None))

    assert "/entities" == path(request)
    assert {
        "taxpayer.id": RFC,
        "taxpayer.personType": "legal",
        "createdAt[after]": "2025-01-01T12:00:00Z",
        "itemsPerPage": "100",
    } == params(request)
    created = instant("2025-02-01T00:00:00")
    rows = [
        syntage.Entity(taxpayer=syntage.Taxpayer(id=RFC, person_type="legal"), created_at=created),
        syntage.Entity(taxpayer=syntage.Taxpayer(id=RFC, person_type="legal"), created_at=instant("2024-01-01")),
        syntage.Entity(taxpayer=syntage.Taxpayer(id=RFC + "X", person_type="legal"), created_at=created),
        syntage.Entity(created_at=created),
    ]
    assert [True, False, False, False] == [reading.shape.keep(each) for each in rows]


def test_extractions_are_filtered_twice() -> None:
    """`extractor` is partial at the vendor and exact here."""
    query = syntage.Extractions(rfc=RFC, extractor="tax_status", status="running", rate_limited=False)
    reading = listed(query)
    request = next(reading.steps(None))

    assert {
        "taxpayer.id": RFC,
        "extractor": "tax_status",
        "status": "running",
        "exists[rateLimitedAt]": "false",
        "itemsPerPage": "100",
    } == params(request)
    fits = {"taxpayer": syntage.Taxpayer(id=RFC), "extractor": "tax_status", "status": "running"}
    rows = [
        syntage.ExtractionState(**fits),
        syntage.ExtractionState(**{**fits, "extractor": "tax_status_2"}),
        syntage.ExtractionState(**{**fits, "status": "finished"}),
        syntage.ExtractionState(**{**fits, "rate_limited_at": instant("2025-01-01")}),
        syntage.ExtractionState(),
    ]
    assert [True, False, False, False, False] == [reading.shape.keep(each) for each in rows]


def test_no_filter_keeps_all() -> None:
    """A query without filters keeps every row and sends none."""
    reading = listed(syntage.Extractions())

    assert "/extractions?itemsPerPage=100" == next(reading.steps(None)).target
    assert reading.shape.keep is None


@pytest.mark.parametrize("bound", [datetime(2025, 1, 1), date(2025, 1, 1)], ids=["naive", "date"])  # noqa: DTZ001
def test_bounds_need_a_time_zone(bound: Any) -> None:
    """An instant without a zone could be anywhere in a day."""
    with pytest.raises(TaskError) as caught:
        listed(syntage.Entities(created_after=bound))

    assert "created_after" == caught.value.field
    assert str(caught.value).startswith("created_after must ")


def test_queries_show_no_taxpayer() -> None:
    """What was asked for stays out of repr."""
    assert RFC not in repr(syntage.Entities(rfc=RFC)) + repr(syntage.Extractions(rfc=RFC))


def test_unknown_queries_are_refused() -> None:
    """A query of another vendor is not for this dialect."""

    class Foreign(Query[Any], frozen=True, kw_only=True):
        pass

    with pytest.raises(UnsupportedError):
        listed(Foreign())
