"""The views that come with a mirror."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files
from typing import Final

from .places.place import Hold
from .spread import INVOICES

_TEXT: Final = "views.sql"
_TABLES: Final = "SELECT table_name FROM information_schema.tables WHERE table_schema = ?"
_NAME: Final = re.compile(r"VIEW \{schema\}\.(\w+)")


def make_views(held: Hold, schema: str) -> tuple[str, ...]:
    """Make them, or make them anew, and name them; () where no invoice was ever mirrored."""
    if INVOICES not in {str(name) for (name,) in held.query(_TABLES, schema)}:
        return ()
    for statement in _statements():
        held.execute(statement.format(schema=schema))
    return tuple(_NAME.findall("".join(_statements())))


def _statements() -> Iterator[str]:
    text = files(__name__.rpartition(".")[0]).joinpath(_TEXT).read_text(encoding="utf-8")
    bare = re.sub(r"^--.*\n", "", text, flags=re.MULTILINE)
    return (each for each in bare.split(";\n") if each.strip())
