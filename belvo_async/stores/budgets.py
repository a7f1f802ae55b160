"""Budgets: which place comes next. Pure; every store keeps the same rule.

A budget has a time of its own, made of its callers' clocks: it never runs back, and a caller whose clock is far behind
it is taken to be at its present. So a place is counted from the places ahead, whatever anybody's clock says. A clock
that is wrong, ahead or behind, lets at most one more window go out, once, and nobody waits for it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from datetime import datetime, timedelta
from typing import Final

import msgspec

from ..abc import Budget
from .documents import unreadable
from .rules import to_us


def in_us(span: timedelta) -> int:
    """Give a span as whole microseconds."""
    return span // timedelta(microseconds=1)


class Ledger(msgspec.Struct):
    """The places taken in one budget, in the budget's own time; with those given back that may be taken again.

    Windows are half open: a place is free again exactly one span after it was taken.
    """

    latest: int | None = None
    taken: list[int] = msgspec.field(default_factory=list[int])
    given_back: list[int] = msgspec.field(default_factory=list[int])
    marks: dict[str, int] = msgspec.field(default_factory=dict[str, int])

    def take(self, budget: Budget, asked: int, mark: str | None) -> tuple[int, int]:
        """Take a place; it and what time it is, in the budget's own time. A mark asked for again keeps its place."""
        span = in_us(budget.span)
        latest = asked if self.latest is None else self.latest
        self.latest = max(latest, asked)
        at, place = asked, self._next(budget.limit, span, asked)
        # Calls overtake each other, and clocks differ a little: who is not far behind is believed.
        if asked < latest - 2 * span or place - asked > self._explained(budget.limit, span, asked):
            at, place = latest, self._next(budget.limit, span, latest)
        if mark is not None and mark in self.marks:
            return max(at, self.marks[mark]), at
        if self.given_back[:1] == [place]:
            self.given_back.pop(0)
        else:
            insort(self.taken, place)
        if mark is not None:
            self.marks[mark] = place
        return place, at

    def _next(self, limit: int, span: int, at: int) -> int:
        """The first free place: after all that are taken, or sooner if one was given back."""
        self._forget(passed=at, span=span)
        place = at if len(self.taken) < limit else max(at, self.taken[-limit] + span)
        return min([place, *self.given_back[:1]])

    def _explained(self, limit: int, span: int, at: int) -> int:
        """How long the places ahead may make a caller wait."""
        ahead = len(self.taken) - bisect_right(self.taken, at)
        ahead -= len(self.given_back) - bisect_right(self.given_back, at)
        return (ahead // limit + 1) * span

    def give_back(self, mark: str) -> None:
        """Free the place of a mark. One whose instant has passed, or that nobody comes after, need not be kept."""
        place = self.marks.pop(mark, None)
        if place is None:
            return
        if self.latest is not None and place < self.latest:
            _remove(self.taken, place)
            return
        insort(self.given_back, place)
        while self.given_back and self.given_back[-1] == self.taken[-1]:
            self.given_back.pop()
            self.taken.pop()

    def _forget(self, *, passed: int, span: int) -> None:
        """Drop what no longer counts, and places given back that nobody took in time."""
        # One span more than the window needs, for those who come late.
        stale = (passed if self.latest is None else self.latest) - 2 * span
        gone = bisect_right(self.taken, stale)
        if gone:
            del self.taken[:gone]
            self.marks = {mark: place for mark, place in self.marks.items() if place > stale}
        missed = bisect_left(self.given_back, passed)
        for place in self.given_back[:missed]:
            if place > stale:
                _remove(self.taken, place)
        del self.given_back[:missed]


def read_ledger(document: bytes) -> Ledger:
    """Read a stored ledger. Raises StoreError for one that does not fit."""
    try:
        return _LEDGER.decode(document)
    except msgspec.MsgspecError:
        raise unreadable("budget") from None


def write_ledger(ledger: Ledger) -> bytes:
    """Give a ledger as it is stored."""
    return msgspec.msgpack.encode(ledger)


_LEDGER: Final = msgspec.msgpack.Decoder(Ledger)


def _remove(places: list[int], place: int) -> None:
    index = bisect_left(places, place)
    if places[index : index + 1] == [place]:
        del places[index]


class Shifts:
    """By how much this process's clock lags behind each budget's own time, as far as its calls have told."""

    def __init__(self) -> None:
        self._us: dict[str, int] = {}

    def ask(self, budget: Budget, now: datetime) -> int:
        """What time a caller takes it to be, in the budget's own time."""
        return to_us(now) + self._us.get(budget.key, 0)

    def answer(self, budget: Budget, now: datetime, place: int, at: int) -> datetime:
        """Turn a place into an instant of the caller's clock, and remember how far that clock is off."""
        shift = at - to_us(now)
        if shift or budget.key in self._us:
            self._us[budget.key] = shift
        try:
            return now + timedelta(microseconds=place - at)
        except OverflowError:
            return now  # a clock at the end of the calendar
