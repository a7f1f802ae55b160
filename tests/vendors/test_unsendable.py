"""What no request can carry is told as a mistake of the caller's, before a byte and without what was given."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from belvo_async import Belvo, Syntage, belvo, syntage
from belvo_async.abc import AttemptFilter, Secret
from belvo_async.errors import TaskError
from belvo_async.jobs import Job
from belvo_async.payload import encode_body, encode_query

NOW = datetime(2026, 2, 3, tzinfo=UTC)
ENTITY = "7b3a1c52-9d4e-4f60-8a17-2c5b6d7e8f90"
# Half of a surrogate pair: a text of Python, and none of UTF-8.
HALF = "Canary\ud800"
LINK: dict[str, Any] = {"institution": "sat_mx_fiscal", "username": "AAA010101AAA", "password": "12345678"}


def belvo_list(**asked: Any) -> Any:
    return next(Belvo("id", "password").list(belvo.Links(**asked)).steps(None))


def syntage_list(query: Any) -> Any:
    return next(Syntage("k" * 20).list(query).steps(None))


def syntage_file(download: Any) -> Any:
    return next(Syntage("k" * 20).download(download))


def syntage_call(call: Any) -> Any:
    return next(Syntage("k" * 20).call(call, NOW))


TEXTS: list[Callable[[], object]] = [
    lambda: belvo_list(external_id=HALF),
    lambda: belvo_list(institution_user_id=[HALF]),
    lambda: syntage_list(syntage.Shareholders(name=HALF)),
    lambda: syntage_list(syntage.Invoices(entity=ENTITY, currency=("MXN", HALF))),
    lambda: syntage_list(syntage.WebhookRequests(url=HALF)),
    lambda: syntage_file(syntage.InsightExport(entity=ENTITY, insight="of-tomorrow", type=HALF)),
    lambda: syntage_call(syntage.CreateTag(name=HALF)),
    lambda: syntage.Export(uri=syntage.Entities(name=HALF)),
    lambda: encode_query([("name", HALF)]),
]


@pytest.mark.parametrize("make", TEXTS)
def test_a_text_that_utf_8_cannot_hold_is_refused(make: Callable[[], object]) -> None:
    """In a query string as in a body; the codec's own error would carry the text."""
    with pytest.raises(TaskError, match="UTF-8") as refused:
        make()

    assert refused.value.__context__ is None
    assert "Canary" not in "".join(traceback.format_exception(refused.value))


SECRETS = ["external_id", "stale_in", "credentials_storage"]


@pytest.mark.parametrize("field", SECRETS)
def test_a_secret_is_taken_where_it_is_one_and_nowhere_else(field: str) -> None:
    """What is sent in plain words is given in plain words."""
    shown = "mine" if field == "external_id" else "30d"

    given: dict[str, Any] = {**LINK, "access_mode": "single", field: Secret(shown)}

    with pytest.raises(TaskError, match=f"^{field} must"):
        belvo.CreateLink(**given)


@pytest.mark.parametrize("value", [object(), Secret("hunter2-hunter2"), {1.5j: 1}, 2**70])
def test_a_value_that_json_does_not_have_is_refused(value: object) -> None:
    """Wherever it came from."""
    if isinstance(value, int):
        assert encode_body({"x": value}).endswith(b"}")
        return
    with pytest.raises(TaskError, match="JSON") as refused:
        encode_body({"x": value})

    assert refused.value.__context__ is None


@pytest.mark.parametrize("amount", [Decimal("1E+999999999"), Decimal("1E-999999999"), Decimal("NaN")])
def test_a_number_that_would_fill_the_memory_is_refused(amount: Decimal) -> None:
    """Written out it is a gigabyte of noughts."""
    with pytest.raises(TaskError, match="at_least must be a finite Decimal"):
        syntage.AmountRange(at_least=amount)
    with pytest.raises(TaskError, match="shares must be a finite Decimal"):
        syntage.CreateShareholder(entity=ENTITY, relation_type="shareholders", name="x", shares=amount)


@pytest.mark.parametrize("limit", [0, -1, True, 2.5, "7", None])
def test_attempts_are_asked_for_in_a_positive_number(limit: Any) -> None:
    """None, or less, would be answered with none: as if nothing had been delivered."""
    with pytest.raises(TaskError, match=r"^limit must"):
        AttemptFilter(limit=limit)


def job_of(task: Any, vendor: str, remote_id: str | None) -> Job:
    return Job(id="1", vendor=vendor, account="a", task=task, created_at=NOW, remote_id=remote_id)


def test_attempts_are_asked_for_of_a_job_that_its_vendor_knows() -> None:
    """Any other has no deliveries; asked all the same, it would look as if none had been tried."""
    extraction = syntage.Extraction(entity=ENTITY, extractor="tax_status")
    known = job_of(extraction, "syntage", "r1")
    foreign = job_of(belvo.TaxStatus(link=ENTITY), "belvo", "r1")

    with pytest.raises(TaskError, match="has named"):
        AttemptFilter(job=job_of(extraction, "syntage", None))
    with pytest.raises(TaskError, match="event must be left out"):
        AttemptFilter(job=known, event="extraction.created")
    with pytest.raises(TaskError, match="job must be a Job"):
        AttemptFilter(job="r1")  # type: ignore[arg-type]
    with pytest.raises(TaskError, match="job must be one of Syntage's"):
        next(Syntage("k" * 20).managed_webhooks.attempts(AttemptFilter(job=foreign)))
