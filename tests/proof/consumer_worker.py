"""A process that consumes the feed of ended jobs and notes what it did: for `test_consumer_kills`."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import timedelta

from belvo_async import Session, Syntage
from belvo_async._session.known import settled

CONSUMER = "etl"


async def main(store: str, path: str) -> None:
    log = os.open(path, os.O_WRONLY | os.O_APPEND)
    async with Session(Syntage("key", account="acme"), store=store, sweep=False) as session:
        async for each in session.settled(CONSUMER):
            os.write(log, f"told {each.id}\n".encode())
            await each.ack()
            os.write(log, f"acknowledged {each.id}\n".encode())


if __name__ == "__main__":
    # Half a minute in earnest, before another may have what a killed process held.
    settled.HOLD = timedelta(seconds=1.5)
    settled.RENEW = settled.HOLD / 3
    asyncio.run(main(*sys.argv[1:]))
