"""Insights from invoices: what is asked, and that everything documented is read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, ClassVar, get_args, get_type_hints

import msgspec
import pytest

from belvo_async.abc import Call, Page, answer_of
from belvo_async.errors import NotFoundError, TaskError
from belvo_async.tolerant import listening
from belvo_async.vendors import syntage
from belvo_async.vendors.syntage.lists import walk_query
from belvo_async.vendors.syntage.schema.insights.forms import Insight, InsightList
from tests.documents.said import compare, say
from tests.vendors.syntage.kit import ENTITY, MARCH, NOW, answer, converse, params, path, sample, vendor, walk

DOCUMENTED: dict[str, Any] = sample("insights")["insights"]
CALLS: dict[str, Any] = {
    each.path.partition("/insights/")[2]: each for each in vendor().calls if issubclass(each, Insight)
}
LISTS: dict[str, Any] = {
    each.under.partition("/insights/")[2]: each for each in vendor().queries if issubclass(each, InsightList)
}
NEEDED: dict[str, dict[str, Any]] = {"invoicing-concentration": {"type": "issued"}}
WORDS = {"periodicity": "weekly", "type": "total"}


def asked(name: str, **given: Any) -> Any:
    return CALLS[name](entity=ENTITY, **{**NEEDED.get(name, {}), **given})


def test_every_insight_is_there() -> None:
    """Those that are documented as pages are lists, all others are calls."""
    assert set(DOCUMENTED) <= {*CALLS, *LISTS}
    assert {"products-and-services-bought", "products-and-services-sold", "metrics/invoicing-annual-comparison",
            "metrics/vendor-network", "metrics/customer-network",
            "metrics/buro-de-credito/summary"} == set(LISTS) & set(DOCUMENTED)  # fmt: skip


@pytest.mark.parametrize("name", sorted(set(DOCUMENTED) & set(CALLS)))
def test_every_documented_option_is_asked_and_no_other(name: str) -> None:
    """With exactly the documented words; what is None is left to Syntage."""
    hints = get_type_hints(CALLS[name])
    words = {
        f"options[{field}]": [word for each in get_args(hints[field]) for word in (get_args(each) or (each,))]
        for field in ("periodicity", "type")
        if field in hints
    }
    bounds = {"period": ("options[from]", "options[to]"), "since": ("options[from]",)}
    options = {**{option: [] for field in bounds if field in hints for option in bounds[field]}, **words}

    assert DOCUMENTED[name]["options"] == {
        option: [each for each in found if isinstance(each, str)] for option, found in options.items()
    }


@pytest.mark.parametrize("name", sorted(set(DOCUMENTED) & set(CALLS)))
def test_every_documented_field_is_read(name: str) -> None:
    """At every depth, with its exact value; the answer may be large, and reading it may be repeated."""
    kinds = DOCUMENTED[name]["answer"]
    call = asked(name)

    found, (request,) = converse(vendor().call(call, NOW), answer(200, msgspec.json.encode(say(kinds))))

    assert [] == list(compare(kinds, found))
    assert (f"{ENTITY}/insights/{name}", f"GET /entities/{{id}}/insights/{name}", True) == (
        path(request),
        request.name,
        request.is_large,
    )


@pytest.mark.parametrize("name", sorted(set(DOCUMENTED) & set(LISTS)))
def test_every_documented_field_of_a_row_is_read(name: str) -> None:
    """Amounts come as texts in some, and are Decimals all the same."""
    (kinds,) = DOCUMENTED[name]["answer"]
    row = msgspec.json.encode(say(kinds))

    found = msgspec.json.decode(row, type=answer_of(LISTS[name]))

    assert [] == list(compare(kinds, found))


def test_a_period_is_sent_from_its_first_instant_to_its_last() -> None:
    """As the document's one example has it; datetimes are said in UTC, to the millisecond."""
    mexico = timezone(timedelta(hours=-6))
    night = syntage.Period(datetime(2025, 3, 1, 18, tzinfo=mexico), datetime(2025, 3, 1, 20, 30, 0, 125_999, mexico))

    whole = params(next(vendor().call(asked("sales-revenue", period=MARCH, periodicity="weekly", type="total"), NOW)))
    part = params(next(vendor().call(asked("employees", period=night), NOW)))

    assert {
        "options[from]": "2025-03-01T00:00:00.000Z",
        "options[to]": "2025-03-31T23:59:59.999Z",
        "options[periodicity]": "weekly",
        "options[type]": "total",
    } == whole
    assert {"options[from]": "2025-03-02T00:00:00.000Z", "options[to]": "2025-03-02T02:30:00.125Z"} == part
    assert {} == params(next(vendor().call(asked("employees"), NOW)))


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: syntage.GetSalesRevenue(entity="/invoices/1"), "entity"),
        (lambda: syntage.GetSalesRevenue(entity=ENTITY, type="counterparty"), "type"),  # type: ignore[arg-type]
        (lambda: syntage.GetSalesRevenue(entity=ENTITY, periodicity="hourly"), "periodicity"),  # type: ignore[arg-type]
        (lambda: syntage.GetEmployees(entity=ENTITY, period=(date.min, date.max)), "period"),  # type: ignore[arg-type]
        (lambda: syntage.GetInvoicingConcentration(entity=ENTITY, type=None), "type"),  # type: ignore[arg-type]
        (lambda: syntage.ProductsAndServicesSold(entity=ENTITY, period="2025"), "period"),  # type: ignore[arg-type]
        (lambda: syntage.VendorNetwork(entity="x/y"), "entity"),
    ],
)
def test_what_is_wrong_is_told_before_a_byte(make: Any, field: str) -> None:
    """The error names the field."""
    with pytest.raises(TaskError) as raised:
        make()

    assert field == raised.value.field


def test_an_entity_of_which_nothing_is_held_has_empty_insights() -> None:
    """Empty data is no error; an entity that is not there is one."""
    call = syntage.GetCashFlow(entity=ENTITY)

    empty, _ = converse(vendor().call(call, NOW), answer(200, {"data": [], "stats": []}))
    nobody, _ = converse(vendor().call(syntage.GetCustomerConcentration(entity=ENTITY), NOW), answer(200, []))

    assert (syntage.CashFlow(data=(), stats=()), ()) == (empty, nobody)
    with pytest.raises(NotFoundError):
        converse(vendor().call(call, NOW), answer(404, {"message": "Not found."}))


def test_an_odd_row_of_an_array_is_read_as_far_as_it_goes() -> None:
    """What cannot be read is None and told; the other rows and fields stand."""
    rows = [{"name": "A", "total": "12.50", "share": "much"}, {"name": "B", "total": 3}]

    with listening() as misfits:
        found, _ = converse(vendor().call(asked("customer-concentration"), NOW), answer(200, rows))

    assert [("A", Decimal("12.50"), None), ("B", Decimal(3), None)] == [
        (each.name, each.total, each.share) for each in found
    ]
    assert ["$[0].share"] == [each.path for each in misfits]


def test_what_insights_say_is_shown_nowhere() -> None:
    """Neither the call nor a row shows in its repr whom it is about."""
    row = syntage.Concentration(name="ZAPATERIA", rfc="ZZT190415QA7")

    assert "ZAPATERIA" not in repr(row)
    assert ENTITY not in repr(asked("sales-revenue")) + repr(syntage.VendorNetwork(entity=ENTITY))


def sold(**given: Any) -> Any:
    return walk_query(syntage.ProductsAndServicesSold(entity=ENTITY, **given))


def pages_of(steps: Any, *told: Page) -> list[str | None]:
    return [params(each).get("page") for each in walk(steps, *told)]


def test_pages_without_links_are_asked_for_by_number() -> None:
    """Until all that Syntage counts have come; the options stand in each request."""
    asked_for = walk(sold(period=MARCH).steps(None), *(Page(count=250, rows=each) for each in (100, 100, 50)))

    assert [None, "2", "3"] == [params(each).get("page") for each in asked_for]
    assert {"2025-03-01T00:00:00.000Z"} == {params(each)["options[from]"] for each in asked_for}
    assert {"100"} == {params(each)["itemsPerPage"] for each in asked_for}


@pytest.mark.parametrize(
    ("told", "numbers"),
    [
        pytest.param([Page(rows=100), Page(rows=99)], [None, "2"], id="no count, a short page ends it"),
        pytest.param([Page(rows=100), Page(rows=0)], [None, "2"], id="no count, an empty page ends it"),
        pytest.param([Page(count=0)], [None], id="nothing held"),
        pytest.param([Page(count=250, rows=250)], [None], id="all at once"),
        pytest.param([Page(count=60, rows=30), Page(count=60, rows=30)], [None, "2"], id="smaller pages than asked"),
        pytest.param([Page(count=900, rows=100), Page(count=900)], [None, "2"], id="fewer than counted"),
    ],
)
def test_where_the_pages_end(told: list[Page], numbers: list[str | None]) -> None:
    """Whatever Syntage leaves unsaid."""
    assert numbers == pages_of(sold().steps(None), *told)


def test_a_link_goes_before_a_number() -> None:
    """Where there is one, it is followed word for word."""
    target = f"{ENTITY}/insights/products-and-services-sold?page=2&cursor=a"

    asked_for = walk(sold().steps(None), Page(next=target, rows=100), Page(count=101, rows=1))

    assert target == asked_for[1].target


def test_a_reading_goes_on_at_a_page() -> None:
    """The rows of the pages before count; what is no page number is the first."""
    begun = f"{ENTITY}/insights/products-and-services-sold?itemsPerPage=100&page=3"

    assert ["3", "4"] == pages_of(sold().steps(begun), *(Page(count=350, rows=each) for each in (100, 50)))
    assert ["x", "2"] == pages_of(sold().steps(begun.replace("=3", "=x")), Page(rows=100), Page(rows=1))


def test_rows_have_no_ids_and_none_are_dropped() -> None:
    """Two vendors of one name are two rows."""
    shape = walk_query(syntage.VendorNetwork(entity=ENTITY)).shape

    assert (None, False) == (shape.record_id, shape.has_ids)


CSV = syntage.InsightExport(entity=ENTITY, insight="sales-revenue", period=MARCH, type="customers")


def test_an_export_is_asked_as_its_insight_is() -> None:
    """The form is asked for by Accept."""
    fetch, _ = fetched(CSV)
    book, _ = fetched(syntage.InsightExport(entity=ENTITY, insight="trial-balance-of-2040", format="xlsx"))

    assert f"{ENTITY}/insights/sales-revenue/export" == path(fetch.request)
    assert {"options[from]": "2025-03-01T00:00:00.000Z", "options[to]": "2025-03-31T23:59:59.999Z",
            "options[type]": "customers"} == params(fetch.request)  # fmt: skip
    assert ("text/csv", False) == (dict(fetch.request.headers)["Accept"], fetch.request.follow)
    assert "spreadsheetml.sheet" in dict(book.request.headers)["Accept"]
    assert "GET /entities/{id}/insights/sales-revenue/export" == fetch.request.name


def fetched(download: Any) -> Any:
    conversation = vendor().download(download)
    try:
        next(conversation)
    except StopIteration as end:
        return end.value, conversation
    raise AssertionError("nothing needs to be asked first")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"entity": "/invoices/1"}, "entity"),
        ({"insight": "../../events"}, "insight"),
        ({"insight": "Sales Revenue"}, "insight"),
        ({"insight": ""}, "insight"),
        ({"format": "pdf"}, "format"),
        ({"type": "counterparty"}, "type"),
        ({"insight": "employees", "type": "total"}, "type"),
        ({"insight": "metrics/vendor-network", "period": MARCH}, "period"),
        ({"insight": "invoicing-concentration"}, "type"),
        ({"periodicity": "hourly"}, "periodicity"),
        ({"insight": "of-tomorrow", "type": 7}, "type"),
    ],
)
def test_a_wrong_export_is_refused_before_a_byte(given: dict[str, Any], field: str) -> None:
    """Options are checked by the insight they are of, where that is known."""
    with pytest.raises(TaskError) as raised:
        syntage.InsightExport(**{"entity": ENTITY, "insight": "sales-revenue", **given})

    assert field == raised.value.field


class _Yearly(Insight[syntage.CashFlow], frozen=True, kw_only=True):
    path: ClassVar[str] = "/entities/{entity}/insights/of-a-year"
    headers: ClassVar[Mapping[str, str]] = {"year_format": "X-Insight-Format"}

    year_format: str | None = None


def test_a_field_may_be_sent_as_a_header() -> None:
    """It is then no option; without a value there is no header."""
    call: Call[Any] = _Yearly(entity=ENTITY, year_format="2022")

    with_it, without = (next(vendor().call(each, NOW)) for each in (call, _Yearly(entity=ENTITY)))

    assert ("2022", {}) == (dict(with_it.headers)["X-Insight-Format"], params(with_it))
    assert "X-Insight-Format" not in dict(without.headers)


def test_periods_lie_in_the_calendar() -> None:
    """Also the last day of it."""
    (asked_for,) = {params(next(vendor().call(asked("employees", period=each), NOW)))["options[to]"]
                    for each in [syntage.Period(date(1, 1, 1), datetime(9999, 12, 31, 23, tzinfo=UTC))]}  # fmt: skip

    assert "9999-12-31T23:00:00.000Z" == asked_for
