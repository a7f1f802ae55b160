"""Records as tables: nested records beside each other, lists of records as tables of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, Final, NamedTuple

import msgspec

from ..errors import ConfigurationError
from .columns import Column, ColumnKind, columns_of, id_fields, open_text

Cells = list[Any]
"""The values of one column, a row each."""


class Leaf(NamedTuple):
    """One column of a table: `name` joins the names on the way with `_`."""

    name: str
    column: Column

    @property
    def is_table(self) -> bool:
        """Whether it is a list of records."""
        return self.column.item is not None and self.column.item.kind is ColumnKind.RECORD


class FlatTable(NamedTuple):
    """One table: the record type's own has no `name`; others are named by the way to their list, with dots."""

    name: str
    leaves: tuple[Leaf, ...]
    below: tuple[FlatTable, ...] = ()

    def all(self) -> Iterator[FlatTable]:
        """This one and all below it, in the order `fill` gives them."""
        yield self
        for each in self.below:
            yield from each.all()


# What joins tables: the id of the record on top, the place in the list ("0", below another list "0.2"), and the place
# of the record that holds the list.
RECORD_ID: Final = Leaf("record_id", Column(name="record_id", kind=ColumnKind.TEXT))
PLACE: Final = Leaf("place", Column(name="place", kind=ColumnKind.TEXT))
HOLDER: Final = Leaf("parent_place", Column(name="parent_place", kind=ColumnKind.TEXT))


def leaves_of(columns: Sequence[Column], prefix: str = "") -> Iterator[Leaf]:
    """The columns with nested records spread out; lists are one column each."""
    for each in columns:
        if each.kind is ColumnKind.RECORD:
            yield from leaves_of(each.below, f"{prefix}{each.name}_")
        else:
            yield Leaf(f"{prefix}{each.name}", each)


@cache
def one_table(record: type) -> FlatTable:
    """A record type as one table: lists stay in their cells."""
    return FlatTable("", _named(tuple(leaves_of(columns_of(record)))))


@cache
def tables_of(record: type) -> FlatTable:
    """A record type as several tables."""
    return _table("", columns_of(record), ())


def _table(name: str, columns: Sequence[Column], keys: tuple[Leaf, ...]) -> FlatTable:
    leaves = tuple(leaves_of(columns))
    below_keys = (RECORD_ID, PLACE) if not keys else (RECORD_ID, PLACE, HOLDER)
    below = tuple(
        _table(f"{name}.{each.name}".removeprefix("."), each.column.item.below, below_keys)
        for each in leaves
        if each.is_table and each.column.item is not None
    )
    return FlatTable(name, _named((*keys, *(each for each in leaves if not each.is_table))), below)


def _named(leaves: tuple[Leaf, ...]) -> tuple[Leaf, ...]:
    if len({each.name for each in leaves}) < len(leaves):
        names = [each.name for each in leaves]
        twice = sorted({each for each in names if names.count(each) > 1})
        raise ConfigurationError(f"two columns of the record would be called {', '.join(twice)}: write it nested")
    return leaves


def cells_of(columns: Sequence[Column], rows: Sequence[Any]) -> Iterator[Cells]:
    """The values of each leaf, in the order of `leaves_of`. A nested record that is None has None in all of them."""
    for each in columns:
        get = attrgetter(each.name)
        cells = [None if row is None else get(row) for row in rows]
        if each.kind is ColumnKind.RECORD:
            yield from cells_of(each.below, cells)
        elif each.kind is ColumnKind.OPEN:
            yield [None if is_absent(value) else open_text(value) for value in cells]
        else:
            yield cells


def is_absent(value: object) -> bool:
    """Whether there is no value: None, or a key that the row did not have."""
    return value is None or value is msgspec.UNSET


def fill(
    record: type, rows: Sequence[Any], ids: Sequence[str] | None = None
) -> Iterator[tuple[FlatTable, list[Cells]]]:
    """Spread rows over the tables of their type: the columns of each, in the order of `FlatTable.all`.

    `ids`: what their tables are to be joined by instead of the ids that rows have.
    """
    keys = ids_of(record, rows) if ids is None else list(ids)
    yield from _fill(tables_of(record), columns_of(record), rows, [keys, [""] * len(rows)], ())


def ids_of(record: type, rows: Sequence[Any]) -> Cells:
    """The id of each row, None where it has none."""
    fields = id_fields(record)
    return [next((value for name in fields if (value := getattr(row, name))), None) for row in rows]


def _fill(
    table: FlatTable, columns: Sequence[Column], rows: Sequence[Any], keys: list[Cells], shown: Sequence[Cells]
) -> Iterator[tuple[FlatTable, list[Cells]]]:
    cells = list(zip(leaves_of(columns), cells_of(columns, rows), strict=True))
    yield table, [*shown, *(each for leaf, each in cells if not leaf.is_table)]
    lists = [(leaf, each) for leaf, each in cells if leaf.is_table]
    for below, (leaf, held) in zip(table.below, lists, strict=True):
        assert leaf.column.item is not None
        items, ids, places, holders = _items(held, *keys)
        shown_below = [ids, places, holders] if shown else [ids, places]
        yield from _fill(below, leaf.column.item.below, items, [ids, places], shown_below)


def _items(held: Cells, ids: Cells, places: Cells) -> tuple[Cells, Cells, Cells, Cells]:
    """The records of all lists, with the id on top, their places, and the places of what holds them."""
    found: tuple[Cells, Cells, Cells, Cells] = ([], [], [], [])
    for items, record_id, place in zip(held, ids, places, strict=True):
        for position, item in enumerate(items or ()):
            if item is None:
                continue
            values = (item, record_id, f"{place}.{position}".removeprefix("."), place)
            for column, value in zip(found, values, strict=True):
                column.append(value)
    return found
