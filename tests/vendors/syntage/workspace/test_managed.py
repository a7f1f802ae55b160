"""Syntage's webhooks by the contract: what is asked, what is made of answers, and an event signed by us."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from belvo_async.abc import AttemptFilter, HookEndpoint, Secret
from belvo_async.errors import PayloadError, TaskError, UnsupportedError, VendorError
from belvo_async.vendors import syntage
from tests.vendors.syntage.kit import NOW, REMOTE, SECRET, answer, converse, job, listing, params, vendor
from tests.vendors.syntage.workspace.test_webhooks import ROW, URL

MANAGED = vendor(webhook_url=URL).managed_webhooks
ENDPOINT = HookEndpoint(id="0195f6c2", url=URL, events=("extraction.updated",), secret=Secret(SECRET))


def row(number: int, **changes: Any) -> dict[str, Any]:
    made = {"id": f"0195f6c2-{number:04}", "createdAt": f"2025-04-02T16:00:{number:02}Z"}
    return {**ROW, **made, **changes}


def attempt(number: int, **changes: Any) -> dict[str, Any]:
    made = {"webhookEndpoint": ROW, "responseStatusCode": 200, "responseTime": 0.25}
    return {**row(number), **made, **changes}


def test_endpoints_are_read_to_the_last_page_and_come_oldest_first() -> None:
    """What cannot be read, or has no id, hides none of the others; Syntage may ignore what it is asked by."""
    pages = (
        listing(row(3), row(2, url="https://example.com/other"), following="/webhook-endpoints?id[lt]=2"),
        listing({"id": []}, {}, row(1, enabled=None, events=None, signingSecret=None)),
    )

    found, asked = converse(MANAGED.endpoints(), *pages)
    narrowed, (once,) = converse(MANAGED.endpoints(URL), listing(row(3), row(2, url="https://example.com/other")))

    assert ["0195f6c2-0001", "0195f6c2-0002", "0195f6c2-0003"] == [each.id for each in found]
    assert (True, (), None) == (found[0].is_enabled, found[0].events, found[0].secret)
    assert ["/webhook-endpoints?itemsPerPage=100", "/webhook-endpoints?id[lt]=2"] == [each.target for each in asked]
    assert (["0195f6c2-0003"], URL) == ([each.id for each in narrowed], params(once)["url"])


def test_secrets_of_a_page_show_in_no_error() -> None:
    """That of a page after it, say."""
    first = listing(row(1), following="/webhook-endpoints?id[lt]=1")

    with pytest.raises(VendorError, match="may not do that"):
        converse(MANAGED.endpoints(), first, answer(403, {"hydra:title": "no"}))


def test_an_endpoint_is_made_and_replaced_as_it_is_said() -> None:
    """Its content type goes along; one without an id is no answer."""
    made, (post,) = converse(
        MANAGED.create(URL, ["file.created"], is_enabled=False, content_type="application/json"), answer(202, ROW)
    )
    _, (put,) = converse(MANAGED.replace(made), answer(200, ROW))

    body = {"url": URL, "events": ["file.created"], "enabled": False, "contentType": "application/json"}
    assert body == msgspec.json.decode(post.body or b"")
    terms = {name: ROW[name] for name in ("url", "events", "enabled", "contentType")}
    assert terms == msgspec.json.decode(put.body or b"")
    assert f"/webhook-endpoints/{ROW['id']}" == put.target
    with pytest.raises(PayloadError):
        converse(MANAGED.create(URL, ["file.created"], is_enabled=True), answer(202, {}))
    with pytest.raises(TaskError, match="events must be"):
        MANAGED.create(URL, ["extraction.finished"], is_enabled=True)


@pytest.mark.parametrize("reply", [answer(204), answer(404, {"message": "Not found."})], ids=["there", "gone"])
def test_what_is_gone_is_deleted(reply: Any) -> None:
    """Whoever asked before may have lost the answer."""
    _, (request,) = converse(MANAGED.delete(ENDPOINT), reply)

    assert ("DELETE", "/webhook-endpoints/0195f6c2") == (request.method, request.target)


EXPORT = syntage.Export("/tags", "csv")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, {}),
        ({"url": URL, "status": 0}, {"url": URL, "responseStatusCode": "0"}),
        ({"event": "file.created"}, {"event.type": "file.created"}),
        (
            {"job": job(remote_id=REMOTE)},
            {"event.type": "extraction.updated", "event.resource": f"/extractions/{REMOTE}"},
        ),
        (
            {"job": job(task=EXPORT, remote_id=REMOTE)},
            {"event.type": "export.updated", "event.resource": f"/exports/{REMOTE}"},
        ),
    ],
)
def test_attempts_are_asked_for_by_what_they_were_about(asked: dict[str, Any], said: Mapping[str, str]) -> None:
    """Of a job, what told its updates: rows do not say their event."""
    _, (request,) = converse(MANAGED.attempts(AttemptFilter(**asked)), listing())

    assert {"itemsPerPage": "100", **said} == params(request)


def test_attempts_come_newest_first_and_no_more_than_asked_for() -> None:
    """A row without an answer's code tells nothing; a filter that Syntage ignored is asked again."""
    rows = (attempt(1), attempt(3, responseStatusCode=0), attempt(2, responseStatusCode=None), attempt(4))

    found, _ = converse(MANAGED.attempts(AttemptFilter(limit=2)), listing(*rows))
    failed, _ = converse(MANAGED.attempts(AttemptFilter(status=0)), listing(*rows))

    assert ["0195f6c2-0004", "0195f6c2-0003"] == [each.id for each in found]
    assert [(0, False, ROW["id"])] == [(each.status, each.is_accepted, each.endpoint) for each in failed]
    assert datetime(2025, 4, 2, 16, 0, 3, tzinfo=UTC) == failed[0].at
    assert failed[0].took is not None


def test_a_list_is_read_no_further_than_it_is_asked_for() -> None:
    """However many attempts there are."""
    following = "/webhook-requests?id[lt]=1"

    found, asked = converse(
        MANAGED.attempts(AttemptFilter(limit=3)), listing(attempt(1), attempt(2), following=following)
    )

    assert (2, 1) == (len(found), len(asked))


@pytest.mark.parametrize("content_type", [None, "application/json"])
def test_our_own_event_is_proven_as_syntages_and_is_about_nothing(content_type: str | None) -> None:
    """The receiver's own check takes it and makes nothing of it; another secret's is refused elsewhere."""
    endpoint = HookEndpoint(id="x", url=URL, secret=Secret(SECRET), content_type=content_type)

    headers, body = MANAGED.specimen(endpoint, NOW)

    assert () == vendor().read_webhook(headers, body, NOW)
    assert (content_type or "application/ld+json") == headers.get("Content-Type")
    with pytest.raises(UnsupportedError):
        MANAGED.specimen(HookEndpoint(id="x", url=URL), NOW)


def test_which_secrets_are_ours() -> None:
    """Those that were given; any, where proof was waived."""
    own, other = Secret(SECRET), Secret("another-secret-0123")
    waived = vendor(webhook_secrets=(), allow_unauthenticated=True).managed_webhooks

    assert [True, False, True, False] == [
        MANAGED.knows(own),
        MANAGED.knows(other),
        waived.knows(other),
        vendor(webhook_secrets=()).managed_webhooks.knows(own),
    ]
    assert SECRET not in repr(MANAGED)
