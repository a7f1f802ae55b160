"""The canary plugin itself: it must be able to fail."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable
from contextlib import suppress

import pytest

from belvo_async import Belvo
from belvo_async.abc import Secret
from belvo_async.errors import StoreError
from tests.canary import Watchman
from tests.core.test_discreet import within

SECRET = "canary-5e0f6c1b7d"


@pytest.fixture
def released(no_secret_shows: Watchman) -> Watchman:
    """The watchman of this test, relieved of its findings at the end: these tests leak on purpose."""
    yield no_secret_shows  # type: ignore[misc]
    no_secret_shows.secrets.clear()
    no_secret_shows.provoked.clear()
    no_secret_shows.errors.clear()


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


@within
def library(held: object) -> None:
    raise StoreError("it failed")


@within
def stumble(held: object) -> None:
    raise LookupError("no error of ours")


@pytest.mark.parametrize("held", [SECRET, [SECRET.encode()], "PRU010203AB1", b"{'rfc': 'XUPA850101AB1'}"])
@pytest.mark.parametrize("fail", [library, stumble])
def test_what_a_frame_holds_is_found(released: Watchman, held: object, fail: Callable[[object], None]) -> None:
    """A secret, or a taxpayer's id, in a frame of the library that an exception of any kind came through."""
    Secret(SECRET)

    with pytest.raises((StoreError, LookupError)) as raised:
        fail(held)

    kind = type(raised.value).__name__
    assert [
        f"what an error tracker shows, {kind}: belvo_async.somewhere.{fail.__name__}: held"
    ] == released.find_leaks()


def test_what_a_cause_holds_is_found(released: Watchman) -> None:
    """Error trackers follow causes and contexts."""

    def fail_from() -> None:
        try:
            library(SECRET)
        except StoreError as error:
            raise KeyError("mine") from error

    Secret(SECRET)

    with pytest.raises(KeyError):
        fail_from()

    assert released.find_leaks()


def test_what_a_logged_exception_holds_is_found(released: Watchman) -> None:
    """One that nobody catches, but a handler reports."""
    Secret(SECRET)

    try:
        stumble(SECRET)
    except LookupError:
        logging.getLogger("asyncio").exception("Task exception was never retrieved")

    assert released.find_leaks()


def test_what_cannot_be_shown_is_found(released: Watchman) -> None:
    """An object whose repr raises hides the error in whose frame it is."""
    with pytest.raises(StoreError):
        library(type("Odd", (), {"__repr__": lambda self: self.missing})())

    assert released.find_leaks()


def test_what_a_program_holds_is_its_own(no_secret_shows: Watchman) -> None:
    """The frames of who calls the library, and what he calls it with, are not ours to hide."""
    secret = Secret(SECRET).reveal()

    with pytest.raises(StoreError):
        library(None)

    assert secret
    assert not no_secret_shows.find_leaks()


def test_what_is_caught_inside_is_shown_to_nobody(no_secret_shows: Watchman) -> None:
    """An error that never leaves the library."""

    @within
    def cope(held: object) -> None:
        with suppress(StoreError):
            library(held)

    Secret(SECRET)

    cope(SECRET)

    assert not no_secret_shows.find_leaks()
