"""What users hold: the session, handles of jobs, and their results."""

from .handle import JobHandle
from .reading.download import File
from .reading.results import Results
from .session import Session

__all__ = ["File", "JobHandle", "Results", "Session"]
