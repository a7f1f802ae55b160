"""The Lua scripts of the Redis store. Each runs alone on the server: all of it happens, or nothing.

`KEYS[1]` is the hash of the store's own facts, and carries the hash tag that keeps every other key in the same cluster
slot. `ARGV[1]` is the epoch the caller opened. The other arguments are named by `arg[1]` and so on in each script.

Indexes are sorted sets whose members all have score 0 and so are ordered by their bytes: an instant of fixed width,
then an id. A walk goes on after any member, whether it is still there or not, and no instant passes through a float.
"""

from __future__ import annotations

from typing import Final

from .accounts import COUNT
from .budgets import EXHAUST, EXHAUSTED_UNTIL, GIVE_BACK, RESERVE
from .entries import ENTER, ENTRIES, STRIKE
from .era import ARRIVE, BEGIN_ERA
from .jobs import (
    CLAIM,
    FIND,
    FIRST_DUE,
    FORGET,
    FRESH,
    GET,
    HOLDER,
    LEASE,
    LEASED_UNTIL,
    OPEN,
    POSITION,
    PUT,
    RELEASE,
    TIMELINE,
    WALK,
)
from .parked import COUNT_KEPT, DROP, DROP_OLD, KEEP, KEPT, PARK
from .script import Script

__all__ = [
    "ARRIVE",
    "BEGIN_ERA",
    "CLAIM",
    "COUNT",
    "COUNT_KEPT",
    "DROP",
    "DROP_OLD",
    "ENTER",
    "ENTRIES",
    "EXHAUST",
    "EXHAUSTED_UNTIL",
    "FIND",
    "FIRST_DUE",
    "FORGET",
    "FRESH",
    "GET",
    "GIVE_BACK",
    "HOLDER",
    "KEEP",
    "KEPT",
    "LEASE",
    "LEASED_UNTIL",
    "OPEN",
    "PARK",
    "POSITION",
    "PUT",
    "RELEASE",
    "RESERVE",
    "SCRIPTS",
    "STRIKE",
    "TIMELINE",
    "WALK",
]

SCRIPTS: Final = tuple(each for each in list(globals().values()) if isinstance(each, Script))
