"""Results as files: whole or absent, loaded by whoever comes first, also when their jobs ended while nobody was there.

The files are the only memory: `<job>.ndjson` holds the records of a finished job, `<job>.failed` says why another gave
none. Kill a process at any moment: what it left is loaded by the next one, or by one beside it. A file that is moved
away is loaded again; `session.forget(id)` or `belvo-async jobs prune` ends that.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from belvo_async import BelvoAsyncError, JobError, JobHandle, Session, SessionClosedError, Status

log = logging.getLogger("records")

# A process that was killed is found out this late, by the others.
EVERY = timedelta(seconds=5)


@asynccontextmanager
async def loading(session: Session, folder: Path | None) -> AsyncGenerator[None, None]:
    """Load, while the block lasts, whatever has ended and was loaded by nobody; nothing without a folder."""
    if folder is None:
        yield
        return
    keeping = asyncio.create_task(keep_loading(session, folder))
    try:
        yield
    finally:
        keeping.cancel()
        with suppress(asyncio.CancelledError):
            await keeping


async def keep_loading(session: Session, folder: Path) -> None:
    """Look again and again: another process may have been killed, or have left before it had loaded everything."""
    while True:
        try:
            await load_ended(session, folder)
        except SessionClosedError:
            return
        except BelvoAsyncError as error:
            log.warning("%s", error)
        await asyncio.sleep(EVERY.total_seconds())


async def load_ended(session: Session, folder: Path) -> None:
    """Load every job that is over and has no file."""
    async for handle in session.ended_jobs():
        try:
            await load(handle, folder)
        except SessionClosedError:
            raise
        except BelvoAsyncError as error:
            log.warning("%s", error)  # it is loaded the next time


async def load(handle: JobHandle[Any], folder: Path) -> None:
    """Write the file of a job that is over, unless it is there or another process is about it."""
    ending = "ndjson" if handle.job.status is Status.FINISHED else "failed"
    with claim(folder / f"{handle.id}.{ending}") as file:
        if file is not None:
            async for line in lines(handle):
                file.write(line)


@contextmanager
def claim(path: Path) -> Generator[BinaryIO | None, None, None]:
    """Give a file that becomes `path` when all went well; None when that is there, or another process is about it.

    The claim is a lock of the system: it goes with the process, however that ends.
    """
    if path.exists():
        yield None
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".part").open("ab") as part:
        try:
            fcntl.flock(part, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        # Whoever had the lock before may have finished: what is open here is then the whole file.
        if path.exists():
            yield None
            return
        part.truncate(0)
        yield part
        part.flush()
        os.fsync(part.fileno())
        Path(part.name).rename(path)


async def lines(handle: JobHandle[Any]) -> AsyncIterator[bytes]:
    """One record a line, as they are decoded; of a job that gave none, why."""
    try:
        await handle
    except JobError as error:
        yield f"{error}\n".encode()
        return
    async for batch in handle.results().batches():
        for record in batch:
            yield msgspec.json.encode(record) + b"\n"
