"""The examples as programs: what keeps them from beginning is one sentence, and never a traceback."""

from __future__ import annotations

import getpass
import os
import runpy
import sys
from pathlib import Path

import pytest

from examples import onboarding

EXAMPLES = Path(__file__).parents[2] / "examples"
ENTITY = "/entities/91106968-1abd-4d64-85c1-4e73d96fb997"


@pytest.mark.parametrize(
    ("name", "words", "code"),
    [
        ("arco_deletion", ["--vendor", "syntage", ENTITY], 1),
        ("bulk_extract", ["invoices.ndjson", "2025"], 1),
        ("credit_prequalification", [ENTITY], 3),
        ("onboarding", ["ZZT190415QA7", "Zapateria", "--since", "2025-01-01"], 1),
        ("worker", ["records"], 1),
    ],
)
def test_missing_keys_are_told_in_a_sentence(
    name: str,
    words: list[str],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """Whoever forgot a variable reads which one it is; the exit code is not that of a result."""
    monkeypatch.chdir(tmp_path)
    for variable in [each for each in os.environ if each.startswith(("BELVO_", "SYNTAGE_"))]:
        monkeypatch.delenv(variable)
    monkeypatch.setattr(getpass, "getpass", lambda _: "an invented CIEC")
    monkeypatch.setattr(sys, "argv", [name, *words])

    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")

    assert code == ended.value.code
    assert "no vendor is configured: set BELVO_SECRET_ID" in capsys.readouterr().err


def test_period_that_ends_before_it_begins_takes_nobody_on(capsys: pytest.CaptureFixture[str]) -> None:
    """It is a wrong argument: found out later, entity and credential would stand at Syntage already."""
    words = ["ZZT190415QA7", "Zapateria", "--since", "2025-02-01", "--until", "2025-01-31"]

    with pytest.raises(SystemExit) as ended:
        onboarding.read_arguments(words)

    assert 2 == ended.value.code
    assert "--since lies after --until" in capsys.readouterr().err
