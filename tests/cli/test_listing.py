"""`belvo-async jobs list` and `jobs stuck`: of whom, for which days, since when; filtered by tags; an exit code."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from belvo_async import belvo, syntage
from belvo_async._cli import main
from belvo_async.jobs import PROOF, Job, Status
from belvo_async.stores import open_store
from tests.cli.test_jobs import AT, NO_DAYS, TASK, a_job, fill, listed
from tests.stores.samples import proving

RFC = "PEPJ800101AB1"
EXTRACTION = syntage.Extraction(
    entity=f"/taxpayers/{RFC}",
    extractor="invoice",
    options=syntage.InvoiceOptions(period=syntage.Period(from_=date(2024, 12, 1), to=date(2025, 2, 28))),
)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:{tmp_path / 'jobs.db'}"


def young(job_id: str, **ago: float) -> Job:
    return a_job(job_id, status=Status.PENDING, created_at=datetime.now(UTC) - timedelta(**ago))


def an_id(number: int) -> str:
    return f"8b1aca82{number:024x}"


def test_the_table_says_whose_and_which_days(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Ids by what tells them apart, no taxpayer's own id, and nothing wider than a screen."""
    usual: dict[str, Any] = {"account": "https://api.belvo.com#0123456789ab", "next_poll": AT}
    months = belvo.Invoices(link=TASK.link, date_from=date(2024, 1, 1), date_to=date(2024, 11, 30), type="INFLOW")
    fill(
        url,
        a_job(an_id(1), status=Status.PENDING, **usual),
        a_job(an_id(2), created_at=AT + timedelta(1), partial=True, retry_at=AT, settled_at=AT, task=months, **usual),
        a_job("theirs", vendor="syntage", task=EXTRACTION, created_at=AT + timedelta(2), account="https://x#acme"),
    )

    assert 0 == main(["jobs", "list", "--all", "--store", url])

    heading, _, *rows = capsys.readouterr().out.splitlines()
    words = "job vendor resource subject direction period state partial age next poll ended account"
    assert words.split() == heading.split()
    assert an_id(1) in rows[0]
    assert "c81a1dea " in rows[0]
    assert " 2025 " in rows[0]
    assert "2024-01-01..2024-11-30" in rows[1]
    assert "more 2026-06-01 12:00Z" in rows[1]
    assert "(taxpayer)" in rows[2]
    assert RFC not in "".join(rows)
    assert ["0123456789ab", "0123456789ab", "acme"] == [row.split()[-1] for row in rows]


def test_jobs_that_differ_in_direction_alone_are_told_apart(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a job that asks for both, the place is empty; an entity is told by its id as a link is."""
    issued = msgspec.structs.replace(TASK, type="OUTFLOW")
    both = msgspec.structs.replace(EXTRACTION, entity="/entities/91106968-1abd-4d64-85c1-4e73d96fb997")
    fill(url, a_job("a", task=TASK), a_job("b", task=issued), a_job("c", vendor="syntage", task=both))

    assert 0 == main(["jobs", "list", "--all", "--store", url])

    rows = [row.split() for row in capsys.readouterr().out.splitlines()[2:]]
    assert [["c81a1dea", "received"], ["c81a1dea", "issued"]] == [row[3:5] for row in rows[:2]]
    assert ["91106968", "2024-12-01..2025-02-28"] == rows[2][3:5]


def test_usual_lines_fit_a_screen(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A hundred and twenty columns, with a tag; a column that is empty everywhere is left out."""
    ids = [f"{number}b1aca82{number:024x}" for number in range(5)]
    usual = {"account": "https://api.belvo.com#0123456789ab", "next_poll": AT, "tags": {"tenant": "acme"}}
    fill(url, *(a_job(each, status=Status.PENDING, **usual) for each in ids))

    assert 0 == main(["jobs", "list", "--store", url])

    heading, _, *rows = capsys.readouterr().out.splitlines()
    assert "partial" not in heading
    assert "ended" not in heading
    assert 120 >= max(map(len, rows))
    assert rows[0].startswith("0b1aca82 ")
    assert rows[0].endswith(" tenant=acme")


def test_json_says_the_same(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Whole ids, and instants for programs; a taxpayer's id in a tag is not told, and a name never."""
    job = a_job("theirs", vendor="syntage", task=EXTRACTION, once=("secret",), tags={"for": RFC.lower(), "n": "1"})
    fill(url, msgspec.structs.replace(job, partial=True, retry_at=AT))

    assert 0 == main(["jobs", "list", "--all", "--format", "json", "--store", url])

    out = capsys.readouterr().out
    facts = msgspec.json.decode(out)
    assert ("/taxpayers/(taxpayer)", "2024-12-01..2025-02-28", "x") == (
        facts["subject"],
        facts["period"],
        facts["account"],
    )
    assert (True, "2026-06-01T12:00:00Z") == (facts["partial"], facts["retry_at"])
    assert {"for": "(taxpayer)", "n": "1"} == facts["tags"]
    assert 0 < facts["age_seconds"]
    assert "secret" not in out
    assert RFC.lower() not in out.lower().replace("(taxpayer)", "")


def test_jobs_are_listed_by_their_tags(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """By all that are given, a value may hold anything."""
    fill(
        url,
        a_job("both", status=Status.PENDING, tags={"tenant": "acme", "batch": "a=b"}),
        a_job("one", created_at=AT + timedelta(1), tags={"tenant": "acme"}),
        a_job("none", created_at=AT + timedelta(2)),
    )

    assert ["both", "one"] == listed(url, capsys, "--all", "--tag", "tenant=acme")
    assert ["both"] == listed(url, capsys, "--all", "--tag", "tenant=acme", "--tag", "batch=a=b")
    assert ["both"] == listed(url, capsys, "--tag", "tenant=acme")
    assert [] == listed(url, capsys, "--all", "--tag", "tenant=")
    with pytest.raises(SystemExit) as wrong:
        main(["jobs", "list", "--store", url, "--tag", "acme"])
    assert 2 == wrong.value.code


def test_stuck_jobs_have_an_exit_code(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """4 when an open job is older, whatever ended; 0 when none is."""
    fill(url, young("old", hours=2), young("young", minutes=10), a_job("ended"))

    assert 4 == main(["jobs", "stuck", "--older", "30m", "--store", url])
    (row,) = capsys.readouterr().out.splitlines()[2:]
    assert ("old", "2h") == (row.split()[0], row.split()[7])
    assert 4 == main(["jobs", "stuck", "--older", "30m", "--store", url, "--format", "json"])
    assert "old" == msgspec.json.decode(capsys.readouterr().out)["job"]
    assert 0 == main(["jobs", "stuck", "--older", "3h", "--store", url])
    assert "no job is stuck\n" == capsys.readouterr().out
    assert 0 == main(["jobs", "stuck", "--older", "3h", "--store", url, "--format", "json"])
    assert "" == capsys.readouterr().out


def test_prune_leaves_names_and_proofs(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What was fired once stays that name's job; of the others stays what they proved."""
    fill(url, proving("named", once=("a",)), proving("proven"), a_job("nothing", task=NO_DAYS))
    prune = ["jobs", "prune", "--before", "1h", "--store", url]

    assert 0 == main([*prune, "--dry-run"])
    assert capsys.readouterr().out.startswith("would forget 2 jobs ")
    assert 0 == main(prune)
    assert capsys.readouterr().out.startswith("forgot 2 jobs ")

    assert ["named"] == listed(url, capsys, "--all")
    assert ["proven"] == asyncio.run(_proofs(url))


async def _proofs(url: str) -> list[str]:
    async with open_store(url) as store:
        return [entry.key async for entry in store.entries(PROOF)]
