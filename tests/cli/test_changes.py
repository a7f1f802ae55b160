"""`belvo-async changes` against the simulators, in virtual time."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.asked import Shell
from tests.session.world import World, world

__all__ = ["world"]

YEAR = ("--resource", "invoice", "--from", "2025", "--to", "2025")


@pytest.fixture
def shell(world: World, tmp_path: Path) -> Shell:
    return Shell(world, tmp_path)


async def tell(shell: Shell, *more: str) -> int:
    entity, cursor = shell.world.syntage.entities[0], str(shell.folder / "changes.db")
    return await shell.type("changes", "--vendor", "syntage", "--subject", entity, "--since", cursor, *more)


async def extract(shell: Shell, *more: str) -> None:
    entity, into = shell.world.syntage.entities[0], f"ndjson:{shell.folder / 'sat'}"
    assert 0 == await shell.type("extract", "--vendor", "syntage", "--subject", entity, *YEAR, "--into", into, *more)


def valid_folios(shell: Shell) -> list[str]:
    period: Any = {"period": {"from": "2025-01-01", "to": "2025-12-31"}}
    rows = shell.world.syntage.invoices(shell.world.syntage.entities[0], period)
    return [str(row["uuid"]) for row in rows if row["status"] == "VIGENTE"]


async def test_learned_told_and_told_no_more(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """A baseline, a cancellation, and silence; nothing is sent that would be paid for."""
    await extract(shell)
    capsys.readouterr()

    assert 0 == await tell(shell, *YEAR, "--baseline")
    assert "plan: learned; told from now on\n" == capsys.readouterr().out
    await asyncio.sleep(120)
    shell.world.syntage.alter("cancelled", valid_folios(shell)[0])
    await extract(shell, "--max-age", "1m")
    capsys.readouterr()
    paid = len(shell.world.sent("POST"))

    assert 0 == await tell(shell, *YEAR)
    table = capsys.readouterr().out.splitlines()
    assert ["plan", "kind", "subject", "record", "seen", "fields"] == table[0].split()
    assert 3 == len(table)
    assert " cancelled " in table[2]
    assert "status" in table[2]
    assert 0 == await tell(shell, *YEAR)
    assert "plan: nothing changed\n" == capsys.readouterr().out
    assert paid == len(shell.world.sent("POST"))


async def test_one_object_a_line(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """For programs: kind, ids, fields and when it was seen; no content of a record."""
    await extract(shell)
    capsys.readouterr()

    assert 0 == await tell(shell, *YEAR, "--format", "json")
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert {"new", "cancelled"} >= {each["kind"] for each in told}
    assert {"plan", "kind", "vendor", "resource", "subject", "record", "fields", "seen"} == set(told[0])
    assert len(valid_folios(shell)) <= len(told)
    assert 0 == await tell(shell, *YEAR, "--format", "json")
    assert "" == capsys.readouterr().out


async def test_a_list_that_cannot_be_read_is_told_next_time(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """The exit code says that it was not all."""
    await extract(shell)
    shell.world.syntage.next_answer("unprocessable", method="GET", path="*/invoices")

    assert 3 == await tell(shell, *YEAR)
    assert "1 subject could not be read: told next time" in capsys.readouterr().err
    assert 0 == await tell(shell, *YEAR)


async def test_what_is_only_listed_can_be_told_of(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """Belvo's opinions of compliance, of whoever has a valid link."""
    for link in shell.world.belvo.links:
        shell.world.belvo.emit_historical(link, ["TAX_COMPLIANCE_STATUS"])
    cursor = str(shell.folder / "changes.db")

    code = await shell.type(
        "changes", "--vendor", "belvo", "--resource", "tax-compliance-status", "--subjects", "all", "--since", cursor
    )

    assert 0 == code
    assert len(shell.world.belvo.links) == capsys.readouterr().out.count(" new ")


async def test_what_could_not_be_printed_is_told_again(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever reads the pipe went away: nothing of it is struck out."""
    await extract(shell)
    with monkeypatch.context() as broken:
        broken.setattr("sys.stdout", Unread())
        with pytest.raises(BrokenPipeError):
            await tell(shell, *YEAR)
    capsys.readouterr()

    assert 0 == await tell(shell, *YEAR, "--format", "json")
    assert len(valid_folios(shell)) <= len(capsys.readouterr().out.splitlines())


class Unread(io.StringIO):
    """A standard output that nobody reads."""

    def flush(self) -> None:
        raise BrokenPipeError
