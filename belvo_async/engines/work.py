"""What is done for an engine, whoever carries its messages: fire, collect, and carry plans on, in short steps."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict, Unpack

import msgspec
from msgspec.structs import replace

from .._session.checks import deadline_after, nobody_takes, read_wish
from .._session.clock import SystemClock
from .._session.extraction.subject_state import PLAN_TAG
from .._session.plans import ANY_AGE, plan_id
from ..abc import Clock
from ..accounts import accounts_of
from ..errors import ConfigurationError, TaskError, UnknownJobError
from ..messages import decode_task, encode_task
from ..planning import Freshness, Plan, Prices, settle_plan
from ..planning.calendar import mexican_day
from ..planning.freshness import LIVE
from .errands import (
    AGAIN_AFTER,
    LOST_AFTER,
    Due,
    Ended,
    Letter,
    LetterKind,
    Order,
    Share,
    again,
    cut,
    digest,
    drop,
    every,
    keep,
)
from .holding import free_by, holding, log
from .relay import COLLECT_TAG, ENGINE_TAG, Relay
from .turns import Turns, accounts_in

if TYPE_CHECKING:
    from .._session.handle import JobHandle
    from .._session.session import Session
    from ..jobs import Task

Collect: TypeAlias = "Callable[[JobHandle[object]], Awaitable[None]]"
OpenSession: TypeAlias = "Callable[[], AbstractAsyncContextManager[Session]]"
PlansOf: TypeAlias = Callable[[date], Sequence[Plan]]


class PlanTerms(TypedDict, total=False):
    """How a plan is carried out; see `Session.extract`."""

    freshness: Freshness
    prices: Prices | None
    max_cost: Decimal | None
    retry: bool
    deadline: timedelta | None
    tags: Mapping[str, str] | None
    files: Sequence[str]


class Work(ABC):
    """An engine without its queue: see `belvo_async.engines.procrastinate` and `belvo_async.engines.taskiq`."""

    def __init__(
        self, open_session: OpenSession, *, collect: Collect | None, name: str, clock: Clock | None = None
    ) -> None:
        if not name.isidentifier():
            raise ConfigurationError("an engine's name is letters, digits and `_`, the first no digit")
        self.name = name
        self._open_session = open_session
        self._collect = collect
        self._clock = clock or SystemClock()
        self._turns = Turns(name, self._clock, self._send)
        self._opening = asyncio.Lock()
        # What is open in this process, each with its owner: the session, and the feed of jobs that ended.
        self._session: Session | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._feeding: asyncio.Task[None] | None = None

    @abstractmethod
    async def _send(self, message: Letter) -> None:
        """Put a message on the queue. Raises what the queue raises."""

    async def fire(
        self,
        task: Task[Any],
        *,
        once: str,
        max_age: timedelta | None = None,
        deadline: timedelta | None = None,
        tags: Mapping[str, str] | None = None,
        priority: int = 0,
        at: datetime | None = None,
    ) -> None:
        """Have a worker fire a task, once for its name, and a worker collect its job when it has ended.

        Durable when it returns: the store has it, and the queue; calling again with the same name changes nothing.
        `priority`: more is sooner, where the queue knows priorities. `at`: not before an instant. The others as for
        `Session.fire`. Raises TaskError, StoreError, ConfigurationError where the engine has no `collect`, and what the
        queue raises: then the store has it, and it is sent within minutes.
        """
        if self._collect is None:
            raise ConfigurationError("an engine without `collect` fires no tasks: nobody would take what they bring")
        session, now = await self.session(), self._clock.now()
        vendor = next((each for each in session.vendors.values() if type(task) in each.tasks.values()), None)
        if vendor is None:
            raise TaskError(nobody_takes(f"{type(task).__name__} tasks", session.vendors), field="task")
        vendor.check(task, now)
        deadline_after(deadline, now)
        read_wish(max_age, once, {**(tags or {}), **self._tags}, now)
        is_later = at is not None and at > now
        order = Order(
            task=encode_task(task).decode(),
            account=accounts_of(vendor)[0],
            once=once,
            subject=digest(task.subject),
            max_age=max_age,
            deadline=deadline,
            tags=dict(tags or {}),
            priority=priority,
            due=Due(due_at=at, sent=0) if at is not None and is_later else Due(due_at=now + LOST_AFTER),
        )
        await keep(session.store, order.account, self._key(once), order)
        await self._send(self._order_message(order, at if is_later else None))

    async def extract(
        self, plan: Plan, *, into: str, as_of: datetime | None = None, **terms: Unpack[PlanTerms]
    ) -> None:
        """Have a plan carried out by any number of workers; arguments and errors as of `Session.extract`.

        `into` names a sink that all of them reach, by an absolute place. Durable when it returns. The same call goes on
        where an earlier one is; `session.coverage` and `session.certificate` tell how far that is. A plan with
        `max_cost` is carried on by one worker at a time, so that the cap is exact. `as_of`: from when `freshness` and
        `retry` count, by default from now.
        """
        session, now = await self.session(), self._clock.now()
        # Whatever does not fit is told here, to whoever gave it. Nothing is sent by this.
        await session.extract(plan, into=into, waits=False, as_of=as_of, **terms)
        settled = settle_plan(plan, session.vendors, now).plan
        account = accounts_of(session.vendors[settled.vendor])[0]
        # Shares are parts of one plan: what they pay for counts as one.
        tags = {PLAN_TAG: plan_id(settled), **(terms.get("tags") or {}), ENGINE_TAG: self.name}
        for part in cut(settled, is_whole=terms.get("max_cost") is not None):
            share = Share(
                plan=part,
                into=into,
                as_of=as_of or now,
                due=Due(due_at=now + LOST_AFTER),
                freshness=terms.get("freshness", ANY_AGE),
                prices=terms.get("prices"),
                max_cost=terms.get("max_cost"),
                retry=terms.get("retry", False),
                deadline=terms.get("deadline"),
                tags=tags,
                files=tuple(terms.get("files", ())),
            )
            key = f"{self.name}/{plan_id(part)}/{share.variant}"
            await keep(session.store, account, key, share)
            await self._send(self._turns.message(key))

    @asynccontextmanager
    async def feeding(self, session: Session | None = None) -> AsyncGenerator[None]:
        """Pass on what ends while the block lasts, by an open session of yours, or else by one of its own.

        For a process that is no worker, such as a receiver, or where no worker is up all the time: workers do it
        anyway. Of the processes that do so, one passes on.
        """
        if session is not None:
            self._session = session
        await self._at_work()
        try:
            yield
        finally:
            await self.close()

    async def close(self) -> None:
        """Let go of what was opened here. Safe twice; the next call opens it again."""
        tasks = [each for each in (self._feeding, self._keeping) if each is not None]
        self._feeding = self._keeping = self._session = None
        for task in tasks:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def session(self) -> Session:
        """The session of this process, opened when it is first needed. Raises what opening raises."""
        async with self._opening:
            if self._session is not None:
                return self._session
            ready: asyncio.Future[Session] = asyncio.get_running_loop().create_future()
            self._keeping = asyncio.create_task(self._keep(ready), name=f"{self.name}: session")
            self._session = session = await ready
            return session

    async def _keep(self, ready: asyncio.Future[Session]) -> None:
        """Own the session: whoever ends this task, the end of the event loop among them, closes it."""
        try:
            async with self._open_session() as session:
                ready.set_result(session)
                await asyncio.Event().wait()
        except Exception as error:
            if ready.done():
                raise
            ready.set_exception(error)

    async def _at_work(self) -> Session:
        """The session, as whoever works has it: that passes on what ends."""
        session = await self.session()
        if self._feeding is None or self._feeding.done():
            relay = Relay(self.name, self._clock, self._send, self._turns)
            self._feeding = asyncio.create_task(relay.run(session), name=f"{self.name}: relay")
        return session

    async def _fire_order(self, argument: str) -> None:
        """Fire a task: it ends when the vendor has answered. Repeated, it joins the job of its name."""
        session, order = await self._at_work(), msgspec.json.decode(argument, type=Order)
        tags = {**order.tags, **self._tags}
        try:
            await session.fire(
                decode_task(order.task), once=order.once, max_age=order.max_age, deadline=order.deadline, tags=tags
            )
        except TaskError as error:
            # Nothing would come of trying again.
            log.error("the engine %s was given a task that is refused: %s", self.name, error)
        await drop(session.store, Order, order.account, self._key(order.once))

    async def _collect_job(self, job_id: str) -> None:
        """Give a job that ended to whoever collects. Repeated by the engine, it is given again."""
        session = await self._at_work()
        async with holding(session.store, f"{self.name}/collect/{job_id}", self._clock) as is_held:
            if not is_held or self._collect is None:
                # Who has it may be dead, and have been given this message before.
                await self._put_off(session, job_id, lambda due, now: replace(due, due_at=free_by(now)))
                return
            with suppress(UnknownJobError):  # forgotten: there is nothing to collect any more
                handle = await session.attach(job_id)
                try:
                    await self._collect(handle)
                except Exception:
                    await self._put_off(session, job_id, lambda due, now: again(due, now, after=AGAIN_AFTER))
                    raise
            for account in accounts_in(session):
                await drop(session.store, Ended, account, f"{self.name}/{job_id}")

    async def _put_off(self, session: Session, job_id: str, when: Callable[[Due, datetime], Due]) -> None:
        """Have a job collected later."""
        async for account, key, ended in every(session.store, Ended, self.name, accounts_in(session)):
            if ended.job == job_id:
                await keep(session.store, account, key, Ended(job=job_id, due=when(ended.due, self._clock.now())))

    async def _take_turn(self, key: str) -> None:
        """Take one turn at a share of a plan. Repeated, it finds that done which is done."""
        await self._turns.take(await self._at_work(), key)

    async def _look(self) -> None:
        """Send again what is due: what a queue lost, what failed, what may go on by now. Once a minute or so."""
        session, now = await self._at_work(), self._clock.now()
        accounts = accounts_in(session)
        async with holding(session.store, f"{self.name}/look", self._clock) as is_held:
            if not is_held:
                return
            async for account, key, order in every(session.store, Order, self.name, accounts):
                if order.due.due_at <= now:
                    await keep(session.store, account, key, replace(order, due=again(order.due, now)))
                    await self._send(self._order_message(order))
            async for account, key, ended in every(session.store, Ended, self.name, accounts):
                if ended.due.due_at <= now:
                    await keep(session.store, account, key, Ended(job=ended.job, due=again(ended.due, now)))
                    await self._send(ended.message(self.name))
            await self._turns.look(session, accounts)

    async def _sync(self, plans_of: PlansOf, into: str, at: datetime, terms: PlanTerms) -> None:
        """Have the plans of a day carried out, as fresh as `sync` has it. Repeated for the same instant, it goes on."""
        await self._at_work()
        fresh: PlanTerms = {"freshness": LIVE, **terms}
        for plan in plans_of(mexican_day(at)):
            await self.extract(plan, into=into, as_of=at, **fresh)

    def _order_message(self, order: Order, at: datetime | None = None) -> Letter:
        key = f"{self.name}/fire/{digest(order.once)}"
        lane = f"{self.name}/fire/{order.subject}"
        return Letter(LetterKind.FIRE, msgspec.json.encode(order).decode(), key, lane, order.priority, at)

    @property
    def _tags(self) -> dict[str, str]:
        """The tags of jobs that are to be collected."""
        return {ENGINE_TAG: self.name, COLLECT_TAG: "1"}

    def _key(self, once: str) -> str:
        return f"{self.name}/{digest(once)}"
