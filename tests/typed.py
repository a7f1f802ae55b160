"""What type checkers see of a task behind a handle: mypy and pyright read this file as strictly as the package.

It is run by nobody; a wrong type in it fails the check of types.
"""

from __future__ import annotations

from typing import Any, assert_type

import pyarrow

from belvo_async import Job, JobError, JobHandle, Session, Task, WebhookDesk, belvo, syntage
from belvo_async.abc import DeliveryAttempt, HookEndpoint, Secret


async def what_fire_knows(session: Session, task: belvo.Invoices) -> None:
    """The records of a task are those of its handle."""
    handle = await session.fire(task)
    assert_type(handle, JobHandle[belvo.Invoice])
    assert_type(handle.task, Task[belvo.Invoice])
    assert_type(handle.task.subject, str)
    async for settled in session.run([task]):
        assert_type(settled, JobHandle[belvo.Invoice])
    async for invoice in handle.results():
        assert_type(invoice, belvo.Invoice)
    async for batch in handle.results().arrow_batches():
        assert_type(batch, pyarrow.RecordBatch)
    assert_type(await handle.results().arrow(), pyarrow.Table)
    async for row in handle.results(type=dict[str, object]):
        assert_type(row, dict[str, object])


async def what_a_store_knows(session: Session, job_id: str) -> None:
    """A task of any kind tells its subject and resource; `isinstance` tells its kind, and with it the rest."""
    task = (await session.attach(job_id)).task
    assert_type(task.subject, str)
    assert_type(task.resource, str)
    if isinstance(task, belvo.Invoices):
        assert_type(task.link, str)
    elif isinstance(task, syntage.Extraction):
        assert_type(task.entity, str)


async def what_an_error_knows(handle: JobHandle[Any]) -> str:
    """The task of a job that failed."""
    try:
        assert_type(await handle, Job)
    except JobError as error:
        return error.job.task.subject
    return handle.task.subject


async def what_a_desk_knows(session: Session) -> None:
    """Endpoints and attempts are values of ours, whatever the vendor; a secret is one."""
    desk = session.webhooks("syntage")
    assert_type(desk, WebhookDesk)
    endpoint = await desk.create("https://example.com/hooks")
    assert_type(endpoint, HookEndpoint)
    assert_type(endpoint.secret, Secret | None)
    assert_type(await desk.attempts(), tuple[DeliveryAttempt, ...])
    record = await session.call(syntage.GetWebhookEndpoint(endpoint.id))
    assert_type(record.signing_secret, Secret | None)


async def what_a_workspace_knows(session: Session) -> None:
    """What is set up comes back as its record, and what is deleted as nothing; the rules of a scheduler are a tuple."""
    scheduler = await session.call(syntage.CreateScheduler(name="Nightly"))
    assert_type(scheduler, syntage.Scheduler)
    assert_type(scheduler.rules, tuple[syntage.SchedulerRule, ...] | None)
    assert_type(await session.call(syntage.TagEntities(resources=("1",), tags=("2",))), syntage.TagBatch)
    assert_type(await session.call(syntage.CreateTag(name="odd")), syntage.Tag)
    await session.call(syntage.DeleteEntity("1"))
    async for authorization in session.list(syntage.BuroAuthorizations()):
        assert_type(authorization, syntage.BuroAuthorization)
        assert_type(authorization.link, syntage.Entity | None)
