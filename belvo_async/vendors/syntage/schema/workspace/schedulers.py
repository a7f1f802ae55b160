"""Extractions that Syntage starts by itself: schedulers, and the rules that say what is extracted and when."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Final, TypeAlias, cast

import msgspec
from msgspec.structs import force_setattr

from .....discreet import discreet
from .....errors import TaskError
from ..account import EntityTag
from ..forms.requests import Delete, Get, OneRequest
from ..options import EXTRACTORS, AnyOptions
from ..queries import ListQuery
from ..record import Part, Record
from ..tasks import Extraction

# Options are checked as those of an extraction are, which is of an entity.
_NOBODY: Final = "/entities/00000000-0000-0000-0000-000000000000"
_EVER: Final[Mapping[str, object]] = {"from": "1900-01-01", "to": "2999-12-31"}
_CRON: Final = re.compile(r"@[a-z]+|[\w*/,#?-]+( +[\w*/,#?-]+){4}", re.ASCII)


class SchedulerRule(Record, frozen=True, kw_only=True):
    """What a scheduler extracts, and when. `scheduler` is the name of the one it belongs to, which may have none.

    Rules of first extractions have no `cron_expression`: they apply when an entity is new.
    """

    _instants: ClassVar[tuple[str, ...]] = ("created_at", "updated_at", "next_run_date")

    scheduler: str | None = None
    extractor: str | None = None
    options: Mapping[str, object] | None = None
    cron_expression: str | None = None
    next_run_date: datetime | None = None


class _RulePage(Part, frozen=True, kw_only=True):
    members: tuple[SchedulerRule, ...] | None = msgspec.field(default=None, name="hydra:member")


if TYPE_CHECKING:
    _Rules: TypeAlias = tuple[SchedulerRule, ...] | None
else:
    # The document puts the rules into the envelope of a list, as nothing else that stands inside a record.
    _Rules = tuple[SchedulerRule, ...] | _RulePage | None


class Scheduler(Record, frozen=True, kw_only=True):
    """Rules for all entities that wear one of `tags`. Without a name it may be the one of first extractions."""

    name: str | None = None
    type: str | None = None
    is_enabled: bool | None = None
    rules: _Rules = None
    tags: tuple[EntityTag, ...] | None = None

    def __post_init__(self) -> None:
        rules = cast("object", self.rules)
        if isinstance(rules, _RulePage):
            force_setattr(self, "rules", rules.members)
        super().__post_init__()


class Schedulers(ListQuery[Scheduler], frozen=True, kw_only=True):
    """`GET /schedulers`: also the one Syntage made for first extractions."""

    apart: ClassVar[str] = "/schedulers"


class GetScheduler(Get[Scheduler], frozen=True):
    """`GET /schedulers/{id}`: with its rules and tags."""

    path: ClassVar[str] = "/schedulers/{id}"


class CreateScheduler(OneRequest[Scheduler], frozen=True, kw_only=True):
    """`POST /schedulers`. It runs for the entities that wear one of its `tags`: labels of entities, by id or IRI.

    It does nothing before it has a rule (`CreateSchedulerRule`). Entities times rules times runs is what is billed.
    """

    method: ClassVar[str] = "POST"
    path: ClassVar[str] = "/schedulers"
    collections: ClassVar[Mapping[str, str]] = {"tags": "/entity-tags"}

    name: str | None = None
    tags: tuple[str, ...] | None = None
    is_enabled: bool | None = None

    def body(self) -> Mapping[str, object]:
        """Give the body that is sent: of the types, only this one can be made."""
        return {"type": "recurring", **self._said()}


class UpdateScheduler(OneRequest[Scheduler], frozen=True, kw_only=True):
    """`PUT /schedulers/{id}`: what is not named stays. `tags` replace all it had, an empty tuple takes them away."""

    method: ClassVar[str] = "PUT"
    path: ClassVar[str] = "/schedulers/{id}"
    collections: ClassVar[Mapping[str, str]] = {"tags": "/entity-tags"}
    clearing: ClassVar[frozenset[str]] = frozenset({"tags"})

    id: str
    name: str | None = None
    tags: tuple[str, ...] | None = None
    is_enabled: bool | None = None


class DeleteScheduler(Delete, frozen=True):
    """`DELETE /schedulers/{id}`. Extractions it has started go on."""

    path: ClassVar[str] = "/schedulers/{id}"


class GetSchedulerRule(Get[SchedulerRule], frozen=True):
    """`GET /schedulers/rules/{id}`. Rules have no list: `Scheduler.rules` names them."""

    path: ClassVar[str] = "/schedulers/rules/{id}"


class _Rule(OneRequest[SchedulerRule], frozen=True, kw_only=True):
    @discreet
    def __post_init__(self) -> None:
        super().__post_init__()
        extractor, options, cron = (getattr(self, each) for each in ("extractor", "options", "cron_expression"))
        if extractor is not None and extractor not in EXTRACTORS:
            raise TaskError(f"extractor must be one of {', '.join(EXTRACTORS)}", field="extractor")
        if options is not None:
            force_setattr(self, "options", _read_options(extractor, options))
        if cron is not None and not _CRON.fullmatch(cron):
            raise TaskError(
                "cron_expression must be five fields like '0 6 * * 1', or a word like @daily", field="cron_expression"
            )


class CreateSchedulerRule(_Rule, frozen=True, kw_only=True):
    """`POST /schedulers/rules`: what a scheduler extracts, and when, as five fields of cron or a word like `@daily`.

    Syntage does not say in which time zone it reads them. Options that name a period to its end bring the same days at
    each run: as a mapping in Syntage's own words they may leave out its end, which is then the day of the run.
    """

    method: ClassVar[str] = "POST"
    path: ClassVar[str] = "/schedulers/rules"
    collections: ClassVar[Mapping[str, str]] = {"scheduler": "/schedulers"}

    scheduler: str
    extractor: str
    cron_expression: str
    options: AnyOptions = None


class UpdateSchedulerRule(_Rule, frozen=True, kw_only=True):
    """`PUT /schedulers/rules/{id}`: what is not named stays. With `options`, the extractor must be named too."""

    method: ClassVar[str] = "PUT"
    path: ClassVar[str] = "/schedulers/rules/{id}"

    id: str
    extractor: str | None = None
    cron_expression: str | None = None
    options: AnyOptions = None


class DeleteSchedulerRule(Delete, frozen=True):
    """`DELETE /schedulers/rules/{id}`."""

    path: ClassVar[str] = "/schedulers/rules/{id}"


def _read_options(extractor: str | None, given: object) -> Mapping[str, object]:
    """Check options as those of an extraction are; give them as they are sent."""
    if extractor is None:
        raise TaskError("extractor must be given with options: they are of one", field="extractor")
    if not isinstance(given, Mapping):
        return Extraction(_NOBODY, extractor, cast("AnyOptions", given)).sent_options()
    words = cast("Mapping[str, object]", given)
    kind, period = EXTRACTORS[extractor], words.get("period", {})
    if kind is not None and "period" in kind.__struct_fields__ and isinstance(period, Mapping):
        Extraction(_NOBODY, extractor, {**words, "period": {**_EVER, **cast("Mapping[str, object]", period)}})
        return words
    return Extraction(_NOBODY, extractor, words).sent_options()
