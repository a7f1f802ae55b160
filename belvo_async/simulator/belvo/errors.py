"""Belvo's documented error bodies: a list of objects with code, message and request_id."""

from typing import Final

from ..wire import Json, JsonObject, Reply, answer

# code -> (status, message). Codes and statuses from Belvo's error catalogue; the texts are our own.
CODES: dict[str, tuple[int, str]] = {
    "login_error": (400, "Invalid credentials provided to login to the institution"),
    "invalid_link": (400, "The link is invalid; its credentials must be updated"),
    "unconfirmed_link": (400, "The link was never confirmed"),
    "session_expired": (400, "The login session has expired"),
    "too_many_sessions": (400, "A session with the same credentials is already open"),
    "institution_down": (400, "The financial institution is down, try again later"),
    "institution_unavailable": (400, "The institution is unavailable for now"),
    "institution_inactive": (400, "The institution was deactivated"),
    "unavailable_data": (400, "The institution does not show this data for now"),
    "unsupported_operation": (400, "The institution does not support this operation"),
    "authentication_failed": (401, "Invalid Secret Keys"),
    "access_to_resource_denied": (403, "You don't have access to this resource"),
    "access_to_production_denied": (403, "You don't have access to production"),
    "permission_denied": (403, "You don't have permission to do this"),
    "not_found": (404, "Not found"),
    "expired_credentials": (404, "The stored credentials of the link have expired"),
    "duplicated": (400, "A link with these credentials exists already"),
    "method_not_allowed": (405, "Method not allowed"),
    "request_timeout": (408, "The request timed out; what was gathered is stored"),
    "link_refreshed": (409, "The link was refreshed a moment ago"),
    "token_required": (428, "A MFA token is required by the institution"),
    "unexpected_error": (500, "Belvo is unable to process the request"),
    "service_unavailable": (500, "The service is unavailable for now"),
}
# The body of every refusal but a proxy's, as JSON Schema.
ERROR_SCHEMA: JsonObject = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["code", "message", "request_id"],
        "properties": {each: {"type": "string"} for each in ("code", "message", "request_id", "field")},
    },
}
# How long a suspended session waits for its token.
SESSION_SECONDS: Final = 900
HTML_403: Final = (
    b"<html><head><title>403 Forbidden</title></head><body><center><h1>403 Forbidden</h1></center></body></html>"
)


def error(code: str, request_id: str, **more: Json) -> Reply:
    """Answer a documented error code with its status; a code we do not know is a 400."""
    status, message = CODES.get(code, (400, "The request failed"))
    return answer(status, [{"code": code, "message": message, "request_id": request_id, **more}])


def token_required(request_id: str, link: str, *, session: str, token: str) -> Reply:
    """Answer 428 with the session fields a resume needs."""
    return error(
        "token_required",
        request_id,
        session=session,
        expiry=SESSION_SECONDS,
        link=link,
        token_generation_data={
            "instructions": "Read the number in your app",
            "type": "numeric",
            "value": token,
            "expects_user_input": True,
        },
    )


def invalid(problems: list[tuple[str, str, str]], request_id: str) -> Reply:
    """Answer 400 with one object per problem; each problem is (field, code, message)."""
    rows: list[Json] = []
    for field, code, message in problems:
        row: JsonObject = {"code": code, "message": message, "request_id": request_id, "field": field}
        rows.append(row)
    return answer(400, rows)


def proxy_page() -> Reply:
    """Answer as the proxy does above 80 requests in 30 seconds: HTML, not JSON."""
    return Reply(status=403, body=HTML_403, content_type="text/html")


def slow_down() -> Reply:
    """Answer 429; its body is not documented, so nothing may be built on it."""
    return Reply(status=429, body=b"Too Many Requests", content_type="text/plain")
