"""Deliveries: early, late, never, five times over, out of order, and forged ones about jobs nobody started."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from typing import TYPE_CHECKING

import msgspec

from belvo_async.abc import Headers
from belvo_async.errors import SessionClosedError, StoreError
from belvo_async.jobs import normal_id
from tests.simulation.dialect import WORDS, Event, OpenFetch
from tests.simulation.server import Run
from tests.simulation.store import PARK_COUNT

if TYPE_CHECKING:
    from tests.simulation.world import World

# How often a vendor repeats a delivery that was not answered well.
REPEATS = 6


class WebhookSender:
    """Carries events to any open worker. `accepted` says when the end of which remote id was answered 2xx."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._ids = itertools.count(1)
        self.accepted: dict[str, float] = {}
        self.count = 0

    async def deliver(self, run: Run) -> None:
        """Announce one job's life: its middle (open vendor only) and its end."""
        swarm, now = self._world.swarm, self._world.clock.now()
        if swarm.happens("webhook early"):
            # The whole job is over before our POST is answered.
            run.busy_at = run.ended_at = now
        moments = [(run.ended_at, True)]
        if isinstance(run.task, OpenFetch):
            moments.append((run.busy_at, False))
        for at, is_end in moments:
            if swarm.happens("webhook dropped"):
                self._world.trace.note("postman", f"{run.remote_id[-4:]} {'end' if is_end else 'busy'} is dropped")
                continue
            copies = swarm.chance.randint(2, 5) if swarm.happens("webhook repeated") else 1
            delivery = f"d{next(self._ids)}"
            for _ in range(copies):
                late = swarm.span(600) if swarm.happens("webhook late") else swarm.span(5)
                wait = max(0.0, (at - now).total_seconds()) + late
                self._world.act(self._announce(run, delivery, wait, is_end=is_end), "postman")

    async def forge(self) -> None:
        """Deliver what is about nobody's job here."""
        world = self._world
        while world.swarm.on:
            await asyncio.sleep(world.swarm.between(30, 300))
            if world.swarm.happens("webhook forged"):
                vendor = world.swarm.chance.choice(("open", "mute"))
                event = self._stray(world.swarm.chance.choice(("done", "broken", "busy", "nonsense")))
                await self._carry(vendor, event, None)

    async def _flood(self, vendor: str) -> None:
        """Deliver at once more of what another application started than the store parks."""
        await asyncio.gather(*(self._carry(vendor, self._stray("done"), None) for _ in range(PARK_COUNT + 10)))

    def _stray(self, word: str) -> Event:
        return Event(
            delivery=f"d{next(self._ids)}",
            id=str(uuid.UUID(int=self._world.swarm.chance.getrandbits(90))),
            word=word,
            owner="a stranger",
            table="rows",
        )

    async def _announce(self, run: Run, delivery: str, wait: float, *, is_end: bool) -> None:
        await asyncio.sleep(wait)
        world = self._world
        now = world.clock.now()
        hint = world.swarm.happens("webhook hint only")
        event = Event(
            delivery=delivery,
            # Vendors print one id in several ways.
            id=str(uuid.UUID(run.remote_id)).upper(),
            word=run.word(now),
            owner=run.task.owner,
            table=run.task.table,
            partial=run.partial,
        )
        if run.is_lost(now) or (is_end and now < run.ended_at):
            return
        if hint:
            named = event.id if isinstance(run.task, OpenFetch) else None
            event = Event(delivery=delivery, id=named, owner=run.task.owner)
        # Only what was read at this moment can be vouched for: a word of the middle is not an end.
        ends = not hint and WORDS[event.word or ""].is_terminal if event.word in WORDS else False
        await self._carry(run.task.vendor, event, run if ends else None)

    async def _carry(self, name: str, event: Event, ended: Run | None) -> None:
        world = self._world
        body = msgspec.json.encode(event)
        for _ in range(REPEATS):
            tracker = world.pick_tracker()
            vendor = world.vendors[name]
            try:
                if tracker is not None:
                    self.count += 1
                    seen = vendor.read_webhook(Headers({"proof": name}), body, world.clock.now())
                    world.trace.note("postman", f"{(event.id or '')[-4:]} {event.word}")
                    await tracker.receive(vendor, seen)  # type: ignore[arg-type]
                    if ended is not None:
                        self.accepted.setdefault(normal_id(ended.remote_id), world.loop.time())
                        if world.swarm.happens("flood of strangers"):
                            world.act(self._flood(name), "another application")
                    return
            except (StoreError, SessionClosedError):
                if world.swarm.happens("webhook given up"):
                    return
            await asyncio.sleep(world.swarm.between(5, 120))
