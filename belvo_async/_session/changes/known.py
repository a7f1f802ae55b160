"""What is known of each record, and what is learned of it until somebody acknowledges that."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Collection, Generator, Iterable, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from ...abc.changes import RecordStanding
from ...abc.plans import RowPlace
from ...changes.compare import Comparison, KnownRecord, ToldChange
from .schema import fault, open_file

# Somebody on a record, by a digest: no id of a record begins so.
_PARTY: Final = "~"


class RowRules(NamedTuple):
    """What to compare rows by: the rules, where a row belongs, and which rows are looked at."""

    comparison: Comparison
    place: Callable[[Any], RowPlace]
    record_id: Callable[[Any], str | None]
    is_wanted: Callable[[RowPlace], bool]


class FoundChange(NamedTuple):
    """A change, the id of its record, and the record; and how many were found with it."""

    told: ToldChange
    record_id: str
    record: Any


class ScopeState(msgspec.Struct, frozen=True, kw_only=True):
    """How far a subject was read: when that began, the days and directions, and by which jobs those were known."""

    since: datetime
    days: tuple[int, int]
    sides: tuple[str, ...]
    jobs: frozenset[str]


class KnownRecords:
    """One reading of changes on the file of its cursor. Blocking: called in one thread, one call at a time.

    What is learned is pending, under the number of changes found until then, and becomes known only as far as
    `acknowledge` says. A new reading begins with what is known: whatever is pending is found again.
    """

    def __init__(self, path: Path, run: str) -> None:
        self._path = path
        self.found = 0
        self._database = open_file(path)
        with self._faults():
            execute = self._database.execute
            # Nothing pending needs to outlive a loss of power.
            execute("PRAGMA synchronous=NORMAL")
            (self.key,) = execute("SELECT key FROM secret").fetchone()
            execute("BEGIN")
            execute("DELETE FROM pending")
            execute("DELETE FROM pending_scopes")
            execute("UPDATE secret SET run = ?", [run])
            execute("CREATE TEMP TABLE met (id TEXT PRIMARY KEY) WITHOUT ROWID")
            execute("COMMIT")
            self._shapes = {str(paths): int(number) for number, paths in execute("SELECT id, paths FROM shapes")}
            self._paths = {number: tuple(json.loads(paths)) for paths, number in self._shapes.items()}

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def scope(self, *names: str) -> int:
        """The number of a subject and resource, which the file names by a digest only."""
        with self._faults():
            digest = [self._digest(*names)]
            found = self._database.execute("SELECT id FROM scopes WHERE digest = ?", digest).fetchone()
            if found is None:
                self._database.execute("INSERT INTO scopes (digest) VALUES (?)", digest)
                found = self._database.execute("SELECT last_insert_rowid()").fetchone()
        return int(found[0])

    def state(self, scope: int) -> ScopeState | None:
        """How far a subject was read, as far as that was acknowledged; None: not at all."""
        with self._faults():
            (state,) = self._database.execute("SELECT state FROM scopes WHERE id = ?", [scope]).fetchone()
        return None if state is None else msgspec.json.decode(state, type=ScopeState)

    def begin_scope(self) -> None:
        """Forget which records were met."""
        with self._faults():
            self._database.execute("DELETE FROM met")

    def end_scope(self, scope: int, state: ScopeState) -> None:
        """Note how far a subject was read."""
        with self._faults():
            row = [scope, self.found, msgspec.json.encode(state, order="deterministic").decode()]
            self._database.execute("INSERT OR REPLACE INTO pending_scopes VALUES (?, ?, ?)", row)

    def compare(self, scope: int, rows: Sequence[Any], look: RowRules, *, doubtful: bool) -> list[FoundChange]:
        """Compare some rows, in one transaction: what is found in them, in their order."""
        with self._faults(), self._transaction():
            places = [(row, look.place(row)) for row in rows]
            wanted = [(row, place) for row, place in places if look.is_wanted(place)]
            return self._compare(scope, wanted, look, doubtful=doubtful)

    def _compare(
        self, scope: int, rows: Sequence[tuple[Any, RowPlace]], look: RowRules, *, doubtful: bool
    ) -> list[FoundChange]:
        comparison, found = look.comparison, list[FoundChange]()
        named = [(record_id, row, place) for row, place in rows if (record_id := look.record_id(row)) is not None]
        parties = {self._party(each): each for _, row, _ in named for each in comparison.parties(row)}
        known = self._known(scope, {*(comparison.key(each) for each, _, _ in named), *parties})
        self._database.executemany("INSERT OR IGNORE INTO met VALUES (?)", [(each,) for each, _, _ in named])
        for record_id, row, place in named:
            key = comparison.key(record_id)
            told, after = comparison.record(row, key, known.get(key), place, doubtful=doubtful)
            found += self._note(
                scope, key, told, after, known, FoundChange(ToldChange(told[0].kind), record_id, row) if told else None
            )
            for each in comparison.parties(row):
                party = self._party(each)
                told, after = comparison.party([each], known.get(party))
                found += self._note(
                    scope, party, told, after, known, FoundChange(told[0], record_id, row) if told else None
                )
        return found

    def _note(
        self, scope: int, key: str, told: Iterable[ToldChange], after: KnownRecord | None,
        known: dict[str, KnownRecord], of: FoundChange | None,
    ) -> list[FoundChange]:  # fmt: skip
        """Keep what is known from now on, under the changes that told it."""
        found = [] if of is None else [of._replace(told=each) for each in told]
        self.found += len(found)
        if after is not None:
            known[key] = after
            shape = self._shape(after.paths) if after.paths else None
            words, sides = " ".join(sorted(map(_packed, after.words))), " ".join(after.sides)
            row = [scope, key, after.day, sides, words, shape, after.digests, self.found, 0]
            self._database.execute("INSERT OR REPLACE INTO pending VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        return found

    def vanished(self, scope: int, is_proven: Callable[[int, Sequence[str]], bool], days: tuple[int, int]) -> list[str]:
        """The records that are known to belong to proven days, and were not met; they are known no longer."""
        with self._faults(), self._transaction():
            rows = self._database.execute(
                "SELECT id, day, sides FROM known WHERE scope = ? AND day BETWEEN ? AND ? AND shape IS NOT NULL"
                " AND id NOT IN (SELECT id FROM met) ORDER BY id",
                [scope, *days],
            )
            gone = [str(each) for each, day, sides in rows if is_proven(int(day), str(sides).split())]
            for each in gone:
                self.found += 1
                row = [scope, each, 0, "", "", None, b"", self.found, 1]
                self._database.execute("INSERT OR REPLACE INTO pending VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        return gone

    def acknowledge(self, count: int) -> None:
        """Make known what the first so many changes told, and what was learned before the next one. Durable."""
        with self._faults():
            acknowledge(self._database, count)
            self._database.execute("PRAGMA synchronous=NORMAL")

    def _known(self, scope: int, keys: Collection[str]) -> dict[str, KnownRecord]:
        found: dict[str, KnownRecord] = {}
        wanted = json.dumps(list(keys))
        for table in ("known", "pending"):
            rows = self._database.execute(
                f"SELECT id, day, sides, words, shape, digests FROM {table} WHERE scope = ?"  # noqa: S608 - one of two
                " AND id IN (SELECT value FROM json_each(?))",
                [scope, wanted],
            )
            for key, day, sides, words, shape, digests in rows:
                held = frozenset(map(_unpacked, str(words).split()))
                paths = self._paths.get(shape, ())
                found[str(key)] = KnownRecord(paths, digests, held, int(day), tuple(str(sides).split()))
        return found

    def _shape(self, paths: Sequence[str]) -> int:
        """The number of a list of fields: another version of the library may know others."""
        text = json.dumps(list(paths))
        if text not in self._shapes:
            self._database.execute("INSERT INTO shapes (paths) VALUES (?)", [text])
            (number,) = self._database.execute("SELECT last_insert_rowid()").fetchone()
            self._shapes[text], self._paths[number] = number, tuple(paths)
        return self._shapes[text]

    def _party(self, standing: RecordStanding) -> str:
        return _PARTY + self._digest(standing.kind, standing.about or "").hex()

    def _digest(self, *names: str) -> bytes:
        text = json.dumps(names).encode()
        return hashlib.blake2b(text, key=self.key, digest_size=16).digest()

    @contextmanager
    def _transaction(self) -> Generator[None]:
        self._database.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    @contextmanager
    def _faults(self) -> Generator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise fault(self._path, error) from None


def acknowledge_run(path: Path, run: str, count: int) -> bool:
    """Acknowledge changes of a reading that has ended; False where another one has begun since."""
    database = open_file(path)
    try:
        (held,) = database.execute("SELECT run FROM secret").fetchone()
        if held != run:
            return False
        acknowledge(database, count)
    except sqlite3.Error as error:
        raise fault(path, error) from None
    finally:
        database.close()
    return True


def acknowledge(database: sqlite3.Connection, count: int) -> None:
    """Move what is pending under the first so many changes to what is known: all of it or nothing, and durably."""
    execute = database.execute
    execute("PRAGMA synchronous=FULL")
    execute("BEGIN IMMEDIATE")
    try:
        gone = "SELECT scope, id FROM pending WHERE is_gone AND told <= ?"
        execute(f"DELETE FROM known WHERE (scope, id) IN ({gone})", [count])  # noqa: S608 - a constant
        execute(
            "INSERT OR REPLACE INTO known SELECT scope, id, day, sides, words, shape, digests FROM pending"
            " WHERE told <= ? AND NOT is_gone",
            [count],
        )
        execute("DELETE FROM pending WHERE told <= ?", [count])
        execute(
            "UPDATE scopes SET state = p.state FROM pending_scopes p WHERE p.id = scopes.id AND p.told <= ?",
            [count],
        )
        execute("DELETE FROM pending_scopes WHERE told <= ?", [count])
    except BaseException:
        execute("ROLLBACK")
        raise
    execute("COMMIT")


def new_run() -> str:
    """A name for a reading, so that none is acknowledged in place of another."""
    return os.urandom(12).hex()


def _packed(word: str) -> str:
    return word.replace(" ", "_")


def _unpacked(word: str) -> str:
    return word.replace("_", " ")
