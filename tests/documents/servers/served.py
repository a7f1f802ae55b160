"""The simulators with something of everything in them, and what of it requests have to name."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

from belvo_async.simulator import BelvoSimulator, SyntageSimulator
from belvo_async.vendors import syntage

# An hour of the vendors' is over in milliseconds.
_SPEED: Final = 1e6
_RFC: Final = "ZZT190415QA7"
_TOKEN: Final = "48213"  # the one that the simulated 428 shows


_ADDRESS: Final = {
    "address": "Calle 1",
    "city": "Tapalpa",
    "municipality": "Tapalpa",
    "state": "JAL",
    "postalCode": "49340",
    "neighborhood": "Centro",
    "country": "MX",
}


@dataclass(frozen=True)
class Served:
    """A simulator that listens, and what only it knows.

    `ids` by the path they stand behind; `fields` of bodies by their names, `bodies` by operation and whole, in both of
    which a path with a place, such as `/tags/{id}`, is filled with an id that exists. `told` are objects it holds that
    no list of the first subject shows.
    """

    simulator: BelvoSimulator | SyntageSimulator
    headers: Mapping[str, str]
    ids: Mapping[str, str]
    fields: Mapping[str, Any] = field(default_factory=dict[str, Any])
    bodies: Mapping[str, Any] = field(default_factory=dict[str, Any])
    told: tuple[Any, ...] = ()

    def has(self, method: str, path: str) -> bool:
        """Whether the simulator answers an operation, whatever it calls the places of its path."""
        routes = {(each.method, _bare(each.template)) for each in self.simulator.routes()}
        return (method, _bare(path)) in routes


def _bare(template: str) -> str:
    return re.sub(r"\{\w+\}", "{}", template)


@asynccontextmanager
async def belvo() -> AsyncIterator[Served]:
    """A Belvo with a link to ask about, and two more of which one and its invoices wait for a token."""
    async with BelvoSimulator(speed=_SPEED, limits=False, example_share=0, links=1) as simulator:
        login = {"Authorization": aiohttp.encode_basic_auth(simulator.secret_id, simulator.secret_password)}
        order = {"link": simulator.links[0], "date_from": "2025-01-01", "date_to": "2025-12-31", "type": "INFLOW"}
        new = {"institution": "sat_mx_fiscal", "username": _RFC, "password": "tokenlogin"}
        async with aiohttp.ClientSession(simulator.url, headers=login) as http:
            of_link = await _token_of(http, "POST", "/api/links/", new)
            asking = {**new, "username": "ZZT190415QB7", "password": "tokenalways"}
            always = await _token_of(http, "POST", "/api/links/", asking)
            async with http.patch("/api/links/", json=always) as answer:
                await answer.read()
            of_invoices = await _token_of(http, "POST", "/api/invoices/", {**order, "link": always["link"]})
        yield Served(
            simulator,
            login,
            {"/api/links": simulator.links[0]},
            fields=order,
            bodies={
                "RegisterLink": {**new, "username": "ZZT190415QC7", "password": "individual1"},
                "UpdateLink": {**new, "password": "individual2"},
                "PatchLinks": of_link,
                "PatchInvoices": of_invoices,
                "ModifyLinkDataRetrieval": {"access_mode": "recurrent", "stale_in": "90d"},
                "GenerateWidgetAccessToken": {
                    "id": simulator.secret_id,
                    "password": simulator.secret_password,
                    "scopes": "read_institutions,write_links",
                    "fetch_resources": ["TAX_STATUS"],
                    "stale_in": "90d",
                    "widget": {
                        "branding": {
                            "company_icon": "https://example.com/icon.svg",
                            "company_logo": "https://example.com/logo.svg",
                            "company_name": "Somebody",
                            "company_terms_url": "https://example.com/terms/",
                        }
                    },
                },
                "RefreshHistoricalDataForLink": {"fetch_resources": ["TAX_STATUS"]},
                "RetrieveTaxReturns": {"link": order["link"], "type": "yearly", "year_from": "2023", "year_to": "2024"},
            },
        )


async def _token_of(http: aiohttp.ClientSession, method: str, path: str, body: Mapping[str, str]) -> dict[str, str]:
    """Ask for what is answered with a question for a token; gives the body that answers it."""
    async with http.request(method, path, json=body) as answer:
        asked = (await answer.json())[0]
    return {"session": asked["session"], "link": asked["link"], "token": _TOKEN}


@asynccontextmanager
async def syntage_() -> AsyncIterator[Served]:
    """A Syntage that has extracted all there is of its entities."""
    async with SyntageSimulator(speed=_SPEED, limits=False, example_share=0) as simulator:
        key = {"X-API-Key": simulator.api_key}
        # Deliveries are told of, and reach nobody.
        simulator.webhook_url = "http://hooks.invalid/"
        async with aiohttp.ClientSession(simulator.url, headers=key) as http:
            for entity in simulator.entities:
                await asyncio.gather(*(_extract(http, entity, extractor) for extractor in syntage.EXTRACTORS))
            while any(job.status not in ("finished", "failed") for job in simulator.jobs.values()):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        first = simulator.entities[0]
        labels = {"resources": [first], "tags": ["/entity-tags/{id}"]}
        # The next one is to be stopped.
        simulator.next_job(outcome="stuck")
        yield Served(
            simulator,
            key,
            _ids_of(simulator, first),
            fields={"entity": first, "tags": ["/tags/{id}"], "scheduler": "/schedulers/{id}"},
            bodies={
                "AddEntity": {"name": "Somebody else", "type": "company", "rfc": "CSU190415QA7"},
                "CreateExtraction": {"entity": first, "extractor": "rpc"},
                "CreateExport": {"format": "csv", "uri": f"{first}/invoices"},
                "CreateCredential": {"type": "ciec", "rfc": _RFC, "password": "not-a-real-ciec1"},
                "UpdateEntity": {"name": "Another name", "tags": ["/entity-tags/{id}"]},
                "TagEntitiesBatch": labels,
                "UntagEntitiesBatch": labels,
                "TagInvoicesBatch": {"resources": ["/invoices/{id}"], "tags": ["/tags/{id}"]},
                "UntagInvoicesBatch": {"resources": ["/invoices/{id}"], "tags": ["/tags/{id}"]},
                "CreateScheduler": {"type": "recurring", "name": "Daily", "tags": labels["tags"]},
                "UpdateScheduler": {"name": "Weekly", "isEnabled": False, "tags": labels["tags"]},
                "CreateMxBuroDeCreditoAuthorization": {
                    "authorizedAt": f"{simulator.now():%Y-%m-%d}T00:00:00Z",
                    "taxpayer": {
                        "rfc": simulator.rfc_of(first),
                        "nationality": "MX",
                        "tradeName": "Somebody",
                        "address": _ADDRESS,
                    },
                },
                "CreateEntityShareholder": {"relationType": "shareholders", "name": "Somebody", "shares": 150},
                "UpdateShareholder": {"name": "Somebody Else", "rfc": "ZZTA800101QA7"},
                "PromoteShareholderRelation": {"name": "Somebody Else", "rfc": "ZZTA800101QA7"},
                "AddEntityIdentifier": {"country": "mx", "identifier": "curp", "value": "ZZTA800101HDFXXX01"},
            },
            told=tuple(row for entity in simulator.entities for row in simulator.rows(f"{entity}/tax-retentions")),
        )


def _ids_of(simulator: SyntageSimulator, entity: str) -> dict[str, str]:
    """What is read by an id that no list gives by itself."""
    invoice = simulator.rows(f"{entity}/invoices")[0]
    partners: Any = simulator.rows(f"{entity}/datasources/mx/rpc/entidades")[0]["socios"]
    return {
        "/entities": entity.rpartition("/")[2],
        "/taxpayers": simulator.rfc_of(entity),
        "/datasources/rpc/socios": partners[0]["id"],
        "/datasources/mx/sat/cfdis": str(invoice["uuid"]),
        "/invoices": str(invoice["id"]),
    }


async def _extract(http: aiohttp.ClientSession, entity: str, extractor: str) -> None:
    body: dict[str, Any] = {"entity": entity, "extractor": extractor}
    options = syntage.EXTRACTORS[extractor]
    if options is not None and "period" in options.__struct_fields__:
        body["options"] = {"period": {"from": "2023-01-01", "to": "2025-12-31"}}
    async with http.post("/extractions", json=body) as answer:
        await answer.read()


SERVED: Final[Mapping[str, Callable[[], AbstractAsyncContextManager[Served]]]] = {"belvo": belvo, "syntage": syntage_}
