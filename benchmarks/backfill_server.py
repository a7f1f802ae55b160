"""The vendor's end of `backfill.py`: Belvo's simulator, its time scaled.

    python benchmarks/backfill_server.py START SPEED LINKS CHUNKS QUICKEST SLOWEST WEBHOOK_PORT

Each link's retrievals take as long in every run: evenly from QUICKEST to SLOWEST seconds, drawn from one seed. Prints
what a client needs as JSON; for each line it reads, what has been asked since the last one, by kind.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections import Counter
from datetime import timedelta

from scaled_time import ScaledClock

from belvo_async.simulator import BelvoSimulator


def kind_of(method: str, path: str, query: str) -> str:
    """What a request is for: the readers of records ask for whole rows, polls for links and single ids."""
    if method == "POST":
        return "posts"
    return "polls" if path.startswith("/api/links/") or "fields" in query else "reads"


async def main(start: float, speed: float, links: int, chunks: int, spans: tuple[float, float], port: str) -> None:
    clock, chance = ScaledClock(start, speed), random.Random(11)
    belvo = BelvoSimulator(seed=11, speed=speed, now=clock.now, links=links, invoices_per_year=60, xml_limit_share=0)
    belvo.webhook_url = f"http://127.0.0.1:{port}/webhooks/belvo"
    async with belvo:
        for link in belvo.links:
            for _ in range(chunks):
                belvo.next_job(link=link, duration=timedelta(seconds=chance.uniform(*spans)))
        keys = [belvo.secret_id, belvo.secret_password, belvo.webhook_authorization]
        print(json.dumps({"url": belvo.url, "keys": keys, "links": belvo.links}), flush=True)
        lines = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
        while await lines.readline():
            asked = Counter(kind_of(each.method, each.path, str(each.query)) for each in belvo.requests)
            refused = sum(each.status >= 400 for each in belvo.requests)
            print(json.dumps(asked | {"refused": refused}), flush=True)


if __name__ == "__main__":
    start, speed, links, chunks, quickest, slowest = map(float, sys.argv[1:7])
    asyncio.run(main(start, speed, int(links), int(chunks), (quickest, slowest), sys.argv[7]))
