"""Whatever a vendor answers, of its documented kinds or beside them: it is read, or refused in our own words.

Every type that offers an operation asks for it, over HTTP, of a server that answers at random. What was said as it
should be comes out as it was said, whatever stands beside it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import pytest
from aiohttp import web
from msgspec import inspect

from belvo_async import Belvo, Session, Syntage
from belvo_async.abc import Answer, Headers, Secret, answer_of
from belvo_async.errors import IncompleteResultError, NotFoundError, PayloadError, UnsupportedError
from belvo_async.jobs import Observation
from tests.documents import ledger
from tests.documents.held import fits, type_of, wrong
from tests.documents.offers import NOW, VENDORS, Ledger, Offer, job_of
from tests.documents.random_json import Sayer
from tests.virtual_time import VirtualClock

ROUNDS: Final = 20
VENDOR = pytest.mark.parametrize("vendor", ["belvo", "syntage"])
# Rows of another are left out, as they should be: all say that they are of the one asked for.
OWNERS: Final = ("link",)


@dataclass
class Anybody:
    """Answers every documented operation at random, each round in another way, and remembers what it said."""

    vendor: str
    round: int = 0
    said: Any = None
    rows: list[Any] = field(default_factory=list[Any])
    pages: int = 0
    fixed: Mapping[str, object] = field(default_factory=dict[str, object])

    def __post_init__(self) -> None:
        self._ledger = Ledger(ledger.operations(self.vendor))

    def say(self, method: str, target: str) -> bytes | None:
        """Something; None where nothing is documented, as below an id that was said before and is none."""
        operation = self._ledger.find(method, target)
        if operation is None:
            return None
        sayer = Sayer(f"{self.round} {operation['name']} {self.pages}")
        if "rows" in operation:
            self.said = sayer.page(operation["rows"], self.fixed, self.pages)
            self.rows += self.said["results"]
            self.pages += 1
        else:
            self.said = sayer.answer(operation.get("answer", {}), self.fixed)
        return msgspec.json.encode(self.said)

    async def answer(self, request: web.Request) -> web.Response:
        said = self.say(request.method, request.raw_path)
        return web.Response(status=404 if said is None else 200, body=said or b"{}", content_type="application/json")


@asynccontextmanager
async def asking(vendor: str, clock: VirtualClock) -> AsyncIterator[tuple[Anybody, Session]]:
    """A vendor that says anything, and a session on it."""
    anybody = Anybody(vendor)
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", anybody.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    account = {
        "belvo": lambda: Belvo("id-0123456789", "password-0123456789", base_url=url),
        "syntage": lambda: Syntage("key-0123456789abcdef", base_url=url),
    }[vendor]()
    try:
        async with Session(account, clock=clock) as session:
            yield anybody, session
    finally:
        await runner.cleanup()


async def misread(session: Session, anybody: Anybody, offer: Offer) -> list[str]:
    """Ask once; gives what was read otherwise than it was said, and what was refused although it could be read."""
    anybody.fixed = {name: value for name in OWNERS if (value := getattr(offer.example, name, None))}
    anybody.rows, anybody.pages = [], 0
    return await _ASKED[offer.verb](session, anybody, offer)


async def misread_list(session: Session, anybody: Anybody, offer: Offer) -> list[str]:
    found: list[Any] = []
    kind = type_of(answer_of(offer.kind))
    try:
        async for row in session.list(offer.example):
            found.append(row)
    except PayloadError:
        return [] if lacks_what_it_needs(anybody.rows, kind) else ["is refused"]
    except IncompleteResultError as error:
        if error.expected <= len(found):
            return ["is called incomplete"]
    # A null where a row should stand is told as a misfit, and is no record.
    rows = [row for row in anybody.rows if row is not None]
    if len(rows) != len(found):
        return [f"{len(found)} of {len(rows)} rows"]
    return [each for row, record in zip(rows, found, strict=True) for each in wrong(row, record, kind)]


async def misread_call(session: Session, anybody: Anybody, offer: Offer) -> list[str]:
    kind = type_of(answer_of(offer.kind))
    try:
        found = await session.call(offer.example)
    except PayloadError:
        said = anybody.said if isinstance(anybody.said, list) else [anybody.said]
        return [] if lacks_what_it_needs(said, kind) else ["is refused"]
    return [] if found is None else list(wrong(anybody.said, found, kind))


async def misread_file(session: Session, anybody: Anybody, offer: Offer) -> list[str]:
    try:
        found = await session.download(offer.example).read()
    except (PayloadError, UnsupportedError, IncompleteResultError, NotFoundError):
        # What is told of a file before it comes may be anything: no file, one of another length, or elsewhere.
        return []
    return [] if found == msgspec.json.encode(anybody.said) else ["other bytes"]


async def misread_start(session: Session, anybody: Anybody, offer: Offer) -> list[str]:
    """What a submission, or the end of one, was answered is an observation, or an error; nothing is stored here."""
    vendor = VENDORS[anybody.vendor]
    talk = getattr(vendor, "start" if offer.verb == "fire" else "stop")(job_of(vendor, offer.example), NOW)
    try:
        request = next(talk)
        while True:
            request = talk.send(Answer(202, Headers({}), anybody.say(request.method, request.target) or b""))
    except StopIteration as end:
        return [] if end.value is None or isinstance(end.value, Observation) else [f"gave {type(end.value).__name__}"]
    except PayloadError:
        return []


_ASKED: Final = {
    "list": misread_list,
    "call": misread_call,
    "download": misread_file,
    "fire": misread_start,
    "stop": misread_start,
}


def lacks_what_it_needs(rows: list[Any], kind: inspect.Type) -> bool:
    """Whether the id of one is none, or what its type insists on; what is no object lacks all."""
    kind = kind.item_type if isinstance(kind, inspect.CollectionType) else kind
    if not isinstance(kind, inspect.StructType):  # whatever the call gives that is gone on with
        return any(not isinstance(row, dict) or not isinstance(row.get("id"), str) for row in rows)
    needed = {each.encode_name: each.type for each in kind.fields if each.encode_name == "id" or each.required}
    # A secret that is none is not told as a misfit, which would show it.
    secret = {each.encode_name: each.type for each in kind.fields if is_secret(each.type)}
    return any(
        not isinstance(row, dict)
        or not all(fits(row.get(name), each) for name, each in needed.items())
        or not all(row.get(name) is None or fits(row[name], each) for name, each in secret.items())
        for row in rows
    )


def is_secret(kind: inspect.Type) -> bool:
    kinds = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
    return any(isinstance(each, inspect.CustomType) and each.cls is Secret for each in kinds)


async def play(vendor: str, rounds: range, clock: VirtualClock) -> list[str]:
    """Have every type ask in each round; gives what was read wrong."""
    faults: list[str] = []
    async with asking(vendor, clock) as (anybody, session):
        for anybody.round in rounds:
            for offer in ledger.offers(vendor).found:
                name = f"round {anybody.round}: {offer.name} of {offer.operation['name']}"
                faults += [f"{name}: {each}" for each in await misread(session, anybody, offer)]
    return faults


@VENDOR
async def test_answers_of_any_kind_are_read(vendor: str, clock: VirtualClock) -> None:
    """Twice; the other rounds are proofs."""
    assert [] == await play(vendor, range(2), clock)


@pytest.mark.proof
@VENDOR
async def test_answers_of_really_any_kind_are_read(vendor: str, clock: VirtualClock) -> None:
    assert [] == await play(vendor, range(2, ROUNDS), clock)
