"""A page of a login or a proxy where a file belongs: it is called that, and becomes no file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from aiohttp import web

from belvo_async import PayloadError, Session, Syntage, syntage
from tests.session.world import World

INVOICE = "0194c37c-1ab0-7087-b3c7-d4378c17b8c4"
PAGES = [b"<!DOCTYPE html><html>Log in</html>", b"\xef\xbb\xbf \r\n<HTML lang='es'>", b"<html>" + b"x" * 500_000]
FILES = [
    b"",
    b"<",
    b"<?xml version='1.0'?><cfdi:Comprobante/>",
    b"%PDF-1.7\n" + b"x" * 300_000,
    b"<htmlx/>",
    b"\x00" * 99,
]


async def open_on(world: World, body: bytes, *, redirected: bool = False, one_by_one: bool = False) -> Session:
    """A session on a Syntage that answers every request with these bytes, or after a redirect to elsewhere."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path == f"/files/{INVOICE}":
            return web.json_response({"id": INVOICE})
        if redirected and request.path != "/elsewhere":
            raise web.HTTPFound("/elsewhere")
        response = web.StreamResponse()
        await response.prepare(request)
        head = 40 if one_by_one else 0
        for at in range(head):
            await response.write(body[at : at + 1] or b"")
        await response.write(body[head:])
        return response

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    return await world.open(Syntage("key-0123456789abcdef", base_url=await world.serve(app)), webhooks=False)


@pytest.mark.parametrize("body", PAGES, ids=["doctype", "marked and blank", "long"])
@pytest.mark.parametrize("redirected", [False, True], ids=["at once", "after a redirect"])
async def test_a_page_is_no_file(world: World, tmp_path: Path, body: bytes, *, redirected: bool) -> None:
    """With 200, as captive portals and proxies answer: not one byte is given or written."""
    session = await open_on(world, body, redirected=redirected)
    file = session.download(syntage.FileDownload(INVOICE) if redirected else syntage.Cfdi(INVOICE))

    with pytest.raises(PayloadError, match=r"a page \(HTML\) came instead of the file"):
        await file.read()
    with pytest.raises(PayloadError):
        await file.save(tmp_path / "invoice.xml")

    assert [] == os.listdir(tmp_path)


@pytest.mark.parametrize("body", FILES, ids=["nothing", "a byte", "xml", "pdf", "another tag", "zeros"])
@pytest.mark.parametrize("one_by_one", [False, True], ids=["in one piece", "byte by byte"])
async def test_what_is_no_page_comes_as_it_is(world: World, body: bytes, *, one_by_one: bool) -> None:
    """Every byte, however they arrive."""
    session = await open_on(world, body, one_by_one=one_by_one)

    assert body == await session.download(syntage.Cfdi(INVOICE)).read()
