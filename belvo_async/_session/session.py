"""The session: fires jobs, hands out handles, receives deliveries, reads records."""

from __future__ import annotations

import os
import random
import uuid
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from functools import partial
from typing import Any, Self, TypeVar

from .._http import Http, Send, converse_by
from .._tracker import Tracker
from ..abc import Clock, Store, Urgency, Vendor
from ..accounts import accounts_of
from ..discreet import discreet
from ..errors import SessionClosedError, TaskError, UnknownJobError
from ..jobs import Polling, Task
from ..stores import join_accounts
from ..telemetry import SILENT, Telemetry
from . import bulk
from .binding import Binding
from .checks import (
    check_connections,
    check_remote_id,
    check_store,
    check_text,
    check_vendors,
    read_wish,
)
from .clock import SystemClock
from .core import Core
from .delivery import GivenBody, GivenHeaders, read_delivery
from .environment import configured_vendors
from .handle import JobHandle, handle_on
from .hooks.desk import WebhookDesk
from .hooks.findings import managed_or_refuse
from .hooks.opening import CheckWebhooks, check_at_opening, check_mode
from .known.jobs import KnownJobs
from .reading.prefetch import Spares
from .receive import DeliveryReceiver
from .sheltered import shelter
from .unfired import UnfiredHandle, unfired_job

R = TypeVar("R")
T = TypeVar("T")


class Session(KnownJobs):
    """An asynchronous session with one or both vendors. Use as `async with`, on one event loop.

    `store` says where jobs are kept: `memory:` (lost with the process), `sqlite:PATH`, `postgresql://...`, `redis://...`
    or a store of your own. `polling` is when to poll jobs no webhook has settled; with `sweep=False`, other
    processes of the store poll, and this one fires, receives and waits. `connections` bounds the requests under way;
    `trust_env` sends them through the proxy that the environment names. For tests, `clock` replaces the wall clock and
    `chance` what spreads polls and makes ids: seeded, it makes them all again in every process that has it.
    `telemetry` is told of spans and counts (`belvo_async.integrations.otel.OpenTelemetry`).
    With `check_webhooks`, what is wrong with the endpoints of vendors whose API tells of them is looked for when the
    session opens: it is a warning in the log (`warn`) or a ConfigurationError (`refuse`).
    A session that is not open yet may be made before a fork. An open one is used only in its process and on its event
    loop: elsewhere every call raises SessionClosedError.
    Two vendors of one kind (two accounts) need two sessions.
    """

    @discreet
    def __init__(
        self,
        *vendors: Vendor,
        store: str | Store = "memory:",
        polling: Polling | None = None,
        sweep: bool = True,
        clock: Clock | None = None,
        connections: int = 64,
        trust_env: bool = False,
        chance: random.Random | None = None,
        telemetry: Telemetry = SILENT,
        check_webhooks: CheckWebhooks | None = None,
    ) -> None:
        check_connections(connections)
        self._check_webhooks: CheckWebhooks | None = check_mode(check_webhooks)
        self._core = Core(check_vendors(vendors), clock or SystemClock(), shelter(telemetry))
        # The system's: a fork copies a generator of our own, and two processes would give their jobs the same ids.
        self._chance = chance or random.SystemRandom()
        self._store = check_store(store)
        groups = [accounts_of(vendor) for vendor in self._core.vendors.values()]
        self._accounts = frozenset[str]().union(*groups)
        self._homes = {account: group[0] for group in groups for account in group}
        self._jobs = join_accounts(self._store, groups)
        self._make_http = partial(
            Http,
            clock=self._core.clock,
            shared_limits=self._store,
            chance=self._chance.random,
            connections=connections,
            trust_env=trust_env,
            telemetry=self._core.telemetry,
        )
        self._polling, self._polls = polling or Polling(), sweep
        # Half of the connections that read records: what nobody reads yet never holds up what somebody reads.
        self._spare_connections = connections * 7 // 32
        self._renew()

    @classmethod
    @discreet
    def from_env(cls, environ: Mapping[str, str] | None = None, **options: Any) -> Self:
        """Make a session from environment variables: every vendor whose variables are set, and `BELVO_ASYNC_STORE`.

        Raises ConfigurationError naming the missing variable. `options` go to the constructor.
        """
        environ = os.environ if environ is None else environ
        options.setdefault("store", environ.get("BELVO_ASYNC_STORE") or "memory:")
        return cls(*configured_vendors(environ), **options)

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    @discreet
    async def open(self) -> None:
        """Open the store and begin to poll its open jobs. `async with` does this. Raises StoreError.

        A closed session may be opened again; handles of before stay closed. Raises SessionClosedError while it is open.
        """
        core = self._core
        if core.binding is not None:
            raise SessionClosedError("the session is open already: open it once and share it")
        if core.is_closed:
            self._renew()
        core.binding = Binding()
        try:
            await self._open(core.binding)
        except BaseException:
            core.is_closed, core.binding = True, None
            raise

    async def _open(self, binding: Binding) -> None:
        core, ways = self._core, dict[str, dict[Urgency, Send]]()
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._store)
            await stack.enter_async_context(self._http)
            for name, vendor in core.vendors.items():
                send_to = partial(self._http.send_to, vendor.origin, vendor.credentials, account=vendor.account)
                timeout = getattr(vendor, "timeout", None)
                ways[name] = {each: binding.bind(send_to(timeout=timeout, urgency=each)) for each in Urgency}
                core.sends[name] = ways[name][Urgency.INTERACTIVE]
                core.bulk_sends[name] = binding.bind(send_to(timeout=timeout, bulk=True, urgency=Urgency.BULK))
            if self._check_webhooks is not None:
                await check_at_opening(core.vendors, core.sends, self._check_webhooks)
            tracker = Tracker(
                store=self._jobs,
                vendors=core.vendors,
                talks={name: partial(converse_by, sends) for name, sends in ways.items()},
                polling=self._polling,
                clock=core.clock,
                chance=self._chance.random,
                new_id=self._new_id,
                sweep=self._polls,
                telemetry=core.telemetry,
            )
            core.tracker_or_none = await stack.enter_async_context(tracker)
            self._stack = stack.pop_all()

    @discreet
    async def close(self) -> None:
        """Close in bounded time. Jobs go on at the vendor; waiters get SessionClosedError; nothing is left running.

        Safe twice. Raises SessionClosedError, and closes nothing, in another thread or process, or on another loop.
        """
        core = self._core
        if core.binding is not None:
            await self._check_closable(core.binding)
        core.is_closed = True
        self._receiver.close()
        await self._stack.aclose()
        core.binding = None

    @discreet
    async def fire(
        self,
        task: Task[R],
        *,
        deadline: timedelta | None = None,
        max_age: timedelta | None = None,
        once: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> JobHandle[R]:
        """Start a job for a task, or join the open job of an equal one unless its deadline has passed.

        Returns when the vendor answered, the outcome is uncertain, or the job is queued (one request per subject at a
        time; the vendor asked for patience; the session closes): then it is sent later, by whoever polls. `deadline`
        bounds the waiting, not the job; default 6 hours. The latest that was promised to anybody counts for the job:
        until then it is joined, and keeps others of its subject waiting. Raises only TaskError, before a byte is sent,
        and StoreError when the job could not be kept: nothing was sent. When the store's answer got lost, the error's
        `maybe_done` is set and `job_id` names the job that may be kept and is sent then: firing the task again joins
        it. Refusal and uncertainty come from `await handle`. Cancelling the call leaves the submission, once begun, to
        the session.

        With `max_age`, an equal job that finished whole so long ago at most is joined as well. `once` names the job for
        ever: the same name gives the same job in every process of the store, however it ended, until it is forgotten;
        to try again, `handle.resubmit()` or use another name. TaskError when it is the name of another task's job.
        `tags` are kept with the job; one that is joined takes over those it lacks.
        """
        wish = read_wish(max_age, once, tags, self._core.clock.now())
        return handle_on(self._core, *(await self._core.submit(task, deadline, wish)))

    @discreet
    async def adopt(
        self, vendor_name: str, remote_id: str, task: Task[R], *, deadline: timedelta | None = None
    ) -> JobHandle[R]:
        """Track a job that was started elsewhere, by the vendor's id. Raises TaskError and StoreError."""
        core, tracker = self._core, self._core.tracker
        vendor = core.vendor_of(task)
        if vendor.name != vendor_name:
            raise TaskError(f"{task.kind} is not a task of {vendor_name!r}", field="task")
        check_remote_id(remote_id)
        until = core.deadline_after(deadline)
        return handle_on(core, await tracker.adopt(vendor_name, remote_id.strip(), task, deadline=until), until)

    @discreet
    async def attach(self, job_id: str, *, deadline: timedelta | None = None) -> JobHandle[Any]:
        """Take up a job by its id, in this process or after a restart, with a deadline that starts now.

        A `deadline` that is given, or else awaiting the handle, puts the job's own off. Raises UnknownJobError when the
        store holds no such job of this session's accounts.
        """
        core, tracker = self._core, self._core.tracker
        check_text(job_id, field="job_id")
        # Our ids are ASCII; others come from outside, and a store may be unable to even look for them.
        job = await self._store.get(job_id) if job_id.isascii() else None
        if job is None or job.account not in self._accounts:
            raise UnknownJobError(f"the store holds no job {job_id!r} of this session's accounts")
        until = core.deadline_after(deadline)
        return handle_on(core, job if deadline is None else await tracker.promise(job, until), until)

    def run(
        self,
        tasks: Iterable[Task[R]] | AsyncIterable[Task[R]],
        *,
        concurrency: int = 32,
        deadline: timedelta | None = None,
        max_age: timedelta | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> AsyncIterator[JobHandle[R]]:
        """Fire many tasks, at most `concurrency` open at a time, and yield each handle as its job settles.

        A handle that is yielded is done, or past its deadline: awaiting it returns or raises at once. A task that
        `fire` refuses is one among others: awaiting its handle raises JobNotFiredError, a JobError and a TaskError.
        Tasks are drawn lazily, so an endless iterable is fine; what it raises comes out after the handles of what was
        fired before. Submissions and calls made one by one go before those of a run. AuthenticationError, when a vendor
        does not accept the key itself, and StoreError end the iteration; jobs already fired go on and stay in the
        store. `deadline`, `max_age` and `tags` are those of `fire`.
        """
        if concurrency < 1:
            raise ValueError("concurrency is at least 1")
        # Refused for all of them at once.
        self._core.deadline_after(deadline)
        read_wish(max_age, None, tags, self._core.clock.now())
        fire = partial(self._fire_in_bulk, deadline, max_age, tags)
        return bulk.run(fire, tasks, concurrency, refuse=self._refuse)

    @discreet
    async def receive(self, vendor_name: str, headers: GivenHeaders, body: GivenBody) -> int:
        """Take one webhook delivery, `body` raw as it came, and return the HTTP status to answer, within 2 seconds.

        200 accepted and durable; 401 not proven; 404 no such vendor; 413 over 256 KiB; 415 encoded; 503 the store is
        down, the session closed, or the body shorter than the headers say (the vendor repeats). Raises only TypeError
        for what is no delivery, and SessionClosedError in another thread, on another event loop, in a forked child.
        """
        given = read_delivery(headers, body)
        core = self._core
        if core.binding is not None and not core.is_closed:
            core.binding.check()
        return await self._receiver.receive(core.vendors.get(vendor_name), core.tracker_or_none, given, core.clock)

    @discreet
    def webhooks(self, vendor_name: str) -> WebhookDesk:
        """The webhooks that a vendor keeps for its account: endpoints, attempts to deliver, and whether all is well.

        Raises UnsupportedError for a vendor whose API has nothing for them, TaskError for none of this session.
        """
        core, vendor = self._core, self._core.vendors.get(vendor_name)
        if vendor is None:
            raise TaskError(f"this session has no vendor {vendor_name!r}", field="vendor_name")
        managed = managed_or_refuse(vendor)
        core.check_open()
        return WebhookDesk(managed, core.sends[vendor.name], lambda: self._http, core.clock)

    @property
    def vendors(self) -> Mapping[str, Vendor]:
        """The session's vendors by name."""
        return dict(self._core.vendors)

    @property
    def store(self) -> Store:
        """The store the session's jobs are kept in."""
        return self._store

    def __repr__(self) -> str:
        # One that could not be made has none yet.
        names = self._core.vendors if hasattr(self, "_core") else ()
        return f"<Session {', '.join(names)}>"

    @discreet
    async def _fire_in_bulk(
        self, deadline: timedelta | None, max_age: timedelta | None, tags: Mapping[str, str] | None, task: Task[R]
    ) -> JobHandle[R]:
        wish = read_wish(max_age, None, tags, self._core.clock.now())
        return handle_on(self._core, *(await self._core.submit(task, deadline, wish, urgency=Urgency.BULK)))

    def _refuse(self, task: Task[R], error: TaskError) -> JobHandle[R]:
        return UnfiredHandle(self._core, unfired_job(task, error, self._new_id(), self._core.clock.now()), error)

    async def _check_closable(self, binding: Binding) -> None:
        if binding.is_deserted and not self._core.is_closed:
            # Its loop ended under it, and who waited there with it: what is left is its store and its connections.
            self._core.is_closed = True
            with suppress(RuntimeError):
                await self._http.close()
            await self._store.__aexit__(None, None, None)
        binding.check()

    def _renew(self) -> None:
        self._http = self._make_http()
        self._core.spares = Spares(self._spare_connections, self._http.is_full)
        self._receiver = DeliveryReceiver(self._core.telemetry)
        self._stack = AsyncExitStack()
        self._core.tracker_or_none, self._core.is_closed = None, False

    def _new_id(self) -> str:
        return uuid.UUID(int=self._chance.getrandbits(128), version=4).hex
