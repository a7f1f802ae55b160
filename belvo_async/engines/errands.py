"""What is left to do for an engine, kept in the store: a message in a queue only says that it is there.

So whatever a queue loses, delivers twice or holds back, what is wanted is done, and paid for once.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Collection, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from math import ceil
from typing import Final, NamedTuple, TypeVar

import msgspec
from msgspec.structs import replace

from ..abc import Entry, Store
from ..planning import Freshness, Plan, Prices
from ..stores.documents import unreadable

# A plan is cut into so many shares at most, each of so many subjects at least: one worker at a time has a share, and
# each turn at one reads what the store knows of all jobs.
SHARES_LIMIT: Final = 32
SUBJECTS_AT_LEAST: Final = 16
# When a message counts as lost, and is sent again; twice as long each time.
LOST_AFTER: Final = timedelta(minutes=10)
# When what failed is tried again; twice as long each time.
AGAIN_AFTER: Final = timedelta(minutes=1)
LONGEST_WAIT: Final = timedelta(days=1)


class LetterKind(StrEnum):
    """The kinds of messages."""

    FIRE = "fire"
    COLLECT = "collect"
    EXTRACT = "extract"


class Letter(NamedTuple):
    """What is to be done, and with what. It holds no secret.

    Of those of one `key` that wait, one is enough. Those of one `lane` are better not done at once: that is safe, but
    one of them would find nothing to do. `at`: not before.
    """

    kind: LetterKind
    argument: str
    key: str
    lane: str
    priority: int = 0
    at: datetime | None = None


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """When something is sent again unless it is done by then, and how often it was sent."""

    due_at: datetime
    sent: int = 1


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A task to be fired, once for its name. `task` is what `encode_task` wrote, `subject` a digest."""

    task: str
    account: str
    once: str
    subject: str
    due: Due
    max_age: timedelta | None = None
    deadline: timedelta | None = None
    tags: dict[str, str] = {}
    priority: int = 0


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """A job that ended, to be collected."""

    job: str
    due: Due

    def message(self, engine: str) -> Letter:
        """What has it collected."""
        name = f"{engine}/collect/{self.job}"
        return Letter(LetterKind.COLLECT, self.job, name, name)


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """Some subjects of a plan, carried on turn by turn; fields as of `Session.extract`."""

    plan: Plan
    into: str
    as_of: datetime
    due: Due
    freshness: Freshness
    prices: Prices | None = None
    max_cost: Decimal | None = None
    retry: bool = False
    deadline: timedelta | None = None
    tags: dict[str, str] = {}
    files: tuple[str, ...] = ()

    @property
    def variant(self) -> str:
        """What tells it from others of the same plan: the same call again is the same share."""
        is_anew = self.retry or self.freshness != Freshness()
        left_out = {"plan", "due"} if is_anew else {"plan", "due", "as_of"}
        alike = {name: value for name, value in msgspec.structs.asdict(self).items() if name not in left_out}
        return digest(msgspec.json.encode(alike, order="deterministic").decode())


Kept = TypeVar("Kept", Order, Ended, Share)

_KINDS: Final[dict[type[object], str]] = {Order: "engine.order", Ended: "engine.ended", Share: "engine.share"}


def cut(plan: Plan, *, is_whole: bool) -> Iterator[Plan]:
    """Cut a plan into shares of its subjects."""
    count = len(plan.subjects)
    size = count if is_whole else max(SUBJECTS_AT_LEAST, ceil(count / SHARES_LIMIT))
    for first in range(0, count, size):
        yield replace(plan, subjects=plan.subjects[first : first + size])


def digest(*words: str) -> str:
    """A short name for what is long, or names a taxpayer."""
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:24]


def again(due: Due, now: datetime, *, after: timedelta = LOST_AFTER) -> Due:
    """When something is sent again that was sent just now, or failed just now."""
    # From some power on the product is longer than any span can be.
    wait = min(LONGEST_WAIT, after * int(2 ** min(max(due.sent - 1, 0), 12)))
    return Due(due_at=now + wait, sent=due.sent + 1)


async def keep(store: Store, account: str, key: str, kept: Order | Ended | Share) -> None:
    """Keep what is left to do, in place of what was kept under the same key. Raises StoreError."""
    await store.enter([Entry(account, _KINDS[type(kept)], key, msgspec.json.encode(kept))])


async def every(
    store: Store, kind: type[Kept], engine: str, accounts: Collection[str]
) -> AsyncIterator[tuple[str, str, Kept]]:
    """What an engine has left of a kind: account, key, and what it is. Raises StoreError."""
    async for entry in store.entries(_KINDS[kind], accounts):
        if entry.key.startswith(f"{engine}/"):
            yield entry.account, entry.key, _read(entry, kind)


async def drop(store: Store, kind: type[object], account: str, key: str) -> None:
    """Drop what is done. Raises StoreError."""
    await store.strike(account, _KINDS[kind], [key])


def _read(entry: Entry, kind: type[Kept]) -> Kept:
    try:
        return msgspec.json.decode(entry.document, type=kind)
    except msgspec.MsgspecError:
        raise unreadable("engine's errand") from None
