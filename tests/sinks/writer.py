"""A process that writes a part: told on its standard input when to go on, it tells on its standard output what it did.

python -m tests.sinks.writer KIND DIRECTORY JOB ROWS [--file-bytes N] [--as-nobody]
"""

from __future__ import annotations

import argparse
import asyncio
import concurrent.futures.thread  # loaded while it may still be read
import os
import resource
import sys

import msgspec

from belvo_async.errors import BelvoAsyncError
from belvo_async.sinks import CsvSink, ExcelSink, NdjsonSink, ParquetSink
from belvo_async.sinks.folder import FolderSink
from belvo_async.sinks.formats.arrow import load_arrow
from tests.sinks.kit import NOW, Bill, key

KINDS: dict[str, type[FolderSink]] = {each.kind: each for each in (CsvSink, ExcelSink, NdjsonSink, ParquetSink)}


def bills(job: str, count: int) -> list[Bill]:
    """Rows of their own for each job, and so long that files grow."""
    return [Bill(id=f"{job}-{number}", note=os.urandom(400).hex()) for number in range(count)]


async def work(options: argparse.Namespace) -> None:
    sink = KINDS[options.kind](options.directory)
    try:
        await sink.begin()
        async with sink.part(key("job")) as part:
            await part.write(bills(options.job, options.rows))
            print("written", flush=True)
            await asyncio.to_thread(sys.stdin.readline)
            receipt = await part.commit(now=NOW)
        print(msgspec.json.encode(receipt).decode(), flush=True)
    except BelvoAsyncError as error:
        print(f"{type(error).__name__}: {error}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind")
    parser.add_argument("directory")
    parser.add_argument("job")
    parser.add_argument("rows", type=int)
    parser.add_argument("--file-bytes", type=int)
    parser.add_argument("--as-nobody", action="store_true")
    options = parser.parse_args()
    load_arrow()
    if options.file_bytes:
        resource.setrlimit(resource.RLIMIT_FSIZE, (options.file_bytes, options.file_bytes))
    if options.as_nobody and concurrent.futures.thread:
        os.setuid(65534)
    asyncio.run(work(options))


if __name__ == "__main__":
    main()
