"""Plain calls and files: what is asked, and what the answer is read as."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import NoneType
from typing import Any, Final, TypeVar
from urllib.parse import quote

from msgspec.structs import replace

from ...abc import Answer, Call, Conversation, Download, Fetch, Request, Retry, answer_of
from ...discreet import discreet
from ...errors import UnsupportedError
from ...payload import encode_body
from ...tolerant import read
from .errors import expect_success
from .pages import HEADERS, get
from .schema.account import Credential, EntityAdded, ExportState
from .schema.calls import CreateCredential, CreateEntity, RevalidateCredential
from .schema.downloads import ExportFile, FileDownload, OneFile
from .schema.forms.requests import OneRequest
from .schema.insights.export import InsightFile
from .schema.insights.gets import GetBalanceSheet, GetIncomeStatement
from .schema.insights.statements import years_apart
from .schema.record import File
from .start import submit

R = TypeVar("R")

# Some operations, insights among them, are documented to answer plain JSON alone (OpenAPI 2020-06-28).
_HEADERS: Final = tuple(
    (name, f"{value}, application/json;q=0.9" if name == "Accept" else value) for name, value in HEADERS
)


def carry_out(call: Call[object]) -> Conversation[object]:
    """Carry out a plain call. Raises VendorError for an error answer, UnsupportedError for a call of another vendor."""
    make = _HOW.get(type(call))
    if make is not None:
        return make(call)
    if isinstance(call, OneRequest):
        return _send(call)
    raise UnsupportedError(f"Syntage has no call {type(call).__name__}")


def _read(answer: Answer, record: type[R]) -> R:
    # The answer, not its bytes: what stands in a frame may be shown with its traceback.
    return read(expect_success(answer).body, record)


def _send(call: OneRequest[object]) -> Conversation[object]:
    """Make the one request that the call's class describes."""
    answer = yield _request(call)
    expect_success(answer)
    record: type[object] = answer_of(type(call))
    return None if record is NoneType else _read(answer, record)


@discreet
def _request(call: OneRequest[object]) -> Request:
    # Apart from the conversation, in whose frame the words of the body would stand while it waits.
    body = call.body()
    request = Request(
        method=call.method,
        target=call.target(),
        name=call.label(),
        headers=(*_HEADERS, *call.header_pairs()),
        is_large=call.is_large,
    )
    if body is not None:
        # A PATCH is a merge (OpenAPI 2020-06-28): what it does not name stays as it is.
        usual = "application/merge-patch+json" if call.method == "PATCH" else "application/json"
        kind = ("Content-Type", call.media_type or usual)
        request = replace(request, headers=(*request.headers, kind), body=encode_body(body))
    # What starts or makes something must not be sent twice blindly; the rest does no more the second time.
    is_once = call.method == "POST" and not call.is_repeatable
    return replace(request, retry=Retry.SUBMIT) if is_once else request


def _read_statement(call: GetBalanceSheet | GetIncomeStatement) -> Conversation[object]:
    answer = yield _request(call)
    expect_success(answer)
    record: type[object] = answer_of(type(call))
    return _read(years_apart(answer), record)


def _create_credential(call: CreateCredential) -> Conversation[Credential]:
    answer = yield submit("/credentials", call.access.body())
    return _read(answer, Credential)


def _create_entity(call: CreateEntity) -> Conversation[EntityAdded]:
    answer = yield submit("/entities", call.body())
    return _read(answer, EntityAdded)


def _revalidate(call: RevalidateCredential) -> Conversation[Credential]:
    # What the 202 holds is not documented, so the credential is read. Checking twice changes nothing more.
    asked = Request(
        method="POST",
        target=f"/credentials/{call.id}/revalidate",
        name="POST /credentials/{id}/revalidate",
        headers=HEADERS,
        retry=Retry.SUBMIT,
    )
    expect_success((yield asked))
    answer = yield get(f"/credentials/{call.id}", "GET /credentials/{id}")
    return _read(answer, Credential)


_HOW: Final[Mapping[type[object], Callable[[Any], Conversation[object]]]] = {
    CreateCredential: _create_credential,
    CreateEntity: _create_entity,
    GetBalanceSheet: _read_statement,
    GetIncomeStatement: _read_statement,
    RevalidateCredential: _revalidate,
}


def fetch(download: Download) -> Conversation[Fetch]:
    """Find out how to read a file. Raises VendorError, and UnsupportedError for an export that has none."""
    if isinstance(download, FileDownload):
        return _fetch_file(download)
    if isinstance(download, ExportFile):
        return _fetch_export(download)
    if isinstance(download, OneFile):
        return _fetch_one(download)
    if isinstance(download, InsightFile):
        return _fetch_insight(download)
    raise UnsupportedError(f"Syntage has no file {type(download).__name__}")


def _fetch_file(download: FileDownload) -> Conversation[Fetch]:
    answer = yield get(f"/files/{download.id}", "GET /files/{id}")
    return _fetch_held(_read(answer, File), download.id)


def _fetch_held(file: File, file_id: str) -> Fetch:
    # The answer redirects to a storage of another origin (resources/core/files), where the key must not go.
    request = replace(
        _ask_for("*/*", f"/files/{quote(file_id, safe='')}/download", "GET /files/{id}/download"), follow=True
    )
    return Fetch(request=request, size_bytes=file.size)


def _fetch_export(download: ExportFile) -> Conversation[Fetch]:
    answer = yield get(f"/exports/{download.export}", "GET /exports/{id}")
    export = _read(answer, ExportState)
    if export.status == "failed":
        raise UnsupportedError("this export failed, so it has no file: fire it again")
    if export.file is None or export.file.id is None:
        raise UnsupportedError("this export has no file yet: await its job first")
    if export.file.size is None:
        return (yield from _fetch_file(FileDownload(export.file.id)))
    return _fetch_held(export.file, export.file.id)


def _fetch_one(download: OneFile) -> Conversation[Fetch]:
    yield from ()
    begin, end = download.collection, download.end
    request = _ask_for(download.accept, f"{begin}/{download.owner}/{end}", f"GET {begin}/{{id}}/{end}")
    return Fetch(request=request)


def _fetch_insight(download: InsightFile) -> Conversation[Fetch]:
    yield from ()
    name = f"GET /entities/{{id}}/insights/{download.name}/export"
    return Fetch(request=_ask_for(download.accept, download.target(), name))


def _ask_for(accept: str, path: str, name: str) -> Request:
    headers = tuple((each, accept if each == "Accept" else value) for each, value in HEADERS)
    return Request(method="GET", target=path, name=name, headers=headers)
