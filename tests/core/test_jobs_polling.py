"""When to look again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from belvo_async.jobs import Polling

POLLING = Polling()
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
polls = st.integers(0, 100_000)
chances = st.floats(0, 1)
phases = st.floats(0, 1, exclude_max=True)
instants = st.integers(0, 10**9).map(lambda seconds: NOW + timedelta(seconds=seconds, microseconds=seconds % 999_983))


@pytest.mark.parametrize(
    ("number", "seconds"), [(0, 2), (1, 3.2), (2, 5.12), (10, 219.902326), (11, 300), (12, 300), (10**6, 300)]
)
def test_interval(number: int, seconds: float) -> None:
    """Two seconds first, each interval 1.6 times the one before, five minutes at most."""
    assert timedelta(seconds=seconds) == POLLING.interval(number)


@given(polls, chances)
def test_delay_is_a_part_of_the_interval(number: int, chance: float) -> None:
    """Full jitter: anything from nothing to the whole interval."""
    assert timedelta(0) <= POLLING.delay(number, chance) <= POLLING.interval(number)


@given(instants, polls, chances, phases)
def test_instant_lies_ahead_and_not_far(now: datetime, number: int, chance: float, phase: float) -> None:
    """The grid moves a look by at most half an interval, and never into the past."""
    due = POLLING.instant(now, number, chance=chance, phase=phase)

    assert now < due <= now + 1.5 * POLLING.interval(number) + timedelta(microseconds=1)


@given(instants, polls, st.lists(chances, min_size=20, max_size=20), phases)
def test_jobs_of_one_age_fall_due_together(now: datetime, number: int, drawn: list[float], phase: float) -> None:
    """However they are jittered, jobs of one age share at most four instants."""
    due = {POLLING.instant(now, number, chance=chance, phase=phase) for chance in drawn}

    assert len(due) <= 4


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
