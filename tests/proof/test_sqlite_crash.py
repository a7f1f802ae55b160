"""What an SQLite store acknowledged outlives its process. Any number: `python -m tests.proof.crash --trials 3000`."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.proof

ROOT = Path(__file__).parents[2]
# Flushing many small files of a busy machine takes most of the time; a kill proves as much in memory.
RAM = Path("/dev/shm")


def test_nothing_acknowledged_is_lost_when_processes_are_killed() -> None:
    """Killed before, in and after statements and at random: no loss, no half work, recovery changes nothing twice."""
    directory = ["--directory", str(RAM)] if RAM.is_dir() else []
    command = [sys.executable, "-m", "tests.proof.crash", "--trials", "300", "--seed", "7", *directory]

    # In a process of its own: it forks, and this one has threads.
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)

    assert 0 == done.returncode, done.stdout + done.stderr
    words = done.stdout.splitlines()[-1]
    assert words.endswith("lost=0 broken=0")
    killed, points = (int(number) for number in re.findall(r"(\d+) killed, (\d+) write points", words)[0])
    assert killed > 200
    assert points > 100
