"""Reads what the vendors' own documents give when they are run as mock servers with random values.

    npm install --prefix DIR @stoplight/prism-cli
    python -m tests.proof.mock_servers --prism DIR/node_modules/.bin/prism --rounds 20 \\
        --belvo openapi.json --syntage openapi.yml

Either document may be left out; they are the vendors' and not part of this project. Every list, single object, call and
task of the catalogue is asked for once a round. Right: no page is unreadable. A value that cannot be read is told with
its path, and counted here; what is not in the document (no such path or method) is told too and is no fault.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import re
import socket
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from aiohttp import web

from belvo_async import Belvo, Session, Syntage, belvo, syntage
from belvo_async.abc import Answer, Call, Headers, Query, Request, Vendor
from belvo_async.errors import BelvoAsyncError, IncompleteResultError, TaskError, UnsupportedError, VendorError
from belvo_async.jobs import Task
from tests.documents.examples import make
from tests.jobs.flat import flat

LINK = "e90317c3-ca03-50da-b04f-eb376f8ed34f"
ENTITY = f"/entities/{LINK}"
SESSION = "3ba898e289fb5d76aca68f7b0236455b"
DAY = date(2025, 1, 1)
KEYS = (("Authorization", "Basic eDp5"), ("X-API-Key", "k"))
# What each type needs to be built at all.
NEEDED: dict[str, Any] = {
    "link": LINK, "entity": ENTITY, "id": LINK, "uri": f"{ENTITY}/invoices", "institution": "sat_mx_fiscal",
    "username": "x" * 12, "password": "y" * 8, "date_from": DAY, "date_to": DAY, "year_from": 2024, "year_to": 2024,
    "type": "INFLOW", "session": SESSION, "call": belvo.RetrieveTaxStatus(link=LINK),
    "access": syntage.Ciec(rfc="PEIC211118IS0", password="y" * 8), "name": "Somebody", "extractor": "tax_status",
    "shareholder": LINK, "relation": LINK, "report": LINK, "background_check": LINK, "relation_type": "shareholders",
    "shares": Decimal("1500.5"), "rfc": "PEIC211118IS0",
    "url": "https://example.com/hooks", "events": ("extraction.updated",),
}  # fmt: skip
SPECIAL: dict[type, dict[str, Any]] = {
    belvo.GetInstitution: {"id": 5},
    belvo.ChangeLink: {"access_mode": "single"},
    belvo.CreateWidgetToken: {"link": LINK},
    syntage.GetInvoicingConcentration: {"type": "issued"},
    syntage.CreateEntity: {"type": "company", "rfc": "XGA9909147RS"},
}
# Every list and object of the vendors, which Prism makes up anew each time, may take long to make up.
PATIENCE = aiohttp.ClientTimeout(total=120)


@dataclass
class Tally:
    """What came of one operation over all rounds."""

    readings: int = 0
    rows: int = 0
    unreadable: list[str] = field(default_factory=list)
    absent: int = 0
    misfits: Counter[str] = field(default_factory=Counter[str])


class Middleman:
    """Stands between the library and Prism: links to further pages are taken out, for random ones lead nowhere."""

    def __init__(self, behind: str) -> None:
        self.behind = behind
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
                return web.Response(status=status, body=arranged(body), content_type=answer.content_type)

            app = web.Application(client_max_size=1 << 26)
            app.router.add_route("*", "/{tail:.*}", pass_on)
            runner = web.AppRunner(app, access_log=None)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
            await runner.cleanup()


def arranged(body: bytes) -> bytes:
    """Take `next` and its like out of a page and call its rows ours; every other byte stays as it is."""
    with contextlib.suppress(msgspec.MsgspecError):
        page = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        for name in ("results", "hydra:member", "member"):
            if name in page:
                rows = msgspec.json.decode(page[name], type=list[dict[str, msgspec.Raw]])
                page[name] = msgspec.Raw(msgspec.json.encode([ours(row) for row in rows]))
                gone = ("next", "previous", "hydra:view", "view")
                return msgspec.json.encode({name: value for name, value in page.items() if name not in gone})
    return body


def ours(row: dict[str, msgspec.Raw]) -> dict[str, msgspec.Raw]:
    """Rows of another link would be left out, and not be read to their end."""
    return {**row, "link": msgspec.Raw(msgspec.json.encode(LINK))} if "link" in row else row


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port


@asynccontextmanager
async def mocking(prism: str, document: Path) -> AsyncIterator[str]:
    """Run a document as a mock server with random values."""
    port = free_port()
    command = (prism, "mock", "--dynamic", "--host", "127.0.0.1", "--port", str(port), str(document))
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await listening(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def listening(port: int, process: asyncio.subprocess.Process) -> None:
    began = time.monotonic()
    while time.monotonic() - began < 120:
        if process.returncode is not None:
            raise SystemExit(f"prism ended with {process.returncode}: does it read the document?")
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.2)
    raise SystemExit("prism does not listen")


def build(kind: type[Any], **given: Any) -> Any:
    """Build a query, call or task from what it needs at least: of the words above, else of whatever it takes."""
    needed = [each.name for each in msgspec.structs.fields(kind) if each.required and each.name in NEEDED]
    made = make(kind, {**{name: NEEDED[name] for name in needed}, **SPECIAL.get(kind, {}), **given})
    made = make(kind, given) if made is None else made
    if made is None:
        raise TaskError(f"no example of {kind.__name__}", field="kind")
    return made


def scopes(kind: type[Any]) -> Iterator[Any]:
    """Build a query for every list it may name: that of all, of an entity, of an invoice."""
    optional = {each.name for each in msgspec.structs.fields(kind) if not each.required}
    for given in ({}, {"entity": ENTITY}, {"invoice": f"/invoices/{LINK}"}):
        if given.keys() <= optional:
            with contextlib.suppress(TaskError):
                yield build(kind, **given)


def operations(vendor: Vendor) -> Iterator[Any]:
    """Everything of the catalogue, and each resumption of a retrieval."""
    for kind in vendor.queries:
        yield from scopes(kind)
    for kind in vendor.calls:
        built = build(kind)
        yield built
        if kind.__name__.startswith(("Retrieve", "CreateLink", "UpdateLink")):
            yield belvo.Resume(call=built, session=SESSION, link=LINK, token="1")
    yield from (build(kind) for kind in vendor.tasks.values())


async def read(session: Session, vendor: Vendor, url: str, operation: Any, tally: Tally) -> None:
    """Ask for one operation once."""
    if isinstance(operation, Query):
        rows = session.list(operation)
        try:
            async for _ in rows:
                tally.rows += 1
        except IncompleteResultError:
            pass  # a random total is no promise
        tally.misfits.update({re.sub(r"\d+", "", each.path) for each in rows.misfits})
    elif isinstance(operation, Call):
        await session.call(operation)
    else:
        await start(vendor, url, operation)


async def start(vendor: Vendor, url: str, task: Task[Any]) -> None:
    """Have a vendor say what the answer to a submission means, without a session that would follow the job."""
    now = datetime.now(UTC)
    job = flat(id="1", vendor=vendor.name, account=vendor.account, task=task, created_at=now, attempts=1)
    talk = vendor.start(job, now)
    request = next(talk)
    async with aiohttp.ClientSession(timeout=PATIENCE) as http:
        with contextlib.suppress(StopIteration):
            while True:
                request = talk.send(await sent(http, url, request))


async def sent(http: aiohttp.ClientSession, url: str, request: Request) -> Any:
    async with http.request(
        request.method,
        url + request.target,
        data=request.body,
        headers=[*request.headers, ("Authorization", "Basic eDp5"), ("X-API-Key", "k")],
    ) as answer:
        return Answer(answer.status, Headers(dict(answer.headers)), await answer.read())


def vendor_at(name: str, url: str, number: int) -> Vendor:
    # A key for each round: budgets are an account's, and this is no test of them.
    return Belvo(f"key-{number}", "secret", base_url=url) if name == "belvo" else Syntage(f"key-{number}", base_url=url)


async def play(name: str, prism: str, document: Path, rounds: int) -> Mapping[str, Tally]:
    """Ask for every operation of a vendor in each round."""
    tallies: dict[str, Tally] = {}
    async with mocking(prism, document) as behind:
        middleman = Middleman(behind)
        async with middleman.serving() as url:
            for number in range(rounds):
                vendor = vendor_at(name, url, number)
                async with Session(vendor, store="memory:", sweep=False) as session:
                    for operation in operations(vendor):
                        tally = tallies.setdefault(title(operation), Tally())
                        await one(session, vendor, url, operation, tally, middleman)
                print(f"{name}: round {number + 1} of {rounds}", file=sys.stderr, flush=True)
        for wrong, times in middleman.wrong.most_common():
            print(f"refused {times} times: {wrong}")
    return tallies


def title(operation: Any) -> str:
    """Name an operation in the report."""
    name = type(operation).__name__
    if isinstance(operation, belvo.Resume):
        return f"{name} of {type(operation.call).__name__}"
    given = [each for each in ("entity", "invoice") if isinstance(operation, Query) and getattr(operation, each, None)]
    return " ".join([name, *(f"of an {each}" for each in given)])


async def one(session: Session, vendor: Vendor, url: str, operation: Any, tally: Tally, middleman: Middleman) -> None:
    before = len(middleman.statuses)
    try:
        await read(session, vendor, url, operation, tally)
    except (VendorError, UnsupportedError) as error:
        if any(status >= 400 for status in middleman.statuses[before:]):
            tally.absent += 1
        else:
            tally.unreadable.append(repr(error))
    except (BelvoAsyncError, ArithmeticError, ValueError, TypeError) as error:
        tally.unreadable.append(repr(error))
    else:
        tally.readings += 1


def report(name: str, tallies: Mapping[str, Tally]) -> bool:
    """Print what came of it; whether every page was read."""
    for named, tally in tallies.items():
        notes = [f"{tally.rows} rows"] if tally.rows else []
        notes += [f"not in the document {tally.absent} times"] if tally.absent else []
        notes += [f"UNREADABLE {len(tally.unreadable)} times: {tally.unreadable[0]}"] if tally.unreadable else []
        notes += [f"None told {times} times: {path}" for path, times in tally.misfits.most_common()]
        print(f"{name} {named}: {tally.readings} read; {'; '.join(notes) or '-'}")
    unreadable = sum(len(tally.unreadable) for tally in tallies.values())
    readings = sum(tally.readings for tally in tallies.values())
    print(f"{name}: {len(tallies)} operations, {readings} readings, {unreadable} unreadable")
    return unreadable == 0


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.proof.mock_servers", description=__doc__)
    parser.add_argument("--prism", default="prism", help="the command (prism)")
    parser.add_argument("--rounds", type=int, default=20, help="how often every operation is asked for (20)")
    parser.add_argument("--belvo", type=Path, metavar="FILE", help="Belvo's OpenAPI document")
    parser.add_argument("--syntage", type=Path, metavar="FILE", help="Syntage's")
    options = parser.parse_args(argv)
    documents = {name: path for name, path in (("belvo", options.belvo), ("syntage", options.syntage)) if path}
    good = [
        report(name, asyncio.run(play(name, options.prism, path, options.rounds))) for name, path in documents.items()
    ]
    return 0 if good and all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
