"""Webhooks: the proof that a delivery is Belvo's, and what it says.

Belvo sends a fixed text as the Authorization header and signs nothing (resources-webhooks-aggregation). No page tells
how a failed asynchronous POST is announced: data that holds an error fails the request it names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, cast

import msgspec

from ...abc import Headers, Secret
from ...errors import SignatureError
from ...jobs import Failure, Nudge, Observation, Reported, Seen, Status, Way
from ...payload import decode, refuse_repeated_keys
from ...tolerant import count_of, read
from .errors import webhook_failure
from .schema.bodies import WebhookBody
from .schema.checks import subject_of

# Keys that decide what a delivery means.
_DECIDING: Final = frozenset(
    {"webhook_id", "webhook_type", "process_type", "webhook_code", "link_id", "request_id", "data"}
    | {"error_code", "errors"}
)
_COUNTS: Final = ("new_invoices", "total_invoices", "new_financial_statements")
# Codes of historical updates, for deliveries from before process_type was sent.
_HISTORICAL: Final = ("historical_", "initial_")

# Answers the asynchronous DELETE of a link; no page shows the rest of it.
LINK_DELETED: Final = "link_deleted"


def verify(headers: Headers, secret: Secret | None, *, allow_unauthenticated: bool) -> None:
    """Raise SignatureError unless the delivery carries our Authorization value, exactly once."""
    if secret is None:
        if not allow_unauthenticated:
            raise SignatureError("no webhook authorization is configured, so no delivery can be proven")
        return
    if not _is_proven(headers.get_all("authorization"), secret):
        raise SignatureError("the delivery does not carry the configured Authorization value")


def _is_proven(values: Sequence[str], secret: Secret) -> bool:
    try:
        return len(values) == 1 and secret.matches(values[0])
    except UnicodeEncodeError:  # lone surrogates that no header can hold
        return False


def read_delivery(body: bytes, now: datetime) -> tuple[Observation, ...]:
    """Say what a proven delivery tells. Words that are not known are no errors. Raises PayloadError.

    A delivery with our request id and an error fails the job. One that answers an asynchronous POST finishes it, and so
    does the word that the link was deleted. A historical update with a request id reports its resource to the refresh
    of that id, and ends nothing. All others only make the link's open jobs due for a poll: they are about updates that
    were not asked for here.
    """
    delivery = read(body, WebhookBody, needs="request_id")
    refuse_repeated_keys(body, _DECIDING)
    content = _content(delivery)
    trouble = _trouble(content)
    word = _word(delivery, now)
    nudge = Nudge(way=word.way, at=now, delivery_id=word.delivery_id, subject=word.subject)
    if delivery.request_id and _completes(delivery):
        return (_outcome(delivery, word, trouble, content),)
    told = _partial_word(delivery, word, trouble) if delivery.request_id else None
    return ((told,) if told else ()) + ((nudge,) if delivery.link_id else ())


def _partial_word(delivery: WebhookBody, word: Seen, trouble: Failure | None) -> Observation | None:
    """What a delivery that answers no asynchronous POST says about the job of its request id; None for nothing."""
    if trouble is not None:
        return msgspec.structs.replace(word, status=Status.FAILED, failure=trouble)
    if delivery.webhook_code == LINK_DELETED:
        adoptable = delivery.link_id is not None
        return msgspec.structs.replace(word, status=Status.FINISHED, resource="LINK", adoptable=adoptable)
    if _is_historical(delivery) and delivery.webhook_type not in (None, "LINK"):
        return Reported(
            way=word.way,
            at=word.at,
            remote_id=word.remote_id,
            delivery_id=word.delivery_id,
            subject=word.subject,
            vendor_status=word.vendor_status,
            resources=(delivery.webhook_type,),
        )
    return None


def _is_historical(delivery: WebhookBody) -> bool:
    if delivery.process_type is None:
        return (delivery.webhook_code or "").startswith(_HISTORICAL)
    return delivery.process_type == "historical_update"


def _word(delivery: WebhookBody, now: datetime) -> Seen:
    return Seen(
        way=Way.WEBHOOK,
        at=now,
        vendor_status=delivery.webhook_code,
        remote_id=delivery.request_id or None,
        delivery_id=delivery.webhook_id or None,
        subject=subject_of(delivery.link_id) if delivery.link_id else None,
    )


def _completes(delivery: WebhookBody) -> bool:
    """Whether it answers an asynchronous POST: it says so, or is of the time before `process_type` was sent."""
    if delivery.webhook_type == "LINK" or delivery.webhook_code == LINK_DELETED:
        return False
    if delivery.process_type is None:
        return delivery.webhook_type is not None and not (delivery.webhook_code or "").startswith(_HISTORICAL)
    return delivery.process_type == "async_post"


def _outcome(delivery: WebhookBody, word: Seen, trouble: Failure | None, content: Mapping[str, object]) -> Observation:
    return msgspec.structs.replace(
        word,
        status=Status.FAILED if trouble else Status.FINISHED,
        failure=trouble,
        resource=delivery.webhook_type,
        created_count=None if trouble else _count(content),
        # Without the word async_post it may still be about something else: good for its own id, not to be adopted.
        adoptable=delivery.process_type == "async_post" and delivery.link_id is not None,
    )


def _content(delivery: WebhookBody) -> Mapping[str, object]:
    content = decode(bytes(delivery.data), object)
    return cast("Mapping[str, object]", content) if isinstance(content, dict) else {}


def _trouble(content: Mapping[str, object]) -> Failure | None:
    code = content.get("error_code") or content.get("errors")
    while isinstance(code, list | dict):
        code = _first_code(cast("list[object] | dict[str, object]", code))
    return webhook_failure(code) if content.get("error_code") or content.get("errors") else None


def _first_code(errors: list[object] | dict[str, object]) -> object:
    if isinstance(errors, dict):
        return errors.get("code") or errors.get("error_code")
    return errors[0] if errors else None


def _count(content: Mapping[str, object]) -> int | None:
    counts = (count_of(content.get(key)) for key in _COUNTS)
    return next((each for each in counts if each is not None), None)
