"""Airflow: a deferrable operator. It fires and leaves its slot; one triggerer waits for thousands of jobs.

    ExtractOperator(task_id="acme", task=encode_task(task).decode(), once="acme/{{ ds }}")

Workers and triggerer have the environment of `Session.from_env`. The result is our id of the job, for the next task.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Any

from airflow.sdk import BaseOperator
from airflow.triggers.base import BaseTrigger, TriggerEvent

from belvo_async import JobError, Session, decode_task


class JobTrigger(BaseTrigger):
    """Waits for the end of a job, in whichever triggerer."""

    def __init__(self, job_id: str) -> None:
        super().__init__()
        self.job_id = job_id

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """What another triggerer makes it of again."""
        return f"{__name__}.JobTrigger", {"job_id": self.job_id}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Tell how the job ended."""
        async with Session.from_env() as session:
            handle = await session.attach(self.job_id)
            with suppress(JobError):
                await handle
            yield TriggerEvent({"job": self.job_id, "state": handle.state})


class ExtractOperator(BaseOperator):
    """Fires a task, once for its name, and defers until its job has ended."""

    template_fields: Sequence[str] = ("task", "once")

    def __init__(self, *, task: str, once: str, **options: Any) -> None:
        super().__init__(**options)
        self.task, self.once = task, once

    def execute(self, context: Any) -> None:
        """Send the paid request, and leave."""
        self.defer(trigger=JobTrigger(asyncio.run(self._fire())), method_name="ended")

    def ended(self, context: Any, event: dict[str, Any]) -> str:
        """Our id of the job that ended well."""
        if event["state"] != "finished":
            raise RuntimeError(f"job {event['job']} is {event['state']}")
        return str(event["job"])

    async def _fire(self) -> str:
        async with Session.from_env(sweep=False) as session:
            return (await session.fire(decode_task(self.task), once=self.once)).id
