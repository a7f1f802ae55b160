"""Whose webhooks a command is about: a session on one account, and the names of its variables."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, overload

from ..._session import Session
from ..._session.hooks.desk import WebhookDesk
from ...abc import Clock, HookEndpoint
from ...errors import ConfigurationError, TaskError
from ...origins import shown_url
from ..config import AccountEntry, config_at
from ..plans.accounts import Environ, variable_of, vendor_of
from ..plans.subjects import account_of

# Fewer characters of an id would seldom be the only ones; ids that follow each other begin alike.
SHORTEST_BEGINNING: Final = 4


@dataclass(frozen=True, kw_only=True)
class HookAccount:
    """The webhooks of an account, and in which of its variables something is."""

    desk: WebhookDesk
    account: AccountEntry

    @property
    def vendor(self) -> str:
        """The vendor, for a reader."""
        return self.account.vendor.capitalize()

    @property
    def secrets_in(self) -> str:
        """Which variable holds the secrets."""
        return variable_of(self.account, self.desk.managed.variable)

    @property
    def url_in(self) -> str:
        """Which variable holds the address."""
        return variable_of(self.account, f"{self.account.vendor.upper()}_WEBHOOK_URL")

    def url_of(self, options: argparse.Namespace) -> str:
        """The address that was typed, or that of the environment. Raises ConfigurationError."""
        url: str | None = options.url or self.desk.managed.url
        if url is None:
            raise ConfigurationError(f"which address? give --url https://..., or set {self.url_in}")
        return url

    def events_of(self, options: argparse.Namespace) -> tuple[str, ...]:
        """The events that were typed. Raises ConfigurationError for one that the vendor does not have."""
        return tuple(dict.fromkeys(self.event_of(each) for each in list[str](options.event)))

    @overload
    def event_of(self, typed: str) -> str: ...
    @overload
    def event_of(self, typed: str | None) -> str | None: ...
    def event_of(self, typed: str | None) -> str | None:
        """An event that was typed, or none. Raises ConfigurationError for one that the vendor does not have."""
        offered = self.desk.managed.offered
        if typed is not None and typed not in offered:
            near = difflib.get_close_matches(typed, offered, 1)
            meant = f"; did you mean {near[0]}?" if near else ""
            raise ConfigurationError(f"--event: {self.vendor} delivers no {typed!r}{meant}")
        return typed

    async def endpoint(self, options: argparse.Namespace) -> HookEndpoint:
        """The endpoint with this id or its beginning; without one, the only one of the address."""
        if options.id is not None:
            return _chosen([each for each in await self.desk.endpoints() if each.id.startswith(options.id)], options.id)
        url = self.url_of(options)
        found = await self.desk.endpoints(url)
        if len(found) != 1:
            several = "no endpoint has" if not found else f"{len(found)} endpoints have"
            ids = "".join(f": {each.id}" if not place else f", {each.id}" for place, each in enumerate(found))
            raise ConfigurationError(f"{several} the address {shown_url(url)}{ids}")
        return found[0]


def _chosen(found: list[HookEndpoint], wanted: str) -> HookEndpoint:
    exact = [each for each in found if each.id == wanted]
    if exact:
        return exact[0]
    if len(wanted) < SHORTEST_BEGINNING:
        raise ConfigurationError(f"the beginning of an endpoint's id is at least {SHORTEST_BEGINNING} characters")
    if len(found) != 1:
        several = f"{len(found)} endpoints of the account begin" if found else "no endpoint of the account begins"
        raise ConfigurationError(f"{several} with {wanted!r}: `belvo-async webhooks list` shows them")
    return found[0]


@asynccontextmanager
async def opened(options: argparse.Namespace, environ: Environ, clock: Clock) -> AsyncGenerator[HookAccount]:
    """Open the account whose webhooks are meant. Raises UnsupportedError where its vendor has no API for them."""
    account = account_of(config_at(options.config), options.vendor, options.account)
    async with Session(vendor_of(account, environ), clock=clock, sweep=False) as session:
        try:
            yield HookAccount(desk=session.webhooks(options.vendor), account=account)
        except TaskError as error:
            # What was typed is named by its option.
            raise TaskError(f"--{error}" if error.field == "url" else str(error), field=error.field) from None
