"""`belvo-async estimate`, and `extract --dry-run`: what plans need, before anything is sent."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Final

import msgspec

from ...abc import Clock
from ...planning import Estimate, Prices
from ..codes import Code
from ..config import config_at, prices_at
from ..table import Table, print_table
from ..words import counted, money, span
from .accounts import Environ
from .errands import errands_of, store_of
from .ready import Ready, opened

HEADINGS: Final = (
    "plan",
    "subjects",
    "requests",
    "known",
    "open",
    "to send",
    "later",
    "refused",
    "price",
    "by year",
    "lasts",
)
RIGHT: Final = frozenset(HEADINGS[1:])


async def estimate(options: argparse.Namespace, environ: Environ, clock: Clock) -> int:
    """Print what is needed; the exit code says if it is more than may be spent."""
    config = config_at(options.config)
    errands, prices = errands_of(options, config, clock.now()), prices_at(options.prices, config) or Prices()
    async with opened(errands, store_of(options, config), environ, clock) as ready:
        found = [
            (
                each,
                await each.session.estimate(
                    each.plan, prices=prices, freshness=each.errand.freshness, retry=options.retry
                ),
            )
            for each in ready
        ]
    if options.format == "json":
        for each, needs in found:
            told = {"plan": each.errand.name, "subjects": len(each.plan.subjects), **_facts(needs)}
            print(msgspec.json.encode(told).decode())
    else:
        print_table(Table(headings=HEADINGS, rows=[_row(*each) for each in found], right=RIGHT))
        for line in _remarks(found, prices):
            print(line)
    return Code.CAPPED if any(_is_too_much(*each) for each in found) else Code.WHOLE


def _facts(needs: Estimate) -> dict[str, object]:
    told: dict[str, object] = msgspec.to_builtins(needs)
    return told | {
        "p50": round(needs.p50.total_seconds()),
        "p95": round(needs.p95.total_seconds()),
        "price": needs.price and {"low": str(needs.price.low), "high": str(needs.price.high)},
        "by_year": needs.by_year and {"low": str(needs.by_year.low), "high": str(needs.by_year.high)},
    }


def _row(ready: Ready, needs: Estimate) -> tuple[str, ...]:
    lasts = f"{span(needs.p50)} to {span(needs.p95)}" if needs.to_fire else ""
    return (
        ready.errand.name,
        str(len(ready.plan.subjects)),
        str(needs.requests),
        str(needs.reused),
        str(needs.under_way),
        str(needs.to_fire),
        str(needs.later),
        str(needs.refused),
        money(needs.price, needs.currency),
        money(needs.by_year, needs.currency),
        lasts,
    )


def _remarks(found: Sequence[tuple[Ready, Estimate]], prices: Prices) -> list[str]:
    """What the table does not say by itself."""
    lines: list[str] = []
    for ready, needs in found:
        if needs.price is None and needs.to_fire:
            where = f"{ready.plan.vendor}.{ready.plan.resource}"
            why = f"the price list does not name {where}" if prices.of else "there is no price list"
            lines.append(f"{ready.errand.name}: no price: {why} (--prices FILE)")
        if needs.to_fire:
            source = f"the last {needs.history} such jobs of this store" if needs.history else "what the vendor says"
            lines.append(f"{ready.errand.name}: how long it lasts is worked out from {source}")
        if _is_too_much(ready, needs):
            cap = f"{ready.errand.max_cost:,.2f} {prices.currency}"
            lines.append(f"{ready.errand.name}: that may cost more than {cap}: extract would stop there")
        if ready.left_out:
            lines.append(f"{ready.errand.name}: {counted(ready.left_out, 'subject')} left out: access is not valid")
    return lines


def _is_too_much(ready: Ready, needs: Estimate) -> bool:
    cap = ready.errand.max_cost
    return cap is not None and needs.price is not None and needs.price.high > cap
