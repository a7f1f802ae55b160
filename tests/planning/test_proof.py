"""The laws of planning, over many more histories than the plain run has time for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.planning.kit import MANY

ROOM = Path(__file__).parent


@pytest.mark.proof
@pytest.mark.parametrize(
    ("laws", "examples"), [("test_laws.py", 200), ("test_requests.py", 600), ("test_resumption.py", 200)]
)
def test_laws_hold_for_many(laws: str, examples: int) -> None:
    """In a process of its own: how many there are is settled when the laws are read."""
    command = [sys.executable, "-m", "pytest", "-n", "0", "-q", "-m", "not proof", "-p", "no:cacheprovider", laws]

    done = subprocess.run(
        command, cwd=ROOM, env=os.environ | {MANY: str(examples)}, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout[-5000:]
