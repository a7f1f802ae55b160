"""What is kept of a job that was pruned: what it proved, and nothing of how it was followed."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from .model import Evidence, Job, Schedule, Submission, UnknownTask

# The kind of the entries that hold proofs; their key is the job's id.
PROOF: Final = "proof"


def proof_of(job: Job) -> Job | None:
    """What an ended job proves of the days that its task covers; None of one that proves nothing.

    Whether a task whose type is not loaded here covers any is known elsewhere: it is kept.
    """
    covers = isinstance(job.task, UnknownTask) or job.task.extent is not None
    if not (job.status.is_terminal and covers):
        return None
    return replace(job, submission=Submission(), schedule=Schedule(), evidence=Evidence())
