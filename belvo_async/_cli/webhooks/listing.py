"""`belvo-async webhooks list` and `requests`: where deliveries go, and what became of them."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from ..._session.hooks.findings import find_faults
from ...abc import AttemptFilter, Clock, DeliveryAttempt, HookEndpoint, ManagedWebhooks
from ...origins import shown_url
from ..codes import Code
from ..plans.accounts import Environ
from ..table import Table, print_table
from ..words import minute, second, stamp
from .account import opened

ENDPOINTS: Final = ("id", "address", "enabled", "events", "secret", "created")
ATTEMPTS: Final = ("when", "answer", "took", "endpoint", "address")
# More events than this are counted in a table.
_NAMED: Final = 3
NOBODY: Final = "nobody"


async def endpoints(options: argparse.Namespace, environ: Environ, clock: Clock) -> int:
    """Print the endpoints of an account, and what is wrong with those of its receiver."""
    async with opened(options, environ, clock) as account:
        managed = account.desk.managed
        every = await account.desk.endpoints()
    shown = [each for each in every if options.url in (None, each.url)]
    facts = [_facts(each, managed) for each in shown]
    rows = [
        (
            each.id,
            shown_url(each.url),
            "yes" if each.is_enabled else "no",
            _events(each.events),
            _secret(each, managed),
            minute(each.created_at),
        )
        for each in shown
    ]
    _print(options.format, facts, ENDPOINTS, rows)
    if options.format == "table":
        for fault in find_faults(every, managed):
            print(f"wrong: {fault.text}")
    return Code.WHOLE


async def attempts(options: argparse.Namespace, environ: Environ, clock: Clock) -> int:
    """Print what the vendor recorded of its deliveries: what failed first, and of that the newest."""
    async with opened(options, environ, clock) as account:
        event = account.event_of(options.event)
        asked = AttemptFilter(url=options.url, event=event, status=options.status, limit=options.limit)
        found = await account.desk.attempts(asked)
    shown = sorted((each for each in found if not (options.failed and each.is_accepted)), key=_accepted_last)
    facts = [_attempt_facts(each) for each in shown]
    rows = [
        (second(each.at), answer_of(each), _took(each), (each.endpoint or "")[:13], shown_url(each.url))
        for each in shown
    ]
    _print(options.format, facts, ATTEMPTS, rows)
    return Code.WHOLE


def _accepted_last(attempt: DeliveryAttempt) -> bool:
    return attempt.is_accepted


def answer_of(attempt: DeliveryAttempt) -> str:
    """What was answered to an attempt, in a word."""
    return str(attempt.status) if attempt.status else NOBODY


def _took(attempt: DeliveryAttempt) -> str:
    return "" if attempt.took is None else f"{attempt.took.total_seconds():.2f} s"


def _events(names: Sequence[str]) -> str:
    return " ".join(names) if len(names) <= _NAMED else f"{len(names)} kinds"


def _secret(endpoint: HookEndpoint, managed: ManagedWebhooks) -> str:
    if endpoint.secret is None:
        return "not told"
    return "ours" if managed.knows(endpoint.secret) else "unknown"


def _facts(endpoint: HookEndpoint, managed: ManagedWebhooks) -> dict[str, object]:
    return {
        "id": endpoint.id,
        "address": shown_url(endpoint.url),
        "enabled": endpoint.is_enabled,
        "events": endpoint.events,
        "content_type": endpoint.content_type,
        "secret": _secret(endpoint, managed),
        "created": stamp(endpoint.created_at),
    }


def _attempt_facts(attempt: DeliveryAttempt) -> dict[str, object]:
    return {
        "id": attempt.id,
        "when": stamp(attempt.at),
        "status": attempt.status,
        "accepted": attempt.is_accepted,
        "seconds": None if attempt.took is None else attempt.took.total_seconds(),
        "endpoint": attempt.endpoint,
        "address": shown_url(attempt.url),
        "event": attempt.event,
    }


def _print(
    form: str, facts: Sequence[Mapping[str, object]], headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]
) -> None:
    if form == "json":
        for each in facts:
            print(msgspec.json.encode(each).decode())
    elif not rows:
        print("none")
    else:
        print_table(Table(headings=headings, rows=rows))
