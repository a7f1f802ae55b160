"""The page in a real browser: what is seen, in light and dark, on a phone, and by keyboard."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from belvo_async._cli.page.board import Board
from belvo_async._cli.page.source import PageRequest
from belvo_async._cli.page.ui import make_app
from belvo_async._page import render
from belvo_async.planning import Prices
from belvo_async.stores import MemoryStore
from tests.page.browser import WHERE, Browser, a_browser, chromium
from tests.page.kit import LINK, NOW, OTHER, a_job, failed_job, invoices, morning, open_job, planned

# Each opens a browser, which takes as long as forty other tests.
pytestmark = [pytest.mark.skipif(chromium() is None, reason=WHERE), pytest.mark.proof]

NUMBERS = "[...document.querySelectorAll('.numbers .big')].map(each => each.innerText)"
COLOURS = """Object.fromEntries(['p', 'a', 'f', 'm', 'e'].map(each =>
    [each, getComputedStyle(document.querySelector(`.strip rect.${each}`))[each == 'e' ? 'stroke' : 'fill']]))"""
FOCUSED = "document.activeElement == document.body ? '' : document.activeElement.innerText"

Look = Callable[[Browser], Awaitable[None]]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with every colour, a trouble, and numbers."""
    jobs = [
        a_job("whole"),
        a_job("whole too", task=invoices(side="INFLOW")),
        a_job("part", task=invoices(year=2023), partial=True, retry_at=NOW + timedelta(hours=5)),
        failed_job("f" * 32, task=invoices(year=2022)),
        open_job("o" * 32, task=invoices(year=2021), created_at=NOW - timedelta(hours=3)),
    ]
    shown = morning(
        *jobs,
        scopes=[planned(*jobs, years=5, subjects=(LINK, OTHER))],
        prices=Prices.from_toml("belvo = 1.5"),
        budget=100,
    )
    place = tmp_path_factory.mktemp("page") / "report.html"
    place.write_text(render(shown), encoding="utf-8")
    return place


def look_at(page: Path, look: Look, **screen: Any) -> None:
    """Open it on a screen, and look."""

    async def open_and_look() -> None:
        async with a_browser() as browser:
            await browser.look(**dict[str, Any](width=1400) | screen)
            await browser.open(page.as_uri())
            await look(browser)
            assert [] == browser.complaints

    in_real_time(open_and_look())


def in_real_time(doing: Coroutine[Any, Any, None]) -> None:
    """On a loop of its own: a browser knows no other time."""
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(doing)


def test_numbers_and_colours_are_seen(page: Path) -> None:
    """The three numbers, and five colours that differ; by dark taste, on dark paper."""
    found: list[tuple[Any, ...]] = []

    async def look(browser: Browser) -> None:
        paper = await browser.run("getComputedStyle(document.body).backgroundColor")
        found.append((await browser.run(NUMBERS), await browser.run(COLOURS), paper))

    look_at(page, look)
    look_at(page, look, dark=True)

    (numbers, light, white), (_, dark, black) = found
    assert ["0 of 2 whole", "7.50 MXN", "3 h"] == [" ".join(each.split()) for each in numbers]
    assert 5 == len(set(light.values())) == len(set(dark.values()))
    assert all(light[each] != dark[each] for each in light)
    assert ("rgb(251, 250, 247)", "rgb(22, 21, 19)") == (white, black)


@pytest.mark.parametrize("width", [360, 1400])
def test_nothing_is_wider_than_the_screen(page: Path, width: int) -> None:
    """A table that has to be may be moved by itself; the page never. Nothing lies over its neighbour."""

    async def look(browser: Browser) -> None:
        assert width == await browser.run("document.documentElement.scrollWidth")
        await browser.run("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert width == await browser.run("document.documentElement.scrollWidth")
        commands = await browser.run("[...document.querySelectorAll('code.type')].map(each => each.clientWidth)")
        assert min(commands) > 200
        cards = await browser.run(
            "[...document.querySelectorAll('.big')].map(each => each.scrollWidth <= each.clientWidth + 1)"
        )
        assert [True] * 3 == cards

    look_at(page, look, width=width)


def test_a_keyboard_reaches_everything_in_order(page: Path) -> None:
    """First the way past the numbers, then what is folded away, from the top; where one is, is seen."""

    async def look(browser: Browser) -> None:
        stops: list[str] = []
        for _ in range(8):
            await browser.press("Tab")
            stops.append(await browser.run(FOCUSED))
            outline = await browser.run("getComputedStyle(document.activeElement).outlineStyle")
            assert outline == ("solid" if stops[-1] else "none"), stops
        tops = await browser.run("[...document.querySelectorAll('summary')].map(each => each.innerText)")
        assert ["Skip to what needs a person", *tops] == stops[: len(tops) + 1]

    look_at(page, look)


def test_a_key_unfolds_what_is_behind_a_month(page: Path) -> None:
    """The summary of a row by Enter; a month by a click, which leads into the same place."""

    async def look(browser: Browser) -> None:
        for _ in range(3):
            await browser.press("Tab")
        await browser.press("Enter")
        assert await browser.run("document.querySelector('#d1-1').open")
        await browser.run("document.querySelector('#d1-1').open = false")
        await browser.run("document.querySelector('.strip a').dispatchEvent(new MouseEvent('click', {bubbles: true}))")
        await asyncio.sleep(0.3)
        assert await browser.run("document.querySelector('#d1-1').open")
        assert f"belvo-async jobs explain {'f' * 32}" in await browser.run("document.querySelector('#t1-1').innerText")

    look_at(page, look)


def test_the_live_page_changes_and_keeps_what_is_unfolded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its own lines, under its own policy: the numbers are new, what was open is open, and so is the focus."""
    monkeypatch.chdir(tmp_path)

    async def watch() -> None:
        async with MemoryStore() as store, a_browser() as browser:
            await store.put(failed_job("f" * 32), expected=None)
            board = Board(store, PageRequest(), lambda: NOW)
            await board.refresh()
            runner = web.AppRunner(make_app(board), access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
            await runner.setup()
            try:
                await web.TCPSite(runner, "127.0.0.1", 0).start()
                await browser.look(width=1400)
                await browser.open(f"http://127.0.0.1:{runner.addresses[0][1]}/")
                await browser.run("document.querySelector('#d1-1 > summary').click()")
                await browser.run("document.querySelector('#d1-1 > summary').focus()")
                await store.put(open_job("o" * 32, created_at=NOW - timedelta(hours=3)), expected=None)
                await board.refresh()
                async with asyncio.timeout(10):
                    while "3 h" not in await browser.run(NUMBERS):  # noqa: ASYNC110 - asked in another process
                        await asyncio.sleep(0.05)
                assert await browser.run("document.querySelector('#d1-1').open")
                assert await browser.run("document.activeElement == document.querySelector('#d1-1 > summary')")
                assert [] == [each for each in browser.complaints if "favicon" not in each]
            finally:
                await runner.cleanup()

    in_real_time(watch())
