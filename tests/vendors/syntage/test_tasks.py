"""What may be asked of Syntage, and in which one form it is kept."""

from __future__ import annotations

import inspect
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, get_type_hints

import msgspec
import pytest

from belvo_async.errors import TaskError
from belvo_async.jobs import decode_job, encode_job, read_task
from belvo_async.vendors import syntage
from tests.vendors.syntage.kit import ENTITY, MARCH, NOW, RFC, invoice_task, job, sample, vendor

UUID = ENTITY.removeprefix("/entities/")
MEXICO_CITY, TIJUANA = timezone(timedelta(hours=-6)), timezone(timedelta(hours=-8))
LATEST = datetime.max.replace(tzinfo=timezone(timedelta(hours=-6)))
PERIOD = {"from": "2025-03-01", "to": "2025-03-31"}


@pytest.mark.parametrize("given", [ENTITY, UUID, UUID.upper()], ids=["iri", "bare", "upper-case"])
def test_entity_becomes_the_iri(given: str) -> None:
    """An entity is kept as its IRI, however it was written."""
    assert ENTITY == syntage.Extraction(entity=given, extractor="tax_status").entity


def test_taxpayer_form_is_kept() -> None:
    """The deprecated taxpayer IRI is accepted and known by its RFC."""
    task = syntage.Extraction(entity=f"/taxpayers/{RFC.lower()}", extractor="tax_status")

    assert (f"/taxpayers/{RFC}", RFC) == (task.entity, task.rfc)


@pytest.mark.parametrize(
    "given",
    ["", "/entities/", "/entities/1", f"/links/{UUID}", f"{ENTITY}/invoices", "/taxpayers/", "/taxpayers/A/../B", 7],
)
def test_other_subjects_are_refused(given: Any) -> None:
    """What is no entity and no taxpayer is refused, without repeating it."""
    with pytest.raises(TaskError) as caught:
        syntage.Extraction(entity=given, extractor="tax_status")

    assert "entity" == caught.value.field
    assert str(caught.value).startswith("entity must ")


def test_all_documented_extractors_are_known() -> None:
    """The catalogue holds exactly the documented extractors, with the documented options."""
    documented = sample("documented")["extractors"]

    assert set(documented) == set(syntage.EXTRACTORS)
    for extractor, options in documented.items():
        kind = syntage.EXTRACTORS[extractor]
        known = {field.encode_name for field in msgspec.structs.fields(kind)} if kind else set()
        assert {name.partition(".")[0] for name in options} == known, extractor


def test_unknown_extractor_is_refused() -> None:
    """An extractor Syntage does not document is refused."""
    with pytest.raises(TaskError) as caught:
        syntage.Extraction(entity=ENTITY, extractor="invoices", options={})

    assert "extractor" == caught.value.field
    assert str(caught.value).startswith("extractor must ")


@pytest.mark.parametrize("request_body", sample("extraction.create_requests"), ids=lambda each: each["extractor"])
def test_documented_requests_can_be_said(request_body: dict[str, Any]) -> None:
    """Each request of the samples is a task, sent as the vendor's examples have it."""
    subject = request_body.get("entity") or request_body["taxpayer"]
    task = syntage.Extraction(entity=subject, extractor=request_body["extractor"], options=request_body.get("options"))

    sent = next(vendor().start(job(task), NOW)).body

    expected = {**request_body, "options": {k: v for k, v in request_body.get("options", {}).items() if v != -1}}
    assert {k: v for k, v in expected.items() if v} == msgspec.json.decode(sent or b"")


def test_struct_and_dict_are_the_same_task() -> None:
    """Options in the vendor's words and as a struct give equal tasks and equal JSON."""
    struct = syntage.Extraction(entity=ENTITY, extractor="invoice", options=syntage.InvoiceOptions(period=MARCH))
    words = syntage.Extraction(entity=UUID, extractor="invoice", options={"period": PERIOD, "complement": -1})
    shuffled = syntage.Extraction(
        entity=UUID, extractor="invoice", options={"types": ["T", "N", "P", "E", "I", "I"], "period": PERIOD}
    )

    assert struct == words == shuffled
    assert msgspec.json.encode(struct) == msgspec.json.encode(words) == msgspec.json.encode(shuffled)


def test_free_options_are_kept_in_one_order() -> None:
    """Where no options are published, any JSON object passes, and key order does not make another task."""
    one = syntage.Extraction(entity=ENTITY, extractor="rpc", options={"b": {"d": 1, "c": [2]}, "a": None})
    other = syntage.Extraction(entity=ENTITY, extractor="rpc", options={"a": None, "b": {"c": [2], "d": 1}})

    assert msgspec.json.encode(one) == msgspec.json.encode(other)
    assert {"b": {"c": [2], "d": 1}} == one.sent_options()


@pytest.mark.parametrize(
    "task",
    [
        invoice_task(),
        invoice_task(period=syntage.Period(datetime(2025, 3, 1, 6, tzinfo=UTC), datetime(2025, 3, 31, tzinfo=UTC))),
        syntage.Extraction(entity=ENTITY, extractor="tax_status"),
        syntage.Extraction(entity=ENTITY, extractor="bil", options={"x": 1}),
        syntage.Extraction(
            entity=f"/taxpayers/{RFC}", extractor="tax_retention", options=syntage.TaxRetentionOptions(period=MARCH)
        ),
        syntage.Extraction(
            entity=ENTITY, extractor="buro_de_credito_report", options=syntage.BuroOptions(product_type="RCO")
        ),
    ],
    ids=["dates", "instants", "none", "free", "taxpayer", "buro"],
)
def test_task_survives_the_store(task: syntage.Extraction) -> None:
    """A stored task is decoded to an equal one, alone and within its job."""
    stored = job(task)

    assert task == read_task(msgspec.json.encode(task))
    assert stored == decode_job(encode_job(stored))
    assert msgspec.json.encode(task) == msgspec.json.encode(read_task(msgspec.json.encode(task)))


@pytest.mark.parametrize(
    ("extractor", "options", "field"),
    [
        ("invoice", None, "options.period"),
        ("invoice", {}, "options.period"),
        ("invoice", {"period": {"from": "2025-03-01"}}, "options.period.to"),
        ("invoice", {"period": {"from": "2025-03-02", "to": "2025-03-01"}}, "options.period.to"),
        ("invoice", {"period": {"from": "yesterday", "to": "2025-03-01"}}, "options.period.from"),
        ("invoice", {"period": {"from": 20250301, "to": "2025-03-01"}}, "options.period.from"),
        ("invoice", {"period": {"from": "2025-03-01 00:00:00", "to": "2025-03-02"}}, "options.period.from"),
        ("invoice", {"period": {**PERIOD, "until": "x"}}, "options.period.until"),
        ("invoice", {"period": "2025-03"}, "options.period"),
        ("invoice", {"period": PERIOD, "types": ["I", "X"]}, "options.types"),
        ("invoice", {"period": PERIOD, "types": []}, "options.types"),
        ("invoice", {"period": PERIOD, "types": "I"}, "options.types"),
        ("invoice", {"period": PERIOD, "xml": "yes"}, "options.xml"),
        ("invoice", {"period": PERIOD, "complement": 1.5}, "options.complement"),
        ("invoice", {"period": PERIOD, "xlm": True}, "options.xlm"),
        ("invoice", {"period": PERIOD, "issued": False, "received": False}, "options.issued"),
        ("tax_retention", {"issued": False, "received": False}, "options.issued"),
        ("tax_retention", {"types": ["I"]}, "options.types"),
        ("tax_status", {"period": PERIOD}, "options.period"),
        ("buro_de_credito_report", {"productType": "008"}, "options.productType"),
        ("rpc", {"x": object()}, "options"),
        ("rpc", ["x"], "options"),
        ("annual_tax_return", syntage.InvoiceOptions(period=MARCH), "options"),
        ("invoice", syntage.TaxReturnOptions(period=MARCH), "options"),
        ("rpc", syntage.NoOptions(), "options"),
    ],
)
def test_wrong_options_are_refused_by_name(extractor: str, options: Any, field: str) -> None:
    """Whatever is wrong with the options is told by the vendor's name of the option."""
    with pytest.raises(TaskError) as caught:
        syntage.Extraction(entity=ENTITY, extractor=extractor, options=options)

    assert field.removesuffix("[1]") == caught.value.field.partition("[")[0]
    assert str(caught.value).startswith(caught.value.field)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        (lambda: syntage.Period(date(2025, 3, 2), date(2025, 3, 1)), "options.period.to"),
        (lambda: syntage.Period(datetime(2025, 3, 2), date(2025, 4, 1)), "options.period.from"),  # noqa: DTZ001
        (lambda: syntage.Period(date(2025, 3, 2), None), "options.period.to"),
        (lambda: syntage.Period(date(2025, 3, 2), LATEST), "options.period.to"),
        (lambda: syntage.InvoiceOptions(period=MARCH, types="I"), "options.types"),
        (lambda: syntage.InvoiceOptions(period=MARCH, types=("I", "Z")), "options.types"),
        (lambda: invoice_task(issued=1), "options.issued"),
        (lambda: invoice_task(period=None), "options.period"),
        (lambda: syntage.InvoiceOptions(period=MARCH, issued=False, received=False), "options.issued"),
        (lambda: syntage.TaxRetentionOptions(issued=False, received=False), "options.issued"),
    ],
    ids=[
        "order",
        "naive",
        "none",
        "calendar",
        "text",
        "letter",
        "not-bool",
        "no-period",
        "no side",
        "no side of retentions",
    ],
)
def test_wrong_structs_are_refused_by_name(options: Any, field: str) -> None:
    """A struct is checked as strictly as a dict is."""
    with pytest.raises(TaskError) as caught:
        options()

    assert field == caught.value.field
    assert str(caught.value).startswith(field)


def test_instants_are_kept_in_utc() -> None:
    """A bound with another time zone is the same task as the instant in UTC."""
    mexico = timezone(timedelta(hours=-6))
    local = syntage.Period(datetime(2025, 3, 1, tzinfo=mexico), date(2025, 3, 31))

    assert syntage.Period(datetime(2025, 3, 1, 6, tzinfo=UTC), date(2025, 3, 31)) == local


def test_subject_and_resource_are_the_vendors_words() -> None:
    """A task's subject is its entity, its resource the extractor."""
    task = invoice_task()

    assert (ENTITY, "invoice", "syntage.Extraction") == (task.subject, task.resource, task.kind)


def test_repr_names_no_taxpayer() -> None:
    """The deprecated form's RFC stays out of repr, of errors and of the printing of rich."""
    task = syntage.Extraction(entity=f"/taxpayers/{RFC}", extractor="tax_status")

    assert RFC not in repr(task) + repr(task.__rich_repr__())


@pytest.mark.parametrize("hour", range(24))
def test_a_period_may_end_with_the_day_at_any_hour(hour: int) -> None:
    """The day of the tax office's capital, as a plain date and as its last second; not the day after it."""
    now = datetime(2025, 4, 2, hour, 30, tzinfo=MEXICO_CITY)
    last = now.replace(hour=23, minute=59, second=59)

    for end in (now.date(), last):
        vendor().check(invoice_task(period=syntage.Period(date(2025, 1, 1), end)), now)
    with pytest.raises(TaskError):
        vendor().check(invoice_task(period=syntage.Period(date(2025, 1, 1), last + timedelta(days=1))), now)


@pytest.mark.parametrize(
    ("end", "is_refused"),
    [
        (NOW.date(), False),
        (NOW.date() + timedelta(days=1), True),
        (NOW + timedelta(hours=1), False),
        (NOW + timedelta(days=1), True),
        (date(2035, 1, 1), True),
        (datetime(2025, 4, 2, 23, 59, 59, tzinfo=MEXICO_CITY), False),
        (datetime(2025, 4, 2, 23, 59, 59, tzinfo=TIJUANA), False),
        (datetime(2025, 4, 3, 23, 59, 59, tzinfo=MEXICO_CITY), True),
    ],
    ids=[
        *("today", "tomorrow", "later today", "this time tomorrow", "years from now"),
        *("until midnight in Mexico City", "until midnight in Tijuana", "until tomorrow's midnight"),
    ],
)
def test_period_may_not_end_after_today(end: date, is_refused: bool) -> None:
    """A period that ends after today, in UTC and in all of Mexico, is refused when fired."""
    task = invoice_task(period=syntage.Period(date(2025, 1, 1), end))

    if not is_refused:
        vendor().check(task, NOW)
        return
    with pytest.raises(TaskError) as caught:
        vendor().check(task, NOW)
    assert "options.period.to" == caught.value.field
    assert "options.period.to must not lie in the future" == str(caught.value)


@pytest.mark.parametrize("extractor", [each for each in syntage.EXTRACTORS if each != "invoice"])
def test_what_could_not_be_read_is_not_fired(extractor: str) -> None:
    """The deprecated form lists invoices only: any other extraction would be billed and its records be out of reach."""
    old = syntage.Extraction(entity=f"/taxpayers/{RFC}", extractor=extractor)

    with pytest.raises(TaskError, match=r"^entity must .* syntage\.Entities\(rfc=\.\.\.\)") as caught:
        vendor().check(old, NOW)

    assert "entity" == caught.value.field
    assert RFC not in str(caught.value)
    vendor().check(syntage.Extraction(entity=ENTITY, extractor=extractor), NOW)


def test_invoices_may_be_fired_in_the_taxpayer_form() -> None:
    """Their list is the one that still answers there."""
    vendor().check(syntage.Extraction(f"/taxpayers/{RFC}", "invoice", invoice_task().options), NOW)


@pytest.mark.parametrize("kind", [each for each in vars(syntage).values() if isinstance(each, type)], ids=str)
def test_every_public_type_can_be_inspected(kind: type) -> None:
    """Editors and help() show each constructor: signatures and hints resolve, whatever the fields are called."""
    assert "return" not in get_type_hints(kind)
    assert all(name in get_type_hints(kind) for name in getattr(kind, "__struct_fields__", ()))
    assert set(getattr(kind, "__struct_fields__", ())) <= set(inspect.signature(kind).parameters)
