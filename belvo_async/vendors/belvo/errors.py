"""What Belvo's errors mean: the table of codes, and the ways a submission or a read is refused.

Errors are a JSON list of `{code, message, request_id, field?}` (docs/belvo-api-errors). Belvo's own messages are never
shown, since they may hold names; the wording here is ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import islice
from typing import Final, TypeVar, cast

import msgspec

from ...abc import Answer
from ...errors import AuthenticationError, NotFoundError, PayloadError, RateLimitError, TokenRequiredError, VendorError
from ...jobs import Failure
from ...payload import decode
from ...proxies import name_stranger
from ...rate_limits import retry_after
from ...tolerant import read
from .schema.bodies import ErrorBody, TokenDemand, Worded

R = TypeVar("R")


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """What a code means. `retryable`: firing the task again later may succeed.

    `resend`: the POST was certainly not accepted, and Belvo says that sending it again may help. `wait`: how long to
    wait at least before that; without it, 3, 6, 12 s and so on.
    """

    message: str
    retryable: bool = False
    resend: bool = False
    wait: timedelta | None = None


def _refused(message: str) -> Advice:
    return Advice(message=message)


def _later(message: str) -> Advice:
    return Advice(message=message, retryable=True)


def _again(message: str, wait: timedelta | None = None) -> Advice:
    return Advice(message=message, retryable=True, resend=True, wait=wait)


# The page of too_many_sessions: wait until Belvo has finished scraping, 120 s.
SESSION_WAIT: Final = timedelta(seconds=120)

CODES: Final[Mapping[str, Advice]] = {
    # 400, the request
    "required": _refused("a required field is missing"),
    "null": _refused("a field is null that must not be"),
    "blank": _refused("a field is blank"),
    "invalid": _refused("a field has an invalid value"),
    "invalid_choice": _refused("a field has a value that is not one of its choices"),
    "does_not_exist": _refused("a field names something that does not exist"),
    "not_a_list": _refused("a field must be a list"),
    "parse_error": _refused("Belvo could not parse the request"),
    "validation_error": _refused("a field did not pass validation"),
    "invalid_period": _refused("the period is not allowed"),
    "invalid_credentials_storage": _refused("the credentials storage is not allowed"),
    "invalid_fetch_resources": _refused("a resource is not allowed for this link"),
    "unsupported_operation": _refused("the institution does not support this"),
    "duplicated": _refused("the link exists already"),
    "already_exists": _refused("it exists already"),
    # 400, the link
    "login_error": _refused("the institution did not accept the link's credentials"),
    "invalid_credentials": _refused("the institution did not accept the link's credentials"),
    "invalid_link": _refused("the link is invalid: its credentials must be updated"),
    "link_invalid": _refused("the link turned invalid: its credentials must be updated"),
    "unconfirmed_link": _refused("the link was never confirmed"),
    "session_expired": _refused("the session at the institution expired"),
    "session_expired_ob": _refused("the session at the institution expired"),
    "too_many_sessions": _again("another session of this link is open", SESSION_WAIT),
    # 400, the institution
    "institution_down": _again("the institution is down"),
    "institution_unavailable": _again("the institution is unavailable"),
    "institution_inactive": _again("the institution is inactive"),
    "unavailable_data": _again("the institution does not show the data for now"),
    "activation_failed": _refused("the taxpayer must activate the account at the institution"),
    "operational_limits_reached": _later("the month's limit of requests is used up"),
    # 401, 403, 404, 405, 408, 409, 428
    "authentication_failed": _refused("Belvo does not accept the secret keys"),
    "consent_without_accounts": _refused("the consent covers no account"),
    "access_to_resource_denied": _refused("the secret keys have no access to this resource"),
    "access_to_production_denied": _refused("the secret keys have no access to production"),
    "permission_denied": _later("Belvo denied permission, or too much was asked"),
    "quota_limit_reached": _refused("the account's quota is used up"),
    "not_found": _refused("Belvo does not know the object"),
    "expired_credentials": _refused("the link's stored credentials expired: the taxpayer must connect again"),
    "method_not_allowed": _refused("the method is not allowed"),
    "request_timeout": _again("the retrieval took too long; what was gathered is kept"),
    "link_refreshed": _later("the link was refreshed less than ten minutes ago"),
    "token_required": _refused("the institution asks for a token: resume the link by UpdateLink, then fire again"),
    "activation_required": _refused("the taxpayer must activate the account at the institution"),
    # 500
    "unexpected_error": _again("Belvo met an unexpected error"),
    "service_unavailable": _again("Belvo is unavailable for now"),
    # Of the proxy in front of Belvo, which has no codes of its own
    "rate_limited": _again("too many requests", timedelta(seconds=30)),
}

_UNKNOWN: Final = Advice(message="Belvo gave a reason this version does not know")

# No name of the catalogue holds so many digits; the ids of taxpayers do, and may stand as keys.
_CODE: Final = re.compile(r"(?!.*[0-9]{5})[A-Za-z0-9_]{1,64}")
_FIELD: Final = re.compile(r"(?!.*[0-9]{5})[A-Za-z][A-Za-z0-9_.\[\]-]{0,63}")
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
_SESSION: Final = re.compile(r"[A-Za-z0-9-]{1,128}")
_MINUTES: Final = re.compile(r"\b([0-9]{1,2}) *min", re.IGNORECASE)
_ANY: Final = msgspec.json.Decoder(object)
# Keys that only hold errors, and the one under which a validation puts what is about no single field.
_WRAPPERS: Final = frozenset({"errors", "error", "detail", "details"})
_NO_FIELD: Final = "non_field_errors"
# More than this tells nobody more.
BODIES: Final = 20
_OWN: Final[msgspec.json.Decoder[list[ErrorBody] | ErrorBody]] = msgspec.json.Decoder(list[ErrorBody] | ErrorBody)


def read_bodies(answer: Answer) -> list[ErrorBody]:
    """Read Belvo's own error objects. Empty when the body is not of that form, as a proxy's pages are.

    The reference prints single objects, the specification lists; a validation that fails may come as an object of
    fields instead, whose members are such objects or bare texts, at any depth. Codes, fields and ids of an odd form are
    dropped: what is kept goes into messages and logs.
    """
    try:
        said = decode(answer.body, _ANY)
    except PayloadError:
        return []
    return list(islice(_bodies(said, ()), BODIES))


def _bodies(said: object, path: tuple[str, ...]) -> Iterator[ErrorBody]:
    if isinstance(said, list):
        for each in cast("list[object]", said):
            yield from _bodies(each, path)
    elif isinstance(said, str):
        # A bare text is only known to be about a field when it stands under one. It may hold names: it is not kept.
        if path:
            yield ErrorBody(code="validation_error", field=_field_at(path))
    elif isinstance(said, dict):
        members = cast("dict[str, object]", said)
        # A field may be called `code`, too: what is said of it is then a list.
        if any(isinstance(members.get(name), str) for name in ("code", "message", "request_id")):
            yield _body(members, path)
        else:
            for name, member in members.items():
                if isinstance(member, list | dict):
                    yield from _bodies(cast("object", member), path if name in _WRAPPERS else (*path, name))


def _body(members: Mapping[str, object], path: tuple[str, ...]) -> ErrorBody:
    return ErrorBody(
        code=_matching(_CODE, members.get("code")),
        request_id=_matching(_REQUEST_ID, members.get("request_id")),
        field=_matching(_FIELD, members.get("field")) or _field_at(path),
    )


def _field_at(path: tuple[str, ...]) -> str | None:
    return _matching(_FIELD, ".".join(name for name in path if name != _NO_FIELD))


def _matching(pattern: re.Pattern[str], text: object) -> str | None:
    return text if isinstance(text, str) and pattern.fullmatch(text) else None


def is_unknown(answer: Answer) -> bool:
    """Whether Belvo itself says that it knows no such object, in just the form it documents."""
    try:
        said = decode(answer.body, _OWN)
    except PayloadError:
        return False
    return any(each.code == "not_found" for each in (said if isinstance(said, list) else [said]))


def _read_all(answer: Answer, kind: type[list[R]]) -> list[R]:
    """Read the objects of an error answer, whatever of them can be read."""
    try:
        given = cast("list[R | None]", read(answer.body, kind))
    except PayloadError:
        return []
    return [each for each in given if each is not None]


def is_throttle(answer: Answer) -> bool:
    """Whether the proxy refused it for its rate: 429, or a 403 that is an HTML page."""
    if answer.status != 403:
        return answer.status == 429
    kind = answer.headers.get("content-type") or ""
    return "html" in kind.lower() or answer.body.lstrip()[:1] == b"<"


# Longer waits than this are not believed: Belvo documents no Retry-After, so it comes from some proxy.
LONGEST_WAIT: Final = timedelta(hours=1)


def advice_for(code: str | None) -> Advice:
    """Look a code up; codes may be added any day, and an unknown one is no reason to try again."""
    return CODES.get(code or "", _UNKNOWN)


def decisive(bodies: list[ErrorBody]) -> ErrorBody | None:
    """Choose the object that decides: one that forbids a resend before one that allows it. None without a code."""
    coded = [each for each in bodies if each.code]
    return min(coded, key=lambda each: advice_for(each.code).resend, default=None)


def failure(
    code: str, *, fields: list[str] | None = None, retryable: bool | None = None, refused_key: int | None = None
) -> Failure:
    """Make the failure for a code, in our own wording, naming the refused fields."""
    advice = advice_for(code)
    named = f" ({', '.join(fields)})" if fields else ""
    return Failure(
        code=code,
        message=advice.message + named,
        retryable=advice.retryable if retryable is None else retryable,
        refused_key=refused_key,
    )


def webhook_failure(code: object) -> Failure:
    """Make the failure for the error of a delivery's data, whatever its type."""
    # A number of thousands of digits cannot even be written as a text.
    text = str(code) if isinstance(code, str) or (isinstance(code, int) and abs(code) < 10**9) else ""
    return failure(text if _CODE.fullmatch(text) else "unknown_error")


# A link is refreshed at most once in ten minutes (409 link_refreshed).
REFRESH_PAUSE: Final = timedelta(minutes=10)


def refresh_wait(answer: Answer) -> timedelta:
    """How long a link that was refreshed must rest: the minutes of Belvo's text, or the whole pause without them."""
    texts = [each.message or "" for each in _read_all(answer, list[Worded])]
    minutes = next((int(found.group(1)) for found in map(_MINUTES.search, texts) if found), None)
    return REFRESH_PAUSE if minutes is None else min(timedelta(minutes=minutes), REFRESH_PAUSE)


def read_error(answer: Answer, *, to: str = "a read") -> VendorError:
    """Turn an error answer into the error to raise, with Belvo's code and request id where it gave them.

    `to` says in two words what was answered.
    """
    bodies = read_bodies(answer)
    body = decisive(bodies) or (bodies[0] if bodies else ErrorBody())
    if is_throttle(answer):
        return RateLimitError(
            f"Belvo refused {to} for its rate limit of 80 requests in 30 s: slow down",
            status_code=answer.status,
            code=body.code,
            request_id=body.request_id,
            retry_after=retry_after(answer.headers, None, longest=LONGEST_WAIT),
        )
    if answer.status == 428 and body.code == "token_required":
        return _token_error(answer, body)
    said = advice_for(body.code).message if body.code else name_stranger(answer)
    where = f" ({body.field})" if body.field else ""
    return _error_class(answer.status, body.code)(
        f"Belvo answered {answer.status} to {to}: {body.code or 'no code'}, {said}{where}",
        status_code=answer.status,
        code=body.code,
        request_id=body.request_id,
        field=body.field,
    )


def _token_error(answer: Answer, body: ErrorBody) -> TokenRequiredError:
    demand = _read_demand(answer)
    asked = demand.token_generation_data
    return TokenRequiredError(
        "the institution asks the taxpayer for a token: give it with Resume before the session expires",
        status_code=answer.status,
        code=body.code,
        request_id=body.request_id,
        session=_matching(_SESSION, demand.session),
        link=_matching(_SESSION, demand.link),
        expires_in=None if demand.expiry is None else timedelta(seconds=demand.expiry),
        instructions=asked.instructions if asked else None,
    )


def _read_demand(answer: Answer) -> TokenDemand:
    # The code was readable, so the error stands; what cannot be read of it is missing.
    return next((each for each in _read_all(answer, list[TokenDemand]) if each.session), TokenDemand())


def _error_class(status: int, code: str | None) -> type[VendorError]:
    # 404 also says that a link's credentials expired: that link is known. And without a code it is not Belvo who
    # refuses the key, or knows no such object.
    if code is None or (status == 404 and code != "not_found"):
        return VendorError
    return {401: AuthenticationError, 403: AuthenticationError, 404: NotFoundError}.get(status, VendorError)
