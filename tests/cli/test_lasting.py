"""Commands that a signal ends: the first one in order, the second where they stand."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from belvo_async._cli.lasting import LOOP, loop_factory, run
from belvo_async.errors import ConfigurationError

# Says when it has begun, and that it puts things in order, for which it takes far too long: in the loop, or outside it.
SLOW = """
import asyncio, sys, threading
if "deaf" in sys.argv:
    asyncio.SelectorEventLoop.add_signal_handler = asyncio.AbstractEventLoop.add_signal_handler
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

# A deaf loop handles no signals: those of Windows do not.
ON_EVERY_LOOP = pytest.mark.parametrize("loop", ["hearing", "deaf"])


@contextmanager
def begun(how: str, loop: str) -> Iterator[subprocess.Popen[str]]:
    """A process with the slow command under way."""
    argv = [sys.executable, "-c", SLOW, how, loop]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert "begun\n" == process.stdout.readline()
            yield process
        finally:
            process.kill()


@ON_EVERY_LOOP
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda each: each.name)
def test_the_first_signal_ends_a_command_in_order(number: signal.Signals, loop: str) -> None:
    """It says how it stands, and its exit code is what a shell says of a program that the signal ended."""
    with begun("at once", loop) as process:
        process.send_signal(number)
        out, said = process.communicate(timeout=30)

    assert (128 + number, "ending\n") == (process.returncode, out)
    assert f"belvo-async: {number.name}: ended in order\n" == said


@ON_EVERY_LOOP
@pytest.mark.parametrize("how", ["awaits", "blocks"])
@pytest.mark.parametrize(
    ("first", "second"),
    [(signal.SIGINT, signal.SIGINT), (signal.SIGTERM, signal.SIGTERM), (signal.SIGTERM, signal.SIGINT)],
    ids=lambda each: each.name,
)
def test_the_second_signal_ends_it_at_once(first: signal.Signals, second: signal.Signals, how: str, loop: str) -> None:
    """However long it would take to end in order: without a word or a traceback, and with the second one's code."""
    with begun(how, loop) as process:
        process.send_signal(first)
        assert process.stdout is not None
        assert "ending\n" == process.stdout.readline()
        process.send_signal(second)
        out, said = process.communicate(timeout=30)

    assert (128 + second, "tidied\n", "") == (process.returncode, out, said)


@pytest.mark.parametrize(
    ("word", "platform", "expected"),
    [
        ("", "linux", None),
        ("", "win32", asyncio.SelectorEventLoop),
        ("asyncio", "win32", None),
        ("selector", "linux", asyncio.SelectorEventLoop),
    ],
)
def test_the_loop_is_the_one_that_was_named(word: str, platform: str, expected: object) -> None:
    """None is Python's own; on Windows the one that psycopg can live on, unless another is named."""
    assert expected is loop_factory(word, platform)


def test_a_command_runs_on_the_loop_that_was_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable holds for every command."""
    uvloop = pytest.importorskip("uvloop")
    monkeypatch.setenv(LOOP, "uvloop")

    async def loop() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    assert isinstance(run(loop()), uvloop.Loop)


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("trio", "BELVO_ASYNC_LOOP is one of: asyncio, selector, uvloop"),
        ("uvloop", "pip install 'belvo-async[uvloop]'"),
    ],
)
def test_a_loop_that_is_not_there_is_said(word: str, sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing runs on another one instead."""
    monkeypatch.setenv(LOOP, word)
    monkeypatch.setitem(sys.modules, "uvloop", None)

    with pytest.raises(ConfigurationError, match=sentence.replace("[", r"\[")):
        run(asyncio.sleep(0))
