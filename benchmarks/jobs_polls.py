"""The polling part of `jobs.py`: requests until every one of many open Syntage jobs is known to have ended.

    python benchmarks/jobs_polls.py JOBS

No webhook came, all jobs have ended, and all fall due. The vendor is a list in this process, a hundred rows a page,
newest first; each request the dialect makes is counted. Prints the count as JSON.
"""

from __future__ import annotations

import asyncio
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
from webhooks_events import remote_id

from belvo_async import Polling, Status, Syntage, syntage
from belvo_async._session import SystemClock
from belvo_async._tracker import Tracker
from belvo_async.abc import Answer, Conversation, Headers
from belvo_async.jobs import Job, Schedule
from belvo_async.stores.memory.store import MemoryStore

PAGE_ROWS = 100
ENTITY = "/entities/0f3a5c1e-7b42-4d19-9c60-2a8e51d7b904"
HEADERS = Headers({"Content-Type": "application/ld+json"})


def stamp(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Vendor:
    """Extractions that have all ended."""

    def __init__(self, created: Mapping[str, datetime]) -> None:
        newest_first = sorted(created.items(), key=lambda each: each[1], reverse=True)
        self._rows = [
            {
                "id": name,
                "extractor": "tax_status",
                "status": "finished",
                "createdAt": stamp(at),
                "updatedAt": stamp(at),
            }
            for name, at in newest_first
        ]
        self._by_id = {row["id"]: row for row in self._rows}
        self._oldest_first = [row["createdAt"] for row in reversed(self._rows)]
        self.requests = 0

    async def talk(self, conversation: Conversation[Any], **_: Any) -> Any:
        """Carry a conversation; the answers take a turn of the loop, as real ones do."""
        try:
            request = next(conversation)
            while True:
                self.requests += 1
                await asyncio.sleep(0)
                request = conversation.send(Answer(200, HEADERS, msgspec.json.encode(self._answer(request.target))))
        except StopIteration as end:
            return end.value

    def _between(self, after: str, before: str) -> list[dict[str, str]]:
        first, last = bisect_left(self._oldest_first, after), bisect_right(self._oldest_first, before)
        count = len(self._rows)
        return self._rows[count - last : count - first]

    def _answer(self, target: str) -> object:
        parts = urlsplit(target)
        if parts.path != "/extractions":
            return self._by_id[parts.path.rpartition("/")[2]]
        query = dict(parse_qsl(parts.query))
        after, number = query.get("createdAt[after]", ""), int(query.get("page", "1"))
        rows = self._between(after, query.get("createdAt[before]", "9999"))
        page = rows[(number - 1) * PAGE_ROWS : number * PAGE_ROWS]
        base = target.partition("&page=")[0]
        view = {"hydra:next": f"{base}&page={number + 1}"} if number * PAGE_ROWS < len(rows) else {}
        return {"hydra:member": page, "hydra:totalItems": len(rows), "hydra:view": view}


def make_jobs(vendor: Syntage, count: int) -> list[Job]:
    """Jobs accepted one after the other over the last hours."""
    now = datetime.now(UTC)
    return [
        Job(
            id=f"{number * 7919 % 2**32:032x}",
            vendor=vendor.name,
            account=vendor.account,
            task=syntage.Extraction(entity=ENTITY, extractor="tax_status"),
            created_at=now - timedelta(seconds=number),
            key=f"{number:032x}",
            status=Status.PENDING,
            remote_id=remote_id(number),
            deadline=now + timedelta(hours=6),
            schedule=Schedule(next_poll=now),
            version=1,
        )
        for number in range(count)
    ]


async def main(count: int) -> None:
    dialect = Syntage("an-api-key", base_url="http://127.0.0.1:9", allow_unauthenticated=True)
    jobs = make_jobs(dialect, count)
    vendor = Vendor({job.remote_id or "": job.created_at for job in jobs})
    store = MemoryStore(finished_limit=count)
    async with store:
        for job in jobs:
            await store.put(job, expected=None)
        async with Tracker(
            store=store, vendors={dialect.name: dialect}, talks={dialect.name: vendor.talk}, clock=SystemClock(),
            polling=Polling(first=timedelta(seconds=1), factor=1, longest=timedelta(seconds=1)),
            chance=lambda: 0.5, new_id=lambda: "",
        ):  # fmt: skip
            async with asyncio.timeout(60):
                while [job async for job in store.open_jobs()]:  # noqa: ASYNC110 - the store has no event for this
                    await asyncio.sleep(0.2)
    print(msgspec.json.encode({"requests": vendor.requests}).decode())


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
