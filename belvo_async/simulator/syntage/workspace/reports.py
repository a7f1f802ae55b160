"""Reports of the dashboard: Syntage's own, which stay as they are, and those an account makes of insights."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from ...faults import Dice
from ...wire import Incoming, Json, JsonObject, Reply, Route, answer
from ..catalogue import Listing, detail
from ..errors import LD_JSON, hydra_error, message
from ..handlers import read_object
from ..lists import same
from ..options import Problem
from ..rows.invoices import OrderedIds, stamp
from .bodies import CHOICE, check_flag, check_text, not_found

# Syntage's own reports: `full_report` is named in the document; what it shows, some of the insights there are.
_BUILT_IN: Final = {
    "full_report": {
        "Overview": ("summary", "risks"),
        "Sales and purchases": ("sales-revenue", "expenditures", "customer-concentration", "supplier-concentration"),
        "Finances": ("balance-sheet", "income-statement", "cash-flow-stats", "financial-ratios"),
    }
}
_AGE: Final = timedelta(days=400)
_DEEPEST: Final = 16


@dataclass(kw_only=True)
class Reports:
    """All reports, oldest first. Whose key it is made those of the account, and may do all with them."""

    dice: Dice
    now: Callable[[], datetime]
    all: dict[str, JsonObject] = field(default_factory=dict[str, JsonObject])

    def __post_init__(self) -> None:
        began = self.now() - _AGE
        first = OrderedIds(self.dice.stream("report_ids"), lambda: began)
        self._ids = OrderedIds(self.dice.stream("new_report_ids"), self.now)
        self._author: JsonObject = {
            "id": first(), "firstName": "Ana", "lastName": "Arce Solis", "fullName": "Ana Arce Solis"
        }  # fmt: skip
        for name, groups in _BUILT_IN.items():
            layout: list[Json] = [
                _shown("group", title, children=[_shown("insight", each, insight=each) for each in insights])
                for title, insights in groups.items()
            ]
            self._keep(first(), began, {"name": name, "builtIn": True, "organizational": True, "insights": layout})

    def _keep(self, number: str, made: datetime, fields: JsonObject) -> JsonObject:
        head: JsonObject = {"@id": f"/reports/{number}", "@type": "InsightReport", "id": number}
        self.all[number] = row = {**head, **fields, "createdAt": stamp(made), "updatedAt": stamp(made)}
        return row

    def routes(self) -> Iterator[Route]:
        """Give the routes."""
        yield Listing(
            template="/reports",
            context="InsightReport",
            rows=lambda _: [*reversed(self.all.values())],
            known=same("date", "createdAt"),
            order=("createdAt",),
            style="page",
        ).route()
        yield Route("POST", "/reports", self._create)
        yield Route("GET", "/reports/{id}", self._get)
        yield Route("PUT", "/reports/{id}", self._update)
        yield Route("DELETE", "/reports/{id}", self._delete)

    async def _create(self, call: Incoming) -> Reply:
        fields = _read(call)
        if isinstance(fields, Reply):
            return fields
        row = self._keep(self._ids(), self.now(), {**fields, "createdBy": self._author})
        return answer(201, {"@context": "/contexts/InsightReport", **row}, LD_JSON)

    async def _get(self, call: Incoming) -> Reply:
        return detail(self.all.get(call.args["id"]), "InsightReport")

    async def _update(self, call: Incoming) -> Reply:
        row = self.all.get(call.args["id"])
        if row is None or row["builtIn"]:
            return not_found() if row is None else hydra_error(403, "Access Denied.")
        fields = _read(call)
        if isinstance(fields, Reply):
            return fields
        self.all[call.args["id"]] = row = {**row, **fields, "updatedAt": stamp(self.now())}
        return detail(row, "InsightReport")

    async def _delete(self, call: Incoming) -> Reply:
        row = self.all.get(call.args["id"])
        if row is None or row["builtIn"]:
            return not_found() if row is None else hydra_error(403, "Access Denied.")
        del self.all[call.args["id"]]
        return Reply(status=204)


def _shown(type: str, name: str, **more: Json) -> JsonObject:
    return {"name": name, "type": type, "visible": True, **more, "builtIn": True}


def _read(call: Incoming) -> JsonObject | Reply:
    """Read what a report is made of; a refusal when something is wrong with it."""
    body = read_object(call)
    if body is None:
        return message(400, "Syntax error")
    problems = [*check_text(body, "name"), *check_flag(body, "organizational"), *_check_layout(body.get("insights"))]
    if problems:
        return hydra_error(422, "\n".join(f"{path}: {text}" for path, text in problems))
    return {
        "name": body["name"],
        "builtIn": False,
        "organizational": body.get("organizational") is True,
        "insights": _read_layout(body["insights"]),
    }


def _check_layout(layout: Json, path: str = "insights", depth: int = 0) -> Iterator[Problem]:
    if not isinstance(layout, list) or not all(isinstance(each, dict) for each in layout) or depth > _DEEPEST:
        yield path, "This value should be of type array."
        return
    for index, each in enumerate(layout):
        if isinstance(each, dict):
            yield from _check_entry(each, f"{path}[{index}]", depth)


def _check_entry(entry: JsonObject, path: str, depth: int) -> Iterator[Problem]:
    yield from check_text(entry, "name", path=f"{path}.name")
    if entry.get("type") == "insight":
        yield from check_text(entry, "insight", path=f"{path}.insight")
    elif entry.get("type") == "group":
        yield from _check_layout(entry.get("children", []), f"{path}.children", depth + 1)
    else:
        yield f"{path}.type", CHOICE


def _read_layout(layout: Json) -> list[Json]:
    """Keep of the entries what a report has of them; they are shown unless it says otherwise."""
    return [_read_entry(each) for each in (layout if isinstance(layout, list) else ()) if isinstance(each, dict)]


def _read_entry(entry: JsonObject) -> JsonObject:
    kept: JsonObject = {"name": entry["name"], "type": entry["type"], "visible": entry.get("visible") is not False}
    if entry["type"] == "insight":
        return {**kept, "insight": entry["insight"]}
    return {**kept, "children": _read_layout(entry.get("children", []))}
