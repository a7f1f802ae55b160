"""Where a Redis store is: what its URL says, and how to make a connection."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from redis.asyncio import Connection
from redis.asyncio.connection import parse_url
from redis.exceptions import RedisError

from ...abc import Secret
from ...discreet import discreet
from ...errors import ConfigurationError
from .pipeline import RedisConnection

# Found dead after 10 + 3 * 5 s: the kernel asks, so that reading without end needs no timer.
_KEEPALIVE: Final = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}


class Endpoint:
    """A server, the prefix of the store's keys, and what the store demands. Shows none of it.

    `redis://` or `rediss://` (TLS, certificate and name checked), as redis-py reads it. `prefix`, `require_durable`
    and `socket_timeout` (seconds) in the URL's query go before the arguments.
    """

    @discreet
    def __init__(self, url: str, *, prefix: str, require_durable: bool, timeout: timedelta | None) -> None:
        plain, options = _split(url)
        self.require_durable = _truth(options.get("require_durable"), require_durable)
        self.timeout = _seconds(options["socket_timeout"]) if "socket_timeout" in options else timeout
        self.prefix = options.get("prefix", prefix)
        # The braces are the hash tag: all keys of a store live in one slot of a cluster.
        if not re.fullmatch(r"[^{}\s]+", self.prefix):
            raise ConfigurationError("the prefix of a Redis store is a word without braces and blanks")
        self._url = Secret(plain)
        self._options = [name for name, _ in parse_qsl(urlsplit(plain).query) if name.isidentifier()]
        self.dial()

    @property
    def meta(self) -> bytes:
        """The key of the store's own facts, from which the scripts make all others."""
        return f"{{{self.prefix}}}:meta".encode()

    @property
    def stream(self) -> bytes:
        """The key of the stream of changes."""
        return f"{{{self.prefix}}}:changes".encode()

    @discreet
    def dial(self) -> RedisConnection:
        """Make a connection, not yet connected. Time limits are the caller's: one for each pipeline, not each reply."""
        try:
            options: dict[str, Any] = dict(parse_url(self._url.reveal()))
            # Celery's spelling, which is that of Python's constants.
            if isinstance(wanted := options.get("ssl_cert_reqs"), str):
                options["ssl_cert_reqs"] = wanted.lower().removeprefix("cert_")
            usual: dict[str, Any] = {"ssl_check_hostname": True} if "connection_class" in options else {}
            kind: Callable[..., RedisConnection] = options.pop("connection_class", Connection)
            return kind(**(usual | options | _settings()))
        except (TypeError, ValueError, RedisError) as error:
            # redis-py may quote what it could not read.
            said = str(error).replace("SSL Certificate Requirements Flag", "ssl_cert_reqs")
            named = [each for each in self._options if re.search(rf"\b{re.escape(each)}\b", said)]
            what = f"the option `{named[0]}`, or its value," if named else "an option or a value that"
        raise ConfigurationError(f"the URL of the Redis store: {what} is not known")


def _settings() -> dict[str, Any]:
    alive = {getattr(socket, name): value for name, value in _KEEPALIVE.items() if hasattr(socket, name)}
    return {
        "decode_responses": False,
        "protocol": 2,
        "socket_timeout": None,
        "socket_connect_timeout": None,
        "socket_keepalive": True,
        "socket_keepalive_options": alive,
        "health_check_interval": 0,
        "retry_on_timeout": False,
    }


_OURS: Final = {"prefix", "require_durable", "socket_timeout"}


def _split(url: str) -> tuple[str, dict[str, str]]:
    """Part our own options from a URL."""
    try:
        parts = urlsplit(url)
        asked = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        raise ConfigurationError("the URL of the Redis store cannot be read") from None
    if parts.scheme not in {"redis", "rediss"} or not parts.hostname:
        raise ConfigurationError("the URL of a Redis store is `redis://HOST:PORT/NUMBER` or `rediss://...`")
    rest = urlencode([(name, value) for name, value in asked if name not in _OURS])
    return urlunsplit(parts._replace(query=rest)), {name: value for name, value in asked if name in _OURS}


def _truth(text: str | None, usual: bool) -> bool:
    if text is None:
        return usual
    if text.lower() not in _TRUTHS:
        raise ConfigurationError("`require_durable` of the Redis store is `true` or `false`")
    return _TRUTHS[text.lower()]


_TRUTHS: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def _seconds(text: str) -> timedelta:
    try:
        span = timedelta(seconds=float(text))
    except (ValueError, OverflowError):
        span = timedelta(0)
    if span <= timedelta(0):
        raise ConfigurationError("`socket_timeout` of the Redis store is a number of seconds above zero")
    return span
