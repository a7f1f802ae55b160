"""`belvo-async estimate`, `extract`, `coverage` and `verify` against the simulators, in virtual time."""

from __future__ import annotations

import asyncio
import io
import json
from collections import Counter
from pathlib import Path

import pytest

from belvo_async import BelvoAsyncError
from belvo_async._cli import main
from belvo_async.simulator.wire import JsonObject
from tests.cli.asked import Shell
from tests.session.world import World, world

__all__ = ["world"]

FILE = """\
into = "ndjson:{folder}/sat"

[prices]
currency = "MXN"
syntage = {{ low = 10, high = 23 }}

[plans.invoices]
vendor = "syntage"
resource = "invoice"
subjects = "all"
from = 2024
to = "2025-12"
certificate = "{folder}/{{plan}}.json"
"""


@pytest.fixture
def shell(world: World, tmp_path: Path) -> Shell:
    return Shell(world, tmp_path)


def rows_in(folder: Path) -> Counter[str]:
    """The rows of all parts, by their folio."""
    lines = (line for part in folder.rglob("subject=*/*.ndjson") for line in part.read_text().splitlines())
    return Counter(json.loads(line)["uuid"] for line in lines)


def held(world: World) -> Counter[str]:
    period: JsonObject = {"period": {"from": "2024-01-01", "to": "2025-12-31"}}
    return Counter(
        str(row["uuid"]).lower() for entity in world.syntage.entities for row in world.syntage.invoices(entity, period)
    )


async def test_from_a_file_to_a_certificate(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """Estimated, extracted, covered, verified; and given again, the same command sends nothing."""
    config = str(shell.write("belvo-async.toml", FILE.format(folder=shell.folder)))
    world, sat = shell.world, shell.folder / "sat"
    count = len(world.syntage.entities)

    assert 0 == await shell.type("estimate", "--config", config, "--format", "json")
    needs = json.loads(capsys.readouterr().out)
    assert (count, count, 0) == (needs["requests"], needs["to_fire"], needs["reused"])
    assert {"low": str(10 * count), "high": str(23 * count)} == needs["price"]
    assert [] == world.sent("POST")

    assert 3 == await shell.type("coverage", "--config", config)
    assert "never asked" in capsys.readouterr().out

    assert 0 == await shell.type("extract", "--config", config)
    assert "invoices: whole: " in capsys.readouterr().out
    assert held(world) == rows_in(sat)
    assert count == len(world.sent("POST", "/extractions"))

    assert 0 == await shell.type("coverage", "--config", config)
    capsys.readouterr()
    assert 0 == main(["verify", str(shell.folder / "invoices.json"), str(sat)])
    assert capsys.readouterr().out.startswith(f"fits: {sum(held(world).values()):,} rows in {count} parts")

    sent = len(world.sent("POST"))
    assert 0 == await shell.type("extract", "--config", config)
    assert sent == len(world.sent("POST"))
    assert "0 requests sent" in capsys.readouterr().out


ONE_YEAR = ("--vendor", "syntage", "--resource", "invoice", "--from", "2025", "--to", "2025")


def typed(shell: Shell, command: str, *more: str, entity: int = 0) -> tuple[str, ...]:
    """A plan of arguments: a year of one entity."""
    into = ("--into", f"ndjson:{shell.folder / 'sat'}") if command in ("extract", "sync") else ()
    return (command, *ONE_YEAR, "--subject", shell.world.syntage.entities[entity], *into, *more)


async def test_what_passes_only_later_ends_with_3(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """With --no-wait it says from when on to come again; then the same command makes it whole."""
    shell.world.syntage.next_job(outcome="failed", error_code="login_failed")

    assert 3 == await shell.type(*typed(shell, "extract", "--no-wait"))
    said = capsys.readouterr().out
    assert "not whole: 0 of 730 days proven" in said
    assert "1 request may be sent only later: give the same command again from 2026-06-01" in said
    assert 3 == await shell.type(*typed(shell, "coverage"))
    assert "login_failed" in capsys.readouterr().out

    assert 0 == await shell.type(*typed(shell, "extract"))
    assert "nothing may be asked before" in shell.log


async def test_what_a_person_decides_ends_with_4(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """It names the codes and what to type; --retry asks again."""
    shell.world.syntage.next_job(outcome="failed", error_code="invalid_credentials")

    assert 4 == await shell.type(*typed(shell, "extract"))
    assert "1 subject for a person to decide: invalid_credentials" in capsys.readouterr().out
    assert "failed: invalid_credentials" in shell.log
    assert 4 == await shell.type(*typed(shell, "coverage"))

    assert 0 == await shell.type(*typed(shell, "extract", "--retry"))


async def test_a_cap_ends_with_5(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """Before the request that would pass it; the estimate tells it before."""
    prices = str(shell.write("prices.toml", "syntage = 10"))
    cap = ("--prices", prices, "--max-cost", "9.99")

    assert 5 == await shell.type(*typed(shell, "estimate", *cap))
    assert "may cost more than 9.99 MXN" in capsys.readouterr().out
    assert 5 == await shell.type(*typed(shell, "extract", *cap))
    assert "the cap is reached" in capsys.readouterr().out

    assert [] == shell.world.sent("POST")


async def test_what_breaks_off_ends_with_1(shell: Shell) -> None:
    """A key that the vendor refuses: told in a line, and the other plans go on."""
    file = FILE.format(folder=shell.folder) + PLAN_OF_BELVO.format(link=shell.world.belvo.links[0])
    config = str(shell.write("belvo-async.toml", file.replace('subjects = "all"', f'subjects = ["{ENTITY}"]')))

    assert 1 == await shell.type("extract", "--config", config, SYNTAGE_API_KEY="wrong-key-1234567890")

    assert "invoices: broke off: " in shell.log
    assert "statements: " in shell.log


ENTITY = "c81a1dea-6dd6-4806-af9b-3fe4a9d9e8e1"
PLAN_OF_BELVO = """
[plans.statements]
vendor = "belvo"
resource = "financial_statements"
subjects = ["{link}"]
"""


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        pytest.param(("--resource", "invoice"), "a plan needs both --vendor and --resource", id="no vendor"),
        pytest.param(("--vendor", "belvo", "--resource", "x"), "of whom? name links or entities", id="nobody"),
        pytest.param((), "what for? name a plan by --vendor", id="nothing"),
        pytest.param((*ONE_YEAR[:6], "--subject", ENTITY), "both its ends, --from and --to", id="one end"),
        pytest.param((*ONE_YEAR[:4], "--subject", ENTITY), "invoice has days: name first and last", id="no days"),
        pytest.param((*ONE_YEAR[:6], "--to", "2099", "--subject", ENTITY), "lies in the future", id="future"),
        pytest.param((*ONE_YEAR, "--subject", "x y"), "subjects: entity must be", id="no subject"),
        pytest.param((*ONE_YEAR, "--subject", ENTITY, "--subjects", "all"), "leave the others out", id="all and one"),
        pytest.param((*ONE_YEAR, "--subject", ENTITY, "--option", "docx"), "options must be some of xml", id="option"),
        pytest.param(("--vendor", "acme", "--resource", "x", "--subject", "y"), "no vendor is called", id="vendor"),
        pytest.param((*ONE_YEAR, "--subject", ENTITY, "--store", "memory:"), "would be paid for again", id="memory"),
        pytest.param((*ONE_YEAR, "--subject", ENTITY, "--into", "word:x"), "no sink is called 'word'", id="sink"),
        pytest.param((*ONE_YEAR, "--subject", ENTITY, "--plan", "a"), "--plan names a plan of the file", id="both"),
        pytest.param((*ONE_YEAR, "--subject", ENTITY, "--max-cost", "5"), "--max-cost needs a price", id="no price"),
    ],
)
async def test_what_does_not_fit_is_told_before_anything_is_sent(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, argv: tuple[str, ...], words: str
) -> None:
    """In one sentence, about what was typed."""
    monkeypatch.chdir(shell.folder)
    into = () if "--into" in argv else ("--into", "ndjson:sat")

    with pytest.raises(BelvoAsyncError) as caught:
        await shell.type("extract", *argv, *into)

    assert words in str(caught.value)
    assert [] == shell.world.sent()


@pytest.mark.parametrize("text", ["30d", "30/01/2026", "2025-13"])
def test_what_is_no_day_is_a_wrong_argument(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As any other: told by 2, with what a day looks like."""
    with pytest.raises(SystemExit) as left:
        main(["extract", *ONE_YEAR[:4], "--from", text])

    assert 2 == left.value.code
    assert "argument --from: must be a date (2021-03-31), a month" in capsys.readouterr().err


async def test_overlapping_plans_are_refused(shell: Shell) -> None:
    """Two that want the same day of the same subject, by their names."""
    same = f'vendor = "syntage"\nresource = "invoice"\nsubjects = ["{ENTITY}"]\nto = 2025\n'
    file = f"[plans.old]\n{same}from = 2021\n[plans.new]\n{same}from = 2025\n"
    config = str(shell.write("x.toml", file))

    with pytest.raises(BelvoAsyncError, match=r"plans old and new overlap.*: shorten one"):
        await shell.type("extract", "--config", config, "--into", f"ndjson:{shell.folder / 'sat'}")

    assert 3 == await shell.type("coverage", "--config", config, "--plan", "new")
    with pytest.raises(BelvoAsyncError, match=r"x\.toml has no plan 'newer': it has old, new"):
        await shell.type("coverage", "--config", config, "--plan", "newer")
    with pytest.raises(BelvoAsyncError, match="--max-cost is of one plan"):
        await shell.type("extract", "--config", config, "--max-cost", "5")


async def test_only_the_keys_of_the_chosen_vendors_are_needed(shell: Shell) -> None:
    """Who has no account of Belvo runs plans of Syntage."""
    assert 0 == await shell.type(*typed(shell, "estimate"), BELVO_SECRET_ID="", BELVO_SECRET_PASSWORD="")
    with pytest.raises(BelvoAsyncError, match="syntage needs the environment variable SYNTAGE_API_KEY"):
        await shell.type(*typed(shell, "estimate"), SYNTAGE_API_KEY="")


async def test_subjects_come_by_standard_input(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As `entities --format ids` prints them."""
    assert 0 == await shell.type("entities", "--format", "ids")
    printed = capsys.readouterr().out
    monkeypatch.setattr("sys.stdin", io.StringIO(f"# ours\n{printed}"))

    assert 0 == await shell.type("estimate", *ONE_YEAR, "--subjects", "-", "--format", "json")

    assert len(shell.world.syntage.entities) == json.loads(capsys.readouterr().out)["subjects"]


async def test_estimate_says_why_it_has_no_price(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """No list was given, or the one that was does not name the resource."""
    (shell.folder / "prices.toml").write_text("belvo = 1.50\n")

    assert 0 == await shell.type(*typed(shell, "estimate"))
    without = capsys.readouterr().out
    assert 0 == await shell.type(*typed(shell, "estimate", "--prices", str(shell.folder / "prices.toml")))

    assert "no price: there is no price list (--prices FILE)" in without
    assert "no price: the price list does not name syntage.invoice" in capsys.readouterr().out


async def test_a_single_file_is_merged_in_the_end(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """Beside the parts; the certificate fits it too."""
    certificate = shell.folder / "c.json"

    assert 0 == await shell.type(*typed(shell, "extract", "--single", "--certificate", str(certificate)))

    merged = shell.folder / "sat" / "syntage-invoice.ndjson"
    assert f"merged into {merged}" in capsys.readouterr().out
    assert 0 == main(["verify", str(certificate), str(merged)])
    part = next((shell.folder / "sat").rglob("subject=*/*.ndjson"))
    part.write_text(part.read_text().replace("2025", "2024", 1))
    assert 1 == main(["verify", str(certificate), str(shell.folder / "sat")])
    assert "does not fit: " in capsys.readouterr().out
    assert 1 == main(["verify", str(shell.folder / "none.json"), str(merged)])
    assert "none.json cannot be read" in capsys.readouterr().err
    assert 1 == main(["verify", str(merged), str(merged)])
    assert "syntage-invoice.ndjson is no certificate" in capsys.readouterr().err
    assert 1 == main(["verify", str(certificate), str(certificate), str(merged)])
    assert "verify one certificate at a time" in capsys.readouterr().err


async def test_documents_are_saved_beside_the_rows(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    """Those of --files, or of the plan; what could not be saved is said."""
    forms = ("--option", "xml", "--option", "pdf", "--files", "xml,pdf")

    assert 0 == await shell.type(*typed(shell, "extract", *forms))

    saved = Counter(each.suffix for each in (shell.folder / "sat").rglob("files/*"))
    assert {".xml", ".pdf"} == set(saved)
    assert "could not be saved" not in capsys.readouterr().out
    with pytest.raises(BelvoAsyncError, match="files must be some of"):
        await shell.type(*typed(shell, "extract", "--files", "docx"))


@pytest.mark.proof
async def test_documents_of_a_plan_in_the_file(shell: Shell) -> None:
    """By its key `files`."""
    text = FILE.format(folder=shell.folder) + 'options = ["xml"]\nfiles = ["xml"]\n'
    config = str(shell.write("belvo-async.toml", text))

    assert 0 == await shell.type("extract", "--config", config)

    assert {".xml"} == {each.suffix for each in (shell.folder / "sat").rglob("files/*")}


async def test_sync_asks_again_for_what_may_still_change(shell: Shell) -> None:
    """Up to yesterday; the last days after a day, old ones never."""
    sync = [each for each in typed(shell, "sync") if each not in ("--to",)]
    del sync[sync.index("2025") + 1]

    assert 0 == await shell.type(*sync)
    assert 0 == await shell.type(*sync)
    assert 1 == len(shell.world.sent("POST", "/extractions"))

    await asyncio.sleep(2 * 86400)
    assert 0 == await shell.type(*sync)

    asked = [json.loads(each.body)["options"]["period"] for each in shell.world.sent("POST", "/extractions")]
    assert [("2025-01-01", "2026-05-31"), ("2026-05-31", "2026-06-02")] == [
        (each["from"][:10], each["to"][:10]) for each in asked
    ]


async def test_belvo_is_heard_by_whoever_receives_its_webhooks(
    shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    """By `serve`, say, on the same store; without it an end is inferred, and proves nothing."""
    world, link = shell.world, shell.world.belvo.links[0]
    plan = ("--vendor", "belvo", "--resource", "invoices", "--subject", link, "--from", "2025", "--to", "2025")
    into = ("--into", f"ndjson:{shell.folder / 'sat'}")

    assert 4 == await shell.type("extract", *plan, *into, "--direction", "issued", "--deadline", "2d")
    assert "inferred: no webhook told the end" in capsys.readouterr().out

    await world.open(world.belvo_vendor(), store=shell.store, sweep=False)
    assert 0 == await shell.type("extract", *plan, *into, "--direction", "received")


async def test_a_log_has_a_line_now_and_then(shell: Shell) -> None:
    """How it stands, at most each half minute; what happened besides, at once."""
    assert 0 == await shell.type(*typed(shell, "extract", "--tag", "tenant=acme"))

    first, *middle, last = shell.log.splitlines()
    assert first.startswith("plan: 1 request to send, 0 of 1 known, about 20 min, at worst 1 h 00 min")
    assert middle
    assert last.startswith("plan: 1/1 done, 0 open, ")


async def test_an_end_by_signal_leaves_all_in_order(shell: Shell) -> None:
    """Cancelled as a signal does: the job goes on, and the same command pays for nothing again."""
    running = asyncio.create_task(shell.type(*typed(shell, "extract")))
    await shell.world.until(lambda: shell.world.sent("POST", "/extractions"))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert 0 == await shell.type(*typed(shell, "extract"))
    assert 1 == len(shell.world.sent("POST", "/extractions"))
