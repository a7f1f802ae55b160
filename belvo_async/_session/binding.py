"""Where an open session may be used: in the process and on the event loop that opened it."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Final

from .._http import Send
from ..abc import Permit, Request, Response
from ..errors import SessionClosedError
from ..stores.affinity import Affinity

_FORKED: Final = "the session was opened before a fork and belongs to the parent process: open one in each process"
_ELSEWHERE: Final = (
    "the session belongs to another event loop: use it where it was opened (from a thread, by "
    "`asyncio.run_coroutine_threadsafe`; in tests, set pytest's `asyncio_default_fixture_loop_scope` to the "
    "`loop_scope` of the test), or open one on each loop"
)


class Binding:
    """The process and the event loop of an open session. Made there.

    Connections, timers and waiters belong to that loop: elsewhere a call would wait for ever for what is told there,
    and a forked child would talk over its parent's connections.
    """

    def __init__(self) -> None:
        self._affinity = Affinity()

    def check(self) -> None:
        """Raise SessionClosedError in a forked child, in another thread and on another event loop."""
        if not self._affinity.is_here:
            raise SessionClosedError(_FORKED if self._affinity.is_of_parent else _ELSEWHERE)

    @property
    def is_deserted(self) -> bool:
        """Whether the loop has ended: nothing that belongs to it can be used any more, or closed as it should."""
        return not self._affinity.is_of_parent and self._affinity.loop.is_closed()

    def bind(self, send: Send) -> Send:
        """Make a function that sends from here only: readings are handed around."""

        def send_here(request: Request, permit: Permit | None = None) -> AbstractAsyncContextManager[Response]:
            self.check()
            return send(request, permit)

        return send_here
