"""A process that mirrors the plans it is given, and their lists, and says how that goes: for `test_mirror_kills`."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec

from belvo_async import Belvo, Plan, Polling, Session, Syntage
from belvo_async._tracker import attempts, lanes, poller
from belvo_async.integrations.dlt import MirrorSink, list_tasks, mirror_lists
from belvo_async.integrations.dlt.loader import Loader
from belvo_async.vendors.belvo import find

SPEED = float(os.environ.get("SPEED", "1"))


async def main(document: str, place: str) -> None:
    plans = msgspec.json.decode(document, type=list[Plan])
    polling = Polling(first=Polling().first / SPEED, longest=Polling().longest / SPEED)
    async with (
        Session(
            Belvo.from_env(), Syntage.from_env(), store=os.environ["BELVO_ASYNC_STORE"], polling=polling
        ) as session,
        MirrorSink(place, session.vendors) as sink,
    ):
        await asyncio.gather(*(carry_out(session, plan, sink) for plan in plans))
        subjects = {plan.vendor: plan.subjects for plan in plans}
        brought = {(plan.vendor, plan.resource) for plan in plans}
        tasks = list(list_tasks(session.vendors, subjects, brought=brought))
        async for progress in mirror_lists(session, sink, tasks):
            print("list", progress.task.table, progress.end, progress.error, flush=True)
        await sink.make_views()
    print("done", flush=True)


async def carry_out(session: Session, plan: Plan, sink: MirrorSink) -> None:
    run = await session.extract(plan, into=sink, retry="RETRY" in os.environ)
    async for progress in run:
        print(progress.event, progress.tally.left, progress.tally.open, flush=True)
    print(f"whole {run.outcome.is_whole} {[each.code for each in run.outcome.refused]}", flush=True)


def tell_loads() -> None:
    """Say when a load begins, so that a kill can meet it."""
    load = Loader._load

    def telling(loader: Loader, spools: Sequence[Any]) -> None:
        print("loading", len(spools), flush=True)
        load(loader, spools)

    Loader._load = telling  # type: ignore[method-assign]


if __name__ == "__main__":
    tell_loads()
    # As in `plan_worker`: half a minute, eight minutes and a quarter of an hour in earnest.
    attempts.RETAKEN_AFTER = timedelta(seconds=2)
    for module in (attempts, lanes, poller):
        module.LOST_AFTER = timedelta(seconds=15)
    find.ADOPTION_SPAN = timedelta(seconds=15)
    asyncio.run(main(*sys.argv[1:]))
