"""Jobs and plans on procrastinate: a queue in PostgreSQL, with locks, queueing locks, priorities and schedules.

    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo="postgresql://localhost/app"))
    engine = Engine(app, Session.from_env, collect=load)

    procrastinate --app=service.app worker --concurrency=4

https://procrastinate.readthedocs.io
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Final, Unpack

from procrastinate import App, Blueprint, RetryStrategy
from procrastinate.exceptions import AlreadyEnqueued, UniqueViolation
from procrastinate.jobs import Status

from ..errors import StoreError
from .errands import Letter, LetterKind
from .work import Collect, OpenSession, PlansOf, PlanTerms, Work

EACH_MINUTE: Final = "* * * * *"
# Ten seconds lie between two heartbeats of a worker.
DEAD_AFTER_SECONDS: Final = 30.0


class Engine(Work):
    """Has the workers of a procrastinate app fire tasks, collect jobs and carry plans out.

    `app` is open wherever the engine is used; its workers' tasks are `NAME:fire`, `NAME:collect`, `NAME:extract` and
    `NAME:look`, on the queue `queue`. `open_session` makes the session of a process, such as `Session.from_env`: all on
    one store that processes share. `collect` takes each ended job of `fire`, in any worker, at least once: do what is
    safe twice. `look`, a cron line (with seconds in the sixth place), says when what is due is sent again, and when
    what a dead worker had taken is given to another.
    """

    def __init__(
        self,
        app: App,
        open_session: OpenSession,
        *,
        collect: Collect | None = None,
        name: str = "belvo_async",
        queue: str = "belvo_async",
        look: str = EACH_MINUTE,
    ) -> None:
        super().__init__(open_session, collect=collect, name=name)
        self._app = app
        self._queue = queue
        self._look_at = look
        # Only of tasks without a queueing lock: one that is retried beside its waiting twin stays `doing` for ever.
        retry = RetryStrategy(max_attempts=5, exponential_wait=4, retry_exceptions=[StoreError])
        steps = Blueprint()

        @steps.task(name=LetterKind.FIRE, queue=queue, retry=retry)
        async def fire(argument: str) -> None:
            await self._fire_order(argument)

        @steps.task(name=LetterKind.COLLECT, queue=queue)
        async def collect_job(argument: str) -> None:
            await self._collect_job(argument)

        @steps.task(name=LetterKind.EXTRACT, queue=queue)
        async def extract(argument: str) -> None:
            await self._take_turn(argument)

        @steps.periodic(cron=look)
        @steps.task(name="look", queue=queue, queueing_lock=f"{name}/look")
        async def look_again(timestamp: int) -> None:
            await self._rescue()
            await self._look()

        self._tasks = {LetterKind.FIRE: fire, LetterKind.COLLECT: collect_job, LetterKind.EXTRACT: extract}
        app.add_tasks_from(steps, namespace=name)

    def sync(self, cron: str, plans: PlansOf, *, into: str, task: str = "sync", **terms: Unpack[PlanTerms]) -> None:
        """Have the plans of a day carried out whenever a cron line says so, by procrastinate's own schedule (UTC).

        `plans` is given the day in Mexico City. Days that are still alive are asked again, as `belvo-async sync` does,
        unless `freshness` says otherwise. `task` names it, where there are several.
        """
        steps = Blueprint()

        @steps.periodic(cron=cron)
        @steps.task(name=task, queue=self._queue, queueing_lock=f"{self.name}/{task}")
        async def sync(timestamp: int) -> None:
            await self._sync(plans, into, datetime.fromtimestamp(timestamp, UTC), terms)

        self._app.add_tasks_from(steps, namespace=self.name)

    async def _send(self, message: Letter) -> None:
        is_unique = message.kind is not LetterKind.FIRE
        deferred = self._tasks[message.kind].configure(
            lock=message.lane,
            queueing_lock=message.key if is_unique else None,
            priority=message.priority,
            schedule_at=message.at,
        )
        with suppress(AlreadyEnqueued):  # the one that waits does for both
            await deferred.defer_async(argument=message.argument)

    async def _rescue(self) -> None:
        """Give what dead workers had taken to others: until then its locks are held.

        https://procrastinate.readthedocs.io/en/stable/howto/production/retry_stalled_jobs.html
        """
        jobs = self._app.job_manager
        for job in await jobs.get_stalled_jobs(queue=self._queue, seconds_since_heartbeat=DEAD_AFTER_SECONDS):
            try:
                await jobs.retry_job(job)
            except (AlreadyEnqueued, UniqueViolation):  # its twin waits already
                await jobs.finish_job(job, status=Status.ABORTED, delete_job=False)
