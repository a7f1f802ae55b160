"""Holds what the simulators answer against the vendors' documents, through a proxy that checks both sides.

    python -m tests.documents.validate --prism DIR/node_modules/.bin/prism --belvo openapi.json --syntage openapi.yml

See README.md.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp

from tests.documents import ledger
from tests.documents.openapi import Document
from tests.documents.servers.accepted import ACCEPTED, Accepted
from tests.documents.servers.asking import Operation, Paths, example
from tests.documents.servers.prism import checking
from tests.documents.servers.served import SERVED, Served

# In this order every operation finds something to be about: things are made, read, changed, and deleted at last.
_ORDER: Final = ("POST", "GET", "PUT", "PATCH", "DELETE")
# Without it the same requests are answered with rows.
_MODE: Final = "X-Belvo-Request-Mode"
# A fault of each row, in one header.
_LONGEST_HEADER: Final = 1 << 24
_PATIENCE: Final = aiohttp.ClientTimeout(total=120)


@dataclass(frozen=True)
class Asked:
    """One request of an operation, and what was found wrong with its answer, or with itself."""

    what: str
    status: int
    faults: tuple[str, ...]


@dataclass
class Verdict:
    """What came of one operation."""

    operation: Operation
    is_served: bool
    asked: list[Asked] = field(default_factory=list[Asked])

    @property
    def title(self) -> str:
        return f"{self.operation['method']} {self.operation['path']}"

    def faults(self) -> Iterator[str]:
        """Every fault once, however many rows have it."""
        if self.is_served and not self.asked:
            yield "not asked: nothing is known to stand at this path"
        for each in self.asked:
            if each.status >= 400:
                yield f"{each.what} is refused: {each.status}"
            yield from each.faults


class Examiner:
    """Asks one simulator for every operation of its ledger, by way of the proxy."""

    def __init__(
        self, http: aiohttp.ClientSession, document: Document, served: Served, operations: list[Operation]
    ) -> None:
        self._http, self._document, self._served = http, document, served
        self._paths = Paths(operations, served.ids, self._read)
        self._paths.note(list(served.told))

    async def _read(self, path: str) -> Any:
        async with self._http.get(path, allow_redirects=False) as answer:
            return await self._told(answer)

    async def _told(self, answer: aiohttp.ClientResponse) -> Any:
        body = await answer.read()
        if answer.status >= 400 or "json" not in answer.content_type:
            return None
        said = json.loads(body) if body else None
        self._paths.note(said)
        return said

    async def examine(self, operation: Operation) -> Verdict:
        """Ask for it in each documented media type, where there is something to ask about."""
        template = operation["path"]
        verdict = Verdict(operation, self._served.has(operation["method"], template))
        if not verdict.is_served:
            return verdict
        needed = [name for name in operation.get("needs", ()) if name in operation.get("query", ())]
        query = urlencode({name: self._document.example_of(operation, name) for name in needed})
        for headers in self._ways(operation):
            path = await self._paths.fill(template, self._document.shown_in(operation))
            if path is not None:
                verdict.asked.append(await self._ask(operation, f"{path}?{query}".rstrip("?"), headers))
                if operation["method"] == "DELETE":
                    self._paths.forget(path)
        return verdict

    def _ways(self, operation: Operation) -> Iterator[dict[str, str]]:
        if operation["method"] == "GET":
            yield from ({"Accept": each} for each in self._document.media_of(operation))
        else:
            yield {}
        if _MODE in self._document.headers_of(operation):
            yield {_MODE: "async"}

    async def _ask(self, operation: Operation, path: str, headers: Mapping[str, str]) -> Asked:
        body = self._document.body_of(operation)
        sent: bytes | None = None
        if body is not None:
            media, schema = body
            said = self._served.bodies.get(operation["name"]) or example(self._document, schema, self._served.fields)
            sent = json.dumps(await self._paths.fill_all(said)).encode()
            headers = {**headers, "Content-Type": media}
        async with self._http.request(
            operation["method"], path, headers=headers, data=sent, allow_redirects=False
        ) as answer:
            said = await self._told(answer)
            if operation["method"] == "POST":
                self._paths.keep(path.partition("?")[0], said)
            violations = list(violations_in(answer.headers.get("sl-violations", "[]")))
        what = " ".join(headers.values()) or "it"
        return Asked(what, answer.status, tuple(dict.fromkeys(map(fault, violations))))


def violations_in(header: str) -> Iterator[Mapping[str, Any]]:
    """What the header tells; of too many violations it tells as many as fit, and breaks off."""
    decoder, at = json.JSONDecoder(), header.index("[") + 1
    with contextlib.suppress(ValueError):
        while True:
            violation, end = decoder.raw_decode(header, at)
            yield violation
            at = end + 1


def fault(violation: Mapping[str, Any]) -> str:
    """One line for a violation: where, with `[]` for any row or element, and what."""
    where = ".".join("[]" if each.isdigit() else each for each in map(str, violation["location"]))
    what = re.sub(r"(\D)\.(\d+)(?=\.|\b)", r"\1.[]", str(violation["message"]))
    return f"{where}: {what}"


async def examine(vendor: str, prism: str, path: Path) -> list[Verdict]:
    """Ask a vendor's simulator for all that is in scope."""
    document = Document.read(path)
    operations = [each for each in ledger.read(vendor) if "out" not in each]
    async with AsyncExitStack() as stack:
        served = await stack.enter_async_context(SERVED[vendor]())
        url = await stack.enter_async_context(checking(prism, path, served.simulator.url))
        http = await stack.enter_async_context(
            aiohttp.ClientSession(
                url, headers=served.headers, timeout=_PATIENCE, max_field_size=1 << 24, max_line_size=1 << 24
            )
        )
        examiner = Examiner(http, document, served, operations)
        return [await examiner.examine(each) for each in sorted(operations, key=_turn)]


def _turn(operation: Operation) -> tuple[object, ...]:
    method, path = operation["method"], operation["path"]
    depth = path.count("/")
    # What is deleted takes with it what stands below; an entity or a link takes everything.
    is_subject = path in ("/entities/{entityId}", "/api/links/{id}/")
    # Lists show what there is to be read singly.
    is_single = method == "GET" and "rows" not in operation
    return (_ORDER.index(method), is_subject, is_single, -depth if method == "DELETE" else depth, path)


def report(vendor: str, verdicts: Sequence[Verdict]) -> bool:
    """Print what came of each operation; whether nothing was found but what is accepted."""
    needed: set[Accepted] = set()
    counts: Counter[str] = Counter()
    for verdict in sorted(verdicts, key=lambda each: each.operation["path"]):
        reasons = {each: accepted(vendor, verdict, each) for each in verdict.faults()}
        needed.update(each for each in reasons.values() if each is not None)
        word = "not served"
        if verdict.is_served:
            word = "VIOLATIONS" if None in reasons.values() else "accepted" if reasons else "clean"
        counts[word] += 1
        print(f"{word}: {verdict.title}")
        for each, reason in reasons.items():
            print(f"    {each}" + (f" ({reason.reason})" if reason else ""))
    outlived = [each for each in ACCEPTED if each.vendor == vendor and each not in needed]
    print(*(f"accepted, and not met: {each.operation}: {each.fault}" for each in outlived), sep="\n")
    print(f"{vendor}: {len(verdicts)} operations:", ", ".join(f"{count} {word}" for word, count in counts.items()))
    return not outlived and not counts["VIOLATIONS"]


def accepted(vendor: str, verdict: Verdict, fault: str) -> Accepted | None:
    """The exception that a fault falls under; None for one that is to be mended."""
    return next((each for each in ACCEPTED if each.fits(vendor, verdict.title, fault)), None)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.documents.validate", description=__doc__)
    parser.add_argument("--prism", default="prism", help="the command (prism)")
    for vendor in SERVED:
        parser.add_argument(
            f"--{vendor}", type=Path, metavar="FILE", help=f"the OpenAPI document of {vendor.capitalize()}"
        )
    options = parser.parse_args(argv)
    documents = {vendor: path for vendor in SERVED if (path := getattr(options, vendor)) is not None}
    good = [report(each, asyncio.run(examine(each, options.prism, path))) for each, path in documents.items()]
    return 0 if good and all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
