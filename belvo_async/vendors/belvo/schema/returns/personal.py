"""Tax returns of persons, typed to the last field.

Belvo documents the parts only as objects of open content. The fields are those of its examples; amounts that are null
in all of them are taken for amounts.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from ..record import Amount, Record, Text


class PersonalReturnHeader(Record, frozen=True, kw_only=True):
    """What was declared, by whom and when. Instants keep SAT's own offset."""

    ejercicio: int | None = None
    fecha_hora_presentacion: datetime | None = None
    numero_operacion: Text = None
    periodo_declaracion: Text = None
    rfc: Text = None
    tipo_declaracion: Text = None
    nombre: Text = None


class Employer(Record, frozen=True, kw_only=True):
    """One employer: what it paid in the year."""

    rfc_retenedor: Text = None
    nombre_denominacion_razon_social: Text = None
    ingresos_exentos: Amount = None
    ingreso_anual: Amount = None
    subsidio_empleo: Amount = None


class Wages(Record, frozen=True, kw_only=True):
    """Wages and salaries of the year."""

    retenedores: tuple[Employer, ...] | None = ()
    impuesto_retenido: Amount = None
    ingreso_anual: Amount = None
    ingresos_acumulables: Amount = None
    ingresos_exentos: Amount = None
    subsidio_empleo: Amount = None


class ServiceDeductionDetail(Record, frozen=True, kw_only=True):
    """One deduction."""

    tipo_deduccion: Text = None
    concepto: Text = None
    monto_detallado: Amount = None


class ServiceDeductions(Record, frozen=True, kw_only=True):
    """Deductions from professional income."""

    deducciones_autorizadas: Amount = None
    otras_deducciones: Amount = None
    detalle_deducciones: tuple[ServiceDeductionDetail, ...] | None = ()
    total_deducciones_autorizadas: Amount = None


class ServiceIncome(Record, frozen=True, kw_only=True):
    """Professional income."""

    ingresos_acumulables: Amount = None
    ingresos_exentos: Amount = None
    otros_ingresos: Amount = None
    total_ingresos: Amount = None


class ServiceResult(Record, frozen=True, kw_only=True):
    """The taxable result of professional services."""

    utilidad_fiscal: Amount = None
    ptu_pagada_ejercicio: Amount = None
    perdidas_fiscales_ejercicios_anteriores_aplicadas: Amount = None
    utilidad_gravable: Amount = None


class ServiceProvisionalPayments(Record, frozen=True, kw_only=True):
    """What was paid during the year."""

    pagos_provisionales_efectuados_en_ejercicio: Amount = None


class ServiceWithholding(Record, frozen=True, kw_only=True):
    """Income tax held back by companies."""

    isr_retenido_personas_morales: Amount = None


class ProfessionalServices(Record, frozen=True, kw_only=True):
    """Professional services of the year."""

    deducciones_autorizadas: ServiceDeductions | None = None
    ingresos: ServiceIncome | None = None
    resultado_fiscal: ServiceResult | None = None
    pagos_provisionales: ServiceProvisionalPayments | None = None
    retenciones_isr: ServiceWithholding | None = None


class PersonalDeduction(Record, frozen=True, kw_only=True):
    """One deductible amount, by its issuer."""

    rfc_emisor: Text = None
    monto_deducible: Amount = None


class PersonalDeductions(Record, frozen=True, kw_only=True):
    """Personal deductions of the year."""

    honorarios_medicos_dentales_hospitalarios: tuple[PersonalDeduction, ...] | None = ()
    donativos: tuple[PersonalDeduction, ...] | None = ()
    aportaciones_voluntarias_complementarias_al_sar: tuple[PersonalDeduction, ...] | None = ()
    primas_por_seguros_de_gasto_medico: tuple[PersonalDeduction, ...] | None = ()


class PersonalTaxAssessment(Record, frozen=True, kw_only=True):
    """How the tax of the year came about, and where a balance goes."""

    base_gravable: Amount = None
    deducciones_personales: Amount = None
    ingresos_acumulables: Amount = None
    isr_favorable: Amount = None
    isr_conforme_tarifa_final: Amount = None
    isr_retenido: Amount = None
    num_clabe: Text = None
    nombre_banco: Text = None
    pagos_provisionales: Amount = None
    titular_clabe_permite_verificacion: Text = None
    accion_saldo_a_favor: Text = None


class Withholding(Record, frozen=True, kw_only=True):
    """What one payer held back."""

    rfc_retenedor: Text = None
    monto_retenciones: Amount = None
    retenciones_isr: Amount = None


class Withholdings(Record, frozen=True, kw_only=True):
    """What was held back, by kind of income."""

    sueldos_salarios: tuple[Withholding, ...] | None = ()
    dividendos: tuple[Withholding, ...] | None = ()
    servicios_profesionales: tuple[Withholding, ...] | None = ()


class PersonalDividends(Record, frozen=True, kw_only=True):
    """Dividends received."""

    monto_acumulable_dividendos_utilidades: Amount = None
    monto_total_isr_pagado_sociedad: Amount = None


class PersonalTaxCredits(Record, frozen=True, kw_only=True):
    """Tax credits granted for projects and investments."""

    credito_fiscal_autorizado_proyectos_investigacion_desarrollo: Amount = None
    credito_fiscal_autorizado_proyectos_apoyo_deporte_alto_rendimiento: Amount = None
    credito_fiscal_autorizado_proyectos_inversion_artes: Amount = None
    credito_fiscal_autorizado_inversion_equipos_fijos: Amount = None
    credito_fiscal_autorizado_produccion_distribucion_cinematografica: Amount = None
    saldo_credito_fiscal_autorizado_anteriores_investigacion_desarrollo: Amount = None
    saldo_credito_fiscal_anteriores_proyectos_inversion_artes: Amount = None
    saldo_credito_fiscal_anteriores_produccion_distribucion_cinematografica: Amount = None


class PersonalYearlyReturn(Record, frozen=True, kw_only=True):
    """A person's return of one year."""

    id: Text = None
    link: Text = None
    collected_at: datetime | None = None
    created_at: datetime | None = None
    informacion_general: PersonalReturnHeader | None = None
    sueldos_salarios: Wages | None = None
    servicios_profesionales: ProfessionalServices | None = None
    deducciones_personales: PersonalDeductions | None = None
    determinacion_impuesto: PersonalTaxAssessment | None = None
    retenciones: Withholdings | None = None
    dividendos: PersonalDividends | None = None
    datos_informativos: PersonalTaxCredits | None = None
    pdf: Text = None
    receipt_pdf: Text = None


class PersonalIncomeTaxAssessment(Record, frozen=True, kw_only=True):
    """How the income tax of the month came about. Leases have the last six fields."""

    ingresos_periodos_anteriores: Amount = None
    ingresos_periodo: Amount = None
    total_ingresos: Amount = None
    compras_gastos_periodos_anteriores: Amount = None
    compra_gastos_periodo: Amount = None
    total_compras_gastos: Amount = None
    base_gravable_pago_provisional: Amount = None
    isr_causado: Amount = None
    pagos_provisionales_efectuados_anterioridad: Amount = None
    isr_retenido_periodos_anteriores: Amount = None
    impuesto_retenido: Amount = None
    isr_cargo: Amount = None
    tipo_de_deduccion: Text = msgspec.field(default=None, name="tipo_de_deduccíon")
    optas_por_el_calculo_acumulado: Text = msgspec.field(default=None, name="optas_por_el_cálculo_acumulado")
    deduccion_opcional: Amount = msgspec.field(default=None, name="deduccíon_opcional")
    impuesto_predial: Amount = None
    total_deducciones_autorizadas: Amount = None
    tienes_facilidades_administrativas_o_estimulos_deducibles: Text = msgspec.field(
        default=None, name="tienes_facilidades_administrativas_o_estímulos_deducibles"
    )


class PersonalIncomeTaxPayment(Record, frozen=True, kw_only=True):
    """What is to be paid as income tax."""

    a_cargo: Amount = None
    parte_actualizada: Amount = None
    recargos: Amount = None
    total_contribuciones: Amount = None
    total_aplicaciones: Amount = None
    cantidad_a_cargo: Amount = None
    cantidad_a_pagar: Amount = None


class PersonalIncomeTax(Record, frozen=True, kw_only=True):
    """Income tax (ISR) of the month; `tipo` is the activity, such as PFAE or PFAI."""

    tipo: Text = None
    determinacion: PersonalIncomeTaxAssessment | None = None
    detalle_del_pago: PersonalIncomeTaxPayment | None = None


class PersonalValueAddedTaxAssessment(Record, frozen=True, kw_only=True):
    """How the value added tax of the month came about."""

    actividades_gravadas_tasa_16: Amount = None
    actividades_gravadas_tasa_0: Amount = None
    actividades_exentas: Amount = None
    iva_cobrado_periodo_tasa_16: Amount = None
    iva_acreditable_periodo: Amount = None
    iva_retenido: Amount = None
    saldo_a_favor: Amount = None
    impuesto_a_favor: Amount = None
    impuesto_a_cargo: Amount = None
    cantidad_a_cargo: Amount = None


class PersonalValueAddedTaxPayment(Record, frozen=True, kw_only=True):
    """What is to be paid as value added tax."""

    total_contribuciones: Amount = None
    total_aplicaciones: Amount = None
    cantidad_a_cargo: Amount = None
    cantidad_a_pagar: Amount = None
    a_favor: Amount = None


class PersonalValueAddedTax(Record, frozen=True, kw_only=True):
    """Value added tax (IVA) of the month."""

    determinacion: PersonalValueAddedTaxAssessment | None = None
    detalle_del_pago: PersonalValueAddedTaxPayment | None = None


class PersonalMonthlyReturn(Record, frozen=True, kw_only=True):
    """A person's return of one month."""

    id: Text = None
    link: Text = None
    collected_at: datetime | None = None
    created_at: datetime | None = None
    type: Text = None
    informacion_general: PersonalReturnHeader | None = None
    isr: PersonalIncomeTax | None = None
    iva: PersonalValueAddedTax | None = None
    pdf: Text = None
    receipt_pdf: Text = None
