"""The rule of budgets: for any callers, who give places back as they like, with clocks that are wrong or right."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import timedelta

from hypothesis import given, strategies as st

from belvo_async.abc import Budget
from belvo_async.stores.budgets import Ledger, Shifts
from tests.stores.samples import NOON, after

SPAN = 10_000_000
# What happens next: time goes by (microseconds), so many callers come, or the n-th place still held is given back.
steps = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.integers(0, 2 * SPAN)),
        st.tuples(st.just("come"), st.integers(1, 12)),
        st.tuples(st.just("leave"), st.integers(0, 200)),
    ),
    max_size=60,
)


def budget_of(limit: int) -> Budget:
    return Budget("b", limit, timedelta(microseconds=SPAN))


def most_in_a_window(instants: Sequence[int]) -> int:
    ordered = sorted(instants)
    return max((bisect_right(ordered, first + SPAN - 1) - index for index, first in enumerate(ordered)), default=0)


@given(st.integers(1, 7), steps)
def test_no_window_holds_more_than_the_limit(limit: int, story: list[tuple[str, int]]) -> None:
    """Whoever gives up, early or late: what is sent at its place keeps to the vendor's limit."""
    ledger, held, now, budget = Ledger(), dict[str, int](), 0, budget_of(limit)

    for number, (what, amount) in enumerate(story):
        if what == "wait":
            now += amount
        elif what == "come":
            held |= {f"{number}.{each}": ledger.take(budget, now, f"{number}.{each}")[0] for each in range(amount)}
        elif held:
            mark = list(held)[amount % len(held)]
            del held[mark]
            ledger.give_back(mark)
            ledger.give_back(mark)

    assert most_in_a_window(list(held.values())) <= limit


@given(st.integers(1, 7), steps)
def test_a_wait_is_explained_by_the_places_ahead(limit: int, story: list[tuple[str, int]]) -> None:
    """Places given back make nobody wait."""
    ledger, held, now, budget = Ledger(), dict[str, int](), 0, budget_of(limit)

    for number, (what, amount) in enumerate(story):
        if what == "wait":
            now += amount
        elif what == "come":
            for each in range(amount):
                ahead = sum(place > now for place in held.values())
                place, _ = ledger.take(budget, now, f"{number}.{each}")
                held[f"{number}.{each}"] = place

                assert now <= place <= now + (ahead // limit + 1) * SPAN
        elif held:
            mark = list(held)[amount % len(held)]
            del held[mark]
            ledger.give_back(mark)


@given(
    st.integers(1, 7),
    st.lists(st.sampled_from([-86_400, -3_600, -25, -9, 0, 9, 25, 3_600, 86_400]), min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, SPAN)), max_size=80),
)
def test_no_clock_makes_anybody_wait(limit: int, skews: list[int], calls: list[tuple[int, int]]) -> None:
    """Whatever the clocks say, places ahead (in true time) are all that anybody waits for."""
    ledger, budget, true_now = Ledger(), budget_of(limit), 0
    workers = [(Shifts(), timedelta(seconds=skew)) for skew in skews]
    places: list[int] = []

    for who, pause in calls:
        shifts, skew = workers[who % len(workers)]
        true_now += pause
        now = after(true_now / 1e6) + skew
        instant = shifts.answer(budget, now, *ledger.take(budget, shifts.ask(budget, now), None))
        ahead = sum(place > true_now for place in places)
        places.append(true_now + (instant - now) // timedelta(microseconds=1))

        assert instant >= now
        # Clocks that differ by less than two spans are believed, and may cost as much.
        assert instant - now <= (ahead // limit + 3) * budget.span


@given(
    st.integers(1, 7), st.integers(60, 86_400), st.lists(st.tuples(st.booleans(), st.integers(0, SPAN)), max_size=80)
)
def test_a_wrong_clock_costs_one_window(limit: int, ahead: int, calls: list[tuple[bool, int]]) -> None:
    """A worker that is far ahead forgets what the others took, once; after that, all count what all take.

    How much time had passed when the two first met nobody knows: up to one more window may go out for that.
    """
    ledger, budget, true_now = Ledger(), budget_of(limit), 0
    right, wrong = (Shifts(), timedelta(0)), (Shifts(), timedelta(seconds=ahead))
    places: list[int] = []

    for is_wrong, pause in calls:
        shifts, skew = wrong if is_wrong else right
        true_now += pause
        now = NOON + timedelta(microseconds=true_now) + skew
        instant = shifts.answer(budget, now, *ledger.take(budget, shifts.ask(budget, now), None))
        if places or is_wrong:
            places.append(true_now + (instant - now) // timedelta(microseconds=1))

    assert most_in_a_window(places) <= 2 * limit
