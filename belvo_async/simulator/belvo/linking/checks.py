"""What Belvo refuses in a body that creates, changes or resumes a link. No message repeats what was sent."""

import re
from datetime import date
from typing import Final

from ...wire import Json, JsonObject
from ..checks import Problem, check_choice, check_flag, check_uuid, required

# The Mexican fiscal resources (LinksRequestFiscalMexico.fetch_resources).
FETCHABLE: Final = (
    "FINANCIAL_STATEMENTS",
    "INVOICES",
    "TAX_COMPLIANCE_STATUS",
    "TAX_RETENTIONS",
    "TAX_RETURNS",
    "TAX_STATUS",
)
MODES: Final = ("single", "recurrent")
_INSTITUTION: Final = re.compile(r"[a-z]+_[a-z]{2}_[a-z]+")
_USERNAME: Final = re.compile(r".{12,13}")  # an RFC: 12 characters for companies, 13 for persons
_PASSWORD: Final = re.compile(r"[a-zA-Z0-9]{8}.*")  # the specification's pattern is open at its end
_STORAGE: Final = re.compile(r"store|nostore|\d{1,3}d")
_DAYS: Final = re.compile(r"\d{1,3}d")
_SESSION: Final = re.compile(r"[a-f0-9]{32}")
_SCOPES: Final = re.compile(r"[a-z_]+(,[a-z_]+)*")
_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
# An app's own deep link: the example has a `_` in front of the colon, which no URI has.
_DEEP_LINK: Final = re.compile(r"\w[\w+.-]*:\S+")
_ANY: Final = re.compile(r".*", re.DOTALL)
_EXTERNAL_ID: Final = re.compile(r".{3,256}", re.DOTALL)

# Parts of the widget (WidgetTokenRequestFiscalMexico), and which of their fields may be missing.
_BRANDING: Final = {
    "company_icon": _URI,
    "company_logo": _URI,
    "company_name": _ANY,
    "company_terms_url": _URI,
    "company_terms_version": _ANY,
    "overlay_background_color": _ANY,
}
_CALLBACKS: Final = {"success": _DEEP_LINK, "exit": _DEEP_LINK, "event": _DEEP_LINK}
_THEME: Final = {"css_key": _ANY, "value": _ANY}
_OPTIONAL: Final = frozenset({"company_terms_version", "overlay_background_color"})


def check_new_link(body: JsonObject, institutions: frozenset[str]) -> list[Problem]:
    """Check a body of POST /api/links/."""
    problems = _text(body, "institution", _INSTITUTION)
    if not problems and body["institution"] not in institutions:
        problems = [("institution", "does_not_exist", "Object with this name does not exist.")]
    problems += _text(body, "username", _USERNAME) + _text(body, "password", _PASSWORD)
    problems += _optional(body, "external_id", _EXTERNAL_ID) + _optional(body, "stale_in", _DAYS)
    if "access_mode" in body:
        problems += check_choice("access_mode", body["access_mode"], MODES)
    problems += check_resources(body)
    return problems or _storage(body)


def check_change(body: JsonObject, today: date) -> list[Problem]:
    """Check a body of PATCH /api/links/{id}/."""
    problems = _optional(body, "stale_in", _DAYS) + check_resources(body)
    if "access_mode" in body:
        problems += check_choice("access_mode", body["access_mode"], MODES)
    return problems


def check_credentials(body: JsonObject, today: date) -> list[Problem]:
    """Check a body of PUT /api/links/{id}/.

    The specification requires institution and user name, which Belvo's own clients do not send: they may be missing.
    """
    problems = _optional(body, "institution", _INSTITUTION) + _optional(body, "username", _USERNAME)
    return (
        problems + _text(body, "password", _ANY) + _optional(body, "password2", _ANY) + _optional(body, "token", _ANY)
    )


def check_resume(body: JsonObject, today: date) -> list[Problem]:
    """Check a body that resumes a session with a token.

    The token is optional in the specification, for sessions without user input; every session here asks for one.
    """
    problems = _text(body, "session", _SESSION) + (required(body, "link") or check_uuid("link", body["link"]))
    return problems + _text(body, "token", _ANY) + check_flag(body, "save_data")


def check_token(body: JsonObject) -> list[Problem]:
    """Check what a body of POST /api/token/ says beside the keys.

    The specification requires `stale_in`, `fetch_resources` and `widget` as well. Belvo's own clients send none of them
    of themselves, and for the token of a link its page shows none: they may be missing. What of the widget is given is
    held against the specification, of a link's only in its types.
    """
    problems = _text(body, "scopes", _SCOPES) + check_resources(body)
    problems += _optional(body, "stale_in", _DAYS) + _optional(body, "credentials_storage", _STORAGE)
    return problems + (_widget(body["widget"], is_new=body.get("link_id") is None) if "widget" in body else [])


def _widget(widget: Json, *, is_new: bool) -> list[Problem]:
    if not isinstance(widget, dict):
        return [_no_object("widget", widget)]
    problems = required(widget, "branding") if is_new else []
    for name, forms in (("branding", _BRANDING), ("callback_urls", _CALLBACKS)):
        if widget.get(name) is not None:
            problems += _part(name, widget[name], forms, is_new=is_new)
    theme = widget.get("theme", [])
    if not isinstance(theme, list):
        return [*problems, ("theme", "not_a_list", f'Expected a list of items but got type "{type(theme).__name__}".')]
    return problems + [problem for each in theme for problem in _part("theme", each, _THEME, is_new=is_new)]


def _part(name: str, part: Json, forms: dict[str, re.Pattern[str]], *, is_new: bool) -> list[Problem]:
    if not isinstance(part, dict):
        return [_no_object(name, part)]
    problems = check_flag(part, "social_proof")
    for field, form in forms.items():
        problems += _optional(part, field, form) if field in _OPTIONAL or not is_new else _text(part, field, form)
    return problems


def _no_object(name: str, value: Json) -> Problem:
    return (name, "invalid", f"Invalid data. Expected a dictionary, but got {type(value).__name__}.")


def check_resources(body: JsonObject) -> list[Problem]:
    """Check `fetch_resources`, which may be missing."""
    asked = body.get("fetch_resources", [])
    if not isinstance(asked, list):
        return [("fetch_resources", "not_a_list", f'Expected a list of items but got type "{type(asked).__name__}".')]
    if all(resource in FETCHABLE for resource in asked):
        return []
    return [("fetch_resources", "invalid_fetch_resources", "These resources cannot be fetched for the institution.")]


def _storage(body: JsonObject) -> list[Problem]:
    """A recurrent link keeps its credentials; a link that keeps none must say what to fetch at once."""
    problems = _optional(body, "credentials_storage", _STORAGE)
    storage = body.get("credentials_storage")
    if not problems and storage not in (None, "store") and body.get("access_mode", "recurrent") == "recurrent":
        problems = [("credentials_storage", "invalid_credentials_storage", "A recurrent link must store them.")]
    if not problems and storage == "nostore" and not body.get("fetch_resources"):
        problems = [("fetch_resources", "invalid_fetch_resources", "Without stored credentials this is needed.")]
    return problems


def _text(body: JsonObject, name: str, pattern: re.Pattern[str]) -> list[Problem]:
    return required(body, name) or _fits(name, body[name], pattern)


def _optional(body: JsonObject, name: str, pattern: re.Pattern[str]) -> list[Problem]:
    return _text(body, name, pattern) if name in body else []


def _fits(name: str, value: Json, pattern: re.Pattern[str]) -> list[Problem]:
    if not isinstance(value, str):
        return [(name, "invalid", "Not a valid string.")]
    if not value:
        return [(name, "blank", "This field may not be blank.")]
    if not pattern.fullmatch(value):
        return [(name, "invalid", "Enter a valid value.")]
    return []
