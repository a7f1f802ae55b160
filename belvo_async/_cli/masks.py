"""What is shown of ids: what commands print ends in logs."""

from __future__ import annotations

import re
from typing import Final, cast

from ..vendors.syntage.schema.forms.subjects import RFC

# Not within a UUID, whose last digits may look like one.
_RFC: Final = re.compile(f"(?<![A-Z0-9-]){RFC}(?![A-Z0-9-])", re.IGNORECASE)


def masked(text: str) -> str:
    """A text without the ids of taxpayers."""
    return _RFC.sub("(taxpayer)", text)


def masked_all(value: object) -> object:
    """A value as JSON has them, its texts without the ids of taxpayers."""
    if isinstance(value, dict):
        return {name: masked_all(each) for name, each in cast("dict[str, object]", value).items()}
    if isinstance(value, list):
        return [masked_all(each) for each in cast("list[object]", value)]
    return masked(value) if isinstance(value, str) else value
