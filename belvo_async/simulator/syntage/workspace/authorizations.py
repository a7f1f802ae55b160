"""Authorizations of the credit bureau: an extraction of its report waits until the taxpayer has given one."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from ...faults import Dice
from ...taxpayers import Taxpayer
from ...wire import Incoming, JsonObject, Reply, Route
from ..accounts import RFC, Accounts
from ..catalogue import Listing, detail
from ..errors import message, violations
from ..handlers import read_object
from ..options import Problem, read_instant
from ..rows.invoices import Entity, OrderedIds, stamp
from .addresses import addresses_of
from .bodies import BLANK, check_text, not_found

PATH: Final = "/datasources/mx/buro-de-credito/authorizations"
# From the vendor's example: 2024-01-31 until 2027-01-31.
YEARS: Final = 3
_PERSON: Final = ("rfc", "nationality", "birthdate", "firstName", "firstLastName", "secondLastName")
_COMPANY: Final = ("rfc", "nationality", "tradeName")
_ADDRESS: Final = ("address", "city", "municipality", "state", "postalCode", "neighborhood", "country")
_MAYBE: Final = ("middleName", "exteriorNumber", "interiorNumber")
_COUNTRY: Final = re.compile("[A-Z]{2}")


@dataclass(kw_only=True)
class Authorization:
    """One that was given: what was told with it, for whom, and until when it holds."""

    id: str
    entity: Entity
    told: JsonObject = field(repr=False)
    given_at: datetime
    created_at: datetime

    @property
    def until(self) -> datetime:
        """When it expires."""
        try:
            return self.given_at.replace(year=self.given_at.year + YEARS)
        except ValueError:  # given on a 29th of February
            return self.given_at.replace(year=self.given_at.year + YEARS, day=28)

    def is_valid(self, now: datetime) -> bool:
        """Whether it has not expired."""
        return now < self.until

    def row(self, now: datetime) -> JsonObject:
        """Give it as Syntage shows it."""
        return {
            "@id": f"{PATH}/{self.id}",
            "@type": "BuroDeCreditoAuthorization",
            "id": self.id,
            **self.told,
            "link": self.entity.row(),
            "authorizedAt": stamp(self.given_at),
            "authorizedUntil": stamp(self.until),
            "email": None,
            "origin": "external",
            "isValid": self.is_valid(now),
            "createdAt": stamp(self.created_at),
            "updatedAt": stamp(self.created_at),
            "deletedAt": None,
        }


@dataclass(kw_only=True)
class Authorizations:
    """All that were given, oldest first. The first entities have one; `on_change` is told of new ones."""

    accounts: Accounts
    dice: Dice
    now: Callable[[], datetime]
    on_change: Callable[[Entity], object]
    all: dict[str, Authorization] = field(default_factory=dict[str, Authorization])

    def __post_init__(self) -> None:
        began = self.now() - timedelta(days=30)
        first = OrderedIds(self.dice.stream("authorization_ids"), lambda: began)
        self._ids = OrderedIds(self.dice.stream("new_authorization_ids"), self.now)
        for entity in self.accounts.entities.values():
            self._keep(first(), entity, _told_by(entity.subject), began, began)

    def _keep(self, number: str, entity: Entity, told: JsonObject, given_at: datetime, made: datetime) -> None:
        self.all[number] = Authorization(id=number, entity=entity, told=told, given_at=given_at, created_at=made)

    def covers(self, entity: Entity) -> bool:
        """Tell whether a report of an entity may be asked for."""
        return any(one.entity is entity and one.is_valid(self.now()) for one in self.all.values())

    def drop(self, entity: Entity) -> None:
        """Forget those of an entity."""
        self.all = {number: one for number, one in self.all.items() if one.entity is not entity}

    def routes(self) -> Iterator[Route]:
        """Give the routes."""
        for template in (PATH, f"/entities/{{id}}{PATH}"):
            yield Listing(template=template, context="BuroDeCreditoAuthorization", rows=self._rows).route()
        yield Route("POST", f"/entities/{{id}}{PATH}", self._create)
        yield Route("GET", f"{PATH}/{{id}}", self._get)
        yield Route("DELETE", f"{PATH}/{{id}}", self._delete)

    def _rows(self, args: Mapping[str, str]) -> list[JsonObject] | None:
        owner = args.get("id")
        if owner is not None and owner not in self.accounts.entities:
            return None
        wanted = (one for one in self.all.values() if owner in (None, one.entity.id))
        return [one.row(self.now()) for one in sorted(wanted, key=lambda one: one.id, reverse=True)]

    async def _create(self, call: Incoming) -> Reply:
        entity, body = self.accounts.entities.get(call.args["id"]), read_object(call)
        if entity is None:
            return not_found()
        if body is None:
            return message(400, "Syntax error")
        problems = _check(body, is_company=entity.subject.is_company)
        given_at, taxpayer = read_instant(body.get("authorizedAt")), body.get("taxpayer")
        if problems or given_at is None or not isinstance(taxpayer, dict):
            return violations(problems)
        self._keep(self._ids(), entity, _flat(taxpayer), given_at, self.now())
        self.on_change(entity)
        return Reply(status=201)  # what it holds is not documented

    async def _get(self, call: Incoming) -> Reply:
        found = self.all.get(call.args["id"])
        return detail(found.row(self.now()) if found else None, "BuroDeCreditoAuthorization")

    async def _delete(self, call: Incoming) -> Reply:
        return Reply(status=204) if self.all.pop(call.args["id"], None) else not_found()


def _flat(taxpayer: JsonObject) -> JsonObject:
    """Bring what was told into one level, as it is shown."""
    address = taxpayer["address"]
    told = {**taxpayer, **(address if isinstance(address, dict) else {})}
    names = (*(_PERSON if "birthdate" in taxpayer else _COMPANY), *_ADDRESS)
    return {name: told.get(name) for name in (*names, *(name for name in _MAYBE if name in told))}


def _told_by(subject: Taxpayer) -> JsonObject:
    """Make up what the taxpayer of an entity told."""
    (place, *_) = addresses_of(subject.postal_code) or addresses_of("11510")
    given, first, second = (subject.name.split() * 3)[:3]
    person: JsonObject = {
        "birthdate": (subject.registered_on - timedelta(days=365 * 20)).isoformat(),
        "firstName": given, "middleName": None, "firstLastName": first, "secondLastName": second,
    }  # fmt: skip
    return {
        "rfc": subject.rfc,
        "nationality": "MX",
        **({"tradeName": subject.name} if subject.is_company else person),
        "address": "Av Reforma",
        **{name: place[name] for name in ("city", "municipality", "postalCode", "neighborhood")},
        "state": place["stateCode"],
        "exteriorNumber": "8",
        "interiorNumber": "",
        "country": "MX",
    }


def _check(body: JsonObject, *, is_company: bool) -> list[Problem]:
    """Check the body: of a company with a company's fields, of a person with a person's."""
    problems: list[Problem] = []
    given_at = body.get("authorizedAt")
    if read_instant(given_at) is None:
        problems.append(("authorizedAt", "This value is not a valid datetime." if given_at else BLANK))
    taxpayer = body.get("taxpayer")
    if not isinstance(taxpayer, dict):
        return [*problems, ("taxpayer", BLANK)]
    for name in _COMPANY if is_company else _PERSON:
        problems += check_text(taxpayer, name, path=f"taxpayer.{name}")
    address = taxpayer.get("address")
    if not isinstance(address, dict):
        return [*problems, ("taxpayer.address", BLANK)]
    for name in _ADDRESS:
        problems += check_text(address, name, path=f"taxpayer.address.{name}")
    return problems or [*_check_form(taxpayer), *_check_place(address)]


def _check_form(taxpayer: JsonObject) -> Iterator[Problem]:
    if RFC.fullmatch(str(taxpayer["rfc"])) is None:
        yield "taxpayer.rfc", "This value is not a valid RFC."
    if _COUNTRY.fullmatch(str(taxpayer["nationality"])) is None:
        yield "taxpayer.nationality", "This value is not a valid country."
    if "birthdate" in taxpayer and read_instant(taxpayer["birthdate"]) is None:
        yield "taxpayer.birthdate", "This value is not a valid date."


def _check_place(address: JsonObject) -> Iterator[Problem]:
    """Hold it against the catalogue of postal codes: code and state. In the vendor's examples the rest differs."""
    if _COUNTRY.fullmatch(str(address["country"])) is None:
        yield "taxpayer.address.country", "This value is not a valid country."
    code = str(address["postalCode"])
    places = addresses_of(code) if re.fullmatch("[0-9]{5}", code) else []
    if not places:
        yield "taxpayer.address.postalCode", "This value is not a known postal code."
    elif all(address["state"] != place["stateCode"] for place in places):
        yield "taxpayer.address.state", "This value does not match the postal code."
