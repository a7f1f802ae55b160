"""Sessions that wait for a token: 428 `token_required`, then PATCH on the same collection."""

import asyncio
from dataclasses import dataclass, field
from typing import Final

from ...wire import JsonObject, Reply
from ..errors import SESSION_SECONDS, token_required
from ..state import Link

# The one token every session here accepts; the 428 shows it, as a real one would appear on a phone.
TOKEN: Final = "48213"  # noqa: S105
LINKS: Final = "LINKS"


@dataclass(frozen=True, kw_only=True)
class Suspended:
    """A request that stopped for a token, and the collection whose PATCH takes it."""

    link: Link
    at: str
    retrieves: bool
    body: JsonObject = field(repr=False)
    expires_at: float  # loop time; not divided by the simulator's speed, since the 428 prints it


class Tokens:
    """Suspends requests and gives them back to whoever brings the token."""

    def __init__(self) -> None:
        self._suspended: dict[str, Suspended] = {}

    def suspend(self, request_id: str, link: Link, at: str, body: JsonObject, *, retrieves: bool = False) -> Reply:
        """Answer 428 and remember the request."""
        session = request_id[::-1]
        expires_at = asyncio.get_running_loop().time() + SESSION_SECONDS
        self._suspended[session] = Suspended(link=link, at=at, retrieves=retrieves, body=body, expires_at=expires_at)
        return token_required(request_id, link.id, session=session, token=TOKEN)

    def resume(self, at: str, body: JsonObject) -> Suspended | str:
        """Take a suspended request by a checked body, or give the error code.

        A wrong token leaves the session open for another try.
        """
        session = str(body["session"])
        waiting = self._suspended.get(session)
        if waiting is None or waiting.at != at or waiting.link.id != str(body["link"]).lower():
            return "session_expired"
        if asyncio.get_running_loop().time() >= waiting.expires_at:
            del self._suspended[session]
            return "session_expired"
        if body["token"] != TOKEN:
            return "login_error"
        del self._suspended[session]
        return waiting
