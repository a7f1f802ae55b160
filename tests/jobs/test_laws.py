"""The laws of the core, for any observations in any order."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings, strategies as st
from msgspec.structs import replace

from belvo_async.jobs import (
    GONE_POLLS,
    GONE_SPAN,
    Failure,
    GivenUp,
    Gone,
    Job,
    Observation,
    Report,
    Reported,
    Seen,
    Status,
    Task,
    Verdict,
    Way,
    reconcile,
)
from tests.jobs.flat import flat
from tests.jobs.kinds import KINDS, NOW, observations

REMOTE = "b5d0106a" + "0" * 24
ENDS = (Status.FINISHED, Status.FAILED, Status.STOPPED)
UNDER_WAY = (Status.PENDING, Status.RUNNING, Status.STOPPING)
CODES = ("login_failed", "portal_down")
UNCONFIRMED = Failure(code="unconfirmed")


class LawTask(Task[object], frozen=True, kw_only=True, tag="law.Task"):
    """A task of nobody."""


def new_job(**facts: object) -> Job:
    job = flat(id="1", vendor="v", account="v#1", task=LawTask(), created_at=NOW, attempted_at=NOW)
    return flat(job, **facts)


def apply(job: Job, seen: list[Observation]) -> Job:
    for each in seen:
        job, _ = reconcile(job, each)
    return job


@st.composite
def stories(draw: st.DrawFn) -> list[Observation]:
    """What may be learned of one job that has one end, by any way, in any number. It is not gone for half an hour."""
    end = draw(st.sampled_from(ENDS))
    failure = Failure(code=draw(st.sampled_from(CODES))) if end is Status.FAILED else None
    words = st.sampled_from((None, Status.SUBMITTING, Status.UNCERTAIN, *UNDER_WAY, end))
    names = st.sampled_from((None, REMOTE, REMOTE.upper()))

    def of_one_end(seen: Observation) -> Observation:
        match seen:
            case Seen():
                return replace(seen, failure=draw(st.sampled_from((None, failure))) if seen.status is end else None)
            case GivenUp():
                return replace(seen, failure=draw(st.sampled_from((None, UNCONFIRMED))))
            case _:
                return seen

    anything = observations(seconds=1000, remote_ids=names, statuses=words)
    return [of_one_end(each) for each in draw(st.lists(anything, min_size=1, max_size=8))]


@given(stories(), st.data())
def test_order_and_repetition_do_not_matter(story: list[Observation], data: st.DataObject) -> None:
    """Any shuffle with repetitions ends in the same status, failure and partial mark."""
    repeated = data.draw(st.lists(st.sampled_from(story), max_size=6))
    shuffled = data.draw(st.permutations(story + repeated))

    straight, mixed = apply(new_job(), story), apply(new_job(), shuffled)

    assert straight.status == mixed.status
    if straight.status.is_terminal:
        assert straight.failure == mixed.failure
    else:
        # Why it is given up is of no interest once the vendor told more.
        assert {straight.failure, mixed.failure} <= {None, UNCONFIRMED}
    assert straight.partial == mixed.partial
    assert (straight.remote_id or "").lower() == (mixed.remote_id or "").lower()
    assert 0 == mixed.conflicts


@given(st.permutations([("A", 1), ("B", 2), ("A", 3)]))
def test_reports_of_resources_add_up_in_any_order(order: list[tuple[str, int]]) -> None:
    """A job that brings several resources keeps each one reported, with the latest time."""
    times = {second: NOW + timedelta(seconds=second) for second in (1, 2, 3)}
    story = [Reported(way=Way.WEBHOOK, at=times[second], resources=(name,)) for name, second in order]

    job = apply(new_job(), story)

    assert (Report(resource="A", at=times[3]), Report(resource="B", at=times[2])) == job.evidence.reports


anything = observations(remote_ids=st.sampled_from((None, REMOTE, "another")))


@given(st.lists(anything, max_size=20))
def test_terminal_status_never_changes(story: list[Observation]) -> None:
    """Once a job ended, nothing that is said makes it anything else, nor takes back what is known."""
    job = new_job()
    for seen in story:
        made, _ = reconcile(job, seen)
        if job.status.is_terminal:
            assert job.status == made.status
            assert (job.settled_by, job.settled_at) == (made.settled_by, made.settled_at)
            assert job.failure in (None, made.failure)
            assert not made.is_open
        assert made.partial or not job.partial
        assert made.remote_id == job.remote_id or job.remote_id is None
        job = made


@given(st.lists(anything, max_size=20))
def test_contradictions_are_counted_and_kept_aside(story: list[Observation]) -> None:
    """Whatever is taken for one changes nothing else, and nothing else is counted."""
    job = new_job()
    for seen in story:
        made, verdict = reconcile(job, seen)
        if verdict is Verdict.CONFLICTING:
            assert replace(job, conflicts=job.conflicts + 1) == made
        assert (verdict is Verdict.CONFLICTING) is (made.conflicts > job.conflicts)
        assert (verdict is Verdict.ADVANCED) is (made.status is not job.status)
        job = made


@given(st.lists(anything, max_size=10), anything)
def test_what_changes_nothing_gives_the_same_job_back(story: list[Observation], seen: Observation) -> None:
    """No version is written for it, and no event."""
    job = apply(new_job(), story)

    made, _ = reconcile(job, seen)

    assert (job is made) is (job == made)


@given(st.sampled_from(ENDS), st.sampled_from(ENDS))
def test_second_end_is_counted_and_kept_aside(first: Status, second: Status) -> None:
    """A contradiction after the end shows in `conflicts` alone."""
    ended = apply(new_job(), [Seen(way=Way.POLL, at=NOW, status=first)])

    made, verdict = reconcile(ended, Seen(way=Way.POLL, at=NOW, status=second))

    if first is second:
        assert (ended, Verdict.REPEATED) == (made, verdict)
    else:
        assert (replace(ended, conflicts=1), Verdict.CONFLICTING) == (made, verdict)


def test_other_reason_for_one_failure_is_a_contradiction() -> None:
    """The first code a failure came with stays."""
    failed = new_job(status=Status.FAILED, failure=Failure(code="a"))

    made, verdict = reconcile(failed, Seen(way=Way.POLL, at=NOW, status=Status.FAILED, failure=Failure(code="b")))

    assert (Verdict.CONFLICTING, "a", 1) == (verdict, made.failure and made.failure.code, made.conflicts)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@settings(max_examples=settings.default.max_examples // 3)  # of each of ten kinds
@given(data=st.data())
def test_word_about_another_job_changes_nothing(kind: type[Observation], data: st.DataObject) -> None:
    """An observation that names a different remote id is counted, whatever it says."""
    job = new_job(status=data.draw(st.sampled_from(Status)), remote_id=REMOTE)
    seen = data.draw(observations(kind, remote_ids=st.just("another")))

    made, verdict = reconcile(job, seen)

    assert (replace(job, conflicts=1), Verdict.CONFLICTING) == (made, verdict)


@pytest.mark.parametrize("status", ENDS, ids=str)
def test_missing_data_may_be_noticed_after_the_end(status: Status) -> None:
    """`partial` may turn true after the end, by a known word or an unknown one."""
    ended = new_job(status=status)

    by_word, _ = reconcile(ended, Seen(way=Way.POLL, at=NOW, status=status, partial=True))
    by_late_word, _ = reconcile(ended, Seen(way=Way.POLL, at=NOW, status=Status.RUNNING, partial=True))
    by_unknown_word, _ = reconcile(ended, Seen(way=Way.POLL, at=NOW, vendor_status="odd", partial=True))

    assert replace(ended, partial=True) == by_word == by_late_word == by_unknown_word


def gone(minutes: float) -> Observation:
    return Gone(way=Way.POLL, at=NOW + timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        pytest.param([0, 1, 2, 3, 30], Status.FAILED, id="five over half an hour"),
        pytest.param([0, 1, 2, 3, 29], Status.RUNNING, id="five in less"),
        pytest.param([0, 10, 20, 40], Status.RUNNING, id="four over more"),
    ],
)
def test_job_unknown_to_its_vendor_is_gone(minutes: list[float], expected: Status) -> None:
    """A job answered 404 five times over 30 minutes failed with code `gone`."""
    job = apply(new_job(status=Status.RUNNING), [gone(each) for each in minutes])

    assert (5, timedelta(minutes=30)) == (GONE_POLLS, GONE_SPAN)
    assert expected is job.status


@pytest.mark.parametrize(
    "sign_of_life",
    [
        pytest.param(Seen(way=Way.POLL, at=NOW, status=Status.RUNNING), id="the same word"),
        pytest.param(Seen(way=Way.POLL, at=NOW, status=Status.PENDING), id="an earlier word"),
        pytest.param(Seen(way=Way.POLL, at=NOW, vendor_status="odd"), id="an unknown word"),
        pytest.param(Reported(way=Way.WEBHOOK, at=NOW, resources=("A",)), id="a report"),
    ],
)
def test_sign_of_life_ends_the_run_of_missing_polls(sign_of_life: Observation) -> None:
    """Only polls in a row count: a vendor that knows the job again has not lost it."""
    story = [*map(gone, [0, 10, 20, 30]), sign_of_life, gone(40)]

    job = apply(new_job(status=Status.RUNNING), story)

    assert (Status.RUNNING, 1) == (job.status, job.evidence.gone_count)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param({"deadline": NOW}, True, id="at its deadline"),
        pytest.param({"deadline": NOW + timedelta(microseconds=1)}, False, id="before it"),
        pytest.param({"deadline": None}, False, id="with none"),
        pytest.param({"deadline": NOW, "status": Status.SUBMITTING, "attempted_at": None}, True, id="never sent"),
        pytest.param({"deadline": NOW, "status": Status.SUBMITTING}, False, id="on its way"),
        pytest.param({"deadline": NOW, "status": Status.UNCERTAIN}, False, id="looked for"),
    ],
)
def test_a_job_is_past_its_deadline_when_nothing_can_run_twice(facts: dict[str, object], expected: bool) -> None:
    """Of what may have been accepted nobody knows yet, an equal task waits for the answer."""
    assert expected is new_job(**{"status": Status.RUNNING} | facts).is_past(NOW)


def test_what_a_user_gave_up_stays_so_until_it_ends() -> None:
    """What was given up for want of a word is followed again when one comes."""
    seen = Seen(way=Way.WEBHOOK, at=NOW, status=Status.RUNNING)
    ended = replace(seen, status=Status.FINISHED)

    def given_up(way: Way) -> Job:
        return apply(new_job(status=Status.PENDING), [GivenUp(way=way, at=NOW)])

    assert not given_up(Way.USER).is_open
    assert not given_up(Way.INFERENCE).is_open
    assert (False, Way.USER) == ((made := apply(given_up(Way.USER), [seen])).is_open, made.settled_by)
    assert (True, None) == ((made := apply(given_up(Way.INFERENCE), [seen])).is_open, made.settled_by)
    assert [Way.WEBHOOK] * 2 == [apply(given_up(way), [seen, ended]).settled_by for way in (Way.USER, Way.INFERENCE)]
