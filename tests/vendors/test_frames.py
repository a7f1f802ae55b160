"""What a vendor refuses, it refuses without showing: keys, passwords, taxpayers, deliveries."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from datetime import UTC, date, datetime, timedelta
from types import ModuleType
from typing import Any

import pytest

import belvo_async
from belvo_async import Belvo, Syntage, belvo, syntage
from belvo_async.abc import Answer, Headers, Secret
from belvo_async.errors import (
    BelvoAsyncError,
    ConfigurationError,
    PayloadError,
    SignatureError,
    TaskError,
    TransportError,
)
from belvo_async.jobs import Job, Status, Task
from tests.frames import leaks_of, provoked
from tests.jobs.flat import flat

CANARY = "canary7a4e01bf"
RFC = "CANA7A4E01BF1"
PERSON = "XUPA850101AB1"
INVOICE = "0195f6c2-100e-7a10-8c3e-5b7d90e1b000"
LINK = "c81a9a1b-2f3c-4c0e-9d51-0a1b2c3d4e5f"
NOW = datetime(2026, 1, 1, tzinfo=UTC)

BELVO: dict[str, Any] = {"secret_id": f"id{CANARY}", "secret_password": CANARY, "webhook_authorization": CANARY * 2}
SYNTAGE: dict[str, Any] = {"api_key": CANARY, "webhook_secrets": (CANARY * 2, CANARY * 3)}
NOT_TEXT = f"{CANARY}\udcff"

SETTINGS: dict[str, Callable[[], object]] = {
    **{
        f"belvo {name} {number}": lambda name=name, wrong=wrong: Belvo(**BELVO | {name: wrong})
        for name, values in {
            "secret_id": (f"{CANARY}:x", NOT_TEXT, CANARY.encode()),
            "secret_password": (f"{CANARY}\n", NOT_TEXT, [CANARY]),
            "webhook_authorization": (CANARY[:9], f"{CANARY * 2}\n", NOT_TEXT, [CANARY]),
            "previous_keys": ([CANARY, 7], NOT_TEXT, {CANARY: 1}),
            "base_url": (f"https://user:{CANARY}@relay.example.com", f"http://{CANARY}.example.com", [CANARY]),
            "account": (CANARY, f"{CANARY} {CANARY}", [CANARY]),
            "environment": (CANARY,),
            "timeout": (CANARY,),
            "quiet": (timedelta(0),),
            "budget": ("no",),
            "allow_unauthenticated": ("no",),
        }.items()
        for number, wrong in enumerate(values)
    },
    **{
        f"syntage {name} {number}": lambda name=name, wrong=wrong: Syntage(**SYNTAGE | {name: wrong})
        for name, values in {
            "api_key": (f"{CANARY}\n", NOT_TEXT, CANARY.encode()),
            "webhook_secrets": (CANARY[:9], [CANARY * 2, f"{CANARY * 2}\n"], {CANARY: 1}, [CANARY * 2 + "\udcff"]),
            "previous_keys": ([CANARY, 7], NOT_TEXT),
            "base_url": (f"https://user:{CANARY}@relay.example.com", f"https://relay.example.com/{CANARY}"),
            "account": (CANARY, [CANARY]),
            "environment": (CANARY,),
            "timeout": (CANARY,),
        }.items()
        for number, wrong in enumerate(values)
    },
    "belvo environment variables": lambda: Belvo.from_env(
        {"BELVO_SECRET_ID": CANARY, "BELVO_SECRET_PASSWORD": CANARY, "BELVO_ENV": CANARY, "PGPASSWORD": CANARY}
    ),
    "belvo variable missing": lambda: Belvo.from_env({"BELVO_SECRET_ID": CANARY, "PGPASSWORD": CANARY}),
    "belvo variable odd": lambda: Belvo.from_env({"BELVO_SECRET_ID": CANARY, "BELVO_SECRET_PASSWORD": f"{CANARY}é"}),
    "syntage environment variables": lambda: Syntage.from_env({"SYNTAGE_API_KEY": CANARY, "SYNTAGE_ENV": CANARY}),
    "syntage variable missing": lambda: Syntage.from_env({"PGPASSWORD": CANARY}),
    "syntage variable odd": lambda: Syntage.from_env({"SYNTAGE_API_KEY": CANARY, "SYNTAGE_WEBHOOK_SECRET": "canary7"}),
    "secret": lambda: Secret(NOT_TEXT),
}


@pytest.mark.parametrize("make", SETTINGS.values(), ids=SETTINGS)
def test_a_vendor_that_cannot_be_made(make: Callable[[], object]) -> None:
    """Neither what is wrong nor what is right of its settings."""
    with pytest.raises(ConfigurationError) as raised:
        make()

    assert [] == leaks_of(provoked(raised), CANARY, "canary7")


ADDRESS: dict[str, Any] = {
    **dict.fromkeys(("address", "city", "municipality", "neighborhood", "exterior_number"), CANARY),
    "state": "CMX",
    "postal_code": "11510",
}
TAXPAYER: dict[str, Any] = {
    **dict.fromkeys(("first_name", "first_last_name", "second_last_name"), CANARY),
    "rfc": PERSON,
    "birthdate": date(1985, 1, 1),
    "address": syntage.BuroAddress(**ADDRESS),
}
CREATE: dict[str, Any] = {"institution": "sat_mx_fiscal", "username": RFC, "password": CANARY}
EFIRMA: dict[str, Any] = {"certificate": CANARY.encode(), "private_key": CANARY.encode(), "password": CANARY}

ORDERS: dict[str, Callable[[], object]] = {
    "link institution": lambda: belvo.CreateLink(**CREATE | {"institution": CANARY}),
    "link username": lambda: belvo.CreateLink(**CREATE | {"username": RFC[:9]}),
    "link secret username": lambda: belvo.CreateLink(**CREATE | {"username": Secret(RFC[:9])}),
    "link password": lambda: belvo.CreateLink(**CREATE | {"password": "canary7"}),
    "link secret password": lambda: belvo.CreateLink(**CREATE | {"password": Secret("canary7")}),
    "link password that is no text": lambda: belvo.CreateLink(**CREATE | {"password": NOT_TEXT}),
    "link password in a list": lambda: belvo.CreateLink(**CREATE | {"password": [CANARY]}),
    "link external id": lambda: belvo.CreateLink(**CREATE | {"external_id": f"{RFC} {CANARY}"}),
    "link storage": lambda: belvo.CreateLink(**CREATE | {"credentials_storage": "nostore"}),
    "new password": lambda: belvo.UpdateLink(link=LINK, password=NOT_TEXT),
    "new password of no link": lambda: belvo.UpdateLink(link=f"{CANARY} ", password=CANARY),
    "new token": lambda: belvo.UpdateLink(link=LINK, password=CANARY, token=[CANARY]),  # type: ignore[arg-type]
    "resume": lambda: belvo.Resume(call=belvo.CreateLink(**CREATE), session=CANARY, token=CANARY),
    "resume token": lambda: belvo.Resume(call=belvo.CreateLink(**CREATE), session="0" * 32, token=NOT_TEXT),
    "record": lambda: belvo.GetInvoice(f"{RFC} {CANARY}"),
    "belvo list": lambda: belvo.InvoiceList(link=f"{CANARY} "),
    "ciec": lambda: syntage.Ciec(rfc=CANARY, password=CANARY),
    "short ciec": lambda: syntage.Ciec(rfc="XAXX010101000", password="canary7"),
    "secret ciec": lambda: syntage.Ciec(rfc="XAXX010101000", password=Secret("canary7")),
    "ciec that is no text": lambda: syntage.Ciec(rfc="XAXX010101000", password=NOT_TEXT),
    "ciec in a list": lambda: syntage.Ciec(rfc="XAXX010101000", password=[CANARY]),  # type: ignore[arg-type]
    "certificate": lambda: syntage.Efirma(**EFIRMA | {"certificate": CANARY}),
    "private key": lambda: syntage.Efirma(**EFIRMA | {"private_key": CANARY.encode() * 9_999}),
    "efirma password": lambda: syntage.Efirma(**EFIRMA | {"password": NOT_TEXT}),
    "entity": lambda: syntage.CreateEntity(name=CANARY, type="company", rfc=CANARY),
    "entity identifiers": lambda: syntage.CreateEntity(
        name=CANARY,
        type="company",
        identifiers=((CANARY, CANARY),),  # type: ignore[arg-type]
    ),
    "extraction": lambda: syntage.Extraction(f"/taxpayers/{CANARY}", "invoice"),
    "extraction of an object": lambda: syntage.Extraction([CANARY], "invoice"),  # type: ignore[call-overload]
    "extractor": lambda: syntage.Extraction(LINK, CANARY),
    "options": lambda: syntage.Extraction(LINK, "invoice", {"period": {"from": CANARY}}),
    "syntage list": lambda: syntage.Invoices(entity=f"/taxpayers/{CANARY}"),
    "export": lambda: syntage.Export(uri=CANARY, format=CANARY),  # type: ignore[arg-type]
    **{
        f"address {name}": lambda name=name: syntage.BuroAddress(**ADDRESS | {name: CANARY})
        for name in ("state", "postal_code", "country")
    },
    "address of no place": lambda: syntage.BuroAddress.within(syntage.PostalAddress(city=CANARY), address=CANARY),
    "address in a list": lambda: syntage.BuroAddress(**ADDRESS | {"city": [CANARY]}),
    **{
        f"person {name}": lambda name=name: syntage.BuroPerson(**TAXPAYER | {name: [CANARY]})
        for name in ("rfc", "birthdate", "first_name", "address")
    },
    "person's rfc": lambda: syntage.BuroPerson(**TAXPAYER | {"rfc": CANARY}),
    "company's rfc": lambda: syntage.BuroCompany(rfc=CANARY, trade_name=CANARY, address=TAXPAYER["address"]),
    "authorization": lambda: syntage.CreateBuroAuthorization(
        entity=LINK, taxpayer=syntage.BuroPerson(**TAXPAYER), authorized_at=datetime(2025, 1, 1)  # noqa: DTZ001
    ),
    "identifier": lambda: syntage.AddEntityIdentifier(entity=LINK, identifier="curp", value=CANARY),
    "name": lambda: syntage.UpdateEntity(id=LINK, name=[CANARY]),  # type: ignore[arg-type]
    "colour": lambda: syntage.CreateTag(name=CANARY, color=CANARY),
    "postal code": lambda: syntage.PostalAddresses(postal_code=CANARY),
    "rule": lambda: syntage.CreateSchedulerRule(
        scheduler=LINK, extractor="invoice", cron_expression="@daily", options={"period": {"from": CANARY}}
    ),
    "cron": lambda: syntage.CreateSchedulerRule(scheduler=LINK, extractor="rpc", cron_expression=CANARY),
    "layout": lambda: syntage.ShowGroup(name=CANARY, children=(CANARY,)),  # type: ignore[arg-type]
}  # fmt: skip


@pytest.mark.parametrize("make", ORDERS.values(), ids=ORDERS)
def test_what_cannot_be_asked(make: Callable[[], object]) -> None:
    """A mistake in an order is told without its values, revealed or not."""
    with pytest.raises((TaskError, TypeError)) as raised:
        make()

    assert [] == leaks_of(raised.value, CANARY, RFC[:9], "canary7")


def signed(**changes: str) -> Headers:
    return Headers({"authorization": f"Bearer {CANARY}", "x-syntage-signature": f"t=1767225600,s={CANARY}"} | changes)


@pytest.mark.parametrize("vendor", [Belvo(**BELVO), Syntage(**SYNTAGE), Belvo("an-id", "a-password"), Syntage("a-key")])
@pytest.mark.parametrize("body", [b"{", f'{{"rfc": "{CANARY}"}}'.encode(), f'"{CANARY}'.encode(), CANARY.encode()])
def test_a_delivery_that_is_not_proven(vendor: Any, body: bytes) -> None:
    """Neither what it says nor the proof it tried."""
    with pytest.raises(SignatureError) as raised:
        vendor.read_webhook(signed(), body + CANARY.encode(), NOW)

    assert [] == leaks_of(provoked(raised), CANARY)


@pytest.mark.parametrize(
    "vendor",
    [Belvo("id", "password", allow_unauthenticated=True), Syntage("key", allow_unauthenticated=True)],
    ids=["belvo", "syntage"],
)
@pytest.mark.parametrize(
    "body",
    [
        f'{{"rfc": "{CANARY}"',
        f'"{CANARY}"',
        f'["{CANARY}"]',
        f'{{"type": "extraction.updated", "data": {{"a": "{CANARY}"}}, "request_id": {{"a": "{CANARY}"}}}}',
        f'{{"type": "{CANARY}", "type": "{CANARY}", "data": 1, "data": "{CANARY}"}}',
        f'{{"a": "{CANARY}\udcff"}}',
        '{"a":' * 99 + f'"{CANARY}"',
        f"<html>{CANARY}",
    ],
)
def test_a_delivery_that_cannot_be_read(vendor: Any, body: str) -> None:
    """It is proven, and holds a taxpayer's data."""
    with pytest.raises(PayloadError) as raised:
        vendor.read_webhook(Headers(), body.encode(errors="surrogateescape"), NOW)

    assert [] == leaks_of(provoked(raised), CANARY)


NO_VENDOR_ERROR = [TransportError("cut", maybe_sent=True), PayloadError("no JSON")]
BODIES = [
    b"{",
    json.dumps({"id": INVOICE, "rfc": CANARY, "total": {"a": CANARY}, "hydra:member": {"a": CANARY}}).encode(),
    json.dumps({"id": {"a": CANARY}, "hydra:member": CANARY}).encode(),
    json.dumps([{"code": "invalid", "message": CANARY}]).encode(),
    json.dumps({"hydra:member": [{"id": INVOICE, "x": CANARY}], "hydra:view": {"hydra:next": f"/x?{CANARY}"}}).encode(),
    f"<html>{CANARY}".encode(),
]
ANSWERS = [Answer(status, Headers({"x": CANARY}), body) for status in (200, 201, 400, 409, 428, 500) for body in BODIES]


def job(vendor: Any, task: Task[Any]) -> Job:
    return flat(
        id="job-1",
        vendor=vendor.name,
        account=vendor.account,
        task=task,
        created_at=NOW,
        attempted_at=NOW,
        remote_id=INVOICE,
        status=Status.PENDING,
    )


ONE, OTHER = Belvo(**BELVO), Syntage(**SYNTAGE)
INVOICES = job(ONE, belvo.Invoices(link=LINK, date_from=date(2025, 1, 1), date_to=date(2025, 2, 1), type="INFLOW"))
EXTRACTION = job(OTHER, syntage.Extraction(f"/entities/{LINK}", "tax_status"))
EXPORT = job(OTHER, syntage.Export(uri="/invoices", format="csv"))
CONVERSATIONS: dict[str, Callable[[], Any]] = {
    "link": lambda: ONE.call(belvo.CreateLink(**CREATE), NOW),
    "record": lambda: ONE.call(belvo.GetInvoice(INVOICE), NOW),
    "request": lambda: ONE.start(INVOICES, NOW),
    "polls": lambda: ONE.poll([INVOICES], NOW),
    "deletion": lambda: ONE.find(job(ONE, belvo.DeleteLink(link=LINK)), NOW),
    "credential": lambda: OTHER.call(syntage.CreateCredential(syntage.Efirma(**EFIRMA)), NOW),
    "entity": lambda: OTHER.call(syntage.CreateEntity(name=CANARY, type="company"), NOW),
    "object": lambda: OTHER.call(syntage.GetInvoice(INVOICE), NOW),
    "extraction": lambda: OTHER.start(EXTRACTION, NOW),
    "export": lambda: OTHER.start(EXPORT, NOW),
    "lists": lambda: OTHER.poll([EXTRACTION, EXPORT], NOW),
    "search": lambda: OTHER.find(EXTRACTION, NOW),
    "search for an export": lambda: OTHER.find(EXPORT, NOW),
    "stop": lambda: OTHER.stop(EXTRACTION, NOW),
    "events": lambda: OTHER.catch_up(NOW, NOW),
    "file": lambda: OTHER.download(syntage.FileDownload(INVOICE)),
    "authorization": lambda: OTHER.call(
        syntage.CreateBuroAuthorization(entity=LINK, taxpayer=syntage.BuroPerson(**TAXPAYER), authorized_at=NOW), NOW
    ),
    "authorization that is no text": lambda: OTHER.call(
        syntage.CreateBuroAuthorization(
            entity=LINK, taxpayer=syntage.BuroPerson(**TAXPAYER | {"first_name": NOT_TEXT}), authorized_at=NOW
        ),
        NOW,
    ),
    "identifier": lambda: OTHER.call(syntage.AddEntityIdentifier(entity=LINK, identifier="rfc", value=PERSON), NOW),
    "name": lambda: OTHER.call(syntage.UpdateEntity(id=LINK, name=CANARY), NOW),
    "name that is no text": lambda: OTHER.call(syntage.UpdateEntity(id=LINK, name=NOT_TEXT), NOW),
    "report": lambda: OTHER.call(
        syntage.CreateInsightReport(name=CANARY, insights=(syntage.ShowInsight(name=CANARY, insight=CANARY),)), NOW
    ),
}


def play(conversation: Any, answers: Sequence[Answer | Exception]) -> None:
    with suppress(StopIteration):
        next(conversation)
        for each in answers:
            conversation.throw(each) if isinstance(each, Exception) else conversation.send(each)


@pytest.mark.parametrize("begin", CONVERSATIONS.values(), ids=CONVERSATIONS)
def test_a_conversation_that_fails(begin: Callable[[], Any]) -> None:
    """At its first answer or a later one: neither what was sent nor what was learned before."""
    leaks: list[str] = []
    for first in [[], *([each] for each in ANSWERS[:9])]:
        for each in [*NO_VENDOR_ERROR, *ANSWERS]:
            with closing(begin()) as conversation:
                try:
                    play(conversation, [*first, each])
                except BelvoAsyncError as error:
                    leaks += leaks_of(error, CANARY, PERSON)

    assert [] == leaks


@pytest.mark.parametrize(
    "said",
    [
        [{"code": PERSON, "message": "x", "field": PERSON}],
        [{PERSON: [{"code": "invalid", "message": PERSON}]}],
        {PERSON: {"filters": [PERSON]}},
        {"violations": [{"propertyPath": PERSON, "message": PERSON}, {"propertyPath": f"options.{PERSON}"}]},
        {"title": PERSON, "detail": PERSON, "type": PERSON, "hydra:title": PERSON},
    ],
)
@pytest.mark.parametrize("vendor", [ONE, OTHER], ids=["belvo", "syntage"])
@pytest.mark.parametrize("status", [400, 404, 409, 422, 429, 500])
def test_a_refusal_names_no_taxpayer(vendor: Any, said: object, status: int) -> None:
    """Codes and fields are shown, but not what stands in their place."""
    error = vendor.read_error(Answer(status, Headers(), json.dumps(said).encode()))

    assert PERSON not in f"{error!r} {vars(error)}"


def public(*modules: ModuleType) -> list[type[object]]:
    found = [getattr(module, name) for module in modules for name in getattr(module, "__all__", vars(module))]
    return [each for each in found if inspect.isclass(each)]


@pytest.mark.parametrize("kind", public(belvo_async, belvo, syntage))
def test_half_built_objects_can_be_shown(kind: type[object]) -> None:
    """A debugger, or an error tracker, shows `self` in the frame of the constructor that refuses."""
    try:
        blank = kind.__new__(kind)
    except TypeError:
        return  # it is never without its fields

    assert repr(blank) or issubclass(kind, BelvoAsyncError | str)
