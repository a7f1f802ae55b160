"""What speaks for an end that Belvo does not tell: the job's own records, never that its link was used."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from belvo_async.abc import Answer, Request
from belvo_async.errors import JobUnconfirmedError, PayloadError, outcome_error
from belvo_async.jobs import GivenUp, Job, Observation, Quiet, Seen, Status, Way, reconcile
from belvo_async.vendors.belvo import Belvo, FinancialStatements
from tests.vendors.belvo.samples import BELVO, LINK, NOW, answer, changed, converse, job_of, of_jobs

# Sent at 18:01:00, the link used at 18:20, and ever since the list stands still.
SENT, USED = NOW - timedelta(minutes=29), "2026-03-04T18:20:00Z"
WITHOUT_WEBHOOKS = Belvo("key-id", "key-password")
LINK_ANSWER = answer(200, changed("link", last_accessed_at=USED))
LIST_ANSWER = answer(200, {"count": 87, "results": [{"id": "a"}]})
FINGERPRINT = "87/2026-03-04T18:20:00+00:00/a"


def standing(minutes: float = 10, **facts: object) -> Job:
    """A job whose list was equal in two polls, the first of them that long ago."""
    quiet = Quiet(
        fingerprint=FINGERPRINT,
        first_at=NOW - timedelta(minutes=minutes),
        last_at=NOW - timedelta(minutes=min(minutes, 9) / 2),
        count=2,
    )
    return job_of(**{"quiet": quiet} | facts)


def found(*records: object) -> Answer:
    return answer(200, {"count": len(records), "results": list(records)})


def polled(
    *more: Answer, belvo: Belvo = WITHOUT_WEBHOOKS, job: Job | None = None
) -> tuple[Observation, list[Request], Job]:
    """The third equal poll, with what the lists of evidence answer."""
    job = standing() if job is None else job
    told, asked = converse(belvo.poll([job], NOW), LINK_ANSWER, LIST_ANSWER, *more)
    (seen,) = of_jobs(told)
    return seen, asked, reconcile(job, seen)[0]


@pytest.mark.parametrize(
    "record",
    [
        pytest.param({"created_at": "2026-03-04T18:02:00Z"}, id="created since"),
        pytest.param(
            {"created_at": "2026-02-01T00:00:00Z", "collected_at": "2026-03-04T18:02:00.123456+00:00"},
            id="there before, collected again",
        ),
        pytest.param({"collected_at": "2026-03-04T12:02:00-06:00"}, id="told in Mexico's time"),
    ],
)
def test_a_record_that_came_since_the_post_speaks_for_the_job(record: object) -> None:
    seen, _, job = polled(found({"created_at": "2026-03-01T00:00:00Z"}, record))

    assert isinstance(seen, Seen)
    assert (Status.FINISHED, Way.INFERENCE, False) == (seen.status, seen.way, seen.partial)
    assert (True, False) == (job.status is Status.FINISHED, job.is_confirmed)


@pytest.mark.parametrize("body", [{}, {"detail": "x"}, {"count": 5, "results": "broken"}], ids=str)
def test_a_page_that_is_no_list_speaks_neither_for_nor_against_a_job(body: object) -> None:
    """Nothing was read, which is not to have found nothing: the job is polled again."""
    with pytest.raises(PayloadError, match="no list"):
        polled(answer(200, body))


@pytest.mark.parametrize(
    "records",
    [
        pytest.param([], id="none"),
        pytest.param([{"created_at": "2026-03-04T18:00:59Z", "collected_at": "2026-03-04T18:01:00Z"}], id="older"),
        pytest.param([{"collected_at": "2026-03-04 18:02:00"}], id="at an instant without offset"),
        pytest.param([{"collected_at": "soon"}, {"collected_at": None}, {}, 7], id="at no instant"),
    ],
)
def test_where_nothing_speaks_for_a_job_it_is_given_up(records: list[object]) -> None:
    """A link that was used proves nothing. It is no success: waiters get an error of its own, code and words too."""
    seen, _, job = polled(found(*records), found(*records))

    assert isinstance(seen, GivenUp)
    assert Way.INFERENCE is seen.way
    assert (Status.PENDING, False, True, False) == (job.status, job.is_open, job.is_unconfirmed, job.partial)
    assert (Way.INFERENCE, "unconfirmed") == (job.settled_by, job.failure and job.failure.code)
    error = outcome_error(job)
    assert isinstance(error, JobUnconfirmedError)
    assert "unconfirmed" == error.code
    assert "failed or found nothing" in str(error)


def test_the_job_is_as_it_was_for_the_vendors_late_word() -> None:
    """A webhook that comes after all tells the end."""
    _, _, job = polled(found(), found())

    for status in (Status.FINISHED, Status.FAILED):
        made, _ = reconcile(job, Seen(way=Way.WEBHOOK, at=NOW, status=status))
        assert (status, Way.WEBHOOK, None) == (made.status, made.settled_by, made.failure)
        assert made.is_confirmed


def test_the_lists_are_asked_with_the_jobs_own_filters() -> None:
    """What was created of late (by day, in whatever zone), then all; only what is needed of each record."""
    _, asked, _ = polled(found(), found())

    of_late, whole = (dict(parse_qsl(urlsplit(each.target).query)) for each in asked[2:])
    assert {"created_at__gte": "2026-03-04"} == {name: of_late[name] for name in of_late.keys() - whole.keys()}
    assert {
        "link": LINK,
        "type": "OUTFLOW",
        "invoice_date__range": "2025-03-01,2026-02-28",
        "fields": "created_at,collected_at,warnings",
        "page_size": "1000",
    } == whole


def test_one_list_that_speaks_is_enough() -> None:
    """Three requests at the end, not four."""
    _, asked, _ = polled(found({"created_at": USED}))

    assert 3 == len(asked)


def test_the_day_is_early_enough_for_every_zone() -> None:
    """A POST just after midnight UTC was sent the day before in Mexico."""
    sent = datetime.fromisoformat("2026-03-04T00:30:00Z")

    _, asked, _ = polled(found(), found(), job=standing(attempted_at=sent))

    assert "created_at__gte=2026-03-03" in asked[2].target


def test_statements_are_asked_for_what_they_have() -> None:
    """They have no warnings."""
    seen, asked, _ = polled(found({"created_at": USED}), job=standing(task=FinancialStatements(link=LINK)))

    assert f"/api/financial-statements/?link={LINK}&created_at__gte=2026-03-04&fields=created_at,collected_at" in (
        asked[2].target
    )
    assert Status.FINISHED == seen.status


@pytest.mark.parametrize(
    ("code", "retry_at"),
    [("sat_xml_limit_reached", "2026-03-05T06:00:00Z"), ("sat_service_unavailable", None)],
)
def test_only_a_record_that_lacks_data_makes_it_partial(code: str, retry_at: str | None) -> None:
    """The mark tells something; `settled_by` is the sign of an inference."""
    lacking = {"created_at": USED, "warnings": {"code": code}}

    seen, _, job = polled(found({"created_at": USED, "warnings": None}, lacking))

    assert (Status.FINISHED, True) == (seen.status, job.partial)
    assert (datetime.fromisoformat(retry_at) if retry_at else None) == job.retry_at


def test_what_another_run_lacked_is_not_this_ones() -> None:
    """A warning of a record that was there before says nothing."""
    old = {"created_at": "2026-03-01T00:00:00Z", "warnings": {"code": "sat_xml_limit_reached"}}

    _, _, job = polled(found(old, {"created_at": USED}))

    assert (Status.FINISHED, False) == (job.status, job.partial)


# Overtaken


def test_what_a_later_request_may_have_brought_does_not_speak_for_the_job() -> None:
    """Another job of the link was sent at 18:10: records from then on may be its own."""
    job = standing(overtaken_at=NOW - timedelta(minutes=20))
    later = found({"created_at": "2026-03-04T18:10:01Z", "collected_at": "2026-03-04T18:20:00Z"})

    _, _, made = polled(later, later, job=job)

    assert made.is_unconfirmed


def test_what_came_before_the_later_request_does() -> None:
    """Even when the later one collected it again."""
    job = standing(overtaken_at=NOW - timedelta(minutes=20))

    _, _, made = polled(found({"created_at": "2026-03-04T18:09:00Z", "collected_at": USED}), job=job)

    assert Status.FINISHED == made.status


# Patience


def test_with_webhooks_a_job_is_given_up_much_later() -> None:
    """The list stands still while a request is running, too: its webhook is worth waiting for."""
    seen, asked, early = polled(found(), found(), belvo=BELVO)
    _, _, late = polled(found(), found(), belvo=BELVO, job=standing(minutes=240))

    assert isinstance(seen, Seen)
    assert (None, True) == (seen.status, early.is_open)
    assert 4 == len(asked)
    assert late.is_unconfirmed


def test_with_webhooks_evidence_ends_it_as_soon() -> None:
    seen, _, _ = polled(found({"created_at": USED}), belvo=BELVO)

    assert Status.FINISHED == seen.status


def test_evidence_is_not_looked_for_again_while_nothing_changes() -> None:
    """Two requests more for each poll, for hours, would be the rate of everybody else."""
    run = Quiet(fingerprint=FINGERPRINT, first_at=NOW - timedelta(hours=1), last_at=NOW - timedelta(minutes=5), count=9)

    _, asked, job = polled(belvo=BELVO, job=job_of(quiet=run))

    assert (2, True) == (len(asked), job.is_open)
