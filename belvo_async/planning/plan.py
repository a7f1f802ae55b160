"""A plan: what somebody wants to hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple, cast

import msgspec
from msgspec.structs import force_setattr, replace

from ..abc import Plannable, PlanRules
from ..discreet import discreet
from ..errors import TaskError
from ..jobs import Extent
from .calendar import mexican_day, number
from .spans import Span

SUBJECTS_LIMIT: Final = 1_000_000


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What you want to hold: of these subjects, one resource, of these directions, over a period of days.

    `subjects` are links or entities; `resource` is the vendor's word (`INVOICES`, `invoice`, either in any letters).
    `first` and `last` count both; a resource without a period (`tax_status`) takes none. `directions` are `issued` and
    `received`, by default all there are. `options` ask for more in each record (`xml`, `pdf`). Days are those of
    Mexico's tax office. Whoever is named first is served first. Raises TaskError, before anything is sent, naming the
    field that does not fit.
    """

    vendor: str
    subjects: Sequence[str]
    resource: str
    first: date | None = None
    last: date | None = None
    directions: Sequence[str] = ()
    options: Sequence[str] = ()

    @discreet
    def __post_init__(self) -> None:
        for field in ("vendor", "resource"):
            if not isinstance(getattr(self, field), str):
                raise TaskError(f"{field} must be a text", field=field)
        for field in ("subjects", "directions", "options"):
            force_setattr(self, field, _texts(getattr(self, field), field))
        if not self.subjects:
            raise TaskError("subjects must name at least one link or entity", field="subjects")
        for field in ("first", "last"):
            _check_day(getattr(self, field), field)
        if (self.first is None) != (self.last is None):
            raise TaskError("a period needs both its first and its last day", field="first" if self.last else "last")
        if self.first is not None and self.last is not None and self.last < self.first:
            raise TaskError("the period is empty: last lies before first", field="last")

    @property
    def span(self) -> Span:
        """Its days as numbers."""
        return number(self.first), number(self.last)

    def __repr__(self) -> str:
        period = "" if self.first is None else f" {self.first}..{self.last}"
        return f"<Plan {self.vendor} {self.resource}{period}, {len(self.subjects)} subjects>"


class Settled(NamedTuple):
    """A plan as its vendor understands it, and the rules that it is cut by."""

    plan: Plan
    rules: PlanRules


def settle_plan(plan: Plan, vendors: Mapping[str, Plannable], now: datetime) -> Settled:
    """Read a plan by its vendor's rules: ids in normal form, each once, and every direction named.

    Raises TaskError for what the vendor does not know or cannot be asked: before a byte is sent.
    """
    vendor = vendors.get(plan.vendor)
    if vendor is None:
        known = ", ".join(vendors)
        raise TaskError(f"vendor must be one of this session's: {known}", field="vendor")
    resource, rules = _resource_of(plan, vendor)
    if rules.is_dated is (plan.first is None):
        rule = "has days: name first and last" if rules.is_dated else "has no period: leave first and last out"
        raise TaskError(f"{resource} {rule}", field="first")
    if plan.last is not None and plan.last > mexican_day(now):
        raise TaskError("last lies in the future: nothing can be held of it yet", field="last")
    directions = _some_of(plan.directions, rules.directions, "directions") or rules.directions
    options = _some_of(plan.options, rules.options, "options")
    extent = Extent(directions=directions[:1], first=plan.first, last=plan.first, options=options)
    # The order of the first mention: whoever is named first is served first.
    subjects = tuple(dict.fromkeys(_subject_of(each, rules, extent, vendor, now) for each in plan.subjects))
    return Settled(replace(plan, resource=resource, subjects=subjects, directions=directions, options=options), rules)


def check_apart(plans: Mapping[str, Plan]) -> None:
    """Refuse settled plans, by name, of which two want the same day of the same subject: it would be counted twice."""
    seen: dict[tuple[str, str, str, str], list[tuple[Span, str]]] = {}
    for name, plan in plans.items():
        for subject in plan.subjects:
            for direction in plan.directions:
                others = seen.setdefault((plan.vendor, plan.resource, subject, direction), [])
                for (first, last), other in others:
                    if first <= plan.span[1] and plan.span[0] <= last:
                        raise TaskError(
                            f"plans {other} and {name} overlap: both want {plan.resource} of a same subject and day",
                            field="first",
                        )
                others.append((plan.span, name))


def _resource_of(plan: Plan, vendor: Plannable) -> tuple[str, PlanRules]:
    wanted = plan.resource.casefold().replace("-", "_")
    for resource, rules in vendor.plans.items():
        if wanted in (resource.casefold(), f"{resource.casefold()}s"):
            return resource, rules
    known = ", ".join(vendor.plans) or "none"
    raise TaskError(f"resource must be one that {vendor.name} can be planned for: {known}", field="resource")


def _subject_of(subject: str, rules: PlanRules, extent: Extent, vendor: Plannable, now: datetime) -> str:
    """A subject in the form that its tasks bear, of which the vendor may be asked."""
    try:
        task = rules.start(subject, extent)
        vendor.check(task, now)
    except TaskError as error:
        raise TaskError(f"subjects: {error}", field="subjects") from None
    return task.subject


def _some_of(given: Sequence[str], known: Sequence[str], field: str) -> tuple[str, ...]:
    unknown = [each for each in given if each not in known]
    if unknown:
        raise TaskError(f"{field} must be some of {', '.join(known) or 'none: it has none'}", field=field)
    return tuple(each for each in known if each in given)


def _texts(given: object, field: str) -> tuple[str, ...]:
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise TaskError(f"{field} must be a sequence of texts", field=field)
    texts = cast("Sequence[object]", given)
    if len(texts) > SUBJECTS_LIMIT:
        raise TaskError(f"{field} must be at most {SUBJECTS_LIMIT:,}", field=field)
    if not all(isinstance(each, str) and each for each in texts):
        raise TaskError(f"{field} must hold texts that are not empty", field=field)
    return tuple(cast("Sequence[str]", texts))


def _check_day(given: object, field: str) -> None:
    if given is not None and (not isinstance(given, date) or isinstance(given, datetime)):
        raise TaskError(f"{field} must be a datetime.date without time", field=field)
