"""The planner's laws, for any history of any plan: no day twice, none forgotten, limits kept, no request too many."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta

import pytest
from hypothesis import given, strategies as st

from belvo_async.jobs import ISSUED, RECEIVED, Job, Status, Way
from belvo_async.planning import Chunk, Settled, cover, propose
from belvo_async.planning.calendar import mexican_day
from tests.planning.kit import (
    BOTH,
    DAY,
    ENDS,
    LONGEST,
    NOW,
    SUBJECTS,
    days_of,
    extent,
    job_for,
    known,
    law,
    periods,
    settled,
    wanted_days,
)

VENDORS = st.sampled_from(("belvo", "syntage"))


@st.composite
def plans(draw: st.DrawFn, vendors: st.SearchStrategy[str] = VENDORS) -> Settled:
    vendor = draw(vendors)
    first, last = draw(periods())
    subjects = SUBJECTS[vendor][: draw(st.integers(1, 2))]
    directions = draw(st.sampled_from((BOTH, (ISSUED,), (RECEIVED,))))
    return settled(vendor, first=first, last=last, subjects=subjects, directions=directions)


@st.composite
def histories(draw: st.DrawFn, ends: st.SearchStrategy[str], most: int = 6) -> tuple[Settled, list[Job]]:
    """A plan and jobs that anybody fired at some time, of any days, that ended anyhow."""
    plan = draw(plans())
    jobs: list[Job] = []
    for place in range(draw(st.integers(0, most))):
        first, last = draw(periods())
        last = min(last, first + (LONGEST - 1) * DAY)
        sides = draw(st.sampled_from(((ISSUED,), (RECEIVED,), BOTH)))
        sides = sides if plan.plan.vendor == "syntage" else sides[:1]
        subject = draw(st.sampled_from(plan.plan.subjects))
        chunk = Chunk(subject=subject, directions=sides, first=first, last=last)
        at = draw(st.sampled_from((NOW - 40 * DAY, NOW - 2 * DAY, NOW - timedelta(minutes=61), NOW)))
        jobs.append(job_for(plan, chunk, draw(ends), at=at, id=f"{place}"))
    return plan, jobs


ANY_END = st.sampled_from(sorted(ENDS))


@law
@given(histories(ANY_END))
def test_no_day_is_forgotten_and_none_is_asked_twice(history: tuple[Settled, list[Job]]) -> None:
    """Each day that is wanted is proven, asked for, waited for, or for a person to decide: one of these, and once."""
    plan, jobs = history
    coverage = cover(plan.plan, jobs)

    proposal = propose(coverage, plan.rules, NOW)

    asked = days_of((*proposal.chunks, *proposal.later))
    open_days = days_of(cell for cell in coverage.cells if cell.job in proposal.under_way)
    proven = days_of(cell for cell in coverage.cells if cell.known == "proven")
    assert Counter(wanted_days(plan.plan)) == Counter([*asked, *open_days, *proven, *days_of(proposal.refused)])


@law
@given(histories(ANY_END))
def test_each_request_keeps_to_the_vendors_limits(history: tuple[Settled, list[Job]]) -> None:
    """Belvo: at most 365 days, both ends counted, and one direction. Every chunk makes a task."""
    plan, jobs = history

    proposal = propose(cover(plan.plan, jobs), plan.rules, NOW)

    for chunk in (*proposal.chunks, *proposal.later):
        task = chunk.task(*plan)
        assert (chunk.first, chunk.last, chunk.directions) == (
            task.extent.first,  # type: ignore[union-attr]
            task.extent.last,  # type: ignore[union-attr]
            task.extent.directions,  # type: ignore[union-attr]
        )
        if plan.plan.vendor == "belvo":
            assert len(chunk.directions) == 1
            assert len(days_of([chunk])) <= LONGEST


def runs_of(days: set[date]) -> list[int]:
    """How long the stretches of days are."""
    lengths: list[int] = []
    for day in sorted(days):
        if lengths and day - DAY in days:
            lengths[-1] += 1
        else:
            lengths.append(1)
    return lengths


@law
@given(histories(st.just("whole")))
def test_no_request_more_than_needed(history: tuple[Settled, list[Job]]) -> None:
    """Belvo: for each gap of a direction as few as 365 days allow. Syntage: see `fewest_joint`."""
    plan, jobs = history
    coverage = cover(plan.plan, jobs)

    proposal = propose(coverage, plan.rules, NOW)

    missing = defaultdict[tuple[str, str], set[date]](set)
    for subject, direction, day in days_of(cell for cell in coverage.cells if cell.known != "proven"):
        missing[subject, direction].add(day)
    if plan.plan.vendor == "belvo":
        fewest = sum(-(-length // LONGEST) for days in missing.values() for length in runs_of(days))
    else:
        fewest = sum(
            fewest_joint(missing[subject, ISSUED], missing[subject, RECEIVED]) for subject in plan.plan.subjects
        )
    assert fewest == len(proposal.chunks)


def fewest_joint(issued: set[date], received: set[date]) -> int:
    """The fewest requests for two rows of days, found day by day: what goes on from one day to the next is free."""
    best = {frozenset[tuple[str, ...]](): 0}
    before: date | None = None
    for day in sorted(issued | received):
        alone = frozenset({(side,) for side, days in ((ISSUED, issued), (RECEIVED, received)) if day in days})
        ways = [alone, frozenset({BOTH})] if len(alone) == 2 else [alone]
        is_near = before is not None and before + DAY == day
        best = {
            way: min(cost + len(way - (was if is_near else frozenset())) for was, cost in best.items()) for way in ways
        }
        before = day
    return min(best.values())


@law
@given(histories(ANY_END), st.data())
def test_order_is_irrelevant(history: tuple[Settled, list[Job]], data: st.DataObject) -> None:
    """Jobs may come in any order and twice, open and ended: what is known is the same, and what is asked."""
    plan, jobs = history
    was_open = [job for job in jobs if job.status.is_terminal]
    stale = [job_for(plan, _chunk_of(job), "open", at=job.created_at, id=job.id, version=-1) for job in was_open]
    shuffled = data.draw(st.permutations([*jobs, *jobs, *stale]))

    coverage, mixed = cover(plan.plan, jobs), cover(plan.plan, shuffled)

    assert coverage == mixed
    assert propose(coverage, plan.rules, NOW) == propose(mixed, plan.rules, NOW)


def _chunk_of(job: Job) -> Chunk:
    found = job.task.extent
    assert found is not None
    return Chunk(subject=job.task.subject, directions=found.directions, first=found.first, last=found.last)


@law
@given(histories(ANY_END))
def test_what_is_known_of_a_day_is_told_by_its_jobs_alone(history: tuple[Settled, list[Job]]) -> None:
    """Whole after its end proves a day; else an open job is waited for; else the newest says what is known."""
    plan, jobs = history

    found = known(cover(plan.plan, jobs))

    assert {day: known_by_hand(day, jobs) for day in wanted_days(plan.plan)} == found


def known_by_hand(day: tuple[str, str, date], jobs: list[Job]) -> str:
    mine = [job for job in jobs if job.state != "rejected" or job.settled_by is not Way.USER]
    mine = [job for job in mine if _covers(job, day)]
    whole = [job for job in mine if job.is_whole and job.settled_by is not Way.INFERENCE]
    if any(day[2] < mexican_day(job.created_at) for job in whole):
        return "proven"
    if not mine:
        return "never asked"
    if any(job.is_open for job in mine):
        return "missing"
    newest = max(mine, key=lambda job: (job.created_at, job.id))
    if newest.status is Status.FINISHED:
        return "partial"
    return "failed" if newest.status in (Status.FAILED, Status.REJECTED) else "missing"


def _covers(job: Job, day: tuple[str, str, date]) -> bool:
    chunk = _chunk_of(job)
    assert chunk.first is not None
    assert chunk.last is not None
    return job.task.subject == day[0] and day[1] in chunk.directions and chunk.first <= day[2] <= chunk.last


@pytest.mark.parametrize("vendor", ["belvo", "syntage"])
@law
@given(periods())
def test_from_nothing_it_takes_the_fewest(vendor: str, period: tuple[date, date]) -> None:
    """Syntage: one for everything. Belvo: the days over 365, rounded up, for each direction."""
    first, last = period

    plan = settled(vendor, first=first, last=last)
    chunks = propose(cover(plan.plan, ()), plan.rules, NOW).chunks

    days = (last - first).days + 1
    assert len(chunks) == (1 if vendor == "syntage" else 2 * -(-days // LONGEST))


@law
@given(periods(), st.data())
def test_edges_cost_nothing_and_stay_where_they_are(period: tuple[date, date], data: st.DataObject) -> None:
    """What is left when any pieces are done is cut at the edges where it was: nobody asks across them."""
    first, last = period
    plan = settled(first=first, last=last)
    chunks = propose(cover(plan.plan, ()), plan.rules, NOW).chunks
    done = data.draw(st.sets(st.sampled_from(chunks)))

    jobs = [job_for(plan, chunk) for chunk in done]
    left = propose(cover(plan.plan, jobs), plan.rules, NOW).chunks

    assert set(chunks) - done == set(left)


ENDS_SEEN = st.dictionaries(st.integers(0, 30), ANY_END, max_size=14)


@law
@given(periods(), ENDS_SEEN, st.data())
def test_two_workers_never_ask_for_parts_of_the_same(
    period: tuple[date, date], ends: dict[int, str], data: st.DataObject
) -> None:
    """One knows less than the other, and looks later or sooner: their requests are equal or have no day in common."""
    first, last = period
    plan = settled(first=first, last=last)
    chunks = propose(cover(plan.plan, ()), plan.rules, NOW).chunks
    jobs = [job_for(plan, chunk, ends[place]) for place, chunk in enumerate(chunks) if place in ends]
    less = [job for job in jobs if data.draw(st.booleans())]
    sooner, later = (data.draw(st.sampled_from((NOW, NOW + 2 * DAY))) for _ in range(2))

    one = propose(cover(plan.plan, jobs), plan.rules, sooner)
    other = propose(cover(plan.plan, less), plan.rules, later)

    asked = {_place(chunk): set(days_of([chunk])) for chunk in (*one.chunks, *one.later)}
    for chunk in (*other.chunks, *other.later):
        mine = set(days_of([chunk]))
        assert all(_place(chunk) == place or not days & mine for place, days in asked.items())


def _place(chunk: Chunk) -> tuple[str, tuple[str, ...], date | None, date | None]:
    return chunk.subject, chunk.directions, chunk.first, chunk.last


@law
@given(histories(ANY_END))
def test_requests_are_fair_between_subjects(history: tuple[Settled, list[Job]]) -> None:
    """Nobody has two requests more behind him than another one who waits still."""
    plan, jobs = history

    chunks = propose(cover(plan.plan, jobs), plan.rules, NOW).chunks

    left = Counter(chunk.subject for chunk in chunks)
    served = dict.fromkeys(left, 0)
    for chunk in chunks:
        waiting = [subject for subject in left if served[subject] < left[subject]]
        assert served[chunk.subject] == min(served[subject] for subject in waiting)
        served[chunk.subject] += 1


def test_extents_and_plans_speak_of_the_same_days() -> None:
    """What a chunk asks for is what its job is known by."""
    plan = settled("syntage")

    (chunk,) = propose(cover(plan.plan, ()), plan.rules, NOW).chunks

    assert extent(date(2025, 1, 1), date(2025, 12, 31)) == chunk.task(*plan).extent
