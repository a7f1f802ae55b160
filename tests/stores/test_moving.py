"""Moving an account, on every store."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from belvo_async.abc import Entry
from belvo_async.errors import StoreError
from belvo_async.jobs import PROOF, Job, Status, UnknownTask, decode_job, task_key
from belvo_async.stores import Moved, move_account
from tests.stores.conftest import AnyStore
from tests.stores.samples import ACCOUNT, NOON, OTHER, Fetch, a_job, after, changed, proving, word

TARGET = "https://sandbox.example#acme"
REMOTE = "0a" * 16


def kept(job_id: str, link: str = "link-1", **facts: Any) -> Job:
    """A job as the tracker keeps it: with its key, in the lane of its link."""
    task = Fetch(link=link)
    usual = {"task": task, "key": task_key(ACCOUNT, task), "lane": f"{ACCOUNT}/link:{link}"}
    return a_job(job_id, **(usual | facts))


async def test_everything_of_an_account_moves(store: AnyStore) -> None:
    """Open and ended jobs, their keys, lanes and timelines, what is parked; nothing of another account."""
    running = kept("running", status=Status.PENDING, remote_id=REMOTE, attempted_at=NOON, next_poll=after(5))
    await store.put(running, expected=None)
    await store.put(changed(running, polls=1), expected=0, observation=word(status=Status.PENDING))
    await store.put(kept("ended", link="link-2", status=Status.FINISHED, settled_at=NOON), expected=None)
    await store.put(a_job("theirs", account=OTHER, status=Status.PENDING), expected=None)
    await store.park(ACCOUNT, word(remote_id="0b" * 16, delivery_id="d"))

    assert Moved(1, 1, 1) == await move_account(store, ACCOUNT, TARGET, now=NOON)

    assert {TARGET: 1, OTHER: 1} == await store.count_jobs()
    assert {TARGET: 1} == await store.count_jobs(ended=True)
    assert ["running"] == [job.id for job in await store.find(TARGET, REMOTE)]
    assert "running" == (await standing(store, Fetch(link="link-1"))).id
    assert ["running"] == [job.id async for job in store.open_jobs(lane=f"{TARGET}/link:link-1")]
    assert 1 == len(await store.timeline("running"))
    assert after(5) == await store.next_due([TARGET])
    assert ((), 1) == (await store.parked(ACCOUNT), len(await store.parked(TARGET)))
    assert Moved(0, 0, 0) == await move_account(store, ACCOUNT, TARGET, now=NOON)


async def standing(store: AnyStore, task: Fetch) -> Job:
    found = await store.standing(TARGET, task_key(TARGET, task))
    assert found is not None
    return found


async def test_a_request_under_way_keeps_its_lane(store: AnyStore) -> None:
    """Under its new name it is busy until the job's deadline, under the old one it is free; a queued job takes none."""
    lane = f"{ACCOUNT}/link:link-1"
    sending = kept("sending", attempted_at=NOON, deadline=after(3600))
    await store.put(sending, expected=None)
    await store.put(kept("queued", link="link-2"), expected=None)
    await store.lease(lane, "sending", now=NOON, until=after(3600))

    await move_account(store, ACCOUNT, TARGET, now=NOON)

    assert await store.lease(f"{TARGET}/link:link-1", "next", now=after(3599), until=after(9999)) is None
    assert await store.lease(f"{TARGET}/link:link-2", "next", now=NOON, until=after(1)) is not None
    assert await store.lease(lane, "next", now=NOON, until=after(1)) is not None


async def test_writers_and_the_move_do_not_lose_each_other(store: AnyStore) -> None:
    """Jobs that are written all the while end up moved, with what was written last."""
    jobs = [kept(f"job-{number}", link=f"link-{number}", status=Status.PENDING) for number in range(20)]
    for job in jobs:
        await store.put(job, expected=None)

    async def poll_five_times(job: Job) -> None:
        polls = 0
        while polls < 5:
            polled = changed(job, polls=polls + 1)
            other = await store.put(polled, expected=job.version)
            job, polls = (polled, polls + 1) if other is None else (other, polls)

    await asyncio.gather(*(poll_five_times(job) for job in jobs), move_account(store, ACCOUNT, TARGET, now=NOON))

    found = [job async for job in store.open_jobs()]
    assert {(TARGET, 5)} == {(job.account, job.schedule.polls) for job in found}
    assert len(jobs) == len(found)


async def test_an_equal_job_of_the_other_account_stays_beside(store: AnyStore) -> None:
    """Both were started: neither is lost, and a new one joins the older."""
    task = Fetch(link="link-1")
    await store.put(kept("ours", status=Status.PENDING), expected=None)
    await store.put(
        kept("theirs", account=TARGET, key=task_key(TARGET, task), created_at=after(1), status=Status.PENDING),
        expected=None,
    )

    assert Moved(1, 0, 0) == await move_account(store, ACCOUNT, TARGET, now=NOON)

    assert {TARGET: 2} == await store.count_jobs()
    assert "ours" == (await standing(store, task)).id


def test_a_task_of_an_unknown_type_keeps_its_key() -> None:
    """Whoever moves a job need not know its vendor: the key is the one its session would give it."""
    task = Fetch(link="link-1")
    unknown = UnknownTask(stored_kind="test.Fetch", body=msgspec.Raw(msgspec.json.encode(task)))

    assert task_key(TARGET, task) == task_key(TARGET, unknown)


async def test_more_than_a_slice_moves(store: AnyStore) -> None:
    """However many there are."""
    await asyncio.gather(*(store.put(a_job(f"job-{number:03}"), expected=None) for number in range(600)))

    assert Moved(600, 0, 0) == await move_account(store, ACCOUNT, TARGET, now=NOON)

    assert {TARGET: 600} == await store.count_jobs()


async def test_names_and_freshness_move(store: AnyStore) -> None:
    """Under the new account the same names give the same jobs, and what finished whole is fresh; no longer before."""
    task = Fetch(link="link-1")
    ended = kept("ended", status=Status.FINISHED, settled_at=after(5), once=("a", "b"), tags={"tenant": "acme"})
    await store.put(ended, expected=None)

    await move_account(store, ACCOUNT, TARGET, now=NOON)

    for name in ("a", "b"):
        assert "ended" == getattr(await store.holder(TARGET, name), "id", None)
        assert await store.holder(ACCOUNT, name) is None
    assert {"tenant": "acme"} == getattr(await store.fresh(TARGET, task_key(TARGET, task), NOON), "tags", None)
    assert await store.fresh(ACCOUNT, task_key(ACCOUNT, task), NOON) is None


async def test_a_name_of_the_other_account_stays_its_own(store: AnyStore) -> None:
    """Both were started: neither is lost; who uses the name is given the one that had it there."""
    await store.put(kept("ours", status=Status.PENDING, once=("a", "b")), expected=None)
    await store.put(kept("theirs", account=TARGET, key="", status=Status.PENDING, once=("b",)), expected=None)

    assert Moved(1, 0, 0) == await move_account(store, ACCOUNT, TARGET, now=NOON)

    found = {job.id: job.once async for job in store.open_jobs([TARGET])}
    assert {"ours": ("a",), "theirs": ("b",)} == found
    assert "theirs" == getattr(await store.holder(TARGET, "b"), "id", None)


async def test_entries_move(store: AnyStore) -> None:
    """Of every kind; a proof names its new account; what the other account has in the same place stays."""
    await store.put(proving("proven", tags={"tenant": "acme"}), expected=None)
    await store.forget("proven", keep_proof=True)
    ours = [Entry(ACCOUNT, "receipt", f"{number:03}", b"ours") for number in range(300)]
    theirs = Entry(TARGET, "receipt", "007", b"theirs")
    await store.enter([*ours, theirs, Entry(OTHER, "receipt", "x", b"other")])

    assert Moved(0, 0, 0, 301) == await move_account(store, ACCOUNT, TARGET, now=NOON)

    assert [] == [each async for each in store.entries(None, [ACCOUNT])]
    moved = [each async for each in store.entries("receipt", [TARGET])]
    assert [each.key for each in ours] == [each.key for each in moved]
    assert [theirs] == [each for each in moved if each.document != b"ours"]
    (proof,) = [decode_job(each.document) async for each in store.entries(PROOF)]
    assert (TARGET, task_key(TARGET, proof.task)) == (proof.account, proof.key)


async def test_a_proof_that_cannot_be_read_stays(store: AnyStore) -> None:
    """It cannot be given its new account; it is told, without its content, and is still there."""
    newer = Entry(ACCOUNT, PROOF, "newer", b'{"RFC of somebody": 1}')
    await store.enter([newer])

    with pytest.raises(StoreError, match="a stored proof cannot be read") as raised:
        await move_account(store, ACCOUNT, TARGET, now=NOON)

    assert "RFC" not in str(raised.value)
    assert [newer] == [each async for each in store.entries(PROOF)]
