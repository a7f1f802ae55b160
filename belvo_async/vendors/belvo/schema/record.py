"""What all records share."""

from __future__ import annotations

from decimal import Decimal
from typing import TypeAlias

import msgspec

Amount: TypeAlias = Decimal | None
"""An exact amount, rate or quantity; None where the form leaves it empty."""

Text: TypeAlias = str | None
"""A text; None where the form leaves it empty."""


class Record(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One object of Belvo's, as it was when it was read. Its repr shows no data but Belvo's own id."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({getattr(self, 'id', '***')})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [("id", getattr(self, "id", "***"))]
