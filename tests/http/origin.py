"""A raw server on loopback that plays a script, byte by byte, and cuts where it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from belvo_async.abc import Request, Retry

CANARY = "canary-5f1e9c77"


class Cut(Enum):
    CLOSE = "close"
    """End the connection politely."""
    RESET = "reset"
    """Drop it with RST."""


Step = bytes | float | Cut
"""What the server does next: write bytes, sleep seconds, or end the connection."""


@dataclass
class Seen:
    """One request as it came over the wire."""

    line: str
    headers: Mapping[str, str]
    body: bytes
    connection: int
    at: float


@dataclass
class Origin:
    """Answers the n-th request with the n-th script; the last one answers all that follow. `greeting` runs first."""

    scripts: list[Sequence[Step]]
    greeting: Sequence[Step] = ()
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0
    open_connections: int = 0
    url: str = ""

    async def __aenter__(self) -> Origin:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        self._tasks: set[asyncio.Task[Any]] = set()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        self.open_connections += 1
        try:
            number = self.connections
            alive = await self._play(self.greeting, writer)
            while alive:
                await self._read(reader, number)
                alive = await self._play(self.scripts[min(len(self.seen), len(self.scripts)) - 1], writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self.open_connections -= 1
            self._tasks.discard(task)
            writer.close()

    async def _read(self, reader: asyncio.StreamReader, number: int) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        line, *rest = head.strip().split("\r\n")
        headers = {name.lower(): value for name, value in (each.split(": ", 1) for each in rest)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.seen.append(Seen(line, headers, body, number, asyncio.get_running_loop().time()))

    async def _play(self, script: Sequence[Step], writer: asyncio.StreamWriter) -> bool:
        for step in script:
            if isinstance(step, bytes):
                writer.write(step)
                await writer.drain()
            elif isinstance(step, Cut):
                if step is Cut.RESET:
                    writer.transport.abort()
                return False
            else:
                await asyncio.sleep(step)
        return True


def reply(status: int = 200, body: bytes = b"{}", **headers: str) -> bytes:
    """A whole HTTP answer; `retry_after="3"` becomes the header `retry-after: 3`."""
    fields = {"content-length": str(len(body)), "content-type": "application/json"}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode() + body


def credentials() -> Mapping[str, str]:
    return {"Authorization": f"Basic {CANARY}"}


def read(target: str = "/things", **options: Any) -> Request:
    return Request(method="GET", target=target, name="GET /things", **options)


def submission(target: str = "/jobs", **options: Any) -> Request:
    options = {"retry": Retry.SUBMIT, "body": b'{"a":1}'} | options
    return Request(method="POST", target=target, name="POST /jobs", **options)
