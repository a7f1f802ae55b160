"""Deliveries: proven first, then read; hostile ones change nothing."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from belvo_async.abc import Headers
from belvo_async.errors import PayloadError, SignatureError
from belvo_async.jobs import Nudge, Observation, Seen, Status, Way
from tests.vendors.syntage.kit import NAME, NOW, REMOTE, RFC, SECRET, raw, sample, vendor

VECTORS = sample("webhook.signature_vectors")
EVENT = "event.extraction.updated"


def sign(body: bytes, *, secret: str = SECRET, at: datetime = NOW) -> str:
    stamp = str(int(at.timestamp()))
    digest = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={stamp},s={digest}"


def read(body: object, **settings: Any) -> tuple[Observation, ...]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return vendor(**settings).read_webhook(Headers({"X-Syntage-Signature": sign(content)}), content, NOW)


@pytest.mark.parametrize("name", ["X-Syntage-Signature", "X-Satws-Signature", "x-syntage-signature"])
@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_signature_vectors(vector: dict[str, Any], name: str) -> None:
    """The signature rule, in all its spellings, under either header."""
    dialect = vendor(webhook_secrets=vector["signingSecret"])
    body = vector["rawBody"].encode()
    headers = Headers({name: vector["header"]})
    now = datetime.fromtimestamp(vector["timestamp"], UTC)

    if vector["expect"] != "valid":
        with pytest.raises(SignatureError):
            dialect.read_webhook(headers, body, now)
    elif REMOTE in vector["rawBody"]:
        assert [Status.FINISHED] == [seen.status for seen in dialect.read_webhook(headers, body, now)]
    else:
        # Proven, but about an extraction it does not name: set aside, not refused.
        with pytest.raises(PayloadError):
            dialect.read_webhook(headers, body, now)


OTHER_EVENT = raw("event.invoice.created")
GOOD = sign(OTHER_EVENT)
STAMP, _, SIGN = GOOD.partition(",")
ZEROS = "0" * 64


@pytest.mark.parametrize(
    "value",
    [
        GOOD,
        f" {STAMP} ,\t{SIGN} ",
        f"{SIGN},{STAMP}",
        f"{STAMP},s={ZEROS},{SIGN}",
        f"{STAMP},s={SIGN[2:].upper()}",
    ],
    ids=["plain", "blanks", "order", "several", "upper-case"],
)
def test_spellings_of_a_signature(value: str) -> None:
    """Blanks, order, several signatures and the case of letters do not matter."""
    assert () == vendor().read_webhook(Headers({"X-Syntage-Signature": value}), OTHER_EVENT, NOW)


@pytest.mark.parametrize(
    "value",
    [
        "",
        ",",
        STAMP,
        SIGN,
        f"{STAMP},{STAMP},{SIGN}",
        f"t=,{SIGN}",
        f"t=-{STAMP[3:]},{SIGN}",
        f"t=١٧٤٣٦١٠٨٠٠,{SIGN}",
        f"t={STAMP[2:]}0,{SIGN}",
        f"{STAMP},s={SIGN[2:-1]}",
        f"{STAMP},s={SIGN[2:]}00",
        f"{STAMP},{SIGN},",
        f"{STAMP},{SIGN},bogus",
        f"{STAMP};{SIGN}",
        f"{STAMP},s=é{SIGN[3:]}",
        f"{STAMP}," + ",".join([f"s={ZEROS}"] * 40) + f",{SIGN}",
    ],
    ids=range(16),
)
def test_malformed_signatures_prove_nothing(value: str) -> None:
    """What is not exactly one stamp and some signatures is refused, whatever the bytes."""
    with pytest.raises(SignatureError):
        vendor().read_webhook(Headers({"X-Syntage-Signature": value}), OTHER_EVENT, NOW)


@pytest.mark.parametrize(
    ("age", "is_fresh"),
    [(-301, False), (-300, True), (0, True), (300, True), (301, False)],
    ids=["future", "edge of future", "now", "edge of past", "replayed"],
)
def test_signatures_are_fresh_for_five_minutes_both_ways(age: int, is_fresh: bool) -> None:
    """A replayed delivery and one from the future are refused."""
    headers = Headers({"X-Syntage-Signature": sign(OTHER_EVENT, at=NOW - timedelta(seconds=age))})

    if is_fresh:
        assert () == vendor().read_webhook(headers, OTHER_EVENT, NOW)
        return
    with pytest.raises(SignatureError):
        vendor().read_webhook(headers, OTHER_EVENT, NOW)


@pytest.mark.parametrize(
    ("age", "said"),
    [(360, "360 s old"), (86_400, "86400 s old"), (-360, "360 s ahead of the clock here")],
    ids=["late", "a day late", "early"],
)
def test_a_clock_that_is_off_is_told_from_a_wrong_secret(age: int, said: str) -> None:
    """A signature that is right but not fresh says by how much; a wrong one says nothing of the kind."""
    at = NOW - timedelta(seconds=age)

    with pytest.raises(SignatureError, match=f"the signature is right but {said}"):
        vendor().read_webhook(Headers({"X-Syntage-Signature": sign(OTHER_EVENT, at=at)}), OTHER_EVENT, NOW)
    with pytest.raises(SignatureError, match="no signature of the delivery is right"):
        vendor().read_webhook(Headers({"X-Syntage-Signature": sign(OTHER_EVENT, at=at)}), OTHER_EVENT + b" ", NOW)


def test_the_fresher_of_two_right_signatures_counts() -> None:
    """One header may be an old one's copy; how far off is told of the nearer."""
    old, older = (sign(OTHER_EVENT, at=NOW - timedelta(seconds=each)) for each in (400, 900))
    fresh = Headers([("X-Syntage-Signature", older), ("X-Satws-Signature", GOOD)])
    stale = Headers([("X-Syntage-Signature", older), ("X-Satws-Signature", old)])

    assert () == vendor().read_webhook(fresh, OTHER_EVENT, NOW)
    with pytest.raises(SignatureError, match="400 s old"):
        vendor().read_webhook(stale, OTHER_EVENT, NOW)


def test_either_header_may_prove() -> None:
    """Both headers are on each delivery during the vendor's renaming; one that verifies is enough."""
    headers = Headers([("X-Syntage-Signature", f"{STAMP},s={ZEROS}"), ("X-Satws-Signature", GOOD)])

    assert () == vendor().read_webhook(headers, OTHER_EVENT, NOW)


def test_repeated_header_is_refused() -> None:
    """Two values of one header: somebody added one."""
    headers = Headers([("X-Syntage-Signature", GOOD), ("x-syntage-signature", GOOD)])

    with pytest.raises(SignatureError):
        vendor().read_webhook(headers, OTHER_EVENT, NOW)


def test_any_secret_may_prove() -> None:
    """Several secrets are in use while one replaces another, and for several endpoints."""
    other = "another-secret-of-another-endpoint"
    headers = Headers({"X-Syntage-Signature": sign(OTHER_EVENT, secret=other)})

    assert () == vendor(webhook_secrets=[SECRET, other]).read_webhook(headers, OTHER_EVENT, NOW)


@pytest.mark.parametrize(
    ("digest", "is_taken"),
    [
        (base64.b64encode(hashlib.sha256(OTHER_EVENT).digest()).decode(), True),
        (base64.b64encode(hashlib.sha256(b"x").digest()).decode(), False),
        ("AAAA", False),
        ("=", False),
    ],
    ids=["fits", "other body", "short", "no base64"],
)
def test_digest_is_an_extra(digest: str, is_taken: bool) -> None:
    """A digest that is there must fit; of other algorithms nothing is said."""
    headers = Headers({"X-Syntage-Signature": GOOD, "Content-Digest": f"md5=:x:, sha-256=:{digest}:"})

    if is_taken:
        assert () == vendor().read_webhook(headers, OTHER_EVENT, NOW)
        return
    with pytest.raises(SignatureError):
        vendor().read_webhook(headers, OTHER_EVENT, NOW)


def test_digest_alone_proves_nothing() -> None:
    """Anybody can compute a digest."""
    digest = base64.b64encode(hashlib.sha256(OTHER_EVENT).digest()).decode()

    with pytest.raises(SignatureError):
        vendor().read_webhook(Headers({"Content-Digest": f"sha-256=:{digest}:"}), OTHER_EVENT, NOW)


@pytest.mark.parametrize("body", [b"", b"[" * 100_000, b"\xff"])
def test_nothing_is_parsed_before_it_is_proven(body: bytes) -> None:
    """A hostile body without a proof gives a signature error, never a parser's."""
    with pytest.raises(SignatureError):
        vendor().read_webhook(Headers({"X-Syntage-Signature": GOOD}), body, NOW)


def test_without_secret_nothing_is_proven() -> None:
    """No secret: refused, unless that was waived in so many words; a secret given is used all the same."""
    body = raw(f"{EVENT}.finished")

    with pytest.raises(SignatureError):
        vendor(webhook_secrets=()).read_webhook(Headers(), body, NOW)
    assert 1 == len(vendor(webhook_secrets=(), allow_unauthenticated=True).read_webhook(Headers(), body, NOW))
    with pytest.raises(SignatureError):
        vendor(allow_unauthenticated=True).read_webhook(Headers(), body, NOW)


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("event.extraction.created", Status.PENDING),
        (f"{EVENT}.running", Status.RUNNING),
        (f"{EVENT}.stopping", Status.STOPPING),
        (f"{EVENT}.stopped", Status.STOPPED),
        (f"{EVENT}.finished", Status.FINISHED),
        (f"{EVENT}.failed", Status.FAILED),
    ],
)
def test_extraction_events_are_observations(name: str, status: Status) -> None:
    """An event's snapshot says the status; its id is what duplicates are known by."""
    (seen,) = read(raw(name))

    assert (status, Way.WEBHOOK, REMOTE, NOW) == (seen.status, seen.way, seen.remote_id, seen.at)
    assert sample(name)["id"] == seen.delivery_id
    assert isinstance(seen, Seen)
    assert seen.job_id is None


@pytest.mark.parametrize("word", ["pending", "running", "finished", "failed"])
def test_export_events_are_observations(word: str) -> None:
    """An export is a job, too; its events may lack the taxpayer."""
    export = sample(f"export.{word}")

    (seen,) = read({"id": "1", "type": "export.updated", "resource": export["@id"], "data": {"object": export}})

    assert (Status(word), Way.WEBHOOK, export["id"], None) == (seen.status, seen.way, seen.remote_id, seen.failure)


def test_failed_event_says_why() -> None:
    """The error code comes with the event."""
    (seen,) = read(raw(f"{EVENT}.failed"))

    assert seen.failure is not None
    assert ("sat_unavailable", True, 33) == (seen.failure.code, seen.failure.retryable, seen.created_count)


OTHERS = [each for each in sample("documented")["eventTypes"] if not each.startswith(("extraction.", "export."))]


@pytest.mark.parametrize("kind", OTHERS)
def test_other_events_are_about_no_job(kind: str) -> None:
    """Any other documented event is taken and says nothing, its taxpayer there or not."""
    assert () == read({"id": "1", "type": kind, "data": None})


@pytest.mark.parametrize("row", sample("collection.events.page")["hydra:member"], ids=lambda row: row["type"])
def test_events_of_a_list_read_the_same(row: dict[str, Any]) -> None:
    """An event is the same object in a list and in a delivery."""
    assert row["type"].startswith("extraction.") is bool(read(row))


def test_unknown_events_are_about_no_job() -> None:
    """A type nobody documented is no error."""
    assert () == read({"type": "moon.updated"})


def test_confirm_only_makes_us_poll() -> None:
    """With `confirm`, a proven event says nothing but which job to poll."""
    (seen,) = read(raw(f"{EVENT}.finished"), confirm=True)

    assert isinstance(seen, Nudge)
    assert REMOTE == seen.remote_id


@pytest.mark.parametrize("data", [None, [], {}, {"object": 7}, {"object": {"status": 7}}], ids=range(5))
def test_event_without_a_status_makes_us_poll(data: Any) -> None:
    """The resource names the extraction: what the snapshot does not say is looked up."""
    (seen,) = read({"type": "extraction.updated", "resource": f"/extractions/{REMOTE}", "data": data})

    assert isinstance(seen, Nudge)
    assert (REMOTE, None) == (seen.remote_id, seen.delivery_id)


def test_unknown_status_word_is_kept() -> None:
    """A word nobody documented is no status and no nudge."""
    event = sample(f"{EVENT}.finished")
    event["data"]["object"] |= {"status": "paused", "createdDataPoints": "642", "taxpayer": "?", "startedAt": 1}

    (seen,) = read(event)

    assert isinstance(seen, Seen)
    assert (None, "paused", 642) == (seen.status, seen.vendor_status, seen.created_count)


def test_plain_json_deliveries_are_read() -> None:
    """`application/json` deliveries have no `@` keys, and the taxpayer may be missing."""
    event = {key: value for key, value in sample(f"{EVENT}.finished").items() if key[0] != "@" and key != "taxpayer"}

    (seen,) = read(event)

    assert Status.FINISHED == seen.status


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"7",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"id": "1"}',
        b'{"type": 7}',
        b'{"type": "extraction.updated"}',
        b'{"type": "extraction.updated", "resource": "/extractions/"}',
        b'{"type": "extraction.updated", "data": {"object": {"id": "a b"}}}',
        b'{"type": "x", "type": "extraction.updated"}',
        b'{"type": "x", "data": {"object": {"status": "failed", "status": "finished"}}}',
        b'{"type": "x"',
        b'{"type": "x", "data": ' + b"[" * 100 + b"]" * 100 + b"}",
        b'{"type":' * 100_000,
    ],
    ids=range(15),
)
def test_proven_but_unreadable_is_said_so(body: bytes) -> None:
    """A proven delivery that cannot be read is told apart from an unproven one, without its content."""
    with pytest.raises(PayloadError) as caught:
        read(body)

    assert "a b" not in str(caught.value)


def test_observations_hold_no_taxpayer() -> None:
    """Neither RFC nor name gets into what is stored or logged."""
    (seen,) = read(raw(f"{EVENT}.finished"))

    assert RFC not in repr(seen)
    assert NAME not in repr(seen)
