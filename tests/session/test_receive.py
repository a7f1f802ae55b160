"""`session.receive`: proven first, then read, then kept, then answered; whatever comes in."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from datetime import timedelta
from typing import Any

import pytest

from belvo_async import Belvo, ConfigurationError, Session, Status, Way
from belvo_async.abc import Headers
from tests.session.world import World
from tests.troubled_store import TroubledStore

Forge = Any


def _belvo_proof(value: str | None) -> Forge:
    def forge(world: World, body: bytes) -> list[tuple[str, str]]:
        given = world.belvo.webhook_authorization if value == "right" else value
        return [] if given is None else [("Authorization", given)]

    return forge


def _signature(world: World, body: bytes, **changes: Any) -> str:
    return world.syntage_proof(body, **changes)["X-Syntage-Signature"]


BELVO_FORGERIES = {
    "missing": _belvo_proof(None),
    "empty": _belvo_proof(""),
    "wrong": _belvo_proof("Bearer wrong"),
    "not ASCII": _belvo_proof("Bearer ñandú"),
    "raw bytes": _belvo_proof("Bearer \udce9\udcff"),
    "lone surrogate": _belvo_proof("Bearer \ud800"),
    "NUL": _belvo_proof("Bearer \0"),
    "a prefix": lambda world, body: [("Authorization", world.belvo.webhook_authorization[:-1])],
    "another case": lambda world, body: [("Authorization", world.belvo.webhook_authorization.upper())],
    "twice": lambda world, body: [("Authorization", world.belvo.webhook_authorization)] * 2,
    "beside a wrong one": lambda world, body: [
        ("Authorization", world.belvo.webhook_authorization),
        ("authorization", "Bearer wrong"),
    ],
}
SYNTAGE_FORGERIES = {
    "missing": lambda world, body: [],
    "empty": lambda world, body: [("X-Syntage-Signature", "")],
    "not ASCII": lambda world, body: [("X-Syntage-Signature", "t=ñ,s=é")],
    "Arabic digits": lambda world, body: [("X-Syntage-Signature", "t=١٧٨٠٣١٥٢٠٠,s=" + "0" * 64)],
    "raw bytes": lambda world, body: [("X-Syntage-Signature", "t=\udce9,s=\udcff")],
    "another secret": lambda world, body: [("X-Syntage-Signature", _signature(world, body, secret="x" * 32))],
    "another body": lambda world, body: [("X-Syntage-Signature", _signature(world, body + b" "))],
    "stale": lambda world, body: [("X-Syntage-Signature", _signature(world, body, age=timedelta(seconds=301)))],
    "early": lambda world, body: [("X-Syntage-Signature", _signature(world, body, age=-timedelta(seconds=302)))],
    "twice": lambda world, body: [("X-Syntage-Signature", _signature(world, body))] * 2,
    "no time": lambda world, body: [("X-Syntage-Signature", _signature(world, body).partition(",")[2])],
    "two times": lambda world, body: [("X-Syntage-Signature", "t=1780315200," + _signature(world, body))],
}


@pytest.mark.parametrize(
    ("vendor_name", "forge"),
    [
        *(pytest.param("belvo", forge, id=f"belvo: {name}") for name, forge in BELVO_FORGERIES.items()),
        *(pytest.param("syntage", forge, id=f"syntage: {name}") for name, forge in SYNTAGE_FORGERIES.items()),
    ],
)
async def test_an_unproven_delivery_is_refused(world: World, vendor_name: str, forge: Forge) -> None:
    """401, and nothing is parsed: a body that names our job, or no JSON at all, makes no difference."""
    session = await world.open(webhooks=False)
    handle = await session.fire(world.invoices() if vendor_name == "belvo" else world.extraction())
    make = world.belvo_delivery if vendor_name == "belvo" else world.syntage_delivery
    _, body = make(handle.job.remote_id)

    answers = [await session.receive(vendor_name, forge(world, each), each) for each in (body, b"\xff{" * 9)]

    assert [401, 401] == answers
    assert Status.PENDING == handle.status
    assert () == await session.store.parked(handle.job.account)


async def test_a_proven_delivery_settles(world: World) -> None:
    """200 means durable: the job has ended when the answer goes out."""
    session = await world.open(webhooks=False)
    jobs = [await session.fire(world.invoices()), await session.fire(world.extraction())]

    answers = [
        await session.receive("belvo", *world.belvo_delivery(jobs[0].job.remote_id)),
        await session.receive("syntage", *world.syntage_delivery(jobs[1].job.remote_id)),
    ]

    assert [200, 200] == answers
    assert [(Status.FINISHED, Way.WEBHOOK)] * 2 == [(each.status, each.job.settled_by) for each in jobs]
    assert jobs[0].job == await session.store.get(jobs[0].id)


async def test_a_signature_is_fresh_for_five_minutes(world: World) -> None:
    """Clocks differ and deliveries are slow: 300 s either way."""
    session = await world.open(webhooks=False)
    handle = await session.fire(world.extraction())
    _, body = world.syntage_delivery(handle.job.remote_id)

    for age in (timedelta(seconds=298), -timedelta(seconds=298)):
        assert 200 == await session.receive("syntage", world.syntage_proof(body, age=age), body)


@pytest.mark.parametrize("headers", [dict, list, Headers], ids=["mapping", "pairs", "headers"])
async def test_headers_come_in_any_form(world: World, headers: Any) -> None:
    """A mapping or pairs, names in any case."""
    session = await world.open(webhooks=False)
    handle = await session.fire(world.invoices())
    proof, body = world.belvo_delivery(handle.job.remote_id)
    shouted = [(name.upper(), value) for name, value in proof.items()]

    assert 200 == await session.receive("belvo", headers(shouted), body)
    assert handle.done()


async def test_a_body_over_the_limit_is_refused(world: World) -> None:
    """256 KiB are taken, a byte more is not, and it is not even verified."""
    session = await world.open(webhooks=False)
    handle = await session.fire(world.invoices())
    proof, body = world.belvo_delivery(handle.job.remote_id)

    too_long = await session.receive("belvo", {}, body + b" " * (256 * 1024 + 1 - len(body)))
    longest = await session.receive("belvo", proof, body + b" " * (256 * 1024 - len(body)))

    assert (413, 200) == (too_long, longest)


@pytest.mark.parametrize("encoding", ["gzip", "br", "GZIP", "identity, gzip", "nonsense"])
async def test_an_encoded_body_is_refused(world: World, encoding: str) -> None:
    """What would have to be unpacked first is 415; `identity` is no encoding."""
    session = await world.open(webhooks=False)
    handle = await session.fire(world.invoices())
    proof, body = world.belvo_delivery(handle.job.remote_id)

    refused = await session.receive("belvo", proof | {"Content-Encoding": encoding}, body)
    taken = await session.receive("belvo", proof | {"Content-Encoding": "identity"}, body)

    assert (415, 200) == (refused, taken)


UNREADABLE = {
    "empty": b"",
    "no JSON": b"hello Perez",
    "not UTF-8": b'{"webhook_id": "\xff"}',
    "cut": b'{"webhook_id": "5',
    "an array": b"[]",
    "null": b"null",
    "a number": b"12",
    "deep": b'{"data":' * 5000 + b"1" + b"}" * 5000,
    "a key twice": b'{"request_id": "1", "request_id": "2", "type": "a", "type": "b"}',
    "lone surrogate": b'{"webhook_id": "\\ud800", "type": 1}',
    "a strange type": b'{"webhook_type": 7, "type": 7}',
    "long digits": b'{"data": ' + b"9" * 5000 + b', "type": ' + b"9" * 5000 + b"}",
}


@pytest.mark.parametrize("vendor_name", ["belvo", "syntage"])
@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_an_authentic_but_unreadable_delivery_is_kept_aside(
    world: World, vendor_name: str, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """200, since repeating would not help; nothing breaks, and no log line holds what it said."""
    session = await world.open(webhooks=False)
    proof = world.belvo_proof() if vendor_name == "belvo" else world.syntage_proof(body)
    caplog.clear()

    with caplog.at_level(logging.DEBUG, logger="belvo_async"):
        answer = await session.receive(vendor_name, proof, body)

    assert 200 == answer
    assert not any("Perez" in record.getMessage() + repr(vars(record)) for record in caplog.records)


async def test_what_is_unreadable_is_kept(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """The bytes are kept for whoever looks into it; one warning says so."""

    class Noting(TroubledStore):
        aside: tuple[Any, ...] = ()

        async def set_aside(self, *args: Any) -> None:
            await super().set_aside(*args)
            self.aside = args

    store = Noting()
    session = await world.open(webhooks=False, store=store)

    await session.receive("belvo", world.belvo_proof(), b"hello Perez")

    assert (world.belvo_vendor().account, b"hello Perez", world.clock.now()) == store.aside
    assert ["WARNING"] == [record.levelname for record in caplog.records if record.levelno > logging.INFO]


async def test_a_delivery_about_an_unknown_job_is_parked(world: World) -> None:
    """200: the job may become known later, and then the delivery counts."""
    session = await world.open(webhooks=False)
    remote_id = "0123456789abcdef0123456789abcdef"

    answer = await session.receive("belvo", *world.belvo_delivery(remote_id))
    handle = await session.adopt("belvo", remote_id, world.invoices())

    assert 200 == answer
    assert (Status.FINISHED, Way.WEBHOOK) == (handle.status, (await handle).settled_by)
    assert () == await session.store.parked(handle.job.account)


async def test_a_delivery_of_one_vendor_is_not_the_others(world: World) -> None:
    """Each address takes its own vendor's proof only."""
    session = await world.open(webhooks=False)
    belvo, syntage = world.belvo_delivery("1" * 32), world.syntage_delivery("1" * 32)

    assert 401 == await session.receive("syntage", *belvo)
    assert 401 == await session.receive("belvo", *syntage)


async def test_a_repeated_delivery_has_no_effect(world: World) -> None:
    """200 again, and the job is as it was."""
    session = await world.open(webhooks=False)
    handle = await session.fire(world.extraction())
    delivery = world.syntage_delivery(handle.job.remote_id)
    await session.receive("syntage", *delivery)
    job, timeline = handle.job, await session.store.timeline(handle.id)

    assert [200] * 3 == [await session.receive("syntage", *delivery) for _ in range(3)]

    assert job == handle.job == await session.store.get(handle.id)
    assert timeline == await session.store.timeline(handle.id)


async def test_a_contradiction_after_the_end_is_counted_aside(world: World) -> None:
    """An end never changes; that somebody said otherwise is kept."""
    session = await world.open(webhooks=False)
    handle = await session.fire(world.extraction())
    await session.receive("syntage", *world.syntage_delivery(handle.job.remote_id))

    answer = await session.receive("syntage", *world.syntage_delivery(handle.job.remote_id, "failed"))

    assert (200, Status.FINISHED, 1) == (answer, handle.status, handle.job.conflicts)


async def test_an_unknown_word_leaves_the_job_open(world: World) -> None:
    """Status words may be added at any time: they are kept, and the next known one decides."""
    session = await world.open(webhooks=False)
    handle = await session.fire(world.extraction())

    answer = await session.receive("syntage", *world.syntage_delivery(handle.job.remote_id, "thinking"))

    assert (200, False, "thinking") == (answer, handle.done(), handle.job.vendor_status)
    assert Status.FINISHED == (await handle).status


@pytest.mark.parametrize(
    "event", [{"type": "invoice.created", "data": {}}, {"type": "credential.updated"}, {"type": "a.b.c", "data": [1]}]
)
async def test_events_about_no_job_are_taken(world: World, event: dict[str, Any]) -> None:
    """Other events of the same subscription are none of ours: 200, nothing kept."""
    session = await world.open(webhooks=False)
    body = json.dumps(event).encode()

    assert 200 == await session.receive("syntage", world.syntage_proof(body), body)


async def test_confirming_sessions_poll_for_themselves(world: World) -> None:
    """With `confirm`, a webhook only makes us poll: what the vendor's list says decides."""
    session = await world.open(world.syntage_vendor(confirm=True), webhooks=False)
    world.syntage.next_job(outcome="stuck")
    handle = await session.fire(world.extraction())
    await world.until(lambda: world.syntage.jobs[handle.job.remote_id].status == "running")

    await session.receive("syntage", *world.syntage_delivery(handle.job.remote_id, "finished"))
    await world.until(lambda: handle.status is not Status.PENDING, within=timedelta(seconds=5))

    assert Status.RUNNING == handle.status


async def test_a_store_that_is_down_asks_for_a_repetition(world: World) -> None:
    """503: nothing was kept, so nothing is acknowledged; the repetition is taken."""
    store = TroubledStore()
    session = await world.open(webhooks=False, store=store)
    handle = await session.fire(world.invoices())
    known, unknown = world.belvo_delivery(handle.job.remote_id), world.belvo_delivery("9" * 32)
    unreadable = world.belvo_proof(), b"nonsense"

    store.is_down = True
    down = [await session.receive("belvo", *each) for each in (known, unknown, unreadable)]
    forged = await session.receive("belvo", {}, known[1])
    store.is_down = False
    up = [await session.receive("belvo", *each) for each in (known, unknown, unreadable)]

    assert ([503] * 3, 401, [200] * 3) == (down, forged, up)
    assert handle.done()


async def test_a_store_that_hangs_does_not_hold_the_vendor(world: World) -> None:
    """Never over two seconds: the vendors give up after three and five."""

    class Hanging(TroubledStore):
        async def find(self, *args: Any) -> Any:
            await asyncio.sleep(3600)

    session = await world.open(webhooks=False, store=Hanging())
    began = world.clock.now()

    answer = await session.receive("belvo", *world.belvo_delivery("9" * 32))

    assert 503 == answer
    assert world.clock.now() - began <= timedelta(seconds=2.1)


async def test_an_unknown_vendor_is_not_found(world: World) -> None:
    """404 for every other name."""
    session = await world.open(world.belvo_vendor(), webhooks=False)

    assert [404] * 3 == [await session.receive(name, {}, b"{}") for name in ("syntage", "Belvo", "")]


async def test_a_closed_session_takes_nothing(world: World) -> None:
    """503: whoever opens the store next takes the repetition."""
    session = await world.open(webhooks=False)
    await session.close()

    assert 503 == await session.receive("belvo", *world.belvo_delivery("1" * 32))


def warnings(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [vars(record) for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize(
    ("vendor_name", "reason"),
    [
        ("belvo", "the delivery does not carry the configured Authorization value"),
        ("syntage", "no signature of the delivery is right: is the secret?"),
    ],
)
async def test_a_refused_delivery_is_a_warning(
    world: World, vendor_name: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A wrong secret shows in the message itself: which vendor's and why, and nothing the delivery held."""
    session = await world.open(webhooks=False)
    forged = [("Authorization", "Bearer canary-forged"), ("X-Syntage-Signature", f"t=1780315200,s={'0a' * 32}")]

    await session.receive(vendor_name, forged, b'{"type": "canary-forged"}')

    (told,) = warnings(caplog)
    assert f"a webhook was refused: it is not proven to come from the vendor: {reason}" == told["message"]
    assert (vendor_name, reason) == (told["vendor"], told["reason"])
    assert not any(word in str(told) for word in ("canary-forged", "0a0a"))


async def test_a_clock_that_is_off_does_not_hide_among_forgeries(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Late, early and wrong are each told at once, however many of another kind came within the minute."""
    session = await world.open(webhooks=False)
    body = b'{"type": "extraction.updated"}'
    changes: list[dict[str, Any]] = [
        {"secret": "x" * 32},
        {"age": timedelta(minutes=6)},
        {"age": timedelta(minutes=7)},
        {"age": -timedelta(minutes=6)},
    ]

    for change in changes:
        headers = [("X-Syntage-Signature", _signature(world, body, **change))]
        assert 401 == await session.receive("syntage", headers, body)

    lines = [line.partition("from the vendor: ")[2] for line in told(caplog, "a webhook was refused")]
    assert ["no signature of the delivery is right", "the signature is right but 360 s old"] == [
        line.partition(",")[0].partition(":")[0] for line in lines[:2]
    ]
    assert 3 == len(lines)
    assert "s ahead of the clock here" in lines[2]


def told(caplog: pytest.LogCaptureFixture, words: str) -> list[str]:
    return [record.getMessage() for record in caplog.records if words in record.getMessage()]


async def test_a_flood_of_forgeries_is_told_in_sum(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """The first at once, then a line a minute that says how many more came; a quiet minute ends it."""
    session = await world.open(webhooks=False)

    for _ in range(3):
        for _ in range(1000):
            assert 401 == await session.receive("belvo", {}, b"{}")
        await asyncio.sleep(20)
    await asyncio.sleep(120)
    await session.receive("belvo", {}, b"{}")
    await session.receive("belvo", {}, b"{}")
    await session.receive("syntage", {}, b"{}")
    await session.close()

    lines = told(caplog, "a webhook was refused")
    assert ["", " (2999 more in the last minute)", "", "", " (1 more in the last minute)"] == [
        (line.partition("value")[2] or line.partition("secret?")[2]) for line in lines
    ]
    assert [None, 2999, None, None, 1] == [
        getattr(each, "count", None) for each in caplog.records if each.msg in lines or hasattr(each, "count")
    ]


@pytest.mark.parametrize("what", ["unreadable", "not kept"])
async def test_whatever_comes_by_the_thousand_is_told_in_sum(
    world: World, caplog: pytest.LogCaptureFixture, what: str
) -> None:
    """A store that is down and a sender whose deliveries nobody can read fill no disk with lines."""
    store = TroubledStore()
    session = await world.open(webhooks=False, store=store)
    store.is_down = what == "not kept"

    for _ in range(500):
        await session.receive(
            "belvo", world.belvo_proof(), b"[1" if what == "unreadable" else world.belvo_delivery("1" * 32)[1]
        )
    await session.close()

    assert 2 == len(told(caplog, "could not be kept" if what == "not kept" else "could not be read"))


@pytest.mark.parametrize(
    ("declared", "status"),
    [("9", 503), ("+2", 200), ("", 200), ("2", 200), ("1", 200), ("9" * 5000, 503), ("٩", 200)],
    ids=["longer", "odd", "empty", "equal", "shorter", "endless", "Arabic digits"],
)
async def test_a_body_shorter_than_it_was_sent_is_refused(world: World, declared: str, status: int) -> None:
    """Somebody before us has read a part of it: the vendor repeats what is not answered with success."""
    session = await world.open(webhooks=False)
    headers = world.belvo_proof() | {"Content-Length": declared}

    assert status == await session.receive("belvo", headers, b"{}")


async def test_a_delivery_that_cannot_be_kept_is_a_warning(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Which kind of trouble keeps the store from it."""
    store = TroubledStore()
    session = await world.open(webhooks=False, store=store)
    store.is_down = True

    await session.receive("belvo", *world.belvo_delivery("1" * 32))

    (told,) = warnings(caplog)
    assert "a webhook could not be kept: answered 503, the vendor repeats it: the store is down" == told["message"]
    assert ("belvo", "StoreError") == (told["vendor"], told["error"])


async def test_a_session_that_was_never_opened_says_how_to_open_it(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """The usual mistake with an adapter: 503 each time, one warning with the way out."""
    session = Session(world.belvo_vendor(), clock=world.clock)

    answers = [await session.receive("belvo", *world.belvo_delivery("1" * 32)) for _ in range(3)]

    (told,) = warnings(caplog)
    assert [503] * 3 == answers
    assert "belvo" == told["vendor"]
    assert "the session is not open" in told["message"]
    assert "`async with session` in its lifespan" in told["message"]


async def test_a_session_that_was_closed_says_so_once(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Another state than never opened, and another warning."""
    session = Session(world.belvo_vendor(), clock=world.clock)
    await session.receive("belvo", *world.belvo_delivery("1" * 32))
    async with session:
        pass

    for _ in range(3):
        await session.receive("belvo", *world.belvo_delivery("1" * 32))

    told = [each["message"] for each in warnings(caplog)]
    assert 2 == len(told)
    assert "the session is closed" in told[1]


async def test_without_a_secret_nothing_is_proven(world: World) -> None:
    """401 for everything: no secret, no proof."""
    session = await world.open(
        world.belvo_vendor(webhook_authorization=None), world.syntage_vendor(webhook_secrets=()), webhooks=False
    )

    assert 401 == await session.receive("belvo", *world.belvo_delivery("1" * 32))
    assert 401 == await session.receive("syntage", *world.syntage_delivery("1" * 32))


async def test_proof_may_be_waived_in_words(world: World) -> None:
    """`allow_unauthenticated=True` takes deliveries from anybody: behind a gateway that checks them."""
    session = await world.open(
        world.belvo_vendor(webhook_authorization=None, allow_unauthenticated=True),
        world.syntage_vendor(webhook_secrets=(), allow_unauthenticated=True),
        webhooks=False,
    )

    assert 200 == await session.receive("belvo", {}, world.belvo_delivery("1" * 32)[1])
    assert 200 == await session.receive("syntage", {}, world.syntage_delivery("1" * 32)[1])


async def test_a_waiver_does_not_undo_a_secret(world: World) -> None:
    """Who has a secret has it checked."""
    session = await world.open(world.belvo_vendor(allow_unauthenticated=True), webhooks=False)

    assert 401 == await session.receive("belvo", {}, world.belvo_delivery("1" * 32)[1])


@pytest.mark.parametrize("secret", ["Bearer 0123456", "Bearer " + "ñ" * 20, " Bearer 0123456789abcdef"])
def test_a_secret_that_could_never_match_is_refused(secret: str) -> None:
    """Too short to be safe, or of characters that servers decode differently."""
    with pytest.raises(ConfigurationError) as refused:
        Belvo("id", "password", webhook_authorization=secret)

    assert secret not in str(refused.value)


async def test_any_of_several_secrets_proves(world: World) -> None:
    """While a secret is being replaced both are valid."""
    session = await world.open(world.syntage_vendor(webhook_secrets=("a" * 32, "b" * 32)), webhooks=False)
    body = world.syntage_delivery("1" * 32)[1]

    proofs = [world.syntage_proof(body, secret=secret * 32) for secret in "abc"]

    assert [200, 200, 401] == [await session.receive("syntage", proof, body) for proof in proofs]


async def test_a_wrong_digest_is_refused(world: World) -> None:
    """A digest that does not fit the body contradicts the signature: 401."""
    session = await world.open(webhooks=False)
    proof, body = world.syntage_delivery("1" * 32)
    digest = base64.b64encode(b"0" * 32).decode()

    assert 401 == await session.receive("syntage", proof | {"Content-Digest": f"sha-256=:{digest}:"}, body)
