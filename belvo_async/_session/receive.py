"""One webhook delivery, from bytes to the status to answer."""

from __future__ import annotations

import logging
import re
from typing import Final

from .._tracker import Tracker
from ..abc import Clock, Headers, Vendor
from ..errors import PayloadError, SessionClosedError, SignatureError, StoreError
from ..payload import DELIVERY_LIMIT_BYTES
from ..telemetry import SILENT, Telemetry
from ..tolerant import listening
from ..within import within
from .reading.misfits import warn_of
from .summary import Summary

_log = logging.getLogger("belvo_async.webhooks")

# Syntage gives up after 3 seconds (webhook endpoint reference), Belvo after 5: answer before either.
ANSWER_WITHIN_SECONDS: Final = 2.0

_DIGITS: Final = re.compile("[0-9]+")

_NOT_OPEN: Final = (
    "a webhook came but the session is not open: answered 503; open it where the application starts "
    "(`async with session` in its lifespan or cleanup context)"
)
_CLOSED: Final = (
    "a webhook came but the session is closed: answered 503, the vendor repeats it; "
    "stop serving before the session closes"
)
_NOT_KEPT: Final = "a webhook could not be kept: answered 503, the vendor repeats it"
_REFUSED: Final = "a webhook was refused: it is not proven to come from the vendor"
_UNREADABLE: Final = "an authentic delivery could not be read; kept aside"
_ODD: Final = "an authentic delivery could not be applied; kept aside"
_SHORT: Final = (
    "a webhook came with fewer bytes than its headers say: answered 503, the vendor repeats it; was its body read "
    "before it came here? (hand over the raw bytes, all of them)"
)


class DeliveryReceiver:
    """Takes the deliveries of one session."""

    def __init__(self, telemetry: Telemetry = SILENT) -> None:
        self._telemetry = telemetry
        self._told: set[str] = set()
        self._summary = Summary()

    def close(self) -> None:
        """Tell what was counted and not told yet."""
        self._summary.close()

    async def receive(
        self,
        vendor: Vendor | None,
        tracker: Tracker | None,
        given: tuple[Headers, bytes] | str,
        clock: Clock,
    ) -> int:
        """Verify, decode, store, and say how to answer; see `Session.receive`. TypeError for a sentence that was made
        of what is no delivery.
        """
        if isinstance(given, str):
            raise TypeError(given)
        headers, body = given
        if vendor is None:
            return 404
        with self._telemetry.webhook(vendor.name) as span:
            status = await self._receive(vendor, tracker, headers, body, clock)
            span.answer(status)
        return status

    async def _receive(
        self, vendor: Vendor, tracker: Tracker | None, headers: Headers, body: bytes, clock: Clock
    ) -> int:
        if tracker is None:
            return self._turn_away(_NOT_OPEN, vendor)
        if len(body) > DELIVERY_LIMIT_BYTES:
            return 413
        codings = headers.get_all("content-encoding")
        if codings and any(value.strip().lower() not in ("", "identity") for value in codings):
            return 415
        if _is_short(headers, body):
            self._summary.warn(f"short {vendor.name}", _SHORT, {"vendor": vendor.name})
            return 503
        try:
            return await within(ANSWER_WITHIN_SECONDS, self._take(vendor, tracker, headers, body, clock))
        except SessionClosedError:
            return self._turn_away(_CLOSED, vendor)
        except Exception as error:  # noqa: BLE001 - the sender is answered, whatever happened
            facts = {"vendor": vendor.name, "error": type(error).__name__}
            self._summary.warn(f"not kept {vendor.name}", _NOT_KEPT, facts, why=_why(error))
            return 503

    async def _take(self, vendor: Vendor, tracker: Tracker, headers: Headers, body: bytes, clock: Clock) -> int:
        try:
            with listening() as unread:
                observations = vendor.read_webhook(headers, body, clock.now())
        except SignatureError as error:
            # The reason is a fixed sentence but for a number; what the delivery held is a stranger's.
            reason = str(error)
            facts = {"vendor": vendor.name, "reason": reason}
            # A clock that is off must not hide among forgeries.
            self._summary.warn(f"refused {vendor.name} {_DIGITS.sub('', reason)}", _REFUSED, facts, why=reason)
            return 401
        except PayloadError as error:
            await tracker.set_aside(vendor, body)
            facts = {"vendor": vendor.name}
            self._summary.warn(f"unreadable {vendor.name}", _UNREADABLE, facts, why=f"{error.reason} at {error.path}")
            return 200
        warn_of(unread, f"a webhook of {vendor.name}")
        try:
            await tracker.receive(vendor, observations)
        except (StoreError, SessionClosedError):
            raise
        except Exception as error:  # noqa: BLE001 - proven, and odd in a way nobody foresaw: kept for who mends that
            await tracker.set_aside(vendor, body)
            facts = {"vendor": vendor.name, "error": type(error).__name__}
            self._summary.warn(f"odd {vendor.name}", _ODD, facts, why=type(error).__name__)
        return 200

    def _turn_away(self, why: str, vendor: Vendor) -> int:
        """Answer 503. A state that lasts is told once: vendors repeat, and repeat."""
        if why not in self._told:
            self._told.add(why)
            _log.warning(why, extra={"vendor": vendor.name})
        return 503


def _why(error: Exception) -> str:
    """In fixed words why a delivery was not kept: a store's reason is one, of others only the kind is known to be."""
    if isinstance(error, TimeoutError):
        return f"the store took longer than {ANSWER_WITHIN_SECONDS:g} s"
    return str(error) if isinstance(error, StoreError) else type(error).__name__


def _is_short(headers: Headers, body: bytes) -> bool:
    """Whether fewer bytes came to us than were sent: somebody else has read them before."""
    if not body and headers.get("transfer-encoding") is not None:
        return True
    return any(each.isascii() and each.isdigit() and int(each[:20]) > len(body) for each in headers.get_all(_LENGTH))


_LENGTH: Final = "content-length"
