"""Temporal: a workflow of two activities; a worker that dies is replaced by another at once.

export SYNTAGE_API_KEY=... BELVO_ASYNC_STORE=postgresql://localhost/jobs RECORDS=records TEMPORAL=localhost:7233
python -m examples.recipes.temporal_workflow           # a worker; as many as you like
await client.execute_workflow("extract", args=[encode_task(task).decode(), once], id=once, task_queue="records")
"""

import asyncio
import os
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Worker

with workflow.unsafe.imports_passed_through():
    from belvo_async import JobError, Session, decode_task
    from examples import records


@activity.defn
async def fire(task: str, once: str) -> str:
    """Send the paid request; our id of its job. Repeated, it joins the job of its name."""
    async with Session.from_env(sweep=False) as session:
        return (await session.fire(decode_task(task), once=once)).id


@activity.defn
async def collect(job_id: str) -> str:
    """Wait for the end, saying all the while that somebody does; write the records; how it ended."""
    async with Session.from_env() as session:
        handle = await session.attach(job_id)
        while not handle.done():
            activity.heartbeat()
            with suppress(JobError):
                await handle.wait(timeout=timedelta(seconds=5))
        await records.load(handle, Path(os.environ["RECORDS"]))
        return handle.state


@workflow.defn(name="extract")
class Extract:
    @workflow.run
    async def run(self, task: str, once: str) -> str:
        """Fire a task and collect what comes of it, each again until it is done."""
        job_id = await workflow.execute_activity(fire, args=[task, once], start_to_close_timeout=timedelta(minutes=2))
        span, beat = timedelta(hours=12), timedelta(seconds=20)
        return await workflow.execute_activity(collect, job_id, start_to_close_timeout=span, heartbeat_timeout=beat)


async def main() -> None:
    """Work until the end of the process."""
    client = await Client.connect(os.environ["TEMPORAL"])
    await Worker(client, task_queue="records", workflows=[Extract], activities=[fire, collect]).run()


if __name__ == "__main__":
    asyncio.run(main())
