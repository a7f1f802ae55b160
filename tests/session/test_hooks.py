"""Webhooks that a vendor keeps: what a session asks and changes of them, and what it finds wrong."""

from __future__ import annotations

from typing import Any

import pytest

from belvo_async import Session
from belvo_async._session.hooks.desk import WebhookDesk
from belvo_async.abc import AttemptFilter, HookEndpoint, Secret
from belvo_async.errors import ConfigurationError, SessionClosedError, TaskError, UnsupportedError, VendorError
from belvo_async.origins import shown_url
from tests.session.world import World

NEEDED = ("extraction.updated", "export.updated")
FOREIGN = "https://example.com/somebody-else"


async def receiving(world: World, **settings: Any) -> tuple[Session, WebhookDesk]:
    """A session that receives, and knows by which address; its desk."""
    session = await world.open(world.syntage_vendor(**settings))
    return session, session.webhooks("syntage")


async def codes(world: World, **settings: Any) -> list[str]:
    session = await world.open(world.syntage_vendor(**settings), webhooks=False)
    return [each.code for each in await session.webhooks("syntage").check()]


async def test_endpoints_are_listed_made_changed_and_deleted(world: World) -> None:
    """The oldest first; the secret of each is its own and stays when the endpoint is changed."""
    _, desk = await receiving(world)

    made = await desk.create(FOREIGN, is_enabled=False)
    enabled = await desk.change(made, is_enabled=True)
    same = await desk.change(enabled, is_enabled=True)
    listed = await desk.endpoints()
    await desk.delete(made)
    await desk.delete(made)

    assert [world.syntage.webhook_url, FOREIGN] == [each.url for each in listed]
    assert (NEEDED, False, True) == (made.events, made.is_enabled, enabled.is_enabled)
    assert made.secret == enabled.secret == listed[1].secret != listed[0].secret
    assert same is enabled
    assert [world.syntage.webhook_url] == [each.url for each in await desk.endpoints()]
    assert () == await desk.endpoints(FOREIGN)


async def test_only_vendors_whose_api_has_them_have_a_desk(world: World) -> None:
    """The sentence says where Belvo's are set up."""
    session = await world.open(webhooks=False)

    with pytest.raises(UnsupportedError, match="Belvo has no API for webhooks"):
        session.webhooks("belvo")
    with pytest.raises(TaskError, match="no vendor 'acme'"):
        session.webhooks("acme")
    await session.close()
    with pytest.raises(SessionClosedError):
        session.webhooks("syntage")


async def test_attempts_of_a_job_tell_how_its_end_was_delivered(world: World) -> None:
    """The newest first, with what was answered; those of other jobs are not among them."""
    session, desk = await receiving(world)
    others = [await session.fire(world.extraction(entity, "tax_status")) for entity in (0, 1)]
    for handle in others:
        await handle
    world.syntage.webhook_url = "http://127.0.0.1:9/nobody"
    lost = await session.fire(world.extraction(2, "tax_status"))
    await lost

    told = await desk.attempts(AttemptFilter(job=others[0].job))
    missed = await desk.attempts(AttemptFilter(job=lost.job, limit=2))
    everything = await desk.attempts()

    assert {(200, "extraction.updated")} == {(each.status, each.event) for each in told}
    assert [(0, False)] * len(missed) == [(each.status, each.is_accepted) for each in missed] != []
    times = [each.at for each in everything if each.at is not None]
    assert sorted(times, reverse=True) == times
    assert len(everything) > len(told) + len(missed)
    assert {None} == {each.event for each in everything}


async def test_our_own_delivery_proves_that_a_secret_is_taken(world: World) -> None:
    """It is about nothing: no job is touched, and nothing is laid aside or parked."""
    session, desk = await receiving(world)
    (endpoint,) = await desk.endpoints()

    accepted = await desk.probe(endpoint)
    refused = await desk.probe(HookEndpoint(id="x", url=endpoint.url, secret=Secret("another-secret-0123")))
    nobody = await desk.probe(HookEndpoint(id="x", url="http://127.0.0.1:9/", secret=endpoint.secret))

    assert [(200, True, None), (401, False, None)] == [
        (each.status, each.is_accepted, each.why) for each in (accepted, refused)
    ]
    assert (0, False) == (nobody.status, nobody.is_accepted)
    assert nobody.why is not None
    with pytest.raises(UnsupportedError):
        await desk.probe(HookEndpoint(id="x", url=endpoint.url))
    account = session.vendors["syntage"].account
    assert ((), ()) == (await session.store.parked(account), await session.store.laid_aside())


async def test_nothing_is_wrong_with_what_delivers(world: World) -> None:
    """By its address, or without one by its secret; an endpoint of somebody else's says nothing."""
    session, desk = await receiving(world)
    await desk.create(FOREIGN, ["invoice.created"], is_enabled=False)
    url = world.syntage.webhook_url
    await session.close()

    assert [] == await codes(world)
    assert [] == await codes(world, webhook_url=url)


async def test_what_is_wrong_is_found(world: World) -> None:
    """No endpoint, a disabled one, events that are missing, a secret that nobody told us."""
    _, desk = await receiving(world)
    (endpoint,) = await desk.endpoints()
    url = endpoint.url

    found = {
        "elsewhere": await codes(world, webhook_url=FOREIGN),
        "another secret": await codes(world, webhook_url=url, webhook_secrets="another-secret-0123"),
        "no secret of ours": await codes(world, webhook_secrets="another-secret-0123"),
        "waived": await codes(world, webhook_url=url, webhook_secrets=(), allow_unauthenticated=True),
    }
    changed = await desk.change(endpoint, events=["extraction.created"])
    found["events"] = await codes(world, webhook_url=url)
    await desk.change(changed, is_enabled=False)
    found["disabled"] = await codes(world, webhook_url=url)

    assert {
        "elsewhere": ["missing"],
        "another secret": ["unknown_secret"],
        "no secret of ours": ["missing"],
        "waived": [],
        "events": ["events"],
        "disabled": ["disabled"],
    } == found


async def test_a_second_endpoint_of_the_same_address_is_no_fault(world: World) -> None:
    """While a secret is changed: one is disabled, or both deliver; one whose secret nobody knows is told."""
    _, desk = await receiving(world)
    url = world.syntage.webhook_url or ""
    second = await desk.create(url, is_enabled=False)
    before = await codes(world, webhook_url=url)
    await desk.change(second, is_enabled=True)
    assert second.secret is not None
    both = (world.syntage.signing_secret, second.secret.reveal())

    assert [[], ["unknown_secret"], []] == [
        before,
        await codes(world, webhook_url=url),
        await codes(world, webhook_url=url, webhook_secrets=both),
    ]


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.name == "belvo_async.webhooks"]


async def test_a_session_warns_once_or_refuses_to_open(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """What is wrong is one sentence, without the address's password or a secret; a refused session is closed."""
    url = f"{FOREIGN}?token=hunter2-hunter2"
    vendors = world.belvo_vendor(), world.syntage_vendor(webhook_url=url)

    await world.open(*vendors, webhooks=False, check_webhooks="warn")
    with pytest.raises(ConfigurationError, match=r"no endpoint has the address https://example.com/somebody") as no:
        await world.open(*vendors, webhooks=False, check_webhooks="refuse")

    assert 1 == len(warned(caplog))
    assert "no endpoint has the address" in warned(caplog)[0]
    assert "hunter2" not in f"{warned(caplog)} {no.value}"


async def test_a_session_says_nothing_of_what_is_well(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Nor of a vendor that cannot be asked; without being told to it asks nobody."""
    await receiving(world)
    asked = len(world.sent(path="/webhook-endpoints"))

    await world.open(world.belvo_vendor(), world.syntage_vendor(), webhooks=False, check_webhooks="refuse")

    assert (0, 1) == (asked, len(world.sent(path="/webhook-endpoints")))
    assert [] == warned(caplog)


@pytest.mark.parametrize("mode", ["warn", "refuse"])
async def test_what_cannot_be_asked_keeps_nobody_from_receiving(
    world: World, mode: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A receiver is needed most when its vendor is in trouble: a warning, within seconds."""
    world.syntage.next_answer("timeout", method="GET", path="/webhook-endpoints")
    began = world.clock.now()

    session = await world.open(world.syntage_vendor(), webhooks=False, check_webhooks=mode)

    assert (world.clock.now() - began).total_seconds() < 20
    assert 1 == len(warned(caplog))
    assert "could not be asked" in warned(caplog)[0]
    assert await session.webhooks("syntage").endpoints() == ()


async def test_a_key_that_is_refused_is_a_fault(world: World) -> None:
    """Nothing else would work either."""
    world.syntage.next_answer("unauthorized", method="GET", path="/webhook-endpoints")

    with pytest.raises(ConfigurationError, match="does not accept the API key"):
        await world.open(world.syntage_vendor(), webhooks=False, check_webhooks="refuse")


async def test_errors_of_the_vendor_come_out(world: World) -> None:
    """As of any other call."""
    _, desk = await receiving(world)
    world.syntage.next_answer("forbidden", method="POST", path="/webhook-endpoints")

    with pytest.raises(VendorError):
        await desk.create(FOREIGN)
    with pytest.raises(TaskError, match="url must be"):
        await desk.create("http://example.com")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://example.com/hooks", "https://example.com/hooks"),
        ("https://user:word@example.com:8443/hooks?token=word#word", "https://example.com:8443/hooks?..."),
        ("http://[::1]:80", "http://[::1]:80"),
        ("https://[::1", "(an address that cannot be read)"),
    ],
)
def test_an_address_is_shown_without_what_may_be_a_password(url: str, shown: str) -> None:
    """In every sentence, list and log."""
    assert shown == shown_url(url)
    assert "hooks" not in repr(HookEndpoint(id="x", url=url))


@pytest.mark.parametrize("given", ["yes", True, "WARN"])
def test_another_word_is_refused(world: World, given: Any) -> None:
    """Before anything is opened."""
    with pytest.raises(ConfigurationError, match="`check_webhooks` is"):
        Session(world.syntage_vendor(), check_webhooks=given)


async def test_what_is_no_endpoint_is_refused_before_a_byte(world: World) -> None:
    """An id in place of an endpoint, a text in place of events, a content type that the vendor does not have."""
    _, desk = await receiving(world)
    (endpoint,) = await desk.endpoints()
    sent = len(world.sent())
    odd: Any = {"id": endpoint.id, "events": ("extraction.updated", 7, [7], ())}

    for ask in (desk.delete, desk.change, desk.probe):
        with pytest.raises(TaskError, match="endpoint must be a HookEndpoint"):
            await ask(odd["id"])
    for events in odd["events"]:
        with pytest.raises(TaskError, match="events must be"):
            await desk.create(FOREIGN, events)
        with pytest.raises(TaskError, match="events must be"):
            await desk.change(endpoint, events=events)
    with pytest.raises(TaskError, match="content_type must be"):
        await desk.create(FOREIGN, content_type="text/xml")
    for url in ("https://[::1", "http://example.com/", "", "https:///x", "ftp://example.com"):
        with pytest.raises(ConfigurationError, match="the endpoint's address"):
            await desk.probe(HookEndpoint(id="x", url=url, secret=endpoint.secret))

    assert sent == len(world.sent())
