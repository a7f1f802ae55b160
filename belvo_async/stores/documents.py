"""Reading what stores keep as documents: jobs and observations."""

from __future__ import annotations

import logging
from collections.abc import Iterable

import msgspec

from ..errors import StoreError
from ..jobs import Job, Observation, decode_job, decode_observation

_log = logging.getLogger("belvo_async")


def read_job(document: bytes) -> Job:
    """Read a stored job. Raises StoreError for one that does not fit."""
    try:
        return decode_job(document)
    except msgspec.MsgspecError:
        raise unreadable("job") from None


def read_jobs(documents: Iterable[bytes]) -> list[Job]:
    """Read stored jobs, as `read_job` does."""
    return [read_job(document) for document in documents]


def read_observations(documents: Iterable[bytes]) -> tuple[Observation, ...]:
    """Read stored observations. Raises StoreError for one that does not fit."""
    try:
        return tuple(decode_observation(document) for document in documents)
    except msgspec.MsgspecError:
        raise unreadable("observation") from None


def read_parked(documents: Iterable[bytes]) -> tuple[Observation, ...]:
    """Read early deliveries. One that does not fit is left out: it must not stand in the way of those beside it."""
    found: list[Observation] = []
    left_out = 0
    for document in documents:
        try:
            found.append(decode_observation(document))
        except msgspec.MsgspecError:
            left_out += 1
    if left_out:
        _log.warning("early deliveries cannot be read here: a newer release kept them", extra={"count": left_out})
    return tuple(found)


def unreadable(what: str) -> StoreError:
    """What is told of something kept that does not fit."""
    # msgspec may quote what it could not read: its words stay out.
    return StoreError(f"a stored {what} cannot be read: was it written by a newer release?")
