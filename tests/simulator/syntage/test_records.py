"""What the extractors besides `invoice` bring, and where Syntage lists it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from belvo_async.simulator import SyntageSimulator
from tests.simulator.conftest import Receiver, SyntageClient
from tests.simulator.syntage.kit import LONG, finished, first

# extractor, its list below an entity, type of the rows
LISTS = [
    ("annual_tax_return", "tax-returns", "TaxReturn"),
    ("monthly_tax_return", "tax-returns", "TaxReturn"),
    ("tax_status", "tax-status", "TaxStatus"),
    ("tax_compliance", "tax-compliance-checks", "TaxComplianceCheck"),
    ("tax_retention", "tax-retentions", "TaxRetention"),
    ("electronic_accounting", "electronic-accounting-records", "ElectronicAccountingRecord"),
    ("sat_certificates", "datasources/mx/sat/certificados", "SatCertificate"),
    ("rpc", "datasources/mx/rpc/entidades", "RpcEntidade"),
    ("rpc", "datasources/mx/rpc/actos", "RpcActo"),
    ("rug", "datasources/rug/garantias", "RugGarantia"),
    ("rug", "datasources/rug/operaciones", "RugOperacion"),
    ("bil", "datasources/bil/reports", "BilReport"),
    ("buro_de_credito_report", "datasources/mx/buro-de-credito/reports", "BuroDeCreditoReport"),
    ("background_check", "background-checks", "BackgroundCheck"),
]
EVERY_LIST = pytest.mark.parametrize(("extractor", "path", "kind"), LISTS, ids=[f"{one[0]}-{one[2]}" for one in LISTS])
# The fields of the vendor's schemas, beside @id, @type, id, createdAt and updatedAt.
FIELDS = {
    "TaxReturn": "taxpayer operationNumber intervalUnit period fiscalYear type complementary presentedAt captureLine "
    "files issifObligation payment",
    "TaxStatus": "file rfc cif person company email phone address economicActivities taxRegimes obligations "
    "startedOperationsAt status statusUpdatedAt",
    "TaxComplianceCheck": "file internalIdentifier taxpayer result checkedAt",
    "TaxRetention": "uuid version code description issuer receiver pac internalIdentifier issuedAt certifiedAt "
    "canceledAt items totalOperationAmount totalTaxableAmount totalExemptAmount totalRetainedAmount periodFrom "
    "periodTo pdf xml",
    "ElectronicAccountingRecord": "year month type reason fileType filename code receivedAt status files",
    "SatCertificate": "link serialNumber type issuer subject validFrom validTo file status revokedAt",
    "RpcEntidade": "fme nombreRazonSocial objetoSocial duracionDeLaSociedad domicilioSocial nacionalidad estatusFme "
    "rfc tipoDePersona antecedenteRegistral regimenJuridico giro entidadFederativa municipio oficinaRegistral "
    "fechaDeInscripcion curp lookupBy actos socios",
    "RpcActo": "formaPrecodificada acto nci fechaDeIngreso fechaDeInscripcion numeroDeDocumento modalidad data file",
    "RugGarantia": "numeroDeGarantia fechaDeInscripcion fechaDeCancelacion otorgantes acreedor tipoDeGarantia monto "
    "moneda tipoDeLosBienes descripcionDeLosBienes fechaDeCelebracionDelActoOContrato "
    "fechaDeTerminacionDelActoOContrato operaciones",
    "RugOperacion": "numeroDeAsiento tipo fecha file numeroDeGarantia otorgantes boleta",
    "BilReport": "fecha investigado folio gradoMaximo data xmlFile pdfFile",
    "BuroDeCreditoReport": "link provider productType reportId data score files",
    "BackgroundCheck": "link country score status scores databaseStatuses files",
}


@EVERY_LIST
async def test_rows_appear_when_their_extraction_ends(
    syntage_client: SyntageClient, extractor: str, path: str, kind: str
) -> None:
    """Nothing before; afterwards rows with every field of the vendor's schema, newest id first."""
    before = await syntage_client.all_rows(f"{first(syntage_client)}/{path}")

    await finished(syntage_client, extractor)
    rows = await syntage_client.all_rows(f"{first(syntage_client)}/{path}")

    assert [] == before
    assert {kind} == {row["@type"] for row in rows}
    assert sorted((row["id"] for row in rows), reverse=True) == [row["id"] for row in rows]
    times = {"createdAt"} if kind == "TaxComplianceCheck" else {"createdAt", "updatedAt"}
    assert {"@id", "@type", "id", *times, *FIELDS[kind].split()} == set(rows[0])


@EVERY_LIST
async def test_single_reads(syntage_client: SyntageClient, extractor: str, path: str, kind: str) -> None:
    """Each row is read by its own IRI as well; an unknown id is a 404."""
    await finished(syntage_client, extractor)
    (row, *_) = await syntage_client.all_rows(f"{first(syntage_client)}/{path}")

    status, single = await syntage_client.get(row["@id"])
    missing, _ = await syntage_client.get(row["@id"].rpartition("/")[0] + "/00000000-0000-4000-8000-000000000000")

    assert (200, {"@context": f"/contexts/{kind}", **row}) == (status, single)
    assert 404 == missing


@EVERY_LIST
async def test_unknown_entity_is_not_found(syntage_client: SyntageClient, extractor: str, path: str, kind: str) -> None:
    """404 for the lists of an entity that does not exist."""
    status, _ = await syntage_client.get(f"/entities/00000000-0000-4000-8000-000000000000/{path}")

    assert 404 == status


@pytest.mark.parametrize("extractor", ["monthly_tax_return", "tax_status", "tax_retention", "rpc", "rug"])
async def test_what_is_known_is_not_created_again(syntage_client: SyntageClient, extractor: str) -> None:
    """An equal extraction later neither creates nor changes a record."""
    one, other = await finished(syntage_client, extractor), await finished(syntage_client, extractor)

    _, before = await syntage_client.get(f"/extractions/{one}")
    _, after = await syntage_client.get(f"/extractions/{other}")

    assert before["createdDataPoints"] > 0
    assert (0, 0) == (after["createdDataPoints"], after["updatedDataPoints"])


@pytest.mark.parametrize(
    ("extractor", "path"),
    [
        ("tax_compliance", "tax-compliance-checks"),
        ("bil", "datasources/bil/reports"),
        ("buro_de_credito_report", "datasources/mx/buro-de-credito/reports"),
        ("background_check", "background-checks"),
    ],
)
async def test_checks_are_made_anew(syntage_client: SyntageClient, extractor: str, path: str) -> None:
    """A check or report is a new record each time."""
    await finished(syntage_client, extractor)
    await finished(syntage_client, extractor)

    assert 2 == len(await syntage_client.all_rows(f"{first(syntage_client)}/{path}"))


async def test_returns_share_one_list(syntage_client: SyntageClient) -> None:
    """Annual, monthly and RIF returns differ in intervalUnit; RIF ones exist for persons only."""
    person = syntage_client.syntage.entities[2]
    for extractor in ("annual_tax_return", "monthly_tax_return", "rif_tax_return"):
        await finished(syntage_client, extractor, entity=person)
    await finished(syntage_client, "rif_tax_return")

    rows = await syntage_client.all_rows(f"{person}/tax-returns?itemsPerPage=1000")
    annual = await syntage_client.all_rows(f"{person}/tax-returns?intervalUnit=Anual")

    assert {"Anual", "Mensual", "RIF"} == {row["intervalUnit"] for row in rows}
    assert [row for row in rows if row["intervalUnit"] == "Anual"] == annual
    assert [] == await syntage_client.all_rows(f"{first(syntage_client)}/tax-returns")


@pytest.mark.parametrize(
    ("extractor", "path", "field"),
    [
        ("monthly_tax_return", "tax-returns", "presentedAt"),
        ("tax_retention", "tax-retentions", "issuedAt"),
        ("electronic_accounting", "electronic-accounting-records", "receivedAt"),
    ],
)
async def test_periods_limit_what_comes(syntage_client: SyntageClient, extractor: str, path: str, field: str) -> None:
    """The period is one of filing (or issuing) dates, both ends included."""
    await finished(syntage_client, extractor, {"period": {"from": "2025-03-01", "to": "2025-05-31"}})

    rows = await syntage_client.all_rows(f"{first(syntage_client)}/{path}")

    assert rows
    assert {"2025-03", "2025-04", "2025-05"} >= {row[field][:7] for row in rows}


@pytest.mark.parametrize(
    ("path", "query", "keeps"),
    [
        ("tax-returns", "type=Complementaria", lambda row: row["type"] == "Complementaria"),
        ("tax-returns", "fiscalYear=2024&period=Marzo",
         lambda row: str(row["fiscalYear"]) == "2024" and row["period"] == "Marzo"),
        ("tax-returns", "presentedAt[after]=2025-01-01", lambda row: row["presentedAt"] >= "2025-01-01"),
        ("tax-returns", "operationNumber=2501", lambda row: "2501" in str(row["operationNumber"])),
        ("tax-retentions", "totalRetainedAmount[gt]=2000", lambda row: row["totalRetainedAmount"] > 2000),
        ("tax-retentions", "code[]=14&code[]=16", lambda row: row["code"] in ("14", "16")),
        ("tax-retentions", "hasXml=false", lambda row: not row["xml"]),
        ("tax-retentions", "exists[canceledAt]=true", lambda row: row["canceledAt"] is not None),
        ("electronic-accounting-records", "year=2024&month[]=2&month[]=13",
         lambda row: row["year"] == 2024 and row["month"] in (2, 13)),
        ("electronic-accounting-records", "fileType=CT", lambda row: row["fileType"] == "CT"),
        ("datasources/mx/sat/certificados", "type=csd", lambda row: row["type"] == "csd"),
        ("datasources/mx/rpc/entidades", "lookupBy=shareholder", lambda row: False),
        ("datasources/rug/garantias", "moneda=nada&made_up=1", lambda row: False),
        ("background-checks", "status=completed", lambda row: True),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
async def test_record_filters(syntage_client: SyntageClient, path: str, query: str, keeps: Any) -> None:
    """Each documented filter keeps exactly the rows it names."""
    for extractor in dict.fromkeys(extractor for extractor, listed, _ in LISTS if listed == path):
        await finished(syntage_client, extractor)
    everything = await syntage_client.all_rows(f"{first(syntage_client)}/{path}?itemsPerPage=1000")

    rows = await syntage_client.all_rows(f"{first(syntage_client)}/{path}?{query}")

    assert [row["id"] for row in everything if keeps(row)] == [row["id"] for row in rows]


async def test_records_are_paged_by_cursor(syntage_client: SyntageClient) -> None:
    """Small pages give each row once; a total comes on request only."""
    await finished(syntage_client, "electronic_accounting")
    path = f"{first(syntage_client)}/electronic-accounting-records"

    rows = await syntage_client.all_rows(f"{path}?itemsPerPage=7")
    _, without = await syntage_client.get(path)
    _, with_total = await syntage_client.get(path, {"X-Pagination-Enable-Partial": "0"})

    assert len({row["id"] for row in rows}) == len(rows) == with_total["hydra:totalItems"]
    assert "hydra:totalItems" not in without


async def test_amounts_of_retentions_balance(syntage_client: SyntageClient) -> None:
    """The total retained is the sum of the items."""
    await finished(syntage_client, "tax_retention")

    rows = await syntage_client.all_rows(f"{first(syntage_client)}/tax-retentions?itemsPerPage=1000")

    for row in rows:
        assert round(sum(item["retainedAmount"] for item in row["items"]), 2) == row["totalRetainedAmount"]
        assert round(row["totalTaxableAmount"] + row["totalExemptAmount"], 2) == row["totalOperationAmount"]


async def test_commerce_registry_hangs_together(syntage_client: SyntageClient) -> None:
    """Acts and partners of a folio are records of their own; a partner names its folio."""
    await finished(syntage_client, "rpc")
    (folio,) = await syntage_client.all_rows(f"{first(syntage_client)}/datasources/mx/rpc/entidades")
    acts = await syntage_client.all_rows(f"{first(syntage_client)}/datasources/mx/rpc/actos")

    _, partner = await syntage_client.get(f"/datasources/rpc/socios/{folio['socios'][0]['id']}")

    assert {act["id"] for act in folio["actos"]} == {act["id"] for act in acts}
    assert folio["@id"] == partner["rpcEntidade"]["@id"]


async def test_certificates_have_a_standing(syntage_client: SyntageClient) -> None:
    """Valid, expired and revoked ones exist."""
    await finished(syntage_client, "sat_certificates")

    rows = await syntage_client.all_rows(f"{first(syntage_client)}/datasources/mx/sat/certificados")

    assert {"valid", "expired", "revoked"} == {row["status"] for row in rows}
    assert all((row["status"] == "revoked") == (row["revokedAt"] is not None) for row in rows)


async def test_credit_report_in_the_product_asked_for(syntage_client: SyntageClient) -> None:
    """RCO instead of the default of companies."""
    await finished(syntage_client, "buro_de_credito_report", {"productType": "RCO"})

    (row,) = await syntage_client.all_rows(f"{first(syntage_client)}/datasources/mx/buro-de-credito/reports")

    assert ("RCO", first(syntage_client)) == (row["productType"], row["link"])


async def test_failed_extraction_brings_nothing(syntage_client: SyntageClient) -> None:
    """No record comes from an extraction that failed."""
    syntage_client.syntage.next_job(outcome="failed")
    await finished(syntage_client, "monthly_tax_return")

    assert [] == await syntage_client.all_rows(f"{first(syntage_client)}/tax-returns")


async def test_former_tree_by_rfc(syntage_client: SyntageClient) -> None:
    """/taxpayers/{rfc}/... still answers, with the same rows."""
    await finished(syntage_client, "tax_status")
    rfc = syntage_client.syntage.rfc_of(first(syntage_client))

    former = await syntage_client.all_rows(f"/taxpayers/{rfc}/tax-status")

    assert await syntage_client.all_rows(f"{first(syntage_client)}/tax-status") == former


@pytest.mark.parametrize(
    ("extractor", "path"), [("tax_status", "/tax-status"), ("background_check", "/background-checks")]
)
async def test_lists_of_all_entities(syntage_client: SyntageClient, extractor: str, path: str) -> None:
    """Two kinds have a list across entities."""
    for entity in syntage_client.syntage.entities:
        await finished(syntage_client, extractor, entity=entity)

    assert 3 == len(await syntage_client.all_rows(path))


async def test_rows_hook_is_the_ground_truth(syntage_client: SyntageClient) -> None:
    """`rows` gives what a list holds, filters included; another path is refused."""
    await finished(syntage_client, "monthly_tax_return")
    path = f"{first(syntage_client)}/tax-returns?fiscalYear=2025"

    listed = [row["id"] for row in await syntage_client.all_rows(path)]

    assert [row["id"] for row in syntage_client.syntage.rows(path)] == listed
    with pytest.raises(ValueError, match="no list"):
        syntage_client.syntage.rows("/nothing")


async def test_same_seed_same_records(clock: Any) -> None:
    """Everything but the instant of gathering is fixed by the seed."""
    seen = []
    for _ in range(2):
        async with SyntageSimulator(now=clock.now, limits=False) as syntage:
            entity = syntage.entities[0]
            async with aiohttp.ClientSession(syntage.url, headers={"X-API-Key": syntage.api_key}) as http:
                for extractor in ("monthly_tax_return", "tax_retention", "rug"):
                    body = {"entity": entity, "extractor": extractor, "options": {"period": {"to": "2026-01-31"}}}
                    await http.post("/extractions", json=body)
                await asyncio.sleep(LONG)
            lists = ("tax-returns", "tax-retentions", "datasources/rug/garantias")
            rows = [row for path in lists for row in syntage.rows(f"{entity}/{path}")]
            varying = ("id", "files", "operaciones", "createdAt", "updatedAt", "@id")
            seen.append([{name: value for name, value in row.items() if name not in varying} for row in rows])

    assert seen[0] == seen[1]


async def test_records_are_announced_in_the_list_of_events(syntage_client: SyntageClient, receiver: Receiver) -> None:
    """One created event per record, named by its extraction; not delivered unless the endpoint asks for it."""
    number = await finished(syntage_client, "monthly_tax_return")
    rows = await syntage_client.all_rows(f"{first(syntage_client)}/tax-returns?itemsPerPage=1000")

    events = await syntage_client.all_rows(
        f"/events?type=tax_return.created&source=/extractions/{number}&itemsPerPage=1000"
    )

    assert {row["@id"] for row in rows} == {event["resource"] for event in events}
    assert rows[0]["operationNumber"] in {event["data"]["object"]["operationNumber"] for event in events}
    assert {"extraction"} == {body["type"].partition(".")[0] for body in receiver.bodies}


async def test_endpoint_may_ask_for_records(clock: Any, receiver: Receiver) -> None:
    """`webhook_events` subscribes the endpoint to other types."""
    async with (
        SyntageSimulator(
            now=clock.now, limits=False, webhook_url=receiver.url, webhook_events=("tax_status.created",)
        ) as syntage,
        aiohttp.ClientSession(syntage.url, headers={"X-API-Key": syntage.api_key}) as http,
    ):
        await http.post("/extractions", json={"entity": syntage.entities[0], "extractor": "tax_status"})
        await asyncio.sleep(LONG)

    assert ["tax_status.created"] == [body["type"] for body in receiver.bodies]


async def test_events_of_an_entity(syntage_client: SyntageClient) -> None:
    """/entities/{id}/events holds those about it; one event can be deleted."""
    for entity in syntage_client.syntage.entities[:2]:
        await finished(syntage_client, "tax_status", entity=entity)
    rfc = syntage_client.syntage.rfc_of(first(syntage_client))

    rows = await syntage_client.all_rows(f"{first(syntage_client)}/events")
    async with syntage_client.http.delete(rows[0]["@id"]) as response:
        deleted = response.status

    assert {rfc} == {row["taxpayer"]["id"] for row in rows}
    assert (204, 404) == (deleted, (await syntage_client.get(rows[0]["@id"]))[0])
    assert len(rows) - 1 == len(await syntage_client.all_rows(f"{first(syntage_client)}/events"))


async def test_answers_can_be_held_back(syntage_client: SyntageClient, clock: Any) -> None:
    """`answer_delay` is waited before every answer, whatever the speed."""
    syntage_client.syntage.answer_delay = timedelta(seconds=2)
    began = clock.now()

    await syntage_client.get("/extractions")

    assert timedelta(seconds=2) <= clock.now() - began
