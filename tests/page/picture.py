"""Make the picture of docs/morning-page.md: `python -m tests.page.picture docs/morning-page.png`."""

from __future__ import annotations

import asyncio
import io
import sys
import tempfile
from decimal import Decimal
from pathlib import Path

from PIL import Image  # comes with matplotlib, of the extra `bench`

from belvo_async._cli.page.source import PageRequest, morning_from
from belvo_async._page import render
from tests.page.browser import WHERE, a_browser, chromium
from tests.page.story import Story, tell

WIDTH, HEIGHT = 1120, 2240
BUDGET = Decimal(600)


async def page_of(story: Story) -> str:
    """The page that a story's plans have."""
    source = PageRequest(store=story.store, config=story.config, budget=BUDGET)
    async with source.open_store() as store:
        return render(await morning_from(source, store, story.now))


async def take(page: Path, *, width: int = WIDTH, height: int | None = HEIGHT, dark: bool = False) -> bytes:
    """Look at a page."""
    async with a_browser() as browser:
        await browser.look(width=width, dark=dark)
        await browser.open(page.as_uri())
        return await browser.picture(width=width, height=height)


def main(out: Path) -> None:
    """Live through the story, and take the picture."""
    if chromium() is None:
        sys.exit(WHERE)
    with tempfile.TemporaryDirectory() as name:
        story = tell(Path(name))
        page = Path(name) / "page.html"
        page.write_text(asyncio.run(page_of(story)), encoding="utf-8")
        shot = Image.open(io.BytesIO(asyncio.run(take(page))))
        # A page has few colours: a tenth of the bytes.
        shot.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(out, optimize=True)
    print(f"{out}: {out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
