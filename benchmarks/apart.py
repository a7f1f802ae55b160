"""Other processes a benchmark needs: servers and load generators on a core of their own, measurements in fresh ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


@contextmanager
def serving(script: str, *arguments: str) -> Iterator[str]:
    """Run a script of this folder as a server; gives the line it prints once it listens, its address."""
    command = [sys.executable, str(HERE / script), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield _first_line(process.stdout.readline())
        finally:
            process.terminate()


def _first_line(line: str) -> str:
    if not line:
        raise RuntimeError("a server of the benchmark did not start")
    return line.strip()


def processor_seconds(process: int) -> float:
    """What a process has had of the processors so far; where the system does not tell, what the clock shows."""
    try:
        facts = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return time.perf_counter()
    return (int(facts[11]) + int(facts[12])) / os.sysconf("SC_CLK_TCK")


def ask(script: str, *arguments: str) -> Any:
    """Run a script of this folder to its end in a fresh process; gives the last line it prints, read as JSON."""
    command = [sys.executable, str(HERE / script), *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])
