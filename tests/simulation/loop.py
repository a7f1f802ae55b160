"""The virtual loop without sockets: time jumps at once, and standing still is an error."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.virtual_time import DeadlockError, VirtualTimeLoop

# Rounds of the loop without time going on before we call it a livelock.
STANDSTILL = 20_000


class SimulationLoop(VirtualTimeLoop):
    """Shuffles ready task steps by seed, as `VirtualTimeLoop` does, and never asks the kernel for anything."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._rounds = 0
        self.complaints: list[str] = []
        self.virtual.select = self._jump  # type: ignore[method-assign]
        self.set_exception_handler(self._complain)

    def _jump(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise DeadlockError("nothing is ready, nothing is scheduled: every coroutine waits for ever")
        self._rounds = 0 if timeout > 0 else self._rounds + 1
        if self._rounds > STANDSTILL:
            raise DeadlockError("the loop turns and turns, but time stands still")
        self.virtual.virtual_seconds += max(timeout, 0.0)
        return []

    def _complain(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.complaints.append(f"{context['message']} {context.get('exception')!r}")


@contextmanager
def simulation_loop(seed: int) -> Iterator[SimulationLoop]:
    """A loop of a seed's own; what is left on it in the end, as of workers that were killed, is cancelled."""
    loop = SimulationLoop(seed)
    asyncio.set_event_loop(loop)
    try:
        yield loop
        if left := asyncio.all_tasks(loop):
            for task in left:
                task.cancel()
            loop.run_until_complete(asyncio.wait(left))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        asyncio.set_event_loop(None)
        loop.close()
