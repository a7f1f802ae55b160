"""What users hold: the session, handles of jobs, and their results."""

from .handle import JobHandle
from .results import Results
from .session import Session

__all__ = ["JobHandle", "Results", "Session"]
