"""What an account sets up: the one request of each call, what it is read as, and what is refused before a byte."""

from __future__ import annotations

import pickle
import traceback
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest

from belvo_async.abc import Call, Retry
from belvo_async.errors import TaskError, VendorError
from belvo_async.vendors import syntage
from tests.vendors.syntage.kit import ENTITY, MARCH, NOW, answer, converse, vendor

ID = "b9e60d3a-8f27-4a55-93c1-4f7d2e1a6c08"
OTHER = "c2b7d9e4-05a1-4c3f-9f18-6d4e7a0b3c52"
AUTHORIZATIONS = "/datasources/mx/buro-de-credito/authorizations"
GIVEN = datetime(2025, 1, 31, 18, tzinfo=UTC)
ADDRESS = syntage.BuroAddress(
    address="Calle Secreta", city="Cd de Mexico", municipality="Miguel Hidalgo", state="CMX", postal_code="11510",
    neighborhood="Los Morales", exterior_number="8",
)  # fmt: skip
SENT_ADDRESS = {
    "address": "Calle Secreta", "city": "Cd de Mexico", "municipality": "Miguel Hidalgo", "state": "CMX",
    "postalCode": "11510", "neighborhood": "Los Morales", "country": "MX", "exteriorNumber": "8",
}  # fmt: skip
PERSON = syntage.BuroPerson(
    rfc="ZZZT800101HM2", birthdate=date(1980, 1, 1), first_name="INES", first_last_name="OCAMPO",
    second_last_name="SOLIS", address=ADDRESS,
)  # fmt: skip
COMPANY = syntage.BuroCompany(rfc="zzt190415qa7", trade_name="ZAPATERIA DE TAPALPA", address=ADDRESS)
LAYOUT = (
    syntage.ShowInsight(name="sales", insight="sales-revenue"),
    syntage.ShowGroup(name="risk", children=(syntage.ShowInsight(name="r", insight="risks", visible=False),)),
)
SENT_LAYOUT = [
    {"type": "insight", "name": "sales", "insight": "sales-revenue"},
    {
        "type": "group",
        "name": "risk",
        "children": [{"type": "insight", "name": "r", "insight": "risks", "visible": False}],
    },
]

# The call, its method and path, what it sends, what it gives.
CASES: list[tuple[Call[Any], str, str, Any, type[msgspec.Struct] | None]] = [
    (
        syntage.CreateScheduler(name="Daily", tags=(ID, f"/entity-tags/{OTHER}"), is_enabled=False),
        "POST",
        "/schedulers",
        {
            "type": "recurring",
            "name": "Daily",
            "tags": [f"/entity-tags/{ID}", f"/entity-tags/{OTHER}"],
            "isEnabled": False,
        },
        syntage.Scheduler,
    ),
    (
        syntage.UpdateScheduler(id=ID, tags=()),
        "PUT",
        f"/schedulers/{ID}",
        {"tags": []},
        syntage.Scheduler,
    ),
    (syntage.DeleteScheduler(ID), "DELETE", f"/schedulers/{ID}", None, None),
    (
        syntage.CreateSchedulerRule(
            scheduler=ID,
            extractor="invoice",
            cron_expression="0 6 * * 1-5",
            options={"types": ["I"], "period": {"from": "2025-01-01"}},
        ),
        "POST",
        "/schedulers/rules",
        {
            "scheduler": f"/schedulers/{ID}",
            "extractor": "invoice",
            "cronExpression": "0 6 * * 1-5",
            "options": {"types": ["I"], "period": {"from": "2025-01-01"}},
        },
        syntage.SchedulerRule,
    ),
    (
        syntage.UpdateSchedulerRule(
            id=f"/schedulers/rules/{ID}",
            extractor="annual_tax_return",
            options=syntage.TaxReturnOptions(period=MARCH),
            cron_expression="@monthly",
        ),
        "PUT",
        f"/schedulers/rules/{ID}",
        {
            "extractor": "annual_tax_return",
            "options": {"period": {"from": "2025-03-01", "to": "2025-03-31"}},
            "cronExpression": "@monthly",
        },
        syntage.SchedulerRule,
    ),
    (syntage.DeleteSchedulerRule(ID), "DELETE", f"/schedulers/rules/{ID}", None, None),
    (
        syntage.CreateInsightReport(name="Credit", insights=LAYOUT, organizational=True),
        "POST",
        "/reports",
        {"name": "Credit", "insights": SENT_LAYOUT, "organizational": True},
        syntage.InsightReport,
    ),
    (
        syntage.UpdateInsightReport(id=ID, name="Credit", insights=LAYOUT),
        "PUT",
        f"/reports/{ID}",
        {"name": "Credit", "insights": SENT_LAYOUT},
        syntage.InsightReport,
    ),
    (syntage.DeleteInsightReport(ID), "DELETE", f"/reports/{ID}", None, None),
    (syntage.DeleteEvent(f"/events/{ID}"), "DELETE", f"/events/{ID}", None, None),
    (
        syntage.CreateTag(name="To be reviewed", color="#22C558"),
        "POST",
        "/tags",
        {"name": "To be reviewed", "resourceType": "invoice", "color": "#22C558"},
        syntage.Tag,
    ),
    (syntage.UpdateTag(id=ID, color=None), "PATCH", f"/tags/{ID}", {"color": None}, syntage.Tag),
    (syntage.DeleteTag(ID), "DELETE", f"/tags/{ID}", None, None),
    (syntage.CreateEntityTag(name="daily"), "POST", "/entity-tags", {"name": "daily"}, syntage.EntityTag),
    (
        syntage.UpdateEntityTag(id=ID, name="nightly"),
        "PATCH",
        f"/entity-tags/{ID}",
        {"name": "nightly"},
        syntage.EntityTag,
    ),
    (syntage.DeleteEntityTag(ID), "DELETE", f"/entity-tags/{ID}", None, None),
    (
        syntage.TagInvoice(id=ID, tags=(OTHER,)),
        "POST",
        f"/invoices/{ID}/tags",
        {"tags": [f"/tags/{OTHER}"]},
        syntage.Invoice,
    ),
    (syntage.UntagInvoice(invoice=ID, tag=f"/tags/{OTHER}"), "DELETE", f"/invoices/{ID}/tags/{OTHER}", None, None),
    *(
        (
            kind(resources=(ID,), tags=(OTHER,)),
            "POST",
            path,
            {
                "resources": [f"/{path.split('/')[1]}/{ID}"],
                "tags": [f"/{'tags' if 'invoices' in path else 'entity-tags'}/{OTHER}"],
            },
            syntage.TagBatch,
        )
        for kind, path in (
            (syntage.TagInvoices, "/invoices/batch/tags"),
            (syntage.UntagInvoices, "/invoices/batch/tags/remove"),
            (syntage.TagEntities, "/entities/batch/tags"),
            (syntage.UntagEntities, "/entities/batch/tags/remove"),
        )
    ),
    (syntage.UpdateEntity(id=ENTITY, name="X"), "PATCH", ENTITY, {"name": "X"}, syntage.Entity),
    (syntage.DeleteEntity(ENTITY), "DELETE", ENTITY, None, None),
    (
        syntage.AddEntityIdentifier(entity=ENTITY, identifier="curp", value="oosi800101mdfcln09"),
        "POST",
        f"{ENTITY}/identifiers",
        {"country": "mx", "identifier": "curp", "value": "OOSI800101MDFCLN09"},
        syntage.EntityIdentifier,
    ),
    (
        syntage.CreateBuroAuthorization(entity=ENTITY, taxpayer=PERSON, authorized_at=GIVEN),
        "POST",
        f"{ENTITY}{AUTHORIZATIONS}",
        {
            "authorizedAt": "2025-01-31T18:00:00Z",
            "taxpayer": {
                "rfc": "ZZZT800101HM2",
                "nationality": "MX",
                "birthdate": "1980-01-01",
                "firstName": "INES",
                "firstLastName": "OCAMPO",
                "secondLastName": "SOLIS",
                "address": SENT_ADDRESS,
            },
        },
        None,
    ),
    (
        syntage.CreateBuroAuthorization(entity=ENTITY, taxpayer=COMPANY, authorized_at=GIVEN),
        "POST",
        f"{ENTITY}{AUTHORIZATIONS}",
        {
            "authorizedAt": "2025-01-31T18:00:00Z",
            "taxpayer": {
                "rfc": "ZZT190415QA7",
                "nationality": "MX",
                "tradeName": "ZAPATERIA DE TAPALPA",
                "address": SENT_ADDRESS,
            },
        },
        None,
    ),
    (syntage.DeleteBuroAuthorization(ID), "DELETE", f"{AUTHORIZATIONS}/{ID}", None, None),
    (
        syntage.CalculateSyntageScore(entity=ENTITY),
        "POST",
        f"{ENTITY}/datasources/syntage/score/calculate",
        None,
        None,
    ),
]
WORKSPACE = {type(call) for call, *_ in CASES}
# A second one does no more: the vendor says so of the batches, and it replaces what was there.
REPEATABLE = (
    syntage.TagInvoice,
    syntage.TagInvoices,
    syntage.UntagInvoices,
    syntage.TagEntities,
    syntage.UntagEntities,
)


@pytest.mark.parametrize(
    ("call", "method", "path", "body", "record"), CASES, ids=[type(call).__name__ for call, *_ in CASES]
)
def test_each_call_is_one_documented_request(
    call: Call[Any], method: str, path: str, body: Any, record: type[msgspec.Struct] | None
) -> None:
    """In the vendor's words; sent once where a second one would do more; without ids in its name."""
    found, (request,) = converse(vendor().call(call, NOW), answer(200, {"id": ID}))

    assert (method, path, body) == (
        request.method,
        request.target,
        msgspec.json.decode(request.body) if request.body else None,
    )
    assert (method == "POST" and not isinstance(call, REPEATABLE)) == (request.retry is Retry.SUBMIT)
    assert (type(None) if record is None else record) is type(found)
    assert not any(each in request.name for each in (ID, OTHER, ENTITY))


def test_rules_stand_in_an_envelope_or_by_themselves() -> None:
    """The document has the envelope of a list there; an array, as everywhere else, is read as well."""
    rule = {"id": ID, "extractor": "invoice", "nextRunDate": "2025-04-03T00:00:00.000Z"}

    for rules in ([rule], {"@type": "hydra:Collection", "hydra:member": [rule], "hydra:totalItems": 1}):
        found, _ = converse(vendor().call(syntage.GetScheduler(ID), NOW), answer(200, {"id": OTHER, "rules": rules}))
        assert [("invoice", datetime(2025, 4, 3, tzinfo=UTC))] == [
            (each.extractor, each.next_run_date) for each in found.rules
        ]


REFUSED: list[tuple[Any, str]] = [
    (lambda: syntage.CreateSchedulerRule(scheduler=ID, extractor="x", cron_expression="@daily"), "extractor must be "),
    (
        lambda: syntage.CreateSchedulerRule(scheduler=ID, extractor="rpc", cron_expression="daily"),
        "cron_expression must be five fields",
    ),
    (
        lambda: syntage.CreateSchedulerRule(scheduler=ID, extractor="rpc", cron_expression="0 0 * * * *"),
        "cron_expression must be five fields",
    ),
    (
        lambda: syntage.CreateSchedulerRule(
            scheduler=ID, extractor="invoice", cron_expression="@daily", options={"kinds": ["I"]}
        ),
        "options.kinds must be left out",
    ),
    (
        lambda: syntage.CreateSchedulerRule(
            scheduler=ID, extractor="invoice", cron_expression="@daily", options={"period": {"from": "soon"}}
        ),
        "options.period.from must be a date",
    ),
    (
        lambda: syntage.CreateSchedulerRule(
            scheduler=ID, extractor="invoice", cron_expression="@daily", options=syntage.BuroOptions()
        ),
        "options must be those of invoice",
    ),
    (lambda: syntage.UpdateSchedulerRule(id=ID, options={"types": ["I"]}), "extractor must be given with options"),
    (lambda: syntage.CreateScheduler(tags=()), "tags must be a tuple"),
    (lambda: syntage.CreateTag(name="X", color="green"), "color must be like #22c558"),
    (lambda: syntage.UpdateEntityTag(id=ID, color="#22c55"), "color must be like #22c558"),
    (lambda: syntage.TagInvoices(resources=(), tags=(ID,)), "resources must be a tuple"),
    (lambda: syntage.TagInvoices(resources=(ID,) * 101, tags=(ID,)), "resources must be at most 100"),
    (lambda: syntage.UntagEntities(resources=(ID,), tags=(ID,) * 51), "tags must be at most 50"),
    (lambda: syntage.TagEntities(resources=(f"/invoices/{ID}",), tags=(ID,)), "resources must be an id or /entities/"),
    (
        lambda: syntage.AddEntityIdentifier(entity=ENTITY, identifier="rfc", value="OOSI800101MDFCLN09"),
        "value must be an RFC",
    ),
    (
        lambda: syntage.AddEntityIdentifier(entity=ENTITY, identifier="curp", value="ZZT190415QA7"),
        "value must be a CURP",
    ),
    (lambda: syntage.PostalAddresses(postal_code="1151"), "postal_code must be five digits"),
    (lambda: syntage.PostalAddresses(postal_code=11510), "postal_code must be five digits"),  # type: ignore[arg-type]
    (lambda: syntage.ShowInsight(name="x", insight=""), "insight must be a text"),
    (lambda: syntage.ShowGroup(name="x", children=()), "children must be a tuple"),
    (lambda: syntage.CreateInsightReport(name="x", insights=()), "insights must be a tuple"),
    (
        lambda: syntage.CreateBuroAuthorization(
            entity=ENTITY, taxpayer=PERSON, authorized_at=datetime(2025, 1, 31)  # noqa: DTZ001
        ),
        "authorized_at must be a datetime with a time zone",
    ),
    (
        lambda: syntage.CreateBuroAuthorization(entity=ENTITY, taxpayer=ADDRESS, authorized_at=GIVEN),  # type: ignore[arg-type]
        "taxpayer must be a BuroPerson or a BuroCompany",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("make", "complaint"), REFUSED, ids=range(len(REFUSED)))
def test_what_syntage_would_refuse_is_refused_before_a_byte(make: Any, complaint: str) -> None:
    """The sentence names the field and what it takes."""
    with pytest.raises(TaskError) as caught:
        make()

    assert str(caught.value).startswith(complaint)


def test_a_batch_may_be_full() -> None:
    """A hundred things, fifty labels."""
    batch = syntage.TagEntities(resources=(ID,) * 100, tags=(OTHER,) * 50)

    assert (100, 50) == (len(batch.resources), len(batch.tags))


@pytest.mark.parametrize(
    ("kind", "changes", "field"),
    [
        (syntage.BuroAddress, {"state": "Ciudad de México"}, "state"),
        (syntage.BuroAddress, {"postal_code": "1151"}, "postal_code"),
        (syntage.BuroAddress, {"country": "México"}, "country"),
        (syntage.BuroAddress, {"city": ""}, "city"),
        (syntage.BuroPerson, {"rfc": "ZZT190415QA7"}, "rfc"),
        (syntage.BuroPerson, {"birthdate": "1980-01-01"}, "birthdate"),
        (syntage.BuroPerson, {"second_last_name": None}, "second_last_name"),
        (syntage.BuroPerson, {"address": "Calle Secreta"}, "address"),
        (syntage.BuroCompany, {"rfc": "ZZZT800101HM2"}, "rfc"),
        (syntage.BuroPerson, {"nationality": "Mexican"}, "nationality"),
        (syntage.BuroCompany, {"nationality": "Mexican"}, "nationality"),
    ],
)
def test_personal_data_is_checked_and_never_repeated(kind: Any, changes: dict[str, Any], field: str) -> None:
    """Neither in the sentence nor in a frame of its traceback."""
    plain: Any = {syntage.BuroAddress: ADDRESS, syntage.BuroPerson: PERSON, syntage.BuroCompany: COMPANY}[kind]

    with pytest.raises(TaskError) as caught:
        kind(**{**{each: getattr(plain, each) for each in plain.__struct_fields__}, **changes})

    assert (field, True) == (caught.value.field, str(caught.value).startswith(f"{field} must be "))
    told = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    library = told.partition("belvo_async/")[2]
    assert not any(word in library for word in ("Secreta", "OCAMPO", "TAPALPA"))


@pytest.mark.parametrize("taxpayer", [PERSON, COMPANY], ids=["person", "company"])
def test_personal_data_is_shown_nowhere(taxpayer: Any) -> None:
    """Not by the parts, the call, or the request it becomes."""
    call = syntage.CreateBuroAuthorization(entity=ENTITY, taxpayer=taxpayer, authorized_at=GIVEN)
    request = next(vendor().call(call, NOW))

    shown = repr([call, taxpayer, ADDRESS, request, call.__rich_repr__(), taxpayer.__rich_repr__()])

    assert not any(word in shown for word in ("ZZ", "INES", "OCAMPO", "TAPALPA", "Secreta", "11510", "1980"))


def test_what_was_read_shows_only_its_id() -> None:
    """An authorization is personal data from end to end; an address of the catalogue is none, and shows nothing."""
    row = {"id": ID, "rfc": "ZZZT800101HM2", "firstName": "INES", "address": "Calle Secreta", "email": "a@example.com"}

    found, _ = converse(vendor().call(syntage.GetBuroAuthorization(ID), NOW), answer(200, row))

    assert f"BuroAuthorization({ID})" == repr(found)
    assert "INES" == pickle.loads(pickle.dumps(found)).first_name


def test_an_address_is_made_of_its_settlement() -> None:
    """Syntage wants what its catalogue says: the code of the state, the names as they stand there."""
    place = syntage.PostalAddress(
        postal_code="11510", neighborhood="Los Morales", municipality="Miguel Hidalgo", state="Ciudad de México",
        state_code="CMX", city="Cd de Mexico",
    )  # fmt: skip

    found = syntage.BuroAddress.within(place, address="Calle Secreta", exterior_number="8")

    assert ADDRESS == found
    with pytest.raises(TaskError, match="city must be a text"):
        syntage.BuroAddress.within(syntage.PostalAddress(postal_code="11510", state_code="CMX"), address="X")


def test_a_score_that_cannot_be_calculated_says_so() -> None:
    """A 422 has a code of its own; what Syntage wrote is not repeated."""
    body = {"@type": "hydra:Error", "hydra:description": "exampleField: Syntage score already exists."}

    with pytest.raises(VendorError) as caught:
        converse(vendor().call(syntage.CalculateSyntageScore(entity=ENTITY), NOW), answer(422, body))

    assert ("unprocessable", 422) == (caught.value.code, caught.value.status_code)
