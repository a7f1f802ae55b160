"""What a server says when more connections come than the process may open."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

from .._session.summary import Summary
from ..descriptors import EXHAUSTED

# What asyncio itself takes for a want of resources, for which it tries again after a second.
_SCARCE: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_WAITING: Final = f"new connections wait: {EXHAUSTED}"


@contextmanager
def scarcity_in_words() -> Generator[None, None, None]:
    """Tell in a line that connections cannot be accepted, and then once a minute how often they could not.

    asyncio's own way is a traceback for each place in the queue of connections, every second.
    """
    loop = asyncio.get_running_loop()
    summary = Summary()

    def tell(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in _SCARCE and "socket" in context:
            summary.warn("accept", _WAITING, {"error": type(error).__name__})
        else:
            loop.default_exception_handler(context)

    before = loop.get_exception_handler()
    loop.set_exception_handler(tell)
    try:
        yield
    finally:
        loop.set_exception_handler(before)
        summary.close()
