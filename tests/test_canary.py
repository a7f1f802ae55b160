"""The canary plugin itself: it must be able to fail."""

from __future__ import annotations

import base64
import gc
import logging
import uuid
from collections.abc import Callable
from contextlib import suppress

import pytest

from belvo_async import Belvo
from belvo_async.abc import Secret
from belvo_async.errors import StoreError
from tests.canary import Watchman
from tests.test_discreet import within


@pytest.fixture
def secret() -> str:
    """One of each test's own: what another left on purpose may not be collected yet."""
    return f"canary-{uuid.uuid4().hex}"


@pytest.fixture
def released(no_secret_shows: Watchman) -> Watchman:
    """The watchman of this test, relieved of its findings at the end: these tests leak on purpose."""
    yield no_secret_shows  # type: ignore[misc]
    no_secret_shows.secrets.clear()
    no_secret_shows.provoked.clear()
    no_secret_shows.errors.clear()


def test_a_logged_secret_is_found(released: Watchman, secret: str) -> None:
    """A log line that holds the text is a leak, also in its fields."""
    Secret(secret)

    logging.getLogger("belvo_async").debug("constant text", extra={"field": f"x{secret}y"})

    assert ["log line belvo_async"] == released.find_leaks()


def test_a_secret_in_an_exception_is_found(released: Watchman, secret: str) -> None:
    """The text of any error of ours is searched, raised or not."""
    Secret(secret)

    error = StoreError(f"could not use {secret}")

    assert "text of StoreError" in released.find_leaks()
    del error


@pytest.mark.parametrize("is_old", [False, True], ids=["young", "old"])
def test_a_secret_in_the_repr_of_a_live_object_is_found(released: Watchman, secret: str, *, is_old: bool) -> None:
    """Whatever is ours and alive, also what a full collection has moved among the old."""
    shows = type("Shows", (), {"__module__": "belvo_async.somewhere", "__repr__": lambda self: self.text})
    alive = shows()
    alive.text = Secret(secret).reveal()

    if is_old:
        gc.collect()

    assert ["repr of Shows"] == released.find_leaks()
    del alive


@pytest.mark.parametrize("prefix", ["", "a", "ab", "abc:"])
def test_a_base64_secret_is_found(released: Watchman, prefix: str, secret: str) -> None:
    """Basic authentication hides the password in base64 at any alignment."""
    Secret(secret)

    logging.getLogger("belvo_async").debug(base64.b64encode(f"{prefix}{secret}zz".encode()).decode())

    assert released.find_leaks()


def test_a_vendor_shows_no_secret(no_secret_shows: Watchman, secret: str) -> None:
    """Neither repr nor str of a vendor holds its credentials."""
    vendor = Belvo("id-0123456789", secret, webhook_authorization="Bearer 0123456789abcdef")

    shown = f"{vendor!r} {vendor}"

    assert secret not in shown
    assert {secret, "id-0123456789"} <= no_secret_shows.secrets


@within
def library(held: object) -> None:
    raise StoreError("it failed")


@within
def stumble(held: object) -> None:
    raise LookupError("no error of ours")


@pytest.mark.parametrize(
    "held",
    [
        pytest.param(lambda secret: secret, id="secret"),
        pytest.param(lambda secret: [secret.encode()], id="secret as bytes"),
        pytest.param(lambda _: "PRU010203AB1", id="company"),
        pytest.param(lambda _: b"{'rfc': 'XUPA850101AB1'}", id="person"),
    ],
)
@pytest.mark.parametrize("fail", [library, stumble])
def test_what_a_frame_holds_is_found(
    released: Watchman, secret: str, held: Callable[[str], object], fail: Callable[[object], None]
) -> None:
    """A secret, or a taxpayer's id, in a frame of the library that an exception of any kind came through."""
    Secret(secret)

    with pytest.raises((StoreError, LookupError)) as raised:
        fail(held(secret))

    kind = type(raised.value).__name__
    assert [
        f"what an error tracker shows, {kind}: belvo_async.somewhere.{fail.__name__}: held"
    ] == released.find_leaks()


def test_what_a_cause_holds_is_found(released: Watchman, secret: str) -> None:
    """Error trackers follow causes and contexts."""

    def fail_from() -> None:
        try:
            library(secret)
        except StoreError as error:
            raise KeyError("mine") from error

    Secret(secret)

    with pytest.raises(KeyError):
        fail_from()

    assert released.find_leaks()


def test_what_a_logged_exception_holds_is_found(released: Watchman, secret: str) -> None:
    """One that nobody catches, but a handler reports."""
    Secret(secret)

    try:
        stumble(secret)
    except LookupError:
        logging.getLogger("asyncio").exception("Task exception was never retrieved")

    assert released.find_leaks()


def test_what_cannot_be_shown_is_found(released: Watchman) -> None:
    """An object whose repr raises hides the error in whose frame it is."""
    with pytest.raises(StoreError):
        library(type("Odd", (), {"__repr__": lambda self: self.missing})())

    assert released.find_leaks()


def test_what_a_program_holds_is_its_own(no_secret_shows: Watchman, secret: str) -> None:
    """The frames of who calls the library, and what he calls it with, are not ours to hide."""
    revealed = Secret(secret).reveal()

    with pytest.raises(StoreError):
        library(None)

    assert revealed
    assert not no_secret_shows.find_leaks()


def test_what_is_caught_inside_is_shown_to_nobody(no_secret_shows: Watchman, secret: str) -> None:
    """An error that never leaves the library."""

    @within
    def cope(held: object) -> None:
        with suppress(StoreError):
            library(held)

    Secret(secret)

    cope(secret)

    assert not no_secret_shows.find_leaks()
