"""What each answer to Belvo's POST means for the job."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from belvo_async.abc import Answer, Retry
from belvo_async.errors import UnsupportedError
from belvo_async.jobs import Job, Later, Status, Way, read_task
from belvo_async.vendors.belvo import FinancialStatements, Invoices
from tests.vendors.belvo.samples import BELVO, LINK, NOW, REQUEST_ID, TASK, answer, error, job_of, sample, started

HTML = b"<html><head><title>403 Forbidden</title></head></html>"


def attempt(number: int = 1) -> Job:
    return job_of(status=Status.SUBMITTING, remote_id=None, attempts=number)


def test_invoices_are_asked_for_asynchronously() -> None:
    """One POST with the mode header, the documented body and time for a synchronous fallback."""
    request = next(BELVO.start(attempt(), NOW))

    assert ("POST", "/api/invoices/", "POST /api/invoices/") == (request.method, request.target, request.name)
    assert ("X-Belvo-Request-Mode", "async") in request.headers
    assert ("Content-Type", "application/json") in request.headers
    assert json.loads(sample("post_invoices_request")) == json.loads(request.body or b"")
    assert (Retry.SUBMIT, timedelta(seconds=330)) == (request.retry, request.timeout)


def test_both_directions_are_asked_for_as_null() -> None:
    """The API requires `type` and lets it be null."""
    task = Invoices(link=LINK, date_from=TASK.date_from, date_to=TASK.date_to, attach_xml=True)

    body = json.loads(next(BELVO.start(job_of(task), NOW)).body or b"")

    assert (None, True) == (body["type"], body["attach_xml"])


def test_financial_statements_need_only_the_link() -> None:
    request = next(BELVO.start(job_of(FinancialStatements(link=LINK)), NOW))

    assert "/api/financial-statements/" == request.target
    assert {"link": LINK, "save_data": True} == json.loads(request.body or b"")


def test_equal_tasks_give_equal_bytes() -> None:
    assert next(BELVO.start(attempt(1), NOW)).body == next(BELVO.start(attempt(2), NOW)).body


def test_tasks_of_others_are_not_started() -> None:
    with pytest.raises(UnsupportedError):
        next(BELVO.start(job_of(read_task(b'{"kind":"other.Thing"}')), NOW))


@pytest.mark.parametrize(
    "request_id",
    [
        pytest.param(REQUEST_ID, id="32 hex"),
        pytest.param("9339acfb-c7eb-5d53-a840-eb929422c860", id="dashed"),
        pytest.param("9339acfbc7eb5d53a840eb929422c8gg", id="not hex, as one documented sample"),
    ],
)
def test_202_with_an_id_is_pending(request_id: str) -> None:
    """The id is kept in Belvo's spelling; ids are compared in normal form elsewhere."""
    seen = started(attempt(), answer(202, {"request_id": request_id, "new_key": 1}))

    assert (Status.PENDING, request_id, "job-1", Way.ANSWER) == (seen.status, seen.remote_id, seen.job_id, seen.way)


def test_the_sample_of_202_is_read() -> None:
    assert REQUEST_ID == started(attempt(), answer(202, sample("accepted_202"))).remote_id


@pytest.mark.parametrize(
    ("status", "rows", "count"),
    [
        pytest.param(201, [{"id": "a"}, {"id": "b", "warnings": None}], 2, id="201"),
        pytest.param(200, [], 0, id="200 with nothing"),
    ],
)
def test_a_synchronous_answer_is_finished(status: int, rows: list[object], count: int) -> None:
    """A list instead of 202 means Belvo did it at once; only its length is kept."""
    seen = started(attempt(), answer(status, rows))

    assert (Status.FINISHED, count, False) == (seen.status, seen.created_count, seen.partial)


def test_a_synchronous_answer_without_xml_is_partial() -> None:
    """SAT's daily quota ends at 00:00 CST, 06:00 UTC: before that no more can be had."""
    rows = [{"id": "a", "warnings": {"code": "sat_xml_limit_reached", "message": "SECRET"}}]

    seen = started(attempt(), answer(201, rows))

    assert (True, datetime(2026, 3, 5, 6, tzinfo=UTC)) == (seen.partial, seen.retry_at)


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(answer(202), id="202 empty"),
        pytest.param(answer(202, HTML), id="202 HTML"),
        pytest.param(answer(202, b"[" * 5000), id="202 nested"),
        pytest.param(answer(202, {"id": "x"}), id="202 without id"),
        pytest.param(answer(202, {"request_id": None}), id="202 null id"),
        pytest.param(answer(202, {"request_id": {"id": 5}}), id="202 object for an id"),
        pytest.param(answer(202, {"request_id": ""}), id="202 blank id"),
        pytest.param(answer(202, {"request_id": "x" * 129}), id="202 endless id"),
        pytest.param(answer(202, []), id="202 list"),
        pytest.param(answer(200, HTML), id="200 HTML"),
        pytest.param(answer(201, {"results": []}), id="201 object"),
        pytest.param(answer(201, {"id": "x"}), id="201 one object"),
        pytest.param(answer(201, [{"id": "x"}, 5]), id="201 odd rows"),
        pytest.param(answer(201, b'[{"id":'), id="201 cut"),
        pytest.param(answer(204), id="204"),
        pytest.param(answer(203, []), id="203"),
        pytest.param(answer(302, location="/elsewhere"), id="302"),
        pytest.param(answer(408, HTML), id="408 of a proxy"),
        pytest.param(answer(500, HTML), id="500 HTML"),
        pytest.param(answer(500, {"detail": "x"}), id="500 without code"),
        pytest.param(error(500, "brand_new_code"), id="500 with an unknown code"),
        pytest.param(answer(502, HTML), id="502"),
        pytest.param(error(502, "unexpected_error"), id="502 in Belvo's format"),
        pytest.param(answer(503, HTML), id="503 HTML"),
        pytest.param(answer(504), id="504"),
        pytest.param(error(504, "service_unavailable"), id="504 in Belvo's format"),
    ],
)
def test_whatever_may_have_been_accepted_is_uncertain(given: Answer) -> None:
    """Such a POST is never sent again; the doubt says what came, without the body."""
    seen = started(attempt(), given)

    assert (Status.UNCERTAIN, None, None) == (seen.status, seen.remote_id, seen.retry_at)
    assert str(given.status) in (seen.doubt or "")


@pytest.mark.parametrize(
    ("given", "first", "second"),
    [
        pytest.param(answer(400, sample("error_400_too_many_sessions")), 120, 120, id="too_many_sessions"),
        pytest.param(answer(400, sample("error_400_institution_down")), 3, 6, id="institution_down"),
        pytest.param(error(400, "institution_unavailable"), 3, 6, id="institution_unavailable"),
        pytest.param(error(400, "institution_inactive"), 3, 6, id="institution_inactive"),
        pytest.param(error(400, "unavailable_data"), 3, 6, id="unavailable_data"),
        pytest.param(answer(408, sample("error_408")), 3, 6, id="request_timeout"),
        pytest.param(answer(500, sample("error_500")), 3, 6, id="unexpected_error"),
        pytest.param(error(500, "service_unavailable"), 3, 6, id="service_unavailable"),
        pytest.param(error(503, "service_unavailable"), 3, 6, id="service_unavailable as 503"),
        pytest.param(answer(400, {"code": "unavailable_data"}), 3, 6, id="a single object, as the reference prints"),
    ],
)
def test_a_refusal_documented_as_retryable_is_sent_three_times_at_most(given: Answer, first: int, second: int) -> None:
    """Six failed POSTs kill a link, so the third refusal is the last."""
    seen = [started(attempt(number), given) for number in (1, 2, 3)]

    assert [Status.SUBMITTING, Status.SUBMITTING, Status.REJECTED] == [each.status for each in seen]
    assert [NOW + timedelta(seconds=first), NOW + timedelta(seconds=second), None] == [each.retry_at for each in seen]
    assert [True, True, False] == [bool(each.doubt) for each in seen], "whoever waits is told why"
    assert seen[2].failure is not None
    assert seen[2].failure.retryable


@pytest.mark.parametrize(
    ("given", "code"),
    [
        pytest.param(answer(400, sample("error_400_required")), "required", id="required"),
        pytest.param(answer(400, sample("error_400_login_error")), "login_error", id="login_error"),
        pytest.param(answer(400, sample("error_400_invalid_link")), "invalid_link", id="invalid_link"),
        pytest.param(answer(401, sample("error_401")), "authentication_failed", id="401"),
        pytest.param(answer(403, sample("error_403_resource")), "access_to_resource_denied", id="403"),
        pytest.param(answer(404, sample("error_404_not_found")), "not_found", id="404"),
        pytest.param(answer(404, sample("error_404_expired_credentials")), "expired_credentials", id="expired"),
        pytest.param(answer(405, sample("error_405")), "method_not_allowed", id="405"),
        pytest.param(answer(428, sample("error_428_token_required")), "token_required", id="428"),
        pytest.param(error(400, "brand_new_code"), "brand_new_code", id="unknown code"),
        pytest.param(error(400, None), "http_400", id="code null, as one documented sample"),
        pytest.param(error(400, 17), "http_400", id="code of another type"),
        pytest.param(error(400, "ANA LOPEZ <b>"), "http_400", id="code that is no word"),
        pytest.param(answer(400, []), "http_400", id="empty list"),
        pytest.param(answer(400, HTML), "http_400", id="400 of a proxy"),
        pytest.param(answer(413), "http_413", id="413"),
        pytest.param(answer(403, {"message": "Forbidden"}), "http_403", id="403 of a firewall, in JSON"),
    ],
)
def test_any_other_refusal_is_final(given: Answer, code: str) -> None:
    """The job is rejected at once with Belvo's code, and firing it again as it is will not help."""
    seen = started(attempt(), given)

    assert (Status.REJECTED, None) == (seen.status, seen.retry_at)
    assert seen.failure is not None
    assert (code, False) == (seen.failure.code, seen.failure.retryable)


def test_permission_denied_may_pass_later() -> None:
    """Belvo gives it for too many requests too, but documents no resend."""
    failure = started(attempt(), error(403, "permission_denied")).failure

    assert failure is not None
    assert failure.retryable


def test_a_missing_token_tells_to_resume_the_link() -> None:
    failure = started(attempt(), answer(428, sample("error_428_token_required"))).failure

    assert failure is not None
    assert "resume the link" in failure.message


def test_one_final_error_among_retryable_ones_decides() -> None:
    """Several objects may come; the one that forbids a resend wins."""
    body = [{"code": "too_many_sessions"}, {"code": "required", "field": "link"}]

    seen = started(attempt(), answer(400, body))

    assert seen.failure is not None
    assert "required" == seen.failure.code


def test_refused_fields_are_named_and_belvos_text_is_not() -> None:
    """Messages are our own wording: Belvo's may hold names. A field that is no name is dropped."""
    body = [
        {"code": "required", "message": "ANA LOPEZ", "field": "date_from"},
        {"code": "invalid", "message": "LOSA870915K31", "field": "date_to"},
        {"code": "invalid", "field": "ANA LOPEZ"},
    ]

    failure = started(attempt(), answer(400, body)).failure

    assert failure is not None
    assert failure.message.endswith("(date_from, date_to)")
    assert "LOPEZ" not in failure.message


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        pytest.param(answer(429), 30, id="429"),
        pytest.param(answer(429, retry_after="7"), 7, id="429 with Retry-After"),
        pytest.param(answer(429, retry_after="0"), 30, id="Retry-After 0"),
        pytest.param(answer(429, retry_after="9999"), 3600, id="Retry-After of hours: an hour"),
        pytest.param(answer(429, retry_after="-5"), 30, id="Retry-After below zero"),
        pytest.param(answer(429, retry_after="Wed, 04 Mar 2026 18:31:00 GMT"), 60, id="Retry-After as a date"),
        pytest.param(answer(429, retry_after="٧"), 30, id="Retry-After in other digits"),
        pytest.param(answer(403, HTML), 30, id="HTML 403"),
        pytest.param(answer(403, b"", content_type="text/html; charset=utf-8"), 30, id="HTML 403 by its type"),
    ],
)
def test_a_throttled_post_waits_its_turn(given: Answer, seconds: int) -> None:
    """Belvo saw none of these, so they are no failed POSTs; a 429 does not even count as an attempt."""
    seen = started(attempt(9), given)

    assert isinstance(seen, Later)
    assert (NOW + timedelta(seconds=seconds), given.status != 429) == (seen.retry_at, seen.counts)


def test_a_firewall_that_never_opens_is_told() -> None:
    """An HTML 403 may refuse for good what does not fit a schema: the tenth ends the job."""
    seen = started(attempt(10), answer(403, HTML))

    assert seen.failure is not None
    assert (Status.REJECTED, "rate_limited", True) == (seen.status, seen.failure.code, seen.failure.retryable)


@pytest.mark.parametrize(
    ("body", "code", "named"),
    [
        ({"link": [{"code": "already_exists", "message": "m"}]}, "already_exists", "(link)"),
        ({"link": {"code": "invalid", "message": "m"}}, "invalid", "(link)"),
        ({"date_to": ["LOPEZ says no"]}, "validation_error", "(date_to)"),
        ({"a": {"b": [{"code": "null"}]}}, "null", "(a.b)"),
        ({"items": [{}, {"name": ["LOPEZ says no"]}]}, "validation_error", "(items.name)"),
        ({"code": ["LOPEZ says no"]}, "validation_error", "(code)"),
        ({"non_field_errors": [{"code": "invalid_period", "message": "m"}]}, "invalid_period", None),
        ({"non_field_errors": ["LOPEZ says no"]}, "validation_error", None),
        ({"errors": {"type": ["LOPEZ says no"]}}, "validation_error", "(type)"),
        ({"errors": [{"code": "blank", "field": "link"}]}, "blank", "(link)"),
        ({"date_from": ["m"], "date_to": [{"code": "invalid"}]}, "validation_error", "(date_from, date_to)"),
        ({"Juan Lopez": ["m"]}, "validation_error", None),
        ({"message": "no route"}, "http_400", None),
        ({"detail": "LOPEZ says no"}, "http_400", None),
        (["LOPEZ says no"], "http_400", None),
        ([[[[{"code": "required", "field": "link"}]]]], "required", "(link)"),
    ],
    ids=repr,
)
def test_a_validation_in_any_form_names_code_and_field(body: object, code: str, named: str | None) -> None:
    """Objects, lists and texts, at any depth; Belvo's own wording is not repeated."""
    failure = started(attempt(), answer(400, json.dumps(body).encode())).failure

    assert failure is not None
    assert code == failure.code
    assert failure.message.endswith(named) if named else "(" not in failure.message
    assert "LOPEZ" not in failure.message
