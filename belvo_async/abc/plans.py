"""What a dialect contributes to planning: how its vendor's requests may be cut."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, Protocol

from ..jobs import UNDIRECTED, Extent, Task
from .exchange import Download, Query


class RowPlace(NamedTuple):
    """Where a record belongs on a plan's axis: its directions and its day, as far as it says."""

    directions: tuple[str, ...] = ()
    day: date | None = None


def everywhere(record: object) -> RowPlace:
    """Of a record that says nothing of its place."""
    return RowPlace()


def no_file(record: object, form: str) -> None:
    """Of a record that has no files."""
    return


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRules:
    """How a vendor's requests for one resource may be cut, as far as it documents that.

    `start` makes the task for a subject and an extent; TaskError for a subject that can be none. `place` says to which
    day and direction a record belongs: by one reading, so that records at the edge of two requests belong to one.
    `list_of`, where there is one, is the list that holds the rows of several jobs of a subject, over all their days.
    `longest_days` is how many days one request may cover, both ends counted; None for any. `is_joint`: one request may
    cover both directions. `is_bisected`: where the tax office's limits cut a request short, two of half its period go
    further than the same one again. `is_laned`: a subject has one open request at a time. `is_dated` False: the
    resource has no period, a request brings what there is. `options` are those that may be asked for. `outages` are
    codes of failures that are the institution's and not the subject's. `files` are the forms in which a record's own
    document may be had (`xml`, `pdf`), and `file_of` says how: by a download, or as it stands in the record; None where
    there is none. `requests` is how many of the vendor's requests
    one job costs, told by webhooks, in the budget of `limit` in a `span` where the vendor documents one. `typical`: how
    long half of the jobs take at most, and nineteen of twenty, as long as a store has no history of its own.
    """

    start: Callable[[str, Extent], Task[Any]]
    place: Callable[[Any], RowPlace] = everywhere
    list_of: Callable[[str, Extent], Query[Any]] | None = None
    files: tuple[str, ...] = ()
    file_of: Callable[[Any, str], Download | bytes | None] = no_file
    directions: tuple[str, ...] = (UNDIRECTED,)
    options: tuple[str, ...] = ()
    is_dated: bool = True
    is_joint: bool = False
    is_bisected: bool = False
    is_laned: bool = False
    longest_days: int | None = None
    requests: int = 2
    limit: int | None = None
    span: timedelta = timedelta(seconds=30)
    outages: frozenset[str] = frozenset()
    typical: tuple[timedelta, timedelta] = (timedelta(minutes=10), timedelta(hours=1))


class Plannable(Protocol):
    """What a plan is read by: the part of a `Vendor` that needs no key."""

    @property
    def name(self) -> str: ...
    @property
    def plans(self) -> Mapping[str, PlanRules]: ...

    def check(self, task: Task[Any], now: datetime) -> None:
        """Raise TaskError for what the vendor cannot be asked."""
        ...
