"""The README says what the code does: its tables are printed from the code, its first program runs."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any

import pytest

from belvo_async import errors
from belvo_async.jobs import TABLE, Status
from tests import virtual_time

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def between(start: str, end: str) -> str:
    return README.split(start, 1)[1].split(end, 1)[0].strip()


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
    assert print_status_table() == between("<!-- status-table -->", "<!-- /status-table -->")


def test_the_error_tree_is_the_one_in_the_code() -> None:
    """Every error a user may meet is in the README."""
    assert print_error_tree() == between("<!-- error-tree -->", "<!-- /error-tree -->").strip("`").strip()


def test_the_first_program_runs_and_prints_what_it_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first thing a stranger tries works as it stands."""
    program = re.search(r"<!-- quickstart -->\n```python\n(.*?)```\n\n```\n(.*?)```", README, re.DOTALL)
    assert program is not None
    monkeypatch.setattr("asyncio.run", virtual_time.run)

    exec(compile(program.group(1), "README.md", "exec"), {"__name__": "__main__"})

    assert program.group(2).strip() == capsys.readouterr().out.strip()


def test_the_test_command_is_the_one_ci_runs() -> None:
    """What the README tells a stranger is what is checked."""
    command = next(line for line in README.splitlines() if line.endswith(".venv/bin/pytest"))

    assert command in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_every_public_name_of_the_readme_exists() -> None:
    """Names in the README's tables and programs can be imported."""
    import belvo_async

    names: set[Any] = set(re.findall(r"\b(?:belvo|syntage)\.([A-Z]\w+)", README))

    assert set() == {
        name for name in names if not hasattr(belvo_async.belvo, name) and not hasattr(belvo_async.syntage, name)
    }
