"""Exports: a second kind of job, without a list and without a stop."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from belvo_async.abc import Retry
from belvo_async.errors import PayloadError, TaskError, TransportError, UnsupportedError, VendorError
from belvo_async.jobs import Absent, Gone, Job, Misread, Status, Way, decode_job, encode_job, read_task
from belvo_async.vendors import syntage
from tests.jobs.flat import flat
from tests.vendors.syntage.kit import (
    CREATED,
    ENTITY,
    NOW,
    REMOTE,
    RFC,
    answer,
    converse,
    job as extraction_job,
    listing,
    params,
    raw,
    row,
    sample,
    vendor,
)

URI = f"{ENTITY}/invoices?issuedAt[after]=2025-03-01"
EXPORT = "2f9d0b1c-6a7e-48d3-b5c4-81e0a2f37d69"


def export(**changes: Any) -> syntage.Export:
    # What the samples' export was asked for.
    return syntage.Export(**{"uri": URI, "format": "csv", "file_types": ("invoice.cfdi.xml",), **changes})


def job(task: syntage.Export | None = None, **facts: Any) -> Job:
    known: dict[str, Any] = {"id": "job-1", "vendor": "syntage", "account": "a", "created_at": CREATED, **facts}
    return flat(task=task or export(), **known)


def test_submission_is_one_careful_request() -> None:
    """The body has the documented words; it is never sent again blindly."""
    request = next(vendor().start(job(), NOW))

    assert ("POST", "/exports", "POST /exports", Retry.SUBMIT) == (
        request.method,
        request.target,
        request.name,
        request.retry,
    )
    assert {"format": "csv", "uri": URI, "fileTypes": ["invoice.cfdi.xml"]} == msgspec.json.decode(request.body or b"")


def test_without_file_types_none_are_named() -> None:
    """The vendor demands at least one where it is given any."""
    request = next(vendor().start(job(export(file_types=())), NOW))

    assert {"format", "uri"} == set(msgspec.json.decode(request.body or b""))


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (202, raw("export.pending"), Status.PENDING),
        (202, raw("export.running"), Status.RUNNING),
        (202, b"<html>", Status.UNCERTAIN),
        (400, raw("error.400.validation"), Status.REJECTED),
        (409, b"{}", Status.REJECTED),
        (429, b"{}", Status.SUBMITTING),
        (408, b"", Status.UNCERTAIN),
        (502, b"", Status.UNCERTAIN),
    ],
)
def test_answers_mean_what_they_mean_for_extractions(status: int, body: bytes, said: Status) -> None:
    """Accepted, refused, turned away or uncertain; an export has no conflict to join."""
    seen, asked = converse(vendor().start(job(), NOW), answer(status, body))

    assert (said, Way.ANSWER, 1) == (seen.status, seen.way, len(asked))
    assert (EXPORT if said in (Status.PENDING, Status.RUNNING) else None) == seen.remote_id


@pytest.mark.parametrize("word", ["pending", "running", "finished", "failed"])
def test_polls_are_by_id(word: str) -> None:
    """There is no list of exports: each is polled by its id."""
    (seen,), asked = converse(vendor().poll([job(remote_id=EXPORT)], NOW), answer(200, raw(f"export.{word}")))

    assert (Status(word), Way.POLL, "job-1") == (seen.status, seen.way, seen.job_id)
    assert [(f"/exports/{EXPORT}", "GET /exports/{id}")] == [(each.target, each.name) for each in asked]


def test_a_round_of_both_kinds_keeps_them_apart() -> None:
    """Extractions are polled by their list, exports each by its id; neither is asked for as the other."""
    extractions = [extraction_job(id=f"e{index}", remote_id=f"{REMOTE}{index}") for index in range(3)]
    shown = listing(*(row(id=each.remote_id) for each in extractions))

    seen, asked = converse(
        vendor().poll([job(remote_id=EXPORT), *extractions], NOW), shown, answer(200, raw("export.running"))
    )

    assert ["/extractions", f"/exports/{EXPORT}"] == [each.target.partition("?")[0] for each in asked]
    assert 4 == len(seen)


@pytest.mark.parametrize(
    "fault", [answer(500), answer(200, b"<html>"), TransportError("cut", maybe_sent=True)], ids=["500", "html", "cut"]
)
def test_a_fault_of_one_kind_does_not_hide_the_other(fault: Any) -> None:
    """The routes have budgets of their own, and may fail alone."""
    extraction = extraction_job(id="e", remote_id=REMOTE)

    seen, _ = converse(
        vendor().poll([extraction, job(remote_id=EXPORT)], NOW), fault, answer(200, raw("export.running"))
    )

    assert ["job-1"] == [each.job_id for each in seen if not isinstance(each, Misread)]


def test_a_fault_with_nothing_seen_is_raised() -> None:
    """Of two faults, the first."""
    round_ = vendor().poll([extraction_job(remote_id=REMOTE), job(remote_id=EXPORT)], NOW)

    with pytest.raises(VendorError, match="503"):
        converse(round_, answer(503), answer(200, b"7"))
    with pytest.raises(PayloadError):
        converse(vendor().poll([job(remote_id=EXPORT)], NOW), answer(200, b"7"))


def test_a_missing_export_is_gone() -> None:
    """A 404 is told as gone; what that means is for the core."""
    (seen,), _ = converse(vendor().poll([job(remote_id=EXPORT)], NOW), answer(404, raw("error.404")))

    assert isinstance(seen, Gone)


def test_a_round_polls_twenty() -> None:
    """The budget of the route is shared by all; those left out take turns."""
    jobs = [job(id=str(index), remote_id=f"{index:032x}") for index in range(50)]

    polls = [
        {each.target for each in converse(vendor().poll(jobs, at), *[answer(404, raw("error.404"))] * 20)[1]}
        for at in (NOW, NOW + timedelta(seconds=1))
    ]

    assert [20, 20] == [len(each) for each in polls]
    assert polls[0] != polls[1]


LOST = {"status": Status.UNCERTAIN, "attempted_at": CREATED}


def event(**changes: Any) -> dict[str, Any]:
    made = {**sample("export.pending"), "createdAt": "2025-04-02T16:01:00Z", **changes}
    return {"id": "1", "type": "export.created", "resource": f"/exports/{made['id']}", "data": {"object": made}}


def test_a_lost_export_is_found_by_its_event() -> None:
    """Each export is announced with itself; brackets may come back encoded, and the newest that fits is taken."""
    newer = event(id=REMOTE, uri=URI.replace("[", "%5B").replace("]", "%5D"), createdAt="2025-04-02T16:02:00Z")

    seen, asked = converse(vendor().find(job(**LOST), NOW), listing(event(), newer))

    assert (Status.PENDING, REMOTE, "job-1", Way.POLL) == (seen.status, seen.remote_id, seen.job_id, seen.way)
    assert {
        "type": "export.created",
        "createdAt[after]": "2025-04-02T15:55:00Z",
        "itemsPerPage": "100",
    } == params(asked[0])


@pytest.mark.parametrize(
    "stranger",
    [
        event(uri=f"{ENTITY}/invoices"),
        event(format="xlsx"),
        event(fileTypes=[]),
        event(fileTypes="invoice.cfdi.xml"),
        event(createdAt="2025-04-02T15:00:00Z"),
        event(createdAt=None),
        {"type": "export.created", "data": None},
        7,
    ],
    ids=range(8),
)
def test_no_other_export_is_taken_for_it(stranger: Any) -> None:
    """List, format and kinds of files must be equal, and it must be young."""
    seen, _ = converse(vendor().find(job(**LOST), NOW), listing(stranger))

    assert Absent(way=Way.POLL, at=NOW, job_id="job-1") == seen


def test_the_search_is_given_up_after_two_minutes() -> None:
    """As for extractions."""
    since = NOW - timedelta(minutes=2)

    seen, _ = converse(vendor().find(job(**LOST, absent_since=since), NOW), listing())

    assert Absent(way=Way.POLL, at=NOW, job_id="job-1", final=True) == seen


def test_exports_are_not_stopped() -> None:
    """There is no such call."""
    with pytest.raises(UnsupportedError, match="stop an export"):
        vendor().stop(job(remote_id=EXPORT), NOW)


def test_results_are_a_file() -> None:
    """The error says how to have it."""
    with pytest.raises(UnsupportedError, match=r"session\.download\(syntage\.ExportFile\(job\.remote_id\)\)"):
        vendor().results(job(remote_id=EXPORT))


def test_a_query_names_the_list() -> None:
    """A query becomes the list it reads, with its filters, and is stored as that text."""
    query = syntage.Invoices(entity=ENTITY, type=("I", "E"), issued_after=datetime(2025, 3, 1, tzinfo=UTC))

    task = syntage.Export(query, "xlsx")

    assert f"{ENTITY}/invoices?type[]=I&type[]=E&issuedAt[after]=2025-03-01T00:00:00Z" == task.uri
    assert "/credentials" == syntage.Export(syntage.Credentials()).uri
    assert task == read_task(msgspec.json.encode(task))


def test_task_survives_the_store() -> None:
    """A stored export is decoded to an equal one; the order of its kinds makes no other."""
    stored = job(export(file_types=["invoice.cfdi.pdf", "invoice.cfdi.xml"]))

    assert stored == decode_job(encode_job(stored))
    assert export(file_types=("invoice.cfdi.xml", "invoice.cfdi.pdf")) == stored.task


def test_subject_and_resource() -> None:
    """The subject is the entity the list belongs to, or the list of all."""
    task = export()

    assert (ENTITY, "export", "syntage.Export") == (task.subject, task.resource, task.kind)
    assert "/invoices/payments" == syntage.Export("/invoices/payments?x=1").subject


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"uri": ""}, "uri"),
        ({"uri": "https://evil.example/x"}, "uri"),
        ({"uri": "//evil.example/x"}, "uri"),
        ({"uri": "/entities/../x"}, "uri"),
        ({"uri": "/a b"}, "uri"),
        ({"uri": "/a?x=Ñ"}, "uri"),
        ({"uri": 7}, "uri"),
        ({"uri": "/" + "a" * 2000}, "uri"),
        ({"format": "doc"}, "format"),
        ({"file_types": ("invoice",)}, "file_types"),
        ({"file_types": "invoice.cfdi.xml"}, "file_types"),
        ({"file_types": 7}, "file_types"),
        ({"file_types": [{}]}, "file_types"),
        ({"format": ["csv"]}, "format"),
    ],
    ids=range(14),
)
def test_what_cannot_be_exported_is_refused(changes: dict[str, Any], field: str) -> None:
    """Nothing is sent for it."""
    with pytest.raises(TaskError) as caught:
        export(**changes)

    assert field == caught.value.field
    assert str(caught.value).startswith(f"{field} must ")


def test_repr_names_no_taxpayer() -> None:
    """Filters may."""
    task = syntage.Export(syntage.Invoices(entity=ENTITY, issuer_rfc=RFC))

    assert RFC not in repr(task) + repr(task.__rich_repr__())
    vendor().check(task, NOW)
    assert vendor().lane(task) is None
