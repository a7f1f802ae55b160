"""Which place a text names."""

from __future__ import annotations

import re
from typing import Final

from ....discreet import discreet
from ....errors import ConfigurationError
from .place import MirrorPlace

SCHEMA: Final = "fiscal"
_SCHEMA_FORM: Final = re.compile(r"[a-z][a-z0-9_]{0,40}")
_POSTGRES: Final = ("postgresql", "postgres")


@discreet
def open_place(spec: str) -> MirrorPlace:
    """The place that a text names: `duckdb:FILE`, `postgresql://...`; `?schema=NAME` for another one than `fiscal`.

    Raises ConfigurationError for anything else. Nothing is opened yet.
    """
    kind, colon, rest = spec.partition(":")
    schema, rest = _take_schema(rest)
    if colon and kind == "duckdb" and rest:
        from .duckdb import DuckdbPlace

        return DuckdbPlace(rest, schema)
    if colon and kind in _POSTGRES and rest.startswith("//"):
        from .postgres import PostgresPlace

        return PostgresPlace(f"postgresql:{rest}", schema)
    # Of what was given nothing is repeated: there may be a password in it.
    raise ConfigurationError("a mirror is kept in `duckdb:FILE` or `postgresql://HOST/DATABASE`: name one of them")


def _take_schema(rest: str) -> tuple[str, str]:
    place, mark, query = rest.partition("?")
    pairs = query.split("&") if mark else []
    named = [each.partition("=")[2] for each in pairs if each.startswith("schema=")]
    if any(not _SCHEMA_FORM.fullmatch(each) for each in named):
        raise ConfigurationError("the schema of a mirror is written in small letters, digits and _: `?schema=fiscal`")
    left = "&".join(each for each in pairs if not each.startswith("schema="))
    return (named[-1] if named else SCHEMA), place + ("?" + left if left else "")
