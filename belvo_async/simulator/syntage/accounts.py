"""Entities and credentials: made, checked by the SAT after a while, revalidated, deleted."""

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Final, Literal
from uuid import UUID

from ..faults import Dice
from ..origin import Timers
from ..rate_limits import RouteBudgets
from ..taxpayers import Taxpayer, subject
from ..wire import Json, JsonObject
from .options import Problem
from .rows.invoices import Credential, Entity, OrderedIds, stamp
from .tags import Tags
from .webhooks import SyntageEvents

CredentialStatus = Literal["valid", "invalid", "error", "disabled", "waiting"]
# The SAT refuses this CIEC here, so that a server without scripts can show an invalid credential as well.
REFUSED_PASSWORD: Final = "refused-ciec1"  # noqa: S105 - made up, opens nothing
# "Usually 10-20 s" (credentials page).
CHECK_SECONDS: Final = (10.0, 20.0)
# Revalidation answers 429 with rate headers (OpenAPI); how many are let through is not documented.
REVALIDATIONS, REVALIDATION_WINDOW = 3, timedelta(seconds=60)
SOURCES: Final = ("sat", "buro_de_credito", "rpc", "rug", "bil")
RFC: Final = re.compile(r"[A-ZÑ&]{3,4}\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[A-Z0-9]{3}")
_CHOICE, _BLANK = "The value you selected is not a valid choice.", "This value should not be blank."


@dataclass(frozen=True, kw_only=True)
class CredentialScript:
    """What the SAT is to say of a coming check."""

    status: CredentialStatus
    duration: timedelta | None = None
    reason: str | None = None


@dataclass(kw_only=True)
class Accounts:
    """Everybody Syntage extracts for; `on_answer` is told when the SAT has judged a credential of an entity."""

    seed: int
    timers: Timers
    events: SyntageEvents
    dice: Dice
    now: Callable[[], datetime]
    tags: Tags
    on_answer: Callable[[Entity], object]
    on_delete: Callable[[Entity], object]
    scripts: list[CredentialScript] = field(default_factory=list[CredentialScript])
    entities: dict[str, Entity] = field(default_factory=dict[str, Entity])
    credentials: dict[str, Credential] = field(default_factory=dict[str, Credential], repr=False)

    def __post_init__(self) -> None:
        self._entity_ids = OrderedIds(self.dice.stream("new_entity_ids"), self.now)
        self._checks = RouteBudgets(REVALIDATIONS, REVALIDATION_WINDOW)

    def populate(self, count: int) -> None:
        """Make the entities that exist from the start, each with a valid CIEC."""
        began = self.now() - timedelta(days=30)
        ids = OrderedIds(self.dice.stream("entity_ids"), lambda: began)
        for index in range(count):
            owner = subject(self.seed, index)
            credential = Credential(
                id=self._credential_id(), type="ciec", owner=owner, status="valid", created_at=began, updated_at=began
            )
            entity = Entity(
                id=ids(),
                credential=credential,
                subject=owner,
                created_at=began,
                updated_at=began,
                tags=self.tags.of_entity(index),
            )
            self.credentials[credential.id] = credential
            self.entities[entity.id] = entity

    def _credential_id(self) -> str:
        return str(UUID(int=self.dice.stream("credential_ids").getrandbits(128), version=4))

    def by_rfc(self, rfc: str) -> Entity | None:
        """Give the entity of an RFC."""
        return next((entity for entity in self.entities.values() if rfc and entity.subject.rfc == rfc), None)

    # Credentials

    def submit(self, body: JsonObject) -> Credential | list[Problem]:
        """Take a new credential in; the SAT's answer comes later. Gives what is wrong with the body instead."""
        problems = check_credential(body)
        if problems:
            return problems
        now, rfc = self.now(), _rfc_of(body, self.seed)
        known = self.by_rfc(rfc)
        credential = Credential(
            id=self._credential_id(),
            type=str(body["type"]),
            owner=known.subject if known else taxpayer_of(rfc, None),
            status="pending",
            created_at=now,
            updated_at=now,
        )
        self.credentials[credential.id] = credential
        self._tell("credential.created", credential)
        if known is not None and known.credential is None:
            known.credential = credential
            self.tell_entity("link.updated", known)
        self._check(credential, is_refused=body.get("password") == REFUSED_PASSWORD)
        return credential

    def may_revalidate(self, credential: Credential) -> str | None:
        """Count a revalidation. Gives when the window ends if it is one too many, else None.

        As a date-time: the OpenAPI declares it so for this one 429, all others have epoch seconds.
        """
        if self._checks.take(credential.id):
            return None
        reset = int(self._checks.headers(credential.id, self.now())["X-RateLimit-Reset"])
        return stamp(datetime.fromtimestamp(reset, UTC))

    def revalidate(self, credential: Credential) -> None:
        """Check a credential again."""
        self._change(credential, "pending", None)
        self._check(credential, is_refused=False)

    def remove(self, credential: Credential) -> None:
        """Forget a credential; its entity stays, without one."""
        self.timers.drop_timer(credential.timer)
        del self.credentials[credential.id]
        self._tell("credential.deleted", credential)
        entity = self._entity_of(credential)
        if entity is not None:
            entity.credential = None
            self.tell_entity("link.updated", entity)

    def _check(self, credential: Credential, *, is_refused: bool) -> None:
        script = self.scripts.pop(0) if self.scripts else None
        drawn = self.dice.stream("credential_checks").uniform(*CHECK_SECONDS)
        seconds = script.duration.total_seconds() if script and script.duration is not None else drawn
        status = script.status if script else "invalid" if is_refused else "valid"
        reason = script.reason if script else None
        if status == "waiting":  # checking is switched off; without a duration until it is revalidated
            credential.timer = self.timers.after(1.0, lambda: self._wait(credential, script))
            return
        credential.timer = self.timers.after(seconds, lambda: self._answer(credential, status, reason))

    def _wait(self, credential: Credential, script: CredentialScript | None) -> None:
        self._answer(credential, "waiting", None)
        if script is not None and script.duration is not None:
            seconds = script.duration.total_seconds()
            credential.timer = self.timers.after(seconds, lambda: self._answer(credential, "valid", None))

    def _answer(self, credential: Credential, status: str, reason: str | None) -> None:
        self._change(credential, status, reason)
        entity = self.by_rfc(credential.owner.rfc)
        if entity is None and status == "valid":
            # The entity appears by itself once the SAT accepted its credential.
            entity = self._add(credential.owner, credential)
        elif entity is not None and entity.credential is not credential and status == "valid":
            entity.credential = credential
            self.tell_entity("link.updated", entity)
        if entity is not None and entity.credential is credential:
            self.on_answer(entity)

    def _change(self, credential: Credential, status: str, reason: str | None) -> None:
        old, credential.status, credential.reason = credential.status, status, reason
        credential.updated_at = self.now()
        self._tell("credential.updated", credential, {"status": {"old": old, "new": status}})

    def _tell(self, kind: str, credential: Credential, changes: JsonObject | None = None) -> None:
        row, owner = credential.row(), self._entity_of(credential) or _stranger(credential, self.now())
        self.events.emit(kind, owner, credential.iri, lambda: row, changes=changes)

    def _entity_of(self, credential: Credential) -> Entity | None:
        return next((one for one in self.entities.values() if one.credential is credential), None)

    # Entities

    def add(self, body: JsonObject) -> Entity | list[Problem]:
        """Make an entity without a credential. Gives what is wrong with the body instead."""
        problems = check_entity(body)
        if problems:
            return problems
        rfc = _entity_rfc(body)
        if self.by_rfc(rfc) is not None:  # what Syntage does then is not documented
            return [("rfc", "This value is already used.")]
        owner = taxpayer_of(rfc, str(body["name"]), is_company=body["type"] == "company")
        return self._add(owner, None)

    def _add(self, owner: Taxpayer, credential: Credential | None) -> Entity:
        now = self.now()
        entity = Entity(id=self._entity_ids(), subject=owner, credential=credential, created_at=now, updated_at=now)
        self.entities[entity.id] = entity
        self.tell_entity("link.created", entity)
        return entity

    def take_up(self, entity: Entity) -> None:
        """Give an entity that came to have an RFC the credential there is for it."""
        own = [one for one in self._credentials_of(entity) if one.status == "valid"]
        if entity.credential is None and own:
            entity.credential = own[-1]
        self.on_answer(entity)

    def _credentials_of(self, entity: Entity) -> list[Credential]:
        rfc = entity.subject.rfc
        return [one for one in self.credentials.values() if one is entity.credential or (rfc and one.owner.rfc == rfc)]

    def drop(self, entity: Entity) -> None:
        """Remove an entity, its credentials and all its data."""
        for credential in self._credentials_of(entity):
            self.timers.drop_timer(credential.timer)
            del self.credentials[credential.id]
            self._tell("credential.deleted", credential)
        del self.entities[entity.id]
        self.on_delete(entity)
        self.tell_entity("link.deleted", entity)

    def tell_entity(self, kind: str, entity: Entity) -> None:
        """Announce that an entity was made, changed (`link.updated`) or deleted."""
        entity.updated_at = self.now()
        row = entity.row()
        self.events.emit(kind, entity, entity.iri, lambda: row)


def _stranger(credential: Credential, now: datetime) -> Entity:
    """Stand in for the entity a credential will only have later: events name its taxpayer all the same."""
    return Entity(id="", subject=credential.owner, credential=credential, created_at=now, updated_at=now)


def taxpayer_of(rfc: str, name: str | None, *, is_company: bool | None = None) -> Taxpayer:
    """Make up the taxpayer of an RFC that came in: 12 characters are a company. Without RFC: as told."""
    company = len(rfc) == 12 if rfc else bool(is_company)
    digits = rfc[-9:-3]
    born = _born(digits) if rfc else date(2015, 1, 1)
    return Taxpayer(
        rfc=rfc,
        name=name or (f"EMPRESA {rfc[:3]} SA DE CV" if company else f"PERSONA {rfc[:2]} {rfc[2:4]}"),
        is_company=company,
        regime="601" if company else "612",
        postal_code="49340",
        registered_on=born,
    )


def _born(digits: str) -> date:
    year = int(digits[:2])
    day = min(int(digits[4:6]), 28)
    return date(1900 + year if year > 40 else 2000 + year, int(digits[2:4]), day)


def check_credential(body: JsonObject) -> list[Problem]:
    """Check the body of POST /credentials."""
    checks = {"ciec": _check_ciec, "efirma": _check_efirma}
    kind = body.get("type")
    if not isinstance(kind, str) or kind not in checks:
        return [("type", _CHOICE if kind else _BLANK)]
    return list(checks[kind](body))


def _check_ciec(body: JsonObject) -> Iterator[Problem]:
    rfc, password = body.get("rfc"), body.get("password")
    if not isinstance(rfc, str) or RFC.fullmatch(rfc) is None:
        yield "rfc", "This value is not a valid RFC." if rfc else _BLANK
    if not isinstance(password, str) or len(password) < 8:
        yield "password", "This value is too short. It should have 8 characters or more." if password else _BLANK


def _check_efirma(body: JsonObject) -> Iterator[Problem]:
    for name in ("certificate", "privateKey"):
        if not _from_base64(body.get(name)):
            yield name, "This value is not valid base64." if body.get(name) else _BLANK
    if not isinstance(body.get("password"), str) or not body["password"]:
        yield "password", _BLANK


def _from_base64(value: Json) -> bytes:
    try:
        return base64.b64decode(value, validate=True) if isinstance(value, str) else b""
    except (binascii.Error, ValueError):
        return b""


def _rfc_of(body: JsonObject, seed: int) -> str:
    """Give the RFC: sent with a CIEC, found in the certificate of an e.firma.

    The SAT writes it as plain text into the certificate; a made-up certificate without one gets a made-up taxpayer.
    """
    if body["type"] == "ciec":
        return str(body["rfc"])
    certificate = _from_base64(body["certificate"])
    found = RFC.search(certificate.decode("latin-1"))
    number = int.from_bytes(sha256(certificate).digest()[:4], "big")
    return found.group() if found else subject(seed, 1000 + number).rfc


def check_entity(body: JsonObject) -> list[Problem]:
    """Check the body of POST /entities."""
    problems: list[Problem] = []
    if body.get("type") not in ("company", "person"):
        problems.append(("type", _CHOICE if body.get("type") else _BLANK))
    if not isinstance(body.get("name"), str) or not body["name"]:
        problems.append(("name", _BLANK))
    rfc = _entity_rfc(body)
    if rfc and RFC.fullmatch(rfc) is None:
        problems.append(("rfc", "This value is not a valid RFC."))
    for index, source in enumerate(sources_of(body)):
        if source not in SOURCES:
            problems.append((f"datasources[{index}].name", _CHOICE))
    return problems


def _entity_rfc(body: JsonObject) -> str:
    """The RFC may come by itself or among the identifiers."""
    identifiers = body.get("identifiers")
    listed = (one for one in (identifiers if isinstance(identifiers, list) else ()) if isinstance(one, dict))
    named = (str(one.get("value") or "") for one in listed if one.get("identifier") == "rfc")
    return str(body.get("rfc") or next(named, ""))


def sources_of(body: JsonObject) -> list[str]:
    """Give the names of the data sources an entity is made with."""
    listed = body.get("datasources")
    return [
        str(one.get("name")) if isinstance(one, dict) else "" for one in (listed if isinstance(listed, list) else ())
    ]
