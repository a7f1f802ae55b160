"""What a vendor's package offers, read from its public names and types: nothing of it is listed a second time."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar, get_args, get_origin

from ..jobs import Task
from .exchange import Call, Download, Query

T = TypeVar("T")


class Catalogue(NamedTuple):
    """The tasks a vendor takes, by the kind a stored job names, and the types of its queries, calls and files."""

    tasks: Mapping[str, type[Task[Any]]]
    queries: tuple[type[object], ...]
    calls: tuple[type[object], ...]
    downloads: tuple[type[object], ...]


@cache
def catalogue_of(package: str) -> Catalogue:
    """Read the catalogue of a loaded package: what its public names stand for."""
    tasks = {str(each.__struct_config__.tag): each for each in _public(package, Task[Any])}
    return Catalogue(
        tasks=MappingProxyType(tasks),
        queries=_public(package, Query[Any]),
        calls=_public(package, Call[Any]),
        downloads=_public(package, Download),
    )


def _public(package: str, kind: type[T]) -> tuple[type[T], ...]:
    names = vars(sys.modules[package]).items()
    shown = [each for name, each in names if isinstance(each, type) and not name.startswith("_")]
    return tuple(each for each in shown if issubclass(each, get_origin(kind) or kind))


def answer_of(kind: type) -> Any:
    """What a query or a call gives: the type argument of its base, like `Invoice` of a `Query[Invoice]`."""
    bases: tuple[type, ...] = vars(kind).get("__orig_bases__", kind.__bases__)
    for base in bases:
        origin: type = get_origin(base) or base
        if _is_answered(origin):
            return get_args(base)[0] if get_args(base) else answer_of(origin)
    raise TypeError(f"{kind.__name__} is neither a query nor a call")


def _is_answered(kind: type) -> bool:
    return issubclass(kind, Query | Call)
