"""What the desks of the simulated Belvo share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ..origin import Origin
from ..wire import Incoming, JsonObject, decode
from .linking.tokens import Tokens
from .refreshes import Refreshes
from .rows.records import Records
from .runs import BelvoRuns
from .state import Archive, Link
from .webhooks import BelvoWebhooks

# The header that says whether an order is answered at once or when it is done.
MODE: Final = "X-Belvo-Request-Mode"


@dataclass(frozen=True, kw_only=True)
class BelvoContext:
    """One Belvo's memory and workers; `new_id` gives 32 hex digits for a purpose, always the same row for a seed."""

    origin: Origin
    links: dict[str, Link]
    records: Records
    archive: Archive
    webhooks: BelvoWebhooks
    runs: BelvoRuns
    refreshes: Refreshes
    tokens: Tokens
    new_id: Callable[[str], str]
    page_size: int
    limits: bool

    def request_id(self) -> str:
        """Give the id of one answer or job."""
        return self.new_id("request_ids")


def read_object(call: Incoming) -> JsonObject:
    """Read a body as an object; anything else counts as an empty one (every field is then missing)."""
    try:
        value = decode(call.body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def asks_async(call: Incoming) -> bool:
    """Tell whether the asynchronous mode is asked for.

    The header's value is case sensitive: another spelling falls back to a synchronous call.
    """
    return call.headers.get(MODE) == "async" and call.fault != "synchronous"
