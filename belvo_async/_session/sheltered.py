"""What a session tells its telemetry, so that no fault of that comes back: none may lose a job, or fire one twice."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Self

from ..jobs import Job, Observation, Task, Verdict
from ..telemetry import SILENT, Telemetry, TraceSpan

# With the name of the module that tells.
_log = logging.getLogger("belvo_async.telemetry")


def shelter(telemetry: Telemetry) -> Telemetry:
    """The same telemetry; what it raises is told once, and goes no further."""
    return SILENT if telemetry is SILENT else _Sheltered(telemetry)


class _FirstFault:
    """Takes what a telemetry raises."""

    def __init__(self) -> None:
        self._is_told = False

    def take(self, error: Exception) -> None:
        if not self._is_told:
            self._is_told = True
            kind = type(error).__name__
            text = "the telemetry failed (%s): what it was told then is not measured, and nothing else is changed"
            _log.warning(text, kind, extra={"error": kind})


class _Sheltered(Telemetry):
    def __init__(self, telemetry: Telemetry) -> None:
        self._told = telemetry
        self._faults = _FirstFault()
        self.is_on = telemetry.is_on

    def fire(self, task: Task[object]) -> TraceSpan:
        return self._begin(lambda: self._told.fire(task))

    def request(self, origin: str, name: str, attempt: int) -> TraceSpan:
        return self._begin(lambda: self._told.request(origin, name, attempt))

    def poll(self, vendor: str, jobs: int) -> TraceSpan:
        return self._begin(lambda: self._told.poll(vendor, jobs))

    def webhook(self, vendor: str) -> TraceSpan:
        return self._begin(lambda: self._told.webhook(vendor))

    def page(self, vendor: str, name: str) -> TraceSpan:
        return self._begin(lambda: self._told.page(vendor, name))

    def traceparent(self) -> str | None:
        try:
            return self._told.traceparent()
        except Exception as error:  # noqa: BLE001 - whatever it raises
            self._faults.take(error)
            return None

    def wait(self, origin: str, name: str, seconds: float) -> None:
        self._tell(lambda: self._told.wait(origin, name, seconds))

    def observe(self, before: Job, job: Job, seen: Observation, verdict: Verdict) -> None:
        self._tell(lambda: self._told.observe(before, job, seen, verdict))

    def park(self, vendor: str) -> None:
        self._tell(lambda: self._told.park(vendor))

    def count_open(self, vendor: str, jobs: int) -> None:
        self._tell(lambda: self._told.count_open(vendor, jobs))

    def _begin(self, begin: Callable[[], TraceSpan]) -> TraceSpan:
        try:
            return _ShelteredSpan(begin(), self._faults)
        except Exception as error:  # noqa: BLE001 - whatever it raises
            self._faults.take(error)
            return TraceSpan()

    def _tell(self, tell: Callable[[], None]) -> None:
        try:
            tell()
        except Exception as error:  # noqa: BLE001 - whatever it raises
            self._faults.take(error)


class _ShelteredSpan(TraceSpan):
    __slots__ = ("_faults", "_span")

    def __init__(self, span: TraceSpan, faults: _FirstFault) -> None:
        self._span, self._faults = span, faults

    def __enter__(self) -> Self:
        self._tell(lambda: self._span.__enter__())
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._tell(lambda: self._span.__exit__(*exc_info))

    def answer(self, status: int) -> None:
        self._tell(lambda: self._span.answer(status))

    def fail(self, kind: str) -> None:
        self._tell(lambda: self._span.fail(kind))

    def become(self, job: Job) -> None:
        self._tell(lambda: self._span.become(job))

    def count(self, rows: int) -> None:
        self._tell(lambda: self._span.count(rows))

    def _tell(self, tell: Callable[[], object]) -> None:
        try:
            tell()
        except Exception as error:  # noqa: BLE001 - whatever it raises
            self._faults.take(error)
