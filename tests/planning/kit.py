"""Real vendors' rules, jobs that ended in every way there is, and a run of a plan without network and clock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import settings, strategies as st

from belvo_async import Belvo, Syntage
from belvo_async.jobs import ISSUED, RECEIVED, Extent, Failure, Job, Status, Way
from belvo_async.planning import Cell, Chunk, Coverage, Plan, Proposal, Settled, Window, cover, propose, settle_plan
from tests.jobs.flat import flat

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
TODAY = date(2026, 6, 1)
law = settings(deadline=None)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BELVO = Belvo(secret_id="i" * 36, secret_password="p" * 40, environment="sandbox")
SYNTAGE = Syntage(api_key="k" * 40, environment="sandbox")
VENDORS = {"belvo": BELVO, "syntage": SYNTAGE}
LINKS = ["8848bd0c-9c7e-4f53-a732-ec896b11d4c4", "11111111-2222-3333-4444-555555555555"]
ENTITIES = [f"/entities/{link}" for link in LINKS]
RESOURCES = {"belvo": "INVOICES", "syntage": "invoice"}
SUBJECTS = {"belvo": LINKS, "syntage": ENTITIES}
LONGEST = 365
BOTH = (ISSUED, RECEIVED)


def settled(vendor: str = "belvo", *, now: datetime = NOW, **changes: Any) -> Settled:
    """A plan of one subject for the year 2025, as its vendor reads it."""
    usual: dict[str, Any] = {
        "vendor": vendor,
        "subjects": SUBJECTS[vendor][:1],
        "resource": RESOURCES[vendor],
        "first": date(2025, 1, 1),
        "last": date(2025, 12, 31),
    }
    return settle_plan(Plan(**usual | changes), VENDORS, now)


# How a job may end, or stand: what the vendor said of it, and who said so.
ENDS: dict[str, dict[str, Any]] = {
    "whole": {"status": Status.FINISHED, "settled_by": Way.WEBHOOK},
    "partial": {"status": Status.FINISHED, "settled_by": Way.WEBHOOK, "partial": True, "retry_at": DAY},
    "partial for good": {"status": Status.FINISHED, "settled_by": Way.POLL, "partial": True},
    "inferred": {"status": Status.FINISHED, "settled_by": Way.INFERENCE},
    "failed": {
        "status": Status.FAILED,
        "settled_by": Way.WEBHOOK,
        "failure": Failure(code="login_failed", retryable=True),
    },
    "too much": {
        "status": Status.FAILED,
        "settled_by": Way.WEBHOOK,
        "failure": Failure(code="unrecoverable", retryable=True),
    },
    "failed for good": {
        "status": Status.FAILED,
        "settled_by": Way.POLL,
        "failure": Failure(code="invalid_credentials"),
    },
    "rejected": {
        "status": Status.REJECTED,
        "settled_by": Way.ANSWER,
        "failure": Failure(code="institution_down", retryable=True),
    },
    "withdrawn": {
        "status": Status.REJECTED,
        "settled_by": Way.USER,
        "failure": Failure(code="withdrawn", retryable=True),
    },
    "stopped": {"status": Status.STOPPED, "settled_by": Way.WEBHOOK},
    "abandoned": {"status": Status.RUNNING, "settled_by": Way.USER, "abandoned": True},
    "unconfirmed": {
        "status": Status.PENDING,
        "settled_by": Way.INFERENCE,
        "abandoned": True,
        "failure": Failure(code="unconfirmed", retryable=True),
    },
    "open": {"status": Status.RUNNING},
}
# What the library may meet by itself and asks again, sooner or later; the rest is for a person, or still open.
PASSING = ("partial", "failed", "too much", "rejected", "withdrawn")
FOR_A_PERSON = ("partial for good", "inferred", "failed for good", "stopped", "abandoned", "unconfirmed")


def job_for(plan: Settled, chunk: Chunk | Extent, how: str = "whole", *, at: datetime = NOW, **facts: Any) -> Job:
    """A job that was made for a chunk, or an extent of the plan's first subject, and ended an hour later."""
    subject = chunk.subject if isinstance(chunk, Chunk) else plan.plan.subjects[0]
    extent = (
        chunk
        if isinstance(chunk, Extent)
        else Extent(directions=chunk.directions, first=chunk.first, last=chunk.last, options=tuple(plan.plan.options))
    )
    end = dict(ENDS[how])
    if "retry_at" in end:
        end["retry_at"] = at + end["retry_at"]
    if how != "open":
        end["settled_at"] = at + HOUR
    made = {
        "id": f"{at:%Y%m%d%H%M%S}-{subject[-4:]}-{'+'.join(extent.directions)}-{extent.first}-{extent.last}",
        "vendor": plan.plan.vendor,
        "account": "account",
        "task": plan.rules.start(subject, extent),
        "created_at": at,
        "attempted_at": None if how == "withdrawn" else at,
    }
    return flat(**made | end | facts)


def extent(first: date, last: date, directions: Sequence[str] = BOTH, options: Sequence[str] = ()) -> Extent:
    return Extent(directions=tuple(directions), first=first, last=last, options=tuple(options))


def days_of(asked: Iterable[Chunk | Cell]) -> list[tuple[str, str, date]]:
    """Every day, by subject and direction, as often as it is asked for."""
    found: list[tuple[str, str, date]] = []
    for each in asked:
        assert each.first is not None
        assert each.last is not None
        sides = (each.direction,) if isinstance(each, Cell) else each.directions
        for direction in sides:
            found += [
                (each.subject, direction, each.first + timedelta(days=count))
                for count in range((each.last - each.first).days + 1)
            ]
    return found


def wanted_days(plan: Plan) -> list[tuple[str, str, date]]:
    assert plan.first is not None
    assert plan.last is not None
    chunks = (
        Chunk(subject=subject, directions=tuple(plan.directions), first=plan.first, last=plan.last)
        for subject in plan.subjects
    )
    return days_of(chunks)


def known(coverage: Coverage) -> dict[tuple[str, str, date], str]:
    """What is known of each day, whichever cells it is told in."""
    return {day: str(cell.known) for cell in coverage.cells for day in days_of([cell])}


@dataclass
class Walk:
    """A plan being carried out: propose, ask, hear how it ended, wait, again. `told` says how each job ends."""

    plan: Settled
    jobs: list[Job] = field(default_factory=list[Job])
    now: datetime = NOW
    windows: Sequence[Window] = ()

    def coverage(self) -> Coverage:
        return cover(self.plan.plan, self.jobs, windows=self.windows)

    def proposal(self) -> Proposal:
        return propose(self.coverage(), self.plan.rules, self.now)

    def ask(self, chunk: Chunk, how: str) -> Job:
        """Pay for a chunk. What is proven, or open, must not be in it."""
        standing = {
            day
            for cell in self.coverage().cells
            if cell.known == "proven" or (cell.known == "missing" and not cell.is_final)
            for day in days_of([cell])
        }
        assert not standing & set(days_of([chunk])), "paid twice"
        self.now += timedelta(minutes=1)
        job = job_for(self.plan, chunk, how, at=self.now)
        assert job.id not in {each.id for each in self.jobs}
        self.jobs.append(job)
        return job

    def end(self, job: Job, how: str) -> None:
        """An open job ends."""
        ended = job_for(self.plan, job.task.extent or Extent(), how, at=job.created_at)
        self.jobs.remove(job)
        self.jobs.append(flat(ended, id=job.id, task=job.task, settled_at=self.now, version=job.version + 1))

    def wait(self) -> None:
        """Until something may be asked that may not be now."""
        later = self.proposal().later
        self.now = max([self.now + HOUR, *(each.not_before for each in later[:1] if each.not_before)])


@st.composite
def periods(draw: st.DrawFn, first: date = date(2019, 12, 1), last: date = date(2025, 12, 31)) -> tuple[date, date]:
    """A period of some days up to some years; its ends like to stand at the edges of months and years."""
    near = st.builds(date, st.integers(first.year + 1, last.year), st.integers(1, 12), st.just(1)).map(
        lambda each: min(each, last) - DAY
    )
    ends = st.one_of(st.dates(first, last), near, near.map(lambda each: each + DAY))
    one, other = draw(ends), draw(ends)
    return min(one, other), max(one, other)
