"""Requests sent before a reading asks for them: a vendor's answer takes longer than decoding a page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, suppress
from itertools import islice
from typing import Final, Self

from .._http import Send
from ..abc import Page, Request, Response
from ..errors import PayloadError

# Beside the page that is read. What waits holds little memory: its body stops at the connection's buffers. More
# would not help a reader that decodes on one core, and would use up the vendor's rate budget in bursts.
PAGES_AHEAD: Final = 5

Guess = Callable[[Request, Page], Iterable[Request]]


class Spares:
    """How many requests all readings of a session may have under way early.

    Fewer than there are connections: a page that somebody reads never waits for one that nobody reads yet.
    """

    def __init__(self, free: int) -> None:
        self._free = free

    def take(self) -> bool:
        """Take one, if there is one."""
        if self._free <= 0:
            return False
        self._free -= 1
        return True

    def give_back(self) -> None:
        """Give one back."""
        self._free += 1


class Ahead:
    """Sends the requests of one reading, some of them early. Use as `async with`; leaving it drops what is unread.

    Guesses change nothing but time: only a request that the reading really makes is answered from one.
    """

    def __init__(self, send: Send, spares: Spares, guess: Guess | None) -> None:
        self._send = send
        self._spares = spares
        self._guess = guess
        self._early: dict[Request, _Early] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._drop_all()

    def look(self, request: Request, page: Page) -> None:
        """Send what likely follows a page, of which this much is known by now."""
        if self._guess is None:
            return
        # A link that may not be followed is told by the reading itself, when it comes to it.
        with suppress(PayloadError):
            for following in islice(self._guess(request, page), PAGES_AHEAD):
                if following not in self._early:
                    if not self._spares.take():
                        return
                    self._early[following] = _Early(self._send(following), self._spares)

    @asynccontextmanager
    async def open(self, request: Request) -> AsyncGenerator[Response, None]:
        """Open the answer to a request: the one sent early, if there is. Raises as sending does."""
        early = self._early.pop(request, None)
        if early is None:
            # The reading went another way than guessed.
            await self._drop_all()
            async with self._send(request) as response:
                yield response
            return
        async with aclosing(early):
            yield await early.response()

    async def _drop_all(self) -> None:
        unread = list(self._early.values())
        self._early.clear()
        # Side by side: one that is slow to stop keeps no other from being closed, should we be stopped ourselves.
        await asyncio.gather(*(early.aclose() for early in unread))


class _Early:
    """One answer on its way: opened in a task of its own, read and closed by whoever asks for it."""

    def __init__(self, answer: AbstractAsyncContextManager[Response], spares: Spares) -> None:
        self._answer = answer
        self._spares = spares
        self._is_spare = True
        self._opening = asyncio.create_task(answer.__aenter__())
        # A failure nobody comes to hear of is no news: it belongs to a request that was not needed.
        self._opening.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def response(self) -> Response:
        """Wait for the answer. From now on it counts as read."""
        self._count_as_read()
        return await self._opening

    async def aclose(self) -> None:
        """Close the answer, or stop it from being opened."""
        self._count_as_read()
        self._opening.cancel()
        try:
            await asyncio.wait((self._opening,))
        finally:
            is_open = self._opening.done() and not (self._opening.cancelled() or self._opening.exception())
            if is_open:
                await self._answer.__aexit__(None, None, None)

    def _count_as_read(self) -> None:
        if self._is_spare:
            self._is_spare = False
            self._spares.give_back()
