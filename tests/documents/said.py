"""JSON of a documented kind, as a vendor that keeps to its document would say it; and whether it was read as that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from belvo_async.abc import Secret

# Plain texts in the document whose examples, and whose date filters, show what they are.
INSTANTS = ("createdAt", "updatedAt", "checkedAt", "nextRunDate", "generatedAt")
# Numbers without a fraction: codes, months, running numbers.
WHOLE = ("taxRegime", "type", "operationNumber", "numeroDeGarantia", "numeroDeAsiento", "id")
# Amounts that the vendor writes as texts; of other records, texts of the same names stay texts.
QUOTED = ("totalsAmount", "totalsPercentage", "amount", "valuePerShare", "bucketPercentage", "shares", "percentage")
# Open or overlong content that is kept as the bytes it came in.
BYTES = ("data", "boleta", "object", "changes", "metadata")
# Texts that no record shows.
SECRETS = ("signingSecret",)

TEXT = "Ñandú"
AMOUNT = "-10.500"
SAID: dict[str, tuple[object, object]] = {
    "text": (TEXT, TEXT),
    "uuid": ("0f3a5c1e-7b42-4d19-9c60-2a8e51d7b904", "0f3a5c1e-7b42-4d19-9c60-2a8e51d7b904"),
    "iri": ("/files/1", "/files/1"),
    "instant": ("2025-03-14T04:22:31-06:00", datetime(2025, 3, 14, 10, 22, 31, tzinfo=UTC)),
    "date": ("2025-03-14", date(2025, 3, 14)),
    "integer": (7, 7),
    "flag": (False, False),
    "decimal": ("-10.500", Decimal("-10.500")),
    "open": ({"a": [1.10]}, {"a": [1.1]}),
}


def say(kind: Any, name: str = "") -> object:
    """Make JSON of a documented kind. Amounts are kept as their text: JSON floats would blur them."""
    if isinstance(kind, list):
        return [say(kind[0], name)]
    if isinstance(kind, dict):
        return {key: say(each, key) for key, each in kind.items() if key != "?"}
    kind = kind.removesuffix("?")
    if kind.startswith("@"):
        return {"id": "1"}
    if name in INSTANTS:
        return SAID["instant"][0]
    if kind == "text" and name in QUOTED:
        return AMOUNT
    if kind in ("amount", "number"):
        return msgspec.Raw(b"601" if name in WHOLE else AMOUNT.encode())
    return SAID[kind][0]


def compare(kind: Any, found: Any, name: str = "") -> Iterator[str]:
    """Name what was not read as documented."""
    if name in BYTES and (name == "boleta" or str(kind).startswith("open")):
        yield from () if isinstance(found, msgspec.Raw) and b"null" != bytes(found) else (f"{name} is lost",)
    elif name in SECRETS:
        yield from () if isinstance(found, Secret) and found.matches(TEXT) else (f"{name} is bare",)
    elif isinstance(kind, list):
        yield from compare(kind[0], found[0], name) if isinstance(found, tuple) else (f"{name} is no tuple",)
    elif isinstance(kind, dict):
        for key, each in kind.items():
            if key not in ("?", "@context"):
                yield from compare(each, member(found, key), key)
    elif kind.removesuffix("?") == "text" and name in QUOTED:
        yield from () if (AMOUNT, True) == (str(found), isinstance(found, str | Decimal)) else (f"{name} is lost",)
    elif kind.startswith("@"):
        yield from () if isinstance(found, msgspec.Struct) and "1" == getattr(found, "id", None) else (name,)
    elif expected(kind.removesuffix("?"), name) != (type(found), str(found)):
        yield f"{name} is {type(found).__name__}"


def member(found: Any, key: str) -> Any:
    """What stands under a name: of a mapping, by its key; years are numbers, and of statements apart."""
    if key.isdecimal() and isinstance(found, msgspec.Struct):
        found = found.years  # type: ignore[attr-defined]  # of a statement's category
    if isinstance(found, Mapping):
        return found[key] if key in found else found.get(int(key))
    fields = {each.encode_name: each.name for each in msgspec.structs.fields(found)}
    return getattr(found, fields.get(key, ""), None)


def expected(kind: str, name: str) -> tuple[type[object], str]:
    if kind in ("amount", "number"):
        number = 601 if name in WHOLE else Decimal(AMOUNT)
        return type(number), str(number)
    value = SAID["instant" if name in INSTANTS else kind][1]
    return type(value), str(value)
