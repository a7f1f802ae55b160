"""Guards: the few fields of a row by which it is kept and known, when the row itself becomes a type of the caller's."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import Any, cast, get_args

import msgspec

from .schema.record import Dated, Part


@cache
def guard_of(record: type[Part], paths: frozenset[str]) -> type[Part]:
    """Make a struct of just those fields of a record that the paths name; `taxpayer.id` needs one of two parts.

    What looks at a record by these attributes sees the same in a guard of the same row.
    """
    wanted: dict[str, set[str]] = defaultdict(set)
    for path in paths:
        name, _, below = path.partition(".")
        wanted[name] |= {below} - {""}
    fields = [
        (each.name, _kind(each.type, wanted[each.name]), msgspec.field(default=None, name=each.encode_name))
        for each in msgspec.structs.fields(record)
        if each.name in wanted
    ]
    known: tuple[str, ...] = getattr(record, "_instants")  # noqa: B009 - protected, and meant for this
    instants = tuple(name for name in known if name in wanted)
    guard = msgspec.defstruct(
        f"{record.__name__}Guard",
        fields,
        bases=(Dated if instants else Part,),
        module=__name__,
        namespace={"_instants": instants},
        frozen=True,
        kw_only=True,
    )
    return cast("type[Part]", guard)


def _kind(kind: Any, below: set[str]) -> Any:
    if not below:
        return kind
    nested = next(each for each in get_args(kind) if isinstance(each, type) and issubclass(each, Part))
    return guard_of(nested, frozenset(below)) | None
