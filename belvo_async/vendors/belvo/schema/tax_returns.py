"""Tax returns of four forms, as Belvo lists them: mixed, and with parts of open content."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal, TypeAlias, cast

import msgspec
from msgspec.structs import force_setattr

from ....errors import PayloadError
from ....payload import check_numbers, decode
from ....tolerant import Misfits, listening, read
from .record import Record
from .returns.business import BusinessMonthlyReturn
from .returns.business_yearly import BusinessYearlyReturn
from .returns.personal import PersonalMonthlyReturn, PersonalYearlyReturn

TaxReturnForm: TypeAlias = Literal["personal_yearly", "personal_monthly", "business_yearly", "business_monthly"]
"""What a tax return is about: a person or a business, a year or a month."""

TypedTaxReturn: TypeAlias = PersonalYearlyReturn | PersonalMonthlyReturn | BusinessYearlyReturn | BusinessMonthlyReturn

Content: TypeAlias = "Decimal | int | str | bool | list[Content] | dict[str, Content] | None"
"""Anything JSON can hold; numbers with a point are exact."""

RawPart: TypeAlias = msgspec.Raw | msgspec.UnsetType
"""A part of a tax return as it came, or UNSET where the row has no such key."""

_FORMS: Final[Mapping[TaxReturnForm, type[TypedTaxReturn]]] = {
    "personal_yearly": PersonalYearlyReturn,
    "personal_monthly": PersonalMonthlyReturn,
    "business_yearly": BusinessYearlyReturn,
    "business_monthly": BusinessMonthlyReturn,
}
_NULL: Final = msgspec.Raw(b"null")
# Decimal takes the text of a number as it stands; floats would round it.
_CONTENT: Final = cast("msgspec.json.Decoder[Content]", msgspec.json.Decoder(object, float_hook=Decimal))


class TaxReturn(Record, frozen=True, kw_only=True):
    """One tax return, of any of the four forms: personal or business, of a year or of a month.

    Belvo mixes them in one list without naming the form, so `form` tells it by the keys that are there. The parts are
    documented only as objects of open content: they stay as they came, and never stop a reading. `part("isr")` gives
    one as a mapping with exact numbers, `typed()` the whole return as a record typed to the last field.
    Monthly returns carry neither `id` nor `link`: those are not de-duplicated. `pdf` and `receipt_pdf` are Base64, and
    None unless they were asked for.
    """

    id: str | None = None
    link: str | None = None
    collected_at: datetime | None = None
    created_at: datetime | None = None
    type: str | None = None
    informacion_general: RawPart = msgspec.UNSET
    sueldos_salarios: RawPart = msgspec.UNSET
    servicios_profesionales: RawPart = msgspec.UNSET
    deducciones_personales: RawPart = msgspec.UNSET
    determinacion_impuesto: RawPart = msgspec.UNSET
    retenciones: RawPart = msgspec.UNSET
    dividendos: RawPart = msgspec.UNSET
    datos_informativos: RawPart = msgspec.UNSET
    isr: RawPart = msgspec.UNSET
    iva: RawPart = msgspec.UNSET
    datos_adicionales: RawPart = msgspec.UNSET
    estado_resultados: RawPart = msgspec.UNSET
    estado_posicion_financiera_balance: RawPart = msgspec.UNSET
    conciliacion_entre_resultado_contable_fiscal: RawPart = msgspec.UNSET
    deducciones_autorizadas: RawPart = msgspec.UNSET
    cifras_cierre_ejercicio: RawPart = msgspec.UNSET
    determinacion_del_impuesto_sobre_la_renta: RawPart = msgspec.UNSET
    dividendos_o_utilidades_distribuidos: RawPart = msgspec.UNSET
    detalle_pago_r1_isr_personas_morales: RawPart = msgspec.UNSET
    ingressos: RawPart = msgspec.UNSET
    determinacion: RawPart = msgspec.UNSET
    determinacion_isr: RawPart = msgspec.UNSET
    detalle_pago_isr: RawPart = msgspec.UNSET
    determinacion_iva: RawPart = msgspec.UNSET
    detalle_pago_iva: RawPart = msgspec.UNSET
    pdf: str | None = None
    receipt_pdf: str | None = None

    def __post_init__(self) -> None:
        # A Raw points into the bytes it was read from: without a copy, one return would keep a whole page in memory.
        for name in _PARTS:
            part = getattr(self, name)
            if isinstance(part, msgspec.Raw):
                force_setattr(self, name, part.copy())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TaxReturn) and msgspec.json.encode(self) == msgspec.json.encode(other)

    def __hash__(self) -> int:
        return hash(msgspec.json.encode(self))

    @property
    def form(self) -> TaxReturnForm | None:
        """Which of the four it is, by its parts; None when no part tells (they may have been left out)."""
        # Parts that hold something count first: a row may carry another form's keys as nulls.
        likely = max(_OWN_PARTS, key=lambda form: self._count(form))
        return likely if self._count(likely) > (0, 0) else None

    @property
    def year(self) -> int | None:
        """The tax year (`ejercicio`); None where the return does not tell it as a number."""
        said = _read(self.informacion_general)
        year = said.get("ejercicio") if isinstance(said, dict) else None
        return year_number(year)

    def part(self, name: str) -> Content:
        """Read one part, with exact numbers; None for one that is null or missing.

        Raises KeyError for a name that is no part of any form, PayloadError for content that cannot be read.
        """
        if name not in _PARTS:
            raise KeyError(name)
        return _read(getattr(self, name))

    def typed(self, *, misfits: Misfits | None = None) -> TypedTaxReturn:
        """Read the whole return into the record of its form, typed to the last field that Belvo's examples show.

        Belvo documents the parts only as open content, so whatever can be read without loss is. Raises PayloadError,
        naming the path, when its form cannot be told, or when a value cannot be read; with `misfits`, such a value is
        None and added to them.
        """
        form = self.form
        if form is None:
            raise PayloadError("a tax return of no known form")
        with listening() as unread:
            typed = read(msgspec.json.encode(self), _FORMS[form])
        if misfits is not None:
            misfits.take(unread)
        elif unread.count:
            raise PayloadError("a value of another kind", path=unread[0].path)
        return typed

    def _count(self, form: TaxReturnForm) -> tuple[int, int]:
        parts = [getattr(self, name) for name in _OWN_PARTS[form]]
        present = [part for part in parts if isinstance(part, msgspec.Raw)]
        return sum(part != _NULL for part in present), len(present)


def year_number(year: object) -> int | None:
    """Read a tax year that came as a number or as a text of digits."""
    if isinstance(year, str) and year.isascii() and year.isdigit():
        return int(year[:4]) if len(year) == 4 else None
    return year if isinstance(year, int) and not isinstance(year, bool) else None


def _read(part: RawPart) -> Content:
    if isinstance(part, msgspec.UnsetType):
        return None
    content = decode(bytes(part), _CONTENT)
    check_numbers(content)
    return content


_PARTS: Final = frozenset(each.name for each in msgspec.structs.fields(TaxReturn) if each.default is msgspec.UNSET)
# The parts that only one form has.
_OWN_PARTS: Final[Mapping[TaxReturnForm, frozenset[str]]] = {
    form: _PARTS.intersection(own.__struct_fields__).difference(
        *(other.__struct_fields__ for other in _FORMS.values() if other is not own)
    )
    for form, own in _FORMS.items()
}
