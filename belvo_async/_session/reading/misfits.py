"""Telling of values that could not be read: in a count that the caller holds, and once in the log."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from typing import Final

from ...tolerant import Misfits

_log = logging.getLogger("belvo_async.results")

_INDEX: Final = re.compile(r"\[\d+\]")

# A warning names the place, which is the vendor's own, and never the value, which is a taxpayer's.
_SENTENCE: Final = "%s: a value at %s cannot be read; it is None, and counted in `misfits`"


class MisfitReport:
    """Warns of each place once a reading. `what` is read, as in `GET /api/invoices/`."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._told: set[str] = set()

    def warn(self, paths: Iterable[str]) -> None:
        """Warn of the places among these that were not told yet; rows and elements of arrays are one place."""
        for path in paths:
            place = _INDEX.sub("[]", path)
            if place not in self._told:
                self._told.add(place)
                _log.warning(_SENTENCE, self._what, place, extra={"request": self._what, "path": place})


def warn_of(misfits: Misfits, what: str) -> None:
    """Warn of what could not be read of one document."""
    if misfits.count:
        MisfitReport(what).warn(each.path for each in misfits)
