"""When to poll again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from belvo_async.jobs import Polling

POLLING = Polling()
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
polls = st.integers(0, 100_000)
phases = st.floats(0, 1, exclude_max=True)
instants = st.integers(0, 10**9).map(lambda seconds: NOW + timedelta(seconds=seconds, microseconds=seconds % 999_983))


@pytest.mark.parametrize(
    ("number", "seconds"), [(0, 2), (1, 3.2), (2, 5.12), (10, 219.902326), (11, 300), (12, 300), (10**6, 300)]
)
def test_interval(number: int, seconds: float) -> None:
    """Two seconds first, each interval 1.6 times the one before, five minutes at most."""
    assert timedelta(seconds=seconds) == POLLING.interval(number)


@given(instants, polls, phases)
def test_instant_lies_ahead_and_within_the_interval(now: datetime, number: int, phase: float) -> None:
    """A poll is never due in the past, and never later than its interval."""
    due = POLLING.instant(now, number, phase=phase)

    assert now < due <= now + POLLING.interval(number) + timedelta(microseconds=1)


@given(polls, phases)
def test_jobs_of_one_age_fall_due_together(number: int, phase: float) -> None:
    """Wherever in an interval jobs were polled last, they share at most two instants."""
    width = POLLING.interval(number)

    due = {POLLING.instant(NOW + width * part / 20, number, phase=phase) for part in range(20)}

    assert len(due) <= 2


def test_the_phase_spreads_processes() -> None:
    """Full jitter: over the phases, the wait is anything from nothing to the whole interval."""
    waits = [POLLING.instant(NOW, 0, phase=step / 1000) - NOW for step in range(1000)]

    assert min(waits) < timedelta(milliseconds=10)
    assert max(waits) > timedelta(seconds=1.99)
    assert timedelta(seconds=1) == pytest.approx(sum(waits, timedelta()) / 1000, abs=timedelta(milliseconds=10))


@pytest.mark.parametrize(
    "wrong",
    [
        {"first": timedelta(0)},
        {"first": timedelta(minutes=6)},
        {"factor": 0.9},
        {"longest": timedelta(seconds=1)},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_schedule_that_cannot_work_is_refused(wrong: dict[str, timedelta]) -> None:
    """Intervals are positive and do not shrink."""
    with pytest.raises(ValueError, match="polling needs"):
        Polling(**wrong)  # type: ignore[arg-type]
