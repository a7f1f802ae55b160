"""Fetch the invoices of every link for whole years, both directions, into one NDJSON file.

    export BELVO_SECRET_ID=... BELVO_SECRET_PASSWORD=...
    python -m examples.bulk_extract invoices.ndjson 2023 2024 2025

Works without webhooks. Hundreds of jobs are fired, at most 32 at a time; a file of any size needs the memory of a page.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import date
from pathlib import Path

import msgspec

from belvo_async import JobError, Session, belvo


async def wanted(session: Session, years: Sequence[int]) -> AsyncIterator[belvo.Invoices]:
    """Every valid link, half year and direction. (A leap year is longer than the 365 days of one request.)"""
    today = session.clock.now().date()
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
            task = handle.job.task
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


async def main(path: str, *years: str) -> int:
    """Run with the command line's words."""
    async with Session.from_env() as session:
        return await extract(session, Path(path), [int(year) for year in years])


if __name__ == "__main__":
    sys.exit(1 if asyncio.run(main(*sys.argv[1:])) else 0)
