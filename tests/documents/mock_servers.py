"""Reads what the vendors' own documents give when they are run as mock servers with random values.

    python -m tests.documents.mock_servers --prism DIR/node_modules/.bin/prism --rounds 20 \\
        --belvo openapi.json --syntage openapi.yml

See README.md. Every operation of the ledger that a type offers is asked for once a round. Right: no answer is
unreadable. A value that cannot be read is told with its path, and counted here; what the mock refuses is told too, and
is no fault of the reading.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec
from aiohttp import web

from belvo_async import Belvo, Session, Syntage
from belvo_async.abc import Answer, Headers, Request, Vendor
from belvo_async.errors import BelvoAsyncError, IncompleteResultError, UnsupportedError, VendorError
from belvo_async.tolerant import Misfits
from tests.documents import ledger
from tests.documents.offers import NOW, VENDORS, Offer, job_of
from tests.documents.servers.prism import mocking

KEYS: Final = (("Authorization", "Basic eDp5"), ("X-API-Key", "k"))
# Every list and object of the vendors, which Prism makes up anew each time, may take long to make up.
PATIENCE: Final = aiohttp.ClientTimeout(total=120)


@dataclass
class Tally:
    """What came of one operation over all rounds."""

    readings: int = 0
    rows: int = 0
    refused: int = 0
    unreadable: list[str] = field(default_factory=list[str])
    misfits: Counter[str] = field(default_factory=Counter[str])

    def take(self, misfits: Misfits) -> None:
        """Count the places that could not be read, whichever row they are in."""
        self.misfits.update({re.sub(r"\d+", "", each.path) for each in misfits})


class Middleman:
    """Stands between the library and Prism: links to further pages are taken out, for random ones lead nowhere."""

    def __init__(self, behind: str) -> None:
        self.behind = behind
        self.link: object = None
        self.statuses: list[int] = []
        self.wrong: Counter[str] = Counter()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        async with aiohttp.ClientSession(timeout=PATIENCE, auto_decompress=True) as http:

            async def pass_on(request: web.Request) -> web.Response:
                headers = {name: value for name, value in request.headers.items() if name != "Host"}
                async with http.request(
                    request.method, self.behind + request.raw_path, headers=headers, data=await request.read()
                ) as answer:
                    body, status = await answer.read(), answer.status
                self.statuses.append(status)
                if status >= 400:
                    self.wrong[f"{request.method} {request.path}: {body[:600].decode(errors='replace')}"] += 1
                return web.Response(status=status, body=self._arranged(body), content_type=answer.content_type)

            app = web.Application(client_max_size=1 << 26)
            app.router.add_route("*", "/{tail:.*}", pass_on)
            runner = web.AppRunner(app, access_log=None)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
            await runner.cleanup()

    def _arranged(self, body: bytes) -> bytes:
        """Take `next` and its like out of a page and call its rows ours; every other byte stays as it is."""
        with contextlib.suppress(msgspec.MsgspecError):
            page = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
            for name in ("results", "hydra:member", "member"):
                if name in page:
                    rows = msgspec.json.decode(page[name], type=list[dict[str, msgspec.Raw]])
                    page[name] = msgspec.Raw(msgspec.json.encode([self._ours(row) for row in rows]))
                    gone = ("next", "previous", "hydra:view", "view")
                    return msgspec.json.encode({name: value for name, value in page.items() if name not in gone})
        return body

    def _ours(self, row: dict[str, msgspec.Raw]) -> dict[str, msgspec.Raw]:
        """Rows of another link would be left out, and not be read to their end."""
        asked = self.link is not None and "link" in row
        return {**row, "link": msgspec.Raw(msgspec.json.encode(self.link))} if asked else row


async def read(session: Session, offer: Offer, tally: Tally, url: str) -> None:
    """Ask for one operation once."""
    misfits = Misfits()
    if offer.verb == "list":
        rows = session.list(offer.example)
        with contextlib.suppress(IncompleteResultError):  # a random total is no promise
            async for _ in rows:
                tally.rows += 1
        misfits = rows.misfits
    elif offer.verb == "call":
        await session.call(offer.example, misfits=misfits)
    elif offer.verb == "download":
        with contextlib.suppress(IncompleteResultError):  # nor is a random length
            async for _ in session.download(offer.example):
                pass
    else:
        await start(offer, url)
    tally.take(misfits)


async def start(offer: Offer, url: str) -> None:
    """Have a vendor say what the answer to a submission means, without a session that would follow the job."""
    vendor = VENDORS["belvo" if offer.kind in VENDORS["belvo"].tasks.values() else "syntage"]
    talk = getattr(vendor, "start" if offer.verb == "fire" else "stop")(job_of(vendor, offer.example), NOW)
    request = next(talk)
    async with aiohttp.ClientSession(timeout=PATIENCE) as http:
        with contextlib.suppress(StopIteration):
            while True:
                request = talk.send(await sent(http, url, request))


async def sent(http: aiohttp.ClientSession, url: str, request: Request) -> Answer:
    async with http.request(
        request.method, url + request.target, data=request.body, headers=[*request.headers, *KEYS]
    ) as answer:
        return Answer(answer.status, Headers(dict(answer.headers)), await answer.read())


def vendor_at(name: str, url: str, number: int) -> Vendor:
    # A key for each round: budgets are an account's, and this is no test of them.
    return Belvo(f"key-{number}", "secret", base_url=url) if name == "belvo" else Syntage(f"key-{number}", base_url=url)


async def play(name: str, prism: str, document: Path, rounds: int) -> Mapping[str, Tally]:
    """Ask for every offered operation of a vendor in each round."""
    tallies: dict[str, Tally] = {}
    async with mocking(prism, document) as behind:
        middleman = Middleman(behind)
        async with middleman.serving() as url:
            for number in range(rounds):
                async with Session(vendor_at(name, url, number), store="memory:", sweep=False) as session:
                    for offer in ledger.offers(name).found:
                        tally = tallies.setdefault(f"{offer.name} of {offer.operation['name']}", Tally())
                        middleman.link = getattr(offer.example, "link", None)
                        await one(session, offer, tally, middleman, url)
                print(f"{name}: round {number + 1} of {rounds}", file=sys.stderr, flush=True)
        for wrong, times in middleman.wrong.most_common():
            print(f"refused {times} times: {wrong}")
    return tallies


async def one(session: Session, offer: Offer, tally: Tally, middleman: Middleman, url: str) -> None:
    before = len(middleman.statuses)
    try:
        await read(session, offer, tally, url)
    except (VendorError, UnsupportedError) as error:
        if isinstance(error, UnsupportedError) or any(status >= 400 for status in middleman.statuses[before:]):
            tally.refused += 1
        else:
            tally.unreadable.append(repr(error))
    except (BelvoAsyncError, ArithmeticError, ValueError, TypeError, AttributeError, LookupError) as error:
        tally.unreadable.append(repr(error))
    else:
        tally.readings += 1


def report(name: str, tallies: Mapping[str, Tally]) -> bool:
    """Print what came of it; whether every answer was read."""
    for named, tally in tallies.items():
        notes = [f"{tally.rows} rows"] if tally.rows else []
        notes += [f"refused {tally.refused} times"] if tally.refused else []
        notes += [f"UNREADABLE {len(tally.unreadable)} times: {tally.unreadable[0]}"] if tally.unreadable else []
        notes += [f"None told {times} times: {path}" for path, times in tally.misfits.most_common()]
        print(f"{name} {named}: {tally.readings} read; {'; '.join(notes) or '-'}")
    unreadable = sum(len(tally.unreadable) for tally in tallies.values())
    readings = sum(tally.readings for tally in tallies.values())
    print(f"{name}: {len(tallies)} operations, {readings} readings, {unreadable} unreadable")
    return unreadable == 0


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.documents.mock_servers", description=__doc__)
    parser.add_argument("--prism", default="prism", help="the command (prism)")
    parser.add_argument("--rounds", type=int, default=20, help="how often every operation is asked for (20)")
    for vendor in VENDORS:
        parser.add_argument(f"--{vendor}", type=Path, metavar="FILE", help="the vendor's OpenAPI document")
    options = parser.parse_args(argv)
    documents: dict[str, Any] = {name: path for name in VENDORS if (path := getattr(options, name)) is not None}
    good = [
        report(name, asyncio.run(play(name, options.prism, path, options.rounds))) for name, path in documents.items()
    ]
    return 0 if good and all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
