"""The vendors' end of `bulk.py`: both simulators with faults on, their time scaled, webhooks to one port.

    python benchmarks/bulk_server.py START SPEED LINKS ENTITIES INVOICES_PER_YEAR WEBHOOK_PORT

Prints what a client needs as JSON; for each line it reads, a span of days, what was asked so far, how much was refused
for its number, and which invoices of that span it holds.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import date

import scaled_time
from row_ids import ids_of

from belvo_async.simulator import BelvoSimulator, Faults, SyntageSimulator

# What a bad day brings, but no lost answers of POSTs: those are proven elsewhere, and make links wait for minutes.
BELVO_FAULTS = Faults(webhook_duplicated=0.1, webhook_reordered=0.1, webhook_early=0.05, slow=0.02, cut_body=0.01)
SYNTAGE_FAULTS = Faults(
    webhook_dropped=0.02, webhook_duplicated=0.1, webhook_reordered=0.1, webhook_early=0.05, slow=0.02, cut_body=0.01
)


def kind_of(method: str, path: str, query: str) -> str:
    """What a request is for: readers of records ask for whole rows, polls for links and single ids."""
    if method == "POST":
        return "posts"
    return "polls" if path.startswith(("/api/links/", "/extractions")) or "fields=" in query else "reads"


async def main(start: float, speed: float, links: int, entities: int, invoices: int, port: str) -> None:
    clock = scaled_time.ScaledClock(start, speed)
    belvo = BelvoSimulator(
        seed=7,
        now=clock.now,
        links=links,
        invoices_per_year=invoices,
        xml_limit_share=0,
        faults=BELVO_FAULTS,
    )
    syntage = SyntageSimulator(
        seed=7, now=clock.now, entities=entities, invoices_per_year=invoices, faults=SYNTAGE_FAULTS
    )
    belvo.webhook_url = f"http://127.0.0.1:{port}/webhooks/belvo"
    syntage.webhook_url = f"http://127.0.0.1:{port}/webhooks/syntage"
    # Thousands of books weigh hundreds of megabytes: a full collection stops all answers for longer than the scaled
    # half second by which requests may be late.
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 50, 1_000)
    async with belvo, syntage:
        given = {
            "belvo": {"url": belvo.url, "keys": [belvo.secret_id, belvo.secret_password, belvo.webhook_authorization]},
            "syntage": {"url": syntage.url, "keys": [syntage.api_key, syntage.signing_secret]},
            "links": belvo.links,
            "entities": syntage.entities,
        }
        print(json.dumps(given), flush=True)
        lines = asyncio.StreamReader(limit=2**20)
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
        while line := await lines.readline():
            span = [date.fromisoformat(day) for day in line.decode().split()]
            held = ids_of(held_by(belvo, syntage, *span))
            print(json.dumps({"belvo": counted(belvo), "syntage": counted(syntage), "held": held}), flush=True)


def held_by(belvo: BelvoSimulator, syntage: SyntageSimulator, first: date, last: date) -> Iterator[str]:
    """The id of every row there is: an invoice between two of Belvo's links is one of each."""
    for link in belvo.links:
        yield from (str(row["id"]) for row in belvo.invoices(link, first, last))
    for entity in syntage.entities:
        rows = syntage.invoices(entity, {"period": {"from": first.isoformat(), "to": last.isoformat()}})
        yield from (str(row["uuid"]) for row in rows)


def counted(vendor: BelvoSimulator | SyntageSimulator) -> dict[str, int]:
    asked = Counter(kind_of(each.method, each.path, str(each.query)) for each in vendor.requests)
    refused = sum(each.status in (403, 429) for each in vendor.requests)
    return {"posts": 0, "polls": 0, "reads": 0} | asked | {"refused": refused, "jobs": len(vendor.jobs)}


if __name__ == "__main__":
    start, speed, links, entities, invoices = map(float, sys.argv[1:6])
    # Durations pass on the loop's time: scaled there once, they agree with what the clock and the rate headers say.
    scaled_time.run(main(start, speed, int(links), int(entities), int(invoices), sys.argv[6]), speed)
