"""Tax returns in Belvo's four shapes: a person's or a company's, of a year or of a month.

Turnover is drawn per month; years are the sums of their months, taxes follow from both, so that returns agree.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from random import Random
from typing import Final
from uuid import UUID, uuid5

from ...cfdi import ZERO
from ...fiscal import FIRST_YEAR, cents
from ...taxpayers import Taxpayer
from ...wire import Json, JsonObject
from .invoices import PDF, Filed, stamp
from .return_fields import BUSINESS_MONTHLY, BUSINESS_YEARLY, LESSOR_MONTHLY, PERSONAL_MONTHLY, PERSONAL_YEARLY

MONTHS: Final = ("Enero", "Febrero", "Marzo", "Abril", "Mayo", "Junio", "Julio", "Agosto", "Septiembre", "Octubre",
          "Noviembre", "Diciembre")  # fmt: skip
INCOME_TAX: Final = Decimal("0.30")  # ISR of companies
VAT: Final = Decimal("0.16")
# A correction follows some yearly returns ("Complementaria"), so that a year can have two.
_CORRECTED: Final = 0.25
_LESSORS: Final = 0.3
_EMPLOYER: Final = "XEZ950101AB9"
_PERSONAL_DEDUCTIONS: Final = (
    "honorarios_medicos_dentales_hospitalarios",
    "donativos",
    "aportaciones_voluntarias_complementarias_al_sar",
    "primas_por_seguros_de_gasto_medico",
)
_BANK: dict[str, str] = {
    "num_clabe": "012320001234567897",
    "nombre_banco": "BANCO ZARZAL",
    "titular_clabe_permite_verificacion": "Sí",
    "accion_saldo_a_favor": "Devolución",
    "tipo_de_deduccíon": "Comprobada",
}


class Returns:
    """All tax returns of one subject, as collected through one link."""

    def __init__(self, seed: int, subject: Taxpayer, link: str, *, collected_at: datetime, pdf: bool) -> None:
        self._seed = seed
        self._subject = subject
        self._link = link
        self._now = collected_at
        self._pdf = PDF if pdf else None
        self._is_lessor = self._rng("lessor").random() < _LESSORS
        self._turnovers: dict[tuple[int, int], tuple[Decimal, Decimal]] = {}

    def yearly(self, first: int, last: int) -> list[Filed]:
        """Give the yearly returns filed so far for these years, both included, oldest first."""
        shape = self._business_year if self._subject.is_company else self._personal_year
        return [
            self._filed(f"yearly:{year}:{kind}", {**self._head(filed, year, "Del Ejercicio", kind), **shape(year)})
            for year in range(max(first, FIRST_YEAR), last + 1)
            for kind, filed in self._yearly_filings(year)
            if filed <= self._now
        ]

    def monthly(self, first: date, last: date) -> list[Filed]:
        """Give the monthly returns filed so far for the months these days lie in, oldest first."""
        return [self._month(year, month) for year, month in _months(first, last) if self._is_filed(year, month)]

    def _rng(self, purpose: str) -> Random:
        return Random(f"{self._seed}:{self._subject.rfc}:returns:{purpose}")

    def _yearly_filings(self, year: int) -> Iterator[tuple[str, datetime]]:
        # Companies file until the end of March, persons until the end of April.
        rng = self._rng(f"filed:{year}")
        filed = _local(year + 1, 3 if self._subject.is_company else 4, rng.randrange(2, 30), rng)
        yield "Normal", filed
        if rng.random() < _CORRECTED:
            yield "Complementaria", filed + timedelta(days=60)

    def _filed_month(self, year: int, month: int) -> datetime:
        rng = self._rng(f"filed:{year}:{month}")
        following = date(year, month, 28) + timedelta(days=5)
        return _local(following.year, following.month, rng.randrange(8, 18), rng)

    def _is_filed(self, year: int, month: int) -> bool:
        return year >= FIRST_YEAR and self._filed_month(year, month) <= self._now

    def _month(self, year: int, month: int) -> Filed:
        shape = self._business_month if self._subject.is_company else self._personal_month
        head = self._head(self._filed_month(year, month), year, MONTHS[month - 1], "Normal")
        row: JsonObject = {**head, **shape(year, month), "type": "monthly"}
        if not self._subject.is_company:
            return self._filed(f"monthly:{year}:{month}", row, shows_id=False)
        return self._filed(f"monthly:{year}:{month}", row)

    def _filed(self, name: str, row: JsonObject, *, shows_id: bool = True) -> Filed:
        """File a row under its id.

        The specification lists `id` for monthly returns, yet no published example has one, nor a `link`: a company's
        carry the id here and a person's do not, so that clients meet both.
        """
        number = str(uuid5(UUID(self._link), f"return:{name}"))
        kept: JsonObject = {"id": number} if shows_id else {}
        if "type" not in row:
            kept["link"] = self._link
        times: JsonObject = {"collected_at": stamp(self._now), "created_at": stamp(self._now)}
        files: JsonObject = {"pdf": self._pdf, "receipt_pdf": self._pdf}
        return Filed(id=number, link=self._link, row={**kept, **times, **row, **files})

    def _head(self, filed: datetime, year: int, period: str, kind: str) -> JsonObject:
        subject = self._subject
        head: JsonObject = {
            "rfc": subject.rfc,
            "tipo_declaracion": kind,
            "ejercicio": year,
            "periodo_declaracion": period,
            "fecha_hora_presentacion": filed.isoformat(),
            "numero_operacion": f"{filed:%y%m%d}{self._rng(f'{year}:{period}:{kind}').randrange(1000):03}",
        }
        if subject.is_company:
            head["denominacion_razon_social"] = subject.name
            head["tipo_complementaria"] = None if kind == "Normal" else "Modificación de Declaración"
        else:
            head["nombre"] = subject.name
        return {"informacion_general": head}

    def _turnover(self, year: int, month: int) -> tuple[Decimal, Decimal]:
        """Give a month's income and expenses."""
        key = (year, month)
        if key not in self._turnovers:
            size = self._rng("size").uniform(2, 40) if self._subject.is_company else self._rng("size").uniform(0.3, 2)
            rng = self._rng(f"{year}:{month}")
            income = cents(Decimal(rng.randrange(5_000_000, 15_000_000)) * round(size * 100) / 10_000)
            self._turnovers[key] = income, cents(income * rng.randrange(55, 92) / 100)
        return self._turnovers[key]

    def _sum(self, year: int, months: int) -> tuple[Decimal, Decimal]:
        """Give income and expenses of a year's first months."""
        context = [self._turnover(year, month) for month in range(1, months + 1)]
        return sum((income for income, _ in context), ZERO), sum((spent for _, spent in context), ZERO)

    def _business_year(self, year: int) -> JsonObject:
        income, spent = self._sum(year, 12)
        profit = income - spent
        tax = cents(profit * INCOME_TAX)
        known = {
            "ventas_servicios_nacionales": income, "ingresos_netos": income, "utilidad_bruta": income,
            "gastos_operacion": spent, "utilidad_operacion": profit, "utilidad_antes_impuesto": profit, "isr": tax,
            "utilidad_neta": profit - tax, "utilidad_o_perdida_neta": profit - tax,
            "utilidad_o_perdida_neta_historica": profit - tax, "isr_ietu_impac_ptu": tax,
            "utilidad_o_perdida_fiscal_antes_de_ptu": profit, "total_ingresos_acumulables": income,
            "total_deducciones_autorizadas_y_deduccion_inmediata_inversiones": spent,
            "otras_deducciones_autorizadas": spent, "viaticos_y_gastos_viaje": ZERO, "consumos_en_restaurantes": ZERO,
            "total_deducciones_autorizadas": spent, "utilidad_fiscal_del_ejercicio": profit,
            "perdidas_fiscales_de_ejercicios_anteriores_que_se_aplican_en_ejercicio": ZERO, "resultado_fiscal": profit,
            "impuesto_causado_en_ejercicio": tax, "impuesto_sobre_la_renta_del_ejercicio": tax,
            "diferencia_a_cargo": tax, "isr_a_cargo_del_ejercicio": tax,
            "coeficiente_de_utilidad_por_aplicar_en_ejercicio_siguiente": self._coefficient(year),
            **_balance(income, profit - tax), **_due(tax),
        }  # fmt: skip
        shape = _filled(BUSINESS_YEARLY, known, self._rng(f"year:{year}"))
        return {**shape, "ingressos": {}, "determinacion": {}}

    def _business_month(self, year: int, month: int) -> JsonObject:
        income, spent = self._turnover(year, month)
        before, _ = self._sum(year, month - 1)
        factor = self._coefficient(year - 1)
        paid = cents(before * factor * INCOME_TAX)
        owed = cents((before + income) * factor * INCOME_TAX)
        vat, credit = cents(income * VAT), cents(spent * VAT)
        known = {
            "suma_ingresos_nominales_meses_anteriores_ejercicio": before, "ingresos_nominales_mes_que_declara": income,
            "total_ingresos_nominales": before + income, "coeficiente_utilidad": factor,
            "utilidad_fiscal_pago_provisional": cents((before + income) * factor),
            "base_gravable_pago_provisional": cents((before + income) * factor), "isr_causado": owed,
            "impuestos_del_periodo": owed, "pagos_provisionales_efectuados_anterioridad": paid,
            "impuesto_retenido": ZERO, "anticipos_rendimientos_distribuidos_periodo": ZERO,
            "diferencia_a_cargo": owed - paid, "impuesto_a_cargo": owed - paid,
            "total_actos_actividades_pagados_tasa_16": spent, "otros_actos_pagados_tasa_16": spent,
            "total_actos_pagados_tasa_16": spent, "total_iva_actos_actividades_pagados_tasa_16": credit,
            "total_iva_trasladado_contribuyente": credit, "iva_acreditable": credit,
            "total_iva_acreditable_periodo": credit, "total_iva_acreditable": credit,
            "valor_actos_actividades_gravados_tasa_16": income, "suma_actos_actividades_gravados": income,
            "otros_actos_actividades_gravados_tasa_16": income, "total_actos_actividades_gravados_tasa_16": income,
            "impuesto_causado": vat, "determinacion_iva.diferencia_a_cargo": vat - credit,
            "determinacion_iva.impuesto_a_cargo": vat - credit, "determinacion_iva.cantidad_a_cargo": vat - credit,
            "saldo_a_favor_periodo": ZERO, "iva_retenido_al_contribuyente": ZERO,
            **_due(owed - paid, "r1_isr_personas_morales."), **_due(vat - credit, "r21_iva."),
            **_due(cents(spent / 50), "r12_isr_retenciones_por_salarios."),
            **_due(ZERO, "r13_isr_retenciones_por_asimilados_a_salarios."),
            **_due(ZERO, "r14_isr_retenciones_por_servicios_profesionales."), **_due(ZERO, "r21_iva_retenciones."),
        }  # fmt: skip
        return _filled(BUSINESS_MONTHLY, known, self._rng(f"month:{year}:{month}"))

    def _personal_month(self, year: int, month: int) -> JsonObject:
        income, spent = self._turnover(year, month)
        before, spent_before = self._sum(year, month - 1)
        base = before + income - spent_before - spent
        owed, paid = cents(base * INCOME_TAX), cents((before - spent_before) * INCOME_TAX)
        vat, credit = cents(income * VAT), cents(spent * VAT)
        known = {
            "ingresos_periodos_anteriores": before, "ingresos_periodo": income, "total_ingresos": before + income,
            "compras_gastos_periodos_anteriores": spent_before, "compra_gastos_periodo": spent,
            "total_compras_gastos": spent_before + spent, "total_deducciones_autorizadas": spent_before + spent,
            "deduccíon_opcional": ZERO, "impuesto_predial": ZERO, "base_gravable_pago_provisional": base,
            "isr_causado": owed, "pagos_provisionales_efectuados_anterioridad": paid,
            "isr_retenido_periodos_anteriores": ZERO, "impuesto_retenido": ZERO, "isr_cargo": owed - paid,
            "actividades_gravadas_tasa_16": income, "actividades_gravadas_tasa_0": ZERO, "actividades_exentas": ZERO,
            "iva_cobrado_periodo_tasa_16": vat, "iva_acreditable_periodo": credit, "iva_retenido": ZERO,
            "impuesto_a_cargo": vat - credit, "determinacion.cantidad_a_cargo": vat - credit,
            **_due(owed - paid, "isr.detalle_del_pago."), **_due(vat - credit, "iva.detalle_del_pago."),
        }  # fmt: skip
        fields = LESSOR_MONTHLY if self._is_lessor else PERSONAL_MONTHLY
        texts = {**_BANK, "tipo": "PFAI" if self._is_lessor else "PFAE"}
        return _filled(fields, known, self._rng(f"month:{year}:{month}"), texts)

    def _personal_year(self, year: int) -> JsonObject:
        income, spent = self._sum(year, 12)
        rng = self._rng(f"year:{year}")
        salary = cents(Decimal(rng.randrange(120_000_00, 900_000_00)) / 100)
        withheld, personal = cents(salary * 18 / 100), cents(salary * 5 / 100)
        base = max(ZERO, income - spent + salary - personal)
        known = {
            "impuesto_retenido": withheld, "ingreso_anual": salary, "sueldos_salarios.ingresos_acumulables": salary,
            "sueldos_salarios.ingresos_exentos": ZERO, "subsidio_empleo": ZERO, "deducciones_autorizadas": spent,
            "total_deducciones_autorizadas": spent, "ingresos.ingresos_acumulables": income, "total_ingresos": income,
            "utilidad_fiscal": income - spent, "ptu_pagada_ejercicio": ZERO,
            "perdidas_fiscales_ejercicios_anteriores_aplicadas": ZERO, "utilidad_gravable": income - spent,
            "pagos_provisionales_efectuados_en_ejercicio": cents((income - spent) * INCOME_TAX),
            "pagos_provisionales": cents((income - spent) * INCOME_TAX), "isr_retenido_personas_morales": ZERO,
            "base_gravable": base, "deducciones_personales": personal, "isr_retenido": withheld,
            "determinacion_impuesto.ingresos_acumulables": income - spent + salary,
            "isr_conforme_tarifa_final": cents(base * INCOME_TAX),
            "isr_favorable": max(ZERO, withheld - cents((salary - personal) * INCOME_TAX)),
        }  # fmt: skip
        return _with_lists(_filled(PERSONAL_YEARLY, known, rng), salary, withheld, personal, spent)

    def _coefficient(self, year: int) -> Decimal:
        return Decimal(self._rng(f"coefficient:{year}").randrange(500, 3000)) / 10_000


def _months(first: date, last: date) -> Iterator[tuple[int, int]]:
    for number in range(first.year * 12 + first.month - 1, last.year * 12 + last.month):
        yield number // 12, number % 12 + 1


def _local(year: int, month: int, day: int, rng: Random) -> datetime:
    # Central Mexico kept summer time until 2022; the published examples show both offsets.
    hours = -5 if year <= 2022 and 4 <= month <= 10 else -6
    zone = timezone(timedelta(hours=hours))
    return datetime(year, month, day, rng.randrange(9, 20), rng.randrange(60), rng.randrange(60), tzinfo=zone)


def _due(amount: Decimal, place: str = "") -> dict[str, Decimal]:
    """Give the block that says what is to be paid."""
    plain = ("a_cargo", "total_contribuciones", "total_de_contribuciones", "cantidad_a_cargo", "cantidad_a_pagar")
    zero = ("parte_actualizada", "recargos", "total_aplicaciones")
    return {**{f"{place}{name}": amount for name in plain}, **{f"{place}{name}": ZERO for name in zero}}


def _balance(income: Decimal, net: Decimal) -> dict[str, Decimal]:
    cash, other, fixed, deferred = (cents(income * share / 100) for share in (12, 9, 30, 2))
    worn = cents(fixed / 4)
    assets = cash + other + fixed + deferred - worn
    payable, taxes = cents(assets * 35 / 100), cents(assets * 6 / 100)
    return {
        "efectivo_caja_depositos_instituciones_credito_nacionales": cash, "otros_activos_circulantes": other,
        "otros_activos_fijos": fixed, "cargos_y_gastos_diferidos": deferred, "depreciacion_acumulada": worn,
        "suma_activo": assets, "cuentas_documentos_por_pagar_nacionales": payable, "contribuciones_por_pagar": taxes,
        "suma_pasivo": payable + taxes, "utilidad_del_ejercicio": net, "perdidas_acumuladas": ZERO,
        "capital_social_proveniente_aportaciones": assets - payable - taxes - net,
        "suma_capital_contable": assets - payable - taxes, "suma_pasivo_mas_capital_contable": assets,
    }  # fmt: skip


def _filled(
    fields: Mapping[str, str], known: Mapping[str, Decimal], rng: Random, texts: Mapping[str, str] = _BANK
) -> JsonObject:
    """Make the objects a shape has; what is not known is a small amount or nothing."""
    root: JsonObject = {}
    for path, words in fields.items():
        place = _object_at(root, path)
        for word in words.split():
            name, mark = word.rstrip("/#$"), word[len(word.rstrip("/#$")) :]
            amount = _amount(known, path, name, rng) if "#" in mark else None
            if mark == "$":
                place[name] = texts.get(name, "No")
            elif "/" in mark:
                place[name] = {"partes_relacionadas": None, "partes_no_relacionadas": amount, "total": amount}
            else:
                place[name] = amount
    return root


def _object_at(root: JsonObject, path: str) -> JsonObject:
    place = root
    for name in path.split("."):
        below = place.setdefault(name, {})
        assert isinstance(below, dict)
        place = below
    return place


def _amount(known: Mapping[str, Decimal], path: str, name: str, rng: Random) -> Decimal:
    """Look from the most exact name to the plainest: `isr.detalle_del_pago.a_cargo`, then `a_cargo`."""
    context = [*path.split("."), name]
    for start in range(len(context)):
        found = known.get(".".join(context[start:]))
        if found is not None:
            return found
    return ZERO if rng.random() < 0.6 else Decimal(rng.randrange(100, 900_000)) / 100


def _with_lists(shape: JsonObject, salary: Decimal, withheld: Decimal, personal: Decimal, spent: Decimal) -> JsonObject:
    """Add the lists of a person's year: who paid and withheld, what was deducted."""
    employer: JsonObject = {"rfc_retenedor": _EMPLOYER, "nombre_denominacion_razon_social": "EMPLEADORA DEL ZARZAL"}
    paid: JsonObject = {"ingreso_anual": salary, "ingresos_exentos": ZERO, "subsidio_empleo": ZERO}
    _object_at(shape, "sueldos_salarios")["retenedores"] = [{**employer, **paid}]
    _object_at(shape, "servicios_profesionales.deducciones_autorizadas")["detalle_deducciones"] = [
        {"tipo_deduccion": "Gastos", "concepto": "Gastos en general", "monto_detallado": spent}
    ]
    quarter = cents(personal / 4)
    amounts = [quarter, quarter, quarter, personal - quarter * 3]
    shape["deducciones_personales"] = {
        name: [{"rfc_emisor": _EMPLOYER, "monto_deducible": amount}]
        for name, amount in zip(_PERSONAL_DEDUCTIONS, amounts, strict=True)
    }
    kept: JsonObject = {"rfc_retenedor": _EMPLOYER, "monto_retenciones": salary, "retenciones_isr": withheld}
    none: list[Json] = []
    shape["retenciones"] = {"sueldos_salarios": [kept], "dividendos": none, "servicios_profesionales": [{**kept}]}
    return shape
