"""What every adapter does the same way: check before it serves, and hand a delivery over."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final

from .._session import Session
from ..abc import Headers
from ..errors import ConfigurationError, SessionClosedError

_log = logging.getLogger("belvo_async.webhooks")

# A sender that trickles bytes holds a connection no longer than this; both vendors send at once.
READ_WITHIN_SECONDS: Final = 5.0


class Guard:
    """Hands deliveries to a session, and answers 503 where that cannot be.

    Raises ConfigurationError for what is no session, and for one whose deliveries nobody could prove.
    """

    def __init__(self, session: Session) -> None:
        check_provable(session)
        self.session = session
        self._told: set[str] = set()

    async def take(self, vendor_name: str, headers: Headers, body: bytes) -> int:
        """Give the status to answer."""
        try:
            return await self.session.receive(vendor_name, headers, body)
        except SessionClosedError as error:
            return self.turn_away(vendor_name, str(error))

    def turn_away(self, vendor_name: str, why: str) -> int:
        """Answer 503, so that the vendor repeats. A mistake that lasts is told once: vendors repeat, and repeat."""
        if why not in self._told:
            self._told.add(why)
            _log.warning("a webhook was answered 503, the vendor repeats it: %s", why, extra={"vendor": vendor_name})
        return 503


def is_encoded(values: Iterable[str]) -> bool:
    """Whether a body is compressed, by the values of its Content-Encoding: refused unread."""
    return any(value.strip().lower() not in ("", "identity") for value in values)


def check_provable(session: object) -> None:
    """Refuse what is no session, and to serve deliveries that nobody could prove: raises ConfigurationError."""
    if not isinstance(session, Session):
        raise ConfigurationError(f"webhooks are handed to a Session; this is of type {type(session).__name__}")
    for name, vendor in session.vendors.items():
        if not vendor.accepts_webhooks:
            raise ConfigurationError(
                f"{name} has no webhook secret, so no delivery can be proven: set one, "
                "or spell out allow_unauthenticated=True"
            )
