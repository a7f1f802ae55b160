"""Servers killed and frozen under load. Any length: `python -m tests.proof.chaos --server postgres --seconds 300`."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from belvo_async.jobs import Failure, Job, Status, Way
from tests.jobs.flat import flat
from tests.proof import servers
from tests.proof.chaos_history import Report, Run, examine, subject_and_day
from tests.proof.chaos_plan import Event, Plan

ROOT = Path(__file__).parents[2]


@pytest.mark.proof
@pytest.mark.parametrize("kind", sorted(servers.KINDS))
def test_all_processes_agree_when_the_server_is_tormented(kind: str) -> None:
    """Killed, frozen and restarted, workers too: every job one outcome, nothing doubled, nothing lost."""
    servers.demand(kind)
    command = [sys.executable, "-m", "tests.proof.chaos", "--server", kind, "--seconds", "20", "--seed", "7"]

    # In a process of its own: its event loop must not share this one's warnings and threads.
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        output, _ = process.communicate(timeout=240)
    finally:
        process.send_signal(signal.SIGTERM)  # it ends what it started
        process.wait(30)

    assert 0 == process.returncode, output
    line = output.splitlines()[-1]
    assert line.endswith("doubled=0 lost=0 disagreements=0 unfinished=0")
    numbers = {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", line)}
    assert numbers["jobs"] > 30
    assert numbers["outcomes"] > 4 * 30
    assert numbers["kills"] > 0
    assert numbers["worker_kills"] + numbers["worker_ends"] > 0


# The judge is judged: it finds nothing wrong with a good history, and every wrong one it is shown.

PLAN = Plan(
    store="",
    history="",
    seed=1,
    workers=4,
    began=0,
    every=1,
    haste=1,
    belvo_url="https://belvo.example",
    belvo_secret_id="",
    belvo_secret_password="",
    belvo_authorization="",
    links=("11111111-1111-4111-8111-111111111111",),
    syntage_url="https://syntage.example",
    syntage_key="",
    syntage_secret="",
    entities=("/entities/22222222-2222-4222-8222-222222222222",),
)
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
BROKEN = Failure(code="broken")


def a_job(slot: int, **facts: Any) -> Job:
    """The finished job of a slot; 3 and 6 are Belvo's, on one link."""
    task = PLAN.task(slot)
    usual: dict[str, Any] = {
        "id": f"job-{slot}",
        "vendor": task.vendor,
        "account": "a",
        "task": task,
        "created_at": NOON,
        "attempted_at": NOON,
        "status": Status.FINISHED,
        "remote_id": f"r-{slot}",
    }
    return flat(**(usual | facts))


def a_run(slot: int, *, suffix: str = "", began_at: float | None = None, word: str = "finished") -> Run:
    """What the vendor remembers of a slot's submission."""
    start = 10.0 * slot if began_at is None else began_at
    job = a_job(slot)
    return Run(job.vendor, f"r-{slot}{suffix}", *subject_and_day(job), start, start + 9, word)


def told(slot: int, word: str, at: float = 100, who: str = "worker-0/1") -> Event:
    return Event(kind="outcome", who=who, at=at, since=1, job=f"job-{slot}", word=word)


def read(slot: int, word: str, since: float) -> Event:
    return Event(kind="attached", who="worker-1/2", at=since + 1, since=since, job=f"job-{slot}", word=word)


GOOD = Report(
    events=[told(2, "finished"), told(2, "finished", who="worker-1/2"), read(2, "open", 50), read(2, "finished", 101)],
    jobs=[a_job(2), a_job(3), a_job(6)],
    runs=[a_run(2), a_run(3), a_run(6)],
    told={"r-2", "r-3"},
    refused=0,
)


def test_a_good_history_is_accepted() -> None:
    """An outcome told twice, reads before and after it, two requests of one link one after the other."""
    toll = examine(GOOD)

    assert [] == toll.wrongs
    assert (3, 2) == (toll.jobs, toll.outcomes)


def test_what_rightly_stays_in_doubt_is_counted() -> None:
    """A search that was given up, and one whose giving up was told before it was found; an end that was inferred."""
    given_up = a_job(4, status=Status.UNCERTAIN, abandoned=True, remote_id=None, doubt="cut off")
    jobs = [a_job(2), a_job(3, settled_by=Way.INFERENCE), a_job(6), given_up]

    toll = examine(GOOD._replace(events=[told(2, "uncertain"), told(2, "finished")], jobs=jobs))

    assert [] == toll.wrongs
    assert (1, 1) == (toll.uncertain, toll.inferred)


WRONG: dict[str, tuple[str, dict[str, Any]]] = {
    "two-submissions-of-one-job": ("doubled", {"runs": [*GOOD.runs, a_run(2, suffix="b")]}),
    "one-submission-of-two-jobs": ("doubled", {"jobs": [*GOOD.jobs, a_job(2, id="again")]}),
    "a-submission-without-an-attempt": (
        "doubled",
        {"jobs": [a_job(2, attempted_at=None, status=Status.SUBMITTING, remote_id=None), *GOOD.jobs[1:]]},
    ),
    "two-requests-on-one-link": ("doubled", {"runs": [a_run(2), a_run(3), a_run(6, began_at=38)]}),
    "a-refused-submission": ("doubled", {"refused": 1}),
    "a-job-that-is-gone": ("lost", {"events": [told(9, "finished")]}),
    "a-job-not-found": ("lost", {"events": [Event(kind="unknown", who="w", at=1, job="job-2")]}),
    "a-webhook-that-was-lost": ("lost", {"jobs": [a_job(2), a_job(3, status=Status.PENDING), a_job(6)]}),
    "two-outcomes": ("disagreements", {"events": [told(2, "finished"), told(2, "failed:broken")]}),
    "two-reasons": (
        "disagreements",
        {
            "events": [told(2, "failed:broken"), told(2, "failed:other")],
            "jobs": [a_job(2, status=Status.FAILED, failure=BROKEN), *GOOD.jobs[1:]],
            "runs": [a_run(2, word="failed"), *GOOD.runs[1:]],
        },
    ),
    "another-word-in-the-store": ("disagreements", {"events": [told(2, "stopped")]}),
    "told-before-it-was-kept": (
        "disagreements",
        {"jobs": [a_job(2, status=Status.RUNNING), *GOOD.jobs[1:]], "told": set()},
    ),
    "open-again": ("disagreements", {"events": [told(2, "finished"), read(2, "open", 101)]}),
    "not-what-the-vendor-says": ("disagreements", {"runs": [a_run(2, word="failed"), *GOOD.runs[1:]]}),
    "an-invented-submission": ("disagreements", {"jobs": [a_job(2, remote_id="r-x"), *GOOD.jobs[1:]]}),
    "another-task's-submission": ("disagreements", {"jobs": [a_job(2, remote_id="r-3"), a_job(3, remote_id="r-2")]}),
    "a-job-without-end": (
        "unfinished",
        {"jobs": [a_job(2, status=Status.RUNNING), *GOOD.jobs[1:]], "events": [], "told": set()},
    ),
    "given-up-without-a-reason": (
        "unfinished",
        {"jobs": [*GOOD.jobs, a_job(9, status=Status.UNCERTAIN, abandoned=True, remote_id=None)]},
    ),
    "a-job-never-sent": (
        "unfinished",
        {"jobs": [*GOOD.jobs, a_job(9, status=Status.SUBMITTING, attempted_at=None, remote_id=None)]},
    ),
}


@pytest.mark.parametrize(("kind", "changes"), WRONG.values(), ids=list(WRONG))
def test_a_wrong_history_is_found(kind: str, changes: dict[str, Any]) -> None:
    """Each wrong is named by its kind."""
    wrongs: Sequence[str] = getattr(examine(GOOD._replace(**changes)), kind)

    assert wrongs
