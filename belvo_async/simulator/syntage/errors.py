"""Syntage's documented error bodies."""

from typing import Final

from ..wire import Json, JsonObject, Reply, answer

LD_JSON: Final = "application/ld+json"
# Scripted faults that are answers: name -> (status, text).
REFUSALS: dict[str, tuple[int, str]] = {
    "bad_request": (400, "Bad request"),
    "unauthorized": (401, "Invalid API key."),
    "not_found": (404, "Not found."),
    "rate_limited": (429, "Too many requests."),
}
HYDRA_ERRORS: dict[str, tuple[int, str]] = {
    "forbidden": (403, "Access denied."),
    "unprocessable": (422, "The request could not be processed."),
    "server_error": (500, "Internal Server Error"),
}
# The forms of a refusal's body together, as JSON Schema: none has all of it.
_TEXTS: Final = ("message", "@type", "hydra:title", "hydra:description")
ERROR_SCHEMA: JsonObject = {
    "type": "object",
    "properties": {
        **{each: {"type": "string"} for each in _TEXTS},
        "violations": {"type": "array", "items": {"type": "object"}},
        "conflictingExtractors": {"type": "array", "items": {"type": "string"}},
    },
}


def message(status: int, text: str) -> Reply:
    """Answer the short form: 401, 404, 429 and some 400."""
    return answer(status, {"message": text})


def hydra_error(status: int, text: str) -> Reply:
    """Answer a hydra:Error."""
    return answer(
        status,
        {
            "@context": "/contexts/Error",
            "@type": "hydra:Error",
            "hydra:title": "An error occurred",
            "hydra:description": text,
        },
        LD_JSON,
    )


def violations(problems: list[tuple[str, str]]) -> Reply:
    """Answer a ConstraintViolation; each problem is (propertyPath, message)."""
    rows: list[Json] = [{"propertyPath": path, "message": text} for path, text in problems]
    return answer(
        400,
        {
            "@context": "/contexts/ConstraintViolation",
            "@type": "ConstraintViolation",
            "hydra:title": "An error occurred",
            "hydra:description": "\n".join(f"{path}: {text}" for path, text in problems),
            "violations": rows,
        },
        LD_JSON,
    )


def conflict(extractor: str) -> Reply:
    """Answer 409 to an equal extraction under way: the names only, no id."""
    return answer(409, {"conflictingExtractors": [extractor]})
