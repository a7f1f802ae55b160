"""Records as rows of a mirror's tables: columns of Arrow, by the rules that exports have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from typing import Any, NamedTuple, TypeAlias

from ...abc import CommonInvoice, ListRules
from ...errors import SinkError
from ...sinks.columns import ColumnKind
from ...sinks.small_letters import recaster, small, values_of
from ...sinks.tables import Cells, fill, ids_of
from .installed import load
from .tables import MirrorTable, arrow_types, mirror_tables
from .versions import versions_of

Batch: TypeAlias = Any
"""A pyarrow.RecordBatch."""


class Spreading(NamedTuple):
    """What rows are spread into: the name of a record type's own table, whose rows, and what of them tells nothing."""

    name: str
    record: type
    subject: str
    unversioned: frozenset[str] = frozenset()
    is_snapshot: bool = False


class Spread:
    """Spreads the rows of one subject over the tables of their type. Each record once: the first that is met stands."""

    def __init__(self, into: Spreading) -> None:
        self.tables = mirror_tables(into.name, into.record, is_snapshot=into.is_snapshot)
        self._into = into
        self._recast = recaster(into.record)
        self.met: set[str] = set()

    def take(self, rows: Sequence[Any], ids: Sequence[str] | None = None) -> Spreaded:
        """The rows as batches of their tables. SinkError names the column in which a value has no place."""
        into = self._into
        recast = self._recast(rows, values_of(rows))
        versions = versions_of(into.record, recast, into.subject, into.unversioned)
        own = ids_of(into.record, recast) if ids is None else ids
        named = [small(str(each)) if each else version for each, version in zip(own, versions, strict=True)]
        new = [place for place, each in enumerate(named) if self._is_new(each)]
        recast, named, versions = [[each[place] for place in new] for each in (recast, named, versions)]
        return Spreaded(new, named, versions, list(self._batches(recast, named, versions)))

    def _is_new(self, record_id: str) -> bool:
        is_new = record_id not in self.met
        self.met.add(record_id)
        return is_new

    def _batches(
        self, rows: Sequence[Any], ids: Sequence[str], versions: Sequence[str]
    ) -> Iterator[tuple[MirrorTable, Batch]]:
        subjects = [self._into.subject] * len(rows)
        filled = fill(self._into.record, rows, versions)
        for table, (_, cells) in zip(self.tables, filled, strict=True):
            columns = [subjects, list(ids), list(versions), *cells] if table.is_root else cells
            if columns and columns[0]:
                yield table, _batch(table, columns)


class Spreaded(NamedTuple):
    """What was made of rows: which of them were new, their ids and versions, and the batches of their tables."""

    new: list[int]
    ids: list[str]
    versions: list[str]
    batches: list[tuple[MirrorTable, Batch]]


def _batch(table: MirrorTable, columns: Sequence[Cells]) -> Batch:
    types, arrow = arrow_types(), load("pyarrow")
    made: list[Any] = []
    for leaf, cells in zip(table.leaves, columns, strict=True):
        try:
            made.append(types.make(leaf.column, cells, f"{table.name}.{leaf.name}"))
        except SinkError as error:
            raise _no_place(leaf.column.kind, f"{table.name}.{leaf.name}") from error
    return arrow.RecordBatch.from_arrays(made, schema=table.schema())


def _no_place(kind: ColumnKind, column: str) -> SinkError:
    room = " (29 digits before the point and 9 after it)" if kind is ColumnKind.DECIMAL else ""
    text = f"a value in column {column} has no place in the mirror's {kind}{room}: export these rows as `ndjson:`"
    return SinkError(text, column=column)


INVOICES = "invoices"
"""The table in which the invoices of all vendors stand in common words."""


class Stream:
    """The rows of one list, or of one job, on their way: their own tables and, of invoices, the common one."""

    def __init__(self, into: Spreading, rules: ListRules | None) -> None:
        self.place = into.name, into.subject
        self._own = Spread(into)
        self._read = None if rules is None else rules.common
        self._common = Spread(Spreading(INVOICES, CommonInvoice, into.subject)) if self._read is not None else None

    @property
    def tables(self) -> tuple[MirrorTable, ...]:
        """All there may be."""
        return self._own.tables if self._common is None else (*self._own.tables, *self._common.tables)

    @property
    def ids(self) -> Set[str]:
        """Of which records rows were taken."""
        return self._own.met

    def take(self, rows: Sequence[Any]) -> Spreaded:
        """Spread rows; what is given of ids and versions is that of their own table."""
        own = self._own.take(rows)
        if self._common is not None and self._read is not None and own.new:
            common = self._common.take([self._read(rows[place]) for place in own.new], own.ids)
            own.batches.extend(common.batches)
        return own
