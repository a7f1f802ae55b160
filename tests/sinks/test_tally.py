"""What a receipt says of rows: the same whatever their order and their batches, other for other rows."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from hashlib import blake2b
from uuid import UUID

from hypothesis import given, strategies as st

from belvo_async.sinks.small_letters import is_uuid, uuid_bytes, values_of
from belvo_async.sinks.tally import Tally, add_up_ids
from tests.sinks.kit import Bill

UUIDS = st.uuids(version=4).map(str) | st.uuids(version=4).map(lambda each: str(each).upper())
IDS = UUIDS | st.text(min_size=1, max_size=6) | st.integers(0, 9).map(lambda each: f"B{each}")
COLUMNS = st.lists(UUIDS, min_size=1, max_size=8) | st.lists(IDS, min_size=1, max_size=8)
# Nearly UUIDs: a digit, a hyphen or white space in the wrong place.
TWISTED = st.builds(
    lambda text, place, letter: text[:place] + letter + text[place + 1 :],
    st.uuids().map(str),
    st.integers(0, 36),
    st.sampled_from(["-", " ", "\n", "a", "A", "g", "", "ff", "١", "\t"]),
)


def ids_of(ids: Sequence[str | None], batch_rows: int = 100) -> str:
    """The digest that a receipt would hold."""
    tally = Tally(Bill)
    for start in range(0, len(ids), batch_rows):
        tally.add(values_of([Bill(id=each) for each in ids[start : start + batch_rows]]))
    return tally.ids


@given(COLUMNS, st.randoms(use_true_random=False), st.integers(1, 9))
def test_ids_do_not_tell_of_order(ids: list[str], chance: random.Random, batch_rows: int) -> None:
    """Nor of batches, nor of capitals: rows are recounted after they were sorted and rewritten."""
    other = [each.lower() for each in ids]
    chance.shuffle(other)

    assert ids_of(ids) == ids_of(other, batch_rows)


@given(COLUMNS, COLUMNS)
def test_ids_of_parts_add_up(some: list[str], more: list[str]) -> None:
    """To those of the file that they were merged into."""
    assert ids_of([*some, *more]) == add_up_ids([ids_of(some), ids_of(more)])


@given(COLUMNS, IDS, st.integers(0, 7))
def test_ids_tell_of_other_rows(ids: list[str], strange: str, place: int) -> None:
    """One missing, one twice, one in place of another."""
    place %= len(ids)
    without, one = [*ids[:place], *ids[place + 1 :]], ids[place]

    assert ids_of(ids) not in {ids_of(without), ids_of([*ids, one])}
    assert (one.lower() == strange.lower()) is (ids_of(ids) == ids_of([*without, strange]))


@given(st.lists(st.none() | IDS, max_size=6))
def test_ids_are_what_the_contract_says(ids: list[str | None]) -> None:
    """By which they can be recounted in any language."""
    total = 0
    for each in filter(None, ids):
        digest = blake2b(each.lower().encode(), digest_size=16).digest()
        total += UUID(each).int if is_uuid(each) else int.from_bytes(digest, "big")

    assert f"{total * 0x9E3779B97F4A7C15F39CC0605CEDC835 % (2**128 - 1):032x}" == ids_of(ids)


@given(st.lists(TWISTED | UUIDS, min_size=1, max_size=3))
def test_a_column_is_uuids_if_each_of_it_is(texts: list[str]) -> None:
    """The look at all of it at once sees what a look at each would."""
    plain = [bytes.fromhex(each.replace("-", "")) for each in texts if is_uuid(each)]

    assert (b"".join(plain) if len(plain) == len(texts) else None) == uuid_bytes("\n".join(texts).encode(), len(texts))


@given(st.lists(st.none() | st.decimals(allow_nan=False, allow_infinity=False), max_size=8))
def test_sums_are_exact(amounts: list[Decimal | None]) -> None:
    """Of numbers of any size, some of them missing."""
    tally = Tally(Bill)

    tally.add(values_of([Bill(total_amount=each) for each in amounts]))

    assert sum(Fraction(each) for each in amounts if each is not None) == Fraction(tally.sums["total_amount"])
    assert re.fullmatch("0{32}", tally.ids)
