"""A process that fires many extractions at once, for `test_queue_kills`.

It fires every entity it is told of on standard input and then waits to be killed, sending what the store has queued.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta

from belvo_async import Session, Syntage, syntage
from belvo_async._tracker import attempts


async def work(url: str, key: str, store: str) -> None:
    async with Session(Syntage(key, base_url=url), store=store) as session:
        entities = sys.stdin.read().split()
        print("begins", flush=True)
        await asyncio.gather(
            *(session.fire(syntage.Extraction(entity=entity, extractor="tax_status")) for entity in entities)
        )
        await asyncio.Event().wait()


if __name__ == "__main__":
    # Half a minute in earnest: what a killed process had queued looks left behind then.
    attempts.RETAKEN_AFTER = timedelta(seconds=2)
    asyncio.run(work(*sys.argv[1:]))
