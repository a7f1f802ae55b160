"""How taxpayers are named on the page: by the vendor's id; whoever's id is an RFC, by a number."""

from __future__ import annotations

import re
from typing import Final

# Of persons and companies, as the tax office writes them (Anexo 20): not within a UUID, whose digits may look like one.
_RFC: Final = re.compile(r"(?<![A-Z0-9-])[A-ZÑ&]{3,4}[0-9]{6}[A-Z0-9]{3}(?![A-Z0-9-])", re.IGNORECASE)


class Namer:
    """Gives each taxpayer one name. A hash would not do: there are few enough RFCs to try them all."""

    def __init__(self, *, show_taxpayers: bool) -> None:
        self._show_taxpayers = show_taxpayers
        self._numbers: dict[str, int] = {}

    def of(self, text: str) -> str:
        """A text with every RFC in it masked, unless they are to be shown."""
        return text if self._show_taxpayers else _RFC.sub(self._masked, text)

    def _masked(self, found: re.Match[str]) -> str:
        number = self._numbers.setdefault(found.group().upper(), len(self._numbers) + 1)
        return f"taxpayer-{number}"
