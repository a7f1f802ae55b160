"""Whether this process may open anything: without file descriptors, every failure looks like somebody else's."""

from __future__ import annotations

import errno
import os
from typing import Final

EXHAUSTED: Final = "this process has no file descriptors left (too many open files): close some, or raise `ulimit -n`"

# The process's own limit (EMFILE), and the machine's (ENFILE).
_ERRNOS: Final = frozenset({errno.EMFILE, errno.ENFILE})


def lacks_descriptors(error: BaseException) -> bool:
    """Whether an error, or what it stems from, says so: libraries wrap the operating system's."""
    seen: set[int] = set()
    links: list[object] = [error]
    while links:
        link = links.pop()
        if not isinstance(link, BaseException) or id(link) in seen:
            continue
        seen.add(id(link))
        if isinstance(link, OSError) and link.errno in _ERRNOS:
            return True
        links += [link.__cause__, link.__context__, getattr(link, "os_error", None)]
    return False


def are_exhausted() -> bool:
    """Try: resolvers and databases that could not open a file do not say why."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return error.errno in _ERRNOS
    return False
