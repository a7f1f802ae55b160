"""A TCP proxy on loopback that cuts one submission after a given byte of its request or of its answer.

It carries every connection untouched until it is armed; then the next POST, or the next connection, meets the cut.
What each exchange sent and got is kept, so that a test can say how much of it the vendor can have seen.
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from urllib.parse import urlsplit

# Closing with this option drops the connection with RST instead of FIN.
_NO_LINGER = struct.pack("ii", 1, 0)
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)\r\n", re.IGNORECASE)
# As long as the name it hides, so that no offset moves.
_HIDDEN_LENGTH = b"\r\nX-Plain-Length: "


class Manner(Enum):
    """How a connection ends."""

    CLOSE = "close"
    """FIN to both sides; whatever they still send is answered with RST."""
    HALF = "half-close"
    """FIN to both sides, but what they still send is read, and dropped."""
    RESET = "reset"
    """RST to both sides. Before there is a connection: refused."""
    SILENCE = "silence"
    """Nothing passes any more and nothing ends, until the client gives up."""
    LATE = "late"
    """Silence; when the client has given up, the vendor gets all that the client had sent."""


class Side(Enum):
    """Where a cut is."""

    CONNECT = "connect"
    ACCEPT = "accept"
    REQUEST = "request"
    RESPONSE = "response"


@dataclass(frozen=True)
class Cut:
    """Cut after `offset` bytes of the request or of the answer have passed.

    At CONNECT no connection comes to be, for `lasting` seconds (None: for ever); at ACCEPT it ends before a byte
    is read. `hides_length` takes the Content-Length off the answer: then only the end of the connection ends it.
    """

    side: Side
    manner: Manner
    offset: int = 0
    lasting: float | None = None
    hides_length: bool = False


@dataclass
class Exchange:
    """One request and its answer as the proxy saw them. `position` counts from 0 on each connection."""

    position: int
    request: bytearray = field(default_factory=bytearray, repr=False)
    response: bytearray = field(default_factory=bytearray, repr=False)
    passed_on: int = 0
    """How many bytes of the request were written to the vendor."""
    handed_back: int = 0
    """How many bytes of the answer were written to the client."""

    @property
    def method(self) -> str:
        return bytes(self.request[:16]).partition(b" ")[0].decode()

    @property
    def reached_vendor(self) -> bool:
        """Whether the vendor was given the whole request."""
        return bool(self.request) and self.passed_on == message_bytes(self.request)


def head_bytes(message: bytes | bytearray) -> int:
    """How long the head of an HTTP message is, with its blank line; 0 while it has not all come."""
    return message.find(b"\r\n\r\n") + 4 if b"\r\n\r\n" in message else 0


def message_bytes(message: bytes | bytearray) -> int:
    """How long an HTTP message is by its own account; 0 while its head has not all come."""
    head = head_bytes(message)
    length = _LENGTH.search(message, 0, head)
    return head + (int(length[1]) if length else 0) if head else 0


def _reusable() -> socket.socket:
    made = socket.socket()
    made.setblocking(False)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return made


class CutProxy:
    """`async with CutProxy(to=simulator.url) as proxy:` and point the client at `proxy.url`."""

    def __init__(self, *, to: str) -> None:
        parts = urlsplit(to)
        self.vendor = (str(parts.hostname), int(parts.port or 80))
        self.exchanges: list[Exchange] = []
        self.target: Exchange | None = None
        """The exchange that was cut."""
        self.cuts = 0
        """How often the armed cut was made."""
        self.cut: Cut | None = None
        self.links: set[_Link] = set()
        self._accepting: asyncio.Task[None] | None = None
        self._held: list[socket.socket] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    @property
    def submissions(self) -> list[Exchange]:
        """The POSTs of which at least one byte arrived."""
        return [each for each in self.exchanges if each.method == "POST"]

    async def __aenter__(self) -> CutProxy:
        with _reusable() as scout:
            # A port that was asked for stays bound when it listens no more; one the kernel chose would be given up.
            scout.bind(("127.0.0.1", 0))
            self._socket = _reusable()
            self._socket.bind(scout.getsockname())
        self._listen()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._stop_accepting()
        self._socket.close()
        self._drop_held()
        self.hang_up()
        while self.links:  # noqa: ASYNC110 - a lost connection tells so one step later
            await asyncio.sleep(0)

    async def arm(self, cut: Cut) -> None:
        """Cut the next POST; at CONNECT and ACCEPT, the next connection."""
        self.cut, self.cuts, self.target = cut, 0, None
        if cut.side is not Side.CONNECT:
            return
        self.cuts += 1
        await self._stop_accepting()
        if cut.manner is Manner.RESET:
            # Bound but not listening: the port stays ours, and the kernel refuses whoever comes.
            self._socket.shutdown(socket.SHUT_RDWR)
        else:
            # A full backlog: the kernel drops what asks for a connection.
            self._socket.listen(0)
            plug = socket.create_connection(self._socket.getsockname())
            self._held.append(plug)
        if cut.lasting is not None:
            asyncio.get_running_loop().call_later(cut.lasting, self._listen)

    def disarm(self) -> None:
        """Carry everything again. What was cut stays cut."""
        self.cut = None
        if self._accepting is None:
            self._listen()
        self._drop_held()

    def hang_up(self) -> None:
        """End all connections, as a vendor does with idle ones."""
        for link in list(self.links):
            link.drop()

    def cut_others(self, link: _Link, manner: Manner) -> None:
        """Let the kept connections meet the same fate: a network that fails, fails for all."""
        for each in list(self.links - {link}):
            each.end(Manner.SILENCE if manner is Manner.LATE else manner)

    def _listen(self) -> None:
        self._drop_held()
        self._socket.listen(128)
        self._accepting = asyncio.get_running_loop().create_task(self._accept())

    async def _stop_accepting(self) -> None:
        task, self._accepting = self._accepting, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            client, _ = await loop.sock_accept(self._socket)
            cut = self.cut
            if cut is not None and cut.side is Side.ACCEPT and not self.cuts:
                self.cuts += 1
                self._end_unread(client, cut.manner)
                for link in list(self.links):
                    link.end(cut.manner)
                continue
            link = _Link(self)
            await loop.connect_accepted_socket(link.near, client)

    def _end_unread(self, client: socket.socket, manner: Manner) -> None:
        if manner in (Manner.SILENCE, Manner.LATE):
            self._held.append(client)
        elif manner is Manner.HALF:
            client.shutdown(socket.SHUT_WR)
            self._held.append(client)
        else:
            if manner is Manner.RESET:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            client.close()

    def _drop_held(self) -> None:
        for each in self._held:
            each.close()
        self._held.clear()


class _Link:
    """One connection of the client and the one to the vendor that it is carried over."""

    def __init__(self, proxy: CutProxy) -> None:
        self._proxy = proxy
        self._near: asyncio.Transport | None = None
        self._far: asyncio.Transport | None = None
        self._early = b""
        self._kept_back = b""
        self._exchange: Exchange | None = None
        self._count = 0
        self._ended: Manner | None = None
        self._dialling: asyncio.Task[Any] | None = None
        proxy.links.add(self)

    def near(self) -> asyncio.Protocol:
        """The protocol of the client's connection."""
        return _End(self._near_made, self._near_said, self._near_lost)

    def drop(self) -> None:
        """Forget both connections at once."""
        if self._dialling is not None:
            self._dialling.cancel()
        for end in (self._near, self._far):
            if end is not None:
                end.abort()
        if self._near is None and self._far is None:
            self._proxy.links.discard(self)

    def end(self, manner: Manner) -> None:
        """End the connection; from now on nothing passes."""
        if self._ended is not None:
            return
        self._ended = manner
        for end in (self._near, self._far):
            if end is None or end.is_closing():
                continue
            if manner is Manner.CLOSE:
                end.close()
            elif manner is Manner.HALF:
                end.write_eof()
            elif manner is Manner.RESET:
                end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
                end.abort()

    def _near_made(self, near: asyncio.Transport) -> None:
        self._near = near
        self._dialling = asyncio.get_running_loop().create_task(self._dial())

    async def _dial(self) -> None:
        end = _End(self._far_made, self._far_said, self._far_lost)
        try:
            await asyncio.get_running_loop().create_connection(lambda: end, *self._proxy.vendor)
        except OSError:
            self.drop()

    def _far_made(self, far: asyncio.Transport) -> None:
        self._far = far
        if self._near is None:
            far.abort()
            return
        early, self._early = self._early, b""
        if early:
            self._near_said(early)

    def _near_said(self, data: bytes) -> None:
        if self._far is None:
            self._early += data
            return
        exchange = self._exchange_of(data)
        exchange.request += data
        if self._ended is not None:
            self._kept_back += data
            return
        if self._proxy.cut is not None and self._proxy.target is None and exchange.method == "POST":
            self._proxy.target = exchange
        allowed = self._allowed(Side.REQUEST, exchange, exchange.passed_on, len(data))
        exchange.passed_on += allowed
        self._far.write(data[:allowed])
        self._kept_back = data[allowed:]
        self._cut_if_due(Side.REQUEST, exchange, exchange.passed_on)

    def _far_said(self, data: bytes) -> None:
        exchange = self._exchange
        if exchange is None or self._near is None:
            return
        exchange.response += data
        if self._ended is not None:
            return
        cut = self._proxy.cut
        if cut is not None and cut.hides_length and exchange is self._proxy.target:
            data = re.sub(rb"\r\nContent-Length: ", _HIDDEN_LENGTH, data)
        allowed = self._allowed(Side.RESPONSE, exchange, exchange.handed_back, len(data))
        exchange.handed_back += allowed
        self._near.write(data[:allowed])
        self._cut_if_due(Side.RESPONSE, exchange, exchange.handed_back)

    def _exchange_of(self, data: bytes) -> Exchange:
        current = self._exchange
        if current is None or len(current.request) == message_bytes(current.request):
            current = self._exchange = Exchange(position=self._count)
            self._count += 1
            self._proxy.exchanges.append(current)
        return current

    def _allowed(self, side: Side, exchange: Exchange, passed: int, coming: int) -> int:
        cut = self._proxy.cut
        if exchange is not self._proxy.target or cut is None or cut.side is not side:
            return coming
        return min(coming, cut.offset - passed)

    def _cut_if_due(self, side: Side, exchange: Exchange, passed: int) -> None:
        cut = self._proxy.cut
        if exchange is not self._proxy.target or cut is None or cut.side is not side:
            return
        message = exchange.request if side is Side.REQUEST else exchange.response
        # A message that is shorter than was thought is cut at its end.
        if passed == cut.offset or passed == message_bytes(message) > 0:
            self._proxy.cuts += 1
            self.end(cut.manner)
            self._proxy.cut_others(self, cut.manner)

    def _near_lost(self) -> None:
        self._near = None
        far = self._far
        if far is None:
            self._proxy.links.discard(self)
        elif self._ended is Manner.LATE and self._exchange is not None:
            self._exchange.passed_on += len(self._kept_back)
            far.write(self._kept_back)
        else:
            far.close()

    def _far_lost(self) -> None:
        self._far = None
        near = self._near
        if near is None:
            self._proxy.links.discard(self)
        elif self._ended in (None, Manner.CLOSE, Manner.RESET):
            near.close()
        # Else the client's side is silent, or has its FIN already: it is for the client to end it.


class _End(asyncio.Protocol):
    """One end of a link, in three callbacks."""

    def __init__(self, made: Any, said: Any, lost: Any) -> None:
        self._made, self._said, self._lost = made, said, lost

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._made(transport)

    def data_received(self, data: bytes) -> None:
        self._said(data)

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self._lost()
