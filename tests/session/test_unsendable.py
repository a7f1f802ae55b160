"""What no request can carry, through a session: told before a byte, and an error tracker is shown nothing of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from belvo_async import Session, belvo, syntage
from belvo_async.errors import TaskError
from tests.frames import leaks_of, provoked
from tests.session.world import World

CANARY = "canary-71d0"
HALF = f"{CANARY}\ud800"

Ask = Callable[[Session, World], Awaitable[Any]]
ASKED: dict[str, Ask] = {
    "Belvo's list": lambda session, _: session.list(belvo.Links(external_id=HALF)).to_list(),
    "Syntage's list": lambda session, _: session.list(syntage.Shareholders(name=HALF)).to_list(),
    "attempts": lambda session, _: session.webhooks("syntage").endpoints(HALF),
    "call": lambda session, _: session.call(syntage.CreateTag(name=HALF)),
    "scheduler's options": lambda session, _: session.call(
        syntage.CreateSchedulerRule(
            scheduler="0195f6c2",
            extractor="background_check",
            cron_expression="@daily",
            options={"note": HALF},
        )
    ),
    "file": lambda session, world: session.download(
        syntage.InsightExport(entity=world.syntage.entities[0], insight="of-tomorrow", type=HALF)
    ).read(),
}


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
async def test_a_text_that_utf_8_cannot_hold(world: World, ask: Ask) -> None:
    """The codec's own error would hold it, and so would the frames behind the door."""
    session = await world.open(webhooks=False)

    with pytest.raises(TaskError) as refused:
        await ask(session, world)

    assert [] == leaks_of(provoked(refused), CANARY)
    assert [] == [each for each in world.sent() if "canary" in each.path]
