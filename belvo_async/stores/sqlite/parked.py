"""What the SQLite store keeps of deliveries: early ones, and those that could not be read.

Every function runs inside a transaction of the store's thread.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final

import msgspec

from ...abc import LaidAside
from ...jobs import Observation, normal_id
from ..documents import read_candidates, read_parked
from ..parked import Evicted, Load, evict, label_of, subject_mark
from ..rules import Bounds, from_us, identity, to_us
from ..sql import CROWDED, FIRST_TO_GO, IS_STRANGE, NEWEST_FIRST


def park(database: sqlite3.Connection, account: str, seen: Observation, bounds: Bounds) -> Evicted:
    """Keep an observation, once; what had to go for it."""
    document = msgspec.json.encode(seen)
    bounds.admit(len(document))
    label = label_of(seen)
    subject = None if label.subject is None else subject_mark(label.subject)
    facts = (label.remote_id, subject, label.claim, label.is_report, to_us(seen.at), identity(seen), document)
    if not database.execute(_PARK, (account, *facts)).rowcount:
        return Evicted()
    return evict(_ParkedRows(database), bounds)


_PARK: Final = """
    INSERT INTO parked (account, remote_id, subject, claim, report, at, identity, document)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (account, identity) DO NOTHING
"""


class _ParkedRows:
    """The park as `evict` sees it."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def load(self) -> Load:
        return Load(*self._database.execute("SELECT count, bytes FROM kept WHERE name = 'parked'").fetchone())

    def drop_strangers(self, limit: int, *, look: int | None, newest: bool = False) -> int:
        query = _NEWEST_STRANGERS if newest else _STRANGERS
        return self._database.execute(query, (-1 if look is None else look, limit)).rowcount

    def drop_claimable(self, limit: int) -> int:
        return self._database.execute(_CLAIMABLE, (limit,)).rowcount


# Of the first that are looked at.
_STRANGERS, _NEWEST_STRANGERS = (
    f"""
    DELETE FROM parked WHERE number IN (
        SELECT number FROM (
            SELECT number, account, remote_id, subject, claim, report FROM parked ORDER BY {order} LIMIT ?
        ) AS seen WHERE {IS_STRANGE} ORDER BY {order} LIMIT ?
    )
    """  # noqa: S608 - constants of this package
    for order in (FIRST_TO_GO, NEWEST_FIRST)
)
_CLAIMABLE: Final = f"DELETE FROM parked WHERE number IN ({CROWDED} LIMIT ?)"  # noqa: S608 - constants of this package


def parked(
    database: sqlite3.Connection, account: str, remote_id: str | None, before: datetime | None, limit: int | None
) -> tuple[Observation, ...]:
    """The observations of an account, or those about one remote id, oldest first."""
    values = {
        "account": account,
        "remote_id": None if remote_id is None else normal_id(remote_id),
        "before": _EVER_US if before is None else to_us(before),
        "limit": -1 if limit is None else limit,
    }
    return _observations(database.execute(_PARKED if remote_id is None else _PARKED_ABOUT, values))


_EVER_US: Final = 2**63 - 1
_PARKED: Final = (
    "SELECT document FROM parked WHERE account = :account AND at < :before ORDER BY at, number LIMIT :limit"
)
_PARKED_ABOUT: Final = _PARKED.replace("WHERE", "WHERE remote_id = :remote_id AND")


def parked_about(database: sqlite3.Connection, account: str, remote_ids: Collection[str]) -> tuple[Observation, ...]:
    """The observations about any of some remote ids, oldest first."""
    wanted = json.dumps(list({normal_id(each) for each in remote_ids}))
    return _observations(database.execute(_ABOUT, (account, wanted)))


_ABOUT: Final = """
    SELECT document FROM parked WHERE account = ? AND remote_id IN (SELECT value FROM json_each(?)) ORDER BY at, number
"""


def adoptable(
    database: sqlite3.Connection, account: str, subject: str, resource: str, since: datetime, limit: int
) -> tuple[Observation, ...]:
    """What a submission about a subject and resource could adopt, oldest first."""
    values = (account, subject_mark(subject), resource, to_us(since), limit)
    return read_candidates(document for (document,) in database.execute(_ADOPTABLE, values))


_ADOPTABLE: Final = """
    SELECT document FROM parked WHERE account = ? AND subject = ? AND claim = ? AND at >= ? ORDER BY at, number LIMIT ?
"""


def _observations(rows: Iterable[tuple[bytes]]) -> tuple[Observation, ...]:
    return read_parked(document for (document,) in rows)


def unpark(database: sqlite3.Connection, account: str, observations: Collection[Observation]) -> None:
    """Drop parked observations."""
    database.executemany(
        "DELETE FROM parked WHERE account = ? AND identity = ?", [(account, identity(seen)) for seen in observations]
    )


def set_aside(database: sqlite3.Connection, account: str, body: bytes, at: datetime, bounds: Bounds) -> None:
    """Keep a delivery that could not be read."""
    bounds.admit(len(body))
    database.execute("INSERT INTO aside (account, at, document) VALUES (?, ?, ?)", (account, to_us(at), body))
    while not bounds.hold(*database.execute("SELECT count, bytes FROM kept WHERE name = 'aside'").fetchone()):
        database.execute("DELETE FROM aside WHERE number = (SELECT min(number) FROM aside)")


def laid_aside(database: sqlite3.Connection, accounts: Collection[str] | None) -> tuple[LaidAside, ...]:
    """The deliveries that could not be read, oldest first."""
    some = None if accounts is None else json.dumps(tuple(accounts))
    rows = database.execute(_ASIDE, {"accounts": some})
    return tuple(LaidAside(account, from_us(at), body) for account, at, body in rows)


_ASIDE: Final = """
    SELECT account, at, document FROM aside
    WHERE :accounts IS NULL OR account IN (SELECT value FROM json_each(:accounts)) ORDER BY at, number
"""


def count_aside(database: sqlite3.Connection) -> int:
    """How many deliveries could not be read."""
    return int(database.execute("SELECT count FROM kept WHERE name = 'aside'").fetchone()[0])


def prune_aside(database: sqlite3.Connection, before: datetime) -> int:
    """Drop the deliveries that could not be read before an instant."""
    return database.execute("DELETE FROM aside WHERE at < ?", (to_us(before),)).rowcount
