"""What every adapter checks before it serves."""

from __future__ import annotations

from .._session import Session
from ..errors import ConfigurationError

# The session refuses longer bodies; adapters stop reading there, before memory is spent.
BODY_LIMIT_BYTES = 256 * 1024
# A sender that trickles bytes holds a connection no longer than this; both vendors send at once.
READ_WITHIN_SECONDS = 5.0


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
