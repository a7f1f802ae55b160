"""What every store promises of its park: found by what it is about, bounded, and strangers go first."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from belvo_async.jobs import Job, Observation, Reported, Seen, Status
from belvo_async.stores.joined import join_accounts
from belvo_async.stores.rules import Bounds
from tests.stores.conftest import AnyStore, MakeStore
from tests.stores.samples import ACCOUNT, NOON, OTHER, Fetch, a_job, after, changed, report, word

LINK = "a1b2c3d4-0000-4000-8000-00000000abcd"
BARE_LINK = LINK.replace("-", "").upper()
SMALL = Bounds(count=10, limit_bytes=10**6)


def early(number: int, subject: str | None = LINK, **facts: Any) -> Seen:
    """A delivery that answers an asynchronous POST of a link."""
    usual = {"remote_id": f"r{number}", "at": after(number), "subject": subject, "resource": "INVOICES"}
    return word(**(usual | {"adoptable": subject is not None} | facts))


def early_report(number: int, subject: str | None = LINK) -> Reported:
    """A delivery that reports what a link's refresh brought."""
    return report(remote_id=f"r{number}", at=after(number), subject=subject)


def nameless(job_id: str = "nameless", link: str = BARE_LINK, **facts: Any) -> Job:
    """A submission that may have been accepted."""
    usual: dict[str, Any] = {"status": Status.UNCERTAIN, "attempted_at": NOON, "task": Fetch(link=link)}
    return a_job(job_id, **(usual | facts))


SENT = {"status": Status.SUBMITTING, "attempted_at": NOON}


@pytest.mark.parametrize(
    ("facts", "is_nameless"),
    [
        pytest.param({}, True, id="uncertain"),
        pytest.param(SENT, True, id="on its way"),
        pytest.param({"status": Status.SUBMITTING, "attempted_at": None}, False, id="queued"),
        pytest.param({"remote_id": "r"}, False, id="named"),
        pytest.param({"abandoned": True}, False, id="given up"),
        pytest.param({"status": Status.REJECTED}, False, id="refused"),
        pytest.param({"account": OTHER}, False, id="of another account"),
        pytest.param({"task": Fetch(link="link-2")}, False, id="of another subject"),
    ],
)
async def test_jobs_without_a_name_are_found_by_subject(
    store: AnyStore, facts: dict[str, Any], is_nameless: bool
) -> None:
    """Only those the vendor may have started under an id nobody knows yet."""
    job = nameless(**facts)
    await store.put(job, expected=None)

    expected = (job,) if is_nameless else ()

    assert expected == await store.nameless_jobs(ACCOUNT, subject=LINK, resource="INVOICES")
    assert expected == await store.nameless_jobs(ACCOUNT, subject=LINK)
    assert () == await store.nameless_jobs(ACCOUNT, subject=LINK, resource="TAX_RETURNS")
    assert () == await store.nameless_jobs(ACCOUNT, subject="elsewhere")


async def test_a_job_is_nameless_only_for_a_while(store: AnyStore) -> None:
    """From the first byte until its id is known, by whichever version; a forgotten one never."""
    queued = nameless(status=Status.SUBMITTING, attempted_at=None)
    sent = changed(queued, attempted_at=NOON)
    named = changed(sent, status=Status.PENDING, remote_id="r")
    found = []
    for job, expected in ((queued, None), (sent, 0), (named, 1)):
        await store.put(job, expected=expected)
        found.append(await store.nameless_jobs(ACCOUNT))

    await store.put(nameless("other", created_at=after(1)), expected=None)
    await store.put(nameless("first"), expected=None)
    both = await store.nameless_jobs(ACCOUNT, subject=LINK)
    await store.forget("other")

    assert [(), (sent,), ()] == found
    assert ["first", "other"] == [job.id for job in both]
    assert ["first"] == [job.id for job in await store.nameless_jobs(ACCOUNT)]


async def test_what_could_be_adopted_is_found_by_subject_and_resource(store: AnyStore) -> None:
    """In normal form, from an instant on, oldest first, as many as are asked for."""
    fitting = [early(number) for number in (3, 1, 2)]
    others = [
        early(4, resource="TAX_RETURNS"),
        early(5, adoptable=False),
        early(6, subject="link-2"),
        early(7, subject=None),
    ]
    for seen in (*fitting, *others):
        await store.park(ACCOUNT, seen)
    await store.park(OTHER, early(8))

    async def adoptable(seconds: float = 0, limit: int = 9) -> list[str | None]:
        found = await store.adoptable(
            ACCOUNT, subject=BARE_LINK, resource="INVOICES", since=after(seconds), limit=limit
        )
        return [seen.remote_id for seen in found]

    assert ["r1", "r2", "r3"] == await adoptable()
    assert ["r2", "r3"] == await adoptable(seconds=2)
    assert ["r1", "r2"] == await adoptable(limit=2)
    await store.unpark(ACCOUNT, fitting[:2])
    assert ["r2"] == await adoptable()


async def test_what_is_parked_is_found_by_many_ids_and_by_age(store: AnyStore) -> None:
    """Ids in normal form; `before` leaves out the instant itself."""
    seen = [early(number, remote_id=each) for number, each in enumerate((LINK, "x", "y", LINK))]
    for each in seen:
        await store.park(ACCOUNT, each)

    assert (seen[0], seen[1], seen[3]) == await store.parked_about(ACCOUNT, [BARE_LINK, "x", "never", LINK])
    assert () == await store.parked_about(ACCOUNT, [])
    assert () == await store.parked_about(OTHER, ["x"])
    assert tuple(seen[:2]) == await store.parked(ACCOUNT, before=after(2))
    assert tuple(seen[:1]) == await store.parked(ACCOUNT, before=after(2), limit=1)
    assert tuple(seen[:1]) == await store.parked(ACCOUNT, LINK, before=after(3))


async def flood(store: AnyStore, count: int = 20, *, start: int = 1000, account: str = ACCOUNT, **facts: Any) -> None:
    for number in range(start, start + count):
        await store.park(account, early(number, **({"subject": "a stranger's"} | facts)))


async def flood_with_reports(store: AnyStore, count: int = 20, *, start: int = 1000) -> None:
    for number in range(start, start + count):
        await store.park(ACCOUNT, early_report(number, "a stranger's"))


@pytest.mark.parametrize(
    ("job", "awaited"),
    [
        pytest.param(nameless(), early(1), id="uncertain"),
        pytest.param(nameless(**SENT), early(1), id="on its way"),
        pytest.param(nameless(**SENT), early(1, adoptable=False, resource=None), id="of any resource"),
        pytest.param(nameless(**SENT), early(1, subject=None, resource=None), id="of any subject"),
        pytest.param(nameless(**SENT), early_report(1), id="a report"),
        pytest.param(a_job(status=Status.PENDING, remote_id=LINK), early(1, remote_id=BARE_LINK), id="by its id"),
    ],
)
async def test_a_flood_evicts_nothing_that_could_be_claimed(
    make_store: MakeStore, job: Job, awaited: Observation
) -> None:
    """Before, in the middle of and behind it: while there are strangers, they go."""
    async with make_store(parked=SMALL) as store:
        await store.put(job, expected=None)
        await flood(store, 8)
        await store.park(ACCOUNT, awaited)

        await flood(store, 20, start=2000)
        await flood(store, 20, start=3000, account=OTHER, subject=LINK)
        await flood_with_reports(store, 20, start=4000)
        await flood(store, 20, start=5000, subject=LINK, resource="TAX_RETURNS") if job.is_nameless else None

        assert awaited in await store.parked(ACCOUNT)
        kept = len(await store.parked(ACCOUNT)) + len(await store.parked(OTHER))
        assert SMALL.count - 1 <= kept <= SMALL.count


async def test_a_park_full_of_what_is_awaited_takes_no_stranger(make_store: MakeStore) -> None:
    """The stranger that comes is the only one there is to go."""
    async with make_store(parked=SMALL) as store:
        await store.put(nameless(), expected=None)
        awaited = tuple(early(number) for number in range(10))
        for seen in awaited:
            await store.park(ACCOUNT, seen)

        await flood(store)
        await flood(store, account=OTHER)

        assert awaited == await store.parked(ACCOUNT)
        assert () == await store.parked(OTHER)


async def test_of_what_is_awaited_the_most_gives_way(make_store: MakeStore) -> None:
    """A flood about one submission does not push out what waits for another."""
    async with make_store(parked=SMALL) as store:
        await store.put(nameless(), expected=None)
        await store.put(nameless("two", link="link-2"), expected=None)
        one, two = early(1), early(2, subject="link-2")
        await store.park(ACCOUNT, one)
        await store.park(ACCOUNT, two)

        await flood(store, 100, subject="link-2")

        kept = await store.parked(ACCOUNT)
        assert one in kept
        assert two not in kept
        assert early(1099, subject="link-2") in kept


async def test_what_was_awaited_becomes_a_stranger(make_store: MakeStore) -> None:
    """Once its submission is named, refused or forgotten, nobody could claim it."""
    async with make_store(parked=SMALL) as store:
        job = nameless()
        await store.put(job, expected=None)
        for number in range(10):
            await store.park(ACCOUNT, early(number))

        await store.put(changed(job, status=Status.PENDING, remote_id="r5"), expected=0)
        await flood(store)

        kept = await store.parked(ACCOUNT)
        assert [early(5)] == [seen for seen in kept if seen.subject == LINK]


async def test_reports_of_strangers_push_nothing_out(make_store: MakeStore) -> None:
    """Whoever connects a link causes a dozen: of strangers they go first."""
    async with make_store(parked=SMALL) as store:
        others = [early(number, subject="a stranger's") for number in range(5)]
        for seen in others:
            await store.park(ACCOUNT, seen)

        await flood_with_reports(store, 60)

        assert others == [seen for seen in await store.parked(ACCOUNT) if not isinstance(seen, Reported)]


async def test_a_flood_keeps_the_bound_in_bytes(make_store: MakeStore) -> None:
    """What could be claimed stays, however large the strangers are."""
    bounds = Bounds(count=1000, limit_bytes=5_000)
    async with make_store(parked=bounds) as store:
        await store.put(nameless(), expected=None)
        await store.park(ACCOUNT, early(1))

        for number in range(1000, 1020):
            await store.park(ACCOUNT, early(number, subject="a stranger's", doubt="x" * 1500))

        kept = await store.parked(ACCOUNT)
        assert early(1) in kept
        assert 2 <= len(kept) <= 4


@pytest.mark.proof
async def test_the_bound_holds_while_many_park_at_once(make_store: MakeStore) -> None:
    """What many calls park together is bounded as one after the other, and what is awaited stays."""
    async with make_store(parked=Bounds(count=50, limit_bytes=10**6)) as store:
        await store.put(nameless(), expected=None)
        awaited = [early(number) for number in range(20)]

        await asyncio.gather(flood(store, 200), *(store.park(ACCOUNT, seen) for seen in awaited))
        await asyncio.gather(*(flood(store, 20, start=number) for number in range(5000, 6000, 100)))

        kept = await store.parked(ACCOUNT)
        assert awaited == [seen for seen in kept if seen.subject == LINK]
        assert 45 <= len(kept) <= 50


async def test_a_store_says_when_it_evicts(make_store: MakeStore, caplog: pytest.LogCaptureFixture) -> None:
    """At once, then not for each delivery, and at the end what was not told yet."""
    caplog.set_level(logging.WARNING, logger="belvo_async")
    async with make_store(parked=SMALL) as store:
        await flood(store, 10)
        caplog.clear()
        assert [] == caplog.records

        await flood(store, 30, start=2000)
        first = len(caplog.records)
        await store.put(nameless(), expected=None)
        await flood(store, 15, start=3000, subject=LINK)

    told = [vars(record) for record in caplog.records]
    assert (1, 2) == (first, len(told))
    assert all("park is full" in record["message"] for record in told)
    assert 40 == sum(record["strangers"] for record in told)
    assert 5 == sum(record["claimable"] for record in told)


async def test_a_renamed_account_keeps_what_its_old_jobs_wait_for(make_store: MakeStore) -> None:
    """What comes under the present name and belongs to a job under an older one is no stranger."""
    async with make_store(parked=SMALL) as store:
        joined = join_accounts(store, [(OTHER, ACCOUNT)])
        await store.put(nameless(), expected=None)
        await store.put(a_job("known", status=Status.PENDING, remote_id="r2", task=Fetch(link="x")), expected=None)
        awaited = (early(1), early(2, subject=None))
        for seen in awaited:
            await joined.park(OTHER, seen)

        for number in range(1000, 1040):
            await joined.park(OTHER, early(number, subject="a stranger's"))

        kept = await joined.parked(OTHER)
        about = await joined.parked_about(OTHER, ["r1", "r2", "r3"])
        adoptable = await joined.adoptable(OTHER, subject=LINK, resource="INVOICES", since=NOON, limit=1)
        assert awaited == kept[:2]
        assert awaited == about
        assert awaited[:1] == adoptable
        assert ["nameless"] == [job.id for job in await joined.nameless_jobs(OTHER, subject=LINK)]
