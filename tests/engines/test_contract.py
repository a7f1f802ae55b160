"""What every engine keeps to, on its real server: whatever a queue does, nothing is paid twice and nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from belvo_async import JobHandle, Prices, TaskError
from belvo_async.engines import errands, relay, turns
from belvo_async.engines.errands import LetterKind
from tests.engines.by_hand import look_around
from tests.engines.kinds import KINDS
from tests.engines.world import World, opened

Story = Callable[[World], Awaitable[None]]


@pytest.fixture(params=KINDS)
def play(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Plays a story in a world of its own, on the machine's clock."""
    monkeypatch.setattr(relay, "GATHER", timedelta(seconds=0.05))

    def run(story: Story, **options: object) -> None:
        async def main() -> None:
            async with opened(request.param, tmp_path, **options) as world:  # type: ignore[arg-type]
                await story(world)

        asyncio.run(main())

    return run


def test_a_task_is_fired_and_its_job_is_collected(play: Callable[..., None]) -> None:
    """By whichever worker; the receiver of its webhook only receives."""

    async def story(world: World) -> None:
        async with world.working():
            await world.engine.fire(world.task(), once="first")
            await world.until(lambda: has_collected(world, 1))

        assert 1 == world.posts

    play(story)


def test_a_name_is_fired_once(play: Callable[..., None]) -> None:
    """However often it is ordered, and whenever: also once its job has ended."""

    async def story(world: World) -> None:
        async with world.working():
            for _ in range(3):
                await world.engine.fire(world.task(), once="first")
            await world.until(lambda: has_collected(world, 1))
            await world.engine.fire(world.task(), once="first")
            await world.engine.fire(world.task(1), once="second")
            await world.until(lambda: has_collected(world, 2))

        assert 2 == world.posts
        assert 2 == len(set(world.collected))

    play(story)


@pytest.mark.proof
def test_a_plan_is_carried_out_as_a_whole(play: Callable[..., None]) -> None:
    """Deferred by one call, whole without another: every row is there once, and paid for once."""

    async def story(world: World) -> None:
        plan, into = world.plan(), f"ndjson:{world.folder}"
        async with world.working():
            await world.engine.extract(plan, into=into)
            await world.until_whole(plan, into)

        assert len(plan.subjects) == world.posts
        assert sorted(world.held(plan)) == sorted(world.rows())

    play(story)


@pytest.mark.proof
def test_messages_that_come_again_and_again_change_nothing(play: Callable[..., None]) -> None:
    """Each is delivered three times, and that in between as well."""

    async def story(world: World) -> None:
        send = world.engine._send

        async def send_thrice(message: errands.Letter) -> None:
            for place in range(3):
                await send(message._replace(key=f"{message.key}/{place}"))

        world.engine._send = world.engine._turns._send = send_thrice  # type: ignore[method-assign]
        plan, into = world.plan(), f"ndjson:{world.folder}"
        async with world.working():
            await world.engine.extract(plan, into=into)
            await world.engine.fire(world.task(), once="first")
            await world.until_whole(plan, into)
            await world.until(lambda: has_collected(world, 1))

        assert len(plan.subjects) + 1 == world.posts
        assert sorted(world.held(plan)) == sorted(world.rows())

    play(story)


@pytest.mark.proof
def test_what_a_queue_loses_is_sent_again(play: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    """The store knows what is wanted; the queue only says so."""
    monkeypatch.setattr(errands, "LOST_AFTER", timedelta(0))
    monkeypatch.setattr(turns, "LOST_AFTER", timedelta(0))
    monkeypatch.setattr("belvo_async.engines.work.LOST_AFTER", timedelta(0))

    async def story(world: World) -> None:
        plan, into = world.plan(), f"ndjson:{world.folder}"
        await world.engine.extract(plan, into=into)
        await world.engine.fire(world.task(), once="first")
        await world.kind.empty()
        await look_around(world.engine)
        async with world.working():
            await world.until_whole(plan, into)
            await world.until(lambda: has_collected(world, 1))

        assert len(plan.subjects) + 1 == world.posts

    play(story)


@pytest.mark.proof
def test_a_job_that_could_not_be_collected_is_collected_again(
    play: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the collector raises; later each time."""
    monkeypatch.setattr("belvo_async.engines.work.AGAIN_AFTER", timedelta(0))
    tries: list[str] = []

    async def fail_twice(handle: JobHandle[object]) -> None:
        tries.append(handle.id)
        if len(tries) < 3:
            raise OSError("the warehouse is down")

    async def story(world: World) -> None:
        async with world.working():
            await world.engine.fire(world.task(), once="first")

            async def has_tried() -> bool:
                await look_around(world.engine)
                return len(tries) >= 3

            await world.until(has_tried)

        assert 1 == len(set(tries))
        assert 1 == world.posts

    play(story, collect=fail_twice)


def test_no_message_holds_a_secret(play: Callable[..., None]) -> None:
    """Nor where the rows go: a queue is read by more people than a store."""

    async def story(world: World) -> None:
        await world.engine.extract(world.plan(), into=f"ndjson:{world.folder}")
        await world.engine.fire(world.task(), once="first")

        messages = await world.kind.messages()

        assert 2 == len(messages)
        for secret in (world.vendor.api_key, world.vendor.signing_secret, str(world.folder)):
            assert not any(secret in each for each in messages)

    play(story)


@pytest.mark.proof
def test_a_cap_is_exact_with_any_number_of_workers(play: Callable[..., None]) -> None:
    """A plan with a cap is one share, however many subjects it has."""

    async def story(world: World) -> None:
        plan = world.plan(3)
        async with world.working(workers=2):
            await world.engine.extract(
                plan,
                into=f"ndjson:{world.folder}",
                prices=Prices.from_toml("syntage = 10"),
                max_cost=Decimal(20),
            )
            await world.until(lambda: is_over(world))

        assert 2 == world.posts

    play(story)


def test_what_does_not_fit_is_told_to_whoever_asks(play: Callable[..., None]) -> None:
    """And not to a worker, hours later."""

    async def story(world: World) -> None:
        with pytest.raises(TaskError):
            await world.engine.extract(world.plan(), into=f"ndjson:{world.folder}", files=["doc"])

        assert [] == await world.kind.messages()

    play(story)


async def has_collected(world: World, count: int) -> bool:
    return len(set(world.collected)) >= count


async def is_over(world: World) -> bool:
    session = await world.engine.session()
    return not [each async for each in session.store.entries("engine.share")]


def test_every_kind_of_message_has_a_task() -> None:
    """Three kinds, as the page says."""
    assert ["fire", "collect", "extract"] == list(LetterKind)
