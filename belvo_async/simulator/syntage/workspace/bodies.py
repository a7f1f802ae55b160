"""What is read of the bodies that are sent: objects, texts, IRIs."""

from collections.abc import Iterable
from typing import Final

from ...wire import Incoming, Json, JsonObject, Reply
from ..errors import hydra_error, message
from ..options import Problem

MERGE_PATCH: Final = "application/merge-patch+json"
BLANK: Final = "This value should not be blank."
CHOICE: Final = "The value you selected is not a valid choice."
NOT_FOUND: Final = "Item not found."


def wrong_media(call: Incoming) -> Reply | None:
    """Refuse a PATCH that is no merge: none of another kind is documented."""
    kind = call.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind == MERGE_PATCH:
        return None
    return hydra_error(415, f"The content-type is not supported. Supported MIME types are {MERGE_PATCH}.")


def not_found() -> Reply:
    """Answer that there is no such thing."""
    return message(404, "Not found.")


def check_text(body: JsonObject, name: str, *, path: str | None = None) -> list[Problem]:
    """Tell what is wrong with a text that must be there."""
    value = body.get(name)
    if isinstance(value, str) and value.strip():
        return []
    return [(path or name, BLANK if value in (None, "") else "This value should be of type string.")]


def check_flag(body: JsonObject, name: str) -> list[Problem]:
    """Tell what is wrong with a boolean that may be missing."""
    return [] if isinstance(body.get(name, True), bool) else [(name, "This value should be of type bool.")]


def texts(value: Json) -> list[str] | None:
    """Read a list of texts; None when it is something else."""
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        return None
    return [str(one) for one in value]


def number_of(iri: str, *collections: str) -> str | None:
    """Give the id that an IRI of one of these collections ends with."""
    head, _, number = iri.rpartition("/")
    return number if head in collections and number else None


def numbers_of(iris: Iterable[str], *collections: str) -> list[str | None]:
    """Give the ids that IRIs end with; None for one of another collection."""
    return [number_of(iri, *collections) for iri in iris]
