"""Direct reads: the pages that answer a query, and which of their rows it asked for."""

from __future__ import annotations

from typing import cast

from ...abc import Query, Walk, answer_of
from ...errors import UnsupportedError
from .pages import touches, walk_list
from .schema.queries import ListQuery
from .schema.record import Part


def walk_query(query: Query[object]) -> Walk[Part]:
    """Read what a query asks for; rows are checked again, for unknown filters are ignored and texts match in part."""
    if not isinstance(query, ListQuery):
        raise UnsupportedError(f"Syntage has no list for {type(query).__name__}")
    wanted = cast("ListQuery[Part]", query)
    path, name = wanted.where()
    asked = wanted.asked()
    return walk_list(
        answer_of(type(wanted)),
        path,
        wanted.params(),
        name=name,
        is_cursor=wanted.is_cursor,
        is_numbered=wanted.is_numbered,
        is_sized=wanted.is_sized,
        is_ordered=wanted.is_ordered(),
        keep=(lambda row: all(each.fits(wanted, row) for each in asked)) if asked else None,
        keep_odd=lambda row, unread: all(touches((each.path,), unread) or each.fits(wanted, row) for each in asked),
        reads=[each.path for each in asked],
    )
