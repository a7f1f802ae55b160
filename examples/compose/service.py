"""The service of the compose file: an app of procrastinate and its engine, for the workers' own command.

python -m service schema                                        # the tables of the queue, where there are none
procrastinate --app=service.app worker --concurrency=4
python -m service extract syntage invoice 2021-01-01 2025-12-31 /entities/...     # a plan, deferred as a whole
"""

import asyncio
import os
import sys
from datetime import date

import procrastinate
from procrastinate.schema import SchemaManager

from belvo_async import JobHandle, Plan, Session
from belvo_async.engines.procrastinate import Engine

INTO = f"ndjson:{os.environ.get('SAT_FOLDER', 'sat')}"

connector = procrastinate.PsycopgConnector(conninfo=os.environ.get("PROCRASTINATE_DSN", "postgresql://localhost/app"))
app = procrastinate.App(connector=connector)


async def load(job: JobHandle[object]) -> None:
    """Take a job of `engine.fire` that ended: load its records here, by something that is safe twice."""
    print(job.id, job.state, flush=True)


engine = Engine(app, Session.from_env, collect=load)


async def schema() -> None:
    """Make the tables of the queue, unless they are there."""
    async with app.open_async():
        if not await app.check_connection_async():
            await SchemaManager(app.connector).apply_schema_async()


async def extract(vendor: str, resource: str, first: str, last: str, *subjects: str) -> None:
    """Defer a plan as a whole."""
    begins, ends = date.fromisoformat(first), date.fromisoformat(last)
    async with app.open_async():
        await engine.extract(
            Plan(vendor=vendor, resource=resource, subjects=subjects, first=begins, last=ends), into=INTO
        )
        await engine.close()


if __name__ == "__main__":
    asyncio.run(extract(*sys.argv[2:]) if sys.argv[1] == "extract" else schema())
