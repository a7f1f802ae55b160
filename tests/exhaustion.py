"""A process that has no file descriptor left, for a moment."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_descriptors() -> Iterator[None]:
    """Take every file descriptor there is; give them back afterwards."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Else it would take thousands, and everything else on the machine could feel it.
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 1024), hard))
    held: list[int] = []
    try:
        try:
            while True:
                held.append(os.open(os.devnull, os.O_RDONLY))
        except OSError:
            yield
    finally:
        for each in held:
            os.close(each)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
