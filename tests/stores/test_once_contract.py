"""What every store promises about names, and about equal jobs that are fresh: nothing is paid twice."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from belvo_async.abc import Store
from belvo_async.errors import StoreError
from belvo_async.jobs import Job, Status, task_key
from belvo_async.stores.joined import join_accounts
from tests.stores.conftest import AnyStore
from tests.stores.samples import ACCOUNT, NOON, OTHER, Fetch, a_job, after, changed, word

ENDS = {
    "open": {"status": Status.RUNNING},
    "finished": {"status": Status.FINISHED, "settled_at": NOON},
    "failed": {"status": Status.FAILED, "settled_at": NOON},
    "rejected": {"status": Status.REJECTED},
    "abandoned": {"status": Status.UNCERTAIN, "abandoned": True},
    "superseded": {"status": Status.PENDING, "superseded_by": "x"},
}
# Of another period each: only their names are equal.
OTHER_TASK = Fetch(link="link-2")


def a_whole_job(job_id: str, seconds: float, **facts: Any) -> Job:
    usual = {"key": "k", "status": Status.FINISHED, "settled_at": after(seconds)}
    return a_job(job_id, **(usual | facts))


async def ids(store: AnyStore) -> list[str]:
    ended = [job.id async for job in store.ended_jobs(before=after(10**6))]
    return sorted([*ended, *[job.id async for job in store.open_jobs()]])


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
async def test_a_name_is_given_to_one_job(store: AnyStore, end: dict[str, Any]) -> None:
    """Whatever became of its holder, and whatever the task: like an idempotency key."""
    holder = a_job("first", key="k", once=("a", "b"), **end)
    await store.put(holder, expected=None)

    standing = await store.put(a_job("second", key="l", task=OTHER_TASK, once=("c", "b")), expected=None)

    assert holder == standing
    assert holder == await store.holder(ACCOUNT, "a")
    assert await store.holder(ACCOUNT, "c") is None
    assert ["first"] == await ids(store)


async def test_names_and_tags_are_read_back(store: AnyStore) -> None:
    """As they were written, whatever letters they have."""
    job = a_job(once=("año/€ 🧾", "\\x\\0", "a b"), tags={"tenant": "Ñandú", "batch": ""})

    await store.put(job, expected=None)

    assert job == await store.get(job.id)
    for name in job.once:
        assert job == await store.holder(ACCOUNT, name)
    assert await store.holder(ACCOUNT, "a") is None


async def test_a_name_belongs_to_its_account(store: AnyStore) -> None:
    """Two accounts may use one name, and no two pairs of account and name are taken for one."""
    for number, (account, name) in enumerate([(ACCOUNT, "a"), (OTHER, "a"), (f"{ACCOUNT}a", "b"), (ACCOUNT, "ab")]):
        assert await store.put(a_job(f"job-{number}", account=account, once=(name,)), expected=None) is None


async def test_of_a_hundred_with_one_name_exactly_one_starts(store: AnyStore) -> None:
    """However many start at once, and whatever their tasks."""
    jobs = [a_job(f"job-{number}", key=f"k{number % 3}", once=("a",)) for number in range(100)]

    answers = await asyncio.gather(*(store.put(each, expected=None) for each in jobs))

    assert 1 == answers.count(None)
    assert 1 == len({answer.id for answer in answers if answer is not None})
    assert 1 == len(await ids(store))


async def test_a_name_is_added_to_a_kept_job(store: AnyStore) -> None:
    """It is that name's job from then on, and stays it once it has ended."""
    job = a_job("first", key="k")
    await store.put(job, expected=None)
    named = changed(job, once=("a",))
    assert await store.put(named, expected=0) is None
    twice = changed(named, once=("a", "b"), status=Status.FAILED)
    assert await store.put(twice, expected=1) is None

    assert twice == await store.put(a_job("second", key="l", once=("a",)), expected=None)
    assert twice == await store.put(a_job("third", key="l", once=("b",)), expected=None)


async def test_a_name_is_not_added_to_two(store: AnyStore) -> None:
    """Who comes second is given the holder; nothing is written, and what it holds already stays writable."""
    holder, job = a_job("first", once=("a",)), a_job("second", once=("b",))
    await store.put(holder, expected=None)
    await store.put(job, expected=None)

    standing = await store.put(changed(job, once=("b", "a"), status=Status.RUNNING), expected=0, observation=word())

    assert holder == standing
    assert job == await store.get(job.id)
    assert () == await store.timeline(job.id)
    assert await store.put(changed(job, polls=1), expected=0) is None


async def test_a_name_added_while_the_job_ends(store: AnyStore) -> None:
    """The late writer is given the newer version, not the name."""
    job = a_job("first")
    await store.put(job, expected=None)
    ended = changed(job, status=Status.FAILED)

    answers = await asyncio.gather(
        store.put(ended, expected=0), store.put(changed(job, once=("a",)), expected=0), return_exceptions=True
    )

    assert [None, ended] == answers
    assert await store.holder(ACCOUNT, "a") is None


async def test_of_new_jobs_and_kept_ones_exactly_one_takes_a_name(store: AnyStore) -> None:
    """A name that is added and a job that is made with it exclude each other."""
    kept = [a_job(f"kept-{number}") for number in range(10)]
    await asyncio.gather(*(store.put(each, expected=None) for each in kept))
    named = [store.put(changed(each, once=("a",)), expected=0) for each in kept]
    made = [store.put(a_job(f"new-{number}", once=("a",)), expected=None) for number in range(10)]

    answers = await asyncio.gather(*(each for pair in zip(named, made, strict=True) for each in pair))

    holder = await store.holder(ACCOUNT, "a")
    assert holder is not None
    assert 1 == answers.count(None)
    assert {holder.id} == {answer.id for answer in answers if answer is not None}


async def test_a_name_given_back_is_free(store: AnyStore) -> None:
    """By a job that is forgotten, or that holds it no longer."""
    job = a_job("first", once=("a", "b"))
    await store.put(job, expected=None)
    await store.put(changed(job, once=("b",)), expected=0)
    assert await store.put(a_job("second", once=("a",)), expected=None) is None

    assert await store.forget("first")

    assert await store.holder(ACCOUNT, "b") is None
    assert await store.put(a_job("third", once=("b",)), expected=None) is None


async def test_a_name_moves_with_its_job(store: AnyStore) -> None:
    """Under another account it is that account's, and its old one's no longer; one that is taken there is not given."""
    job = a_job("first", once=("a",))
    await store.put(job, expected=None)
    await store.put(a_job("theirs", account=OTHER, once=("b",)), expected=None)
    moved = changed(job, account=OTHER)

    assert "theirs" == getattr(await store.put(changed(job, account=OTHER, once=("b",)), expected=0), "id", None)
    assert await store.put(moved, expected=0) is None

    assert moved == await store.holder(OTHER, "a")
    assert await store.put(a_job("second", once=("a",)), expected=None) is None


async def test_a_repeated_call_is_given_its_own_job(store: AnyStore) -> None:
    """The id counts before the name."""
    job = a_job("first", key="k", once=("a",))
    await store.put(job, expected=None)
    await store.put(a_job("other", key="l", once=("b",)), expected=None)

    assert job == await store.put(a_job("first", key="k", once=("b",)), expected=None)
    with pytest.raises(StoreError, match="is taken"):
        await store.put(a_job("first", key="l", once=("a",)), expected=None)


async def test_the_name_counts_before_the_equal_job(store: AnyStore) -> None:
    """Whoever uses a name gets its job, though an equal one is under way."""
    holder = a_job("first", key="k", once=("a",), status=Status.FAILED)
    await store.put(holder, expected=None)
    await store.put(a_whole_job("whole", 5), expected=None)
    equal = a_job("second", key="k")
    await store.put(equal, expected=None)

    assert holder == await store.put(a_job("x", key="k", once=("a",)), expected=None, fresh_since=NOON)
    assert equal == await store.put(a_job("x", key="k", once=("b",)), expected=None, fresh_since=NOON)


@pytest.mark.parametrize(("since", "is_given"), [(9.999999, True), (10, True), (10.000001, False)])
async def test_a_fresh_job_stands_in_the_way(store: AnyStore, since: float, is_given: bool) -> None:
    """What finished whole at an instant or later is given for a new one; the instant is exact."""
    kept = a_whole_job("first", 10)
    await store.put(kept, expected=None)
    young = a_job("second", key="k")

    assert (kept if is_given else None) == await store.fresh(ACCOUNT, "k", after(since))
    assert (kept if is_given else None) == await store.put(young, expected=None, fresh_since=after(since))
    assert (None if is_given else young) == await store.get("second")


async def test_without_an_age_nothing_is_fresh(store: AnyStore) -> None:
    """`put` as it always was starts anew beside what has just finished."""
    await store.put(a_whole_job("first", 10), expected=None)

    assert await store.put(a_job("second", key="k"), expected=None) is None


@pytest.mark.parametrize(
    "kept",
    [
        pytest.param(a_whole_job("first", 10, partial=True), id="partial"),
        pytest.param(a_whole_job("first", 10, status=Status.FAILED), id="failed"),
        pytest.param(a_whole_job("first", 10, status=Status.STOPPED), id="stopped"),
        pytest.param(a_whole_job("first", 10, key="other"), id="another key"),
        pytest.param(a_whole_job("first", 10, account=OTHER), id="another account"),
        pytest.param(a_whole_job("first", 10, settled_at=None), id="nobody knows when"),
        pytest.param(a_whole_job("first", 10, key=""), id="without key"),
    ],
)
async def test_what_is_not_fresh(store: AnyStore, kept: Job) -> None:
    """Only what finished whole, of the same account and key."""
    await store.put(kept, expected=None)

    assert await store.fresh(ACCOUNT, kept.key and "k", NOON) is None
    assert await store.put(a_job("second", key=kept.key and "k"), expected=None, fresh_since=NOON) is None


async def test_of_several_fresh_ones_the_last_is_given(store: AnyStore) -> None:
    """By when they finished, not by when they were made."""
    first, second = a_whole_job("a", 20), a_whole_job("b", 10, created_at=after(5))
    await store.put(first, expected=None)
    await store.put(second, expected=None)

    assert first == await store.put(a_job("x", key="k"), expected=None, fresh_since=NOON)


async def test_a_job_becomes_fresh_and_stops_being_it(store: AnyStore) -> None:
    """When it finishes; when its records tell that something is missing; when it is forgotten."""
    job = a_job("first", key="k", status=Status.RUNNING)
    await store.put(job, expected=None)
    assert await store.fresh(ACCOUNT, "k", NOON) is None

    whole = changed(job, status=Status.FINISHED, settled_at=after(1))
    await store.put(whole, expected=0)
    assert whole == await store.fresh(ACCOUNT, "k", NOON)

    partial = changed(whole, partial=True)
    await store.put(partial, expected=1)
    assert await store.fresh(ACCOUNT, "k", NOON) is None

    await store.put(changed(partial, partial=False, account=OTHER), expected=2)
    assert await store.fresh(ACCOUNT, "k", NOON) is None
    assert await store.fresh(OTHER, "k", NOON) is not None
    await store.forget("first")
    assert await store.fresh(OTHER, "k", NOON) is None


async def test_of_a_hundred_within_an_age_exactly_one_starts(store: AnyStore) -> None:
    """However they are mixed with the end of the first."""
    running = a_job("first", key="k", status=Status.RUNNING)
    await store.put(running, expected=None)
    whole = changed(running, status=Status.FINISHED, settled_at=after(1))
    jobs = [a_job(f"job-{number}", key="k") for number in range(50)]
    writes = [store.put(each, expected=None, fresh_since=NOON) for each in jobs]

    answers = await asyncio.gather(*writes[:25], store.put(whole, expected=0), *writes[25:])

    assert 1 == answers.count(None)
    assert ["first"] == await ids(store)


def joined(store: AnyStore) -> Store:
    return join_accounts(store, [(OTHER, ACCOUNT)])


async def test_a_name_is_one_under_all_names_of_an_account(store: AnyStore) -> None:
    """An account whose key was renewed has two names: who uses either is given the holder."""
    holder = a_job("first", once=("a",), status=Status.FAILED)
    await store.put(holder, expected=None)
    both = joined(store)

    assert holder == await both.put(a_job("second", account=OTHER, once=("a",)), expected=None)
    assert holder == await both.holder(OTHER, "a")
    other = a_job("third", account=OTHER, once=("b",))
    assert await both.put(other, expected=None) is None
    assert holder == await both.put(changed(other, once=("a", "b")), expected=0)
    assert await both.put(changed(other, polls=1), expected=0) is None
    assert other.id == getattr(await both.put(changed(holder, once=("a", "b")), expected=0), "id", None)


async def test_what_two_names_hold_alike_stays_writable(store: AnyStore) -> None:
    """However it came about: only a name that is taken anew is looked for."""
    ours, theirs = a_job("ours", once=("a",)), a_job("theirs", account=OTHER, once=("a",))
    await store.put(ours, expected=None)
    await store.put(theirs, expected=None)

    assert await joined(store).put(changed(theirs, polls=1), expected=0) is None


@pytest.mark.parametrize(("since", "is_given"), [(10, True), (10.000001, False)])
async def test_freshness_counts_under_all_names_of_an_account(store: AnyStore, since: float, is_given: bool) -> None:
    """What finished whole under the old name need not be paid again under the new one."""
    whole = a_whole_job("first", 10, key=task_key(ACCOUNT, Fetch()))
    await store.put(whole, expected=None)
    young = a_job("second", account=OTHER, key=task_key(OTHER, Fetch()))

    standing = await joined(store).put(young, expected=None, fresh_since=after(since))

    assert (whole if is_given else None) == standing
