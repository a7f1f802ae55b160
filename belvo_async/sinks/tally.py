"""What a receipt says of rows: how many, which ids, and what their amounts sum to. Exact, and whatever their order."""

from __future__ import annotations

import decimal
from collections.abc import Iterable, Sequence
from decimal import Decimal
from hashlib import blake2b
from operator import itemgetter
from typing import Any, Final

from .columns import ColumnKind, columns_of, id_fields
from .small_letters import Values, positions, uuid_bytes

# Sums are never rounded: the default context would, at 28 digits. What does not fit is a fault, not an approximation.
_EXACT: Final = decimal.Context(
    prec=10_000, Emax=9_999, Emin=-9_999, traps=[decimal.Inexact, decimal.Overflow, decimal.InvalidOperation]
)
# By this one and no power of two, since what is left of a number is what is left of the sum of its digits to the base
# 2^128, as by 9 in the base 10: a batch of UUIDs takes one division, where a hash of each took three times as long.
_MODULUS: Final = 2**128 - 1
# 2^128 by the golden ratio. It has no divisor in common with the modulus, so that different sums stay different.
_FACTOR: Final = 0x9E3779B97F4A7C15F39CC0605CEDC835


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


def sum_of_ids(ids: Sequence[str]) -> int:
    """What ids are as numbers, added up: an order would not survive merging and sorting."""
    found = uuid_bytes("\n".join(ids).encode(), len(ids))
    if found is None:
        return sum(map(_number, ids))
    # The sum of all digits to the base 2^128, by one division; see `_MODULUS`.
    return int.from_bytes(found, "big") % _MODULUS


def _number(row_id: str) -> int:
    small_letters = row_id.lower().encode()
    found = uuid_bytes(small_letters, 1) or blake2b(small_letters, digest_size=16).digest()
    return int.from_bytes(found, "big")


def written_ids(total: int) -> str:
    """The sum of ids as a receipt holds it."""
    return f"{total * _FACTOR % _MODULUS:032x}"


def add_up_ids(written: Iterable[str]) -> str:
    """The digest of the ids of several receipts."""
    return f"{sum(int(each, 16) for each in written) % _MODULUS:032x}"


def add_up(values: Iterable[Decimal]) -> Decimal:
    """The exact sum."""
    with decimal.localcontext(_EXACT):
        return sum(values, Decimal(0))
