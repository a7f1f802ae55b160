"""Celery by the feed: paid requests and waiting stay with the session, a task of Celery takes each job that ended.

    pip install 'belvo-async[postgres]' 'celery[redis]'
    export SYNTAGE_API_KEY=... SYNTAGE_WEBHOOK_SECRET=... RECORDS=records
    export BELVO_ASYNC_STORE=postgresql://localhost/jobs CELERY_BROKER=redis://localhost:6379/0
    celery --app examples.recipes.celery_by_the_feed worker
    python -m examples.recipes.celery_by_the_feed          # one process; where it dies, the next goes on

Celery's tasks are no coroutines, and on RabbitMQ none may take longer than 30 minutes: so none waits for a job. A task
that is sent twice finds the file that the first one wrote.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from celery import Celery

from belvo_async import Session
from examples import records

app = Celery("records", broker=os.environ.get("CELERY_BROKER", "redis://localhost:6379/0"))
# A worker that is killed gives back what it had taken.
app.conf.update(task_acks_late=True, task_reject_on_worker_lost=True, worker_prefetch_multiplier=1)


@app.task(name="collect", autoretry_for=(Exception,), retry_backoff=True, max_retries=None)
def collect(job_id: str) -> None:
    """Write the records of a job that ended."""
    asyncio.run(load(job_id, Path(os.environ["RECORDS"])))


async def load(job_id: str, folder: Path) -> None:
    """Load a job, by a session that only reads."""
    async with Session.from_env(sweep=False) as session:
        await records.load(await session.attach(job_id), folder)


async def feed() -> None:
    """Have each job that ended collected; it is acknowledged once the broker has the message."""
    async with Session.from_env() as session:
        async for settled in session.settled("celery"):
            await asyncio.to_thread(collect.delay, settled.id)
            await settled.ack()


if __name__ == "__main__":
    asyncio.run(feed())
