"""`belvo-async jobs resume`, `jobs stop`, `links` and `entities`, in virtual time against the simulators."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from belvo_async import BelvoAsyncError, Session
from belvo_async.abc import Vendor
from belvo_async.stores import open_store
from tests.cli.asked import Shell
from tests.session.world import World, world

__all__ = ["world"]


@pytest.fixture
def shell(world: World, tmp_path: Path) -> Shell:
    return Shell(world, tmp_path)


async def fired(shell: Shell, *, wanted: str = "syntage") -> str:
    """The id of a job that was fired by a session which has closed since."""
    world = shell.world
    vendor: Vendor = world.belvo_vendor() if wanted == "belvo" else world.syntage_vendor()
    async with Session(vendor, store=shell.store, clock=world.clock) as session:
        return (await session.fire(world.invoices() if wanted == "belvo" else world.extraction())).id


async def test_a_job_is_followed_to_its_end(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """Each change of it in a line, and its end."""
    job_id = await fired(shell)

    assert 0 == await shell.type("jobs", "resume", job_id[:8])

    first, *changes, last = capsys.readouterr().out.splitlines()
    assert f"job {job_id}: pending" == first
    assert any("poll finished" in line for line in changes)
    assert f"job {job_id}: finished" == last


async def test_a_job_that_goes_on_ends_with_3(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """When it was waited for as long as was said."""
    shell.world.syntage.next_job(outcome="stuck")
    job_id = await fired(shell)

    assert 3 == await shell.type("jobs", "resume", job_id, "--wait", "10m")

    assert "still" in capsys.readouterr().out


async def test_a_job_that_fails_ends_with_4(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """With what its waiters are told."""
    shell.world.syntage.next_job(outcome="failed", error_code="invalid_credentials")
    job_id = await fired(shell)

    assert 4 == await shell.type("jobs", "resume", job_id)

    assert "invalid_credentials" in capsys.readouterr().out


async def test_one_that_was_given_up_is_adopted(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """It was under way at the vendor all the time."""
    job_id = await fired(shell)
    async with Session(shell.world.syntage_vendor(), store=shell.store, clock=shell.world.clock) as session:
        await (await session.attach(job_id)).abandon()

    assert 0 == await shell.type("jobs", "resume", job_id)

    assert "finished" in capsys.readouterr().out


async def test_a_job_is_stopped_where_its_vendor_can(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """Elsewhere it says what else can be done; of one that is over nothing is asked."""
    shell.world.syntage.next_job(outcome="stuck")
    job_id, other = await fired(shell), await fired(shell, wanted="belvo")

    assert 0 == await shell.type("jobs", "stop", job_id)
    assert 4 == await shell.type("jobs", "resume", job_id)
    assert 0 == await shell.type("jobs", "stop", job_id)
    with pytest.raises(BelvoAsyncError, match=f"`belvo-async jobs abandon {other[:8]}`"):
        await shell.type("jobs", "stop", other)

    assert f"job {job_id} is over: stopped" in capsys.readouterr().out
    assert 1 == len([each for each in shell.world.sent() if each.path.endswith("/stop")])


async def test_the_keys_must_be_those_of_the_jobs_account(shell: Shell) -> None:
    """Those of another one are told apart before anything is sent."""
    job_id = await fired(shell)

    with pytest.raises(BelvoAsyncError, match="these keys are of another one; `belvo-async jobs move`"):
        await shell.type("jobs", "resume", job_id, SYNTAGE_API_KEY="another-key-1234567890")
    with pytest.raises(BelvoAsyncError, match="the store holds no job 'ffff0000'"):
        await shell.type("jobs", "resume", "ffff0000")


async def test_links_are_listed(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """As a table, as JSON, and as ids for a pipe; --status narrows."""
    ids = list(shell.world.belvo.links)

    assert 0 == await shell.type("links")
    table = capsys.readouterr().out.splitlines()
    assert 0 == await shell.type("links", "--status", "valid", "--format", "json")
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert 0 == await shell.type("links", "--format", "ids")
    printed = capsys.readouterr().out.splitlines()
    assert 0 == await shell.type("links", "--status", "invalid")

    assert table[0].split()[:2] == ["id", "status"]
    assert sorted(ids) == sorted(each["id"] for each in told) == sorted(printed)
    assert {"valid"} == {each["status"] for each in told}
    assert "none\n" == capsys.readouterr().out


async def test_entities_are_listed_without_taxpayers(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """Names and RFCs only when they are asked for."""
    assert 0 == await shell.type("entities", "--format", "json")
    plain = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert 0 == await shell.type("entities", "--format", "json", "--taxpayers", "--status", "valid")
    named = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert len(shell.world.syntage.entities) == len(plain) == len(named)
    assert {"id", "credential", "kind", "created"} == set(plain[0])
    assert all(each["rfc"] for each in named)
    assert all(each["name"] for each in named)


async def test_an_account_of_the_file_is_named(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """Where there are several, one must be."""
    file = "".join(f'[accounts.{name}]\nvendor = "belvo"\nenv = "{name.upper()}"\n' for name in ("one", "two"))
    config = str(shell.write("x.toml", file))
    environ = {f"TWO_{name.removeprefix('BELVO_')}": value for name, value in shell.environ.items()}

    assert 0 == await shell.type("links", "--config", config, "--account", "two", "--format", "ids", **environ)
    for more, words in (((), "say by --account"), (("--account", "six"), "no account 'six': it has one, two")):
        with pytest.raises(BelvoAsyncError, match=words):
            await shell.type("links", "--config", config, *more)

    assert len(shell.world.belvo.links) == len(capsys.readouterr().out.splitlines())


async def test_explain_says_how_a_job_fares(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """Against this store's own durations, and with the command to type."""
    from belvo_async._cli.jobs.faring import faring_of, next_step

    shell.world.syntage.next_job(outcome="stuck")
    job_id, clock = await fired(shell), shell.world.clock
    async with open_store(shell.store) as store:
        job = await store.get(job_id)
        assert job is not None
        seen = await faring_of(store, job, clock.now() + timedelta(days=1))

    assert "stuck" == seen.fare
    assert seen.why.startswith(
        "pending for 24 hours, past its deadline; by the vendor's word half of such jobs take under 20 minutes"
    )
    assert f"belvo-async jobs resume {job_id[:8]}" in (next_step(job, seen) or "")
