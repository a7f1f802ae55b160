"""The demo in virtual time, on a screen that is a text."""

from __future__ import annotations

import asyncio
import io
import signal
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from belvo_async._cli.demo.records import held_by_vendor
from belvo_async._cli.demo.run import DemoOptions, Held, run_demo
from belvo_async._cli.demo.screen import PlainScreen, Screen
from belvo_async._cli.log import log_to
from tests.virtual_time import VirtualClock, run


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What a run of the demo left behind."""

    seed: int
    code: int
    text: str
    seconds: float
    out: Path
    keep: Path
    log: Path


Play = Callable[..., Awaitable[Shown]]


@pytest.fixture
def heard() -> Iterator[None]:
    """Have processes hear signals that a shell in the background, or `nohup`, makes all its children ignore."""
    numbers = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
    kept = [(each, signal.signal(each, signal.SIG_DFL)) for each in numbers]
    yield
    for each, handler in kept:
        signal.signal(each, handler)


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """Run the demo; its log goes where the command's goes."""
    return partial(_play, tmp_path)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """What one run left, for the tests that only read it."""
    shown: Shown = run(_play(tmp_path_factory.mktemp("demo")))
    return shown


async def _play(folder: Path, *, seed: int = 1, screen: Screen | None = None, held: Held = held_by_vendor) -> Shown:
    stream, loop = io.StringIO(), asyncio.get_running_loop()
    options = DemoOptions(
        seed=seed, speed=100, out=folder / "records.ndjson", store=folder / "jobs.db", keep=folder / "held"
    )
    with log_to(folder / "log.txt"):
        code = await run_demo(options, screen or PlainScreen(stream), VirtualClock(loop), held)
    return Shown(
        seed=seed,
        code=code,
        text=stream.getvalue(),
        seconds=loop.time(),
        out=options.out,
        keep=options.keep,
        log=folder / "log.txt",
    )
