"""The jobs of a store, and the one that is meant by an id or its beginning."""

from __future__ import annotations

from typing import Final

from ..._session.known.history import every_kept_job
from ...abc import Store
from ...errors import UnknownJobError
from ...jobs import Job

# Fewer characters of an id would seldom be the only ones.
SHORTEST_BEGINNING: Final = 4
CANDIDATES: Final = 10


async def find_job(store: Store, wanted: str) -> Job:
    """The job with this id, or the only one whose id begins so. Raises UnknownJobError, naming the candidates."""
    # Our ids are ASCII; others come from outside, and a store may be unable to even look for them.
    job = await store.get(wanted) if wanted.isascii() else None
    if job is not None:
        return job
    unknown = f"the store holds no job {wanted!r}"
    if len(wanted) < SHORTEST_BEGINNING:
        raise UnknownJobError(f"{unknown}; the beginning of an id is at least {SHORTEST_BEGINNING} characters")
    found = {job.id: job async for job in every_kept_job(store) if job.id.startswith(wanted)}
    if not found:
        raise UnknownJobError(f"{unknown}, nor one whose id begins so")
    if len(found) > 1:
        ids = sorted(found)
        shown = [*ids[:CANDIDATES], "..."] if len(ids) > CANDIDATES else ids
        raise UnknownJobError(f"{len(ids)} jobs begin with {wanted!r}: {', '.join(shown)}")
    return found.popitem()[1]
