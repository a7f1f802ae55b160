"""Reading lists: the requests, and the walk along `next`.

Lists are `{count, next, previous, results}`; `next` is an absolute URL that keeps the query (belvo-pagination-tips).
Belvo gives no order, so pages over moving data may repeat rows: records are compared by `id`, where they have one.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Sequence
from typing import Final, TypeAlias, TypeVar
from urllib.parse import parse_qsl, urlsplit

import msgspec

from ...abc import Page, Request, Shape, Walk
from ...errors import PayloadError, TaskError
from ...origins import local_target
from ...payload import encode_query
from .settings import Pace

# The largest page Belvo gives; larger values are cut to it.
PAGE_SIZE: Final = "1000"

Params: TypeAlias = list[tuple[str, str]]
R = TypeVar("R")


def get(pace: Pace, path: str, params: Params, *, name: str | None = None) -> Request:
    """Make a reading request. The name carries no ids."""
    target = f"{path}?{encode(params)}" if params else path
    return Request(method="GET", target=target, name=name or f"GET {path}", budget=pace.budget)


def encode(params: Params) -> str:
    """Encode a query; commas stay, since Belvo separates the values of one parameter by them."""
    return encode_query(params, safe=",")


def selection(fields: Sequence[str] | None, omit: Sequence[str] | None) -> Params:
    """Choose the keys of the rows. `id` always comes: without it, a row met twice could not be told."""
    chosen = ["id", *(name for name in fields if name != "id")] if fields else []
    left_out = [name for name in omit or () if name != "id"]
    return [(name, ",".join(names)) for name, names in (("fields", chosen), ("omit", left_out)) if names]


def walk_list(first: Request, path: str, shape: Shape[R]) -> Walk[R]:
    """Read a list from its first request on."""
    return Walk(
        shape=shape,
        steps=lambda start: _follow(first, path, start),
        ahead=lambda request, page: _ahead(request, page, path),
    )


def _follow(first: Request, path: str, start: str | None) -> Generator[Request, Page, None]:
    """Follow `next` until there is none. A link met before ends the walk: who reads tells that something is missing."""
    request: Request | None = first if start is None else _resumed(first, start, path)
    seen: set[str] = set()
    while request is not None and request.target not in seen:
        if len(seen) >= _PAGE_LIMIT:
            raise PayloadError("pages without an end")
        seen.add(request.target)
        page = yield request
        link = page.next
        request = msgspec.structs.replace(request, target=local_target(link, path=path)) if link else None


def _resumed(first: Request, start: str, path: str) -> Request:
    try:
        target = local_target(start, path=path)
    except PayloadError:
        target = None
    # A checkpoint is a target already: one that names an origin was never ours.
    if target is None or target != start or _differ(target, first.target):
        raise TaskError("that checkpoint is of another reading", field="resume")
    return msgspec.structs.replace(first, target=target)


def _differ(target: str, first: str) -> bool:
    """Whether a filter of a page's target is another than the first page's. Belvo's links may leave some out."""
    said, asked = (dict(parse_qsl(urlsplit(each).query)) for each in (target, first))
    return any(said.get(name, wanted) != wanted for name, wanted in asked.items() if name != "page_size")


def _ahead(request: Request, page: Page, path: str) -> Iterator[Request]:
    """Count on from the page after this one: Belvo numbers its pages and tells how many rows there are.

    How many pages that makes is known once this one's rows are; before, the largest page is taken for granted.
    """
    if not page.next:
        return
    target = local_target(page.next, path=path)
    number = _PAGE_NUMBER.search(target)
    yield msgspec.structs.replace(request, target=target)
    if number is None or page.count is None:
        return
    last = -(-page.count // (page.rows or int(PAGE_SIZE)))
    before, after = target[: number.start(1)], target[number.end(1) :]
    for following in range(int(number.group(1)) + 1, last + 1):
        yield msgspec.structs.replace(request, target=f"{before}{following}{after}")


# Of a thousand rows each: far more than any list has.
_PAGE_LIMIT: Final = 100_000
_PAGE_NUMBER: Final = re.compile(r"(?<=[?&]page=)(\d{1,9})(?=&|\Z)")
