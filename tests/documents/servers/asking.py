"""Requests for documented operations, made of a document and of what the server has said before.

Ids are those of rows: of the list that stands where the id would, or of any object whose `@id` leads there. Bodies are
made of the document's own values, where it has some; what only the server knows is given in their place.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from tests.documents.openapi import Document

Operation: TypeAlias = dict[str, Any]

# Texts of a form; else any will do.
_FORMS: Final[Mapping[str | None, object]] = {
    "uuid": "0f3a5c1e-7b42-4d19-9c60-2a8e51d7b904",
    "date": "2025-03-01",
    "date-time": "2025-03-01T12:00:00Z",
    "uri": "https://example.com/hook",
    "iri-reference": "/tags/0f3a5c1e-7b42-4d19-9c60-2a8e51d7b904",
}
_PLAIN: Final[Mapping[str, object]] = {"integer": 1, "number": 1.5, "boolean": True}
_DEEPEST: Final = 6


Read: TypeAlias = Callable[[str], Awaitable[Any]]


class Paths:
    """Fills the places of paths with ids that exist."""

    def __init__(self, operations: list[Operation], ids: Mapping[str, str], read: Read) -> None:
        self._lists = {each["path"] for each in operations if each["method"] == "GET"}
        self._given = frozenset(ids)
        self._ids = dict(ids)
        self._read = read
        self._seen: dict[str, str] = {}

    def note(self, said: object) -> None:
        """Remember every object that was told with the path it can be read at."""
        for each in _objects(said):
            if isinstance(each.get("@id"), str) and "id" in each:
                self._seen[each["@id"].partition("?")[0]] = str(each["id"])

    def keep(self, template: str, row: Any) -> None:
        """Prefer what has just been made to other rows of its list."""
        if isinstance(row, dict) and "id" in row:
            self._ids.setdefault(template, str(row["id"]))

    def forget(self, template: str) -> None:
        """Use no longer what was deleted, nor what it stood below: that may have gone with it."""
        begin = template.rpartition("/{")[0]
        self._ids.pop(begin, None)
        above = begin.rpartition("/{")[0]
        if above not in self._given:
            self._ids.pop(above, None)

    async def fill(self, template: str, shown: Mapping[str, str] = MappingProxyType({})) -> str | None:
        """Give a path that exists, with these words where no id is known; None where nothing is known at all."""
        begin, filled = "", ""
        for part in re.split(r"(/\{\w+\})", template):
            if part.startswith("/{"):
                found = await self._id(begin, filled) or shown.get(part[2:-1])
                if found is None:
                    return None
                filled += f"/{found}"
            else:
                filled += part
            begin += part
        return filled

    async def fill_all(self, said: Any) -> Any:
        """Fill every path with a place that stands in a body."""
        if isinstance(said, dict):
            return {name: await self.fill_all(each) for name, each in said.items()}
        if isinstance(said, list):
            return [await self.fill_all(each) for each in said]
        return await self.fill(said) if isinstance(said, str) and re.fullmatch(r"/.*/\{\w+\}.*", said) else said

    async def _id(self, begin: str, filled: str) -> str | None:
        if begin not in self._ids:
            found = await self._listed(begin, filled) or self._told(filled)
            # What is put below something else, such as the labels of an invoice, has a collection of its own.
            found = found or self._ids.get(begin[begin.rindex("/") :])
            if found is None:
                return None
            self._ids[begin] = found
        return self._ids[begin]

    async def _listed(self, begin: str, filled: str) -> str | None:
        for path, template in ((filled, begin), (f"{filled}/", f"{begin}/")):
            if template in self._lists:
                rows = list(_rows(await self._read(path)))
                return next((str(row["id"]) for row in rows if "id" in row), None)
        return None

    def _told(self, filled: str) -> str | None:
        return next((number for iri, number in self._seen.items() if iri == f"{filled}/{number}"), None)


def _rows(page: Any) -> Iterator[dict[str, Any]]:
    found = page if isinstance(page, list) else []
    if isinstance(page, dict):
        found = next((page[name] for name in ("hydra:member", "results") if name in page), [])
    yield from (each for each in found if isinstance(each, dict))


def _objects(said: object) -> Iterator[dict[str, Any]]:
    if isinstance(said, dict):
        yield said
        said = list(said.values())
    for each in said if isinstance(said, list) else ():
        yield from _objects(each)


def example(document: Document, schema: Mapping[str, Any], fields: Mapping[str, object], depth: int = 0) -> Any:
    """Make what fits a schema, with every field that may be sent; of alternatives, the first."""
    schema = document.target(schema)
    properties: dict[str, Any] = {}
    for each in (schema, *map(document.target, schema.get("allOf", ()))):
        properties |= each.get("properties", {})
    if choices := schema.get("oneOf") or schema.get("anyOf"):
        return example(document, choices[0], fields, depth)
    if properties:
        sent = {name: each for name, each in properties.items() if not document.target(each).get("readOnly")}
        return {
            name: fields[name] if name in fields else example(document, each, fields, depth + 1)
            for name, each in sent.items()
        }
    if "items" in schema:
        deep = depth > _DEEPEST
        return [] if deep else schema.get("example") or [example(document, schema["items"], fields, depth + 1)]
    shown = [schema.get("example"), schema.get("default"), *schema.get("enum", ())]
    values = [each for each in shown if each is not None]
    if values:
        return values[0]
    return _FORMS.get(schema.get("format")) or _PLAIN.get(str(schema.get("type")), "something")
