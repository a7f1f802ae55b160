"""Who owns and who acts, over real HTTP: a session, the dialect and a Syntage on loopback."""

from __future__ import annotations

from decimal import Decimal

import pytest

from belvo_async import NotFoundError, Session, syntage
from belvo_async.simulator import SyntageSimulator

RFC = "XAAA800101AB1"


async def entered(session: Session, vendor: SyntageSimulator, shares: str = "1500.5") -> tuple[str, str, str]:
    """Enter a shareholder of the first entity; gives its id, and those of its relation and source."""
    made = await session.call(
        syntage.CreateShareholder(
            entity=vendor.entities[0], relation_type="shareholders", name="Ana Arce Muñoz", shares=Decimal(shares)
        )
    )
    relation = (made.relations or ())[0]
    source = (relation.sources or ())[0]
    assert (Decimal(shares), Decimal(shares), Decimal(1)) == (
        relation.shares,
        relation.total_shares,
        relation.ownership,
    )
    return made.id or "", relation.id or "", source.id or ""


async def test_a_shareholder_is_entered_changed_and_found(session: Session, vendor: SyntageSimulator) -> None:
    """Shares keep their digits; a part of the name is enough to find one."""
    holder, relation, _ = await entered(session, vendor)

    named = await session.call(syntage.UpdateShareholder(id=holder, rfc=RFC))
    changed = await session.call(
        syntage.UpdateShareholderRelation(id=relation, shareholder=holder, shares=Decimal("0.01"))
    )
    found = await session.list(syntage.Shareholders(type="physical", rfc=RFC, name="ana arce", order="-name")).to_list()
    other_way = syntage.ShareholderRelations(shareholder=holder, relation_type="shareholder_of")

    assert ("physical", RFC, Decimal("0.01")) == (named.type, named.rfc, changed.shares)
    assert [holder] == [each.id for each in found]
    assert [] == await session.list(other_way).to_list()


async def test_a_shareholder_becomes_an_entity(session: Session, vendor: SyntageSimulator) -> None:
    """Both insights then show who owns whom."""
    holder, relation, _ = await entered(session, vendor)
    promoted = await session.call(
        syntage.PromoteShareholder(shareholder=holder, relation=relation, name="ANA ARCE", rfc=RFC)
    )
    assert promoted.id is not None

    entity = await session.call(syntage.GetEntity(promoted.id))
    shown = await session.call(syntage.GetShareholder(holder))
    (owner,) = await session.list(
        syntage.ShareholderInsights(entity=vendor.entities[0], relation_type="shareholders")
    ).to_list()
    (owned,) = await session.list(
        syntage.ShareholderInsights(entity=promoted.id, relation_type="shareholder_of")
    ).to_list()

    assert (f"/entities/{promoted.id}", "person") == (shown.entity, entity.type)
    assert (promoted.id, Decimal(100), Decimal("1500.5")) == (owner.entity_id, owner.percentage, owner.shares)
    assert vendor.entities[0] == f"/entities/{owned.entity_id}"


async def test_a_relation_ends_with_its_last_source(session: Session, vendor: SyntageSimulator) -> None:
    """And a shareholder when it is deleted; what is gone is told."""
    holder, relation, source = await entered(session, vendor)

    await session.call(syntage.DeleteShareholderSource(id=source, shareholder=holder, relation=relation))

    with pytest.raises(NotFoundError):
        await session.call(syntage.GetShareholderRelation(relation, shareholder=holder))
    with pytest.raises(NotFoundError):
        await session.call(syntage.DeleteShareholderRelation(relation, shareholder=holder))
    await session.call(syntage.DeleteShareholder(holder))
    with pytest.raises(NotFoundError):
        await session.call(syntage.GetShareholder(holder))


async def test_a_report_is_read_with_all_that_stands_on_it(session: Session, vendor: SyntageSimulator) -> None:
    """Found entities, powers, the deprecated insight and the document; nothing is left that could not be read."""
    vendor.verify(vendor.entities[0])
    await (await session.fire(syntage.Extraction(vendor.entities[0], "rpc")))

    (report,) = await session.list(syntage.CompanyVerificationReports(entity=vendor.entities[0])).to_list()
    found = session.list(syntage.FoundEntities(report=report.id or "", order="-totals_percentage"))
    rows = await found.to_list()
    active = await session.list(syntage.FoundEntities(report=report.id or "", is_active=True)).to_list()
    powers = await session.list(syntage.CurrentPowers(entity=vendor.entities[0])).to_list()
    partners = await session.call(syntage.GetRpcShareholders(vendor.entities[0]))
    pdf = await session.download(syntage.CompanyVerificationPdf(report.id or "")).read()

    assert (b"%PDF", []) == (pdf[:4], [*found.misfits])
    assert Decimal(100) == sum(each.totals_percentage or 0 for each in rows)
    assert {each.full_name for each in active} == {each.name for each in partners.data or ()}
    assert {each.name for each in powers} < {each.full_name for each in rows}
    assert {"current"} == {power.status for each in powers for power in each.powers or ()}
