"""What is kept of a job that was pruned: what it proved, and nothing of how it was followed."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from .model import Evidence, Job, Schedule, Submission, UnknownTask

# The kind of the entries that hold proofs; their key is the job's id.
PROOF: Final = "proof"


def proof_of(job: Job) -> Job | None:
    """What a job that is over proves of the days that its task covers; None of one that proves nothing.

    Also of one that was given up after it may have been sent: its days were asked for, and may have been paid. Whether
    a task whose type is not loaded here covers any is known elsewhere: it is kept.
    """
    covers = isinstance(job.task, UnknownTask) or job.task.extent is not None
    if job.is_open or job.is_queued or not covers:
        return None
    sent = Submission(attempted_at=job.submission.attempted_at)
    return replace(job, submission=sent, schedule=_NONE_LEFT, evidence=_NONE_KEPT, traceparent=None)


# Shared by all: plans look at tens of thousands of jobs.
_NONE_LEFT: Final = Schedule()
_NONE_KEPT: Final = Evidence()
