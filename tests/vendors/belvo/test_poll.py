"""What a poll of Belvo tells: the link decides, a quiet list lets an end be inferred."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from belvo_async.abc import Answer, Request
from belvo_async.errors import AuthenticationError, PayloadError, RateLimitError, VendorError
from belvo_async.jobs import Found, Gone, Job, Misread, Observation, Quiet, Seen, Status, Way, read_task, reconcile
from belvo_async.vendors.belvo import Belvo, FinancialStatements, Invoices
from tests.vendors.belvo.samples import BELVO, LINK, NOW, TASK, answer, changed, converse, error, job_of, of_jobs

USED = "2026-03-04T18:21:59.120Z"
USED_BEFORE = "2026-03-04T17:00:00Z"


def link(**keys: object) -> Answer:
    return answer(200, changed("link", **{"last_accessed_at": USED, **keys}))


def rows(count: int = 87, first: str = "a") -> Answer:
    return answer(200, {"count": count, "next": None, "previous": None, "results": [{"id": first}][:count]})


def fresh() -> Answer:
    """One record that came after the POST."""
    return answer(200, {"results": [{"collected_at": USED}]})


def poll(*jobs: Job, answers: tuple[Answer, ...], now: datetime = NOW) -> tuple[tuple[Observation, ...], list[Request]]:
    seen, asked = converse(BELVO.poll(jobs, now), *answers)
    return of_jobs(seen), asked


def test_one_read_of_the_link_serves_all_its_jobs() -> None:
    """Two jobs of one link and one of another need two reads of links; ids stay out of the requests' names."""
    jobs = (job_of(), job_of(id="job-2"), job_of(FinancialStatements(link="other"), id="job-3"))

    seen, asked = poll(*jobs, answers=(link(last_accessed_at=None), link(id="other", last_accessed_at=None)))

    assert [f"/api/links/{LINK}/", "/api/links/other/"] == [each.target for each in asked]
    assert {"GET /api/links/{id}/"} == {each.name for each in asked}
    assert ["job-1", "job-2", "job-3"] == [each.job_id for each in seen]


LINKS = [f"{number:08d}-0000-4000-8000-000000000000" for number in range(60)]


def listed(*names: str, **keys: object) -> Answer:
    """A page of the list of links."""
    return answer(200, {"results": [{"id": each, "status": "valid", **keys} for each in names]})


def jobs_on(links: list[str]) -> list[Job]:
    return [job_of(FinancialStatements(link=each), id=f"job-{number}") for number, each in enumerate(links)]


def test_many_links_are_read_by_their_list() -> None:
    """Fifty with one request; what they say counts as it does by itself."""
    seen, asked = poll(
        *jobs_on(LINKS), answers=(listed(*LINKS[:50]), listed(*LINKS[50:59]), link(id=LINKS[59], status="invalid"))
    )

    first = dict(parse_qsl(urlsplit(asked[0].target).query))
    assert ("/api/links/", ",".join(LINKS[:50])) == (urlsplit(asked[0].target).path, first["id__in"])
    assert f"/api/links/{LINKS[59]}/" == asked[2].target
    assert [Status.FAILED] == [each.status for each in seen if each.status is not None]
    assert 60 == len(seen)


def test_a_list_that_cannot_be_read_leaves_each_link_to_itself() -> None:
    """It is a saving, and nothing rests on it."""
    alone = tuple(link(id=each, last_accessed_at=None) for each in LINKS[:3])

    for trouble in (answer(200, {"results": None}), error(400, "does_not_exist"), answer(200, {"results": [7, None]})):
        seen, asked = poll(*jobs_on(LINKS[:3]), answers=(trouble, *alone))

        assert (3, 4) == (len(seen), len(asked))


def test_refused_credentials_end_the_round_at_the_list() -> None:
    """Each further read would be refused as well."""
    with pytest.raises(AuthenticationError):
        poll(*jobs_on(LINKS[:3]), answers=(error(401, "authentication_failed"),))


def test_a_link_of_another_form_is_left_out_of_the_list() -> None:
    """Belvo refuses a filter that names what is no id, and with it all others."""
    alone = link(id="other", last_accessed_at=None)
    _, asked = poll(*jobs_on([*LINKS[:3], "other"]), answers=(listed(*LINKS[:3]), alone))

    assert "/api/links/other/" == asked[-1].target
    assert "other" not in asked[0].target


@pytest.mark.parametrize(("status", "code"), [("invalid", "link_invalid"), ("token_required", "token_required")])
@pytest.mark.parametrize("job_status", [Status.PENDING, Status.UNCERTAIN])
def test_a_broken_link_fails_its_open_jobs(status: str, code: str, job_status: Status) -> None:
    """Belvo announces no failure of an asynchronous POST; the link's status is what it does tell."""
    (seen,), _ = poll(job_of(status=job_status), answers=(link(status=status),))

    assert seen.failure is not None
    assert (Status.FAILED, code, Way.POLL) == (seen.status, seen.failure.code, seen.way)


def test_a_broken_link_does_not_fail_what_was_not_sent() -> None:
    """A queued submission learns its fate from its own POST."""
    (seen,), _ = poll(job_of(status=Status.SUBMITTING, attempted_at=None), answers=(link(status="invalid"),))

    assert seen.status is None


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(link(status="unconfirmed"), id="unconfirmed"),
        pytest.param(link(status="frozen"), id="a status of the future"),
        pytest.param(link(status=None), id="no status"),
        pytest.param(link(last_accessed_at=None), id="never used"),
        pytest.param(link(last_accessed_at=USED_BEFORE), id="used before the POST"),
        pytest.param(link(last_accessed_at="2026-03-04 18:21:59"), id="used at an instant without offset"),
    ],
)
def test_a_link_without_news_leaves_its_jobs_open(given: Answer) -> None:
    """All that is said is that the job was polled, and that Belvo knows its link."""
    seen, asked = converse(BELVO.poll([job_of()], NOW), given)

    assert (Seen(way=Way.POLL, at=NOW, job_id="job-1"), Found(way=Way.POLL, at=NOW, subject=LINK)) == seen
    assert 1 == len(asked)


def test_an_uncertain_job_is_never_inferred() -> None:
    """Nobody knows whether Belvo took it, so the list proves nothing about it."""
    (seen,), asked = poll(job_of(status=Status.UNCERTAIN), answers=(link(),))

    assert (Seen(way=Way.POLL, at=NOW, job_id="job-1"), 1) == (seen, len(asked))


def test_a_used_link_is_worth_a_poll_of_the_jobs_own_list() -> None:
    """One row of one key is asked for, with the filters of the job's results."""
    (seen,), asked = poll(job_of(), answers=(link(), rows()))

    path, query = urlsplit(asked[1].target).path, dict(parse_qsl(urlsplit(asked[1].target).query))
    period = "2025-03-01,2026-02-28"
    assert "/api/invoices/" == path
    assert {
        "link": LINK, "type": "OUTFLOW", "invoice_date__range": period, "fields": "id", "page_size": "1"
    } == query  # fmt: skip
    assert isinstance(seen, Seen)
    assert seen.quiet is not None
    assert (None, datetime.fromisoformat(USED)) == (seen.status, seen.quiet.accessed_at)


def test_financial_statements_are_polled_in_their_own_list() -> None:
    _, asked = poll(job_of(FinancialStatements(link=LINK)), answers=(link(), rows(3)))

    assert f"/api/financial-statements/?link={LINK}&fields=id&page_size=1" == asked[1].target


def polled_at(minutes: list[int], answers: list[tuple[Answer, ...]]) -> Job:
    job = job_of()
    for minute, given in zip(minutes, answers, strict=True):
        now = NOW + timedelta(minutes=minute)
        for seen in poll(job, answers=given, now=now)[0]:
            job, _ = reconcile(job, seen)
    return job


def test_three_equal_polls_over_ten_minutes_are_taken_for_the_end() -> None:
    """When records of the job came since; the end is marked as inferred. Nothing says that data is missing."""
    job = polled_at([0, 5, 10], [(link(), rows()), (link(), rows()), (link(), rows(), fresh())])

    assert (Status.FINISHED, Way.INFERENCE, False) == (job.status, job.settled_by, job.partial)
    assert not job.is_confirmed


def test_over_how_long_polls_must_be_equal_is_a_setting() -> None:
    """The number of polls stays three."""
    hasty = Belvo("key-id", "key-password", quiet=timedelta(seconds=1))
    job = job_of()

    seen = []
    for tenths in (0, 5, 10):
        more = (fresh(),) if tenths == 10 else ()
        told, _ = converse(hasty.poll([job], NOW + timedelta(seconds=tenths / 10)), link(), rows(), *more)
        (one,) = of_jobs(told)
        seen.append(one.status)
        job, _ = reconcile(job, one)

    assert [None, None, Status.FINISHED] == seen


@pytest.mark.parametrize(
    ("minutes", "polls"),
    [
        pytest.param([0, 10], [(link(), rows())] * 2, id="two polls"),
        pytest.param([0, 4, 9], [(link(), rows())] * 3, id="nine minutes"),
        pytest.param([0, 5, 10], [(link(), rows(86)), *[(link(), rows())] * 2], id="the count grew"),
        pytest.param([0, 5, 10], [(link(), rows(first="b")), *[(link(), rows())] * 2], id="another first row"),
        pytest.param(
            [0, 5, 10],
            [(link(last_accessed_at="2026-03-04T18:10:00Z"), rows()), *[(link(), rows())] * 2],
            id="the link was used in between",
        ),
    ],
)
def test_anything_less_leaves_the_job_open_with_its_evidence(
    minutes: list[int], polls: list[tuple[Answer, ...]]
) -> None:
    job = polled_at(minutes, polls)

    assert Status.PENDING == job.status
    assert job.evidence.quiet is not None


def test_an_older_poll_does_not_lengthen_the_run() -> None:
    """Polls delivered late by another worker are no new evidence."""
    (first,), _ = poll(job_of(), answers=(link(), rows()))
    assert isinstance(first, Seen)
    assert first.quiet is not None
    early = Quiet(fingerprint=first.quiet.fingerprint, first_at=NOW - timedelta(minutes=20), last_at=NOW, count=5)

    (seen,), _ = poll(job_of(quiet=early), answers=(link(), rows()))

    assert first == seen


def test_an_unknown_link_makes_its_jobs_gone() -> None:
    """404 is counted by the core; what was never sent has nothing to lose."""
    jobs = (job_of(), job_of(id="job-2", status=Status.SUBMITTING, attempted_at=None))

    seen, _ = converse(BELVO.poll(jobs, NOW), error(404, "not_found"))

    assert (Gone(way=Way.POLL, at=NOW, job_id="job-1"), Seen(way=Way.POLL, at=NOW, job_id="job-2")) == seen


def test_each_link_that_was_read_is_told_once() -> None:
    """What Belvo says to be gone is so beside what it knows: not the whole account is out of our reach."""
    other, lost = FinancialStatements(link="other"), FinancialStatements(link="lost")
    jobs = [job_of(id="a"), job_of(id="b"), job_of(other, id="c"), job_of(lost, id="d")]

    unused, also_unused = link(last_accessed_at=None), link(id="other", last_accessed_at=None)
    seen, _ = converse(BELVO.poll(jobs, NOW), unused, also_unused, error(404, "not_found"))

    assert [LINK, "other"] == [each.subject for each in seen if isinstance(each, Found)]
    assert ["a", "b", "c", "d"] == [each.job_id for each in of_jobs(seen)]
    assert isinstance(seen[-1], Gone)


def test_a_link_whose_jobs_could_not_be_polled_is_not_told() -> None:
    """A round that learned nothing but that is a round that failed."""
    with pytest.raises(VendorError):
        converse(BELVO.poll([job_of()], NOW), link(), answer(500))


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        pytest.param(error(401, "authentication_failed"), AuthenticationError, id="401"),
        pytest.param(answer(429), RateLimitError, id="429"),
        pytest.param(answer(503), VendorError, id="503"),
        pytest.param(answer(200, b"<html>"), PayloadError, id="HTML"),
    ],
)
def test_a_round_that_learned_nothing_raises(given: Answer, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        poll(job_of(), answers=(given,))


@pytest.mark.parametrize(
    "odd", [{"created_at": {"a": 1}}, {"created_at": "soon"}, {"stale_in": [1, 2]}, {"fetch_resources": {"a": "b"}}]
)
def test_an_odd_value_of_a_link_does_not_hide_its_state(odd: dict[str, object]) -> None:
    """What the poll does not need may be anything."""
    seen, _ = poll(job_of(), answers=(link(status="invalid", **odd),))

    assert [Status.FAILED] == [each.status for each in seen]


@pytest.mark.parametrize("status", [7, {}, ["valid", "invalid"]])
def test_a_status_that_is_no_word_says_nothing(status: object) -> None:
    """It ends no job."""
    seen, _ = poll(job_of(), answers=(link(status=status),))

    assert [None] == [each.status for each in seen]


@pytest.mark.parametrize(
    "bad", [pytest.param(answer(503), id="503"), pytest.param(answer(200, b"<html>"), id="unreadable")]
)
def test_a_link_that_cannot_be_read_does_not_hide_the_others(bad: Answer) -> None:
    """Its jobs stay as they are; the next link is read and reported."""
    jobs = (job_of(), job_of(FinancialStatements(link="other"), id="job-2"))

    seen, _ = poll(*jobs, answers=(bad, link(id="other", status="invalid")))

    assert [("job-1", None), ("job-2", Status.FAILED)] == [(each.job_id, each.status) for each in seen]


@pytest.mark.parametrize("bad", [answer(429), error(401, "authentication_failed")], ids=["429", "401"])
def test_a_used_up_rate_ends_the_round(bad: Answer) -> None:
    """Further reads would fail as well; what was learned is reported, and every job has an observation."""
    jobs = [job_of(FinancialStatements(link=name), id=name) for name in ("one", "two", "three")]

    seen, asked = poll(*jobs, answers=(link(id="one", status="invalid"), bad))

    assert 2 == len(asked)
    assert [("one", Status.FAILED), ("two", None), ("three", None)] == [(each.job_id, each.status) for each in seen]


def test_a_list_that_cannot_be_read_leaves_the_job_open() -> None:
    """With another link read in the same round there is something to report."""
    jobs = (job_of(), job_of(FinancialStatements(link="other"), id="job-2"))

    seen, _ = poll(*jobs, answers=(link(), answer(500), link(id="other", last_accessed_at=None)))

    assert {"job-1": Misread, "job-2": Seen} == {each.job_id: type(each) for each in seen}
    assert not any(isinstance(each, Seen) and each.quiet for each in seen)


def test_jobs_of_tasks_not_loaded_here_are_left_alone() -> None:
    """A newer version may have stored them."""
    seen, asked = poll(job_of(read_task(b'{"kind":"belvo.Newer"}')), answers=())

    assert ((Seen(way=Way.POLL, at=NOW, job_id="job-1"),), []) == (seen, asked)


def test_a_poll_of_nothing_asks_nothing() -> None:
    assert ((), []) == poll(answers=())


def test_different_periods_of_one_link_are_told_apart() -> None:
    """Each job's own list is polled."""
    other = Invoices(link=LINK, date_from=date(2024, 1, 1), date_to=date(2024, 12, 30))

    _, asked = poll(job_of(), job_of(other, id="job-2"), answers=(link(), rows(), rows(5)))

    assert 3 == len({each.target for each in asked})
    assert "type=" not in asked[2].target


def test_the_fingerprint_holds_no_invoice() -> None:
    """Only the count, the instant and an id are kept."""
    (seen,), _ = poll(job_of(TASK), answers=(link(), answer(200, json.dumps({"count": 0, "results": None}).encode())))

    assert isinstance(seen, Seen)
    assert seen.quiet is not None
    assert "0/2026-03-04T18:21:59.120000+00:00/None" == seen.quiet.fingerprint
