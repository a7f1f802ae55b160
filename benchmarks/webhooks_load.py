"""The load of `webhooks.py`: posts deliveries over kept connections, and prints the seconds that took.

    python benchmarks/webhooks_load.py HOST PORT FIRST COUNT CONNECTIONS

A bare protocol, so that this process never is what limits a server. Every answer must be 200 or 204.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator

from webhooks_events import delivery


class Sender(asyncio.Protocol):
    """One connection: the next delivery goes out when the last one is answered."""

    def __init__(self, deliveries: Iterator[bytes], ended: asyncio.Future[None]) -> None:
        self._deliveries = deliveries
        self._ended = ended

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def send(self) -> None:
        body = next(self._deliveries, None)
        if body is None:
            self._ended.set_result(None)
        else:
            self._transport.write(body)

    def data_received(self, data: bytes) -> None:
        # Answers are short and hold no body, so each comes in one piece.
        if not data.startswith((b"HTTP/1.1 200", b"HTTP/1.1 204")) or not data.endswith(b"\r\n\r\n"):
            self._ended.set_exception(RuntimeError(f"a server of the benchmark answered {data[:80]!r}"))
        else:
            self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._ended.done():
            self._ended.set_exception(RuntimeError("a server of the benchmark closed a connection"))


async def main(host: str, port: int, first: int, count: int, connections: int) -> None:
    loop = asyncio.get_running_loop()
    deliveries = iter([delivery(number) for number in range(first, first + count)])
    ends = [loop.create_future() for _ in range(connections)]
    senders = [(await loop.create_connection(lambda end=end: Sender(deliveries, end), host, port))[1] for end in ends]
    began = time.perf_counter()
    for sender in senders:
        sender.send()
    await asyncio.gather(*ends)
    print(time.perf_counter() - began)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], *map(int, sys.argv[2:])))
