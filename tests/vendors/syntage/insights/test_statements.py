"""Statements, scores and risks: what is asked, and what is read of answers in every shape."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from belvo_async.errors import NotFoundError, PayloadError, TaskError
from belvo_async.tolerant import listening
from belvo_async.vendors import syntage
from belvo_async.vendors.syntage.lists import walk_query
from tests.vendors.syntage.insights.test_insights import fetched
from tests.vendors.syntage.kit import ENTITY, MARCH, NOW, answer, converse, params, path, vendor

SHEET = syntage.GetBalanceSheet(entity=ENTITY)
BURO = f"{ENTITY}/insights/metrics/buro-de-credito/summary"


def read(body: object, call: Any = SHEET) -> Any:
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return converse(vendor().call(call, NOW), answer(200, content))[0]


def sent_for(download: Any) -> Any:
    return fetched(download)[0].request


def row(name: str, children: object = None, **years: object) -> dict[str, object]:
    amounts = {year.removeprefix("y"): {"Total": total, "Comment": None} for year, total in years.items()}
    return {**amounts, "category": name, **({} if children is None else {"children": children})}


def test_years_stand_apart_from_what_else_a_category_has() -> None:
    """At every depth, exactly; a year without an amount is there, with None."""
    whole = msgspec.Raw(b'{"2022": {"Total": 48961.10, "Comment": "Nota 3"}, "category": "Efectivo"}')
    body = {"taxRegime": {"id": 601}, "data": [row("Activo", [row("Corto plazo", [whole], y2022=None)], y2022=48961)]}

    found = read(body)

    (assets,) = found.data
    ((current,),) = (assets.children,)
    (cash,) = current.children
    assert (601, "Activo", "Corto plazo") == (found.tax_regime.id, assets.category, current.category)
    assert ("48961.10", "Nota 3") == (str(cash.years[2022].total), cash.years[2022].comment)
    assert ({2022: None}, None) == ({year: each.total for year, each in current.years.items()}, cash.children)


@pytest.mark.parametrize("call", [SHEET, syntage.GetIncomeStatement(entity=ENTITY)], ids=["balance", "income"])
def test_an_odd_statement_is_read_as_far_as_it_goes(call: Any) -> None:
    """An amount in words is told by its path; the rest stands."""
    body = {"data": [row("Activo", [row("Clientes", y2023="mucho", y2022="1,234.50")], y2023=7), "nothing"]}

    with listening() as misfits:
        found = read(body, call)

    (customers,) = found.data[0].children
    assert (Decimal(7), None, None) == (
        found.data[0].years[2023].total,
        customers.years[2023].total,
        customers.years[2022].comment,
    )
    assert {"$.data[0].children[0].years[...].Total", "$.data[1]"} == {each.path for each in misfits}


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({"taxRegime": None, "data": []}, []),
        ({"taxRegime": {"id": 612}}, []),
        ({"data": None}, []),
        ({"data": {"0": row("Activo", y2022=1), "2": row("Capital", {"1": row("Social", y2022=1)}, y2022=1)}},
         ["Activo", "Capital", "Social"]),
        ({"data": [{"category": "Activo", "children": []}]}, ["Activo"]),
        ({"data": [{"category": "Activo", "children": None}]}, ["Activo"]),
    ],
    ids=["nothing held", "no data", "null", "arrays with gaps", "no children", "null for children"],
)  # fmt: skip
def test_statements_in_other_shapes(body: object, names: list[str]) -> None:
    """What PHP makes of arrays with gaps is read as the arrays."""
    found = read(body)

    assert names == [each.category for each in walked(found.data)]


def walked(categories: Any) -> Any:
    for each in categories or ():
        yield each
        yield from walked(each.children)


@pytest.mark.parametrize("body", [b"<html>", b"7", b'{"data": [{"a":'])
def test_what_is_no_statement_is_told_without_its_content(body: bytes) -> None:
    """As with any other answer."""
    with pytest.raises(PayloadError):
        read(body)


def test_a_statement_nested_too_deeply_is_refused() -> None:
    """No year of it is lost without a word; nothing of it stands in the frames of the error."""
    deep = b'{"category": "SECRETO", "children": [' * 40 + b"]}" * 40

    with pytest.raises(PayloadError) as raised:
        read(b'{"data": [' + deep + b"]}")

    frames = [each.frame.f_locals for each in raised.traceback if "belvo_async" in str(each.path)]
    assert frames
    assert "SECRETO" not in repr(frames)


def test_a_statement_of_nobody_is_an_error() -> None:
    """Of an entity that Syntage does not know."""
    with pytest.raises(NotFoundError):
        converse(vendor().call(SHEET, NOW), answer(404, {"message": "Not found."}))


def test_the_format_of_years_is_a_header() -> None:
    """The period is of fiscal years."""
    years = syntage.Period(date(2021, 1, 1), date(2023, 12, 31))
    asked = syntage.GetIncomeStatement(entity=ENTITY, period=years, year_format="2022")

    request, plain = (next(vendor().call(each, NOW)) for each in (asked, SHEET))

    assert ("2022", f"{ENTITY}/insights/metrics/income-statement") == (
        dict(request.headers)["X-Insight-Format"],
        path(request),
    )
    assert {"options[from]": "2021-01-01T00:00:00.000Z", "options[to]": "2023-12-31T23:59:59.999Z"} == params(request)
    assert ("X-Insight-Format" in dict(plain.headers), {}) == (False, params(plain))


def test_ratios_and_accounts_are_mappings() -> None:
    """Years are numbers, accounts and months texts; PHP writes an empty one as an array."""
    said = {"quick_ratio": {"2020": 1.165771941991342}, "cash_ratio": [], "cash_to_assets": {"2020": None}}
    account = {"code": "102", "trialBalance": {"2020-13": {"initialBalance": 431147.87}}, "children": []}

    found = read({"data": {"liquidity": said}}, syntage.GetFinancialRatios(entity=ENTITY)).data.liquidity
    (balance,) = read([{"data": {"accounts": {"102": account}}}], syntage.GetTrialBalance(entity=ENTITY))
    nothing = read([], syntage.GetTrialBalance(entity=ENTITY))

    assert ({2020: Decimal("1.165771941991342")}, {}) == (found.quick_ratio, found.cash_ratio)
    assert {2020: None} == found.cash_to_assets
    held = balance.data.accounts["102"]
    assert (Decimal("431147.87"), {}) == (held.trial_balance["2020-13"].initial_balance, held.children)
    assert () == nothing


@pytest.mark.parametrize(
    ("since", "sent"),
    [
        (None, {}),
        (date(2025, 3, 1), {"options[from]": "2025-03-01T00:00:00.000Z"}),
        (datetime(2025, 3, 1, 18, 30, tzinfo=UTC), {"options[from]": "2025-03-01T18:30:00.000Z"}),
    ],
)
def test_risks_begin_on_a_day_or_at_an_instant(since: Any, sent: dict[str, str]) -> None:
    """And have no end."""
    request = next(vendor().call(syntage.GetRisks(entity=ENTITY, since=since), NOW))
    export = sent_for(syntage.InsightExport(entity=ENTITY, insight="risks", since=since))

    assert sent == params(request) == params(export)


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: syntage.GetRisks(entity=ENTITY, since=datetime(2025, 3, 1)), "since"),  # noqa: DTZ001
        (lambda: syntage.GetRisks(entity=ENTITY, since=MARCH), "since"),  # type: ignore[arg-type]
        (lambda: syntage.GetBalanceSheet(entity=ENTITY, year_format="2014"), "year_format"),  # type: ignore[arg-type]
        (lambda: syntage.GetTrialBalance(entity=ENTITY, periodicity="weekly"), "periodicity"),  # type: ignore[arg-type]
        (lambda: syntage.InsightExport(entity=ENTITY, insight="trial-balance", periodicity="daily"), "periodicity"),
        (lambda: syntage.InsightExport(entity=ENTITY, insight="risks", period=MARCH), "period"),
        (lambda: syntage.InsightExport(entity=ENTITY, insight="sales-revenue", since=date(2025, 3, 1)), "since"),
        (lambda: syntage.BuroSummaryExport(entity="x/y"), "entity"),
        (lambda: syntage.BuroSummaryExport(entity=ENTITY, format="pdf"), "format"),  # type: ignore[arg-type]
        (lambda: syntage.BuroSummaries(entity=ENTITY, period=date(2025, 3, 1)), "period"),  # type: ignore[arg-type]
    ],
)
def test_what_is_wrong_is_told_before_a_byte(make: Any, field: str) -> None:
    """The error names the field."""
    with pytest.raises(TaskError) as raised:
        make()

    assert field == raised.value.field


def test_the_distribution_is_of_the_whole_account() -> None:
    """No entity is named."""
    call = syntage.GetScoreDistribution()

    said = {"distribution": [{"label": 500, "metric": 12}]}

    found, (request,) = converse(vendor().call(call, NOW), answer(200, said))

    assert ("GET", "/insights/metrics/scores/syntage/distribution") == (request.method, request.target)
    assert [(500, 12)] == [(each.label, each.metric) for each in found.distribution]


def test_days_of_reports_are_asked_for_as_days() -> None:
    """As their default has them; files are asked for in the same way, under both of their names."""
    query = walk_query(syntage.BuroSummaries(entity=ENTITY, period=MARCH))
    request = next(query.steps(None))
    own = sent_for(syntage.BuroSummaryExport(entity=ENTITY, period=MARCH, format="xlsx"))
    other = sent_for(syntage.InsightExport(entity=ENTITY, insight="metrics/buro-de-credito/summary", period=MARCH))
    plain = sent_for(syntage.BuroSummaryExport(entity=ENTITY))

    sent = {"options[from]": "2025-03-01", "options[to]": "2025-03-31"}
    assert [(BURO, sent), (f"{BURO}/export", sent), (f"{BURO}/export", sent), (f"{BURO}/export", {})] == [
        (path(each), params(each)) for each in (request, own, other, plain)
    ]
    assert "spreadsheetml" in dict(own.headers)["Accept"]
    assert f"GET /entities/{{id}}{BURO.removeprefix(ENTITY)}/export" == own.name


def test_reports_beside_the_period_are_left_out_again() -> None:
    """A filter may be ignored; of bounds within a day, only the day can be asked for."""
    noon = syntage.Period(datetime(2025, 3, 1, 12, tzinfo=UTC), datetime(2025, 3, 2, 12, tzinfo=UTC))
    walk = walk_query(syntage.BuroSummaries(entity=ENTITY, period=noon))
    hours = [*(datetime(2025, 3, day, hour, tzinfo=UTC) for day, hour in ((1, 11), (1, 12), (3, 0))), None]

    assert walk.shape.keep is not None
    assert [False, True, False, False] == [walk.shape.keep(syntage.BuroSummary(created_at=each)) for each in hours]


def test_one_report_may_have_several_scores() -> None:
    """Rows name their report, which is no id of theirs: none is dropped as known."""
    shape = walk_query(syntage.BuroSummaries(entity=ENTITY)).shape

    assert (None, False) == (shape.record_id, shape.has_ids)


def test_what_a_score_is_made_of_is_kept_as_it_came() -> None:
    """Its shape depends on who rates; a rating may be no number."""
    said = {"score": "A-", "generatedAt": "2026-01-01T12:15:00.000Z", "metadata": {"a": 1}}

    (score,) = read({"scores": [said]}, syntage.GetScores(entity=ENTITY)).scores

    assert ("A-", b'{"a":1}') == (score.score, bytes(score.metadata))
    assert datetime(2026, 1, 1, 12, 15, tzinfo=UTC) == score.generated_at


def test_what_insights_say_is_shown_nowhere() -> None:
    """Neither who it is, nor what it has."""
    summary = syntage.EntitySummary(rfc="ZZT190415QA7", name="ZAPATERIA", last_year_total_income=Decimal(12345))
    score = syntage.Score(id="0f3a5c1e-7b42-4d19-9c60-2a8e51d7b904", score="532")

    amount, row_ = syntage.StatementAmount(total=Decimal(12345)), syntage.BuroSummary(score_value="0676")
    for each in (summary, score, amount, row_):
        assert f"{type(each).__name__}(***)" == repr(each)
