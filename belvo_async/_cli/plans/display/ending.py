"""How a run ended, in sentences, each with what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from ...._session.extraction.progress import PlanOutcome
from ....planning import Known
from ...words import counted, minute, span

# So many codes are named; the rest are in `coverage`.
SHOWN: int = 5


def said_of(outcome: PlanOutcome, sink: str, now: datetime) -> Iterator[str]:
    """What is held, then what is not, and why."""
    tally = outcome.tally
    whole = "whole" if outcome.is_whole else "not whole"
    held, every = outcome.days[Known.PROVEN], sum(outcome.days.values())
    sent, rows, parts = counted(tally.fired, "request"), counted(tally.rows, "row"), counted(tally.parts, "part")
    yield f"{whole}: {held:,} of {every:,} days proven; {sent} sent, {rows} in {parts} to {sink}"
    if tally.misfits:
        yield f"{counted(tally.misfits, 'value')} did not fit: kept as they came, where that can be"
    if tally.unsaved_files:
        yield (
            f"{counted(tally.unsaved_files, 'document')} could not be saved: the same command tries them again; of "
            "what was extracted without documents, --option xml --option pdf has them fetched, as new requests"
        )
    if outcome.later:
        when = outcome.retry_at
        wait = "" if when is None else f" from {minute(when)} (in {span(when - now)})"
        yield f"{counted(outcome.later, 'request')} may be sent only later: give the same command again{wait}"
    if outcome.stuck:
        yield f"{_jobs(outcome.stuck)} still under way: the same command takes them up"
    if outcome.unwritten:
        yield f"the rows of {_jobs(outcome.unwritten)} are not written yet: the same command reads them again"
    if outcome.is_capped:
        yield "the cap is reached: raise --max-cost to go on"
    if outcome.refused:
        codes = Counter(cell.code or "unknown" for cell in outcome.refused).most_common(SHOWN)
        subjects = len({cell.subject for cell in outcome.refused})
        why = ", ".join(f"{code} ({count})" for code, count in codes)
        yield f"{counted(subjects, 'subject')} for a person to decide: {why}; --retry asks again"
        if codes and any(code == "inferred" for code, _ in codes):
            yield "inferred: no webhook told the end, so that it proves nothing; run `belvo-async serve` beside this"


def _jobs(ids: tuple[str, ...]) -> str:
    if len(ids) == 1:
        return f"job {ids[0][:8]}"
    return f"{len(ids)} jobs ({ids[0][:8]} and others)"
