"""Exports of the simulated Syntage: a second kind of job."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import zipfile
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from belvo_async.simulator import Faults, SyntageSimulator
from tests.simulator.conftest import Receiver, SyntageClient
from tests.simulator.syntage.kit import finished, first, post, told

DONE = 60  # seconds, longer than any export


@pytest.fixture
async def filled(syntage_client: SyntageClient) -> SyntageClient:
    await finished(syntage_client)
    return syntage_client


async def exported(client: SyntageClient, **body: Any) -> dict[str, Any]:
    """Make an export and wait for its end."""
    status, made = await post(client, "/exports", {"format": "csv", "uri": f"{first(client)}/invoices", **body})
    assert 202 == status, made
    await asyncio.sleep(DONE)
    _, export = await client.get(made["@id"])
    return dict(export)


async def content_of(client: SyntageClient, export: dict[str, Any]) -> bytes:
    async with client.http.get(f"{export['file']['@id']}/download", allow_redirects=False) as response:
        link = response.headers["Location"]
    async with aiohttp.ClientSession() as bare, bare.get(link) as response:
        return await response.read()


async def test_export_goes_from_pending_to_finished(filled: SyntageClient, receiver: Receiver) -> None:
    """202 pending, then running, then finished with a file; each step is an event."""
    receiver.got.clear()
    status, made = await post(filled, "/exports", {"format": "xlsx", "uri": f"{first(filled)}/invoices"})
    await asyncio.sleep(4)
    _, running = await filled.get(made["@id"])
    await asyncio.sleep(DONE)
    _, done = await filled.get(made["@id"])

    assert (202, "pending", None) == (status, made["status"], made["file"])
    assert ["running", "finished"] == [running["status"], done["status"]]
    assert ("Export", made["@id"]) == (done["file"]["type"], done["file"]["resource"])
    events = told(receiver, "export")
    assert ["export.created", "export.updated", "export.updated"] == [body["type"] for body in events]
    assert [None, "running", "finished"] == [body["data"]["changes"].get("status", {}).get("new") for body in events]
    assert events[-1]["data"]["object"]["file"]["id"] == done["file"]["id"]


async def test_updates_may_lack_a_taxpayer(filled: SyntageClient, receiver: Receiver) -> None:
    """As observed: export.created names the taxpayer, export.updated does not."""
    await exported(filled)

    assert [True, False, False] == ["taxpayer" in body for body in told(receiver, "export")]


async def test_export_events_can_be_listed(filled: SyntageClient) -> None:
    """Those who missed the webhooks find them in the list of events, by type and resource."""
    export = await exported(filled)

    rows = await filled.all_rows(f"/events?type=export.updated&resource={export['@id']}")

    assert ["finished", "running"] == [row["data"]["object"]["status"] for row in rows]


async def test_csv_holds_the_filtered_list(filled: SyntageClient) -> None:
    """The rows of the uri, with its filters, one line each; nested fields have dotted names."""
    uri = f"{first(filled)}/invoices?type=E&isIssuer=true"

    export = await exported(filled, uri=uri)
    lines = list(csv.DictReader(io.StringIO((await content_of(filled, export)).decode())))

    assert [row["id"] for row in filled.syntage.rows(uri)] == [line["id"] for line in lines]
    assert {"total", "issuer.rfc", "issuedAt"} <= set(lines[0])
    assert "text/csv" == export["file"]["mimeType"]


async def test_json_is_an_array_of_rows(filled: SyntageClient) -> None:
    """The rows as the list shows them."""
    export = await exported(filled, format="json", uri=f"{first(filled)}/invoices/line-items")

    rows = json.loads(await content_of(filled, export))

    assert len(filled.syntage.rows(f"{first(filled)}/invoices/line-items")) == len(rows)


async def test_workbook_opens(filled: SyntageClient) -> None:
    """XLSX is an archive with a sheet of as many rows, and one for the names."""
    export = await exported(filled, format="xlsx")

    book = zipfile.ZipFile(io.BytesIO(await content_of(filled, export)))
    sheet = book.read("xl/worksheets/sheet1.xml").decode()

    assert 1 + len(filled.syntage.rows(f"{first(filled)}/invoices")) == sheet.count("<row>")


async def test_file_types_come_along_in_an_archive(filled: SyntageClient) -> None:
    """With fileTypes the file is a ZIP: the table, and each matching file."""
    export = await exported(filled, uri=f"{first(filled)}/invoices?type=E", fileTypes=["invoice.cfdi.xml"])
    body = await content_of(filled, export)

    names = zipfile.ZipFile(io.BytesIO(body)).namelist()

    assert ("zip", export["file"]["size"]) == (export["file"]["extension"], len(body))
    assert 1 + len(filled.syntage.rows(f"{first(filled)}/invoices?type=E")) == len(names)


async def test_tax_return_files_in_an_archive(syntage_client: SyntageClient) -> None:
    """Transcripts of returns."""
    await finished(syntage_client, "annual_tax_return")
    uri = f"{first(syntage_client)}/tax-returns"

    export = await exported(syntage_client, uri=uri, fileTypes=["tax_return.transcript"])
    names = zipfile.ZipFile(io.BytesIO(await content_of(syntage_client, export))).namelist()

    assert len(syntage_client.syntage.rows(uri)) == sum(name.startswith("tax_return.transcript/") for name in names)


async def test_report_as_pdf(syntage_client: SyntageClient) -> None:
    """PDF is for reports, and only for them."""
    uri = f"{first(syntage_client)}/reports/9137b53f-1abd-4d64-85c1-4e73d96fb997?exporting=true"

    export = await exported(syntage_client, format="pdf", uri=uri)

    assert b"%PDF-" == (await content_of(syntage_client, export))[:5]


async def test_scripted_failure(filled: SyntageClient, receiver: Receiver) -> None:
    """The next export fails: no file, and told so. The one after is fine."""
    filled.syntage.next_export(outcome="failed", duration=timedelta(seconds=5))

    failed, fine = await exported(filled), await exported(filled)

    assert [("failed", True), ("finished", False)] == [(one["status"], one["file"] is None) for one in (failed, fine)]
    assert "failed" in [body["data"]["object"]["status"] for body in told(receiver, "export")]


async def test_stuck_export_runs_for_ever(filled: SyntageClient) -> None:
    """`stuck` never ends."""
    filled.syntage.next_export(outcome="stuck")

    assert "running" == (await exported(filled))["status"]


async def test_file_of_a_given_size(filled: SyntageClient) -> None:
    """`size_bytes` makes a big file without holding it."""
    filled.syntage.next_export(size_bytes=3_000_000)

    export = await exported(filled, format="json")

    assert 3_000_000 == export["file"]["size"] == len(await content_of(filled, export))


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"format": "ods"}, "format"),
        ({"format": None}, "format"),
        ({"uri": None}, "uri"),
        ({"uri": "/nothing"}, "uri"),
        ({"uri": "https://elsewhere.example/entities"}, "uri"),
        ({"uri": "/entities/nothing/invoices"}, "uri"),
        ({"fileTypes": []}, "fileTypes"),
        ({"fileTypes": ["invoice.xml"]}, "fileTypes"),
        ({"format": "pdf"}, "format"),
    ],
    ids=["format", "no format", "no uri", "uri", "origin", "entity", "empty types", "types", "pdf of a list"],
)
async def test_export_violations(syntage_client: SyntageClient, changes: dict[str, Any], path: str) -> None:
    """400 names the field that is wrong."""
    body = {"format": "csv", "uri": f"{first(syntage_client)}/invoices", **changes}

    status, answer = await post(syntage_client, "/exports", body)

    assert (400, [path]) == (status, [one["propertyPath"] for one in answer["violations"]])


async def test_there_is_no_list_of_exports(filled: SyntageClient) -> None:
    """405 for the list, 404 for an unknown one."""
    listed, _ = await filled.get("/exports")
    unknown, _ = await filled.get("/exports/nothing")

    assert [405, 404] == [listed, unknown]


async def test_early_webhook(clock: Any, receiver: Receiver) -> None:
    """With `webhook_early` the end is announced before the 202 goes out."""
    async with (
        SyntageSimulator(
            now=clock.now, limits=False, webhook_url=receiver.url, faults=Faults(webhook_early=1.0)
        ) as syntage,
        aiohttp.ClientSession(syntage.url, headers={"X-API-Key": syntage.api_key}) as http,
        http.post("/exports", json={"format": "json", "uri": "/entities"}) as response,
    ):
        body = await response.json(content_type=None)
        told_first = [one["data"]["object"]["status"] for one in receiver.bodies]

    assert (202, "pending") == (response.status, body["status"])
    assert "finished" in told_first
