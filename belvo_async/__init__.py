"""Await asynchronous Mexican fiscal jobs of Belvo and Syntage.

async with Session(Belvo.from_env(), Syntage.from_env(), store="sqlite:jobs.db") as session:
    job = await session.fire(belvo.Invoices(link="...", date_from=..., date_to=...))
    await job
    async for invoice in job.results():
        ...
"""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Final

from .errors import (
    AuthenticationError,
    BelvoAsyncError,
    ConfigurationError,
    IncompleteResultError,
    JobAbandonedError,
    JobError,
    JobFailedError,
    JobLostError,
    JobNotFiredError,
    JobRejectedError,
    JobStoppedError,
    JobTimeoutError,
    JobUnconfirmedError,
    NotFoundError,
    PayloadError,
    RateLimitError,
    SessionClosedError,
    SignatureError,
    SinkError,
    StoreError,
    StoreLostError,
    SubmissionUncertainError,
    TaskError,
    TokenRequiredError,
    TransportError,
    UnknownJobError,
    UnsupportedError,
    VendorError,
)
from .jobs import (
    Failure,
    Job,
    Observation,
    Polling,
    Quiet,
    Status,
    Task,
    Way,
    load_kinds_with,
)

if TYPE_CHECKING:
    from ._session import (
        JobHandle,
        PlanEvent,
        PlanOutcome,
        PlanProgress,
        PlanRun,
        RemoteFile,
        Results,
        Session,
        SettledJob,
        WebhookDesk,
        WebhookFinding,
        WebhookProbe,
    )
    from .abc.changes import ChangeKind
    from .changes import Change
    from .messages import decode_task, encode_task
    from .planning import Freshness, Plan, Prices
    from .tolerant import Misfit, Misfits
    from .vendors import belvo, syntage
    from .vendors.belvo import Belvo
    from .vendors.syntage import Syntage

__version__ = "0.1.0"

__all__ = [
    "AuthenticationError",
    "Belvo",
    "BelvoAsyncError",
    "Change",
    "ChangeKind",
    "ConfigurationError",
    "Failure",
    "Freshness",
    "IncompleteResultError",
    "Job",
    "JobAbandonedError",
    "JobError",
    "JobFailedError",
    "JobHandle",
    "JobLostError",
    "JobNotFiredError",
    "JobRejectedError",
    "JobStoppedError",
    "JobTimeoutError",
    "JobUnconfirmedError",
    "Misfit",
    "Misfits",
    "NotFoundError",
    "Observation",
    "PayloadError",
    "Plan",
    "PlanEvent",
    "PlanOutcome",
    "PlanProgress",
    "PlanRun",
    "Polling",
    "Prices",
    "Quiet",
    "RateLimitError",
    "RemoteFile",
    "Results",
    "Session",
    "SessionClosedError",
    "SettledJob",
    "SignatureError",
    "SinkError",
    "Status",
    "StoreError",
    "StoreLostError",
    "SubmissionUncertainError",
    "Syntage",
    "Task",
    "TaskError",
    "TokenRequiredError",
    "TransportError",
    "UnknownJobError",
    "UnsupportedError",
    "VendorError",
    "Way",
    "WebhookDesk",
    "WebhookFinding",
    "WebhookProbe",
    "belvo",
    "decode_task",
    "encode_task",
    "syntage",
]

# Loaded when first used: an import of this package costs little, and only the catalogues in use are built.
_LAZY: Final = {
    "Change": "changes",
    "ChangeKind": "abc.changes",
    "RemoteFile": "_session",
    "Freshness": "planning",
    "JobHandle": "_session",
    "Plan": "planning",
    "PlanEvent": "_session",
    "PlanOutcome": "_session",
    "PlanProgress": "_session",
    "PlanRun": "_session",
    "Prices": "planning",
    "Results": "_session",
    "Session": "_session",
    "SettledJob": "_session",
    "WebhookDesk": "_session",
    "WebhookFinding": "_session",
    "WebhookProbe": "_session",
    "decode_task": "messages",
    "encode_task": "messages",
    "Misfit": "tolerant",
    "Misfits": "tolerant",
    "Belvo": "vendors.belvo",
    "Syntage": "vendors.syntage",
    "belvo": "vendors.belvo",
    "syntage": "vendors.syntage",
}


# Who sets up no logging is shown nothing; who does hears of the children of this logger too.
logging.getLogger(__name__).addHandler(logging.NullHandler())


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f".{_LAZY[name]}", __name__)
    value = module if name == _LAZY[name].rpartition(".")[2] else getattr(module, name)
    globals()[name] = value
    return value


def _load_vendor_of(kind: str) -> None:
    """Load the catalogue that a stored task is of: whoever reads a store sees tasks as what they are."""
    name = kind.partition(".")[0]
    if _LAZY.get(name) == f"vendors.{name}":
        importlib.import_module(f".vendors.{name}", __name__)


load_kinds_with(_load_vendor_of)
