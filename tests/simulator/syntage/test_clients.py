"""What public clients of Syntage send is answered: their calls, word for word, as plain HTTP."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any, Final

import pytest
from yarl import URL

from belvo_async.simulator.syntage.options import EXTRACTORS
from tests.documents import ledger
from tests.documents.servers.asking import Operation, Paths
from tests.simulator.conftest import SyntageClient
from tests.simulator.syntage.clients import RUBY, TYPESCRIPT, Sent
from tests.simulator.syntage.kit import LONG

BOTH: Final = pytest.mark.parametrize("calls", [RUBY, TYPESCRIPT], ids=["ruby", "typescript"])
# Lists that the clients ask for with filters, which may leave nothing.
UNSEEN: Final = ("tax-retentions", "tax-compliance-checks", "datasources/mx/sat/certificados")
# The older form of lists, which the document names no longer.
OLD: Final = re.compile(r"/taxpayers/\{id\}/.+")


def asks_for(sent: Sent, operation: Operation) -> bool:
    pattern = re.sub(r"\{\w+\}", "[^/]+", operation["path"])
    return sent.method == operation["method"] and re.fullmatch(pattern, sent.path) is not None


@pytest.fixture
async def paths(syntage_client: SyntageClient) -> Paths:
    """Ids of the first entity, of which all was extracted; the next extraction runs until it is stopped."""
    simulator = syntage_client.syntage
    for extractor, options in EXTRACTORS.items():
        period = {"period": {"from": "2024-01-01", "to": "2025-12-31"}} if "period" in options else {}
        await syntage_client.create(extractor, period)
    # A company has no retentions.
    await syntage_client.create("tax_retention", entity=simulator.entities[1])
    await asyncio.sleep(LONG)
    simulator.next_job(outcome="stuck")

    async def read(path: str) -> Any:
        return (await syntage_client.get(path))[1]

    first = simulator.entities[0]
    ids = {"/entities": first.rpartition("/")[2], "/taxpayers": simulator.rfc_of(first)}
    found = Paths(ledger.operations("syntage"), ids, read)
    found.note([simulator.rows(f"{each}/{name}") for each in simulator.entities[:2] for name in UNSEEN])
    return found


async def answered(client: SyntageClient, paths: Paths, sent: Sent) -> str | None:
    """Send it as it is; gives what was wrong with the answer."""
    path = await paths.fill(sent.path)
    if path is None:
        return "nothing to ask about"
    body = None if sent.body is None else json.dumps(await paths.fill_all(sent.body)).encode()
    async with client.http.request(
        sent.method, URL(path).with_query(sent.query), headers=sent.headers, data=body, allow_redirects=False
    ) as answer:
        content = await answer.read()
        if answer.status != sent.status:
            return f"{answer.status}: {content[:200].decode(errors='replace')}"
        said = json.loads(content) if content and "json" in answer.content_type else None
    paths.note(said)
    if sent.method == "POST":
        paths.keep(path, said)
    if sent.method == "DELETE":
        paths.forget(path)
    return None


@BOTH
async def test_calls_of_clients_are_answered(
    syntage_client: SyntageClient, paths: Paths, calls: tuple[Sent, ...]
) -> None:
    """Each with the status that its client expects, one after the other, as its manual tells them."""
    wrong = {each.name: fault for each in calls if (fault := await answered(syntage_client, paths, each))}

    assert {} == wrong


@BOTH
def test_calls_of_clients_are_documented(calls: tuple[Sent, ...]) -> None:
    """Or are lists of the older form."""
    documented = ledger.operations("syntage")

    assert [] == [
        sent.name
        for sent in calls
        if not OLD.fullmatch(sent.path) and not any(asks_for(sent, each) for each in documented)
    ]
