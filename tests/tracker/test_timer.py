"""One timer of the loop for any number of instants."""

from __future__ import annotations

import asyncio
import gc
import random
from datetime import timedelta

from belvo_async._tracker import Timer
from belvo_async._tracker.timer import Alarm
from tests.virtual_time import VirtualClock


async def test_alarms_ring_in_order(clock: VirtualClock) -> None:
    """Whatever order they are set in, alarms ring by their instants."""
    timer, rang = Timer(clock), []
    spans = list(range(500))
    random.Random(1).shuffle(spans)
    for span in spans:
        timer.at(clock.now() + timedelta(seconds=span), lambda span=span: rang.append(span))  # type: ignore[misc]

    await asyncio.sleep(499.5)

    assert sorted(spans) == rang


async def test_cancelled_alarm_is_silent(clock: VirtualClock) -> None:
    """Cancelling, once or twice, before or after the ringing, is harmless."""
    timer, rang = Timer(clock), []
    first = timer.at(clock.now() + timedelta(seconds=1), lambda: rang.append("first"))
    second = timer.at(clock.now() + timedelta(seconds=2), lambda: rang.append("second"))

    first.cancel()
    first.cancel()
    await asyncio.sleep(3)
    second.cancel()

    assert ["second"] == rang


async def test_cancelled_alarms_take_no_room(clock: VirtualClock) -> None:
    """Memory follows the alarms that are set, not those that were."""
    timer = Timer(clock)
    kept = [timer.at(clock.now() + timedelta(hours=1), lambda: None) for _ in range(10)]

    for _ in range(10_000):
        timer.at(clock.now() + timedelta(hours=2), lambda: None).cancel()

    gc.collect()
    assert sum(isinstance(each, Alarm) for each in gc.get_objects()) < 200
    assert all(alarm.is_set for alarm in kept)


async def test_alarm_in_the_past_rings_soon(clock: VirtualClock) -> None:
    """An instant that has passed is not lost."""
    timer, rang = Timer(clock), []

    timer.at(clock.now() - timedelta(days=1), lambda: rang.append(1))
    await asyncio.sleep(0.001)

    assert [1] == rang


async def test_alarm_set_while_ringing_rings(clock: VirtualClock) -> None:
    """A callback may set and cancel alarms itself."""
    timer, rang = Timer(clock), []
    doomed = timer.at(clock.now() + timedelta(seconds=1), lambda: rang.append("doomed"))

    def again() -> None:
        doomed.cancel()
        timer.at(clock.now() + timedelta(seconds=1), lambda: rang.append("again"))

    timer.at(clock.now() + timedelta(seconds=0.5), again)
    await asyncio.sleep(5)

    assert ["again"] == rang


async def test_closed_timer_is_silent(clock: VirtualClock) -> None:
    """Closing forgets every alarm."""
    timer, rang = Timer(clock), []
    alarm = timer.at(clock.now() + timedelta(seconds=1), lambda: rang.append(1))

    timer.close()
    alarm.cancel()
    await asyncio.sleep(5)

    assert [] == rang
