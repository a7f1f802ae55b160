"""What every store promises when clocks are wrong: what a clock set that was ahead is not waited for."""

from __future__ import annotations

from datetime import timedelta

import pytest

from belvo_async.jobs import CLOCKS_DIFFER, Job
from tests.stores.conftest import AnyStore
from tests.stores.samples import ACCOUNT, NOON, OTHER, a_due_job, after, changed

DAY = 86_400.0


async def claimed(store: AnyStore, *, at: float, lease: float = 300, limit: int = 9, doubt: bool = True) -> list[str]:
    """The ids of the jobs that a worker gets whose clock shows so many seconds after noon."""
    latest = after(at) + CLOCKS_DIFFER if doubt else None
    jobs = await store.claim_due([ACCOUNT], now=after(at), until=after(at + lease), limit=limit, latest=latest)
    return [job.id for job in jobs]


def planned(job_id: str, *, due: float, at: float) -> Job:
    """A job that was last planned at one instant and is due at another."""
    return a_due_job(job_id, due, planned_at=after(at))


@pytest.mark.parametrize("step", [60, 3600, DAY, 365 * DAY], ids=["a minute", "an hour", "a day", "a year"])
async def test_a_poll_planned_by_a_clock_ahead_is_due(store: AnyStore, step: float) -> None:
    """Set back by any step, the clock never makes a job wait for its old time to come round."""
    await store.put(planned("job-1", due=step + 2, at=step), expected=None)

    assert ["job-1"] == await claimed(store, at=0)


@pytest.mark.parametrize("wait", [2, 300, 3600, 30 * DAY])
async def test_a_poll_planned_far_ahead_by_a_right_clock_is_not_due(store: AnyStore, wait: float) -> None:
    """However long the vendor asked to wait: it is not the distance that is doubted, but the clock."""
    await store.put(planned("job-1", due=wait, at=0), expected=None)

    assert [] == await claimed(store, at=0)
    assert [] == await claimed(store, at=wait - 1)
    assert ["job-1"] == await claimed(store, at=wait)


async def test_clocks_that_differ_a_little_are_believed(store: AnyStore) -> None:
    """Machines that keep time are seconds apart; none takes another's jobs for that."""
    seconds = CLOCKS_DIFFER.total_seconds()
    await store.put(planned("job-1", due=900, at=seconds), expected=None)

    assert [] == await claimed(store, at=0)
    assert ["job-1"] == await claimed(store, at=-1)


async def test_nothing_is_doubted_unless_asked_to(store: AnyStore) -> None:
    """Two workers whose clocks disagree leave each other's jobs alone for most of the time."""
    await store.put(planned("job-1", due=DAY + 2, at=DAY), expected=None)

    assert [] == await claimed(store, at=0, doubt=False)


async def test_a_doubtful_job_is_claimed_once(store: AnyStore) -> None:
    """It is leased like any other, and due again when its lease ends."""
    await store.put(planned("job-1", due=DAY + 2, at=DAY), expected=None)

    first = await claimed(store, at=0)
    second = await claimed(store, at=1)
    third = await claimed(store, at=300)

    assert (["job-1"], [], ["job-1"]) == (first, second, third)


async def test_the_lease_of_a_clock_ahead_hides_no_job(store: AnyStore) -> None:
    """A worker a day ahead claimed a job and died: the others need not wait for its day."""
    await store.put(planned("job-1", due=0, at=0), expected=None)
    assert ["job-1"] == await claimed(store, at=DAY)

    assert ["job-1"] == await claimed(store, at=60)
    assert [] == await claimed(store, at=120)


async def test_a_write_by_a_right_clock_is_believed_again(store: AnyStore) -> None:
    """Who polled a doubtful job plans it anew."""
    job = planned("job-1", due=DAY + 2, at=DAY)
    await store.put(job, expected=None)
    await claimed(store, at=0)
    await store.put(changed(job, next_poll=after(100), planned_at=after(1)), expected=job.version)

    assert [] == await claimed(store, at=99)
    assert ["job-1"] == await claimed(store, at=100)


async def test_due_jobs_come_before_doubtful_ones(store: AnyStore) -> None:
    """A limit leaves some for the next claim, and loses none."""
    for number in range(3):
        await store.put(planned(f"ahead-{number}", due=DAY + number, at=DAY), expected=None)
        await store.put(planned(f"due-{number}", due=-number, at=-60), expected=None)

    claims = [await claimed(store, at=0, limit=2) for _ in range(4)]

    assert [2, 2, 2, 0] == [len(claim) for claim in claims]
    assert {"due-0", "due-1", "due-2"} <= {job_id for claim in claims[:2] for job_id in claim}
    assert 6 == len({job_id for claim in claims for job_id in claim})


async def test_doubtful_jobs_are_their_accounts_own(store: AnyStore) -> None:
    """Each account's jobs are claimed by its own sessions, and ended or moved ones by nobody."""
    await store.put(a_due_job("other", DAY, planned_at=after(DAY), account=OTHER), expected=None)
    moved = planned("moved", due=DAY, at=DAY)
    await store.put(moved, expected=None)
    await store.put(changed(moved, account=OTHER), expected=0)
    gone = planned("gone", due=DAY, at=DAY)
    await store.put(gone, expected=None)
    await store.forget("gone")
    silent = planned("silent", due=DAY, at=DAY)
    await store.put(silent, expected=None)
    await store.put(changed(silent, next_poll=None), expected=0)

    assert [] == await claimed(store, at=0)
    others = await store.claim_due([OTHER], now=NOON, until=after(9), limit=9, latest=NOON)
    assert {"other", "moved"} == {job.id for job in others}


async def test_a_lease_of_a_clock_ahead_lasts_from_now(store: AnyStore) -> None:
    """Nobody takes it from its owner at once, and nobody waits longer than it was taken for."""
    hour = 3600.0
    await store.lease("lane", "ahead", now=after(DAY), until=after(DAY + hour))

    refused = await store.lease("lane", "ben", now=after(0), until=after(60))
    still = await store.lease("lane", "ben", now=after(hour - 1), until=after(hour + 60))
    free = await store.lease("lane", "ben", now=after(hour), until=after(hour + 60))

    assert (None, None) == (refused, still)
    assert free is not None


async def test_a_lease_that_a_clock_ahead_renews_is_kept(store: AnyStore) -> None:
    """An owner who is there keeps what it holds, whatever its clock shows."""
    token = await store.lease("lane", "ahead", now=after(DAY), until=after(DAY + 90))

    for seconds in range(0, 600, 30):
        assert token == await store.lease("lane", "ahead", now=after(DAY + seconds), until=after(DAY + seconds + 90))
        assert await store.lease("lane", "ben", now=after(seconds + 15), until=after(seconds + 100)) is None


async def test_a_right_clock_s_lease_may_be_as_long_as_it_likes(store: AnyStore) -> None:
    """Lanes are held until deadlines, which may be days away."""
    await store.lease("lane", "ana", now=NOON, until=NOON + timedelta(days=30))

    assert await store.lease("lane", "ben", now=after(29 * DAY), until=after(30 * DAY)) is None
    assert await store.lease("lane", "ben", now=after(30 * DAY), until=after(31 * DAY)) is not None
