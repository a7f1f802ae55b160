"""A submission that is cut anywhere is taken for what the written tables say, and is never made twice.

The tables, the rules and the command line are in `byte_cuts.py`.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable

import pytest

from tests.proof.byte_cuts import (
    ENDS,
    TABLE,
    Case,
    Line,
    Outcome,
    Phase,
    Report,
    cases,
    measure,
    try_all,
    try_everywhere,
)
from tests.proof.cut_proxy import Cut, Manner, Side
from tests.virtual_time import run

VENDORS = ("belvo", "syntage")
# The borders are always cut; of what lies between, this many bytes are left out each time.
SAMPLED = 400
# Where a machine is too slow for every byte, every so many.
STEP = int(os.environ.get("BELVO_ASYNC_BYTE_STEP", "1"))


def broken(reports: Iterable[Report]) -> list[str]:
    return [f"{each.case}: {', '.join(each.broken)}" for each in reports if each.broken]


@pytest.mark.parametrize("manner", Manner, ids=[each.value for each in Manner])
@pytest.mark.parametrize("vendor", VENDORS)
def test_a_cut_submission_is_classified_and_never_doubled(vendor: str, manner: Manner) -> None:
    """Borders of every phase, and a sample between them: outcome, end and number of submissions are as written."""
    sampled = [case for case in cases(vendor, manner, step=SAMPLED) if not case.kept]

    assert [] == broken(try_all(sampled))


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_submission_never_travels_on_a_kept_connection(vendor: str) -> None:
    """After a read whose connection is kept, and meets the same cut, a submission still has a connection of its own."""
    after_a_read = [
        Case(vendor, Cut(side, manner, offset), kept=True)
        for side in (Side.REQUEST, Side.RESPONSE)
        for manner in (Manner.CLOSE, Manner.RESET, Manner.SILENCE)
        for offset in (0, 100)
    ]

    assert [] == broken(try_all(after_a_read))


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_refused_connection_is_tried_again(vendor: str) -> None:
    """Nothing was sent: a later attempt of the same submission passes; refused for good, the job is rejected."""
    at_first = Case(vendor, Cut(Side.CONNECT, Manner.RESET, lasting=0.1))
    for_good = Case(vendor, Cut(Side.CONNECT, Manner.RESET))

    reports = try_all([at_first, for_good])

    assert [] == broken(reports)
    assert [(Outcome.ANSWERED, "finished"), (Outcome.NOT_SENT, "rejected: unreachable")] == [
        (each.outcome, each.end) for each in reports
    ]


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_late_request_shows_why_a_partial_one_is_uncertain(vendor: str) -> None:
    """One byte had reached the vendor when the client gave up; the rest came, and the job ran: it is adopted."""
    (report,) = try_all([Case(vendor, Cut(Side.REQUEST, Manner.LATE, 1))])

    assert (Outcome.MAYBE, True, "finished", ()) == (report.outcome, report.accepted, report.end, report.broken)


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_cut_answer_without_a_length_is_no_answer(vendor: str) -> None:
    """Only the end of the connection ends it, so HTTP takes the half for the whole; the JSON does not."""
    sizes = run(measure(vendor))
    inside = [Cut(Side.RESPONSE, Manner.CLOSE, sizes.answer - left, hides_length=True) for left in (2, 10, 40)]

    reports = try_all([Case(vendor, cut) for cut in inside])

    assert [] == broken(reports)
    assert {Phase.ANSWER_BODY: len(inside)} == Counter(each.phase for each in reports)


@pytest.mark.parametrize("vendor", VENDORS)
def test_the_rules_see_a_doubled_submission(vendor: str) -> None:
    """The check itself is checked: a resubmission that somebody asks for is counted as a second one."""

    async def resubmit() -> tuple[int, int]:
        async with Line(vendor, subjects=1) as line:
            await line.proxy.arm(Cut(Side.RESPONSE, Manner.CLOSE, 0))
            first = await line.fire(0)
            await first.resubmit()
            return len(line.proxy.submissions), max(each.position for each in line.proxy.submissions)

    assert (2, 0) == run(resubmit())


def test_the_tables_are_whole_and_never_optimistic() -> None:
    """Each phase has an outcome for each manner; once a byte may have left, none is taken for not sent."""
    connected = [phase for phase in Phase if phase not in (Phase.UNREACHABLE, Phase.UNREACHABLE_AT_FIRST)]

    assert set(Phase) == set(TABLE)
    assert {frozenset(Manner)} == {frozenset(row) for row in TABLE.values()}
    assert not [phase for phase in connected if Outcome.NOT_SENT in TABLE[phase].values()]
    assert {(outcome, accepted) for outcome in Outcome for accepted in (False, True)} == set(ENDS)


@pytest.mark.proof
@pytest.mark.parametrize("vendor", VENDORS)
def test_every_byte(vendor: str) -> None:
    """Every offset of request and answer, in every manner, on new and after kept connections."""
    everything = [case for manner in Manner for case in cases(vendor, manner, step=STEP)]

    reports = list(try_everywhere(everything))

    assert [] == broken(reports)
    assert len(everything) == len(reports)
    # All of it was reached: each phase, and each way a job can end.
    assert set(Phase) == {each.phase for each in reports}
    assert {key for key, end in ENDS.items() if end} == {(each.outcome, each.accepted) for each in reports}
