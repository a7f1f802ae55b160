"""Yearly tax returns of businesses, typed to the last field.

Belvo documents the parts only as objects of open content. The fields are those of its examples; amounts that are null
in all of them are taken for amounts.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from ..record import Amount, Record, Text
from .business import BusinessReturnHeader


class PartySplit(Record, frozen=True, kw_only=True):
    """An amount split into related parties and others."""

    partes_relacionadas: Amount = None
    partes_no_relacionadas: Amount = None
    total: Amount = None


class AdditionalAnswers(Record, frozen=True, kw_only=True):
    """Answers to yes-or-no questions of the form."""

    indica_si_optas_por_dictaminar_tus_estados_financieros: Text = None
    estas_obligado_a_presentar_la_informacion_sobre_tu_situacion_fiscal: Text = None
    estas_obligado_unicamente_por_supuesto_distinto_al_de_haber_realizado_operaciones_con_residentes_extranjero: Text = None  # noqa: E501
    estas_obligado_unicamente_por_supuesto_distinto_al_de_haber_realizado_operaciones_con_residentes_extranjero_inferiores_100mdp: Text = None  # noqa: E501
    optas_por_presentar_informacion_sobre_tu_situacion_fiscal: Text = None
    indica_si_te_dedicas_exclisivamente_a_generacion_energia_fuentes_renovables_o_cogeneracion_electricidad_eficiente: Text = None  # noqa: E501


class ProfitAndLoss(Record, frozen=True, kw_only=True):
    """The income statement of the year."""

    ventas_servicios_nacionales: PartySplit | None = None
    ventas_servicios_extranjero: PartySplit | None = None
    devoluciones_descuentos_bonificaciones_ventas_nacionales: PartySplit | None = None
    devoluciones_descuentos_bonificaciones_ventas_extranjero: PartySplit | None = None
    ingresos_netos: PartySplit | None = None
    inventario_inicial: Amount = None
    compras_netas_nacionales: PartySplit | None = None
    compras_netas_importacion: PartySplit | None = None
    inventario_final: Amount = None
    costo_mercancias: Amount = None
    mano_de_obra: PartySplit | None = None
    maquilas: PartySplit | None = None
    gastos_indirectos_fabricacion: PartySplit | None = None
    costo_ventas_servicios: Amount = None
    utilidad_bruta: Amount = None
    perdida_bruta: Amount = None
    gastos_operacion: PartySplit | None = None
    utilidad_operacion: Amount = None
    perdida_operacion: Amount = None
    intereses_devengados_a_favor_nacionales: PartySplit | None = None
    intereses_devengados_a_favor_extranjero: PartySplit | None = None
    intereses_moratorios_a_favor_nacionales: PartySplit | None = None
    intereses_moratorios_a_favor_extranjero: PartySplit | None = None
    ganancia_cambiaria: PartySplit | None = None
    intereses_devengados_a_cargo_nacionales: PartySplit | None = None
    intereses_devengados_a_cargo_extranjero: PartySplit | None = None
    intereses_moratorios_a_cargo_nacionales: PartySplit | None = None
    intereses_moratorios_a_cargo_extranjero: PartySplit | None = None
    perdida_cambiaria: PartySplit | None = None
    resultado_posicion_monetaria_favorable: PartySplit | None = None
    resultado_posicion_monetaria_desfavorable: PartySplit | None = None
    otras_operaciones_financieras_nacionales: PartySplit | None = None
    otras_operaciones_financieras_extranjero: PartySplit | None = None
    otras_operaciones_financieras: Amount = None
    resultado_integral_financiamiento: Amount = None
    otros_gastos_nacionales: Amount = None
    otros_gastos_extranjero: Amount = None
    otros_gastos: Amount = None
    otros_productos_nacionales: Amount = None
    otros_productos_extranjero: Amount = None
    otros_productos: Amount = None
    ingresos_partidas_discontinuas_extraordinarias: Amount = None
    gastos_partidas_discontinuas_extraordinarias: Amount = None
    utilidad_antes_impuesto: Amount = None
    perdida_antes_impuesto: Amount = None
    isr: Amount = None
    ietu: Amount = None
    impac: Amount = None
    ptu: Amount = None
    utilidad_participacion_subsidiaria: Amount = None
    perdida_participacion_subsidiaria: Amount = None
    efectos_reexpresion_favorables_excepto_resultado_posicion_monetaria: Amount = None
    efectos_reexpresion_desfavorables_excepto_resultado_posicion_monetaria: Amount = None
    utilidad_neta: Amount = None
    perdida_neta: Amount = None


class Assets(Record, frozen=True, kw_only=True):
    """What the business holds."""

    efectivo_caja_depositos_instituciones_credito_nacionales: Amount = None
    efectivo_caja_depositos_instituciones_credito_extranjero: Amount = None
    inversiones_valores_instituciones_nacionales_excepto_acciones: Amount = None
    inversiones_valores_instituciones_extranjero_excepto_acciones: Amount = None
    cuentas_documentos_por_cobrar_nacionales: PartySplit | None = None
    cuentas_documentos_por_cobrar_extranjero: PartySplit | None = None
    contribuciones_a_favor: Amount = None
    inventarios: Amount = None
    otros_activos_circulantes: Amount = None
    inversiones_en_acciones_nacionales: Amount = None
    inversiones_en_acciones_extranjero: Amount = None
    inversiones_en_acciones_total: Amount = None
    terrenos: Amount = None
    construcciones: Amount = None
    construcciones_en_proceso: Amount = None
    maquinaria_y_equipo: Amount = None
    mobiliario_y_equipo_oficina: Amount = None
    equipo_de_computo: Amount = None
    equipo_de_transporte: Amount = None
    otros_activos_fijos: Amount = None
    depreciacion_acumulada: Amount = None
    cargos_y_gastos_diferidos: Amount = None
    amortizacion_acumulada: Amount = None
    suma_activo: Amount = None


class Liabilities(Record, frozen=True, kw_only=True):
    """What the business owes."""

    cuentas_documentos_por_pagar_nacionales: PartySplit | None = None
    cuentas_documentos_por_pagar_extranjero: PartySplit | None = None
    contribuciones_por_pagar: Amount = None
    anticipos_de_clientes: PartySplit | None = None
    aportaciones_futuros_aumentos_de_capital: Amount = None
    otros_pasivos: Amount = None
    suma_pasivo: Amount = None


class OwnersEquity(Record, frozen=True, kw_only=True):
    """What belongs to the owners."""

    capital_social_proveniente_aportaciones: Amount = None
    capital_social_proveniente_capitalizacion: Amount = None
    reservas: Amount = None
    otras_cuentas_capital: Amount = None
    aportaciones_futuros_aumentos_de_capital: Amount = None
    utilidades_acumuladas: Amount = None
    utilidad_del_ejercicio: Amount = None
    perdidas_acumuladas: Amount = None
    perdida_del_ejercicio: Amount = None
    exceso_en_actualizacion_capital: Amount = None
    insuficiencia_en_actualizacion_capital: Amount = None
    actualizacion_del_capital_contable: Amount = None
    suma_capital_contable: Amount = None
    suma_pasivo_mas_capital_contable: Amount = None


class FinancialPosition(Record, frozen=True, kw_only=True):
    """The balance sheet of the year."""

    activo: Assets | None = None
    pasivo: Liabilities | None = None
    capital_contable: OwnersEquity | None = None


class FiscalReconciliation(Record, frozen=True, kw_only=True):
    """From the result of the books to the taxable one."""

    utilidad_o_perdida_neta: Amount = None
    efectos_reexpresion: Amount = None
    resultado_posicion_monetaria: Amount = None
    utilidad_o_perdida_neta_historica: Amount = None
    ingresos_fiscales_no_contables: Amount = None
    ajuste_anual_inflacion_acumulable: Amount = None
    anticipos_de_clientes: Amount = None
    intereses_moratorios_efectivamente_cobrados: Amount = None
    ganancia_en_enajenacion_acciones_por_reembolso_capital: Amount = None
    ganancia_en_enajenacion_de_terrenos_y_activo_fijo: Amount = None
    inventario_acumulable_del_ejercicio: Amount = None
    otros_ingresos_fiscales_no_contables: Amount = None
    deducciones_contables_no_fiscales: Amount = None
    costo_de_ventas_contable: Amount = None
    depreciacion_y_amortizacion_contable: Amount = None
    gastos_que_no_reunen_requisitos_fiscales: Amount = None
    isr_ietu_impac_ptu: Amount = None
    perdida_contable_enajenacion_de_acciones: Amount = None
    perdida_contable_enajenacion_de_activo_fijo: Amount = None
    perdida_en_participacion_subsidiaria: Amount = None
    intereses_devengados_que_exceden_valor_mercado_y_moratorios_pagados_o_no: Amount = None
    otras_deducciones_contables_no_fiscales: Amount = None
    deducciones_fiscales_no_contables: Amount = None
    ajuste_anual_inflacion_deducible: Amount = None
    costo_vendido_fiscal: Amount = None
    deduccion_inversiones: Amount = None
    estimulo_fiscal_por_deduccion_inmediata_inversiones: Amount = None
    donacion_bienes_basicos_subsistencia_humana: Amount = None
    estimulo_fiscal_contratacion_personas_discapacidad_yo_mayores: Amount = None
    deduccion_impuesto_sobre_renta_retenido_personas_discapacidad_yo_mayores: Amount = None
    perdida_fiscal_en_enajenacion_acciones: Amount = None
    perdida_fiscal_en_enajenacion_de_terrenos_y_activo_fijo: Amount = None
    intereses_moratorios_efectivamente_pagados: Amount = None
    otras_deducciones_fiscales_no_contables: Amount = None
    ingresos_contables_no_fiscales: Amount = None
    intereses_moratorios_devengados_a_favor_cobrados_o_no: Amount = None
    anticipos_de_clientes_ejercicios_anteriores: Amount = None
    saldos_a_favor_impuestos_y_su_actualizacion: Amount = None
    utilidad_contable_enajenacion_de_activo_fijo: Amount = None
    utilidad_contable_enajenacion_de_acciones: Amount = None
    utilidad_en_participacion_subsidiaria: Amount = None
    otros_ingresos_contables_no_fiscales: Amount = None
    utilidad_o_perdida_fiscal_antes_de_ptu: Amount = None


class AuthorizedDeductions(Record, frozen=True, kw_only=True):
    """Deductions, by kind."""

    sueldos_salarios: Amount = None
    honorarios_pagados_a_personas_fisicas: Amount = None
    regalias_y_asistencia_tecnica: Amount = None
    donativos_otorgados: Amount = None
    uso_o_goce_temporal_de_bienes_pagados_a_personas_fisicas: Amount = None
    fletes_y_acarreos_pagados_a_parsonas_fisicas: Amount = None
    contribuciones_pagadas_excepto_isr_ietu_impac_iva_ieps: Amount = None
    seguros_fianzas: Amount = None
    perdida_por_creditos_incobrables: Amount = None
    viaticos_y_gastos_viaje: Amount = None
    combustible_y_lubricantes: Amount = None
    credito_al_salario_no_disminuido_de_contribuciones: Amount = None
    aportaciones_sar_infonavit_y_jubilaciones_vejez: Amount = None
    aportaciones_para_fondos_de_pensiones_y_jubilaciones: Amount = None
    cuotas_imss: Amount = None
    consumos_en_restaurantes: Amount = None
    perdida_por_operaciones_financieras_derivadas: Amount = None
    deduccion_por_concepto_de_ayuda_alimentaria_para_trabajadores: Amount = None
    monto_total_pagos_que_sean_ingresos_exentos_para_trabajador: Amount = None
    monto_deducible_al_47_pagos_son_ingresos_exentos_para_trabajador: Amount = None
    monto_deducible_al_53_pagos_son_ingresos_exentos_para_trabajador: Amount = None
    uso_o_goce_temporal_de_automoviles_baterias_electricas_o_electricos_con_motor_combustion_o_hidrogeno: Amount = None
    otras_deducciones_autorizadas: Amount = None
    total_deducciones_autorizadas: Amount = None


class ClosingFigures(Record, frozen=True, kw_only=True):
    """Figures at the end of the year."""

    perdidas_fiscales_de_ejercicios_anteriores_pendientes_de_amortizar_actualiazadas: Amount = None
    saldo_promedio_anual_de_creditos: Amount = None
    saldo_promedio_anual_de_deudas: Amount = None
    coeficiente_de_utilidad_por_aplicar_en_ejercicio_siguiente: Amount = None
    porcentaje_de_participacion_consolidable: Amount = None
    isr_causado_en_exceso_del_impac_en_los_3_ejercicios_anteriores_pendientes_aplicar: Amount = None
    saldo_actualizado_de_cuenta_de_utilidad_fiscal_neta_2013_y_anteriores: Amount = None
    saldo_actualizado_de_cuenta_de_utilidad_fiscal_neta_a_partir_2014_y_anteriores: Amount = None
    saldo_actualizado_de_cuenta_de_utilidad_fiscal_reinvertida: Amount = None
    saldo_actualizado_de_cuenta_de_capital_de_aportacion: Amount = None
    saldo_de_cuenta_de_utilidad_fiscal_neta_por_inversion_en_renovables: Amount = None


class BusinessYearlyTax(Record, frozen=True, kw_only=True):
    """The tax of the year, line by line."""

    total_ingresos_acumulables: Amount = None
    total_deducciones_autorizadas_y_deduccion_inmediata_inversiones: Amount = None
    deduccion_adicional_por_pago_servicios_personales_en_operacion_maquila: Amount = None
    utilidad_o_perdida_fiscal_antes_de_ptu: Amount = None
    ptu_pagada_en_el_ejercicio: Amount = None
    utilidad_fiscal_del_ejercicio: Amount = None
    perdidas_fiscales_de_ejercicios_anteriores_que_se_aplican_en_ejercicio: Amount = None
    resultado_fiscal: Amount = None
    impuesto_causado_en_ejercicio: Amount = None
    tienes_estimulos_fiscales_a_acreditar: Text = None
    impuesto_sobre_la_renta_del_ejercicio: Amount = None
    pagos_provisionales_efectuados_enterados_a_federacion: Amount = None
    impuesto_retenido_al_contribuyente: Amount = None
    impuesto_acreditable_pagado_en_extranjero: Amount = None
    impuesto_acreditable_por_dividendos_o_utilidades_distribuidos: Amount = None
    otras_cantidades_a_cargo: Amount = None
    otras_cantidades_a_favor: Amount = None
    diferencia_a_cargo: Amount = None
    isr_a_cargo_del_ejercicio: Amount = None
    isr_a_favor_del_ejercicio: Amount = None


class YearCredits(Record, frozen=True, kw_only=True):
    """Credits and incentives of the year."""

    monto_aplicado_del_estimulo_fiscal_de_chatarrizacion: Amount = None
    monto_deducible_de_pagos_efectuados_por_uso_o_goce_temporal_automoviles: Amount = None
    impac_recuperado_en_ejercicio_derivado_de_deconsolidacion: Amount = None
    ingresos_obtenidos_por_apoyos_gubernamentales: Amount = None
    gastos_realidados_en_ejercicio_por_proyectos_en_investigacion_desarrollo_tecnologico: Amount = None
    credito_fiscal_autorizado_en_ejercicio_por_proyectos_en_investigacion_desarrollo_tecnologico_pendiente_aplicar: Amount = None  # noqa: E501
    credito_fiscal_autorizado_en_ejercicio_por_proyectos_de_inversion_en_artes_pendiente_aplicar: Amount = None
    credito_fiscal_autorizado_en_ejercicio_por_inversion_en_proyectos_programas_para_deporte_de_alto_rendimiento_pendiente_aplicar: Amount = None  # noqa: E501
    saldo_pendiente_aplicar_por_inversion_en_equipos_de_alimentacion_vehiculos_electricos: Amount = None
    credito_fiscal_autorizado_en_ejercicio_a_produccion_distribucion_cinematografica_nacional_pendiente_aplicar: Amount = None  # noqa: E501


class EarlierCredits(Record, frozen=True, kw_only=True):
    """Credits of earlier years used in this one."""

    total_estimulo_produccion_y_distribucion_cinematografica_nacional_ejercicios_anteriores_aplicado_en_ejercicio: Amount = None  # noqa: E501
    saldo_credito_fiscal_autorizado_ejercicios_anteriores_por_inversion_en_proyectos_programas_para_deporte_alto_rendimiento_pendiente_aplicar: Amount = None  # noqa: E501
    saldo_credito_fiscal_autorizado_ejercicios_anteriores_por_proyectos_investigacion_desarrollo_tecnologico_pendiente_aplicar: Amount = None  # noqa: E501
    saldo_credito_fiscal_autorizado_ejercicios_anteriores_por_proyectos_inversion_artes_pendiente_aplicar: Amount = None
    saldo_credito_fiscal_autorizado_ejercicios_anteriores_a_produccion_distribucion_nacional_pendiente_aplicar: Amount = None  # noqa: E501


class BusinessTaxAssessment(Record, frozen=True, kw_only=True):
    """How the tax of the year came about."""

    determinacion_del_impuesto_sobre_la_renta: BusinessYearlyTax | None = None
    impuesto_sobre_ingresos_sujetos_a_regimenes_fiscales_preferentes: Amount = None
    datos_informativos_ejercicio: YearCredits | None = None
    datos_informativos_ejercicios_anteriores_aplicados_en_ejercicio: EarlierCredits | None = None


class DistributedDividends(Record, frozen=True, kw_only=True):
    """Dividends and profits that were distributed."""

    provenientes_de_cuenta_de_utilidad_fisica_neta_cufin_generada_en_2013_y_anteriores: Amount = None
    provenientes_de_cuenta_de_utilidad_fisica_neta_cufin_generada_a_partir_de_2014: Amount = None
    provenientes_de_cuenta_de_utilidad_fisica_neta_reinvertida_cufinre: Amount = None
    no_provenientes_de_cufin_ni_cufinre_en_efectivo: Amount = None
    no_provenientes_de_cufin_ni_cufinre_en_acciones: Amount = None
    monto_del_impuesto_pagado_no_proveniente_de_cufin_ni_cufinre: Amount = None
    monto_del_impuesto_pagado_de_utilidades_provenientes_de_cufinre: Amount = None
    provenientes_de_cuenta_de_utilidad_fiscal_neta_por_inversion_en_energia_de_fuentes_renovables_o_sistemas_cogeneracion_electricidad_eficiente: Amount = None  # noqa: E501


class BusinessYearlyPayment(Record, frozen=True, kw_only=True):
    """What is to be paid."""

    a_cargo: Amount = None
    parte_actualizada: Amount = None
    recargos: Amount = None
    multa_por_correccion: Amount = None
    total_contribuciones: Amount = None
    desea_aplicar_alguna_compensacion_o_estimulo: Text = None
    cantidad_a_cargo: Amount = None
    opta_por_pagar_parcialidades: Text = None
    importe_de_primera_parcialidad: Amount = None
    importe_sin_primera_parcialidad: Amount = None
    cantidad_a_favor: Amount = None
    cantidad_a_pagar: Amount = None


class BusinessYearlyReturn(Record, frozen=True, kw_only=True):
    """A business's return of one year. `ingressos` (so spelled) and `determinacion` have no documented fields."""

    id: Text = None
    link: Text = None
    collected_at: datetime | None = None
    created_at: datetime | None = None
    informacion_general: BusinessReturnHeader | None = None
    datos_adicionales: AdditionalAnswers | None = None
    estado_resultados: ProfitAndLoss | None = None
    estado_posicion_financiera_balance: FinancialPosition | None = None
    conciliacion_entre_resultado_contable_fiscal: FiscalReconciliation | None = None
    deducciones_autorizadas: AuthorizedDeductions | None = None
    cifras_cierre_ejercicio: ClosingFigures | None = None
    determinacion_del_impuesto_sobre_la_renta: BusinessTaxAssessment | None = None
    dividendos_o_utilidades_distribuidos: DistributedDividends | None = None
    detalle_pago_r1_isr_personas_morales: BusinessYearlyPayment | None = None
    ingressos: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    determinacion: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    pdf: Text = None
    receipt_pdf: Text = None
