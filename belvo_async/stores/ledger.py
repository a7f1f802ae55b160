"""What all stores share about entries: their order, and what a job that is dropped leaves behind."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple

from ..abc import Entry
from ..jobs import PROOF, Job, encode_job, proof_of


class Place(NamedTuple):
    """Where an entry stands among those of its store, in bytes: ordered as the texts are, whatever is in them."""

    kind: bytes
    account: bytes
    key: bytes


def place_of(entry: Entry) -> Place:
    return Place(raw(entry.kind), raw(entry.account), raw(entry.key))


def entry_at(place: Place, document: bytes) -> Entry:
    kind, account, key = (each.decode("utf-8", "surrogatepass") for each in place)
    return Entry(account, kind, key, document)


def raw(text: str) -> bytes:
    """Give any text as bytes: what comes from outside may hold lone surrogates."""
    return text.encode("utf-8", "surrogatepass")


def proof_entry(job: Job) -> Entry | None:
    """What is entered of a job that is dropped; None of one that proves nothing."""
    proof = proof_of(job)
    return None if proof is None else Entry(job.account, PROOF, job.id, encode_job(proof))


async def walk_entries(
    read_slice: Callable[[Place | None], Awaitable[tuple[list[Entry], Place | None]]],
) -> AsyncIterator[Entry]:
    """Every entry there is. `read_slice` is given a place and gives what stands after it, and where to go on."""
    place: Place | None = None
    while True:
        entries, place = await read_slice(place)
        for entry in entries:
            yield entry
        if place is None:
            return
