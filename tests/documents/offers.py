"""Which documented operations the types of a catalogue offer, found by having them make their requests."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl, urlsplit

import msgspec

from belvo_async import Belvo, Syntage
from belvo_async.abc import Answer, Headers, Request
from belvo_async.errors import TaskError, UnsupportedError
from belvo_async.jobs import Task
from tests.documents.examples import ID, Given, make, ways
from tests.documents.said import say
from tests.jobs.flat import flat

NOW: Final = datetime(2026, 3, 4, 18, 30, tzinfo=UTC)
VENDORS: Final[Mapping[str, Any]] = {
    "belvo": Belvo("id-0123456789", "password-0123456789"),
    "syntage": Syntage("key-0123456789abcdef"),
}
VERBS: Final = ("fire", "stop", "list", "call", "download")

Operation: TypeAlias = dict[str, Any]


class Ledger:
    """The operations of one vendor, found by method and path."""

    def __init__(self, operations: list[Operation]) -> None:
        # What is spelt out is meant before what has a place in its stead.
        ordered = sorted(operations, key=lambda each: each["path"].count("{"))
        self._patterns = [(each, re.compile(re.sub(r"\{\w+\}", "[^/]+", each["path"]))) for each in ordered]

    def find(self, method: str, target: str) -> Operation | None:
        """The operation a request is for; None for one that is not documented."""
        path = urlsplit(target).path
        return next((each for each, form in self._patterns if each["method"] == method and form.fullmatch(path)), None)


@dataclass
class Offer:
    """What a type can ask of one operation: the parameters and the keys of the body that some example has sent.

    `example` is the barest of them.
    """

    kind: type[msgspec.Struct]
    verb: str
    operation: Operation
    example: Any
    query: set[str] = field(default_factory=set)
    body: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        """As the ledger writes it: the type's name, for another verb than its own with that."""
        return f"{self.kind.__name__}.stop" if self.verb == "stop" else self.kind.__name__


@dataclass
class Offers:
    """What a catalogue offers of a ledger, and what it asks that stands in none."""

    found: list[Offer] = field(default_factory=list)
    untied: list[str] = field(default_factory=list)


def offers_of(vendor: Any, operations: list[Operation]) -> Offers:
    """Have every type of a catalogue make its requests, in every way its fields allow."""
    ledger, offers = Ledger(operations), Offers()
    for verb, kind, ask in _asked(vendor, ledger):
        _explore(offers, ledger, verb, kind, ask)
    return offers


Ask: TypeAlias = Callable[[Any], Request]


def _asked(vendor: Any, ledger: Ledger) -> Iterator[tuple[str, type[msgspec.Struct], Ask]]:
    for kind in vendor.tasks.values():
        yield "fire", kind, lambda task: next(vendor.start(job_of(vendor, task), NOW))
        yield "stop", kind, lambda task: next(vendor.stop(job_of(vendor, task), NOW))
    yield from (("list", kind, lambda query: next(vendor.list(query).steps(None))) for kind in vendor.queries)
    yield from (("call", kind, lambda call: next(vendor.call(call, NOW))) for kind in vendor.calls)
    yield from (("download", kind, lambda file: _file_of(vendor, file, ledger)) for kind in vendor.downloads)


def job_of(vendor: Any, task: Task[Any]) -> Any:
    """A job of a task that the vendor knows."""
    return flat(id="job", vendor=vendor.name, account=vendor.account, task=task, created_at=NOW, remote_id=ID)


def _file_of(vendor: Any, file: Any, ledger: Ledger) -> Request:
    """The request that reads a file; what is asked before it is answered as documented."""
    talk = vendor.download(file)
    try:
        request = next(talk)
        while (operation := ledger.find(request.method, request.target)) is not None:
            body = msgspec.json.encode(say(operation.get("answer", {})))
            request = talk.send(Answer(200, Headers({}), body))
    except StopIteration as end:
        request = end.value.request
    return request


def _explore(offers: Offers, ledger: Ledger, verb: str, kind: type[msgspec.Struct], ask: Ask) -> None:
    """Give each field alone, in each way; where that leads to another operation, each again beside it."""
    found: dict[str, Offer] = {}
    bases: list[Given] = [{}]
    while bases:
        base = bases.pop()
        for given in _variants(kind, base):
            example = make(kind, given)
            request = _request(ask, example) if example is not None else None
            if request is None:
                continue
            operation = ledger.find(request.method, request.target)
            if operation is None:
                offers.untied.append(f"{kind.__name__}: {request.name}")
                continue
            name = operation["name"]
            if name not in found:
                found[name] = Offer(kind, verb, operation, example)
                bases += [given] if given else []
            _note(found[name], request)
    offers.found += found.values()


def _variants(kind: type[msgspec.Struct], base: Given) -> Iterator[Given]:
    """The base itself, and the base with one more field: of each way of giving it, the first that is accepted."""
    yield base
    for name, given in ways(kind).items():
        if name not in base:
            for values in given:
                fitting = (each for each in values if make(kind, {**base, name: each}) is not None)
                yield from ({**base, name: value} for value in list(fitting)[:1])


def _request(ask: Ask, example: Any) -> Request | None:
    try:
        return ask(example)
    except (TaskError, UnsupportedError):
        return None


def _note(offer: Offer, request: Request) -> None:
    offer.query |= {name.removesuffix("[]") for name, _ in parse_qsl(urlsplit(request.target).query)}
    if request.body:
        offer.body |= set(paths(msgspec.json.decode(request.body)))


def paths(body: object, before: str = "") -> Iterator[str]:
    """The keys of a body at every depth, like `options.period.from`; those below an array beside it."""
    if isinstance(body, dict):
        for name, each in body.items():
            yield before + name
            yield from paths(each, f"{before}{name}.")
    elif isinstance(body, list):
        for each in body:
            yield from paths(each, before)


def ties(offers: Offers) -> dict[str, list[str]]:
    """The names of the types that offer each operation, by the operation's name."""
    found: dict[str, set[tuple[int, str]]] = {}
    for each in offers.found:
        found.setdefault(each.operation["name"], set()).add((VERBS.index(each.verb), each.name))
    return {operation: [name for _, name in sorted(names)] for operation, names in found.items()}


def verbs_of(vendor: Any) -> dict[str, str]:
    """By which verb each name of the ledger is used."""
    kinds = {"list": vendor.queries, "call": vendor.calls, "download": vendor.downloads}
    found = {kind.__name__: verb for verb, each in kinds.items() for kind in each}
    for kind in vendor.tasks.values():
        found |= {kind.__name__: "fire", f"{kind.__name__}.stop": "stop"}
    return found
