"""Where a page comes from: a store, a file with plans, and what was typed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import msgspec

from ..._page import Held, Morning, Preferences, Scope, make_morning, read_store, scope_of
from ..._session.environment import keyless_vendors
from ...abc import Store
from ...planning import Plan, Prices, cover, settle_plan
from ..existing import existing_store
from .entries import PlanLine, Settings, read_prices, read_settings


class PageRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What was typed. `plans` are names of the file's; none: all of it, or without a file what was ever asked for."""

    store: str | None = None
    config: Path | None = None
    plans: tuple[str, ...] = ()
    prices: Path | None = None
    budget: Decimal | None = None
    show_taxpayers: bool = False

    def settings(self, now: datetime) -> Settings:
        """What the file says. Raises ConfigurationError."""
        return read_settings(self.config, self.plans, now)

    def open_store(self, settings: Settings) -> Store:
        """The store that was typed, or else the file's; one that is there. Raises ConfigurationError."""
        return existing_store(self.store or settings.store)

    def preferences(self, settings: Settings) -> Preferences:
        """What the page is to say."""
        return Preferences(prices=self._price_list(settings), budget=self.budget, show_taxpayers=self.show_taxpayers)

    def _price_list(self, settings: Settings) -> Prices | None:
        return settings.prices if self.prices is None else read_prices(self.prices)


def morning_of(source: PageRequest, held: Held, now: datetime) -> Morning:
    """Work the page out. Takes seconds for a large store. Raises ConfigurationError and TaskError."""
    settings = source.settings(now)
    scopes = _scopes(settings.plans, held, now) if settings.plans else None
    return make_morning(held, scopes, source.preferences(settings), now)


async def morning_from(source: PageRequest, store: Store, now: datetime) -> Morning:
    """Read an open store, and work the page out."""
    return morning_of(source, await read_store(store), now)


def _scopes(lines: Iterable[PlanLine], held: Held, now: datetime) -> Sequence[Scope]:
    vendors = keyless_vendors()
    found: list[Scope] = []
    for line in lines:
        subjects = line.subjects if line.subjects is not None else _known_subjects(line, held)
        if not subjects:
            found.append(Scope(name=line.name, vendor=line.vendor, resource=line.resource, cells={}))
            continue
        plan = Plan(
            vendor=line.vendor,
            resource=line.resource,
            subjects=subjects,
            first=line.first,
            last=line.last,
            directions=line.directions,
            options=line.options,
        )
        settled = settle_plan(plan, vendors, now)
        found.append(scope_of(cover(settled.plan, held.jobs.values()), line.name))
    return found


def _known_subjects(line: PlanLine, held: Held) -> tuple[str, ...]:
    """Without keys nobody can be asked for all there are: those that any job was about."""
    return tuple(sorted({job.task.subject for job in held.jobs.values() if job.vendor == line.vendor} - {""}))
