"""DBOS: a workflow of two steps, each of which is done once; the engine is a library beside your own PostgreSQL.

    pip install 'belvo-async[postgres]' dbos
    export SYNTAGE_API_KEY=... SYNTAGE_WEBHOOK_SECRET=... RECORDS=records
    export BELVO_ASYNC_STORE=postgresql://localhost/jobs DBOS_DATABASE=postgresql://localhost/dbos
    python -m examples.recipes.dbos_workflow "$(cat task.json)" acme/2025        # what `encode_task` wrote

Started again, by hand or after a kill, the workflow goes on where it was. One of an executor that does not come back
stays PENDING: give its executor id to the process that is to go on.
"""

import asyncio
import os
import sys
from pathlib import Path

from dbos import DBOS, DBOSConfig, SetWorkflowID

from belvo_async import JobError, Session, decode_task
from examples import records


@DBOS.step(retries_allowed=True, max_attempts=10)
async def fire(task: str, once: str) -> str:
    """Send the paid request; our id of its job. Repeated, it joins the job of its name."""
    async with Session.from_env(sweep=False) as session:
        return (await session.fire(decode_task(task), once=once)).id


@DBOS.step(retries_allowed=True, max_attempts=10)
async def collect(job_id: str) -> str:
    """Wait for the end, however long; write the records; how it ended."""
    async with Session.from_env() as session:
        handle = await session.attach(job_id)
        try:
            await handle
        except JobError as error:
            return str(error)
        await records.load(handle, Path(os.environ["RECORDS"]))
        return handle.state


@DBOS.workflow()
async def extract(task: str, once: str) -> str:
    """Fire a task and collect what comes of it."""
    return await collect(await fire(task, once))


async def main(task: str, once: str) -> None:
    """Run one workflow, or join the one of its name."""
    DBOS(config=DBOSConfig(name="records", system_database_url=os.environ["DBOS_DATABASE"]))
    DBOS.launch()
    with SetWorkflowID(once):
        workflow = await DBOS.start_workflow_async(extract, task, once)
    print(await workflow.get_result())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
