"""Jobs, instants and names as the scripts of the Redis store know them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec

from ...jobs import Job, Observation, encode_job, normal_id
from ..parked import Label, claims_of
from ..rules import TIMELINE_LIMIT, from_us, stands_in_the_way, to_us

# Changes kept for processes that lag behind; who lags further is told that anything may have changed.
STREAM_LIMIT: Final = b"10000"

# Instants before 1970 stay positive, and nineteen digits hold every instant Python knows.
_SHIFT_US: Final = 10**18


def raw(text: str) -> bytes:
    """Give a text as bytes; a lone surrogate names nothing that is stored, and must not fail other callers' calls."""
    return text.encode("utf-8", "surrogatepass")


def stamp(at: datetime, *, plus_us: int = 0) -> bytes:
    """Write an instant so that its bytes sort as instants do."""
    return b"%019d" % (to_us(at) + plus_us + _SHIFT_US)


def unstamp(text: bytes) -> datetime:
    """Read an instant written by `stamp`."""
    return from_us(int(text) - _SHIFT_US)


def digest(*parts: str) -> bytes:
    """Name a key after texts that may hold anything, and need not be readable in the server's monitor."""
    return hashlib.sha256(b"\0".join(raw(part) for part in parts)).hexdigest()[:32].encode()


def open_set(lane: str | None) -> bytes:
    """The set of open jobs, or of those in one lane."""
    return b"open" if lane is None else b"lane:" + digest(lane)


def remote_set(account: str, remote_id: str) -> bytes:
    """The set of jobs a vendor knows by one id."""
    return b"remote:" + digest(account, normal_id(remote_id))


def equal_set(account: str, key: str) -> bytes:
    """The set of open jobs that stand in the way of a new one."""
    return b"equal:" + digest(account, key)


def once_field(account: str, name: str) -> bytes:
    """The field of a name."""
    return digest(account, name)


def whole_set(account: str, key: str) -> bytes:
    """The set of equal jobs that finished whole: its name has 38 bytes, its members begin with two instants."""
    return b"whole:" + digest(account, key)


def claim_set(account: str, label: Label) -> bytes:
    """The set of jobs without a name that could claim what bears a label."""
    return b"nameless:" + digest(account, label.claim or "", label.subject or "")


def claim_sets(account: str, label: Label) -> bytes:
    """Names of all sets that hold who could claim what bears a label, least of all by its id."""
    by_id = () if label.remote_id is None else (remote_set(account, label.remote_id),)
    return b" ".join((*by_id, claim_set(account, label)))


def whose(accounts: Iterable[str] | None) -> list[bytes]:
    """Accounts as the scripts name them, each once; `*` for all."""
    return [b"*"] if accounts is None else [digest(account) for account in sorted(set(accounts))]


# The set of jobs that are not open.
ENDED: Final = b"ended"

# The place of the document among the arguments of PUT.
DOCUMENT: Final = 5


def put_arguments(
    job: Job,
    expected: int | None,
    seen: Observation | None,
    fresh_since: datetime | None,
    origin: bytes,
    *,
    keeps_lease: bool = False,
) -> tuple[bytes, ...]:
    """Everything the PUT script wants to know of a job."""
    equal = equal_set(job.account, job.key) if stands_in_the_way(job) else b""
    age = stamp(job.created_at) + raw(job.id)
    settled = stamp(job.settled_at) + age if job.key and job.is_whole and job.settled_at is not None else b""
    fresh = b"" if fresh_since is None or not job.key else stamp(fresh_since)
    next_poll = job.schedule.next_poll if job.is_open else None
    due = b"" if next_poll is None else stamp(next_poll) + stamp(job.created_at)
    return (
        raw(job.id),
        b"" if expected is None else b"%d" % expected,
        b"%d" % job.version,
        job.status.value.encode(),
        b"1" if job.status.is_terminal else b"0",
        encode_job(job),
        digest(job.account),
        age,
        due,
        b" ".join(_sets(job, equal)),
        equal_set(job.account, job.key) if job.key else b"",
        b"" if seen is None else msgspec.json.encode(seen),
        origin,
        b"%d" % TIMELINE_LIMIT,
        STREAM_LIMIT,
        stamp(job.schedule.planned_at) if due and job.schedule.planned_at is not None else b"",
        b" ".join(once_field(job.account, name) for name in sorted(set(job.once))),
        whole_set(job.account, job.key) if settled or fresh else b"",
        settled,
        fresh,
        b"1" if keeps_lease else b"",
    )


def _sets(job: Job, equal: bytes) -> list[bytes]:
    sets = [equal] if equal else []
    if job.remote_id is not None:
        sets.append(remote_set(job.account, job.remote_id))
    if job.is_nameless:
        sets += [claim_set(job.account, label) for label in claims_of(job)]
    if job.is_open:
        sets.append(open_set(None))
        if job.lane is not None:
            sets.append(open_set(job.lane))
    else:
        sets.append(ENDED)
    return sets
