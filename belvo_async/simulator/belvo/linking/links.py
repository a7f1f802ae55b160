"""Links of the simulated Belvo: created, confirmed with a token, changed, refreshed, deleted."""

import asyncio
import math
import re
from base64 import urlsafe_b64encode
from datetime import timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID

from ...rate_limits import SlidingBudget
from ...taxpayers import connected
from ...wire import Incoming, JsonObject, Reply, Route, answer
from ..context import MODE, BelvoContext, asks_async, read_object
from ..errors import CODES, error, invalid, slow_down
from ..state import HISTORICAL, LINK_DELETION, REFRESH, BelvoJob, Link
from .checks import FETCHABLE, check_change, check_credentials, check_new_link, check_resources, check_resume
from .institutions import FISCAL
from .tokens import LINKS, TOKEN

# Passwords of a meaning, for clients that want to see these answers.
WRONG_PASSWORD: Final = "wrongpass"  # noqa: S105
TOKEN_AT_LOGIN: Final = "tokenlogin"  # noqa: S105
TOKEN_ALWAYS: Final = "tokenalways"  # noqa: S105
# "once per 10 minutes per link"; "5 per minute" (reference of refresh and DELETE).
REFRESH_PAUSE: Final = timedelta(minutes=10)
DELETIONS, DELETION_WINDOW = 5, timedelta(minutes=1)
# "letters, digits, - and _"; what else is sent as external_id is dropped.
_EXTERNAL_ID: Final = re.compile(r"[A-Za-z0-9_-]{3,256}")


class Linking:
    """Answers all that changes links."""

    def __init__(self, context: BelvoContext) -> None:
        self._context = context
        self._deletions = SlidingBudget(DELETIONS, DELETION_WINDOW / context.origin.speed)
        self._chance = context.origin.dice.stream("linking")

    def routes(self) -> list[Route]:
        """Give everything about links but their reading."""
        return [
            Route("POST", "/api/links/", self._create),
            Route("PATCH", "/api/links/", self._resume),
            Route("PUT", "/api/links/{id}/", self._log_in_again),
            Route("PATCH", "/api/links/{id}/", self._change),
            Route("DELETE", "/api/links/{id}/", self._delete),
            Route("POST", "/api/links/{id}/refresh/", self._refresh, headers=(MODE,)),
        ]

    async def _create(self, call: Incoming) -> Reply:
        context, body = self._context, read_object(call)
        problems = check_new_link(body, FISCAL)
        if problems:
            return invalid(problems, context.request_id())
        await self._log_in()
        known = self._find(str(body["institution"]), str(body["username"]).upper())
        if known is not None:
            return error("duplicated", context.request_id(), institution_user_id=known.institution_user_id)
        if body["password"] == WRONG_PASSWORD:
            return error("login_error", context.request_id())
        link = self._make(body)
        context.links[link.id] = link
        if body["password"] in (TOKEN_AT_LOGIN, TOKEN_ALWAYS) or call.fault == "token_required":
            link.status = "unconfirmed"
            return context.tokens.suspend(context.request_id(), link, LINKS, body)
        self._fetch_history(link)
        return answer(201, link.row())

    def _find(self, institution: str, username: str) -> Link | None:
        """Give the confirmed link of a login."""
        for link in self._context.links.values():
            if (link.institution, link.subject.rfc) == (institution, username) and link.status != "unconfirmed":
                return link
        return None

    def _make(self, body: JsonObject) -> Link:
        context = self._context
        mode = str(body.get("access_mode", "recurrent"))
        external_id = body.get("external_id")
        return Link(
            id=str(UUID(context.new_id("new_links"))),
            subject=connected(context.origin.seed, str(body["username"]).upper()),
            external_id=external_id if isinstance(external_id, str) and _EXTERNAL_ID.fullmatch(external_id) else None,
            institution_user_id=_user_id(str(body["institution"]), str(body["username"])),
            created_by=str(UUID(context.new_id("new_links"))),
            created_at=context.origin.now(),
            institution=str(body["institution"]),
            access_mode=mode,
            # "recurrent must be store; single default 365d"
            credentials_storage=str(body.get("credentials_storage", "store" if mode == "recurrent" else "365d")),
            fetch_resources=_resources(body),
            stale_in=str(body.get("stale_in", "365d")),
            asks_token=body["password"] == TOKEN_ALWAYS,
        )

    async def _resume(self, call: Incoming) -> Reply:
        context, body = self._context, read_object(call)
        problems = check_resume(body, context.origin.now().date())
        if problems:
            return invalid(problems, context.request_id())
        found = context.tokens.resume(LINKS, body)
        if isinstance(found, str):
            return error(found, context.request_id())
        link = context.links.get(found.link.id)
        if link is None:
            return error("not_found", context.request_id())
        await self._log_in()
        is_new = link.status == "unconfirmed"
        link.status, link.failed_posts, link.is_open = "valid", 0, found.retrieves
        if is_new:
            self._fetch_history(link)
        return answer(200, link.row())

    async def _log_in_again(self, call: Incoming) -> Reply:
        """Take new credentials. On a recurrent link Belvo also fetches what is new; that is not played here."""
        context, body = self._context, read_object(call)
        link = context.links.get(call.args["id"].lower())
        if link is None:
            return error("not_found", context.request_id())
        problems = check_credentials(body, context.origin.now().date())
        if problems:
            return invalid(problems, context.request_id())
        await self._log_in()
        if body["password"] == WRONG_PASSWORD:
            return error("login_error", context.request_id())
        asks = body["password"] in (TOKEN_AT_LOGIN, TOKEN_ALWAYS) or call.fault == "token_required"
        if asks and body.get("token") != TOKEN:
            return context.tokens.suspend(context.request_id(), link, LINKS, body)
        link.status, link.failed_posts = "valid", 0
        return answer(200, link.row())

    async def _change(self, call: Incoming) -> Reply:
        context, body = self._context, read_object(call)
        link = context.links.get(call.args["id"].lower())
        if link is None:
            return error("not_found", context.request_id())
        problems = check_change(body, context.origin.now().date())
        if problems:
            return invalid(problems, context.request_id())
        becomes_recurrent = link.access_mode == "single" and body.get("access_mode") == "recurrent"
        link.access_mode = str(body.get("access_mode", link.access_mode))
        link.stale_in = str(body.get("stale_in", link.stale_in))
        if "fetch_resources" in body:
            link.fetch_resources = _resources(body)
        if becomes_recurrent:
            # "only single to recurrent triggers a historical update, on the next day"
            link.credentials_storage = "store"
            context.origin.after(timedelta(days=1).total_seconds(), lambda: self._fetch_history(link))
        return answer(200, link.row())

    async def _refresh(self, call: Incoming) -> Reply:
        context, body = self._context, read_object(call)
        link = context.links.get(call.args["id"].lower())
        if link is None:
            return error("not_found", context.request_id())
        problems = check_resources(body)
        if problems:
            return invalid(problems, context.request_id())
        refused = self._refuse_refresh(link, call)
        if refused is not None:
            return refused
        link.refreshed = asyncio.get_running_loop().time()
        # What a call without resources fetches is not documented; here it is what the link was created with.
        resources = _resources(body) or link.fetch_resources or FETCHABLE
        job = context.refreshes.start(context.request_id(), REFRESH, link, resources, context.origin.now)
        return answer(202, {"request_id": job.request_id})

    def _refuse_refresh(self, link: Link, call: Incoming) -> Reply | None:
        context = self._context
        minutes = self._minutes_left(link)
        if minutes:
            message = f"{CODES['link_refreshed'][1]}. Try again in {minutes} minutes."
            return error("link_refreshed", context.request_id(), message=message)
        if link.status == "token_required" or call.fault == "token_required":
            return context.tokens.suspend(context.request_id(), link, LINKS, {})
        if link.status != "valid":
            return error(f"{link.status}_link", context.request_id())
        if not link.holds_credentials(context.origin.now()):
            return error("expired_credentials", context.request_id())
        return error("too_many_sessions", context.request_id()) if context.runs.running(link.id) else None

    def _minutes_left(self, link: Link) -> int:
        if link.refreshed is None:
            return 0
        passed = (asyncio.get_running_loop().time() - link.refreshed) * self._context.origin.speed
        return max(0, math.ceil((REFRESH_PAUSE.total_seconds() - passed) / 60))

    async def _delete(self, call: Incoming) -> Reply:
        context = self._context
        is_async = asks_async(call)
        if not is_async and context.limits and not self._deletions.take():
            return slow_down()
        link = context.links.get(call.args["id"].lower())
        if link is None:
            return error("not_found", context.request_id())
        if not is_async:
            self._remove(link)
            return Reply(status=204)
        drawn = timedelta(seconds=self._chance.uniform(5, 20))
        job = context.runs.open(context.request_id(), LINK_DELETION, {}, link, is_async=True, drawn=drawn)
        if job.outcome != "stuck":
            job.timer = context.origin.after(job.duration.total_seconds(), lambda: self._end_deletion(job))
        return answer(202, {"request_id": str(UUID(job.request_id))})  # dashed here (format uuid), unlike a POST's

    def _end_deletion(self, job: BelvoJob) -> None:
        context = self._context
        if job.outcome == "failed":
            context.runs.settle(job, "failed")
            context.webhooks.failed(job, "LINK", "async_post")
            return
        context.runs.settle(job, "finished")
        self._remove(job.link)
        if job.outcome != "silent":
            context.webhooks.link_deleted(job)

    def _remove(self, link: Link) -> None:
        """Delete a link, what runs on it and all that came through it."""
        self._context.runs.drop(link.id)
        self._context.links.pop(link.id, None)
        self._context.archive.forget(link.id)

    def _fetch_history(self, link: Link) -> None:
        context = self._context
        if link.fetch_resources and link.id in context.links and not context.runs.running(link.id):
            request_id = context.new_id("webhook_requests")
            context.refreshes.start(request_id, HISTORICAL, link, link.fetch_resources, context.origin.now)

    async def _log_in(self) -> None:
        await self._context.origin.pause(self._chance.uniform(2, 8) / self._context.origin.speed)


def _user_id(institution: str, username: str) -> str:
    """Give the 44 characters Belvo knows a login by; the same login always has the same."""
    return urlsafe_b64encode(sha256(f"{institution}:{username.upper()}".encode()).digest()).decode()


def _resources(body: JsonObject) -> tuple[str, ...]:
    asked = body.get("fetch_resources")
    return tuple(str(resource) for resource in asked) if isinstance(asked, list) else ()
