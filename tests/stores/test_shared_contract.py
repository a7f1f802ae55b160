"""What every store promises beside jobs: early deliveries, budgets, leases, opening and closing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from belvo_async.abc import Budget, LaidAside
from belvo_async.errors import ConfigurationError, StoreError
from belvo_async.jobs import Observation, Status
from belvo_async.stores import MemoryStore, open_store
from belvo_async.stores.joined import join_accounts
from belvo_async.stores.redis.store import RedisStore
from belvo_async.stores.rules import Bounds
from tests.exhaustion import no_descriptors
from tests.jobs.kinds import one_of_each
from tests.stores.conftest import AnyStore, MakeStore
from tests.stores.samples import ACCOUNT, NOON, OTHER, a_job, after, changed, word

UUID = "a1b2c3d4-0000-4000-8000-00000000abcd"


async def test_parked_observations_come_oldest_first(store: AnyStore) -> None:
    """By one remote id in normal form, or all of the account."""
    late, early, other = word(remote_id=UUID, at=after(2)), word(remote_id=UUID, at=after(1)), word(remote_id="x")
    for seen in (late, early, other):
        await store.park(ACCOUNT, seen)

    assert (early, late) == await store.parked(ACCOUNT, UUID.replace("-", "").upper())
    assert (other, early, late) == await store.parked(ACCOUNT)
    assert () == await store.parked(OTHER)


async def test_every_kind_of_observation_is_kept(store: AnyStore) -> None:
    """In the timeline of a job and among what is parked, each as the kind it is."""
    seen = [replace(each, at=after(number), remote_id="r") for number, each in enumerate(one_of_each())]
    await store.put(job := a_job(), expected=None)

    for number, each in enumerate(seen):
        await store.put(changed(job, version=number + 1), expected=number, observation=each)
        await store.park(ACCOUNT, each)

    assert tuple(seen) == await store.timeline(job.id) == await store.parked(ACCOUNT)


async def test_one_delivery_is_parked_once(store: AnyStore) -> None:
    """A delivery repeated because our answer got lost takes no second place, two words of one delivery do."""
    first = word(remote_id="r", delivery_id="d")
    second = word(remote_id="s", delivery_id="d")

    for seen in (first, first, second, word(remote_id="r", delivery_id="d", at=after(60))):
        await store.park(ACCOUNT, seen)

    assert {first, second} == set(await store.parked(ACCOUNT))
    assert 2 == len(await store.parked(ACCOUNT))


async def test_unparked_observations_are_gone(store: AnyStore) -> None:
    """Only the named ones, only of the account; naming one that is not there is no error."""
    kept, applied = word(remote_id="r"), word(remote_id="r", at=after(1))
    await store.park(ACCOUNT, kept)
    await store.park(ACCOUNT, applied)
    await store.park(OTHER, applied)

    await store.unpark(ACCOUNT, [applied, word(remote_id="never")])

    assert (kept,) == await store.parked(ACCOUNT)
    assert (applied,) == await store.parked(OTHER)


async def test_parked_observations_are_bounded_in_number(make_store: MakeStore) -> None:
    """The one parked longest goes first, and may come again."""
    seen = [word(remote_id=f"r{number}", at=after(number)) for number in range(5)]
    async with make_store(parked=Bounds(count=3, limit_bytes=10_000)) as store:
        for each in seen:
            await store.park(ACCOUNT, each)

        assert tuple(seen[2:]) == await store.parked(ACCOUNT)
        await store.park(ACCOUNT, seen[0])
        assert (seen[0], *seen[3:]) == await store.parked(ACCOUNT)


async def test_parked_observations_are_bounded_in_bytes(make_store: MakeStore) -> None:
    """Room is made for what fits; what cannot fit alone is refused and pushes nothing out."""
    seen = [word(remote_id=f"{number}", doubt="x" * 400) for number in range(4)]
    async with make_store(parked=Bounds(count=99, limit_bytes=2_000)) as store:
        for each in seen:
            await store.park(ACCOUNT, each)

        assert tuple(seen[2:]) == await store.parked(ACCOUNT)
        with pytest.raises(StoreError, match="too many"):
            await store.park(ACCOUNT, word(doubt="x" * 2_000))
        assert tuple(seen[2:]) == await store.parked(ACCOUNT)


async def test_unreadable_deliveries_are_kept_in_bounds(make_store: MakeStore) -> None:
    """Byte for byte, the oldest go first."""
    async with make_store(aside=Bounds(count=3, limit_bytes=10)) as store:
        for number, body in enumerate((b"\xff\x00", b"bbbb", b"cccc", b"dd")):
            await store.set_aside(ACCOUNT, body, after(number))

        kept = await store.laid_aside()

    assert (aside(1, b"bbbb"), aside(2, b"cccc"), aside(3, b"dd")) == kept


def aside(seconds: float, body: bytes, account: str = ACCOUNT) -> LaidAside:
    return LaidAside(account, after(seconds), body)


async def test_unreadable_deliveries_are_read_by_account(store: AnyStore) -> None:
    """Whatever its name; of all for whoever names none. No content shows by itself."""
    odd = "https://sandbox.example#\\0\udcff" if isinstance(store, MemoryStore | RedisStore) else "x#\\0"
    kept = [aside(3, b"a"), aside(1, b"b", OTHER), aside(2, b"hunter2", odd)]
    for each in kept:
        await store.set_aside(each.account, each.body, each.at)

    assert (kept[1], kept[2], kept[0]) == await store.laid_aside()
    assert (kept[1], kept[0]) == await store.laid_aside([ACCOUNT, OTHER])
    assert (kept[2],) == await store.laid_aside((odd,))
    assert () == await store.laid_aside(())
    assert "hunter2" not in repr(kept[2])
    assert "7 bytes" in repr(kept[2])


async def test_unreadable_deliveries_of_an_account_are_those_under_all_its_names(store: AnyStore) -> None:
    """Who has several accounts for one finds what was laid aside under each."""
    joined = join_accounts(store, [(OTHER, ACCOUNT)])
    await joined.set_aside(OTHER, b"new", after(1))
    await store.set_aside(ACCOUNT, b"old", after(0))
    await store.set_aside("third", b"strange", after(2))

    kept = await joined.laid_aside([OTHER])

    assert [b"old", b"new"] == [each.body for each in kept]
    assert (3, 3) == (len(await joined.laid_aside()), await joined.count_aside())
    assert 1 == await joined.prune_aside(after(1))


async def test_unreadable_deliveries_are_counted_and_pruned_by_age(store: AnyStore) -> None:
    """Of all accounts; the instant itself is young enough."""
    for account, seconds in ((ACCOUNT, 3), (OTHER, 1), (ACCOUNT, 0), (ACCOUNT, 2)):
        await store.set_aside(account, b"%d" % seconds, after(seconds))
    assert 4 == await store.count_aside()
    assert [b"0", b"2", b"3"] == [each.body for each in await store.laid_aside([ACCOUNT])]

    assert 2 == await store.prune_aside(after(2))

    assert 2 == await store.count_aside()
    assert [b"2", b"3"] == [each.body for each in await store.laid_aside([ACCOUNT])]
    assert () == await store.laid_aside([OTHER])
    assert 0 == await store.prune_aside(after(2))


async def test_what_was_pruned_makes_room(make_store: MakeStore) -> None:
    """Nothing of it counts against the bound any more."""
    async with make_store(aside=Bounds(count=3, limit_bytes=10)) as store:
        await store.set_aside(ACCOUNT, b"x" * 9, NOON)
        await store.prune_aside(after(1))
        for number in range(3):
            await store.set_aside(ACCOUNT, b"yyy", after(number))

        assert 3 == await store.count_aside()


async def test_a_budget_gives_places_at_once_while_there_is_room(store: AnyStore) -> None:
    """Then at the instant a place leaves the window; other keys are not touched."""
    budget = Budget("b", 2, timedelta(seconds=10))

    places = [await store.reserve(budget, after(seconds)) for seconds in (0, 1, 2, 3, 4, 30)]

    assert [after(0), after(1), after(10), after(11), after(20), after(30)] == places
    assert NOON == await store.reserve(Budget("other", 1, budget.span), NOON)


async def test_a_thousand_callers_never_exceed_a_budget(store: AnyStore) -> None:
    """In every window of one span there are at most `limit` places, each caller has its own."""
    budget = Budget("b", 7, timedelta(seconds=10))

    places = sorted(await asyncio.gather(*(store.reserve(budget, after(n % 13)) for n in range(1_000))))

    assert 1_000 == len(places)
    assert all(later - earlier >= budget.span for earlier, later in zip(places, places[7:], strict=False))


async def test_a_lease_has_one_owner(store: AnyStore) -> None:
    """Renewing keeps the token; an expired or released lease may be taken, with a greater token each time."""

    async def take(owner: str, now: datetime) -> int | None:
        return await store.lease("lane", owner, now=now, until=now + timedelta(seconds=10))

    first = await take("ana", after(0))
    assert await take("ben", after(5)) is None
    assert first == await take("ana", after(9))
    assert await take("ben", after(18)) is None
    second = await take("ben", after(19))
    await store.release("lane", "ana")
    assert await take("ana", after(20)) is None
    await store.release("lane", "ben")
    third = await take("ana", after(21))

    assert first is not None
    assert second is not None
    assert third is not None
    assert first < second < third


async def test_the_lease_of_a_closed_job_is_free(store: AnyStore) -> None:
    """Who ended it may have died before giving its lease back; an open job keeps its own."""
    job = a_job("holder", status=Status.PENDING)
    await store.put(job, expected=None)
    first = await store.lease("lane", job.id, now=NOON, until=after(60))

    assert await store.lease("lane", "ben", now=after(1), until=after(60)) is None
    await store.put(changed(job, status=Status.FINISHED), expected=0)
    second = await store.lease("lane", "ben", now=after(1), until=after(60))

    assert first is not None
    assert second is not None
    assert first < second
    assert await store.lease("lane", "ana", now=after(2), until=after(60)) is None


async def test_who_is_refused_a_lease_may_ask_until_when(store: AnyStore) -> None:
    """What its holder said last; nothing once it was given back, and nothing of a lease nobody ever took."""
    assert await store.leased_until("lane") is None
    await store.lease("lane", "ana", now=NOON, until=after(60))
    assert after(60) == await store.leased_until("lane")
    await store.lease("lane", "ana", now=after(1), until=after(90))
    assert after(90) == await store.leased_until("lane")

    await store.release("lane", "ana")

    assert await store.leased_until("lane") is None
    assert await store.leased_until("another") is None


async def test_a_hundred_owners_get_one_lease(store: AnyStore) -> None:
    """Concurrent takers exclude each other."""
    tokens = await asyncio.gather(
        *(store.lease("lane", f"{number}", now=NOON, until=after(10)) for number in range(100))
    )

    assert 99 == tokens.count(None)


CALLS: dict[str, Callable[[AnyStore], Awaitable[object]]] = {
    "put": lambda store: store.put(a_job(), expected=None),
    "get": lambda store: store.get("x"),
    "find": lambda store: store.find(ACCOUNT, "x"),
    "standing": lambda store: store.standing(ACCOUNT, "k"),
    "count_jobs": lambda store: store.count_jobs(),
    "open_jobs": lambda store: anext(store.open_jobs()),
    "claim_due": lambda store: store.claim_due([ACCOUNT], now=NOON, until=after(1), limit=1),
    "next_due": lambda store: store.next_due([ACCOUNT]),
    "park": lambda store: store.park(ACCOUNT, word()),
    "parked": lambda store: store.parked(ACCOUNT),
    "unpark": lambda store: store.unpark(ACCOUNT, list[Observation]()),
    "set_aside": lambda store: store.set_aside(ACCOUNT, b"", NOON),
    "laid_aside": lambda store: store.laid_aside(),
    "count_aside": lambda store: store.count_aside(),
    "prune_aside": lambda store: store.prune_aside(NOON),
    "give_space_back": lambda store: store.give_space_back(),
    "nameless_jobs": lambda store: store.nameless_jobs(ACCOUNT),
    "parked_about": lambda store: store.parked_about(ACCOUNT, ["x"]),
    "adoptable": lambda store: store.adoptable(ACCOUNT, subject="s", resource="r", since=NOON, limit=1),
    "reserve": lambda store: store.reserve(Budget("b", 1, timedelta(seconds=1)), NOON),
    "give_back": lambda store: store.give_back(Budget("b", 1, timedelta(seconds=1)), "mark"),
    "exhaust": lambda store: store.exhaust("w", NOON),
    "exhausted_until": lambda store: store.exhausted_until("w"),
    "lease": lambda store: store.lease("l", "o", now=NOON, until=after(1)),
    "leased_until": lambda store: store.leased_until("l"),
    "release": lambda store: store.release("l", "o"),
    "timeline": lambda store: store.timeline("x"),
    "forget": lambda store: store.forget("x"),
    "changes": lambda store: anext(store.changes()),
}


@pytest.mark.parametrize("name", CALLS)
async def test_a_closed_store_says_so(make_store: MakeStore, name: str) -> None:
    """Before opening and after closing, every call raises StoreError."""
    store = make_store()

    with pytest.raises(StoreError, match="not open"):
        await CALLS[name](store)
    async with store:
        pass
    with pytest.raises(StoreError, match="the store is closed"):
        await CALLS[name](store)


async def test_a_store_is_opened_once(store: AnyStore) -> None:
    """Opening it again while it is open is refused and does not harm it."""
    with pytest.raises(StoreError, match="open already"):
        await store.__aenter__()

    assert await store.get("x") is None


async def test_a_closed_store_opens_again_with_its_jobs(make_store: MakeStore) -> None:
    """The jobs of a session are there for the next one."""
    store = make_store()
    async with store:
        await store.put(a_job(), expected=None)

    async with store:
        assert a_job() == await store.get("job-1")


async def test_memory_keeps_only_the_last_ended_jobs() -> None:
    """Memory is bounded by open jobs; the job that ended first is dropped first."""
    async with MemoryStore(finished_limit=2) as store:
        for number in range(4):
            await store.put(a_job(f"open-{number}"), expected=None)
            await store.put(a_job(f"ended-{number}", status=Status.FINISHED, remote_id="r"), expected=None)

        kept = await store.find(ACCOUNT, "r")
        opened = [job.id async for job in store.open_jobs()]

    assert ["ended-2", "ended-3"] == [job.id for job in kept]
    assert 4 == len(opened)


async def test_a_url_names_a_store(tmp_path: object) -> None:
    """The two kinds this release has."""
    async with open_store("memory:") as memory, open_store(f"sqlite:{tmp_path}/jobs.db") as sqlite:
        assert await memory.put(a_job(), expected=None) is None
        assert await sqlite.put(a_job(), expected=None) is None


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:",
        "sqlite:///jobs.db",
        "sqlite::memory:",
        "memory",
        "",
        "hunter2",
    ],
)
def test_other_urls_are_refused(url: str) -> None:
    """The error names the forms there are and repeats no password."""
    with pytest.raises(ConfigurationError, match="`memory:`") as caught:
        open_store(url)

    assert "hunter2" not in str(caught.value)


async def test_a_store_is_not_used_after_a_fork(make_store: MakeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes on one connection corrupt the file, or read each other's answers: the child is told at once."""
    async with make_store() as store:
        await store.put(a_job(), expected=None)
        with monkeypatch.context() as child:
            child.setattr("os.getpid", lambda: -1)
            with pytest.raises(StoreError, match="fork"):
                await store.get("job-1")
            with pytest.raises(StoreError, match="fork"):
                _ = [job async for job in store.open_jobs()]

        assert a_job() == await store.get("job-1")


async def test_a_store_is_not_used_on_another_loop(make_store: MakeStore) -> None:
    """Answers could not be delivered there."""
    async with make_store() as store:
        told = await asyncio.to_thread(asyncio.run, error_of(store.put(a_job(), expected=None)))

        assert "another event loop" in str(told)
        assert await store.get("job-1") is None


async def test_a_process_without_descriptors_is_told_from_a_store_that_is_down(make_store: MakeStore) -> None:
    """On opening, and on writing where that takes one: which of the two it is decides what to do."""
    store, late = make_store(), make_store()
    async with store:
        await store.put(a_job("earlier"), expected=None)
        with no_descriptors():
            failures = [await error_of(late.__aenter__()), await error_of(store.put(a_job(), expected=None))]
        if failures[0] is None:
            await late.__aexit__(None, None, None)

        assert isinstance(store, MemoryStore) or failures[0] is not None
        assert all("no file descriptors left" in str(each) for each in failures if each is not None)
        assert await store.put(a_job("later"), expected=None) is None


async def error_of(call: Awaitable[object]) -> BaseException | None:
    try:
        await call
    except StoreError as error:
        return error
    return None
