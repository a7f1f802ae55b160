"""What the PostgreSQL store keeps beside jobs and deliveries: budgets and leases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from ...abc import Budget
from ..budgets import Ledger, read_ledger, write_ledger
from ..rules import from_us, lasting
from .connection import Statement
from .group_commit import Read, Steps, Write
from .rows import arrays, plain


class Reserve(Write[tuple[int, int]]):
    """Take a place in a budget: it and what time it is, in the budget's own time."""

    rank = 5

    def __init__(self, budget: Budget, asked: int, mark: str | None) -> None:
        super().__init__()
        self.budget = budget
        self.asked = asked
        self.mark = mark

    @staticmethod
    def steps(operations: Sequence[Reserve | GiveBack]) -> Steps:
        """Lock each budget's row, give places out and take them back in order, and write it once."""
        keys = sorted({plain(each.budget.key) for each in operations})
        _, rows = yield [Statement(_MAKE_BUDGETS, (keys,)), Statement(_LOCK_BUDGETS, (keys,))]
        ledgers = {key: Ledger() if document is None else read_ledger(document) for key, document in rows}
        for each in operations:
            ledger = ledgers[plain(each.budget.key)]
            if isinstance(each, Reserve):
                each.outcome = ledger.take(each.budget, each.asked, each.mark)
            else:
                ledger.give_back(each.mark)
        written = [(key, write_ledger(ledger)) for key, ledger in ledgers.items()]
        yield [Statement(_WRITE_BUDGETS, arrays(written))]


class GiveBack(Write[None]):
    """Free the place of a mark."""

    rank = 5

    def __init__(self, budget: Budget, mark: str) -> None:
        super().__init__()
        self.budget = budget
        self.mark = mark

    steps = staticmethod(Reserve.steps)


_MAKE_BUDGETS: Final = "INSERT INTO budget (key) SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING"
_LOCK_BUDGETS: Final = "SELECT key, document FROM budget WHERE key = ANY(%s) ORDER BY key FOR UPDATE"
_WRITE_BUDGETS: Final = """
    UPDATE budget SET document = new.document FROM unnest(%s::text[], %b::bytea[]) AS new (key, document)
    WHERE budget.key = new.key
"""


class Exhaust(Write[None]):
    """Note until when a rate window is exhausted."""

    rank = 7

    def __init__(self, window: str, until_us: int) -> None:
        super().__init__()
        self.row = (plain(window), until_us)

    @staticmethod
    def steps(operations: Sequence[Exhaust]) -> Steps:
        """Write the last note of each window."""
        yield []
        yield [Statement(_EXHAUST, arrays(sorted(dict(each.row for each in operations).items())))]


_EXHAUST: Final = """
    INSERT INTO rate_window SELECT * FROM unnest(%s::text[], %s::bigint[])
    ON CONFLICT (key) DO UPDATE SET until = excluded.until
"""


def exhausted_until(window: str) -> Read[datetime | None]:
    """What was noted last of a rate window."""
    statement = Statement("SELECT until FROM rate_window WHERE key = %s", (plain(window),))
    return Read(statement, lambda rows: from_us(rows[0][0]) if rows else None)


class Lease(Write[int | None]):
    """Take or renew a lease."""

    rank = 6

    def __init__(self, key: str, owner: str, now_us: int, until_us: int) -> None:
        super().__init__()
        self.key = plain(key)
        self.owner = plain(owner)
        self.now_us = now_us
        self.until_us = until_us

    @staticmethod
    def steps(operations: Sequence[Lease | Release]) -> Steps:
        """Lock each lease's row, take and give back in order, and write it once."""
        keys = sorted({each.key for each in operations})
        _, rows = yield [Statement(_MAKE_LEASES, (keys,)), Statement(_LOCK_LEASES, (keys,))]
        held = {key: _HeldLease(*facts) for key, *facts in rows}
        for each in operations:
            if isinstance(each, Lease):
                each.outcome = each.take(held[each.key])
            else:
                each.give_back(held[each.key])
        yield [Statement(_WRITE_LEASES, arrays((key, *each.row()) for key, each in held.items()))]

    def take(self, held: _HeldLease) -> int | None:
        """Take the lease unless another holds it."""
        if held.owner not in (None, self.owner) and held.until_us > self.now_us and not held.is_closed:
            held.since_us, held.until_us = lasting(held.since_us, held.until_us, self.now_us)
            return None
        if held.owner != self.owner:
            held.owner, held.token, held.is_closed = self.owner, held.token + 1, False
        held.since_us, held.until_us = self.now_us, self.until_us
        return held.token


def leased_until(key: str) -> Read[datetime | None]:
    """Until when a lease is held."""
    statement = Statement("SELECT until FROM lease WHERE key = %s AND owner IS NOT NULL", (plain(key),))
    return Read(statement, lambda rows: from_us(rows[0][0]) if rows else None)


class Release(Write[None]):
    """Give a lease back."""

    rank = 6

    def __init__(self, key: str, owner: str) -> None:
        super().__init__()
        self.key = plain(key)
        self.owner = plain(owner)

    steps = staticmethod(Lease.steps)

    def give_back(self, held: _HeldLease) -> None:
        """Nobody holds it any more, if `owner` did."""
        if held.owner == self.owner:
            held.owner = None


class _HeldLease(msgspec.Struct):
    owner: str | None
    since_us: int
    until_us: int
    token: int
    is_closed: bool

    def row(self) -> tuple[str | None, int, int, int]:
        """What is written of it."""
        return self.owner, self.since_us, self.until_us, self.token


_MAKE_LEASES: Final = "INSERT INTO lease (key) SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING"
_LOCK_LEASES: Final = """
    SELECT key, owner, since, until, token, EXISTS (SELECT FROM job WHERE id = lease.owner AND NOT open)
    FROM lease WHERE key = ANY(%s) ORDER BY key FOR UPDATE
"""
_WRITE_LEASES: Final = """
    UPDATE lease SET owner = new.owner, since = new.since, until = new.until, token = new.token
    FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[])
        AS new (key, owner, since, until, token)
    WHERE lease.key = new.key
"""
