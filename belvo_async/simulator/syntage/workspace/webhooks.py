"""Where Syntage answers about webhook endpoints, and about its attempts to deliver to them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from ...wire import Incoming, Json, JsonObject, Reply, Route, answer
from ..catalogue import detail
from ..errors import LD_JSON, hydra_error, message, violations
from ..handlers import read_object
from ..lists import ATTEMPT_FILTERS, ENDPOINT_FILTERS, Filters, asked, page
from ..options import Problem
from .endpoints import Endpoints, WebhookEndpoint

# OpenAPI, WebhookEndpointEventType.
SUBSCRIBABLE: Final = frozenset(
    f"{kind}.{word}"
    for words, kinds in (
        ("created updated deleted", "credential link invoice tax_return tax_status tax_compliance_check tax_retention"),
        ("created updated", "extraction export invoice_payment invoice_line_item electronic_accounting_record"),
        ("created updated", "rpc_entidades rpc_socios rpc_acto shareholder_relation rug_garantia sat_certificate"),
        ("created updated", "buro_de_credito_report company_verification_report"),
        ("created", "file shareholder_relation_source background_check"),
    )
    for kind in kinds.split()
    for word in words.split()
)
CONTENT_TYPES: Final = (LD_JSON, "application/json")
_CHOICE, _BLANK = "The value you selected is not a valid choice.", "This value should not be blank."


@dataclass(frozen=True, kw_only=True)
class WebhookHandlers:
    """The handlers about webhooks."""

    endpoints: Endpoints

    def routes(self) -> Iterator[Route]:
        """Give their routes."""
        names = asked(ENDPOINT_FILTERS, (), "cursor")
        yield Route("GET", "/webhook-endpoints", self._list_endpoints, query=names)
        yield Route("POST", "/webhook-endpoints", self._create)
        yield Route("GET", "/webhook-endpoints/{id}", self._get_endpoint)
        yield Route("PUT", "/webhook-endpoints/{id}", self._update)
        yield Route("DELETE", "/webhook-endpoints/{id}", self._delete)
        names = asked(ATTEMPT_FILTERS, (), "cursor")
        yield Route("GET", "/webhook-requests", self._list_attempts, query=names)
        yield Route("GET", "/webhook-requests/{id}", self._get_attempt)

    async def _list_endpoints(self, call: Incoming) -> Reply:
        rows = [each.row() for each in self.endpoints.all()]
        return _page(rows, call, "WebhookEndpoint", ENDPOINT_FILTERS)

    async def _create(self, call: Incoming) -> Reply:
        body = read_object(call)
        if body is None:
            return message(400, "Syntax error")
        if problems := _check(body):
            return violations(problems)
        url, events, enabled, content_type = _terms(body)
        return _shown(202, self.endpoints.make(url, events, enabled=enabled, content_type=content_type))

    async def _get_endpoint(self, call: Incoming) -> Reply:
        endpoint = self.endpoints.find(call.args["id"])
        return message(404, "Not found.") if endpoint is None else _shown(200, endpoint)

    async def _update(self, call: Incoming) -> Reply:
        endpoint, body = self.endpoints.find(call.args["id"]), read_object(call)
        if endpoint is None:
            return message(404, "Not found.")
        if body is None:
            return message(400, "Syntax error")
        if problems := _check(body):
            return violations(problems)
        url, events, enabled, content_type = _terms(body)
        self.endpoints.replace(endpoint, url, events, enabled=enabled, content_type=content_type)
        return _shown(200, endpoint)

    async def _delete(self, call: Incoming) -> Reply:
        endpoint = self.endpoints.find(call.args["id"])
        if endpoint is None:
            return message(404, "Not found.")
        self.endpoints.delete(endpoint)
        return Reply(status=204)

    async def _list_attempts(self, call: Incoming) -> Reply:
        return _page([each.row() for each in self.endpoints.attempts], call, "WebhookRequest", ATTEMPT_FILTERS)

    async def _get_attempt(self, call: Incoming) -> Reply:
        found = (each.row() for each in self.endpoints.attempts if each.id == call.args["id"])
        row = next(found, None)
        return detail(None if row is None else _without_event(row), "WebhookRequest")


def _shown(status: int, endpoint: WebhookEndpoint) -> Reply:
    return answer(status, {"@context": "/contexts/WebhookEndpoint", **endpoint.row()}, LD_JSON)


def _page(rows: list[JsonObject], call: Incoming, context: str, known: Filters) -> Reply:
    body = page(rows, call, context=context, known=known)
    if body is None:
        return hydra_error(400, "The parameter itemsPerPage must be between 1 and 1000.")
    members = body["hydra:member"]
    if isinstance(members, list):
        body["hydra:member"] = [_without_event(each) for each in members if isinstance(each, dict)]
    return answer(200, body, LD_JSON)


def _without_event(row: JsonObject) -> JsonObject:
    return {name: value for name, value in row.items() if name != "event"}


def _check(body: JsonObject) -> list[Problem]:
    """Give what is wrong with a body: all four properties are required (OpenAPI)."""
    return [
        *_check_url(body.get("url")),
        *_check_events(body.get("events")),
        *([] if isinstance(body.get("enabled"), bool) else [("enabled", _BLANK)]),
        *([] if body.get("contentType") in CONTENT_TYPES else [("contentType", _CHOICE)]),
    ]


def _check_url(given: Json) -> list[Problem]:
    if not given:
        return [("url", _BLANK)]
    # The vendor wants a public https address; a simulator also calls one on this machine.
    try:
        parts = urlsplit(given if isinstance(given, str) else "")
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_url = False
    return [] if is_url else [("url", "This value is not a valid URL.")]


def _check_events(given: Json) -> list[Problem]:
    if not isinstance(given, list):
        return [("events", _BLANK)]
    return [(f"events[{place}]", _CHOICE) for place, each in enumerate(given) if each not in SUBSCRIBABLE]


def _terms(body: JsonObject) -> tuple[str, list[str], bool, str]:
    events = body["events"]
    names = [str(each) for each in events] if isinstance(events, list) else []
    return str(body["url"]), names, body["enabled"] is True, str(body["contentType"])
