"""What a command was asked to do: plans of the file or of the arguments, with where they go and on what terms."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from ...errors import ConfigurationError
from ...planning import Freshness, Plan
from ..config import (
    CONFIG_FILE,
    UNNAMED,
    AccountEntry,
    Config,
    PlanEntry,
    period_in,
    plans_named,
    prefix,
    subjects_in,
)
from ..existing import store_url
from ..values import read_span, subjects_of

ALL: Final = "all"


@dataclass(frozen=True, kw_only=True)
class Errand:
    """One plan as it is asked for. `subjects` None: all that are valid, to be asked of the vendor."""

    name: str
    account: AccountEntry
    resource: str
    subjects: tuple[str, ...] | None
    first: date | None
    last: date | None
    directions: tuple[str, ...]
    options: tuple[str, ...]
    files: tuple[str, ...]
    into: str | None
    single: bool
    certificate: Path | None
    max_cost: Decimal | None
    freshness: Freshness

    def plan(self, subjects: tuple[str, ...]) -> Plan:
        """The plan, of these subjects. Raises TaskError."""
        return Plan(
            vendor=self.account.vendor,
            resource=self.resource,
            subjects=subjects,
            first=self.first,
            last=self.last,
            directions=self.directions,
            options=self.options,
        )


def store_of(options: argparse.Namespace, config: Config) -> str:
    """The store's URL; one that outlives the process: what was paid for is remembered there."""
    return store_url(
        options.store,
        config,
        in_memory="a store in memory ends with this command, and all would be paid for again: --store sqlite:jobs.db",
    )


def errands_of(options: argparse.Namespace, config: Config, now: datetime) -> list[Errand]:
    """What is asked for, read and checked as far as that goes without a vendor. Raises ConfigurationError."""
    if options.vendor or options.resource:
        entries: Mapping[str, PlanEntry] = {UNNAMED: _entry_of(options)}
    else:
        entries = _chosen(options, config)
    errands = [_errand(options, config, name, entry, now) for name, entry in entries.items()]
    if len(errands) > 1:
        _check_several(options, errands)
    return errands


def _entry_of(options: argparse.Namespace) -> PlanEntry:
    if options.plan:
        raise ConfigurationError("--plan names a plan of the file, and --vendor and --resource say another one")
    if not (options.vendor and options.resource):
        raise ConfigurationError("a plan needs both --vendor and --resource: --vendor belvo --resource invoices")
    if not (options.subject or options.subjects):
        raise ConfigurationError("of whom? name links or entities by --subject ID, --subjects FILE, or --subjects all")
    return PlanEntry(vendor=options.vendor, resource=options.resource)


def _chosen(options: argparse.Namespace, config: Config) -> Mapping[str, PlanEntry]:
    if not config.plans:
        raise ConfigurationError(
            "what for? name a plan by --vendor, --resource, --subject, --from and --to, or write some into "
            f"{options.config or CONFIG_FILE}"
        )
    return plans_named(config, options.plan, options.config)


def _errand(options: argparse.Namespace, config: Config, name: str, entry: PlanEntry, now: datetime) -> Errand:
    given = vars(options)
    into = given.get("into") or entry.into or config.into
    certificate = given.get("certificate") or entry.certificate
    single: bool | None = given.get("single")
    begin = options.first or entry.first
    first, last = period_in(begin, options.last or entry.last or _usual_end(options, begin), now, name)
    return Errand(
        name=name,
        account=_account(config, entry),
        resource=entry.resource,
        subjects=_subjects(options, entry, name),
        first=first,
        last=last,
        directions=tuple(options.direction) or entry.directions,
        options=tuple(options.option) or entry.options,
        files=tuple(given.get("files") or entry.files),
        into=config.outputs.get(into, into) if into else None,
        single=entry.single if single is None else single,
        certificate=None if certificate is None else Path(str(certificate).replace("{plan}", name)),
        max_cost=_sum(given.get("max_cost"), entry),
        freshness=_freshness(options, entry, name),
    )


def _usual_end(options: argparse.Namespace, first: object) -> str | None:
    """Until when, where nobody says: `sync` means up to now."""
    return "yesterday" if options.is_live and first is not None else None


def _account(config: Config, entry: PlanEntry) -> AccountEntry:
    if entry.account is not None:
        return config.accounts[entry.account]
    named = [each for each in config.accounts.values() if each.vendor == entry.vendor]
    if len(named) > 1:
        raise ConfigurationError(f"the file has several accounts of {entry.vendor}: say by `account` which one")
    return named[0] if named else AccountEntry(vendor=entry.vendor or "")


def _subjects(options: argparse.Namespace, entry: PlanEntry, name: str) -> tuple[str, ...] | None:
    if options.subject or options.subjects:
        places = [each for each in options.subjects if each != ALL]
        if ALL in options.subjects:
            if options.subject or places:
                raise ConfigurationError("--subjects all means every one: leave the others out")
            return None
        return (*options.subject, *(subject for place in places for subject in subjects_of(place)))
    return subjects_in(entry, name)


def _sum(given: Decimal | None, entry: PlanEntry) -> Decimal | None:
    if given is not None:
        return given
    return None if entry.max_cost is None else Decimal(entry.max_cost)


def _freshness(options: argparse.Namespace, entry: PlanEntry, name: str) -> Freshness:
    oldest: timedelta | None = options.max_age
    if oldest is None and entry.max_age is not None:
        try:
            oldest = read_span(entry.max_age)
        except ValueError:
            raise ConfigurationError(f"{prefix(name)}`max_age` must be like 90m, 12h, 30d or 8w") from None
    live: Freshness = options.freshness(options)
    return replace(live, max_age=oldest)


def _check_several(options: argparse.Namespace, errands: list[Errand]) -> None:
    given: Mapping[str, Any] = vars(options)
    if given.get("max_cost") is not None:
        raise ConfigurationError(
            "--max-cost is of one plan, and these are several: name one by --plan, or write `max_cost` into each"
        )
    files = [each.certificate for each in errands if each.certificate is not None]
    if len(set(files)) < len(files):
        raise ConfigurationError("each plan earns a certificate of its own: --certificate 'certificates/{plan}.json'")
