"""A store as a session sees it whose accounts had other names before: several accounts that are one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from datetime import datetime
from itertools import chain
from typing import Self

from ..abc import Budget, Entry, LaidAside, Store
from ..jobs import Job, Observation, task_key
from .parked import label_of


def join_accounts(store: Store, groups: Collection[Sequence[str]]) -> Store:
    """The store as it is seen by who has each of these groups of accounts for one."""
    return JoinedStore(store, groups) if any(len(group) > 1 for group in groups) else store


class JoinedStore:
    """Another store, in which each of `groups` counts as one account; the first of a group is its present name.

    Asked for one account of a group, it gives what there is of all. What is new goes where the caller says. An equal
    job under another name of the account stands in the way of a new one, and so does the holder of its name; a lane is
    free only if it is under every name. Whoever opens the other store closes it.
    """

    def __init__(self, store: Store, groups: Iterable[Sequence[str]]) -> None:
        self._store = store
        self._groups = {account: tuple(group) for group in groups for account in group}

    @property
    def era(self) -> int:
        """How often the other store was noticed to have gone back to an earlier state."""
        return self._store.era

    async def begin_era(self) -> int:
        """Begin a new era of the other store."""
        return await self._store.begin_era()

    async def put(
        self,
        job: Job,
        *,
        expected: int | None,
        observation: Observation | None = None,
        fresh_since: datetime | None = None,
        keeps_lease: bool = False,
    ) -> Job | None:
        """Write a job, unless something stands in the way, under whatever name of the account."""
        others = self._others(job.account)
        if others and (expected is None or job.once):
            standing = await self._in_the_way(job, expected, others, fresh_since)
            if standing is not None:
                return standing
        return await self._store.put(
            job, expected=expected, observation=observation, fresh_since=fresh_since, keeps_lease=keeps_lease
        )

    async def put_all(self, jobs: Sequence[Job]) -> list[Job]:
        """Write the next versions of several kept jobs; what stands in the way."""
        return await self._store.put_all(jobs)

    async def _in_the_way(
        self, job: Job, expected: int | None, others: Sequence[str], fresh_since: datetime | None
    ) -> Job | None:
        """What stands in the way under the other names of an account, in the order of the contract."""
        kept = await self._store.get(job.id) if job.once or fresh_since is not None else None
        # The other store decides about a job that is there already, but for a name it would take.
        if kept is None or kept.version == expected:
            taken = [name for name in job.once if kept is None or name not in kept.once]
            for account in (job.account, *others):
                for name in taken:
                    holder = await self._store.holder(account, name)
                    if holder is not None:
                        return holder
        if expected is not None or not job.key:
            return None
        for account in others:
            standing = await self._store.standing(account, task_key(account, job.task))
            if standing is not None:
                return standing
        return (
            None if kept is not None or fresh_since is None else await self._fresh_elsewhere(job, others, fresh_since)
        )

    async def _fresh_elsewhere(self, job: Job, others: Sequence[str], since: datetime) -> Job | None:
        """The last fresh job under another name, if none stands in the way under this one."""
        if await self._store.standing(job.account, job.key) is not None:
            return None
        found = [await self._store.fresh(each, task_key(each, job.task), since) for each in others]
        return max((each for each in found if each is not None), key=_settled, default=None)

    async def get(self, job_id: str) -> Job | None:
        """Read one job."""
        return await self._store.get(job_id)

    async def find(self, account: str, remote_id: str) -> tuple[Job, ...]:
        """The jobs that the vendor knows by this id, oldest first."""
        found = [await self._store.find(each, remote_id) for each in self._group(account)]
        return tuple(sorted(chain(*found), key=_place))

    async def standing(self, account: str, key: str) -> Job | None:
        """The open job that stands in the way of a new one with just this account and key."""
        return await self._store.standing(account, key)

    async def holder(self, account: str, once: str) -> Job | None:
        """The job that holds a name, under whatever name of the account."""
        found = [await self._store.holder(each, once) for each in self._group(account)]
        return next((each for each in found if each is not None), None)

    async def fresh(self, account: str, key: str, since: datetime) -> Job | None:
        """The last job with just this account and key that finished whole since an instant."""
        return await self._store.fresh(account, key, since)

    async def count_jobs(self, *, ended: bool = False) -> dict[str, int]:
        """How many jobs each account has, by the names they are kept under."""
        return await self._store.count_jobs(ended=ended)

    async def open_jobs(
        self, accounts: Collection[str] | None = None, *, lane: str | None = None
    ) -> AsyncIterator[Job]:
        """Every open job; of a lane, under all its names."""
        lanes: Sequence[str | None] = [None] if lane is None else self._lanes(lane)
        for each in lanes:
            async for job in self._store.open_jobs(self._expand(accounts), lane=each):
                yield job

    async def ended_jobs(self, accounts: Collection[str] | None = None, *, before: datetime) -> AsyncIterator[Job]:
        """Every job that ended before an instant, oldest first."""
        async for job in self._store.ended_jobs(self._expand(accounts), before=before):
            yield job

    async def claim_due(
        self, accounts: Collection[str], *, now: datetime, until: datetime, limit: int, latest: datetime | None = None
    ) -> list[Job]:
        """Lease up to `limit` open jobs that are due, earliest first."""
        return await self._store.claim_due(
            self._expand(accounts) or (), now=now, until=until, limit=limit, latest=latest
        )

    async def next_due(self, accounts: Collection[str]) -> datetime | None:
        """The earliest instant an open job is due and not leased."""
        return await self._store.next_due(self._expand(accounts) or ())

    async def nameless_jobs(
        self, account: str, *, subject: str | None = None, resource: str | None = None
    ) -> tuple[Job, ...]:
        """The jobs that may have been started under an id nobody knows, oldest first."""
        found = [
            await self._store.nameless_jobs(each, subject=subject, resource=resource) for each in self._group(account)
        ]
        return tuple(sorted(chain(*found), key=_place))

    async def park(self, account: str, observation: Observation) -> None:
        """Keep an observation whose job is not known yet, under the name of the account whose jobs could claim it."""
        names = (account, *self._others(account))
        claimed = [each for each in names if len(names) > 1 and await self._could_claim(each, observation)]
        await self._store.park(next(iter(claimed), account), observation)

    async def _could_claim(self, account: str, seen: Observation) -> bool:
        if seen.remote_id is not None and await self._store.find(account, seen.remote_id):
            return True
        label = label_of(seen)
        return bool(await self._store.nameless_jobs(account, subject=label.subject, resource=label.claim))

    async def parked(
        self, account: str, remote_id: str | None = None, *, before: datetime | None = None, limit: int | None = None
    ) -> tuple[Observation, ...]:
        """The parked observations about one remote id, or all of the account; oldest first."""
        found = [await self._store.parked(each, remote_id, before=before, limit=limit) for each in self._group(account)]
        return tuple(sorted(chain(*found), key=_instant))[:limit]

    async def parked_about(self, account: str, remote_ids: Collection[str]) -> tuple[Observation, ...]:
        """The parked observations about any of these remote ids, oldest first."""
        found = [await self._store.parked_about(each, remote_ids) for each in self._group(account)]
        return tuple(sorted(chain(*found), key=_instant))

    async def adoptable(
        self, account: str, *, subject: str, resource: str, since: datetime, limit: int
    ) -> tuple[Observation, ...]:
        """The first parked observations that a submission about a subject and resource could adopt."""
        found = [
            await self._store.adoptable(each, subject=subject, resource=resource, since=since, limit=limit)
            for each in self._group(account)
        ]
        return tuple(sorted(chain(*found), key=_instant)[:limit])

    async def unpark(self, account: str, observations: Collection[Observation]) -> None:
        """Drop parked observations."""
        for each in self._group(account):
            await self._store.unpark(each, observations)

    async def set_aside(self, account: str, body: bytes, at: datetime) -> None:
        """Keep an authentic delivery that could not be read."""
        await self._store.set_aside(account, body, at)

    async def laid_aside(self, accounts: Collection[str] | None = None) -> tuple[LaidAside, ...]:
        """What `set_aside` keeps, oldest first, by the names it is kept under."""
        return await self._store.laid_aside(self._expand(accounts))

    async def count_aside(self) -> int:
        """How many deliveries are laid aside."""
        return await self._store.count_aside()

    async def prune_aside(self, before: datetime) -> int:
        """Drop what was laid aside before an instant."""
        return await self._store.prune_aside(before)

    async def reserve(self, budget: Budget, now: datetime, *, mark: str | None = None) -> datetime:
        """Take one place in a budget."""
        return await self._store.reserve(budget, now, mark=mark)

    async def give_back(self, budget: Budget, mark: str) -> None:
        """Give a place in a budget back."""
        await self._store.give_back(budget, mark)

    async def exhaust(self, window: str, until: datetime) -> None:
        """Note that nothing may go out in a window until an instant."""
        await self._store.exhaust(window, until)

    async def exhausted_until(self, window: str) -> datetime | None:
        """Until when nothing may go out in a window."""
        return await self._store.exhausted_until(window)

    async def lease(self, key: str, owner: str, *, now: datetime, until: datetime) -> int | None:
        """Take or renew a lease; a lane is ours once it is under all its names.

        What was taken before one that is held stays taken: the owner waits for the rest, or is renewing what it has.
        """
        token: int | None = None
        for each in self._lanes(key):
            token = await self._store.lease(each, owner, now=now, until=until)
            if token is None:
                return None
        return token

    async def leased_until(self, key: str) -> datetime | None:
        """Until when a lease is held: a lane is free once it is under all its names."""
        held = [await self._store.leased_until(each) for each in self._lanes(key)]
        return max((each for each in held if each is not None), default=None)

    async def release(self, key: str, owner: str) -> None:
        """Give a lease back."""
        for each in self._lanes(key):
            await self._store.release(each, owner)

    def changes(self) -> AsyncIterator[tuple[str, ...]]:
        """Ids of jobs that other processes changed."""
        return self._store.changes()

    async def timeline(self, job_id: str) -> tuple[Observation, ...]:
        """The last observations of a job, oldest first."""
        return await self._store.timeline(job_id)

    async def forget(self, job_id: str, *, keep_proof: bool = False) -> bool:
        """Drop a job, its timeline and its names; whether there was one."""
        return await self._store.forget(job_id, keep_proof=keep_proof)

    async def enter(self, entries: Collection[Entry]) -> None:
        """Keep entries, under the accounts they name, and nowhere else in their group."""
        some = tuple(entries)
        await self._store.enter(some)
        places: dict[tuple[str, str], list[str]] = {}
        for each in some:
            for account in self._others(each.account):
                places.setdefault((account, each.kind), []).append(each.key)
        for (account, kind), keys in places.items():
            await self._store.strike(account, kind, keys)

    def entries(self, kind: str | None, accounts: Collection[str] | None = None) -> AsyncIterator[Entry]:
        """The entries of a kind, by the names of the accounts they are kept under."""
        return self._store.entries(kind, self._expand(accounts))

    async def strike(self, account: str, kind: str, keys: Collection[str]) -> None:
        """Drop entries, under whatever name of the account."""
        some = tuple(keys)
        for each in self._group(account):
            await self._store.strike(each, kind, some)

    async def give_space_back(self) -> None:
        """Give the space of what was dropped back."""
        await self._store.give_space_back()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Leave the other store open: it was opened elsewhere."""

    def _group(self, account: str) -> tuple[str, ...]:
        return self._groups.get(account, (account,))

    def _others(self, account: str) -> tuple[str, ...]:
        return tuple(each for each in self._group(account) if each != account)

    def _expand(self, accounts: Collection[str] | None) -> tuple[str, ...] | None:
        return None if accounts is None else tuple(dict.fromkeys(chain(*(self._group(each) for each in accounts))))

    def _lanes(self, key: str) -> tuple[str, ...]:
        """The names of a lane, which begins with the account; in one order everywhere, so that none waits in a ring."""
        for account in self._groups:
            if key.startswith(f"{account}/"):
                rest = key.removeprefix(account)
                return tuple(sorted(f"{each}{rest}" for each in self._group(account)))
        return (key,)


def _place(job: Job) -> tuple[datetime, str]:
    return job.created_at, job.id


def _settled(job: Job) -> datetime:
    return job.settled_at or job.created_at


def _instant(seen: Observation) -> datetime:
    return seen.at
