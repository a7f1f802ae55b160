"""The institutions the simulated Belvo knows: the SAT, its sandbox twin, and a bank that is down."""

from typing import Final

from ...wire import Json, JsonObject
from ..rows.invoices import Filed
from .checks import FETCHABLE

SANDBOX: Final = "tatooine_mx_fiscal"
_FEATURES: list[Json] = [{"name": "token_required", "description": "The institution may require a token during login"}]


def _form() -> list[Json]:
    """Give the two fields a login form shows for the SAT."""
    return [
        {
            "name": name,
            "type": kind,
            "label": label,
            "validation": validation,
            "placeholder": placeholder,
            "validation_message": "Formato inválido",
            "values": [],
        }
        for name, kind, label, validation, placeholder in (
            ("username", "text", "RFC", "^.{12,13}$", "PFIS010101000"),
            ("password", "password", "CIEC", "^[a-zA-Z0-9]{8}", "........"),
        )
    ]


def _institution(number: int, name: str, title: str, kind: str = "fiscal", status: str = "healthy") -> JsonObject:
    is_fiscal = kind == "fiscal"
    resources: list[Json] = list(FETCHABLE) if is_fiscal else ["ACCOUNTS", "TRANSACTIONS"]
    return {
        "id": number,
        "name": name,
        "type": kind,
        "website": "https://www.sat.gob.mx/" if is_fiscal else None,
        "display_name": title,
        "country_codes": ["MX"],
        "primary_color": "#056dae",
        "logo": None,
        "icon_logo": None,
        "text_logo": None,
        "code": None,
        "form_fields": _form() if is_fiscal else [],
        "features": _FEATURES if is_fiscal else [],
        "resources": resources,
        "integration_type": "credentials",
        "status": status,
        "openbanking_information": None,
    }


INSTITUTIONS: dict[str, Filed] = {
    str(row["id"]): Filed(id=str(row["id"]), link="", row=row)
    for row in (
        _institution(1003, SANDBOX, "Tatooine"),
        _institution(1004, "sat_mx_fiscal", "SAT"),
        _institution(1005, "erebor_mx_retail", "Erebor", "bank", "down"),
    )
}
FISCAL: Final = frozenset(str(filed.row["name"]) for filed in INSTITUTIONS.values() if filed.row["type"] == "fiscal")
