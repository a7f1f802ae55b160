"""`belvo-async jobs`: listing and pruning, on every store that outlives a process, without credentials."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import pytest

from belvo_async import belvo
from belvo_async._cli import main
from belvo_async._cli.jobs.abandon import give_up
from belvo_async.errors import StoreError
from belvo_async.jobs import Failure, GivenUp, Job, Seen, Status, Way, reconcile
from belvo_async.stores import open_store
from belvo_async.stores.walks import SLICE
from tests.jobs.flat import flat
from tests.stores.urls import empty_store

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
TASK = belvo.Invoices(
    link="c81a1dea-6dd6-4806-af9b-3fe4a9d9e8e1", date_from=date(2025, 1, 1), date_to=date(2025, 12, 31), type="INFLOW"
)


@pytest.fixture(params=["sqlite", "postgres", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A store with an open job, an abandoned one, one that ended early and one that ended late."""
    with empty_store(request.param, tmp_path) as url:
        fill(
            url,
            a_job("open", status=Status.PENDING),
            a_job("abandoned", status=Status.UNCERTAIN, abandoned=True, created_at=AT + timedelta(seconds=1)),
            a_job("early", settled_at=AT + timedelta(hours=1), created_at=AT + timedelta(seconds=2)),
            a_job("late", settled_at=AT + timedelta(days=9), created_at=AT + timedelta(seconds=3)),
        )
        yield url


# What covers no days proves nothing, and leaves nothing behind.
NO_DAYS = belvo.Refresh(link="5dfa78eb-6d7d-4b2c-8a7a-3b9f3b6b1c11")


def a_job(job_id: str, **facts: Any) -> Job:
    plain = {"vendor": "belvo", "account": "x", "task": TASK, "created_at": AT, "status": Status.FINISHED}
    return flat(id=job_id, **plain | facts)


def fill(url: str, *jobs: Job) -> None:
    async def put_all() -> None:
        async with open_store(url) as opened:
            await asyncio.gather(*(opened.put(job, expected=None) for job in jobs))

    asyncio.run(put_all())


def listed(url: str, capsys: pytest.CaptureFixture[str], *options: str) -> list[str]:
    """The ids `jobs list` shows."""
    capsys.readouterr()
    assert 0 == main(["jobs", "list", "--store", url, "--format", "json", *options])
    return [msgspec.json.decode(line)["job"] for line in capsys.readouterr().out.splitlines()]


def test_list_shows_open_jobs_and_with_all_ended_ones(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Oldest first."""
    assert ["open"] == listed(store, capsys)
    assert ["open", "abandoned", "early", "late"] == listed(store, capsys, "--all")


def test_list_all_as_table(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    """When each ended, in place of when it is polled next."""
    assert 0 == main(["jobs", "list", "--all", "--store", store])

    heading, _, *rows = capsys.readouterr().out.splitlines()
    words = "job vendor resource subject direction period state age ended account"
    assert words.split() == heading.split()
    assert ["pending", "abandoned", "finished", "finished"] == [row.split()[6] for row in rows]
    assert ["2026-06-10", "12:00Z", "x"] == rows[-1].split()[-3:]


def test_prune_forgets_what_ended_before(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Open jobs stay, and what ended later; a dry run only counts."""
    prune = ["jobs", "prune", "--before", "2026-06-02", "--store", store]
    assert 0 == main([*prune, "--dry-run"])
    assert "would forget 2 jobs that ended before 2026-06-02 00:00:00Z\n" == capsys.readouterr().out
    assert 4 == len(listed(store, capsys, "--all"))

    assert 0 == main(prune)

    assert "forgot 2 jobs that ended before 2026-06-02 00:00:00Z\n" == capsys.readouterr().out
    assert ["open", "late"] == listed(store, capsys, "--all")


def lay_aside(url: str, *ages: timedelta, body: bytes = b"{") -> None:
    async def lay_all() -> None:
        async with open_store(url) as opened:
            for age in ages:
                await opened.set_aside("x", body, datetime.now(UTC) - age)

    asyncio.run(lay_all())


def test_list_counts_what_was_laid_aside(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Where there is any; beside JSON, whose lines are jobs, on stderr."""
    assert 0 == main(["jobs", "list", "--store", store])
    assert "laid aside" not in capsys.readouterr().out

    lay_aside(store, timedelta(0), timedelta(days=1))

    assert 0 == main(["jobs", "list", "--store", store])
    assert capsys.readouterr().out.endswith("\n2 deliveries could not be read and are laid aside\n")
    assert 0 == main(["jobs", "list", "--store", store, "--format", "json"])
    told = capsys.readouterr()
    assert 1 == len(told.out.splitlines())
    assert "2 deliveries could not be read and are laid aside\n" == told.err


def test_prune_drops_what_was_laid_aside_a_month_ago(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A dry run drops nothing."""
    lay_aside(store, timedelta(days=31), timedelta(days=29))
    prune = ["jobs", "prune", "--before", "2026-06-02", "--store", store]

    assert 0 == main([*prune, "--dry-run"])
    assert 0 == main(["jobs", "list", "--store", store])
    before = capsys.readouterr().out
    assert 0 == main(prune)
    assert 0 == main(["jobs", "list", "--store", store])

    assert "2 deliveries could not be read and are laid aside" in before
    assert "1 delivery could not be read and is laid aside" in capsys.readouterr().out


def test_aside_lists_what_could_not_be_read(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The oldest first, as the table numbers them; nothing of what is in them."""
    assert 0 == main(["jobs", "aside", "--store", store])
    assert "nothing is laid aside\n" == capsys.readouterr().out
    lay_aside(store, timedelta(0), timedelta(days=1), body=b"{'rfc': 'hunter2")

    assert 0 == main(["jobs", "aside", "--store", store])
    heading, _, *rows = capsys.readouterr().out.splitlines()
    assert 0 == main(["jobs", "aside", "--store", store, "--format", "json"])
    facts = [msgspec.json.decode(line) for line in capsys.readouterr().out.splitlines()]

    assert ["number", "when", "account", "bytes"] == heading.split()
    assert [["1", "x", "16"], ["2", "x", "16"]] == [[row.split()[0], *row.split()[3:]] for row in rows]
    assert [(1, "x", 16), (2, "x", 16)] == [(each["number"], each["account"], each["bytes"]) for each in facts]
    assert facts[0]["at"] < facts[1]["at"]
    assert [] == [row for row in rows if "hunter2" in row]


def test_aside_shows_one_as_it_came(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Byte for byte, and nothing else, so that it can go into a file."""
    lay_aside(store, timedelta(0), body=b"\xff\x00{")
    lay_aside(store, timedelta(days=1), body=b"older")
    out = io.BytesIO()

    with monkeypatch.context() as patched:
        patched.setattr("sys.stdout", io.TextIOWrapper(out))
        code = main(["jobs", "aside", "--store", store, "--show", "2"])
        shown = out.getvalue()

    assert (0, b"\xff\x00{") == (code, shown)


def test_aside_shows_only_what_there_is(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A number that the list does not have."""
    lay_aside(store, timedelta(0))

    assert 1 == main(["jobs", "aside", "--store", store, "--show", "2"])
    assert "no delivery has the number 2: the list ends at 1" in capsys.readouterr().err


def test_prune_gives_the_space_back(tmp_path: Path) -> None:
    """A file that held thousands of jobs becomes small again, and keeps the others."""
    url, path = f"sqlite:{tmp_path / 'jobs.db'}", tmp_path / "jobs.db"
    fill(url, a_job("young", created_at=datetime.now(UTC)))
    small = path.stat().st_size
    fill(url, *(a_job(f"{number}", task=NO_DAYS, doubt="x" * 2000) for number in range(1000)))
    large = path.stat().st_size

    assert 0 == main(["jobs", "prune", "--before", "1h", "--store", url])

    assert large > 10 * small
    assert path.stat().st_size < 3 * small


@pytest.mark.parametrize("count", [0, 1, SLICE, SLICE + 1])
def test_prune_counts(count: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Any number, forgotten slice by slice."""
    url = f"sqlite:{tmp_path / 'jobs.db'}"
    fill(url, a_job("young", created_at=datetime.now(UTC)), *(a_job(f"{number}") for number in range(count)))

    assert 0 == main(["jobs", "prune", "--before", "1h", "--store", url])

    assert capsys.readouterr().out.startswith("forgot 1 job that" if count == 1 else f"forgot {count} jobs that")
    assert ["young"] == listed(url, capsys, "--all")


@pytest.mark.parametrize(
    ("before", "ids"),
    [
        pytest.param("2026-06-01T13:00:00Z", ["open", "early", "late"], id="instant"),
        pytest.param("2026-06-01T07:30:00-06:00", ["open", "late"], id="instant elsewhere"),
        pytest.param("2026-06-01 13:00:00.000001", ["open", "late"], id="to the microsecond"),
        pytest.param("999999w", None, id="before all time"),
        pytest.param("yesterday", None, id="a word"),
        pytest.param("30", None, id="no unit"),
        pytest.param("-1d", None, id="negative"),
    ],
)
def test_before(before: str, ids: list[str] | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A date, an instant or an age; anything else is a wrong argument."""
    with empty_store("sqlite", tmp_path) as url:
        fill(
            url,
            a_job("open", status=Status.PENDING),
            a_job("abandoned", status=Status.UNCERTAIN, abandoned=True),
            a_job("early", settled_at=AT + timedelta(hours=1)),
            a_job("late", settled_at=AT + timedelta(days=9)),
        )
        argv = ["jobs", "prune", f"--before={before}", "--store", url]
        if ids is None:
            with pytest.raises(SystemExit) as left:
                main(argv)
            assert 2 == left.value.code
        else:
            assert 0 == main(argv)
            assert set(ids) == set(listed(url, capsys, "--all"))


def test_explain_takes_the_beginning_of_an_id(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Four characters are enough when only one job, open or ended, begins with them."""
    fill(store, a_job("abcd1", status=Status.PENDING, key="1"), a_job("abef2", settled_at=AT, key="2"))

    for beginning, job_id in (("abcd", "abcd1"), ("abef2", "abef2"), ("aban", "abandoned")):
        assert 0 == main(["jobs", "explain", beginning, "--store", store])
        assert f"job        {job_id}\n" in capsys.readouterr().out


def test_explain_lists_the_candidates(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Several jobs begin so: the ids are told; a whole id is never ambiguous."""
    url = f"sqlite:{tmp_path / 'jobs.db'}"
    fill(url, a_job("same"), *(a_job(f"same{number:02}") for number in range(14)))

    assert 0 == main(["jobs", "explain", "same", "--store", url])
    capsys.readouterr()
    assert 1 == main(["jobs", "explain", "same1", "--store", url])
    few = capsys.readouterr().err
    fill(url, *(a_job(f"many{number:02}") for number in range(14)))
    assert 1 == main(["jobs", "explain", "many", "--store", url])
    many = capsys.readouterr().err

    assert "belvo-async: 4 jobs begin with 'same1': same10, same11, same12, same13\n" == few
    assert many.startswith("belvo-async: 14 jobs begin with 'many': many00, many01")
    assert many.endswith("many09, ...\n")


def test_explain_an_ended_job(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Any store, any job."""
    assert 0 == main(["jobs", "explain", "late", "--store", store])

    assert "settled    2026-06-10 12:00:00Z" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("url", "words"),
    [("memory:", "nothing to look into"), ("sqlite:/nowhere/jobs.db", "there is no store at /nowhere/jobs.db")],
)
@pytest.mark.parametrize(
    "argv",
    [
        ("list",),
        ("explain", "x"),
        ("abandon", "x"),
        ("prune", "--before", "1d"),
        ("accounts",),
        ("move", "--from", "a#b", "--to", "c"),
    ],
    ids=lambda each: each[0],
)
def test_no_store_is_one_sentence(
    argv: tuple[str, ...], url: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1, and nothing is made."""
    assert 1 == main(["jobs", *argv, "--store", url])

    said = capsys.readouterr()
    assert words in said.err
    assert ("", 1) == (said.out, said.err.count("\n"))


def accounts(url: str, capsys: pytest.CaptureFixture[str]) -> list[Any]:
    """What `jobs accounts` shows, as objects."""
    capsys.readouterr()
    assert 0 == main(["jobs", "accounts", "--store", url, "--format", "json"])
    return [msgspec.json.decode(line) for line in capsys.readouterr().out.splitlines()]


OLD, NEW = "https://api.syntage.com#3f2a91c07be4", "https://api.syntage.com#acme"


@pytest.fixture(params=["sqlite", "postgres", "redis"])
def changed_key(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A store with jobs of an account whose key was changed."""
    with empty_store(request.param, tmp_path) as url:
        fill(
            url,
            a_job("open", account=OLD, status=Status.PENDING),
            a_job("early", account=OLD, settled_at=AT),
            a_job("theirs", account=NEW, status=Status.PENDING),
        )
        yield url


def test_accounts_are_counted(changed_key: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Open and ended jobs of each, in a table too; an open session is told of."""
    ours = {"account": OLD, "open": 1, "ended": 1, "parked": 0, "served": False}
    theirs = {"account": NEW, "open": 1, "ended": 0, "parked": 0, "served": False}

    assert [ours, theirs] == accounts(changed_key, capsys)
    assert 0 == main(["jobs", "accounts", "--store", changed_key])
    heading, _, *rows = capsys.readouterr().out.splitlines()
    assert ["account", "open", "ended", "parked", "served"] == heading.split()
    assert [[OLD, "1", "1", "0", "no"], [NEW, "1", "0", "0", "no"]] == [row.split() for row in rows]


@pytest.mark.parametrize("target", ["acme", NEW], ids=["by name", "whole"])
def test_jobs_move_to_another_account(changed_key: str, target: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A dry run only counts; a name alone is one at the same address."""
    move = ["jobs", "move", "--from", OLD, "--to", target, "--store", changed_key]
    assert 0 == main([*move, "--dry-run"])
    counts = f"1 open job, 1 ended job and 0 parked deliveries from {OLD} to {NEW}\n"
    assert f"would move {counts}" == capsys.readouterr().out
    assert 2 == len(accounts(changed_key, capsys))

    assert 0 == main(move)

    assert f"moved {counts}" == capsys.readouterr().out
    assert [{"account": NEW, "open": 2, "ended": 1, "parked": 0, "served": False}] == accounts(changed_key, capsys)


def test_a_mistyped_account_is_told(changed_key: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With those there are; nothing is changed. An account is not moved to itself, nor to what can be no name."""
    move = ["jobs", "move", "--store", changed_key]
    assert 1 == main([*move, "--from", "https://api.syntage.com#other", "--to", "acme"])
    assert f"of these it does: {OLD}, {NEW}\n" in capsys.readouterr().err
    assert 1 == main([*move, "--from", OLD, "--to", OLD])
    assert 1 == main([*move, "--from", OLD, "--to", "no name"])

    assert 2 == len(accounts(changed_key, capsys))


def test_abandon_gives_an_open_job_up(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It is open no more, and `explain` says what its waiters are told, and who decided it."""
    assert 0 == main(["jobs", "abandon", "open", "--store", store])
    assert "job open is given up; at the vendor it is pending\n" == capsys.readouterr().out
    assert [] == listed(store, capsys)

    assert 0 == main(["jobs", "explain", "open", "--store", store])

    told = capsys.readouterr().out
    assert "reason     job open was given up here while it was pending; it may go on at the vendor" in told
    assert ["user", "given"] == told.splitlines()[-1].split()[2:4]


def test_an_end_nobody_can_tell_is_told_as_such(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In the list by a word of its own; `explain` shows its code, and the words its waiters are told."""
    url = f"sqlite:{tmp_path / 'jobs.db'}"
    unconfirmed = Failure(code="unconfirmed", message="Belvo told no end")
    seen = GivenUp(way=Way.INFERENCE, at=AT, failure=unconfirmed)
    fill(url, reconcile(a_job("silent", status=Status.PENDING), seen)[0])

    assert 0 == main(["jobs", "list", "--all", "--store", url])
    assert "unconfirmed" == capsys.readouterr().out.splitlines()[-1].split()[6]
    assert 0 == main(["jobs", "explain", "silent", "--store", url])
    told = capsys.readouterr().out
    assert ["failure", "unconfirmed"] in [line.split() for line in told.splitlines()]
    assert "reason     nothing tells how job silent ended" in told
    assert "it failed or found nothing" in told


def test_abandon_takes_what_is_parked_about_a_job_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its process ended before that was applied, and nobody polls again for a job that is given up."""
    url = f"sqlite:{tmp_path / 'jobs.db'}"
    fill(url, a_job("ended", status=Status.PENDING, remote_id="r-1"))
    end = Seen(way=Way.WEBHOOK, at=AT, remote_id="r-1", status=Status.FINISHED)

    async def park() -> None:
        async with open_store(url) as opened:
            await opened.park("x", end)

    async def parked() -> int:
        async with open_store(url) as opened:
            return len(await opened.parked("x"))

    asyncio.run(park())
    capsys.readouterr()

    assert 0 == main(["jobs", "abandon", "ended", "--store", url])
    assert ["job ended is finished"] == capsys.readouterr().out.splitlines()
    assert 0 == asyncio.run(parked())


def test_a_job_in_doubt_is_looked_for_when_abandoning_it_breaks_off(tmp_path: Path) -> None:
    """Between doubt and giving up it is a job like any other: somebody takes it up when it is due."""
    url = f"sqlite:{tmp_path / 'jobs.db'}"

    async def queue() -> None:
        async with open_store(url) as opened:
            await opened.put(a_job("queued", status=Status.SUBMITTING, next_poll=AT), expected=None)
            await opened.begin_era()

    async def break_off() -> Job | None:
        store = open_store(url)
        write = store.put

        async def put(job: Job, **given: Any) -> Job | None:
            if job.abandoned:
                raise StoreError("the disk is full")
            return await write(job, **given)

        with patch.object(store, "put", put), pytest.raises(StoreError, match="the disk is full"):
            await give_up(store, "queued")
        async with open_store(url) as opened:
            return await opened.get("queued")

    asyncio.run(queue())
    job = asyncio.run(break_off())

    assert job is not None
    assert (Status.UNCERTAIN, True, AT) == (job.status, job.is_open, job.schedule.next_poll)


def test_abandon_gives_the_lane_to_the_next(store: str) -> None:
    """The oldest that waits for it is due now; whoever looks after the store sends it."""
    later = AT + timedelta(days=1)
    fill(
        store,
        a_job("holder", key="1", lane="lane", status=Status.PENDING),
        *(
            a_job(f"next{n}", key=f"n{n}", lane="lane", status=Status.SUBMITTING, created_at=later, next_poll=later)
            for n in (1, 2)
        ),
    )

    async def lease() -> int | None:
        async with open_store(store) as opened:
            return await opened.lease("lane", "holder", now=AT, until=AT + timedelta(days=9999))

    asyncio.run(lease())

    assert 0 == main(["jobs", "abandon", "holder", "--store", store])

    async def look() -> tuple[object, list[datetime | None]]:
        async with open_store(store) as opened:
            jobs = [await opened.get(f"next{n}") for n in (1, 2)]
            return await opened.leased_until("lane"), [None if job is None else job.schedule.next_poll for job in jobs]

    held_until, (first, second) = asyncio.run(look())
    assert held_until is None
    assert first is not None
    assert later == second != first


@pytest.mark.parametrize(
    ("job_id", "facts", "told"),
    [
        pytest.param("late", {}, "job late is finished", id="ended"),
        pytest.param("queued", {"status": Status.SUBMITTING}, "job queued is rejected (withdrawn)", id="never sent"),
        pytest.param("abandoned", {}, "job abandoned is given up; at the vendor it is uncertain", id="given up"),
    ],
)
def test_abandon_tells_how_a_job_stands(
    job_id: str, facts: dict[str, Any], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was never sent is withdrawn; what is over stays as it is."""
    url = f"sqlite:{tmp_path / 'jobs.db'}"
    plain = {"status": Status.UNCERTAIN, "abandoned": True} if job_id == "abandoned" else {}
    fill(url, a_job(job_id, **plain | facts))

    assert 0 == main(["jobs", "abandon", job_id, "--store", url])

    assert f"{told}\n" == capsys.readouterr().out


@pytest.mark.parametrize(
    ("queued", "said"),
    [
        (0, "noted; no job is queued\n"),
        (1, "noted; 1 queued job may have been sent: it is looked for at the vendor, and not sent\n"),
        (2, "noted; 2 queued jobs may have been sent: they are looked for at the vendor, and not sent\n"),
    ],
)
def test_a_restore_is_noted_by_hand(store: str, queued: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing shows that a backup was put back: the store is in a new era for everybody."""
    fill(store, *(a_job(f"queued {number}", status=Status.SUBMITTING) for number in range(queued)))
    capsys.readouterr()

    assert 0 == main(["jobs", "restored", "--store", store])
    assert said == capsys.readouterr().out

    async def era() -> int:
        async with open_store(store) as opened:
            return opened.era

    assert 1 == asyncio.run(era())


def test_what_may_have_been_sent_is_not_called_withdrawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """After a restore, a queued job that is given up may run at the vendor all the same."""
    url = f"sqlite:{tmp_path / 'jobs.db'}"
    fill(url, a_job("queued", status=Status.SUBMITTING))
    assert 0 == main(["jobs", "restored", "--store", url])
    capsys.readouterr()

    assert 0 == main(["jobs", "abandon", "queued", "--store", url])

    assert "job queued is given up; at the vendor it is uncertain\n" == capsys.readouterr().out


def test_the_store_of_the_file_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where none is typed: that of `belvo-async.toml` in the working directory; without either, what to do is said."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BELVO_ASYNC_STORE", raising=False)

    assert 1 == main(["jobs", "list"])
    assert "which store? give --store sqlite:jobs.db, set BELVO_ASYNC_STORE, or" in capsys.readouterr().err
    fill("sqlite:jobs.db", a_job("open", status=Status.PENDING))
    (tmp_path / "belvo-async.toml").write_text('store = "sqlite:jobs.db"\n', encoding="utf-8")

    assert 0 == main(["jobs", "list"])

    assert "open" in capsys.readouterr().out
