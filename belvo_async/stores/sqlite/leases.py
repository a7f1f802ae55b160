"""What the SQLite store keeps beside jobs and deliveries: budgets and leases.

Every function runs inside a transaction of the store's thread.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from ...abc import Budget
from ..budgets import Ledger, read_ledger, write_ledger
from ..rules import lasting


def reserve(database: sqlite3.Connection, budget: Budget, asked: int, mark: str | None) -> tuple[int, int]:
    """Take a place in a budget: it and what time it is, in the budget's own time."""
    ledger = _ledger(database, budget) or Ledger()
    taken = ledger.take(budget, asked, mark)
    _write_ledger(database, budget, ledger)
    return taken


def give_back(database: sqlite3.Connection, budget: Budget, mark: str) -> None:
    """Free the place of a mark."""
    ledger = _ledger(database, budget)
    if ledger is not None:
        ledger.give_back(mark)
        _write_ledger(database, budget, ledger)


def _ledger(database: sqlite3.Connection, budget: Budget) -> Ledger | None:
    row = database.execute("SELECT document FROM budget WHERE key = ?", (budget.key,)).fetchone()
    return None if row is None else read_ledger(row[0])


def _write_ledger(database: sqlite3.Connection, budget: Budget, ledger: Ledger) -> None:
    database.execute("INSERT OR REPLACE INTO budget VALUES (?, ?)", (budget.key, write_ledger(ledger)))


def exhaust(database: sqlite3.Connection, window: str, until_us: int) -> None:
    """Note until when a rate window is exhausted."""
    database.execute("INSERT OR REPLACE INTO rate_window VALUES (?, ?)", (window, until_us))


def exhausted_until(database: sqlite3.Connection, window: str) -> int | None:
    """What was noted last of a rate window."""
    row = database.execute("SELECT until FROM rate_window WHERE key = ?", (window,)).fetchone()
    return None if row is None else int(row[0])


def lease(database: sqlite3.Connection, key: str, owner: str, now_us: int, until_us: int) -> int | None:
    """Take or renew a lease."""
    held = database.execute("SELECT token, owner, since, until FROM lease WHERE key = ?", (key,)).fetchone()
    if held is not None and held[1] == owner:
        database.execute(_LASTS, (now_us, until_us, key))
        return int(held[0])
    if held is not None and held[3] > now_us and not database.execute(_CLOSED, (held[1],)).fetchone():
        if (lasts := lasting(held[2], held[3], now_us)) != held[2:]:
            database.execute(_LASTS, (*lasts, key))
        return None
    database.execute("DELETE FROM lease WHERE key = ?", (key,))
    return database.execute(_TAKE, (key, owner, now_us, until_us)).lastrowid


_LASTS: Final = "UPDATE lease SET since = ?, until = ? WHERE key = ?"
_TAKE: Final = "INSERT INTO lease (key, owner, since, until) VALUES (?, ?, ?, ?)"
_CLOSED: Final = "SELECT 1 FROM job WHERE id = ? AND NOT open"


def leased_until(database: sqlite3.Connection, key: str) -> int | None:
    """Until when a lease is held."""
    held = database.execute("SELECT until FROM lease WHERE key = ?", (key,)).fetchone()
    return None if held is None else int(held[0])


def release(database: sqlite3.Connection, key: str, owner: str) -> None:
    """Give a lease back."""
    database.execute("DELETE FROM lease WHERE key = ? AND owner = ?", (key, owner))
