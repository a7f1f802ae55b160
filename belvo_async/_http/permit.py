"""The last question before a request that starts work: may it still go out?"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

import aiohttp

from ..abc import Permit

if TYPE_CHECKING:
    from aiohttp.tracing import Trace


class PermitGate:
    """Asks for the permit of one request, once, when its connection is made and before its first byte.

    `was_asked`: the permit may have been noted somewhere; so the request is not repeated by the client itself.
    `is_passed`: bytes may have left. `refusal` is what the permit raised, kept here so that it does not travel through
    the client's frames, which hold the headers.
    """

    def __init__(self, permit: Permit) -> None:
        self._permit = permit
        self.was_asked = False
        self.is_passed = False
        self.refusal: Exception | None = None

    def __enter__(self) -> None:
        """Guard what is sent in this block."""
        self._token = _GATE.set(self)

    def __exit__(self, *exc_info: object) -> None:
        _GATE.reset(self._token)

    async def ask(self) -> None:
        """Return once the permit was given. Raises ClientError when it was not."""
        if self.was_asked:
            raise aiohttp.ClientError
        self.was_asked = True
        try:
            await self._permit()
        except Exception as error:  # noqa: BLE001 - raised again by whoever sends
            self.refusal = error
        if self.refusal is not None:
            raise aiohttp.ClientError


_GATE: Final[ContextVar[PermitGate | None]] = ContextVar("belvo_async_gate", default=None)


class PermitConnector(aiohttp.TCPConnector):
    """Makes connections, and has the gate of their request asked before it gets one: without one nothing is sent."""

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> aiohttp.connector.Connection:
        connection = await super().connect(req, traces, timeout)
        gate = _GATE.get()
        if gate is None:
            return connection
        try:
            await gate.ask()
            # Who waits for a slow store may find that the vendor has hung up: writing would leave that in doubt.
            if connection.transport is None or connection.transport.is_closing():
                raise aiohttp.ClientConnectionError
        except BaseException:
            connection.close()
            raise
        gate.is_passed = True
        return connection
