"""What an OpenAPI document says of its operations, as bare facts: names and kinds, none of its prose.

Kinds are those of the drift tests: `text`, `uuid`, `iri`, `instant`, `date`, `integer`, `flag`, `amount`, `number`,
`open`; `?` marks what may be null, an object the fields of a part, a list the items of an array. References stand
inline; one that leads back into itself is `@` and its name. Of alternatives, all fields are told.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

import yaml

Kind: TypeAlias = Any
"""A word, a list of one kind, or fields by their names."""

METHODS: Final = ("get", "post", "put", "patch", "delete")

_TEXTS: Final[Mapping[str | None, str]] = {
    "uuid": "uuid",
    "iri-reference": "iri",
    "date-time": "instant",
    "date": "date",
    "float": "amount",
    "nullable": "text?",
}
_WORDS: Final[Mapping[str, str]] = {"integer": "integer", "boolean": "flag"}

_TEXTUAL: Final = frozenset({"text", "uuid", "iri"})

# Where the rows of a page stand.
_ROWS: Final = ("hydra:member", "results")


class Document:
    """One document, read by its references."""

    def __init__(self, whole: Mapping[str, Any]) -> None:
        self._whole = whole

    @classmethod
    def read(cls, path: Path) -> Document:
        """Read a file in YAML or JSON."""
        text = path.read_text(encoding="utf-8")
        return cls(json.loads(text) if path.suffix == ".json" else yaml.safe_load(text))

    @property
    def version(self) -> str:
        return str(self._whole["info"]["version"])

    def operations(self) -> list[dict[str, Any]]:
        """The facts of each operation, by path and method."""
        found = [
            self._facts(path, method, {"parameters": [], **item[method]}, item.get("parameters", []))
            for path, item in self._whole["paths"].items()
            for method in METHODS
            if method in item
        ]
        return sorted(found, key=lambda each: (each["path"], METHODS.index(each["method"].lower())))

    def body_of(self, operation: Mapping[str, Any]) -> tuple[str, Any] | None:
        """The media type and the schema of what an operation is sent; None where it takes no JSON."""
        said = self._whole["paths"][operation["path"]][operation["method"].lower()]
        content = self.target(said.get("requestBody", {})).get("content", {})
        return next(((name, each["schema"]) for name, each in content.items() if "json" in name), None)

    def _parameters(self, operation: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        item = self._whole["paths"][operation["path"]]
        both = [*item[operation["method"].lower()].get("parameters", ()), *item.get("parameters", ())]
        yield from map(self.target, both)

    def headers_of(self, operation: Mapping[str, Any]) -> set[str]:
        """The headers that an operation documents."""
        return {each["name"] for each in self._parameters(operation) if each["in"] == "header"}

    def example_of(self, operation: Mapping[str, Any], name: str) -> Any:
        """A value that the document shows for a parameter, or the first it allows; None where it does neither."""
        said = next(each for each in self._parameters(operation) if each["name"] == name)
        schema = self.target(said.get("schema", {}))
        shown = (said.get("example"), schema.get("example"), schema.get("default"), *schema.get("enum", ()))
        return next((each for each in shown if each is not None), None)

    def shown_in(self, operation: Mapping[str, Any]) -> dict[str, str]:
        """What the document shows in places of the path that stand for a word, not for an id."""
        words = [each for each in self._parameters(operation) if each["in"] == "path"]
        words = [each for each in words if re.search(r"(?i)id$", each["name"]) is None]
        return {each["name"]: str(self.example_of(operation, each["name"])) for each in words}

    def media_of(self, operation: Mapping[str, Any]) -> list[str]:
        """The media types of what an operation answers when all went well."""
        said = self._whole["paths"][operation["path"]][operation["method"].lower()]["responses"]
        good = [self.target(each) for code, each in sorted(said.items()) if code.startswith("2")]
        return sorted({name for each in good for name in each.get("content", {})})

    def sound(self) -> dict[str, Any]:
        """The document without what Prism stumbles over.

        A path like `/x/{xId}` whose parameter is called `id`: it is renamed. A parameter with brackets that must be
        given: Prism looks for another spelling of it, and never finds it; it may be given.
        """
        paths = {path: {**item} for path, item in self._whole["paths"].items()}
        for path, item in paths.items():
            shared = {self.target(each)["name"] for each in item.get("parameters", ())}
            places = [each for each in re.findall(r"\{(\w+)\}", path) if each not in shared]
            for method in item.keys() & METHODS:
                said = [self.target(each) for each in item[method].get("parameters", ())]
                item[method] = {**item[method], "parameters": _sound(said, places)}
        return {**self._whole, "paths": paths}

    def ending(self) -> dict[str, Any]:
        """The sound document without schemas that lead back into themselves: there, any object may stand.

        Prism makes up values for ever, else.
        """
        whole = copy.deepcopy(self.sound())
        schemas = whole["components"]["schemas"]
        begun: set[str] = set()
        done: set[str] = set()

        def end(node: Any) -> None:
            for each in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
                end(each)
            name = str(node.get("$ref", "")).rpartition("/schemas/")[2] if isinstance(node, dict) else ""
            if name in begun - done:
                del node["$ref"]
                node["type"] = "object"
            elif name in schemas and name not in begun:
                visit(name)

        def visit(name: str) -> None:
            begun.add(name)
            end(schemas[name])
            done.add(name)

        for name in schemas:
            if name not in begun:
                visit(name)
        return whole

    def _facts(self, path: str, method: str, said: Mapping[str, Any], shared: list[Any]) -> dict[str, Any]:
        asked = [each for each in map(self.target, [*said["parameters"], *shared]) if each["in"] == "query"]
        needs = [each["name"] for each in asked if each.get("required")]
        facts: dict[str, Any] = {
            "path": path,
            "method": method.upper(),
            "name": said["operationId"],
            "group": said["tags"][0],
            "deprecated": bool(said.get("deprecated")),
            "query": [each["name"] for each in asked],
        }
        if (schema := self._schema(self.target(said.get("requestBody", {})))) is not None:
            facts["body"] = self.kind(schema, "readOnly")
            needs += sorted(self._required(schema))
        facts["needs"] = needs
        facts.update(self._answer(said["responses"]))
        return {name: fact for name, fact in facts.items() if fact not in (False, [])}

    def _answer(self, responses: Mapping[str, Any]) -> dict[str, Any]:
        """What comes when all went well: one answer, the rows of a page, or a file of some media types."""
        good = [self.target(each) for code, each in sorted(responses.items()) if code.startswith("2")]
        schemas = [schema for each in good if (schema := self._schema(each)) is not None]
        media = [name for each in good for name in each.get("content", {}) if "json" not in name]
        found: dict[str, Any] = {"media": media}
        if schemas and isinstance(kind := self.kind(schemas[0], "writeOnly"), dict):
            rows = [kind[name][0] for name in _ROWS if isinstance(kind.get(name), list)]
            found |= {"rows": rows[0]} if rows else {"answer": kind}
        elif schemas:
            found["answer"] = kind
        return found

    def _schema(self, part: Mapping[str, Any]) -> Any:
        return next((each.get("schema") for name, each in part.get("content", {}).items() if "json" in name), None)

    def target(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        """What a node stands for: the end of its references."""
        while "$ref" in node:
            found: Any = self._whole
            for name in node["$ref"].removeprefix("#/").split("/"):
                found = found[name]
            node = found
        return node

    def _required(self, schema: Mapping[str, Any]) -> set[str]:
        """What must be given, whichever of the alternatives is chosen."""
        schema = self.target(schema)
        needed = set(schema.get("required", ()))
        needed |= {name for each in schema.get("allOf", ()) for name in self._required(each)}
        if choices := schema.get("oneOf") or schema.get("anyOf"):
            needed |= set[str].intersection(*map(self._required, choices))
        return needed

    def kind(self, schema: Mapping[str, Any], hidden: str, within: tuple[str, ...] = ()) -> Kind:
        """Tell the kind of a schema; fields marked as `hidden` do not pass this way."""
        if "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            return f"@{name}" if name in within else self.kind(self.target(schema), hidden, (*within, name))
        parts = list(self._parts(schema, hidden, within))
        found = parts[0] if parts else "open"
        for each in parts[1:]:
            found = merged(found, each)
        for each in schema.get("allOf", ()):
            found = joined(found, self.kind(each, hidden, within))
        return _nullable(found) if schema.get("nullable") else found

    def _parts(self, schema: Mapping[str, Any], hidden: str, within: tuple[str, ...]) -> Iterator[Kind]:
        for each in schema.get("oneOf") or schema.get("anyOf") or ():
            yield self.kind(each, hidden, within)
        if "properties" in schema:
            fields = {name: each for name, each in schema["properties"].items() if not each.get(hidden)}
            yield {name: self.kind(each, hidden, within) for name, each in fields.items()}
        elif "items" in schema:
            yield [self.kind(schema["items"], hidden, within)]
        elif (word := _word(schema)) is not None:
            yield word


def _sound(parameters: list[Mapping[str, Any]], places: list[str]) -> list[dict[str, Any]]:
    named = [each["name"] for each in parameters if each["in"] == "path"]
    lacking = [each for each in places if each not in named]
    renamed = dict(zip([each for each in named if each not in places], lacking, strict=False))
    return [
        {
            **each,
            "name": renamed.get(each["name"], each["name"]) if each["in"] == "path" else each["name"],
            "required": each.get("required", False) and "[" not in each["name"],
        }
        for each in parameters
    ]


def _word(schema: Mapping[str, Any]) -> str | None:
    # Some name no type, and show what they are by a value.
    shown = (schema.get("default"), *schema.get("enum", ()), schema.get("example"))
    values = [each for each in shown if each is not None]
    kind = schema.get("type") or ("string" if values and isinstance(values[0], str) else None)
    if kind == "string":
        return _TEXTS.get(schema.get("format"), "text")
    if kind == "number":
        return "amount" if "format" in schema else "number"
    return _WORDS.get(str(kind))


def _nullable(kind: Kind) -> Kind:
    if isinstance(kind, dict):
        return {"?": True, **kind}
    return kind if isinstance(kind, list) or kind.endswith("?") else f"{kind}?"


def merged(one: Kind, other: Kind) -> Kind:
    """The kind of what is either, with all fields of both; `open` where they have nothing in common."""
    return _put_together(one, other, merged)


def joined(one: Kind, other: Kind) -> Kind:
    """The kind of what is both: what one of them leaves open, the other tells."""
    if "open" in (one, other):
        return other if one == "open" else one
    return _put_together(one, other, joined)


def _put_together(one: Kind, other: Kind, each_field: Callable[[Kind, Kind], Kind]) -> Kind:
    if isinstance(one, dict) and isinstance(other, dict):
        both = {name: each_field(one[name], other[name]) for name in one.keys() & other.keys() - {"?"}}
        return {name: both.get(name, kind) for name, kind in {**one, **other}.items()}
    if isinstance(one, list) and isinstance(other, list):
        return [each_field(one[0], other[0])]
    if one == other or not isinstance(one, str) or not isinstance(other, str):
        return one if one == other else "open"
    words = {one.rstrip("?"), other.rstrip("?")}
    wider = words.pop() if len(words) == 1 else "text" if words <= _TEXTUAL else "open"
    return f"{wider}?" if "?" in one + other else wider
