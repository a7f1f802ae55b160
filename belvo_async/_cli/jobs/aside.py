"""`belvo-async jobs aside`: the deliveries that could not be read."""

from __future__ import annotations

import sys
from typing import Final

import msgspec

from ...abc import LaidAside, Store
from ...errors import ConfigurationError
from ..existing import existing_store
from ..lasting import run
from ..table import Table, print_table
from ..words import second, stamp

HEADINGS: Final = ("number", "when", "account", "bytes")


def list_aside(url: str | None, *, form: str) -> int:
    """Print when each came, for which account and how large it is; nothing of what is in them."""
    aside = run(_aside(existing_store(url)))
    if form == "json":
        for number, each in enumerate(aside, 1):
            facts = {"number": number, "at": stamp(each.at), "account": each.account, "bytes": len(each.body)}
            print(msgspec.json.encode(facts).decode())
    elif not aside:
        print("nothing is laid aside")
    else:
        rows = [
            (str(number), second(each.at), each.account, str(len(each.body))) for number, each in enumerate(aside, 1)
        ]
        print_table(Table(headings=HEADINGS, rows=rows))
    return 0


def show_aside(url: str | None, *, number: int) -> int:
    """Write one of them on stdout as it came, and nothing else."""
    aside = run(_aside(existing_store(url)))
    if number > len(aside):
        raise ConfigurationError(f"no delivery has the number {number}: the list ends at {len(aside)}")
    sys.stdout.flush()
    sys.stdout.buffer.write(aside[number - 1].body)
    sys.stdout.buffer.flush()
    return 0


async def _aside(store: Store) -> tuple[LaidAside, ...]:
    async with store:
        return await store.laid_aside()
