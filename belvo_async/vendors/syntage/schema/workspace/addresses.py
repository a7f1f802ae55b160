"""Mexico's postal codes, as the credit bureau wants addresses to be written."""

from __future__ import annotations

import re
from typing import ClassVar, Final, cast

from .....discreet import discreet
from .....errors import TaskError
from ..queries import OfObject
from ..record import Record

POSTAL_CODE: Final = re.compile("[0-9]{5}", re.ASCII)


class PostalAddress(Record, frozen=True, kw_only=True):
    """One settlement of a postal code: `BuroAddress.within` makes an address of it. It has no id."""

    postal_code: str | None = None
    neighborhood: str | None = None
    neighborhood_type: str | None = None
    municipality: str | None = None
    state: str | None = None
    state_code: str | None = None
    city: str | None = None
    office_key: str | None = None


class PostalAddresses(OfObject[PostalAddress], frozen=True, kw_only=True):
    """`GET /datasources/mx/addresses/{postal_code}`: what lies in a postal code, often several settlements."""

    path: ClassVar[str] = "/datasources/mx/addresses/{postal_code}"
    is_sized: ClassVar[bool] = False

    postal_code: str

    @discreet
    def __post_init__(self) -> None:
        code = cast("object", self.postal_code)
        if not isinstance(code, str) or not POSTAL_CODE.fullmatch(code):
            raise TaskError("postal_code must be five digits, as a text", field="postal_code")
        super().__post_init__()
