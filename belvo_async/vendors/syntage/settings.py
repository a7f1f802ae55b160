"""What a Syntage account is configured with, checked: the address, the key, the secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, cast
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


def read_key(api_key: object) -> Secret:
    """Take a key that a header can carry."""
    if not isinstance(api_key, str) or not _KEY.fullmatch(api_key):
        raise ConfigurationError(
            "the Syntage API key is no text, is empty or holds characters that no header can carry"
        )
    return Secret(api_key)


def read_origin(base_url: object, environment: object, name: str = "the Syntage base URL") -> str:
    """Give scheme, host and port: of the environment, or of an address that may stand in for it."""
    if base_url is None:
        base_url = ORIGINS.get(environment) if isinstance(environment, str) else None
        if base_url is None:
            raise ConfigurationError("the Syntage environment is neither sandbox nor production")
    if not isinstance(base_url, str):
        raise ConfigurationError(f"{name} must be a text")
    try:
        parts = urlsplit(base_url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise ConfigurationError(f"{name} cannot be read") from None
    if parts.scheme != "https" and not (parts.scheme == "http" and _LOOPBACK.fullmatch(host)):
        raise ConfigurationError(f"{name} must be https; http is for loopback only")
    if not host or "@" in parts.netloc or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ConfigurationError(f"{name} must be scheme and host only, without user, path or query")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port is not None else "")


def read_secrets(given: object) -> tuple[Secret, ...]:
    """Take one or several signing secrets."""
    texts: object = (given,) if isinstance(given, str) else given
    if not isinstance(texts, Sequence):
        raise ConfigurationError("the Syntage webhook secrets must be a text or a sequence of texts")
    return tuple(_read_secret(text) for text in cast("Sequence[object]", texts))


def _read_secret(given: object) -> Secret:
    if not isinstance(given, str) or len(given) < _SHORTEST_SECRET:
        raise ConfigurationError(f"a Syntage webhook secret must be a text of at least {_SHORTEST_SECRET} characters")
    return Secret(given)
