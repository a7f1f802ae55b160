"""Writing several jobs to a store that writes together what is asked for at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from ..abc import Store
from ..errors import StoreError
from ..jobs import Job

# Under way at once: as many as a store commits in one go.
AT_ONCE: Final = 256


async def put_each(store: Store, jobs: Sequence[Job]) -> list[Job]:
    """`put_all`, by a `put` for each job. Raises the first error, when all have ended."""
    standing: list[Job] = []
    for begin in range(0, len(jobs), AT_ONCE):
        some = jobs[begin : begin + AT_ONCE]
        puts = (store.put(job, expected=job.version - 1) for job in some)
        for job, end in zip(some, await asyncio.gather(*puts, return_exceptions=True), strict=True):
            if isinstance(end, Job):
                standing.append(end)
            elif isinstance(end, StoreError):
                if await store.get(job.id) is not None:
                    raise end
            elif end is not None:
                raise end
    return standing
