"""POST of a resource: what Belvo refuses, the asynchronous answer, the long synchronous one, and its token."""

import asyncio
from datetime import timedelta
from functools import partial
from typing import Final

from ..wire import Incoming, Json, JsonObject, Reply, Route, answer
from .catalogue import CATALOGUE, Resource
from .context import MODE, BelvoContext, asks_async, read_object
from .errors import error, invalid
from .linking.checks import check_resume
from .linking.tokens import LINKS
from .lists import PICKING, pick
from .state import BelvoJob, Link

# Login, retrieval and logout together (error catalogue, request_timeout).
SYNCHRONOUS_LIMIT: Final = timedelta(minutes=5)


class Retrievals:
    """Takes the orders for records."""

    def __init__(self, context: BelvoContext) -> None:
        self._context = context

    def routes(self) -> list[Route]:
        """Give POST of every resource, PATCH where it is documented."""
        orders = [
            Route("POST", each.path, partial(self._post, each), query=PICKING, headers=(MODE,) if each.is_async else ())
            for each in CATALOGUE
        ]
        return orders + [
            Route("PATCH", each.path, partial(self._resume, each), query=PICKING)
            for each in CATALOGUE
            if each.has_resume
        ]

    async def _post(self, resource: Resource, call: Incoming) -> Reply:
        context, body = self._context, read_object(call)
        refused = self._refuse(resource, body)
        if refused is not None:
            return refused
        link = context.links[str(body["link"]).lower()]
        if link.wants_token() or call.fault == "token_required":
            at = resource.name if resource.has_resume else LINKS
            return context.tokens.suspend(context.request_id(), link, at, body, retrieves=True)
        is_async = resource.is_async and asks_async(call)
        job = context.runs.start(context.request_id(), resource.name, body, link, is_async=is_async)
        if not is_async:
            return await self._wait_for(resource, job, call)
        if job.outcome in ("finished", "failed") and context.origin.dice.hit("webhook_early"):
            # Even the quickest takes a moment: the link was accessed after the POST.
            await asyncio.sleep(0.001)
            await context.webhooks.wait_first(context.runs.end(job))
        return answer(202, {"request_id": job.request_id})

    async def _resume(self, resource: Resource, call: Incoming) -> Reply:
        context, body = self._context, read_object(call)
        problems = check_resume(body, context.origin.now().date())
        if problems:
            return invalid(problems, context.request_id())
        found = context.tokens.resume(resource.name, body)
        if isinstance(found, str):
            return error(found, context.request_id())
        if found.link.id not in context.links:
            return error("not_found", context.request_id())
        if context.runs.running(found.link.id):
            return error("too_many_sessions", context.request_id())
        if found.link.status == "token_required":
            found.link.status = "valid"
        order: JsonObject = {**found.body, "save_data": body.get("save_data", found.body.get("save_data", True))}
        job = context.runs.start(context.request_id(), resource.name, order, found.link, is_async=False)
        return await self._wait_for(resource, job, call)

    def _refuse(self, resource: Resource, body: JsonObject) -> Reply | None:
        context, request_id = self._context, self._context.request_id()
        problems = resource.check(body, context.origin.now().date())
        if problems:
            return invalid(problems, request_id)
        link = context.links.get(str(body["link"]).lower())
        if link is None:
            message = f'Invalid pk "{body["link"]}" - object does not exist.'
            return invalid([("link", "does_not_exist", message)], request_id)
        code = self._unfit(link)
        return error(code, request_id) if code else None

    def _unfit(self, link: Link) -> str | None:
        """Tell why a link cannot be used now."""
        if link.status in ("invalid", "unconfirmed"):
            return f"{link.status}_link"
        if not link.holds_credentials(self._context.origin.now()):
            return "expired_credentials"
        return "too_many_sessions" if self._context.runs.running(link.id) else None

    async def _wait_for(self, resource: Resource, job: BelvoJob, call: Incoming) -> Reply:
        context = self._context
        length = min(job.duration, SYNCHRONOUS_LIMIT).total_seconds() / context.origin.speed
        await context.origin.pause(None if job.outcome == "stuck" else length)
        if job.state == "running" and job.duration > SYNCHRONOUS_LIMIT:
            context.runs.time_out(job)
        elif job.state == "running":
            context.runs.end(job)
        if job.state == "failed":
            return error(job.error_code, context.request_id())
        rows: list[Json] = [pick(filed.row, call) for filed in context.runs.results(job)]
        return answer(201 if job.saves_data else 200, rows[0] if resource.is_single else rows)
