"""Belvo's deliveries: proven before they are parsed, and what each of them says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from belvo_async.abc import Headers
from belvo_async.errors import PayloadError, SignatureError
from belvo_async.jobs import Nudge, Observation, Reported, Seen, Status, Way, choose_adopter, reconcile
from belvo_async.tolerant import listening
from belvo_async.vendors.belvo import Belvo
from tests.vendors.belvo.samples import AUTHORIZATION, BELVO, LINK, NOW, TASK, changed, delivered, job_of, sample

DONE = "webhook_invoices_async_post.INFERRED"
FAILED = "webhook_async_failure.INFERRED"
BROKEN_LINK = "webhook_link_invalid_credentials"
HISTORICAL = [
    "webhook_historical_update_generic",
    "webhook_invoices_historical_inflow",
    "webhook_invoices_historical_outflow",
    "webhook_invoices_initial_inflow",
    "webhook_tax_returns_yearly",
    "webhook_tax_status",
]
DASHED = "9339acfb-c7eb-5d53-a840-eb929422c860"


def code_of(seen: Observation) -> str | None:
    return seen.failure.code if isinstance(seen, Seen) and seen.failure else None


@pytest.mark.parametrize(
    "values",
    [
        pytest.param([], id="none"),
        pytest.param([""], id="empty"),
        pytest.param([AUTHORIZATION + " "], id="longer"),
        pytest.param([AUTHORIZATION[:-1]], id="shorter"),
        pytest.param([AUTHORIZATION.lower()], id="another case"),
        pytest.param([AUTHORIZATION, AUTHORIZATION], id="twice"),
        pytest.param([AUTHORIZATION, "Bearer x"], id="with another"),
        pytest.param(["Bearer ñandú ✓"], id="beyond ASCII"),
        pytest.param(["Bearer \udcff"], id="undecodable bytes"),
        pytest.param(["Bearer \ud800"], id="lone surrogate"),
    ],
)
def test_an_unproven_delivery_is_refused_before_it_is_parsed(values: list[str]) -> None:
    """The body is no JSON: had it been parsed, the error would be another."""
    with pytest.raises(SignatureError) as refused:
        BELVO.read_webhook(Headers([("Authorization", value) for value in values]), b"{", NOW)

    assert AUTHORIZATION not in str(refused.value)


def test_without_a_configured_value_nothing_is_proven() -> None:
    with pytest.raises(SignatureError):
        delivered(sample(DONE), Belvo("an-id", "pass-7c1e9f40"))


def test_the_proof_can_be_waived_in_so_many_words() -> None:
    """Then any value passes, or none."""
    belvo = Belvo("an-id", "pass-7c1e9f40", allow_unauthenticated=True)

    assert 1 == len(belvo.read_webhook(Headers(), sample(DONE), NOW))


def test_a_configured_value_is_asked_for_even_if_the_proof_is_waived() -> None:
    belvo = Belvo("an-id", "pass-7c1e9f40", webhook_authorization=AUTHORIZATION, allow_unauthenticated=True)

    with pytest.raises(SignatureError):
        belvo.read_webhook(Headers(), sample(DONE), NOW)


def test_the_answer_to_an_asynchronous_post_finishes_its_job() -> None:
    """The dashed id names the job that 202 named in 32 digits."""
    (seen,) = delivered(sample(DONE))

    job, _ = reconcile(job_of(), seen)

    assert (Status.FINISHED, Way.WEBHOOK, 87) == (job.status, job.settled_by, job.created_count)
    assert ("77ad69d0d22550f788776865f6b7aa38", "new_invoices_available") == (seen.delivery_id, seen.vendor_status)


@pytest.mark.parametrize("count", ["87", 87.0, "87.0"])
def test_a_count_is_read_in_whatever_form_it_comes(count: object) -> None:
    (seen,) = delivered(changed(DONE, data={"new_invoices": count}))

    assert (Status.FINISHED, 87) == (seen.status, seen.created_count)


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param({"webhook_id": {"a": 1}}, id="an object for its own id"),
        pytest.param({"webhook_id": "x" * 500}, id="an endless id of its own"),
        pytest.param({"webhook_code": 5}, id="a number for a word"),
        pytest.param({"webhook_code": []}, id="no word"),
        pytest.param({"link_id": ["a", "b"]}, id="several links"),
        pytest.param({"link_id": 7}, id="a number for a link"),
        pytest.param({"data": "text"}, id="a text for the data"),
    ],
)
def test_an_odd_value_that_decides_nothing_still_settles_the_job(odd: dict[str, object]) -> None:
    """Only the request id, and the words that say what is answered, are needed."""
    seen = delivered(changed(DONE, **odd))

    assert Status.FINISHED == reconcile(job_of(), seen[0])[0].status


def test_an_odd_value_of_a_delivery_is_told() -> None:
    """To whoever listens, by its path."""
    with listening() as unread:
        delivered(changed(DONE, link_id={"a": 1}))

    assert [("$.link_id", '{"a":1}')] == [(each.path, each.raw.replace(" ", "")) for each in unread]


def test_financial_statements_are_counted_too() -> None:
    (seen,) = delivered(sample("webhook_financial_statements_async_post"))

    assert (Status.FINISHED, 3, "FINANCIAL_STATEMENTS") == (seen.status, seen.created_count, seen.resource)


def test_an_answer_to_an_uncertain_post_can_be_adopted() -> None:
    """It names link and resource in the form tasks name them."""
    (seen,) = delivered(changed(DONE, link_id=LINK.upper()))
    job = job_of(TASK, status=Status.UNCERTAIN, remote_id=None)

    assert (job, seen) == choose_adopter([job], [seen])


@pytest.mark.parametrize(
    ("data", "code", "retryable"),
    [
        pytest.param({"error_code": "institution_down"}, "institution_down", True, id="retryable"),
        pytest.param({"error_code": "login_error", "new_invoices": 3}, "login_error", False, id="with a count"),
        pytest.param({"error_code": "brand_new"}, "brand_new", False, id="unknown"),
        pytest.param({"error_code": 500}, "500", False, id="number"),
        pytest.param({"error_code": "ANA LOPEZ"}, "unknown_error", False, id="no word"),
        pytest.param({"errors": [{"code": "login_error"}, {"code": "x"}]}, "login_error", False, id="list"),
        pytest.param({"errors": {"code": "login_error"}}, "login_error", False, id="object"),
        pytest.param({"errors": ["login_error"]}, "login_error", False, id="list of words"),
        pytest.param({"errors": [None]}, "unknown_error", False, id="list of nothing"),
        pytest.param({"errors": {"link": ["bad"]}}, "unknown_error", False, id="object without code"),
        pytest.param({"errors": True}, "True", False, id="true"),
    ],
)
def test_an_error_in_its_data_fails_the_job(data: dict[str, Any], code: str, retryable: bool) -> None:
    """No page says how failures come, so any error counts; Belvo's text is not kept."""
    (seen,) = delivered(changed(FAILED, data={**data, "error_message": "SECRET"}))

    assert (Status.FAILED, code, None) == (seen.status, code_of(seen), seen.created_count)
    assert seen.failure is not None
    assert seen.failure.retryable == retryable
    assert "SECRET" not in repr(seen)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param({}, id="empty"),
        pytest.param(None, id="null"),
        pytest.param(..., id="missing"),
        pytest.param([1], id="list"),
        pytest.param("text", id="text"),
        pytest.param({"error_code": None, "errors": []}, id="no errors"),
        pytest.param({"new_invoices": "many"}, id="count in words"),
        pytest.param({"new_invoices": [87]}, id="count in a list"),
        pytest.param({"new_invoices": -1}, id="count below zero"),
        pytest.param({"new_invoices": True}, id="count as truth"),
        pytest.param({"new_invoices": 1.5}, id="count in parts"),
    ],
)
def test_odd_data_without_error_finishes_without_a_count(data: object) -> None:
    """The data keys of this event are not documented for invoices."""
    (seen,) = delivered(changed(DONE, data=data))

    assert (Status.FINISHED, None) == (seen.status, seen.created_count)


def test_a_count_of_zero_is_a_count() -> None:
    """A request that finds nothing succeeded."""
    assert 0 == delivered(changed(DONE, data={"new_invoices": 0}))[0].created_count


def test_before_process_type_existed_the_request_id_was_enough() -> None:
    """Such a delivery ends the job it names, but is not adopted by a job it does not name."""
    (seen,) = delivered(changed(DONE, process_type=...))

    assert (Status.FINISHED, False) == (seen.status, seen.adoptable)


@pytest.mark.parametrize("name", HISTORICAL)
@pytest.mark.parametrize("process_type", ["recurrent_update", "brand_new"])
def test_an_update_never_completes_a_job_and_only_asks_for_a_poll(name: str, process_type: str) -> None:
    """Updates of the same link bear other request ids; even with ours they are not the answer."""
    (seen,) = delivered(changed(name, process_type=process_type, request_id=DASHED, webhook_code="historical_update"))

    assert isinstance(seen, Nudge)
    assert (LINK, None) == (seen.subject, seen.remote_id)


@pytest.mark.parametrize("name", HISTORICAL)
@pytest.mark.parametrize("process_type", ["historical_update", ...])
def test_a_historical_update_reports_its_resource_and_ends_nothing(name: str, process_type: object) -> None:
    """A refresh learns by it which resource came; it asks for a poll, and no uncertain job may adopt it."""
    resource = json.loads(sample(name))["webhook_type"]

    told, nudge = delivered(changed(name, process_type=process_type, request_id=DASHED))

    assert isinstance(told, Reported)
    assert (Status.RUNNING, DASHED, (resource,)) == (told.status, told.remote_id, told.resources)
    assert isinstance(nudge, Nudge)
    assert (LINK, None) == (nudge.subject, nudge.remote_id)


def test_a_historical_update_with_the_id_of_an_asynchronous_post_leaves_it_open() -> None:
    """However Belvo numbers its requests: only the answer to the POST ends it."""
    job = job_of()
    for name in HISTORICAL:
        job, _ = reconcile(job, delivered(changed(name, request_id=DASHED))[0])

    assert Status.RUNNING == job.status
    assert Status.FINISHED == reconcile(job, delivered(sample(DONE))[0])[0].status


@pytest.mark.parametrize("request_id", [..., None, ""], ids=["missing", "null", "empty"])
def test_a_historical_update_without_a_request_id_only_asks_for_a_poll(request_id: object) -> None:
    (seen,) = delivered(changed(HISTORICAL[0], request_id=request_id))

    assert isinstance(seen, Nudge)


def test_an_update_with_an_error_fails_only_the_request_it_names() -> None:
    """It is never adopted by an uncertain job."""
    failed, nudge = delivered(changed(HISTORICAL[0], data={"error_code": "institution_down"}))

    assert isinstance(failed, Seen)
    assert (Status.FAILED, False) == (failed.status, failed.adoptable)
    assert isinstance(nudge, Nudge)


def test_a_broken_link_makes_its_jobs_due() -> None:
    """The event has a request id of its own; the link read decides about the others."""
    failed, nudge = delivered(sample(BROKEN_LINK))

    assert ("login_error", "03a7499c-5590-5646-9d4d-5ef0eb64ead8") == (code_of(failed), failed.remote_id)
    assert isinstance(nudge, Nudge)
    assert (LINK, None) == (nudge.subject, nudge.remote_id)
    assert isinstance(failed, Seen)
    assert not failed.adoptable


@pytest.mark.parametrize("process_type", ["async_post", "recurrent_update", None])
def test_a_link_event_never_completes_a_job(process_type: str | None) -> None:
    """`token_required` bears no error code; taken for success it would end a job that waits for a token."""
    body = changed(BROKEN_LINK, webhook_code="token_required", process_type=process_type, request_id=DASHED, data={})

    (seen,) = delivered(body)

    assert isinstance(seen, Nudge)


@pytest.mark.parametrize(
    ("body", "nudges"),
    [
        pytest.param(b"{}", 0, id="nothing"),
        pytest.param(b'{"webhook_type":"NEW","webhook_code":"x","data":{"a":1}}', 0, id="about no link"),
        pytest.param(changed(DONE, request_id=...), 1, id="without request id"),
        pytest.param(changed(DONE, request_id=None), 1, id="null request id"),
        pytest.param(changed(DONE, request_id=""), 1, id="empty request id"),
        pytest.param(changed(DONE, request_id=..., link_id=None), 0, id="without any id"),
        pytest.param(changed(DONE, process_type=..., webhook_type=...), 1, id="without any type"),
        pytest.param(changed(DONE, process_type="consent_update", webhook_type="CONSENT"), 1, id="consent"),
    ],
)
def test_unknown_words_are_no_errors(body: bytes, nudges: int) -> None:
    """A delivery about no job gives nothing, or a reason to poll its link's jobs."""
    assert [Nudge] * nudges == [type(seen) for seen in delivered(body)]


def test_unknown_keys_are_ignored() -> None:
    assert Status.FINISHED == delivered(changed(DONE, brand_new={"request_id": DASHED}))[0].status


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"[]", id="list"),
        pytest.param(b"null", id="null"),
        pytest.param(b'"text"', id="text"),
        pytest.param(b"{", id="cut"),
        pytest.param(b"\xff\xfe{}", id="not UTF-8"),
        pytest.param(b'{"data":' + b"[" * 100_000, id="nested"),
        pytest.param(b'{"data":' + b"[" * 100 + b"]" * 100 + b"}", id="nested and whole"),
        pytest.param(changed(DONE, request_id={"id": 5}), id="id as an object"),
        pytest.param(changed(DONE, request_id="x" * 129), id="endless id"),
        pytest.param(b'{"request_id":"a","request_id":"b"}', id="two request ids"),
        pytest.param(b'{"request_id":"a","request\\u005fid":"b"}', id="two request ids, one disguised"),
        pytest.param(b'{"data":{},"data":{"error_code":"x"}}', id="two data"),
        pytest.param(b'{"data":{"error_code":"x","error_code":null}}', id="two error codes"),
        pytest.param(b'{"process_type":"async_post","process_type":"x"}', id="two process types"),
        pytest.param(b"{} {}", id="two documents"),
    ],
)
def test_a_proven_delivery_that_cannot_be_read_is_set_aside(body: bytes) -> None:
    """PayloadError tells the session to keep the body; its message holds none of it."""
    with pytest.raises(PayloadError):
        delivered(body)


def test_a_plain_key_may_stand_twice() -> None:
    """Only keys that decide something must be single."""
    assert delivered(b'{"note":1,"note":2}') == ()


def test_huge_numbers_do_no_harm() -> None:
    """Numbers Python would refuse are not read at all."""
    body = json.dumps({"webhook_type": "X", "link_id": LINK}).encode()[:-1] + b',"n":' + b"9" * 5000 + b"}"

    assert 1 == len(delivered(body))
