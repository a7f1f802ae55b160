"""Ranges, spans, parts of texts and orders: what is sent for them, and which rows are kept."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, Literal, cast

import msgspec
import pytest

from belvo_async.abc import Query
from belvo_async.errors import TaskError
from belvo_async.vendors import syntage
from tests.vendors.syntage.kit import ENTITY, params, vendor

LOW, HIGH = Decimal("100.50"), Decimal(5000)
MIDNIGHT = datetime(2025, 3, 1, tzinfo=UTC)


def asked(query: Query[Any]) -> dict[str, str]:
    """What is sent, but for the length of a page."""
    sent = params(next(vendor().list(query).steps(None)))
    return {name: value for name, value in sent.items() if name != "itemsPerPage"}


def kept(query: Query[Any], *rows: dict[str, Any]) -> list[bool]:
    """Which rows of an answer are kept; the same by the record as by its guard."""
    shape = vendor().list(query).shape
    keep: Any = shape.keep
    by_record, by_guard = ([keep(msgspec.convert(row, kind)) for row in rows] for kind in (shape.record, shape.guard))
    assert by_record == by_guard
    return cast("list[bool]", by_record)


@pytest.mark.parametrize(
    ("bounds", "sent", "fitting"),
    [
        ({"at_least": LOW, "at_most": HIGH}, {"total[between]": "100.50..5000"}, ["100.5", "4999.99", "5000"]),
        ({"at_least": LOW}, {"total[gte]": "100.50"}, ["100.5", "4999.99", "5000", "5000.01"]),
        ({"more_than": LOW}, {"total[gt]": "100.50"}, ["4999.99", "5000", "5000.01"]),
        ({"at_most": HIGH}, {"total[lte]": "5000"}, ["100.49", "100.5", "4999.99", "5000"]),
        ({"less_than": HIGH}, {"total[lt]": "5000"}, ["100.49", "100.5", "4999.99"]),
        ({"more_than": LOW, "less_than": HIGH}, {"total[gt]": "100.50", "total[lt]": "5000"}, ["4999.99"]),
        ({"at_least": LOW, "less_than": HIGH}, {"total[gte]": "100.50", "total[lt]": "5000"}, ["100.5", "4999.99"]),
        ({"at_least": Decimal("5E+3")}, {"total[gte]": "5000"}, ["5000", "5000.01"]),
    ],
    ids=["both", "from", "above", "up to", "below", "between", "half open", "exponent"],
)
def test_a_range_of_amounts(bounds: dict[str, Decimal], sent: dict[str, str], fitting: list[str]) -> None:
    """Each bound is in it or not as its name says, to the last digit; what has no amount is in none."""
    amounts = ["100.49", "100.5", "4999.99", "5000", "5000.01"]
    query = syntage.Invoices(entity=ENTITY, total=syntage.AmountRange(**bounds))

    assert sent == asked(query)
    found = kept(query, *({"total": amount} for amount in amounts))
    assert fitting == [amount for amount, fits in zip(amounts, found, strict=True) if fits]
    assert [False, False] == kept(query, {"total": None}, {})


@pytest.mark.parametrize(
    ("bounds", "field"),
    [
        ({}, "at_least"),
        ({"at_least": 100}, "at_least"),
        ({"at_least": 0.1}, "at_least"),
        ({"at_most": "100"}, "at_most"),
        ({"more_than": Decimal("NaN")}, "more_than"),
        ({"less_than": Decimal("Infinity")}, "less_than"),
        ({"at_least": LOW, "more_than": LOW}, "more_than"),
        ({"at_most": LOW, "less_than": LOW}, "less_than"),
        ({"at_least": HIGH, "at_most": LOW}, "at_most"),
        ({"at_least": LOW, "less_than": LOW}, "at_most"),
    ],
    ids=["all", "int", "float", "text", "nan", "infinite", "two lower", "two upper", "turned", "empty"],
)
def test_a_range_that_means_nothing_is_refused(bounds: dict[str, Any], field: str) -> None:
    """Decimals alone: floats are not what they look like. A range holds something, and not everything."""
    with pytest.raises(TaskError) as caught:
        syntage.AmountRange(**bounds)

    assert field == caught.value.field


def test_an_amount_is_asked_for_by_a_range() -> None:
    """A bare Decimal could mean any of five things."""
    with pytest.raises(TaskError, match=r"^total must be an AmountRange$"):
        syntage.Invoices(entity=ENTITY, total=LOW)  # type: ignore[arg-type]


def test_a_span_may_leave_its_bounds_out() -> None:
    """March is from its first midnight to the next, which is April's."""
    april = datetime(2025, 4, 1, tzinfo=UTC)
    march = syntage.Invoices(entity=ENTITY, issued_after=MIDNIGHT, issued_before=syntage.Strictly(april))
    later = syntage.Invoices(entity=ENTITY, issued_after=syntage.Strictly(MIDNIGHT))

    assert {
        "issuedAt[after]": "2025-03-01T00:00:00Z",
        "issuedAt[strictly_before]": "2025-04-01T00:00:00Z",
    } == asked(march)
    assert {"issuedAt[strictly_after]": "2025-03-01T00:00:00Z"} == asked(later)
    rows = [{"issuedAt": at} for at in ("2025-03-01T00:00:00Z", "2025-03-31T23:59:59.9Z", "2025-04-01T00:00:00Z")]
    assert [True, True, False] == kept(march, *rows)
    assert [False, True, True] == kept(later, *rows)


@pytest.mark.parametrize("side", ["after", "before"])
def test_a_bound_between_two_seconds_loses_nothing(side: Literal["after", "before"]) -> None:
    """Whole seconds are sent, so that rather too much comes; what lies beyond the bound is left out here."""
    half = MIDNIGHT + timedelta(seconds=30.5)
    bound: Any = {f"created_{side}": half}
    rows = [{"createdAt": f"2025-03-01T00:00:30.{digit}Z"} for digit in (4, 5, 6)]

    query = syntage.Invoices(entity=ENTITY, **bound)

    second = {"after": 30, "before": 31}[side]
    assert {f"createdAt[{side}]": f"2025-03-01T00:00:{second}Z"} == asked(query)
    assert {"after": [False, True, True], "before": [True, True, False]}[side] == kept(query, *rows)


def test_the_last_instant_of_the_calendar_is_a_bound() -> None:
    """There is no second after it."""
    query = syntage.Invoices(entity=ENTITY, created_before=datetime.max.replace(tzinfo=UTC))

    assert {"createdAt[before]": "9999-12-31T23:59:59Z"} == asked(query)


@pytest.mark.parametrize(
    ("after", "before", "field"),
    [
        (MIDNIGHT, syntage.Strictly(MIDNIGHT), "issued_before"),
        (syntage.Strictly(MIDNIGHT), MIDNIGHT, "issued_before"),
        (syntage.Strictly(MIDNIGHT), MIDNIGHT - timedelta(seconds=1), "issued_before"),
        (date(2025, 3, 1), None, "issued_after"),
        (None, syntage.Strictly(date(2025, 3, 1)), "issued_before"),
    ],
    ids=["empty", "empty before", "turned", "day", "strictly a day"],
)
def test_a_span_that_holds_nothing_is_refused(after: Any, before: Any, field: str) -> None:
    """As one that ends before it begins."""
    with pytest.raises(TaskError, match=f"^{field} must") as caught:
        syntage.Invoices(entity=ENTITY, issued_after=after, issued_before=before)

    assert field == caught.value.field


def test_an_instant_that_is_left_out_needs_a_time_zone() -> None:
    """As any other."""
    with pytest.raises(TaskError, match=r"^at must be a datetime with a time zone or a date$"):
        syntage.Strictly(datetime(2025, 3, 1))  # noqa: DTZ001


def test_days_are_asked_for_as_days() -> None:
    """What has no time of day is compared with none."""
    query = syntage.Entities(registered_after=date(2019, 4, 15), registered_before=date(2019, 4, 16))

    assert {
        "taxpayer.registrationDate[after]": "2019-04-15T00:00:00Z",
        "taxpayer.registrationDate[before]": "2019-04-16T00:00:00Z",
    } == asked(query)
    days = ("2019-04-14", "2019-04-15", "2019-04-16", "2019-04-17", None)
    rows = [{"taxpayer": {"registrationDate": day}} for day in days]
    assert [False, True, True, False, False, False] == kept(query, *rows, {})

    later = syntage.Entities(registered_after=syntage.Strictly(date(2019, 4, 15)))
    assert {"taxpayer.registrationDate[strictly_after]": "2019-04-15T00:00:00Z"} == asked(later)
    assert [False, False, True, True, False, False] == kept(later, *rows, {})


@pytest.mark.parametrize(
    "given", [MIDNIGHT, "2019-04-15", syntage.Strictly(MIDNIGHT)], ids=["instant", "text", "strict"]
)
def test_a_day_is_no_instant(given: Any) -> None:
    """Which day an instant is of depends on where."""
    with pytest.raises(TaskError, match=r"^registered_after must be a date$"):
        syntage.Entities(registered_after=given)


@pytest.mark.parametrize(
    ("wanted", "fitting"), [("muñoz", [True, True, True, False]), ("MUNOZ", [True, True, True, False])]
)
def test_a_part_of_a_name(wanted: str, fitting: list[bool]) -> None:
    """Whether a case or an accent counts is the vendor's affair: no row is left out for one. A name is needed."""
    query = syntage.Invoices(entity=ENTITY, issuer_name=wanted)
    names = ("ANA MUÑOZ ARCE", "Munoz y Cía", "mun\u0303oz", "ANA ARCE")

    assert {"issuer.name": wanted} == asked(query)
    assert fitting == kept(query, *({"issuer": {"name": name}} for name in names))
    assert [False, False] == kept(query, {"issuer": {"name": None}}, {})


FILTERS: list[tuple[Query[Any], dict[str, str], dict[str, Any], list[dict[str, Any]]]] = [
    (
        syntage.Invoices(
            entity=ENTITY,
            version=Decimal("4.0"),
            issuer_tax_regime=601,
            issuer_blacklist_status="presumed",
            receiver_blacklist_status="definitive",
            pac="SAT970701NN3",
        ),
        {
            "version": "4.0",
            "issuer.taxRegime": "601",
            "issuer.blacklistStatus": "presumed",
            "receiver.blacklistStatus": "definitive",
            "pac": "SAT970701NN3",
        },
        {
            "version": 4,
            "issuer": {"taxRegime": 601, "blacklistStatus": "presumed"},
            "receiver": {"blacklistStatus": "definitive"},
            "pac": "SAT970701NN3",
        },
        [
            {"version": "3.3"},
            {"issuer": {"taxRegime": 612, "blacklistStatus": "presumed"}},
            {"issuer": {"taxRegime": 601}},
            {"receiver": None},
            {"pac": "SAT970701NN"},
        ],
    ),
    (
        syntage.Invoices(
            entity=ENTITY,
            cancellation_status="No cancelable",
            cancellation_process_status="En proceso",
            has_payment_method=False,
            last_payment_date_before=MIDNIGHT,
        ),
        {
            "cancellationStatus": "No cancelable",
            "cancellationStatusProcess": "En proceso",
            "exists[paymentMethod]": "false",
            "lastPaymentDate[before]": "2025-03-01T00:00:00Z",
        },
        {
            "cancellationStatus": "No cancelable",
            "cancellationProcessStatus": "En proceso",
            "lastPaymentDate": "2025-01-01T00:00:00Z",
        },
        [
            {"cancellationStatus": "Cancelable sin aceptación"},
            {"cancellationProcessStatus": None},
            {"paymentMethod": "03"},
            {"lastPaymentDate": "2025-03-02T00:00:00Z"},
        ],
    ),
    (
        syntage.TaxRetentions(
            entity=ENTITY,
            internal_identifier="00001",
            issuer_curp="C",
            receiver_nationality="foreign",
            total_retained_amount=syntage.AmountRange(more_than=Decimal(0)),
            period_to_after=MIDNIGHT,
        ),
        {
            "internalIdentifier": "00001",
            "issuer.curp": "C",
            "receiver.nationality": "foreign",
            "totalRetainedAmount[gt]": "0",
            "periodTo[after]": "2025-03-01T00:00:00Z",
        },
        {
            "internalIdentifier": "00001",
            "issuer": {"curp": "C"},
            "receiver": {"nationality": "foreign"},
            "totalRetainedAmount": "0.01",
            "periodTo": "2025-03-31T00:00:00Z",
        },
        [
            {"internalIdentifier": "1"},
            {"issuer": {"curp": "CC"}},
            {"receiver": {"nationality": "national"}},
            {"totalRetainedAmount": 0},
            {"periodTo": None},
        ],
    ),
    (
        syntage.TaxReturns(entity=ENTITY, complementary="modificación", capture_line="0420"),
        {"complementary": "modificación", "captureLine": "0420"},
        {"complementary": "Modificación de Declaración", "captureLine": "042007HZ"},
        [{"complementary": None}, {"captureLine": "1"}],
    ),
    (
        syntage.ElectronicAccountingRecords(entity=ENTITY, filename="202203", code=("1", "2")),
        {"filename": "202203", "code[]": "2"},
        {"filename": "PEIC211118IS0202203BN.zip", "code": "1"},
        [{"filename": "x.zip"}, {"code": "3"}],
    ),
    (
        syntage.RugGarantias(
            entity=ENTITY,
            acreedor="banco",
            descripcion_de_los_bienes="bienes",
            monto=syntage.AmountRange(at_least=LOW),
            fecha_de_celebracion_del_acto_o_contrato_after=MIDNIGHT,
        ),
        {
            "acreedor": "banco",
            "descripcionDeLosBienes": "bienes",
            "monto[gte]": "100.50",
            "fechaDeCelebracionDelActoOContrato[after]": "2025-03-01T00:00:00Z",
        },
        {
            "acreedor": "Banco de Tapalpa",
            "descripcionDeLosBienes": "BIENES PRESENTES",
            "monto": "100.5",
            "fechaDeCelebracionDelActoOContrato": "2025-03-01T00:00:00Z",
        },
        [{"acreedor": "Caja"}, {"descripcionDeLosBienes": ""}, {"monto": 1}, {"monto": None}],
    ),
    (
        syntage.Shareholders(type="legal", name="holding", rfc="EHO240101AB1"),
        {"type": "legal", "name": "holding", "rfc": "EHO240101AB1"},
        {"type": "legal", "name": "EJEMPLO HOLDINGS", "rfc": "EHO240101AB1"},
        [{"type": "unknown"}, {"name": "EJEMPLO"}, {"rfc": "EHO240101AB"}, {"rfc": None}],
    ),
    (
        syntage.ShareholderRelations(shareholder="1", relation_type="shareholder_of"),
        {"relationType": "shareholder_of"},
        {"relationType": "shareholder_of"},
        [{"relationType": "shareholders"}],
    ),
    (
        syntage.ShareholderSources(shareholder="1", relation="2", source_name="manual"),
        {"sourceName": "manual"},
        {"sourceName": "manual"},
        [{"sourceName": "rpc_socio"}],
    ),
    (
        syntage.FoundEntities(report="1", full_name="perez", entity_type="person", is_active=False),
        {"fullName": "perez", "entityType": "person", "isActive": "false"},
        {"fullName": "Juan Pérez", "entityType": "person", "isActive": False},
        [{"fullName": "Juan"}, {"entityType": "company"}, {"isActive": True}, {"isActive": None}],
    ),
    (
        syntage.BackgroundCheckRecords(background_check="1", category="criminal_record"),
        {"category": "criminal_record"},
        {"category": "criminal_record"},
        [{"category": "behavior"}],
    ),
    (
        syntage.TaxComplianceChecks(entity=ENTITY, rfc="ZZT190415QA7", name="zapa"),
        {"taxpayer.rfc": "ZZT190415QA7", "taxpayer.name": "zapa"},
        {"taxpayer": {"rfc": "ZZT190415QA7", "name": "ZAPATERIA"}},
        [{"taxpayer": {"rfc": "X", "name": "ZAPATERIA"}}, {"taxpayer": None}],
    ),
]


@pytest.mark.parametrize(
    ("query", "sent", "fitting", "changes"), FILTERS, ids=[type(query).__name__ for query, *_ in FILTERS]
)
def test_every_filter_is_sent_and_asked_of_each_row_again(
    query: Query[Any], sent: dict[str, str], fitting: dict[str, Any], changes: list[dict[str, Any]]
) -> None:
    """A row that differs in anything asked is not kept."""
    assert sent == asked(query)
    assert [True] + [False] * len(changes) == kept(query, fitting, *({**fitting, **change} for change in changes))


@pytest.mark.parametrize(
    ("query", "sent"),
    [
        (syntage.Entities(order="created_at"), {"order[createdAt]": "asc"}),
        (syntage.Entities(order="-updated_at"), {"order[updatedAt]": "desc"}),
        (syntage.Invoices(entity=ENTITY, order="-amount"), {"order[amount]": "desc"}),
        (
            syntage.TaxRetentions(entity=ENTITY, order="total_retained_amount"),
            {"order[totalRetainedAmount]": "asc"},
        ),
        (syntage.BackgroundChecks(order="-score"), {"order[score]": "desc"}),
    ],
    ids=["ascending", "descending", "amount", "snake", "score"],
)
def test_rows_come_in_an_order(query: Query[Any], sent: dict[str, str]) -> None:
    """It is the vendor's to keep: rows are neither compared nor sorted here."""
    assert sent == asked(query)
    assert vendor().list(query).shape.keep is None


def test_what_is_ordered_is_counted_and_not_asked_for_by_cursor() -> None:
    """Both together were seen to bring nothing; the count proves whether all came."""
    (plain, ordered) = (
        dict(next(vendor().list(syntage.Invoices(entity=ENTITY, **order)).steps(None)).headers)
        for order in ({}, cast("dict[str, Any]", {"order": "issued_at"}))
    )

    assert ("cursor", "0") == (plain["X-Pagination-Style"], plain["X-Pagination-Enable-Partial"])
    assert (None, "0") == (ordered.get("X-Pagination-Style"), ordered["X-Pagination-Enable-Partial"])


@pytest.mark.parametrize("order", ["total", "--amount", "issuedAt", "", 1, ("amount",)])
def test_an_order_that_the_list_does_not_document_is_refused(order: Any) -> None:
    """Syntage would ignore it, and give any order."""
    with pytest.raises(TaskError, match=r"^order must be one of issued_at, -issued_at, ") as caught:
        syntage.Invoices(entity=ENTITY, order=order)

    assert "order" == caught.value.field


def test_bounds_count_across_time_zones() -> None:
    """The same instant, wherever it is said."""
    mexico = timezone(timedelta(hours=-6))
    query = syntage.Invoices(entity=ENTITY, issued_after=syntage.Strictly(datetime(2025, 2, 28, 18, tzinfo=mexico)))

    assert {"issuedAt[strictly_after]": "2025-03-01T00:00:00Z"} == asked(query)
