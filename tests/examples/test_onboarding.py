"""The example that takes a taxpayer on at Syntage: once, also when it is run twice or broke off."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from belvo_async import AuthenticationError, Session, TransportError, syntage
from belvo_async.abc import Secret
from examples import onboarding
from tests.session.world import World

RFC = "ZZT190415QA7"
PASSWORD = "not-a-real-ciec1"
SINCE, UNTIL = date(2025, 1, 1), date(2025, 3, 31)
MADE = ("/entities", "/credentials", "/entity-tags", "/schedulers", "/schedulers/rules", "/extractions")


async def onboard(session: Session, **changes: Any) -> str:
    wanted: dict[str, Any] = {"since": SINCE, "until": UNTIL, "label": "new", "daily": True} | changes
    return await onboarding.onboard(session, RFC, "Zapateria", Secret(PASSWORD), **wanted)


def made(world: World) -> dict[str, int]:
    """What was made at Syntage, by its path."""
    paths = [each.path for each in world.sent("POST")]
    return {path: paths.count(path) for path in MADE}


async def test_a_taxpayer_is_taken_on(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Known, with access, labelled, extracted; and extracted again each day, by Syntage itself."""
    session = await world.open()

    entity = await onboard(session)

    found = await session.call(syntage.GetEntity(entity))
    assert found.credential is not None
    assert ("valid", ["new"]) == (found.credential.status, [each.name for each in found.tags or ()])
    invoices = world.syntage.invoices(entity, {"period": {"from": str(SINCE), "to": str(UNTIL)}})
    told = capsys.readouterr().out
    assert f"{entity}: {len(invoices)} invoices" in told
    assert not any(word in told for word in (RFC, PASSWORD))
    await asyncio.sleep(timedelta(days=2).total_seconds())
    runs = await session.list(syntage.Extractions(rfc=RFC, extractor="invoice")).to_list()
    assert (3, {"finished"}) == (len(runs), {each.status for each in runs})


async def test_the_same_again_makes_nothing_more(world: World) -> None:
    """Also on another day, to which less was fetched; a label or a scheduler there was is used."""
    session = await world.open()
    entity = await onboard(session)

    again = await onboard(session, until=UNTIL - timedelta(days=1))

    assert entity == again
    assert dict.fromkeys(MADE, 1) == made(world)


async def test_a_scheduler_that_was_left_without_its_rule_gets_it(world: World) -> None:
    """What broke off between the two would run nothing, and look as if it did."""
    session = await world.open()
    world.syntage.next_answer("forbidden", path="/schedulers/rules")

    with pytest.raises(AuthenticationError):
        await onboard(session)
    await onboard(session)

    (mine,) = [each async for each in session.list(syntage.Schedulers()) if each.name == "Daily invoices"]
    found = await session.call(syntage.GetScheduler(mine.id or ""))
    assert ["invoice"] == [each.extractor for each in found.rules or ()]
    assert 1 == made(world)["/schedulers"]


async def test_without_daily_nothing_runs_by_itself(world: World) -> None:
    """The label is what others of the account wear."""
    session = await world.open()
    (known, *_) = await session.list(syntage.EntityTags()).to_list()

    await onboard(session, daily=False, label=known.name)

    assert (0, 0, 1) == (made(world)["/entity-tags"], made(world)["/schedulers"], made(world)["/extractions"])


async def test_a_refused_credential_ends_it(world: World) -> None:
    """Before anything is extracted; with a better one it goes on where it was."""
    session = await world.open()
    world.syntage.next_credential(status="invalid", reason="wrongPassword")

    with pytest.raises(onboarding.RefusedError, match="invalid: wrongPassword"):
        await onboard(session)

    assert 0 == made(world)["/extractions"]
    await onboard(session)
    assert (1, 2, 1) == (made(world)["/entities"], made(world)["/credentials"], made(world)["/extractions"])


async def test_a_credential_that_is_being_checked_is_waited_for(world: World) -> None:
    """The run that gave it broke off: another would be checked for nothing."""
    session = await world.open()
    await session.call(syntage.CreateCredential(syntage.Ciec(rfc=RFC, password=PASSWORD)))

    entity = await onboard(session, daily=False)

    assert (1, [entity]) == (made(world)["/credentials"], [each for each in world.syntage.entities if each == entity])
    assert 1 == len(await session.list(syntage.Entities(rfc=RFC)).to_list())


async def test_the_account_is_told_by_webhook(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By one endpoint of an address, whose secret only its owner reads, and which is shown nowhere."""
    session = await world.open()
    url, file = f"{world.syntage.url}/hook", tmp_path / "syntage.secret"

    for _ in range(2):
        await onboarding.ensure_webhooks(session, url, file)

    (endpoint,) = await session.list(syntage.WebhookEndpoints(url=url)).to_list()
    assert endpoint.signing_secret is not None
    assert (endpoint.signing_secret.reveal(), 0o600) == (file.read_text(encoding="utf-8"), file.stat().st_mode & 0o777)
    assert endpoint.signing_secret.reveal() not in capsys.readouterr().out
    assert ("extraction.updated", "export.updated") == endpoint.events


async def test_the_secret_of_a_lost_answer_is_handed_over_by_the_next_run(world: World, tmp_path: Path) -> None:
    """The endpoint is there, and delivers by a secret that nobody has: it is read from it."""
    session = await world.open()
    url, file = f"{world.syntage.url}/hook", tmp_path / "syntage.secret"
    world.syntage.next_answer("lost_202", path="/webhook-endpoints")

    with pytest.raises(TransportError):
        await onboarding.ensure_webhooks(session, url, file)
    await onboarding.ensure_webhooks(session, url, file)

    (endpoint,) = await session.list(syntage.WebhookEndpoints(url=url)).to_list()
    assert endpoint.signing_secret is not None
    assert (endpoint.signing_secret.reveal(), 0o600) == (file.read_text(encoding="utf-8"), file.stat().st_mode & 0o777)


async def test_a_secret_is_never_written_over(world: World, tmp_path: Path) -> None:
    """The file is made before the endpoint is."""
    session = await world.open()
    file = tmp_path / "syntage.secret"
    file.write_text("in use", encoding="utf-8")

    with pytest.raises(FileExistsError):
        await onboarding.ensure_webhooks(session, f"{world.syntage.url}/hook", file)

    assert "in use" == file.read_text(encoding="utf-8")
    assert [] == world.sent("POST", "/webhook-endpoints")


async def test_a_refused_endpoint_leaves_no_file(world: World, tmp_path: Path) -> None:
    """So that the same command may be given again."""
    session = await world.open()
    file = tmp_path / "syntage.secret"
    world.syntage.next_answer("forbidden", path="/webhook-endpoints")

    with pytest.raises(AuthenticationError):
        await onboarding.ensure_webhooks(session, f"{world.syntage.url}/hook", file)

    assert not file.exists()


@pytest.mark.parametrize(("status", "code"), [("valid", 0), ("invalid", 1)])
async def test_the_command_line_reaches_all_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], status: Any, code: int
) -> None:
    """With a session that the environment configures; what went wrong is told in words, and by the exit code."""
    for name in ("BELVO_SECRET_ID", "BELVO_SECRET_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SYNTAGE_API_KEY", world.syntage.api_key)
    monkeypatch.setenv("SYNTAGE_BASE_URL", world.syntage.url)
    monkeypatch.setenv("BELVO_ASYNC_STORE", "memory:")
    world.syntage.next_credential(status=status)
    monkeypatch.setattr("belvo_async._session.session.SystemClock", lambda: world.clock)
    given = onboarding.read_arguments([RFC.lower(), "Zapateria", "--since", str(SINCE), "--until", str(UNTIL)])

    assert code == await onboarding.main(given, Secret(PASSWORD))

    assert ("the credential is invalid" in capsys.readouterr().err) == bool(code)
