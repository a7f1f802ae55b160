"""`belvo-async mirror` against the simulators, in virtual time."""

from __future__ import annotations

import re
import socket
import sys
from pathlib import Path

import pytest

from belvo_async import ConfigurationError
from belvo_async._cli.arguments import make_parser
from tests.cli.asked import Shell
from tests.integrations.kit import Database, both_databases, contents, tables_of
from tests.session.world import World
from tests.stores.postgres.server import URL

FILE = """\
[prices]
currency = "MXN"
syntage = {{ low = 10, high = 23 }}
belvo = 1.5

[plans.issued]
vendor = "syntage"
resource = "invoice"
subjects = "all"
from = 2025
to = 2025

[plans.links]
vendor = "belvo"
resource = "invoices"
subjects = ["{link}"]
from = 2025
to = 2025
"""


@pytest.fixture
def shell(world: World, tmp_path: Path) -> Shell:
    return Shell(world, tmp_path)


def one_year(shell: Shell) -> tuple[str, ...]:
    """A plan of arguments: a year of one entity."""
    plan = ("--vendor", "syntage", "--resource", "invoice", "--from", "2025", "--to", "2025")
    return (*plan, "--subject", shell.world.syntage.entities[0])


@both_databases
async def test_from_a_file_to_a_database(
    shell: Shell, world: World, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    """Plans of both vendors, lists beside them, views; and given again, the same command changes and pays nothing."""
    config = str(shell.write("plans.toml", FILE.format(link=world.belvo.links[0])))

    code = await shell.type("mirror", database.spec, "--config", config, "--plan", "issued")

    said = capsys.readouterr().out
    assert (0, True) == (code, "issued: whole: " in said), said
    assert "lists: 3 rows in syntage_entities" in said
    assert "views: current_invoices, " in said
    assert "69.00 MXN" in shell.log
    count = sum(len(world.syntage.invoices(each, YEAR)) for each in world.syntage.entities)
    assert [(count,)] == database.rows("SELECT count(*) FROM fiscal.syntage_invoices")
    assert [(3,)] == database.rows("SELECT count(*) FROM fiscal.syntage_entities")
    before, paid = contents(database, tables_of(database)), len(world.sent("POST"))

    assert 0 == await shell.type("mirror", database.spec, "--config", config, "--plan", "issued")

    said = capsys.readouterr().out
    assert "0 requests sent, 0 rows in 0 parts" in said
    assert paid == len(world.sent("POST"))
    assert before == contents(database, tables_of(database))


YEAR = {"period": {"from": "2025-01-01", "to": "2025-12-31"}}


async def test_only_the_named_lists_are_read(shell: Shell, database: Database) -> None:
    """Or none; what plans bring comes in any case."""
    assert 0 == await shell.type("mirror", database.spec, *one_year(shell), "--no-lists")
    without = tables_of(database)

    assert 0 == await shell.type("mirror", database.spec, *one_year(shell), "--lists", "tags", "syntage.entities")

    assert "syntage_invoices" in without
    assert {"mirror_lists", "syntage_entities", "syntage_entities__tags", "syntage_tags"} == set(
        tables_of(database)
    ) - set(without)


async def test_the_cap_ends_with_5(shell: Shell, database: Database) -> None:
    """As of `extract`: no request is sent by which the plan would cost more."""
    prices = str(shell.write("prices.toml", "syntage = 10\n"))

    code = await shell.type(
        "mirror", database.spec, *one_year(shell), "--no-lists", "--prices", prices, "--max-cost", "5"
    )

    assert 5 == code
    assert [] == shell.world.sent("POST")


async def test_a_list_that_is_refused_ends_with_3(
    shell: Shell, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is named; the same command asks again."""
    shell.world.syntage.next_answer("forbidden", method="GET", path="/tags")

    assert 3 == await shell.type("mirror", database.spec, *one_year(shell), "--lists", "tags")
    assert "1 list not given: syntage_tags (1); the same command asks again" in capsys.readouterr().out

    assert 0 == await shell.type("mirror", database.spec, *one_year(shell), "--lists", "tags")


def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@pytest.mark.parametrize(
    ("destination", "says"),
    [
        pytest.param("nothing", "`duckdb:FILE` or `postgresql://HOST/DATABASE`", id="no place"),
        pytest.param("mysql://u:hunter2@h/d", "`duckdb:FILE` or `postgresql://HOST/DATABASE`", id="unknown kind"),
        pytest.param("duckdb:", "`duckdb:FILE` or", id="no file"),
        pytest.param("duckdb:{folder}", "is a directory", id="a directory"),
        pytest.param("duckdb:{folder}/text/sat.duckdb", "cannot write to", id="below a file"),
        pytest.param("duckdb:{folder}/text", "cannot open", id="another kind of file"),
        pytest.param("duckdb:{folder}/fiscal.duckdb", "name the file otherwise", id="named like its schema"),
        pytest.param("duckdb:{folder}/x.duckdb?schema=A%20b", "small letters", id="odd schema"),
        pytest.param("postgresql://u:hunter2@127.0.0.1:{port}/d", "Connection refused", id="refused connection"),
        pytest.param("postgresql://u:hunter2@[/d", "that is no URL of PostgreSQL", id="no URL"),
        pytest.param(f"{URL}_that_is_not_there", "does not exist", id="no database"),
    ],
)
async def test_a_place_that_cannot_be_is_told_before_anything_is_sent(
    shell: Shell, destination: str, says: str
) -> None:
    """In one sentence that says what to do, and never the password."""
    (shell.folder / "text").write_text("a text\n" * 999)

    with pytest.raises(ConfigurationError, match=re.escape(says)) as raised:
        await shell.type("mirror", destination.format(folder=shell.folder, port=closed_port()), *one_year(shell))

    assert "hunter2" not in str(raised.value)
    assert [] == shell.world.sent()


async def test_without_the_extra_a_sentence_says_what_to_install(
    shell: Shell, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is sent."""
    monkeypatch.setitem(sys.modules, "dlt.destinations", None)

    with pytest.raises(ConfigurationError, match=r"pip install 'belvo-async\[dlt\]'"):
        await shell.type("mirror", database.spec, *one_year(shell))

    assert [] == shell.world.sent()


def test_sync_asks_for_what_may_still_change() -> None:
    """With `--sync` the freshness is that of `sync`, otherwise any answer counts for ever."""
    plain = make_parser().parse_args(["mirror", "duckdb:x"])
    live = make_parser().parse_args(["mirror", "duckdb:x", "--sync", "--live-days", "7"])

    assert (0, 7) == (plain.freshness(plain).live_days, live.freshness(live).live_days)
    assert (False, True) == (plain.is_live, live.is_live)
