"""One reader of `over_http.py`, in a process of its own; prints what it measured as JSON.

    python benchmarks/over_http_client.py WAY URL LINK

WAY is `ours` (`session.list`), `ours-lag` (the same, with a meter of the loop's lag beside it), `plain` (the whole
body, then one decode into plain structs with the same fields and types), or `plain-lag`. All follow the pages.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import aiohttp
import msgspec

from belvo_async import Belvo, Session, belvo

TICK_SECONDS = 0.001


@cache
def plain_of(struct: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """The same fields and types in a struct as one writes it at first: mutable, with lists, seen by the collector."""
    hints = get_type_hints(struct)
    fields = msgspec.structs.fields(struct)
    return msgspec.defstruct(
        struct.__name__,
        [(each.name, _plain(hints[each.name]), _default(each)) for each in fields],
        rename={each.name: each.encode_name for each in fields},
        kw_only=True,
    )


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.required:
        return msgspec.NODEFAULT
    return msgspec.field(default_factory=list) if field.default == () else field.default


def _plain(hint: Any) -> Any:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return plain_of(hint)
    arguments = get_args(hint)
    if not arguments:
        return hint
    if get_origin(hint) is tuple:
        return list[_plain(arguments[0])]  # type: ignore[misc]
    plain, *others = map(_plain, arguments)
    for other in others:
        plain = plain | other
    return plain


async def ours(url: str, link: str) -> int:
    async with Session(Belvo("secret-id", "secret-password", base_url=url, budget=False)) as session:
        count = 0
        async for batch in session.list(belvo.InvoiceList(link=link)).batches():
            count += len(batch)
        return count


async def plain(url: str, link: str) -> int:
    class Page(msgspec.Struct):
        results: list[plain_of(belvo.Invoice)]  # type: ignore[valid-type]
        next: str | None = None

    target: str | None = f"{url}/api/invoices/?link={link}&page_size=1000"
    count = 0
    async with aiohttp.ClientSession() as client:
        while target is not None:
            async with client.get(target) as answer:
                page = msgspec.json.decode(await answer.read(), type=Page)
            count += len(page.results)
            target = page.next
    return count


class Lag:
    """How late a timer of this loop is: also the ticks that a blocked loop left out count, each with its lateness."""

    def __init__(self) -> None:
        self.late_seconds: list[float] = []

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + TICK_SECONDS
        while True:
            await asyncio.sleep(due - loop.time())
            late = loop.time() - due
            while late >= 0:
                self.late_seconds.append(late)
                late -= TICK_SECONDS
                due += TICK_SECONDS

    def p99(self) -> float:
        ordered = sorted(self.late_seconds)
        return ordered[int(0.99 * len(ordered))]


def forget_peak() -> None:
    """Let the peak count from here."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def memory_mb(field: str) -> float:
    """`VmRSS`, what this process holds, or `VmHWM`, the most it ever held."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) * 1024 / 1e6


async def main(way: str, url: str, link: str) -> None:
    read: Callable[[str, str], Awaitable[int]] = ours if way.startswith("ours") else plain
    lag = Lag()
    meter = asyncio.create_task(lag.run()) if way.endswith("-lag") else None
    forget_peak()
    start_mb = memory_mb("VmRSS")
    began = time.perf_counter()
    rows = await read(url, link)
    seconds = time.perf_counter() - began
    result = {"seconds": seconds, "rows": rows, "peak_mb": memory_mb("VmHWM") - start_mb}
    if meter is not None:
        meter.cancel()
        result |= {"lag_ms": 1000 * lag.p99(), "worst_ms": 1000 * max(lag.late_seconds)}
    print(msgspec.json.encode(result).decode())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3]))
