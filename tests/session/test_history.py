"""Reading every job of a store while others prune it: none is missed."""

from __future__ import annotations

from belvo_async._session.known.history import every_job
from belvo_async.stores import open_store
from tests.stores.samples import a_job, proving


async def test_what_is_pruned_meanwhile_is_met_as_its_proof() -> None:
    """The open jobs come first, and the proofs of pruned ones last."""
    met: list[str] = []
    async with open_store("memory:") as store:
        await store.put(a_job("open"), expected=None)
        await store.put(proving("ended"), expected=None)

        async for job in every_job(store):
            met.append(job.id)
            await store.forget("ended", keep_proof=True)

    assert ["open", "ended"] == met
