"""Where an open store belongs."""

from __future__ import annotations

import asyncio
import os


class Affinity:
    """The process and the event loop that something was opened in. Made there.

    Connections, threads and waiters belong to them: whoever comes from elsewhere can neither use nor close them.
    """

    def __init__(self) -> None:
        self._process = os.getpid()
        self.loop = asyncio.get_running_loop()

    @property
    def is_here(self) -> bool:
        """Whether this is that process, and that loop runs: asked before each use, in one step."""
        try:
            return asyncio.get_running_loop() is self.loop and os.getpid() == self._process
        except RuntimeError:
            return False

    @property
    def is_of_parent(self) -> bool:
        """Whether this is a child, forked off the process: what is open is the parent's."""
        return os.getpid() != self._process

    @property
    def is_of_other_loop(self) -> bool:
        """Whether another loop runs here, or none."""
        try:
            return asyncio.get_running_loop() is not self.loop
        except RuntimeError:
            return True
