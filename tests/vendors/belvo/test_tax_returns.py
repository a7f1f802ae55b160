"""Tax returns: four forms in one list, parts of open content, and the typed reading of each form."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from belvo_async.errors import PayloadError
from belvo_async.vendors.belvo import (
    BusinessMonthlyReturn,
    BusinessYearlyReturn,
    PersonalMonthlyReturn,
    PersonalYearlyReturn,
    TaxReturn,
)
from tests.vendors.belvo.samples import sample

MEXICO = timezone(timedelta(hours=-6))


def tax_return(**keys: Any) -> TaxReturn:
    return msgspec.json.decode(json.dumps(keys), type=TaxReturn)


@pytest.mark.parametrize(
    ("keys", "form"),
    [
        pytest.param({"sueldos_salarios": {}, "retenciones": None}, "personal_yearly", id="person, year"),
        pytest.param({"isr": {}, "iva": {}, "type": "x"}, "personal_monthly", id="person, month"),
        pytest.param({"estado_resultados": None, "datos_adicionales": {}}, "business_yearly", id="business, year"),
        pytest.param({"determinacion_isr": {}}, "business_monthly", id="business, month"),
        pytest.param({"isr": None}, "personal_monthly", id="nothing but a null"),
        pytest.param(
            {"isr": None, "iva": None, "detalle_pago_iva": {}}, "business_monthly", id="nulls of another form"
        ),
        pytest.param({"informacion_general": {}, "pdf": None}, None, id="only what all forms have"),
        pytest.param({}, None, id="nothing"),
    ],
)
def test_the_form_is_told_by_the_parts(keys: dict[str, Any], form: str | None) -> None:
    """Lists mix the forms without naming them; a part that holds something weighs more than one that is null."""
    assert form == tax_return(**keys).form


def test_parts_of_any_content_never_stop_a_reading() -> None:
    """Belvo documents them as open objects."""
    odd = tax_return(isr=[1], iva="text", retenciones=5, informacion_general={"ejercicio": {"a": 1}}, brand_new=1)

    assert [[1], "text", 5, None, None] == [
        odd.part("isr"), odd.part("iva"), odd.part("retenciones"), odd.part("dividendos"), odd.year
    ]  # fmt: skip


def test_numbers_of_a_part_are_exact() -> None:
    """Read from their text: no float rounds them."""
    body = b'{"isr": {"determinacion": {"isr_cargo": 12345678901234567.89, "n": 3, "x": null}}}'

    part = msgspec.json.decode(body, type=TaxReturn).part("isr")

    assert {"determinacion": {"isr_cargo": Decimal("12345678901234567.89"), "n": 3, "x": None}} == part


def test_a_name_that_is_no_part_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        tax_return().part("id")


@pytest.mark.parametrize(
    ("said", "year"), [(2024, 2024), ("2024", 2024), (None, None), ("MMXXIV", None), (True, None), ("20245", None)]
)
def test_the_year_is_read_where_it_is_a_number(said: object, year: int | None) -> None:
    assert year == tax_return(informacion_general={"ejercicio": said}).year


def test_a_business_return_is_typed() -> None:
    """Instants keep SAT's offset; parts that are empty or null stay so."""
    row = msgspec.json.decode(sample("tax_return_business_yearly"), type=TaxReturn)

    typed = row.typed()

    assert isinstance(typed, BusinessYearlyReturn)
    assert (row.id, row.year) == (typed.id, 2024)
    assert typed.informacion_general is not None
    assert datetime(2025, 3, 28, 17, 5, tzinfo=MEXICO) == typed.informacion_general.fecha_hora_presentacion
    assert typed.estado_resultados is None
    assert typed.datos_adicionales is not None


def test_a_monthly_return_is_typed_without_id_and_link() -> None:
    row = msgspec.json.decode(sample("tax_return_personal_monthly"), type=TaxReturn)

    typed = row.typed()

    assert isinstance(typed, PersonalMonthlyReturn)
    assert (None, None, "monthly") == (typed.id, typed.link, typed.type)


def test_typed_returns_reach_the_last_field() -> None:
    """Amounts are Decimals; keys with accents have names without."""
    yearly = tax_return(sueldos_salarios={"retenedores": [{"ingreso_anual": 10.50}]}).typed()
    monthly = tax_return(isr={"determinacion": {"deduccíon_opcional": 1.1, "tipo_de_deduccíon": "Opcional"}}).typed()
    business = tax_return(detalle_pago_iva={"r21_iva": {"cantidad_a_pagar": 7}}).typed()

    assert isinstance(yearly, PersonalYearlyReturn)
    assert yearly.sueldos_salarios is not None
    assert [Decimal("10.5")] == [each.ingreso_anual for each in yearly.sueldos_salarios.retenedores or ()]
    assert isinstance(monthly, PersonalMonthlyReturn)
    assert monthly.isr is not None
    assert monthly.isr.determinacion is not None
    assert ("Opcional", Decimal("1.1")) == (
        monthly.isr.determinacion.tipo_de_deduccion, monthly.isr.determinacion.deduccion_opcional
    )  # fmt: skip
    assert isinstance(business, BusinessMonthlyReturn)
    assert business.detalle_pago_iva is not None
    assert business.detalle_pago_iva.r21_iva is not None
    assert Decimal(7) == business.detalle_pago_iva.r21_iva.cantidad_a_pagar


@pytest.mark.parametrize(
    ("keys", "path"),
    [
        pytest.param({"isr": {"determinacion": {"isr_cargo": "SECRET"}}}, "$.isr.determinacion.isr_cargo", id="text"),
        pytest.param({"iva": [1]}, "$.iva", id="list"),
        pytest.param({"isr": {"determinacion": {"isr_cargo": "NaN"}}}, "$.isr.determinacion.isr_cargo", id="NaN"),
        pytest.param({}, "$", id="no form"),
    ],
)
def test_typed_reading_refuses_what_does_not_fit(keys: dict[str, Any], path: str) -> None:
    """Only the typed reading: it names the path and never the value. The row itself was read."""
    row = tax_return(**keys)

    with pytest.raises(PayloadError) as refused:
        row.typed()

    assert path == refused.value.path
    assert "SECRET" not in str(refused.value)


def test_a_part_that_holds_a_bomb_is_refused() -> None:
    """A number whose first conversion would take for ever never leaves the reading."""
    with pytest.raises(PayloadError):
        msgspec.json.decode(b'{"isr": {"a": [1E+1000000000]}}', type=TaxReturn).part("isr")


def test_tax_returns_are_values() -> None:
    """Equal rows are equal and can stand in a set; what was missing stays missing when written again."""
    body = sample("tax_return_personal_monthly")

    rows = [msgspec.json.decode(body, type=TaxReturn) for _ in range(2)]

    assert 1 == len(set(rows))
    assert tax_return(isr={}) != rows[0]
    assert {"isr", "iva"} == {"isr", "iva", "estado_resultados"} & set(json.loads(msgspec.json.encode(rows[0])))


def test_a_tax_return_does_not_hold_its_page() -> None:
    """Parts are copied out of the bytes they were read from, which may be used again."""
    page = bytearray(b'{"isr": {"tipo": "PFAE"}}')
    row = msgspec.json.decode(page, type=TaxReturn)

    page[:] = b" " * len(page)

    assert {"tipo": "PFAE"} == row.part("isr")
