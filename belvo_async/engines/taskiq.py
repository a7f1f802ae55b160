"""Jobs and plans on taskiq: a queue in RabbitMQ (taskiq-aio-pika) or Redis (taskiq-redis).

    broker = AioPikaBroker("amqp://guest:guest@localhost:5672")
    engine = Engine(broker, Session.from_env, collect=load)
    scheduler = TaskiqScheduler(broker, [LabelScheduleSource(broker)])

    taskiq worker service:broker
    taskiq scheduler service:scheduler

https://taskiq-python.github.io
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Unpack

from taskiq import AsyncBroker, TaskiqEvents, TaskiqState

from .errands import Letter, LetterKind
from .work import Collect, OpenSession, PlansOf, PlanTerms, Work

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

EACH_MINUTE: Final = "* * * * *"


class Engine(Work):
    """Has the workers of a taskiq broker fire tasks, collect jobs and carry plans out.

    Its tasks are `NAME:fire`, `NAME:collect`, `NAME:extract` and `NAME:look`. `open_session` makes the session of a
    process, such as `Session.from_env`: all on one store that processes share; workers open it when they start.
    `collect` takes each ended job of `fire`, in any worker, at least once: do what is safe twice. `look`, a cron line
    or a span, says when what is due is sent again; it takes the process `taskiq scheduler` with a LabelScheduleSource.
    `labels` are put on every message, such as the `queue_name` where a broker has several.
    taskiq knows neither locks nor names that are queued once: what is sent twice finds itself done.
    """

    def __init__(
        self,
        broker: AsyncBroker,
        open_session: OpenSession,
        *,
        collect: Collect | None = None,
        name: str = "belvo_async",
        look: str | timedelta = EACH_MINUTE,
        **labels: str | int,
    ) -> None:
        super().__init__(open_session, collect=collect, name=name)
        self._broker = broker
        self._labels = labels

        async def fire(argument: str) -> None:
            await self._fire_order(argument)

        async def collect_job(argument: str) -> None:
            await self._collect_job(argument)

        async def extract(argument: str) -> None:
            await self._take_turn(argument)

        async def look_again() -> None:
            await self._look()

        steps: dict[LetterKind, Callable[[str], Awaitable[None]]]
        steps = {LetterKind.FIRE: fire, LetterKind.COLLECT: collect_job, LetterKind.EXTRACT: extract}
        self._tasks = {
            step: broker.register_task(do, task_name=f"{name}:{step}", **labels) for step, do in steps.items()
        }
        # The scheduler counts in whole seconds.
        schedule = {"interval": int(look.total_seconds())} if isinstance(look, timedelta) else {"cron": look}
        broker.register_task(look_again, task_name=f"{name}:look", schedule=[schedule], **labels)
        broker.add_event_handler(TaskiqEvents.WORKER_STARTUP, self._start)
        broker.add_event_handler(TaskiqEvents.WORKER_SHUTDOWN, self._stop)

    def sync(self, cron: str, plans: PlansOf, *, into: str, task: str = "sync", **terms: Unpack[PlanTerms]) -> None:
        """Have the plans of a day carried out whenever a cron line says so, by taskiq's own scheduler (UTC).

        `plans` is given the day in Mexico City. Days that are still alive are asked again, as `belvo-async sync` does,
        unless `freshness` says otherwise. `task` names it, where there are several.
        """

        async def sync() -> None:
            # taskiq does not say for when it was scheduled: by the minute, it is the same for who repeats it.
            await self._sync(plans, into, datetime.now(UTC).replace(second=0, microsecond=0), terms)

        self._broker.register_task(sync, task_name=f"{self.name}:{task}", schedule=[{"cron": cron}], **self._labels)

    async def _send(self, message: Letter) -> None:
        task = self._tasks[message.kind]
        if message.at is not None and message.at > self._clock.now():
            return  # it is due then, and sent by `look`
        labels = {"priority": message.priority} if message.priority else {}
        await task.kicker().with_labels(**labels).kiq(message.argument)

    async def _start(self, _: TaskiqState) -> None:
        await self._at_work()

    async def _stop(self, _: TaskiqState) -> None:
        await self.close()
