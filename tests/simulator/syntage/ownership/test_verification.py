"""Company verification and background checks of the simulated Syntage, and the insights that stand on them."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import Any

from tests.simulator.conftest import SyntageClient
from tests.simulator.syntage.kit import finished, first, read
from tests.simulator.syntage.workspace.test_authorizations import PERSON, authorize

REPORTS = "/datasources/mx/company-verification/reports"
REPORT = {"@id", "@type", "id", "link", "rpcEntity", "extraction", "files", "createdAt", "updatedAt"}
FOUND = {"@id", "@type", "id", "fullName", "nameVariations", "entityType", "totalsShares", "totalsAmount",
         "totalsPercentage", "isActive", "firstAppearanceDate", "holdings", "powers", "createdAt",
         "updatedAt"}  # fmt: skip
HUNDRED = Decimal(100)


async def verified(client: SyntageClient) -> tuple[str, Any]:
    """The first entity with a report that was ordered, and the report."""
    client.syntage.verify(first(client))
    await finished(client, "rpc", {})
    (report,) = await client.all_rows(f"{first(client)}{REPORTS}")
    return first(client), report


async def test_a_report_comes_with_the_register(syntage_client: SyntageClient) -> None:
    """In the lists and singly; it names the extraction and the company, and has its document in two forms."""
    entity, report = await verified(syntage_client)

    (extraction,) = await syntage_client.all_rows("/extractions")
    (folio,) = await syntage_client.all_rows(f"{entity}/datasources/mx/rpc/entidades")
    _, single = await syntage_client.get(f"{REPORTS}/{report['id']}")
    assert REPORT == set(report)
    assert [report] == await syntage_client.all_rows(REPORTS)
    assert report == {name: value for name, value in single.items() if name != "@context"}
    assert (entity, extraction["@id"]) == (report["link"], report["extraction"])
    assert (folio["id"], folio["fme"]) == (report["rpcEntity"]["id"], report["rpcEntity"]["fme"])
    assert {"pdf", "html"} == {each["extension"] for each in report["files"]}
    assert syntage_client.syntage.events(["company_verification_report.created"])


async def test_a_report_is_a_document(syntage_client: SyntageClient) -> None:
    """A PDF; none where there is no report."""
    _, report = await verified(syntage_client)

    status, kind, content = await read(syntage_client, f"{REPORTS}/{report['id']}/pdf")

    assert (200, "application/pdf", b"%PDF") == (status, kind, content[:4])
    assert 404 == (await read(syntage_client, f"{REPORTS}/nothing/pdf"))[0]


async def test_a_report_comes_once_unless_it_is_ordered(syntage_client: SyntageClient) -> None:
    """The latest is the one that counts."""
    entity, report = await verified(syntage_client)
    await finished(syntage_client, "rpc", {})
    assert [report] == await syntage_client.all_rows(REPORTS)

    syntage_client.syntage.verify(entity)
    await finished(syntage_client, "rpc", {})

    (newer, older) = await syntage_client.all_rows(REPORTS)
    assert (report["id"], True) == (older["id"], newer["id"] != report["id"])
    holders = await syntage_client.all_rows(f"{entity}/shareholders")
    sources = [each for row in holders for relation in row["relations"] for each in relation["sources"]]
    found = {row["id"] for row in await syntage_client.all_rows(f"{newer['@id']}/found-entities")}
    assert {True} == {each["sourceId"] in found for each in sources if each["sourceName"] == "company_verification"}


async def test_the_table_of_capital_adds_up(syntage_client: SyntageClient) -> None:
    """Each bucket is a hundred, and so are all together; who sold holds nothing, who only acts is in no table."""
    _, report = await verified(syntage_client)

    rows = await syntage_client.all_rows(f"{report['@id']}/found-entities")

    buckets: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        assert FOUND == set(row)
        assert (row["totalsShares"] or 0) == sum(each["shares"] for each in row["holdings"])
        assert Decimal(row["totalsAmount"] or 0) == sum(Decimal(each["amount"]) for each in row["holdings"])
        assert row["isActive"] is bool(row["holdings"])
        for each in row["holdings"]:
            assert Decimal(each["amount"]) == each["shares"] * Decimal(each["valuePerShare"])
            buckets[each["series"]] += Decimal(each["bucketPercentage"])
    assert {"A": HUNDRED, "B": HUNDRED} == buckets
    assert HUNDRED == sum(Decimal(row["totalsPercentage"] or 0) for row in rows)
    assert {None, 0} < {row["totalsShares"] for row in rows}
    assert {"person", "company"} == {row["entityType"] for row in rows}


async def test_found_entities_are_filtered_and_ordered(syntage_client: SyntageClient) -> None:
    """By a part of the name in either case, by kind, by whether they hold shares; ordered by percentage as numbers."""
    _, report = await verified(syntage_client)
    path = f"{report['@id']}/found-entities"
    rows = await syntage_client.all_rows(path)
    name = rows[0]["fullName"]

    named = await syntage_client.all_rows(f"{path}?fullName={name[:5].lower()}")
    companies = await syntage_client.all_rows(f"{path}?entityType=company")
    active = await syntage_client.all_rows(f"{path}?isActive=true")
    ordered = await syntage_client.all_rows(f"{path}?order[totalsPercentage]=desc")
    _, single = await syntage_client.get(rows[0]["@id"])

    assert [row for row in rows if name[:5] in row["fullName"]] == named
    assert [row for row in rows if row["entityType"] == "company"] == companies
    assert [row for row in rows if row["isActive"]] == active
    told = [Decimal(row["totalsPercentage"]) for row in ordered if row["totalsPercentage"]]
    assert sorted(told, reverse=True) == told
    assert name == single["fullName"]
    assert [404, 404] == [(await syntage_client.get(each))[0] for each in (f"{path}/x", f"{REPORTS}/x/found-entities")]


async def test_a_report_replaces_what_the_register_knew(syntage_client: SyntageClient) -> None:
    """The insight, and its deprecated form, show who the report names, by its percentages; all are shareholders."""
    entity, report = await verified(syntage_client)
    found = await syntage_client.all_rows(f"{report['@id']}/found-entities")

    rows = await syntage_client.all_rows(f"{entity}/insights/shareholders?relations.relationType=shareholders")
    _, old = await syntage_client.get(f"{entity}/insights/rpc-shareholders")

    holders = {row["fullName"]: row for row in found if row["holdings"]}
    assert set(holders) == {row["name"] for row in rows} == {row["name"] for row in old["data"]}
    for row in rows:
        assert holders[row["name"]]["totalsShares"] == int(row["shares"])
        exact = Decimal(holders[row["name"]]["totalsPercentage"])
        assert 0 <= exact - Decimal(row["percentage"]) < Decimal("0.01")
    assert HUNDRED == sum(Decimal(str(row["percentage"])) for row in old["data"])
    # Who sold is known still, by the register alone: no part of the company is theirs.
    held = [row["relations"][0] for row in await syntage_client.all_rows(f"{entity}/shareholders")]
    sold = [each for each in held if [source["sourceName"] for source in each["sources"]] == ["rpc_socio"]]
    assert [(None, None)] == [(each["totalShares"], each["ownership"]) for each in sold]
    assert sum(Decimal(str(each["ownership"])) for each in held if each["ownership"] is not None) <= 1


async def test_without_a_report_the_register_speaks(syntage_client: SyntageClient) -> None:
    """Percentages are then by the number of shares; nobody has powers."""
    entity = syntage_client.syntage.entities[2]
    await finished(syntage_client, "rpc", {}, entity=entity)

    rows = await syntage_client.all_rows(f"{entity}/insights/shareholders?relations.relationType=shareholders")
    _, old = await syntage_client.get(f"{entity}/insights/rpc-shareholders")
    _, powers = await syntage_client.get(f"{entity}/insights/corporate-structure/current-powers")

    total = sum(Decimal(row["shares"]) for row in rows)
    assert 2 == len(rows) == len(old["data"])
    for row in rows:
        exact = Decimal(row["shares"]) * 100 / total
        assert 0 <= exact - Decimal(row["percentage"]) < Decimal("0.02")
        assert ("rpc_socio", True) == (row["sources"], row["sourceId"] is not None)
    assert (0, []) == (powers["hydra:totalItems"], powers["hydra:member"])


async def test_current_powers_are_those_in_effect(syntage_client: SyntageClient) -> None:
    """Of the latest report: whoever has one, each with its current ones the earliest first. Days, no instants."""
    entity, report = await verified(syntage_client)
    found = await syntage_client.all_rows(f"{report['@id']}/found-entities")

    rows = await syntage_client.all_rows(f"{entity}/insights/corporate-structure/current-powers")

    current = {
        row["fullName"]: sorted(each["grantedAt"][:10] for each in row["powers"] if each["status"] == "current")
        for row in found
    }
    assert {name: days for name, days in current.items() if days} == {
        row["name"]: [each["grantedAt"] for each in row["powers"]] for row in rows
    }
    assert {"current", "expired"} == {each["status"] for row in found for each in row["powers"]}
    powers = [each for row in rows for each in row["powers"]]
    assert all(each["externalReference"] is (each["power"] is None) for each in powers)
    assert all("id" not in each and "grantingState" in each for each in powers)


async def test_insights_are_paged_by_number(syntage_client: SyntageClient) -> None:
    """A thousand rows a page unless asked otherwise; the direction is required."""
    entity, _ = await verified(syntage_client)
    path = f"{entity}/insights/shareholders"

    _, page = await syntage_client.get(f"{path}?relations.relationType=shareholders&itemsPerPage=1&page=2")
    missing, refused = await syntage_client.get(path)
    wrong, _ = await syntage_client.get(f"{path}?relations.relationType=both")
    beyond, _ = await syntage_client.get(f"{path}?relations.relationType=shareholders&itemsPerPage=1001")
    nobody, _ = await syntage_client.get("/entities/nobody/insights/shareholders")

    assert (1, 2) == (len(page["hydra:member"]), page["hydra:totalItems"])
    assert "relations.relationType" == refused["violations"][0]["propertyPath"]
    assert (400, 400, 400, 404) == (missing, wrong, beyond, nobody)


async def test_scores_of_who_was_promoted(syntage_client: SyntageClient) -> None:
    """The credit bureau's, once there is a report of the new entity."""
    entity, _ = await verified(syntage_client)
    path = f"{entity}/insights/shareholders?relations.relationType=shareholders"
    row = (await syntage_client.all_rows(path))[0]
    promote = f"/shareholders/{row['id']}/relations/{row['relationId']}/promote"
    async with syntage_client.http.post(promote, json={"name": "X", "rfc": "XAAA800101AB1"}) as response:
        made = await response.json(content_type=None)
    await authorize(syntage_client, f"/entities/{made['id']}", PERSON)
    await finished(syntage_client, "buro_de_credito_report", {}, entity=f"/entities/{made['id']}")

    scores = {each["id"]: each["scores"] for each in await syntage_client.all_rows(path)}

    (report,) = await syntage_client.all_rows(f"/entities/{made['id']}/datasources/mx/buro-de-credito/reports")
    (score,) = scores.pop(row["id"])
    assert (report["id"], report["score"], "buro_de_credito") == (score["id"], score["score"], score["source"])
    assert [[]] == list(scores.values())


async def test_records_stand_behind_the_scores_of_a_check(syntage_client: SyntageClient) -> None:
    """As many of each category as it counts, each from the database that was searched; they can be narrowed."""
    await finished(syntage_client, "background_check", {})
    (check,) = await syntage_client.all_rows("/background-checks")

    rows = await syntage_client.all_rows(f"{check['@id']}/records?itemsPerPage=2")

    counted = {each["category"]: each["recordsCount"] for each in check["scores"]}
    databases = {each["category"]: each["database"] for each in check["databaseStatuses"]}
    assert {"@id", "@type", "id", "category", "database", "sections", "title"} == set().union(*rows)
    assert sum(counted.values()) == len({row["id"] for row in rows}) == len(rows)
    for category, count in counted.items():
        narrowed = await syntage_client.all_rows(f"{check['@id']}/records?category={category}")
        assert count == len(narrowed)
        assert all(databases[category] == row["database"] for row in narrowed)
    assert 404 == (await syntage_client.get("/background-checks/nothing/records"))[0]
