"""The fields inside the four shapes of Belvo's tax returns, as its published examples name them.

One entry per inner object (dotted path) with its fields: `name#` holds an amount, `name$` a text, `name/` three amounts
(related parties, others, total; `name/#` when filled), a bare `name` stays null. The specification types these objects
as open ones. Misspelt names are the vendor's.
"""

from typing import Final

_WITHHELD: Final = (
    "a_cargo# acreditamiento_sorteos parte_actualizada# diesel_marino recargos# total_aplicaciones# "
    "multa_por_correccion fecha_pago_realizado_anterioridad total_de_contribuciones# "
    "monto_pagado_anterioridad credito_al_salario importe_pagado_ultimas_48_hrs subsidio_empleo "
    "cantidad_a_cargo# impuesto_a_depositos_efectivo_acreditable aplica_primera_parcialidad$ compensaciones "
    "credito_ieps_diesel diesel_automotriz_transporte cantidad_a_favor otros_estimulos cantidad_a_pagar# "
    "importe_1ra_parcialidad importe_sin_1ra_parcialidad"
)

PERSONAL_YEARLY: dict[str, str] = {
    "sueldos_salarios": ("impuesto_retenido# ingreso_anual# ingresos_acumulables# ingresos_exentos# subsidio_empleo#"),
    "servicios_profesionales.deducciones_autorizadas": (
        "deducciones_autorizadas# otras_deducciones total_deducciones_autorizadas#"
    ),
    "servicios_profesionales.ingresos": "ingresos_acumulables# ingresos_exentos otros_ingresos total_ingresos#",
    "servicios_profesionales.resultado_fiscal": (
        "utilidad_fiscal# ptu_pagada_ejercicio# perdidas_fiscales_ejercicios_anteriores_aplicadas# utilidad_gravable#"
    ),
    "servicios_profesionales.pagos_provisionales": "pagos_provisionales_efectuados_en_ejercicio#",
    "servicios_profesionales.retenciones_isr": "isr_retenido_personas_morales#",
    "determinacion_impuesto": (
        "base_gravable# deducciones_personales# ingresos_acumulables# isr_favorable# isr_conforme_tarifa_final# "
        "isr_retenido# num_clabe$ nombre_banco$ pagos_provisionales# titular_clabe_permite_verificacion$ "
        "accion_saldo_a_favor$"
    ),
    "dividendos": "monto_acumulable_dividendos_utilidades monto_total_isr_pagado_sociedad",
    "datos_informativos": (
        "credito_fiscal_autorizado_proyectos_investigacion_desarrollo# "
        "credito_fiscal_autorizado_proyectos_apoyo_deporte_alto_rendimiento# "
        "credito_fiscal_autorizado_proyectos_inversion_artes# credito_fiscal_autorizado_inversion_equipos_fijos# "
        "credito_fiscal_autorizado_produccion_distribucion_cinematografica# "
        "saldo_credito_fiscal_autorizado_anteriores_investigacion_desarrollo# "
        "saldo_credito_fiscal_anteriores_proyectos_inversion_artes# "
        "saldo_credito_fiscal_anteriores_produccion_distribucion_cinematografica#"
    ),
}

PERSONAL_MONTHLY: dict[str, str] = {
    "isr.determinacion": (
        "ingresos_periodos_anteriores# ingresos_periodo# total_ingresos# compras_gastos_periodos_anteriores# "
        "compra_gastos_periodo# total_compras_gastos# base_gravable_pago_provisional# isr_causado# "
        "pagos_provisionales_efectuados_anterioridad# isr_retenido_periodos_anteriores# impuesto_retenido# "
        "isr_cargo#"
    ),
    "isr.detalle_del_pago": (
        "a_cargo# parte_actualizada# recargos# total_contribuciones# total_aplicaciones# cantidad_a_cargo# "
        "cantidad_a_pagar#"
    ),
    "isr": "tipo$",
    "iva.determinacion": (
        "actividades_gravadas_tasa_16# actividades_gravadas_tasa_0# actividades_exentas# "
        "iva_cobrado_periodo_tasa_16# iva_acreditable_periodo# iva_retenido# saldo_a_favor impuesto_a_favor"
    ),
    "iva.detalle_del_pago": ("total_contribuciones# total_aplicaciones# cantidad_a_cargo# cantidad_a_pagar# a_favor"),
}

LESSOR_MONTHLY: dict[str, str] = {
    "isr.determinacion": (
        "ingresos_periodos_anteriores# ingresos_periodo# total_ingresos# compras_gastos_periodos_anteriores# "
        "compra_gastos_periodo# total_compras_gastos# base_gravable_pago_provisional# isr_causado# "
        "pagos_provisionales_efectuados_anterioridad# isr_retenido_periodos_anteriores# impuesto_retenido# "
        "isr_cargo# tipo_de_deduccíon$ optas_por_el_cálculo_acumulado$ deduccíon_opcional# impuesto_predial# "
        "total_deducciones_autorizadas# tienes_facilidades_administrativas_o_estímulos_deducibles$"
    ),
    "isr.detalle_del_pago": PERSONAL_MONTHLY["isr.detalle_del_pago"],
    "isr": PERSONAL_MONTHLY["isr"],
    "iva.determinacion": (
        "actividades_gravadas_tasa_16# actividades_gravadas_tasa_0# actividades_exentas# "
        "iva_cobrado_periodo_tasa_16# iva_acreditable_periodo# iva_retenido# saldo_a_favor impuesto_a_favor "
        "impuesto_a_cargo# cantidad_a_cargo#"
    ),
    "iva.detalle_del_pago": PERSONAL_MONTHLY["iva.detalle_del_pago"],
}

BUSINESS_YEARLY: dict[str, str] = {
    "datos_adicionales": (
        "indica_si_optas_por_dictaminar_tus_estados_financieros$ "
        "estas_obligado_a_presentar_la_informacion_sobre_tu_situacion_fiscal$ "
        "estas_obligado_unicamente_por_supuesto_distinto_al_de_haber_realizado_operaciones_con_residentes_extranjero$"
        " "
        "estas_obligado_unicamente_por_supuesto_distinto_al_de_haber_realizado_operaciones_con_residentes_extranjero_"
        "inferiores_100mdp$ "
        "optas_por_presentar_informacion_sobre_tu_situacion_fiscal$ "
        "indica_si_te_dedicas_exclisivamente_a_generacion_energia_fuentes_renovables_o_cogeneracion_electricidad_efic"
        "iente$"
    ),
    "estado_resultados": (
        "ventas_servicios_nacionales/# ventas_servicios_extranjero/ "
        "devoluciones_descuentos_bonificaciones_ventas_nacionales/ "
        "devoluciones_descuentos_bonificaciones_ventas_extranjero/ ingresos_netos/# inventario_inicial "
        "compras_netas_nacionales/ compras_netas_importacion/ inventario_final costo_mercancias mano_de_obra/ "
        "maquilas/ gastos_indirectos_fabricacion/ costo_ventas_servicios utilidad_bruta# perdida_bruta "
        "gastos_operacion/# utilidad_operacion# perdida_operacion intereses_devengados_a_favor_nacionales/ "
        "intereses_devengados_a_favor_extranjero/ intereses_moratorios_a_favor_nacionales/ "
        "intereses_moratorios_a_favor_extranjero/ ganancia_cambiaria/ intereses_devengados_a_cargo_nacionales/ "
        "intereses_devengados_a_cargo_extranjero/ intereses_moratorios_a_cargo_nacionales/ "
        "intereses_moratorios_a_cargo_extranjero/ perdida_cambiaria/ resultado_posicion_monetaria_favorable/ "
        "resultado_posicion_monetaria_desfavorable/ otras_operaciones_financieras_nacionales/ "
        "otras_operaciones_financieras_extranjero/ otras_operaciones_financieras "
        "resultado_integral_financiamiento otros_gastos_nacionales otros_gastos_extranjero otros_gastos "
        "otros_productos_nacionales otros_productos_extranjero otros_productos "
        "ingresos_partidas_discontinuas_extraordinarias gastos_partidas_discontinuas_extraordinarias "
        "utilidad_antes_impuesto# perdida_antes_impuesto isr# ietu impac ptu utilidad_participacion_subsidiaria "
        "perdida_participacion_subsidiaria efectos_reexpresion_favorables_excepto_resultado_posicion_monetaria "
        "efectos_reexpresion_desfavorables_excepto_resultado_posicion_monetaria utilidad_neta# perdida_neta"
    ),
    "estado_posicion_financiera_balance.activo": (
        "efectivo_caja_depositos_instituciones_credito_nacionales# "
        "efectivo_caja_depositos_instituciones_credito_extranjero "
        "inversiones_valores_instituciones_nacionales_excepto_acciones "
        "inversiones_valores_instituciones_extranjero_excepto_acciones cuentas_documentos_por_cobrar_nacionales/ "
        "cuentas_documentos_por_cobrar_extranjero/ contribuciones_a_favor inventarios otros_activos_circulantes# "
        "inversiones_en_acciones_nacionales inversiones_en_acciones_extranjero inversiones_en_acciones_total "
        "terrenos construcciones construcciones_en_proceso maquinaria_y_equipo mobiliario_y_equipo_oficina "
        "equipo_de_computo equipo_de_transporte otros_activos_fijos# depreciacion_acumulada# "
        "cargos_y_gastos_diferidos# amortizacion_acumulada suma_activo#"
    ),
    "estado_posicion_financiera_balance.pasivo": (
        "cuentas_documentos_por_pagar_nacionales/# cuentas_documentos_por_pagar_extranjero/ "
        "contribuciones_por_pagar# anticipos_de_clientes/ aportaciones_futuros_aumentos_de_capital otros_pasivos "
        "suma_pasivo#"
    ),
    "estado_posicion_financiera_balance.capital_contable": (
        "capital_social_proveniente_aportaciones# capital_social_proveniente_capitalizacion reservas "
        "otras_cuentas_capital aportaciones_futuros_aumentos_de_capital utilidades_acumuladas "
        "utilidad_del_ejercicio# perdidas_acumuladas# perdida_del_ejercicio exceso_en_actualizacion_capital "
        "insuficiencia_en_actualizacion_capital actualizacion_del_capital_contable suma_capital_contable# "
        "suma_pasivo_mas_capital_contable#"
    ),
    "conciliacion_entre_resultado_contable_fiscal": (
        "utilidad_o_perdida_neta# efectos_reexpresion resultado_posicion_monetaria "
        "utilidad_o_perdida_neta_historica# ingresos_fiscales_no_contables# ajuste_anual_inflacion_acumulable# "
        "anticipos_de_clientes intereses_moratorios_efectivamente_cobrados "
        "ganancia_en_enajenacion_acciones_por_reembolso_capital ganancia_en_enajenacion_de_terrenos_y_activo_fijo "
        "inventario_acumulable_del_ejercicio otros_ingresos_fiscales_no_contables "
        "deducciones_contables_no_fiscales# costo_de_ventas_contable depreciacion_y_amortizacion_contable# "
        "gastos_que_no_reunen_requisitos_fiscales# isr_ietu_impac_ptu# perdida_contable_enajenacion_de_acciones "
        "perdida_contable_enajenacion_de_activo_fijo perdida_en_participacion_subsidiaria "
        "intereses_devengados_que_exceden_valor_mercado_y_moratorios_pagados_o_no# "
        "otras_deducciones_contables_no_fiscales# deducciones_fiscales_no_contables# "
        "ajuste_anual_inflacion_deducible costo_vendido_fiscal deduccion_inversiones "
        "estimulo_fiscal_por_deduccion_inmediata_inversiones donacion_bienes_basicos_subsistencia_humana# "
        "estimulo_fiscal_contratacion_personas_discapacidad_yo_mayores# "
        "deduccion_impuesto_sobre_renta_retenido_personas_discapacidad_yo_mayores# "
        "perdida_fiscal_en_enajenacion_acciones perdida_fiscal_en_enajenacion_de_terrenos_y_activo_fijo "
        "intereses_moratorios_efectivamente_pagados otras_deducciones_fiscales_no_contables "
        "ingresos_contables_no_fiscales intereses_moratorios_devengados_a_favor_cobrados_o_no "
        "anticipos_de_clientes_ejercicios_anteriores saldos_a_favor_impuestos_y_su_actualizacion "
        "utilidad_contable_enajenacion_de_activo_fijo utilidad_contable_enajenacion_de_acciones "
        "utilidad_en_participacion_subsidiaria otros_ingresos_contables_no_fiscales "
        "utilidad_o_perdida_fiscal_antes_de_ptu#"
    ),
    "deducciones_autorizadas": (
        "sueldos_salarios honorarios_pagados_a_personas_fisicas regalias_y_asistencia_tecnica donativos_otorgados "
        "uso_o_goce_temporal_de_bienes_pagados_a_personas_fisicas fletes_y_acarreos_pagados_a_parsonas_fisicas "
        "contribuciones_pagadas_excepto_isr_ietu_impac_iva_ieps seguros_fianzas perdida_por_creditos_incobrables "
        "viaticos_y_gastos_viaje# combustible_y_lubricantes credito_al_salario_no_disminuido_de_contribuciones "
        "aportaciones_sar_infonavit_y_jubilaciones_vejez aportaciones_para_fondos_de_pensiones_y_jubilaciones "
        "cuotas_imss consumos_en_restaurantes# perdida_por_operaciones_financieras_derivadas "
        "deduccion_por_concepto_de_ayuda_alimentaria_para_trabajadores "
        "monto_total_pagos_que_sean_ingresos_exentos_para_trabajador "
        "monto_deducible_al_47_pagos_son_ingresos_exentos_para_trabajador "
        "monto_deducible_al_53_pagos_son_ingresos_exentos_para_trabajador "
        "uso_o_goce_temporal_de_automoviles_baterias_electricas_o_electricos_con_motor_combustion_o_hidrogeno "
        "otras_deducciones_autorizadas# total_deducciones_autorizadas#"
    ),
    "cifras_cierre_ejercicio": (
        "perdidas_fiscales_de_ejercicios_anteriores_pendientes_de_amortizar_actualiazadas "
        "saldo_promedio_anual_de_creditos# saldo_promedio_anual_de_deudas# "
        "coeficiente_de_utilidad_por_aplicar_en_ejercicio_siguiente# porcentaje_de_participacion_consolidable "
        "isr_causado_en_exceso_del_impac_en_los_3_ejercicios_anteriores_pendientes_aplicar "
        "saldo_actualizado_de_cuenta_de_utilidad_fiscal_neta_2013_y_anteriores "
        "saldo_actualizado_de_cuenta_de_utilidad_fiscal_neta_a_partir_2014_y_anteriores "
        "saldo_actualizado_de_cuenta_de_utilidad_fiscal_reinvertida "
        "saldo_actualizado_de_cuenta_de_capital_de_aportacion "
        "saldo_de_cuenta_de_utilidad_fiscal_neta_por_inversion_en_renovables"
    ),
    "determinacion_del_impuesto_sobre_la_renta.determinacion_del_impuesto_sobre_la_renta": (
        "total_ingresos_acumulables# total_deducciones_autorizadas_y_deduccion_inmediata_inversiones# "
        "deduccion_adicional_por_pago_servicios_personales_en_operacion_maquila "
        "utilidad_o_perdida_fiscal_antes_de_ptu# ptu_pagada_en_el_ejercicio utilidad_fiscal_del_ejercicio# "
        "perdidas_fiscales_de_ejercicios_anteriores_que_se_aplican_en_ejercicio# resultado_fiscal# "
        "impuesto_causado_en_ejercicio# tienes_estimulos_fiscales_a_acreditar$ "
        "impuesto_sobre_la_renta_del_ejercicio# pagos_provisionales_efectuados_enterados_a_federacion "
        "impuesto_retenido_al_contribuyente impuesto_acreditable_pagado_en_extranjero "
        "impuesto_acreditable_por_dividendos_o_utilidades_distribuidos otras_cantidades_a_cargo "
        "otras_cantidades_a_favor diferencia_a_cargo# isr_a_cargo_del_ejercicio# isr_a_favor_del_ejercicio"
    ),
    "determinacion_del_impuesto_sobre_la_renta.datos_informativos_ejercicio": (
        "monto_aplicado_del_estimulo_fiscal_de_chatarrizacion# "
        "monto_deducible_de_pagos_efectuados_por_uso_o_goce_temporal_automoviles# "
        "impac_recuperado_en_ejercicio_derivado_de_deconsolidacion# "
        "ingresos_obtenidos_por_apoyos_gubernamentales# "
        "gastos_realidados_en_ejercicio_por_proyectos_en_investigacion_desarrollo_tecnologico# "
        "credito_fiscal_autorizado_en_ejercicio_por_proyectos_en_investigacion_desarrollo_tecnologico_pendiente_aplic"
        "ar# "
        "credito_fiscal_autorizado_en_ejercicio_por_proyectos_de_inversion_en_artes_pendiente_aplicar# "
        "credito_fiscal_autorizado_en_ejercicio_por_inversion_en_proyectos_programas_para_deporte_de_alto_rendimiento"
        "_pendiente_aplicar# "
        "saldo_pendiente_aplicar_por_inversion_en_equipos_de_alimentacion_vehiculos_electricos# "
        "credito_fiscal_autorizado_en_ejercicio_a_produccion_distribucion_cinematografica_nacional_pendiente_aplicar#"
    ),
    "determinacion_del_impuesto_sobre_la_renta.datos_informativos_ejercicios_anteriores_aplicados_en_ejercicio": (
        "total_estimulo_produccion_y_distribucion_cinematografica_nacional_ejercicios_anteriores_aplicado_en_ejercici"
        "o "
        "saldo_credito_fiscal_autorizado_ejercicios_anteriores_por_inversion_en_proyectos_programas_para_deporte_alto"
        "_rendimiento_pendiente_aplicar# "
        "saldo_credito_fiscal_autorizado_ejercicios_anteriores_por_proyectos_investigacion_desarrollo_tecnologico_pen"
        "diente_aplicar# "
        "saldo_credito_fiscal_autorizado_ejercicios_anteriores_por_proyectos_inversion_artes_pendiente_aplicar# "
        "saldo_credito_fiscal_autorizado_ejercicios_anteriores_a_produccion_distribucion_nacional_pendiente_aplicar#"
    ),
    "determinacion_del_impuesto_sobre_la_renta": ("impuesto_sobre_ingresos_sujetos_a_regimenes_fiscales_preferentes"),
    "dividendos_o_utilidades_distribuidos": (
        "provenientes_de_cuenta_de_utilidad_fisica_neta_cufin_generada_en_2013_y_anteriores "
        "provenientes_de_cuenta_de_utilidad_fisica_neta_cufin_generada_a_partir_de_2014 "
        "provenientes_de_cuenta_de_utilidad_fisica_neta_reinvertida_cufinre "
        "no_provenientes_de_cufin_ni_cufinre_en_efectivo no_provenientes_de_cufin_ni_cufinre_en_acciones "
        "monto_del_impuesto_pagado_no_proveniente_de_cufin_ni_cufinre "
        "monto_del_impuesto_pagado_de_utilidades_provenientes_de_cufinre "
        "provenientes_de_cuenta_de_utilidad_fiscal_neta_por_inversion_en_energia_de_fuentes_renovables_o_sistemas_cog"
        "eneracion_electricidad_eficiente"
    ),
    "detalle_pago_r1_isr_personas_morales": (
        "a_cargo# parte_actualizada recargos multa_por_correccion total_contribuciones# "
        "desea_aplicar_alguna_compensacion_o_estimulo$ cantidad_a_cargo# opta_por_pagar_parcialidades$ "
        "importe_de_primera_parcialidad importe_sin_primera_parcialidad cantidad_a_favor cantidad_a_pagar#"
    ),
}

BUSINESS_MONTHLY: dict[str, str] = {
    "determinacion_isr.personas_morales_regimen_general": (
        "suma_ingresos_nominales_meses_anteriores_ejercicio# estimulos_acreditables "
        "ingresos_nominales_mes_que_declara# reducciones total_ingresos_nominales# impuestos_del_periodo# "
        "coeficiente_utilidad# pagos_provisionales_efectuados_anterioridad# utilidad_fiscal_pago_provisional# "
        "impuesto_retenido# ptu otras_cantidades_a_cargo_contribuyente iventario_acumulable "
        "otras_cantidades_a_favor_contribuyente anticipos_rendimientos_distribuidos_periodo# diferencia_a_cargo# "
        "perdidas_fiscales_ejercicios_anteriores_pendientes estimulo_fiscal_deduccion_inmediata "
        "impuesto_correspondiente_participacion_consolidable deduccion_adicional_fomento_primer_empleo "
        "porcentaje_participacion_consolidable base_gravable_pago_provisional# impuesto_a_cargo# isr_causado# "
        "ieps_alcohol"
    ),
    "detalle_pago_isr.r1_isr_personas_morales": (
        "a_cargo# acreditamiento_sorteo_buen_fin parte_actualizada diesel_marino recargos total_aplicaciones# "
        "multa_por_correccion fecha_pago_realizado_anterioridad total_de_contribuciones# "
        "monto_pagado_anterioridad credito_al_salario importe_pagado_ultimas_48_hrs subsidio_empleo "
        "cantidad_a_cargo# impuesto_a_depositos_efectivo_acreditable aplica_primera_parcialidad$ compensaciones "
        "credito_ieps_diesel diesel_automotriz_transporte cantidad_a_favor uso_infraestructura_carretera_cuota "
        "cantidad_a_pagar# otros_estimulos importe_1ra_parcialidad importe_sin_1ra_parcialidad"
    ),
    "detalle_pago_isr.r12_isr_retenciones_por_salarios": (
        "a_cargo# acreditamiento_sorteos parte_actualizada# diesel_marino recargos# total_aplicaciones# "
        "multa_por_correccion fecha_pago_realizado_anterioridad total_de_contribuciones# "
        "monto_pagado_anterioridad credito_al_salario importe_pagado_ultimas_48_hrs subsidio_empleo# "
        "cantidad_a_cargo# impuesto_a_depositos_efectivo_acreditable aplica_primera_parcialidad$ compensaciones "
        "credito_ieps_diesel diesel_automotriz_transporte cantidad_a_favor otros_estimulos cantidad_a_pagar# "
        "importe_1ra_parcialidad importe_sin_1ra_parcialidad"
    ),
    "detalle_pago_isr.r13_isr_retenciones_por_asimilados_a_salarios": _WITHHELD,
    "detalle_pago_isr.r14_isr_retenciones_por_servicios_profesionales": _WITHHELD,
    "determinacion_iva.montos_actos_actividades_pagados": (
        "total_actos_actividades_pagados_tasa_16# total_actos_actividades_pagados_importacion_bienes_tasa_11 "
        "total_actos_actividades_sujetos_estimulo_rfn# total_actos_actividades_pagados_tasa_0# "
        "total_actos_actividades_pagados_importacion_bienes_tasa_16 total_actos_actividades_pagados_no_paga_iva#"
    ),
    "determinacion_iva.detalle_total_actos_actividades_pagados_tasa_16": (
        "intereses_pagados_tasa_16 otros_actos_pagados_tasa_16# regalias_pagadas_tasa_16 total_actos_pagados_tasa_16#"
    ),
    "determinacion_iva.determinacion_iva_acreditable": (
        "total_iva_actos_actividades_pagados_tasa_16# "
        "iva_trasladado_o_pagado_adquisicion_bienes_distintos_inversiones_actos_no_obligados_pago_impuesto "
        "iva_pagado_sujeto_estimulo_rfn "
        "iva_trasladado_o_pagado_importacion_inversiones_actos_no_obligados_pago_impuesto "
        "total_actos_actividades_pagados_importacion_bienes_tasa_16# "
        "iva_bienes_utilizados_indistintamente_actos_gravados_o_actos_no_obligados_pago_impuesto# "
        "proporcion_utilizada_conforme_art_5 total_iva_trasladado_contribuyente# "
        "proporcion_utilizada_conforme_art_5_b "
        "iva_trasladado_adquisicion_bienes_distintos_inversiones_actos_gravados# "
        "iva_pagado_importacion_adquisicion_bienes_distintos_inversiones_actos_gravados iva_acreditable# "
        "monto_acreditable_actualizado_a_incrementar_derivado_ajuste "
        "iva_pagado_importacion_inversiones_actos_gravados total_iva_acreditable_periodo# "
        "total_iva_actos_actividades_gravados# total_actos_actividades_pagados_importacion_bienes_tasa_11 "
        "iva_trasladado_adquisicion_inversiones_actos_gravados "
        "iva_acreditable_bienes_utilizados_indistintamente_actos_gravados_o_actos_no_obligados_pago_impuesto"
    ),
    "determinacion_iva.determinacion_iva": (
        "valor_actos_actividades_gravados_tasa_16# otras_cantidades_a_favor_contribuyente "
        "valor_actos_actividades_gravados_tasa_11 cantidad_a_cargo# "
        "valor_actos_actividades_gravados_tasa_0_exportacion saldo_a_favor "
        "valor_actos_actividades_gravados_tasa_9_otros devolucion_inmediata_obtenida "
        "suma_actos_actividades_gravados# saldo_a_favor_periodo# "
        "valor_actos_actividades_no_se_deba_pagar_impuesto_exentos acreditamiento_saldo_favor_periodos_anteriores "
        "impuesto_causado# diferencia_a_cargo# cantidad_actualizada_a_reintegrarse_derivada_de_ajuste "
        "ieps_acreditable_alcohol iva_retenido_al_contribuyente# impuesto_a_cargo# total_iva_acreditable# "
        "remanente_saldo_favor_ieps_alcohol otras_cantidades_a_cargo_contribuyente"
    ),
    "determinacion_iva.detalle_valor_actos_actividades_gravados_tasa_16": (
        "intereses_cobrados_tasa_16 otros_actos_actividades_gravados_tasa_16# "
        "regalias_entre_partes_relacionadas_tasa_16 total_actos_actividades_gravados_tasa_16#"
    ),
    "detalle_pago_iva.r21_iva": (
        "a_cargo# cretificados_tesofe a_favor diesel_marino parte_actualizada# total_aplicaciones# recargos# "
        "fecha_pago_realizado_anterioridad multa_por_correccion monto_pagado_anterioridad "
        "total_de_contribuciones# importe_pagado_ultimas_48_hrs credito_al_salario cantidad_a_cargo# "
        "subsidio_empleo aplica_primera_parcialidad$ compensaciones diesel_automotriz_transporte "
        "uso_infraestructura_carretera_cuota cantidad_a_favor otros_estimulos cantidad_a_pagar# "
        "importe_1ra_parcialidad importe_sin_1ra_parcialidad"
    ),
    "detalle_pago_iva.r21_iva_retenciones": (
        "a_cargo# diesel_marino parte_actualizada# total_aplicaciones# recargos# "
        "fecha_pago_realizado_anterioridad multa_por_correccion monto_pagado_anterioridad "
        "total_de_contribuciones# importe_pagado_ultimas_48_hrs credito_al_salario cantidad_a_cargo# "
        "subsidio_empleo aplica_primera_parcialidad$ compensaciones credito_ieps_diesel otros_estimulos "
        "cantidad_a_favor cretificados_tesofe cantidad_a_pagar# importe_1ra_parcialidad "
        "importe_sin_1ra_parcialidad"
    ),
}
