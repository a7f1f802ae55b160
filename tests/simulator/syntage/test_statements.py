"""Statements, balances, risks and scores of the simulated Syntage as a plain client sees them."""

from __future__ import annotations

import csv
import io
from datetime import date
from itertools import pairwise
from typing import Any

import pytest

from belvo_async.simulator.fiscal import Books
from belvo_async.simulator.syntage.insights.accounting.years import Accounting
from belvo_async.simulator.syntage.insights.scores import distribution
from belvo_async.simulator.syntage.insights.summary import reaches
from belvo_async.simulator.taxpayers import subject
from tests.simulator.conftest import SyntageClient
from tests.simulator.syntage.kit import finished, read

JUNE_ON = {"period": {"from": "2025-06-01", "to": "2025-12-31"}}
SIDES = ("initial", "ending")
TWO_YEARS = {"period": {"from": "2024-01-01", "to": "2025-12-31"}}


def at(client: SyntageClient, name: str, number: int = 0) -> str:
    return f"{client.syntage.entities[number]}/insights/{name}"


async def extracted(client: SyntageClient, extractor: str, options: Any = None, number: int = 0) -> None:
    await finished(client, extractor=extractor, entity=client.syntage.entities[number], options=options or {})


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("count", [4, 60])
def test_accounts_balance_in_every_year(seed: int, count: int) -> None:
    """Whoever it is, and however little was sold; each year begins with what the one before it left."""
    accounting = Accounting(Books(seed, invoices_per_year=count))

    for number in range(3):
        years = [accounting.year(subject(seed, number), year) for year in range(2020, 2026)]
        for year in years:
            assert year.assets == year.liabilities + year.equity
            assert min(year.cash, year.inventory, year.purchases, year.fixed_assets, year.bank_loans) >= 0
            assert year.before_tax - year.income_tax == year.net
            assert (year.income_tax > 0) is (year.before_tax > 3)
        for before, year in pairwise(years):
            assert (before.inventory, before.retained + before.net) == (year.opening_inventory, year.retained)


async def test_a_loss_stands_in_place_of_the_profit(syntage_client: SyntageClient) -> None:
    """One side of a pair is filled, and the category above shows it."""
    await extracted(syntage_client, "annual_tax_return", number=1)

    body = (await syntage_client.get(at(syntage_client, "metrics/income-statement", 1)))[1]
    (pair,) = [each for each in body["data"] if each["category"] == "Utilidad o pérdida neta"]
    profit, loss = pair["children"]
    sides = {year: (profit[year]["Total"], loss[year]["Total"]) for year in pair if year.isdecimal()}

    assert 626 == body["taxRegime"]["id"]
    assert any(loss is not None for _, loss in sides.values())
    for year, (gain, lost) in sides.items():
        assert (gain is None) != (lost is None)
        assert pair[year]["Total"] == (gain if lost is None else lost)
        assert lost is None or lost < 0


async def test_categories_are_parted_by_who_the_other_is(syntage_client: SyntageClient) -> None:
    """As in the document; of a person as well."""
    await extracted(syntage_client, "annual_tax_return", number=2)

    body = (await syntage_client.get(at(syntage_client, "metrics/income-statement", 2)))[1]

    sales = body["data"][0]["children"][0]
    assert (612, ["Partes Relacionadas", "Partes No Relacionadas"]) == (
        body["taxRegime"]["id"],
        [each["category"] for each in sales["children"]],
    )
    assert {"Total": None, "Comment": None} == sales["children"][0]["2024"]
    assert sales["2024"]["Total"] == sales["children"][1]["2024"]["Total"] > 0


async def test_accounts_that_no_catalogue_names_are_undefined(syntage_client: SyntageClient) -> None:
    """Until it is held; they then stand in their groups."""
    await extracted(syntage_client, "electronic_accounting", JUNE_ON)
    path = at(syntage_client, "trial-balance")
    (unknown,) = (await syntage_client.get(path))[1]
    await extracted(syntage_client, "electronic_accounting", TWO_YEARS)
    (known,) = (await syntage_client.get(path))[1]

    assert ["000"] == list(unknown["data"]["accounts"])
    assert "Undefined" == unknown["data"]["accounts"]["000"]["description"]
    assert ["100", "200", "300", "400", "500", "600", "700"] == list(known["data"]["accounts"])
    assert "102" in known["data"]["accounts"]["100"]["children"]
    assert unknown["data"]["accounts"]["000"]["children"].keys() == {
        code for each in known["data"]["accounts"].values() for code in each["children"]
    }


async def test_month_thirteen_closes_a_year(syntage_client: SyntageClient) -> None:
    """What the accounts of the result held is then part of the capital; years are told before that."""
    await extracted(syntage_client, "electronic_accounting", {"period": {"from": "2023-01-01", "to": "2026-05-31"}})

    (body,) = (await syntage_client.get(at(syntage_client, "trial-balance?options[periodicity]=monthly")))[1]
    (years,) = (await syntage_client.get(at(syntage_client, "trial-balance")))[1]

    closed = [each for each in body["data"]["periods"] if each.endswith("-13")]
    assert closed
    accounts = body["data"]["accounts"]
    for month in closed:
        ends = [{code: accounts[code]["trialBalance"][month][f"{side}Balance"] for code in accounts} for side in SIDES]
        before, after = ends
        assert [0, 0, 0, 0] == [after[code] for code in ("400", "500", "600", "700")]
        assert after["300"] - before["300"] == before["400"] - before["500"] - before["600"] - before["700"]
    assert not any(each.endswith("-13") for each in years["data"]["periods"])


async def test_a_trial_balance_is_of_years_or_months(syntage_client: SyntageClient) -> None:
    """Nothing between."""
    status, body = await syntage_client.get(at(syntage_client, "trial-balance?options[periodicity]=quarterly"))

    assert (400, "options.periodicity") == (status, body["violations"][0]["propertyPath"])


async def test_these_insights_can_be_had_as_files(syntage_client: SyntageClient) -> None:
    """A row an indicator, a ratio, an account and period; an address is parted into columns."""
    await extracted(syntage_client, "annual_tax_return")
    await extracted(syntage_client, "electronic_accounting", TWO_YEARS)
    await extracted(syntage_client, "tax_status")

    tables = {}
    for name in ("risks", "financial-ratios", "trial-balance", "summary"):
        status, _, content = await read(syntage_client, at(syntage_client, f"{name}/export"), "text/csv")
        assert 200 == status
        tables[name] = list(csv.DictReader(io.StringIO(content.decode())))

    assert (12, 22, 1) == tuple(len(tables[name]) for name in ("risks", "financial-ratios", "summary"))
    assert {"group", "ratio", "2024"} <= tables["financial-ratios"][0].keys()
    assert "address.postalCode" in tables["summary"][0]
    assert {"100", "102"} <= {each["code"] for each in tables["trial-balance"]}


async def test_reports_of_the_bureau_have_pages_of_scores(syntage_client: SyntageClient) -> None:
    """A report each time one is asked for, in the product that was; the newest first."""
    for product in ("INFORME_BURO", "RCO"):
        await extracted(syntage_client, "buro_de_credito_report", {"productType": product})
    path = at(syntage_client, "metrics/buro-de-credito/summary")

    whole = (await syntage_client.get(path))[1]
    rows = await syntage_client.all_rows(f"{path}?itemsPerPage=1")
    status, kind, content = await read(syntage_client, f"{path}/export", "text/csv")
    nothing = (await syntage_client.get(f"{path}?options[to]=2020-01-31"))[1]

    assert ("/contexts/BuroDeCreditoSummary", 2) == (whole["@context"], whole["hydra:totalItems"])
    assert ["RCO", "INFORME_BURO"] == [each["productType"] for each in rows]
    assert whole["hydra:member"] == rows
    told = {(each["scoreCode"], len(each["scoreReasonCodes"]), each["externalReturnKey"]) for each in rows}
    assert {("12", 2, "1")} == told
    assert (200, "text/csv", 2) == (status, kind, len(list(csv.DictReader(io.StringIO(content.decode())))))
    assert 0 == nothing["hydra:totalItems"]
    assert 400 == (await read(syntage_client, f"{path}/export", "application/pdf"))[0]


async def test_sales_of_the_year_are_told_once_all_are_held(syntage_client: SyntageClient) -> None:
    """A gap in what was extracted leaves them out."""
    path = at(syntage_client, "summary")
    await finished(syntage_client, options={"period": {"from": "2026-03-01", "to": "2026-05-31"}})
    gap = (await syntage_client.get(path))[1]["totalSalesRevenueCurrentYear"]
    await finished(syntage_client, options={"period": {"from": "2025-12-01", "to": "2026-02-28"}})
    year = (await syntage_client.get(path))[1]["totalSalesRevenueCurrentYear"]

    assert gap is None
    assert year > 0


@pytest.mark.parametrize(
    ("days", "is_whole"),
    [([], False), ([(1, 31)], True), ([(1, 10), (11, 31)], True), ([(11, 31), (1, 10)], True),
     ([(1, 10), (12, 31)], False),     ([(2, 31)], False), ([(1, 30)], False)],
)  # fmt: skip
def test_periods_that_reach_through(days: list[tuple[int, int]], is_whole: bool) -> None:
    """In whatever order, without a day left out."""
    periods = [(date(2026, 1, first), date(2026, 1, last)) for first, last in days]

    assert is_whole is reaches(periods, date(2026, 1, 1), date(2026, 2, 1))


def test_scores_are_counted_by_hundreds() -> None:
    """A bucket of which there is none is left out."""
    found: Any = distribution([{"score": "532"}, {"score": "500"}, {"score": "701"}])

    assert [(500, 2), (700, 1)] == [(each["label"], each["metric"]) for each in found["distribution"]]
