"""Runs a command until it is done, or a signal asks it to end: then at once, and leaving everything in order."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import Any, Final, TypeVar

from ..errors import ConfigurationError

T = TypeVar("T")

# What a shell says of a program that a signal ended.
ENDED: Final = 128
# A loop that waits in `select` on Windows notices no signal before something else wakes it.
AWAKE_SECONDS: Final = 0.5
# The variable that names the event loop of the command: one of these words, or nothing.
LOOP: Final = "BELVO_ASYNC_LOOP"
LOOPS: Final = ("asyncio", "selector", "uvloop")


def run(command: Coroutine[Any, Any, T]) -> T:
    """Run it on the event loop that `BELVO_ASYNC_LOOP` names, or that this system wants. Raises ConfigurationError."""
    try:
        make_loop = loop_factory(os.environ.get(LOOP, ""), sys.platform)
    except ConfigurationError:
        command.close()
        raise
    with asyncio.Runner(loop_factory=make_loop) as runner:
        return runner.run(command)


def loop_factory(word: str, platform: str) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes the loop of that name; None is Python's own choice.

    Without a name it is Python's, but on Windows, where psycopg cannot live on the loop that Python would choose.
    """
    if word == "uvloop":
        try:
            make: Callable[[], asyncio.AbstractEventLoop] = import_module("uvloop").new_event_loop
        except ModuleNotFoundError as error:
            raise ConfigurationError(f"{LOOP}=uvloop needs `pip install 'belvo-async[uvloop]'`") from error
        return make
    if word not in ("", *LOOPS):
        raise ConfigurationError(f"{LOOP} is one of: {', '.join(LOOPS)}")
    return asyncio.SelectorEventLoop if word == "selector" or (not word and platform == "win32") else None


def hear(number: signal.Signals, call: Callable[[], object]) -> Callable[[], object]:
    """Have the running loop call when a signal comes, also a loop that handles none; what is given back ends that."""
    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(number, call)
    except NotImplementedError:  # on Windows
        before = signal.signal(number, lambda _, __: loop.call_soon_threadsafe(call))
        return partial(_unhear, number, before, _stay_awake(loop))
    return partial(loop.remove_signal_handler, number)


def _stay_awake(loop: asyncio.AbstractEventLoop) -> Callable[[], object]:
    """Wake a loop now and then; what is given back ends that."""
    timer: asyncio.TimerHandle

    def wake() -> None:
        nonlocal timer
        timer = loop.call_later(AWAKE_SECONDS, wake)

    wake()
    return lambda: timer.cancel()


def _unhear(number: signal.Signals, before: Any, sleep: Callable[[], object]) -> None:
    sleep()
    signal.signal(number, before)


def run_until_ended(
    command: Coroutine[Any, Any, int], *, farewell: str, tidy: Callable[[], object] = lambda: None
) -> int:
    """Run it; its exit code, or 128 and the signal's number. `farewell` is then said on stderr.

    A second signal ends the process there and then, without a word and with its own code; only `tidy` is called.
    """
    try:
        return run(_run(command, farewell, tidy))
    except KeyboardInterrupt:  # where it came before anybody heard it
        return _ended_by(signal.SIGINT, farewell)


async def _run(command: Coroutine[Any, Any, int], farewell: str, tidy: Callable[[], object]) -> int:
    running, came = asyncio.ensure_future(command), list[signal.Signals]()

    def end_at_once(number: int, _: object) -> None:
        tidy()
        # No exception: what is being put in order would take it for one of its own, or be put in order first.
        os._exit(ENDED + number)

    def leave(number: signal.Signals) -> None:
        came.append(number)
        for each, unhear in handled.items():
            unhear()
            # Not by the loop, which may be held up; and for good, for what is left of the process.
            signal.signal(each, end_at_once)
        running.cancel()

    handled = {number: hear(number, partial(leave, number)) for number in _endings()}
    try:
        return await running
    except asyncio.CancelledError:
        if not came:
            raise
        return _ended_by(came[0], farewell)


def _ended_by(number: signal.Signals, farewell: str) -> int:
    # The terminal may be what went.
    with suppress(OSError):
        print(f"belvo-async: {number.name}: {farewell}", file=sys.stderr)
    return ENDED + number


def _endings() -> list[signal.Signals]:
    """The signals that ask to end, but for those that whoever started this ignores (`nohup`).

    Windows has no SIGHUP; there, SIGBREAK is Ctrl-Break, and that the console was closed.
    """
    wanted = [each for each in signal.Signals if each.name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")]
    return [each for each in wanted if signal.getsignal(each) is not signal.SIG_IGN]
