"""Paths with places for ids: `/shareholders/{shareholder}/relations`, each filled from the field of its name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, cast
from urllib.parse import quote

import msgspec
from msgspec.structs import force_setattr

from .subjects import read_id

_PLACE: Final = re.compile(r"\{(\w+)\}")


def places_of(path: str) -> tuple[str, ...]:
    """The fields that stand in a path."""
    return tuple(_PLACE.findall(path))


def without_ids(path: str) -> str:
    """Write a path as logs name it."""
    return _PLACE.sub("{id}", path)


def filled(path: str, holder: object) -> str:
    """Put the ids that an object holds into a path."""
    return _PLACE.sub(lambda each: quote(cast("str", getattr(holder, each[1])), safe=""), path)


def settle_ids(holder: msgspec.Struct, path: str, collections: Mapping[str, str]) -> None:
    """Bring the ids of a path, which may be IRIs, to their bare form. Raises TaskError.

    The collection an id belongs to is what stands before it in the path, or what `collections` names.
    """
    for place in places_of(path):
        collection = collections.get(place) or filled(path[: path.index(f"/{{{place}}}")], holder)
        force_setattr(holder, place, read_id(getattr(holder, place), collection, place))
