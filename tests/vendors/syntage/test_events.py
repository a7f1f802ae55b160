"""Catching up on events after a time in which nobody listened."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from belvo_async import Status, Syntage, Way
from belvo_async.abc import Answer, Headers
from belvo_async.errors import RateLimitError

SINCE = datetime(2025, 4, 2, 15, 0, tzinfo=UTC)
NOW = datetime(2025, 4, 2, 17, 0, tzinfo=UTC)
VENDOR = Syntage("key-of-nobody-0123", webhook_secrets=("0123456789abcdef0123",))


def event(status: str, extraction: str = "e1") -> dict[str, object]:
    resource = f"/extractions/{extraction}"
    return {
        "id": f"{status}-{extraction}",
        "type": "extraction.updated",
        "resource": resource,
        "data": {"object": {"id": extraction, "status": status}},
    }


def page(rows: list[object], following: str | None = None, status: int = 200) -> Answer:
    view = {"hydra:next": following} if following else {}
    return Answer(status, Headers(), json.dumps({"hydra:member": rows, "hydra:view": view}).encode())


def test_all_pages_are_read() -> None:
    """Every event since the instant becomes an observation of the way `poll`: it was read, not delivered."""
    conversation = VENDOR.catch_up(SINCE, NOW)
    first = next(conversation)
    second = conversation.send(page([event("finished")], "/events?itemsPerPage=100&id%5Blt%5D=x"))

    with pytest.raises(StopIteration) as end:
        conversation.send(page([event("running", "e2")]))

    assert (
        "/events?type=extraction.updated&createdAt%5Bafter%5D=2025-04-02T15%3A00%3A00Z&itemsPerPage=100" == first.target
    )
    assert "/events?itemsPerPage=100&id%5Blt%5D=x" == second.target
    assert [(Way.POLL, "e1", Status.FINISHED), (Way.POLL, "e2", Status.RUNNING)] == [
        (seen.way, seen.remote_id, seen.status) for seen in end.value.value
    ]


def test_a_row_that_cannot_be_read_costs_no_other() -> None:
    """One odd event does not hide the rest."""
    conversation = VENDOR.catch_up(SINCE, NOW)
    next(conversation)

    with pytest.raises(StopIteration) as end:
        conversation.send(page([{"id": 1}, None, event("failed"), {"type": "extraction.updated"}]))

    assert ["e1"] == [seen.remote_id for seen in end.value.value]


def test_an_array_with_gaps_is_read() -> None:
    """PHP writes it as an object, in the list of events as in that of extractions."""
    conversation = VENDOR.catch_up(SINCE, NOW)
    next(conversation)
    body = json.dumps({"hydra:member": {"1": event("finished"), "3": event("failed", "e2")}}).encode()

    with pytest.raises(StopIteration) as end:
        conversation.send(Answer(200, Headers(), body))

    assert ["e1", "e2"] == [seen.remote_id for seen in end.value.value]


@pytest.mark.parametrize("rows", [[], [event("running")]], ids=["empty page", "repeated link"])
def test_pages_end(rows: list[object]) -> None:
    """An empty page and a link met before both end the reading."""
    conversation = VENDOR.catch_up(SINCE, NOW)
    first = next(conversation)

    with pytest.raises(StopIteration):
        conversation.send(page(rows, first.target))


def test_an_error_answer_is_raised() -> None:
    """Who catches up is told why it did not work."""
    conversation = VENDOR.catch_up(SINCE, NOW)
    next(conversation)

    with pytest.raises(RateLimitError):
        conversation.send(page([], status=429))
