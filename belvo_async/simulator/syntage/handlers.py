"""Where Syntage answers about credentials, entities, exports, files, documents and events."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from ..cfdi_xml import xml_of
from ..faults import Dice
from ..wire import Incoming, Json, JsonObject, Reply, Route, answer, decode
from .accounts import Accounts
from .catalogue import detail
from .errors import LD_JSON, hydra_error, message, violations
from .exports import Exports
from .files.documents import cfdi_json, cfdi_pdf, retention_json, retention_pdf, retention_xml, return_data
from .files.held import MIME_TYPES, Files
from .files.storage import Storage
from .lists import EVENT_FILTERS, EVENT_ORDER, asked, page
from .rows.invoices import Entity
from .rows.records import Records
from .state import GatheredRows
from .webhooks import SyntageEvents

Document = Callable[[], bytes]


def read_object(call: Incoming) -> JsonObject | None:
    """Read the body as a JSON object; None when it is something else."""
    try:
        value: Json = decode(call.body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


@dataclass(frozen=True, kw_only=True)
class Handlers:
    """The handlers that are no list. `onboard` starts what is extracted of a new entity; `url` is the API's own."""

    accounts: Accounts
    exports: Exports
    files: Files
    storage: Storage
    gathered_rows: GatheredRows
    records: Records
    events: SyntageEvents
    dice: Dice
    onboard: Callable[[Entity, JsonObject], object]
    url: Callable[[], str]

    def routes(self) -> Iterator[Route]:
        """Give their routes."""
        yield Route("POST", "/credentials", self._create_credential)
        yield Route("GET", "/credentials/{id}", self._get_credential)
        yield Route("DELETE", "/credentials/{id}", self._delete_credential)
        yield Route("POST", "/credentials/{id}/revalidate", self._revalidate)
        yield Route("POST", "/entities", self._create_entity)
        yield Route("GET", "/entities/{id}", self._get_entity)
        yield Route("DELETE", "/entities/{id}", self._delete_entity)
        yield Route("POST", "/exports", self._create_export)
        yield Route("GET", "/exports/{id}", self._get_export)
        yield Route("GET", "/files/{id}", self._get_file)
        yield Route("GET", "/files/{id}/download", self._download)
        yield Route("GET", "/invoices/{id}/cfdi", self._invoice_cfdi, headers=("X-Async-Process",))
        yield Route("GET", "/datasources/mx/sat/cfdis/{uuid}", self._cfdi_by_uuid)
        yield Route("GET", "/tax-retentions/{id}/cfdi", self._retention_cfdi)
        yield Route("GET", "/tax-returns/{id}/pdf", self._tax_return_pdf)
        yield Route("GET", "/tax-returns/{id}/data", self._tax_return_data)
        yield Route("GET", "/background-checks/{id}/pdf", self._background_check_pdf)
        for template in ("/events", "/entities/{id}/events"):
            names = asked(EVENT_FILTERS, EVENT_ORDER, "cursor")
            yield Route("GET", template, self._list_events, query=names)
        yield Route("GET", "/events/{id}", self._get_event)
        yield Route("DELETE", "/events/{id}", self._delete_event)

    # Credentials and entities

    async def _create_credential(self, call: Incoming) -> Reply:
        body = read_object(call)
        if body is None:
            return message(400, "Syntax error")
        made = self.accounts.submit(body)
        if isinstance(made, list):
            return violations(made)
        return answer(202, {"@context": "/contexts/Credential", **made.row()}, LD_JSON)

    async def _get_credential(self, call: Incoming) -> Reply:
        credential = self.accounts.credentials.get(call.args["id"])
        return detail(credential.row() if credential else None, "Credential")

    async def _delete_credential(self, call: Incoming) -> Reply:
        credential = self.accounts.credentials.get(call.args["id"])
        if credential is None:
            return message(404, "Not found.")
        self.accounts.remove(credential)
        return Reply(status=204)

    async def _revalidate(self, call: Incoming) -> Reply:
        credential = self.accounts.credentials.get(call.args["id"])
        if credential is None:
            return message(404, "Not found.")
        if credential.status == "pending":
            return message(400, "The credential is being validated.")
        reset = self.accounts.may_revalidate(credential)
        if reset is not None:
            headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
            return replace(message(429, "Too many requests."), headers=headers)
        self.accounts.revalidate(credential)
        return answer(202, {"@context": "/contexts/Credential", **credential.row()}, LD_JSON)

    async def _create_entity(self, call: Incoming) -> Reply:
        body = read_object(call)
        if body is None:
            return message(400, "Syntax error")
        made = self.accounts.add(body)
        if isinstance(made, list):
            return violations(made)
        self.onboard(made, body)
        return answer(201, {
            "@context": "/contexts/EntityAddedResponse",
            "id": made.id,
            "name": made.subject.name,
            **({"rfc": made.subject.rfc} if made.subject.rfc else {}),
            "onboardingUrl": f"{call.origin(self.url())}/onboarding/{made.id}",
        }, LD_JSON)  # fmt: skip

    async def _get_entity(self, call: Incoming) -> Reply:
        entity = self.accounts.entities.get(call.args["id"])
        return detail(entity.row() if entity else None, "Link")

    async def _delete_entity(self, call: Incoming) -> Reply:
        entity = self.accounts.entities.get(call.args["id"])
        if entity is None:
            return message(404, "Not found.")
        self.accounts.drop(entity)
        return Reply(status=204)

    # Exports

    async def _create_export(self, call: Incoming) -> Reply:
        body = read_object(call)
        if body is None:
            return message(400, "Syntax error")
        made = self.exports.submit(body)
        if isinstance(made, list):
            return violations(made)
        accepted = answer(202, {"@context": "/contexts/Export", **made.row()}, LD_JSON)
        started = self.exports.begin(made)
        if self.dice.hit("webhook_early") and made.script.outcome != "stuck":
            await self.events.wait_first([*started, *self.exports.rush(made)])
        return accepted

    async def _get_export(self, call: Incoming) -> Reply:
        export = self.exports.all.get(call.args["id"])
        return detail(export.row() if export else None, "Export")

    # Files and documents

    async def _get_file(self, call: Incoming) -> Reply:
        file = self.files.find(call.args["id"])
        return detail(file.row() if file else None, "File")

    async def _download(self, call: Incoming) -> Reply:
        file = self.files.find(call.args["id"])
        if file is None:
            return message(404, "Not found.")
        return Reply(status=302, content_type="text/html", headers={"Location": self.storage.link(file, call)})

    async def _invoice_cfdi(self, call: Incoming) -> Reply:
        number = call.args["id"]
        row, cfdi = self.gathered_rows.find(number), self.gathered_rows.cfdi(number)
        if row is None or cfdi is None:
            return message(404, "Not found.")
        return _in_form(call, row, {
            "xml": lambda: xml_of(cfdi).encode(),
            "pdf": lambda: cfdi_pdf(cfdi),
            "json": lambda: answer(200, cfdi_json(cfdi)).body,
        })  # fmt: skip

    async def _cfdi_by_uuid(self, call: Incoming) -> Reply:
        """By fiscal uuid. With X-Async-Process: 1 an invoice whose XML is not held yet is a 202, else a 404."""
        uuid = call.args["uuid"].lower()
        numbers = (self.gathered_rows.id_of(entity, uuid) for entity in self.gathered_rows.entities())
        number = next((number for number in numbers if number), "")
        row, cfdi = self.gathered_rows.find(number), self.gathered_rows.cfdi(number)
        if row is None or cfdi is None or not (row["xml"] or call.headers.get("X-Async-Process") == "1"):
            return message(404, "Not found.")
        return answer(200 if row["xml"] else 202, {
            "uuid": cfdi.uuid,
            "data": cfdi_json(cfdi) if row["xml"] else {},
            "processedXmlAt": row["updatedAt"] if row["xml"] else None,
            "processedPdfAt": row["updatedAt"] if row["pdf"] else None,
        }, LD_JSON)  # fmt: skip

    async def _retention_cfdi(self, call: Incoming) -> Reply:
        row = self.records.find("TaxRetention", call.args["id"])
        if row is None:
            return message(404, "Not found.")
        return _in_form(call, row, {
            "xml": lambda: retention_xml(row),
            "pdf": lambda: retention_pdf(row),
            "json": lambda: answer(200, retention_json(row)).body,
        })  # fmt: skip

    async def _tax_return_pdf(self, call: Incoming) -> Reply:
        return self._first_file(f"/tax-returns/{call.args['id']}", "tax_return.transcript")

    async def _background_check_pdf(self, call: Incoming) -> Reply:
        return self._first_file(f"/background-checks/{call.args['id']}", "background_check.pdf")

    def _first_file(self, resource: str, type: str) -> Reply:
        for file in self.files.of(resource, (type,)):
            return Reply(status=200, body=b"".join(file.chunks()), content_type=file.mime_type)
        return message(404, "Not found.")

    async def _tax_return_data(self, call: Incoming) -> Reply:
        row = self.records.find("TaxReturn", call.args["id"])
        return answer(200, return_data(row), LD_JSON) if row else message(404, "Not found.")

    # Events

    async def _list_events(self, call: Incoming) -> Reply:
        owner = self.accounts.entities.get(call.args["id"]) if "id" in call.args else None
        if "id" in call.args and owner is None:
            return message(404, "Not found.")
        kinds = [*call.query.get("type[]", ()), *call.query.get("type", ())[-1:]]
        rows = [_member(event) for event in self.events.newest_first(kinds or None, owner=owner)]
        body = page(rows, call, context="Event", known=EVENT_FILTERS, order=EVENT_ORDER)
        if body is None:
            return hydra_error(400, "The parameter itemsPerPage must be between 1 and 1000.")
        return answer(200, body, LD_JSON)

    async def _get_event(self, call: Incoming) -> Reply:
        event = self.events.find(call.args["id"])
        return answer(200, event, LD_JSON) if event else message(404, "Not found.")

    async def _delete_event(self, call: Incoming) -> Reply:
        return Reply(status=204) if self.events.forget(call.args["id"]) else message(404, "Not found.")


def _member(event: JsonObject) -> JsonObject:
    return {name: value for name, value in event.items() if name != "@context"}


def _in_form(call: Incoming, row: JsonObject, forms: Mapping[str, Document]) -> Reply:
    """Give the form Accept asks for first, JSON by default; 404 while the file behind it is not held."""
    form = _form(call.headers.get("Accept", ""))
    if not row["pdf" if form == "pdf" else "xml"]:
        return message(404, "Not found.")
    return Reply(status=200, body=forms[form](), content_type=MIME_TYPES[form])


def _form(accept: str) -> str:
    forms = {"text/xml": "xml", "application/xml": "xml", "application/pdf": "pdf", "application/json": "json"}
    wanted = (part.partition(";")[0].strip().lower() for part in accept.split(","))
    return next((forms[one] for one in wanted if one in forms), "json")
