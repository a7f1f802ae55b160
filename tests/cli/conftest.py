"""The demo in virtual time, on a screen that is a text."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from belvo_async._cli.demo.records import held_by_vendor
from belvo_async._cli.demo.run import DemoOptions, Held, run_demo
from belvo_async._cli.demo.screen import PlainScreen, Screen
from belvo_async._cli.log import log_to
from tests.virtual_time import VirtualClock


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What a run of the demo left behind."""

    code: int
    text: str
    seconds: float
    out: Path
    log: Path


Play = Callable[..., Awaitable[Shown]]


@pytest.fixture
def play(tmp_path: Path, clock: VirtualClock) -> Iterator[Play]:
    """Run the demo; its log goes where the command's goes."""

    async def run(*, seed: int = 1, screen: Screen | None = None, held: Held = held_by_vendor) -> Shown:
        stream = io.StringIO()
        options = DemoOptions(seed=seed, speed=100, out=tmp_path / "records.ndjson", store=tmp_path / "jobs.db")
        code = await run_demo(options, screen or PlainScreen(stream), clock, held)
        seconds = asyncio.get_running_loop().time()
        return Shown(code=code, text=stream.getvalue(), seconds=seconds, out=options.out, log=tmp_path / "log.txt")

    with log_to(tmp_path / "log.txt"):
        yield run
