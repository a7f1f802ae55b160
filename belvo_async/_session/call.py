"""One plain call, carried out."""

from __future__ import annotations

from datetime import datetime
from typing import Final, TypeVar, cast

from .._http import Send, converse
from ..abc import Call, Vendor
from ..errors import SessionClosedError
from ..tolerant import Misfits, listening
from .reading.misfits import warn_of

R = TypeVar("R")

_CLOSED: Final = "the session closed during the call, which may have been carried out: look before making it again"


async def carry_out(
    call: Call[R], vendor: Vendor, send: Send, now: datetime, *, misfits: Misfits | None, strict: bool
) -> R:
    """Make a call that the vendor was found to take; see `Session.call`."""
    try:
        with listening(strict=strict) as unread:
            said = await converse(send, vendor.call(call, now))
    except SessionClosedError:
        pass  # told below, in other words
    else:
        warn_of(unread, type(call).__name__)
        if misfits is not None:
            misfits.take(unread)
        # The vendor knows the call's type, and so what it gives.
        return cast("R", said)
    raise SessionClosedError(_CLOSED)
