"""Warnings that strangers can cause by the thousand: told at once, then counted."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

_log = logging.getLogger("belvo_async.webhooks")

# Whoever watches a log sees within a minute that something goes on, and a flood leaves no more than 1,440 lines a day.
SUMMARY_EVERY: Final = timedelta(minutes=1)


class Summary:
    """Logs the first warning of a kind as it is, and then once a minute how many more came, with the last one's facts.

    A kind that stayed away for a minute is told at once again. Used on one event loop; `close` tells what is left, and
    what comes after it is not told.
    """

    def __init__(self) -> None:
        self._kinds: dict[str, _Warned] = {}
        self._is_closed = False

    def warn(self, kind: str, message: str, facts: Mapping[str, object], *, why: str | None = None) -> None:
        """Tell something and why, or count it. Kinds are few: nothing a stranger chooses."""
        if self._is_closed:
            return
        known = self._kinds.get(kind)
        if known is not None:
            known.count += 1
            known.message, known.facts, known.why = message, facts, why
            return
        new = self._kinds[kind] = _Warned(message, facts, why, self._later(kind))
        new.tell()

    def close(self) -> None:
        """Tell what was counted and not told yet."""
        self._is_closed = True
        kinds, self._kinds = self._kinds, {}
        for known in kinds.values():
            known.timer.cancel()
            known.tell_more()

    def _later(self, kind: str) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(SUMMARY_EVERY.total_seconds(), self._ring, kind)

    def _ring(self, kind: str) -> None:
        known = self._kinds.pop(kind)
        if known.count:
            known.tell_more()
            self._kinds[kind] = _Warned(known.message, known.facts, known.why, self._later(kind))


@dataclass
class _Warned:
    """What was told of late, and how often it happened since."""

    message: str
    facts: Mapping[str, object]
    why: str | None
    timer: asyncio.TimerHandle
    count: int = 0

    def tell(self) -> None:
        _log.warning(self._words, extra=dict(self.facts))

    def tell_more(self) -> None:
        if self.count:
            facts = {**self.facts, "count": self.count}
            _log.warning("%s (%d more in the last minute)", self._words, self.count, extra=facts)

    @property
    def _words(self) -> str:
        return self.message if self.why is None else f"{self.message}: {self.why}"
