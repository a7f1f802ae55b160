"""What is not Belvo's own word: pages of proxies, captive portals and gateways decide nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from belvo_async.abc import Answer
from belvo_async.errors import PayloadError, VendorError
from belvo_async.jobs import Gone, Status
from belvo_async.vendors.belvo import DeleteLink
from tests.vendors.belvo.samples import BELVO, LINK, NOW, answer, changed, converse, error, job_of, started

HTML = b"<html><title>no such page</title></html>"
PAGES = [
    pytest.param(answer(404, HTML), id="404 of a load balancer"),
    pytest.param(answer(404), id="404 without a body"),
    pytest.param(answer(404, {"message": "no Route matched"}), id="404 of a gateway, in JSON"),
    pytest.param(answer(404, {"error": {"code": "not_found"}}), id="404 in another JSON form"),
    pytest.param(answer(404, "not_found"), id="404 of one word"),
    pytest.param(answer(410, HTML), id="410"),
    pytest.param(answer(401, HTML), id="401"),
    pytest.param(answer(403, {"message": "Forbidden"}), id="403 in JSON"),
    pytest.param(answer(200, HTML), id="200 of a captive portal"),
    pytest.param(answer(200, {"status": "invalid"}), id="200 of something else that is invalid"),
    pytest.param(answer(200, changed("link", id="another", status="invalid")), id="200 about another link"),
    pytest.param(answer(200, []), id="200 empty list"),
    pytest.param(answer(302, HTML), id="302"),
]
DELETION = DeleteLink(link=LINK)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("status", [Status.PENDING, Status.UNCERTAIN])
def test_a_page_says_nothing_about_jobs(page: Answer, status: Status) -> None:
    """It is a fault of the way: no job is gone, failed or deleted for it."""
    for job in (job_of(status=status), job_of(DELETION, status=status)):
        with pytest.raises((VendorError, PayloadError)):
            converse(BELVO.poll([job], NOW), page)


@pytest.mark.parametrize(
    ("page", "words"),
    [
        pytest.param(answer(404, HTML), "404 to a read: no code, a page (HTML) came instead of JSON", id="404"),
        pytest.param(answer(200, HTML), "a page (HTML) came instead of JSON", id="200"),
        pytest.param(answer(302, HTML), "answered 302 to a read: no code, a redirect was not followed", id="redirect"),
        pytest.param(answer(307), "a redirect was not followed", id="redirect without a body"),
        pytest.param(answer(404, {"message": "no Route matched"}), "not in the vendor's own form", id="other JSON"),
    ],
)
def test_the_error_says_what_came_instead(page: Answer, words: str) -> None:
    """Whoever reads it looks at the address and the proxy, not at the data."""
    with pytest.raises((VendorError, PayloadError)) as raised:
        converse(BELVO.poll([job_of()], NOW), page)

    assert words in str(raised.value)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_does_not_find_a_deletion(page: Answer) -> None:
    """Only Belvo itself can say that a link is no longer there."""
    with pytest.raises((VendorError, PayloadError)):
        converse(BELVO.find(job_of(DELETION, status=Status.UNCERTAIN, remote_id=None), NOW), page)


def test_a_page_instead_of_a_list_is_no_evidence() -> None:
    """Equal JSON of somebody else's is not a list that stands still."""
    link = answer(200, changed("link", last_accessed_at="2026-03-04T18:21:59Z"))

    with pytest.raises(PayloadError):
        converse(BELVO.poll([job_of()], NOW), link, answer(200, {"status": "ok"}))


@pytest.mark.parametrize("status", [401, 403, 404, 405, 409, 410])
def test_a_submission_that_met_a_page_is_tried_again(status: int) -> None:
    """The proxy passed nothing on. The waits grow, over about an hour in all."""
    seen = [started(job_of(status=Status.SUBMITTING, attempts=each), answer(status, b"")) for each in range(1, 11)]
    waits = [each.retry_at - NOW for each in seen[:9] if each.retry_at is not None]

    assert [Status.SUBMITTING] * 9 + [Status.REJECTED] == [each.status for each in seen]
    assert seen[9].failure is not None
    assert (f"http_{status}", True) == (seen[9].failure.code, seen[9].failure.retryable)
    assert [timedelta(seconds=30), timedelta(minutes=10)] == [waits[0], waits[-1]]
    assert sum(waits, timedelta()) > timedelta(minutes=40)


@pytest.mark.parametrize("status", [200, 201, 202, 302, 500, 502, 503, 504])
def test_a_page_that_may_stand_before_an_accepted_request_leaves_it_uncertain(status: int) -> None:
    """It is neither sent again blindly nor called refused or done."""
    assert Status.UNCERTAIN == started(job_of(status=Status.SUBMITTING), answer(status, HTML)).status


def test_belvos_own_word_still_counts() -> None:
    """404 not_found makes jobs gone, as a list of errors and as the single object of the reference."""
    single = answer(404, {"code": "not_found", "message": "x", "request_id": "6cd6cf601d415920b640eb4bc59ea326"})
    for given in (error(404, "not_found"), single):
        (seen,), _ = converse(BELVO.poll([job_of()], NOW), given)

        assert isinstance(seen, Gone)
