"""What the PostgreSQL store keeps of deliveries: early ones, and those that could not be read."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

import msgspec

from ...abc import LaidAside
from ...jobs import Observation, normal_id
from ..documents import read_candidates, read_parked
from ..parked import AT_ONCE, LOOK, Evicted, label_of, subject_mark
from ..rules import Bounds, from_us, identity, to_us
from .connection import Row, Statement
from .group_commit import Read, Steps, Write
from .rows import arrays, plain, unplain


def parked(
    account: str, remote_id: str | None, before: datetime | None, limit: int | None
) -> Read[tuple[Observation, ...]]:
    """The observations of an account, or those about one remote id, oldest first."""
    end = _EVER_US if before is None else to_us(before)
    if remote_id is None:
        return Read(Statement(_PARKED, (plain(account), end, limit)), _observations)
    return Read(Statement(_PARKED_ABOUT, (plain(normal_id(remote_id)), plain(account), end, limit)), _observations)


_EVER_US: Final = 2**63 - 1
_PARKED: Final = "SELECT document FROM parked WHERE account = %s AND at < %s ORDER BY at, number LIMIT %s"
_PARKED_ABOUT: Final = _PARKED.replace("WHERE", "WHERE remote_id = %s AND")


def parked_about(account: str, remote_ids: Collection[str]) -> Read[tuple[Observation, ...]]:
    """The observations about any of some remote ids, oldest first."""
    wanted = list({plain(normal_id(each)) for each in remote_ids})
    return Read(Statement(_ABOUT, (plain(account), wanted)), _observations)


_ABOUT: Final = "SELECT document FROM parked WHERE account = %s AND remote_id = ANY(%s) ORDER BY at, number"


def adoptable(account: str, subject: str, resource: str, since: datetime, limit: int) -> Read[tuple[Observation, ...]]:
    """What a submission about a subject and resource could adopt, oldest first."""
    values = (plain(account), subject_mark(subject), plain(resource), to_us(since), limit)
    return Read(Statement(_ADOPTABLE, values), lambda rows: read_candidates(document for (document,) in rows))


_ADOPTABLE: Final = """
    SELECT document FROM parked WHERE account = %s AND subject = %b AND claim = %s AND at >= %s
    ORDER BY at, number LIMIT %s
"""


def _observations(rows: list[Row]) -> tuple[Observation, ...]:
    return read_parked(document for (document,) in rows)


def laid_aside(accounts: Collection[str] | None) -> Read[tuple[LaidAside, ...]]:
    """The deliveries that could not be read, oldest first."""
    some = None if accounts is None else [plain(each) for each in accounts]
    return Read(
        Statement(_ASIDE, (some, some)),
        lambda rows: tuple(LaidAside(unplain(account), from_us(at), bytes(body)) for account, at, body in rows),
    )


_ASIDE: Final = """
    SELECT account, at, document FROM aside WHERE %s::text[] IS NULL OR account = ANY(%s) ORDER BY at, number
"""


def count_aside() -> Read[int]:
    """How many deliveries could not be read."""
    return Read(Statement("SELECT count(*) FROM aside"), lambda rows: int(rows[0][0]))


class Park(Write[Evicted]):
    """Keep an observation, once; what had to go for it and for others of its transaction."""

    rank = 2

    def __init__(self, account: str, seen: Observation, bounds: Bounds) -> None:
        document = msgspec.json.encode(seen)
        bounds.admit(len(document))
        super().__init__()
        self.bounds = bounds
        label = label_of(seen)
        self.row = (
            plain(account),
            None if label.remote_id is None else plain(label.remote_id),
            None if label.subject is None else subject_mark(label.subject),
            None if label.claim is None else plain(label.claim),
            label.is_report,
            to_us(seen.at),
            identity(seen),
            document,
        )

    @staticmethod
    def steps(operations: Sequence[Park]) -> Steps:
        """Insert all, then make room. The lock keeps the bound strict: two workers would not see each other's rows."""
        bounds = operations[-1].bounds
        eviction = Statement(_EVICT, (bounds.count, bounds.limit_bytes, AT_ONCE, LOOK))
        *_, (gone,) = yield [_LOCK, Statement(_PARK, arrays(each.row for each in operations)), eviction]
        for each in operations:
            each.outcome = Evicted()
        operations[-1].outcome = Evicted(*gone)
        yield []


_LOCK: Final = Statement("LOCK TABLE parked IN SHARE ROW EXCLUSIVE MODE")
_PARK: Final = """
    INSERT INTO parked (account, remote_id, subject, claim, report, at, identity, document)
    SELECT * FROM unnest(%b::text[], %b::text[], %b::bytea[], %b::text[], %b::bool[], %b::bigint[], %b::bytea[],
        %b::bytea[])
    ON CONFLICT (account, identity) DO NOTHING
"""
_EVICT: Final = "SELECT strangers, claimable FROM evict_parked(%s, %s, %s, %s)"


class Unpark(Write[None]):
    """Drop parked observations."""

    rank = 3

    def __init__(self, account: str, observations: Collection[Observation]) -> None:
        super().__init__()
        self.marks = [(plain(account), identity(seen)) for seen in observations]

    @staticmethod
    def steps(operations: Sequence[Unpark]) -> Steps:
        """Drop all that were named. The lock is the one of parking: who parks would wait for us, and we for them."""
        marks = sorted({mark for each in operations for mark in each.marks})
        yield [_LOCK] if marks else []
        yield [Statement(_UNPARK, arrays(marks))] if marks else []


_UNPARK: Final = """
    DELETE FROM parked USING unnest(%s::text[], %b::bytea[]) AS gone (account, identity)
    WHERE parked.account = gone.account AND parked.identity = gone.identity
"""


class SetAside(Write[None]):
    """Keep a delivery that could not be read."""

    rank = 4

    def __init__(self, account: str, body: bytes, at: datetime, bounds: Bounds) -> None:
        bounds.admit(len(body))
        super().__init__()
        self.bounds = bounds
        self.row = (plain(account), to_us(at), body)

    @staticmethod
    def steps(operations: Sequence[SetAside]) -> Steps:
        """Insert all, then make room."""
        yield [_LOCK_ASIDE]
        bounds = operations[-1].bounds
        rows = arrays(each.row for each in operations)
        yield [Statement(_SET_ASIDE, rows), Statement(_TRIM_ASIDE, (bounds.count, bounds.limit_bytes))]


_LOCK_ASIDE: Final = Statement("LOCK TABLE aside IN SHARE ROW EXCLUSIVE MODE")
_SET_ASIDE: Final = (
    "INSERT INTO aside (account, at, document) SELECT * FROM unnest(%s::text[], %s::bigint[], %b::bytea[])"
)
# The newest rows stay that fit together: what is older than the first that does not fit goes with it.
_TRIM_ASIDE: Final = """
    WITH sized AS (
        SELECT number, count(*) OVER newest AS count, sum(length(document)) OVER newest AS bytes
        FROM aside WINDOW newest AS (ORDER BY number DESC)
    )
    DELETE FROM aside USING sized WHERE aside.number = sized.number AND (sized.count > %s OR sized.bytes > %s)
"""


class PruneAside(Write[int]):
    """Drop the deliveries that could not be read before an instant."""

    rank = 4

    def __init__(self, before: datetime) -> None:
        super().__init__()
        self.statement = Statement("DELETE FROM aside WHERE at < %s RETURNING number", (to_us(before),))

    @staticmethod
    def steps(operations: Sequence[PruneAside]) -> Steps:
        """Drop as each call says, under the lock of laying aside: neither waits for the other in a circle."""
        _, *gone = yield [_LOCK_ASIDE, *(each.statement for each in operations)]
        for each, rows in zip(operations, gone, strict=True):
            each.outcome = len(rows)
        yield []
