"""Laws, over many more examples than the plain run has time for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import MANY

ROOT = Path(__file__).parents[2]


@pytest.mark.proof
@pytest.mark.parametrize(
    ("laws", "examples"),
    [
        ("planning/test_laws.py", 200),
        ("planning/test_requests.py", 600),
        ("planning/test_resumption.py", 200),
        ("jobs", 300),
        ("sinks/test_round_trips.py", 100),
        ("sinks/test_tally.py", 300),
        ("http/test_urgency.py", 300),
        ("tolerant/test_any_value.py", 300),
        ("stores/test_budgets.py", 300),
        ("page/test_facts.py", 300),
        ("cli/test_config.py", 300),
        ("test_payload.py", 300),
    ],
)
def test_laws_hold_for_many(laws: str, examples: int) -> None:
    """In a process of its own: how many there are is settled when the laws are read."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-n",
        "0",
        "-q",
        "-m",
        "not proof",
        "-p",
        "no:cacheprovider",
        f"tests/{laws}",
    ]

    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {MANY: str(examples)}, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout[-5000:]
