"""A worker: takes tasks from a queue, fires them, writes their records; stops gracefully, resumes where it stopped.

    export BELVO_SECRET_ID=... BELVO_SECRET_PASSWORD=... SYNTAGE_API_KEY=... BELVO_ASYNC_STORE=sqlite:jobs.db
    python -m examples.worker records/ < tasks.ndjson

One task a line, by kind:

    {"kind": "belvo.Invoices", "link": "...", "date_from": "2025-01-01", "date_to": "2025-12-31", "type": "INFLOW"}
    {"kind": "syntage.Extraction", "entity": "/entities/...", "extractor": "invoice", "options": {"period": {...}}}

At the end of its input it ends as soon as all records are written. SIGTERM or Ctrl-C stops it at once, and kill -9 does
no harm: jobs go on at the vendor, and the next run awaits them, and loads what ended meanwhile (with `< /dev/null` it
does only that). What was fired is in the store: give it each task once. Replace `feed` by your broker.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec

from belvo_async import BelvoAsyncError, JobError, JobHandle, Session, SessionClosedError, TaskError, belvo, syntage
from examples import records


class End(Enum):
    """What the queue brings after its last task, when all records are to be written yet."""

    OF_INPUT = "end of input"


Wanted: TypeAlias = belvo.Invoices | syntage.Extraction
Queue: TypeAlias = "asyncio.Queue[Wanted | End | None]"

LONGEST_LINE: Final = 2**20


async def work(session: Session, queue: Queue, folder: Path) -> None:
    """Fire what the queue brings until it brings None, which stops at once, or the end of the input."""
    following: set[asyncio.Task[None]] = set()

    def begin(handle: JobHandle[Any]) -> None:
        task = group.create_task(follow(handle, folder))
        following.add(task)
        task.add_done_callback(following.discard)

    # The session closes first: it wakes those who wait, so that the group can end. The jobs live on in the store.
    async with asyncio.TaskGroup() as group, session:
        # In this order: what ends between the two is met in both, and loaded once.
        async for handle in session.open_jobs():
            begin(handle)
        async for handle in session.ended_jobs():
            begin(handle)
        while isinstance(task := await queue.get(), Wanted):
            try:
                begin(await session.fire(task))
            except TaskError as error:
                print(f"refused: {error}", file=sys.stderr)
        if task is End.OF_INPUT:
            await asyncio.gather(*following)


async def follow(handle: JobHandle[Any], folder: Path) -> None:
    """Await one job and write its records; the file appears when it is complete."""
    is_news = not handle.done()
    try:
        try:
            await handle
        except JobError as error:
            if is_news:
                print(error, file=sys.stderr)
        if handle.done():
            await records.load(handle, folder)
    except SessionClosedError:
        return  # the next run goes on with it
    except BelvoAsyncError as error:
        print(error, file=sys.stderr)


async def feed(queue: Queue) -> None:
    """Put every line of standard input on the queue, and then its end."""
    async for line in standard_input():
        try:
            queue.put_nowait(msgspec.json.decode(line, type=Wanted))
        except msgspec.DecodeError as error:
            print(f"refused: {error}", file=sys.stderr)
    queue.put_nowait(End.OF_INPUT)


async def standard_input() -> AsyncIterator[bytes]:
    """Give the lines of a pipe or a terminal as they come, those of a file at once: no event loop waits for a file."""
    if not (sys.stdin and can_be_waited_for(sys.stdin.fileno())):
        for line in sys.stdin.buffer if sys.stdin else ():
            yield line
        return
    reader = asyncio.StreamReader(limit=LONGEST_LINE)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async for line in reader:
        yield line


def can_be_waited_for(descriptor: int) -> bool:
    """Whether it is a pipe, a socket or a terminal; a file is none of these, and neither is /dev/null."""
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(descriptor)


async def main(folder: Path) -> None:
    """Work until the input ends, or a signal comes."""
    queue: Queue = asyncio.Queue()
    working = asyncio.create_task(work(Session.from_env(), queue, folder))
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, working.cancel)
    feeding = asyncio.create_task(feed(queue))
    with suppress(asyncio.CancelledError):
        await working
    feeding.cancel()


def read_arguments() -> argparse.Namespace:
    """Read the command line; what is wrong with it is told with the usage and exit code 2."""
    parser = argparse.ArgumentParser(prog="python -m examples.worker", description="Fire the tasks on standard input.")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where the records go, one file for each job")
    return parser.parse_args()


if __name__ == "__main__":
    given = read_arguments()
    given.folder.mkdir(parents=True, exist_ok=True)
    try:
        asyncio.run(main(given.folder))
    except BelvoAsyncError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
