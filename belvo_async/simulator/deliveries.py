"""Delivers webhooks the way both vendors do: a deadline, a few more tries, no word about order."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import aiohttp

from .faults import Dice
from .wire import Delivery

Headers = Callable[[bytes], Mapping[str, str]]


@dataclass(frozen=True, kw_only=True)
class Habits:
    """How a vendor delivers: how long it waits for an answer, and its pauses between tries."""

    deadline: timedelta
    pauses: tuple[timedelta, ...]


def _always() -> bool:
    return True


def _unnoted(_: Delivery) -> None:
    pass


@dataclass(frozen=True, kw_only=True)
class Destination:
    """Where something is delivered: while it `is_wanted` there; each try is `noted`."""

    url: str
    is_wanted: Callable[[], bool] = _always
    noted: Callable[[Delivery], None] = _unnoted


class WebhookSender:
    """Sends webhooks in the background, to `url` unless told where; `close()` ends every open try."""

    def __init__(self, *, habits: Habits, dice: Dice, speed: float, now: Callable[[], datetime]) -> None:
        self.url: str | None = None
        self.deliveries: list[Delivery] = []
        self._habits = habits
        self._dice = dice
        self._speed = speed
        self._now = now
        self._session: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: list[Coroutine[None, None, None]] = []

    @property
    def deadline_seconds(self) -> float:
        """How long one try waits for an answer."""
        return self._habits.deadline.total_seconds()

    async def start(self) -> None:
        """Open the client. A fresh connection for each try: a receiver may restart between two."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(force_close=True), cookie_jar=aiohttp.DummyCookieJar()
        )

    async def close(self) -> None:
        """Cancel every open try and close the client."""
        for held in self._held:
            held.close()
        self._held.clear()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None

    def post(
        self, body: bytes, headers: Headers, *, kind: str = "documented", to: Destination | None = None
    ) -> list[asyncio.Task[None]]:
        """Start delivering `body`, with the webhook faults drawn for it. Does nothing without a URL.

        Returns the started deliveries, so that an early one can be waited for.
        """
        place = to or (None if self.url is None else Destination(url=self.url))
        if place is None or self._dice.hit("webhook_dropped"):
            return []
        if self._dice.hit("webhook_reordered"):
            self._hold(self._deliver(place, body, headers, kind))
            return []
        started = [self._spawn(self._deliver(place, body, headers, kind))]
        if self._dice.hit("webhook_duplicated"):
            started.append(self._spawn(self._deliver(place, body, headers, "duplicate")))
        self._release()
        return started

    def post_once(self, body: bytes, headers: Headers, *, kind: str) -> None:
        """Start a delivery that is tried once and spared from faults (forgeries are not retried)."""
        if self.url is not None:
            self._spawn(self._single(self.url, body, headers, kind))

    async def attempt(self, url: str, body: bytes, headers: Headers, *, kind: str, attempt: int = 1) -> int:
        """Make one try now and record it. Returns the status, 0 when there was no answer in time."""
        return (await self._attempt(url, body, headers, kind, attempt)).status

    async def _attempt(self, url: str, body: bytes, headers: Headers, kind: str, attempt: int) -> Delivery:
        loop = asyncio.get_running_loop()
        at, began = self._now(), loop.time()
        status = await self._send(url, body, headers(body))
        made = Delivery(
            url=url, body=body, status=status, attempt=attempt, kind=kind, at=at, seconds=loop.time() - began
        )
        self.deliveries.append(made)
        return made

    async def _single(self, url: str, body: bytes, headers: Headers, kind: str) -> None:
        await self.attempt(url, body, headers, kind=kind)

    async def _deliver(self, to: Destination, body: bytes, headers: Headers, kind: str) -> None:
        pauses = iter(self._habits.pauses)
        attempt = 1
        while to.is_wanted():
            made = await self._attempt(to.url, body, headers, kind, attempt)
            to.noted(made)
            pause = next(pauses, None)
            if pause is None or 200 <= made.status < 300:
                return
            await asyncio.sleep(pause.total_seconds() / self._speed)
            attempt += 1

    async def _send(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        if self._session is None:
            return 0
        deadline = aiohttp.ClientTimeout(total=self._habits.deadline.total_seconds())
        try:
            async with self._session.post(
                url, data=body, headers=headers, timeout=deadline, allow_redirects=False
            ) as response:
                return response.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            return 0

    def _hold(self, delivery: Coroutine[None, None, None]) -> None:
        self._held.append(delivery)
        # Without a later delivery to overtake it, it goes out after one retry pause.
        wait = self._habits.pauses[0].total_seconds() / self._speed
        self._spawn(self._release_after(wait))

    async def _release_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._release()

    def _release(self) -> None:
        held, self._held = self._held, []
        for delivery in held:
            self._spawn(self._later(delivery))

    async def _later(self, delivery: Coroutine[None, None, None]) -> None:
        # A moment behind the one that overtakes it.
        try:
            await asyncio.sleep(min(0.05, 1 / self._speed))
        except BaseException:
            delivery.close()
            raise
        await delivery

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        # No TaskGroup: deliveries outlive the call that caused them, and a fixture may close the
        # simulator from another task than the one that opened it. close() awaits them all.
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
