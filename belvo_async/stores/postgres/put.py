"""Writing jobs to PostgreSQL: many calls, decided one after the other, written together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, LiteralString

import msgspec

from ...errors import StoreError
from ...jobs import Job, Observation, Status
from ..documents import read_job
from ..ledger import Place, place_of, proof_entry
from ..rules import TIMELINE_LIMIT, refuse_second_end, refuse_taken_id, to_us
from .alone import insert_alone, update_alone
from .connection import Row, Statement
from .entries import enter
from .era import COPIED, KnownEra
from .group_commit import Steps, Write
from .names import Equals, Name, PendingNames, PendingWhole, Stored, names_of, read_names
from .rows import ASSIGNED, ASSIGNED_LEASED, NAMES, ROWS, Columns, arrays, columns, plain

# PostgreSQL refuses notifications of 8,000 bytes and more.
PAYLOAD_BYTES: Final = 7_500


class Put(Write[Job | None]):
    """Write a job and what was seen of it, or return what stands in the way."""

    def __init__(
        self,
        job: Job,
        expected: int | None,
        observation: Observation | None,
        fresh_since: datetime | None,
        *,
        keeps_lease: bool = False,
    ) -> None:
        super().__init__()
        self.job = job
        self.expected = expected
        self.fresh_us = None if fresh_since is None or not job.key or expected is not None else to_us(fresh_since)
        self.names = names_of(job)
        self.seen = None if observation is None else msgspec.json.encode(observation)
        self.columns = columns(job)
        self.keeps_lease = keeps_lease and job.is_open

    def alone(self, known: KnownEra, batch: int) -> Statement | None:
        """See `alone`; None for a job that holds a name, or is looked for among those that are fresh."""
        if self.names or self.fresh_us is not None:
            return None
        told = _tell([self.job.id]).values
        if self.expected is None:
            return insert_alone(self.columns, plain(self.job.key), self.seen, known, batch, told)
        return update_alone(self.columns, self.expected, self.seen, known, batch, told, keeps_lease=self.keeps_lease)

    @staticmethod
    def steps(operations: Sequence[Put | Forget]) -> Steps:
        """Lock every row concerned, decide in order what each call does to it, and write each row once."""
        questions = _questions(operations)
        answers = dict(zip(questions, (yield list(questions.values())), strict=True))
        operations[0].met_copy = any(row[-1] for row in answers["locked"])
        pending = _PendingRows(**answers)
        for each in operations:
            try:
                if isinstance(each, Put):
                    each.outcome = pending.put(each)
                else:
                    each.outcome = pending.forget(each)
            except StoreError as error:
                each.failure = error
        yield pending.statements()


class Forget(Write[bool]):
    """Drop a job and its timeline."""

    def __init__(self, job_id: str, *, keep_proof: bool) -> None:
        super().__init__()
        self.job_id = job_id
        self.keep_proof = keep_proof

    steps = staticmethod(Put.steps)


def _questions(operations: Sequence[Put | Forget]) -> dict[str, Statement]:
    puts = [each for each in operations if isinstance(each, Put)]
    wanted: list[tuple[object, ...]] = [(each.columns.id, each.expected) for each in puts]
    wanted += [(plain(each.job_id), None) for each in operations if isinstance(each, Forget)]
    questions = {"locked": Statement(_LOCK, arrays(wanted))}
    starts = {_equals(each) for each in puts if each.expected is None and each.job.key}
    if starts:
        questions["standing"] = Statement(_STANDING, arrays(starts))
    # After those that stand in the way: what ended between the two looks is seen by one of them.
    again = {_equals(each) for each in puts if each.fresh_us is not None}
    if again:
        questions["whole"] = PendingWhole.question(again)
    names = {name for each in puts for name in each.names}
    if names:
        questions["held"] = PendingNames.question(names)
    return questions


def _equals(put: Put) -> Equals:
    return put.columns.account, plain(put.job.key)


# A document is only read where a call will be given it. Locked in the order of ids, so that no two transactions wait
# for each other.
_LOCK: Final = f"""
    SELECT job.id, job.version, job.status, job.seen, job.started, job.key, job.account, job.once,
        CASE WHEN job.version IS DISTINCT FROM wanted.expected THEN job.document END, {COPIED}
    FROM unnest(%b::text[], %b::bigint[]) AS wanted (id, expected) JOIN job ON job.id = wanted.id
    ORDER BY job.id FOR UPDATE OF job
"""  # noqa: S608 - constants of this package
_STANDING: Final = """
    SELECT job.account, job.key, job.created_at, job.id, job.document
    FROM unnest(%b::text[], %b::text[]) AS wanted (account, key)
    JOIN job ON job.account = wanted.account AND job.key = wanted.key
"""


@dataclass(slots=True)
class _Kept:
    """A row as the transaction leaves it so far."""

    version: int
    status: str
    seen: int
    started: bool
    key: str | None
    stored: Stored
    names: frozenset[Name] = frozenset()
    is_new: bool = False
    keeps_lease: bool = True
    columns: Columns | None = None
    observations: list[tuple[int, bytes]] = field(default_factory=list[tuple[int, bytes]])


class _PendingRows:
    """Decides what each call does to the rows as the calls before it left them."""

    def __init__(
        self,
        locked: Iterable[Row],
        standing: Iterable[Row] = (),
        whole: Iterable[Row] = (),
        held: Iterable[Row] = (),
    ) -> None:
        self._names = PendingNames(held)
        self._whole = PendingWhole(whole)
        self._proofs: dict[Place, bytes] = {}
        self._kept: dict[str, _Kept] = {}
        self._dropped: set[str] = set()
        self._changed: dict[str, None] = {}
        self._standing: dict[Equals, dict[str, tuple[int, Stored]]] = {}
        self._place: dict[str, Equals] = {}
        for job_id, version, status, seen, started, key, account, once, document, _ in locked:
            names = read_names(account, once)
            kept = self._kept.setdefault(job_id, _Kept(version, status, seen, started, key, document, names))
            kept.stored = kept.stored or document
        for account, key, created_at, job_id, document in standing:
            self._stand(job_id, (account, key), created_at, document)

    def put(self, call: Put) -> Job | None:
        row = call.columns
        kept = self._kept.get(row.id)
        if call.expected is None:
            if kept is not None:
                standing = _read(kept.stored)
                if standing is not None:
                    refuse_taken_id(call.job, standing)
                return standing
            obstacle = self._names.holder(call.names) or self._equal(call) or self._fresh(call)
            if obstacle is not None:
                return _read(obstacle)
            kept = self._kept[row.id] = _Kept(
                row.version, row.status, 0, row.key is not None, row.key, None, is_new=True
            )
        elif kept is None:
            raise StoreError(f"job {call.job.id} is no longer kept")
        elif kept.version != call.expected:
            return _read(kept.stored)
        else:
            refuse_second_end(call.job, Status(kept.status))
            if (holder := self._names.holder(call.names - kept.names)) is not None:
                return _read(holder)
        self._write(kept, call)
        return None

    def forget(self, call: Forget) -> bool:
        job_id = plain(call.job_id)
        kept = self._kept.pop(job_id, None)
        self._leave(job_id)
        if kept is None:
            return False
        self._keep_proof(call, kept)
        self._names.write(job_id, kept.names, frozenset(), None)
        self._changed[call.job_id] = None
        if not kept.is_new:
            self._dropped.add(job_id)
        return True

    def statements(self) -> list[Statement]:
        """What has to be written, dropped and told."""
        rows = [(kept.is_new, kept) for kept in self._kept.values() if kept.columns is not None]
        seen = [(job_id, *each) for job_id, kept in self._kept.items() for each in kept.observations]
        statements = [
            *(Statement(query, (list(self._dropped),)) for query in (_DROP, _DROP_TIMELINES) if self._dropped),
            *_for_each(_UPDATE, [_values(kept) for is_new, kept in rows if not (is_new or kept.keeps_lease)]),
            *_for_each(_UPDATE_LEASED, [_values(kept) for is_new, kept in rows if not is_new and kept.keeps_lease]),
            *_for_each(_INSERT, sorted(_values(kept) for is_new, kept in rows if is_new)),
            *self._names.statements(),
            *self._whole.statements(each.columns.id for _, each in rows if each.columns is not None),
            *enter(self._proofs),
            *_for_each(_APPEND, seen),
            *_for_each(
                _TRIM, [(job_id, place - TIMELINE_LIMIT) for job_id, place, _ in seen if place > TIMELINE_LIMIT]
            ),
        ]
        return [*statements, _tell(self._changed)] if self._changed else statements

    def _keep_proof(self, call: Forget, kept: _Kept) -> None:
        job = _read(kept.stored) if call.keep_proof else None
        entry = None if job is None else proof_entry(job)
        if entry is not None:
            self._proofs[place_of(entry)] = entry.document

    def _equal(self, call: Put) -> Stored:
        equals = self._standing.get(_equals(call)) if call.job.key else None
        if not equals:
            return None
        return min((created_at, job_id, stored) for job_id, (created_at, stored) in equals.items())[2]

    def _fresh(self, call: Put) -> Stored:
        if call.fresh_us is None:
            return None
        found = self._whole.fresh(_equals(call), call.fresh_us)
        if found is None:
            self._whole.start(call.columns.id, _equals(call), call.fresh_us)
        return found

    def _write(self, kept: _Kept, call: Put) -> None:
        row = call.columns
        kept.started = kept.started and row.key is not None and row.key == kept.key
        kept.version, kept.status, kept.key, kept.stored, kept.columns = row.version, row.status, row.key, call.job, row
        kept.keeps_lease = kept.keeps_lease and call.keeps_lease
        if call.seen is not None:
            kept.seen += 1
            kept.observations.append((kept.seen, call.seen))
        self._changed[call.job.id] = None
        if kept.names or call.names:
            self._names.write(row.id, kept.names, call.names, call.job)
            kept.names = call.names
        if row.whole is not None and row.settled_at is not None:
            self._whole.write((row.account, row.whole), row.settled_at, row.created_at, call.job)
        self._leave(row.id)
        if row.key is not None:
            self._stand(row.id, (row.account, row.key), row.created_at, call.job)

    def _stand(self, job_id: str, equals: Equals, created_at: int, stored: Stored) -> None:
        self._place[job_id] = equals
        self._standing.setdefault(equals, {})[job_id] = (created_at, stored)

    def _leave(self, job_id: str) -> None:
        equals = self._place.pop(job_id, None)
        if equals is not None:
            del self._standing[equals][job_id]


def _read(stored: Stored) -> Job | None:
    return read_job(stored) if isinstance(stored, bytes) else stored


def _values(kept: _Kept) -> tuple[object, ...]:
    assert kept.columns is not None
    return (*kept.columns, kept.started, kept.seen)


def _for_each(query: LiteralString, rows: Sequence[tuple[object, ...]]) -> list[Statement]:
    return [Statement(query, arrays(rows))] if rows else []


def _tell(job_ids: Collection[str]) -> Statement:
    """One notification for all; without ids where they are too many: any job may have changed."""
    payload = msgspec.json.encode(list(job_ids))
    return Statement(_TELL, (payload.decode() if len(payload) <= PAYLOAD_BYTES else "",))


_DROP: Final = "DELETE FROM job WHERE id = ANY(%s)"
_DROP_TIMELINES: Final = "DELETE FROM timeline WHERE job_id = ANY(%s)"
_INSERT: Final = f"INSERT INTO job ({NAMES}) SELECT * FROM {ROWS}"  # noqa: S608 - constants of this package
_UPDATE: Final = f"""
    UPDATE job SET {ASSIGNED}, started = new.started, seen = new.seen FROM {ROWS} WHERE job.id = new.id
"""  # noqa: S608 - constants of this package
_UPDATE_LEASED: Final = _UPDATE.replace(ASSIGNED, ASSIGNED_LEASED)
# A place is taken already where only the rows of jobs were put back from a backup.
_APPEND: Final = (
    "INSERT INTO timeline SELECT * FROM unnest(%b::text[], %b::bigint[], %b::bytea[]) "
    "ON CONFLICT (job_id, place) DO UPDATE SET document = excluded.document"
)
_TRIM: Final = """
    DELETE FROM timeline USING unnest(%s::text[], %s::bigint[]) AS old (job_id, place)
    WHERE timeline.job_id = old.job_id AND timeline.place <= old.place
"""
_TELL: Final = "SELECT pg_notify(current_schema(), %s)"
