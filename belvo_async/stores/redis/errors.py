"""What a Redis server's refusals and silences mean, in sentences without keys, values, addresses or credentials."""

from __future__ import annotations

import ssl
from typing import Final

from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)

from ...descriptors import EXHAUSTED, lacks_descriptors
from ...errors import StoreError, StoreLostError

LOST: Final = (
    "the server lost its data since this store was opened (it was flushed, or came back without persistence); "
    "open the store again to begin with what is there"
)


class EpochError(StoreLostError):
    """The call names another epoch than the server's, which is `epoch`; `noticed` by the call itself. Nothing was done.

    Never leaves the store unless the server has lost its data.
    """

    epoch = b""
    noticed = False


def refused(error: ResponseError) -> StoreError:
    """A command the server answered with an error. Its own words stay out: they may quote what was sent."""
    word = str(error).split(" ", 1)[0]
    if word in {"LOST", "BACK"}:
        news = EpochError(LOST)
        news.epoch, news.noticed = str(error).partition(" ")[2].encode(), word == "BACK"
        return news
    reason = next((text for kind, text in _REFUSALS if isinstance(error, kind)), None) or _WORDS.get(word)
    return StoreError(f"the Redis server {reason or 'refuses the command'}; nothing was changed")


_REFUSALS: tuple[tuple[type[RedisError], str], ...] = (
    (OutOfMemoryError, "has no memory left and refuses writes"),
    (ReadOnlyError, "is a replica and refuses writes"),
    (NoPermissionError, "does not let this user do that"),
)
_WORDS: Final = {
    "MISCONF": "cannot save to its disk and refuses writes",
    "BUSY": "is busy with another script",
    "NOREPLICAS": "has too few replicas and refuses writes",
    "CLUSTERDOWN": "is part of a cluster that is down",
    "MOVED": "is a cluster node that does not hold this store: name the node that does",
    "WRONGTYPE": "keeps something else under this prefix",
}


def broken(error: Exception) -> StoreError:
    """A connection that could not be made, or broke before anything was sent.

    redis-py's own exception is not made its cause: the frames it came through hold the password.
    """
    reason = next((text for kind, text in _FAULTS if isinstance(error, kind)), "cannot be reached")
    if _is_untrusted(error):
        reason = "shows a TLS certificate that is not trusted: see `ssl_ca_certs` and `ssl_cert_reqs` of redis-py"
    if lacks_descriptors(error):
        reason = f"cannot be reached: {EXHAUSTED}"
    return StoreError(f"the Redis server {reason}; nothing was changed")


def _is_untrusted(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error is not None


_FAULTS: tuple[tuple[type[Exception], str], ...] = (
    (AuthenticationError, "does not accept the credentials of the store's URL"),
    (BusyLoadingError, "is still loading its data"),
    (TimeoutError, "does not answer in time"),
)


def in_doubt() -> StoreError:
    """A connection that broke between sending and reply, and could not be made again."""
    text = "the Redis server was lost before it answered: read again to see whether it was done"
    return StoreError(text, maybe_done=True)
