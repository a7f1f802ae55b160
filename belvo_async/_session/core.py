"""What a session and the handles it hands out share."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from .._http import Send
from .._tracker import Tracker, closed_error
from ..abc import Clock, Shape, Urgency, Vendor, Walk
from ..errors import SessionClosedError, TaskError, UnsupportedError
from ..jobs import NO_WISH, Job, Task, Wish
from ..telemetry import SILENT, Telemetry
from .binding import Binding
from .checks import deadline_after, nobody_takes
from .reading.prefetch import Spares
from .reading.results import Remarks, Results


class Core:
    """The open parts of a session: its vendors and the ways to them, its tracker, its clock."""

    tracker_or_none: Tracker | None = None
    binding: Binding | None = None
    is_closed = False
    spares: Spares

    def __init__(self, vendors: Mapping[str, Vendor], clock: Clock, telemetry: Telemetry = SILENT) -> None:
        self.vendors = vendors
        self.clock = clock
        self.telemetry = telemetry
        self.sends, self.bulk_sends = dict[str, Send](), dict[str, Send]()

    @property
    def tracker(self) -> Tracker:
        """The session's tracker. Raises SessionClosedError unless the session is open, on this event loop."""
        if self.is_closed:
            raise closed_error()
        if self.binding is not None:
            self.binding.check()
        if self.tracker_or_none is None:
            raise SessionClosedError("the session is not open: use `async with session`")
        return self.tracker_or_none

    def check_open(self) -> None:
        """Raise SessionClosedError unless the session is open, on this event loop."""
        if self.is_closed:
            raise SessionClosedError("the session is closed: open a new one")
        self.tracker  # noqa: B018 - raises when the session is not open, or belongs to another loop

    def deadline_after(self, span: timedelta | None) -> datetime:
        """When waiting that starts now ends."""
        return deadline_after(span, self.clock.now())

    def vendor_of(self, task: Task[Any]) -> Vendor:
        """The vendor that takes a task. Raises TaskError for one that none takes."""
        for vendor in self.vendors.values():
            if type(task) in vendor.tasks.values():
                return vendor
        raise TaskError(nobody_takes(f"{type(task).__name__} tasks", self.vendors), field="task")

    async def submit(
        self,
        task: Task[Any],
        deadline: timedelta | None,
        wish: Wish = NO_WISH,
        *,
        urgency: Urgency = Urgency.INTERACTIVE,
    ) -> tuple[Job, datetime]:
        """Check a task and start a job for it, or join another one: the job, and until when it is waited for."""
        tracker = self.tracker
        self.vendor_of(task).check(task, self.clock.now())
        until = self.deadline_after(deadline)
        with self.telemetry.fire(task) as span:
            job = await tracker.submit(task, deadline=until, wish=wish, urgency=urgency)
            span.become(job)
        return job, until

    def results(
        self, job: Job, resource: str | None, *, record: type[Any] | None, resume: str | None, strict: bool
    ) -> Results[Any]:
        """The records of a job; see `JobHandle.results`."""
        vendor = self.vendors.get(job.vendor)
        if vendor is None:
            raise UnsupportedError(f"this session has no vendor {job.vendor!r}")
        walk = vendor.results(job, resource)
        remarks = self.remarks(job, walk.shape)  # a task without a list is refused here, not at the first record
        return self.read(walk, vendor, record=record, resume=resume, strict=strict, remarks=remarks)

    def remarks(self, job: Job, shape: Shape[object]) -> Remarks | None:
        """What passes on what records say about a job; None where records of this shape say nothing."""
        remark = shape.remark
        return None if remark is None else Remarks(remark, self.clock, partial(self.tracker.remark, job))

    def read(
        self,
        walk: Walk[object],
        vendor: Vendor,
        *,
        record: type[Any] | None,
        resume: str | None,
        strict: bool,
        remarks: Remarks | None = None,
    ) -> Results[Any]:
        """Read along the pages of a walk. Nothing is sent yet."""
        self.check_open()
        send = self.bulk_sends[vendor.name]
        return Results(
            walk,
            vendor,
            send,
            self.spares,
            record=record,
            resume=resume,
            remarks=remarks,
            strict=strict,
            telemetry=self.telemetry,
        )
