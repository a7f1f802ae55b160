"""Where requests are cut, and which directions go together: along the calendar, and never one more than needed."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from belvo_async.jobs import ISSUED, RECEIVED
from belvo_async.planning import Freshness, cover, propose, windows
from belvo_async.planning.spans import Span, cut, halve
from tests.planning.kit import BOTH, NOW, Walk, days_of, extent, job_for, law, settled as settled_plan

SPANS = st.tuples(st.integers(690_000, 739_000), st.integers(0, 5_000)).map(lambda each: (each[0], sum(each)))


@law
@given(SPANS, st.sampled_from((1, 2, 30, 31, 92, 365, 366, 400)))
def test_pieces_are_as_few_as_can_be_and_so_is_every_run_of_them(span: Span, longest: int) -> None:
    """Each keeps to the limit; what is left when those before or behind are done is cut as it was."""
    pieces = cut((span[0], min(span[1], span[0] + 12 * longest)), longest)

    first, last = pieces[0][0], pieces[-1][1]
    assert -(-(last - first + 1) // longest) == len(pieces)
    assert all(one[1] + 1 == other[0] for one, other in pairwise(pieces))
    assert all(0 <= ends - begins < longest for begins, ends in pieces)
    for start in range(len(pieces)):
        for stop in range(start + 1, len(pieces) + 1):
            assert pieces[start:stop] == cut((pieces[start][0], pieces[stop - 1][1]), longest)


@pytest.mark.parametrize(
    ("first", "last", "edges"),
    [
        pytest.param("2023-01-01", "2023-12-31", [], id="one year is one request"),
        pytest.param("2024-01-01", "2024-12-31", ["2024-11-30"], id="a leap year is one day too long"),
        pytest.param("2022-01-01", "2023-12-31", ["2022-12-31"], id="years"),
        pytest.param(
            "2023-01-01", "2025-12-31", ["2023-12-31", "2024-11-30", "2024-12-31"], id="years around a leap year"
        ),
        pytest.param("2022-03-15", "2023-06-30", ["2022-12-31"], id="a broken year before a broken year"),
        pytest.param("2022-07-01", "2024-06-30", ["2022-12-31", "2023-12-31"], id="three for 731 days, and room"),
        pytest.param("2022-07-01", "2024-06-29", ["2023-06-30"], id="two for 730 days, and no room for years"),
        pytest.param("2023-02-28", "2025-02-26", ["2024-02-27"], id="two for 730 days, and no room for months"),
        pytest.param("2024-02-29", "2024-02-29", [], id="one day"),
        pytest.param("1900-01-01", "1901-12-31", ["1900-12-31"], id="1900 was no leap year"),
    ],
)
def test_edges_lie_on_years_then_months_where_they_cost_nothing(first: str, last: str, edges: list[str]) -> None:
    """Never counted back from today."""
    begins, ends = date.fromisoformat(first), date.fromisoformat(last)
    plan = settled_plan(first=begins, last=ends, directions=(ISSUED,))

    chunks = propose(cover(plan.plan, ()), plan.rules, NOW).chunks

    assert [*edges, last] == [str(chunk.last) for chunk in chunks]


def test_the_calendars_first_day_can_be_planned() -> None:
    """Nothing of it is counted below day one."""
    plan = settled_plan("syntage", first=date.min, last=date.min)

    (chunk,) = propose(cover(plan.plan, ()), plan.rules, NOW).chunks

    assert (date.min, date.min) == (chunk.first, chunk.last)


def test_a_job_that_reaches_to_the_end_of_time_is_understood() -> None:
    """Somebody may have adopted one: of what lies ahead it proves nothing."""
    plan = settled_plan("syntage", first=date(2026, 5, 1), last=date(2026, 6, 1))
    job = job_for(plan, extent(date(1, 1, 1), date(9999, 12, 31)))

    words = [(str(cell.last), str(cell.known)) for cell in cover(plan.plan, [job]).cells]

    assert 2 * [("2026-05-31", "proven"), ("2026-06-01", "partial")] == words


# ---------------------------------------------------------------------------------------------------------------------
# Both directions


def asked(*proven: tuple[str, date, date]) -> list[tuple[str, str, str]]:
    """What is asked of Syntage for 2025 when some is proven, as `i`, `r` or `ir` with the first and last day."""
    plan = settled_plan("syntage")
    jobs = [
        job_for(plan, extent(first, last, (side,)), id=str(place)) for place, (side, first, last) in enumerate(proven)
    ]
    chunks = propose(cover(plan.plan, jobs), plan.rules, NOW).chunks
    return [("".join(each[0] for each in chunk.directions), f"{chunk.first}", f"{chunk.last}") for chunk in chunks]


def test_both_directions_go_together() -> None:
    """One request."""
    assert [("ir", "2025-01-01", "2025-12-31")] == asked()


def test_a_direction_that_is_proven_is_left_out() -> None:
    """The other is asked alone."""
    assert [("r", "2025-01-01", "2025-12-31")] == asked((ISSUED, date(2025, 1, 1), date(2025, 12, 31)))


def test_a_gap_of_one_within_a_gap_of_the_other() -> None:
    """Two alone, rather than three of which one is together."""
    found = asked((ISSUED, date(2025, 1, 1), date(2025, 3, 31)), (ISSUED, date(2025, 7, 1), date(2025, 12, 31)))

    assert [("i", "2025-04-01", "2025-06-30"), ("r", "2025-01-01", "2025-12-31")] == sorted(found)


def test_each_stretch_is_asked_in_the_cheaper_way() -> None:
    """Here together, there alone: neither way throughout is the fewest."""
    found = asked(
        (RECEIVED, date(2025, 2, 1), date(2025, 2, 28)),
        (ISSUED, date(2025, 2, 1), date(2025, 3, 31)),
        (ISSUED, date(2025, 5, 1), date(2025, 5, 31)),
        (ISSUED, date(2025, 7, 1), date(2025, 12, 31)),
    )

    assert [
        ("ir", "2025-01-01", "2025-01-31"),
        ("r", "2025-03-01", "2025-12-31"),
        ("i", "2025-04-01", "2025-04-30"),
        ("i", "2025-06-01", "2025-06-30"),
    ] == found


# ---------------------------------------------------------------------------------------------------------------------
# Halves


@law
@given(SPANS)
def test_halves_are_whole_shorter_and_near_the_middle(span: Span) -> None:
    """Neither is more than three quarters; a single day stays what it is."""
    halves = halve(span)

    assert [day for half in halves for day in range(half[0], half[1] + 1)] == list(range(span[0], span[1] + 1))
    length = span[1] - span[0] + 1
    assert len(halves) == (1 if length == 1 else 2)
    if length > 3:
        assert all(4 * (last - first + 1) <= 3 * length + 4 for first, last in halves)


def test_what_was_too_much_is_asked_in_halves() -> None:
    """At an end of a year or a month near the middle, both directions together."""
    walk = Walk(settled_plan("syntage", first=date(2020, 1, 1), last=date(2025, 12, 31)))
    walk.ask(walk.proposal().chunks[0], "partial")
    walk.wait()

    halves = walk.proposal().chunks

    assert ["2022-12-31", "2025-12-31"] == [str(chunk.last) for chunk in halves]
    assert {BOTH} == {chunk.directions for chunk in halves}


def test_a_half_that_is_proven_is_never_asked_again() -> None:
    """What is left of the whole is asked as one, and only what is too much again is halved."""
    walk = Walk(settled_plan("syntage", first=date(2020, 1, 1), last=date(2025, 12, 31)))
    walk.ask(walk.proposal().chunks[0], "partial")
    walk.wait()
    walk.ask(walk.proposal().chunks[0], "whole")

    (rest,) = walk.proposal().chunks
    walk.ask(rest, "partial")
    walk.wait()

    assert date(2023, 1, 1) == rest.first
    assert ["2023-12-31", "2025-12-31"] == [str(chunk.last) for chunk in walk.proposal().chunks]


def test_windows_do_not_part_what_is_halved() -> None:
    """Days that must be of different ages are still one request, and its halves are two."""
    plan = settled_plan("syntage", first=date(2020, 1, 1), last=date(2026, 5, 31))
    walk = Walk(plan, windows=windows(plan.plan, Freshness(live_days=4, open_months=2), NOW))
    walk.ask(walk.proposal().chunks[0], "partial")
    walk.wait()

    assert 2 == len(walk.proposal().chunks)


def test_belvo_is_asked_for_the_same_again() -> None:
    """What it gathered is kept: the same request goes on from there."""
    walk = Walk(settled_plan(directions=(ISSUED,)))
    walk.ask(walk.proposal().chunks[0], "partial")
    walk.wait()

    (again,) = walk.proposal().chunks

    assert 365 == len(days_of([again]))


@pytest.mark.parametrize("capacity", [50, 100, 365, 700])
def test_halving_comes_to_an_end(capacity: int) -> None:
    """Whatever the tax office lets through at a time: each piece fits at last, and is asked for a bounded number."""
    walk = Walk(settled_plan("syntage", first=date(2023, 1, 1), last=date(2025, 12, 31)))

    while not walk.proposal().is_done:
        for chunk in walk.proposal().chunks[:1]:
            walk.ask(chunk, "whole" if len(days_of([chunk])) // 2 <= capacity else "partial")
        if not walk.proposal().chunks:
            walk.wait()

    assert walk.coverage().is_whole
    # A piece is more than a quarter of what was too much: pieces, and what was halved before them.
    assert len(walk.jobs) <= 2 * max(1, 4 * 1096 // capacity)


def test_runs_that_always_time_out_are_given_up() -> None:
    """Halves of halves of halves, and no further: 1 + 2 + 4 + 8 requests."""
    walk = Walk(settled_plan("syntage", first=date(2016, 1, 1), last=date(2025, 12, 31)))

    while not walk.proposal().is_done:
        for chunk in walk.proposal().chunks:
            walk.ask(chunk, "too much")
        walk.wait()

    assert 15 == len(walk.jobs)
    assert not walk.coverage().is_whole
