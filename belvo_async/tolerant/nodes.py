"""The second reading of a value, by its type: what fits is taken as it is, what does not is taken apart.

Every part is first given to the strict decoder of its own type, so that whatever fits comes out as it would have. Only
a part that does not is written in the other ways that say the same, or opened; what is left then is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from functools import cache, cached_property
from typing import Any, Final, NamedTuple, TypeAlias, cast

import msgspec
from msgspec import inspect

from ..errors import PayloadError
from ..payload import UNREADABLE, check_numbers
from .kinds import ANYTHING, OBJECTS, annotation, members, scalars
from .rewrites import elements_of, rewrites, says_nothing
from .texts import exact, written

UNFIT: Final = (*UNREADABLE, PayloadError, TypeError)
"""What a decoder raises for what does not fit. TypeError: a value that cannot be hashed where the type asks for a set.
"""

# What records of any make may raise when they are built of parts that each fit, or are None where their types do not
# say so.
_UNBUILDABLE: Final = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)

_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ITEMS: Final = msgspec.json.Decoder(list[msgspec.Raw])


# Values of these have no Decimal to be checked.
_NO_NUMBERS: Final = frozenset(
    {inspect.NoneType, inspect.StrType, inspect.BoolType, inspect.IntType, inspect.DateType, inspect.DateTimeType}
)


class Outcome(Enum):
    """What comes of a reading that gives no value."""

    NOTHING = "nothing"
    """The value says that there is none, in one way or another: `""`, `[]`, `{}`, null."""
    UNREAD = "unread"
    """No reading fits: to be told."""


Read: TypeAlias = object
"""A value, or an Outcome."""


class Where(NamedTuple):
    """Where a value stands: by the vendor's names, and by the attributes that lead to it."""

    path: str
    attribute: str = ""

    def field(self, encoded: str, name: str) -> Where:
        """The place of a field."""
        return Where(f"{self.path}.{encoded}", f"{self.attribute}.{name}" if self.attribute else name)

    def item(self, index: int) -> Where:
        """The place of an element of an array."""
        return Where(f"{self.path}[{index}]", self.attribute)

    def key(self) -> Where:
        """The place of a value of a mapping, whose keys are the vendor's data and stay out of paths."""
        return Where(f"{self.path}[...]", self.attribute)


class Told(NamedTuple):
    """A value that could not be read."""

    place: Where
    raw: bytes

    @classmethod
    def of(cls, path: str, raw: bytes) -> Told:
        """Tell of a whole row."""
        return cls(Where(path), raw)

    def __repr__(self) -> str:
        return f"Told({self.place.path})"


def node_of(kind: inspect.Type) -> Node:
    """The reading of a type. Raises TypeError for one that no second reading is known for."""
    return _object_node(kind.cls) if isinstance(kind, OBJECTS) else Node(kind)


@cache
def _object_node(cls: Any) -> Node:
    return Node(inspect.type_info(cls))


class Node:
    """Reads values of one type."""

    def __init__(self, kind: inspect.Type) -> None:
        self._kinds = members(kind)
        self._decoder: msgspec.json.Decoder[object] = msgspec.json.Decoder(annotation(kind), float_hook=exact)
        self._scalars = scalars(self._kinds)
        self._holds_numbers = not _NO_NUMBERS.issuperset(map(type, self._kinds))
        self.admits_none = ANYTHING in self._kinds or inspect.NoneType() in self._kinds

    def read(self, raw: bytes, at: Where, told: list[Told]) -> Read:
        """Give the value, or an Outcome; tell of its parts that could not be read."""
        value = self.fit(raw)
        return self.reread(raw, at, told) if value is Outcome.UNREAD else value

    def fit(self, raw: bytes) -> Read:
        """Decode strictly; UNREAD for what does not fit."""
        try:
            value = self._decoder.decode(raw)
            if self._holds_numbers:
                check_numbers(value)
        except UNFIT:
            return Outcome.UNREAD
        return value

    def reread(self, raw: bytes, at: Where, told: list[Told]) -> Read:
        """Read what does not fit as it stands."""
        if says_nothing(raw):
            return self.empty(raw)
        readings: Sequence[Callable[[bytes, Where, list[Told]], Read]] = {
            b"{": (self._open_object, self._open_mapping, self._open_array),
            b"[": (self._open_array, self._take_only),
        }.get(raw[:1], (self._rewrite, self._open_array))
        for reading in readings:
            value = reading(raw, at, told)
            if value is not Outcome.UNREAD:
                return value
        return Outcome.UNREAD

    def empty(self, raw: bytes) -> Read:
        """What stands for nothing: an empty one of the type where the value is an empty one of another."""
        if raw[:1] == b"{" and self._array is not None:
            return self._array.build([])
        if raw[:1] == b"[" and self._mapping is not None:
            return self._mapping.build({})
        return Outcome.NOTHING

    def least(self) -> object:
        """The emptiest value of the type; None where it has none."""
        if self._array is not None:
            return self._array.build([])
        if self._mapping is not None:
            return self._mapping.build({})
        return next((each.least() for each in self._objects), None)

    # What the type is made of. Looked up when first needed: types may hold themselves.

    @cached_property
    def _objects(self) -> Sequence[_Object]:
        return [_Object(each) for each in self._kinds if isinstance(each, OBJECTS)]

    @cached_property
    def _array(self) -> _Array | None:
        return next((_Array(each) for each in self._kinds if type(each) in _BUILDERS), None)

    @cached_property
    def _mapping(self) -> _Mapping | None:
        return next((_Mapping(each) for each in self._kinds if isinstance(each, inspect.DictType)), None)

    # The readings.

    def _rewrite(self, raw: bytes, at: Where, told: list[Told]) -> Read:
        """Read a text, a number or a flag as another that says the same."""
        for text in rewrites(raw, self._scalars):
            value = self.fit(text)
            if value is not Outcome.UNREAD:
                return value
        return Outcome.UNREAD

    def _open_object(self, raw: bytes, at: Where, told: list[Told]) -> Read:
        found = _decoded(_MEMBERS, raw)
        if found is None:
            return Outcome.UNREAD
        meant = [each for each in self._objects if each.is_meant(found)]
        return meant[0].read(found, at, told) if len(meant) == 1 else Outcome.UNREAD

    def _open_mapping(self, raw: bytes, at: Where, told: list[Told]) -> Read:
        found = _decoded(_MEMBERS, raw) if self._mapping is not None else None
        return self._mapping.read(found, at, told) if self._mapping and found is not None else Outcome.UNREAD

    def _open_array(self, raw: bytes, at: Where, told: list[Told]) -> Read:
        """Read an array, one element without its array, or the object that PHP makes of an array with gaps."""
        array = self._array
        items: Sequence[msgspec.Raw] | None = None
        if raw[:1] == b"[":
            items = _decoded(_ITEMS, raw)
            positional = [each for each in self._objects if each.is_positional]
            if items is not None and len(positional) == 1:
                return positional[0].read(positional[0].named(items), at, told)
        elif raw[:1] == b"{":
            found: Mapping[str, msgspec.Raw] = _decoded(_MEMBERS, raw) or {"": msgspec.Raw(raw)}
            items = elements_of(found)
        if array is None:
            return Outcome.UNREAD
        return array.read_sole(raw, at, told) if items is None else array.read(items, at, told)

    def _take_only(self, raw: bytes, at: Where, told: list[Told]) -> Read:
        """Read the one element of an array that should not be there."""
        items: Sequence[msgspec.Raw] = _decoded(_ITEMS, raw) or []
        if len(items) != 1:
            return Outcome.UNREAD
        only = bytes(items[0])
        value = self.fit(only)
        if value is Outcome.UNREAD and only[:1] != b"[":
            value = (self._open_object if only[:1] == b"{" else self._rewrite)(only, at, told)
        return value


class _Field(NamedTuple):
    name: str
    encoded: str
    node: Node
    is_required: bool


class _Object:
    """Reads objects of one type, field by field."""

    def __init__(self, kind: inspect.Type) -> None:
        self._kind = cast("inspect.StructType", kind)  # what differs between the makes of records is asked for by name
        self._cls: Callable[..., object] = dict if isinstance(kind, inspect.TypedDictType) else self._kind.cls
        self.is_positional = isinstance(kind, inspect.NamedTupleType) or getattr(kind, "array_like", False)
        self._tag_field: str | None = getattr(kind, "tag_field", None)
        self._is_closed: bool = getattr(kind, "forbid_unknown_fields", False)

    @cached_property
    def _fields(self) -> Sequence[_Field]:
        return [_Field(each.name, each.encode_name, node_of(each.type), each.required) for each in self._kind.fields]

    def named(self, items: Sequence[msgspec.Raw]) -> Mapping[str, msgspec.Raw]:
        """Name the elements of an array that stands for an object."""
        tag = [] if self._tag_field is None else [self._tag_field]
        return dict(zip([*tag, *(each.encoded for each in self._fields)], items, strict=False))

    def is_meant(self, found: Mapping[str, msgspec.Raw]) -> bool:
        """Whether an object may be of this type: of several in a union, the tag tells which."""
        if self._tag_field is None:
            return not self.is_positional
        return self._tag_field in found and found[self._tag_field] == msgspec.Raw(msgspec.json.encode(self._kind.tag))

    def read(self, found: Mapping[str, msgspec.Raw], at: Where, told: list[Told]) -> Read:
        """Read the fields that are there; None, or the default, is what one that cannot be read becomes."""
        values: dict[str, object] = {}
        for field in self._fields:
            raw = found.get(field.encoded)
            if raw is not None or field.is_required:
                values |= self._read_field(field, raw, at.field(field.encoded, field.name), told)
        if self._is_closed:
            known = {self._tag_field, *(each.encoded for each in self._fields)}
            told += [Told(at.key(), bytes(raw)) for key, raw in found.items() if key not in known]
        return self._build(values, found, at, told)

    def _read_field(self, field: _Field, raw: msgspec.Raw | None, at: Where, told: list[Told]) -> Mapping[str, object]:
        """Give the field with its value; without one, its default will do."""
        value = Outcome.UNREAD if raw is None else field.node.read(bytes(raw), at, told)
        if not isinstance(value, Outcome):
            return {field.name: value}
        if value is Outcome.UNREAD:
            told.append(Told(at, b"" if raw is None else bytes(raw)))
        if field.node.admits_none or (field.is_required and value is Outcome.UNREAD):
            return {field.name: None}
        return {field.name: field.node.least()} if field.is_required else {}

    def _build(
        self, values: Mapping[str, object], found: Mapping[str, msgspec.Raw], at: Where, told: list[Told]
    ) -> Read:
        """Make the record; where it does not like a value (in `__post_init__`, say), without that one."""
        try:
            return self._cls(**values)
        except _UNBUILDABLE:
            pass
        kept: dict[str, object] = {each.name: None for each in self._fields if each.is_required}
        refused: list[Told] = []
        for field in self._fields:
            if field.name in values:
                try:
                    self._cls(**{**kept, field.name: values[field.name]})
                except _UNBUILDABLE:
                    raw = bytes(found.get(field.encoded, b""))
                    refused.append(Told(at.field(field.encoded, field.name), raw))
                else:
                    kept[field.name] = values[field.name]
        try:
            built = self._cls(**kept)
        except _UNBUILDABLE:
            return Outcome.UNREAD
        told += refused
        return built

    def least(self) -> object:
        """One without any field; None where one is required."""
        if any(each.is_required for each in self._fields):
            return None
        built = self._build({}, {}, Where(""), [])
        return None if isinstance(built, Outcome) else built


_BUILDERS: Final[Mapping[type[inspect.Type], Callable[[list[object]], object]]] = {
    inspect.ListType: list,
    inspect.VarTupleType: tuple,
    inspect.SetType: set,
    inspect.FrozenSetType: frozenset,
    inspect.TupleType: tuple,
}


class _Array:
    """Reads the elements of arrays. One that says nothing, or that cannot be read, becomes None at its place."""

    def __init__(self, kind: inspect.Type) -> None:
        self._kind = kind
        self.build = _BUILDERS[type(kind)]
        if isinstance(kind, inspect.TupleType):
            items = kind.item_types
            self._sizes: tuple[int, float] = (len(items), len(items))
        else:
            items = (cast("inspect.CollectionType", kind).item_type,)
            self._sizes = _sizes(kind)
        self._nodes = [node_of(each) for each in items]

    def read_sole(self, raw: bytes, at: Where, told: list[Told]) -> Read:
        """Read one element that stands without its array."""
        low, high = self._sizes
        value = self._nodes[0].read(raw, at, told) if low <= 1 <= high else Outcome.UNREAD
        return value if isinstance(value, Outcome) else self._made([value])

    def read(self, items: Sequence[msgspec.Raw], at: Where, told: list[Told]) -> Read:
        """Read each; UNREAD when there are more or fewer than the type takes."""
        low, high = self._sizes
        if not low <= len(items) <= high:
            return Outcome.UNREAD
        values: list[object] = []
        lost: list[Told] = []
        for index, item in enumerate(items):
            raw, place = bytes(item), at.item(index)
            value = self._nodes[index % len(self._nodes)].read(raw, place, lost)
            if value is Outcome.UNREAD:
                lost.append(Told(place, raw))
            values.append(None if isinstance(value, Outcome) else value)
        built = self._made(values)
        told += [] if built is Outcome.UNREAD else lost
        return built

    def _made(self, values: list[object]) -> Read:
        try:
            return self.build(values)
        except TypeError:  # a set of what cannot be hashed
            return Outcome.UNREAD


class _Mapping:
    """Reads the values of mappings. One that says nothing, or that cannot be read, becomes None under its key."""

    def __init__(self, kind: inspect.DictType) -> None:
        self.build: Callable[[Any], object] = dict
        self._key = node_of(kind.key_type)
        self._value = node_of(kind.value_type)
        self._sizes = _sizes(kind)

    def read(self, found: Mapping[str, msgspec.Raw], at: Where, told: list[Told]) -> Read:
        """Read each value; one whose key cannot be read is told and left out."""
        low, high = self._sizes
        if not low <= len(found) <= high:
            return Outcome.UNREAD
        values: dict[Any, object] = {}
        for name, item in found.items():
            raw, place = bytes(item), at.key()
            key = self._key.read(written(name), place, told)
            value = self._value.read(raw, place, told)
            if value is Outcome.UNREAD or isinstance(key, Outcome):
                told.append(Told(place, raw))
            if not isinstance(key, Outcome):
                values[key] = None if isinstance(value, Outcome) else value
        return self.build(values)


def _sizes(kind: inspect.Type) -> tuple[int, float]:
    low, high = getattr(kind, "min_length", None), getattr(kind, "max_length", None)
    return low or 0, float("inf") if high is None else high


def _decoded(decoder: msgspec.json.Decoder[Any], raw: bytes) -> Any:
    """Open an object or an array by one level; None for one that has no such level, or that no text can hold."""
    try:
        return decoder.decode(raw)
    except UNREADABLE:
        return None
