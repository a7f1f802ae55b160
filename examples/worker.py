"""A worker: takes tasks from a queue, fires them, writes their records; stops gracefully, resumes where it stopped.

    export BELVO_SECRET_ID=... BELVO_SECRET_PASSWORD=... SYNTAGE_API_KEY=... BELVO_ASYNC_STORE=sqlite:jobs.db
    python -m examples.worker records/ < tasks.ndjson

One task a line, by kind:

    {"kind": "belvo.Invoices", "link": "...", "date_from": "2025-01-01", "date_to": "2025-12-31", "type": "INFLOW"}
    {"kind": "syntage.Extraction", "entity": "/entities/...", "extractor": "invoice", "options": {"period": {...}}}

SIGTERM or Ctrl-C stops it at once: jobs go on at the vendor, and the next run awaits them. Replace `feed` by your
broker.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path
from typing import Any

import msgspec

from belvo_async import BelvoAsyncError, JobHandle, Session, SessionClosedError, TaskError, belvo, syntage

Wanted = belvo.Invoices | syntage.Extraction
Queue = asyncio.Queue[Wanted | None]


async def work(session: Session, queue: Queue, folder: Path) -> None:
    """Fire what the queue brings until it brings None."""
    # The session closes first: it wakes those who wait, so that the group can end. The jobs live on in the store.
    async with asyncio.TaskGroup() as following, session:
        async for handle in session.open_jobs():
            following.create_task(follow(handle, folder))
        while (task := await queue.get()) is not None:
            try:
                following.create_task(follow(await session.fire(task), folder))
            except TaskError as error:
                print(f"refused: {error}", file=sys.stderr)


async def follow(handle: JobHandle[Any], folder: Path) -> None:
    """Await one job and write its records; the file appears when it is complete."""
    path = folder / f"{handle.id}.ndjson"
    try:
        await handle
        with path.with_suffix(".part").open("wb") as file:
            async for batch in handle.results().batches():
                file.writelines(msgspec.json.encode(record) + b"\n" for record in batch)
        path.with_suffix(".part").rename(path)
    except SessionClosedError:
        return  # the next run goes on with it
    except BelvoAsyncError as error:
        print(error, file=sys.stderr)


async def feed(queue: Queue) -> None:
    """Put every line of standard input on the queue."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async for line in reader:
        try:
            queue.put_nowait(msgspec.json.decode(line, type=Wanted))
        except msgspec.DecodeError as error:
            print(f"refused: {error}", file=sys.stderr)


async def main(folder: Path) -> None:
    """Work until a signal comes."""
    queue: Queue = asyncio.Queue()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, queue.put_nowait, None)
    feeding = asyncio.create_task(feed(queue))
    await work(Session.from_env(), queue, folder)
    feeding.cancel()


def read_arguments() -> argparse.Namespace:
    """Read the command line; what is wrong with it is told with the usage and exit code 2."""
    parser = argparse.ArgumentParser(prog="python -m examples.worker", description="Fire the tasks on standard input.")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where the records go, one file for each job")
    return parser.parse_args()


if __name__ == "__main__":
    given = read_arguments()
    given.folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(main(given.folder))
