"""Fetch the invoices of every link for whole years, both directions, into one NDJSON file.

    export BELVO_SECRET_ID=... BELVO_SECRET_PASSWORD=...
    python -m examples.bulk_extract invoices.ndjson 2023 2024 2025

Works without webhooks. Hundreds of jobs are fired, at most 32 at a time; a file of any size needs the memory of a page.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec

from belvo_async import BelvoAsyncError, JobError, Session, belvo


async def wanted(session: Session, years: Sequence[int]) -> AsyncIterator[belvo.Invoices]:
    """Every valid link, half year and direction. (A leap year is longer than the 365 days of one request.)"""
    today = datetime.now(UTC).date()
    async for link in session.list(belvo.Links(status="valid")):
        for year in years:
            for begin, end in ((date(year, 1, 1), date(year, 6, 30)), (date(year, 7, 1), date(year, 12, 31))):
                for direction in ("INFLOW", "OUTFLOW"):
                    if link.id and begin <= today:
                        yield belvo.Invoices(link=link.id, date_from=begin, date_to=min(end, today), type=direction)


async def extract(session: Session, path: Path, years: Sequence[int]) -> int:
    """Write all records as they come; returns how many jobs gave nothing."""
    failed = count = 0
    with path.open("wb") as file:
        async for handle in session.run(wanted(session, years)):
            task = handle.task
            try:
                job = await handle
            except JobError as error:
                failed += 1
                print(f"{task.subject}: {error}", file=sys.stderr)
                continue
            async for batch in handle.results().batches():
                file.writelines(msgspec.json.encode(record) + b"\n" for record in batch)
                count += len(batch)
            print(
                f"{task.subject}: {job.status} by {job.settled_by}{', partial' if job.partial else ''}; {count} records"
            )
    return failed


async def main(path: Path, years: Sequence[int]) -> int:
    """Run with a session that the environment configures."""
    async with Session.from_env() as session:
        return await extract(session, path, years)


def read_arguments() -> argparse.Namespace:
    """Read the command line; what is wrong with it is told with the usage and exit code 2."""
    parser = argparse.ArgumentParser(prog="python -m examples.bulk_extract", description="Fetch the invoices of years.")
    parser.add_argument("file", type=Path, metavar="FILE", help="NDJSON file for the records")
    parser.add_argument("years", type=int, nargs="+", metavar="YEAR", help="a year, such as 2025")
    return parser.parse_args()


if __name__ == "__main__":
    given = read_arguments()
    try:
        sys.exit(1 if asyncio.run(main(given.file, given.years)) else 0)
    except BelvoAsyncError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
