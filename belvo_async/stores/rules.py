"""What all stores share: limits, instants as integers, and which parked observations are the same."""

from __future__ import annotations

import hashlib
import logging
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
from msgspec.structs import replace

from ..errors import StoreError
from ..jobs import CLOCKS_DIFFER, Job, Observation, Status
from .affinity import Affinity

_log = logging.getLogger("belvo_async.stores")

TIMELINE_LIMIT: Final = 200


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """How much of something that may never be asked for again is kept."""

    count: int
    limit_bytes: int

    def admit(self, size: int) -> None:
        """Refuse what would not fit even alone: it must not push everything else out."""
        if size > self.limit_bytes:
            raise StoreError(f"{size} bytes are too many to keep: the bound is {self.limit_bytes} in all")

    def hold(self, count: int, size: int) -> bool:
        """Whether so many, of so many bytes together, may be kept."""
        return count <= self.count and size <= self.limit_bytes


PARKED: Final = Bounds(count=10_000, limit_bytes=16 * 2**20)
ASIDE: Final = Bounds(count=1_000, limit_bytes=16 * 2**20)


class Lifecycle:
    """Whether a store may be used: from opening to closing, in the process and on the event loop that opened it.

    A closed store may be opened again.
    """

    def __init__(self) -> None:
        self._is_open = False
        self._affinity: Affinity | None = None

    def open(self) -> None:
        if self._is_open:
            self.check()
            raise StoreError("the store is open already: open it once and share it")
        self._affinity = Affinity()
        self._is_open = True

    def close(self) -> None:
        self._is_open = False

    def check(self) -> None:
        if self._is_open and self._affinity is not None and self._affinity.is_here:
            return
        if self._affinity is None:
            raise StoreError("the store is not open: use `async with`")
        if not self._is_open:
            raise StoreError("the store is closed")
        # First the process: a child has no running loop where its parent had one.
        if self._affinity.is_of_parent:
            raise StoreError("the store was opened before a fork: open one in each process")
        if self._affinity.is_of_other_loop:
            raise StoreError("the store was opened on another event loop: open one on each loop")


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def to_us(at: datetime) -> int:
    """Give an aware instant as microseconds since 1970: exact, and ordered as integers are."""
    return (at - _EPOCH) // _MICROSECOND


def from_us(us: int) -> datetime:
    """Turn microseconds since 1970 back into an instant in UTC."""
    return _EPOCH + timedelta(microseconds=us)


def lasting(since_us: int, until_us: int, now_us: int) -> tuple[int, int]:
    """From when and until when a lease lasts: one of a wrong clock, which was ahead, from now and for as long."""
    ahead = since_us - now_us
    return (since_us, until_us) if ahead <= CLOCKS_DIFFER // _MICROSECOND else (now_us, until_us - ahead)


def identity(seen: Observation) -> bytes:
    """Fingerprint what a vendor said, so that one delivery is parked once.

    Vendors deliver again when our answer got lost: then only the instant of arrival differs, and does not count.
    """
    said = replace(seen, at=_EPOCH) if seen.delivery_id else seen
    return hashlib.sha256(msgspec.json.encode(said)).digest()


def stands_in_the_way(job: Job) -> bool:
    """Whether no equal task may be started beside this job."""
    return bool(job.key) and job.is_open and job.superseded_by is None


def ended_before(job: Job, before: datetime) -> bool:
    """Whether a job that is not open has been so since before an instant, as far as its facts tell."""
    return max(job.created_at, job.settled_at or job.created_at) < before


def refuse_taken_id(job: Job, kept: Job) -> None:
    """Raise StoreError when a new job bears the id of another task's: its caller would follow a stranger's job."""
    if job.id == kept.id and (job.account, job.key, job.task) != (kept.account, kept.key, kept.task):
        raise StoreError(f"job id {job.id} is taken by a job of another task; nothing was changed")


def refuse_second_end(job: Job, kept: Status) -> None:
    """Raise StoreError when a write would change how a job ended: whatever asks for that is wrong."""
    if kept.is_terminal and job.status is not kept:
        raise StoreError(f"job {job.id} ended as {kept} and cannot become {job.status}")


def tell_restore(sign: str) -> None:
    """Say once, where it was noticed, that the store went back to an earlier state, and what follows."""
    text = (
        "the store went back to an earlier state (%s): jobs that were queued before may have been sent since; they are "
        "looked for at the vendors and not sent. Jobs fired after that state are not known any more"
    )
    _log.warning(text, sign, extra={"sign": sign})
