"""`belvo-async jobs resume` and `jobs stop`: one job at its vendor, with the keys of its account."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from ..._session import JobHandle, Session
from ...abc import Clock, Vendor
from ...accounts import accounts_of
from ...errors import ConfigurationError, JobError, JobTimeoutError, SubmissionUncertainError, UnsupportedError
from ...jobs import Job, Status, told
from ..codes import Code
from ..config import AccountEntry, Config, config_at
from ..existing import existing_store
from ..plans.accounts import Environ, vendor_of
from .find import find_job


async def resume(options: argparse.Namespace, environ: Environ, clock: Clock) -> int:
    """Follow a job to its end, and print what is said of it; the exit code says how it ended."""
    async with _taken_up(options, environ, clock) as handle:
        print(f"job {handle.id}: {handle.state}")
        try:
            async with _told_meanwhile(handle):
                await handle
        except (JobTimeoutError, SubmissionUncertainError) as error:
            print(error)
            return Code.PARTIAL
        except JobError as error:
            print(error)
            return Code.DECIDE
        print(f"job {handle.id}: {handle.state}{' (partial)' if handle.job.partial else ''}")
        return Code.WHOLE if handle.job.is_whole else Code.PARTIAL


async def stop(options: argparse.Namespace, environ: Environ, clock: Clock) -> int:
    """Ask a job's vendor to end it."""
    async with _taken_up(options, environ, clock) as handle:
        if not handle.job.is_open:
            print(f"job {handle.id} is over: {handle.state}")
            return Code.WHOLE
        try:
            job = await handle.stop()
        except UnsupportedError as error:
            raise UnsupportedError(
                f"{error}; `belvo-async jobs abandon {handle.id[:8]}` gives it up here, and changes nothing there"
            ) from None
        # What the vendor says of it later comes by its webhook, or to whoever follows it.
        print(f"job {job.id}: {job.state}")
        return Code.WHOLE


@asynccontextmanager
async def _told_meanwhile(handle: JobHandle[Any]) -> AsyncGenerator[None]:
    telling = asyncio.create_task(_tell(handle))
    try:
        yield
    finally:
        # Of one that is over, the last word is still to be told; then it ends by itself.
        if not handle.done():
            telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)


async def _tell(handle: JobHandle[Any]) -> None:
    async for seen in handle.updates():
        said = told(seen)
        print(f"{seen.at:%Y-%m-%d %H:%M:%SZ} {seen.way} {seen.status or ''} {said}".rstrip(), flush=True)


@asynccontextmanager
async def _taken_up(options: argparse.Namespace, environ: Environ, clock: Clock) -> AsyncGenerator[JobHandle[Any]]:
    config = config_at(options.config)
    url = options.store or config.store
    async with existing_store(url, config) as store:
        job = await find_job(store, options.id)
    async with Session(vendor_of_job(config, job, environ), store=url or "", clock=clock) as session:
        yield await _handle(session, job, options)


async def _handle(session: Session, job: Job, options: argparse.Namespace) -> JobHandle[Any]:
    if job.abandoned and job.remote_id is not None and job.status is not Status.REJECTED:
        # Given up here, and maybe still under way there: followed again.
        return await session.adopt(job.vendor, job.remote_id, job.task, deadline=options.wait)
    return await session.attach(job.id, deadline=options.wait)


def vendor_of_job(config: Config, job: Job, environ: Environ) -> Vendor:
    """The vendor with the account that a job is of: the usual variables', or one of the file's."""
    named = [each for each in config.accounts.values() if each.vendor == job.vendor]
    vendors = [vendor_of(each, environ) for each in named or [AccountEntry(vendor=job.vendor)]]
    for vendor in vendors:
        if job.account in accounts_of(vendor):
            return vendor
    raise ConfigurationError(
        f"job {job.id[:8]} is of the account {job.account}, and these keys are of another one; "
        "`belvo-async jobs move` gives jobs to another account"
    )
