"""How long a response asks us to wait before the same request is sent again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from ..abc import Headers
from ..rate_limits import is_exhausted, retry_after, window_end

# Nobody is believed who asks for more: Syntage's windows are minutes. Longer waits are the tracker's business.
WAIT_CAP: Final = timedelta(minutes=15)


def asked_wait(status: int, headers: Headers, now: datetime) -> timedelta | None:
    """How long to wait before asking again: Retry-After, else the end of an exhausted rate window, else None."""
    wait = retry_after(headers, now, longest=WAIT_CAP)
    return wait if wait is not None else exhausted_until(status, headers, now)


def exhausted_until(status: int, headers: Headers, now: datetime) -> timedelta | None:
    """How long the rate window lasts, where it matters: nothing remains of it, or the answer is 429."""
    matters = status == 429 or is_exhausted(headers)
    return window_end(headers, now, longest=WAIT_CAP) if matters else None
