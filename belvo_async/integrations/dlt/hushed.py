"""What dlt logs of a mirror's loads, left out: databases quote in their complaints what stands in rows."""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from .installed import load

_LOGGER: Final = "dlt"


@contextmanager
def hushed() -> Generator[None]:
    """Within this block, leave out what loads of this thread log. SinkError tells of them, by the class of the error.

    What other pipelines of the process log is their owner's.
    """
    logger = load("dlt.common.logger").LOGGER or logging.getLogger(_LOGGER)
    hush = _Hush(threading.get_ident())
    logger.addFilter(hush)
    try:
        yield
    finally:
        logger.removeFilter(hush)


class _Hush(logging.Filter):
    def __init__(self, thread: int) -> None:
        super().__init__()
        self._thread = thread
        # So dlt calls the threads that work for one.
        self._pool = f"dlt-pool-{thread}-"

    def filter(self, record: logging.LogRecord) -> bool:
        return record.thread != self._thread and not (record.threadName or "").startswith(self._pool)
