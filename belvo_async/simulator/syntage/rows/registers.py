"""What the extractors outside the SAT bring: registry of commerce, movable guarantees, bureaus, background checks."""

from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Final

from ...taxpayers import Taxpayer, employees
from ...wire import Json, JsonObject
from .invoices import stamp
from .taxes import Gathered, Trip, curp_of, noon

_GUARANTEES: Final = ("prenda_sin_transmision_de_posesion", "factoraje_financiero", "cesion_de_creditos",
               "derivada_de_un_arrendamiento_financiero")  # fmt: skip
_GOODS: Final = ("maquinaria_y_equipo", "inventario", "vehiculos_de_motor", "derechos_incluyendo_derechos_de_cobro")
_CATEGORIES: Final = ("legal_background", "criminal_record", "taxes_and_finances", "alert_in_media",
               "international_background", "politically_exposed_person")  # fmt: skip
# A `boleta` has 35 texts in nine groups; what is not about the guarantee itself is one of these words.
_NONE, _YES = "SIN DATOS", "SI"


def commerce_registry(trip: Trip) -> Gathered:
    """One folio with its acts and partners; acts and partners are records of their own as well."""
    subject, rng = trip.subject, trip.rng("rpc")
    at = noon(subject.registered_on)
    number = trip.id_of("rpc", at)
    folio = f"N-{subject.registered_on.year}{rng.randrange(10**6):06}"
    acts = [_act(trip, index, rng) for index in range(3)]
    partners = [_partner(trip, index, person, rng) for index, person in enumerate(_people(trip, rng))]
    folio_key = {"@id": f"/datasources/mx/rpc/entidades/{number}", "@type": "RpcEntidade", "id": number}
    yield trip.row("RpcEntidade", "/datasources/mx/rpc/entidades", "rpc", at, {
        "fme": folio,
        "nombreRazonSocial": subject.name,
        "objetoSocial": "COMPRAVENTA, DISTRIBUCION Y FABRICACION",
        "duracionDeLaSociedad": "INDEFINIDA",
        "domicilioSocial": "TAPALPA, JALISCO",
        "nacionalidad": "MEXICANA",
        "estatusFme": "ACTIVO",
        "rfc": subject.rfc or None,
        "tipoDePersona": "MORAL" if subject.is_company else "FISICA",
        "antecedenteRegistral": None,
        "regimenJuridico": "SA DE CV" if subject.is_company else None,
        "giro": "COMERCIO",
        "entidadFederativa": "JALISCO",
        "municipio": "TAPALPA",
        "oficinaRegistral": "SAYULA",
        "fechaDeInscripcion": stamp(at),
        "curp": curp_of(subject) if subject.rfc else None,
        "lookupBy": "entity",
        "actos": [_inner(row) for _, row in acts],
        "socios": [_inner(row) for _, row in partners],
    })  # fmt: skip
    yield from acts
    mine: JsonObject = {**folio_key, "fme": folio, "nombreRazonSocial": subject.name}
    for kind, row in partners:
        row["rpcEntidade"] = mine
        yield kind, row


def _inner(row: JsonObject) -> JsonObject:
    return {name: value for name, value in row.items() if not name.startswith("@")}


def _people(trip: Trip, rng: Random) -> list[Taxpayer]:
    return rng.sample(employees(trip.seed), 2)


def _act(trip: Trip, index: int, rng: Random) -> tuple[str, JsonObject]:
    names = ("Constitución de sociedad", "Asamblea ordinaria", "Poder por persona moral o representante")
    at = noon(trip.subject.registered_on + timedelta(days=40 + 700 * index))
    key = f"rpc:acto:{index}"
    file = trip.pdf("rpc_acto.pdf", f"/rpc/actos/{trip.id_of(key, at)}", (names[index], trip.subject.name))
    return trip.row("RpcActo", "/rpc/actos", key, at, {
        "formaPrecodificada": ("M4", "M2", "M10")[index],
        "acto": names[index],
        "nci": f"{at:%Y}{rng.randrange(10**8):08}",
        "fechaDeIngreso": stamp(at - timedelta(days=3)),
        "fechaDeInscripcion": stamp(at),
        "numeroDeDocumento": str(rng.randrange(1000, 90000)),
        "modalidad": "ELECTRONICA",
        "data": {"fedatario": {"numero": rng.randrange(1, 150), "estado": "JALISCO"}, "observaciones": None},
        "file": file.row(),
    })  # fmt: skip


def _partner(trip: Trip, index: int, person: Taxpayer, rng: Random) -> tuple[str, JsonObject]:
    words, shares = person.name.split(), rng.randrange(10, 500)
    at = noon(trip.subject.registered_on)
    return trip.row("RpcSocio", "/datasources/rpc/socios", f"rpc:socio:{index}", at, {
        "estatus": "ACTIVO",
        "nacionalidad": "MEXICANA",
        "nombre": words[0],
        "apellidoPaterno": words[1],
        "apellidoMaterno": words[2],
        "rfc": person.rfc,
        "curp": curp_of(person),
        "serie": "A",
        "fechaDeConstitucion": None,
        "fechaDeNacimiento": f"{person.rfc[8:10]}/{person.rfc[6:8]}/19{person.rfc[4:6]}",
        "acciones": str(shares),
        "total": f"{shares * 100}.00",
        "valor": "100.00",
    })  # fmt: skip


def guarantees(trip: Trip) -> Gathered:
    """One to three guarantees on movable goods, each entered and some renewed or cancelled."""
    count = 1 + trip.rng("rug").randrange(3)
    for index in range(count):
        rng = trip.rng("rug", index)
        begins = date(2021 + index, 1 + rng.randrange(12), 1 + rng.randrange(28))
        number, steps = 10**7 + rng.randrange(10**7), ["inscripcion"]
        steps += [rng.choice(("modificacion", "cancelacion", "renovacion_o_reduccion_de_vigencia"))] * (index % 2)
        operations = [_operation(trip, number, step, begins, place, rng) for place, step in enumerate(steps)]
        yield _guarantee(trip, number, begins, [row for _, row in operations], rng)
        yield from operations


def _guarantee(
    trip: Trip, number: int, begins: date, operations: list[JsonObject], rng: Random
) -> tuple[str, JsonObject]:
    at = noon(begins)
    shown = ("@id", "@type", "id", "numeroDeAsiento", "tipo", "fecha", "file", "createdAt", "updatedAt")
    cancelled = [row["fecha"] for row in operations if row["tipo"] == "cancelacion"]
    return trip.row("RugGarantia", "/datasources/rug/garantias", f"rug:{number}", at, {
        "numeroDeGarantia": number,
        "fechaDeInscripcion": stamp(at),
        "fechaDeCancelacion": cancelled[0] if cancelled else None,
        "otorgantes": [{"nombre": trip.subject.name, "folioElectronico": f"N{number}"}],
        "acreedor": "BANCO DE TAPALPA SA",
        "tipoDeGarantia": rng.choice(_GUARANTEES),
        "monto": Decimal(rng.randrange(10**6, 10**9)) / 100,
        "moneda": "Peso Mexicano",
        "tipoDeLosBienes": [rng.choice(_GOODS)],
        "descripcionDeLosBienes": "BIENES PRESENTES Y FUTUROS DEL OTORGANTE",
        "fechaDeCelebracionDelActoOContrato": stamp(at - timedelta(days=5)),
        "fechaDeTerminacionDelActoOContrato": stamp(noon(begins.replace(year=begins.year + 5, day=1))),
        "operaciones": [{name: row[name] for name in shown} for row in operations],
    })  # fmt: skip


def _operation(trip: Trip, number: int, step: str, begins: date, place: int, rng: Random) -> tuple[str, JsonObject]:
    at, key = noon(begins + timedelta(days=200 * place)), f"rug:{number}:{place}"
    entry = 10**7 + rng.randrange(10**7)
    iri = f"/datasources/rug/operaciones/{trip.id_of(key, at)}"
    file = trip.pdf("rug_operacion.pdf", iri, (f"Boleta {entry}", f"Garantía {number}", step))
    return trip.row("RugOperacion", "/datasources/rug/operaciones", key, at, {
        "numeroDeAsiento": entry,
        "tipo": step,
        "fecha": stamp(at),
        "file": file.iri,
        "numeroDeGarantia": number,
        "otorgantes": [{"nombre": trip.subject.name, "folio_electronico": f"N{number}"}],
        "boleta": _slip(trip, number, entry, stamp(at)),
    })  # fmt: skip


def _slip(trip: Trip, number: int, entry: int, at: str) -> JsonObject:
    name, bank = trip.subject.name, "BANCO DE TAPALPA SA"
    contact = dict.fromkeys(("telefono", "extension", "correo_electronico", "domicilio_para_efectos_del_rug"), _NONE)
    creditor: JsonObject = {"nombre_denominacion_o_razon_social": bank, **contact}
    seals = ("cadena_original_solicitante", "sello_solicitante", "certificado_solicitante", "sello_de_tiempo",
             "cadena_original_rug", "sello_rug", "numero_serie_rug", "certificado_rug")  # fmt: skip
    debtors: list[Json] = [{"nombre_denominacion_o_razon_social": name}]
    return {
        "datos_del_asiento": {
            "numero_de_asiento_cadena_unica_de_datos": str(entry),
            "numero_de_garantia_mobiliaria": str(number),
            "fecha_y_hora": at,
            "vigencia": "60 meses",
            "inscrito_en_el_folio_mercantil_no": f"N{number}",
        },
        "datos_del_otorgante": [{
            "nombre_denominacion_o_razon_social": name,
            "folio_electronico": f"N{number}",
            "el_otorgante_de_la_garantia_mobiliaria_es_deudor": _YES,
        }],
        "datos_del_acreedor": creditor,
        "datos_de_los_acreedores_adicionales": [{**creditor, "folio_electronico": _NONE}],
        "datos_de_los_deudores": debtors,
        "datos_de_la_garantia_mobiliaria": {
            "tipo_de_garantia_mobiliaria": "Prenda sin Transmisión de Posesión",
            "fecha_de_celebracion_del_acto_o_contrato_o_del_surgimiento_de_los_derechos_de_retencion_o_privilegios_"
            "especiales": at,
            "monto_maximo_garantizado_y_moneda": "1,000,000.00 Peso Mexicano",
            "tipo_de_bienes_muebles_objeto_de_la_garantia_mobiliaria": "Maquinaria y equipo",
            "descripcion_de_los_bienes_muebles_objeto_de_la_garantia_mobiliaria": _NONE,
            "el_acto_o_contrato_preve_incrementos_reducciones_o_sustituciones_de_los_bienes_muebles_o_del_monto_"
            "garantizado": _YES,
            "datos_del_instrumento_publico_mediante_el_cual_se_formalizo_el_acto_o_contrato": _NONE,
            "terminos_y_condiciones_del_acto_o_contrato_de_la_garantia_mobiliaria": _NONE,
        },
        "datos_del_acto_o_contrato_que_creo_la_obligacion_garantizada": {
            "declaro_bajo_protesta_de_decir_verdad_que_se_solicito_al_otorgante_de_la_garantia_manifestacion_respecto_"
            "de_la_no_existencia_de_garantias_otorgadas_previamente_referente_a_los_bienes_objeto_de_esta_garantia":
            _YES,
            "acto_o_contrato_que_creo_la_obligacion_garantizada": "CONTRATO DE CREDITO",
            "fecha_de_celebracion_del_acto_o_contrato": at,
            "fecha_de_terminacion_del_acto_o_contrato": _NONE,
            "terminos_y_condiciones_del_acto_o_contrato_que_creo_la_obligacion_garantizada": _NONE,
        },
        "persona_que_firmo_el_asiento": {"nombre": "INES OCAMPO SOLIS", "en_su_caracter_de": "ACREEDOR"},
        "persona_que_solicita_o_autoridad_que_instruye_el_asiento": {"nombre_y_cargo": "INES OCAMPO SOLIS"},
        "firma_electronica": dict.fromkeys(seals, _NONE),
    }  # fmt: skip


def legal_reports(trip: Trip) -> Gathered:
    """A new report of the judicial bureau (BIL) each time it is asked for."""
    rng, key = trip.rng("bil", trip.now.date()), f"bil:{stamp(trip.now)}"
    path, folio = "/datasources/bil/reports", f"BIL-{trip.now:%y}{rng.randrange(10**6):06}"
    iri, degree = f"{path}/{trip.id_of(key, trip.now)}", rng.randrange(4)
    xml = f'<?xml version="1.0" encoding="UTF-8"?><Reporte Folio="{folio}" Grado="{degree}"/>'.encode()
    yield trip.row("BilReport", path, key, trip.now, {
        "fecha": stamp(trip.now),
        "investigado": trip.subject.name,
        "folio": folio,
        "gradoMaximo": degree,
        "data": {"expedientes": [{"grado": degree, "materia": "MERCANTIL"}] if degree else []},
        "xmlFile": trip.file("bil_report.xml", iri, lambda: xml, "xml").row(),
        "pdfFile": trip.pdf("bil_report.pdf", iri, (f"Reporte {folio}", f"Grado {degree}")).row(),
    })  # fmt: skip


def credit_reports(trip: Trip) -> Gathered:
    """A new report of the credit bureau each time, in the product asked for; `data` is cut short."""
    rng, key = trip.rng("buro", trip.now.date()), f"buro:{stamp(trip.now)}"
    path, subject = "/datasources/mx/buro-de-credito/reports", trip.subject
    product = trip.options.get("productType") or ("INFORME_BURO" if subject.is_company else "007")
    score = f"{rng.randrange(300, 850):04}"
    codes = trip.rng("buro:reasons", trip.now.date()).sample(range(1, 40), 2)
    reasons: list[Json] = [f"{each:02}" for each in sorted(codes)]
    history: JsonObject = {"otorgante": "BANCO", "saldoActual": str(rng.randrange(90000)), "historicoPagos": "1111111"}
    person: JsonObject = {"respuesta": {"persona": {
        "nombre": {"RFC": subject.rfc}, "cuentas": [history],
        "scoreBuroCredito": [
            {"valorScore": score, "nombreScore": "BC SCORE", "codigoScore": "007", "codigosRazon": reasons},
        ],
    }}}  # fmt: skip
    company: JsonObject = {
        "datosGenerales": {"rfcCliente": subject.rfc, "nombre": subject.name}, "creditoFinanciero": [history],
        "encabezado": {"claveRetorno": "1"},
        "score": [{"valorScore": score, "errorScore": "0", "codigoScore": "12", "codigosRazon": reasons}],
    }  # fmt: skip
    file = trip.pdf("buro_de_credito.report.pdf", f"{path}/{trip.id_of(key, trip.now)}", (f"Informe {product}", score))
    yield trip.row("BuroDeCreditoReport", path, key, trip.now, {
        "link": trip.entity.iri,
        "provider": "buro_de_credito",
        "productType": product,
        "reportId": f"{rng.randrange(10**6):06}",
        "data": company if product in ("INFORME_BURO", "RCO") else person,
        "score": score,
        "files": [file.row()],
    })  # fmt: skip


def background_checks(trip: Trip) -> Gathered:
    """A new, completed check each time it is asked for."""
    rng, key = trip.rng("background", trip.now.date()), f"background:{stamp(trip.now)}"
    scores: list[Json] = []
    statuses: list[Json] = []
    for category in _CATEGORIES:
        part = Decimal(rng.randrange(60, 101)) / 100
        number, database = (trip.id_of(f"{key}:{category}:{word}", trip.now) for word in ("score", "database"))
        scores.append({
            "id": number, "category": category, "score": part, "status": "completed",
            "recordsCount": rng.randrange(3),
        })  # fmt: skip
        statuses.append({
            "id": trip.id_of(f"{key}:{category}", trip.now),
            "database": {"id": database, "name": f"Registro {category}", "country": "MX"},
            "category": category, "status": "completed",
        })  # fmt: skip
    total = Decimal(rng.randrange(60, 101)) / 100
    iri = f"/background-checks/{trip.id_of(key, trip.now)}"
    file = trip.pdf("background_check.pdf", iri, ("Background check", trip.subject.name, str(total)))
    yield trip.row("BackgroundCheck", "/background-checks", key, trip.now, {
        "link": trip.entity.iri,
        "country": "MX",
        "score": total,
        "status": "completed",
        "scores": scores,
        "databaseStatuses": statuses,
        "files": [file.row()],
    })  # fmt: skip
