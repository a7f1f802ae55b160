"""A tracker on a bench: a vendor whose answers are written down beforehand, a store that can be switched off."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec

from belvo_async._tracker import Tracker
from belvo_async.abc import Answer, Clock, Headers, Permit, Request, Retry, Urgency
from belvo_async.jobs import Job, Nudge, Polling, Reported, Seen, Status, Way
from tests.simulation.dialect import Fetch, MuteFetch, MuteVendor, OpenFetch, OpenVendor, Row
from tests.troubled_store import TroubledStore

OPEN, MUTE = OpenVendor(), MuteVendor()
TASK = OpenFetch(owner="a")
LANE_TASK = MuteFetch(owner="a")
Reply = Answer | Exception | Callable[[], Awaitable[Answer]]


class Bench:
    """Everything around one tracker. Unwritten requests get a friendly answer: accepted, or nothing new.

    `name` begins the ids of its jobs: of two benches with one store, each has its own.
    """

    def __init__(self, clock: Clock, store: TroubledStore, *, name: str = "job") -> None:
        self.clock = clock
        self.store = store
        self.sent: list[Request] = []
        self.replies: deque[Reply] = deque()
        self.rows: list[Row] = []
        self._name = name
        self._ids = itertools.count(1)

    @property
    def posts(self) -> int:
        return sum(request.method == "POST" for request in self.sent)

    @property
    def polls(self) -> int:
        return len(self.sent) - self.posts

    def tracker(self, *, store: Any = None, turn: asyncio.Event | None = None, sweep: bool = True) -> Tracker:
        """A worker; submissions wait for `turn`."""
        talk = partial(self.talk, turn=turn)
        return Tracker(
            store=store or self.store,
            vendors={"open": OPEN, "mute": MUTE},  # type: ignore[dict-item]
            talks={"open": talk, "mute": talk},
            polling=Polling(),
            clock=self.clock,
            chance=lambda: 0.5,
            new_id=lambda: f"{self._name}{next(self._ids)}",
            sweep=sweep,
        )

    @asynccontextmanager
    async def opened(self, **options: Any) -> AsyncIterator[Tracker]:
        async with self.tracker(**options) as tracker:
            yield tracker

    async def talk(
        self,
        conversation: Any,
        *,
        permit: Permit | None = None,
        urgency: Urgency = Urgency.INTERACTIVE,
        turn: asyncio.Event | None = None,
    ) -> Any:
        try:
            request = next(conversation)
            while True:
                if permit is not None and request.retry is Retry.SUBMIT:
                    if turn is not None:
                        await turn.wait()
                    await permit()
                request = conversation.send(await self._answer(request))
        except StopIteration as end:
            return end.value

    async def _answer(self, request: Request) -> Answer:
        self.sent.append(request)
        reply = self.replies.popleft() if self.replies else self._usual(request)
        await asyncio.sleep(0.01)
        if isinstance(reply, Exception):
            raise reply
        return reply if isinstance(reply, Answer) else await reply()

    def _usual(self, request: Request) -> Answer:
        if request.method == "POST":
            return accepted(self.posts)
        return answer(200, self.rows if request.target == "/jobs" else {})

    def after(self, **span: float) -> datetime:
        return self.clock.now() + timedelta(**span)

    async def start(self, tracker: Tracker, task: Fetch = TASK, *, hours: float = 6) -> Job:
        return await tracker.submit(task, deadline=self.after(hours=hours))

    async def stored(self, job: Job) -> Job:
        kept = await self.store.get(job.id)
        assert kept is not None
        return kept

    def said(self, number: int, status: Status | None, **facts: Any) -> Seen:
        """A delivery about the `number`-th accepted job."""
        return Seen(status=status, **self._delivery(number), **facts)

    def reported(self, number: int, *resources: str, subject: str = "a") -> Reported:
        """A delivery that tells which resources that job has brought so far."""
        return Reported(resources=resources, subject=subject, **self._delivery(number))

    def hint(self, number: int, delivery_id: str | None = None) -> Nudge:
        """A delivery that only makes that job worth a poll."""
        return Nudge(**self._delivery(number) | ({"delivery_id": delivery_id} if delivery_id else {}))

    def _delivery(self, number: int) -> dict[str, Any]:
        spelled = str(uuid.UUID(remote_id(number)))
        return {"way": Way.WEBHOOK, "at": self.clock.now(), "remote_id": spelled, "delivery_id": f"d{number}"}


def remote_id(number: int) -> str:
    return uuid.UUID(int=number).hex


def answer(status: int, body: object = None, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, Headers(named), msgspec.json.encode(body))


def accepted(number: int) -> Answer:
    return answer(202, {"id": remote_id(number)})


def row(number: int, word: str, clock: Clock) -> Row:
    return Row(
        id=remote_id(number), word=word, owner="a", table="rows", year=2025, created_at=clock.now() + timedelta(0)
    )


async def outcome(tracker: Tracker, job: Job, until: datetime) -> bool:
    return await tracker.settle(tracker.watch(job), until=until)
