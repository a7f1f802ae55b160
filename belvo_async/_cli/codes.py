"""How a command about plans ends, as a number. The table in docs/command-line.md is held against this one."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .._session.extraction.progress import PlanOutcome


class Code(IntEnum):
    """Exit codes. Of several that apply, the highest; but 1, where anything broke off, before all others."""

    WHOLE = 0
    FAILED = 1
    WRONG = 2
    PARTIAL = 3
    DECIDE = 4
    CAPPED = 5
    INTERRUPTED = 130
    TERMINATED = 143


MEANINGS: Final = {
    Code.WHOLE: "whole: every day is proven, and every row is written",
    Code.FAILED: "could not begin, broke off, or does not fit; why is on stderr",
    Code.WRONG: "wrong arguments: nothing was done",
    Code.PARTIAL: "not whole yet: give the same command again, when it says so",
    Code.DECIDE: "a person has to decide: what the vendor refused for good is not asked again without --retry",
    Code.CAPPED: "the next request would cost more than --max-cost",
    Code.INTERRUPTED: "interrupted by Ctrl-C: jobs go on, the same command takes them up",
    Code.TERMINATED: "ended by SIGTERM: as by Ctrl-C",
}


def code_of(outcome: PlanOutcome) -> Code:
    """How a run ended."""
    if outcome.is_whole:
        return Code.WHOLE
    if outcome.is_capped:
        return Code.CAPPED
    return Code.DECIDE if outcome.refused else Code.PARTIAL


def worst(codes: Iterable[int]) -> int:
    """How several ended together."""
    every = list(codes)
    return Code.FAILED if Code.FAILED in every else max(every, default=Code.WHOLE)


def in_words(codes: Iterable[Code] = MEANINGS, **other: str) -> str:
    """The codes for the end of a help text; `other` words by the name of a code, where it means something else."""
    return "exit codes:\n" + "\n".join(f"  {each.value:3}  {other.get(each.name, MEANINGS[each])}" for each in codes)
