"""How long to wait for the locks of other processes, and how not to starve beside one that writes all the time."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from math import ceil
from typing import Final, TypeVar

T = TypeVar("T")

# SQLite itself looks ever more rarely, up to ten times a second: a process that commits one transaction after the other
# leaves the file free for a millisecond at a time, and would keep all others out.
PAUSE_SECONDS: Final = 0.001
# What is left to whoever comes too late: enough to pass another's short transaction.
LAST_CHANCE_SECONDS: Final = 0.05


def insist(database: sqlite3.Connection, run: Callable[[], T], deadline: float) -> T:
    """Run what begins a transaction, and again while another process holds the file, until `deadline` (monotonic)."""
    deadline = max(deadline, time.monotonic() + LAST_CHANCE_SECONDS)
    database.execute("PRAGMA busy_timeout=0")
    while True:
        try:
            return run()
        except sqlite3.OperationalError as error:
            # The code of a connection that is not Python's own may be missing.
            if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        if database.in_transaction:
            database.execute("ROLLBACK")
        time.sleep(PAUSE_SECONDS)


def wait_inside(database: sqlite3.Connection, deadline: float) -> None:
    """Let SQLite itself wait for locks, until `deadline`: inside a transaction, that is for readers to finish."""
    seconds = max(deadline - time.monotonic(), LAST_CHANCE_SECONDS)
    # In steps, so that SQLite finds the statement prepared.
    database.execute(f"PRAGMA busy_timeout={ceil(seconds * 20) * 50}")
