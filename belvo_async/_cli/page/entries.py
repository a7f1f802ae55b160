"""The plans of a `belvo-async.toml`, as far as they are looked at."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, cast

import msgspec

from ...errors import ConfigurationError
from ...planning import Prices
from ...planning.calendar import mexican_day

DEFAULT: Final = Path("belvo-async.toml")


class PlanLine(msgspec.Struct, frozen=True, kw_only=True):
    """One plan of the file. `subjects` None: all that the store knows."""

    name: str
    vendor: str
    resource: str
    subjects: tuple[str, ...] | None
    first: date | None
    last: date | None
    directions: tuple[str, ...]
    options: tuple[str, ...]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a file says that the page needs."""

    store: str | None = None
    prices: Prices | None = None
    plans: tuple[PlanLine, ...] = ()


def read_settings(path: Path | None, wanted: Sequence[str], now: datetime) -> Settings:
    """Read the file, or the one in the working directory where it is; `wanted` plans of it, or all.

    Raises ConfigurationError for a file that is named and is not there, that cannot be read, or lacks a plan.
    """
    if path is None and not DEFAULT.is_file():
        if wanted:
            raise ConfigurationError(f"which file are the plans in? there is no {DEFAULT} here: give --config FILE")
        return Settings()
    place = path or DEFAULT
    try:
        given = tomllib.loads(place.read_text(encoding="utf-8"), parse_float=Decimal)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{place} is no TOML: {error}") from None
    plans = _table(given.get("plans", {}), place, "plans")
    unknown = [each for each in wanted if each not in plans]
    if unknown:
        raise ConfigurationError(f"{place} has no plan {unknown[0]}; it has {', '.join(plans) or 'none'}")
    accounts = _table(given.get("accounts", {}), place, "accounts")
    store = given.get("store")
    return Settings(
        store=store if isinstance(store, str) else None,
        prices=_prices(given.get("prices"), place),
        plans=tuple(_line(name, plans[name], accounts, place, now) for name in wanted or plans),
    )


def _prices(given: object, place: Path) -> Prices | None:
    if isinstance(given, str):
        return read_prices(place.parent / given)
    return None if given is None else Prices.read(_table(given, place, "prices"), within="prices.")


def read_prices(path: Path) -> Prices:
    """Read a price list. Raises ConfigurationError."""
    return Prices.from_toml(path.read_text(encoding="utf-8"))


def _line(name: str, given: object, accounts: Mapping[str, Any], place: Path, now: datetime) -> PlanLine:
    where = f"plans.{name}"
    plan = _table(given, place, where)
    account = _table(accounts.get(plan.get("account", ""), {}), place, "accounts")
    try:
        return PlanLine(
            name=name,
            vendor=_text(plan.get("vendor", account.get("vendor")), "vendor"),
            resource=_text(plan.get("resource"), "resource"),
            subjects=_subjects(plan.get("subjects", "all"), place),
            first=_day(plan.get("from"), now, is_last=False),
            last=_day(plan.get("to"), now, is_last=True),
            directions=_texts(plan.get("directions", ())),
            options=_texts(plan.get("options", ())),
        )
    except ValueError as error:
        raise ConfigurationError(f"{place}: {where} {error}") from None


def _table(given: object, place: Path, where: str) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise ConfigurationError(f"{place}: {where} must be a table")
    return cast("Mapping[str, Any]", given)


def _text(given: object, what: str) -> str:
    if not isinstance(given, str) or not given:
        raise ValueError(f"needs a {what}")
    return given


def _texts(given: object) -> tuple[str, ...]:
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise ValueError("needs lists of texts")
    return tuple(_text(each, "text in each list") for each in cast("Sequence[object]", given))


def _subjects(given: object, place: Path) -> tuple[str, ...] | None:
    if isinstance(given, Mapping):
        file = _text(cast("Mapping[str, object]", given).get("file"), "file of subjects")
        lines = (place.parent / file).read_text(encoding="utf-8").splitlines()
        texts = (line.partition("#")[0].strip() for line in lines)
        return tuple(dict.fromkeys(text for text in texts if text))
    if given == "all":
        return None
    return (given,) if isinstance(given, str) else _texts(given)


def _day(given: object, now: datetime, *, is_last: bool) -> date | None:
    """A day; of a year or a month its first or last one. The last lies never in the future: nothing is held of that."""
    if given is None:
        return None
    today = mexican_day(now)
    text = str(given)
    if text in ("today", "yesterday"):
        return today - timedelta(days=text == "yesterday")
    if len(text) == 4:
        first, after = date(int(text), 1, 1), date(int(text) + 1, 1, 1)
    elif len(text) == 7:
        first = date.fromisoformat(f"{text}-01")
        after = (first + timedelta(days=31)).replace(day=1)
    else:
        first = date.fromisoformat(text)
        after = first + timedelta(days=1)
    return min(after - timedelta(days=1), today) if is_last else first
