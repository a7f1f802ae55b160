"""What both vendors are configured with: read by the same rules."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from belvo_async import Belvo, ConfigurationError, Syntage

AUTHORIZATION = "Bearer invented-webhook-value"
SECRET = "invented-signing-secret-0123456789"


def a_belvo(**keywords: Any) -> Belvo:
    return Belvo("an-id", "pass-7c1e9f40", **keywords)


def a_syntage(**keywords: Any) -> Syntage:
    return Syntage("key-7c1e9f40", **keywords)


both = pytest.mark.parametrize("make", [a_belvo, a_syntage], ids=["belvo", "syntage"])


@both
@pytest.mark.parametrize(
    ("base_url", "origin"),
    [
        ("https://RELAY.example.com:443/", "https://relay.example.com"),
        ("http://127.0.0.2", "http://127.0.0.2"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("https://relay.example.com:8443", "https://relay.example.com:8443"),
    ],
)
def test_every_spelling_of_an_origin_is_one_account(make: Callable[..., Any], base_url: str, origin: str) -> None:
    """Scheme, host and port, the standard port left out; all of 127.0.0.0/8 is loopback."""
    vendor, plainly = make(base_url=base_url), make(base_url=origin)

    assert (origin, plainly.account) == (vendor.origin, vendor.account)


@both
@pytest.mark.parametrize(
    "base_url", ["https://a.example.com\n", " https://a.example.com", "https://a.example.com\\@b", "http://128.0.0.1"]
)
def test_an_unsafe_address_is_refused(make: Callable[..., Any], base_url: str) -> None:
    with pytest.raises(ConfigurationError):
        make(base_url=base_url)


@pytest.mark.parametrize("end", ["\n", "\r\n", " ", "\t", "\u00a0", "\u2028"], ids=ascii)
def test_a_secret_with_a_line_break_is_refused(end: str) -> None:
    """Pasted or read from a file: with it, every genuine delivery would be refused. Nothing of it is repeated."""
    for make in (
        lambda: a_belvo(webhook_authorization=AUTHORIZATION + end),
        lambda: a_syntage(webhook_secrets=[SECRET + end]),
        lambda: a_syntage(webhook_secrets=end + SECRET),
        lambda: Belvo("an-id", "pass-7c1e9f40" + end),
        lambda: Belvo("an-id" + end, "pass-7c1e9f40"),
        lambda: Syntage("key-7c1e9f40" + end),
    ):
        with pytest.raises(ConfigurationError) as refused:
            make()
        assert "invented" not in str(refused.value)
        assert "7c1e9f40" not in str(refused.value)


def test_a_variable_may_have_brought_its_line_break_along() -> None:
    """`$(cat secret)` cuts it, other ways of filling an environment do not."""
    belvo = Belvo.from_env(
        {
            "BELVO_SECRET_ID": "an-id\n",
            "BELVO_SECRET_PASSWORD": " pass-7c1e9f40\r\n",
            "BELVO_ENV": "production\n",
            "BELVO_WEBHOOK_AUTH": AUTHORIZATION + "\n",
        }
    )
    syntage = Syntage.from_env(
        {"SYNTAGE_API_KEY": "key-7c1e9f40\n", "SYNTAGE_ENV": "sandbox\n", "SYNTAGE_WEBHOOK_SECRET": SECRET + "\n"}
    )

    assert a_belvo(environment="production").credentials() == belvo.credentials()
    assert a_syntage().credentials() == syntage.credentials()
    assert belvo.accepts_webhooks
    assert syntage.accepts_webhooks


@both
@pytest.mark.parametrize("timeout", [timedelta(0), timedelta(seconds=-1), 30, "30"], ids=str)
def test_a_time_limit_that_cannot_be_is_refused(make: Callable[..., Any], timeout: Any) -> None:
    """Numbers have no unit."""
    with pytest.raises(ConfigurationError, match="timeout must be a timedelta"):
        make(timeout=timeout)


@both
@pytest.mark.parametrize("flag", ["no", 0, None], ids=str)
def test_a_flag_is_exactly_true_or_false(make: Callable[..., Any], flag: Any) -> None:
    """The text "no" would count as true, and waive the proof of deliveries."""
    with pytest.raises(ConfigurationError, match="allow_unauthenticated must be True or False"):
        make(allow_unauthenticated=flag)


@both
@pytest.mark.parametrize("base_url", [None, "https://relay.example.com"], ids=["alone", "with an address"])
def test_an_unknown_environment_is_refused(make: Callable[..., Any], base_url: str | None) -> None:
    """Also where an address stands in for it: whoever wrote it meant something else."""
    with pytest.raises(ConfigurationError, match="environment must be sandbox or production"):
        make(environment="staging", base_url=base_url)


@pytest.mark.parametrize(
    ("read", "key"),
    [
        (Belvo.from_env, {"BELVO_SECRET_ID": "an-id", "BELVO_SECRET_PASSWORD": "pass-7c1e9f40"}),
        (Syntage.from_env, {"SYNTAGE_API_KEY": "key-7c1e9f40"}),
    ],
    ids=["belvo", "syntage"],
)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENV", "prod-7c1e9f40"),
        ("BASE_URL", "http://relay-7c1e9f40.example.com"),
        ("ACCOUNT", "invoices/7c1e9f40"),
        ("PREVIOUS_KEYS", "7c1e9f40\u00f1"),
    ],
)
def test_a_wrong_variable_is_named(read: Callable[..., Any], key: dict[str, str], name: str, value: str) -> None:
    """By its whole name and without its value, the same of every vendor; an empty one is none."""
    prefix = next(iter(key)).partition("_")[0]
    with pytest.raises(ConfigurationError, match=f"{prefix}_{name}") as refused:
        read({**key, f"{prefix}_{name}": value})

    assert "7c1e9f40" not in str(refused.value)
    assert read(key).account == read({**key, f"{prefix}_{name}": " \n"}).account
