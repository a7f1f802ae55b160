"""A process that carries out the plans it is given, and says how that ended: for `test_extraction_kills`."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import timedelta

import msgspec

from belvo_async import Belvo, Plan, Polling, Session, Syntage
from belvo_async._tracker import attempts, lanes, poller
from belvo_async.vendors.belvo import find

SPEED = float(os.environ.get("SPEED", "1"))


async def main(document: str, into: str) -> None:
    plans = msgspec.json.decode(document, type=list[Plan])
    polling = Polling(first=Polling().first / SPEED, longest=Polling().longest / SPEED)
    async with Session(
        Belvo.from_env(), Syntage.from_env(), store=os.environ["BELVO_ASYNC_STORE"], polling=polling
    ) as session:
        await asyncio.gather(*(carry_out(session, plan, into) for plan in plans))
    print("done", flush=True)


async def carry_out(session: Session, plan: Plan, into: str) -> None:
    run = await session.extract(plan, into=into, retry="RETRY" in os.environ)
    async for progress in run:
        print(progress.event, progress.tally.left, progress.tally.open, progress.job and progress.job.state, flush=True)
    print(f"whole {run.outcome.is_whole} {[each.code for each in run.outcome.refused]}", flush=True)


if __name__ == "__main__":
    # Half a minute in earnest, when what a killed process had queued looks left behind; eight, when what it sent does.
    attempts.RETAKEN_AFTER = timedelta(seconds=2)
    for module in (attempts, lanes, poller):
        module.LOST_AFTER = timedelta(seconds=15)
    # A quarter of an hour, in which a webhook may tell that it came after all.
    find.ADOPTION_SPAN = timedelta(seconds=15)
    asyncio.run(main(*sys.argv[1:]))
