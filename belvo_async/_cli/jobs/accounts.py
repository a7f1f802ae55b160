"""`belvo-async jobs accounts` and `jobs move`: whose jobs a store holds, and giving them to another account."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Final

import msgspec

from ...abc import Store
from ...accounts import read_name, served_lease
from ...errors import ConfigurationError
from ...stores import Moved, move_account
from ..existing import existing_store
from ..lasting import run
from ..table import Table, print_table
from ..words import counted

HEADINGS: Final = ("account", "open", "ended", "parked", "served")


class Holding(msgspec.Struct, frozen=True):
    """What a store holds of an account, and whether a session that is open now serves it."""

    account: str
    open: int
    ended: int
    parked: int
    served: bool


def list_accounts(url: str | None, *, form: str) -> int:
    """Print the accounts of a store."""
    holdings = run(_holdings(existing_store(url)))
    if form == "json":
        for each in holdings:
            print(msgspec.json.encode(each).decode())
    elif not holdings:
        print("no jobs")
    else:
        rows = [
            (each.account, str(each.open), str(each.ended), str(each.parked), "yes" if each.served else "no")
            for each in holdings
        ]
        print_table(Table(headings=HEADINGS, rows=rows))
    return 0


def move_jobs(url: str | None, *, source: str, target: str, dry_run: bool) -> int:
    """Move everything of an account to another one, and print how much."""
    target = _full_name(source, target)
    if source == target:
        raise ConfigurationError("`--from` and `--to` are the same account")
    store = existing_store(url)
    held, moved = run(_move(store, source, target, dry_run=dry_run))
    counts = (
        f"{counted(moved.open, 'open job')}, {counted(moved.ended, 'ended job')} and {moved.parked} parked deliveries"
    )
    print(f"{'would move' if dry_run else 'moved'} {counts} from {source} to {target}")
    if held.served:
        print("a session still serves the old account: what it fires from now on stays there")
    return 0


async def _move(store: Store, source: str, target: str, *, dry_run: bool) -> tuple[Holding, Moved]:
    async with store:
        known = {each.account: each for each in await _read(store)}
        if source not in known:
            names = ", ".join(known) or "none"
            raise ConfigurationError(f"the store holds no job of the account {source}; of these it does: {names}")
        held = known[source]
        if dry_run:
            return held, Moved(held.open, held.ended, held.parked)
        return held, await move_account(store, source, target, now=datetime.now(UTC))


async def _holdings(store: Store) -> list[Holding]:
    async with store:
        return await _read(store)


async def _read(store: Store) -> list[Holding]:
    opened, ended = await asyncio.gather(store.count_jobs(), store.count_jobs(ended=True))
    return [
        Holding(
            account,
            opened.get(account, 0),
            ended.get(account, 0),
            len(await store.parked(account)),
            await _is_served(store, account),
        )
        for account in sorted({*opened, *ended})
    ]


async def _is_served(store: Store, account: str) -> bool:
    # Whoever could take the lease finds nobody there; taken until now, it is free again at once.
    now = datetime.now(UTC)
    return await store.lease(served_lease(account), "belvo-async jobs", now=now, until=now) is None


def _full_name(source: str, target: str) -> str:
    """A name alone stands for an account at the same address."""
    if "#" in target:
        return target
    return f"{source.rpartition('#')[0]}#{read_name(target, (), '`--to`')}"
