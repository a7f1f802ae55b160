"""Calls of Belvo's that give secrets, or take records away, through the session and over real HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from belvo_async import AuthenticationError, NotFoundError, Session, VendorError, belvo
from tests.session.world import World

LOOK = belvo.Widget(
    branding=belvo.Branding(
        company_icon="https://acme.mx/icon.svg",
        company_logo="https://acme.mx/logo.svg",
        company_name="ACME",
        company_terms_url="https://acme.mx/terms",
    ),
    callback_urls=belvo.CallbackUrls(success="my_app://ok", exit="my_app://back", event="my_app://error"),
    theme=[belvo.ThemeColor(css_key="--color-primary-base", value="#907AD6")],
)
CONNECT = belvo.CreateWidgetToken(
    fetch_resources=["INVOICES", "TAX_STATUS"], stale_in="90d", credentials_storage="30d", widget=LOOK
)


# The widget's token. The canary plugin looks for it, and for the keys in the body, after each of these tests.


async def test_a_token_for_the_widget_is_given(world: World) -> None:
    session = await world.open()

    token = await session.call(CONNECT)
    mine = await session.call(belvo.CreateWidgetToken(link=world.belvo.links[0]))

    given = [token.access, token.refresh, mine.access, mine.refresh]
    assert 4 == len({each.reveal() for each in given if each})
    assert 2 == len(world.sent("POST", "/api/token/"))


@pytest.mark.parametrize("fault", ["server_error", "rate_limited", "html_403", "lost_202"])
async def test_a_token_that_got_lost_is_asked_for_again(world: World, fault: str) -> None:
    """It creates nothing, so it may be."""
    session = await world.open()
    world.belvo.next_answer(fault, method="POST", path="/api/token/")

    assert (await session.call(CONNECT)).access

    assert 2 == len(world.sent("POST", "/api/token/"))


async def test_wrong_keys_get_no_token(world: World) -> None:
    """The error holds none of them, though they stood in the body."""
    session = await world.open(belvo_with_wrong_keys(world), webhooks=False)

    with pytest.raises(AuthenticationError) as refused:
        await session.call(CONNECT)

    assert "authentication_failed" == refused.value.code


def belvo_with_wrong_keys(world: World) -> Any:
    return belvo.DIALECT(world.belvo.secret_id, "not-the-password-1234", base_url=world.belvo.url)


async def test_a_link_that_is_not_there_gets_no_token(world: World) -> None:
    session = await world.open()

    with pytest.raises(VendorError) as refused:
        await session.call(belvo.CreateWidgetToken(link="0" * 32))

    assert ("does_not_exist", "link_id") == (refused.value.code, refused.value.field)


# Deletions

DELETIONS: dict[str, tuple[Any, Any, Any]] = {
    "INVOICES": (belvo.InvoiceList, belvo.GetInvoice, belvo.DeleteInvoice),
    "FINANCIAL_STATEMENTS": (belvo.FinancialStatementList, belvo.GetFinancialStatement, belvo.DeleteFinancialStatement),
    "TAX_RETURNS": (belvo.TaxReturnList, belvo.GetTaxReturn, belvo.DeleteTaxReturn),
    "TAX_STATUS": (belvo.TaxStatusList, belvo.GetTaxStatus, belvo.DeleteTaxStatus),
    "TAX_COMPLIANCE_STATUS": (
        belvo.TaxComplianceStatusList, belvo.GetTaxComplianceStatus, belvo.DeleteTaxComplianceStatus,
    ),
    "TAX_RETENTIONS": (belvo.TaxRetentionList, belvo.GetTaxRetention, belvo.DeleteTaxRetention),
}  # fmt: skip


async def ids_of(session: Session, query: Any) -> list[str]:
    return [row.id async for row in session.list(query)]


@pytest.mark.parametrize("resource", DELETIONS)
async def test_one_record_is_deleted(world: World, resource: str) -> None:
    """It is gone from its list and from its own address, and cannot be deleted twice; all others stay."""
    session, link = await world.open(), world.belvo.links[0]
    world.belvo.emit_historical(link, [resource])
    query, get, delete = DELETIONS[resource]
    first, *others = await ids_of(session, query(link=link))

    await session.call(delete(first))

    assert others == await ids_of(session, query(link=link))
    for call in (get(first), delete(first)):
        with pytest.raises(NotFoundError):
            await session.call(call)


async def test_a_deletion_whose_answer_was_lost_is_made_again(world: World) -> None:
    """Then the record is not there any more, and that is what is said."""
    session, link = await world.open(), world.belvo.links[0]
    world.belvo.emit_historical(link, ["TAX_STATUS"])
    (only,) = await ids_of(session, belvo.TaxStatusList(link=link))
    world.belvo.next_answer("lost_202", method="DELETE")

    with pytest.raises(NotFoundError):
        await session.call(belvo.DeleteTaxStatus(only))

    assert [] == await ids_of(session, belvo.TaxStatusList(link=link))


async def test_a_deletion_that_failed_is_made_again(world: World) -> None:
    session, link = await world.open(), world.belvo.links[0]
    world.belvo.emit_historical(link, ["TAX_STATUS"])
    (only,) = await ids_of(session, belvo.TaxStatusList(link=link))
    world.belvo.next_answer("server_error", method="DELETE")

    await session.call(belvo.DeleteTaxStatus(only))

    assert 2 == len(world.sent("DELETE"))


async def test_what_is_not_to_be_saved_is_not_at_belvos(world: World) -> None:
    """The one way to have financial statements that leaves nothing to delete."""
    session, link = await world.open(), world.belvo.links[0]

    rows = await session.call(belvo.RetrieveFinancialStatements(link=link, save_data=False))

    assert len(rows) > 0
    assert [] == await ids_of(session, belvo.FinancialStatementList(link=link))
