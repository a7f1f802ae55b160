"""The object storage downloads are redirected to: an origin of its own that must never see an API key."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from urllib.parse import urlsplit

from aiohttp import web

from ...faults import Dice
from ...wire import SECRET_HEADERS, Incoming, SeenRequest, address
from .held import HeldFile

DownloadFault = Literal["cut_body", "expired", "server_error"]
# "Short-lived" is all the vendor says of its links; presigned links of object stores often live five minutes.
LINK_LIFE: Final = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class _Link:
    file: HeldFile
    until: datetime


class Storage:
    """Serves files by presigned link: no login, and any request that carries one is refused.

    `requests` holds every download tried; one that leaked a credential has status 403.
    """

    def __init__(self, *, host: str, port: int, dice: Dice, now: Callable[[], datetime]) -> None:
        self.url = ""
        self.requests: list[SeenRequest] = []
        self.faults: list[DownloadFault] = []
        self._host, self._port = host, port
        self._signatures = dice.stream("storage_links")
        self._now = now
        self._links: dict[str, _Link] = {}
        self._runner: web.AppRunner | None = None
        self._taken = port

    async def start(self) -> None:
        """Listen; port 0 takes any free one."""
        app = web.Application()
        app.router.add_get("/{tail:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()
        self._taken = self._runner.addresses[0][1]
        self.url = address(self._host, self._taken)

    async def close(self) -> None:
        """Stop listening. Closing twice is harmless."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    def link(self, file: HeldFile, call: Incoming) -> str:
        """Give a fresh link to a file, good for `LINK_LIFE`, at the host by whose name the client came.

        A container's port map must give this port under its own number.
        """
        host = urlsplit(call.origin(self.url)).hostname or self._host
        signature = f"{self._signatures.getrandbits(256):064x}"
        now = self._now()
        self._links = {key: link for key, link in self._links.items() if link.until > now}
        self._links[signature] = _Link(file=file, until=now + LINK_LIFE)
        seconds = int(LINK_LIFE.total_seconds())
        query = f"X-Amz-Expires={seconds}&X-Amz-Signature={signature}"
        return f"{address(host, self._taken)}/{file.id}.{file.extension}?{query}"

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        seen = SeenRequest(
            method=request.method,
            path=request.path,
            query={},  # it holds the signature, which opens the file
            headers={name: value for name, value in request.headers.items() if name.lower() not in SECRET_HEADERS},
            body=b"",
            at=self._now(),
        )
        self.requests.append(seen)
        seen.fault = self.faults.pop(0) if self.faults else None
        response = await self._answer(request, seen)
        seen.status = response.status
        return response

    async def _answer(self, request: web.Request, seen: SeenRequest) -> web.StreamResponse:
        if len(seen.headers) != len(request.headers):
            return _refusal(403, "AccessDenied", "Credentials of another origin are refused: come without them.")
        if seen.fault == "server_error":
            return _refusal(500, "InternalError", "We encountered an internal error. Please try again.")
        link = self._links.get(request.query.get("X-Amz-Signature", ""))
        if link is None or link.until <= self._now() or seen.fault == "expired":
            return _refusal(403, "AccessDenied", "Request has expired")
        return await self._stream(request, link.file, is_cut=seen.fault == "cut_body")

    async def _stream(self, request: web.Request, file: HeldFile, *, is_cut: bool) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Disposition": f'attachment; filename="{file.filename}"'})
        response.content_type = file.mime_type
        response.content_length = file.size
        # A client may stop a download whenever it likes: no error of the storage.
        with contextlib.suppress(ConnectionError):
            await _write(request, response, file, file.size // 2 if is_cut else file.size)
        if is_cut and request.transport is not None:
            request.transport.close()
        return response


async def _write(request: web.Request, response: web.StreamResponse, file: HeldFile, left: int) -> None:
    await response.prepare(request)
    for chunk in file.chunks():
        await response.write(chunk[:left])
        left -= len(chunk)
        if left <= 0:
            break


def _refusal(status: int, code: str, text: str) -> web.Response:
    body = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{text}</Message></Error>'
    return web.Response(status=status, body=body.encode(), content_type="application/xml")
