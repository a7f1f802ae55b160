"""The folder in which a mirror works: its user's alone, gone in the end, and after a kill with the next run."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

try:
    import fcntl
except ImportError:  # Windows: what a killed run left stays there
    fcntl = None  # type: ignore[assignment]

_PREFIX: Final = "belvo-async-mirror-"
_LOCK: Final = "lock"


class Workroom:
    """A folder of one process: while its file is locked, others know that it lives."""

    def __init__(self) -> None:
        for dead in _left_behind():
            shutil.rmtree(dead, ignore_errors=True)
        # Made by `mkdtemp`: nobody else may look into it.
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._fd = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        _lock(self._fd)
        self.pipelines = self.path / "pipelines"
        self.spools = self.path / "spools"
        self.spools.mkdir()

    def forget_loads(self) -> None:
        """Drop what a load that failed left, lest the next one begin with it."""
        shutil.rmtree(self.pipelines, ignore_errors=True)

    def close(self) -> None:
        """Remove everything. Safe twice."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            shutil.rmtree(self.path, ignore_errors=True)
            os.close(fd)


def _lock(fd: int) -> None:
    if fcntl is not None:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _left_behind() -> Iterator[Path]:
    """The folders whose processes have died. Those of other users cannot even be opened."""
    if fcntl is None:
        return
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):
            fd = os.open(folder / _LOCK, os.O_RDWR)
            try:
                _lock(fd)
                yield folder
            finally:
                os.close(fd)
