"""The example of a deletion: counted, deleted on a word, and shown to be gone, also where it is not."""

from __future__ import annotations

import sys
from datetime import date
from typing import Any

import pytest

from belvo_async import NotFoundError, Session, TokenRequiredError, belvo
from examples import arco_deletion
from examples.arco_deletion import BelvoEraser, delete
from tests.session.world import World

BELVO = arco_deletion.ERASERS["belvo"]
CHANGES = ("POST", "PUT", "PATCH", "DELETE")


async def yes(what: str) -> bool:
    return True


async def no(what: str) -> bool:
    return False


def changes(world: World) -> list[str]:
    return [f"{each.method} {each.path}" for each in world.belvo.requests if each.method in CHANGES]


# Some of each; more would only take longer.
SMALL = ("TAX_RETURNS", "TAX_STATUS", "TAX_COMPLIANCE_STATUS", "TAX_RETENTIONS", "FINANCIAL_STATEMENTS")


async def opened(world: World) -> tuple[Session, str, str]:
    """A session, and two links of which much was fetched: of the first one all."""
    mine, other, _ = world.belvo.links
    world.belvo.emit_historical(mine)
    world.belvo.emit_historical(other, SMALL)
    return await world.open(), mine, other


async def held(session: Session, link: str) -> dict[str, int]:
    return {name: len(rows) for name, rows in (await arco_deletion.read_held(session, BELVO, link)).items()}


async def test_without_a_word_it_only_counts(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Every list of the link, by ids alone: nothing else of a record is asked for, and no taxpayer is named."""
    session, mine, _ = await opened(world)

    assert await delete(session, BELVO, mine)

    told = capsys.readouterr().out
    assert [] == changes(world)
    for name, resource in (("invoices", "/api/invoices/"), ("tax_statuses", "/api/tax-status/")):
        asked = [each for each in world.belvo.requests if each.path == resource]
        assert {"id,link"} == {each.query["fields"][-1] for each in asked}
        assert name in told
    assert f"{mine}: {sum((await held(session, mine)).values())} records" in told
    assert world.belvo.rfc_of(mine) not in told


async def test_a_taxpayer_is_deleted_and_shown_to_be_gone(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """The link, its records in every list and at their own addresses; the others' are as they were."""
    session, mine, other = await opened(world)
    before, theirs = await arco_deletion.read_held(session, BELVO, mine), await held(session, other)
    invoice = before["invoices"][0].id
    assert invoice

    assert await delete(session, BELVO, mine, confirm=yes)

    assert mine not in world.belvo.links
    assert {0} == set((await held(session, mine)).values())
    assert theirs == await held(session, other)
    with pytest.raises(NotFoundError):
        await session.call(belvo.GetInvoice(invoice))
    assert f"{mine}: gone; 0 records listed, 0 found by their ids" in capsys.readouterr().out


async def test_other_links_of_the_same_login_go_as_well(world: World) -> None:
    """A link that was never confirmed lies beside the one that was: both are of the taxpayer."""
    session = await world.open()
    login: dict[str, Any] = {"institution": "tatooine_mx_fiscal", "username": "PFIS010101XY3"}
    with pytest.raises(TokenRequiredError) as unconfirmed:
        await session.call(belvo.CreateLink(**login, password="tokenlogin"))
    link = await session.call(belvo.CreateLink(**login, password="abcd1234"))
    assert link.id
    both = {unconfirmed.value.link, link.id}
    assert both <= set(world.belvo.links)

    assert await delete(session, BELVO, link.id, confirm=yes)

    assert set() == both & set(world.belvo.links)


async def test_without_confirmation_nothing_is_deleted(world: World) -> None:
    session, mine, _ = await opened(world)
    before = await held(session, mine)

    assert not await delete(session, BELVO, mine, confirm=no)

    assert [] == changes(world)
    assert before == await held(session, mine)


async def test_some_lists_alone_are_deleted_record_by_record(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """The link stays, with all that the other lists hold."""
    session, mine, _ = await opened(world)
    before = await held(session, mine)

    assert await delete(session, BELVO, mine, confirm=yes, only=["tax_statuses", "tax_retentions"])

    assert before | {"tax_statuses": 0, "tax_retentions": 0} == await held(session, mine)
    assert mine in world.belvo.links
    assert "stays, as wanted" in capsys.readouterr().out


async def test_what_is_left_is_told(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Belvo did not delete the link: it says so, deletes what it can singly, and does not claim that it is gone."""
    session, *_ = await opened(world)
    mine = world.belvo.links[2]  # a person's, whose monthly returns show no id
    world.belvo.emit_historical(mine, SMALL)
    world.belvo.next_job(resource="LINK_DELETION", outcome="failed")

    assert not await delete(session, BELVO, mine, confirm=yes)

    told = capsys.readouterr()
    assert "institution_down" in told.err
    assert f"{mine}: it is still there" in told.out
    # Only the link takes those along.
    assert {"tax_returns"} == {name for name, count in (await held(session, mine)).items() if count}
    assert "of tax_returns are still listed" in told.out
    assert "without an id go with the link alone" in told.out


async def test_the_same_command_again_goes_on(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """After a deletion that failed it is made; after one that was made there is nothing, and it says so."""
    session, mine, _ = await opened(world)
    world.belvo.next_job(resource="LINK_DELETION", outcome="failed")

    assert [False, True, True] == [await delete(session, BELVO, mine, confirm=yes) for _ in range(3)]

    assert f"{mine}: 0 records, and the vendor knows no such subject" in capsys.readouterr().out


async def test_rows_of_others_are_never_deleted(world: World) -> None:
    """Were the filter ignored once the link is gone, everybody's rows would be listed; some say not whose they are."""
    session, mine, other = await opened(world)
    before = await arco_deletion.read_held(session, BELVO, mine)
    theirs = await arco_deletion.read_held(session, BELVO, other)
    all_listed = {name: [*before[name], *theirs[name]] for name in before}

    kept = arco_deletion.certain(mine, all_listed, before)

    assert {name: [row for row in rows if row.id] for name, rows in before.items()} == kept
    assert {name for name, rows in arco_deletion.certain(mine, theirs, {}).items() if rows} == set()


async def test_links_of_others_are_never_deleted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor were the filter of logins ignored."""
    session, mine, _ = await opened(world)
    listed = belvo.Links

    def unfiltered(**filters: Any) -> belvo.Links:
        return listed()

    monkeypatch.setattr(belvo, "Links", unfiltered)

    assert [mine] == await BELVO.subjects(session, mine)


class Forgetful(BelvoEraser):
    """A vendor that says it deleted, and did not."""

    async def erase(self, session: Session, subject: str) -> None:
        return None


async def test_a_deletion_that_is_only_said_is_found_out(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    session, mine, _ = await opened(world)

    assert not await delete(session, Forgetful(), mine, confirm=yes)

    assert f"{mine}: it is still there" in capsys.readouterr().out


async def test_records_that_are_not_listed_but_there_are_found_by_their_ids(world: World) -> None:
    """An empty list alone is no proof."""
    session, mine, _ = await opened(world)
    before = await arco_deletion.read_held(session, BELVO, mine)

    assert await arco_deletion.count_found(session, BELVO, before, ["invoices", "tax_statuses"]) > 10


@pytest.mark.parametrize("forget", [False, True])
async def test_the_own_store_is_told_of_and_forgets_when_asked(
    world: World, capsys: pytest.CaptureFixture[str], forget: bool
) -> None:
    """Jobs of the link, its deletion among them, and what earlier ones proved; others' jobs are kept."""
    session, mine, other = await opened(world)
    for link in (mine, other):
        task = belvo.Invoices(link=link, date_from=date(2025, 1, 1), date_to=date(2025, 3, 31))
        await (await session.fire(task))
    pruned = await session.fire(belvo.FinancialStatements(link=mine))
    await pruned
    await session.forget(pruned.id)  # its proof stays
    assert 2 == len(await arco_deletion.own_jobs(session, [mine]))

    assert await delete(session, BELVO, mine, confirm=yes, forget=forget)

    assert (0 if forget else 3) == len(await arco_deletion.own_jobs(session, [mine]))
    assert 1 == len(await arco_deletion.own_jobs(session, [other]))
    told = capsys.readouterr().out
    assert f"Your store: {3 if forget else 0} jobs forgotten, {0 if forget else 3} left" in told
    assert "exported files" in told


@pytest.mark.parametrize(("said", "is_meant"), [("DELETE\n", True), ("delete\n", False), ("yes\n", False), ("", False)])
async def test_only_the_whole_word_deletes(monkeypatch: pytest.MonkeyPatch, said: str, is_meant: bool) -> None:
    class Input:
        def readline(self) -> str:
            return said

    monkeypatch.setattr(sys, "stdin", Input())

    assert is_meant == await arco_deletion.ask("3 records")


async def test_the_command_line_reaches_all_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a session that the environment configures, and the links' id in any spelling."""
    mine = world.belvo.links[0]
    world.belvo.emit_historical(mine)
    for name, value in {
        "BELVO_SECRET_ID": world.belvo.secret_id,
        "BELVO_SECRET_PASSWORD": world.belvo.secret_password,
        "BELVO_BASE_URL": world.belvo.url,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["arco_deletion", mine.upper(), "--only", "invoices"])

    assert await arco_deletion.main(arco_deletion.read_arguments())

    assert f"{mine}: " in capsys.readouterr().out
