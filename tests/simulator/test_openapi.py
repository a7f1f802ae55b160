"""What the simulators say of themselves as OpenAPI is what they answer."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from datetime import date
from typing import Any

import aiohttp
import pytest
from openapi_spec_validator import validate

from belvo_async._cli import main
from belvo_async.simulator import BelvoSimulator, SyntageSimulator
from belvo_async.simulator.belvo.catalogue import CATALOGUE
from belvo_async.simulator.belvo.lists import (
    INSTITUTION_FILTERS,
    LINK_FILTERS,
    FilterError,
    asked,
    filters as belvo_filters,
)
from belvo_async.simulator.syntage import lists
from belvo_async.simulator.wire import Incoming

BOTH = pytest.mark.parametrize("kind", [BelvoSimulator, SyntageSimulator], ids=["belvo", "syntage"])
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
Simulator = type[BelvoSimulator] | type[SyntageSimulator]


def operations(document: Any) -> dict[tuple[str, str], Any]:
    return {
        (method.upper(), template): operation
        for template, methods in document["paths"].items()
        for method, operation in methods.items()
    }


@pytest.mark.proof
@BOTH
def test_it_is_a_valid_document(kind: Simulator) -> None:
    """By the specification of OpenAPI 3.1."""
    document: Any = kind().openapi()

    validate(document)

    names = [each["operationId"] for each in operations(document).values()]
    assert sorted(set(names)) == sorted(names)


@BOTH
def test_every_route_is_in_it_once_and_nothing_else(kind: Simulator) -> None:
    """Each with its parameters: those of its path, and what it understands beside it."""
    simulator = kind()
    routes = {(route.method, route.template): route for route in simulator.routes()}

    described = operations(simulator.openapi())

    assert len(routes) == len(list(simulator.routes()))
    assert set(routes) == set(described)
    for key, operation in described.items():
        named = {(each["in"], each["name"]) for each in operation["parameters"]}
        assert named == (
            {("path", name) for name in re.findall(r"\{(\w+)\}", key[1])}
            | {("query", name) for name in routes[key].query}
            | {("header", name) for name in routes[key].headers}
        )


@BOTH
async def test_what_is_not_in_it_is_not_answered(kind: Simulator) -> None:
    """Over HTTP: a method is refused as such (405) exactly where the document has none."""
    async with kind(limits=False) as simulator, aiohttp.ClientSession(simulator.url, headers=key(simulator)) as http:
        described = operations(simulator.openapi())
        templates = sorted({template for _, template in described})
        wrong: list[tuple[str, str]] = []
        for template in templates:
            for method in METHODS:
                async with http.request(method, template.replace("{", "").replace("}", ""), json={}) as answer:
                    is_answered = answer.status != 405
                if is_answered != ((method, template) in described) and not shadowed(template, described):
                    wrong.append((method, template))

    assert [] == wrong


def key(simulator: BelvoSimulator | SyntageSimulator) -> dict[str, str]:
    if isinstance(simulator, SyntageSimulator):
        return {"X-API-Key": simulator.api_key}
    return {"Authorization": aiohttp.encode_basic_auth(simulator.secret_id, simulator.secret_password)}


def shadowed(template: str, described: dict[tuple[str, str], Any]) -> bool:
    """Whether a path stands for another template as well, which may have more methods."""
    path = template.replace("{", "").replace("}", "")
    patterns = {re.sub(r"\{\w+\}", "[^/]+", other) for _, other in described if other != template}
    return any(re.fullmatch(pattern, path) for pattern in patterns)


@pytest.mark.parametrize("known", [LINK_FILTERS, INSTITUTION_FILTERS, *(each.filters for each in CATALOGUE)])
def test_every_filter_of_belvo_filters(known: Any) -> None:
    """Each parameter of a list but those of its page and its fields is a test of rows."""
    values = ("2025-01-01", "2025", "10.00", "INFLOW", "single", "fiscal", "c81a1dea-6dd6-4806-af9b-3fe4a9d9e8e1")

    def is_test(name: str) -> bool:
        for value in (f"{each},{each}" if name.endswith("__range") else each for each in values):
            with suppress(FilterError):
                if belvo_filters({name: [value]}, known):
                    return True
        return False

    names = [name for name in asked(known) if name not in ("page", "page_size", "fields", "omit")]

    assert [] == [name for name in names if not is_test(name)]


@pytest.mark.parametrize("known", [lists.INVOICE_FILTERS, lists.ENTITY_FILTERS, lists.CREDENTIAL_FILTERS,
                                   lists.EXTRACTION_FILTERS, lists.EVENT_FILTERS])  # fmt: skip
def test_every_filter_of_syntage_filters(known: lists.Filters) -> None:
    """Each parameter of a list but those of its page and order is a test of rows."""

    def tests(name: str) -> int:
        _, match = known.get(name) or known[name.partition("[")[0]]
        value = date(2025, 1, 1).isoformat() if match == "date" else "1"
        call = Incoming(method="GET", path="/", query={name: [value]}, headers={}, body=b"")
        return len(lists.filters(call, known))

    names = [name for name in lists.asked(known, (), "cursor") if name not in ("itemsPerPage", "id[lt]", "id[gt]")]

    assert [] == [name for name in names if tests(name) != 1]


@pytest.mark.parametrize(("vendor", "port"), [("belvo", 8801), ("syntage", 8802)])
def test_the_command_prints_it(vendor: str, port: int, capsys: pytest.CaptureFixture[str]) -> None:
    """As JSON, at the address that `simulate` serves it at; nothing is served."""
    assert 0 == main(["simulate", "--openapi", vendor])

    document = json.loads(capsys.readouterr().out)
    assert [{"url": f"http://127.0.0.1:{port}"}] == document["servers"]
    assert document["info"]["title"].lower().startswith(vendor)
