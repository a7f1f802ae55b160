"""`belvo-async links` and `entities`: whose data can be asked for."""

from __future__ import annotations

import argparse
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

import msgspec

from ... import belvo, syntage
from ..._session import Session
from ...abc import Clock
from ...errors import ConfigurationError
from ..codes import Code
from ..config import AccountEntry, Config, config_at
from ..masks import masked
from ..table import Table, print_table
from ..words import minute
from .accounts import Environ, vendor_of

LINKS: Final = ("id", "status", "mode", "institution", "yours", "created", "last access")
ENTITIES: Final = ("id", "credential", "kind", "created")
TAXPAYERS: Final = (*ENTITIES, "rfc", "name")


async def links(options: argparse.Namespace, environ: Environ, clock: Clock) -> int:
    """Print the links of a Belvo account."""
    query = belvo.Links(status=options.status) if options.status else belvo.Links()
    async with _session(options, "belvo", environ, clock) as session:
        found = [each async for each in session.list(query)]
    facts = [
        {
            "id": each.id,
            "status": each.status,
            "mode": each.access_mode,
            "institution": each.institution,
            "yours": each.external_id and masked(each.external_id),
            "created": each.created_at,
            "last access": each.last_accessed_at,
        }
        for each in found
    ]
    rows = [
        (
            each.id or "",
            each.status or "",
            each.access_mode or "",
            each.institution or "",
            masked(each.external_id or ""),
            minute(each.created_at),
            minute(each.last_accessed_at) or "never",
        )
        for each in found
    ]
    _print(options.format, facts, LINKS, rows)
    return Code.WHOLE


async def entities(options: argparse.Namespace, environ: Environ, clock: Clock) -> int:
    """Print the entities of a Syntage account; names and RFCs only when they are asked for."""
    async with _session(options, "syntage", environ, clock) as session:
        found = [each async for each in session.list(syntage.Entities())]
    if options.status:
        found = [each for each in found if _status(each) == options.status]
    facts: list[dict[str, object]] = []
    for each in found:
        told: dict[str, object] = {
            "id": each.id,
            "credential": _status(each),
            "kind": each.type,
            "created": each.created_at,
        }
        if options.taxpayers:
            taxpayer = each.taxpayer
            told |= {"rfc": taxpayer and taxpayer.id, "name": taxpayer and taxpayer.name}
        facts.append(told)
    headings = TAXPAYERS if options.taxpayers else ENTITIES
    rows = [tuple(_text(told[heading]) for heading in headings) for told in facts]
    _print(options.format, facts, headings, rows)
    return Code.WHOLE


def _text(value: object) -> str:
    return minute(value) if isinstance(value, datetime) else str(value or "")


def _status(entity: syntage.Entity) -> str:
    return (entity.credential and entity.credential.status) or "none"


@asynccontextmanager
async def _session(options: argparse.Namespace, vendor: str, environ: Environ, clock: Clock) -> AsyncGenerator[Session]:
    account = account_of(config_at(options.config), vendor, options.account)
    async with Session(vendor_of(account, environ), clock=clock, sweep=False) as session:
        yield session


def account_of(config: Config, vendor: str, name: str | None) -> AccountEntry:
    """The account that was named, or the only one of its vendor; without any, the usual variables."""
    if name is not None:
        if name not in config.accounts:
            known = ", ".join(config.accounts) or "none"
            raise ConfigurationError(f"--account: the file has no account {name!r}: it has {known}")
        found = config.accounts[name]
        if found.vendor != vendor:
            raise ConfigurationError(f"--account: {name} is an account of {found.vendor}, not of {vendor}")
        return found
    several = [each for each in config.accounts.values() if each.vendor == vendor]
    if len(several) > 1:
        raise ConfigurationError(f"the file has several accounts of {vendor}: say by --account which one")
    return several[0] if several else AccountEntry(vendor=vendor)


def _print(
    form: str, facts: Sequence[Mapping[str, object]], headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]
) -> None:
    if form == "ids":
        for each in facts:
            print(each["id"])
    elif form == "json":
        for each in facts:
            print(msgspec.json.encode({key.replace(" ", "_"): value for key, value in each.items()}).decode())
    elif not rows:
        print("none")
    else:
        print_table(Table(headings=headings, rows=rows))
