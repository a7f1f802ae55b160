"""Plain calls: single reads, and what concerns credentials and entities. None is stored, so they may carry secrets."""

from __future__ import annotations

import base64
from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar, Final, Literal, TypeAlias, cast

import msgspec
from msgspec.structs import force_setattr

from ....abc import Call, Secret
from ....discreet import discreet
from ....errors import ConfigurationError, TaskError
from .account import Credential, EntityAdded
from .forms.requests import Delete
from .forms.subjects import read_id, read_rfc

# resources/datasources/sat/credentials: a CIEC password has at least 8 characters.
_SHORTEST_CIEC: Final = 8
# The files of an e.firma have one to three KiB; what is far larger is another file.
_LARGEST_FILE_BYTES: Final = 64 * 1024
_DATASOURCES: Final = ("sat", "buro_de_credito", "rpc", "rug", "bil")


class RevalidateCredential(Call[Credential], frozen=True):
    """`POST /credentials/{id}/revalidate`: check it again, as after the status `error`. Gives it as it is then."""

    id: str

    @discreet
    def __post_init__(self) -> None:
        force_setattr(self, "id", read_id(self.id, "/credentials"))


class DeleteCredential(Delete, frozen=True):
    """`DELETE /credentials/{id}`. Frees the place its RFC takes in the plan."""

    path: ClassVar[str] = "/credentials/{id}"


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

    @discreet
    def __post_init__(self) -> None:
        force_setattr(self, "rfc", read_rfc(self.rfc))
        password = _hide(self.password)
        force_setattr(self, "password", password)
        if len(password.reveal()) < _SHORTEST_CIEC:
            raise TaskError(
                f"password must have at least {_SHORTEST_CIEC} characters, as every CIEC has", field="password"
            )

    def body(self) -> dict[str, str]:
        """Give the body that is sent."""
        return {"type": "ciec", "rfc": self.rfc, "password": _hide(self.password).reveal()}


class Efirma(_Access, frozen=True, kw_only=True):
    """A taxpayer's e.firma: the bytes of its .cer and .key files, and the key's password. Raises TaskError.

    Which taxpayer it is, Syntage reads from the certificate.
    """

    certificate: bytes | Secret
    private_key: bytes | Secret
    password: str | Secret

    @discreet
    def __post_init__(self) -> None:
        for name in ("certificate", "private_key"):
            force_setattr(self, name, _encode(getattr(self, name), name))
        force_setattr(self, "password", _hide(self.password))

    def body(self) -> dict[str, str]:
        """Give the body that is sent."""
        certificate, private_key = cast("Secret", self.certificate), cast("Secret", self.private_key)
        return {
            "type": "efirma",
            "certificate": certificate.reveal(),
            "privateKey": private_key.reveal(),
            "password": _hide(self.password).reveal(),
        }


def _hide(given: object) -> Secret:
    if isinstance(given, str) and given:
        try:
            return Secret(given)
        except ConfigurationError:
            raise TaskError("password must be text that UTF-8 can hold", field="password") from None
    if not isinstance(given, Secret) or not given:
        raise TaskError("password must be a text or a Secret, and not empty", field="password")
    return given


def _encode(given: object, field: str) -> Secret:
    if not isinstance(given, bytes | Secret) or not given:
        raise TaskError(f"{field} must be the bytes of the file, or its base64 as a Secret", field=field)
    if isinstance(given, Secret):
        return given
    if len(given) > _LARGEST_FILE_BYTES:
        raise TaskError(f"{field} must be a file of an e.firma: this one is too large for that", field=field)
    return Secret(base64.b64encode(given).decode())


class CreateCredential(Call[Credential], frozen=True):
    """`POST /credentials`: give Syntage access to the SAT. The SAT's check takes seconds to minutes.

    The credential comes back `pending`; `GetCredential` or the event `credential.updated` tell the outcome. Its entity
    appears by itself, and first extractions may start. Sent once: after a TransportError, look for it with
    `Credentials(rfc=...)` before trying again. Raises TaskError.
    """

    access: Ciec | Efirma

    @discreet
    def __post_init__(self) -> None:
        if not isinstance(cast("object", self.access), Ciec | Efirma):
            raise TaskError("access must be a Ciec or an Efirma", field="access")


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

    @discreet
    def __post_init__(self) -> None:
        if not isinstance(cast("object", self.name), str) or not self.name:
            raise TaskError("name must be a text, and not empty", field="name")
        if self.type not in ("company", "person"):
            raise TaskError("type must be company or person", field="type")
        if self.rfc is not None:
            force_setattr(self, "rfc", read_rfc(self.rfc))
        if not _are_datasources(self.datasources):
            known = ", ".join(_DATASOURCES)
            raise TaskError(
                f"datasources must be some of {known}, or a mapping of them to options", field="datasources"
            )
        if not _are_identifiers(self.identifiers):
            raise TaskError("identifiers must be pairs of rfc or curp and its value", field="identifiers")

    def body(self) -> dict[str, object]:
        """Give the body that is sent."""
        named = self.datasources if isinstance(self.datasources, Mapping) else dict.fromkeys(self.datasources)
        sources = [{"name": name, **({"options": options} if options else {})} for name, options in named.items()]
        known = [{"country": "mx", "identifier": kind, "value": value} for kind, value in self.identifiers]
        body = {"name": self.name, "type": self.type, "rfc": self.rfc, "datasources": sources, "identifiers": known}
        return {name: value for name, value in body.items() if value}


def _are_datasources(given: object) -> bool:
    if isinstance(given, Mapping):
        options = cast("Mapping[object, object]", given)
        return all(name in _DATASOURCES and isinstance(each, Mapping) for name, each in options.items())
    if not isinstance(given, Collection) or isinstance(given, str):
        return False
    return all(each in _DATASOURCES for each in cast("Collection[object]", given))


def _are_identifiers(given: object) -> bool:
    return isinstance(given, Sequence) and all(_is_identifier(each) for each in cast("Sequence[object]", given))


def _is_identifier(given: object) -> bool:
    if not isinstance(given, tuple | list) or len(cast("Sequence[object]", given)) != 2:
        return False
    kind, value = cast("Sequence[object]", given)
    return kind in ("rfc", "curp") and isinstance(value, str) and value != ""
