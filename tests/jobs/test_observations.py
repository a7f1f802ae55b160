"""The kinds of observations: each is kept whole, says what it tells in a word, and is weighed as its kind."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, strategies as st

from belvo_async.jobs import (
    Absent,
    Failure,
    Found,
    GivenUp,
    Gone,
    Job,
    Later,
    Misread,
    Note,
    Nudge,
    Observation,
    Quiet,
    Report,
    Reported,
    Seen,
    Status,
    Task,
    Verdict,
    Way,
    decode_observation,
    reconcile,
    told,
    without_inference,
)
from tests.jobs.flat import flat
from tests.jobs.kinds import KINDS, NOW, observations, one_of_each

AT: dict[str, Any] = {"way": Way.POLL, "at": NOW}
LATER = NOW + timedelta(minutes=5)
DOWN = Failure(code="portal_down", message="a sentence")
QUIET = Quiet(fingerprint="f", first_at=NOW, last_at=NOW)
OPEN = tuple(status for status in Status if not status.is_terminal)
ENDS = tuple(status for status in Status if status.is_terminal)


class SomeTask(Task[object], frozen=True, kw_only=True, tag="observations.Task"):
    """A task of nobody."""


def a_job(status: Status, **facts: Any) -> Job:
    return flat(id="1", vendor="v", account="v#1", task=SomeTask(), created_at=NOW, status=status, **facts)


# Documents


@given(observations(words=st.text(max_size=20), remote_ids=st.none() | st.text(max_size=20)))
def test_every_kind_comes_back_as_it_was_kept(seen: Observation) -> None:
    """Encoding and decoding loses nothing, nor what kind it is."""
    again = decode_observation(msgspec.json.encode(seen))

    assert (type(seen), seen) == (type(again), again)


def test_each_kind_has_a_word_of_its_own_in_a_document() -> None:
    """What a store keeps is read by these words for ever."""
    words = {type(seen): msgspec.json.decode(msgspec.json.encode(seen))["says"] for seen in one_of_each()}

    assert {
        Seen: "seen",
        Reported: "reported",
        Later: "later",
        Absent: "absent",
        Gone: "gone",
        Found: "found",
        Nudge: "nudge",
        GivenUp: "given up",
        Misread: "misread",
        Note: "note",
    } == words


@pytest.mark.parametrize("says", ["dreamt", "", None, 7, ...], ids=str)
def test_a_kind_that_is_not_known_is_no_observation(says: object) -> None:
    """A newer release may have kept it: stores say so of what msgspec refuses."""
    document = {"says": says, "way": "poll", "at": NOW}

    with pytest.raises(msgspec.ValidationError):
        decode_observation(msgspec.json.encode({key: each for key, each in document.items() if each is not ...}))


def test_an_observation_is_one_of_its_kinds() -> None:
    """The name of all of them tells them from anything else."""
    assert all(isinstance(seen, Observation) for seen in one_of_each())
    assert not isinstance(a_job(Status.PENDING), Observation)
    assert set(KINDS) == {type(seen) for seen in one_of_each()}


# What is told


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        pytest.param(Seen(**AT, failure=DOWN, note="n", vendor_status="w"), "portal_down", id="a failure's code"),
        pytest.param(Seen(**AT, note="n", doubt="d", vendor_status="w"), "n", id="a note"),
        pytest.param(Seen(**AT, doubt="d", vendor_status="w"), "d", id="a doubt"),
        pytest.param(Seen(**AT, vendor_status="w"), "w", id="the vendor's word"),
        pytest.param(Seen(**AT, status=Status.RUNNING), "", id="a status alone"),
        pytest.param(GivenUp(**AT, failure=DOWN, note="n"), "portal_down", id="why it is given up"),
        pytest.param(GivenUp(**AT, note="n"), "n", id="given up with a note"),
        pytest.param(Later(**AT, doubt="d"), "d", id="why it was not accepted"),
        pytest.param(Later(**AT, note="n", doubt="d"), "n", id="not accepted, with a note"),
        pytest.param(Later(**AT), "", id="not accepted, and no word why"),
        pytest.param(Reported(**AT, resources=("A",), vendor_status="w"), "w", id="the word of a report"),
        pytest.param(Reported(**AT, resources=("A",), note="n", vendor_status="w"), "n", id="a report with a note"),
        pytest.param(Misread(**AT, misfit="TypeError at $"), "TypeError at $", id="what could not be read"),
        pytest.param(Misread(**AT, misfit="TypeError at $", note="n"), "n", id="not read, with a note"),
        *(pytest.param(kind(**AT, note="n"), "n", id=kind.__name__) for kind in (Absent, Gone, Found, Nudge, Note)),
        *(pytest.param(kind(**AT), "", id=f"bare {kind.__name__}") for kind in (Absent, Gone, Found, Nudge, Note)),
    ],
)
def test_what_is_told_beside_the_status(seen: Observation, expected: str) -> None:
    """The most exact word there is: a sentence of a failure may hold data, its code does not."""
    assert expected == told(seen)


def test_each_kind_says_what_it_means_for_the_status() -> None:
    """A kind that tells no status has None."""
    tell = {Reported: Status.RUNNING, Later: Status.SUBMITTING, Absent: Status.UNCERTAIN}

    assert [tell.get(type(seen)) for seen in one_of_each()] == [seen.status for seen in one_of_each()]


# Without the inference


def test_an_inferred_end_without_its_inference_is_what_was_seen() -> None:
    """The list stood still; that nothing more comes was our conclusion."""
    facts: dict[str, Any] = {"at": NOW, "job_id": "1", "quiet": QUIET}
    inferred = Seen(way=Way.INFERENCE, **facts, status=Status.FINISHED, partial=True, retry_at=LATER)
    given_up = GivenUp(way=Way.INFERENCE, **facts, failure=DOWN)

    assert Seen(way=Way.POLL, **facts) == without_inference(inferred) == without_inference(given_up)


@given(observations().filter(lambda seen: seen.way is not Way.INFERENCE or not isinstance(seen, Seen | GivenUp)))
def test_what_was_not_inferred_stays(seen: Observation) -> None:
    """What the vendor said, or somebody here decided, is no conclusion of ours."""
    assert seen is without_inference(seen)


# What each kind makes of a job


@pytest.mark.parametrize("status", OPEN, ids=str)
@pytest.mark.parametrize("kind", [Found, Nudge, Note, Misread], ids=lambda kind: kind.__name__)
def test_what_tells_nothing_of_a_job_leaves_it(kind: type[Observation], status: Status) -> None:
    """Neither its status nor its run of missing polls: the very same job comes back."""
    job = a_job(status, gone_count=2, gone_since=NOW)
    (seen,) = (each for each in one_of_each(remote_id="r") if type(each) is kind)

    made, verdict = reconcile(job, seen)

    assert job is made
    assert Verdict.REPEATED is verdict


@pytest.mark.parametrize("status", ENDS, ids=str)
@pytest.mark.parametrize("kind", [Gone, Found, Nudge, GivenUp, Note, Misread], ids=lambda kind: kind.__name__)
def test_what_is_no_word_comes_too_late_for_an_end(kind: type[Observation], status: Status) -> None:
    """A job that ended is neither lost nor given up."""
    job = a_job(status, gone_count=4, gone_since=NOW - timedelta(hours=1))
    (seen,) = (each for each in one_of_each() if type(each) is kind)

    made, verdict = reconcile(job, seen)

    assert job is made
    assert Verdict.STALE is verdict


@pytest.mark.parametrize("status", Status, ids=str)
def test_when_to_submit_again_says_nothing_of_the_data(status: Status) -> None:
    """Why it was not accepted is remembered while it waits; `retry_at` of a job is about its data."""
    made, _ = reconcile(a_job(status), Later(**AT, retry_at=LATER, doubt="d"))

    assert a_job(status, doubt="d" if status is Status.SUBMITTING else None) == made


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (Status.SUBMITTING, {"status": Status.UNCERTAIN, "absent_since": NOW}),
        (Status.UNCERTAIN, {"absent_since": NOW, "abandoned": True}),
        *((status, {}) for status in Status if status not in (Status.SUBMITTING, Status.UNCERTAIN)),
    ],
    ids=str,
)
def test_a_search_that_found_nothing_is_about_an_uncertain_job(status: Status, expected: dict[str, Any]) -> None:
    """The last one gives it up; what was thought to be on its way becomes uncertain first."""
    made, _ = reconcile(a_job(status), Absent(**AT, final=True))

    assert a_job(**{"status": status} | expected) == made


def test_the_first_search_that_found_nothing_counts() -> None:
    """It is searched for from then on, and looked for no more after the last."""
    since = NOW - timedelta(minutes=1)
    job = a_job(Status.UNCERTAIN, absent_since=since)

    assert (job, Verdict.REPEATED) == reconcile(job, Absent(**AT))
    assert (since, True) == (
        (made := reconcile(job, Absent(**AT, final=True))[0]).submission.absent_since,
        made.abandoned,
    )


@pytest.mark.parametrize("status", Status, ids=str)
def test_a_report_counts_for_a_job_that_may_run(status: Status) -> None:
    """One that is stopping, or over, brings nothing more."""
    made, _ = reconcile(a_job(status), Reported(**AT, resources=("B", "A")))

    runs = status in (Status.SUBMITTING, Status.UNCERTAIN, Status.PENDING, Status.RUNNING)
    assert (tuple(Report(resource=each, at=NOW) for each in "AB") if runs else ()) == made.evidence.reports
    assert (Status.RUNNING if runs else status) is made.status


@pytest.mark.parametrize("status", OPEN, ids=str)
def test_a_job_is_given_up_once(status: Status) -> None:
    """Who gave it up first, and why, stays; its status is as it was."""
    first = GivenUp(way=Way.INFERENCE, at=NOW, failure=DOWN, quiet=QUIET)

    made, verdict = reconcile(a_job(status), first)
    again, _ = reconcile(made, GivenUp(way=Way.USER, at=LATER))

    given_up = {"abandoned": True, "settled_by": Way.INFERENCE, "settled_at": NOW, "failure": DOWN, "quiet": QUIET}
    assert (a_job(status, **given_up), Verdict.REPEATED) == (made, verdict)
    assert made is again
