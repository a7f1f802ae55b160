"""The look at the webhooks of a session's vendors when it opens, where somebody asked for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Final, Literal, TypeAlias

from ..._http import Send, converse
from ...abc import ManagedWebhooks, Vendor
from ...errors import AuthenticationError, BelvoAsyncError, ConfigurationError
from .findings import find_faults, managed_of

_log = logging.getLogger("belvo_async.webhooks")

CheckWebhooks: TypeAlias = Literal["warn", "refuse"]
"""What becomes of what is wrong with webhooks when a session opens: a warning, or the session does not open."""

# A vendor that does not answer must not keep a receiver from opening.
PATIENCE: Final = timedelta(seconds=15)
_WRONG: Final = "webhooks are not set up as they should be"
_UNASKED: Final = "whether webhooks are set up as they should be could not be asked"


def check_mode(given: CheckWebhooks | None) -> CheckWebhooks | None:
    """Take how webhooks are checked. Raises ConfigurationError."""
    if given not in (None, "warn", "refuse"):
        raise ConfigurationError("`check_webhooks` is None, 'warn' or 'refuse'")
    return given


async def check_at_opening(vendors: Mapping[str, Vendor], sends: Mapping[str, Send], mode: CheckWebhooks) -> None:
    """Look at the webhooks of each vendor whose API tells of them; one warning a vendor, or ConfigurationError.

    What could not be asked is a warning in either case: a receiver is needed most when its vendor is in trouble.
    """
    for name, vendor in vendors.items():
        managed = managed_of(vendor)
        if managed is None:
            continue
        try:
            async with asyncio.timeout(PATIENCE.total_seconds()):
                faults = await _faults(managed, sends[name])
        except (BelvoAsyncError, TimeoutError) as error:
            why = str(error) or "it took too long"
            _log.warning("%s: %s", _UNASKED, why, extra={"vendor": name})
            continue
        _tell(name, faults, mode)


async def _faults(managed: ManagedWebhooks, send: Send) -> list[str]:
    try:
        endpoints = await converse(send, managed.endpoints())
    except AuthenticationError as error:
        return [str(error)]
    return [each.text for each in find_faults(endpoints, managed)]


def _tell(vendor: str, faults: list[str], mode: CheckWebhooks) -> None:
    if not faults:
        return
    if mode == "refuse":
        raise ConfigurationError(f"the webhooks of {vendor} are not set up as they should be: {'; '.join(faults)}")
    _log.warning("%s: %s", _WRONG, "; ".join(faults), extra={"vendor": vendor})
