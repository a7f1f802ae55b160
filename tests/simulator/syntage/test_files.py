"""Files of the simulated Syntage: metadata, downloads from another origin, CFDIs in three forms."""

from __future__ import annotations

import asyncio
import json
import xml.etree.ElementTree as ET
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from tests.simulator.conftest import SyntageClient
from tests.simulator.syntage.kit import finished, first, read


async def link_of(client: SyntageClient, path: str) -> str:
    """Where a download is redirected to."""
    async with client.http.get(path, allow_redirects=False) as response:
        assert 302 == response.status
        return response.headers["Location"]


async def fetched(link: str, **headers: str) -> tuple[int, bytes]:
    async with aiohttp.ClientSession() as bare, bare.get(link, headers=headers) as response:
        return response.status, await response.read()


async def test_files_are_announced_and_described(syntage_client: SyntageClient) -> None:
    """Each new file is a `file.created` event; its metadata names resource, type and size."""
    number = await finished(syntage_client)
    (invoice, *_) = await syntage_client.all_rows(f"{first(syntage_client)}/invoices")

    events = await syntage_client.all_rows(f"/events?type=file.created&source=/extractions/{number}&itemsPerPage=1000")
    mine = [event for event in events if event["data"]["object"]["resource"] == invoice["@id"]]
    _, file = await syntage_client.get(mine[0]["resource"])

    assert {"invoice.cfdi.xml", "invoice.cfdi.pdf"} == {event["data"]["object"]["type"] for event in mine}
    assert {"@context", "@id", "@type", "id", "type", "resource", "mimeType", "extension", "size", "filename",
            "createdAt", "updatedAt"} == set(file)  # fmt: skip
    assert mine[0]["data"]["object"] == {name: file[name] for name in mine[0]["data"]["object"]}


async def test_download_is_redirected_to_another_origin(syntage_client: SyntageClient) -> None:
    """The storage gives exactly `size` bytes to a request without the key."""
    await finished(syntage_client, "tax_status")
    (row,) = await syntage_client.all_rows(f"{first(syntage_client)}/tax-status")

    link = await link_of(syntage_client, f"{row['file']['@id']}/download")
    status, content = await fetched(link)

    assert link.startswith(syntage_client.syntage.storage.url)
    assert syntage_client.syntage.storage.url != syntage_client.syntage.url
    assert (200, row["file"]["size"], b"%PDF-") == (status, len(content), content[:5])


@pytest.mark.parametrize("header", ["X-API-Key", "Authorization"])
async def test_storage_refuses_credentials(syntage_client: SyntageClient, header: str) -> None:
    """A client that carries its key to the other origin gets 403, and the leak can be seen."""
    number = syntage_client.syntage.add_file(10)
    link = await link_of(syntage_client, f"/files/{number}/download")

    status, _ = await fetched(link, **{header: syntage_client.syntage.api_key})

    assert 403 == status
    assert [403] == [seen.status for seen in syntage_client.syntage.storage.requests]
    assert syntage_client.syntage.api_key not in repr(syntage_client.syntage.storage.requests)


async def test_links_are_short_lived(syntage_client: SyntageClient) -> None:
    """Good for five minutes; a made-up signature never."""
    number = syntage_client.syntage.add_file(10)
    link = await link_of(syntage_client, f"/files/{number}/download")
    fresh, _ = await fetched(link)
    await asyncio.sleep(301)

    late, _ = await fetched(link)
    forged, _ = await fetched(link[:-1] + ("0" if link[-1] != "0" else "1"))

    assert [200, 403, 403] == [fresh, late, forged]


async def test_big_files_are_made_as_they_are_read(syntage_client: SyntageClient) -> None:
    """`add_file` holds a file of any size."""
    number = syntage_client.syntage.add_file(1_000_001)

    _, file = await syntage_client.get(f"/files/{number}")
    status, content = await fetched(await link_of(syntage_client, f"/files/{number}/download"))

    assert (200, 1_000_001, 1_000_001) == (status, file["size"], len(content))


@pytest.mark.parametrize("names", [{}, {"filename": "same.bin"}], ids=["default name", "same name"])
async def test_each_added_file_is_a_new_one(syntage_client: SyntageClient, names: dict[str, str]) -> None:
    """`add_file` twice holds two files, each of its own size; a name is no identity."""
    numbers = [syntage_client.syntage.add_file(size, **names) for size in (10, 20)]

    files = [(await syntage_client.get(f"/files/{number}"))[1] for number in numbers]

    assert [10, 20] == [file["size"] for file in files]
    assert 2 == len({file["resource"] for file in files})


@pytest.mark.parametrize(("fault", "status"), [("expired", 403), ("server_error", 500)])
async def test_scripted_download_faults(syntage_client: SyntageClient, fault: Any, status: int) -> None:
    """The next download fails; the one after is fine."""
    link = await link_of(syntage_client, f"/files/{syntage_client.syntage.add_file(10)}/download")
    syntage_client.syntage.next_download(fault)

    assert [status, 200] == [(await fetched(link))[0], (await fetched(link))[0]]


async def test_cut_download(syntage_client: SyntageClient) -> None:
    """The connection closes half-way: fewer bytes than announced."""
    link = await link_of(syntage_client, f"/files/{syntage_client.syntage.add_file(200_000)}/download")
    syntage_client.syntage.next_download("cut_body")

    with pytest.raises(aiohttp.ClientPayloadError):
        await fetched(link)


@pytest.mark.parametrize("path", ["/files/nothing", "/files/nothing/download", "/invoices/nothing/cfdi",
                                  "/tax-retentions/nothing/cfdi", "/tax-returns/nothing/pdf",
                                  "/tax-returns/nothing/data", "/background-checks/nothing/pdf"])  # fmt: skip
async def test_what_is_not_there_is_not_found(syntage_client: SyntageClient, path: str) -> None:
    """404 with a message."""
    status, body = await syntage_client.get(path)

    assert (404, ["message"]) == (status, list(body))


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("text/xml", "text/xml"),
        ("application/pdf", "application/pdf"),
        ("application/json", "application/json"),
        ("*/*", "application/json"),
        ("text/html, text/xml;q=0.9", "text/xml"),
    ],
)
@pytest.mark.parametrize(
    ("extractor", "path"), [("invoice", "invoices"), ("tax_retention", "tax-retentions")], ids=["invoice", "retention"]
)
async def test_cfdi_in_the_form_asked_for(
    syntage_client: SyntageClient, extractor: str, path: str, accept: str, content_type: str
) -> None:
    """Accept chooses XML, PDF or JSON; JSON is the default. All of them name the receipt."""
    await finished(syntage_client, extractor)
    (row, *_) = await syntage_client.all_rows(f"{first(syntage_client)}/{path}")

    status, given, content = await read(syntage_client, f"{row['@id']}/cfdi", accept)

    assert (200, content_type) == (status, given)
    assert row["uuid"].encode() in content.lower()
    if content_type == "text/xml":
        ET.fromstring(content)


async def test_cfdi_as_json_maps_the_xml(syntage_client: SyntageClient) -> None:
    """Attributes are keys, numbers lose their quotes, lines stay a list; amounts are those of the record."""
    await finished(syntage_client, "invoice", {"types": ["I"], "period": {"from": "2025-01-01", "to": "2025-12-31"}})
    (row, *_) = syntage_client.syntage.rows(f"{first(syntage_client)}/invoices")

    _, _, content = await read(syntage_client, f"/invoices/{row['id']}/cfdi", "application/json")
    cfdi = json.loads(content, parse_float=Decimal)

    assert (row["total"], row["subtotal"]) == (cfdi["Total"], cfdi["SubTotal"])
    assert (row["issuer"]["taxRegime"], row["placeOfIssue"]) == (
        cfdi["Emisor"]["RegimenFiscal"],
        cfdi["LugarExpedicion"],
    )
    assert isinstance(cfdi["Conceptos"]["Concepto"], list)
    assert row["uuid"] == cfdi["Complemento"]["TimbreFiscalDigital"]["UUID"]


@pytest.mark.parametrize(
    ("missing", "accept"), [("xml", "text/xml"), ("xml", "application/json"), ("pdf", "application/pdf")]
)
async def test_cfdi_not_held_is_not_found(syntage_client: SyntageClient, missing: str, accept: str) -> None:
    """404 while the record says the file is not held; the other file is there."""
    period = {"period": {"from": "2025-01-01", "to": "2025-12-31"}}
    await finished(syntage_client, "invoice", {**period, missing: False})
    (row, *_) = await syntage_client.all_rows(f"{first(syntage_client)}/invoices")

    status, _, _ = await read(syntage_client, f"{row['@id']}/cfdi", accept)
    other, _, _ = await read(
        syntage_client, f"{row['@id']}/cfdi", "text/xml" if missing == "pdf" else "application/pdf"
    )

    assert (404, 200) == (status, other)


async def test_cfdi_by_fiscal_uuid(syntage_client: SyntageClient) -> None:
    """Found by the folio of the SAT; while its XML is not held, 404, or 202 to those who would wait."""
    period = {"period": {"from": "2025-01-01", "to": "2025-12-31"}}
    await finished(syntage_client, "invoice", {**period, "xml": False})
    (row, *_) = await syntage_client.all_rows(f"{first(syntage_client)}/invoices")
    path = f"/datasources/mx/sat/cfdis/{row['uuid'].upper()}"

    missing, _ = await syntage_client.get(path)
    later, empty = await syntage_client.get(path, {"X-Async-Process": "1"})
    await finished(syntage_client, "invoice", period)
    found, body = await syntage_client.get(path)

    assert [404, 202, 200] == [missing, later, found]
    assert ({}, None) == (empty["data"], empty["processedXmlAt"])
    assert row["uuid"] == body["data"]["Complemento"]["TimbreFiscalDigital"]["UUID"]


async def test_tax_return_documents(syntage_client: SyntageClient) -> None:
    """The transcript as PDF, and the figures read out of it as JSON."""
    await finished(syntage_client, "monthly_tax_return")
    (row, *_) = await syntage_client.all_rows(f"{first(syntage_client)}/tax-returns")

    status, kind, content = await read(syntage_client, f"{row['@id']}/pdf")
    _, data = await syntage_client.get(f"{row['@id']}/data")

    assert (200, "application/pdf", row["files"][0]["size"]) == (status, kind, len(content))
    assert {"salesRevenue", "cashInflow", "cashOutflow", "employees", "payrollAmount"} <= set(data)


async def test_background_check_as_pdf(syntage_client: SyntageClient) -> None:
    """The report of a check."""
    await finished(syntage_client, "background_check")
    (row,) = await syntage_client.all_rows(f"{first(syntage_client)}/background-checks")

    status, kind, _ = await read(syntage_client, f"{row['@id']}/pdf")

    assert (200, "application/pdf") == (status, kind)


async def test_a_file_comes_from_the_host_the_client_named(syntage_client: SyntageClient) -> None:
    """Behind the port map of a container the storage's own address leads nowhere; its port stays its own."""
    number = syntage_client.syntage.add_file(10)
    async with syntage_client.http.get(
        f"/files/{number}/download", headers={"Host": "simulator:18802"}, allow_redirects=False
    ) as response:
        there = urlsplit(response.headers["Location"])

    assert ("simulator", urlsplit(syntage_client.syntage.storage.url).port) == (there.hostname, there.port)
