"""Settings and errors: what the dialect is told, and what it tells."""

from __future__ import annotations

import hashlib
import pickle
from datetime import timedelta
from typing import Any

import pytest

from belvo_async.abc import Vendor
from belvo_async.errors import AuthenticationError, ConfigurationError, NotFoundError, RateLimitError, VendorError
from belvo_async.vendors import syntage
from tests.vendors.syntage.kit import KEY, NOW, RFC, SECRET, answer, invoice_task, raw, sample, vendor


def test_dialect_is_a_vendor() -> None:
    """All of the contract is there, and what it promises about itself holds."""
    dialect: Vendor = vendor()

    assert ("syntage", "https://api.sandbox.syntage.com") == (dialect.name, dialect.origin)
    assert f"{dialect.origin}#{hashlib.sha256(KEY.encode()).hexdigest()[:12]}" == dialect.account
    assert {"syntage.Extraction": syntage.Extraction, "syntage.Export": syntage.Export} == dialect.tasks
    assert {syntage.Entities, syntage.TaxReturns} < set(dialect.queries)
    assert {syntage.CreateCredential, syntage.GetInvoice} < set(dialect.calls)
    assert {syntage.FileDownload, syntage.Cfdi} < set(dialect.downloads)
    assert dialect.lane(invoice_task()) is None


@pytest.mark.parametrize(
    ("settings", "accepts"),
    [({}, True), ({"webhook_secrets": ()}, False), ({"webhook_secrets": (), "allow_unauthenticated": True}, True)],
    ids=["secret", "none", "waived"],
)
def test_webhooks_need_a_secret_or_a_waiver(settings: dict[str, Any], accepts: bool) -> None:
    """Deliveries are accepted when they can be proven, or proof was waived."""
    assert accepts is vendor(**settings).accepts_webhooks


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ("https://api.syntage.com", "https://api.syntage.com"),
        ("https://api.syntage.com/", "https://api.syntage.com"),
        ("https://proxy.example:8443", "https://proxy.example:8443"),
        ("http://localhost:9000", "http://localhost:9000"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("http://[::1]:9000", "http://[::1]:9000"),
    ],
)
def test_base_url_becomes_the_origin(given: str, origin: str) -> None:
    """https anywhere, http on loopback."""
    assert origin == vendor(base_url=given).origin


@pytest.mark.parametrize(
    "settings",
    [
        {"base_url": "http://api.syntage.com"},
        {"base_url": "http://127.0.0.1.evil.example"},
        {"base_url": "https://user:word@api.syntage.com"},
        {"base_url": "https://api.syntage.com/v1"},
        {"base_url": "https://api.syntage.com?x=1"},
        {"base_url": "https://"},
        {"base_url": "https://[::1"},
        {"base_url": "https://a:99999"},
        {"base_url": "ftp://localhost"},
        {"environment": "staging"},
        {"webhook_secrets": "short"},
        {"webhook_secrets": [SECRET, ""]},
        {"webhook_secrets": None},
        {"webhook_secrets": [SECRET, 7]},
        {"webhook_secrets": [SECRET.encode()]},
        {"base_url": 7},
        {"base_url": b"https://api.syntage.com"},
        {"environment": ["sandbox"]},
        {"environment": None},
        {"webhook_url": "http://hooks.example/word"},
        {"webhook_url": "https://user:word@hooks.example/"},
        {"webhook_url": "https://hooks.example/wo rd"},
        {"webhook_url": "hooks.example/word"},
        {"webhook_url": "https://[::1"},
        {"webhook_url": "https://hooks.example\\word"},
        {"webhook_url": 7},
        {"webhook_url": ""},
    ],
    ids=range(27),
)
def test_unsafe_settings_are_refused(settings: dict[str, Any]) -> None:
    """What would send the key elsewhere or in the clear, or could be guessed, is refused without repeating it."""
    with pytest.raises(ConfigurationError) as caught:
        vendor(**settings)

    assert "word" not in str(caught.value)
    assert "short" not in str(caught.value)


@pytest.mark.parametrize("key", ["", " ", "a\r\nX-Other: 1", "ñ", None, b"key", 7])
def test_keys_must_fit_a_header(key: Any) -> None:
    """A key no header can carry is refused without repeating it."""
    with pytest.raises(ConfigurationError) as caught:
        syntage.Syntage(key)

    assert "X-Other" not in str(caught.value)


def test_production_is_asked_for_by_name() -> None:
    """The sandbox is the default."""
    assert "https://api.syntage.com" == vendor(environment="production").origin


def test_environment_variables_are_read() -> None:
    """Three variables say all; several secrets are parted by commas."""
    dialect = syntage.Syntage.from_env(
        {"SYNTAGE_API_KEY": KEY, "SYNTAGE_ENV": "production", "SYNTAGE_WEBHOOK_SECRET": f"{SECRET}, {SECRET}1 ,"}
    )

    assert vendor(environment="production").account == dialect.account
    assert dialect.accepts_webhooks


def test_the_receivers_address_comes_from_the_environment() -> None:
    """It is checked as the argument is, and named instead of it; http only on loopback."""
    environ = {"SYNTAGE_API_KEY": KEY}
    url = "http://127.0.0.1:8080/webhooks/syntage"

    assert url == syntage.Syntage.from_env({**environ, "SYNTAGE_WEBHOOK_URL": url}).managed_webhooks.url
    assert None is syntage.Syntage.from_env(environ).managed_webhooks.url
    with pytest.raises(ConfigurationError, match="SYNTAGE_WEBHOOK_URL must be an https address") as refused:
        syntage.Syntage.from_env({**environ, "SYNTAGE_WEBHOOK_URL": "http://hooks.example/word"})
    assert "word" not in str(refused.value)


def test_another_address_comes_from_the_environment() -> None:
    """SYNTAGE_BASE_URL is checked as the argument is, and named instead of it."""
    environ = {"SYNTAGE_API_KEY": KEY}

    assert "http://[::1]:8802" == syntage.Syntage.from_env({**environ, "SYNTAGE_BASE_URL": "http://[::1]:8802"}).origin
    with pytest.raises(ConfigurationError, match="SYNTAGE_BASE_URL must be https") as refused:
        syntage.Syntage.from_env({**environ, "SYNTAGE_BASE_URL": "http://relay.example.com"})

    assert "relay" not in str(refused.value)


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({}, "SYNTAGE_API_KEY"),
        ({"SYNTAGE_API_KEY": " "}, "SYNTAGE_API_KEY"),
        ({"SYNTAGE_API_KEY": KEY, "SYNTAGE_ENV": "prod-secret"}, "SYNTAGE_ENV"),
    ],
    ids=["missing", "blank", "unknown"],
)
def test_missing_variables_are_named(environ: dict[str, str], name: str) -> None:
    """The error names the variable, never a value."""
    with pytest.raises(ConfigurationError, match=name) as caught:
        syntage.Syntage.from_env(environ)

    assert KEY not in str(caught.value)
    assert "prod-secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "name", "kind", "code"),
    [
        (400, "error.400.validation", VendorError, "validation"),
        (400, "error.400.cursor_only", VendorError, "bad_request"),
        (401, "error.401", AuthenticationError, "unauthorized"),
        (403, "error.403", AuthenticationError, "forbidden"),
        (404, "error.404", NotFoundError, "not_found"),
        (409, "error.409.duplicate_extraction", VendorError, "conflict"),
        (422, "error.422", VendorError, "unprocessable"),
    ],
)
def test_errors_are_told_in_our_words(status: int, name: str, kind: type[VendorError], code: str) -> None:
    """Each documented error body becomes one error; its free text, which may name persons, does not."""
    error = vendor().read_error(answer(status, raw(name), {"X-Request-ID": "Root=1-67ed61a0"}))

    assert (kind, status, code, "Root=1-67ed61a0") == (type(error), error.status_code, error.code, error.request_id)
    assert "invented" not in str(error)
    assert error.field == ("extractor" if code == "validation" else None)
    assert str(error) == str(pickle.loads(pickle.dumps(error)))


def test_rate_limit_error_says_how_long() -> None:
    """The wait is measured from the answer's own date."""
    limited = sample("error.429")
    headers = {**limited["headers"], "Date": "Wed, 02 Apr 2025 16:19:00 GMT"}

    error = vendor().read_error(answer(429, limited["body"], headers))

    assert isinstance(error, RateLimitError)
    assert (timedelta(minutes=1), "rate_limited") == (error.retry_after, error.code)


def test_rate_limit_error_without_a_clue() -> None:
    """An epoch alone means nothing without a clock."""
    error = vendor().read_error(answer(429, b"", {"X-RateLimit-Reset": str(int(NOW.timestamp()))}))

    assert isinstance(error, RateLimitError)
    assert error.retry_after is None


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b'{"violations": 7}', b'{"violations": []}', b"[" * 9999, b"\xff", f'"{RFC}"'.encode()],
    ids=range(8),
)
def test_any_body_gives_an_error(body: bytes) -> None:
    """A proxy's page or nonsense is told by the status alone."""
    error = vendor().read_error(answer(502, body, {"X-Request-ID": f"the taxpayer {RFC}"}))

    assert (VendorError, "http_502", None) == (type(error), error.code, error.request_id)
    assert RFC not in str(error)
