"""A server of numbered pages that answers late, for tests of reading ahead."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


def invoices(count: int, first: int = 0) -> list[dict[str, Any]]:
    """Rows of one link, in January, received."""
    return [
        {"id": f"{number:08}", "link": "a", "type": "INFLOW", "invoice_date": "2025-01-15", "total_amount": number}
        for number in range(first, first + count)
    ]


@dataclass
class Pages:
    """Serves `rows` in pages of `size` at every path, each `late` seconds after its request.

    While `ill` is set, every answer is an error of that status. `links` replaces the number of the page that follows
    one; `cuts` says after how many rows which page breaks off, once for each time it is listed.
    """

    rows: Sequence[dict[str, Any]]
    size: int
    late: float = 0.0
    ill: int | None = None
    links: dict[int, int | None] = field(default_factory=dict)
    cuts: list[tuple[int, int]] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    under_way: int = 0
    most_under_way: int = 0

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/{path:.*}", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        number = int(request.query.get("page", "1"))
        self.asked.append(number)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await asyncio.sleep(self.late)
            if self.ill is not None:
                return web.json_response([{"code": "x", "message": "x"}], status=self.ill)
            return await self._page(request, number)
        finally:
            self.under_way -= 1

    async def _page(self, request: web.Request, number: int) -> web.StreamResponse:
        rows = self.rows[(number - 1) * self.size : number * self.size]
        is_last = number * self.size >= len(self.rows)
        following = self.links.get(number, None if is_last else number + 1)
        link = request.url.update_query(page=str(following)) if following else None
        page = web.json_response({"count": len(self.rows), "next": link and str(link), "results": rows})
        for cut in self.cuts:
            if cut[0] == number:
                self.cuts.remove(cut)
                return await self._broken(request, page, cut[1])
        return page

    async def _broken(self, request: web.Request, page: web.Response, rows: int) -> web.StreamResponse:
        assert isinstance(page.body, bytes)
        broken = web.StreamResponse(headers={"Content-Length": str(len(page.body))})
        await broken.prepare(request)
        parts = page.body.split(b'{"id"')
        await broken.write(b'{"id"'.join(parts[: rows + 1]) + b'{"id": "cut')
        assert request.transport is not None
        request.transport.close()
        return broken
