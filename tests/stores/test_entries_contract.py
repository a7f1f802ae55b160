"""What every store promises about entries, and about what is entered of a job that is forgotten."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from belvo_async.abc import Entry
from belvo_async.jobs import PROOF, Job, Status, Submission, UnknownTask, decode_job
from tests.stores.conftest import AnyStore
from tests.stores.samples import ACCOUNT, NOON, OTHER, Covering, Fetch, after, proving, word

ODD = sorted(["", "a", "a\0", "a\0b", "a\1", "a\\0", "ab", "á", "🧾", "\uffee"])


def an_entry(key: str = "k", **facts: str) -> Entry:
    usual = {"account": ACCOUNT, "kind": "receipt"}
    return Entry(key=key, document=b"\0" + key.encode(), **(usual | facts))


async def kept(store: AnyStore, kind: str | None, *accounts: str) -> list[Entry]:
    return [each async for each in store.entries(kind, accounts or None)]


async def test_entries_come_in_order(store: AnyStore) -> None:
    """By account, then key; only those of the kind and the accounts that are asked for."""
    ours, theirs = [an_entry("a"), an_entry("b")], [an_entry("a", account=OTHER), an_entry("c", account=OTHER)]
    other = an_entry("a", kind="proof")

    await store.enter([theirs[1], ours[1], other, ours[0], theirs[0]])

    assert [*ours, *theirs] == await kept(store, "receipt")
    assert theirs == await kept(store, "receipt", OTHER)
    assert [*ours, *theirs] == await kept(store, "receipt", OTHER, ACCOUNT, "nobody")
    assert [other] == await kept(store, "proof")
    assert [other, *ours, *theirs] == await kept(store, None)
    assert theirs == await kept(store, None, OTHER)
    assert [] == await kept(store, "nothing")
    assert [] == [each async for each in store.entries("receipt", ())]


async def test_an_entry_replaces_the_one_in_its_place(store: AnyStore) -> None:
    """The last counts, of several in one call too."""
    await store.enter([an_entry()])

    await store.enter([Entry(ACCOUNT, "receipt", "k", b"1"), Entry(ACCOUNT, "receipt", "k", b"")])

    assert [Entry(ACCOUNT, "receipt", "k", b"")] == await kept(store, "receipt")


async def test_entries_are_struck(store: AnyStore) -> None:
    """Those named, and no others; what is not there is no error."""
    entries = [an_entry("a"), an_entry("b"), an_entry("a", account=OTHER), an_entry("a", kind="proof")]
    await store.enter(entries)

    await store.strike(ACCOUNT, "receipt", ["a", "zzz"])
    await store.strike(ACCOUNT, "receipt", [])

    assert [entries[3], entries[1], entries[2]] == await kept(store, None)
    assert [entries[1], entries[2]] == await kept(store, "receipt")


@pytest.mark.parametrize("kind", ["receipt", None])
async def test_any_text_names_an_entry(store: AnyStore, kind: str | None) -> None:
    """Texts are ordered by their code points, and no two are taken for one."""
    entries = [an_entry(key, account=account) for account in ODD for key in ODD]

    await store.enter([*reversed(entries)])

    assert entries == await kept(store, kind)
    for account in ODD:
        assert [each for each in entries if each.account == account] == await kept(store, kind, account)
    await store.strike("a", "receipt", ["\0b", "a\0"])
    assert len(entries) - 1 == len(await kept(store, kind))


@pytest.mark.proof
async def test_a_walk_over_entries_stands_changes(store: AnyStore) -> None:
    """A consumer may enter and strike while it walks: each comes once, what was struck ahead drops out."""
    entries = [an_entry(f"{number:04}") for number in range(600)]
    await store.enter(entries)
    walked: list[str] = []

    async for entry in store.entries("receipt", [ACCOUNT]):
        walked.append(entry.key)
        await store.strike(ACCOUNT, "receipt", [entry.key])
        if len(walked) == 1:
            await store.strike(ACCOUNT, "receipt", ["0599"])
            await store.enter([an_entry("0000")])

    assert [entry.key for entry in entries[:-1]] == walked
    assert [an_entry("0000")] == await kept(store, "receipt")


async def test_entries_are_kept_together(store: AnyStore) -> None:
    """Of two calls at once, the last one's are there: all of them."""
    calls = [[Entry(ACCOUNT, "receipt", f"{number}", bytes([call])) for number in range(300)] for call in range(9)]

    await asyncio.gather(*(store.enter(call if number % 2 else call[::-1]) for number, call in enumerate(calls)))

    found = await kept(store, "receipt")
    assert 300 == len(found)
    assert 1 == len({each.document for each in found})


def test_an_entry_shows_no_content() -> None:
    """It may tell of a taxpayer's data."""
    assert "secret" not in repr(Entry(ACCOUNT, "receipt", "secret-key", b"secret"))


async def test_a_forgotten_job_leaves_its_proof(store: AnyStore) -> None:
    """What it proved, without how it was followed; under the account and the id."""
    job = proving(tags={"tenant": "acme"}, remote_id="r", created_count=7, polls=3, attempted_at=NOON, gone_count=1)
    await store.put(job, expected=None, observation=word())

    assert await store.forget(job.id, keep_proof=True)

    (entry,) = await kept(store, PROOF)
    proof = decode_job(entry.document)
    assert (ACCOUNT, job.id) == (entry.account, entry.key)
    assert (7, "r", job.tags, after(5), Covering()) == (
        proof.created_count,
        proof.remote_id,
        proof.tags,
        proof.settled_at,
        proof.task,
    )
    assert (Submission(attempted_at=NOON), 0, 0) == (proof.submission, proof.polls, proof.evidence.gone_count)
    assert await store.get(job.id) is None


@pytest.mark.parametrize(
    "job",
    [
        pytest.param(proving(task=Fetch()), id="covers nothing"),
        pytest.param(proving(status=Status.RUNNING, settled_at=None), id="open"),
        pytest.param(proving(status=Status.SUBMITTING, attempted_at=None, abandoned=True), id="never sent"),
    ],
)
async def test_what_proves_nothing_leaves_nothing(store: AnyStore, job: Job) -> None:
    """No entry is made of what did not end, or covers no days."""
    await store.put(job, expected=None)

    assert await store.forget(job.id, keep_proof=True)

    assert [] == await kept(store, None)


async def test_what_was_given_up_was_asked_for(store: AnyStore) -> None:
    """It may have been sent, and paid: nobody is to ask for its days again by himself."""
    await store.put(proving(status=Status.UNCERTAIN, attempted_at=NOON, abandoned=True), expected=None)

    assert await store.forget("job-1", keep_proof=True)

    (entry,) = await kept(store, PROOF)
    assert Status.UNCERTAIN is decode_job(entry.document).status


async def test_a_proof_is_left_only_when_asked_for(store: AnyStore) -> None:
    """Whoever has a right to deletion is deleted."""
    await store.put(proving(), expected=None)

    assert await store.forget("job-1")
    assert not await store.forget("job-1", keep_proof=True)

    assert [] == await kept(store, None)


async def test_a_task_of_an_unknown_type_is_proven(store: AnyStore) -> None:
    """Its type may be loaded where somebody asks what is covered."""
    task = UnknownTask(stored_kind="later.Task", body=msgspec.Raw(b'{"kind":"later.Task","x":1}'))
    await store.put(proving(task=task), expected=None)

    await store.forget("job-1", keep_proof=True)

    (entry,) = await kept(store, PROOF)
    assert b'"x":1' in entry.document


async def test_forgetting_many_keeps_every_proof(store: AnyStore) -> None:
    """Beside other writes, and of jobs that were written in the same moment."""
    jobs = [proving(f"{number:03}") for number in range(120)]
    await asyncio.gather(*(store.put(each, expected=None) for each in jobs[:100]))
    fresh = [store.put(each, expected=None) for each in jobs[100:]]

    gone = await asyncio.gather(*fresh, *(store.forget(each.id, keep_proof=True) for each in jobs))

    assert [True] * 120 == gone[20:]
    assert [each.id for each in jobs] == [entry.key for entry in await kept(store, PROOF)]
