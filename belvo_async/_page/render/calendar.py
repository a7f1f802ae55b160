"""The calendar: a strip of months for each taxpayer, and what is behind the months that are not proven."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Final

from ...jobs import UNDIRECTED
from ...planning import Known
from ..facts import Calendar, CalendarRow, Days, Months, Strip
from .markup import NOTHING, Child, Markup, h, inner, table
from .words import KNOWN_WORDS, clock, command, count, days, instant, short_id

# Class, letter and pattern of each: no colour stands alone.
_LOOK: Final = {
    Known.PROVEN: ("p", "", None),
    Known.PARTIAL: ("a", "P", "slant"),
    Known.FAILED: ("f", "F", "cross"),
    Known.MISSING: ("m", "M", "level"),
    Known.NEVER_ASKED: ("e", "N", None),
}
_MEANINGS: Final = {
    Known.PROVEN: "asked for after it had passed, and finished whole by the vendor’s word",
    Known.PARTIAL: "an answer came, and more may be had",
    Known.FAILED: "the vendor refused or failed the last job that asked for it",
    Known.MISSING: "asked for, and nothing came yet",
    Known.NEVER_ASKED: "no job of the store asked for it",
}
_HEIGHT: Final = 14
_GAP: Final = 2
# With more months than this there is no room for a letter in one.
_LETTERS_MONTHS: Final = 84


def definitions(calendars: Iterable[Calendar]) -> Markup:
    """The patterns that all strips are drawn with."""
    lines = {"slant": "M-1 7L7 -1", "cross": "M-1 7L7 -1M-1 -1L7 7", "level": "M0 3H6"}
    hatches = [
        h("pattern", h("path", d=path, class_="hatch"), id=name, width=6, height=6, patternUnits="userSpaceOnUse")
        for name, path in lines.items()
    ]
    months = [
        h(
            "pattern",
            h("line", x1=0, x2=0, y1=0, y2=40, class_="tick"),
            id=f"months-{number}",
            width=_share(1, number),
            height="100%",
        )
        for number in sorted({each.months for each in calendars})
    ]
    return h("svg", h("defs", hatches, months), width=0, height=0, aria_hidden="true", class_="defs")


def legend() -> Markup:
    """What the five colours mean."""
    items = [h("li", _swatch(known), h("span", h("b", KNOWN_WORDS[known]), f": {_MEANINGS[known]}")) for known in Known]
    return h("ul", items, class_="legend")


def _swatch(known: Known) -> Markup:
    style, letter, hatch = _LOOK[known]
    return h(
        "svg",
        h("rect", x=0.5, y=0.5, width=17, height=13, class_=style),
        h("rect", width=18, height=14, fill=f"url(#{hatch})") if hatch else None,
        h("text", letter, x=9, y=10.5, class_=style),
        class_="swatch",
        aria_hidden="true",
    )


def draw_calendar(calendar: Calendar, place: int, now: datetime) -> Markup:
    """One plan, or one resource that was asked for."""
    title = f"{calendar.vendor} {calendar.resource}" if calendar.name is None else calendar.name
    what = "" if calendar.name is None else f"{calendar.vendor} {calendar.resource}, "
    head = h(
        "tr",
        h("th", h("span", "Taxpayer", class_="soft"), scope="col", class_="who"),
        h("th", _years(calendar), scope="col", aria_label="Months"),
        h("th", "days proven", scope="col", class_="share"),
    )
    rows = [_row(calendar, row, f"{place}-{number}", now) for number, row in enumerate(calendar.rows, 1)]
    table = h("table", h("thead", head), rows, class_="months")
    return h(
        "div",
        h("h3", title),
        h("p", f"{what}{calendar.whole:,} of {count(calendar.taxpayers, 'taxpayer')} whole.{_shown(calendar)}"),
        table,
        class_="plan",
    )


def _shown(calendar: Calendar) -> str:
    left = [
        f"{number:,} more {words}"
        for number, words in ((calendar.others_left_off, "that are not whole"), (calendar.whole_left_off, "that are"))
        if number
    ]
    if not left:
        return ""
    return f" Who is not whole comes first; not shown are {' and '.join(left)}."


def _years(calendar: Calendar) -> Markup:
    if calendar.start is None:
        return NOTHING
    begins = [each for each in range(calendar.months) if (calendar.start.month - 1 + each) % 12 == 0 or each == 0]
    # A year of which only the last months show has no room for its name.
    named = [each for place, each in enumerate(begins) if place + 1 >= len(begins) or begins[place + 1] - each >= 6]
    marks: list[Child] = []
    for each in begins:
        x = _share(each, calendar.months)
        marks.append(h("line", x1=x, x2=x, y1=6, y2=20))
        if each in named:
            year = calendar.start.year + (calendar.start.month - 1 + each) // 12
            # Long periods name every other year.
            if calendar.months <= 96 or year % 2 == 0:
                marks.append(h("text", str(year), x=x, dx=5, y=14))
    return h("svg", marks, class_="years", aria_hidden="true")


def _row(calendar: Calendar, row: CalendarRow, key: str, now: datetime) -> Markup:
    share = f"{row.proven_days:,} / {row.wanted_days:,}"
    first = h(
        "tr",
        h("th", short_id(row.subject), scope="row", class_="who"),
        h("td", [_strip(calendar, row, place, key) for place in range(len(row.strips))]),
        h("td", share if calendar.start is not None else "", class_="share"),
    )
    if not row.open_days:
        return h("tbody", first)
    more = h("div", _more(row, now), id=f"t{key}", class_="more", tabindex=-1)
    second = h("tr", h("td"), h("td", h("details", h("summary", _worst(row)), more, id=f"d{key}"), colspan=2))
    return h("tbody", first, second)


def _strip(calendar: Calendar, row: CalendarRow, place: int, key: str) -> Markup:
    strip = row.strips[place]
    target = f"#t{key}" if row.open_days else None
    with_letters = calendar.months <= _LETTERS_MONTHS
    height = _HEIGHT + (_GAP if place + 1 < len(row.strips) else 0)
    return h(
        "svg",
        [_piece(calendar, each, strip.direction, target, with_letters=with_letters) for each in strip.stretches],
        h("rect", width="100%", height=_HEIGHT, fill=f"url(#months-{calendar.months})", pointer_events="none"),
        class_="strip",
        height=height,
        role="img",
        aria_label=_said(calendar, strip),
    )


def _piece(calendar: Calendar, stretch: Months, direction: str, target: str | None, *, with_letters: bool) -> Markup:
    style, letter, hatch = _LOOK[stretch.known]
    length = stretch.last - stretch.first + 1
    x, width = _share(stretch.first, calendar.months), _share(length, calendar.months)
    middle = _share(stretch.first + length / 2, calendar.months)
    title = h("title", f"{_side(direction)}{_period(calendar, stretch)}: {KNOWN_WORDS[stretch.known]}")
    is_empty = stretch.known is Known.NEVER_ASKED
    box = h(
        "rect",
        title,
        x=x,
        y=0.5 if is_empty else 0,
        width=width,
        height=_HEIGHT - 1 if is_empty else _HEIGHT,
        class_=style,
    )
    drawn: list[Child] = [box]
    if hatch:
        drawn.append(h("rect", x=x, width=width, height=_HEIGHT, fill=f"url(#{hatch})", pointer_events="none"))
    if letter and with_letters:
        drawn.append(h("text", letter, x=middle, y=10.5, class_=style))
    # By keyboard the same place is reached by the row's summary: hundreds of stops would be in the way.
    return h("a", drawn, href=target, tabindex=-1) if target else inner(drawn)


def _share(number: float, of: int) -> str:
    return f"{number * 100 / of:.3f}".rstrip("0").rstrip(".") + "%"


def _said(calendar: Calendar, strip: Strip) -> str:
    """What a strip shows, for who does not see it."""
    told = "; ".join(f"{_period(calendar, each)} {KNOWN_WORDS[each.known]}" for each in strip.stretches[:12])
    more = len(strip.stretches) - 12
    return f"{_side(strip.direction)}{told}" + (f"; and {more} more" if more > 0 else "")


def _side(direction: str) -> str:
    return "" if direction == UNDIRECTED else f"{direction} "


def _period(calendar: Calendar, stretch: Months) -> str:
    if calendar.start is None:
        return "as of now"
    first, last = _month(calendar.start, stretch.first), _month(calendar.start, stretch.last)
    return first if first == last else f"{first} to {last}"


def _month(start: date, number: int) -> str:
    months = start.year * 12 + start.month - 1 + number
    return f"{months // 12:04}-{months % 12 + 1:02}"


def _worst(row: CalendarRow) -> list[Child]:
    """The first thing that keeps a taxpayer from being whole, in a line."""
    worst = row.open_days[0]
    code = f", {worst.code}" if worst.code else ""
    where = "" if worst.first is None else f" {days(worst.first, worst.last)}"
    others = len(row.open_days) + row.left_off - 1
    more = f" and {count(others, 'other stretch', 'other stretches')}" if others else ""
    return [f"{_side(worst.direction)}{KNOWN_WORDS[worst.known]}{where}{code}{more}"]


def _more(row: CalendarRow, now: datetime) -> list[Child]:
    rows: list[list[Child]] = [
        [
            f"{_side(each.direction)}{days(each.first, each.last)}",
            f"{KNOWN_WORDS[each.known]}" + (f": {each.code}" if each.code else ""),
            instant(each.at, now) if each.at else "—",
            f"not before {clock(each.retry_at, now=now)}" if each.retry_at and each.retry_at > now else "",
            _look_into(each),
        ]
        for each in row.open_days
    ]
    made = table(["days", "known", "ended", "more", "job"], rows)
    left = f"{count(row.left_off, 'more stretch', 'more stretches')} of this taxpayer not shown."
    return [h("p", h("span", row.subject, class_="id")), made, h("p", left) if row.left_off else None]


def _look_into(each: Days) -> Child:
    return command(f"belvo-async jobs explain {each.job}") if each.job else "none"
