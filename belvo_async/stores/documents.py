"""Reading what stores keep as documents: jobs and observations."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

import msgspec

from ..errors import StoreError
from ..jobs import Job, Misread, Observation, Way, decode_job, decode_observation

_log = logging.getLogger("belvo_async.stores")

_MISREAD: Final = Misread(way=Way.WEBHOOK, at=datetime.min.replace(tzinfo=UTC), misfit="unreadable")


def read_job(document: bytes) -> Job:
    """Read a stored job. Raises StoreError for one that does not fit."""
    return _read_job(document, "job")


def read_proof(document: bytes) -> Job:
    """Read the proof that a pruned job left. Raises StoreError for one that does not fit."""
    return _read_job(document, "proof")


def _read_job(document: bytes, what: str) -> Job:
    try:
        return decode_job(document)
    except msgspec.MsgspecError:
        raise unreadable(what) from None


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
    return tuple(seen for seen in _read_early(documents) if seen is not None)


def read_candidates(documents: Iterable[bytes]) -> tuple[Observation, ...]:
    """Read early deliveries of which one may be chosen: where one does not fit stands that it is misread."""
    return tuple(_MISREAD if seen is None else seen for seen in _read_early(documents))


def _read_early(documents: Iterable[bytes]) -> list[Observation | None]:
    found: list[Observation | None] = []
    for document in documents:
        try:
            found.append(decode_observation(document))
        except msgspec.MsgspecError:
            found.append(None)
    if None in found:
        count = found.count(None)
        _log.warning("early deliveries cannot be read here: a newer release kept them", extra={"count": count})
    return found


def unreadable(what: str) -> StoreError:
    """What is told of something kept that does not fit."""
    # msgspec may quote what it could not read: its words stay out.
    return StoreError(f"a stored {what} cannot be read: was it written by a newer release?")
