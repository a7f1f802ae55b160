"""What an exception carries out of the library: no frame behind a door, nobody else's exceptions."""

from __future__ import annotations

import asyncio
import json
import traceback
from collections.abc import AsyncIterator, Callable
from types import CodeType, FunctionType
from typing import Any

import pytest

import belvo_async
from belvo_async.discreet import Discretion, bare, discreet
from belvo_async.errors import StoreError
from tests.frames import leaks_of

CANARY = "canary-2c7f0d91"


def within(function: Any) -> Any:
    """The same function as if it stood in the library."""
    code: CodeType = function.__code__.replace(co_filename=f"{belvo_async.__path__[0]}/somewhere.py")
    return FunctionType(
        code, {**function.__globals__, "__name__": "belvo_async.somewhere"}, closure=function.__closure__
    )


def names(error: BaseException) -> list[str]:
    """The functions whose frames a traceback shows."""
    return [frame.f_code.co_name for frame, _ in traceback.walk_tb(error.__traceback__)]


@within
def fail(secret: str) -> None:
    try:
        json.loads(secret)
    except ValueError as error:
        raise StoreError("it failed") from error


@within
def stumble(secret: str) -> None:
    json.loads(secret)


@within
async def fail_later(secret: str) -> None:
    await asyncio.sleep(0)
    fail(secret)


def test_an_error_shows_neither_frames_nor_arguments_nor_causes() -> None:
    """The frames behind a door go, and with them the exception of the decoder, which holds its input."""
    with pytest.raises(StoreError) as raised:
        discreet(fail)(CANARY)

    assert [] == leaks_of(raised.value, CANARY)
    assert (None, None) == (raised.value.__cause__, raised.value.__context__)
    assert ["test_an_error_shows_neither_frames_nor_arguments_nor_causes", "door"] == names(raised.value)


async def test_a_coroutine_function_is_a_door_as_well() -> None:
    """What is awaited raises as discreetly, and stays a coroutine function."""
    door = discreet(fail_later)

    with pytest.raises(StoreError) as raised:
        await door(CANARY)

    assert [] == leaks_of(raised.value, CANARY)
    assert asyncio.iscoroutinefunction(door)


async def test_a_generator_keeps_its_own_frame_only() -> None:
    """Who iterates is shown where that was, and nothing behind it."""

    async def rows() -> AsyncIterator[int]:
        with Discretion():
            yield 1
            await fail_later(CANARY)

    with pytest.raises(StoreError) as raised:
        async for _ in rows():
            pass

    assert [] == leaks_of(raised.value, CANARY)
    assert ["test_a_generator_keeps_its_own_frame_only", "rows"] == names(raised.value)


def test_a_fault_of_ours_tells_where_it_was() -> None:
    """An exception that is no error of ours may be a bug: its way is told, in module names and line numbers."""
    with pytest.raises(ValueError, match="Expecting value") as raised:
        discreet(stumble)("[")

    assert 1 == len(raised.value.__notes__)
    assert "belvo_async.somewhere:" in raised.value.__notes__[0]


def test_the_way_is_told_once() -> None:
    """Doors stand behind doors."""
    with pytest.raises(ValueError, match="Expecting value") as raised:
        discreet(discreet(stumble))("[")

    assert 1 == len(raised.value.__notes__)


async def test_a_cancellation_is_as_discreet() -> None:
    """The TimeoutError of a caller carries the cancellation, and it the frames it ended."""

    async def wait(secret: str) -> None:
        await asyncio.sleep(3600)

    async def call() -> None:
        async with asyncio.timeout(1):
            await discreet(within(wait))(CANARY)

    with pytest.raises(TimeoutError) as raised:
        await call()

    assert [] == leaks_of(raised.value, CANARY)


@pytest.mark.parametrize("call_back", [lambda called: called(), lambda called: json.loads("1", parse_int=called)])
def test_what_users_code_raises_is_left_as_it_is(call_back: Callable[[Callable[..., object]], object]) -> None:
    """A callback's exception is the user's: its frames and its causes stay."""

    def users(*_: object) -> None:
        raise KeyError("mine") from LookupError("also mine")

    with pytest.raises(KeyError) as raised:
        discreet(within(call_back))(users)

    assert ("users", LookupError) == (names(raised.value)[-1], type(raised.value.__cause__))


def test_what_was_handled_meanwhile_stays_the_context() -> None:
    """A call in an except block of the user's: that exception is shown as ever, with its frames."""

    def handle() -> None:
        try:
            raise KeyError("mine")
        except KeyError:
            discreet(fail)(CANARY)

    with pytest.raises(StoreError) as raised:
        handle()

    assert isinstance(raised.value.__context__, KeyError)
    assert raised.value.__context__.__traceback__ is not None
    assert [] == leaks_of(raised.value, CANARY)


def test_every_member_of_a_group_is_relieved() -> None:
    """Error trackers show the exceptions of a group one by one."""

    @within
    def both(secret: str) -> None:
        caught: list[Exception] = []
        for _ in range(2):
            try:
                fail(secret)
            except StoreError as error:
                caught.append(error)
        raise ExceptionGroup("both", caught)

    with pytest.raises(ExceptionGroup) as raised:
        discreet(both)(CANARY)

    assert [] == leaks_of(raised.value, CANARY)


def test_an_error_that_is_handed_on_is_bare() -> None:
    """It has no traceback of its own any more, and hangs on nothing."""
    try:
        fail(CANARY)
    except StoreError as error:
        handed = bare(error)

    assert (None, None, None) == (handed.__traceback__, handed.__cause__, handed.__context__)
