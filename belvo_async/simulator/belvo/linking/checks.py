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
_ANY: Final = re.compile(r".*", re.DOTALL)
_EXTERNAL_ID: Final = re.compile(r".{3,256}", re.DOTALL)


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
