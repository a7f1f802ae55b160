"""What a Belvo account is configured with, checked: the addresses, the keys, the proof of a delivery."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final, NamedTuple

import msgspec

from ...abc import Budget, Secret
from ...errors import ConfigurationError

ORIGINS: Final[Mapping[str, str]] = {"sandbox": "https://sandbox.belvo.com", "production": "https://api.belvo.com"}

# The header is the only proof a delivery has; shorter values can be guessed.
SHORTEST_AUTHORIZATION: Final = 16


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How an account is asked: the budget its requests count against, and when a job counts as quiet.

    `quiet`: how long Belvo must say nothing new before an end is inferred; `patience`: how long before a job is given
    up for which nothing speaks.
    """

    budget: Budget | None
    quiet: timedelta
    patience: timedelta


class Keys(NamedTuple):
    """What an account logs in with, and what the one request that names them has in its body."""

    id: Secret
    password: Secret


def read_id(given: object) -> Secret:
    """Take a secret id that HTTP Basic can carry: RFC 7617 ends the user name at the first colon."""
    if not isinstance(given, str) or not _is_plain(given) or ":" in given:
        raise ConfigurationError("secret_id must be printable ASCII without a colon, or blanks at its ends")
    return Secret(given)


def read_password(given: object) -> Secret:
    """Take a secret password that a header can carry."""
    if not isinstance(given, str) or not _is_plain(given):
        raise ConfigurationError("secret_password must be printable ASCII without blanks at its ends")
    return Secret(given)


def read_authorization(given: object, name: str = "webhook_authorization") -> Secret | None:
    """Take the whole Authorization value of a delivery; None for none."""
    if given is None:
        return None
    if not isinstance(given, str):
        raise ConfigurationError(f"{name} must be a str")
    if len(given) < SHORTEST_AUTHORIZATION:
        raise ConfigurationError(f"{name} is shorter than {SHORTEST_AUTHORIZATION} characters")
    # Servers decode other characters in different ways, and cut blanks at the ends: it would never match.
    if not _is_plain(given):
        raise ConfigurationError(f"{name} must be printable ASCII without blanks at its ends")
    return Secret(given)


def _is_plain(text: str) -> bool:
    return bool(text) and text.isascii() and text.isprintable() and text == text.strip()
