"""The canary plugin itself: it must be able to fail."""

from __future__ import annotations

import base64
import logging

import pytest

from belvo_async import Belvo
from belvo_async.abc import Secret
from belvo_async.errors import StoreError
from tests.canary import Watchman

SECRET = "canary-5e0f6c1b7d"


@pytest.fixture
def released(no_secret_shows: Watchman) -> Watchman:
    """The watchman of this test, relieved of its findings at the end: these tests leak on purpose."""
    yield no_secret_shows  # type: ignore[misc]
    no_secret_shows.secrets.clear()


def test_a_logged_secret_is_found(released: Watchman) -> None:
    """A log line that holds the text is a leak, also in its fields."""
    Secret(SECRET)

    logging.getLogger("belvo_async").debug("constant text", extra={"field": f"x{SECRET}y"})

    assert ["log line belvo_async"] == released.find_leaks()


def test_a_secret_in_an_exception_is_found(released: Watchman) -> None:
    """The text of any error of ours is searched, raised or not."""
    Secret(SECRET)

    error = StoreError(f"could not use {SECRET}")

    assert "text of StoreError" in released.find_leaks()
    del error


@pytest.mark.parametrize("prefix", ["", "a", "ab", "abc:"])
def test_a_base64_secret_is_found(released: Watchman, prefix: str) -> None:
    """Basic authentication hides the password in base64 at any alignment."""
    Secret(SECRET)

    logging.getLogger("belvo_async").debug(base64.b64encode(f"{prefix}{SECRET}zz".encode()).decode())

    assert released.find_leaks()


def test_a_vendor_shows_no_secret(no_secret_shows: Watchman) -> None:
    """Neither repr nor str of a vendor holds its credentials."""
    vendor = Belvo("id-0123456789", SECRET, webhook_authorization="Bearer 0123456789abcdef")

    shown = f"{vendor!r} {vendor}"

    assert SECRET not in shown
    assert {SECRET, "id-0123456789"} <= no_secret_shows.secrets
