"""Reading lists: the requests, and the walk along `hydra:next`."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from typing import Any, Final, TypeAlias, TypeVar
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from msgspec.structs import replace

from ...abc import Conversation, Page, Request, Shape, Walk
from ...errors import PayloadError, TaskError
from ...origins import local_target
from ...payload import encode_query
from .errors import expect_success
from .guards import guard_of
from .schema.record import Part
from .snapshots import RawPage, read_page

R = TypeVar("R", bound=Part)
Params: TypeAlias = Iterable[tuple[str, str]]

# The newest version (developer-changelog). What an account gets without the header is not published.
HEADERS: Final = (("Accept", "application/ld+json"), ("Accept-Version", "2020-06-28"))

# Documented are up to 1000; a client of the live API was answered 400 above 100, the dashboard's largest page.
ROWS_PER_PAGE: Final = 100

# A link that is new each time would be followed for ever. The largest collection anybody reported has 1,100 pages.
_PAGE_LIMIT: Final = 100_000

# Asks for the total, which costs the vendor time but proves completeness (guides/api/pagination).
_COUNTED: Final = (("X-Pagination-Enable-Partial", "0"),)
# Cursor style, on the lists the guide names for it.
_CURSOR: Final = (("X-Pagination-Style", "cursor"), *_COUNTED)


def get(path_and_query: str, name: str, headers: tuple[tuple[str, str], ...] = ()) -> Request:
    """Make a reading request."""
    return Request(method="GET", target=path_and_query, name=name, headers=HEADERS + headers)


def target(path: str, params: Params = (), *, is_sized: bool = True) -> str:
    """Join a path (already encoded) and its query, with the number of rows where the list takes one."""
    query = encode_query([*params, *([("itemsPerPage", str(ROWS_PER_PAGE))] if is_sized else [])])
    return f"{path}?{query}" if query else path


def next_target(link: str, *, path: str) -> str:
    """Reduce a link to path and query; PayloadError when it leaves the collection."""
    following = local_target(link)
    # Compared decoded: an RFC may hold `&` or `Ñ`, which either side may have encoded.
    if unquote(urlsplit(following).path) != unquote(path):
        raise PayloadError("a link that leaves its collection")
    return following if following.isascii() else quote(following, safe="%/?&=[]:;,+!$'()*@~")


def walk_list(
    record: type[R],
    path: str,
    params: Sequence[tuple[str, str]] = (),
    *,
    name: str,
    is_cursor: bool = False,
    is_numbered: bool = False,
    is_sized: bool = True,
    is_ordered: bool = False,
    keep: Callable[[Any], bool] | None = None,
    keep_odd: Callable[[Any, Collection[str]], bool] | None = None,
    reads: Iterable[str] = (),
) -> Walk[R]:
    """Read a list. `reads` names the attributes that `keep` looks at, like `taxpayer.id`.

    With `is_numbered`, pages that do not link to the next one are asked for by number; without `is_sized`, Syntage
    alone says how long they are. What is ordered is not asked for in cursor style: the two were seen to bring nothing.
    """
    headers = _COUNTED if is_ordered else _CURSOR if is_cursor else ()
    ids = frozenset({"id"}) & frozenset(record.__struct_fields__)
    first = target(path, params, is_sized=is_sized)
    follow = _count_up if is_numbered else _follow
    shape = Shape(
        record=record,
        rows=("hydra:member", "member"),
        next=(("hydra:view", "hydra:next"), ("view", "next")),
        count=(("hydra:totalItems",), ("totalItems",)),
        keep=keep,
        keep_odd=keep_odd,
        record_id=_record_id if ids else None,
        guard=guard_of(record, ids | frozenset(reads)),
        has_ids=bool(ids),
    )
    return Walk(
        shape=shape,
        steps=lambda start: follow(path, first, start=start, name=name, headers=headers),
        ahead=lambda request, page: _ahead(request, page, path=path),
    )


def _record_id(row: Any) -> str | None:
    found: str | None = row.id
    return found


def _follow(
    path: str, first: str, *, start: str | None, name: str, headers: tuple[tuple[str, str], ...]
) -> Generator[Request, Page, None]:
    """Follow `hydra:next` word for word until there is none, a page is empty or a link repeats.

    The framework beneath has printed `next` on last and on empty pages (api-platform/core 7961). `page` is never sent:
    some lists refuse it.
    """
    following = first if start is None else _resumed(start, path=path)
    seen: set[str] = set()
    while following not in seen:
        if len(seen) >= _PAGE_LIMIT:
            raise PayloadError("pages without an end")
        seen.add(following)
        page = yield get(following, name, headers)
        if page.next is None or page.rows == 0:
            return
        following = next_target(page.next, path=path)


def _count_up(
    path: str, first: str, *, start: str | None, name: str, headers: tuple[tuple[str, str], ...]
) -> Generator[Request, Page, None]:
    """Ask for page after page by number, until all that were counted have come or a page is short; links go before.

    Some of the insights are documented with a total alone, without a link.
    """
    following = first if start is None else _resumed(start, path=path)
    begun = _page_number(following)
    read = (begun - 1) * ROWS_PER_PAGE
    for number in range(begun + 1, _PAGE_LIMIT):
        page = yield get(following, name, headers)
        read += page.rows
        is_last = page.rows < ROWS_PER_PAGE if page.count is None else read >= page.count
        if page.rows == 0 or (is_last and page.next is None):
            return
        linked = None if page.next is None else next_target(page.next, path=path)
        following = linked or f"{first}&page={number}"
    raise PayloadError("pages without an end")


def _page_number(of: str) -> int:
    named = dict(parse_qsl(urlsplit(of).query)).get("page", "")
    return int(named) if re.fullmatch("[1-9][0-9]{0,5}", named) else 1


def _resumed(start: str, *, path: str) -> str:
    try:
        # A checkpoint is a target already: one that names an origin was never ours.
        is_ours = next_target(start, path=path) == start
    except PayloadError:
        is_ours = False
    if not is_ours:
        raise TaskError("resume must be a checkpoint of this reading: that one is of another", field="resume")
    return start


def _ahead(request: Request, page: Page, *, path: str) -> Iterator[Request]:
    """The one page after this: a cursor cannot be guessed. A link that will be refused is no guess."""
    try:
        following = None if page.next is None else next_target(page.next, path=path)
    except PayloadError:
        return
    if following is not None:
        yield replace(request, target=following)


def touches(paths: Iterable[str], unread: Collection[str]) -> bool:
    """Whether one of these attributes, or what holds it, is among those that could not be read."""
    return any(path == each or path.startswith(f"{each}.") for path in paths for each in unread)


def read_pages(
    path: str, params: Params, is_enough: Callable[[RawPage], bool], *, name: str, limit: int
) -> Conversation[None]:
    """Read pages of a list, up to a limit, until one is enough, the last, empty, or named a second time."""
    following, read = target(path, params), set[str]()
    while following not in read and len(read) < limit:
        read.add(following)
        page = read_page(expect_success((yield get(following, name))).body)
        if is_enough(page) or page.next is None or not page.rows:
            return
        following = next_target(page.next, path=path)
