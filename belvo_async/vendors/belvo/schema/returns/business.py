"""Monthly tax returns of businesses, typed to the last field.

Belvo documents the parts only as objects of open content. The fields are those of its examples; amounts that are null
in all of them are taken for amounts.
"""

from __future__ import annotations

from datetime import datetime

from ..record import Amount, Record, Text


class BusinessReturnHeader(Record, frozen=True, kw_only=True):
    """What was declared, by whom and when. Instants keep SAT's own offset."""

    ejercicio: int | None = None
    fecha_hora_presentacion: datetime | None = None
    numero_operacion: Text = None
    periodo_declaracion: Text = None
    rfc: Text = None
    tipo_declaracion: Text = None
    tipo_complementaria: Text = None
    denominacion_razon_social: Text = None


class BusinessIncomeTaxGeneralRegime(Record, frozen=True, kw_only=True):
    """Income tax of the general regime."""

    suma_ingresos_nominales_meses_anteriores_ejercicio: Amount = None
    estimulos_acreditables: Amount = None
    ingresos_nominales_mes_que_declara: Amount = None
    reducciones: Amount = None
    total_ingresos_nominales: Amount = None
    impuestos_del_periodo: Amount = None
    coeficiente_utilidad: Amount = None
    pagos_provisionales_efectuados_anterioridad: Amount = None
    utilidad_fiscal_pago_provisional: Amount = None
    impuesto_retenido: Amount = None
    ptu: Amount = None
    otras_cantidades_a_cargo_contribuyente: Amount = None
    iventario_acumulable: Amount = None
    otras_cantidades_a_favor_contribuyente: Amount = None
    anticipos_rendimientos_distribuidos_periodo: Amount = None
    diferencia_a_cargo: Amount = None
    perdidas_fiscales_ejercicios_anteriores_pendientes: Amount = None
    estimulo_fiscal_deduccion_inmediata: Amount = None
    impuesto_correspondiente_participacion_consolidable: Amount = None
    deduccion_adicional_fomento_primer_empleo: Amount = None
    porcentaje_participacion_consolidable: Amount = None
    base_gravable_pago_provisional: Amount = None
    impuesto_a_cargo: Amount = None
    isr_causado: Amount = None
    ieps_alcohol: Amount = None


class BusinessIncomeTaxAssessment(Record, frozen=True, kw_only=True):
    """How the income tax of the month came about."""

    personas_morales_regimen_general: BusinessIncomeTaxGeneralRegime | None = None


class BusinessTaxPayment(Record, frozen=True, kw_only=True):
    """What is to be paid of one tax (R1, R12 to R14, R21); each has most of these fields."""

    a_cargo: Amount = None
    acreditamiento_sorteo_buen_fin: Amount = None
    parte_actualizada: Amount = None
    diesel_marino: Amount = None
    recargos: Amount = None
    total_aplicaciones: Amount = None
    multa_por_correccion: Amount = None
    fecha_pago_realizado_anterioridad: Text = None
    total_de_contribuciones: Amount = None
    monto_pagado_anterioridad: Amount = None
    credito_al_salario: Amount = None
    importe_pagado_ultimas_48_hrs: Amount = None
    subsidio_empleo: Amount = None
    cantidad_a_cargo: Amount = None
    impuesto_a_depositos_efectivo_acreditable: Amount = None
    aplica_primera_parcialidad: Text = None
    compensaciones: Amount = None
    credito_ieps_diesel: Amount = None
    diesel_automotriz_transporte: Amount = None
    cantidad_a_favor: Amount = None
    uso_infraestructura_carretera_cuota: Amount = None
    cantidad_a_pagar: Amount = None
    otros_estimulos: Amount = None
    importe_1ra_parcialidad: Amount = None
    importe_sin_1ra_parcialidad: Amount = None
    acreditamiento_sorteos: Amount = None
    cretificados_tesofe: Amount = None
    a_favor: Amount = None


class BusinessIncomeTaxPayments(Record, frozen=True, kw_only=True):
    """What is to be paid as income tax."""

    r1_isr_personas_morales: BusinessTaxPayment | None = None
    r12_isr_retenciones_por_salarios: BusinessTaxPayment | None = None
    r13_isr_retenciones_por_asimilados_a_salarios: BusinessTaxPayment | None = None
    r14_isr_retenciones_por_servicios_profesionales: BusinessTaxPayment | None = None


class PaidActivities(Record, frozen=True, kw_only=True):
    """Amounts paid, by rate."""

    total_actos_actividades_pagados_tasa_16: Amount = None
    total_actos_actividades_pagados_importacion_bienes_tasa_11: Amount = None
    total_actos_actividades_sujetos_estimulo_rfn: Amount = None
    total_actos_actividades_pagados_tasa_0: Amount = None
    total_actos_actividades_pagados_importacion_bienes_tasa_16: Amount = None
    total_actos_actividades_pagados_no_paga_iva: Amount = None


class PaidActivitiesAt16(Record, frozen=True, kw_only=True):
    """Amounts paid at the rate of 16 percent."""

    intereses_pagados_tasa_16: Amount = None
    otros_actos_pagados_tasa_16: Amount = None
    regalias_pagadas_tasa_16: Amount = None
    total_actos_pagados_tasa_16: Amount = None


class CreditableValueAddedTax(Record, frozen=True, kw_only=True):
    """Value added tax that can be credited."""

    total_iva_actos_actividades_pagados_tasa_16: Amount = None
    iva_trasladado_o_pagado_adquisicion_bienes_distintos_inversiones_actos_no_obligados_pago_impuesto: Amount = None
    iva_pagado_sujeto_estimulo_rfn: Amount = None
    iva_trasladado_o_pagado_importacion_inversiones_actos_no_obligados_pago_impuesto: Amount = None
    total_actos_actividades_pagados_importacion_bienes_tasa_16: Amount = None
    iva_bienes_utilizados_indistintamente_actos_gravados_o_actos_no_obligados_pago_impuesto: Amount = None
    proporcion_utilizada_conforme_art_5: Amount = None
    total_iva_trasladado_contribuyente: Amount = None
    proporcion_utilizada_conforme_art_5_b: Amount = None
    iva_trasladado_adquisicion_bienes_distintos_inversiones_actos_gravados: Amount = None
    iva_pagado_importacion_adquisicion_bienes_distintos_inversiones_actos_gravados: Amount = None
    iva_acreditable: Amount = None
    monto_acreditable_actualizado_a_incrementar_derivado_ajuste: Amount = None
    iva_pagado_importacion_inversiones_actos_gravados: Amount = None
    total_iva_acreditable_periodo: Amount = None
    total_iva_actos_actividades_gravados: Amount = None
    total_actos_actividades_pagados_importacion_bienes_tasa_11: Amount = None
    iva_trasladado_adquisicion_inversiones_actos_gravados: Amount = None
    iva_acreditable_bienes_utilizados_indistintamente_actos_gravados_o_actos_no_obligados_pago_impuesto: Amount = None


class ValueAddedTaxDue(Record, frozen=True, kw_only=True):
    """Value added tax that is due."""

    valor_actos_actividades_gravados_tasa_16: Amount = None
    otras_cantidades_a_favor_contribuyente: Amount = None
    valor_actos_actividades_gravados_tasa_11: Amount = None
    cantidad_a_cargo: Amount = None
    valor_actos_actividades_gravados_tasa_0_exportacion: Amount = None
    saldo_a_favor: Amount = None
    valor_actos_actividades_gravados_tasa_9_otros: Amount = None
    devolucion_inmediata_obtenida: Amount = None
    suma_actos_actividades_gravados: Amount = None
    saldo_a_favor_periodo: Amount = None
    valor_actos_actividades_no_se_deba_pagar_impuesto_exentos: Amount = None
    acreditamiento_saldo_favor_periodos_anteriores: Amount = None
    impuesto_causado: Amount = None
    diferencia_a_cargo: Amount = None
    cantidad_actualizada_a_reintegrarse_derivada_de_ajuste: Amount = None
    ieps_acreditable_alcohol: Amount = None
    iva_retenido_al_contribuyente: Amount = None
    impuesto_a_cargo: Amount = None
    total_iva_acreditable: Amount = None
    remanente_saldo_favor_ieps_alcohol: Amount = None
    otras_cantidades_a_cargo_contribuyente: Amount = None


class TaxedActivitiesAt16(Record, frozen=True, kw_only=True):
    """Amounts charged at the rate of 16 percent."""

    intereses_cobrados_tasa_16: Amount = None
    otros_actos_actividades_gravados_tasa_16: Amount = None
    regalias_entre_partes_relacionadas_tasa_16: Amount = None
    total_actos_actividades_gravados_tasa_16: Amount = None


class BusinessValueAddedTaxAssessment(Record, frozen=True, kw_only=True):
    """How the value added tax of the month came about."""

    montos_actos_actividades_pagados: PaidActivities | None = None
    detalle_total_actos_actividades_pagados_tasa_16: PaidActivitiesAt16 | None = None
    determinacion_iva_acreditable: CreditableValueAddedTax | None = None
    determinacion_iva: ValueAddedTaxDue | None = None
    detalle_valor_actos_actividades_gravados_tasa_16: TaxedActivitiesAt16 | None = None


class BusinessValueAddedTaxPayments(Record, frozen=True, kw_only=True):
    """What is to be paid as value added tax."""

    r21_iva: BusinessTaxPayment | None = None
    r21_iva_retenciones: BusinessTaxPayment | None = None


class BusinessMonthlyReturn(Record, frozen=True, kw_only=True):
    """A business's return of one month."""

    id: Text = None
    link: Text = None
    collected_at: datetime | None = None
    created_at: datetime | None = None
    type: Text = None
    informacion_general: BusinessReturnHeader | None = None
    determinacion_isr: BusinessIncomeTaxAssessment | None = None
    detalle_pago_isr: BusinessIncomeTaxPayments | None = None
    determinacion_iva: BusinessValueAddedTaxAssessment | None = None
    detalle_pago_iva: BusinessValueAddedTaxPayments | None = None
    pdf: Text = None
    receipt_pdf: Text = None
