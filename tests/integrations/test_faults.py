"""What goes wrong with a mirror, and what stays of it."""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import sys
import threading
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import duckdb
import msgspec
import pytest

from belvo_async import Belvo, SinkError, belvo
from belvo_async.abc import PartKey
from belvo_async.integrations.dlt import MirrorSink, installed
from belvo_async.integrations.dlt.places import duckdb as files
from belvo_async.integrations.dlt.versions import versions_of
from belvo_async.integrations.dlt.workroom import Workroom
from tests.integrations.kit import Database, both_databases
from tests.integrations.test_jobs import mirror, syntage_plan
from tests.session.world import World

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
LINK = "5dfa78eb-0000-4000-8000-000000000001"
VENDORS: dict[str, Any] = {"belvo": Belvo("an-id", "a-password")}


def key(job: str = "j1", subject: str = LINK) -> PartKey:
    return PartKey(vendor="belvo", resource="INVOICES", subject=subject, job=job, record=belvo.Invoice)


async def write(sink: MirrorSink, *rows: belvo.Invoice, part: PartKey | None = None) -> Any:
    async with sink.part(part or key()) as opened:
        await opened.write(rows)
        return await opened.commit(now=NOW)


def invoice(number: int, **changes: Any) -> belvo.Invoice:
    return belvo.Invoice(**{"id": f"i{number}", "total_amount": Decimal(number), **changes})


TOTALS = "SELECT record_id, total_amount FROM fiscal.belvo_invoices WHERE _dlt_valid_to IS NULL ORDER BY 1"


@both_databases
async def test_a_number_that_does_not_fit_fails_its_part_and_no_other(database: Database) -> None:
    """The error names the column and never the value; what else is written is there."""
    async with MirrorSink(database.spec, VENDORS) as sink:
        await write(sink, invoice(1), part=key("j1"))
        with pytest.raises(SinkError, match=r"column belvo_invoices\.total_amount") as raised:
            await write(sink, invoice(2), invoice(3, total_amount=Decimal("9" * 31)), part=key("j2"))
        await write(sink, invoice(4), part=key("j3"))

    assert "belvo_invoices.total_amount" == raised.value.column
    assert "999" not in str(raised.value)
    assert [("i1", Decimal(1)), ("i4", Decimal(4))] == database.rows(TOTALS)


@both_databases
async def test_a_load_that_fails_leaves_the_next_one_alone(database: Database) -> None:
    """Somebody changed a table so that rows do not fit it; once that is mended, the same rows are loaded."""
    async with MirrorSink(database.spec, VENDORS) as sink:
        await write(sink, invoice(1))
        database.rows("ALTER TABLE fiscal.belvo_invoices RENAME COLUMN folio TO page")
        with pytest.raises(SinkError, match=r"could not be loaded into .*: mend that") as raised:
            await write(sink, invoice(2, folio="a-folio"), part=key("j2"))
        database.rows("ALTER TABLE fiscal.belvo_invoices RENAME COLUMN page TO folio")
        receipt = await write(sink, invoice(2, folio="a-folio"), part=key("j2"))

    assert "a-folio" not in str(raised.value)
    assert [("i1", Decimal(1)), ("i2", Decimal(2))] == database.rows(TOTALS)
    assert ("belvo_invoices", 1) == (receipt.part, receipt.rows)


@both_databases
async def test_what_a_database_complains_of_is_not_logged(
    database: Database, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """It quotes rows, and dlt would repeat that on stderr; what else is logged there, by whomever, stays."""
    async with MirrorSink(database.spec, VENDORS) as sink:
        await write(sink, invoice(1, folio=None))
        database.rows("ALTER TABLE fiscal.belvo_invoices ALTER COLUMN folio TYPE integer USING NULL::integer")
        with pytest.raises(SinkError, match="could not be loaded"):
            await write(sink, invoice(2, folio="a-folio"), part=key("j2"))
    logging.getLogger("dlt").warning("somebody else's")

    said = capsys.readouterr().err + caplog.text
    assert "a-folio" not in said
    assert "failed" not in said
    assert "somebody else's" in said


async def test_a_part_that_is_left_leaves_nothing(database: Database) -> None:
    """Neither in the database nor on the disk."""
    async with MirrorSink(database.spec, VENDORS) as sink:
        async with sink.part(key()) as part:
            await part.write([invoice(1)])
        await write(sink, invoice(2), part=key("j2"))

    assert [("i2", Decimal(2))] == database.rows(TOTALS)


async def test_what_somebody_removed_is_written_again(world: World, database: Database) -> None:
    """A receipt counts as long as the mirror knows the job: then nothing is paid for, and all is there again."""
    session = await world.open()
    await mirror(session, database, syntage_plan(world))
    held, paid = database.rows("SELECT count(*) FROM fiscal.syntage_invoices"), len(world.sent("POST"))
    os.unlink(database.spec.removeprefix("duckdb:"))

    await mirror(session, database, syntage_plan(world))

    assert held == database.rows("SELECT count(*) FROM fiscal.syntage_invoices")
    assert paid == len(world.sent("POST"))


@both_databases
async def test_two_mirrors_of_one_place_do_not_mix(database: Database) -> None:
    """They load one after the other: what goes through the staging schema is never another's."""
    async with MirrorSink(database.spec, VENDORS) as one, MirrorSink(database.spec, VENDORS) as other:
        await asyncio.gather(
            *(write(one, invoice(1), invoice(number), part=key(f"a{number}")) for number in (2, 3, 4)),
            *(write(other, invoice(1), invoice(number), part=key(f"b{number}")) for number in (5, 6, 7)),
        )

    assert [(f"i{number}", Decimal(number)) for number in range(1, 8)] == database.rows(TOTALS)


async def test_one_record_of_two_jobs_is_one(database: Database) -> None:
    """What was read last counts; also where both are loaded at once."""
    async with MirrorSink(database.spec, VENDORS) as sink:
        await asyncio.gather(
            write(sink, invoice(1), invoice(2), part=key("j1")), write(sink, invoice(1), invoice(3), part=key("j2"))
        )
        await write(sink, invoice(1, status="Cancelado"), part=key("j3"))

    assert [("i1", Decimal(1)), ("i2", Decimal(2)), ("i3", Decimal(3))] == database.rows(TOTALS)
    one = "SELECT status, _dlt_valid_to IS NULL FROM fiscal.belvo_invoices WHERE record_id = ? ORDER BY _dlt_valid_from"
    assert [(None, False), ("Cancelado", True)] == database.rows(one, "i1")


async def test_a_file_that_another_program_has_open_is_told(
    database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """After some patience, in a sentence that says what to do."""
    monkeypatch.setattr(files, "_PATIENCE_SECONDS", 0.1)
    path = Path(database.spec.removeprefix("duckdb:"))
    async with MirrorSink(database.spec, VENDORS) as sink:
        await write(sink, invoice(1))
        program = f"import duckdb\nc = duckdb.connect({str(path)!r})\nprint('open', flush=True)\ninput()"
        other = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            program,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert other.stdout is not None
        assert b"open\n" == await other.stdout.readline()
        with pytest.raises(SinkError, match="is open in another program: close it there"):
            await write(sink, invoice(2), part=key("j2"))
        other.kill()
        await other.wait()
        await write(sink, invoice(2), part=key("j2"))

    assert 2 == len(database.rows(TOTALS))


def test_a_version_is_what_a_record_says() -> None:
    """Not when it was read, nor how its type has grown; whose it is counts."""
    read_at = frozenset({"collected_at"})
    line = belvo.InvoiceDetail(description="x", collected_at=NOW)
    one = invoice(1, collected_at=NOW, invoice_details=(line,))
    again = msgspec.structs.replace(
        one, collected_at=None, invoice_details=(msgspec.structs.replace(line, collected_at=None),)
    )
    other = msgspec.structs.replace(one, invoice_details=(msgspec.structs.replace(line, description="y"),))

    versions = versions_of(belvo.Invoice, [one, again, other], LINK, read_at)

    assert versions[0] == versions[1] != versions[2]
    assert versions[0] != versions_of(belvo.Invoice, [one], "another", read_at)[0]


class Grown(msgspec.Struct, frozen=True, kw_only=True):
    """A record type that has learned two fields."""

    id: str | None = None
    lines: tuple[belvo.InvoiceDetail, ...] = ()
    note: str | None = None


class Bare(msgspec.Struct, frozen=True, kw_only=True):
    """The same, before."""

    id: str | None = None


def test_a_type_that_learns_a_field_makes_no_new_versions() -> None:
    """Else an update of the library would end every version there is."""
    before = versions_of(Bare, [Bare(id="a")], LINK, frozenset())

    assert before == versions_of(Grown, [Grown(id="a")], LINK, frozenset())
    assert before != versions_of(Grown, [Grown(id="a", note="x")], LINK, frozenset())


def test_what_a_killed_run_left_is_cleared_away(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And nothing of a run that lives."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    living = Workroom()
    dead = tmp_path / "belvo-async-mirror-dead"
    dead.mkdir()
    (dead / "lock").touch()

    next_one = Workroom()

    assert {living.path, next_one.path} == set(tmp_path.iterdir())
    assert 0o700 == next_one.path.stat().st_mode & 0o777
    living.close()
    next_one.close()
    assert [] == list(tmp_path.iterdir())


@pytest.mark.proof
def test_duckdb_can_be_read_while_a_mirror_is_open(tmp_path: Path) -> None:
    """Its file is held only for the time of a load."""

    async def read_in_between() -> list[Any]:
        async with MirrorSink(f"duckdb:{tmp_path / 'sat.duckdb'}", VENDORS) as sink:
            await write(sink, invoice(1))
            with duckdb.connect(str(tmp_path / "sat.duckdb")) as reader:
                return reader.execute("SELECT count(*) FROM fiscal.belvo_invoices").fetchall()

    assert [(1,)] == asyncio.run(read_in_between())


def test_what_dlt_asks_for_is_imported_whole_before_it_asks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A thread that is half through importing pandas must not make a load fail."""
    begun, may_go_on, found = threading.Event(), threading.Event(), list[bool]()
    text = "import gates\ngates.begun.set()\ngates.may_go_on.wait()\nclass DataFrame: pass\n"
    (tmp_path / "slow_frames.py").write_text(text)
    gates = ModuleType("gates")
    gates.__dict__.update(begun=begun, may_go_on=may_go_on)
    monkeypatch.setitem(sys.modules, "gates", gates)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(installed, "ASKED", ("slow_frames", "not_there"))
    installed.import_whole.cache_clear()

    def load() -> None:
        installed.load("json")
        found.append(hasattr(sys.modules["slow_frames"], "DataFrame"))

    threads = [threading.Thread(target=each) for each in (lambda: importlib.import_module("slow_frames"), load)]
    threads[0].start()
    begun.wait()
    threads[1].start()
    may_go_on.set()
    for each in threads:
        each.join()

    assert [True] == found
    installed.import_whole.cache_clear()
