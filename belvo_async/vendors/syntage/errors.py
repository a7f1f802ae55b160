"""What Syntage's error answers mean: our wording, its field names, and when to come back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, cast

import msgspec

from ...abc import Answer, Headers
from ...errors import AuthenticationError, NotFoundError, PayloadError, RateLimitError, TransportError, VendorError
from ...jobs import Failure
from ...proxies import name_stranger
from ...rate_limits import retry_after, window_end
from .snapshots import read_document

_CODES: Final[Mapping[int, str]] = {
    400: "bad_request",
    401: "unauthorized",
    402: "payment_required",
    403: "forbidden",
    404: "not_found",
    409: "conflict",
    422: "unprocessable",
    429: "rate_limited",
}
_WORDING: Final[Mapping[str, str]] = {
    "validation": "Syntage refuses some values",
    "bad_request": "Syntage does not understand the request",
    "unauthorized": "Syntage does not accept the API key",
    "payment_required": "Syntage asks for payment",
    "forbidden": "this API key may not do that",
    "not_found": "Syntage does not know the object",
    "conflict": "it clashes with what Syntage holds or does already",
    "equal_extraction": "an equal extraction is already under way",
    "unprocessable": "Syntage cannot carry out the request",
    "rate_limited": "too many requests to Syntage",
}
# Property paths are ours to show; anything that does not look like one may be free text with names in it.
# No name of a field holds so many digits; the ids of taxpayers do, and may stand as keys.
_FIELD: Final = re.compile(r"(?!.*[0-9]{5})[A-Za-z_][\w.\[\]]{0,63}", re.ASCII)
_REQUEST_ID: Final = re.compile(r"[\w=.:;-]{1,128}", re.ASCII)
_FIELDS_SHOWN: Final = 10

# A reset far ahead is not waited for in one piece. Vendor's example: minutes.
_SHORTEST_WAIT: Final = timedelta(seconds=1)
_LONGEST_WAIT: Final = timedelta(hours=1)


# What a read may meet that says nothing of a job.
FAULTS: Final = (VendorError, PayloadError, TransportError)


class Problem(msgspec.Struct, frozen=True):
    """An error answer in one code, with the refused fields where it names them; `wording` if the code has several."""

    code: str
    fields: tuple[str, ...] = ()
    wording: str | None = None

    @property
    def message(self) -> str:
        """Our wording plus field names; the vendor's texts may hold taxpayer data and are never repeated."""
        text = _WORDING.get(self.wording or self.code, "Syntage answered with an error")
        return f"{text}: {', '.join(self.fields)}" if self.fields else text


def is_own(answer: Answer) -> bool:
    """Whether an error answer is Syntage's: an object in one of its forms (guides/api), as no proxy's page is."""
    try:
        body = read_document(answer.body)
    except PayloadError:
        return False
    return not _OWN_KEYS.isdisjoint(body)


def is_unknown(answer: Answer) -> bool:
    """Whether Syntage itself says that it knows no such object."""
    return answer.status == 404 and is_own(answer)


# What one or another form of its errors always holds. The last is of newer versions of its framework.
_OWN_KEYS: Final = frozenset(
    {"message", "violations", "conflictingExtractors", "hydra:title", "hydra:description", "detail"}
)


def read_problem(answer: Answer) -> Problem:
    """Read an error answer: `violations`, then `conflictingExtractors`, then the status alone.

    Syntage's other texts (`hydra:description`, `detail`, `message`) are free wording: there is nothing to tell from
    them but what the status says already.
    """
    try:
        body: Mapping[str, object] = read_document(answer.body)
    except PayloadError:
        body = {}
    if fields := _read_fields(body.get("violations")):
        return Problem("validation", fields)
    if body.get("conflictingExtractors"):
        return Problem("conflict", wording="equal_extraction")
    return Problem(_CODES.get(answer.status, f"http_{answer.status}"))


def _read_fields(violations: object) -> tuple[str, ...]:
    if not isinstance(violations, list):
        return ()
    given = cast("list[object]", violations)
    paths = (cast("dict[str, object]", each).get("propertyPath") for each in given if isinstance(each, dict))
    named = dict.fromkeys(path if isinstance(path, str) and _FIELD.fullmatch(path) else "(unnamed)" for path in paths)
    return tuple(named)[:_FIELDS_SHOWN]


def read_failure(answer: Answer) -> Failure:
    """Say why a submission was refused. Nothing Syntage refuses with is documented to pass unchanged later."""
    problem = read_problem(answer)
    # A 403 is about what was asked for; another task may pass. And a page that says 401 is not Syntage's word.
    refused_key = 401 if answer.status == 401 and is_own(answer) else None
    return Failure(code=problem.code, message=problem.message, refused_key=refused_key)


def expect_success(answer: Answer) -> Answer:
    """Pass on a good answer; raise what `read_error` makes of any other."""
    if not 200 <= answer.status < 300:
        raise read_error(answer)
    return answer


def read_error(answer: Answer) -> VendorError:
    """Make the error to raise for an error answer to a read."""
    problem = read_problem(answer)
    own = is_own(answer)
    said = problem.message if own else name_stranger(answer)
    text = f"{said} (HTTP {answer.status})"
    request_id = answer.headers.get("X-Request-ID")
    if request_id is not None and not _REQUEST_ID.fullmatch(request_id):
        request_id = None
    if answer.status == 429:
        wait = reset_wait(answer.headers)
        return RateLimitError(text, status_code=429, code=problem.code, request_id=request_id, retry_after=wait)
    # A page of somebody else's neither refuses the key nor says that an object is unknown.
    kind = _KINDS.get(answer.status, VendorError) if own else VendorError
    field = problem.fields[0] if problem.fields else None
    return kind(text, status_code=answer.status, code=problem.code, request_id=request_id, field=field)


_KINDS: Final[Mapping[int, type[VendorError]]] = {
    401: AuthenticationError,
    403: AuthenticationError,
    404: NotFoundError,
}


def reset_wait(headers: Headers, now: datetime | None = None) -> timedelta | None:
    """How long until the rate window ends, else what `Retry-After` asks for; between a second and an hour.

    None when nothing tells.
    """
    wait = window_end(headers, now, longest=_LONGEST_WAIT) or retry_after(headers, now, longest=_LONGEST_WAIT)
    return None if wait is None else max(wait, _SHORTEST_WAIT)
