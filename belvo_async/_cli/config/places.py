"""In which line of a TOML file a key stands: its parser tells that of broken syntax only."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias, cast

Path: TypeAlias = tuple[str, ...]

_PART: Final = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_KEYS: Final = rf"{_PART}(?:\s*\.\s*{_PART})*"
_HEADER: Final = re.compile(rf"\s*\[\[?\s*({_KEYS})\s*\]")
_KEY: Final = re.compile(rf"\s*({_KEYS})\s*=")
# What a line holds that is no bracket of its own: texts, then comments.
_TEXTS: Final = re.compile(r""""(?:[^"\\]|\\.)*"|'[^']*'|#.*""")


def line_of(text: str, path: Path) -> int | None:
    """The line, counted from 1, of a key, or of the nearest table that it stands in; None for neither."""
    found: dict[Path, int] = {}
    for number, key in _keys(text):
        for length in range(len(key), 0, -1):
            found.setdefault(key[:length], number)
    return next((found[path[:length]] for length in range(len(path), 0, -1) if path[:length] in found), None)


def _keys(text: str) -> Iterator[tuple[int, Path]]:
    """Each line that begins with a key or a table's heading, and the whole path of it."""
    table: Path = ()
    depth, fence = 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        if fence:
            fence = "" if line.count(fence) % 2 else fence
            continue
        if not depth and (header := _HEADER.match(line)):
            table = _path(header[1])
            yield number, table
            continue
        if not depth and (key := _KEY.match(line)):
            yield number, (*table, *_path(key[1]))
        fence = next((each for each in ('"""', "'''") if line.count(each) % 2), "")
        bare = "" if fence else _TEXTS.sub("", line)
        depth = max(0, depth + bare.count("[") - bare.count("]"))


def _path(keys: str) -> Path:
    """Read a dotted key as the parser does."""
    at: Any = tomllib.loads(f"{keys} = 0")
    path: list[str] = []
    while isinstance(at, Mapping):
        name, at = next(iter(cast("Mapping[str, Any]", at).items()))
        path.append(name)
    return tuple(path)
