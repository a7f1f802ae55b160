"""A task of a run that was refused here: a handle for it, so that the others go on."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec

from .._tracker import Watch
from ..errors import JobNotFiredError, TaskError
from ..jobs import Failure, Job, Status, Task, UnknownTask
from .handle import JobHandle

if TYPE_CHECKING:
    from .core import Core

R_co = TypeVar("R_co", covariant=True)


class UnfiredHandle(JobHandle[R_co]):
    """A task that was refused before a byte was sent: no store holds a job for it, and awaiting it says why."""

    def __init__(self, core: Core, job: Job, error: TaskError) -> None:
        super().__init__(core, Watch(job), job.created_at)
        self._message, self._field = str(error), error.field

    async def wait(self, timeout: timedelta | None = None) -> Job:
        raise JobNotFiredError(self._message, job=self.job, field=self._field)


def unfired_job(task: object, error: TaskError, job_id: str, now: datetime) -> Job:
    """Make what a handle shows of a task that never became a job; of what is no task at all, its type's name."""
    nothing = UnknownTask(stored_kind=type(task).__name__, body=msgspec.Raw(b"{}"))
    is_task = isinstance(task, Task)
    known = cast("Task[Any]", task) if is_task else nothing
    return Job(
        id=job_id,
        vendor=known.vendor,
        account="",
        task=known,
        created_at=now,
        status=Status.REJECTED,
        failure=Failure(code="task", message=str(error)),
        settled_at=now,
    )
