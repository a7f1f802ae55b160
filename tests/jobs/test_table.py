"""Every cell of the status table, against an expectation written from the rules and not from the table."""

from __future__ import annotations

from itertools import product

import pytest

from belvo_async.jobs import TABLE, Status, Verdict

# How far along a word is. Words of one rank beside each other exclude each other.
RANKS = {
    Status.SUBMITTING: 0,
    Status.UNCERTAIN: 1,
    Status.PENDING: 2,
    Status.RUNNING: 3,
    Status.STOPPING: 4,
    Status.FINISHED: 5,
    Status.FAILED: 5,
    Status.STOPPED: 5,
}


def expected(was: Status, seen: Status) -> Verdict:
    """A repeated word repeats; a refusal and an acceptance contradict each other; else the further word counts."""
    if was is seen:
        return Verdict.REPEATED
    if Status.REJECTED in (was, seen):
        accepted = RANKS[seen if was is Status.REJECTED else was] >= RANKS[Status.PENDING]
        if accepted:
            return Verdict.CONFLICTING
        return Verdict.STALE if was is Status.REJECTED else Verdict.ADVANCED
    if RANKS[was] == RANKS[seen]:
        return Verdict.CONFLICTING
    return Verdict.ADVANCED if RANKS[was] < RANKS[seen] else Verdict.STALE


@pytest.mark.parametrize(("was", "seen"), list(product(Status, Status)), ids=str)
def test_cell(was: Status, seen: Status) -> None:
    """Each pair of words has one meaning."""
    assert expected(was, seen) is TABLE[was, seen]


def test_table_is_complete() -> None:
    """No pair of words is left out."""
    assert set(product(Status, Status)) == set(TABLE)


@pytest.mark.parametrize("status", Status, ids=str)
def test_terminal_words(status: Status) -> None:
    """Four words end a job."""
    assert (status in {"rejected", "finished", "failed", "stopped"}) is status.is_terminal
