"""What a receipt says of rows: how many, which ids, and what their amounts sum to. Exact, and whatever their order."""

from __future__ import annotations

import decimal
from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from hashlib import blake2b
from operator import itemgetter
from typing import Any, Final

from .columns import ColumnKind, columns_of, id_fields
from .small_letters import Values, positions

# Sums are never rounded: the default context would, at 28 digits. What does not fit is a fault, not an approximation.
_EXACT: Final = decimal.Context(
    prec=10_000, Emax=9_999, Emin=-9_999, traps=[decimal.Inexact, decimal.Overflow, decimal.InvalidOperation]
)
_MODULUS: Final = 2**128


class Tally:
    """Counts the rows of one record type as they pass."""

    def __init__(self, record: type) -> None:
        places = positions(record)
        names = [each.name for each in columns_of(record) if each.kind is ColumnKind.DECIMAL]
        self.rows = 0
        self._ids = 0
        self._id_getters = [itemgetter(places[each]) for each in id_fields(record)]
        self._getters = {name: itemgetter(places[name]) for name in names}
        self.sums: dict[str, Decimal] = dict.fromkeys(names, Decimal(0))

    @property
    def ids(self) -> str:
        """The digest of all ids so far."""
        return written_ids(self._ids)

    def add(self, values: Sequence[Values]) -> None:
        """Count rows by what they hold."""
        self.rows += len(values)
        self._ids += sum_of_ids(_row_ids(values, self._id_getters))
        with decimal.localcontext(_EXACT):
            for name, get in self._getters.items():
                amounts: Iterable[Decimal | None] = map(get, values)
                self.sums[name] = sum(filter(None, amounts), self.sums[name])


def _row_ids(values: Sequence[Values], getters: Sequence[itemgetter[Any]]) -> Sequence[str]:
    """The ids of rows that have one."""
    if not getters:
        return ()
    found = list(map(getters[0], values))
    for get in getters[1:]:
        if not all(found):
            found = [one or get(row) for one, row in zip(found, values, strict=True)]
    return [str(each) for each in found if each]


def sum_of_ids(ids: Collection[str]) -> int:
    """Each id by a hash, added up: an order would not survive merging and sorting."""
    # At once, since asking each for its small letters takes as long as hashing it.
    spelled = "\0".join(ids).lower().encode().split(b"\0") if ids else []
    if len(spelled) != len(ids):
        spelled = [each.lower().encode() for each in ids]
    return sum([int.from_bytes(blake2b(each, digest_size=16).digest(), "big") for each in spelled])


def written_ids(total: int) -> str:
    """The sum as a receipt holds it."""
    return f"{total % _MODULUS:032x}"


def add_up(values: Iterable[Decimal]) -> Decimal:
    """The exact sum."""
    with decimal.localcontext(_EXACT):
        return sum(values, Decimal(0))
