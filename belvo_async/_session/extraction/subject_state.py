"""What is known, and what is left to do, of one subject of a plan."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Final

from msgspec.structs import replace

from ...abc import LONG_AGO
from ...jobs import Job, Status, Way, proof_of
from ...planning import Cell, Chunk, Known, Proposal, Settled, Window, cover, propose
from .collect import DuePart
from .handed import Handed, HeldSpan, due_of, wanted_of

# The tag by which a plan's jobs are found again: what they cost counts against its cap.
PLAN_TAG: Final = "plan"
# A link turns invalid after six POSTs without success (Belvo, errors, invalid_link): half of them are ours to burn.
REFUSALS_LIMIT: Final = 3
# Jobs of one lane without a word in a run: each may be billed.
STUCK_LIMIT: Final = 2


def is_paid(job: Job, plan_id: str) -> bool:
    """Whether a job was sent for a plan: what the vendor refused costs nothing, what was withdrawn neither."""
    is_sent = job.status is not Status.REJECTED and not (job.abandoned and job.is_queued)
    return is_sent and job.tags.get(PLAN_TAG) == plan_id


class SubjectState:
    """One subject: its jobs, what its days are known by, and the next thing to do. One request at a time."""

    def __init__(self, subject: str, settled: Settled, forms: Sequence[str] = ()) -> None:
        self.subject = subject
        self._plan = replace(settled.plan, subjects=(subject,))
        self._rules = settled.rules
        self._forms = tuple(forms)
        # Jobs whose days a person decided to ask for again.
        self._decided = frozenset[str]()
        self._jobs: dict[str, Job] = {}
        self.handed: dict[str, Handed] = {}
        # Whether something of it is under way, or about to be, or when it is looked at again.
        self.is_busy = self.is_waiting = False
        # Whether something was learned since what is left was worked out.
        self.is_behind = False
        self.waits_for: datetime | None = None
        # Jobs that are not waited for any longer, and those whose rows could not be read in this run.
        self.stuck, self.unread = set[str](), set[str]()
        # Open jobs that somebody else waits for.
        self.going_on = set[str]()
        self.collecting = set[str]()
        self._now = LONG_AGO
        self.cells: tuple[Cell, ...] = ()
        self._proposal = Proposal(chunks=(), later=(), under_way=(), reused=(), refused=())
        # Whether the first of its chunks was sent since it was proposed.
        self._is_sent = False

    def learn(self, job: Job) -> None:
        """Keep what a job says, as little of it as coverage needs."""
        self._jobs[job.id] = proof_of(job) or job

    def note_sent(self) -> None:
        """Note that the chunk that was next is left no longer."""
        self._is_sent = True

    def ask_again(self, before: datetime) -> None:
        """Ask again for what was for a person to decide at an instant."""
        self._decided = frozenset(job.id for job in self._jobs.values() if (job.settled_at or job.created_at) <= before)

    def forget(self, job_id: str) -> None:
        """Leave out a job that the store keeps no longer."""
        self._jobs.pop(job_id, None)

    def is_news(self, job: Job) -> bool:
        """Whether a job of the store says more than what is known of it."""
        known = self._jobs.get(job.id)
        return known is None or known.version < job.version

    def knows_ended(self, job: Job) -> bool:
        """Whether a job had ended when it was learned of last."""
        known = self._jobs.get(job.id)
        return known is not None and not known.is_open

    @property
    def ends(self) -> Iterator[tuple[datetime, Job]]:
        """The jobs that ended, and when."""
        return ((job.settled_at, job) for job in self._jobs.values() if job.settled_at is not None)

    def has_open_since(self, since: datetime) -> bool:
        """Whether a job that was begun at an instant or later is open."""
        return any(job.is_open and since <= job.created_at for job in self._jobs.values())

    @property
    def next_deadline(self) -> datetime | None:
        """When the first of the jobs that somebody else waits for is waited for no longer."""
        jobs = (self._jobs.get(each) for each in self.going_on)
        return min((job.deadline for job in jobs if job is not None and job.deadline is not None), default=None)

    def paid(self, plan_id: str) -> Iterator[str]:
        """The jobs that were sent for a plan, by whomever."""
        return (job.id for job in self._jobs.values() if is_paid(job, plan_id))

    def review(self, windows: Collection[Window], now: datetime) -> None:
        """Work out what is known and left, after something was learned or time has passed."""
        self._now, self.is_behind = now, False
        coverage = cover(self._plan, self._jobs.values(), windows=tuple(windows))
        self.cells = coverage.cells
        proposal = propose(coverage, self._rules, now, decided=self._decided)
        if self._is_refused():
            proposal = replace(proposal, chunks=(), later=(), refused=self._unproven())
        self._proposal, self._is_sent = proposal, False

    def _is_refused(self) -> bool:
        """Whether the vendor refused the last requests of this subject, each of them."""
        # What was withdrawn here before it was sent says nothing of the vendor.
        sent = (job for job in self._jobs.values() if job.settled_by is not Way.USER)
        recent = sorted(sent, key=lambda job: (job.created_at, job.id))[-REFUSALS_LIMIT:]
        return len(recent) == REFUSALS_LIMIT and all(
            job.status is Status.REJECTED and job.id not in self._decided for job in recent
        )

    def _unproven(self) -> tuple[Cell, ...]:
        return tuple(each for each in self.cells if each.known is not Known.PROVEN)

    @property
    def chunk(self) -> Chunk | None:
        """The next request that may be sent now."""
        if self.going_on or (self._rules.is_laned and self._is_held_up):
            return None
        return next(iter(self._proposal.chunks), None)

    @property
    def _is_held_up(self) -> bool:
        """Whether jobs that are not waited for hold the subject's lane, or more of them come to nothing.

        Beside one whose time is over others are sent: what they bring shows how that ended, where the vendor says not.
        """
        stuck = [job for each in self.stuck if (job := self._jobs.get(each)) is not None and job.is_open]
        return len(stuck) >= STUCK_LIMIT or any(job.is_queued or not job.is_past(self._now) for job in stuck)

    @property
    def under_way(self) -> str | None:
        """An open job that is to be waited for."""
        others = self.stuck | self.going_on
        return next((each for each in self._proposal.under_way if each not in others), None)

    @property
    def later(self) -> datetime | None:
        """When something may be asked for that may not be now."""
        return next((each.not_before for each in self._proposal.later), None)

    @property
    def left(self) -> int:
        """How many requests are left, now or later."""
        return len(self._proposal.chunks) + len(self._proposal.later) - self._is_sent

    @property
    def later_count(self) -> int:
        """How many requests may not be sent yet."""
        return len(self._proposal.later)

    @property
    def refused(self) -> tuple[Cell, ...]:
        """What is for a person to decide."""
        return self._proposal.refused

    @property
    def is_proven(self) -> bool:
        """Whether every day is proven."""
        return all(each.known is Known.PROVEN for each in self.cells)

    def due_parts(self) -> Iterator[DuePart]:
        """Jobs whose rows are not in the sink as the days are known now, and the rows that are to be there.

        First those whose rows another job brings by now: no row is to be there twice.
        """
        for job_id, spans in self._due():
            if job_id not in self.collecting and job_id not in self.unread:
                yield DuePart(self._jobs[job_id], spans)

    def held_beside(self, parts: Sequence[DuePart]) -> Iterator[HeldSpan]:
        """What is in the parts of other jobs."""
        mine = {each.job.id for each in parts}
        return (span for job_id, handed in self.handed.items() if job_id not in mine for span in handed.held)

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing of it is under way, and nothing can be asked now: more rows will not come soon."""
        return not (self.is_busy or self.going_on) and self.under_way is None and self.chunk is None

    @property
    def unwritten(self) -> tuple[str, ...]:
        """Jobs whose rows are not in the sink as they should be."""
        return tuple(job for job, _ in self._due())

    def _due(self) -> Iterator[tuple[str, tuple[HeldSpan, ...]]]:
        wanted = wanted_of(self.cells)
        every = [span for spans in wanted.values() for span in spans]
        given = [(span, self._ended(job_id)) for job_id, each in self.handed.items() for span in each.given]
        superseded = (job for job in self.handed if job not in wanted)
        for job_id in (*superseded, *wanted):
            handed = self.handed.get(job_id)
            due = due_of(job_id, handed, wanted)
            # Documents are saved of what the plan wants.
            forms = self._forms if job_id in wanted else ()
            is_done = handed is not None and handed.is_done(due, forms) and not handed.is_outdated(every, given)
            if job_id in self._jobs and not is_done:
                yield job_id, due

    def _ended(self, job_id: str) -> datetime:
        job = self._jobs.get(job_id)
        return (job and job.settled_at) or LONG_AGO
