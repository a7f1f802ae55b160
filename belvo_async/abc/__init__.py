"""What passes between the rooms, and the three contracts: Vendor, Store and Sink."""

from .catalogue import Catalogue, answer_of, catalogue_of
from .exchange import (
    Answer,
    Budget,
    Call,
    Clock,
    Conversation,
    Download,
    Fetch,
    Headers,
    Page,
    Permit,
    Query,
    Request,
    Response,
    Retry,
    Secret,
    Shape,
    Urgency,
    Walk,
)
from .plans import Plannable, PlanRules, RowPlace
from .sink import OpenPart, PartKey, Receipt, SideFile, Sink
from .store import ASIDE_FOR, Entry, LaidAside, Store
from .vendor import Vendor

__all__ = [
    "ASIDE_FOR",
    "Answer",
    "Budget",
    "Call",
    "Catalogue",
    "Clock",
    "Conversation",
    "Download",
    "Entry",
    "Fetch",
    "Headers",
    "LaidAside",
    "OpenPart",
    "Page",
    "PartKey",
    "Permit",
    "PlanRules",
    "Plannable",
    "Query",
    "Receipt",
    "Request",
    "Response",
    "Retry",
    "RowPlace",
    "Secret",
    "Shape",
    "SideFile",
    "Sink",
    "Store",
    "Urgency",
    "Vendor",
    "Walk",
    "answer_of",
    "catalogue_of",
]
