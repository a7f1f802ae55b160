"""What a simulator answers, as an OpenAPI 3.1 document made from its routes.

It says which paths, methods and parameters there are. What bodies hold is in the vendors' own documents: the simulator
checks them by code, and a second list of their fields could only go wrong.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from .wire import Json, JsonObject, Route

VERSION: Final = "3.1.0"
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_NUMBERS: Final = frozenset({"page", "page_size", "itemsPerPage"})


@dataclass(frozen=True, kw_only=True)
class Manners:
    """What all routes of a vendor have in common: how to log in, what is answered, how errors look."""

    title: str
    login: Mapping[str, str]
    media_type: str
    error: JsonObject


def describe(manners: Manners, routes: Iterable[Route], url: str) -> JsonObject:
    """Describe routes under the address they are served at."""
    paths: dict[str, JsonObject] = {}
    for route in sorted(routes, key=lambda route: (route.template, route.method)):
        paths.setdefault(route.template, {})[route.method.lower()] = _operation(manners, route)
    login: JsonObject = dict(manners.login)
    return {
        "openapi": VERSION,
        "info": {
            "title": manners.title,
            "version": "0",
            "description": "A simulator with invented data. What bodies hold is in the vendor's own documents.",
        },
        "servers": [{"url": url}],
        "security": [{"login": []}],
        "paths": {template: dict(operations) for template, operations in paths.items()},
        "components": {"securitySchemes": {"login": login}, "schemas": {"Error": manners.error}},
    }


def _operation(manners: Manners, route: Route) -> JsonObject:
    words = re.findall(r"\w+", route.template)
    parameters: list[Json] = [
        *(_parameter("path", name) for name in re.findall(r"\{(\w+)\}", route.template)),
        *(_parameter("query", name) for name in route.query),
        *(_parameter("header", name) for name in route.headers),
    ]
    operation: JsonObject = {
        "operationId": "_".join([route.method.lower(), *words]),
        "tags": [next(word for word in [*words, "api"] if word != "api" or len(words) < 2)],
        "parameters": parameters,
        "responses": {
            "2XX": {"description": "As the vendor answers.", "content": {manners.media_type: {}}},
            "4XX": {
                "description": "Refused.",
                "content": {manners.media_type: {"schema": {"$ref": "#/components/schemas/Error"}}},
            },
        },
    }
    if route.method in _WITH_BODY:
        operation["requestBody"] = {"content": {"application/json": {"schema": {"type": "object"}}}}
    return operation


def _parameter(place: str, name: str) -> JsonObject:
    kind = "integer" if name in _NUMBERS else "string"
    return {"name": name, "in": place, "required": place == "path", "schema": {"type": kind}}
