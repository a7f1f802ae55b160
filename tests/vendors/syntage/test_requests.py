"""Plain calls by convention: what a class and its fields make of a request."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, ClassVar, Literal

import msgspec
import pytest

from belvo_async.abc import Retry
from belvo_async.errors import NotFoundError, TaskError
from belvo_async.vendors import syntage
from belvo_async.vendors.syntage.schema.forms.requests import Delete, Get, OneRequest
from tests.vendors.syntage.kit import ENTITY, NOW, answer, converse, vendor

ID = "b9e60d3a-8f27-4a55-93c1-4f7d2e1a6c08"
OTHER = "c2b7d9e4-05a1-4c3f-9f18-6d4e7a0b3c52"


class Asked(OneRequest[syntage.Tag], frozen=True, kw_only=True):
    method: ClassVar[str] = "GET"
    path: ClassVar[str] = "/entities/{entity}/things/{thing}"

    entity: str
    thing: str
    is_new: bool | None = None
    since: datetime | None = None


class Sent(OneRequest[syntage.Tag], frozen=True, kw_only=True):
    method: ClassVar[str] = "POST"
    path: ClassVar[str] = "/things"
    collections: ClassVar[Mapping[str, str]] = {"tags": "/tags", "owner": "/entities"}

    display_name: str
    kind: Literal["a", "b"] = "a"
    tags: tuple[str, ...] | None = None
    owner: str | None = None
    day: date | None = None


class Changed(OneRequest[syntage.Tag], frozen=True, kw_only=True):
    method: ClassVar[str] = "PATCH"
    path: ClassVar[str] = "/things/{id}"

    id: str
    color: str | msgspec.UnsetType | None = msgspec.UNSET


class Gone(Delete, frozen=True):
    path: ClassVar[str] = "/things/{id}"


class Found(Get[syntage.Tag], frozen=True):
    path: ClassVar[str] = "/things/{id}"


def request_of(call: Any, status: int = 200) -> Any:
    _, (request,) = converse(vendor().call(call, NOW), answer(status, {"id": ID}))
    return request


def test_ids_fill_the_path_and_the_rest_asks() -> None:
    """An id may be an IRI of its place in the path; the name for logs holds none."""
    since = datetime(2025, 3, 1, 6, tzinfo=UTC)
    asked = Asked(entity=ENTITY, thing=f"{ENTITY}/things/{ID}", is_new=True, since=since)

    request = request_of(asked)

    assert f"{ENTITY}/things/{ID}?isNew=true&since=2025-03-01T06%3A00%3A00Z" == request.target
    assert ("GET", "GET /entities/{id}/things/{id}", Retry.SAFE, b"") == (
        request.method,
        request.name,
        request.retry,
        request.body or b"",
    )


def test_plain_json_is_taken_as_well() -> None:
    """JSON-LD is preferred; what is documented to answer plain JSON alone would refuse who takes nothing else (406)."""
    for call in (Found(ID), Sent(display_name="X"), Changed(id=ID)):
        headers = request_of(call).headers

        assert [("Accept", "application/ld+json, application/json;q=0.9")] == [
            each for each in headers if each[0] == "Accept"
        ]


def test_fields_are_the_body_and_what_was_not_said_is_not_sent() -> None:
    """Ids of other collections become IRIs, whichever way they were given; making a thing is sent once."""
    request = request_of(Sent(display_name="X", tags=(ID, f"/tags/{OTHER}"), owner=ENTITY, day=date(2025, 3, 1)))

    assert {
        "displayName": "X",
        "kind": "a",
        "tags": [f"/tags/{ID}", f"/tags/{OTHER}"],
        "owner": ENTITY,
        "day": "2025-03-01",
    } == msgspec.json.decode(request.body)
    assert (Retry.SUBMIT, ("Content-Type", "application/json")) == (request.retry, request.headers[-1])
    assert {"displayName": "X", "kind": "a"} == msgspec.json.decode(request_of(Sent(display_name="X")).body)


@pytest.mark.parametrize(
    ("given", "body"), [({}, {}), ({"color": None}, {"color": None}), ({"color": "r"}, {"color": "r"})]
)
def test_a_change_may_say_nothing_or_null(given: dict[str, Any], body: object) -> None:
    """Where null takes something away, UNSET says nothing."""
    request = request_of(Changed(id=ID, **given))

    assert given == msgspec.json.decode(request.body)
    assert ("Content-Type", "application/merge-patch+json") == request.headers[-1]


def test_deleting_gives_nothing_and_tells_what_was_not_there() -> None:
    """It may be repeated; what is unknown is said."""
    found, (request,) = converse(vendor().call(Gone(f"/things/{ID}"), NOW), answer(204))

    assert (None, "DELETE", f"/things/{ID}", Retry.SAFE) == (found, request.method, request.target, request.retry)
    with pytest.raises(NotFoundError):
        converse(vendor().call(Found(ID), NOW), answer(404, {"message": "Not found."}))


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: Sent(display_name=7), "display_name must be a text"),  # type: ignore[arg-type]
        (lambda: Sent(display_name=""), "display_name must be a text"),
        (lambda: Sent(display_name="x", kind="c"), "kind must be one of a, b"),  # type: ignore[arg-type]
        (lambda: Sent(display_name="x", kind=[]), "kind must be one of a, b"),  # type: ignore[arg-type]
        (lambda: Sent(display_name="x", tags=("../x",)), "tags must be an id or /tags/<id>"),
        (lambda: Sent(display_name="x", tags=ID), "tags must be a tuple, each a text"),  # type: ignore[arg-type]
        (lambda: Sent(display_name="x", owner="/tags/1"), "owner must be an id or /entities/<id>"),
        (lambda: Sent(display_name="x", day=datetime(2025, 3, 1, tzinfo=UTC)), "day must be a date"),
        (lambda: Asked(entity=ENTITY, thing=ID, since=datetime(2025, 3, 1)), "since must be a datetime with a"),  # noqa: DTZ001
        (lambda: Asked(entity=ENTITY, thing=f"/entities/{OTHER}/things/{ID}"), "thing must be an id or /entities/"),
        (lambda: Changed(id=ID, color=7), "color must be a text"),  # type: ignore[arg-type]
        (lambda: Gone("/entities/x/y"), "id must be an id or /things/<id>"),
    ],
)  # fmt: skip
def test_what_is_of_another_kind_is_refused_before_a_byte(make: Any, complaint: str) -> None:
    """The sentence names the field and what it takes, never what was given."""
    with pytest.raises(TaskError, match=complaint.replace("(", r"\(")):
        make()
