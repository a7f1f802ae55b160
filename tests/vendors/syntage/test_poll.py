"""Polling extractions: by id, by list, for a lost one, and asking to stop."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from belvo_async.abc import Answer, Request
from belvo_async.errors import (
    AuthenticationError,
    PayloadError,
    RateLimitError,
    TransportError,
    UnsupportedError,
    VendorError,
)
from belvo_async.jobs import Absent, Failure, Gone, Job, Misread, Seen, Status, Way
from belvo_async.vendors import syntage
from tests.vendors.syntage.kit import (
    CREATED,
    ENTITY,
    KEY,
    NOW,
    REMOTE,
    RFC,
    answer,
    converse,
    job,
    listing,
    minutes,
    params,
    path,
    raw,
    row,
    sample,
    serve,
    vendor,
)

LOST = {"id": "job-1", "status": Status.UNCERTAIN, "attempted_at": CREATED}


def remote(number: int) -> str:
    return str(UUID(int=number))


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("pending", Status.PENDING),
        ("waiting", Status.PENDING),
        ("running", Status.RUNNING),
        ("stopping", Status.STOPPING),
        ("stopped", Status.STOPPED),
        ("cancelled", Status.STOPPED),
        ("finished", Status.FINISHED),
        ("finished.empty", Status.FINISHED),
        ("failed.internal_error", Status.FAILED),
    ],
)
def test_all_eight_words_are_understood(name: str, status: Status) -> None:
    """Each documented word has one meaning; the word itself is kept."""
    (seen,), asked = converse(vendor().poll([job(remote_id=REMOTE)], NOW), answer(200, raw(f"extraction.{name}")))

    assert (status, name.partition(".")[0]) == (seen.status, seen.vendor_status)
    assert (Way.POLL, NOW, "job-1", REMOTE) == (seen.way, seen.at, seen.job_id, seen.remote_id)
    assert ("GET", f"/extractions/{REMOTE}", "GET /extractions/{id}") == (
        asked[0].method,
        asked[0].target,
        asked[0].name,
    )


def test_every_documented_word_ends_as_documented() -> None:
    """The words that end a job are the documented ones."""
    for word, is_end in sample("documented")["statuses"].items():
        (seen,), _ = converse(vendor().poll([job(remote_id=REMOTE)], NOW), answer(200, row(status=word)))

        assert seen.status is not None
        assert is_end == seen.status.is_terminal, word


@pytest.mark.parametrize("word", ["paused", "", None, 7, ["running"]])
def test_unknown_word_is_no_status(word: Any) -> None:
    """A word nobody documented leaves the job as it is."""
    (seen,), _ = converse(vendor().poll([job(remote_id=REMOTE)], NOW), answer(200, row(status=word)))

    assert (None, "paused" if word == "paused" else None) == (seen.status, seen.vendor_status)


@pytest.mark.parametrize(("code", "retryable"), sample("documented")["errorCodes"].items())
def test_failures_say_whether_to_fire_again(code: str, retryable: bool) -> None:
    """Each documented error code has our wording and the vendor's advice."""
    (seen,), _ = converse(
        vendor().poll([job(remote_id=REMOTE)], NOW), answer(200, row(status="failed", errorCode=code))
    )

    assert seen.failure is not None
    assert (code, retryable) == (seen.failure.code, seen.failure.retryable)
    assert seen.failure.message


def test_unknown_error_code_is_kept() -> None:
    """A code nobody documented is kept and not advised to be tried again; without a code there is no failure."""
    poll = vendor().poll([job(remote_id=REMOTE, id="a"), job(remote_id=REMOTE, id="b")], NOW)

    (one, other), _ = converse(
        poll, answer(200, row(status="failed", errorCode="new_one")), answer(200, row(status="failed"))
    )

    assert Failure(code="new_one", message="a code that Syntage does not document") == one.failure
    assert (None, Status.FAILED) == (other.failure, other.status)


def test_sat_limit_makes_it_partial() -> None:
    """`rateLimitedAt` says that data is missing and when more may be had: 24 hours later."""
    (seen,), _ = converse(
        vendor().poll([job(remote_id=REMOTE)], NOW), answer(200, raw("extraction.finished.rate_limited"))
    )

    limited = CREATED + timedelta(minutes=14, seconds=3)
    assert (Status.FINISHED, True, limited + timedelta(hours=24)) == (seen.status, seen.partial, seen.retry_at)
    assert (2013, 0) == (seen.created_count, seen.updated_count)


def test_loose_types_are_read() -> None:
    """Counts as text, unreadable instants, a missing taxpayer: what can be read is."""
    strange = row(createdDataPoints="12", updatedDataPoints=-1, rateLimitedAt="today", taxpayer=None, options=[])

    (seen,), _ = converse(vendor().poll([job(remote_id=REMOTE)], NOW), answer(200, strange))

    assert (12, None, True, None) == (seen.created_count, seen.updated_count, seen.partial, seen.retry_at)


def test_missing_extraction_is_gone() -> None:
    """A 404 is told as gone; what that means is for the core."""
    (seen,), _ = converse(vendor().poll([job(remote_id=REMOTE)], NOW), answer(404, raw("error.404")))

    assert Gone(way=Way.POLL, at=NOW, job_id="job-1", remote_id=REMOTE) == seen


def test_faults_before_anything_was_seen_are_raised() -> None:
    """An error answer to the only poll is the vendor's error."""
    with pytest.raises(AuthenticationError):
        converse(vendor().poll([job(remote_id=REMOTE)], NOW), answer(401, raw("error.401")))


@pytest.mark.parametrize(
    "fault", [answer(500), answer(200, b"no"), TransportError("cut", maybe_sent=True)], ids=range(3)
)
def test_faults_after_something_was_seen_keep_it(fault: Any) -> None:
    """What the first poll told is not lost when the second fails."""
    poll = vendor().poll([job(remote_id=REMOTE, id="a"), job(remote_id=remote(2), id="b")], NOW)

    seen, _ = converse(poll, answer(200, row()), fault)

    assert ["a"] == [each.job_id for each in seen if not isinstance(each, Misread)]
    assert 1 == sum(isinstance(each, Misread) for each in seen)


def test_jobs_without_remote_id_are_left_out() -> None:
    """There is nothing to ask for a job that has no id yet."""
    with pytest.raises(StopIteration) as end:
        next(vendor().poll([job()], NOW))

    assert () == end.value.value


class Server:
    """A list of extractions, newest first, cursor style."""

    def __init__(self, count: int, *, known: int | None = None, created: Any = None) -> None:
        self.rows = [row(id=remote(each), createdAt="2025-04-02T16:00:00Z", status="finished") for each in range(count)]
        self.singles = 0
        self.known = count if known is None else known

    def __call__(self, request: Request) -> Answer:
        if path(request) != "/extractions":
            self.singles += 1
            number = UUID(path(request).rpartition("/")[2]).int
            return answer(200, row(id=remote(number))) if number < self.known else answer(404, raw("error.404"))
        start = int(params(request).get("id[lt]", 0))
        following = f"/extractions?itemsPerPage=100&id%5Blt%5D={start + 100}" if start + 100 < len(self.rows) else None
        return listing(*self.rows[start : start + 100], following=following)


def test_three_hundred_jobs_cost_three_requests() -> None:
    """One list page settles a hundred jobs; every row is reported, whether asked for or not."""
    jobs = [job(id=str(each), remote_id=remote(each)) for each in range(10, 300)]

    seen, asked = serve(vendor().poll(jobs, NOW), Server(320))

    assert 3 == len(asked)
    assert {remote(each) for each in range(300)} == {each.remote_id for each in seen}
    assert {"itemsPerPage": "100", "createdAt[after]": "2025-04-01"} == params(asked[0])
    assert {None} == {each.job_id for each in seen}


def test_thousands_of_jobs_are_all_seen_in_one_round() -> None:
    """The list is read as far as so many jobs need: none waits for the rounds in which newer ones have gone."""
    jobs = [job(id=str(each), remote_id=remote(each)) for each in range(2500, 5000)]

    seen, asked = serve(vendor().poll(jobs, NOW), Server(5000))

    assert 50 == len(asked)
    assert {remote(each) for each in range(5000)} == {each.remote_id for each in seen}


class Busy:
    """An extraction each second, newest first; the filter by instants is obeyed. Its clock may be another."""

    def __init__(self, count: int, *, ahead: timedelta = timedelta(0)) -> None:
        self.rows = [(NOW + ahead - timedelta(seconds=each), remote(each)) for each in range(count)]

    def __call__(self, request: Request) -> Answer:
        if path(request) != "/extractions":
            return answer(404, raw("error.404"))
        asked = params(request)
        before = asked.get("createdAt[before]", "9999")
        rows = [(stamp(at), name) for at, name in self.rows if stamp(at) <= before]
        start = int(asked.get("id[lt]", 0))
        shown = [row(id=name, createdAt=at, status="finished") for at, name in rows[start : start + 100]]
        further = "&".join(f"{key}={value}" for key, value in (asked | {"id[lt]": start + 100}).items())
        return listing(*shown, following=f"/extractions?{further}" if start + 100 < len(rows) else None)


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def hours_old(server: Busy) -> list[Job]:
    """Jobs of the list that were fired two hours ago."""
    fired = {each: NOW - timedelta(seconds=each) for each in range(2 * 3600, 2 * 3600 + 200)}
    return [job(id=str(each), remote_id=remote(each), created_at=at, attempted_at=at) for each, at in fired.items()]


def test_jobs_of_long_ago_are_read_where_they_stand() -> None:
    """What thousands of younger extractions there are is not read: with any number of open jobs, a round is short."""
    server = Busy(8_000)

    seen, asked = serve(vendor().poll(hours_old(server), NOW), server)

    # Three pages are of the minutes by which clocks may differ.
    assert len(asked) <= 3 + 3
    assert {each.remote_id for each in hours_old(server)} <= {each.remote_id for each in seen}


@pytest.mark.proof
def test_a_clock_that_is_far_off_costs_a_page() -> None:
    """Where none of them is shown, the list is read from its beginning."""
    server = Busy(8_000, ahead=timedelta(hours=5))

    _, asked = serve(vendor().poll(hours_old(server), NOW), server)

    assert "createdAt[before]" in params(asked[0])
    assert "createdAt[before]" not in params(asked[-21])


def test_what_the_list_lacks_is_looked_up_by_id() -> None:
    """Jobs the list did not show are asked for one by one, at most twenty a round; a 404 there is gone."""
    server = Server(3, known=10)
    jobs = [job(id=str(each), remote_id=remote(each)) for each in range(50)]

    seen, asked = serve(vendor().poll(jobs, NOW), server)

    assert (21, 20) == (len(asked), server.singles)
    assert 23 == len(seen)
    assert any(isinstance(each, Gone) for each in seen)


def test_missing_jobs_take_turns() -> None:
    """With more missing jobs than polls in a round, another second begins elsewhere."""
    jobs = [job(id=str(each), remote_id=remote(each)) for each in range(50)]

    rounds = [serve(vendor().poll(jobs, NOW + timedelta(seconds=each)), Server(0, known=50))[0] for each in (0, 20)]

    assert {each.job_id for each in rounds[0]} != {each.job_id for each in rounds[1]}


@pytest.mark.parametrize("following", ["/extractions?createdAt%5Bafter%5D=2025-04-01&itemsPerPage=100", None])
def test_list_ends_where_it_repeats(following: str | None) -> None:
    """A link that repeats ends the reading."""
    jobs = [job(id=str(each), remote_id=remote(each)) for each in range(3)]

    def server(request: Request) -> Answer:
        if path(request) != "/extractions":
            return answer(200, row())
        return listing(row(), following=following)

    _, asked = serve(vendor().poll(jobs, NOW), server)

    assert 1 + 3 == len(asked)


def test_list_ends_at_an_empty_page() -> None:
    """The framework prints `next` on empty pages too."""
    jobs = [job(id=str(each), remote_id=remote(each)) for each in range(3)]

    def server(request: Request) -> Answer:
        following = request.target + "x"
        return listing(following=following) if path(request) == "/extractions" else answer(404, raw("error.404"))

    _, asked = serve(vendor().poll(jobs, NOW), server)

    assert 1 + 3 == len(asked)


def test_list_ends_with_rows_that_are_too_old() -> None:
    """Newest first: rows from long before the oldest job end the reading."""
    jobs = [job(id=str(each), remote_id=remote(each)) for each in range(3)]
    old = row(createdAt="2025-03-01T00:00:00Z")

    def server(request: Request) -> Answer:
        return (
            listing(old, following=request.target + "x")
            if path(request) == "/extractions"
            else answer(404, raw("error.404"))
        )

    _, asked = serve(vendor().poll(jobs, NOW), server)

    assert 1 + 3 == len(asked)


def test_list_that_never_ends_is_left() -> None:
    """A list with a new link each time is read for twenty pages a round."""
    jobs = [job(id=str(each), remote_id=remote(each)) for each in range(3)]

    def server(request: Request) -> Answer:
        return (
            listing(row(), following=request.target + "x")
            if path(request) == "/extractions"
            else answer(404, raw("error.404"))
        )

    _, asked = serve(vendor().poll(jobs, NOW), server)

    assert 20 + 3 == len(asked)


@pytest.mark.parametrize("link", ["https://evil.example/entities", "/entities?x=1", "ftp://evil.example/extractions"])
def test_links_elsewhere_are_not_followed(link: str) -> None:
    """A link out of the collection ends the list; what was seen is kept, and what was not is asked for by id."""
    jobs = [job(id=str(each), remote_id=remote(each)) for each in range(3)]

    def server(request: Request) -> Answer:
        return listing(row(), following=link) if path(request) == "/extractions" else answer(200, row())

    seen, asked = serve(vendor().poll(jobs, NOW), server)

    assert ["/extractions", *(f"/extractions/{remote(each)}" for each in range(3))] == [path(each) for each in asked]
    assert [Seen] * 4 == [type(each) for each in seen[:-1]]
    assert isinstance(seen[-1], Misread)
    assert "PayloadError at $: a link " in seen[-1].misfit


@pytest.mark.parametrize("body", [b"{}", b'{"hydra:member": {}}', b"7", b'{"hydra:member": null}'])
def test_page_without_rows_is_unreadable(body: bytes) -> None:
    """A page that holds no array of rows is not an empty list: the jobs are asked for by id instead."""
    jobs = [job(id=str(each), remote_id=remote(each)) for each in range(3)]
    singles = [answer(200, row(id=remote(each))) for each in range(3)]

    seen, _ = converse(vendor().poll(jobs, NOW), answer(200, body), *singles)
    with pytest.raises(PayloadError, match=r"\$"):
        converse(vendor().poll(jobs, NOW), answer(200, body), *[answer(200, b"<html>")] * 3)

    assert ["0", "1", "2"] == [each.job_id for each in seen if not isinstance(each, Misread)]


def test_odd_rows_do_not_hide_the_others() -> None:
    """A row that is no extraction is passed over; the newer unprefixed keys are read too."""
    jobs = [job(id=str(each), remote_id=remote(each)) for each in range(3)]
    rows = [7, None, {"id": ["x"]}, *(row(id=remote(each)) for each in range(3))]

    seen, _ = converse(vendor().poll(jobs, NOW), answer(200, {"member": rows, "view": {}}))

    assert [remote(each) for each in range(3)] == [each.remote_id for each in seen]


def test_lost_submission_is_found() -> None:
    """An extraction of the same RFC, extractor and options, created since the attempt, is ours."""
    seen, asked = converse(vendor().find(job(**LOST), NOW), answer(200, raw("entity")), listing(row()))

    assert isinstance(seen, Seen)
    assert (Status.RUNNING, REMOTE, "job-1") == (seen.status, seen.remote_id, seen.job_id)
    assert [ENTITY, "/extractions"] == [path(request) for request in asked]
    assert RFC == params(asked[1])["taxpayer.id"]
    assert all(RFC not in request.name and RFC not in repr(request) for request in asked)


@pytest.mark.parametrize(
    ("created", "is_found"),
    [
        ("2025-04-02T15:55:00.000Z", True),
        ("2025-04-02 15:55:00", True),
        ("2025-04-02T15:54:59.000Z", False),
        (None, False),
    ],
    ids=["slack", "naive", "earlier", "unsaid"],
)
def test_lost_submission_is_not_an_older_one(created: str | None, is_found: bool) -> None:
    """Five minutes of slack for differing clocks, no more."""
    seen, _ = converse(vendor().find(job(**LOST), NOW), answer(200, raw("entity")), listing(row(createdAt=created)))

    assert is_found is (seen.remote_id == REMOTE)
    assert is_found is not isinstance(seen, Absent)


@pytest.mark.parametrize(
    ("since", "final"), [(None, False), (minutes(1.9), False), (minutes(2), True)], ids=["first", "early", "late"]
)
def test_absence_is_given_up_after_two_minutes(since: Any, final: bool) -> None:
    """An accepted extraction shows in the list at once; two minutes are given to replicas."""
    lost = job(**LOST, absent_since=NOW - since if since else None)

    seen, _ = converse(vendor().find(lost, NOW), answer(200, raw("entity")), listing())

    assert Absent(way=Way.POLL, at=NOW, job_id="job-1", final=final) == seen


@pytest.mark.parametrize(
    "entity", [answer(404, raw("error.404")), answer(200, {"taxpayer": None}), answer(200, {"taxpayer": {"id": ""}})]
)
def test_entity_without_rfc_cannot_be_searched(entity: Answer) -> None:
    """Extractions can be listed by RFC only: without one the submission counts as absent."""
    seen, asked = converse(vendor().find(job(**LOST), NOW), entity)

    assert (Absent(way=Way.POLL, at=NOW, job_id="job-1"), 1) == (seen, len(asked))


def test_failing_search_says_nothing() -> None:
    """An error while searching is an error, not an absence."""
    with pytest.raises(RateLimitError):
        converse(vendor().find(job(**LOST), NOW), answer(429))
    with pytest.raises(VendorError):
        converse(vendor().find(job(**LOST), NOW), answer(200, raw("entity")), answer(500))


def test_stop_is_a_delete() -> None:
    """A 204 means that the extraction is stopping."""
    seen, asked = converse(vendor().stop(job(remote_id=REMOTE), NOW), answer(204))

    assert seen is not None
    assert (Status.STOPPING, Way.ANSWER, "job-1", REMOTE) == (seen.status, seen.way, seen.job_id, seen.remote_id)
    assert ("DELETE", f"/extractions/{REMOTE}/stop", "DELETE /extractions/{id}/stop") == (
        asked[0].method,
        asked[0].target,
        asked[0].name,
    )


def test_stop_of_an_ended_one_says_how_it_ended() -> None:
    """A 409 means it is over: the extraction itself tells how."""
    seen, _ = converse(
        vendor().stop(job(remote_id=REMOTE), NOW),
        answer(409, raw("error.409.not_stoppable")),
        answer(200, raw("extraction.finished")),
    )

    assert seen is not None
    assert Status.FINISHED == seen.status


def test_stop_of_an_unknown_one_is_gone() -> None:
    """A 404 is told as gone."""
    seen, _ = converse(vendor().stop(job(remote_id=REMOTE), NOW), answer(404, raw("error.404")))

    assert seen is not None
    assert isinstance(seen, Gone)


def test_stop_needs_a_remote_id() -> None:
    """A job that has no id at the vendor cannot be stopped there."""
    with pytest.raises(UnsupportedError):
        next(vendor().stop(job(), NOW))


def test_stop_refused_is_an_error() -> None:
    """Other answers are the vendor's errors."""
    with pytest.raises(AuthenticationError):
        converse(vendor().stop(job(remote_id=REMOTE), NOW), answer(403, raw("error.403")))


def test_remote_id_cannot_leave_its_path() -> None:
    """An id is encoded into the path as one step."""
    request = next(vendor().poll([job(remote_id="../x?y")], NOW))

    assert "/extractions/..%2Fx%3Fy" == request.target


def test_dialect_shows_no_secret() -> None:
    """repr names the origin only; the key goes into one header."""
    dialect = vendor()

    assert "Syntage(https://api.sandbox.syntage.com)" == repr(dialect)
    assert {"X-API-Key": KEY} == dialect.credentials()
    assert isinstance(dialect, syntage.Syntage)
