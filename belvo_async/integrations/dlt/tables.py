"""Which tables a record type has in a mirror: those of the flat exports, with what tells versions apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, Final, NamedTuple

from ...errors import ConfigurationError
from ...sinks.columns import Column, ColumnKind
from ...sinks.tables import FlatTable, Leaf, tables_of
from .installed import load

SUBJECT: Final = "subject"
RECORD_ID: Final = "record_id"
VERSION: Final = "record_version"
PLACE: Final = "place"
# They are in every row. The tables below a record's own are joined to it by the version: it names what it said then.
ROOT_KEYS: Final = (SUBJECT, RECORD_ID, VERSION)
BELOW_KEYS: Final = (VERSION, PLACE)


class MirrorTable(NamedTuple):
    """One table. `leaves` are its columns; `flat` is the one of the flat exports that it is made of.

    `is_snapshot`: what is no longer in a subject's rows has ended; otherwise only what has become something else has.
    """

    name: str
    leaves: tuple[Leaf, ...]
    flat: str
    is_snapshot: bool = False

    @property
    def is_root(self) -> bool:
        """Whether it is the record type's own."""
        return not self.flat

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns that no row lacks."""
        return ROOT_KEYS if self.is_root else BELOW_KEYS

    def schema(self) -> Any:
        """Its columns for Arrow."""
        arrow = load("pyarrow")
        types = arrow_types()
        fields = [
            arrow.field(each.name, types.type_of(each.column), each.name not in self.keys) for each in self.leaves
        ]
        return arrow.schema(fields)

    def hints(self) -> Mapping[str, Any]:
        """How dlt is to merge it.

        Of a record's own table, dlt keeps every version with the time in which it was the present one (scd2). A row of
        a table below belongs to one version and never changes.
        """
        if not self.is_root:
            return {
                "primary_key": list(BELOW_KEYS),
                "write_disposition": {"disposition": "merge", "strategy": "insert-only"},
            }
        return {
            "merge_key": [SUBJECT] if self.is_snapshot else [SUBJECT, RECORD_ID],
            "write_disposition": {"disposition": "merge", "strategy": "scd2", "row_version_column_name": VERSION},
        }


@cache
def arrow_types() -> Any:
    """What makes columns of Arrow, by the rules of the Parquet export."""
    load("pyarrow")
    from ...sinks.formats.arrow import Arrays

    return Arrays(as_text=False)


def mirror_tables(name: str, record: type, *, is_snapshot: bool = False) -> tuple[MirrorTable, ...]:
    """The tables of a record type, in the order in which `sinks.tables.fill` fills them."""
    return tuple(_each(name, tables_of(record), is_snapshot))


def _each(name: str, root: FlatTable, is_snapshot: bool) -> Iterator[MirrorTable]:
    for flat in root.all():
        if flat is root:
            yield MirrorTable(name, _named(name, (*map(_key, ROOT_KEYS), *flat.leaves)), "", is_snapshot)
        else:
            # It is joined by the version of the record on top, and not by its id.
            leaves = (_key(VERSION), *flat.leaves[1:])
            yield MirrorTable(f"{name}__{flat.name.replace('.', '__')}", _named(name, leaves), flat.name)


def _key(name: str) -> Leaf:
    return Leaf(name, Column(name=name, kind=ColumnKind.TEXT))


def _named(name: str, leaves: tuple[Leaf, ...]) -> tuple[Leaf, ...]:
    names = [each.name for each in leaves]
    if len(set(names)) < len(names):
        twice = sorted({each for each in names if names.count(each) > 1})
        raise ConfigurationError(f"two columns of {name} would be called {', '.join(twice)}")
    return tuple(map(_plain, leaves))


def _plain(leaf: Leaf) -> Leaf:
    # A list of texts or numbers is JSON: neither of the databases asks for more, and both read it.
    if leaf.column.kind is not ColumnKind.LIST:
        return leaf
    return leaf._replace(column=replace(leaf.column, kind=ColumnKind.OPEN, item=None))
