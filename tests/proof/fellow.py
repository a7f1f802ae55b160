"""One of several processes on a store: does what it reads, a JSON object a line, and tells what happens the same way.

    python -m tests.proof.fellow [--sweep] [--lease SECONDS]

{"fire": "belvo" | "syntage", "subject": ...} is answered by {"fired": ID}, and {"await": ID} by the job's outcome when
it ends. Each poll of a vendor is told when it begins, {"polls": [ID...], "at": ...}, and when it is over. Instants are
those of the machine's monotonic clock, which all processes share. Vendors and store come from the environment.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from belvo_async import Belvo, Polling, Session, Syntage, belvo, syntage
from belvo_async._tracker import poller
from belvo_async.abc import Conversation
from belvo_async.jobs import Job, Observation

POLLING = Polling(first=timedelta(seconds=0.2), factor=1, longest=timedelta(seconds=0.2))
PERIOD = date(2025, 1, 1), date(2025, 3, 31)


def tell(**facts: Any) -> None:
    sys.stdout.write(msgspec.json.encode(facts).decode() + "\n")
    sys.stdout.flush()


class _Polling:
    """Tells of each poll a vendor is asked for."""

    def poll(self, jobs: Sequence[Job], now: datetime) -> Conversation[tuple[Observation, ...]]:
        ids = [job.id for job in jobs]
        tell(polls=ids, at=time.monotonic())
        try:
            seen = yield from super().poll(jobs, now)  # type: ignore[misc]
        finally:
            tell(polled=ids, at=time.monotonic())
        return seen


class PollingBelvo(_Polling, Belvo):
    pass


class PollingSyntage(_Polling, Syntage):
    pass


def task_of(vendor: str, subject: str) -> belvo.Invoices | syntage.Extraction:
    first, last = PERIOD
    if vendor == "belvo":
        return belvo.Invoices(link=subject, date_from=first, date_to=last, type="INFLOW")
    options = syntage.InvoiceOptions(period=syntage.Period(from_=first, to=last))
    return syntage.Extraction(entity=subject, extractor="invoice", options=options)


async def obey(session: Session, order: dict[str, str]) -> None:
    """Carry out one line."""
    if "fire" in order:
        handle = await session.fire(task_of(order["fire"], order["subject"]))
        tell(fired=handle.id)
        return
    job = await (await session.attach(order["await"]))
    tell(ended=job.id, outcome=[job.status, job.settled_by, job.created_count, job.version], at=time.monotonic())


async def live(*, sweep: bool) -> None:
    """Obey until there are no more lines."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    vendors = PollingBelvo.from_env(), PollingSyntage.from_env()
    async with (
        Session(*vendors, store=Session.from_env().store, polling=POLLING, sweep=sweep) as session,
        asyncio.TaskGroup() as orders,
    ):
        tell(ready=True)
        async for line in reader:
            orders.create_task(obey(session, msgspec.json.decode(line)))


def main() -> None:
    parser = argparse.ArgumentParser(description="One of several processes on a store.")
    parser.add_argument("--sweep", action="store_true", help="poll open jobs")
    parser.add_argument("--lease", type=float, help="how long a claimed job is this process's alone")
    options = parser.parse_args()
    if options.lease is not None:
        poller.LEASE = timedelta(seconds=options.lease)
    asyncio.run(live(sweep=options.sweep))


if __name__ == "__main__":
    main()
