"""Bugs to plant in a tracker or in its store, each a mistake that such programs really make."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from belvo_async._tracker import Tracker
from belvo_async._tracker.reconciler import Reconciler
from belvo_async.abc import Vendor
from belvo_async.errors import StoreError
from belvo_async.jobs import Expectations, GivenUp, Job, Observation, Seen, Status
from belvo_async.stores.memory.parked import Parked
from belvo_async.stores.parked import Label, Load
from tests.simulation.dialect import MuteVendor


class ForgetfulDoor(Reconciler):
    """Throws away deliveries about jobs it does not know yet."""

    async def _park(self, vendor: Vendor, seen: Observation) -> None:
        """Nothing is kept."""


class HastyDoor(Reconciler):
    """Answers a delivery before it is durable."""

    async def receive(self, vendor: Vendor, observations: Sequence[Observation]) -> None:
        self._context.spawn(self._receive_later(vendor, observations), name="careless write")
        await asyncio.sleep(0)

    async def _receive_later(self, vendor: Vendor, observations: Sequence[Observation]) -> None:
        try:
            await super().receive(vendor, observations)
        except StoreError:
            return


class EagerReconciler(Reconciler):
    """Wakes the waiters before the write."""

    async def _put(self, job: Job, *, expected: Job, seen: Observation | None) -> tuple[Job, bool]:
        self._context.watches.publish(replace(job, version=expected.version + 1), seen)
        return await super()._put(job, expected=expected, seen=seen)


class CredulousMute(MuteVendor):
    """Takes any use of an owner's table for the end of every job of that owner."""

    def weigh(self, job: Job, touched: Mapping[int, list[datetime]], now: datetime) -> Observation:
        seen = super().weigh(job, touched, now)
        if not isinstance(seen, GivenUp):
            return seen
        return Seen(way=seen.way, at=now, job_id=job.id, quiet=seen.quiet, status=Status.FINISHED)


def believe(tracker: Tracker) -> None:
    """Give a tracker of a world the vendor that believes what it sees."""
    tracker.context.vendors["mute"].__class__ = CredulousMute  # type: ignore[assignment]


class Trusting(Expectations):
    """Takes it that deliveries which come once always come."""

    def that_may_wait(self, jobs: Sequence[Job], now: datetime) -> list[Job]:
        return [*jobs] if self._accounts else []


def trust(tracker: Tracker) -> None:
    """Give a tracker expectations that are never disappointed."""
    tracker.context.expectations.__class__ = Trusting  # type: ignore[assignment]


class FifoPark(Parked):
    """Lets go of what was parked longest, whoever waits for it."""

    def drop_strangers(self, limit: int, *, look: int | None, newest: bool = False) -> int:
        return self._let_go(self._by_mark.values(), limit)


class LiteralPark(Parked):
    """Takes only the jobs whose id is known for such as could claim something."""

    def drop_strangers(self, limit: int, *, look: int | None, newest: bool = False) -> int:
        strangers = (
            item
            for item in self._by_mark.values()
            if item.label.remote_id is None or not self._could_claim(item.account, _by_id(item.label))
        )
        return self._let_go(strangers, limit)


def _by_id(label: Label) -> Label:
    return Label(label.remote_id, "nobody's", None, is_report=label.is_report)


class EndlessPark(Parked):
    """Does not count what it keeps."""

    def load(self) -> Load:
        return Load(0, 0)


def plant(reconciler: type[Reconciler]) -> Any:
    """Give each tracker of a world this reconciler."""

    def spoil(tracker: Tracker) -> None:
        tracker.reconciler.__class__ = reconciler

    return spoil


def plant_park(park: type[Parked]) -> Any:
    """Give the store of a world this park."""

    def spoil(tracker: Tracker) -> None:
        store: Any = tracker.context.store
        store.plant_park(park)

    return spoil
