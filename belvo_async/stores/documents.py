"""Reading what stores keep as documents: jobs and observations."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

import msgspec

from ..errors import StoreError
from ..jobs import Job, Misread, Observation, Way, decode_job, decode_observation

_log = logging.getLogger("belvo_async")

_NEVER: Final = datetime.min.replace(tzinfo=UTC)


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
    return tuple(seen for seen in read_candidates(documents) if not isinstance(seen, Misread))


def read_candidates(documents: Iterable[bytes]) -> tuple[Observation, ...]:
    """Read early deliveries of which one may be chosen: where one does not fit stands that it is misread."""
    found = tuple(map(_read_early, documents))
    left_out = sum(isinstance(seen, Misread) for seen in found)
    if left_out:
        _log.warning("early deliveries cannot be read here: a newer release kept them", extra={"count": left_out})
    return found


def _read_early(document: bytes) -> Observation:
    try:
        return decode_observation(document)
    except msgspec.MsgspecError as error:
        return Misread(way=Way.WEBHOOK, at=_NEVER, misfit=type(error).__name__)


def unreadable(what: str) -> StoreError:
    """What is told of something kept that does not fit."""
    # msgspec may quote what it could not read: its words stay out.
    return StoreError(f"a stored {what} cannot be read: was it written by a newer release?")
