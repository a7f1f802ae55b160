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
# So many rows of a list are tried.
_CHOICE: Final = 5


Read: TypeAlias = Callable[[str], Awaitable[Any]]


class Paths:
    """Fills the places of paths with ids that exist. `ids` are those to be used, by the path they stand behind."""

    def __init__(self, operations: list[Operation], ids: Mapping[str, str], read: Read) -> None:
        lists = [each["path"] for each in operations if each["method"] == "GET" and "rows" in each]
        self._lists = [re.compile(re.sub(r"\{\w+\}", "[^/]+", each)) for each in lists]
        self._given = dict(ids)
        self._made: dict[str, str] = {}
        self._read = read
        self._seen: dict[str, str] = {}

    def note(self, said: object) -> None:
        """Remember every object that was told with the path it can be read at."""
        for each in _objects(said):
            if isinstance(each.get("@id"), str) and "id" in each:
                self._seen[each["@id"].partition("?")[0]] = str(each["id"])

    def keep(self, path: str, row: Any) -> None:
        """Prefer what has just been made to other rows of its list. An answer may be what it was put on, though."""
        if isinstance(row, dict) and "id" in row and not path.startswith(f"{row.get('@id')}/"):
            self._made.setdefault(path, str(row["id"]))

    def forget(self, path: str) -> None:
        """Use no longer what was deleted."""
        begin = path.rstrip("/").rpartition("/")[0]
        self._given.pop(begin, None)
        self._made.pop(begin, None)
        self._seen.pop(path, None)

    async def fill(self, template: str, shown: Mapping[str, str] = MappingProxyType({})) -> str | None:
        """Give a path that exists, with these words where no id is known; None where nothing is known at all."""
        return await self._filled("", re.split(r"(/\{\w+\})", template), shown)

    async def fill_all(self, said: Any) -> Any:
        """Fill every path with a place that stands in a body."""
        if isinstance(said, dict):
            return {name: await self.fill_all(each) for name, each in said.items()}
        if isinstance(said, list):
            return [await self.fill_all(each) for each in said]
        return await self.fill(said) if isinstance(said, str) and re.fullmatch(r"/.*/\{\w+\}.*", said) else said

    async def _filled(self, begin: str, parts: list[str], shown: Mapping[str, str]) -> str | None:
        """Of several ids, one below which there is what the rest of the path asks for."""
        if not parts:
            return begin
        part, *rest = parts
        if not part.startswith("/{"):
            return await self._filled(begin + part, rest, shown)
        found = [*await self._known(begin), *([shown[part[2:-1]]] if part[2:-1] in shown else [])]
        for each in dict.fromkeys(found):
            whole = await self._filled(f"{begin}/{each}", rest, shown)
            if whole is not None:
                return whole
        return None

    async def _known(self, begin: str) -> list[str]:
        if begin in self._given:
            return [self._given[begin]]
        made = [self._made[begin]] if begin in self._made else []
        found = await self._listed(begin)
        if found is None:
            found = [number for iri, number in self._seen.items() if iri == f"{begin}/{number}"]
        # What is put below something else, such as the labels of an invoice, has a collection of its own.
        end = begin[begin.rindex("/") :]
        worn = [] if found else await self._worn(begin)
        return [*made, *found[:_CHOICE], *worn, *([self._made[end]] if end in self._made else [])]

    async def _worn(self, begin: str) -> list[str]:
        """The ids that an object itself shows, such as an invoice its labels."""
        owner, _, name = begin.rpartition("/")
        row = await self._read(owner) if owner.count("/") > 1 else None
        shown = row.get(name) if isinstance(row, dict) else None
        return [str(each["id"]) for each in _rows(shown) if "id" in each]

    async def _listed(self, begin: str) -> list[str] | None:
        for path in (begin, f"{begin}/"):
            if any(each.fullmatch(path) for each in self._lists):
                return [str(row["id"]) for row in _rows(await self._read(path)) if "id" in row]
        return None


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
