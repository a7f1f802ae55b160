"""A service with an engine, as its workers' own commands import it: for `test_engine_kills`.

    procrastinate --app=tests.proof.engine_worker.app worker
    taskiq worker tests.proof.engine_worker:broker
    taskiq scheduler tests.proof.engine_worker:scheduler

Read from the environment: KIND and PLACE of the engine, OUT for what is collected, SPEED of the vendor.
"""

from __future__ import annotations

import os
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

from taskiq import TaskiqScheduler
from taskiq.schedule_sources import LabelScheduleSource

from belvo_async import JobHandle, Polling, Session, Syntage
from belvo_async._session.known import settled
from belvo_async._tracker import attempts, lanes, poller
from belvo_async.engines import holding, procrastinate, relay
from belvo_async.jobs import Status
from belvo_async.vendors.syntage import find
from tests.engines.kinds import OnProcrastinate, OnTaskiq, kind_of

SPEED = float(os.environ.get("SPEED", "1"))
OUT = Path(os.environ.get("OUT", "."))
HOLD = timedelta(seconds=3)
LOOK_SECONDS = 2


def hurry() -> None:
    """Believe within seconds that a process died, or that what it sent never came: in earnest, within minutes."""
    attempts.RETAKEN_AFTER = attempts.RETAKEN_AFTER_AT_MOST = timedelta(seconds=2)
    for module in (attempts, lanes, poller):
        module.LOST_AFTER = timedelta(seconds=15)
    poller.LEASE, poller.SEARCHED_FOR = timedelta(seconds=5), timedelta(seconds=15)
    find.ABANDON_AFTER = timedelta(seconds=15)
    holding.HOLD, procrastinate.DEAD_AFTER_SECONDS = HOLD, 5.0
    settled.HOLD, settled.RENEW = HOLD, HOLD / 3
    relay.TOLD_AGAIN = timedelta(seconds=5)


def open_session() -> Session:
    polling = Polling(first=Polling().first / SPEED, longest=Polling().longest / SPEED)
    return Session(Syntage.from_env(), store=os.environ["BELVO_ASYNC_STORE"], polling=polling)


async def collect(handle: JobHandle[object]) -> None:
    """Write a job down; one that nobody can tell of is sent again, by the person that knows that it never came."""
    if handle.status is Status.UNCERTAIN:
        await handle.resubmit()
        return
    (OUT / "collected").mkdir(parents=True, exist_ok=True)
    rows = [row async for row in handle.results()]
    (OUT / "collected" / f"{handle.id}-{uuid.uuid4().hex}").write_text(f"{handle.status} {len(rows)}")


hurry()
kind = kind_of(os.environ.get("KIND", "procrastinate"), os.environ.get("PLACE", "nowhere"))
ticking: dict[str, Any] = {
    "look": f"* * * * * */{LOOK_SECONDS}" if isinstance(kind, OnProcrastinate) else timedelta(seconds=LOOK_SECONDS)
}
engine = kind.make(open_session, collect, **ticking)
if isinstance(kind, OnTaskiq):
    broker = kind.broker
    scheduler = TaskiqScheduler(broker, [LabelScheduleSource(broker)])
elif isinstance(kind, OnProcrastinate):
    app = kind.app
