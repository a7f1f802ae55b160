"""The vendor's end of `fire.py` and `webhooks.py`'s load: accepts every POST as fast as a Python process can.

    python benchmarks/fire_server.py

A bare protocol, so that the server's core never is what limits a client: each request is answered 202 with a request
id of its own, kept alive or closed as the client asks. A GET gets an empty list.
"""

from __future__ import annotations

import asyncio
import itertools

_ACCEPTED = b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 49\r\n%s\r\n%s"
_LIST = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n%s\r\n[]"
_CLOSE = b"connection: close"
_numbers = itertools.count(1)


class Vendor(asyncio.Protocol):
    def __init__(self) -> None:
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        while (end := self._data.find(b"\r\n\r\n") + 4) > 3:
            head = self._data[:end].lower()
            length = _length(head)
            if len(self._data) < end + length:
                return
            self._data = self._data[end + length :]
            self._answer(head)

    def _answer(self, head: bytes) -> None:
        closes = _CLOSE in head
        extra = b"Connection: close\r\n" if closes else b""
        body = b'{"request_id":"%032x"}' % next(_numbers)
        self._transport.write(_ACCEPTED % (extra, body) if head.startswith(b"post") else _LIST % extra)
        if closes:
            self._transport.close()


def _length(head: bytes) -> int:
    start = head.find(b"content-length:")
    return int(head[start + 15 : head.index(b"\r\n", start)]) if start >= 0 else 0


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Vendor, "127.0.0.1", 0, backlog=512)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
