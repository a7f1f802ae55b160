"""How an account is named, so that it outlives its keys."""

from __future__ import annotations

import pytest

from belvo_async import Belvo, ConfigurationError, Syntage
from belvo_async.abc import Secret
from belvo_async.accounts import identify, read_keys, read_name

ORIGIN = "https://api.example"
OLD, NEW = Secret("old-key-0123456789"), Secret("new-key-0123456789")


def test_a_name_is_the_account_whatever_the_keys() -> None:
    """Every key of an account with a name leads to the same jobs."""
    assert f"{ORIGIN}#acme" == identify(ORIGIN, [OLD], "acme").account == identify(ORIGIN, [NEW], "acme").account


def test_without_a_name_the_oldest_key_is_the_account() -> None:
    """While the key is changed the account stays; the key alone, before or after, is taken up too."""
    before, after = identify(ORIGIN, [OLD], None), identify(ORIGIN, [NEW], None)

    meanwhile = identify(ORIGIN, [NEW, OLD], None)

    assert (before.account, (after.account,)) == meanwhile
    assert before.account != after.account


def test_a_name_takes_up_the_jobs_of_its_keys() -> None:
    """Whoever gives a name later loses nothing that was fired without one."""
    named = identify(ORIGIN, [NEW, OLD], "acme")

    assert (identify(ORIGIN, [OLD], None).account, identify(ORIGIN, [NEW], None).account) == named.former_accounts


def test_one_key_without_a_name_has_no_other_account() -> None:
    """The usual case costs nothing."""
    assert () == identify(ORIGIN, [NEW], None).former_accounts


@pytest.mark.parametrize("name", ["acme", "a", "Acme-2.mx", "ops@acme", "a" * 40, "0123456789abcdef"])
def test_names(name: str) -> None:
    """Short and printable."""
    assert name == read_name(name, [NEW])


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "a b",
        "ñandú",
        "a" * 41,
        "a/b",
        "a#b",
        "-a",
        "a\n",
        "0123456789ab",
        7,
        b"acme",
        NEW.reveal(),
        OLD.reveal(),
    ],
)
def test_other_names_are_refused_without_repeating_them(name: object) -> None:
    """It may be a key that was typed in the wrong place."""
    with pytest.raises(ConfigurationError) as refused:
        read_name(name, [NEW, OLD])

    assert len(str(name)) < 3 or str(name) not in str(refused.value)


@pytest.mark.parametrize("given", [7, [""], [7], "", "a\nb", [b"key"], "ñ"])
def test_earlier_keys_are_texts(given: object) -> None:
    """One or several; what can be no key is refused."""
    with pytest.raises(ConfigurationError):
        read_keys(given)


def test_syntage_takes_name_and_keys_from_the_environment() -> None:
    """SYNTAGE_ACCOUNT and SYNTAGE_PREVIOUS_KEYS."""
    environ = {"SYNTAGE_API_KEY": "new", "SYNTAGE_PREVIOUS_KEYS": "older, oldest"}

    nameless = Syntage.from_env(environ)
    named = Syntage.from_env({**environ, "SYNTAGE_ACCOUNT": "acme"})

    assert Syntage("oldest").account == nameless.account
    assert "https://api.sandbox.syntage.com#acme" == named.account
    assert 3 == len(named.former_accounts)


def test_belvo_takes_name_and_keys_from_the_environment() -> None:
    """BELVO_ACCOUNT and BELVO_PREVIOUS_KEYS, earlier secret ids."""
    environ = {"BELVO_SECRET_ID": "new", "BELVO_SECRET_PASSWORD": "password", "BELVO_PREVIOUS_KEYS": "old"}

    nameless = Belvo.from_env(environ)
    named = Belvo.from_env({**environ, "BELVO_ACCOUNT": "acme"})

    assert Belvo("old", "any").account == nameless.account
    assert "https://sandbox.belvo.com#acme" == named.account


@pytest.mark.parametrize("name", ["SYNTAGE_ACCOUNT", "SYNTAGE_PREVIOUS_KEYS", "BELVO_ACCOUNT", "BELVO_PREVIOUS_KEYS"])
def test_an_unusable_variable_is_named(name: str) -> None:
    """Not its value: it may be a key."""
    keys = {"SYNTAGE_API_KEY": "k", "BELVO_SECRET_ID": "i", "BELVO_SECRET_PASSWORD": "p"}
    vendor = Syntage if name.startswith("SYNTAGE") else Belvo

    with pytest.raises(ConfigurationError, match=name) as refused:
        vendor.from_env({**keys, name: "canaryñ"})

    assert "canary" not in str(refused.value)


def test_no_key_shows_in_an_account() -> None:
    """Nor in what reprs show."""
    vendor = Syntage("canary-key-one", previous_keys=["canary-key-two"], account="acme")

    assert "canary" not in f"{vendor!r} {vendor.account} {vendor.former_accounts}"
