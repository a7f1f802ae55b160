"""A headless Chromium, driven over its devtools protocol: what a page looks like and how it is used."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import shutil
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WHERE = "no Chromium here: on Debian `apt-get install chromium`, elsewhere any Chrome in PATH"


def chromium() -> str | None:
    """Where it is installed; None where it is not."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Browser:
    """One tab."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket, self._numbers = socket, count(1)
        self.complaints: list[str] = []

    async def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Say a command, and wait for its answer."""
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        async with asyncio.timeout(60):
            while True:
                said = json.loads(await self._socket.receive_str())
                if said.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown"):
                    self.complaints.append(json.dumps(said["params"]))
                if said.get("id") == number:
                    assert "error" not in said, said
                    return said.get("result", {})  # type: ignore[no-any-return]

    async def open(self, url: str) -> None:
        """Go to an address, and wait until it is read."""
        await self.send("Page.navigate", url=url)
        is_there = "document.readyState == 'complete' && location.href != 'about:blank'"
        while not await self.run(is_there):  # noqa: ASYNC110 - asked in another process
            await asyncio.sleep(0.02)

    async def run(self, script: str) -> Any:
        """What an expression of JavaScript gives."""
        done = await self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    async def look(self, *, width: int, height: int = 900, dark: bool = False) -> None:
        """Be a screen of this size, and of this taste."""
        await self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        await self.send("Emulation.setEmulatedMedia", features=features)

    async def press(self, key: str) -> None:
        """Press a key and let it go."""
        code = {"Tab": 9, "Enter": 13}[key]
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            extra = text if kind == "keyDown" else {}
            await self.send("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **extra)

    async def picture(self, *, width: int, height: int | None = None) -> bytes:
        """A PNG of the page from its top; to its end where no height is given."""
        full = height or await self.run("document.documentElement.scrollHeight")
        clip = {"x": 0, "y": 0, "width": width, "height": full, "scale": 1}
        shot = await self.send("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
        return base64.b64decode(shot["data"])


@asynccontextmanager
async def a_browser() -> AsyncGenerator[Browser]:
    """Start one with a profile of its own, and end it."""
    profile = Path(tempfile.mkdtemp(prefix="belvo-async-chromium-"))
    # Chromium's sandbox does not work for root, which a container often is.
    alone = ["--no-sandbox"] if os.geteuid() == 0 else []
    flags = ["--headless=new", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--remote-debugging-port=0"]
    process = await asyncio.create_subprocess_exec(
        chromium() or "",
        *flags,
        *alone,
        f"--user-data-dir={profile}",
        "about:blank",
        stderr=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        async with (
            aiohttp.ClientSession() as client,
            client.ws_connect(await _tab(client, process), max_msg_size=0) as socket,
        ):
            browser = Browser(socket)
            for each in ("Page", "Runtime", "Log"):
                await browser.send(f"{each}.enable")
            yield browser
    finally:
        process.terminate()
        await process.communicate()
        shutil.rmtree(profile, ignore_errors=True)


async def _tab(client: aiohttp.ClientSession, process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    async with asyncio.timeout(60):
        async for line in process.stderr:
            if found := re.search(rb"ws://127\.0\.0\.1:(\d+)/", line):
                async with client.get(f"http://127.0.0.1:{int(found[1])}/json/list") as answer:
                    tabs = await answer.json()
                return str(next(each["webSocketDebuggerUrl"] for each in tabs if each["type"] == "page"))
    raise AssertionError("Chromium ended before it said where it listens")
