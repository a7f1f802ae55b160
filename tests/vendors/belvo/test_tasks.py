"""Belvo's tasks and queries: what is refused before any byte is sent."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from belvo_async.errors import TaskError
from belvo_async.jobs import read_task, task_key
from belvo_async.vendors.belvo import (
    DeleteLink,
    FinancialStatementList,
    FinancialStatements,
    GetInstitution,
    Institutions,
    InvoiceList,
    Invoices,
    Links,
    Refresh,
    RetrieveTaxStatus,
    TaxReturnList,
    TaxStatusList,
)
from tests.vendors.belvo.samples import BELVO, LINK, NOW, TASK, job_of

FIRST = date(2025, 1, 1)


def invoices(**changes: Any) -> Invoices:
    usual: dict[str, Any] = {"link": LINK, "date_from": FIRST, "date_to": date(2025, 12, 31)}
    return Invoices(**{**usual, **changes})


@pytest.mark.parametrize(
    ("field", "change"),
    [
        pytest.param("link", {"link": ""}, id="no link"),
        pytest.param("link", {"link": "  "}, id="blank link"),
        pytest.param("link", {"link": "a" * 129}, id="endless link"),
        pytest.param("link", {"link": "a/../b"}, id="link with a path"),
        pytest.param("link", {"link": "abc\n"}, id="link with a line end"),
        pytest.param("link", {"link": "ñandú"}, id="link with accents"),
        pytest.param("link", {"link": None}, id="null link"),
        pytest.param("date_from", {"date_from": datetime(2025, 1, 1, tzinfo=UTC)}, id="from an instant"),
        pytest.param("date_to", {"date_to": datetime(2025, 1, 1, tzinfo=UTC)}, id="to an instant"),
        pytest.param("date_from", {"date_from": "2025-01-01"}, id="date as text"),
        pytest.param("date_to", {"date_to": date(2024, 12, 31)}, id="backwards"),
        pytest.param("date_to", {"date_to": date(2026, 1, 1)}, id="366 days"),
        pytest.param("type", {"type": "inflow"}, id="lower case type"),
        pytest.param("type", {"type": ""}, id="empty type"),
        pytest.param("fields", {"fields": "id"}, id="fields as text"),
        pytest.param("fields", {"fields": 3}, id="fields as a number"),
        pytest.param("fields", {"fields": ["a,b"]}, id="two names in one"),
        pytest.param("fields", {"fields": [1]}, id="a name that is a number"),
        pytest.param("omit", {"omit": ["A&B"]}, id="omit with an ampersand"),
        pytest.param("omit", {"fields": ["xml"], "omit": ["xml"]}, id="wanted and left out"),
    ],
)
def test_a_task_that_cannot_be_is_refused_naming_the_field(field: str, change: dict[str, Any]) -> None:
    """Wrong order, span, type, link or names raise TaskError at construction."""
    with pytest.raises(TaskError) as refused:
        invoices(**change)

    assert field == refused.value.field


@pytest.mark.parametrize("days", [1, 365])
def test_periods_of_one_day_to_365_days_are_taken(days: int) -> None:
    """Both dates count."""
    task = Invoices(link=LINK, date_from=FIRST, date_to=FIRST + timedelta(days=days - 1))

    assert FIRST == task.date_from


def test_a_link_has_one_spelling() -> None:
    """Tasks are equal however the link's id was copied, so they become one job."""
    tasks = [invoices(link=each) for each in (LINK, LINK.upper(), LINK.replace("-", ""))]

    assert 1 == len({task_key("account", task) for task in tasks})
    assert LINK == tasks[1].subject


def test_links_that_are_no_uuids_keep_their_spelling() -> None:
    """Only subjects are compared without case."""
    task = invoices(link="Sim-Link_1")

    assert ("Sim-Link_1", "sim-link_1") == (task.link, task.subject)


def test_names_are_kept_as_a_tuple() -> None:
    """A list given by the caller cannot change a task later; an empty one means all."""
    task = invoices(fields=["id", "xml"], omit=[])

    assert (("id", "xml"), None) == (task.fields, task.omit)
    assert isinstance(hash(task), int)


@pytest.mark.parametrize(
    "task",
    [
        TASK,
        FinancialStatements(link=LINK),
        Refresh(link=LINK),
        Refresh(link=LINK, resources=["TAX_STATUS", "INVOICES"]),
        DeleteLink(link=LINK),
    ],
    ids=lambda task: task.kind,
)
def test_a_stored_task_comes_back(task: Invoices | FinancialStatements | Refresh | DeleteLink) -> None:
    """A task is found again by its kind and equals the one that was stored."""
    assert task == read_task(msgspec.json.encode(task))
    assert type(task) is BELVO.tasks[task.kind]
    assert ("belvo", LINK) == (task.vendor, task.subject)


def test_tasks_name_their_resource_in_belvos_word() -> None:
    """The word is the one webhooks use as `webhook_type`."""
    assert ["INVOICES", "FINANCIAL_STATEMENTS"] == [TASK.resource, FinancialStatements(link=LINK).resource]


@pytest.mark.parametrize("task", [FinancialStatements, Refresh, DeleteLink])
def test_every_task_needs_a_link(task: type[FinancialStatements] | type[Refresh] | type[DeleteLink]) -> None:
    with pytest.raises(TaskError) as refused:
        task(link="")

    assert "link" == refused.value.field


def test_equal_choices_of_resources_are_equal_refreshes() -> None:
    """Whatever their order and repetitions, so that they become one job."""
    one = Refresh(link=LINK, resources=["TAX_STATUS", "INVOICES", "INVOICES"])
    other = Refresh(link=LINK, resources=("INVOICES", "TAX_STATUS"))

    assert task_key("account", one) == task_key("account", other)


@pytest.mark.parametrize("resources", [(), []], ids=["tuple", "list"])
def test_a_refresh_of_nothing_is_refused(resources: Any) -> None:
    """An empty choice is not taken for everything; the error says how to ask for that."""
    with pytest.raises(TaskError, match="None refreshes") as refused:
        Refresh(link=LINK, resources=resources)

    assert "resources" == refused.value.field


@pytest.mark.parametrize("resources", ["INVOICES", ["invoices"], ["ACCOUNTS"], [None], 5])
def test_a_refresh_of_unknown_resources_is_refused(resources: Any) -> None:
    """The error names the words there are."""
    with pytest.raises(TaskError) as refused:
        Refresh(link=LINK, resources=resources)

    assert "resources" == refused.value.field


def test_no_task_of_a_link_is_taken_for_the_answer_to_a_post() -> None:
    """Deliveries are adopted by resource: a refresh of invoices is not the POST for invoices."""
    assert not {"INVOICES", "FINANCIAL_STATEMENTS"} & {
        Refresh(link=LINK, resources=["INVOICES"]).resource, DeleteLink(link=LINK).resource
    }  # fmt: skip


@pytest.mark.parametrize(
    ("today", "refused"),
    [
        pytest.param(datetime(2026, 2, 28, 0, 1, tzinfo=UTC), False, id="today"),
        pytest.param(datetime(2026, 2, 27, 23, 59, tzinfo=UTC), True, id="tomorrow"),
    ],
)
def test_the_future_is_refused_by_today_in_utc(today: datetime, refused: bool) -> None:
    """Only `check` knows the day; the task itself can be built any time."""
    assert date(2026, 2, 28) == TASK.date_to
    if not refused:
        BELVO.check(TASK, today)
        return
    with pytest.raises(TaskError) as error:
        BELVO.check(TASK, today)
    assert "date_to" == error.value.field


def test_tasks_of_others_are_refused() -> None:
    """A task that is not of this catalogue never reaches the wire; the error names those that are."""
    with pytest.raises(TaskError) as refused:
        BELVO.check(read_task(b'{"kind":"other.Thing"}'), NOW)

    assert "a Belvo task is one of DeleteLink, FinancialStatements, Invoices, Refresh" in str(refused.value)


def test_one_lane_per_link_of_an_account() -> None:
    """All tasks of a link share a lane in every spelling of its id; other links and accounts have their own."""
    lanes = {
        BELVO.lane(TASK),
        BELVO.lane(Refresh(link=LINK)),
        BELVO.lane(DeleteLink(link=LINK)),
        BELVO.lane(FinancialStatements(link=LINK.upper())),
        BELVO.lane(FinancialStatements(link="other")),
    }

    assert 2 == len(lanes)
    assert all(lane and lane.startswith(BELVO.account) for lane in lanes)


@pytest.mark.parametrize(
    ("field", "build"),
    [
        pytest.param("link", lambda: InvoiceList(link=[]), id="no link"),
        pytest.param("link", lambda: FinancialStatementList(link=["a b"]), id="odd link"),
        pytest.param("date_to", lambda: InvoiceList(link=LINK, date_from=NOW.date(), date_to=FIRST), id="backwards"),
        pytest.param("date_from", lambda: InvoiceList(link=LINK, date_from=NOW), id="instant"),
        pytest.param("created_to", lambda: Links(created_from=NOW.date(), created_to=FIRST), id="created backwards"),
        pytest.param("created_from", lambda: Links(created_from=NOW), id="created at an instant"),
        pytest.param("total_amount_to", lambda: InvoiceList(link=LINK, total_amount_to=Decimal("NaN")), id="NaN"),
        pytest.param("total_amount_to", lambda: InvoiceList(link=LINK, total_amount_to=Decimal("1.00001")), id="fine"),
        pytest.param("total_amount_from", lambda: InvoiceList(link=LINK, total_amount_from=Decimal(-1)), id="below 0"),
        pytest.param("type", lambda: InvoiceList(link=LINK, type="BOTH"), id="type"),  # type: ignore[arg-type]
        pytest.param("omit", lambda: Links(omit=("a b",)), id="name"),
        pytest.param("link", lambda: TaxStatusList(link="a b"), id="odd link of a tax status"),
        pytest.param("year_to", lambda: TaxReturnList(link=LINK, year_from=2025, year_to=2024), id="years backwards"),
        pytest.param("year_from", lambda: TaxReturnList(link=LINK, year_from=25), id="two digits"),
        pytest.param("year_to", lambda: TaxReturnList(link=LINK, year_to="2024"), id="text"),  # type: ignore[arg-type]
        pytest.param(
            "total_amount_to",
            lambda: InvoiceList(link=LINK, total_amount_from=Decimal(2), total_amount_to=Decimal(1)),
            id="amounts backwards",
        ),
        pytest.param("id", lambda: Links(id=["a b"]), id="odd id"),
        pytest.param("institution", lambda: Links(institution="SAT"), id="institution in capitals"),
        pytest.param("access_mode", lambda: Links(access_mode="foo"), id="access mode"),
        pytest.param("refresh_rate", lambda: Links(refresh_rate="weekly"), id="refresh rate in a word"),
        pytest.param("status", lambda: Links(status="foo"), id="status of a link"),
        pytest.param("status", lambda: Links(status=["valid", "foo"]), id="one of two statuses"),
        pytest.param("type", lambda: Institutions(type="store"), id="type of an institution"),
        pytest.param("status", lambda: Institutions(status="ill"), id="status of an institution"),
        pytest.param("country_code", lambda: Institutions(country_code="mx"), id="country in small letters"),
        pytest.param("resources", lambda: Institutions(resources="INVOICES"), id="one resource as text"),
        pytest.param("external_id", lambda: Links(external_id=["a,b", "c"]), id="a comma in one of several"),
    ],
)
def test_a_query_that_cannot_be_is_refused_naming_the_field(field: str, build: Any) -> None:
    """Queries are checked like tasks."""
    with pytest.raises(TaskError) as refused:
        build()

    assert field == refused.value.field
    assert field in str(refused.value)


@pytest.mark.parametrize(
    "query",
    [
        Links(refresh_rate="null", status=("valid", "token_required"), institution="sat_mx_fiscal"),
        Links(refresh_rate="7d", access_mode="recurrent", external_id="a,b"),
        Institutions(type="fiscal", status=["healthy", "down"], country_code="MX", resources=["ACCOUNTS", "INVOICES"]),
        InvoiceList(link=LINK, status="Vigente", total_amount_from=Decimal(1), total_amount_to=Decimal(1)),
        TaxReturnList(link=LINK, tipo_declaracion=("Normal", "Something new")),
    ],
    ids=lambda query: type(query).__name__,
)
def test_documented_and_open_values_are_taken(query: Any) -> None:
    """Only what Belvo closes (enumerations, patterns) is refused; words it may add one day pass."""
    assert next(BELVO.list(query).steps(None)).target


ODD = [3, 2.5, True, b"x", "", [], (), {}, [3], ["a", 3], object(), Decimal("NaN"), datetime(2025, 1, 1, tzinfo=UTC)]
# What each type needs to be built at all; every other attribute is optional.
NEEDED: dict[str, Any] = {
    "link": LINK, "id": "a", "institution": "sat_mx_fiscal", "username": "x" * 12, "password": "y" * 8,
    "date_from": FIRST, "date_to": FIRST, "year_from": 2024, "year_to": 2024, "type": "INFLOW",
    "session": "5" * 32, "call": RetrieveTaxStatus(link=LINK),
}  # fmt: skip
TYPES: list[Any] = [*BELVO.queries, *BELVO.calls, *BELVO.tasks.values()]


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: f"{type(odd).__name__}-{len(str(odd))}")
def test_whatever_is_given_is_taken_or_refused_by_name(kind: Any, odd: object) -> None:
    """A value of another type gives a TaskError that names its field, never an exception of Python's own."""
    fields = msgspec.structs.fields(kind)
    usual = {each.name: 5 if kind is GetInstitution else NEEDED[each.name] for each in fields if each.required}

    for field in fields:
        refused = refusal(kind, usual | {field.name: odd})

        assert refused is None or refused.field in str(refused)


def refusal(kind: Any, given: dict[str, Any]) -> TaskError | None:
    try:
        assert first_request(kind(**given)).target
    except TaskError as refused:
        return refused
    return None


def first_request(built: Any) -> Any:
    if type(built) in BELVO.queries:
        return next(BELVO.list(built).steps(None))
    if type(built) in BELVO.calls:
        return next(BELVO.call(built, NOW))
    return next(BELVO.start(job_of(built), NOW))


@pytest.mark.parametrize("number", [3, [3], None], ids=str)
def test_a_link_that_is_no_text_is_refused_by_name(number: Any) -> None:
    with pytest.raises(TaskError, match="link") as refused:
        InvoiceList(link=number)

    assert "link" == refused.value.field
