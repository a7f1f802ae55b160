"""HTML made of values: every text is escaped where it becomes markup, so that none can be forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final, TypeAlias


class Markup(str):
    """HTML as it stands. Whatever is not of this type is a text, and is escaped."""

    __slots__ = ()


Child: TypeAlias = "str | int | Sequence[Child] | None"

NOTHING: Final = Markup("")
# Elements of HTML without an end.
_VOID: Final = frozenset({"meta", "br", "col"})


def h(tag: str, *children: Child, **attributes: str | float | None) -> Markup:
    """Make an element. `class_` is `class`, `_` in a name is `-`; None and False leave an attribute out."""
    head = "".join(
        f" {name.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{escape(str(value))}"')
        for name, value in attributes.items()
        if value is not None and value is not False
    )
    return Markup(f"<{tag}{head}>" if tag in _VOID else f"<{tag}{head}>{inner(children)}</{tag}>")


def inner(child: Child) -> Markup:
    """Make what stands within an element."""
    if isinstance(child, Markup):
        return child
    if child is None:
        return NOTHING
    if isinstance(child, str | int):
        return Markup(escape(str(child)))
    return Markup("".join(map(inner, child)))


def table(
    head: Sequence[Child], rows: Sequence[Sequence[Child]], *, numbers: frozenset[int] = frozenset(), **attributes: str
) -> Markup:
    """Make a table whose rows are named by their first cell; columns in `numbers` are aligned to the right."""
    sides = ["n" if place in numbers else None for place in range(len(head))]
    heading = h("tr", [h("th", each, scope="col", class_=side) for each, side in zip(head, sides, strict=True)])
    body = [
        h(
            "tr",
            h("th", row[0], scope="row"),
            [h("td", each, class_=side) for each, side in zip(row[1:], sides[1:], strict=True)],
        )
        for row in rows
    ]
    return h("div", h("table", h("thead", heading), h("tbody", body), **attributes), class_="scroll")
