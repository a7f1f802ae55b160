"""What users hold: the session, handles of jobs, and their results."""

from .clock import SystemClock
from .extraction.progress import PlanEvent, PlanOutcome, PlanProgress
from .extraction.run import PlanRun
from .handle import JobHandle
from .hooks.desk import WebhookDesk, WebhookProbe
from .hooks.findings import WebhookFinding
from .known.settled import SettledJob
from .reading.download import RemoteFile
from .reading.results import Results
from .session import Session

__all__ = [
    "JobHandle",
    "PlanEvent",
    "PlanOutcome",
    "PlanProgress",
    "PlanRun",
    "RemoteFile",
    "Results",
    "Session",
    "SettledJob",
    "SystemClock",
    "WebhookDesk",
    "WebhookFinding",
    "WebhookProbe",
]
