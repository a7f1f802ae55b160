"""What users hold: the session, handles of jobs, and their results."""

from .file import File
from .handle import JobHandle
from .results import Results
from .session import Session

__all__ = ["File", "JobHandle", "Results", "Session"]
