"""Whose jobs are whose: how an account is named, so that it outlives its keys. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Final, NamedTuple, cast

from .abc import Secret, Vendor
from .errors import ConfigurationError

# Short and printable: it stands in logs, in the store, and in what is typed at a command line.
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,39}")
# What an account without a name has in its place.
_DIGEST: Final = re.compile(r"[0-9a-f]{12}")

# A shorter secret, a simulator's for example, may be part of any name.
_SHORTEST_PART: Final = 8


class Identity(NamedTuple):
    """`account` is where new jobs go; jobs that are still under one of `former_accounts` are ours as well."""

    account: str
    former_accounts: tuple[str, ...]


def identify(origin: str, keys: Sequence[Secret], name: str | None) -> Identity:
    """Say which accounts a vendor with these keys, the one in use first and the oldest last, stands for.

    With a name, the account is the origin and the name, whatever the keys. Without one it is the origin and a hash of
    the oldest key: that stays the same while the key is changed. Either way jobs that were kept under a hash of any of
    the keys are taken up.
    """
    by_key = dict.fromkeys(f"{origin}#{_digest(key)}" for key in reversed(keys))
    oldest = next(iter(by_key))
    account = oldest if name is None else f"{origin}#{name}"
    return Identity(account, tuple(each for each in by_key if each != account))


def _digest(key: Secret) -> str:
    return hashlib.sha256(key.reveal().encode()).hexdigest()[:12]


def accounts_of(vendor: Vendor) -> tuple[str, ...]:
    """Every account whose jobs a vendor goes on with, the one new jobs are fired under first."""
    former: tuple[str, ...] = getattr(vendor, "former_accounts", ())
    return (vendor.account, *former)


def served_lease(account: str) -> str:
    """The lease that a session holds while it serves an account."""
    return f"served:{account}"


def read_name(given: object, secrets: Sequence[Secret], what: str = "`account`") -> str | None:
    """Take an account's name, or None for none. Raises ConfigurationError, which never repeats it.

    It is shown in many places, so it may not hold one of the `secrets`; and none may look like the hash of a key.
    """
    if given is None:
        return None
    if not isinstance(given, str) or not _NAME.fullmatch(given):
        raise ConfigurationError(
            f"{what} is a name of up to 40 letters, digits and . _ @ + - that begins with a letter or digit"
        )
    if _DIGEST.fullmatch(given):
        raise ConfigurationError(f"{what} must not be 12 hexadecimal digits: accounts without a name look so")
    if any(_shows(given, secret) for secret in secrets):
        raise ConfigurationError(f"{what} holds a secret, and a name shows in logs and in the store: choose another")
    return given


def _shows(name: str, secret: Secret) -> bool:
    return secret.matches(name) or (len(secret.reveal()) >= _SHORTEST_PART and secret.reveal() in name)


def read_keys(given: object, what: str = "`previous_keys`") -> tuple[Secret, ...]:
    """Take one or several earlier keys, the oldest last. Raises ConfigurationError, which never repeats one."""
    keys: object = (given,) if isinstance(given, str) else given
    if not isinstance(keys, Sequence) or not all(_is_key(each) for each in cast("Sequence[object]", keys)):
        raise ConfigurationError(f"{what} is a key or a sequence of keys: printable texts that are not empty")
    return tuple(Secret(each) for each in cast("Sequence[str]", keys))


def _is_key(given: object) -> bool:
    return isinstance(given, str) and bool(given) and given.isascii() and given.isprintable()
