"""Where credentials may go, and how long an answer may take from there. Pure."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import urlsplit

from .errors import ConfigurationError

# All of 127.0.0.0/8 is this machine.
_LOOPBACK = re.compile(r"localhost|127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}|::1")
_STANDARD_PORTS = {"https": 443, "http": 80}


def read_origin(base_url: object, name: str = "base_url") -> str:
    """Reduce an address to scheme, host and port, alike for every spelling of one origin: an account's name holds it.

    https, or http on loopback. Raises ConfigurationError under `name`, which never repeats the address: it may hold a
    password.
    """
    if not isinstance(base_url, str):
        raise ConfigurationError(f"{name} must be a text like https://api.example.com")
    try:
        parts = urlsplit(base_url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ConfigurationError(f"{name} cannot be read") from None
    if parts.scheme not in _STANDARD_PORTS or not host or any(char in base_url for char in "\\ \t\r\n"):
        raise ConfigurationError(f"{name} must be like https://api.example.com")
    if parts.scheme == "http" and not _LOOPBACK.fullmatch(host):
        raise ConfigurationError(f"{name} must be https: credentials go there (http only on loopback)")
    if "@" in parts.netloc or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ConfigurationError(f"{name} must hold only scheme, host and port")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + ("" if port in (None, _STANDARD_PORTS[parts.scheme]) else f":{port}")


def read_timeout(timeout: object) -> timedelta | None:
    """Take how long a vendor's answer may take, None for the usual. Raises ConfigurationError."""
    if timeout is None:
        return None
    if not isinstance(timeout, timedelta) or timeout <= timedelta(0):
        raise ConfigurationError("timeout must be a timedelta above zero, such as timedelta(minutes=5)")
    return timeout
