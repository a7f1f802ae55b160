"""The library's log, in a file beside the records instead of between the lines of the screen."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

# The fields the library adds to its messages; they hold ids and words, never taxpayer data.
FIELDS: Final = (
    "job",
    "vendor",
    "way",
    "verdict",
    "status",
    "error",
    "request",
    "attempt",
    "account",
    "jobs",
    "remote_id",
)


class Lines(logging.Formatter):
    """Writes a message and the fields that came with it as one line."""

    def format(self, record: logging.LogRecord) -> str:
        fields = [f"{name}={getattr(record, name)}" for name in FIELDS if hasattr(record, name)]
        return " ".join([super().format(record), *fields])


@contextmanager
def log_to(path: Path) -> Generator[None, None, None]:
    """Write what the library and its HTTP client log to a file while this is open, and nothing to the screen."""
    handler = logging.FileHandler(path, mode="w", encoding="utf-8")
    handler.setFormatter(Lines("%(asctime)s %(levelname)s %(message)s"))
    loggers = {logging.getLogger("belvo_async"): logging.DEBUG, logging.getLogger("aiohttp"): logging.WARNING}
    before = [(logger, logger.level, logger.propagate) for logger in loggers]
    for logger, level in loggers.items():
        logger.addHandler(handler)
        logger.setLevel(level)
        logger.propagate = False
    try:
        yield
    finally:
        for logger, level, propagate in before:
            logger.removeHandler(handler)
            logger.setLevel(level)
            logger.propagate = propagate
        handler.close()
