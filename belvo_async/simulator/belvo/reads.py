"""GET and DELETE of what the simulated Belvo holds: lists, single rows, institutions."""

from collections.abc import Sequence
from functools import partial

from ..wire import Incoming, Reply, Route, answer
from .catalogue import CATALOGUE, Resource
from .context import BelvoContext
from .errors import error, invalid
from .linking.institutions import INSTITUTIONS
from .lists import (
    INSTITUTION_FILTERS,
    LINK_FILTERS,
    PICKING,
    SHOWING,
    FilterError,
    Filters,
    Test,
    asked,
    filters,
    page,
    pick,
)
from .rows.invoices import Filed


class BelvoReads:
    """Answers every read, and the deletion of single rows."""

    def __init__(self, context: BelvoContext) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        """Give the routes of all resources, links and institutions."""
        found = [
            Route("GET", "/api/", self._hello),
            Route("GET", "/api/institutions/", self._list_institutions, query=asked(INSTITUTION_FILTERS)),
            Route("GET", "/api/institutions/{id}/", self._get_institution, query=PICKING),
            Route("GET", "/api/links/", self._list_links, query=asked(LINK_FILTERS)),
            Route("GET", "/api/links/{id}/", self._get_link, query=PICKING),
        ]
        for resource in CATALOGUE:
            found += [
                Route("GET", resource.path, partial(self._list, resource), query=asked(resource.filters)),
                Route("GET", f"{resource.path}{{id}}/", partial(self._get, resource), query=PICKING),
                Route("DELETE", f"{resource.path}{{id}}/", partial(self._delete, resource)),
            ]
        return found

    async def _hello(self, call: Incoming) -> Reply:
        url = call.origin(self._context.origin.url)
        return answer(200, {"links": f"{url}/api/links/", **{each.name.lower(): url + each.path for each in CATALOGUE}})

    async def _list_institutions(self, call: Incoming) -> Reply:
        return self._some(list(INSTITUTIONS.values()), call, INSTITUTION_FILTERS)

    async def _get_institution(self, call: Incoming) -> Reply:
        return self._one(INSTITUTIONS.get(call.args["id"]), call)

    async def _list_links(self, call: Incoming) -> Reply:
        rows = [Filed(id=link.id, link=link.id, row=link.row()) for link in self._context.links.values()]
        return self._some(rows, call, LINK_FILTERS)

    async def _get_link(self, call: Incoming) -> Reply:
        link = self._context.links.get(call.args["id"].lower())
        return self._one(Filed(id=link.id, link=link.id, row=link.row()) if link else None, call)

    async def _list(self, resource: Resource, call: Incoming) -> Reply:
        self._context.runs.advance()
        tests = self._tests(call, resource.filters)
        if isinstance(tests, Reply):
            return tests
        question = repr(sorted((name, values[-1]) for name, values in call.query.items() if name not in SHOWING))
        return self._page(self._context.archive.find(resource.name, tests, question), call)

    async def _get(self, resource: Resource, call: Incoming) -> Reply:
        self._context.runs.advance()
        return self._one(self._context.archive.get(resource.name, call.args["id"].lower()), call)

    async def _delete(self, resource: Resource, call: Incoming) -> Reply:
        if not self._context.archive.drop(resource.name, call.args["id"].lower()):
            return error("not_found", self._context.request_id())
        return Reply(status=204)

    def _some(self, rows: Sequence[Filed], call: Incoming, known: Filters) -> Reply:
        tests = self._tests(call, known)
        if isinstance(tests, Reply):
            return tests
        return self._page([filed for filed in rows if all(test(filed) for test in tests)], call)

    def _tests(self, call: Incoming, known: Filters) -> list[Test] | Reply:
        try:
            return filters(call.query, known)
        except FilterError as refused:
            return invalid([(str(refused), "invalid", "Enter a valid value.")], self._context.request_id())

    def _page(self, rows: Sequence[Filed], call: Incoming) -> Reply:
        body = page(rows, call, origin=self._context.origin.url, default_size=self._context.page_size)
        return error("not_found", self._context.request_id()) if body is None else answer(200, body)

    def _one(self, filed: Filed | None, call: Incoming) -> Reply:
        if filed is None:
            return error("not_found", self._context.request_id())
        return answer(200, pick(filed.row, call))
