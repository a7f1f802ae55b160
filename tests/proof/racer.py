"""One of several processes that race for the same jobs: fires what it is told on a line, and says which jobs it got.

    python -m tests.proof.racer

{"subjects": [...], "once": NAME or null, "max_age": SECONDS or null} is answered by {"got": [ID, ...]}, once all have
ended. Vendors and store come from the environment.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from typing import Any

import msgspec

from belvo_async import Polling, Session
from tests.proof.fellow import task_of, tell

POLLING = Polling(first=timedelta(seconds=0.2), factor=1, longest=timedelta(seconds=0.2))


async def fire(session: Session, subject: str, number: int, order: dict[str, Any]) -> str:
    once, seconds = order["once"], order["max_age"]
    handle = await session.fire(
        task_of("syntage", subject),
        once=once and f"{once}-{number}",
        max_age=seconds and timedelta(seconds=seconds),
        tags={"race": "yes"},
    )
    await handle
    return handle.id


async def race() -> None:
    """Race until there are no more lines."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async with Session.from_env(polling=POLLING) as session:
        tell(ready=True)
        async for line in reader:
            order = msgspec.json.decode(line)
            rounds = [(subject, number) for number, subject in enumerate(order["subjects"])]
            tell(got=await asyncio.gather(*(fire(session, subject, number, order) for subject, number in rounds)))


if __name__ == "__main__":
    asyncio.run(race())
