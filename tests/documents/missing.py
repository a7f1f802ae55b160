"""What the documents name and no type offers yet.

These sets may only shrink: whoever adds a type, or a filter, deletes its lines here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# Operations, by the names the documents give them.
STILL_MISSING: Final[frozenset[str]] = frozenset()

# Filters of lists that are offered, by operation. Of a field with operators, the field stands for all of them.
MISSING_FILTERS: Final[Mapping[str, frozenset[str]]] = {}
