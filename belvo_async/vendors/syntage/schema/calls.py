"""Plain calls: single reads, and what concerns credentials and entities. None is stored, so they may carry secrets."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from typing import ClassVar, Generic, Literal, TypeAlias, TypeVar, cast

import msgspec
from msgspec.structs import force_setattr

from ....abc import Call, Secret
from ....errors import TaskError
from .account import Credential, EntityAdded
from .subjects import RFC, read_id

__all__ = [
    "Ciec",
    "CreateCredential",
    "CreateEntity",
    "DeleteCredential",
    "Efirma",
    "Get",
    "RevalidateCredential",
]

R_co = TypeVar("R_co", covariant=True)

# resources/datasources/sat/credentials: a CIEC password has at least 8 characters.
_SHORTEST_CIEC = 8
# The files of an e.firma have one to three KiB; what is far larger is another file.
_LARGEST_FILE_BYTES = 64 * 1024
_DATASOURCES = ("sat", "buro_de_credito", "rpc", "rug", "bil")
_RFC = re.compile(RFC, re.IGNORECASE)


class Get(Call[R_co], Generic[R_co], frozen=True):
    """One object by its id, or by its IRI. Raises NotFoundError when Syntage does not know it."""

    collection: ClassVar[str]
    record: ClassVar[type[msgspec.Struct]]

    id: str

    def __post_init__(self) -> None:
        force_setattr(self, "id", read_id(self.id, self.collection))


class RevalidateCredential(Call[Credential], frozen=True):
    """`POST /credentials/{id}/revalidate`: check it again, as after the status `error`. Gives it as it is then."""

    id: str

    def __post_init__(self) -> None:
        force_setattr(self, "id", read_id(self.id, "/credentials"))


class DeleteCredential(Call[None], frozen=True):
    """`DELETE /credentials/{id}`. Frees the place its RFC takes in the plan."""

    id: str

    def __post_init__(self) -> None:
        force_setattr(self, "id", read_id(self.id, "/credentials"))


class _Access(msgspec.Struct, frozen=True, kw_only=True):
    """What opens the SAT. Shows nothing, and refuses to be pickled or written as JSON."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"

    def __rich_repr__(self) -> list[tuple[str, str]]:
        return []


class Ciec(_Access, frozen=True, kw_only=True):
    """The SAT's password of a taxpayer (resources/datasources/sat/credentials). Raises TaskError."""

    rfc: str
    password: str | Secret

    def __post_init__(self) -> None:
        force_setattr(self, "rfc", _read_rfc(self.rfc))
        password = _hide(self.password)
        force_setattr(self, "password", password)
        if len(password.reveal()) < _SHORTEST_CIEC:
            raise TaskError(f"a CIEC password has at least {_SHORTEST_CIEC} characters", field="password")

    def words(self) -> dict[str, str]:
        """Give the body that is sent."""
        return {"type": "ciec", "rfc": self.rfc, "password": _hide(self.password).reveal()}


class Efirma(_Access, frozen=True, kw_only=True):
    """A taxpayer's e.firma: the bytes of its .cer and .key files, and the key's password. Raises TaskError.

    Which taxpayer it is, Syntage reads from the certificate.
    """

    certificate: bytes | Secret
    private_key: bytes | Secret
    password: str | Secret

    def __post_init__(self) -> None:
        for name in ("certificate", "private_key"):
            force_setattr(self, name, _encode(getattr(self, name), name))
        force_setattr(self, "password", _hide(self.password))

    def words(self) -> dict[str, str]:
        """Give the body that is sent."""
        certificate, private_key = cast("Secret", self.certificate), cast("Secret", self.private_key)
        return {
            "type": "efirma",
            "certificate": certificate.reveal(),
            "privateKey": private_key.reveal(),
            "password": _hide(self.password).reveal(),
        }


def _read_rfc(given: object) -> str:
    if not isinstance(given, str) or not _RFC.fullmatch(given):
        raise TaskError("not an RFC", field="rfc")
    return given.upper()


def _hide(given: object) -> Secret:
    if isinstance(given, str) and given:
        return Secret(given)
    if not isinstance(given, Secret) or not given:
        raise TaskError("a password is missing", field="password")
    return given


def _encode(given: object, field: str) -> Secret:
    if isinstance(given, Secret):
        return given
    if not isinstance(given, bytes) or not given:
        raise TaskError("expected the bytes of the file", field=field)
    if len(given) > _LARGEST_FILE_BYTES:
        raise TaskError("too large for a file of an e.firma", field=field)
    return Secret(base64.b64encode(given).decode())


class CreateCredential(Call[Credential], frozen=True):
    """`POST /credentials`: give Syntage access to the SAT. The SAT's check takes seconds to minutes.

    The credential comes back `pending`; `GetCredential` or the event `credential.updated` tell the outcome. Its entity
    appears by itself, and first extractions may start. Sent once: after a TransportError, look for it with
    `Credentials(rfc=...)` before trying again.
    """

    access: Ciec | Efirma


Datasource: TypeAlias = Literal["sat", "buro_de_credito", "rpc", "rug", "bil"]


class CreateEntity(Call[EntityAdded], frozen=True, kw_only=True):
    """`POST /entities`. Each of `datasources` (a name, or a name with its options) starts its first extractions.

    `identifiers` are pairs of a kind, `rfc` or `curp`, and its value. Sent once, as `CreateCredential` is: look with
    `Entities(rfc=...)`. Raises TaskError.
    """

    name: str
    type: Literal["company", "person"]
    rfc: str | None = None
    datasources: Mapping[Datasource, Mapping[str, object]] | Sequence[Datasource] = ()
    identifiers: tuple[tuple[Literal["rfc", "curp"], str], ...] = ()

    def __post_init__(self) -> None:
        if not self.name:
            raise TaskError("an entity needs a name", field="name")
        if self.type not in ("company", "person"):
            raise TaskError("expected company or person", field="type")
        if self.rfc is not None:
            force_setattr(self, "rfc", _read_rfc(self.rfc))
        if any(each not in _DATASOURCES for each in self.datasources):
            raise TaskError(f"expected some of {', '.join(_DATASOURCES)}", field="datasources")
        if any(kind not in ("rfc", "curp") for kind, _ in self.identifiers):
            raise TaskError("expected pairs of rfc or curp and its value", field="identifiers")

    def words(self) -> dict[str, object]:
        """Give the body that is sent."""
        named = self.datasources if isinstance(self.datasources, Mapping) else dict.fromkeys(self.datasources)
        sources = [{"name": name, **({"options": options} if options else {})} for name, options in named.items()]
        known = [{"country": "mx", "identifier": kind, "value": value} for kind, value in self.identifiers]
        body = {"name": self.name, "type": self.type, "rfc": self.rfc, "datasources": sources, "identifiers": known}
        return {name: value for name, value in body.items() if value}
