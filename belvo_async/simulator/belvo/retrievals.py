"""POST of a resource: what Belvo refuses, the asynchronous answer, the long synchronous one, and its token."""

from datetime import timedelta
from functools import partial

from ..wire import Answer, Call, Json, JsonObject, Route, answer
from .catalogue import CATALOGUE, Resource
from .context import Parts, asks_async, read_object
from .errors import error, invalid
from .linking.checks import check_resume
from .linking.tokens import LINKS
from .lists import pick
from .state import BelvoJob, Link

# Login, retrieval and logout together (error catalogue, request_timeout).
SYNCHRONOUS_LIMIT = timedelta(minutes=5)


class Retrievals:
    """Takes the orders for records."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def routes(self) -> list[Route]:
        """Give POST of every resource, PATCH where it is documented."""
        orders = [Route("POST", each.path, partial(self._post, each)) for each in CATALOGUE]
        return orders + [
            Route("PATCH", each.path, partial(self._resume, each)) for each in CATALOGUE if each.has_resume
        ]

    async def _post(self, resource: Resource, call: Call) -> Answer:
        parts, body = self._parts, read_object(call)
        refused = self._refuse(resource, body)
        if refused is not None:
            return refused
        link = parts.links[str(body["link"]).lower()]
        if link.wants_token() or call.fault == "token_required":
            at = resource.name if resource.has_resume else LINKS
            return parts.tokens.suspend(parts.request_id(), link, at, body, retrieves=True)
        is_async = resource.is_async and asks_async(call)
        job = parts.runs.start(parts.request_id(), resource.name, body, link, is_async=is_async)
        if not is_async:
            return await self._wait_for(resource, job, call)
        if job.outcome in ("finished", "failed") and parts.origin.dice.hit("webhook_early"):
            await parts.webhooks.wait_first(parts.runs.end(job))
        return answer(202, {"request_id": job.request_id})

    async def _resume(self, resource: Resource, call: Call) -> Answer:
        parts, body = self._parts, read_object(call)
        problems = check_resume(body, parts.origin.now().date())
        if problems:
            return invalid(problems, parts.request_id())
        found = parts.tokens.resume(resource.name, body)
        if isinstance(found, str):
            return error(found, parts.request_id())
        if found.link.id not in parts.links:
            return error("not_found", parts.request_id())
        if parts.runs.running(found.link.id):
            return error("too_many_sessions", parts.request_id())
        if found.link.status == "token_required":
            found.link.status = "valid"
        order: JsonObject = {**found.body, "save_data": body.get("save_data", found.body.get("save_data", True))}
        job = parts.runs.start(parts.request_id(), resource.name, order, found.link, is_async=False)
        return await self._wait_for(resource, job, call)

    def _refuse(self, resource: Resource, body: JsonObject) -> Answer | None:
        parts, request_id = self._parts, self._parts.request_id()
        problems = resource.check(body, parts.origin.now().date())
        if problems:
            return invalid(problems, request_id)
        link = parts.links.get(str(body["link"]).lower())
        if link is None:
            message = f'Invalid pk "{body["link"]}" - object does not exist.'
            return invalid([("link", "does_not_exist", message)], request_id)
        code = self._unfit(link)
        return error(code, request_id) if code else None

    def _unfit(self, link: Link) -> str | None:
        """Tell why a link cannot be used now."""
        if link.status in ("invalid", "unconfirmed"):
            return f"{link.status}_link"
        if not link.holds_credentials(self._parts.origin.now()):
            return "expired_credentials"
        return "too_many_sessions" if self._parts.runs.running(link.id) else None

    async def _wait_for(self, resource: Resource, job: BelvoJob, call: Call) -> Answer:
        parts = self._parts
        length = min(job.duration, SYNCHRONOUS_LIMIT).total_seconds() / parts.origin.speed
        await parts.origin.pause(None if job.outcome == "stuck" else length)
        if job.state == "running" and job.duration > SYNCHRONOUS_LIMIT:
            parts.runs.time_out(job)
        elif job.state == "running":
            parts.runs.end(job)
        if job.state == "failed":
            return error(job.error_code, parts.request_id())
        rows: list[Json] = [pick(filed.row, call) for filed in parts.runs.results(job)]
        return answer(201 if job.saves_data else 200, rows[0] if resource.is_single else rows)
