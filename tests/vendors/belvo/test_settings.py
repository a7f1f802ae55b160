"""How a Belvo is configured, and that nothing of it leaks."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest

from belvo_async.abc import Budget, Vendor
from belvo_async.errors import ConfigurationError, UnsupportedError
from belvo_async.jobs import Absent, Status, Way
from belvo_async.vendors.belvo import Belvo
from tests.vendors.belvo.samples import AUTHORIZATION, BELVO, NOW, converse, job_of

ENVIRON = {"BELVO_SECRET_ID": "an-id", "BELVO_SECRET_PASSWORD": "a-password"}


def test_belvo_is_a_vendor() -> None:
    """The dialect keeps the contract, which type checkers compare."""
    vendor: Vendor = BELVO

    assert "belvo" == vendor.name


@pytest.mark.parametrize(
    ("environ", "origin"),
    [
        pytest.param(ENVIRON, "https://sandbox.belvo.com", id="sandbox unless told"),
        pytest.param({**ENVIRON, "BELVO_ENV": ""}, "https://sandbox.belvo.com", id="empty is not told"),
        pytest.param({**ENVIRON, "BELVO_ENV": "production"}, "https://api.belvo.com", id="production"),
    ],
)
def test_the_environment_chooses_the_origin(environ: dict[str, str], origin: str) -> None:
    assert origin == Belvo.from_env(environ).origin


@pytest.mark.parametrize("name", ["BELVO_SECRET_ID", "BELVO_SECRET_PASSWORD"])
def test_a_missing_variable_is_named_and_no_value_is(name: str) -> None:
    """The message says which variable is missing and shows no other's value."""
    with pytest.raises(ConfigurationError) as refused:
        Belvo.from_env({**ENVIRON, name: ""})

    assert name in str(refused.value)
    assert not any(value in str(refused.value) for value in ENVIRON.values())


def test_an_unknown_environment_is_refused_without_repeating_it() -> None:
    with pytest.raises(ConfigurationError, match="BELVO_ENV") as refused:
        Belvo.from_env({**ENVIRON, "BELVO_ENV": "prod-with-secret"})

    assert "prod-with-secret" not in str(refused.value)


def test_another_address_comes_from_the_environment() -> None:
    """BELVO_BASE_URL is checked as the argument is, and named instead of it."""
    assert "http://127.0.0.1:8801" == Belvo.from_env({**ENVIRON, "BELVO_BASE_URL": "http://127.0.0.1:8801/"}).origin
    with pytest.raises(ConfigurationError, match="BELVO_BASE_URL must be https") as refused:
        Belvo.from_env({**ENVIRON, "BELVO_BASE_URL": "http://relay.example.com"})

    assert "relay" not in str(refused.value)


def test_webhooks_can_be_proven_from_the_environment() -> None:
    """BELVO_WEBHOOK_AUTH is the whole header value."""
    assert Belvo.from_env({**ENVIRON, "BELVO_WEBHOOK_AUTH": AUTHORIZATION}).accepts_webhooks
    assert not Belvo.from_env(ENVIRON).accepts_webhooks
    assert Belvo("an-id", "pass-7c1e9f40", allow_unauthenticated=True).accepts_webhooks


@pytest.mark.parametrize(
    ("base_url", "origin"),
    [
        pytest.param("https://RELAY.example.com/", "https://relay.example.com", id="capitals and slash"),
        pytest.param("https://relay.example.com:443", "https://relay.example.com", id="standard port"),
        pytest.param("https://relay.example.com:8443", "https://relay.example.com:8443", id="own port"),
        pytest.param("http://127.0.0.1:8080", "http://127.0.0.1:8080", id="loopback"),
        pytest.param("http://localhost:8080", "http://localhost:8080", id="localhost"),
        pytest.param("http://[::1]:8080", "http://[::1]:8080", id="IPv6 loopback"),
    ],
)
def test_a_base_url_becomes_the_origin(base_url: str, origin: str) -> None:
    assert origin == Belvo("an-id", "pass-7c1e9f40", base_url=base_url).origin


@pytest.mark.parametrize(
    "base_url",
    [
        "http://relay.example.com",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "https://user:pass@relay.example.com",
        "https://relay.example.com/api",
        "https://relay.example.com?key=1",
        "https://relay.example.com:port",
        "https://",
        "ftp://relay.example.com",
        "relay.example.com",
        "https://relay.example.com\\@evil.example.com",
        "https://[::1",
    ],
)
def test_an_unsafe_base_url_is_refused(base_url: str) -> None:
    """Credentials go there: https except on loopback, and nothing but scheme, host and port."""
    with pytest.raises(ConfigurationError) as refused:
        Belvo("an-id", "pass-7c1e9f40", base_url=base_url)

    assert "pass@" not in str(refused.value)


@pytest.mark.parametrize(
    "keywords",
    [
        pytest.param({"secret_id": ""}, id="no id"),
        pytest.param({"secret_id": "a:b"}, id="colon in the id"),
        pytest.param({"secret_id": "a\udcffb"}, id="id of undecodable bytes"),
        pytest.param({"secret_password": ""}, id="no password"),
        pytest.param({"secret_password": "a\nb"}, id="line end in the password"),
        pytest.param({"environment": "development"}, id="an environment that was switched off"),
        pytest.param({"webhook_authorization": ""}, id="empty authorization"),
        pytest.param({"webhook_authorization": "Bearer 12345678"}, id="15 characters"),
        pytest.param({"webhook_authorization": "Bearer ñ0123456789"}, id="authorization beyond ASCII"),
        pytest.param({"webhook_authorization": AUTHORIZATION + "\n"}, id="authorization with a line end"),
        pytest.param({"quiet": timedelta(0)}, id="no quiet at all"),
        pytest.param({"quiet": timedelta(seconds=-1)}, id="quiet before the last report"),
        pytest.param({"quiet": 600}, id="quiet of a bare number"),
        pytest.param({"secret_id": None}, id="id None"),
        pytest.param({"secret_id": 3}, id="id that is no text"),
        pytest.param({"secret_password": b"x"}, id="password in bytes"),
        pytest.param({"base_url": 3}, id="address that is no text"),
        pytest.param({"environment": []}, id="environment that is no text"),
        pytest.param({"webhook_authorization": 3}, id="authorization that is no text"),
        pytest.param({"allow_unauthenticated": "no"}, id="a proof waived by a word"),
        pytest.param({"budget": None}, id="neither with nor without budget"),
    ],
)
def test_unsafe_settings_are_refused(keywords: dict[str, Any]) -> None:
    """The message names the setting."""
    with pytest.raises(ConfigurationError, match=next(iter(keywords))):
        Belvo(**{"secret_id": "an-id", "secret_password": "pass-7c1e9f40", **keywords})


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        pytest.param("BELVO_WEBHOOK_AUTH", "Bearer 12345678", id="short authorization"),
        pytest.param("BELVO_WEBHOOK_AUTH", "Bearer ñ0123456789", id="authorization beyond ASCII"),
        pytest.param("BELVO_BASE_URL", "http://relay.example.com", id="address without TLS"),
        pytest.param("BELVO_ENV", "development", id="an environment that was switched off"),
    ],
)
def test_an_unsafe_variable_is_refused_by_its_name(variable: str, value: str) -> None:
    """Whoever set it sees what to mend; the value is not repeated."""
    with pytest.raises(ConfigurationError) as refused:
        Belvo.from_env({**ENVIRON, variable: value})

    assert variable in str(refused.value)
    assert value not in str(refused.value)


def test_credentials_are_http_basic() -> None:
    assert {"Authorization": "Basic " + base64.b64encode(b"key-id:key-password").decode()} == BELVO.credentials()


def test_no_secret_shows() -> None:
    """Neither repr nor the account shows a key, a password or the webhooks' value."""
    shown = f"{BELVO!r} {BELVO} {BELVO.account}"

    assert not any(secret in shown for secret in ("key-id", "key-password", AUTHORIZATION))
    assert "Belvo(https://sandbox.belvo.com)" == repr(BELVO)


def test_the_account_is_the_origin_and_a_hash_of_the_key() -> None:
    """Equal keys at equal origins are one account; anything else is another."""
    origin, digest = BELVO.account.split("#")

    assert ("https://sandbox.belvo.com", 12) == (origin, len(digest))
    assert BELVO.account == Belvo("key-id", "new-password").account
    assert BELVO.account != Belvo("other-id", "key-password").account
    assert BELVO.account != Belvo("key-id", "key-password", environment="production").account


def test_every_request_counts_against_80_in_30_seconds() -> None:
    """The budget is that of the error catalogue, shared by all workers of an account; it can be left out."""
    budget = Budget(key=BELVO.account, limit=80, span=timedelta(seconds=30))

    asked = [
        next(BELVO.start(job_of(), NOW)),
        next(BELVO.poll([job_of()], NOW)),
        next(BELVO.results(job_of()).steps(None)),
    ]

    assert [budget] * 3 == [request.budget for request in asked]
    assert next(Belvo("a", "b", budget=False).start(job_of(), NOW)).budget is None


def test_belvo_cannot_stop_a_job() -> None:
    with pytest.raises(UnsupportedError):
        BELVO.stop(job_of(), NOW)


@pytest.mark.parametrize(("minutes", "final"), [(14, False), (15, True)])
def test_an_uncertain_job_is_searched_for_fifteen_minutes(minutes: int, final: bool) -> None:
    """No request can find it; only a delivery may still claim it."""
    job = job_of(status=Status.UNCERTAIN, remote_id=None, attempted_at=NOW - timedelta(minutes=minutes))

    seen, asked = converse(BELVO.find(job, NOW))

    assert Absent(way=Way.POLL, at=NOW, job_id="job-1", final=final) == seen
    assert [] == asked


@pytest.mark.parametrize(("minutes", "final"), [(None, False), (14, False), (15, True)])
def test_a_job_whose_attempt_is_not_known_is_searched_since_the_first_search(minutes: int | None, final: bool) -> None:
    """Its store went back to an earlier state: however old it is, its delivery may still come."""
    since = None if minutes is None else NOW - timedelta(minutes=minutes)
    job = job_of(status=Status.UNCERTAIN, attempted_at=None, created_at=NOW - timedelta(days=2), absent_since=since)

    assert Absent(way=Way.POLL, at=NOW, job_id="job-1", final=final) == converse(BELVO.find(job, NOW))[0]
