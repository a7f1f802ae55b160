"""`session.receive` takes a delivery in whatever shape a framework hands it over, or says what it wants."""

from __future__ import annotations

import email.message
import json
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import pytest

from belvo_async import Session, Status
from tests.session.world import World

Shape = Callable[[dict[str, str]], Any]


def _message(headers: dict[str, str]) -> email.message.Message:
    message = email.message.Message()
    for name, value in headers.items():
        message[name] = value
    return message


HEADERS: dict[str, Shape] = {
    "dict": dict,
    "frozen mapping": MappingProxyType,
    "pairs": lambda headers: list(headers.items()),
    "lists as pairs": lambda headers: [[name, value] for name, value in headers.items()],
    "a generator of pairs": lambda headers: (pair for pair in headers.items()),
    "byte pairs": lambda headers: [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    "a mapping of bytes": lambda headers: {name.encode(): value.encode() for name, value in headers.items()},
    "lists of values": lambda headers: {name: [value] for name, value in headers.items()},
    "tuples of byte values": lambda headers: {name: (value.encode(),) for name, value in headers.items()},
    "beside one without a value": lambda headers: {**headers, "X-Empty": None, "X-None": []},
    "a message": _message,
}
BODIES: dict[str, Callable[[bytes], Any]] = {
    "bytes": bytes,
    "bytearray": bytearray,
    "memoryview": memoryview,
    "a part of a memoryview": lambda body: memoryview(b"x" + body + b"x")[1:-1],
    "str": lambda body: body.decode(),
}


def _delivery(world: World, session: Session, vendor_name: str, remote_id: str | None) -> tuple[dict[str, str], bytes]:
    make = world.belvo_delivery if vendor_name == "belvo" else world.syntage_delivery
    headers, body = make(remote_id)
    return dict(headers), body


@pytest.mark.parametrize("vendor_name", ["belvo", "syntage"])
@pytest.mark.parametrize("shape", HEADERS.values(), ids=HEADERS)
async def test_headers_of_any_usual_shape_prove(world: World, vendor_name: str, shape: Shape) -> None:
    """AWS, ASGI, WSGI and mail messages have them differently; what they say is the same."""
    session = await world.open(webhooks=False)
    handle = await session.fire(world.invoices() if vendor_name == "belvo" else world.extraction())
    headers, body = _delivery(world, session, vendor_name, handle.job.remote_id)

    answer = await session.receive(vendor_name, shape(headers), body)

    assert (200, Status.FINISHED) == (answer, handle.status)


@pytest.mark.parametrize("vendor_name", ["belvo", "syntage"])
@pytest.mark.parametrize("shape", BODIES.values(), ids=BODIES)
async def test_bodies_of_any_usual_shape_are_proven_and_read(
    world: World, vendor_name: str, shape: Callable[[bytes], Any]
) -> None:
    """A text is the bytes of its UTF-8."""
    session = await world.open(webhooks=False)
    handle = await session.fire(world.invoices() if vendor_name == "belvo" else world.extraction())
    headers, body = _delivery(world, session, vendor_name, handle.job.remote_id)

    answer = await session.receive(vendor_name, headers, shape(body))

    assert (200, Status.FINISHED) == (answer, handle.status)


@pytest.mark.parametrize("vendor_name", ["belvo", "syntage"])
async def test_no_headers_prove_nothing(world: World, vendor_name: str) -> None:
    """401, as for headers that lack the proof."""
    session = await world.open(webhooks=False)

    assert [401, 401] == [await session.receive(vendor_name, each, b"{}") for each in (None, {})]


@pytest.mark.parametrize("vendor_name", ["belvo", "syntage"])
async def test_a_repeated_header_in_one_list_is_still_one_too_many(world: World, vendor_name: str) -> None:
    """The shape does not loosen the proof."""
    session = await world.open(webhooks=False)
    headers, body = _delivery(world, session, vendor_name, "b" * 32)
    doubled = {name: [value, value] for name, value in headers.items()}

    assert 401 == await session.receive(vendor_name, doubled, body)


@pytest.mark.parametrize("text", ["\ud800", "\udcff{}", "ñ\x00"])
async def test_a_text_that_no_bytes_had_is_an_answer(world: World, text: str) -> None:
    """A stranger chooses what a body holds: never an exception."""
    session = await world.open(webhooks=False)

    assert 401 == await session.receive("syntage", {}, text)


@pytest.mark.parametrize(
    ("headers", "body", "named"),
    [
        pytest.param({}, {"canary": 1}, "`body` .* not of type dict", id="parsed body"),
        pytest.param({}, ["canary"], "`body` .* not of type list", id="list"),
        pytest.param({}, None, "`body` .* not of type NoneType", id="no body"),
        pytest.param({}, 7, "`body` .* not of type int", id="number"),
        pytest.param("canary: 1", b"{}", "`headers` .* not of type str", id="headers as text"),
        pytest.param(b"canary: 1", b"{}", "`headers` .* not of type bytes", id="headers as bytes"),
        pytest.param(7, b"{}", "`headers` .* not of type int", id="headers as a number"),
        pytest.param(["ab", "cd"], b"{}", "`headers` .* not of type list", id="names alone"),
        pytest.param([("a", "b", "c")], b"{}", "`headers` .* not of type list", id="triples"),
        pytest.param({"canary": {"a": 1}}, b"{}", "`headers` .* not of type dict", id="nested"),
        pytest.param({1: "canary"}, b"{}", "`headers` .* not of type dict", id="numbers as names"),
    ],
)
async def test_what_is_no_delivery_is_told_in_one_sentence(world: World, headers: Any, body: Any, named: str) -> None:
    """A mistake of the program, told as one; without what was handed over."""
    session = await world.open(webhooks=False)

    with pytest.raises(TypeError, match=named) as raised:
        await session.receive("belvo", headers, body)

    shown = json.dumps([str(raised.value)])
    trace = raised.tb.tb_next
    while trace is not None:
        shown += repr(trace.tb_frame.f_locals)
        trace = trace.tb_next
    assert "canary" not in shown
