"""An engine whose queue is a list, carried by hand: what a test delivers, repeats or loses."""

from __future__ import annotations

from typing import Any

from belvo_async import JobHandle
from belvo_async.abc import Clock
from belvo_async.engines.errands import Letter, LetterKind
from belvo_async.engines.work import OpenSession, Work


class ByHand(Work):
    """Keeps what it is to send; `fault` is raised instead of the next ones."""

    def __init__(self, open_session: OpenSession, clock: Clock, **options: Any) -> None:
        super().__init__(open_session, **{"collect": self.take, "name": "hand"} | options, clock=clock)
        self.sent: list[Letter] = []
        self.collected: list[str] = []
        self.fault: Exception | None = None

    async def take(self, handle: JobHandle[object]) -> None:
        self.collected.append(handle.id)

    async def _send(self, message: Letter) -> None:
        if self.fault is not None:
            raise self.fault
        self.sent.append(message)

    async def deliver(self, message: Letter) -> None:
        """Do what a message asks for, as a worker would."""
        do = {
            LetterKind.FIRE: self._fire_order,
            LetterKind.COLLECT: self._collect_job,
            LetterKind.EXTRACT: self._take_turn,
        }
        await do[message.kind](message.argument)

    async def deliver_all(self) -> None:
        """Deliver what was sent until now."""
        waiting, self.sent = self.sent, []
        for message in waiting:
            await self.deliver(message)


async def look_around(engine: Work) -> None:
    """What an engine does now and then: its look at the plans and the jobs."""
    await engine._look()
