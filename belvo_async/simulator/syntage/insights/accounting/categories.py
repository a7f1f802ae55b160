"""The categories of annual statements for companies (regime 601) in the format of 2022, as the document shows them.

Other regimes have others there, of which the document shows none: they get these. A profit and the loss in its place
are under one category, as the document says in words; how that is called it does not say. Innermost categories of the
income statement are parted by whether the other party is related.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Category:
    """A category, and what it is made of."""

    name: str
    children: tuple["Category", ...] = ()


def _read(text: str, parts: tuple[Category, ...] = ()) -> tuple[Category, ...]:
    """Read categories written one below the other, children indented by two blanks; innermost ones have these parts."""
    return _below([line for line in text.splitlines() if line], 0, parts)


def _below(lines: Sequence[str], depth: int, parts: tuple[Category, ...]) -> tuple[Category, ...]:
    blocks: list[list[str]] = []
    for line in lines:
        if len(line) - len(line.lstrip()) == depth:
            blocks.append([])
        blocks[-1].append(line)
    return tuple(Category(head.strip(), _below(rest, depth + 2, parts) or parts) for head, *rest in blocks)


RELATED, UNRELATED = "Partes Relacionadas", "Partes No Relacionadas"
_BALANCE_SHEET: Final = """
Activo
  Activo a corto plazo
    Efectivo y equivalentes de efectivo
      Efectivo y equivalentes de efectivo nacionales
      Efectivo y equivalentes de efectivo del extranjero
      Efectivo y equivalentes de efectivo, restringido nacionales
      Efectivo y equivalentes de efectivo, restringido del extranjero
      Cuentas de margen
      Sin Efectivo y equivalentes de efectivo
    Instrumentos financieros de negociación
      Inversiones en valores con Instituciones nacionales
      Inversiones en valores con Instituciones extranjeras
      Inversiones permanentes en acciones nacionales
      Inversiones permanentes en acciones del extranjero
      Inversiones en instrumentos financieros negociables
      Inversiones en instrumentos financieros para cobrar o vender
      Sin Inversiones en valores con Instituciones
    Clientes
      Clientes nacionales partes relacionadas
      Clientes extranjeros partes relacionadas
      Clientes nacionales partes no relacionadas
      Clientes extranjeros partes no relacionadas
      Cartera de crédito vigente
      Cartera de crédito vencida
      Cartera de crédito con riesgo de crédito etapa 1
      Cartera de crédito con riesgo de crédito etapa 2
      Cartera de crédito con riesgo de crédito etapa 3
      Estimación preventiva para riesgos crediticios
      Derechos de cobro adquiridos (neto)
      Sin Clientes
    Cuentas y documentos por cobrar
      Cuentas y documentos por cobrar a partes relacionadas nacionales
      Cuentas y documentos por cobrar a partes relacionadas del extranjero
      Cuentas y documentos por cobrar a partes no relacionadas nacionales
      Cuentas y documentos por cobrar a partes no relacionadas del extranjero
      Deudores por reporto
      Préstamo de valores
      Instrumentos Financieros Derivados
      Sin Cuentas y documentos por cobrar
    Deudores diversos
      Deudores diversos partes relacionadas nacionales
      Deudores diversos partes relacionadas del extranjero
      Deudores diversos partes no relacionadas nacionales
      Deudores diversos partes no relacionadas del extranjero
      Deudores por primas nacionales
      Deudores por primas del extranjero
      Sin Deudores diversos
    Estimación de cuentas incobrables
    Impuesto por recuperar
    Inventarios
      Productos terminados
      Producción en proceso
      Materiales y materias primas
      Pérdida por deterioro
      Mercancías en tránsito
      Estimación de obsolescencia
      Bienes adjudicados
      Estimación de bienes adjudicados
      Sin Inventarios
    Pagos anticipados
      Rentas pagadas por anticipado
      Anticipo a proveedores nacionales partes relacionadas
      Anticipo a proveedores extranjeros partes relacionadas
      Anticipo a proveedores nacionales partes no relacionadas
      Anticipo a proveedores extranjeros partes no relacionadas
      Pagos anticipados
      Impuestos pagados por anticipado
      Depósitos en garantía
      Seguros y fianzas pagados por anticipado
      Sin Pagos anticipados
    Activos disponibles para venta
    Otros activos a corto plazo
  Activo a largo plazo
    Propiedades, plantas y equipo
      Terrenos
      Construcciones
      Depreciación de construcciones
      Maquinaria
      Depreciación de maquinaria
      Equipo de Transporte
      Depreciación de equipo de transporte
      Mobiliario y Equipo
      Depreciación de mobiliario y equipo
      Equipo de Computo
      Sin Propiedades, plantas y equipo
      Mejoras a inmuebles arrendados
      Depreciación de equipo de computo
    Cuentas y documentos por cobrar a largo plazo
      Cuentas y documentos por cobrar a largo plazo de partes relacionadas nacionales
      Cuentas y documentos por cobrar a largo plazo de partes relacionadas extranjeras
      Cuentas y documentos por cobrar a largo plazo de partes no relacionadas nacionales
      Cuentas y documentos por cobrar a largo plazo de partes no relacionadas extranjeras
      Sin Cuentas y documentos por cobrar a largo plazo
    Anticipo a proveedores
      Anticipo a proveedores nacionales a largo plazo (partes relacionadas)
      Anticipo a proveedores extranjeros a largo plazo (partes relacionadas)
      Anticipo a proveedores nacionales a largo plazo (partes no relacionadas)
      Anticipo a proveedores extranjeros a largo plazo (partes no relacionadas)
      Pagos anticipados
      Impuestos pagados por anticipado
      Depósitos en garantía
      Seguros y fianzas pagados por anticipado
      Sin Anticipo a proveedores
    Crédito mercantil
    Activos intangibles
      Activos intangibles
      Derechos de usufructo adquirido en el ejercicio
      Sin Activos intangibles
    Inversiones en asociadas
    Instrumentos financieros por cobrar a largo plazo
    Otros activos a largo plazo
Pasivo
  Pasivo a corto plazo
    Préstamos bancarios
    Proveedores
      Proveedores nacionales partes relacionadas
      Proveedores del extranjero partes relacionadas
      Proveedores nacionales partes no relacionadas
      Proveedores del extranjero partes no relacionadas
      Sin Proveedores
    Cuentas y documentos por pagar
      Cuentas y documentos por pagar a partes relacionadas nacionales
      Cuentas y documentos por pagar a partes relacionadas del extranjero
      Cuentas y documentos por pagar a partes no relacionadas nacionales
      Cuentas y documentos por pagar a partes no relacionadas del extranjero
      Captación tradicional
      Préstamos interbancarios y de otros organismos
      Reservas técnicas (Riesgos en curso, obligaciones pendientes de cumplir, riesgos catastróficos)
      Otras reservas técnicas
      Sin Cuentas y documentos por pagar
    Instrumentos financieros
      Instrumentos financieros nacionales partes relacionadas
      Instrumentos financieros del extranjero partes relacionadas
      Instrumentos financieros nacionales partes no relacionadas
      Instrumentos financieros del extranjero partes no relacionadas
      Instrumentos financieros derivados con fines de negociación
      Instrumentos financieros derivados con fines de cobertura
      Ajustes de valuación por cobertura de pasivos financieros
      Sin Instrumentos financieros
    Acreedores diversos
      Acreedores diversos nacionales partes relacionadas
      Acreedores diversos del extranjero partes relacionadas
      Acreedores diversos nacionales partes no relacionadas
      Acreedores diversos del extranjero partes no relacionadas
      Acreedores por reporto
      Préstamo de valores
      Colaterales vendidos o dados en garantía
      Obligaciones en operaciones de bursatilización
      Pasivo por arrendamiento
      Acreedores por liquidación de operaciones
      Acreedores por cuentas de margen
      Acreedores por colaterales recibidos en efectivo
      Reaseguradores y reafianzadores
      Sin Acreedores diversos
      Activos por derecho de uso derivados de arrendamientos
      Impuestos a la utilidad por pagar
    Anticipo de clientes
      Anticipos de clientes partes relacionadas nacionales
      Anticipos de clientes partes relacionadas del extranjero
      Anticipos de clientes partes no relacionadas nacionales
      Anticipos de clientes partes no relacionadas del extranjero
      Sin Anticipo de clientes
    Provisiones
    Impuestos por pagar
      Impuestos retenidos
      Impuestos trasladados cobrados
      Impuestos trasladados por cobrar
      Sin Impuestos por pagar
      ISR diferido
      PTU por pagar
      Impuestos por pagar
    Otros pasivos a corto plazo
  Pasivo a largo plazo
    Cuentas y documentos por pagar a largo plazo
      Cuentas y documentos por pagar a largo plazo de partes relacionadas nacionales
      Cuentas y documentos por pagar a largo plazo de partes relacionadas del extranjero
      Cuentas y documentos por pagar a largo plazo de partes no relacionadas nacionales
      Cuentas y documentos por pagar a largo plazo de partes no relacionadas del extranjero
      Sin Cuentas y documentos por pagar a largo plazo
    Instrumentos financieros a largo plazo
      Instrumentos financieros a largo plazo nacionales de partes relacionadas
      Instrumentos financieros a largo plazo del extranjero de partes relacionadas
      Instrumentos financieros a largo plazo nacionales de partes no relacionadas
      Instrumentos financieros a largo plazo del extranjero de partes no relacionadas
      Sin Instrumentos financieros a largo plazo
    Rentas cobradas por anticipado
    Aportaciones para futuros aumentos de capital
    Impuesto a la utilidad diferido por pagar
    Beneficio a empleados
    Provisiones a largo plazo
    Otros pasivos a largo plazo
Capital
  Capital contable
    Capital Social
      Capital social (aportaciones)
      Capital social (capitalización)
      Aportaciones para futuros aumentos de capital
      Reserva Legal
      Exceso en la actualización del capital
      Insuficiencia en la actualización del capital
      Actualización del capital contable
      Reservas de capital
      Prima en venta de acciones
      Sin Capital social
    Utilidades acumuladas
      Utilidades acumuladas
      Utilidad neta
      Pérdidas acumuladas
      Pérdida neta
      Sin Utilidades acumuladas
    Otros resultados integrales
    Participación controladora
    Participación no controladora
"""
_INCOME_STATEMENT: Final = """
Ingresos Netos
  Ventas y/o servicios nacionales
  Ventas y/o servicios extranjeros
  Devoluciones, descuentos y bonificaciones nacionales
  Devoluciones, descuentos y bonificaciones extranjeras
  Ingresos por intereses
  Gastos por intereses
  Estimación preventiva para riesgos crediticios
  Estimación preventiva para riesgos crediticios (Recuperaciones)
  Primas emitidas
  Primas cedidas
  Sin Ingresos
  Otros Ingresos
Total de materiales utilizados o comercializados
  Inventario Inicial
  Compras netas nacionales
  Compras netas extranjeras
  Inventario Final
  Sin materiales utilizados o comercializados
Costo de ventas
  Mano de obra directa de fabricación
  Mano de obra indirecta de fabricación
  Gastos relacionados a la mano de obra
  Maquilas
  Gastos Indirectos
  Deducciones de inversiones
  Otros costos
  Sin Costo de ventas
Costo de servicios
  Costo de servicios
  Comisiones y tarifas cobradas
  Comisiones y tarifas pagadas
  Otros ingresos (egresos) de la operación
  Incremento neto de las reservas técnicas (Riesgos en curso, obligaciones pendientes de cumplir, riesgos catastróficos)
  Costo neto de adquisición
  Costo neto de siniestralidad, reclamaciones y otras obligaciones pendientes de cumplir
  Incremento neto de otras reservas técnicas
  Sin Costo de servicios
Utilidad o pérdida bruta
  Utilidad Bruta
  Pérdida Bruta
Gastos de operación
  Gastos generales
  Gastos de administración
  Gastos de venta
  Sin Gastos de operación
Utilidad o pérdida de operación
  Utilidad de operación
  Pérdida de operación
Resultado Integral de Financiamiento
  Intereses devengados a favor nacionales
  Intereses devengados a favor del extranjero
  Intereses moratorios a favor nacionales
  Intereses moratorios a favor del extranjero
  Ganancia cambiaria
  Intereses devengados a cargo nacionales
  Intereses devengados a cargo del extranjero
  Intereses moratorios a cargo nacionales
  Intereses moratorios a cargo del extranjero
  Pérdida cambiaria
  Resultado por posición monetaria favorable
  Resultado por posición monetaria desfavorable
  Cambios en el valor razonable de activos y pasivos financieros deudor
  Cambios en el valor razonable de activos y pasivos financieros acreedor
  Productos Financieros
  Sin Resultado Integral de Financiamiento
  Gastos Financieros
Participación en asociadas
  Utilidad neta por participación en los resultados de subsidiarias no consolidadas, asociadas y negocios conjuntos
  Pérdida neta por participación en los resultados de subsidiarias no consolidadas, asociadas y negocios conjuntos
  Sin Participación en asociadas
Utilidad o pérdida antes de impuestos
  Utilidad antes de Impuestos a la utilidad
  Pérdida antes de Impuestos a la utilidad
Impuestos a la utilidad
  Impuesto sobre la renta
  Impuesto sobre la renta diferido
  Sin Impuestos a la utilidad
Utilidad de operaciones continuas
Pérdida de operaciones continuas
Operaciones discontinuadas
  Participación de los Trabajadores en las Utilidades
  Sin Operaciones discontinuadas
  Utilidad de enajenación de acciones
  Pérdida de enajenación de acciones
  Utilidad de segmento del negocio o segmento geográfico
  Pérdida de segmento del negocio o segmento geográfico
  Operaciones discontinuadas
Utilidad o pérdida neta
  Utilidad neta
  Pérdida neta
"""
BALANCE_SHEET: Final = _read(_BALANCE_SHEET)
INCOME_STATEMENT: Final = _read(_INCOME_STATEMENT, (Category(RELATED), Category(UNRELATED)))
