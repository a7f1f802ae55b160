"""Webhook endpoints and attempts to deliver: what is asked and sent, and that no secret leaves a record."""

from __future__ import annotations

import pickle
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from belvo_async.abc import Retry, Secret
from belvo_async.errors import TaskError
from belvo_async.vendors import syntage
from tests.vendors.syntage.kit import NOW, answer, converse, params, vendor

ID = "0195f6c2-1020-7a10-8c3e-5b7d90e1b000"
URL = "https://example.com/webhooks/syntage"
SIGNING = "54471a278d46c86ec6cd365983552a28"
ROW = {
    "id": ID,
    "url": URL,
    "signingSecret": SIGNING,
    "events": ["extraction.updated"],
    "enabled": True,
    "contentType": "application/ld+json",
}


def request_of(call: Any, status: int = 200, body: object = ROW) -> Any:
    _, (request,) = converse(vendor().call(call, NOW), answer(status, body))
    return request


def test_an_endpoint_is_made_once_and_says_everything() -> None:
    """All four properties are required; the POST is not repeated blindly."""
    request = request_of(syntage.CreateWebhookEndpoint(url=URL, events=("extraction.updated",)), 202)

    assert ("POST", "/webhook-endpoints", Retry.SUBMIT) == (request.method, request.target, request.retry)
    assert {
        "url": URL,
        "events": ["extraction.updated"],
        "enabled": True,
        "contentType": "application/ld+json",
    } == msgspec.json.decode(request.body)


def test_an_endpoint_is_replaced_as_a_whole() -> None:
    """By a PUT, which may be repeated; its id stands in the path alone."""
    changed = syntage.UpdateWebhookEndpoint(
        id=f"/webhook-endpoints/{ID}", url=URL, events=("file.created",), enabled=False, content_type="application/json"
    )

    request = request_of(changed)

    assert ("PUT", f"/webhook-endpoints/{ID}", Retry.SAFE) == (request.method, request.target, request.retry)
    body = {"url": URL, "events": ["file.created"], "enabled": False, "contentType": "application/json"}
    assert body == msgspec.json.decode(request.body)


def test_filters_go_to_the_vendor_and_what_rows_tell_is_asked_again() -> None:
    """The event of an attempt stands in no row; an endpoint's events do."""
    attempts = syntage.WebhookRequests(
        url=URL,
        status_code=0,
        event_id=ID,
        event_type="extraction.updated",
        event_source="/extractions/1",
        event_resource="/extractions/1",
    )
    endpoints = syntage.WebhookEndpoints(url=URL, event="extraction.updated", enabled=True)

    asked, kept = params(next(vendor().list(attempts).steps(None))), vendor().list(endpoints).shape.keep

    assert {"url": URL, "responseStatusCode": "0", "event.id": ID, "event.type": "extraction.updated"}.items() <= (
        asked.items()
    )
    assert ("/extractions/1", "/extractions/1") == (asked["event.source"], asked["event.resource"])
    assert kept is not None
    assert [True, False, False] == [
        kept(msgspec.convert(ROW | changes, syntage.WebhookEndpoint))
        for changes in ({}, {"events": ["invoice.created"]}, {"enabled": False})
    ]


def test_the_secret_of_an_answer_is_one() -> None:
    """In no repr, pickle or JSON; within an attempt neither."""
    found, _ = converse(vendor().call(syntage.GetWebhookEndpoint(ID), NOW), answer(200, ROW))
    attempt = msgspec.convert({"id": ID, "webhookEndpoint": ROW}, syntage.WebhookRequest)

    assert Secret(SIGNING) == found.signing_secret
    for record in (found, attempt):
        assert SIGNING not in f"{record!r} {record} {record.__rich_repr__()}"
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(record)
        with pytest.raises(TypeError, match="Secret is unsupported"):
            msgspec.json.encode(record)


@pytest.mark.parametrize(("seconds", "took"), [("0.21983", timedelta(microseconds=219830)), ("-1", None)])
def test_an_attempt_tells_how_long_it_took(seconds: str, took: timedelta | None) -> None:
    """Seconds, in the document's words."""
    assert took == syntage.WebhookRequest(response_time=Decimal(seconds)).took
    assert syntage.WebhookRequest().took is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"url": "http://example.com/hooks"}, "url"),
        ({"url": "https://"}, "url"),
        ({"url": "https://exa mple.com"}, "url"),
        ({"events": ("extraction.finished",)}, "events"),
        ({"events": "extraction.updated"}, "events"),
        ({"enabled": "yes"}, "enabled"),
        ({"content_type": "text/xml"}, "content_type"),
    ],
)
def test_what_syntage_would_refuse_is_refused_here(changes: dict[str, Any], field: str) -> None:
    """Before a byte is sent, and without the address, which may hold a password."""
    with pytest.raises(TaskError) as refused:
        syntage.CreateWebhookEndpoint(**{"url": URL, "events": ("extraction.updated",)} | changes)

    assert field == refused.value.field
    assert "example.com" not in str(refused.value)


def test_addresses_on_loopback_may_be_plain() -> None:
    """For a receiver that is tried on this machine."""
    assert syntage.CreateWebhookEndpoint(url="http://127.0.0.1:8080/x", events=("file.created",))
