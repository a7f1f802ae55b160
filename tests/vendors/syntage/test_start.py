"""Submitting an extraction: what each answer means for the job."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from belvo_async.abc import Retry
from belvo_async.errors import TransportError, UnsupportedError
from belvo_async.jobs import Later, Status, Task, Way
from belvo_async.vendors import syntage
from tests.vendors.syntage.kit import (
    CREATED,
    ENTITY,
    NOW,
    REMOTE,
    RFC,
    answer,
    converse,
    invoice_task,
    job,
    listing,
    params,
    path,
    raw,
    row,
    sample,
    vendor,
)

CONFLICT = answer(409, raw("error.409.duplicate_extraction"))
FOUND_ENTITY = answer(200, raw("entity"))


def test_submission_is_one_careful_request() -> None:
    """The POST carries the version, asks for JSON-LD, and may not be resent blindly; credentials come from the edge."""
    request = next(vendor().start(job(), NOW))

    assert ("POST", "/extractions", "POST /extractions", Retry.SUBMIT) == (
        request.method,
        request.target,
        request.name,
        request.retry,
    )
    assert {
        "Accept": "application/ld+json",
        "Accept-Version": "2020-06-28",
        "Content-Type": "application/json",
    } == dict(request.headers)
    assert request.budget is None


def test_taxpayer_form_is_sent_as_taxpayer() -> None:
    """The deprecated form goes out under its own key."""
    task = syntage.Extraction(entity=f"/taxpayers/{RFC}", extractor="tax_status")

    body = next(vendor().start(job(task), NOW)).body

    assert {"taxpayer": f"/taxpayers/{RFC}", "extractor": "tax_status"} == msgspec.json.decode(body or b"")


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("pending", Status.PENDING),
        ("waiting", Status.PENDING),
        ("running", Status.RUNNING),
        ("finished", Status.FINISHED),
        ("resting", Status.PENDING),
        (None, Status.PENDING),
    ],
)
def test_accepted_is_what_the_answer_says(word: str | None, status: Status) -> None:
    """A 202 names the extraction; a word we do not know is kept, and the job is pending."""
    seen, _ = converse(vendor().start(job(), NOW), answer(202, row(status=word)))

    assert (status, word, REMOTE, "job-1", Way.ANSWER) == (
        seen.status,
        seen.vendor_status,
        seen.remote_id,
        seen.job_id,
        seen.way,
    )


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"id": 7}', b"[" * 5000], ids=range(6))
def test_unreadable_acceptance_is_uncertain(body: bytes) -> None:
    """A 202 that names no extraction started one all the same."""
    seen, _ = converse(vendor().start(job(), NOW), answer(202, body))

    assert Status.UNCERTAIN == seen.status
    assert seen.doubt


@pytest.mark.parametrize("status", [302, 408, 500, 502, 503, 504])
def test_what_may_have_been_accepted_is_uncertain(status: int) -> None:
    """Syntage documents no code of its own for these, so the extraction may run."""
    seen, _ = converse(vendor().start(job(), NOW), answer(status, {"message": "x"}))

    assert (Status.UNCERTAIN, f"HTTP {status}") == (seen.status, seen.doubt)


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, "error.400.validation", "validation"),
        (400, "error.400.message", "bad_request"),
        (401, "error.401", "unauthorized"),
        (403, "error.403", "forbidden"),
        (404, "error.404", "not_found"),
        (422, "error.422", "unprocessable"),
    ],
)
def test_refusals_are_rejected_in_one_word(status: int, body: str, code: str) -> None:
    """A refusal ends the job; the vendor's wording stays out of the message."""
    seen, _ = converse(vendor().start(job(), NOW), answer(status, raw(body)))

    assert seen.failure is not None
    assert (Status.REJECTED, code, False) == (seen.status, seen.failure.code, seen.failure.retryable)
    assert "invented" not in seen.failure.message


def test_refused_fields_are_named() -> None:
    """Property paths are shown, what looks like free text is not."""
    violations = [
        {"propertyPath": "extractor", "message": f"{RFC} is bad"},
        {"propertyPath": f"the taxpayer {RFC}"},
        {"propertyPath": "options.types[0]"},
        7,
    ]
    seen, _ = converse(vendor().start(job(), NOW), answer(400, {"violations": violations}))

    assert seen.failure is not None
    assert "Syntage refuses some values: extractor, (unnamed), options.types[0]" == seen.failure.message


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"X-RateLimit-Reset": str(int(NOW.timestamp()) + 90)}, timedelta(seconds=90)),
        ({"X-RateLimit-Reset": "2025-04-02T16:22:00+00:00"}, timedelta(minutes=2)),
        ({"X-RateLimit-Reset": "2025-04-02 16:22:00"}, timedelta(minutes=2)),
        # The vendor's clock is an hour ahead of ours; only the difference counts.
        (
            {"X-RateLimit-Reset": "2025-04-02T17:21:00Z", "Date": "Wed, 02 Apr 2025 17:20:00 GMT"},
            timedelta(minutes=1),
        ),
        ({"Retry-After": "7"}, timedelta(seconds=7)),
        ({"Retry-After": "Wed, 02 Apr 2025 16:21:00 GMT"}, timedelta(minutes=1)),
        ({"X-RateLimit-Reset": "2025-04-02T16:00:00Z"}, timedelta(seconds=30)),
        ({"X-RateLimit-Reset": "2035-04-02T16:00:00Z"}, timedelta(hours=1)),
        ({"X-RateLimit-Reset": "soon"}, timedelta(seconds=30)),
        ({}, timedelta(seconds=30)),
    ],
    ids=["epoch", "date-time", "naive", "skewed", "seconds", "http-date", "past", "far", "word", "nothing"],
)
def test_rate_limited_is_tried_again_after_the_reset(headers: dict[str, str], wait: timedelta) -> None:
    """A 429 was certainly not accepted: it is submitted again when the window has ended."""
    seen, _ = converse(vendor().start(job(attempts=1), NOW), answer(429, b"{}", headers))

    assert (Status.SUBMITTING, NOW + wait) == (seen.status, seen.retry_at)


def test_rate_limited_is_no_attempt() -> None:
    """However many bulk submissions are turned away, none is given up for that."""
    seen, _ = converse(vendor().start(job(attempts=10), NOW), answer(429, sample("error.429")["body"]))

    assert isinstance(seen, Later)
    assert not seen.counts


@pytest.mark.parametrize(
    "options",
    [
        row()["options"],
        {**row()["options"], "types": ["P", "E", "I"]},
        {**row()["options"], "complement": -1, "period": {"from": "2025-03-01", "to": "2025-03-31"}},
        {**row()["options"], "new": True, "complement": None},
    ],
    ids=["as echoed", "other order", "plain dates", "more options"],
)
def test_conflict_joins_the_equal_extraction(options: dict[str, Any]) -> None:
    """A 409 names no id: the extraction in the way is looked up by RFC and joined."""
    seen, asked = converse(
        vendor().start(job(), NOW), CONFLICT, FOUND_ENTITY, listing(row(options=options, createdAt="2025-01-01"))
    )

    assert (Status.RUNNING, REMOTE, "job-1") == (seen.status, seen.remote_id, seen.job_id)
    assert ["/extractions", ENTITY, "/extractions"] == [path(request) for request in asked]
    assert {"taxpayer.id": RFC, "extractor": "invoice", "itemsPerPage": "100"} == params(asked[2])


OTHER = "7a41f0c2-63de-4b8b-a5d7-18c2e94f6b10"


@pytest.mark.parametrize(
    "stranger",
    [
        row(status="finished"),
        row(status="stopping"),
        row(extractor="invoice_2"),
        row(taxpayer={"id": "ZZT190415QA8"}),
        row(taxpayer=None),
        row(options={**row()["options"], "pdf": True}),
        row(options={**row()["options"], "types": ["I"]}),
        row(options={**row()["options"], "complement": 3}),
        row(options={**row()["options"], "period": {"from": "2025-03-02", "to": "2025-03-31"}}),
        row(options={**row()["options"], "period": "march"}),
        row(options=None),
        {"id": "../7"},
    ],
    ids=range(12),
)
def test_conflict_joins_nothing_else(stranger: dict[str, Any]) -> None:
    """Filters may be partial or ignored, so every row is compared; without a match it is tried again soon."""
    seen, _ = converse(vendor().start(job(attempts=1), NOW), CONFLICT, FOUND_ENTITY, listing(stranger))

    assert (Status.SUBMITTING, NOW + timedelta(seconds=5), None) == (seen.status, seen.retry_at, seen.remote_id)


def test_conflict_joins_the_newest() -> None:
    """Of several that fit, the newest is joined, whichever page it is on."""
    older = row(id=OTHER, createdAt="2025-04-02T15:00:00Z")
    newer = row(createdAt="2025-04-02T15:30:00Z")
    following = "/extractions?extractor=invoice&id%5Blt%5D=1"

    seen, asked = converse(
        vendor().start(job(), NOW), CONFLICT, FOUND_ENTITY, listing(older, following=following), listing(newer)
    )

    assert REMOTE == seen.remote_id
    assert following == asked[-1].target


def test_conflict_without_a_match_ends_after_three_attempts() -> None:
    """The third conflict that cannot be joined is a refusal, one that may pass later."""
    seen, _ = converse(vendor().start(job(attempts=3), NOW), CONFLICT, FOUND_ENTITY, listing())

    assert seen.failure is not None
    assert (Status.REJECTED, "conflict", True) == (seen.status, seen.failure.code, seen.failure.retryable)


@pytest.mark.parametrize(
    "fault", [answer(500), answer(200, b"<html>"), TransportError("cut", maybe_sent=True)], ids=["500", "html", "cut"]
)
def test_conflict_stays_certain_when_the_lookup_fails(fault: Any) -> None:
    """The 409 said that nothing was accepted: a failing lookup must not make that uncertain."""
    seen, _ = converse(vendor().start(job(attempts=1), NOW), CONFLICT, fault)

    assert Status.SUBMITTING == seen.status


def test_conflict_of_a_taxpayer_task_needs_no_entity() -> None:
    """The deprecated form names the RFC itself."""
    task = syntage.Extraction(entity=f"/taxpayers/{RFC}", extractor="tax_status")

    seen, asked = converse(vendor().start(job(task), NOW), CONFLICT, listing(row(extractor="tax_status", options={})))

    assert (REMOTE, 2) == (seen.remote_id, len(asked))


def test_default_options_equal_the_echoed_ones() -> None:
    """What the task leaves to the vendor may come back with any value."""
    task = syntage.Extraction(entity=ENTITY, extractor="annual_tax_return")
    echo = {"period": {"from": "2014-01-01", "to": "2025-04-02"}}

    seen, _ = converse(
        vendor().start(job(task), NOW),
        CONFLICT,
        FOUND_ENTITY,
        listing(row(extractor="annual_tax_return", options=echo)),
    )

    assert REMOTE == seen.remote_id


def test_instants_are_compared_to_the_second() -> None:
    """A period given in instants equals its echo with milliseconds, and no other."""
    period = syntage.Period(datetime(2025, 3, 1, tzinfo=UTC), datetime(2025, 3, 31, 23, 59, 59, 999, tzinfo=UTC))
    conversation = vendor().start(job(invoice_task(period=period)), NOW)

    seen, _ = converse(conversation, CONFLICT, FOUND_ENTITY, listing(row()))

    assert REMOTE == seen.remote_id


def test_foreign_tasks_are_refused() -> None:
    """Another vendor's task is not for this dialect."""

    class Foreign(Task[Any], frozen=True, kw_only=True, tag="test.Foreign"):
        pass

    with pytest.raises(UnsupportedError):
        vendor().check(Foreign(), NOW)
    assert CREATED < NOW
