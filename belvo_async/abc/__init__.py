"""What passes between the rooms, and the two contracts: Vendor and Store."""

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
    Walk,
)
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
    "Page",
    "Permit",
    "Query",
    "Request",
    "Response",
    "Retry",
    "Secret",
    "Shape",
    "Store",
    "Vendor",
    "Walk",
    "answer_of",
    "catalogue_of",
]
