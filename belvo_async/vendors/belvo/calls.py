"""Plain calls: one request, one answer, a typed value.

Retrievals and whatever logs in at the institution take as long as Belvo's own budget of five minutes
(page of request_timeout). Six unsuccessful ones make a link invalid, so none is repeated here: only the edge does, when
a request was certainly not sent or certainly not accepted.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias, get_args

import msgspec

from ...abc import Answer, Call, Conversation, Request, Retry, Secret, answer_of
from ...errors import TaskError, UnsupportedError
from ...payload import decode, encode_body
from ...tolerant import read
from .errors import read_error
from .lists import BY_RECORD, INSTITUTIONS, INVOICES, LINKS, get_link
from .pages import encode, get, selection
from .schema.bodies import TokenGiven
from .schema.calls import ChangeLink, CreateLink, Delete, Get, GetInstitution, GetLink, UpdateLink, secret_text
from .schema.links import Link
from .schema.retrievals import (
    Retrieval,
    RetrieveInvoices,
    RetrieveMonthlyTaxReturns,
    RetrieveTaxRetentions,
    RetrieveYearlyTaxReturns,
)
from .schema.tokens import Resume
from .schema.widget import CreateWidgetToken, WidgetToken
from .settings import Keys, Pace
from .start import SUBMIT_TIMEOUT

_Dated: TypeAlias = RetrieveInvoices | RetrieveMonthlyTaxReturns | RetrieveTaxRetentions

TOKEN_PATH: Final = "/api/token/"  # noqa: S105 - a path
_HEADERS: Final = (("Content-Type", "application/json"), ("Accept", "application/json"))


def carry_out(call: Call[object], now: datetime, pace: Pace, keys: Keys) -> Conversation[object]:
    """Make a call; see `Vendor.call`. Raises UnsupportedError for calls that are not of this catalogue."""
    if isinstance(call, GetInstitution):
        path = f"{INSTITUTIONS.path}{call.id}/"
        return _exchange(get(pace, path, [], name="GET /api/institutions/{id}/"), INSTITUTIONS.record)
    if isinstance(call, Get):
        of = BY_RECORD[answer_of(type(call))]
        chosen = selection(call.fields, call.omit)
        return _exchange(get(pace, f"{of.path}{call.id}/", chosen, name=f"GET {of.path}{{id}}/"), of.record)
    if isinstance(call, Delete):
        return _delete(call, pace)
    if isinstance(call, Retrieval):
        return _retrieve(call, now, pace)
    if isinstance(call, Resume):
        return _resume(call, now, pace)
    if isinstance(call, CreateWidgetToken):
        return _give_token(call, pace, keys)
    return _exchange(_link_request(call, pace), Link)


def _exchange(request: Request, kind: type[object]) -> Conversation[object]:
    answer = yield request
    return read(_given(answer).body, kind)


def _given(answer: Answer) -> Answer:
    # 202 would be the promise of an answer, not an answer.
    if answer.status not in (200, 201):
        raise read_error(answer, to="a call")
    return answer


def _delete(call: Delete, pace: Pace) -> Conversation[None]:
    path = BY_RECORD[call.record].path
    named = f"DELETE {path}{{id}}/"
    answer = yield Request(method="DELETE", target=f"{path}{call.id}/", name=named, budget=pace.budget)
    # 202 would be the promise of a deletion, which Belvo documents for links alone.
    if answer.status not in (200, 204):
        raise read_error(answer, to="a deletion")


def _write(method: str, path: str, target: str, body: Mapping[str, object], pace: Pace) -> Request:
    return Request(
        method=method,
        target=target,
        name=f"{method} {path}",
        headers=_HEADERS,
        body=encode_body(body),
        budget=pace.budget,
        retry=Retry.SUBMIT,
        timeout=SUBMIT_TIMEOUT,
    )


def _present(body: Mapping[str, object]) -> dict[str, object]:
    """Leave out what was not given: Belvo has its own defaults."""
    return {key: value for key, value in body.items() if value is not None}


def _retrieve(call: Retrieval[object], now: datetime, pace: Pace) -> Conversation[object]:
    _refuse_future(call, now)
    kind = answer_of(type(call))
    path = _path_of(kind)
    return _exchange(_write("POST", path, _selected(path, call), _retrieval_body(call), pace), kind)


def _path_of(kind: Any) -> str:
    """Where a retrieval is posted: to the list of the record that comes back, or of which several do."""
    return BY_RECORD[get_args(kind)[0] if get_args(kind) else kind].path


def _selected(path: str, call: Retrieval[object]) -> str:
    chosen = selection(call.fields, call.omit)
    return f"{path}?{encode(chosen)}" if chosen else path


def _retrieval_body(call: Retrieval[object]) -> dict[str, object]:
    # `type` null stands for both directions of invoices, and has to be said.
    body: dict[str, object] = {
        name: getattr(call, name) for name in call.__struct_fields__ if name not in ("fields", "omit")
    }
    if isinstance(call, RetrieveYearlyTaxReturns):
        return body | {"type": "yearly", "year_from": str(call.year_from), "year_to": str(call.year_to)}
    if isinstance(call, RetrieveMonthlyTaxReturns):
        return body | {"type": "monthly"}
    return body


def _refuse_future(call: Retrieval[object], now: datetime) -> None:
    today = now.astimezone(UTC).date()
    if isinstance(call, RetrieveYearlyTaxReturns) and call.year_to > today.year:
        raise TaskError("year_to lies in the future", field="year_to")
    if isinstance(call, _Dated) and call.date_to > today:
        raise TaskError("date_to lies in the future; Belvo takes periods up to today", field="date_to")


def _resume(resume: Resume[object], now: datetime, pace: Pace) -> Conversation[object]:
    call = resume.call
    body: dict[str, object] = {
        "session": resume.session,
        "link": resume.link,
        "token": None if resume.token is None else secret_text(resume.token),
    }
    if isinstance(call, RetrieveInvoices):
        body["save_data"] = call.save_data
        path = INVOICES.path
        return _exchange(_write("PATCH", path, _selected(path, call), _present(body), pace), answer_of(type(call)))
    resumption = _write("PATCH", LINKS.path, LINKS.path, _present(body), pace)
    if isinstance(call, Retrieval):
        return _retrieve_again(resumption, _retrieve(call, now, pace))
    return _exchange(resumption, Link)


def _retrieve_again(resumption: Request, retrieval: Conversation[object]) -> Conversation[object]:
    """Open the link's session with the token, then ask again: the other collections have no PATCH (OpenAPI 1.223.0)."""
    _given((yield resumption))
    return (yield from retrieval)


def _link_request(call: Call[object], pace: Pace) -> Request:
    if isinstance(call, CreateLink):
        return _write("POST", LINKS.path, LINKS.path, _present(_creation(call)), pace)
    if isinstance(call, GetLink):
        return get_link(call.link, pace)
    named = f"{LINKS.path}{{id}}/"
    if isinstance(call, UpdateLink):
        return _write("PUT", named, f"{LINKS.path}{call.link}/", _credentials(call), pace)
    if isinstance(call, ChangeLink):
        wanted = {
            "access_mode": call.access_mode,
            "stale_in": call.stale_in,
            "fetch_resources": call.fetch_resources,
        }
        return _write("PATCH", named, f"{LINKS.path}{call.link}/", _present(wanted), pace)
    raise UnsupportedError(f"Belvo has no call of the name {type(call).__name__}")


def _give_token(call: CreateWidgetToken, pace: Pace, keys: Keys) -> Conversation[WidgetToken]:
    asked = {
        "id": keys.id.reveal(),
        "password": keys.password.reveal(),
        "scopes": call.scopes,
        "fetch_resources": call.fetch_resources,
        "stale_in": call.stale_in,
        "credentials_storage": call.credentials_storage,
        "link_id": call.link,
        "widget": call.widget,
    }
    request = _write("POST", TOKEN_PATH, TOKEN_PATH, _present(asked), pace)
    del asked
    # Nobody logs in anywhere and nothing is created: it may be asked for again, and is soon answered.
    answer = yield msgspec.structs.replace(request, retry=Retry.SAFE, timeout=None)
    # Read strictly: what is read tolerantly tells the raw value of what it cannot read.
    token = decode(_given(answer).body, TokenGiven)
    return WidgetToken(access=Secret(token.access), refresh=None if token.refresh is None else Secret(token.refresh))


def _creation(call: CreateLink) -> dict[str, object]:
    return {
        "institution": call.institution,
        "username": secret_text(call.username),
        "password": secret_text(call.password),
        "external_id": call.external_id,
        "access_mode": call.access_mode,
        "fetch_resources": call.fetch_resources,
        "credentials_storage": call.credentials_storage,
        "stale_in": call.stale_in,
    }


def _credentials(call: UpdateLink) -> dict[str, object]:
    given = {"username": call.username, "password": call.password, "password2": call.password2, "token": call.token}
    secrets = {name: secret_text(secret) for name, secret in given.items() if secret is not None}
    return {"institution": call.institution, **secrets}
