"""What is told to whoever measures: what begins and ends, and what counts. As it stands here, nobody is told."""

from __future__ import annotations

from typing import Final, Self

from .jobs import Job, Observation, Task, Verdict


class TraceSpan:
    """Something under way, used as `with`: what is known of its end is told before it is left. This tells nobody."""

    __slots__ = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        """End it; an exception that leaves by it is told by its class alone."""

    def answer(self, status: int) -> None:
        """Tell the HTTP status that came, or was given, as an answer."""

    def fail(self, kind: str) -> None:
        """Tell that it failed without an exception: the class of the fault."""

    def become(self, job: Job) -> None:
        """Tell which job it became."""

    def count(self, rows: int) -> None:
        """Tell how many rows there were."""


_SILENT: Final = TraceSpan()


class Telemetry:
    """The places at which a session tells what it does. Replace what you want to be told; none may wait.

    What one raises goes no further than to the log, once a session: a job is worth more than a number.

    Names of requests are templates, without ids. Of a job, only what names no taxpayer may go on: its own id, vendor,
    resource, status, way; never its subject, its remote id or its tags.
    """

    # Whether it is worth measuring for.
    is_on: bool = False

    def fire(self, task: Task[object]) -> TraceSpan:
        """A task is fired, from its check until the vendor's answer, or until it is queued."""
        return _SILENT

    def request(self, origin: str, name: str, attempt: int) -> TraceSpan:
        """A request has its turn; until the head of its answer came. `attempt` counts from 1."""
        return _SILENT

    def poll(self, vendor: str, jobs: int) -> TraceSpan:
        """A vendor is asked about so many jobs."""
        return _SILENT

    def webhook(self, vendor: str) -> TraceSpan:
        """A delivery is verified, read and kept."""
        return _SILENT

    def page(self, vendor: str, name: str) -> TraceSpan:
        """A page of records is read, at the pace of who reads it. Does not become what is current."""
        return _SILENT

    def traceparent(self) -> str | None:
        """What is under way now, as a W3C traceparent: kept with a job, so that what ends it can be linked to it."""
        return None

    def wait(self, origin: str, name: str, seconds: float) -> None:
        """A request has waited so long for its turn: for a connection, a budget, a rate window."""

    def observe(self, before: Job, job: Job, seen: Observation, verdict: Verdict) -> None:
        """An observation was applied to a job, which is kept so now."""

    def park(self, vendor: str) -> None:
        """A delivery came about a job that is not known."""

    def count_open(self, vendor: str, jobs: int) -> None:
        """So many jobs of a vendor are open in the store. Every half minute, by every session of the store."""


SILENT: Final = Telemetry()
