"""Where a signing secret goes: a file that only its owner reads, or standard output when somebody asks for it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ...abc import HookEndpoint, Secret
from ...errors import ConfigurationError, UnsupportedError

OWNER_ONLY: Final = 0o600
# Far more than any secret has; what is longer is another file.
_LONGEST: Final = 4096


@dataclass(frozen=True, kw_only=True)
class SecretOutlet:
    """Hands a secret over, once. Without a `place` it is printed."""

    place: Path | None

    def check_free(self) -> None:
        """Make sure, before anything is made at a vendor, that its secret can be kept. Raises ConfigurationError."""
        if self.place is None:
            return
        if not self.place.parent.is_dir():
            raise ConfigurationError(f"there is no directory {self.place.parent} for the file of the secret")
        if os.path.lexists(self.place):
            raise ConfigurationError(f"{self.place} is there already: name a file that is not, or move that one away")

    def holds(self, secret: Secret | None) -> bool:
        """Whether the file is there and holds just this secret."""
        if self.place is None or secret is None:
            return False
        try:
            # A pipe would be waited for, and a device may never end.
            if not self.place.is_file():
                return False
            with self.place.open(encoding="utf-8") as file:
                return secret.matches(file.read(_LONGEST).strip())
        except (OSError, UnicodeDecodeError):
            return False

    def give(self, endpoint: HookEndpoint, variable: str) -> Iterator[str]:
        """Hand the secret of an endpoint over; what to tell of it, line by line."""
        secret = endpoint.secret
        if secret is None:
            raise UnsupportedError(f"the vendor did not tell the signing secret of {endpoint.id}: see its dashboard")
        if self.place is None:
            yield f"{variable}={secret.reveal()}"
            return
        if not self.holds(secret):
            self.check_free()
            write_secret(self.place, secret)
        yield f"its signing secret is in {self.place}, which only its owner reads; {variable} takes it"


def write_secret(place: Path, secret: Secret) -> None:
    """Write a new file that only its owner reads, whole or not at all. Raises OSError where there is one already."""
    handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"{secret.reveal()}\n")
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with suppress(FileNotFoundError):
            place.unlink()
        raise
