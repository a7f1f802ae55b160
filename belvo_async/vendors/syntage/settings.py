"""What a Syntage account is configured with, checked: the address, the key, the secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from ...abc import Secret
from ...errors import ConfigurationError

__all__ = ["ORIGINS", "read_key", "read_origin", "read_secrets"]

# guides/api/environments
ORIGINS: Mapping[str, str] = MappingProxyType(
    {"production": "https://api.syntage.com", "sandbox": "https://api.sandbox.syntage.com"}
)
_LOOPBACK: Final = re.compile(r"localhost|127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}|::1")
_KEY: Final = re.compile(r"[\x21-\x7e]{1,512}")
# Syntage's own secrets have 32 characters; a short one can be guessed.
_SHORTEST_SECRET: Final = 16


def read_key(api_key: str) -> Secret:
    """Take a key that a header can carry."""
    if not _KEY.fullmatch(api_key):
        raise ConfigurationError("the Syntage API key is empty or holds characters that no header can carry")
    return Secret(api_key)


def read_origin(base_url: str | None, environment: str, name: str = "the Syntage base URL") -> str:
    """Give scheme, host and port: of the environment, or of an address that may stand in for it."""
    if base_url is None and environment not in ORIGINS:
        raise ConfigurationError("the Syntage environment is neither sandbox nor production")
    try:
        parts = urlsplit(ORIGINS[environment] if base_url is None else base_url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ConfigurationError(f"{name} cannot be read") from None
    if parts.scheme != "https" and not (parts.scheme == "http" and _LOOPBACK.fullmatch(host)):
        raise ConfigurationError(f"{name} must be https; http is for loopback only")
    if not host or "@" in parts.netloc or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ConfigurationError(f"{name} must be scheme and host only, without user, path or query")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port is not None else "")


def read_secrets(given: str | Sequence[str]) -> tuple[Secret, ...]:
    """Take one or several signing secrets."""
    texts = (given,) if isinstance(given, str) else tuple(given)
    if any(len(text) < _SHORTEST_SECRET for text in texts):
        raise ConfigurationError(f"a Syntage webhook secret has fewer than {_SHORTEST_SECRET} characters")
    return tuple(Secret(text) for text in texts)
