"""Random answers of a documented kind: what the document allows, with odd values, nulls and gaps strewn in."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from tests.tolerant.samples import ODD

_TEXTS: Final = ("", " ", "Ñandú", "\U0001f600", "null", "NaN", "01", "2025-03-14", "a\u2028b", "\u0000", "x" * 300)
# Each in bounds, and exact.
_NUMBERS: Final = tuple(
    msgspec.Raw(each.encode())
    for each in ("0", "-0.0", "10.50", "-10.500", "1e-7", "2E+20", "123456789012345.123456", "7", "-1")
)
# What documents say of each kind of value.
_SAID: Final[Mapping[str, tuple[object, ...]]] = {
    "text": _TEXTS,
    "uuid": ("0f3a5c1e-7b42-4d19-9c60-2a8e51d7b904", "0F3A5C1E7B424D199C602A8E51D7B904"),
    "iri": ("/files/0f3a5c1e-7b42-4d19-9c60-2a8e51d7b904", "/x/1"),
    "instant": (
        "2025-03-14T04:22:31Z",
        "2025-03-14T04:22:31.123456-06:00",
        "2025-03-14t04:22:31+00:00",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "2025-03-14T04:22:31",
        "2025-03-14 04:22:31",
    ),
    "date": ("2025-03-14", "2024-02-29", "0001-01-01", "9999-12-31"),
    "integer": (0, 7, -1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63)),
    "amount": _NUMBERS,
    "number": _NUMBERS,
    "flag": (True, False),
    "open": ({"a": [1.1, None]}, [], {}, "anything", 5),
}
# Of each hundred fields, so many are missing; of the others, so many null, or something that nobody documents.
_MISSING, _NULL, _ODD = 10, 10, 10
_ROWS, _PAGES = 3, 3
_WITH_IDS: Final = 0.85


class Sayer:
    """Says random things; the same seed says the same."""

    def __init__(self, seed: str) -> None:
        self._chance = random.Random(seed)

    def page(self, kind: Any, fixed: Mapping[str, object], number: int) -> dict[str, object]:
        """A page of rows, as either vendor writes one; each row has these values. Three pages have any."""
        first = _ROWS * number
        rows = [self._row(kind, each, fixed) for each in range(first, first + _ROWS)] if number < _PAGES else []
        count = self._chance.choice((*ODD, _ROWS, str(_ROWS), _ROWS + 1))
        return {"count": count, "hydra:totalItems": count, "next": None, "results": rows, "hydra:member": rows}

    def answer(self, kind: Any, fixed: Mapping[str, object]) -> object:
        """A single object, or an array of them."""
        if isinstance(kind, list):
            return [self._row(kind[0], number, fixed) for number in range(2)]
        return self._row(kind, 0, fixed)

    def _row(self, kind: Any, number: int, fixed: Mapping[str, object]) -> object:
        """Make one with an id of its own, nearly always."""
        said = self.value(kind)
        if not isinstance(said, dict) or not isinstance(kind, dict):
            return said
        own: dict[str, object] = {name: value for name, value in fixed.items() if name in kind}
        if "id" in kind:
            its_own = 1000 + number if kind["id"] == "integer" else f"{number:08x}-7b42-4d19-9c60-2a8e51d7b904"
            # One may have an odd one, which must not be another's.
            own["id"] = its_own if number or self._chance.random() < _WITH_IDS else self._chance.choice(ODD)
        return {**said, "neverDocumented": self._chance.choice(ODD), **own}

    def value(self, kind: Any, *, is_whole: bool = True) -> object:
        """A value of a kind; below the whole, now and then none, or one that nobody documents."""
        lot = self._chance.randrange(100)
        if not is_whole and lot < _NULL + _ODD:
            return None if lot < _NULL else self._chance.choice(ODD)
        if isinstance(kind, list):
            return [self.value(kind[0], is_whole=False) for _ in range(self._chance.choice((0, 1, 1, 2)))]
        if isinstance(kind, dict):
            names = [name for name in kind if name != "?" and self._chance.randrange(100) >= _MISSING]
            return {name: self.value(kind[name], is_whole=False) for name in names}
        if kind.startswith("@"):
            return {"id": "1"}
        return self._chance.choice(_SAID[kind.removesuffix("?")])
