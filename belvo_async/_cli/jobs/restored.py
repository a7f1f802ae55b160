"""`belvo-async jobs restored`: telling a store that it went back, when it cannot have noticed that itself."""

from __future__ import annotations

from ...abc import Store
from ..existing import existing_store
from ..lasting import run


def note_restore(url: str | None) -> int:
    """Begin a new era of a store, and print how many queued jobs that concerns."""
    queued = run(_note(existing_store(url)))
    if queued == 0:
        print("noted; no job is queued")
    else:
        what = (
            "1 queued job may have been sent: it is"
            if queued == 1
            else f"{queued} queued jobs may have been sent: they are"
        )
        print(f"noted; {what} looked for at the vendor, and not sent")
    return 0


async def _note(store: Store) -> int:
    async with store:
        await store.begin_era()
        return sum([1 async for job in store.open_jobs() if job.is_queued])
