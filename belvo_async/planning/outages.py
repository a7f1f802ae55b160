"""When an institution is down: it is left alone for a while, instead of burning attempts at it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

# One failure may be a link's own; three in a row of different subjects are the institution's.
OUTAGE_SIGNS: Final = 3
# The vendors say "hours rather than seconds"; the first try comes sooner, since it costs one request.
FIRST_PAUSE: Final = timedelta(minutes=5)
LONGEST_PAUSE: Final = timedelta(hours=1)


class Outage:
    """Opens behind failures of several subjects that are the institution's, and closes with the first success."""

    def __init__(self) -> None:
        self._failing = set[str]()
        self._pauses = 0
        self.until: datetime | None = None

    def failed(self, subject: str, now: datetime) -> bool:
        """Note a failure that is the institution's; whether a pause begins."""
        self._failing.add(subject)
        is_probe = self._pauses > 0
        if not (is_probe or len(self._failing) >= OUTAGE_SIGNS) or self.is_on(now):
            return False
        # From some power on the product is longer than any span can be.
        self.until = now + min(LONGEST_PAUSE, FIRST_PAUSE * int(2 ** min(self._pauses, 9)))
        self._pauses += 1
        self._failing.clear()
        return True

    def passed(self) -> None:
        """Note that something came through."""
        self._failing.clear()
        self._pauses, self.until = 0, None

    def is_on(self, now: datetime) -> bool:
        """Whether nothing is to be sent."""
        return self.until is not None and now < self.until

    @property
    def is_probing(self) -> bool:
        """Whether one request is to show if the pause is over, before others follow."""
        return self._pauses > 0
