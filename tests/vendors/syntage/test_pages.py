"""What is not Syntage's own word: pages of proxies, captive portals and gateways decide nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from belvo_async.abc import Answer
from belvo_async.errors import PayloadError, VendorError
from belvo_async.jobs import Gone, Misread, Status
from belvo_async.vendors import syntage
from tests.vendors.syntage.kit import CREATED, ENTITY, NOW, REMOTE, answer, converse, job, listing, raw, row, vendor

HTML = b"<html><title>no such page</title></html>"
EXPORT = syntage.Export(syntage.Invoices(entity=ENTITY), format="csv")
PAGES = [
    pytest.param(answer(404, HTML), id="404 of a load balancer"),
    pytest.param(answer(404), id="404 without a body"),
    pytest.param(answer(404, b'"not found"'), id="404 of one word"),
    pytest.param(answer(404, {"code": 404}), id="404 in another JSON form"),
    pytest.param(answer(410, HTML), id="410"),
    pytest.param(answer(401, HTML), id="401"),
    pytest.param(answer(403, HTML), id="403"),
    pytest.param(answer(200, HTML), id="200 of a captive portal"),
    pytest.param(answer(200, {"status": "stopped"}), id="200 of something else that has stopped"),
    pytest.param(answer(302, HTML), id="302"),
]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("task", [None, EXPORT], ids=["extraction", "export"])
def test_a_page_says_nothing_about_jobs(page: Answer, task: Any) -> None:
    """It is a fault of the way: no job is gone or ended for it, and nobody's key is called refused."""
    with pytest.raises((VendorError, PayloadError)) as raised:
        converse(vendor().poll([job(task, remote_id=REMOTE)], NOW), page)

    assert type(raised.value) in (VendorError, PayloadError)


@pytest.mark.parametrize(
    ("page", "words"),
    [
        pytest.param(answer(404, HTML), "a page (HTML) came instead of JSON: it may be a proxy's (HTTP 404)", id="404"),
        pytest.param(answer(200, HTML), "a page (HTML) came instead of JSON", id="200"),
        pytest.param(answer(302, HTML), "a redirect was not followed", id="redirect"),
        pytest.param(answer(404, {"code": 404}), "not in the vendor's own form", id="other JSON"),
    ],
)
def test_the_error_says_what_came_instead(page: Answer, words: str) -> None:
    """Whoever reads it looks at the address and the proxy, not at the data."""
    with pytest.raises((VendorError, PayloadError)) as raised:
        converse(vendor().poll([job(remote_id=REMOTE)], NOW), page)

    assert words in str(raised.value)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_no_answer_to_a_stop(page: Answer) -> None:
    """Neither unknown nor stopping."""
    with pytest.raises((VendorError, PayloadError)):
        converse(vendor().stop(job(remote_id=REMOTE), NOW), page)


@pytest.mark.parametrize("page", [each for each in PAGES if "stopped" not in str(each.id)])
def test_a_page_ends_no_search(page: Answer) -> None:
    """Nothing was searched, so nothing is absent."""
    lost: dict[str, Any] = {"status": Status.UNCERTAIN, "attempted_at": CREATED}

    for task in (None, EXPORT):
        with pytest.raises((VendorError, PayloadError)):
            converse(vendor().find(job(task, **lost), NOW), page)


def test_another_object_is_no_list_of_events() -> None:
    """It would look like an export that was never announced."""
    lost: dict[str, Any] = {"status": Status.UNCERTAIN, "attempted_at": CREATED}

    with pytest.raises(PayloadError):
        converse(vendor().find(job(EXPORT, **lost), NOW), answer(200, {"status": "ok"}))


def test_a_page_for_one_job_does_not_hide_the_others() -> None:
    """Of two jobs, and of those the list did not show, each is polled."""
    jobs = [job(id="a", remote_id=REMOTE), job(id="b", remote_id="0" * 32)]

    for first in (answer(404, HTML), answer(200, HTML), answer(403, HTML), answer(503, HTML)):
        seen, _ = converse(vendor().poll(jobs, NOW), first, answer(200, row(id="0" * 32, status="finished")))

        assert ["b"] == [each.job_id for each in seen if not isinstance(each, Misread)]
        assert 1 == sum(isinstance(each, Misread) for each in seen)


@pytest.mark.parametrize("status", [401, 403, 404, 405, 409, 410])
def test_a_submission_that_met_a_page_is_tried_again(status: int) -> None:
    """The proxy passed nothing on. The waits grow, over about an hour in all."""
    seen = [converse(vendor().start(job(attempts=each), NOW), answer(status, HTML))[0] for each in range(1, 11)]
    waits = [each.retry_at - NOW for each in seen[:9] if each.retry_at is not None]

    assert [Status.SUBMITTING] * 9 + [Status.REJECTED] == [each.status for each in seen]
    assert seen[9].failure is not None
    assert (f"http_{status}", True) == (seen[9].failure.code, seen[9].failure.retryable)
    assert [timedelta(seconds=30), timedelta(minutes=10)] == [waits[0], waits[-1]]


@pytest.mark.parametrize("status", [200, 202, 302, 408, 500, 502, 503, 504])
def test_a_page_that_may_stand_before_an_accepted_request_leaves_it_uncertain(status: int) -> None:
    """It is neither sent again blindly nor called refused or done."""
    assert Status.UNCERTAIN == converse(vendor().start(job(attempts=1), NOW), answer(status, HTML))[0].status


def test_syntages_own_word_still_counts() -> None:
    """A 404 in its own form, or in the form of newer versions of its framework."""
    for body in (raw("error.404"), {"type": "/errors/404", "title": "An error occurred", "detail": "Not Found"}):
        (seen,), _ = converse(vendor().poll([job(remote_id=REMOTE)], NOW), answer(404, body))

        assert isinstance(seen, Gone)


@pytest.mark.parametrize(
    "limited", ["9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+14:00", "9999-12-31"]
)
def test_absurd_instants_are_no_end_of_a_poll(limited: str) -> None:
    """The limit was met by now at the latest, so more can be had a day from now at the latest."""
    odd = row(rateLimitedAt=limited, createdAt=limited, createdDataPoints=10**5000)
    jobs = [job(id=str(each), remote_id=f"{each:032x}") for each in range(3)]
    rows = [odd, *(row(id=each.remote_id, status="finished") for each in jobs)]

    seen, _ = converse(vendor().poll(jobs, NOW), _page(rows))

    assert [each.remote_id for each in jobs] == [each.remote_id for each in seen if each.status is Status.FINISHED]
    assert all(each.retry_at is None or each.retry_at <= NOW + timedelta(hours=24) for each in seen)


def _page(rows: list[dict[str, Any]]) -> Answer:
    # The standard writer refuses integers of thousands of digits.
    marked = [each | {"createdDataPoints": 123456789} for each in rows[:1]] + rows[1:]
    page = listing(*marked)
    return Answer(200, page.headers, page.body.replace(b"123456789", b"1" + b"0" * 4000))
