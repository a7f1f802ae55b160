"""A run is ended by a signal, in a process of its own; then the same command is given again."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from belvo_async.simulator import SyntageSimulator
from tests.variables import variables_of

pytestmark = pytest.mark.proof

# An extraction takes some seconds: long enough to be met under way, on a machine that is busy too.
SPEED = 60.0
PATIENCE_SECONDS = 60.0


@contextmanager
def served() -> Generator[SyntageSimulator]:
    """A Syntage in a thread with a loop of its own."""
    loop = asyncio.new_event_loop()
    simulator = SyntageSimulator(speed=SPEED, invoices_per_year=24, entities=3)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(simulator.__aenter__(), loop).result(10)
        try:
            yield simulator
        finally:
            asyncio.run_coroutine_threadsafe(simulator.__aexit__(None, None, None), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def start(simulator: SyntageSimulator, folder: Path) -> subprocess.Popen[str]:
    argv = ["extract", "--vendor", "syntage", "--resource", "invoice", "--subjects", "all", "--from", "2024"]
    argv += ["--to", "2025", "--into", f"ndjson:{folder / 'sat'}", "--store", f"sqlite:{folder / 'jobs.db'}"]
    return subprocess.Popen(
        [sys.executable, "-m", "belvo_async", *argv],
        env=os.environ | variables_of(simulator),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
    )


def fired(simulator: SyntageSimulator) -> int:
    return sum(each.method == "POST" and each.path == "/extractions" for each in list(simulator.requests))


def wait_until_fired(simulator: SyntageSimulator, count: int) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while fired(simulator) < count:
        assert time.monotonic() < until, "nothing was fired"
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)],
    ids=lambda each: str(each),
)
def test_the_same_command_goes_on(tmp_path: Path, number: signal.Signals, code: int) -> None:
    """Ended at once and without a traceback; given again, it is whole, and nothing was paid for twice."""
    with served() as simulator:
        entities = len(simulator.entities)
        running = start(simulator, tmp_path)
        wait_until_fired(simulator, 1)
        running.send_signal(number)
        _, said = running.communicate(timeout=PATIENCE_SECONDS)

        again = start(simulator, tmp_path)
        out, more = again.communicate(timeout=PATIENCE_SECONDS)

        assert code == running.returncode
        assert "Traceback" not in said + more
        if number is not signal.SIGKILL:
            assert f"belvo-async: {number.name}: ended in order" in said
            assert "give the same command again" in said
        assert (0, entities) == (again.returncode, fired(simulator))
        assert "plan: whole: " in out
        assert entities == len(list((tmp_path / "sat").rglob("subject=*/*.ndjson")))
