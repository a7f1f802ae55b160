"""Small pictures beside numbers that are said anyway."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta

from ..facts import Money, Standing, Took
from .markup import Child, Markup, h


def percent(share: float) -> str:
    """A share of one as SVG takes it."""
    return f"{share * 100:.2f}%"


def standing_bar(standing: Standing) -> Markup:
    """Whole, in progress and needing a person, side by side."""
    parts = ((standing.whole, "p"), (standing.in_progress, "a"), (standing.needs_a_person, "f"))
    return _bar([(number / standing.total, style) for number, style in parts if number] if standing.total else [])


def money_bar(money: Money) -> Markup | None:
    """How much of the budget is used; None without one."""
    if money.price is None or not money.budget:
        return None
    used = float(money.price.high / money.budget)
    return _bar([(used, "fill")] if used <= 1 else [(1 / used, "fill"), (1 - 1 / used, "over")])


def _bar(parts: Sequence[tuple[float, str]]) -> Markup:
    drawn: list[Child] = [h("rect", width="100%", height=8, class_="track")]
    x = 0.0
    for share, style in parts:
        drawn.append(h("rect", x=percent(x), width=percent(share), height=8, class_=style))
        x += share
    return h("svg", drawn, class_="bar", aria_hidden="true")


class Scale:
    """Lengths of time on a line whose steps grow: minutes beside days."""

    def __init__(self, spans: Sequence[timedelta]) -> None:
        seconds = [max(each.total_seconds(), 1.0) for each in spans] or [1.0]
        self._low = math.log(min(seconds)) - 0.2
        self._width = max(math.log(max(seconds)) + 0.2 - self._low, 0.1)

    def at(self, span: timedelta) -> float:
        """Where on it a length lies, from 0 to 1."""
        return min(1.0, max(0.0, (math.log(max(span.total_seconds(), 1.0)) - self._low) / self._width))


def scale_of(took: Sequence[Took]) -> Scale:
    """One scale for all that are shown below each other."""
    return Scale([span for each in took for span in (each.p50, each.p95, *each.today)])


def took_chart(took: Took, scale: Scale) -> Markup:
    """From the half to nineteen of twenty as a band, each end of today as a dot."""
    begins, ends = scale.at(took.p50), scale.at(took.p95)
    return h(
        "svg",
        h("rect", x=0, y=10.5, width="100%", height=1, class_="band"),
        h("rect", x=percent(begins), y=7, width=percent(max(ends - begins, 0.005)), height=8, class_="band"),
        h("rect", x=percent(begins), y=4, width=2, height=14, class_="half"),
        [h("circle", cx=percent(scale.at(each)), cy=11, r=3, class_="today") for each in took.today],
        class_="chart",
        aria_hidden="true",
    )


def days_chart(by_day: Sequence[int]) -> Markup:
    """A bar for each day, the last one today."""
    most = max([1, *by_day])
    width = 1 / len(by_day)
    bars = [
        h(
            "rect",
            x=percent(place * width),
            y=f"{20 - max(2.0, 20 * number / most):.1f}",
            width=percent(width * 0.72),
            height=f"{max(2.0, 20 * number / most):.1f}",
            class_="days",
        )
        for place, number in enumerate(by_day)
        if number
    ]
    return h("svg", h("rect", y=20, width="100%", height=1, class_="band"), bars, class_="chart", aria_hidden="true")


def ways_chart(parts: Sequence[tuple[float, str]]) -> Markup:
    """Shares side by side."""
    return _bar(parts)
