"""Every job that a store knows, in one order of reading: whatever happens meanwhile, none is missed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection

from ...abc import EVER, Store
from ...jobs import PROOF, Job
from ...stores.documents import read_proof


async def every_kept_job(store: Store, accounts: Collection[str] | None = None) -> AsyncIterator[Job]:
    """Every job that a store keeps, the open ones first; all accounts for None.

    What ends between the two is met twice, and never missed: the later state counts.
    """
    async for job in store.open_jobs(accounts):
        yield job
    async for job in store.ended_jobs(accounts, before=EVER):
        yield job


async def every_job(store: Store, accounts: Collection[str] | None = None) -> AsyncIterator[Job]:
    """Every job that ever was: those that are kept, then the proofs of those that were pruned.

    What ends or is pruned meanwhile is met twice, and never missed. Raises StoreError for a proof that cannot be read.
    """
    async for job in every_kept_job(store, accounts):
        yield job
    async for job in _proofs(store, accounts, besides=()):
        yield job


async def every_ended_job(store: Store, accounts: Collection[str] | None = None) -> AsyncIterator[Job]:
    """Every job that is over, then the proofs of those that were pruned; each once. Errors as for `every_job`."""
    met: set[str] = set()
    async for job in store.ended_jobs(accounts, before=EVER):
        met.add(job.id)
        yield job
    async for job in _proofs(store, accounts, besides=met):
        yield job


async def _proofs(store: Store, accounts: Collection[str] | None, *, besides: Collection[str]) -> AsyncIterator[Job]:
    async for entry in store.entries(PROOF, accounts):
        if entry.key not in besides:
            yield read_proof(entry.document)
