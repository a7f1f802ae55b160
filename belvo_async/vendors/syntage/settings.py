"""What a Syntage account is configured with, checked: the address, the key, the secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, cast

from ...abc import Secret
from ...errors import ConfigurationError
from ...origins import is_safe_url

# guides/api/environments
ORIGINS: Final[Mapping[str, str]] = {
    "sandbox": "https://api.sandbox.syntage.com",
    "production": "https://api.syntage.com",
}
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


def read_secrets(given: object) -> tuple[Secret, ...]:
    """Take one or several signing secrets."""
    texts: object = (given,) if isinstance(given, str) else given
    if not isinstance(texts, Sequence):
        raise ConfigurationError("the Syntage webhook secrets must be a text or a sequence of texts")
    return tuple(_read_secret(text) for text in cast("Sequence[object]", texts))


def _read_secret(given: object) -> Secret:
    if not isinstance(given, str) or len(given) < _SHORTEST_SECRET:
        raise ConfigurationError(f"a Syntage webhook secret must be a text of at least {_SHORTEST_SECRET} characters")
    if not given.isprintable() or given != given.strip():
        # Read from a file or pasted, it would sign nothing that Syntage signs: every delivery would be refused.
        raise ConfigurationError("a Syntage webhook secret has a line break, or blanks at its ends: cut them off")
    return Secret(given)


def read_webhook_url(given: object, name: str = "webhook_url") -> str | None:
    """Take where deliveries are to come, or None. It is not repeated: it may hold a password."""
    if given is not None and not is_safe_url(given):
        raise ConfigurationError(
            f"{name} must be an https address like https://example.com/webhooks (http on loopback)"
        )
    return cast("str | None", given)
