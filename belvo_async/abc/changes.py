"""What a dialect contributes to telling changes: by what its records are known, and what they say of a standing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from ..jobs import Extent
from .exchange import Query


class ChangeKind(StrEnum):
    """What happened to a record."""

    NEW = "new"
    """It was not known before."""
    CHANGED = "changed"
    """Some of its fields say something else."""
    CANCELLED = "cancelled"
    """It is cancelled, and was not known to be."""
    VANISHED = "vanished"
    """Days were asked for again and are proven, and the vendor's list of them holds it no longer."""
    BLACKLISTED = "blacklisted"
    """Somebody on it is on the tax office's list of article 69-B, in a stage that was not known of them."""
    COMPLIANCE_NEGATIVE = "compliance negative"
    """The tax office's opinion of a taxpayer is negative, and was not known to be."""
    TAXPAYER_SUSPENDED = "taxpayer suspended"
    """The tax office calls a taxpayer suspended, or no longer active, and was not known to."""


class RecordStanding(NamedTuple):
    """What a record says of something that is told under a kind of its own.

    `holds`: whether it is so; None where the record does not say. `fields` are those that say it. `about` None: of the
    record itself; else of somebody on it (by whatever names them), in the stage that `word` is: then it is told once
    for each stage, however many records say it, and what does not hold is told only of those of whom it once did.
    """

    kind: ChangeKind
    holds: bool | None
    fields: tuple[str, ...]
    about: str | None = None
    word: str = ""


def none_of(record: object) -> Iterable[RecordStanding]:
    """Of a record that says nothing of a standing."""
    return ()


def is_always_whole(record: object) -> bool:
    """Of a record that never lacks what the vendor could not get."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRules:
    """How changes of a resource are told, as far as its vendor documents that.

    `listed` is the list that holds the records of a subject, free of charge: those of an extent, or with an instant
    those that were stored or changed since. TaskError for a subject that can be none. `overlap` is how far an instant
    is put back, so that nothing falls between two readings; None where the list cannot be narrowed by one: then it is
    read whole every time. `record` is the type of its rows, `moment` when a row was stored or checked.
    `ignored` names attributes that move by themselves or say nothing of the fact (when it was collected, whether a file
    is held), and, as a path with dots, one of them. `standings` are told under kinds of their own; fields that speak of
    somebody else are compared by them alone. `is_incomplete`: of a record the vendor could not get whole, so that
    what it leaves empty says nothing. `is_single`: a newer record of a subject takes the place of the older one.
    """

    record: type[Any]
    listed: Callable[[str, Extent, datetime | None], Query[Any]]
    overlap: timedelta | None = None
    moment: Callable[[Any], datetime | None]
    ignored: frozenset[str] = frozenset()
    standings: Callable[[Any], Iterable[RecordStanding]] = none_of
    is_incomplete: Callable[[Any], bool] = is_always_whole
    is_single: bool = False
