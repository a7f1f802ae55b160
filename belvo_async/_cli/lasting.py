"""Runs a command until it is done, or a signal asks it to end: then at once, and leaving everything in order."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Coroutine
from typing import Any, Final

# What a shell says of a program that a signal ended.
ENDED: Final = 128


def run_until_ended(command: Coroutine[Any, Any, int], *, farewell: str) -> int:
    """Run it; its exit code, or 128 and the signal's number. `farewell` is then said on stderr."""
    return asyncio.run(_run(command, farewell))


async def _run(command: Coroutine[Any, Any, int], farewell: str) -> int:
    running, came = asyncio.ensure_future(command), list[int]()
    loop = asyncio.get_running_loop()

    def leave(number: int) -> None:
        came.append(number)
        # A second one acts as ever: it ends the process at once.
        for each in handled:
            loop.remove_signal_handler(each)
        running.cancel()

    handled = _endings()
    for number in handled:
        loop.add_signal_handler(number, leave, number)
    try:
        return await running
    except asyncio.CancelledError:
        if not came:
            raise
        print(f"belvo-async: {signal.Signals(came[0]).name}: {farewell}", file=sys.stderr)
        return ENDED + came[0]


def _endings() -> list[signal.Signals]:
    """The signals that ask to end, but for those that whoever started this ignores (`nohup`)."""
    if sys.platform == "win32":
        return []
    wanted = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    return [each for each in wanted if signal.getsignal(each) is not signal.SIG_IGN]
