"""Who allowed his report of the credit bureau to be asked for. Without an authorization such an extraction waits."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import ClassVar, Final, Self

import msgspec
from msgspec.structs import force_setattr

from .....discreet import discreet
from .....errors import TaskError
from ..account import Entity
from ..forms.kinds import check_kind
from ..forms.requests import Delete, Get, OneRequest
from ..queries import ListQuery
from ..record import Record
from .addresses import POSTAL_CODE, PostalAddress

_COUNTRY: Final = re.compile("[A-Z]{2}", re.ASCII)
# Codes like CMX or MICH; the name of the state is what is sent by mistake.
_STATE: Final = re.compile("[A-Z]{2,4}", re.ASCII)
_COMPANY_RFC: Final = re.compile("[A-ZÑ&]{3}[0-9]{6}[A-Z0-9]{3}")
_PERSON_RFC: Final = re.compile("[A-ZÑ&]{4}[0-9]{6}[A-Z0-9]{3}")
_MEXICO: Final = "MX"


class BuroAuthorization(Record, frozen=True, kw_only=True):
    """An authorization, of a person (with names and a birth date) or a company (with a trade name).

    `is_valid` until it expires. `origin` is `external`, or `onboarding` where the taxpayer gave it at Syntage's page.
    """

    _instants: ClassVar[tuple[str, ...]] = (
        "created_at", "updated_at", "authorized_at", "authorized_until", "deleted_at"
    )  # fmt: skip

    rfc: str | None = None
    link: Entity | None = None
    authorized_at: datetime | None = None
    authorized_until: datetime | None = None
    nationality: str | None = None
    birthdate: date | None = None
    first_name: str | None = None
    middle_name: str | None = None
    first_last_name: str | None = None
    second_last_name: str | None = None
    trade_name: str | None = None
    address: str | None = None
    city: str | None = None
    municipality: str | None = None
    state: str | None = None
    postal_code: str | None = None
    exterior_number: str | None = None
    interior_number: str | None = None
    neighborhood: str | None = None
    country: str | None = None
    email: str | None = None
    origin: str | None = None
    is_valid: bool | None = None
    deleted_at: datetime | None = None


class BuroAuthorizations(ListQuery[BuroAuthorization], frozen=True, kw_only=True):
    """`GET /datasources/mx/buro-de-credito/authorizations`, or those of one entity."""

    under: ClassVar[str] = "/datasources/mx/buro-de-credito/authorizations"
    apart: ClassVar[str] = "/datasources/mx/buro-de-credito/authorizations"

    entity: str | None = None


class GetBuroAuthorization(Get[BuroAuthorization], frozen=True):
    """`GET /datasources/mx/buro-de-credito/authorizations/{id}`."""

    path: ClassVar[str] = "/datasources/mx/buro-de-credito/authorizations/{id}"


def _mexico() -> str:
    # A plain default would be left out of what is sent.
    return _MEXICO


class _Disclosed(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What somebody tells of himself. It shows nothing of it."""

    @discreet
    def __post_init__(self) -> None:
        for field in self.__struct_fields__:
            check_kind(self, field)

    def expect(self, field: str, form: re.Pattern[str], described: str) -> None:
        """Raise TaskError for a text of another form."""
        if not form.fullmatch(getattr(self, field)):
            raise TaskError(f"{field} must be {described}", field=field)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return []


class BuroAddress(_Disclosed, frozen=True, kw_only=True):
    """An address as the credit bureau wants it. `address` is the street, `state` a code like `CMX`. Raises TaskError.

    It must be one of the catalogue of postal codes: `within` makes it of a row of `PostalAddresses`.
    """

    address: str
    city: str
    municipality: str
    state: str
    postal_code: str
    neighborhood: str
    country: str = msgspec.field(default_factory=_mexico)
    exterior_number: str | None = None
    interior_number: str | None = None

    @discreet
    def __post_init__(self) -> None:
        super().__post_init__()
        self.expect("postal_code", POSTAL_CODE, "five digits")
        self.expect("state", _STATE, "the state's code, like CMX")
        self.expect("country", _COUNTRY, "a code of two letters, like MX")

    @classmethod
    @discreet
    def within(
        cls,
        place: PostalAddress,
        *,
        address: str,
        exterior_number: str | None = None,
        interior_number: str | None = None,
    ) -> Self:
        """Give the address of a house that lies in a settlement."""
        told = {name: getattr(place, name) for name in ("city", "municipality", "postal_code", "neighborhood")}
        return cls(
            address=address,
            state=place.state_code or "",
            exterior_number=exterior_number,
            interior_number=interior_number,
            **told,
        )


class BuroPerson(_Disclosed, frozen=True, kw_only=True):
    """A person who authorizes. Raises TaskError."""

    rfc: str
    birthdate: date
    first_name: str
    first_last_name: str
    second_last_name: str
    address: BuroAddress
    middle_name: str | None = None
    nationality: str = msgspec.field(default_factory=_mexico)

    @discreet
    def __post_init__(self) -> None:
        super().__post_init__()
        force_setattr(self, "rfc", self.rfc.upper())
        self.expect("rfc", _PERSON_RFC, "the RFC of a person: 4 letters, 6 digits, 3 letters or digits")
        self.expect("nationality", _COUNTRY, "a code of two letters, like MX")


class BuroCompany(_Disclosed, frozen=True, kw_only=True):
    """A company that authorizes. Raises TaskError."""

    rfc: str
    trade_name: str
    address: BuroAddress
    nationality: str = msgspec.field(default_factory=_mexico)

    @discreet
    def __post_init__(self) -> None:
        super().__post_init__()
        force_setattr(self, "rfc", self.rfc.upper())
        self.expect("rfc", _COMPANY_RFC, "the RFC of a company: 3 letters, 6 digits, 3 letters or digits")
        self.expect("nationality", _COUNTRY, "a code of two letters, like MX")


class CreateBuroAuthorization(OneRequest[None], frozen=True, kw_only=True):
    """`POST /entities/{entity}/datasources/mx/buro-de-credito/authorizations`: say that the taxpayer has authorized it.

    What Syntage answers is not documented: `BuroAuthorizations(entity=...)` shows it. Extractions of the report that
    were waiting for it go on. Sent once: after a TransportError, look before trying again. Raises TaskError.
    """

    method: ClassVar[str] = "POST"
    path: ClassVar[str] = "/entities/{entity}/datasources/mx/buro-de-credito/authorizations"

    entity: str
    taxpayer: BuroPerson | BuroCompany
    authorized_at: datetime


class DeleteBuroAuthorization(Delete, frozen=True):
    """`DELETE /datasources/mx/buro-de-credito/authorizations/{id}`."""

    path: ClassVar[str] = "/datasources/mx/buro-de-credito/authorizations/{id}"
