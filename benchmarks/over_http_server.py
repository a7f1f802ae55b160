"""The vendor's end of `over_http.py`: pages of invoices in Belvo's form, made beforehand.

    python benchmarks/over_http_server.py LINK PAGES MEGABYTES DELAY_SECONDS

Serves PAGES pages that hold MEGABYTES together, each DELAY_SECONDS after it was asked for. Invoices of LINK are
generated, every documented field but `xml`, each with an id of its own. Prints its address once it listens.
"""

from __future__ import annotations

import asyncio
import re
import sys
import uuid
from collections.abc import Iterator
from datetime import date
from itertools import cycle, islice

import msgspec

from belvo_async.simulator import BelvoSimulator

# Different invoices; the others repeat them under other ids.
POOL = 1000
PIECE_BYTES = 1024 * 1024
_PAGE = re.compile(rb"[?&]page=(\d+)")


def invoices(link: str) -> Iterator[bytes]:
    """Rows of a link, without end."""
    simulator = BelvoSimulator(seed=7, links=1, invoices_per_year=POOL)
    rows = simulator.invoices(simulator.links[0], date(2025, 1, 1), date(2025, 12, 31))
    encoder = msgspec.json.Encoder(decimal_format="number")
    halves: list[tuple[bytes, bytes]] = []
    for row in rows:
        whole = encoder.encode({key: value for key, value in (row | {"link": link}).items() if key != "xml"})
        before, after = whole.split(b'"' + row["id"].encode() + b'"', 1)
        halves.append((before, after))
    for number, (before, after) in enumerate(cycle(halves)):
        yield before + b'"%s"' % str(uuid.UUID(int=number, version=4)).encode() + after


def make_pages(link: str, pages: int, size_bytes: int) -> tuple[list[bytes], int]:
    """The rows of each page, as many on one as on another, and how many there are in all."""
    source = invoices(link)
    sample = list(islice(source, POOL))
    per_page = max(1, round(size_bytes / pages / (sum(map(len, sample)) / len(sample))))
    return [b",".join(islice(source, per_page)) for _ in range(pages)], pages * per_page


class Pages:
    def __init__(self, pages: list[bytes], count: int, delay_seconds: float) -> None:
        self._pages = pages
        self._count = count
        self._delay_seconds = delay_seconds
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection's requests, one after the other."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await asyncio.sleep(self._delay_seconds)
                found = _PAGE.search(head.split(b"\r\n", 1)[0])
                await self._send(writer, int(found.group(1)) if found else 1)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _send(self, writer: asyncio.StreamWriter, number: int) -> None:
        rows = self._pages[number - 1]
        following = f"{self.url}/api/invoices/?page_size=1000&page={number + 1}" if number < len(self._pages) else None
        start = b'{"count":%d,"next":%s,"previous":null,"results":[' % (self._count, msgspec.json.encode(following))
        length = len(start) + len(rows) + 2
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % length)
        writer.write(start)
        view = memoryview(rows)
        for place in range(0, len(rows), PIECE_BYTES):
            writer.write(view[place : place + PIECE_BYTES])
            await writer.drain()
        writer.write(b"]}")


async def main(link: str, pages: int, megabytes: float, delay_seconds: float) -> None:
    vendor = Pages(*make_pages(link, pages, int(megabytes * 1e6)), delay_seconds)
    server = await asyncio.start_server(vendor.serve, "127.0.0.1", 0)
    vendor.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    print(vendor.url, flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])))
