"""The token of the Connect Widget: `POST /api/token/`, where the keys stand in the body, or in the header alone."""

import base64
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from ...wire import Incoming, Json, JsonObject, Reply, Route, answer, encode
from ..checks import Problem, check_uuid, required
from ..context import BelvoContext, read_object
from ..errors import error, invalid
from .checks import check_token

TOKEN_ROUTE: Final = "POST /api/token/"  # noqa: S105
# "A 10-minute token" (reference of the widget); how long the other lasts is read off the example: twenty years.
ACCESS_LIFE, REFRESH_LIFE = timedelta(minutes=10), timedelta(days=7200)


class Widget:
    """Gives tokens in the form the real ones have; nothing here takes them."""

    def __init__(
        self, context: BelvoContext, *, is_key: Callable[[bytes], bool], is_logged_in: Callable[[Incoming], bool]
    ) -> None:
        self._context = context
        self._is_key = is_key
        self._is_logged_in = is_logged_in

    def routes(self) -> list[Route]:
        """Give the one route."""
        return [Route("POST", "/api/token/", self._give)]

    async def _give(self, call: Incoming) -> Reply:
        context, body = self._context, read_object(call)
        # Belvo's clients for Python and Ruby send the keys twice; the one for JavaScript leaves them out of the body
        # when it asks for a link's token.
        is_bare = self._is_logged_in(call) and not {"id", "password"} & body.keys()
        problems = self._problems(body, () if is_bare else ("id", "password"))
        if problems:
            return invalid(problems, context.request_id())
        if not is_bare and not self._is_key(f"{body['id']}:{body['password']}".encode()):
            return error("authentication_failed", context.request_id())
        now = context.origin.now()
        kinds = (("access", ACCESS_LIFE), ("refresh", REFRESH_LIFE))
        return answer(200, {kind: self._token(kind, body, now, life) for kind, life in kinds})

    def _problems(self, body: JsonObject, keys: tuple[str, ...]) -> list[Problem]:
        """Say what is wrong with the keys, with what the widget is to do, and with the link it is for."""
        problems = [problem for name in keys for problem in required(body, name)] + check_token(body)
        if body.get("link_id") is None:
            return problems
        problems += check_uuid("link_id", body["link_id"])
        if not problems and str(body["link_id"]).lower() not in self._context.links:
            problems = [("link_id", "does_not_exist", "Object with this id does not exist.")]
        return problems

    def _token(self, kind: str, body: JsonObject, now: datetime, life: timedelta) -> str:
        scopes: list[Json] = list(str(body["scopes"]).split(","))
        claims: JsonObject = {
            "token_type": kind,
            "exp": int((now + life).timestamp()),
            "iat": int(now.timestamp()),
            "jti": self._context.new_id("widget_tokens"),
            "scopes": scopes,
            "link_id": body.get("link_id"),
            **{name: body.get(name) for name in ("credentials_storage", "stale_in", "fetch_resources")},
        }
        # A signature that opens nothing.
        context = (
            encode({"alg": "HS512", "typ": "JWT"}),
            encode(claims),
            self._context.new_id("widget_tokens").encode(),
        )
        return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in context)
