"""Shares of plans, carried on turn by turn, each by one worker at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from ..abc import Clock, Entry
from ..accounts import accounts_of
from ..errors import StoreError
from .errands import AGAIN_AFTER, LOST_AFTER, Due, Letter, LetterKind, Share, again, drop, every, keep
from .holding import holding, log

if TYPE_CHECKING:
    from .._session.extraction.progress import PlanOutcome
    from .._session.session import Session

# That a turn was asked for while another one lasted.
KNOCK: Final = "engine.knock"
# A share is looked at so often, even where no end is told and nothing is due.
LOOK_EVERY: Final = timedelta(hours=1)
# How long jobs past their deadlines are still waited for.
STUCK_FOR: Final = timedelta(days=3)


class Turns:
    """Takes turns at the shares of one engine."""

    def __init__(self, engine: str, clock: Clock, send: Callable[[Letter], Awaitable[None]]) -> None:
        self._engine = engine
        self._clock = clock
        self._send = send

    def message(self, key: str) -> Letter:
        """What asks for a turn at a share."""
        return Letter(LetterKind.EXTRACT, key, f"{self._engine}/extract/{key}", self._lane(key))

    async def take(self, session: Session, key: str) -> None:
        """Take a turn, or have it taken by whoever has the share just now. Raises what `Session.extract` raises."""
        found = await self._find(session, accounts_in(session), key)
        if found is None or await self._try(session, found[0], key):
            return
        # Whoever has it looks for this when the turn is over; that may have been just now.
        await session.store.enter([Entry(found[0], KNOCK, key, b"{}")])
        await self._try(session, found[0], key)

    async def look(self, session: Session, accounts: Collection[str]) -> None:
        """Ask for turns that are due, or were asked for of a worker that died."""
        now = self._clock.now()
        knocked = {entry.key: entry.account async for entry in session.store.entries(KNOCK, accounts)}
        async for account, key, share in every(session.store, Share, self._engine, accounts):
            if knocked.pop(key, None) or share.due.due_at <= now:
                due = Due(due_at=now + LOST_AFTER, sent=share.due.sent)
                await keep(session.store, account, key, replace(share, due=due))
                await self._send(self.message(key))
        for key, account in knocked.items():
            if key.startswith(f"{self._engine}/"):  # its share is over
                await session.store.strike(account, KNOCK, [key])

    async def _try(self, session: Session, account: str, key: str) -> bool:
        """Take a turn, unless somebody else has one."""
        async with holding(session.store, self._lane(key), self._clock) as is_held:
            if not is_held:
                return False
            await session.store.strike(account, KNOCK, [key])
            found = await self._find(session, [account], key)
            if found is not None:
                await self._carry_on(session, account, key, found[1])
        if [entry async for entry in session.store.entries(KNOCK, [account]) if entry.key == key]:
            await self._send(self.message(key))
        return True

    async def _carry_on(self, session: Session, account: str, key: str, share: Share) -> None:
        store = session.store
        try:
            run = await session.extract(
                share.plan,
                into=share.into,
                freshness=share.freshness,
                prices=share.prices,
                max_cost=share.max_cost,
                retry=share.retry,
                deadline=share.deadline,
                tags=share.tags,
                files=share.files,
                waits=False,
                as_of=share.as_of,
            )
            async for _ in run:
                pass
        except Exception:
            due = again(share.due, self._clock.now(), after=AGAIN_AFTER)
            with suppress(StoreError):  # then it is due when it was
                await keep(store, account, key, replace(share, due=due))
            raise
        if self._is_over(share, run.outcome):
            await drop(store, Share, account, key)
            log.info(
                "a share of %s subjects is over",
                len(share.plan.subjects),
                extra={"engine": self._engine, "is_whole": run.outcome.is_whole},
            )
        else:
            await keep(store, account, key, replace(share, due=self._due(share, run.outcome)))

    def _is_over(self, share: Share, outcome: PlanOutcome) -> bool:
        is_stuck = bool(outcome.stuck) and self._clock.now() < share.as_of + STUCK_FOR
        return outcome.is_over and not is_stuck

    def _due(self, share: Share, outcome: PlanOutcome) -> Due:
        """When the next turn is due, should no end ask for it before."""
        now = self._clock.now()
        latest = now + LOOK_EVERY
        due = again(share.due, now, after=AGAIN_AFTER) if outcome.unwritten else Due(due_at=latest)
        return replace(due, due_at=min(due.due_at, outcome.look_at or latest, latest))

    async def _find(self, session: Session, accounts: Collection[str], key: str) -> tuple[str, Share] | None:
        async for account, each, share in every(session.store, Share, self._engine, accounts):
            if each == key:
                return account, share
        return None

    def _lane(self, key: str) -> str:
        """Turns of one plan go one after the other, whatever they are to bring."""
        return f"engine/{key.rpartition('/')[0]}"


def accounts_in(session: Session) -> list[str]:
    """The accounts under which an engine keeps what is left to do."""
    return [accounts_of(each)[0] for each in session.vendors.values()]
