"""Scores: of Syntage itself, and of the Buró de Crédito as its reports tell them."""

from collections.abc import Iterable

from ...wire import Json, JsonObject
from .holdings import Holdings, grouped, instant, part
from .options import Question

_BUCKET = 100


def scores(holdings: Holdings, asked: Question) -> Json:
    """Give every score of the entity, the newest first."""
    shown: list[Json] = [*holdings.scores]
    number = holdings.entity.id.replace("-", "")[-20:]
    return {
        "@context": "/contexts/Scores",
        "@id": f"/.well-known/genid/{number}",
        "@type": "Scores",
        "scores": shown,
    }


def distribution(newest: Iterable[JsonObject]) -> Json:
    """Count the newest scores of all entities by bucket; each spans a hundred, so that 532 is one of 500."""
    found = grouped(newest, lambda row: int(str(row["score"])) // _BUCKET * _BUCKET)
    buckets: list[Json] = [{"label": label, "metric": len(found[label])} for label in sorted(found)]
    return {"distribution": buckets}


def buro_summary(holdings: Holdings, asked: Question) -> list[JsonObject]:
    """Give a row each score of the reports that were made on the days asked for, the newest first."""
    reports = holdings.records("BuroDeCreditoReport")
    return [
        row
        for report in reports
        if (at := instant(report, "createdAt")) is not None and asked.start.date() <= at.date() <= asked.end.date()
        for row in _scores_of(report)
    ]


def _scores_of(report: JsonObject) -> list[JsonObject]:
    data = part(report, "data")
    is_company = report["productType"] in ("INFORME_BURO", "RCO")
    found = data.get("score") if is_company else part(part(data, "respuesta"), "persona").get("scoreBuroCredito")
    return [
        {
            "id": report["id"],
            "productType": report["productType"],
            "createdAt": report["createdAt"],
            "scoreValue": score.get("valorScore"),
            "scoreCode": score.get("codigoScore"),
            "scoreReasonCodes": score.get("codigosRazon"),
            "externalReturnKey": part(data, "encabezado").get("claveRetorno"),
        }
        for score in (found if isinstance(found, list) else ())
        if isinstance(score, dict)
    ]
