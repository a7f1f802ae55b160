"""Early deliveries as the scripts of the Redis store know them."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from ...abc import LaidAside
from ...jobs import Observation, normal_id
from ..documents import unreadable
from ..parked import AT_ONCE, LOOK, Label, label_of
from ..rules import Bounds, from_us, identity, to_us
from . import rows


def mark(account: str, seen: Observation) -> bytes:
    """Name an observation, so that it is parked once."""
    return rows.digest(account, identity(seen).hex())


def parked_set(account: str, remote_id: str | None) -> bytes:
    """The set of what is parked of an account, or about one remote id."""
    parts = (account,) if remote_id is None else (account, normal_id(remote_id))
    return b"parked:" + rows.digest(*parts)


def adoptable_set(account: str, subject: str, resource: str) -> bytes:
    """The set of what is parked for whoever submits about a subject, in normal form, and a resource."""
    return b"adoptable:" + rows.digest(account, resource, subject)


def park_arguments(account: str, seen: Observation, document: bytes, bounds: Bounds) -> tuple[bytes, ...]:
    """Everything the PARK script wants to know of an observation."""
    label = label_of(seen)
    return (
        mark(account, seen),
        rows.stamp(seen.at),
        document,
        b"%d" % len(document),
        b"%d" % bounds.count,
        b"%d" % bounds.limit_bytes,
        b" ".join(_sets(account, label)),
        rows.claim_sets(account, label),
        b"1" if label.is_report else b"0",
        b"%d" % AT_ONCE,
        b"%d" % LOOK,
    )


def _sets(account: str, label: Label) -> list[bytes]:
    sets = [parked_set(account, None)]
    if label.remote_id is not None:
        sets.append(parked_set(account, label.remote_id))
    if label.subject is not None and label.claim is not None:
        sets.append(adoptable_set(account, label.subject, label.claim))
    return sets


def aside_set(account: str | None) -> bytes:
    """The set of deliveries of an account, or of all, that could not be read."""
    return b"aside:all" if account is None else b"aside:" + rows.digest(account)


def aside_document(account: str, body: bytes, at: datetime) -> bytes:
    """A delivery that could not be read, as it is kept."""
    return msgspec.msgpack.encode((rows.raw(account), to_us(at), body))


def read_aside(document: bytes) -> LaidAside:
    """Read what `aside_document` wrote. Raises StoreError where it did not."""
    try:
        account, at_us, body = _ASIDE.decode(document)
    except msgspec.MsgspecError:
        raise unreadable("delivery") from None
    return LaidAside(account.decode("utf-8", "surrogatepass"), from_us(at_us), body)


_ASIDE: Final = msgspec.msgpack.Decoder(tuple[bytes, int, bytes])
