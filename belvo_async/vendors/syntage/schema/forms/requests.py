"""Plain calls by convention: which request one is, its class says; what is sent, its fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Generic, TypeVar, cast

import msgspec
from msgspec.structs import FieldInfo, fields, force_setattr

from .....abc import Call
from .....discreet import discreet
from .....payload import encode_query
from .kinds import camel, check_kind
from .paths import filled, places_of, settle_ids, without_ids
from .subjects import read_id

R_co = TypeVar("R_co", covariant=True)


class OneRequest(Call[R_co], Generic[R_co], frozen=True):
    """One documented operation. A subclass names its `method`, its `path` and its fields; no code is needed.

    `{name}` in the path is the field of that name, an id or its IRI. All other fields are sent under their names in
    camel case: in the query of a GET, else as a JSON body. What is None (or, where null means something, UNSET) is
    left out. `collections` names fields that hold an id, or several, of another collection than their place in the
    path tells: they are sent as IRIs. `headers` names fields that are sent as the header it gives. `media_type` is that
    of the body where it is not the usual one. `is_large`: the answer grows with what Syntage holds. `clearing` names
    tuples that take everything away when they are empty; other empty tuples are refused. `is_repeatable`: a POST that
    is sent twice does no more than one. Raises TaskError.
    """

    method: ClassVar[str]
    path: ClassVar[str]
    collections: ClassVar[Mapping[str, str]] = {}
    headers: ClassVar[Mapping[str, str]] = {}
    is_large: ClassVar[bool] = False
    media_type: ClassVar[str] = ""
    clearing: ClassVar[frozenset[str]] = frozenset()
    is_repeatable: ClassVar[bool] = False

    @discreet
    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            if name not in self.places() and not (name in self.clearing and getattr(self, name) == ()):
                check_kind(self, name)
        settle_ids(self, self.path, self.collections)
        for name in self.collections.keys() - self.places():
            force_setattr(self, name, self._iris(name, getattr(self, name)))

    @classmethod
    def places(cls) -> tuple[str, ...]:
        """The fields that stand in the path."""
        return places_of(cls.path)

    @classmethod
    def label(cls) -> str:
        """The operation without ids, for logs."""
        return f"{cls.method} {without_ids(cls.path)}"

    def target(self) -> str:
        """Give path and query."""
        path = filled(self.path, self)
        query = encode_query(self.query())
        return f"{path}?{query}" if query else path

    def query(self) -> list[tuple[str, str]]:
        """Write what a GET asks, for the query string."""
        if self.method != "GET":
            return []
        return [(name, _written(value)) for name, value in self._said().items()]

    def header_pairs(self) -> tuple[tuple[str, str], ...]:
        """Give the headers that fields are sent as."""
        given = ((header, getattr(self, name)) for name, header in self.headers.items())
        return tuple((header, _written(value)) for header, value in given if value is not None)

    def body(self) -> Mapping[str, object] | None:
        """Give the body that is sent; None where there is none."""
        return self._said() if self.method in ("POST", "PUT", "PATCH") and self._has_body() else None

    def _said(self) -> dict[str, object]:
        given = ((each, getattr(self, each.name)) for each in self._sent())
        return {camel(each.name): value for each, value in given if not _is_left_out(value, each)}

    @classmethod
    def _sent(cls) -> list[FieldInfo]:
        return [each for each in fields(cls) if each.name not in (*cls.places(), *cls.headers)]

    @classmethod
    def _has_body(cls) -> bool:
        return bool(cls._sent())

    def _iris(self, name: str, given: object) -> object:
        collection = self.collections[name]
        if isinstance(given, tuple):
            return tuple(
                f"{collection}/{read_id(each, collection, name)}" for each in cast("tuple[object, ...]", given)
            )
        return f"{collection}/{read_id(given, collection, name)}" if isinstance(given, str) else given


def _is_left_out(value: object, field: FieldInfo) -> bool:
    return value is msgspec.UNSET or (value is None and field.default is None)


def _written(value: object) -> str:
    plain: Any = msgspec.to_builtins(value)
    return str(plain).lower() if isinstance(plain, bool) else str(plain)


class Get(OneRequest[R_co], Generic[R_co], frozen=True):
    """One object by its id, or by its IRI. Raises NotFoundError when Syntage does not know it."""

    method: ClassVar[str] = "GET"

    id: str


class Delete(OneRequest[None], frozen=True):
    """Deletes one object by its id or IRI. Raises NotFoundError when Syntage does not know it.

    So it may be where an earlier attempt had deleted it and its answer was lost.
    """

    method: ClassVar[str] = "DELETE"

    id: str
