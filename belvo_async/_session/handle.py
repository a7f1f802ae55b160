"""What the user holds and awaits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from ..discreet import discreet
from ..errors import UnsupportedError, outcome_error, timeout_error
from ..jobs import Job, Observation, Status, Task, Wish
from .checks import check_span

if TYPE_CHECKING:
    from .._tracker import Watch
    from .core import Core
    from .reading.results import Results

R_co = TypeVar("R_co", covariant=True)
T = TypeVar("T")


class JobHandle(Generic[R_co]):
    """One job, awaited. Many handles may stand for one job; cancelling one waiter touches no other.

    `await handle` gives the finished `Job`, or raises JobFailedError, JobStoppedError, JobRejectedError,
    JobUnconfirmedError, JobAbandonedError, SubmissionUncertainError, JobTimeoutError (at `deadline`; the job goes on),
    JobLostError (the store keeps the job no longer) or SessionClosedError. It may be awaited any number of times, by
    any number of tasks.
    """

    def __init__(self, core: Core, watch: Watch, deadline: datetime) -> None:
        self._core = core
        self._watch = watch
        self.deadline = deadline
        # Set as the clock is now: however that is set later, as much is left as was.
        self._ends = asyncio.get_running_loop().time() + (deadline - core.clock.now()).total_seconds()

    @property
    def id(self) -> str:
        """Our own id of the job; `session.attach` takes it, in any process with the same store."""
        return self._watch.job.id

    @property
    def job(self) -> Job:
        """The last known state."""
        return self._watch.job

    @property
    def status(self) -> Status:
        """The last known status: the vendor's last word, or what is known before it said anything."""
        return self._watch.job.status

    @property
    def state(self) -> str:
        """The status, or `queued`, `abandoned` or `unconfirmed`: what `jobs list` shows."""
        return self._watch.job.state

    @property
    def task(self) -> Task[R_co]:
        """What was asked for. `task.subject` is its link or entity; `isinstance` tells the rest to type checkers."""
        return self._watch.job.task

    def done(self) -> bool:
        """Whether awaiting would return (or raise) at once: the job ended, was given up, or is lost."""
        return not self._watch.job.is_open or self._watch.lost

    def __await__(self) -> Generator[Any, None, Job]:
        return self.wait().__await__()

    @discreet
    async def wait(self, timeout: timedelta | None = None) -> Job:
        """Wait as `await` does, but at most `timeout`: JobTimeoutError then, and the job goes on."""
        check_span(timeout, field="timeout")
        now = self._core.clock.now()
        left = timedelta(seconds=self._ends - asyncio.get_running_loop().time())
        until = now + (left if timeout is None else min(left, timeout))
        # Of one that was lost the store is asked again: it may be back.
        if self.job.is_open and not (await self._core.tracker.settle(self._watch, until=until)):
            raise timeout_error(self.job, waited=_words(until - min(self.job.created_at, now)))
        error = outcome_error(self.job)
        if error is not None:
            raise error
        return self.job

    @overload
    def results(
        self, resource: None = None, *, type: None = None, resume: str | None = None, strict: bool = False
    ) -> Results[R_co]: ...
    @overload
    def results(
        self, resource: str, *, type: None = None, resume: str | None = None, strict: bool = False
    ) -> Results[object]: ...
    @overload
    def results(
        self, resource: str | None = None, *, type: type[T], resume: str | None = None, strict: bool = False
    ) -> Results[T]: ...
    @discreet
    def results(
        self,
        resource: str | None = None,
        *,
        type: type[Any] | None = None,
        resume: str | None = None,
        strict: bool = False,
    ) -> Results[Any]:
        """The job's records. Meant for a finished job; of an open or failed one, what is there so far.

        `resource` names one of several a job brings, in the vendor's word. `type` decodes into a type of your own
        instead of the catalogue's: a smaller struct is several times faster, `msgspec.Raw` passes the rows through as
        they came; either way only the job's own rows come, each once. `resume` goes on from a `Results.checkpoint`.
        A row that does not fit its type is read tolerantly (see `Results.misfits`); `strict` refuses it.
        Raises UnsupportedError for tasks whose records have no list, TaskError for a resource or checkpoint of
        another job.
        """
        return self._core.results(self.job, resource, record=type, resume=resume, strict=strict)

    def updates(self) -> AsyncIterator[Observation]:
        """Every observation that changes the job from now on, until it is over."""
        return self._core.tracker.updates(self._watch)

    @discreet
    async def stop(self) -> Job:
        """Ask the vendor to end the job; the end itself is awaited as ever.

        Raises UnsupportedError where the vendor has no such call, VendorError or TransportError when asking failed.
        """
        return await self._core.tracker.stop(self.job)

    @discreet
    async def abandon(self) -> Job:
        """Give the job up: it is closed here, changes nothing at the vendor, and its lane goes to the next at once.

        Waiters get JobAbandonedError; an equal task is started anew. One that was not sent yet is withdrawn. The end
        that a late webhook tells still counts, and `session.adopt` takes the job up again. Of an ended job nothing
        changes.
        """
        return await self._core.tracker.abandon(self.job)

    @discreet
    async def refresh(self) -> Job:
        """Poll the vendor now. Raises VendorError or TransportError when that failed; the job is unchanged then."""
        return await self._core.tracker.refresh(self.job)

    @discreet
    async def resubmit(self, *, deadline: timedelta | None = None) -> JobHandle[R_co]:
        """Fire the same task again, as a new job.

        For an uncertain job this is the user's decision alone: the first submission may run too, and both are billed.
        So may a job that was given up, or is past its deadline. Raises UnsupportedError while the job is under way.
        """
        job = await self._core.tracker.current(self.job)
        is_over = not job.is_open or job.is_past(self._core.clock.now())
        if is_over and job.status is not Status.UNCERTAIN:
            job, until = await self._core.submit(job.task, deadline, Wish(tags=job.tags))
        elif job.status is Status.UNCERTAIN:
            until = self._core.deadline_after(deadline)
            job = await self._core.tracker.resubmit(job, deadline=until)
        else:
            raise UnsupportedError(f"job {job.id} is {job.status}: there is nothing to submit again")
        return handle_on(self._core, job, until)

    def __repr__(self) -> str:
        # One that could not be made watches nothing.
        return f"<JobHandle {self.id} {self.job.vendor} {self.state}>" if hasattr(self, "_watch") else "<JobHandle>"


def handle_on(core: Core, job: Job, deadline: datetime) -> JobHandle[Any]:
    """Make a handle on a job, waited for until `deadline`."""
    # A submission that ends while the session closes still gives its handle.
    tracker = core.tracker_or_none or core.tracker
    return JobHandle(core, tracker.watch(job), deadline)


def _words(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    hours, minutes = divmod(seconds // 60, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {seconds % 60:02} s" if minutes else f"{span.total_seconds():.3g} s"
