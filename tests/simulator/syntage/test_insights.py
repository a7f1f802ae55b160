"""Insights of the simulated Syntage as a plain client sees them: forms, options, refusals, files."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date
from typing import Any

import pytest

from belvo_async.simulator.syntage.insights.periods import months_before, start_of, written
from tests.simulator.conftest import SyntageClient
from tests.simulator.syntage.kit import finished, first, read

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WHOLE = ("accounts-payable", "accounts-receivable", "cash-flow-stats", "customer-concentration", "employees",
         "expenditures", "financial-institutions", "government-customers", "invoicing-blacklist", "moratory-interest",
         "sales-revenue", "supplier-concentration")  # fmt: skip
PAGED = ("products-and-services-bought", "products-and-services-sold", "metrics/invoicing-annual-comparison",
         "metrics/vendor-network", "metrics/customer-network")  # fmt: skip


def at(client: SyntageClient, name: str) -> str:
    return f"{first(client)}/insights/{name}"


OF_STATEMENTS = ("financial-ratios", "metrics/balance-sheet", "metrics/income-statement", "trial-balance", "risks",
                 "metrics/scores", "summary", "metrics/buro-de-credito/summary")  # fmt: skip


@pytest.mark.parametrize("name", [*WHOLE, *PAGED, *OF_STATEMENTS])
async def test_an_insight_belongs_to_an_entity(syntage_client: SyntageClient, name: str) -> None:
    """Nothing held is an empty insight, and nobody is a 404; a date that is none is refused."""
    empty = await syntage_client.get(at(syntage_client, name))
    nobody = await syntage_client.get(f"/entities/0f3a5c1e-7b42-4d19-9c60-2a8e51d7b904/insights/{name}")
    wrong = await syntage_client.get(f"{at(syntage_client, name)}?options[from]=yesterday")

    assert (200, 404, 400) == (empty[0], nobody[0], wrong[0])
    assert "options.from" == wrong[1]["violations"][0]["propertyPath"]


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ("sales-revenue?options[periodicity]=hourly", "options.periodicity"),
        ("sales-revenue?options[type]=counterparty", "options.type"),
        ("invoicing-concentration", "options.type"),
        ("invoicing-concentration?options[type]=both", "options.type"),
    ],
)
async def test_options_take_the_documented_words(syntage_client: SyntageClient, asked: str, field: str) -> None:
    """One that has no default must be there."""
    status, body = await syntage_client.get(at(syntage_client, asked))

    assert (400, [field]) == (status, [each["propertyPath"] for each in body["violations"]])


async def test_an_insight_follows_what_is_gathered(syntage_client: SyntageClient) -> None:
    """It is computed when it is asked for: an invoice cancelled meanwhile no longer counts."""
    await finished(syntage_client)
    before = (await syntage_client.get(at(syntage_client, "sales-revenue?options[periodicity]=yearly")))[1]["data"][0]
    rows = syntage_client.syntage.invoices(
        first(syntage_client), {"period": {"from": "2025-01-01", "to": "2025-12-31"}}
    )
    sale: Any = next(
        each for each in rows if (each["isIssuer"], each["type"], each["status"]) == (True, "I", "VIGENTE")
    )

    syntage_client.syntage.alter("cancelled", sale["uuid"], seen=True)
    after = (await syntage_client.get(at(syntage_client, "sales-revenue?options[periodicity]=yearly")))[1]["data"][0]

    assert before["transactions"] - 1 == after["transactions"]
    assert float(sale["total"] * (sale["exchangeRate"] or 1)) == pytest.approx(before["metric"] - after["metric"])


async def test_accounts_speak_the_language_that_is_asked_for(syntage_client: SyntageClient) -> None:
    """English, or Spanish."""
    await finished(syntage_client)
    path = at(syntage_client, "accounts-receivable")

    english = (await syntage_client.get(path))[1]["data"]
    spanish = (await syntage_client.get(path, {"Accept-Language": "es-MX"}))[1]["data"]

    assert {"Due", "Paid"} == {each["label"] for each in english["nonCumulative"]}
    assert {"Vencido", "Pagado"} == {each["dimension"] for each in spanish["nonCumulative"]}
    assert {"Vencido Acumulado"} == {each["groupName"] for each in spanish["cumulative"]}


async def test_products_have_pages_without_links(syntage_client: SyntageClient) -> None:
    """Rows and their number alone; the next page is one's own business."""
    await finished(syntage_client)
    path = at(syntage_client, "products-and-services-sold")

    whole = (await syntage_client.get(path))[1]
    parts = [(await syntage_client.get(f"{path}?itemsPerPage=3&page={each}"))[1] for each in (1, 2, 3, 4)]
    refused = [await syntage_client.get(f"{path}?{each}") for each in ("itemsPerPage=501", "itemsPerPage=0", "page=x")]

    assert {"hydra:member", "hydra:totalItems"} == set(whole)
    assert whole["hydra:member"] == [row for part in parts for row in part["hydra:member"]]
    assert {len(whole["hydra:member"])} == {each["hydra:totalItems"] for each in (whole, *parts)}
    assert [400, 400, 400] == [status for status, _ in refused]


async def test_networks_have_pages_with_links(syntage_client: SyntageClient) -> None:
    """The usual envelope; amounts are texts."""
    await finished(syntage_client)

    body = (await syntage_client.get(at(syntage_client, "metrics/customer-network?itemsPerPage=10")))[1]
    rows = await syntage_client.all_rows(at(syntage_client, "metrics/customer-network?itemsPerPage=10"))

    assert ("/contexts/GetCustomerNetwork", "hydra:Collection") == (body["@context"], body["@type"])
    assert len(rows) == body["hydra:totalItems"] > 10
    assert {str} == {type(each["totalReceived"]) for each in rows}


async def test_the_deprecated_concentration_is_plain_json(syntage_client: SyntageClient) -> None:
    """Ten at most, without RFCs, amounts as texts."""
    await finished(syntage_client)
    path = at(syntage_client, "invoicing-concentration?options[type]=received")

    _, kind, _ = await read(syntage_client, path)
    rows = (await syntage_client.get(path))[1]

    assert ("application/json", 10) == (kind, len(rows))
    assert {"name", "total", "share", "transactions"} == set(rows[0])
    assert isinstance(rows[0]["total"], str)


async def test_every_insight_can_be_had_as_a_file(syntage_client: SyntageClient) -> None:
    """CSV with a header, or a workbook of one sheet with as many rows."""
    await finished(syntage_client)

    for name in (*WHOLE, *PAGED[:2]):
        path = at(syntage_client, f"{name}/export")
        status, kind, content = await read(syntage_client, path, "text/csv")
        book_status, book_kind, book = await read(syntage_client, path, XLSX)

        rows = list(csv.reader(io.StringIO(content.decode())))
        sheet = zipfile.ZipFile(io.BytesIO(book)).read("xl/worksheets/sheet1.xml").decode()
        assert (200, "text/csv", 200, XLSX) == (status, kind, book_status, book_kind)
        assert len(rows) == sheet.count("<row>")
        assert len(rows) > 1 or name in ("invoicing-blacklist", "government-customers")


async def test_a_file_is_refused_for_a_reason(syntage_client: SyntageClient) -> None:
    """A form nobody writes, an insight nobody knows, an option it has not."""
    path = at(syntage_client, "sales-revenue/export")

    statuses = [
        (await read(syntage_client, path, "application/pdf"))[0],
        (await read(syntage_client, path))[0],
        (await read(syntage_client, at(syntage_client, "of-tomorrow/export"), "text/csv"))[0],
        (await read(syntage_client, path.replace(first(syntage_client), "/entities/x"), "text/csv"))[0],
        (await read(syntage_client, f"{path}?options[type]=nonsense", "text/csv"))[0],
    ]

    assert [400, 400, 404, 404, 422] == statuses


@pytest.mark.parametrize(
    ("periodicity", "day", "start", "words"),
    [
        ("daily", "2024-08-14", "2024-08-14", ("20240814", "2024/Aug/14")),
        ("weekly", "2025-01-01", "2024-12-30", ("202501", "2025/W01")),
        ("monthly", "2024-08-14", "2024-08-01", ("202408", "2024/Aug")),
        ("quarterly", "2024-12-31", "2024-10-01", ("20244", "2024/Q4")),
        ("yearly", "2024-08-14", "2024-01-01", ("2024", "2024")),
    ],
)
def test_where_periods_begin(periodicity: str, day: str, start: str, words: tuple[str, str]) -> None:
    """Weeks on Mondays, also across years."""
    found = start_of(periodicity, date.fromisoformat(day))

    assert (start, words) == (found.isoformat(), written(periodicity, found))


def test_months_are_counted_across_years() -> None:
    """Their first days."""
    assert [date(2025, 12, 1), date(2025, 1, 1), date(2024, 12, 1)] == [
        months_before(date(2026, 1, 31), each) for each in (1, 12, 13)
    ]
