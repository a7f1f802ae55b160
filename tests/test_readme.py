"""README and pages say what the code does: their tables are printed from the code, their programs run."""

from __future__ import annotations

import asyncio
import re
import textwrap
import tomllib
from datetime import UTC, date, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from fastapi import Response

from belvo_async import Belvo, Session, Syntage, errors, syntage
from belvo_async._cli.config.file import read_config
from belvo_async.jobs import STATES, TABLE, Status
from belvo_async.simulator import BelvoSimulator, SyntageSimulator
from tests import virtual_time
from tests.test_house import every_error
from tests.variables import variables_of

ROOT = Path(__file__).parent.parent
README_LINES = 200
SPANISH = "docs/es/inicio-rapido.md"


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


README = page("README.md")


def between(name: str, start: str, end: str) -> str:
    return page(name).split(start, 1)[1].split(end, 1)[0].strip()


def print_status_table() -> str:
    """The table of the core as Markdown: what a job is, down; what was observed, across."""
    lines = ["| job is ↓ seen → | " + " | ".join(Status) + " |", "|---" * (len(Status) + 1) + "|"]
    lines += [f"| **{row}** | " + " | ".join(TABLE[row, column] for column in Status) + " |" for row in Status]
    return "\n".join(lines)


def print_error_tree() -> str:
    lines = (errors.__doc__ or "").splitlines()
    first = next(index for index, line in enumerate(lines) if "BelvoAsyncError" in line)
    last = max(index for index, line in enumerate(lines) if "└──" in line)
    return textwrap.dedent("\n".join(lines[first : last + 1])).strip()


def test_the_status_table_is_the_one_in_the_code() -> None:
    """The diagram cannot drift from the data."""
    assert print_status_table() == between("docs/jobs.md", "<!-- status-table -->", "<!-- /status-table -->")


def test_the_states_are_those_in_the_code() -> None:
    """What lists and boards show beyond the statuses, and of which status each is one."""
    rows = [f"| {state} | {', '.join(of)} | {meaning} |" for state, (of, meaning) in STATES.items()]

    assert ["| state | of status | meaning |", "|---|---|---|", *rows] == between(
        "docs/jobs.md", "<!-- states -->", "<!-- /states -->"
    ).splitlines()


def test_the_error_tree_is_the_one_in_the_code() -> None:
    """Every error a user may meet is on the page, each with what to do."""
    assert (
        print_error_tree()
        == between("docs/errors.md", "<!-- error-tree -->", "<!-- /error-tree -->").strip("`").strip()
    )

    advised = set(
        re.findall(r"\b\w+Error\b", between("docs/errors.md", "## What to do", "## What errors and logs hold"))
    )
    # Nobody meets the root or JobError itself.
    assert every_error() == advised | {"BelvoAsyncError", "JobError"}


def test_the_catalogue_is_named() -> None:
    """Whatever may be fired, listed, called or downloaded stands on its page; of single objects, that they do."""
    accounts = [Belvo("id-0123456789", "password-0123456789"), Syntage("key-0123456789abcdef")]
    kinds = [kind for each in accounts for kind in (*each.tasks.values(), *each.queries, *each.calls, *each.downloads)]
    named = set(re.findall(r"\w+", between("docs/catalogue.md", "Four verbs cover", "```python")))

    assert [] == [kind.__name__ for kind in kinds if kind.__name__ not in named and not kind.__name__.startswith("Get")]


class FollowingClock:
    """Today's clock, going on with the virtual time of the loop: the program's own would stand still in it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._zero = datetime.now(UTC) - timedelta(seconds=self._loop.time())

    def now(self) -> datetime:
        return self._zero + timedelta(seconds=self._loop.time())


@pytest.mark.parametrize("name", ["README.md", SPANISH])
def test_the_first_program_runs_and_prints_what_it_says(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first thing a stranger tries works as it stands."""
    program = re.search(r"<!-- quickstart -->\n```python\n(.*?)```\n\n```\n(.*?)```", page(name), re.DOTALL)
    assert program is not None
    monkeypatch.setattr("asyncio.run", virtual_time.run)
    monkeypatch.setattr("belvo_async._session.session.SystemClock", FollowingClock)

    exec(compile(program.group(1), name, "exec"), {"__name__": "__main__"})

    assert program.group(2).strip() == capsys.readouterr().out.strip()


def program(name: str, marker: str) -> dict[str, Any]:
    """Run a program of a page; what it defined."""
    found = re.search(rf"<!-- {marker} -->\n```python\n(.*?)```", page(name), re.DOTALL)
    assert found is not None
    defined: dict[str, Any] = {}
    exec(compile(found.group(1), name, "exec"), defined)
    return defined


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the environment of a service holds."""
    monkeypatch.setenv("SYNTAGE_API_KEY", "canary-key-1234")
    monkeypatch.setenv("SYNTAGE_WEBHOOK_SECRET", "canary-secret-1234")
    monkeypatch.setenv("SYNTAGE_BASE_URL", "http://127.0.0.1:9")


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("name", ["docs/webhooks.md", SPANISH])
async def test_the_asgi_program_opens_its_session(name: str) -> None:
    """A service written as shown takes deliveries from its start to its end."""
    made = program(name, "asgi")

    before = await made["session"].receive("syntage", {}, b"{}")
    async with made["app"].router.lifespan_context(made["app"]):
        meanwhile = await made["session"].receive("syntage", {}, b"{}")

    # 401: it is open, and asks for the proof.
    assert (503, 401) == (before, meanwhile)


@pytest.mark.usefixtures("keys")
async def test_the_aiohttp_program_opens_its_session() -> None:
    """The same with aiohttp.web."""
    made = program("docs/webhooks.md", "aiohttp")
    runner = web.AppRunner(made["app"])

    await runner.setup()
    meanwhile = await made["session"].receive("syntage", {}, b"{}")
    await runner.cleanup()

    assert 401 == meanwhile


async def test_records_become_json_and_rows_as_shown(
    belvo_async_session: Session, syntage_simulator: SyntageSimulator
) -> None:
    """Each line works, and every amount stays exact; without pandas, its line is left out."""
    pandas = find_spec("pandas")
    lines = re.search(r"<!-- json -->\n```python\n(.*?)```", page("docs/results.md"), re.DOTALL)
    assert lines is not None
    shown = [f"    {line}" for line in lines[1].splitlines() if pandas or "pandas" not in line]
    source = "\n".join(["async def show(job, invoice):", *shown, "    return locals()"])
    period = syntage.Period(from_=date(2025, 1, 1), to=date(2025, 1, 31))
    task = syntage.Extraction(syntage_simulator.entities[0], "invoice", syntage.InvoiceOptions(period=period))
    job = await belvo_async_session.fire(task)
    await job
    invoices = await job.results().to_list()
    names: dict[str, Any] = {"msgspec": msgspec, "Response": Response}

    exec(compile(("import pandas\n" if pandas else "") + source, "docs/results.md", "exec"), names)
    made = await names["show"](job, invoices[0])

    assert str(invoices[0].total) == msgspec.json.decode(made["text"])["total"]
    assert ("application/json", made["text"]) == (made["answer"].media_type, made["answer"].body)
    assert [each.total for each in invoices] == [row["total"] for row in made["rows"]]


@pytest.mark.parametrize(
    ("name", "test"), [("docs/testing.md", "test_my_sync"), (SPANISH, "test_mi_sincronizacion")], ids=["en", "es"]
)
async def test_the_test_program_passes(
    name: str, test: str, belvo_async_session: Session, belvo_simulator: BelvoSimulator
) -> None:
    """What is shown for users' own tests is one, imports included."""
    await program(name, "test")[test](belvo_async_session, belvo_simulator)


async def test_the_spanish_program_with_keys_prints_invoices(
    belvo_simulator: BelvoSimulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As it stands, with the variables that its table names; without a webhook, the end of its job is inferred."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("belvo_async._session.session.SystemClock", FollowingClock)
    for variable, value in variables_of(belvo_simulator).items():
        monkeypatch.setenv(variable, value)

    await program(SPANISH, "belvo")["facturas_recibidas"](belvo_simulator.links[0])

    lines = capsys.readouterr().out.splitlines()
    assert lines
    assert {"2025"} == {line[:4] for line in lines}


def test_the_spanish_plan_can_be_read(tmp_path: Path) -> None:
    """The file of plans is one, with nothing unknown in it."""
    found = re.search(r"<!-- plan -->\n```toml\n(.*?)```", page(SPANISH), re.DOTALL)
    assert found is not None
    (tmp_path / "belvo-async.toml").write_text(found[1], encoding="utf-8")

    config = read_config(tmp_path / "belvo-async.toml")

    assert ["facturas"] == list(config.plans)


def test_the_spanish_page_names_what_is_there() -> None:
    """Errors and variables of its tables are those of the pages that say more."""
    text = page(SPANISH)

    assert set(re.findall(r"`(\w+Error)`", text)) <= every_error()
    variables = set(re.findall(r"`((?:BELVO|SYNTAGE)_[A-Z_]+)`", text))
    assert variables
    assert [] == [name for name in variables if f"`{name}`" not in page("docs/getting-started.md")]


def test_the_test_command_is_the_one_ci_runs() -> None:
    """What the README tells a stranger is what is checked."""
    command = next(line for line in README.splitlines() if line.endswith(".venv/bin/pytest"))

    assert command in page(".ci/run")


def test_the_demo_command_exists() -> None:
    """The one line that shows the whole story names an extra and a command of the package."""
    project = tomllib.loads(page("pyproject.toml"))["project"]
    line = next(line for line in README.splitlines() if line.endswith("demo"))
    found = re.fullmatch(
        r"python3 -m venv \.venv && \.venv/bin/pip install -q '\.\[(\w+)\]' && \.venv/bin/([\w-]+) demo", line
    )

    assert found is not None
    assert found[1] in project["optional-dependencies"]
    assert found[2] in project["scripts"]


def test_the_readme_is_read_in_two_minutes() -> None:
    """What is longer has a page of its own."""
    assert README_LINES >= len(README.splitlines())
