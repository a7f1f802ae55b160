"""Rows as columns of Arrow: exact types, nested or as tables."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import Any, Final, NamedTuple

from ...errors import ConfigurationError, SinkError
from ..columns import Column, ColumnKind, columns_of, open_text
from ..small_letters import recaster, values_of
from ..tables import Cells, cells_of, is_absent, one_table

# What money fits: 29 digits before the point and 9 after it; DuckDB's and polars' own decimals are as wide.
DIGITS: Final = 38
PLACES: Final = 9


class Remedies(NamedTuple):
    """What to do about a decimal, and about any other value, that has no place in its column."""

    decimal: str
    other: str


def load_arrow() -> tuple[Any, Any]:
    """The package and its Parquet module; ConfigurationError without them."""
    try:
        return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise ConfigurationError("Parquet and Arrow need `pip install 'belvo-async[parquet]'`") from error


# What to do about a value without a place in its column: where Parquet is written.
_IN_FILES: Final = Remedies("write it with `?decimals=text`, or into `ndjson:`", "write it into `ndjson:`")


class Arrays:
    """Makes arrays of the values of columns. With `as_text`, decimals are texts: any fits, and none can be summed."""

    def __init__(self, *, as_text: bool, remedies: Remedies = _IN_FILES) -> None:
        self._arrow, _ = load_arrow()
        self._remedies = remedies
        arrow = self._arrow
        self._types: dict[ColumnKind, Any] = {
            ColumnKind.TEXT: arrow.string(),
            ColumnKind.OPEN: arrow.string(),
            ColumnKind.DECIMAL: arrow.string() if as_text else arrow.decimal128(DIGITS, PLACES),
            ColumnKind.INTEGER: arrow.int64(),
            ColumnKind.FLOAT: arrow.float64(),
            ColumnKind.BOOLEAN: arrow.bool_(),
            ColumnKind.DATE: arrow.date32(),
            ColumnKind.INSTANT: arrow.timestamp("us", tz="UTC"),
        }
        self._as_text = as_text

    def schema(self, columns: Sequence[tuple[str, Column]]) -> Any:
        """The schema of a table."""
        return self._arrow.schema([self._arrow.field(name, self.type_of(column)) for name, column in columns])

    def type_of(self, column: Column) -> Any:
        """The type of a column."""
        if column.kind is ColumnKind.RECORD and column.below:
            return self._arrow.struct([(each.name, self.type_of(each)) for each in column.below])
        if column.kind is ColumnKind.LIST and column.item is not None:
            return self._arrow.list_(self.type_of(column.item))
        return self._types.get(column.kind, self._types[ColumnKind.OPEN])

    def make(self, column: Column, values: Cells, where: str) -> Any:
        """One column's array. SinkError names `where` a value has no place in its type, and never the value."""
        if column.kind is ColumnKind.RECORD and column.below:
            return self._struct(column, values, where)
        if column.kind is ColumnKind.LIST and column.item is not None:
            return self._list(column.item, values, where)
        if column.kind in {ColumnKind.OPEN, ColumnKind.RECORD}:
            values = [None if is_absent(each) else open_text(each) for each in values]
        if column.kind is ColumnKind.DECIMAL and self._as_text:
            values = [None if each is None else format(each, "f") for each in values]
        try:
            return self._arrow.array(values, self._types.get(column.kind, self._types[ColumnKind.OPEN]))
        except (self._arrow.ArrowException, ArithmeticError, TypeError, ValueError):
            raise self._misfit(column.kind, where) from None

    def _struct(self, column: Column, values: Cells, where: str) -> Any:
        children = [
            self.make(each, [None if row is None else get(row) for row in values], f"{where}.{each.name}")
            for each, get in ((each, attrgetter(each.name)) for each in column.below)
        ]
        fields = [self._arrow.field(each.name, self.type_of(each)) for each in column.below]
        mask = self._arrow.array([each is None for each in values], self._arrow.bool_())
        return self._arrow.StructArray.from_arrays(children, fields=fields, mask=mask)

    def _list(self, item: Column, values: Cells, where: str) -> Any:
        flat = [each for items in values if items for each in items]
        offsets: list[int | None] = []
        total = 0
        for items in values:
            offsets.append(None if items is None else total)
            total += len(items or ())
        places = self._arrow.array([*offsets, total], self._arrow.int32())
        return self._arrow.ListArray.from_arrays(places, self.make(item, flat, where))

    def _misfit(self, kind: ColumnKind, where: str) -> SinkError:
        if kind is ColumnKind.DECIMAL:
            room = f"{DIGITS - PLACES} digits before the point and {PLACES} after it"
            fault = f"a number in column {where} has no place in a decimal of Arrow ({room})"
            return SinkError(f"{fault}: {self._remedies.decimal}", column=where)
        fault = f"a value in column {where} is no {kind} that Arrow can hold"
        return SinkError(f"{fault}: {self._remedies.other}", column=where)


class Batches:
    """Makes record batches of rows of one type: nested as the rows are, or `flat`, where only lists are nested.

    UUIDs are in small letters, columns in snake_case, whatever the rows have.
    """

    def __init__(self, record: type, arrays: Arrays, *, flat: bool = False) -> None:
        self._arrow, _ = load_arrow()
        self._arrays = arrays
        self._recast = recaster(record)
        self._columns = columns_of(record)
        plain = [(each.name, each) for each in self._columns]
        self._named = [(leaf.name, leaf.column) for leaf in one_table(record).leaves] if flat else plain
        self._flat = flat
        self.schema = arrays.schema(self._named)

    def make(self, rows: Sequence[Any]) -> Any:
        """One batch of some rows, in any thread. SinkError names the column of a value that has no place in it."""
        recast = self._recast(rows, values_of(rows))
        cells = cells_of(self._columns, recast) if self._flat else self._cells(recast)
        made = [self._arrays.make(each, got, name) for (name, each), got in zip(self._named, cells, strict=True)]
        return self._arrow.RecordBatch.from_arrays(made, schema=self.schema)

    def _cells(self, rows: Sequence[Any]) -> Iterator[Cells]:
        return (list(map(attrgetter(each.name), rows)) for each in self._columns)
