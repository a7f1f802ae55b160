"""`belvo-async report`: the morning page as a file."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from ..._page import Morning, read_store, render
from ..._page.render.words import count, price, span
from ..._session import SystemClock
from ...abc import Clock
from ..lasting import run
from ..plans.accounts import Environ
from .asking import ask_vendors
from .source import PageRequest, morning_of

STDOUT: Final = Path("-")


def report(source: PageRequest, *, out: Path | None, form: str) -> int:
    """Write the page, whole or not at all, and print a few lines about it."""
    morning = run(morning_at(source, lambda: os.environ, SystemClock()))
    text = _document(morning, form)
    place = out or Path(f"report.{form}")
    if place == STDOUT:
        print(text, end="")
    else:
        replace_file(place, text)
    for line in lines(morning, None if place == STDOUT else place):
        print(line, file=sys.stderr if place == STDOUT else sys.stdout)
    return 0


async def morning_at(source: PageRequest, environ: Environ, clock: Clock) -> Morning:
    """Read the store, ask vendors where that was said, and work the page out."""
    async with source.open_store() as store:
        held = await read_store(store)
    if source.online:
        vendors = {job.vendor for job in held.jobs.values()}
        held = replace(held, recorded=await ask_vendors(vendors, source.read_config(), environ, clock))
    return morning_of(source, held, clock.now())


def _document(morning: Morning, form: str) -> str:
    if form == "json":
        return msgspec.json.format(msgspec.json.encode(morning), indent=1).decode() + "\n"
    return render(morning)


def lines(morning: Morning, place: Path | None) -> Iterator[str]:
    """The three numbers in words, where the page is, and what needs a person that is of no taxpayer."""
    standing, money, oldest = morning.standing, morning.money, morning.oldest
    where = "" if place is None else f"  ({place})"
    yield (
        f"taxpayers  {standing.whole:,} whole, {standing.in_progress:,} in progress, "
        f"{standing.needs_a_person:,} needing a person{where}"
    )
    cost = "no price list" if money.price is None else price(money.currency, money.price)
    yield f"money      {cost}, {count(money.requests, 'request')} in {money.month:%B}"
    if oldest is None:
        yield "oldest     no job is open"
    else:
        yield f"oldest     {span(morning.made_at - oldest.since)}: {oldest.vendor} {oldest.resource}, job {oldest.job}"
    for each in morning.troubles:
        if not each.taxpayers:
            yield f"also       {f'{each.vendor} {each.code}'.strip()}: {each.why}"


def replace_file(place: Path, text: str) -> None:
    """Write a file that only its owner reads: whole, or the old one stays. Raises OSError."""
    handle, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(place)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(name).unlink()
        raise
