"""Jobs kept on a Redis or Valkey server, for several processes and machines that share the work."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Self

import msgspec

from ...abc import Budget, Entry, LaidAside
from ...discreet import discreet
from ...errors import StoreError
from ...jobs import CLOCKS_DIFFER, Job, Observation, Status, normal_id
from ..budgets import Shifts, in_us
from ..documents import read_candidates, read_job, read_jobs, read_observations, read_parked
from ..ledger import Place, place_of, proof_entry, walk_entries
from ..parked import Evicted, Label, Notice
from ..rules import ASIDE, PARKED, Bounds, Lifecycle, ended_before, from_us, refuse_second_end, refuse_taken_id, to_us
from ..several import put_each
from ..walks import SLICE, walk
from . import entries as ledger, lua as scripts, parked, rows
from .connections import Connections, unique
from .durability import check_durability
from .endpoint import Endpoint
from .lua.script import Script

TIMEOUT: Final = timedelta(seconds=5)
# Jobs counted at a time: a few milliseconds in which the server does nothing else.
COUNT_SLICE: Final = 2000
# Lua cannot take apart much longer lists of arguments.
_ARGUMENTS: Final = 1000


class RedisStore:
    """A store on a server, as durable as the server: on opening it is asked, and a warning logged if it may lose jobs.

    With `require_durable`, opening is refused unless every write is flushed to an append-only file before it is
    answered. All keys begin with `{prefix}:`; times are the callers', never the server's, and no key expires. `timeout`
    bounds the wait for the server, None waits for ever.

    A call raises StoreError at once while the server is away; the next one finds it again by itself. A call that was
    cut off between sending and answer is repeated: what it does, it does once. Two exceptions cost no more than time: a
    claim that got lost is given out again when its lease ends, and a lost write that another writer has already
    overtaken is reported as standing in its way. When the server cannot be reached again within two seconds, StoreError
    says that the call may have been carried out, or may be yet.

    A server that lost its data is noticed: every call raises StoreError until the data is back or the store is opened
    again, since an empty server must not be taken for one that never had a job. One that lost its last writes is used
    on, in a new era.
    """

    @discreet
    def __init__(
        self,
        url: str,
        *,
        prefix: str = "belvo_async",
        require_durable: bool = False,
        timeout: timedelta | None = TIMEOUT,
        parked: Bounds = PARKED,
        aside: Bounds = ASIDE,
    ) -> None:
        self._endpoint = Endpoint(url, prefix=prefix, require_durable=require_durable, timeout=timeout)
        self._parked = parked
        self._aside = aside
        self._notice = Notice()
        self._lifecycle = Lifecycle()
        self._shifts = Shifts()
        self._connections: Connections | None = None

    @property
    def era(self) -> int:
        """How often the server was found to have gone back: see `lua.era`."""
        return 0 if self._connections is None else self._connections.era

    async def begin_era(self) -> int:
        """Begin a new era because somebody knows that the server went back."""
        return await self._usable().begin_era()

    async def put(
        self,
        job: Job,
        *,
        expected: int | None,
        observation: Observation | None = None,
        fresh_since: datetime | None = None,
        keeps_lease: bool = False,
    ) -> Job | None:
        """Write a job if it still has version `expected`, or return what stands in the way."""
        connections = self._usable()
        arguments = rows.put_arguments(
            job, expected, observation, fresh_since, connections.origin, keeps_lease=keeps_lease
        )
        reply, was_repeated = await connections.put(*arguments)
        if reply == 0:
            raise StoreError(f"job {job.id} is no longer kept")
        # What stands in the way of a repeated write may be the write itself.
        if isinstance(reply, int) or (was_repeated and reply == [arguments[rows.DOCUMENT]]):
            return None
        if isinstance(reply, bytes):
            refuse_second_end(job, Status(reply.decode()))
            return None
        standing = read_job(reply[0])
        if expected is None:
            refuse_taken_id(job, standing)
        return standing

    async def put_all(self, jobs: Sequence[Job]) -> list[Job]:
        """Write the next versions of several kept jobs; what stands in the way."""
        return await put_each(self, jobs)

    async def get(self, job_id: str) -> Job | None:
        """Read one job."""
        document = await self._read(scripts.GET, rows.raw(job_id))
        return None if document is None else read_job(document)

    async def find(self, account: str, remote_id: str) -> tuple[Job, ...]:
        """The jobs that the vendor knows by this id, oldest first."""
        return tuple(read_jobs(await self._read(scripts.FIND, rows.remote_set(account, remote_id))))

    async def standing(self, account: str, key: str) -> Job | None:
        """The open job that stands in the way of a new equal one."""
        found = await self._read(scripts.FIND, rows.equal_set(account, key)) if key else ()
        return read_job(found[0]) if found else None

    async def holder(self, account: str, once: str) -> Job | None:
        """The job that holds a name."""
        document = await self._read(scripts.HOLDER, rows.once_field(account, once))
        return None if document is None else read_job(document)

    async def fresh(self, account: str, key: str, since: datetime) -> Job | None:
        """The last equal job that finished whole since an instant."""
        document = await self._read(scripts.FRESH, rows.whole_set(account, key), rows.stamp(since))
        return None if document is None else read_job(document)

    async def count_jobs(self, *, ended: bool = False) -> dict[str, int]:
        """How many open jobs, or others, each account has. Counted slice by slice: jobs may come and go meanwhile."""
        counts: Counter[str] = Counter()
        names: dict[bytes, str] = {}
        place = b"-"
        while place:
            name = rows.ENDED if ended else rows.open_set(None)
            end, *found = await self._read(scripts.COUNT, name, place, b"%d" % COUNT_SLICE)
            place = b"(" + end if end else b""
            for account, count, document in zip(found[::3], found[1::3], found[2::3], strict=True):
                if account not in names:
                    names[account] = read_job(document).account
                counts[names[account]] += count
        return dict(counts)

    def open_jobs(self, accounts: Collection[str] | None = None, *, lane: str | None = None) -> AsyncIterator[Job]:
        """Every open job, oldest first, each as it is when its slice is read."""
        whose = rows.whose(accounts)
        return walk(lambda begin: self._read_slice(rows.open_set(lane), begin, b"+", whose), b"-")

    def ended_jobs(self, accounts: Collection[str] | None = None, *, before: datetime) -> AsyncIterator[Job]:
        """Every job that ended before an instant, oldest first."""
        whose, end = rows.whose(accounts), b"(" + rows.stamp(before)
        return walk(
            lambda begin: self._read_slice(rows.ENDED, begin, end, whose),
            b"-",
            only=lambda job: ended_before(job, before),
        )

    async def _read_slice(
        self, name: bytes, begin: bytes, end: bytes, whose: list[bytes]
    ) -> tuple[list[Job], bytes | None]:
        last, *documents = await self._read(scripts.WALK, name, begin, end, b"%d" % SLICE, *whose)
        return read_jobs(documents), b"(" + last if last else None

    async def claim_due(
        self, accounts: Collection[str], *, now: datetime, until: datetime, limit: int, latest: datetime | None = None
    ) -> list[Job]:
        """Lease up to `limit` open jobs that are due, earliest first."""
        doubtful = b"+" if latest is None else b"[" + rows.stamp(latest, plus_us=1)
        bounds = (rows.stamp(now, plus_us=1), rows.stamp(until), b"%d" % limit, rows.stamp(now), doubtful)
        claimed = read_jobs(await self._write(scripts.CLAIM, *bounds, *rows.whose(accounts)))
        return sorted(claimed, key=lambda job: (job.schedule.next_poll, job.created_at, job.id))

    async def next_due(self, accounts: Collection[str]) -> datetime | None:
        """The earliest instant an open job is due and not leased."""
        first = await self._read(scripts.FIRST_DUE, *rows.whose(accounts))
        return None if first is None else rows.unstamp(first)

    async def nameless_jobs(
        self, account: str, *, subject: str | None = None, resource: str | None = None
    ) -> tuple[Job, ...]:
        """The jobs that may have been started under an id nobody knows, oldest first."""
        label = Label(None, None if subject is None else normal_id(subject), resource, is_report=False)
        return tuple(read_jobs(await self._read(scripts.FIND, rows.claim_set(account, label))))

    async def park(self, account: str, observation: Observation) -> None:
        """Keep an observation whose job is not known yet; strangers go first when there is no room."""
        self._lifecycle.check()
        document = msgspec.json.encode(observation)
        self._parked.admit(len(document))
        arguments = parked.park_arguments(account, observation, document, self._parked)
        self._notice.tell(Evicted(*await self._write(scripts.PARK, *arguments)))

    async def parked(
        self, account: str, remote_id: str | None = None, *, before: datetime | None = None, limit: int | None = None
    ) -> tuple[Observation, ...]:
        """The parked observations about one remote id, or all of the account; oldest first."""
        end = b"+" if before is None else b"(" + rows.stamp(before)
        return read_parked(await self._parked_in([parked.parked_set(account, remote_id)], end=end, limit=limit))

    async def parked_about(self, account: str, remote_ids: Collection[str]) -> tuple[Observation, ...]:
        """The parked observations about any of these remote ids, oldest first."""
        wanted = [parked.parked_set(account, each) for each in {normal_id(each) for each in remote_ids}]
        found: list[Observation] = []
        for start in range(0, len(wanted), _ARGUMENTS):
            found += read_parked(await self._parked_in(wanted[start : start + _ARGUMENTS]))
        return tuple(sorted(found, key=lambda seen: seen.at))

    async def adoptable(
        self, account: str, *, subject: str, resource: str, since: datetime, limit: int
    ) -> tuple[Observation, ...]:
        """The first parked observations that a submission about a subject and resource could adopt."""
        name = parked.adoptable_set(account, normal_id(subject), resource)
        return read_candidates(await self._parked_in([name], begin=b"[" + rows.stamp(since), limit=limit))

    async def _parked_in(
        self, names: list[bytes], *, begin: bytes = b"-", end: bytes = b"+", limit: int | None = None
    ) -> list[bytes]:
        most = b"-1" if limit is None else b"%d" % limit
        documents: list[bytes] = await self._read(scripts.KEPT, b"parked", begin, end, most, *names)
        return documents

    async def unpark(self, account: str, observations: Collection[Observation]) -> None:
        """Drop parked observations."""
        self._lifecycle.check()
        marks = [parked.mark(account, seen) for seen in observations]
        for start in range(0, len(marks), _ARGUMENTS):
            await self._write(scripts.DROP, b"parked", *marks[start : start + _ARGUMENTS])

    @discreet
    async def set_aside(self, account: str, body: bytes, at: datetime) -> None:
        """Keep an authentic delivery that could not be read."""
        self._lifecycle.check()
        self._aside.admit(len(body))
        limits = (b"%d" % len(body), b"%d" % self._aside.count, b"%d" % self._aside.limit_bytes)
        document = parked.aside_document(account, body, at)
        sets = parked.aside_set(None) + b" " + parked.aside_set(account)
        await self._write(scripts.KEEP, b"aside", unique(), rows.stamp(at), document, *limits, sets)

    async def laid_aside(self, accounts: Collection[str] | None = None) -> tuple[LaidAside, ...]:
        """What `set_aside` keeps, oldest first."""
        wanted = [parked.aside_set(each) for each in ([None] if accounts is None else sorted(set(accounts)))]
        found: list[LaidAside] = []
        for start in range(0, len(wanted), _ARGUMENTS):
            names = wanted[start : start + _ARGUMENTS]
            documents = await self._read(scripts.KEPT, b"aside", b"-", b"+", b"-1", *names)
            found += map(parked.read_aside, documents)
        return tuple(sorted(found, key=lambda each: each.at))

    async def count_aside(self) -> int:
        """How many deliveries are laid aside."""
        return int(await self._read(scripts.COUNT_KEPT, b"aside"))

    async def prune_aside(self, before: datetime) -> int:
        """Drop what was laid aside before an instant."""
        return int(await self._write(scripts.DROP_OLD, b"aside", rows.stamp(before)))

    async def reserve(self, budget: Budget, now: datetime, *, mark: str | None = None) -> datetime:
        """Take one place in a budget and return the instant the request may go out."""
        numbers = (b"%d" % budget.limit, b"%d" % in_us(budget.span), b"%d" % self._shifts.ask(budget, now))
        member = unique() if mark is None else rows.raw(mark)
        place, at = await self._write(scripts.RESERVE, rows.digest(budget.key), *numbers, member)
        return self._shifts.answer(budget, now, int(place), int(at))

    async def give_back(self, budget: Budget, mark: str) -> None:
        """Give back the place taken under a mark."""
        await self._write(scripts.GIVE_BACK, rows.digest(budget.key), rows.raw(mark))

    async def exhaust(self, window: str, until: datetime) -> None:
        """Note until when a rate window is exhausted."""
        await self._write(scripts.EXHAUST, rows.digest(window), rows.stamp(until))

    async def exhausted_until(self, window: str) -> datetime | None:
        """What was noted last of a rate window."""
        until = await self._read(scripts.EXHAUSTED_UNTIL, rows.digest(window))
        return None if until is None else rows.unstamp(until)

    async def lease(self, key: str, owner: str, *, now: datetime, until: datetime) -> int | None:
        """Take or renew a lease: its fencing token, None while another holds it."""
        instants = (b"%d" % to_us(now), b"%d" % to_us(until), b"%d" % in_us(CLOCKS_DIFFER))
        token: int | None = await self._usable().lease(rows.digest(key), rows.raw(owner), *instants)
        return token

    async def leased_until(self, key: str) -> datetime | None:
        """Until when a lease is held; None when nobody holds it."""
        until = await self._read(scripts.LEASED_UNTIL, rows.digest(key))
        return None if until is None else from_us(int(until))

    async def release(self, key: str, owner: str) -> None:
        """Give a lease back, if `owner` holds it."""
        await self._write(scripts.RELEASE, rows.digest(key), rows.raw(owner))

    def changes(self) -> AsyncIterator[tuple[str, ...]]:
        """Ids of jobs that others changed, from the server's stream; see the contract."""
        return self._usable().listeners.listen()

    async def timeline(self, job_id: str) -> tuple[Observation, ...]:
        """The last observations of a job, oldest first."""
        return read_observations(await self._read(scripts.TIMELINE, rows.raw(job_id)))

    async def forget(self, job_id: str, *, keep_proof: bool = False) -> bool:
        """Drop a job, its timeline and its names; whether there was one."""
        call = (scripts.FORGET, rows.raw(job_id), self._usable().origin, rows.STREAM_LIMIT)
        if not keep_proof:
            return bool(await self._write(*call, b"", b""))
        # Who changes it between the two may change what it proves.
        dropped = -1
        while dropped < 0:
            job = await self.get(job_id)
            if job is None:
                return False
            entry = proof_entry(job)
            dropped = await self._write(*call, b"%d" % job.version, b"" if entry is None else ledger.packed([entry]))
        return bool(dropped)

    async def enter(self, entries: Collection[Entry]) -> None:
        """Keep entries, each in place of the one with the same account, kind and key."""
        await self._write(scripts.ENTER, ledger.packed(entries))

    def entries(self, kind: str | None, accounts: Collection[str] | None = None) -> AsyncIterator[Entry]:
        """The entries of a kind, or of all, in their order."""
        whose = None if accounts is None else frozenset(accounts)
        return walk_entries(lambda place: self._entries_after(place, kind, whose))

    async def _entries_after(
        self, place: Place | None, kind: str | None, whose: frozenset[str] | None
    ) -> tuple[list[Entry], Place | None]:
        for begin, end in ledger.ranges(kind, whose, place):
            found = ledger.read_entries(await self._read(scripts.ENTRIES, begin, end, b"%d" % SLICE))
            if found:
                return [each for each in found if whose is None or each.account in whose], place_of(found[-1])
        return [], None

    async def strike(self, account: str, kind: str, keys: Collection[str]) -> None:
        """Drop entries."""
        self._lifecycle.check()
        places = [ledger.member(place_of(Entry(account, kind, key, b""))) for key in keys]
        for start in range(0, len(places), _ARGUMENTS):
            await self._write(scripts.STRIKE, *places[start : start + _ARGUMENTS])

    async def give_space_back(self) -> None:
        """Nothing is left to do: the server frees what was dropped."""
        self._lifecycle.check()

    @discreet
    async def __aenter__(self) -> Self:
        self._lifecycle.open()
        connections = Connections(self._endpoint)
        try:
            keeps_all = await check_durability(connections.writes, required=self._endpoint.require_durable)
            await connections.open(keeps_all=keeps_all)
        except BaseException:
            self._lifecycle.close()
            await connections.close()
            raise
        self._connections = connections
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        connections, self._connections = self._connections, None
        self._notice.close()
        self._lifecycle.close()
        if connections is not None:
            await connections.close()

    async def _read(self, script: Script, *arguments: bytes) -> Any:
        return await self._usable().read(script, *arguments)

    async def _write(self, script: Script, *arguments: bytes) -> Any:
        return await self._usable().write(script, *arguments)

    def _usable(self) -> Connections:
        self._lifecycle.check()
        if self._connections is None:
            raise StoreError("the store is still being opened")
        return self._connections
