"""The normal form: what says the same has the same one, and what does not has another."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, strategies as st

from belvo_async.changes import normal

WORDS = st.text(alphabet="abcdefghijklmnñopqrstuvwxyzáéíóúü ABCÑ", min_size=1).filter(lambda each: each.strip())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ACEROS DEL BAJIO SA DE CV", "Aceros del Bajío, S.A. de C.V."),
        ("MUÑOZ & HIJOS", "Munoz  &amp;  hijos "),
        ("ＡＣＥＲＯＳ", "aceros"),
        ("Nómina", "NO\u0301MINA"),
        ("A1B2-C3D4", "a1b2c3d4"),
        ("STRASSE", "straße"),
        (Decimal("100.50"), Decimal("1.0050E+2")),
        (Decimal("-0.00"), 0),
        (3, Decimal("3.000")),
        (datetime(2026, 1, 2, 3, tzinfo=UTC), datetime(2026, 1, 1, 21, tzinfo=timezone(timedelta(hours=-6)))),
        (datetime(2026, 1, 2, 3, 0, 0, 123_456, tzinfo=UTC), datetime(2026, 1, 2, 3, 0, 0, 123_000, tzinfo=UTC)),
        (["a", "b", None], ("B", "A")),
        ({"name": "X", "note": None}, {"note": "", "name": "x"}),
    ],
    ids=str,
)
def test_spellings_of_one_value_are_one(one: object, other: object) -> None:
    """Case, accents, blanks, punctuation, widths, digits, zones and order make no difference."""
    assert normal(one) == normal(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("10.5", "105"),
        ("-5", "5"),
        ("2026-01-12", "2026-011-2"),
        ("+", "-"),
        (Decimal("1.005"), Decimal("1.05")),
        (Decimal("-1"), Decimal("1")),
        (Decimal("1E+30"), Decimal("1E+29")),
        (True, False),
        (True, 1),
        (datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 2, 0, 0, 1, tzinfo=UTC)),
        (["a", "b"], ["ab"]),
        (["a", "a"], ["a"]),
        ({"a": "bc"}, {"ab": "c"}),
        ("", "x"),
    ],
    ids=str,
)
def test_different_values_stay_different(one: object, other: object) -> None:
    """What makes another number, another moment or another list is seen."""
    assert normal(one) != normal(other)


@pytest.mark.parametrize("value", [None, "", "  \t", [], (), {}, [None, ""], {"a": None}, msgspec.UNSET], ids=repr)
def test_what_says_nothing_is_empty(value: object) -> None:
    """A key that is missing, null, blank or an empty list are the same."""
    assert "" == normal(value)


@given(WORDS)
def test_any_text_survives_another_spelling(text: str) -> None:
    """Louder, wider, in dots: the same words."""
    assert normal(text) == normal(text.upper()) == normal(text.lower()) == normal(f" {text.replace(' ', ' . ')}, ")


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6), st.integers(0, 8))
def test_any_number_survives_more_digits(value: Decimal, zeros: int) -> None:
    """Zeros behind the last digit say nothing, whatever the precision."""
    assert normal(value) == normal(Decimal(f"{value:f}" + "0" * zeros)) == normal(Decimal(f"{value:E}"))


@given(st.decimals(allow_nan=False, allow_infinity=False), st.decimals(allow_nan=False, allow_infinity=False))
def test_numbers_are_one_if_and_only_if_they_are_equal(one: Decimal, other: Decimal) -> None:
    """No rounding hides a difference."""
    assert (one == other) is (normal(one) == normal(other))


@given(st.lists(WORDS), st.randoms())
def test_the_order_of_a_list_says_nothing(words: list[str], chance: object) -> None:
    """Vendors promise none."""
    shuffled = list(words)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]

    assert normal(words) == normal(shuffled)
