"""What is meant by the file's words: which file, which of its plans, which days, whose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Final

from ...errors import ConfigurationError
from ...planning import Prices
from ..values import DAYS, read_day, subjects_of
from .file import Config, PlanEntry, SubjectsFile, read_config

CONFIG_FILE: Final = "belvo-async.toml"
# The name of a plan that was given by arguments.
UNNAMED: Final = "plan"


def config_at(path: Path | None) -> Config:
    """Read the file that was named, else the one in the working directory, else one that says nothing."""
    if path is not None:
        return read_config(path)
    usual = Path(CONFIG_FILE)
    return read_config(usual) if usual.is_file() else Config()


def prices_at(path: Path | None, config: Config) -> Prices | None:
    """Read the price list that was named, else the file's; None where there is none."""
    place = path or (Path(config.prices_file) if config.prices_file else None)
    if place is None:
        return config.prices
    try:
        text = place.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
        raise ConfigurationError(f"the price list {place} cannot be read: {reason}") from None
    try:
        return Prices.from_toml(text)
    except ConfigurationError as error:
        raise ConfigurationError(f"{place}: {error}") from None


def plans_named(config: Config, names: Sequence[str], path: Path | None) -> Mapping[str, PlanEntry]:
    """The plans of these names, in the order of the file; of none, all. Raises ConfigurationError."""
    unknown = [name for name in names if name not in config.plans]
    if unknown:
        known = ", ".join(config.plans) or "none"
        raise ConfigurationError(f"{path or CONFIG_FILE} has no plan {unknown[0]!r}: it has {known}")
    return {name: entry for name, entry in config.plans.items() if not names or name in names}


def vendor_in(config: Config, entry: PlanEntry) -> str:
    """The vendor of a plan: its own word, or its account's."""
    return entry.vendor or config.accounts[entry.account or ""].vendor


def subjects_in(entry: PlanEntry, name: str) -> tuple[str, ...] | None:
    """The subjects that a plan names; None for all there are."""
    match entry.subjects:
        case "all":
            return None
        case str():
            raise ConfigurationError(f'{prefix(name)}`subjects` must be "all", a list, or {{ file = "links.txt" }}')
        case SubjectsFile(file=place):
            return subjects_of(place)
        case _:
            return entry.subjects


def period_in(first: object, last: object, now: datetime, name: str) -> tuple[date | None, date | None]:
    """The first and the last day of a plan; both None of one without a period."""
    period = _day(first, now, name, "from"), _day(last, now, name, "to")
    if (period[0] is None) != (period[1] is None):
        raise ConfigurationError(f"{prefix(name)}a period needs both its ends, --from and --to (`--to yesterday`)")
    return period


def _day(given: object, now: datetime, name: str, key: str) -> date | None:
    if given is None:
        return None
    try:
        return read_day(given, now, is_last=key == "to")
    except ValueError:
        raise ConfigurationError(f"{prefix(name)}`{key}` must be {DAYS}") from None


def prefix(name: str) -> str:
    """Whose fault it is, before a sentence about it; nothing for a plan of arguments."""
    return "" if name == UNNAMED else f"plans.{name}: "
