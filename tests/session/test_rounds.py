"""Pages that lead round and round end with an error; pages whose rows moved do not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pytest
from aiohttp import web

from belvo_async import PayloadError, Session, belvo
from belvo_async._session.reading.dedup import WINDOW_IDS
from tests.session.paged import Pages, invoices
from tests.session.world import World

JANUARY = belvo.InvoiceList(link="a", date_from=date(2025, 1, 1), date_to=date(2025, 1, 31))


async def open_on(world: World, pages: Pages) -> Session:
    """A session whose Belvo is those pages."""
    vendor = world.belvo_vendor(base_url=await world.serve(pages.application()), budget=False)
    return await world.open(vendor, webhooks=False)


def ids(records: list[belvo.Invoice]) -> list[str]:
    return [each.id or "" for each in records]


@dataclass
class Ring(Pages):
    """Always links to a page with a number of its own, and serves the same few over and over."""

    ring: int = 3
    has_count: bool = True

    async def _page(self, request: web.Request, number: int) -> web.StreamResponse:
        place = (number - 1) % self.ring
        rows = self.rows[place * self.size : (place + 1) * self.size]
        link = str(request.url.update_query(page=str(number + 1)))
        return web.json_response(
            {"next": link, "results": rows} | ({"count": len(self.rows)} if self.has_count else {})
        )


@pytest.mark.parametrize("has_count", [True, False], ids=["counted", "not counted"])
@pytest.mark.parametrize(
    ("rows", "size"), [(30, 10), (10, 10), (WINDOW_IDS + 2000, 2000)], ids=["short", "one page", "beyond the window"]
)
async def test_endless_pages_that_repeat_rows_end_with_an_error(
    world: World, rows: int, size: int, has_count: bool
) -> None:
    """Each record comes first, then the truth, after a few pages more."""
    pages = Ring(invoices(rows), size=size, ring=rows // size, has_count=has_count)
    session = await open_on(world, pages)
    records: list[str | None] = []

    with pytest.raises(PayloadError, match="round and round"):  # noqa: PT012 - the loop raises
        async for record in session.list(JANUARY):
            records.append(record.id)

    assert rows == len(set(records))
    assert max(pages.asked) <= 3 * rows // size + 10


async def test_a_link_back_without_a_count_is_an_error(world: World) -> None:
    """Nothing else tells that something is missing."""
    session = await open_on(world, Back(invoices(40), size=10, links={3: 2}))
    records: list[str | None] = []

    with pytest.raises(PayloadError, match="lead back"):  # noqa: PT012 - the loop raises
        async for record in session.list(JANUARY):
            records.append(record.id)

    assert 30 == len(records)


class Back(Pages):
    """Tells no count."""

    async def _page(self, request: web.Request, number: int) -> web.StreamResponse:
        rows = self.rows[(number - 1) * self.size : number * self.size]
        link = str(request.url.update_query(page=str(self.links.get(number, number + 1))))
        return web.json_response({"next": link, "results": rows})


async def test_a_page_of_rows_that_moved_is_no_round(world: World) -> None:
    """As many rows as a page holds were stored meanwhile, several times: the list is read to its end."""
    rows = invoices(40)
    moved = [*rows[:20], *rows[:20], *rows[10:20], *rows[10:]]
    session = await open_on(world, Moved(moved, size=10))

    records = await session.list(JANUARY).to_list()

    assert [row["id"] for row in rows] == ids(records)


class Moved(Pages):
    """Counts each row once."""

    async def _page(self, request: web.Request, number: int) -> web.StreamResponse:
        rows = self.rows[(number - 1) * self.size : number * self.size]
        is_last = number * self.size >= len(self.rows)
        link = None if is_last else str(request.url.update_query(page=str(number + 1)))
        return web.json_response({"count": len({row["id"] for row in self.rows}), "next": link, "results": rows})
