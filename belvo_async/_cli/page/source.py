"""Where a page comes from: a store, a file with plans, and what was typed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import msgspec

from ..._page import Held, Morning, Preferences, Scope, make_morning, read_store, scope_of
from ..._session.environment import keyless_vendors
from ...abc import Store
from ...errors import ConfigurationError, TaskError
from ...planning import Plan, cover, settle_plan
from ..config import (
    CONFIG_FILE,
    Config,
    PlanEntry,
    config_at,
    period_in,
    plans_named,
    prefix,
    prices_at,
    subjects_in,
    vendor_in,
)
from ..existing import existing_store


class PageRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What was typed. `plans` are names of the file's; none: all of it, or without a file what was ever asked for.

    `online`: vendors are asked what they recorded of their deliveries.
    """

    store: str | None = None
    config: Path | None = None
    plans: tuple[str, ...] = ()
    prices: Path | None = None
    budget: Decimal | None = None
    show_taxpayers: bool = False
    online: bool = False

    def read_config(self) -> Config:
        """What the file says. Raises ConfigurationError."""
        if self.plans and self.config is None and not Path(CONFIG_FILE).is_file():
            raise ConfigurationError(f"which file are the plans in? there is no {CONFIG_FILE} here: give --config FILE")
        return config_at(self.config)

    def open_store(self) -> Store:
        """The store that was typed, or else the file's; one that is there. Raises ConfigurationError."""
        return existing_store(self.store, self.read_config())

    def preferences(self, config: Config) -> Preferences:
        """What the page is to say."""
        prices = prices_at(self.prices, config)
        return Preferences(prices=prices, budget=self.budget, show_taxpayers=self.show_taxpayers)


def morning_of(source: PageRequest, held: Held, now: datetime) -> Morning:
    """Work the page out. Takes seconds for a large store. Raises ConfigurationError and TaskError."""
    config = source.read_config()
    plans = plans_named(config, source.plans, source.config)
    scopes = list(_scopes(config, plans, held, now)) if plans else None
    return make_morning(held, scopes, source.preferences(config), now)


async def morning_from(source: PageRequest, store: Store, now: datetime) -> Morning:
    """Read an open store, and work the page out."""
    return morning_of(source, await read_store(store), now)


def _scopes(config: Config, plans: Mapping[str, PlanEntry], held: Held, now: datetime) -> Iterator[Scope]:
    vendors = keyless_vendors()
    for name, entry in plans.items():
        vendor, subjects = vendor_in(config, entry), subjects_in(entry, name)
        subjects = _known_subjects(vendor, held) if subjects is None else subjects
        if not subjects:
            yield Scope(name=name, vendor=vendor, resource=entry.resource, cells={})
            continue
        first, last = period_in(entry.first, entry.last, now, name)
        try:
            plan = Plan(
                vendor=vendor,
                resource=entry.resource,
                subjects=subjects,
                first=first,
                last=last,
                directions=entry.directions,
                options=entry.options,
            )
            settled = settle_plan(plan, vendors, now)
        except TaskError as error:
            raise TaskError(f"{prefix(name)}{error}", field=error.field) from None
        yield scope_of(cover(settled.plan, held.jobs.values()), name)


def _known_subjects(vendor: str, held: Held) -> tuple[str, ...]:
    """Without keys nobody can be asked for all there are: those that any job was about."""
    return tuple(sorted({job.task.subject for job in held.jobs.values() if job.vendor == vendor} - {""}))
