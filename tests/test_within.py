"""A bound on the time of what hardly ever has to wait: no timer for what does not, and `await` for what does."""

from __future__ import annotations

import asyncio

import pytest

from belvo_async.within import within


async def answer(after: float = 0) -> str:
    if after:
        await asyncio.sleep(after)
    return "done"


async def test_what_need_not_wait_sets_no_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop is asked for none."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a timer was set")

    with monkeypatch.context() as patched:
        patched.setattr(asyncio.get_running_loop(), "call_at", refuse)
        assert "done" == await within(2, answer())


async def test_what_waits_goes_on_to_its_end() -> None:
    """Any number of waits, within the time."""

    async def twice() -> list[str]:
        return [await answer(0.5), await answer(0.5)]

    assert ["done", "done"] == await within(2, twice())


async def test_what_takes_longer_is_cut_off() -> None:
    """TimeoutError, and what the work holds is let go."""
    let_go = asyncio.Event()

    async def hold() -> None:
        try:
            await answer(3)
        finally:
            let_go.set()

    with pytest.raises(TimeoutError):
        await within(2, hold())

    assert let_go.is_set()


@pytest.mark.parametrize("after", [0.0, 0.5], ids=["at once", "after a wait"])
async def test_what_the_work_raises_comes_out(after: float) -> None:
    """As it is."""

    async def fail() -> None:
        await answer(after)
        raise LookupError("it")

    with pytest.raises(LookupError, match="it"):
        await within(2, fail())


async def test_what_the_work_waits_for_may_fail() -> None:
    """The work meets it, and may go on from it."""
    told: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(1, told.set_exception, LookupError("it"))

    async def recover() -> str:
        try:
            return await told
        except LookupError:
            return await answer(0.5)

    assert "done" == await within(2, recover())


async def test_a_cancellation_passes_through() -> None:
    """The work is cancelled with its caller, and the time bound makes no TimeoutError of it."""
    seen: list[type[BaseException]] = []

    async def wait() -> None:
        try:
            await answer(1)
        except BaseException as error:
            seen.append(type(error))
            raise

    calling = asyncio.create_task(within(2, wait()))
    await asyncio.sleep(0.5)
    calling.cancel()

    with pytest.raises(asyncio.CancelledError):
        await calling
    assert [asyncio.CancelledError] == seen


async def test_it_runs_in_its_callers_task() -> None:
    """What is current there is so in the work as well."""
    current: list[asyncio.Task[object] | None] = []

    async def look() -> None:
        current.append(asyncio.current_task())
        await answer(0.5)
        current.append(asyncio.current_task())

    await within(2, look())

    assert [asyncio.current_task()] * 2 == current
