"""The records behind the scores of a background check: as many of each category as it counts."""

from datetime import UTC, datetime
from typing import Final

from ...wire import Json, JsonObject
from ..lists import same
from ..options import read_instant
from ..rows.invoices import record_id

CHECK_FILTERS: Final = same("exact", "category")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TITLES: Final = {"criminal_record": "Criminal records", "alert_in_media": "Media mentions"}


def check_records(check: JsonObject, name: str) -> list[JsonObject]:
    """Give the records of a check (`BackgroundCheck`) of somebody of that name, newest first."""
    scores, statuses = check["scores"], check["databaseStatuses"]
    found: list[JsonObject] = []
    for score in scores if isinstance(scores, list) else ():
        if isinstance(score, dict) and isinstance(score["recordsCount"], int):
            database = _database(statuses, score["category"])
            found += [_record(check, str(score["category"]), database, name, at) for at in range(score["recordsCount"])]
    return sorted(found, key=lambda row: str(row["id"]), reverse=True)


def _database(statuses: Json, category: Json) -> Json:
    listed = statuses if isinstance(statuses, list) else []
    return next(each["database"] for each in listed if isinstance(each, dict) and each["category"] == category)


def _record(check: JsonObject, category: str, database: Json, name: str, place: int) -> JsonObject:
    fields: list[Json] = [
        {"id": _id(check, f"{category}:{place}:name"), "name": "Full Name", "value": name},
        {"id": _id(check, f"{category}:{place}:file"), "name": "File Number", "value": f"{100 + place}/2024"},
    ]
    section: JsonObject = {"id": _id(check, f"{category}:{place}:section"), "title": "Details", "fields": fields}
    number = _id(check, f"{category}:{place}")
    return {
        "@id": f"{check['@id']}/records/{number}",
        "@type": "BackgroundCheckRecord",
        "id": number,
        "category": category,
        "database": database,
        "sections": [section],
        "title": _TITLES.get(category, category.replace("_", " ").capitalize()),
    }


def _id(check: JsonObject, key: str) -> str:
    return record_id(str(check["id"]), key, read_instant(check["createdAt"]) or _EPOCH)
