"""Which delivery an uncertain submission may be given."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from belvo_async.jobs import Job, Later, Observation, Seen, Status, Task, Way, choose_adopter, undelivered
from tests.jobs.flat import flat
from tests.jobs.kinds import one_of_each

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


class AdoptionTask(Task[object], frozen=True, kw_only=True, tag="adoption.Task"):
    """A task with a subject."""

    owner: str = "a"

    @property
    def subject(self) -> str:
        return self.owner

    @property
    def resource(self) -> str:
        return "rows"


JOB = flat(
    id="1",
    vendor="v",
    account="v#1",
    task=AdoptionTask(),
    created_at=NOW,
    attempted_at=NOW,
    status=Status.UNCERTAIN,
)
SEEN = Seen(
    way=Way.WEBHOOK,
    at=NOW + timedelta(seconds=1),
    status=Status.FINISHED,
    remote_id="ABC",
    subject="a",
    resource="rows",
    adoptable=True,
)


@pytest.mark.parametrize(
    ("jobs", "deliveries"),
    [
        pytest.param([JOB], [SEEN], id="one of each"),
        pytest.param([JOB], [SEEN, SEEN], id="one delivery twice"),
        pytest.param([JOB, replace(JOB, id="2", task=AdoptionTask(owner="b"))], [SEEN], id="another subject's job"),
        pytest.param([JOB, replace(JOB, id="2", status=Status.RUNNING, remote_id="x")], [SEEN], id="a job with an id"),
        pytest.param(
            [JOB, flat(JOB, id="2", status=Status.SUBMITTING, attempted_at=None)], [SEEN], id="a job not sent yet"
        ),
        pytest.param([JOB], [SEEN, replace(SEEN, remote_id="x", resource="other")], id="another resource's delivery"),
    ],
)
def test_only_match_is_adopted(jobs: list[Job], deliveries: list[Observation]) -> None:
    """One job and one delivery that fit nothing else belong together."""
    assert (JOB, SEEN) == choose_adopter(jobs, deliveries)


@pytest.mark.parametrize(
    ("jobs", "deliveries"),
    [
        pytest.param([], [SEEN], id="no job"),
        pytest.param([JOB], [], id="no delivery"),
        pytest.param([JOB, replace(JOB, id="2")], [SEEN], id="two jobs"),
        pytest.param([JOB, replace(JOB, id="2", status=Status.SUBMITTING)], [SEEN], id="a job being sent"),
        pytest.param([replace(JOB, status=Status.SUBMITTING)], [SEEN], id="an answer under way"),
        pytest.param([JOB], [SEEN, replace(SEEN, remote_id="x")], id="two deliveries"),
        pytest.param([JOB], [replace(SEEN, adoptable=False)], id="a delivery about something else"),
        pytest.param([JOB], [replace(SEEN, at=NOW - timedelta(seconds=1))], id="a delivery older than the attempt"),
        pytest.param([JOB], [replace(SEEN, subject="b")], id="another subject"),
        pytest.param([JOB], [replace(SEEN, remote_id=None)], id="a delivery without an id"),
    ],
)
def test_doubtful_match_is_not_adopted(jobs: list[Job], deliveries: list[Observation]) -> None:
    """When anything else may be meant, nothing is decided."""
    assert choose_adopter(jobs, deliveries) is None


def test_only_the_vendors_word_is_adopted() -> None:
    """A report or a hint about the same subject and resource belongs to any job of it."""
    facts = {"remote_id": "ABC", "subject": "a", "resource": "rows", "at": SEEN.at, "way": Way.WEBHOOK}

    for seen in one_of_each(**facts):
        assert choose_adopter([JOB], [seen]) is None
        assert (JOB, SEEN) == choose_adopter([JOB], [replace(seen, remote_id="other"), SEEN])


def test_submission_that_may_have_arrived_is_uncertain() -> None:
    """Nobody can say whether the vendor has it."""
    seen = undelivered(JOB, maybe_sent=True, reason="cut", at=NOW)

    assert Seen(way=Way.ANSWER, at=NOW, job_id="1", status=Status.UNCERTAIN, doubt="cut") == seen


def test_submission_that_certainly_did_not_is_tried_again() -> None:
    """Nothing runs, so sending it again is safe; after three attempts somebody is told."""
    first, second, third = (
        undelivered(flat(JOB, attempts=count), maybe_sent=False, reason="refused", at=NOW) for count in (1, 2, 3)
    )

    again = Later(way=Way.ANSWER, at=NOW, job_id="1", doubt="refused")
    assert replace(again, retry_at=NOW + timedelta(seconds=30)) == first
    assert replace(again, retry_at=NOW + timedelta(seconds=60)) == second
    assert isinstance(third, Seen)
    assert (Status.REJECTED, True) == (third.status, third.failure and third.failure.retryable)
