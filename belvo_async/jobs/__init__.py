"""What a job is and what may happen to it. No socket, no clock, no event loop, no vendor.

Everything a vendor ever says becomes an `Observation`; `reconcile` alone decides what it means for a `Job`.
"""

from .clocks import CLOCKS_DIFFER, DOWN_AFTER, at_present
from .document import decode_job, decode_observation, decode_task, encode_job, load_kinds_with, task_key
from .model import STATES, Failure, Job, Quiet, Report, Status, Task, UnknownTask, Verdict, Way, normal_id
from .observations import (
    Absent,
    Found,
    GivenUp,
    Gone,
    Later,
    Misread,
    Note,
    Nudge,
    Observation,
    Reported,
    Seen,
    told,
    without_inference,
)
from .polling import Polling, later
from .table import (
    GONE_POLLS,
    GONE_SPAN,
    TABLE,
    abandonment,
    choose_adopter,
    mistrust,
    reconcile,
    undelivered,
    withdrawal,
)

__all__ = [
    "CLOCKS_DIFFER",
    "DOWN_AFTER",
    "GONE_POLLS",
    "GONE_SPAN",
    "STATES",
    "TABLE",
    "Absent",
    "Failure",
    "Found",
    "GivenUp",
    "Gone",
    "Job",
    "Later",
    "Misread",
    "Note",
    "Nudge",
    "Observation",
    "Polling",
    "Quiet",
    "Report",
    "Reported",
    "Seen",
    "Status",
    "Task",
    "UnknownTask",
    "Verdict",
    "Way",
    "abandonment",
    "at_present",
    "choose_adopter",
    "decode_job",
    "decode_observation",
    "decode_task",
    "encode_job",
    "later",
    "load_kinds_with",
    "mistrust",
    "normal_id",
    "reconcile",
    "task_key",
    "told",
    "undelivered",
    "withdrawal",
    "without_inference",
]
