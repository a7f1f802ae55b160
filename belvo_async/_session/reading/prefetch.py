"""Requests sent before a reading asks for them: a vendor's answer takes longer than decoding a page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, suppress
from itertools import islice
from typing import Final, Self

from ..._http import Send
from ...abc import Page, Request, Response
from ...errors import PayloadError, TransportError

# Beside the page that is read. What waits holds little memory: its body stops at the connection's buffers. More
# would not help a reader that decodes on one core, and would use up the vendor's rate budget in bursts.
PAGES_AHEAD: Final = 5

Guess = Callable[[Request, Page], Iterable[Request]]


class Spares:
    """The answers that all readings of a session asked for early and nobody reads yet: at most `most` at a time.

    They give way: a page that somebody waits for never waits for one that nobody reads yet. `is_full` tells whether
    every connection is taken.
    """

    def __init__(self, most: int, is_full: Callable[[], bool]) -> None:
        self._most = most
        self._is_full = is_full
        self._unread: dict[_Early, None] = {}

    def has_room(self) -> bool:
        """Whether one more may be asked for early."""
        return len(self._unread) < self._most and not self._is_full()

    def add(self, early: _Early) -> None:
        """Note an answer that nobody reads yet."""
        self._unread[early] = None

    def discard(self, early: _Early) -> None:
        """Forget one that is read, or dropped."""
        self._unread.pop(early, None)

    async def make_room(self) -> None:
        """Drop unread answers, the latest first, until a connection is free."""
        while self._unread and self._is_full():
            await next(reversed(self._unread)).aclose()


class Prefetch:
    """Sends the requests of one reading, some of them early. Use as `async with`; leaving it drops what is unread.

    Guesses change nothing but time: only a request that the reading really makes is answered from one, and only if it
    went well. One that did not is made anew, for by then it may.
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
                    if not self._spares.has_room():
                        return
                    self._early[following] = _Early(self._send(following), self._spares)

    @asynccontextmanager
    async def open(self, request: Request) -> AsyncGenerator[Response, None]:
        """Open the answer to a request: the one sent early, if there is a good one. Raises as sending does."""
        early = self._early.pop(request, None)
        if early is None:
            # The reading went another way than guessed.
            await self._drop_all()
        else:
            async with aclosing(early):
                response = await early.good_response()
                if response is not None:
                    yield response
                    return
        await self._spares.make_room()
        async with self._send(request) as response:
            yield response

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
        self._is_dropped = False
        self._opening = asyncio.create_task(answer.__aenter__())
        # A failure nobody comes to hear of is no news: it belongs to a request that was not needed.
        self._opening.add_done_callback(lambda task: task.cancelled() or task.exception())
        spares.add(self)

    async def good_response(self) -> Response | None:
        """Wait for the answer, which counts as read from now on; None for one that was dropped or is an error."""
        if self._is_dropped:
            return None
        self._spares.discard(self)
        if not self._opening.done():
            await self._spares.make_room()
        try:
            response = await self._opening
        except (TransportError, PayloadError):
            return None
        return response if response.status == 200 else None

    async def aclose(self) -> None:
        """Close the answer, or stop it from being opened. Safe twice."""
        self._spares.discard(self)
        if self._is_dropped:
            return
        self._is_dropped = True
        self._opening.cancel()
        try:
            await asyncio.wait((self._opening,))
        finally:
            is_open = self._opening.done() and not (self._opening.cancelled() or self._opening.exception())
            if is_open:
                await self._answer.__aexit__(None, None, None)
