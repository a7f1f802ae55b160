"""Where credentials may go: the origin that is configured, and of a vendor's links what is asked of it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from .discreet import discreet
from .errors import ConfigurationError, PayloadError

# All of 127.0.0.0/8 is this machine.
_LOOPBACK: Final = re.compile(r"localhost|127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}|::1")
_STANDARD_PORTS: Final = {"https": 443, "http": 80}


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


def is_safe_url(url: object) -> bool:
    """Whether deliveries may go to an address: https, or http on loopback, with a host and without a password."""
    if not isinstance(url, str) or not url.isascii() or not url.isprintable() or any(char in url for char in "\\ "):
        return False
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    if not host or "@" in parts.netloc:
        return False
    return bool(parts.scheme == "https" or (parts.scheme == "http" and bool(_LOOPBACK.fullmatch(host))))


def shown_url(url: str) -> str:
    """An address for readers and logs: without what may be a password in it (user, query, fragment)."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "(an address that cannot be read)"
    name = f"[{host}]" if ":" in host else host
    rest = "?..." if parts.query or parts.fragment else ""
    return f"{parts.scheme}://{name}{'' if port is None else f':{port}'}{parts.path}{rest}"


def choose_origin(
    base_url: object,
    environment: object,
    origins: Mapping[str, str],
    *,
    names: tuple[str, str] = ("base_url", "environment"),
) -> str:
    """Give the origin of an environment, or of the address that stands in for it. Raises ConfigurationError."""
    known = origins.get(environment) if isinstance(environment, str) else None
    if known is None:
        raise ConfigurationError(f"{names[1]} must be {' or '.join(origins)}")
    return known if base_url is None else read_origin(base_url, names[0])


@discreet
def local_target(link: str, *, path: str | None = None) -> str:
    """Reduce a link the vendor gave to path and query, or raise PayloadError for one of a form that is not followed.

    Whatever origin it names, it is asked of the configured one, where alone credentials go: behind a relay or a proxy
    that ends TLS, vendors name addresses that are not ours to ask. With `path`, it must stay on that path. Relative
    links and percent-encoding are kept word for word.
    """
    if any(char in link for char in "\\\t\r\n "):
        raise PayloadError("a link of a form that is not followed")
    try:
        parts = urlsplit(link)
    except ValueError:
        raise PayloadError("a link that cannot be read") from None
    if parts.scheme not in ("", "http", "https") or not parts.path.startswith("/") or "/.." in parts.path:
        raise PayloadError("a link of a form that is not followed")
    if path is not None and parts.path != path:
        raise PayloadError("a link that leaves its collection")
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
