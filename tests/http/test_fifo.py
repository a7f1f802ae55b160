"""The line before a budget."""

from __future__ import annotations

import asyncio
import gc
import sys
from types import ModuleType

from belvo_async._http.fifo import Fifo


async def served(line: Fifo, names: list[str], name: str) -> None:
    await line.reach_front()
    names.append(name)
    await asyncio.sleep(1)
    line.leave(served=True)


async def test_callers_are_served_in_the_order_they_came() -> None:
    """One at a time."""
    line, names = Fifo(), list[str]()

    await asyncio.gather(*(served(line, names, name) for name in "abc"))

    assert list("abc") == names
    assert line.is_empty


async def test_who_comes_again_has_the_rank_of_who_left() -> None:
    """A number left behind is the next comer's; once somebody behind it was served, it is gone."""
    line, names = Fifo(), list[str]()
    calls = {name: asyncio.create_task(served(line, names, name)) for name in "abcd"}
    await asyncio.sleep(0.5)

    calls["b"].cancel()
    await asyncio.sleep(0)
    again = asyncio.create_task(served(line, names, "B"))
    await asyncio.sleep(2)
    calls["d"].cancel()
    await asyncio.gather(*calls.values(), again, return_exceptions=True)
    await served(line, names, "e")

    assert list("aBce") == names


async def test_who_is_cancelled_on_reaching_the_front_lets_the_next_one_pass() -> None:
    """The moment it is called is one like any other."""
    line, names = Fifo(), list[str]()
    await line.reach_front()
    calls = [asyncio.create_task(served(line, names, name)) for name in "ab"]
    await asyncio.sleep(0)

    line.leave(served=True)
    calls[0].cancel()
    await asyncio.gather(*calls, return_exceptions=True)

    assert ["b"] == names
    assert line.is_empty


async def test_those_sent_away_get_an_error_of_their_own() -> None:
    """Who is at the front stays."""
    line = Fifo()
    await line.reach_front()
    calls = [asyncio.create_task(line.reach_front()) for _ in range(3)]
    await asyncio.sleep(0)

    line.send_away(lambda: KeyError("closed"))

    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [KeyError] * 3 == [type(each) for each in outcomes]
    assert 3 == len({id(each) for each in outcomes})
    assert not line.is_empty
    line.leave(served=False)
    assert line.is_empty


async def test_retries_do_not_fill_the_memory() -> None:
    """Numbers left behind are used again: what is kept does not grow with how often callers come again."""
    line = Fifo()
    await line.reach_front()

    async def come_again(times: int) -> int:
        for _ in range(times):
            calls = [asyncio.create_task(line.reach_front()) for _ in range(10)]
            await asyncio.sleep(0)
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
        return kept_bytes(line)

    assert await come_again(1) == await come_again(50)


def kept_bytes(root: object) -> int:
    """The size of all that hangs on an object, classes and modules apart."""
    seen: dict[int, object] = {}
    left = [root]
    while left:
        each = left.pop()
        if id(each) not in seen and not isinstance(each, type | ModuleType):
            seen[id(each)] = each
            left += gc.get_referents(each)
    return sum(sys.getsizeof(each) for each in seen.values())
