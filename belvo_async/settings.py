"""What every vendor is configured with, each read by one rule: flags, spans, the variables of an environment. Pure."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from .abc import Secret
from .accounts import read_keys, read_name
from .errors import ConfigurationError
from .origins import choose_origin


def read_flag(given: object, name: str) -> bool:
    """Take exactly True or False: "no" would count as true, and waive a proof. Raises ConfigurationError."""
    if not isinstance(given, bool):
        raise ConfigurationError(f"{name} must be True or False")
    return given


def read_span(given: object, name: str, *, such_as: str = "timedelta(minutes=10)") -> timedelta:
    """Take a span of time: a bare number has no unit. Raises ConfigurationError."""
    if not isinstance(given, timedelta) or given <= timedelta(0):
        raise ConfigurationError(f"{name} must be a timedelta above zero, such as {such_as}")
    return given


def read_timeout(given: object) -> timedelta | None:
    """Take how long a vendor's answer may take, None for the usual. Raises ConfigurationError."""
    return None if given is None else read_span(given, "timeout", such_as="timedelta(minutes=5)")


class Variables:
    """A vendor's variables in an environment, by what follows its prefix; an empty one is none.

    Blanks and line breaks at the ends are left out: what was read from a file into a variable often brings them along.
    Raises ConfigurationError naming the variable that is missing or wrong, never a value.
    """

    def __init__(self, prefix: str, environ: Mapping[str, str] | None) -> None:
        given = os.environ if environ is None else environ
        self._prefix = prefix
        self._found = {name: given[name].strip() for name in given if name.startswith(prefix)}

    def name(self, what: str) -> str:
        """Give a variable's whole name, as errors tell it."""
        return f"the environment variable {self._prefix}{what}"

    def get(self, what: str) -> str | None:
        """Read a variable; None where it is not set."""
        return self._found.get(f"{self._prefix}{what}") or None

    def need(self, what: str) -> str:
        """Read a variable that must be set."""
        found = self.get(what)
        if found is None:
            raise ConfigurationError(f"{self.name(what)} is missing")
        return found

    def several(self, what: str) -> list[str]:
        """Read texts that are parted by commas."""
        return [each.strip() for each in (self.get(what) or "").split(",") if each.strip()]

    def common(self, origins: Mapping[str, str], secrets: Iterable[str | None]) -> dict[str, Any]:
        """Read what each vendor takes: its environment or address, the account's name and the earlier keys.

        The name may not hold one of the `secrets`, nor an earlier key.
        """
        environment, base_url = self.get("ENV") or "sandbox", self.get("BASE_URL")
        choose_origin(base_url, environment, origins, names=(self.name("BASE_URL"), self.name("ENV")))
        previous, account = self.several("PREVIOUS_KEYS"), self.get("ACCOUNT")
        read_keys(previous, self.name("PREVIOUS_KEYS"))
        read_name(account, [Secret(each) for each in (*secrets, *previous) if each], self.name("ACCOUNT"))
        return {"environment": environment, "base_url": base_url, "account": account, "previous_keys": previous}
