"""What vendors say of their own deliveries, for the page: two requests an account, and no failure that breaks it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Final

from msgspec.structs import replace

from ..._page import RecordedDeliveries
from ..._session import Session
from ...abc import Clock, DeliveryAttempt
from ...errors import BelvoAsyncError
from ..config import AccountEntry, Config
from ..plans.accounts import Environ, manages_webhooks, vendor_of

# Whoever asks for a page waits for the store, and not much longer for this.
PATIENCE: Final = timedelta(seconds=15)


async def ask_vendors(
    vendors: Collection[str], config: Config, environ: Environ, clock: Clock
) -> Mapping[str, RecordedDeliveries]:
    """Ask each vendor, of all its accounts in the file, else of that of the usual variables.

    One whose API tells nothing is left out; what could not be asked says why.
    """
    return {name: await _ask(name, config, environ, clock) for name in sorted(vendors) if manages_webhooks(name)}


async def _ask(name: str, config: Config, environ: Environ, clock: Clock) -> RecordedDeliveries:
    until = asyncio.get_running_loop().time() + PATIENCE.total_seconds()
    named = [each for each in config.accounts.values() if each.vendor == name] or [AccountEntry(vendor=name)]
    attempts, faults, why_not = list[DeliveryAttempt](), list[str](), list[str]()
    for account in named:
        # Each by itself: one that cannot be asked hides nothing of the others.
        try:
            async with asyncio.timeout_at(until):
                async with Session(vendor_of(account, environ), clock=clock, sweep=False) as session:
                    desk = session.webhooks(name)
                    faults += [each.text for each in await desk.check()]
                    attempts += await desk.attempts()
        except (BelvoAsyncError, TimeoutError) as error:
            why_not.append(str(error) or "it took too long")
    return replace(_told(attempts, faults), why_not="; ".join(dict.fromkeys(why_not)) or None)


def _told(attempts: Sequence[DeliveryAttempt], faults: Sequence[str]) -> RecordedDeliveries:
    dated = [each for each in attempts if each.at is not None]
    last = max(dated, key=lambda each: (each.at, each.id), default=None)
    return RecordedDeliveries(
        attempts=len(attempts),
        failed=sum(not each.is_accepted for each in attempts),
        last_status=None if last is None else last.status,
        last_at=None if last is None else last.at,
        faults=tuple(faults),
    )
