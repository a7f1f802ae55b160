"""Runs a command until it is done, or a signal asks it to end: then at once, and leaving everything in order."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final

# What a shell says of a program that a signal ended.
ENDED: Final = 128


def run_until_ended(
    command: Coroutine[Any, Any, int], *, farewell: str, tidy: Callable[[], object] = lambda: None
) -> int:
    """Run it; its exit code, or 128 and the signal's number. `farewell` is then said on stderr.

    A second signal ends the process there and then, without a word and with its own code; only `tidy` is called.
    """
    try:
        return asyncio.run(_run(command, farewell, tidy))
    except KeyboardInterrupt:  # where a loop handles no signals: on Windows
        return _ended_by(signal.SIGINT, farewell)


async def _run(command: Coroutine[Any, Any, int], farewell: str, tidy: Callable[[], object]) -> int:
    running, came = asyncio.ensure_future(command), list[signal.Signals]()
    loop = asyncio.get_running_loop()

    def end_at_once(number: int, _: object) -> None:
        tidy()
        # No exception: what is being put in order would take it for one of its own, or be put in order first.
        os._exit(ENDED + number)

    def leave(number: signal.Signals) -> None:
        came.append(number)
        for each in handled:
            loop.remove_signal_handler(each)
            # Not by the loop, which may be held up; and for good, for what is left of the process.
            signal.signal(each, end_at_once)
        running.cancel()

    handled = _endings()
    for number in handled:
        loop.add_signal_handler(number, leave, number)
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
    """The signals that ask to end, but for those that whoever started this ignores (`nohup`)."""
    if sys.platform == "win32":
        return []
    wanted = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    return [each for each in wanted if signal.getsignal(each) is not signal.SIG_IGN]
