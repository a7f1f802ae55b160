"""Cron expressions: when they come due, and what is none."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from belvo_async.simulator.syntage.workspace.cron import Cron

# A Friday.
NOW = datetime(2025, 3, 14, 10, 22, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("@hourly", "2025-03-14 11:00"),
        ("@daily", "2025-03-15 00:00"),
        ("@midnight", "2025-03-15 00:00"),
        ("@weekly", "2025-03-16 00:00"),
        ("@monthly", "2025-04-01 00:00"),
        ("@yearly", "2026-01-01 00:00"),
        ("* * * * *", "2025-03-14 10:23"),
        ("22 10 * * *", "2025-03-15 10:22"),
        ("*/15 * * * *", "2025-03-14 10:30"),
        ("50/3 * * * *", "2025-03-14 10:50"),
        ("10-50/20 9-11 * * *", "2025-03-14 10:30"),
        ("5,55 6,18 * * *", "2025-03-14 18:05"),
        ("0 6 * * 1", "2025-03-17 06:00"),
        ("0 6 * * MON-WED", "2025-03-17 06:00"),
        ("0 6 * * 7", "2025-03-16 06:00"),
        ("0 6 ? jun,dec sun", "2025-06-01 06:00"),
        ("0 0 31 * *", "2025-03-31 00:00"),
        ("0 0 31 4-6 *", "2025-05-31 00:00"),
        ("0 0 29 2 *", "2028-02-29 00:00"),
        ("0 0 13 * 1", "2025-03-17 00:00"),
        ("0 0 30 2 1", "2026-02-02 00:00"),
        ("59 23 31 12 *", "2025-12-31 23:59"),
    ],
)
def test_it_comes_due(text: str, due: str) -> None:
    """At the first fitting minute after now; where date and day of the week are both named, either fits."""
    assert due == f"{Cron.read(text).after(NOW):%Y-%m-%d %H:%M}"


def test_it_comes_due_again_and_again() -> None:
    """Each time after the one before: at what it came due, it does not come due again."""
    cron, due = Cron.read("30 22 * * 5"), NOW
    found: list[datetime] = []
    for _ in range(3):
        due = cron.after(due)
        found.append(due)

    assert [14, 21, 28] == [each.day for each in found]


def test_a_leap_year_may_be_eight_years_away() -> None:
    """Between 2096 and 2104 there is no 29th of February."""
    assert 2104 == Cron.read("0 0 29 2 *").after(datetime(2096, 3, 1, tzinfo=UTC)).year


@pytest.mark.parametrize(
    "text",
    ["", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "5-1 * * * *",
     "*/0 * * * *", "*/x * * * *", "-1 * * * *", "1,,2 * * * *", "mon * * * *", "? * * * *", "0 0 L * *", "0 0 30 2 *",
     "0 0 31 4,6 *", "@reboot", "١ * * * *"],
)  # fmt: skip
def test_what_is_none_is_refused(text: str) -> None:
    """So is what no month will ever bring."""
    with pytest.raises(ValueError, match=r"wanted|range|step|number|day"):
        Cron.read(text)
