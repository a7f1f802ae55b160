"""The end of the demo: the table, the comparison with what the vendors hold, and the verdict."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal

from ...jobs import Status
from ...simulator import BelvoSimulator, SyntageSimulator
from .plan import PlannedJob
from .progress import SHOWN_DIGITS, Track, table_of
from .screen import Screen

Held = Callable[[PlannedJob], Mapping[str, Decimal]]


def close(
    screen: Screen, tracks: Sequence[Track], held: Held, belvo: BelvoSimulator, syntage: SyntageSimulator
) -> list[str]:
    """Show how everything ended; the complaints, none when all is as intended."""
    screen.table(table_of(tracks))
    screen.say("* uncertain for a while: its 202 was lost; found at the vendor, not fired again")
    for track in tracks:
        for line in _reason(track):
            screen.say(line)
    screen.say()
    read = [track for track in tracks if _was_read(track)]
    theirs = {track.planned.label: held(track.planned) for track in read}
    complaints = [
        *_unequal(read, theirs),
        *(complaint for track in tracks for complaint in _unintended(track)),
        *_fired_twice(tracks, len(belvo.jobs) + len(syntage.jobs)),
    ]
    _compare(screen, read, theirs)
    for line in _story(tracks, belvo, syntage):
        screen.say(line)
    return complaints


def complain(screen: Screen, complaints: Sequence[str]) -> None:
    """Say what is not as intended."""
    for complaint in complaints:
        screen.say(f"NOT AS INTENDED: {complaint}.")


def _reason(track: Track) -> list[str]:
    """Why a job failed or was refused, under the table that has no room for it."""
    job = track.job
    if job is None or job.failure is None:
        return []
    why = ": ".join(filter(None, [job.failure.code, job.failure.message]))
    again = "; firing it again may help" if job.failure.retryable else ""
    text = f"{job.id[:SHOWN_DIGITS]} {job.status}: {why}{again}"
    return textwrap.wrap(text, 80, initial_indent="  ", subsequent_indent="    ")


def _was_read(track: Track) -> bool:
    return track.planned.held is not None and track.job is not None and track.job.status is Status.FINISHED


def _compare(screen: Screen, read: Sequence[Track], theirs: Mapping[str, Mapping[str, Decimal]]) -> None:
    received = sum(len(track.record_file.totals) for track in read)
    held = sum(len(rows) for rows in theirs.values())
    received_sum = f"{sum((track.record_file.sum for track in read), Decimal(0)):,.2f}"
    held_sum = f"{sum((sum(rows.values(), Decimal(0)) for rows in theirs.values()), Decimal(0)):,.2f}"
    width = max(len(received_sum), len(held_sum))
    is_equal = not list(_unequal(read, theirs))
    said = "equal: ids, counts, sums" if is_equal else "NOT EQUAL"
    screen.say(f"received   {len(read)} jobs {received:6,} records {received_sum:>{width}}")
    screen.say(f"held       {len(read)} jobs {held:6,} records {held_sum:>{width}}  {said}")


def _story(tracks: Sequence[Track], belvo: BelvoSimulator, syntage: SyntageSimulator) -> Iterator[str]:
    """What it took: counted from what the simulators saw and did."""
    deliveries = [*belvo.deliveries, *syntage.deliveries]
    answers = Counter(each.status for each in deliveries)
    kinds = Counter(each.kind for each in deliveries)
    told = sum(each.attempt == 1 and each.kind == "documented" for each in syntage.deliveries)
    yield (
        f"webhooks   {len(deliveries)} came: {answers[200]} taken ({kinds['duplicate']} doubled, "
        f"{kinds['unknown_job']} about unknown jobs)"
    )
    events = len(syntage.events())
    yield f"           {answers[401]} forged and refused; {events - told} of Syntage's {events} events never sent"
    faults = Counter(seen.fault for seen in (*belvo.requests, *syntage.requests) if seen.fault)
    counted = ", ".join(f"{name} {count}" for name, count in sorted(faults.items()))
    yield from textwrap.wrap(counted, 80, initial_indent="faults     ", subsequent_indent=" " * 11)
    cuts = sum(track.record_file.cuts for track in tracks)
    yield f"requests   {len(belvo.requests)} to Belvo, {len(syntage.requests)} to Syntage, readings begun again: {cuts}"


def _unequal(read: Sequence[Track], theirs: Mapping[str, Mapping[str, Decimal]]) -> Iterator[str]:
    for track in read:
        if not track.record_file.matches(theirs[track.planned.label]):
            yield f"{track.vendor} {track.planned.label}: the records received are not the records held"


def _unintended(track: Track) -> Iterator[str]:
    name, planned = f"{track.vendor} {track.planned.label}", track.planned
    if track.trouble:
        yield f"{name}: {track.trouble}"
    if track.job is None or track.job.status is not planned.ending:
        yield f"{name} is {track.word()}, it should be {planned.ending}"
    if planned.is_uncertain and not track.was_uncertain:
        yield f"{name} was never uncertain, though its 202 was lost"


def _fired_twice(tracks: Sequence[Track], accepted: int) -> Iterator[str]:
    if accepted != len(tracks):
        yield f"the vendors accepted {accepted} jobs for {len(tracks)} tasks"
