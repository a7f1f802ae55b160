"""What users hold: the session, handles of jobs, and their results."""

from .clock import SystemClock
from .handle import JobHandle
from .reading.download import RemoteFile
from .reading.results import Results
from .session import Session

__all__ = ["JobHandle", "RemoteFile", "Results", "Session", "SystemClock"]
