"""What every store promises about jobs."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from belvo_async.errors import StoreError
from belvo_async.jobs import Job, Status
from belvo_async.stores.walks import SLICE
from tests.stores.conftest import AnyStore
from tests.stores.samples import ACCOUNT, NOON, OTHER, Fetch, a_due_job, a_job, after, changed, word

UUID = "a1b2c3d4-0000-4000-8000-00000000ABCD"


async def open_ids(store: AnyStore, *accounts: str, lane: str | None = None) -> list[str]:
    return [job.id async for job in store.open_jobs(accounts or None, lane=lane)]


async def test_a_new_job_is_read_back_whole(store: AnyStore) -> None:
    """What `get` gives equals what `put` took, task and all."""
    job = a_job(key="k", lane="l", remote_id=UUID, deadline=after(0.123456), next_poll=after(1))

    assert await store.put(job, expected=None) is None

    assert job == await store.get("job-1")


async def test_an_unknown_job_is_none(store: AnyStore) -> None:
    """Reading what was never written is no error."""
    assert await store.get("nobody") is None
    assert () == await store.find(ACCOUNT, "nobody")
    assert () == await store.timeline("nobody")


async def test_a_write_with_the_expected_version_replaces_the_job(store: AnyStore) -> None:
    """Compare and swap succeeds when nobody was faster."""
    job = a_job()
    await store.put(job, expected=None)
    newer = changed(job, status=Status.PENDING)

    assert await store.put(newer, expected=0) is None

    assert newer == await store.get(job.id)


async def test_a_late_writer_is_given_the_newer_version(store: AnyStore) -> None:
    """Compare and swap fails with the stored job and changes nothing."""
    job = a_job()
    newer = changed(job, status=Status.RUNNING)
    await store.put(job, expected=None)
    await store.put(newer, expected=0)

    standing = await store.put(changed(job, status=Status.PENDING), expected=0, observation=word())

    assert newer == standing
    assert newer == await store.get(job.id)
    assert () == await store.timeline(job.id)


async def test_of_a_hundred_writers_exactly_one_wins(store: AnyStore) -> None:
    """Concurrent writers with the same expectation exclude each other."""
    job = a_job()
    await store.put(job, expected=None)
    writes = [changed(job, polls=number) for number in range(100)]

    answers = await asyncio.gather(*(store.put(each, expected=0) for each in writes))

    winners = [each for each, answer in zip(writes, answers, strict=True) if answer is None]
    assert [await store.get(job.id)] == winners
    assert 99 == sum(answer == winners[0] for answer in answers)


async def test_of_a_hundred_equal_tasks_exactly_one_starts(store: AnyStore) -> None:
    """Equal tasks of one account share a job, however many start at once."""
    jobs = [a_job(f"job-{number}", key="same") for number in range(100)]

    answers = await asyncio.gather(*(store.put(each, expected=None) for each in jobs))

    assert 1 == answers.count(None)
    assert 1 == len({answer.id for answer in answers if answer is not None})


async def test_a_write_to_a_forgotten_job_is_refused(store: AnyStore) -> None:
    """There is no job to give back: only an error tells the writer."""
    job = a_job()
    await store.put(job, expected=None)
    await store.forget(job.id)

    with pytest.raises(StoreError, match="no longer kept"):
        await store.put(changed(job), expected=0)


async def test_an_id_is_used_once(store: AnyStore) -> None:
    """A new job never overwrites one with the same id; the same job again, a repeated call, is given what is kept."""
    job = a_job(key="k")
    await store.put(job, expected=None)
    newer = changed(job, status=Status.RUNNING)
    await store.put(newer, expected=0)

    assert newer == await store.put(a_job(key="k", polls=7), expected=None)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(a_job(key="k", task=Fetch(link="link-2")), id="another task"),
        pytest.param(a_job(key="other"), id="another key"),
        pytest.param(a_job(key=""), id="no key"),
        pytest.param(a_job(key="k", account=OTHER), id="another account"),
    ],
)
@pytest.mark.parametrize("has_ended", [False, True], ids=["open", "ended"])
async def test_a_taken_id_is_refused(store: AnyStore, other: Job, has_ended: bool) -> None:
    """Nobody is handed the job of another task as if it were theirs."""
    kept = a_job(key="k", status=Status.FINISHED if has_ended else Status.SUBMITTING)
    await store.put(kept, expected=None)

    with pytest.raises(StoreError, match="is taken"):
        await store.put(other, expected=None, observation=word())

    assert kept == await store.get(kept.id)
    assert () == await store.timeline(kept.id)


async def test_a_taken_id_harms_no_call_beside_it(store: AnyStore) -> None:
    """Calls that share a transaction fail alone; of two tasks under one id, the first has it."""
    answers = await asyncio.gather(
        store.put(a_job("one"), expected=None),
        store.put(a_job("one", task=Fetch(link="link-2")), expected=None),
        store.put(a_job("two"), expected=None),
        return_exceptions=True,
    )

    assert [type(None), StoreError, type(None)] == [type(answer) for answer in answers]
    assert Fetch() == (await store.get("one") or a_job(task=Fetch(link="none"))).task


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(a_job("first", key=""), id="without key"),
        pytest.param(a_job("first", key="k", account=OTHER), id="another account"),
        pytest.param(a_job("first", key="other"), id="another key"),
        pytest.param(a_job("first", key="k", status=Status.FINISHED), id="finished"),
        pytest.param(a_job("first", key="k", status=Status.UNCERTAIN, abandoned=True), id="abandoned"),
        pytest.param(a_job("first", key="k", status=Status.UNCERTAIN, superseded_by="x"), id="superseded"),
    ],
)
async def test_what_does_not_stand_in_the_way(store: AnyStore, first: Job) -> None:
    """Only an open job of the same account and key keeps an equal task from starting."""
    await store.put(first, expected=None)

    assert await store.put(a_job("second", key=first.key and "k"), expected=None) is None


async def test_a_settled_job_makes_room_for_an_equal_task(store: AnyStore) -> None:
    """Once a job has ended, the same task may be fired again."""
    job = a_job(key="k")
    await store.put(job, expected=None)
    assert job == await store.put(a_job("second", key="k"), expected=None)

    await store.put(changed(job, status=Status.FAILED), expected=0)

    assert await store.put(a_job("second", key="k"), expected=None) is None


async def test_an_ended_job_keeps_its_status(store: AnyStore) -> None:
    """The last fence of "exactly one outcome": late facts are written, another end is not."""
    job = a_job(status=Status.FINISHED)
    await store.put(job, expected=None)
    fuller = changed(job, partial=True, conflicts=1)
    await store.put(fuller, expected=0)

    with pytest.raises(StoreError, match="ended as finished"):
        await store.put(changed(fuller, status=Status.FAILED), expected=1)

    assert fuller == await store.get(job.id)


async def test_ids_are_compared_in_normal_form(store: AnyStore) -> None:
    """A vendor writes one id with and without dashes."""
    job = a_job(remote_id=UUID)
    await store.put(job, expected=None)

    assert (job,) == await store.find(ACCOUNT, UUID.replace("-", "").upper())
    assert () == await store.find(OTHER, UUID)


async def test_all_jobs_with_one_remote_id_are_found_oldest_first(store: AnyStore) -> None:
    """Two jobs may share a vendor's id: an adopted one and the one that was resubmitted."""
    younger, older = a_job("a", remote_id="r", created_at=after(9)), a_job("b", remote_id="r")
    await store.put(younger, expected=None)
    await store.put(older, expected=None)

    assert (older, younger) == await store.find(ACCOUNT, "r")


async def test_a_remote_id_learned_later_is_found(store: AnyStore) -> None:
    """The index follows the job, and forgets with it."""
    job = a_job()
    await store.put(job, expected=None)
    known = changed(job, remote_id="r")
    await store.put(known, expected=0)

    assert (known,) == await store.find(ACCOUNT, "r")
    assert await store.forget(job.id)
    assert () == await store.find(ACCOUNT, "r")
    assert not await store.forget(job.id)


async def test_open_jobs_come_oldest_first(store: AnyStore) -> None:
    """Ended and abandoned jobs are left out; accounts and lanes narrow the walk."""
    for job in (
        a_job("young", created_at=after(2), lane="l"),
        a_job("old", created_at=after(0), lane="m"),
        a_job("middle", created_at=after(1), lane="l", account=OTHER),
        a_job("ended", status=Status.FINISHED, lane="l"),
        a_job("abandoned", status=Status.UNCERTAIN, abandoned=True, lane="l"),
    ):
        await store.put(job, expected=None)

    assert ["old", "middle", "young"] == await open_ids(store)
    assert ["old", "young"] == await open_ids(store, ACCOUNT)
    assert ["middle", "young"] == await open_ids(store, lane="l")
    assert ["young"] == await open_ids(store, ACCOUNT, lane="l")
    assert [] == [job async for job in store.open_jobs(())]


async def test_a_walk_begins_before_every_clock(store: AnyStore) -> None:
    """A job whose creator's clock had lost its battery is walked over as well."""
    early = a_job("early", created_at=datetime(1969, 12, 31, tzinfo=UTC))
    ended = a_job("ended", created_at=early.created_at, status=Status.FINISHED, settled_at=early.created_at)
    await store.put(early, expected=None)
    await store.put(ended, expected=None)

    assert [early] == [job async for job in store.open_jobs()]
    assert [ended] == [job async for job in store.ended_jobs(before=NOON)]


async def test_the_walk_over_open_jobs_stands_changes(store: AnyStore) -> None:
    """A consumer may write while it walks: nothing is locked, each job comes once, ended ones drop out."""
    jobs = [a_job(f"{number:04}", created_at=after(number // 3)) for number in range(SLICE + 44)]
    await asyncio.gather(*(store.put(each, expected=None) for each in jobs))
    walked: list[str] = []

    async for job in store.open_jobs():
        walked.append(job.id)
        await store.put(changed(job, polls=1), expected=0)
        if len(walked) == 1:
            await store.put(changed(jobs[-1], status=Status.FINISHED), expected=0)

    assert [job.id for job in jobs[:-1]] == walked


async def ended_ids(store: AnyStore, *accounts: str, before: datetime) -> list[str]:
    return [job.id async for job in store.ended_jobs(accounts or None, before=before)]


async def test_ended_jobs_come_oldest_first(store: AnyStore) -> None:
    """Whatever is not open is listed, abandoned searches too; accounts narrow the walk."""
    for job in (
        a_job("young", created_at=after(2), status=Status.FINISHED, settled_at=after(3)),
        a_job("old", created_at=after(0), status=Status.FAILED, settled_at=after(1), lane="l"),
        a_job("middle", created_at=after(1), status=Status.STOPPED, account=OTHER),
        a_job("abandoned", created_at=after(3), status=Status.UNCERTAIN, abandoned=True),
        a_job("open", created_at=after(0)),
    ):
        await store.put(job, expected=None)

    assert ["old", "middle", "young", "abandoned"] == await ended_ids(store, before=after(99))
    assert ["middle"] == await ended_ids(store, OTHER, before=after(99))
    assert [] == [job async for job in store.ended_jobs((), before=after(99))]


async def test_what_ended_later_is_left_out(store: AnyStore) -> None:
    """An old job that ended a moment ago may still be waited for."""
    late = a_job("late", status=Status.FINISHED, settled_at=after(50))
    early = a_job("early", status=Status.FINISHED, settled_at=after(9))
    young = a_job("young", created_at=after(10), status=Status.REJECTED)
    await asyncio.gather(*(store.put(each, expected=None) for each in (late, early, young)))

    assert ["early"] == await ended_ids(store, before=after(10))
    assert [] == await ended_ids(store, before=NOON)


async def test_a_job_joins_the_ended_ones_and_leaves_them(store: AnyStore) -> None:
    """By ending, and by being found again after its search was given up."""
    job = a_job(status=Status.UNCERTAIN)
    await store.put(job, expected=None)
    assert [] == await ended_ids(store, before=after(9))
    given_up = changed(job, abandoned=True)
    await store.put(given_up, expected=0)
    assert [job.id] == await ended_ids(store, before=after(9))

    await store.put(changed(given_up, abandoned=False, status=Status.RUNNING), expected=1)

    assert [] == await ended_ids(store, before=after(9))
    assert [job.id] == await open_ids(store)


async def test_the_walk_over_ended_jobs_stands_forgetting(store: AnyStore) -> None:
    """Pruning forgets what the walk has just yielded: each job comes once, none is left out."""
    jobs = [
        a_job(f"{number:04}", created_at=after(number // 3), status=Status.FINISHED) for number in range(SLICE + 44)
    ]
    await asyncio.gather(*(store.put(each, expected=None) for each in jobs))
    walked: list[str] = []

    async for job in store.ended_jobs(before=after(1000)):
        walked.append(job.id)
        assert await store.forget(job.id)

    assert [job.id for job in jobs] == walked
    assert [] == await ended_ids(store, before=after(1000))


async def test_jobs_that_are_due_together_are_claimed_by_age(store: AnyStore) -> None:
    """A vendor lists jobs by age: those of one claim stand near each other there, however many are due."""
    ages = [3, 0, 5, 1, 4, 2]
    for number, age in enumerate(ages):
        await store.put(a_due_job(f"job-{number}", 1, created_at=after(-age)), expected=None)

    for expected in ([5, 4], [3, 2], [1, 0]):
        claimed = await store.claim_due([ACCOUNT], now=after(10), until=after(40), limit=2)
        assert expected == [ages[int(job.id[-1])] for job in claimed]
    # After a lease it is as before.
    again = await store.claim_due([ACCOUNT], now=after(60), until=after(99), limit=3)
    assert [5, 4, 3] == [ages[int(job.id[-1])] for job in again]


async def test_due_jobs_are_claimed_once(store: AnyStore) -> None:
    """Earliest first, at most `limit`, and invisible to others until the lease ends."""
    for number, seconds in enumerate((3, 1, 2, 60)):
        await store.put(a_due_job(f"job-{number}", seconds), expected=None)
    now = after(10)

    first = await store.claim_due([ACCOUNT], now=now, until=after(40), limit=2)
    rest = await store.claim_due([ACCOUNT], now=now, until=after(40), limit=9)
    none = await store.claim_due([ACCOUNT], now=now, until=after(40), limit=9)

    assert ["job-1", "job-2"] == [job.id for job in first]
    assert ["job-0"] == [job.id for job in rest]
    assert [] == none
    assert after(40) == await store.next_due([ACCOUNT])
    assert 4 == len(await store.claim_due([ACCOUNT], now=after(60), until=after(99), limit=9))


async def test_concurrent_claims_share_no_job(store: AnyStore) -> None:
    """Two processes never poll the same job."""
    await asyncio.gather(*(store.put(a_due_job(f"{number}", 0), expected=None) for number in range(100)))

    claims = await asyncio.gather(*(store.claim_due([ACCOUNT], now=NOON, until=after(30), limit=7) for _ in range(20)))

    assert 100 == len({job.id for claim in claims for job in claim}) == sum(map(len, claims))


@pytest.mark.parametrize(
    "job",
    [
        pytest.param(a_job(), id="without next_poll"),
        pytest.param(a_due_job("x", 0, account=OTHER), id="of another account"),
        pytest.param(a_job(status=Status.FINISHED, next_poll=NOON), id="ended"),
        pytest.param(a_job(status=Status.UNCERTAIN, abandoned=True, next_poll=NOON), id="abandoned"),
    ],
)
async def test_what_is_never_claimed(store: AnyStore, job: Job) -> None:
    """Only open jobs of the asked accounts that want a poll are due."""
    await store.put(job, expected=None)

    assert [] == await store.claim_due([ACCOUNT], now=after(99), until=after(100), limit=9)
    assert await store.next_due([ACCOUNT]) is None


async def test_a_written_job_is_no_longer_leased(store: AnyStore) -> None:
    """Writing is how a claimer gives a job back."""
    job = a_due_job("job-1", 0)
    await store.put(job, expected=None)
    await store.claim_due([ACCOUNT], now=NOON, until=after(3600), limit=1)
    later = changed(job, next_poll=after(5))

    await store.put(later, expected=0)

    assert after(5) == await store.next_due([ACCOUNT, OTHER])
    assert [later] == await store.claim_due([ACCOUNT], now=after(5), until=after(6), limit=1)


async def test_a_job_stays_leased_where_that_is_asked_for(store: AnyStore) -> None:
    """Whoever else changes something of a job that is being polled must not have it polled twice."""
    job = a_due_job("job-1", 0)
    await store.put(job, expected=None)
    await store.claim_due([ACCOUNT], now=NOON, until=after(30), limit=1)
    promised = changed(job, deadline=after(3600))

    await store.put(promised, expected=0, keeps_lease=True)

    assert promised == await store.get(job.id)
    assert [] == await store.claim_due([ACCOUNT], now=after(29), until=after(60), limit=9)
    assert after(30) == await store.next_due([ACCOUNT])
    assert [promised] == await store.claim_due([ACCOUNT], now=after(30), until=after(60), limit=9)


async def test_a_lease_is_kept_where_there_is_one(store: AnyStore) -> None:
    """A job that nobody has claimed is due as it was; one that is open no more is never due."""
    due, ended = a_due_job("job-1", 5), a_due_job("job-2", 0)
    for job in (due, ended):
        await store.put(job, expected=None)
    await store.claim_due([ACCOUNT], now=NOON, until=after(30), limit=1)

    await store.put(changed(due, deadline=after(3600)), expected=0, keeps_lease=True)
    await store.put(changed(ended, status=Status.FINISHED), expected=0, keeps_lease=True)

    assert after(5) == await store.next_due([ACCOUNT])
    assert ["job-1"] == [job.id for job in await store.claim_due([ACCOUNT], now=after(99), until=after(200), limit=9)]


async def test_a_lease_kept_by_some_writes_ends_with_the_one_that_plans_anew(store: AnyStore) -> None:
    """However many calls are made at once, and whatever is written together."""
    job = a_due_job("job-1", 0)
    await store.put(job, expected=None)
    await store.claim_due([ACCOUNT], now=NOON, until=after(3600), limit=1)
    versions = [
        changed(job, version=1, deadline=after(60)),
        changed(job, version=2, deadline=after(60), next_poll=after(5)),
        changed(job, version=3, deadline=after(90), next_poll=after(5)),
    ]

    puts = [store.put(each, expected=each.version - 1, keeps_lease=each.version != 2) for each in versions]
    assert [None] * 3 == await asyncio.gather(*puts)

    assert after(5) == await store.next_due([ACCOUNT])


async def test_several_jobs_are_written_by_one_call(store: AnyStore) -> None:
    """Each if it has the version before, and with its lease ended; of those that are gone nothing is told."""
    jobs = [a_due_job(f"job-{number}", 0) for number in range(5)]
    for job in jobs[:4]:
        await store.put(job, expected=None)
    await store.claim_due([ACCOUNT], now=NOON, until=after(3600), limit=9)
    newer = changed(jobs[1], deadline=after(60))
    await store.put(newer, expected=0, keeps_lease=True)

    standing = await store.put_all([changed(job, next_poll=after(7)) for job in jobs])

    assert [newer] == standing
    assert await store.get("job-4") is None
    claimed = await store.claim_due([ACCOUNT], now=after(7), until=after(9), limit=9)
    assert ["job-0", "job-2", "job-3"] == [job.id for job in claimed]
    assert [1, 1, 1] == [job.version for job in claimed]
    assert () == await store.timeline("job-0")
    assert [] == await store.put_all([])


async def test_the_same_instant_again_is_due_again(store: AnyStore) -> None:
    """A job put back unchanged after its claim is due as before, once."""
    job = a_due_job("job-1", 0)
    await store.put(job, expected=None)
    await store.claim_due([ACCOUNT], now=NOON, until=after(30), limit=1)
    await store.put(changed(job), expected=0)

    claimed = await store.claim_due([ACCOUNT], now=NOON, until=after(30), limit=9)

    assert [1] == [each.version for each in claimed]


async def test_the_timeline_keeps_the_last_two_hundred(store: AnyStore) -> None:
    """Observations come back in the order they were written, the oldest are dropped."""
    job = a_job()
    await store.put(job, expected=None)
    seen = [word(at=NOON + timedelta(seconds=number)) for number in range(205)]

    for number, each in enumerate(seen):
        await store.put(changed(job, version=number + 1), expected=number, observation=each)

    assert tuple(seen[5:]) == await store.timeline(job.id)


async def test_a_forgotten_job_takes_its_timeline_along(store: AnyStore) -> None:
    """Nothing is left that a new job of the same id could inherit."""
    await store.put(a_job(), expected=None, observation=word())
    await store.forget("job-1")

    await store.put(a_job(), expected=None)

    assert () == await store.timeline("job-1")


async def test_who_stands_in_the_way_can_be_asked(store: AnyStore) -> None:
    """The oldest open job with the account and key; never one that ended, nor of another account."""
    await store.put(a_job("over", key="k", status=Status.FINISHED), expected=None)
    await store.put(a_job("one", key="k", status=Status.PENDING), expected=None)
    await store.put(a_job("foreign", key="k2", account=OTHER), expected=None)

    assert a_job("one", key="k", status=Status.PENDING) == await store.standing(ACCOUNT, "k")
    assert await store.standing(OTHER, "k") is None
    assert await store.standing(ACCOUNT, "k2") is None
    assert await store.standing(ACCOUNT, "") is None


@pytest.mark.parametrize("account", [ACCOUNT, "ümlaut \\0 \\\\ #1", "nul \0 \\"], ids=["plain", "escapes", "nul"])
async def test_jobs_are_counted_by_account(store: AnyStore, account: str) -> None:
    """Open ones, or those that are not; accounts without any are left out."""
    assert {} == await store.count_jobs()
    jobs = [a_job(f"open-{number:03}", account=account, created_at=after(number)) for number in range(300)]
    await asyncio.gather(*(store.put(each, expected=None) for each in jobs))
    await store.put(a_job("theirs", account=OTHER, status=Status.FINISHED), expected=None)
    await store.put(a_job("given up", account=account, status=Status.UNCERTAIN, abandoned=True), expected=None)
    await store.forget("open-007")

    assert {account: 299} == await store.count_jobs()
    assert {account: 1, OTHER: 1} == await store.count_jobs(ended=True)


async def test_a_job_may_change_its_account(store: AnyStore) -> None:
    """Everything that asks by account finds it under the new one only, also after two changes."""
    job = a_due_job("moved", 0, key="k", remote_id=UUID)
    await store.put(job, expected=None)
    for account in (OTHER, ACCOUNT, OTHER):
        moved = changed(job, account=account)
        assert await store.put(moved, expected=job.version) is None
        job = moved

    assert ((), (job,)) == (await store.find(ACCOUNT, UUID), await store.find(OTHER, UUID))
    assert ([], ["moved"]) == (await open_ids(store, ACCOUNT), await open_ids(store, OTHER))
    assert (None, job) == (await store.standing(ACCOUNT, "k"), await store.standing(OTHER, "k"))
    assert (None, after(0)) == (await store.next_due([ACCOUNT]), await store.next_due([OTHER]))
    assert [] == await store.claim_due([ACCOUNT], now=NOON, until=after(60), limit=9)
    assert [job] == await store.claim_due([OTHER, ACCOUNT], now=NOON, until=after(60), limit=9)
    assert [] == await store.claim_due([OTHER, ACCOUNT], now=NOON, until=after(60), limit=9)


async def test_a_cancelled_caller_disturbs_nobody(store: AnyStore) -> None:
    """The others of its batch are answered; its own write is done or not done as a whole."""
    impatient = asyncio.create_task(store.put(a_job("one"), expected=None))
    patient = asyncio.create_task(store.put(a_job("two"), expected=None))
    await asyncio.sleep(0)
    impatient.cancel()

    assert await patient is None
    assert a_job("one") == await store.get("one")
    assert impatient.cancelled() or impatient.done()
