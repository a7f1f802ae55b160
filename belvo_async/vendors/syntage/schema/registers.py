"""Records of the other sources: commercial register, register of securities, bureaus. Mostly in the vendor's Spanish.

Where Syntage publishes no shape, or one of dozens of free texts, the content is kept as the bytes it came in.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import ClassVar

import msgspec

from ....discreet import discreet
from .record import File, Part, Record, hold


class RpcActo(Record, frozen=True, kw_only=True):
    """An act entered in the commercial register (Registro Público de Comercio). `data` is open, kept as bytes."""

    _instants: ClassVar[tuple[str, ...]] = ("created_at", "updated_at", "fecha_de_ingreso", "fecha_de_inscripcion")

    forma_precodificada: str | None = None
    acto: str | None = None
    nci: str | None = None
    fecha_de_ingreso: datetime | None = None
    fecha_de_inscripcion: datetime | None = None
    numero_de_documento: str | None = None
    modalidad: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"null")
    file: File | None = None

    @discreet
    def __post_init__(self) -> None:
        super().__post_init__()
        hold(self, "data")


class RpcEntidadeName(Record, frozen=True, kw_only=True):
    """A company of the commercial register, in short."""

    fme: str | None = None
    nombre_razon_social: str | None = None


class RpcSocio(Record, frozen=True, kw_only=True):
    """A partner of a company. Dates and amounts are texts here. `rpc_entidade` comes only with a single one."""

    estatus: str | None = None
    nacionalidad: str | None = None
    nombre: str | None = None
    apellido_paterno: str | None = None
    apellido_materno: str | None = None
    rfc: str | None = None
    curp: str | None = None
    serie: str | None = None
    fecha_de_constitucion: str | None = None
    fecha_de_nacimiento: str | None = None
    acciones: str | None = None
    total: str | None = None
    valor: str | None = None
    rpc_entidade: RpcEntidadeName | None = None


class RpcEntidade(Record, frozen=True, kw_only=True):
    """A company in the commercial register. `lookup_by`: found as the entity itself, or as its `shareholder`."""

    _instants: ClassVar[tuple[str, ...]] = ("created_at", "updated_at", "fecha_de_inscripcion")

    fme: str | None = None
    nombre_razon_social: str | None = None
    objeto_social: str | None = None
    duracion_de_la_sociedad: str | None = None
    domicilio_social: str | None = None
    nacionalidad: str | None = None
    estatus_fme: str | None = None
    rfc: str | None = None
    tipo_de_persona: str | None = None
    antecedente_registral: str | None = None
    regimen_juridico: str | None = None
    giro: str | None = None
    entidad_federativa: str | None = None
    municipio: str | None = None
    oficina_registral: str | None = None
    fecha_de_inscripcion: datetime | None = None
    curp: str | None = None
    lookup_by: str | None = None
    actos: tuple[RpcActo, ...] | None = None
    socios: tuple[RpcSocio, ...] | None = None


class RugOtorgante(Part, frozen=True, kw_only=True):
    """Who gives a security."""

    nombre: str | None = None
    folio_electronico: str | None = None


class RugOperacionOtorgante(Part, frozen=True, kw_only=True, rename=None):
    """Who gives a security, as entries spell it."""

    nombre: str | None = None
    folio_electronico: str | None = None


class RugOperacion(Record, frozen=True, kw_only=True):
    """An entry in the register of securities (Registro Único de Garantías Mobiliarias).

    `file` is an IRI. The last three come only with the entity's list and a single one, not within a `RugGarantia`;
    `boleta`, the printed receipt, is kept as bytes.
    """

    _instants: ClassVar[tuple[str, ...]] = ("created_at", "updated_at", "fecha")

    numero_de_asiento: int | None = None
    tipo: str | None = None
    fecha: datetime | None = None
    file: str | None = None
    numero_de_garantia: int | None = None
    otorgantes: tuple[RugOperacionOtorgante, ...] | None = None
    boleta: msgspec.Raw = msgspec.Raw(b"null")

    @discreet
    def __post_init__(self) -> None:
        super().__post_init__()
        hold(self, "boleta")


class RugGarantia(Record, frozen=True, kw_only=True):
    """A security over movable goods. `monto` is in `moneda`."""

    _instants: ClassVar[tuple[str, ...]] = (
        "created_at",
        "updated_at",
        "fecha_de_inscripcion",
        "fecha_de_cancelacion",
        "fecha_de_celebracion_del_acto_o_contrato",
        "fecha_de_terminacion_del_acto_o_contrato",
    )

    numero_de_garantia: int | None = None
    fecha_de_inscripcion: datetime | None = None
    fecha_de_cancelacion: datetime | None = None
    otorgantes: tuple[RugOtorgante, ...] | None = None
    acreedor: str | None = None
    tipo_de_garantia: str | None = None
    monto: Decimal | None = None
    moneda: str | None = None
    tipo_de_los_bienes: tuple[str, ...] | None = None
    descripcion_de_los_bienes: str | None = None
    fecha_de_celebracion_del_acto_o_contrato: datetime | None = None
    fecha_de_terminacion_del_acto_o_contrato: datetime | None = None
    operaciones: tuple[RugOperacion, ...] | None = None


class BilReport(Record, frozen=True, kw_only=True):
    """A report of the source `bil`: legal proceedings. `data` is open, kept as bytes."""

    _instants: ClassVar[tuple[str, ...]] = ("created_at", "updated_at", "fecha")

    fecha: datetime | None = None
    investigado: str | None = None
    folio: str | None = None
    grado_maximo: int | None = None
    data: msgspec.Raw = msgspec.Raw(b"null")
    xml_file: File | None = None
    pdf_file: File | None = None

    @discreet
    def __post_init__(self) -> None:
        super().__post_init__()
        hold(self, "data")


class BuroReport(Record, frozen=True, kw_only=True):
    """A report of the Buró de Crédito, of the product `product_type`. `data` is open, kept as bytes."""

    link: str | None = None
    provider: str | None = None
    product_type: str | None = None
    report_id: str | None = None
    data: msgspec.Raw = msgspec.Raw(b"null")
    score: str | None = None
    files: tuple[File, ...] | None = None

    @discreet
    def __post_init__(self) -> None:
        super().__post_init__()
        hold(self, "data")


class BackgroundScore(Part, frozen=True, kw_only=True):
    """The score of one category of a background check."""

    id: str | None = None
    category: str | None = None
    score: Decimal | None = None
    status: str | None = None
    records_count: int | None = None


class BackgroundDatabase(Part, frozen=True, kw_only=True):
    """A database that was searched. `country` is MX or ALL."""

    id: str | None = None
    name: str | None = None
    country: str | None = None


class BackgroundDatabaseStatus(Part, frozen=True, kw_only=True):
    """How the search of one database went."""

    id: str | None = None
    database: BackgroundDatabase | None = None
    category: str | None = None
    status: str | None = None


class BackgroundCheck(Record, frozen=True, kw_only=True):
    """A background check of a person or company. `status` is pending, completed or error; `link` the entity's IRI."""

    link: str | None = None
    country: str | None = None
    score: Decimal | None = None
    status: str | None = None
    scores: tuple[BackgroundScore, ...] | None = None
    database_statuses: tuple[BackgroundDatabaseStatus, ...] | None = None
    files: tuple[File, ...] | None = None
