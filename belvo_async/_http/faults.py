"""What a failed exchange means: may the vendor have received the request, and may it be sent again."""

from __future__ import annotations

from typing import Final

import aiohttp

from ..abc import Request, Response, Retry
from ..descriptors import EXHAUSTED, are_exhausted, lacks_descriptors
from ..errors import TransportError

# Everything the client raises while it sends or reads. ValueError: a header or address that cannot be written;
# RuntimeError: its session or connection was closed under it.
FAULTS: Final = (aiohttp.ClientError, OSError, TimeoutError, ValueError, RuntimeError)

# Read from the top; the first class that fits decides. False: not one byte of the request can have left, because the
# client raises these before it has a connection. What is not listed may have been sent.
_TABLE: Final[tuple[tuple[type[Exception], str, bool], ...]] = (
    (aiohttp.ClientConnectorDNSError, "host not found", False),
    (aiohttp.ClientConnectorCertificateError, "certificate not trusted", False),
    (aiohttp.ClientConnectorSSLError, "TLS handshake failed", False),
    (aiohttp.ClientConnectorError, "connection refused", False),
    (aiohttp.ClientHttpProxyError, "refused by the proxy", False),
    (aiohttp.ConnectionTimeoutError, "no connection in time", False),
    (aiohttp.InvalidURL, "an address that cannot be read", False),
    (aiohttp.NonHttpUrlClientError, "an address that is not http", False),
    (aiohttp.SocketTimeoutError, "timed out: no byte for {silence:g} s", True),
    (TimeoutError, "timed out after {total:g} s", True),
    (aiohttp.ServerDisconnectedError, "connection closed before an answer", True),
    (aiohttp.ClientPayloadError, "the answer was cut short", True),
    (aiohttp.ClientResponseError, "an answer that is not HTTP", True),
    (aiohttp.ClientError, "connection lost", True),
    (OSError, "connection lost", True),
    (RuntimeError, "connection lost", True),
    (ValueError, "a header that cannot be sent", False),
)


def transport_error(error: Exception, request: Request, *, total: float, silence: float) -> TransportError:
    """Say in fixed words what happened to a request.

    The client's own exceptions hold headers and addresses: the caller drops them before it raises this one.
    """
    phrase, maybe_sent = next((words, sent) for kind, words, sent in _TABLE if isinstance(error, kind))
    # A resolver that cannot open its files only says that there is no such host.
    if lacks_descriptors(error) or (isinstance(error, aiohttp.ClientConnectorDNSError) and are_exhausted()):
        phrase = EXHAUSTED
    return TransportError(f"{request.name}: {phrase.format(total=total, silence=silence)}", maybe_sent=maybe_sent)


# Certainly not accepted is 429 alone: a gateway's 502 or 504 may stand before a vendor that went on working.
_STATUSES: Final[dict[Retry, frozenset[int]]] = {
    Retry.SAFE: frozenset({429, 500, 502, 503, 504}),
    Retry.SUBMIT: frozenset({429}),
    Retry.NEVER: frozenset(),
}


def may_repeat(retry: Retry, outcome: Response | TransportError) -> bool:
    """Whether the same request may be sent again after this outcome."""
    if retry is Retry.NEVER:
        return False
    if isinstance(outcome, TransportError):
        return retry is Retry.SAFE or not outcome.maybe_sent
    return outcome.status in _STATUSES[retry] or _is_proxy_refusal(outcome)


def _is_proxy_refusal(response: Response) -> bool:
    """The vendors answer JSON: an HTML 403 comes from the proxy before them, which passed nothing on."""
    return response.status == 403 and (response.headers.get("content-type") or "").lower().startswith("text/html")
