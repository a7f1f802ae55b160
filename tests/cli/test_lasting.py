"""Commands that a signal ends: the first one in order, the second where they stand."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

# Says when it has begun, and that it puts things in order, for which it takes far too long: in the loop, or outside it.
SLOW = """
import asyncio, sys, threading
from belvo_async._cli.lasting import run_until_ended

async def slow():
    print("begun", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        print("ending", flush=True)
        if sys.argv[1] == "awaits":
            await asyncio.Event().wait()
        elif sys.argv[1] == "blocks":
            threading.Event().wait()

def tidy():
    print("tidied", flush=True)

sys.exit(run_until_ended(slow(), farewell="ended in order", tidy=tidy))
"""

pytestmark = pytest.mark.usefixtures("heard")


@contextmanager
def begun(how: str) -> Iterator[subprocess.Popen[str]]:
    """A process with the slow command under way."""
    argv = [sys.executable, "-c", SLOW, how]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert "begun\n" == process.stdout.readline()
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda each: each.name)
def test_the_first_signal_ends_a_command_in_order(number: signal.Signals) -> None:
    """It says how it stands, and its exit code is what a shell says of a program that the signal ended."""
    with begun("at once") as process:
        process.send_signal(number)
        out, said = process.communicate(timeout=30)

    assert (128 + number, "ending\n") == (process.returncode, out)
    assert f"belvo-async: {number.name}: ended in order\n" == said


@pytest.mark.parametrize("how", ["awaits", "blocks"])
@pytest.mark.parametrize(
    ("first", "second"),
    [(signal.SIGINT, signal.SIGINT), (signal.SIGTERM, signal.SIGTERM), (signal.SIGTERM, signal.SIGINT)],
    ids=lambda each: each.name,
)
def test_the_second_signal_ends_it_at_once(first: signal.Signals, second: signal.Signals, how: str) -> None:
    """However long it would take to end in order: without a word or a traceback, and with the second one's code."""
    with begun(how) as process:
        process.send_signal(first)
        assert process.stdout is not None
        assert "ending\n" == process.stdout.readline()
        process.send_signal(second)
        out, said = process.communicate(timeout=30)

    assert (128 + second, "tidied\n", "") == (process.returncode, out, said)
