"""What is shown of ids: what commands print ends in logs."""

from __future__ import annotations

import re
from typing import Final

from ..vendors.syntage.schema.subjects import RFC

# Not within a UUID, whose last digits may look like one.
_RFC: Final = re.compile(f"(?<![A-Z0-9-]){RFC}(?![A-Z0-9-])", re.IGNORECASE)


def masked(text: str) -> str:
    """A text without the ids of taxpayers."""
    return _RFC.sub("(taxpayer)", text)
