"""The morning page: what a store and its plans say to the person who opens it, as facts and as one HTML text."""

from .asked import Scope, asked_for, scope_of
from .facts import Morning, RecordedDeliveries
from .gather import Held, read_store
from .make import Preferences, make_morning
from .render import render

__all__ = [
    "Held",
    "Morning",
    "Preferences",
    "RecordedDeliveries",
    "Scope",
    "asked_for",
    "make_morning",
    "read_store",
    "render",
    "scope_of",
]
