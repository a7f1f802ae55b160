"""A plan that is broken off at any point and goes on: nothing is paid for again, and it ends with the same."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

from hypothesis import given, strategies as st

from belvo_async.planning import Freshness, cover, propose, windows
from belvo_async.planning.coverage import ATTEMPTS_LIMIT, PARTIALS_LIMIT
from tests.jobs.flat import flat
from tests.planning.kit import (
    DAY,
    FOR_A_PERSON,
    HOUR,
    LONGEST,
    NOW,
    PASSING,
    TODAY,
    Walk,
    days_of,
    job_for,
    known,
    law,
    periods,
    settled,
    wanted_days,
)

VENDORS = st.sampled_from(("belvo", "syntage"))
# More rounds than any of these plans can take; one that never ends would.
ROUNDS = 400


@law
@given(VENDORS, periods(), st.data())
def test_whatever_ends_how_and_wherever_it_is_broken_off(
    vendor: str, period: tuple[date, date], data: st.DataObject
) -> None:
    """It comes to an end; no day that is proven, or open, is paid for again (`Walk.ask` looks); what is left at the
    end is for a person to decide."""
    first, last = period
    walk = Walk(settled(vendor, first=first, last=last))
    how = st.sampled_from(("whole", "whole", "open", *PASSING, *FOR_A_PERSON))
    troubles = data.draw(st.integers(0, 25))

    for _ in range(ROUNDS):
        proposal = walk.proposal()
        if proposal.is_done:
            break
        some = data.draw(st.sets(st.sampled_from(proposal.chunks))) if proposal.chunks and troubles else []
        # What is broken off here is simply not asked in this round.
        for chunk in [each for each in proposal.chunks if each in some] or proposal.chunks[:1]:
            walk.ask(chunk, data.draw(how) if troubles else "whole")
            troubles = max(0, troubles - 1)
        for job in [job for job in walk.jobs if job.is_open]:
            walk.end(job, data.draw(st.sampled_from(("whole", "partial", "failed"))) if troubles else "whole")
        if not proposal.chunks:
            walk.wait()

    assert walk.proposal().is_done
    left = Counter(day for cell in walk.proposal().refused for day in days_of([cell]))
    proven = Counter(day for day, word in known(walk.coverage()).items() if word == "proven")
    assert Counter(wanted_days(walk.plan.plan)) == left + proven


@law
@given(periods(), st.lists(st.booleans(), min_size=40, max_size=40), st.lists(st.booleans(), min_size=40, max_size=40))
def test_wherever_it_is_broken_off_it_costs_the_same(
    period: tuple[date, date], some: list[bool], others: list[bool]
) -> None:
    """Whichever requests an earlier run came to: the total is the fewest, and the same days are proven by as many."""
    first, last = period
    plan = settled(first=first, last=last)

    for steps in (some, others):
        walk = Walk(plan)
        for step in steps:
            for place, chunk in enumerate(walk.proposal().chunks):
                if step is (place % 2 == 0):
                    walk.ask(chunk, "whole")
        while chunks := walk.proposal().chunks:
            walk.ask(chunks[0], "whole")

        assert walk.coverage().is_whole
        assert len(walk.jobs) == 2 * -(-((last - first).days + 1) // LONGEST)


def test_a_plan_resumed_after_midnight_asks_for_nothing_again() -> None:
    """Edges never depend on today: what was proven yesterday is not asked today."""
    walk = Walk(settled(first=date(2021, 1, 1), last=date(2025, 12, 31)))
    half = walk.proposal().chunks[::2]
    for chunk in half:
        walk.ask(chunk, "whole")

    before = walk.proposal().chunks
    walk.now += DAY

    assert before == walk.proposal().chunks
    assert not set(half) & set(before)


def test_a_day_is_proven_by_a_job_that_was_made_after_it_in_mexico() -> None:
    """Asked for today at noon, yesterday is proven; today is asked again once it is over there, at 06:00 UTC."""
    walk = Walk(settled("syntage", first=date(2026, 1, 1), last=TODAY))
    walk.ask(walk.proposal().chunks[0], "whole")

    proposal = walk.proposal()
    (later,) = proposal.later

    assert not proposal.chunks
    assert (TODAY, TODAY, NOW.replace(hour=6) + DAY) == (later.first, later.last, later.not_before)
    walk.now = later.not_before
    walk.ask(walk.proposal().chunks[0], "whole")
    assert walk.coverage().is_whole


def test_a_job_made_before_midnight_proves_nothing_of_the_new_day() -> None:
    """However late it ends: 23:59 in Mexico City is 05:59 UTC of the next day."""
    late = NOW.replace(hour=5, minute=58)
    plan = settled("syntage", first=date(2026, 5, 30), last=date(2026, 5, 31))
    walk = Walk(plan, now=late)

    walk.ask(walk.proposal().chunks[0], "whole")

    assert [("2026-05-30", "proven"), ("2026-05-31", "partial")] == [
        (str(cell.first), cell.known) for cell in walk.coverage().cells[:2]
    ]


def test_failures_cool_down_and_end() -> None:
    """A quarter of an hour, an hour, four; the fourth failure is for a person to decide."""
    walk = Walk(settled("syntage"))
    waits: list[timedelta] = []

    while not walk.proposal().is_done:
        walk.ask(walk.proposal().chunks[0], "failed")
        if later := walk.proposal().later:
            assert later[0].not_before is not None
            waits.append(later[0].not_before - walk.now - HOUR)
            walk.now = later[0].not_before

    assert [timedelta(minutes=15), HOUR, 4 * HOUR] == waits
    assert ATTEMPTS_LIMIT == len(walk.jobs)
    assert {ATTEMPTS_LIMIT} == {cell.attempts for cell in walk.proposal().refused}


def test_a_subject_that_failed_a_hundred_times_is_still_told_of() -> None:
    """Cool-downs have an end: whoever tries again by hand each day does not break the plan."""
    walk = Walk(settled("syntage"))
    (chunk,) = walk.proposal().chunks

    walk.jobs = [job_for(walk.plan, chunk, "failed", at=NOW + day * DAY) for day in range(100)]

    assert {100} == {cell.attempts for cell in walk.proposal().refused}


def test_what_a_person_decided_is_asked_at_once() -> None:
    """No cool-down of ours holds up who mended the credentials; the next failure is for a person again."""
    walk = Walk(settled("syntage"))
    job = walk.ask(walk.proposal().chunks[0], "failed for good")

    decided = propose(walk.coverage(), walk.plan.rules, walk.now, decided={job.id})

    (chunk,) = decided.chunks
    assert chunk.not_before is None
    assert not decided.refused
    walk.ask(chunk, "failed for good")
    again = propose(walk.coverage(), walk.plan.rules, walk.now, decided={job.id})
    assert not again.chunks + again.later
    assert again.refused


def test_a_decision_does_not_bring_forward_what_the_vendor_holds_back() -> None:
    """What may be asked only after an instant waits for it, whoever decided."""
    walk = Walk(settled("syntage"))
    job = walk.ask(walk.proposal().chunks[0], "failed for good")
    walk.jobs = [flat(job, retry_at=walk.now + DAY)]

    decided = propose(walk.coverage(), walk.plan.rules, walk.now, decided={job.id})

    assert [walk.now + DAY] == [each.not_before for each in decided.later]


def test_what_was_withdrawn_was_never_asked() -> None:
    """No byte of it left: it costs no attempt and no wait."""
    walk = Walk(settled())
    for _ in range(ATTEMPTS_LIMIT):
        walk.ask(walk.proposal().chunks[0], "withdrawn")

    (first, _) = walk.coverage().cells

    assert ("never asked", 0) == (first.known, first.attempts)
    assert 2 == len(walk.proposal().chunks)


def test_an_open_job_is_waited_for_whatever_failed_after_it() -> None:
    """An equal or wider job that is still under way may bring the day: it is not paid for beside it."""
    walk = Walk(settled("syntage"))
    (chunk,) = walk.proposal().chunks
    walk.ask(chunk, "open")
    walk.now += HOUR
    narrow = Walk(settled("syntage", first=date(2025, 3, 1), last=date(2025, 3, 31)))
    failed = narrow.ask(narrow.proposal().chunks[0], "failed for good")

    walk.jobs.append(flat(failed, created_at=walk.now, settled_at=walk.now))

    proposal = walk.proposal()
    assert [walk.jobs[0].id] == list(proposal.under_way)
    assert not proposal.chunks + proposal.later
    assert not proposal.refused


def test_while_a_limit_holds_nothing_of_the_subject_is_asked() -> None:
    """SAT's limits are for a taxpayer and a day: whatever is asked meanwhile is cut short too, and paid for twice."""
    walk = Walk(settled(first=date(2023, 1, 1), last=date(2025, 12, 31), options=("xml",)))
    job = walk.ask(walk.proposal().chunks[0], "partial")

    proposal = walk.proposal()

    assert not proposal.chunks
    assert {job.retry_at} == {each.not_before for each in proposal.later}
    walk.now = job.retry_at or walk.now
    assert 8 == len(walk.proposal().chunks)


def test_a_limit_holds_for_its_subject_alone() -> None:
    """Others go on."""
    walk = Walk(settled(subjects=["1" * 32, "2" * 32]))
    walk.ask(walk.proposal().chunks[0], "partial")

    proposal = walk.proposal()

    assert {"22222222-2222-2222-2222-222222222222"} == {each.subject for each in proposal.chunks}
    assert {"11111111-1111-1111-1111-111111111111"} == {each.subject for each in proposal.later}


def test_limits_that_never_end_are_for_a_person() -> None:
    """What is cut short each day for a week will be tomorrow, too: it is not paid for for ever."""
    walk = Walk(settled("syntage", first=date(2025, 3, 1), last=date(2025, 3, 1)))

    for _ in range(ROUNDS):
        if walk.proposal().is_done:
            break
        for chunk in walk.proposal().chunks[:1]:
            walk.ask(chunk, "partial")
        walk.wait()

    assert PARTIALS_LIMIT == len(walk.jobs)
    assert {"partial"} == {cell.code for cell in walk.proposal().refused}


def test_a_run_longer_than_its_freshness_ends() -> None:
    """How new an answer must be is settled once for a run: windows that went along would ask for ever."""
    plan = settled(first=date(2020, 1, 1), last=date(2025, 12, 31))
    walk = Walk(plan, windows=windows(plan.plan, Freshness(max_age=HOUR), NOW))

    while chunks := walk.proposal().chunks:
        walk.ask(chunks[0], "whole")
        walk.now += HOUR / 2

    assert walk.coverage().is_whole
    # 2,192 days, in pieces of at most 365, in two directions.
    assert 14 == len(walk.jobs)


def test_knowledge_does_not_depend_on_what_pruning_leaves() -> None:
    """A job of which only what it proved was kept says the same of its days."""
    walk = Walk(settled(first=date(2023, 1, 1), last=date(2025, 12, 31)))
    for how in ("whole", "partial", "failed", "stopped", "inferred"):
        walk.ask(walk.proposal().chunks[0] if walk.proposal().chunks else walk.proposal().later[0], how)

    kept = [flat(job, attempted_at=None, attempts=0) for job in walk.jobs]

    assert walk.coverage() == cover(walk.plan.plan, kept)


def test_failures_without_a_reason_are_for_a_person() -> None:
    """Nobody said that it may pass."""
    walk = Walk(settled())
    job = walk.ask(walk.proposal().chunks[0], "failed")
    walk.jobs = [flat(job, failure=None), *walk.jobs[1:]]

    (cell,) = walk.proposal().refused

    assert ("failed", True) == (cell.code, cell.is_final)
