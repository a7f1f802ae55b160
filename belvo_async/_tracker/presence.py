"""Saying in the store which accounts this session serves, and whose jobs nobody does."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from typing import Final

from ..accounts import accounts_of, served_lease
from ..errors import StoreError
from .context import Context, log
from .timer import Alarm

# A session says this often that it is there, and is believed for so long: a killed one is missed soon after.
SAY_EVERY: Final = timedelta(seconds=30)
BELIEVED_FOR: Final = timedelta(seconds=90)
# Of a store that many share: so many accounts are looked after, those with the most open jobs, and told of.
LOOKED_AT: Final = 50
# What a store that has stopped answering may add to the time a session takes to close.
LEAVING: Final = timedelta(seconds=2)

UNSERVED: Final = (
    "the store holds open jobs of an account that no session serves, so nobody follows them: "
    "give the session its name or its earlier key, or move the jobs (`belvo-async jobs move`)"
)


class Presence:
    """Holds a lease for each account of the session, and warns once of each other account that nobody holds one for."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._store = context.store
        self._owner = uuid.uuid4().hex
        self._accounts = tuple(account for vendor in context.vendors.values() for account in accounts_of(vendor))
        self._told: set[str] = set()
        self._alarm: Alarm | None = None
        self._said = 0
        # How often it is said until a killed session is no longer believed.
        self._looks_after = BELIEVED_FOR // SAY_EVERY + 1

    async def begin(self) -> None:
        """Say that we are here, and warn of jobs that nobody follows. A store that is down is asked again later."""
        await self._try(look=True)
        self._set_alarm()

    async def leave(self) -> None:
        """Say that we are gone. One that could not say so is missed a minute later."""
        if self._alarm is not None:
            self._alarm.cancel()
        try:
            async with asyncio.timeout(LEAVING.total_seconds()):
                await asyncio.gather(*(self._store.release(served_lease(each), self._owner) for each in self._accounts))
        except (StoreError, TimeoutError):
            log.debug("the store is down; the session leaves without a word")

    def _set_alarm(self) -> None:
        self._alarm = self._context.timer.after(SAY_EVERY, self._ring)

    def _ring(self) -> None:
        self._context.spawn(self._again(), name="presence")

    async def _again(self) -> None:
        """Keep saying it. Once more, when a killed session is no longer believed, look for what it left behind."""
        self._said += 1
        await self._try(look=self._said == self._looks_after)
        self._set_alarm()

    async def _try(self, *, look: bool) -> None:
        try:
            await self._say()
            if self._context.telemetry.is_on:
                await self._count()
            if look:
                await self._look()
        except StoreError:
            if look:
                self._looks_after = self._said + 1

    async def _say(self) -> None:
        now = self._context.clock.now()
        # Another session of the account may hold it: that serves as well.
        await asyncio.gather(
            *(
                self._store.lease(served_lease(each), self._owner, now=now, until=now + BELIEVED_FOR)
                for each in self._accounts
            )
        )

    async def _count(self) -> None:
        counts = await self._store.count_jobs()
        for vendor in self._context.vendors.values():
            count = sum(counts.get(account, 0) for account in accounts_of(vendor))
            self._context.telemetry.count_open(vendor.name, count)

    async def _look(self) -> None:
        counts = await self._store.count_jobs()
        others = [account for account in counts if account not in self._accounts and account not in self._told]
        others = sorted(others, key=lambda account: -counts[account])[:LOOKED_AT]
        served = await asyncio.gather(*(self._is_served(account) for account in others))
        for account in (account for account, is_served in zip(others, served, strict=True) if not is_served):
            self._told.add(account)
            log.warning(UNSERVED, extra={"account": account, "jobs": counts[account]})

    async def _is_served(self, account: str) -> bool:
        # Whoever could take the lease finds nobody there; taken until now, it is free again at once.
        now = self._context.clock.now()
        return await self._store.lease(served_lease(account), self._owner, now=now, until=now) is None
