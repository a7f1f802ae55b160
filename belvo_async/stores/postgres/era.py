"""How a PostgreSQL store notices that its database went back to an earlier state.

Three signs, each of which can be there without the others. The store names the place where its tables were made: those
of a dump that was loaded, or of a server that was promoted or recovered to a point in time, stand in another. Each row
of a job names the transaction that wrote it: one that was put back was written by another. And each open store
remembers the last that it wrote itself.
"""

from __future__ import annotations

from typing import Any, Final

import psycopg
from psycopg import AsyncConnection

from ..rules import tell_restore
from .connection import Row, Statement

# The number of the transaction, as rows show it of the one that wrote them; it survives freezing.
WRITTEN_BY: Final = "pg_current_xact_id()::text::bigint"
# Whether somebody else put the row there. What is older than the present era is in doubt anyway.
COPIED: Final = """
    (job.xmin::text::bigint <> (job.written_by & 4294967295) AND job.era = (SELECT era FROM store_version))
"""
BEGIN_ERA: Final = "UPDATE store_version SET era = era + 1 RETURNING era"


class KnownEra:
    """What one open store knows of the database: its era, and the last that was written from here."""

    def __init__(self, writer: str) -> None:
        self.era = 0
        self._writer = writer
        self._batch = 0
        self._transaction = 0

    async def arrive(self, connection: AsyncConnection[Row]) -> None:
        """Compare the place of the tables with the one they name. Raises psycopg.Error."""
        place = await _place_of(connection)
        rows = await (await connection.execute(_ARRIVE, (self.era, place, place))).fetchall()
        if rows and rows[0][0] > 0:
            tell_restore("its tables came from a dump, or its PostgreSQL server was promoted or recovered")
        if not rows:
            rows = await (await connection.execute("SELECT era FROM store_version")).fetchall()
        self.era = max(self.era, *(era for (era,) in rows))

    def note(self, batch: int) -> Statement:
        """Write down which batch it is, and read what is to be weighed."""
        return Statement(_NOTE, (self._writer, batch))

    def weigh(self, noted: Row, *, met_copy: bool) -> str | None:
        """By which sign the database went back, if it did; a new era that others began is taken over."""
        batch, era, transaction = noted
        if era > self.era:
            self.era = era
        elif met_copy:
            return "rows were put back from a copy"
        elif era < self.era or (batch or 0) < self._batch or transaction <= self._transaction:
            return "its PostgreSQL server has lost what this process wrote"
        return None

    @property
    def last(self) -> Row:
        """What was noted of the last batch that was kept."""
        return self._batch, self.era, self._transaction

    def unchanged(self) -> tuple[object, ...]:
        """The values of UNCHANGED."""
        return self._writer, self._batch, self.era, self._transaction

    def noting(self, batch: int) -> tuple[object, ...]:
        """The values of NOTED_IF_WRITTEN."""
        return batch, self._writer

    def begin_era(self, noted: Row) -> list[Statement]:
        """Begin a new era, unless another worker has just done so; the last of the statements gives its number."""
        return [Statement(_BEGIN, (self.era, noted[1])), Statement("SELECT era FROM store_version")]

    def keep(self, batch: int, noted: Row) -> None:
        """Remember a batch that was committed."""
        self._batch, self._transaction = batch, noted[2]


async def _place_of(connection: AsyncConnection[Any]) -> str:
    """Cluster, timeline and table; the table alone on servers that do not tell the rest."""
    for query in (_PLACE, _TABLE):
        try:
            ((place,),) = await (await connection.execute(query)).fetchall()
        except psycopg.Error as error:
            if connection.closed or error.sqlstate == "42P01" or query is _TABLE:
                raise
        else:
            return str(place)
    raise AssertionError("one of the two has returned or raised")


_TABLE: Final = "SELECT 'job'::regclass::oid::text"
_PLACE: Final = """
    SELECT system_identifier || '/' || left(pg_walfile_name(pg_current_wal_lsn()), 8) || '/' || 'job'::regclass::oid
    FROM pg_control_system()
"""
_ARRIVE: Final = """
    UPDATE store_version SET era = CASE WHEN place IS NULL THEN era ELSE greatest(era, %s) + 1 END, place = %s
    WHERE place IS DISTINCT FROM %s RETURNING era
"""
# The inner query sees the row as the transaction found it.
_NOTE: Final = f"""
    INSERT INTO writer AS mine (id, batch) VALUES (%s, %s)
    ON CONFLICT (id) DO UPDATE SET batch = excluded.batch, at = now()
    RETURNING (SELECT batch FROM writer WHERE id = mine.id), (SELECT era FROM store_version), {WRITTEN_BY}
"""  # noqa: S608 - constants of this file
# The same signs as `weigh` reads, in a statement that does nothing where there is one of them.
UNCHANGED: Final = f"""
    (SELECT batch FROM writer WHERE id = %b) = %b::bigint AND (SELECT era FROM store_version) = %b::bigint
    AND {WRITTEN_BY} > %b::bigint
"""  # noqa: S608 - constants of this file
NOTED_IF_WRITTEN: Final = f"""
    UPDATE writer SET batch = %b, at = now() WHERE id = %b AND EXISTS (SELECT FROM written)
    RETURNING {WRITTEN_BY} AS transaction
"""  # noqa: S608 - constants of this file
_BEGIN: Final = "UPDATE store_version SET era = greatest(era, %s) + 1 WHERE era = %s"
