"""Jobs about a whole link: bringing its resources up to date, and deleting it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from belvo_async.abc import Answer, Retry
from belvo_async.errors import TaskError, UnsupportedError, VendorError
from belvo_async.jobs import (
    Absent,
    GivenUp,
    Gone,
    Job,
    Nudge,
    Observation,
    Report,
    Seen,
    Status,
    Verdict,
    Way,
    choose_adopter,
    reconcile,
)
from belvo_async.vendors.belvo import Belvo, DeleteLink, Invoice, Refresh, TaxComplianceStatus, TaxReturn
from tests.vendors.belvo.samples import (
    BELVO,
    LINK,
    NOW,
    REQUEST_ID,
    TASK,
    answer,
    changed,
    converse,
    delivered,
    error,
    job_of,
    of_jobs,
    sample,
    started,
)

REFRESH = Refresh(link=LINK, resources=["INVOICES", "TAX_STATUS"])
DELETION = DeleteLink(link=LINK)
DASHED = "9339acfb-c7eb-5d53-a840-eb929422c860"
QUIET = timedelta(minutes=10)
SENT = NOW - timedelta(minutes=1)


def attempt(task: Refresh | DeleteLink, number: int = 1) -> Job:
    return job_of(task, status=Status.SUBMITTING, remote_id=None, attempts=number)


def link(**keys: object) -> Answer:
    return answer(200, changed("link", **keys))


USED_AT_ONCE = link(
    last_accessed_at=f"{NOW:%Y-%m-%dT%H:%M:%SZ}", fetch_resources=["INVOICES", "TAX_STATUS", "ACCOUNTS"]
)


def polled(job: Job, *answers: Answer, now: datetime = NOW) -> Observation:
    (seen,) = of_jobs(converse(BELVO.poll([job], now), *answers)[0])
    return seen


def reported(name: str = "webhook_tax_status") -> Observation:
    return delivered(changed(name, request_id=DASHED))[0]


# Refresh


def test_a_refresh_is_always_asynchronous() -> None:
    """It has no mode to ask for; the chosen resources are its body."""
    request = next(BELVO.start(attempt(REFRESH), NOW))

    assert ("POST", f"/api/links/{LINK}/refresh/", "POST /api/links/{id}/refresh/") == (
        request.method, request.target, request.name
    )  # fmt: skip
    assert "X-Belvo-Request-Mode" not in dict(request.headers)
    assert {"fetch_resources": ["INVOICES", "TAX_STATUS"]} == json.loads(request.body or b"")
    assert Retry.SUBMIT is request.retry


def test_a_refresh_of_everything_names_nothing() -> None:
    """Belvo then refreshes what the link is set to fetch."""
    assert {} == json.loads(next(BELVO.start(attempt(Refresh(link=LINK)), NOW)).body or b"")


def test_an_accepted_refresh_is_pending() -> None:
    seen = started(attempt(REFRESH), answer(202, sample("accepted_202")))

    assert (Status.PENDING, REQUEST_ID) == (seen.status, seen.remote_id)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        pytest.param("Link was refreshed. Try again in 7 minutes.", 7, id="minutes"),
        pytest.param("wait 3min", 3, id="short"),
        pytest.param("Please wait.", 10, id="no number"),
        pytest.param("wait 90 minutes", 10, id="more than the whole pause"),
        pytest.param(5, 10, id="no text"),
    ],
)
def test_a_link_refreshed_lately_is_refused_with_the_minutes(text: object, minutes: int) -> None:
    """Rejected, and firing again later helps; of Belvo's text only the number is used."""
    given = answer(409, [{"code": "link_refreshed", "message": text, "request_id": REQUEST_ID}])

    seen = started(attempt(REFRESH), given)

    assert (Status.REJECTED, NOW + timedelta(minutes=minutes)) == (seen.status, seen.retry_at)
    assert seen.failure is not None
    assert ("link_refreshed", True) == (seen.failure.code, seen.failure.retryable)
    assert f"{minutes} min" in seen.failure.message


@pytest.mark.parametrize("task", [REFRESH, DELETION], ids=["refresh", "deletion"])
@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_success_without_a_request_id_is_uncertain(task: Refresh | DeleteLink, status: int) -> None:
    """Neither is ever answered with rows."""
    assert Status.UNCERTAIN == started(attempt(task), answer(status, b"[]")).status


def test_a_refresh_ends_when_all_have_reported_and_ten_minutes_stayed_quiet() -> None:
    """Nothing else tells its end: it is inferred. The reports speak for it, and none says that data is missing."""
    job = job_of(REFRESH)
    for name in ("webhook_invoices_historical_inflow", "webhook_tax_status", "webhook_invoices_historical_outflow"):
        job, verdict = reconcile(job, reported(name))
        assert verdict in (Verdict.ADVANCED, Verdict.REPEATED)

    early = polled(job, link(), now=NOW + QUIET - timedelta(seconds=1))
    late = polled(job, link(), now=NOW + QUIET)

    assert (None, ["INVOICES", "TAX_STATUS"]) == (early.status, [report.resource for report in job.evidence.reports])
    assert (Status.FINISHED, Way.INFERENCE, False, "job-1") == (late.status, late.way, late.partial, late.job_id)
    assert Status.FINISHED == reconcile(job, late)[0].status


def test_how_long_quiet_must_be_is_a_setting() -> None:
    """A simulator that is faster than Belvo needs less."""
    job = job_of(REFRESH, reports=tuple(Report(resource=each, at=NOW) for each in ("INVOICES", "TAX_STATUS")))
    hasty = Belvo("key-id", "key-password", quiet=timedelta(seconds=1))

    (early,) = of_jobs(converse(hasty.poll([job], NOW + timedelta(seconds=0.9)), link())[0])
    (late,) = of_jobs(converse(hasty.poll([job], NOW + timedelta(seconds=1)), link())[0])

    assert (None, Status.FINISHED) == (early.status, late.status)


def test_a_late_report_begins_the_quiet_time_anew() -> None:
    """Belvo reports a year of invoices at a time."""
    reports = (
        Report(resource="INVOICES", at=NOW + timedelta(minutes=9)),
        Report(resource="TAX_STATUS", at=NOW),
    )

    seen = polled(job_of(REFRESH, status=Status.RUNNING, reports=reports), link(), now=NOW + QUIET)

    assert seen.status is None


@pytest.mark.parametrize(
    ("task", "fetched", "ends"),
    [
        pytest.param(REFRESH, ["TAX_STATUS"], False, id="the task's own choice counts"),
        pytest.param(Refresh(link=LINK), ["TAX_STATUS"], True, id="else the link's"),
        pytest.param(Refresh(link=LINK), ["TAX_STATUS", "TAX_RETURNS"], False, id="one of the link's is missing"),
        pytest.param(Refresh(link=LINK), [], False, id="else all six"),
        pytest.param(Refresh(link=LINK), None, False, id="null means all six"),
    ],
)
def test_what_must_report_is_what_was_asked_for(task: Refresh, fetched: list[str] | None, ends: bool) -> None:
    job = job_of(task, status=Status.RUNNING, reports=(Report(resource="TAX_STATUS", at=NOW - QUIET),))

    seen = polled(job, link(fetch_resources=fetched))

    assert ends is (seen.status is Status.FINISHED)


@pytest.mark.parametrize(("hours", "ends"), [(3.9, False), (4.1, True)])
def test_a_refresh_whose_reports_are_lost_ends_after_hours(hours: float, ends: bool) -> None:
    """Open for ever, its waiters would learn nothing. It is partial: a resource never reported."""
    reports = (Report(resource="INVOICES", at=NOW),)

    seen = polled(job_of(REFRESH, reports=reports, attempted_at=SENT), USED_AT_ONCE, now=NOW + timedelta(hours=hours))

    assert (Status.FINISHED, Way.INFERENCE, True) == (seen.status, seen.way, seen.partial) if ends else not seen.status


def test_a_refresh_without_a_report_is_told_by_the_records_that_came() -> None:
    """Its lists are asked one after the other until one shows any; which resources came is not known."""
    old, new = ({"results": [{"created_at": f"2026-03-04T{hour}:00:00Z"}]} for hour in (18, 19))
    answers = (answer(200, old), answer(200, old), answer(200, new))

    seen = polled(job_of(REFRESH, attempted_at=SENT), USED_AT_ONCE, *answers, now=NOW + timedelta(hours=4.1))

    assert (Status.FINISHED, Way.INFERENCE, False) == (seen.status, seen.way, seen.partial)


def test_a_refresh_for_which_nothing_speaks_is_given_up() -> None:
    """It failed, or found nothing: never a success."""
    nothing = answer(200, {"count": 0, "results": []})

    seen = polled(job_of(REFRESH, attempted_at=SENT), USED_AT_ONCE, *[nothing] * 4, now=NOW + timedelta(hours=4.1))

    assert isinstance(seen, GivenUp)
    assert Way.INFERENCE is seen.way


def test_a_refresh_stays_open_while_its_link_is_not_used() -> None:
    """Nothing was fetched, so there is nothing to infer from: its waiters' deadlines decide."""
    later = NOW + timedelta(hours=50)
    seen = polled(job_of(REFRESH), link(last_accessed_at="2026-03-04T10:29:00Z"), now=later)

    assert Seen(way=Way.POLL, at=later, job_id="job-1") == seen


def test_a_broken_link_fails_its_refresh() -> None:
    seen = polled(job_of(REFRESH, reports=(Report(resource="INVOICES", at=NOW),)), link(status="invalid"))

    assert seen.failure is not None
    assert (Status.FAILED, "link_invalid") == (seen.status, seen.failure.code)


def test_an_error_with_the_refreshs_id_fails_it() -> None:
    failed, _nudge = delivered(changed("webhook_tax_status", request_id=DASHED, data={"error_code": "login_error"}))

    assert Status.FAILED == reconcile(job_of(REFRESH), failed)[0].status


def test_a_report_that_overtook_the_202_is_kept_for_its_job() -> None:
    """It names the request, so it can be parked, and applied once the id is known."""
    assert DASHED == reported().remote_id


@pytest.mark.parametrize(
    ("resource", "path", "record", "linked"),
    [
        ("INVOICES", "/api/invoices/", Invoice, True),
        ("TAX_RETURNS", "/api/tax-returns/", TaxReturn, True),
        ("TAX_COMPLIANCE_STATUS", "/api/tax-compliance-status/", TaxComplianceStatus, False),
    ],
)
def test_the_results_of_a_refresh_are_the_lists_of_its_link(
    resource: str, path: str, record: type[Any], linked: bool
) -> None:
    """One resource at a time; rows that name another link are dropped."""
    walk = BELVO.results(job_of(Refresh(link=LINK)), resource)

    target = urlsplit(next(walk.steps(None)).target)
    assert (path, {"link": LINK, "page_size": "1000"}) == (target.path, dict(parse_qsl(target.query)))
    assert record is walk.shape.record
    assert linked is (walk.shape.keep is not None and not walk.shape.keep(record(link="other")))


@pytest.mark.parametrize(
    ("task", "resource", "words"),
    [
        pytest.param(REFRESH, None, "INVOICES, TAX_STATUS", id="none of two"),
        pytest.param(REFRESH, "TAX_RETURNS", "INVOICES, TAX_STATUS", id="one it did not bring"),
        pytest.param(Refresh(link=LINK), "ACCOUNTS", "FINANCIAL_STATEMENTS, INVOICES", id="one there is not"),
        pytest.param(
            TASK, "TAX_RETURNS", "Invoices jobs bring the resource INVOICES only", id="another than the task's"
        ),
    ],
)
def test_a_resource_the_job_does_not_bring_is_refused(task: Any, resource: str | None, words: str) -> None:
    """With the words that can be said."""
    with pytest.raises(TaskError) as refused:
        BELVO.results(job_of(task), resource)

    assert "resource" == refused.value.field
    assert words in str(refused.value)


def test_a_single_resource_need_not_be_named() -> None:
    """Neither the only one of a refresh nor the task's own; naming it is allowed."""
    walks = [
        BELVO.results(job_of(Refresh(link=LINK, resources=["INVOICES"]))),
        BELVO.results(job_of(TASK), "INVOICES"),
    ]

    assert [Invoice, Invoice] == [walk.shape.record for walk in walks]


# DeleteLink


def test_a_link_is_deleted_asynchronously() -> None:
    """The synchronous way allows five a minute."""
    request = next(BELVO.start(attempt(DELETION), NOW))

    assert ("DELETE", f"/api/links/{LINK}/", "DELETE /api/links/{id}/") == (
        request.method,
        request.target,
        request.name,
    )
    assert ("X-Belvo-Request-Mode", "async") in request.headers
    assert (None, Retry.SUBMIT) == (request.body, request.retry)


def test_an_accepted_deletion_is_pending() -> None:
    """Its id comes dashed, unlike those of POSTs."""
    seen = started(attempt(DELETION), answer(202, sample("accepted_202_delete_link")))

    assert (Status.PENDING, "4b274b6c-5c7a-57c7-b2d8-695718e217f3") == (seen.status, seen.remote_id)


def test_a_deletion_may_be_done_at_once() -> None:
    """204 answers the synchronous mode."""
    assert Status.FINISHED == started(attempt(DELETION), answer(204)).status


@pytest.mark.parametrize(("number", "status"), [(1, Status.REJECTED), (2, Status.FINISHED)])
def test_a_link_that_is_not_there_was_deleted_only_if_we_tried_before(number: int, status: Status) -> None:
    """The first attempt that meets 404 has the wrong link; a later one meets what an earlier one did."""
    assert status == started(attempt(DELETION, number), error(404, "not_found")).status


@pytest.mark.parametrize("webhook_type", ["LINK", "LINKS", None, ...], ids=str)
@pytest.mark.parametrize("process_type", ["async_post", "brand_new", None, ...], ids=str)
def test_the_word_that_the_link_was_deleted_ends_the_job(webhook_type: object, process_type: object) -> None:
    """Belvo documents the code alone, whatever stands beside it."""
    done, nudge = delivered(
        changed(
            "webhook_tax_status", webhook_type=webhook_type, process_type=process_type, webhook_code="link_deleted",
            request_id=DASHED, data={},
        )
    )  # fmt: skip

    assert Status.FINISHED == reconcile(job_of(DELETION), done)[0].status
    assert isinstance(nudge, Nudge)


def test_the_word_without_a_request_id_makes_the_deletion_due() -> None:
    """The link read then tells."""
    (nudge,) = delivered(changed("webhook_tax_status", webhook_code="link_deleted", request_id=...))

    assert isinstance(nudge, Nudge)
    assert LINK == nudge.subject


def test_an_uncertain_deletion_may_adopt_the_word() -> None:
    """Nobody else deletes that link here."""
    done, _ = delivered(changed("webhook_tax_status", webhook_code="link_deleted", request_id=DASHED))
    uncertain = job_of(DELETION, status=Status.UNCERTAIN, remote_id=None)

    assert (uncertain, done) == choose_adopter([uncertain], [done])


@pytest.mark.parametrize(
    ("given", "status"),
    [
        pytest.param(error(404, "not_found"), Status.FINISHED, id="Belvo knows no such link"),
        pytest.param(link(), None, id="it is still there"),
        pytest.param(link(status="invalid"), None, id="it is broken, but still there"),
    ],
)
def test_a_link_that_can_no_longer_be_read_ends_its_deletion(given: Answer, status: Status | None) -> None:
    """By polling, should no webhook come."""
    seen = polled(job_of(DELETION), given)

    assert Seen(way=Way.POLL, at=NOW, job_id="job-1", status=status) == seen


def test_a_deleted_link_is_gone_for_its_other_jobs() -> None:
    """Each job of a link reads the same answer in its own way."""
    seen, _ = converse(BELVO.poll([job_of(DELETION), job_of(id="job-2")], NOW), error(404, "not_found"))

    assert (
        Seen(way=Way.POLL, at=NOW, job_id="job-1", status=Status.FINISHED),
        Gone(way=Way.POLL, at=NOW, job_id="job-2"),
    ) == seen


def test_an_uncertain_deletion_is_found_by_reading_the_link() -> None:
    """Gone is done; still there is no proof of anything, for fifteen minutes."""
    job = job_of(DELETION, status=Status.UNCERTAIN, remote_id=None, attempted_at=NOW)

    quarter = NOW + timedelta(minutes=15)
    gone, (request,) = converse(BELVO.find(job, NOW), error(404, "not_found"))
    there, _ = converse(BELVO.find(job, NOW), link())
    later, _ = converse(BELVO.find(job, quarter), link())

    assert ("GET", f"/api/links/{LINK}/") == (request.method, request.target)
    assert (Status.FINISHED, "job-1") == (gone.status, gone.job_id)
    assert Absent(way=Way.POLL, at=NOW, job_id="job-1") == there
    assert Absent(way=Way.POLL, at=quarter, job_id="job-1", final=True) == later


def test_a_search_that_cannot_read_the_link_learns_nothing() -> None:
    job = job_of(DELETION, status=Status.UNCERTAIN, remote_id=None)

    with pytest.raises(VendorError):
        converse(BELVO.find(job, NOW), answer(503))


def test_a_deleted_link_has_no_results() -> None:
    with pytest.raises(UnsupportedError):
        BELVO.results(job_of(DELETION))
