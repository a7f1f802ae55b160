"""Days, spans, sums and subjects as they are typed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from belvo_async import ConfigurationError
from belvo_async._cli.values import read_amount, read_day, read_span, read_subjects, subjects_of

# Still yesterday in Mexico City.
NOW = datetime(2026, 6, 1, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2021", date(2021, 1, 1), date(2021, 12, 31)),
        (2021, date(2021, 1, 1), date(2021, 12, 31)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2021-12", date(2021, 12, 1), date(2021, 12, 31)),
        ("2021-03-15", date(2021, 3, 15), date(2021, 3, 15)),
        ("today", date(2026, 5, 31), date(2026, 5, 31)),
        ("yesterday", date(2026, 5, 30), date(2026, 5, 30)),
    ],
)
def test_a_day_is_the_first_or_last_of_what_is_named(text: object, first: date, last: date) -> None:
    """Today is Mexico's."""
    assert (first, last) == (read_day(text, NOW, is_last=False), read_day(text, NOW, is_last=True))


@pytest.mark.parametrize("text", ["", "30d", "2021-13", "2021-02-30", "21", "last week"])
def test_what_is_no_day_is_refused(text: str) -> None:
    """Above all days counted back from today: a run that goes on after midnight would ask anew."""
    with pytest.raises(ValueError):  # noqa: PT011 - whose words are those of the arguments
        read_day(text, NOW, is_last=True)


def test_spans_have_units() -> None:
    """And are above zero."""
    assert timedelta(minutes=90) == read_span("90m")
    assert timedelta(weeks=8) == read_span(" 8w")
    for text in ("0d", "5", "d", "-1h", "1.5h"):
        with pytest.raises(ValueError, match="no span"):
            read_span(text)


def test_sums_are_exact() -> None:
    """And not negative."""
    assert Decimal("1250.50") == read_amount("1250.50")
    for text in ("-1", "nan", "Infinity", "much"):
        with pytest.raises(ValueError, match="no sum"):
            read_amount(text)


def test_subjects_stand_one_a_line(tmp_path: Path) -> None:
    """Comments and blank lines are passed over, and each counts once."""
    assert ("a", "b") == read_subjects(["# ours", "a", "", " b # the second", "a"])
    path = tmp_path / "links.txt"
    path.write_text("# nobody\n")

    with pytest.raises(ConfigurationError, match="names no subject"):
        subjects_of(str(path))
    with pytest.raises(ConfigurationError, match="No such file"):
        subjects_of(str(tmp_path / "nowhere"))
