"""Other processes a benchmark needs: servers and load generators on a core of their own, measurements in fresh ones."""

from __future__ import annotations

import json
import subprocess
import sys
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


def ask(script: str, *arguments: str) -> Any:
    """Run a script of this folder to its end in a fresh process; gives the last line it prints, read as JSON."""
    command = [sys.executable, str(HERE / script), *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])
