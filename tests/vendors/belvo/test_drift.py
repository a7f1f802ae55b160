"""Belvo's catalogue beside its documentation: every field, parameter and body key is there, or left out for a reason.

The facts file is written from Belvo's specification and holds nothing of ours. When Belvo changes, it is written anew
and these tests say what to change.
"""

from __future__ import annotations

import json
import types
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, Union, get_args, get_origin

import msgspec
import pytest

from belvo_async import Belvo
from belvo_async.abc import Secret, answer_of
from belvo_async.vendors import belvo
from belvo_async.vendors.belvo.lists import BY_RECORD
from belvo_async.vendors.belvo.schema.tax_returns import TypedTaxReturn
from tests.vendors.belvo.samples import sample

FACTS: dict[str, Any] = json.loads(sample("field_facts"))
FIELDS: dict[str, dict[str, list[str]]] = FACTS["fields"]
EXAMPLES: dict[str, dict[str, str]] = FACTS["tax_return_examples"]
PARAMETERS: dict[str, list[str]] = FACTS["list_parameters"]

RECORDS: dict[str, type[msgspec.Struct]] = {
    "Invoice": belvo.Invoice,
    "Link": belvo.Link,
    "Institution": belvo.Institution,
    "FinancialStatement": belvo.FinancialStatement,
    "TaxStatus": belvo.TaxStatus,
    "TaxComplianceStatus": belvo.TaxComplianceStatus,
    "TaxRetention": belvo.TaxRetention,
    "TaxReturn: personal, yearly": belvo.TaxReturn,
    "TaxReturn: personal, monthly": belvo.TaxReturn,
    "TaxReturn: business, yearly": belvo.TaxReturn,
    "TaxReturn: business, monthly": belvo.TaxReturn,
}
TYPED: dict[str, type[msgspec.Struct]] = {
    "TaxReturn: personal, yearly": belvo.PersonalYearlyReturn,
    "TaxReturn: personal, monthly": belvo.PersonalMonthlyReturn,
    "TaxReturn: business, yearly": belvo.BusinessYearlyReturn,
    "TaxReturn: business, monthly": belvo.BusinessMonthlyReturn,
}
EXAMPLES_OF: dict[str, type[msgspec.Struct]] = {
    "TaxReturnPersonal": belvo.PersonalYearlyReturn,
    "TaxReturnPersonalMonthly_PFAE": belvo.PersonalMonthlyReturn,
    "TaxReturnPersonalMonthly_PFAI": belvo.PersonalMonthlyReturn,
    "TaxReturnBusiness": belvo.BusinessYearlyReturn,
    "TaxReturnBusinessMonthly": belvo.BusinessMonthlyReturn,
}
SECRETS: dict[str, type[msgspec.Struct]] = {"WidgetToken": belvo.WidgetToken}
REQUESTS: dict[str, type[msgspec.Struct]] = {
    name: getattr(belvo, name) for name in FIELDS if name not in {*RECORDS, *SECRETS}
}  # CreateLink, Resume, Invoices, ...

# Documented, and not in the catalogue.
LEFT_OUT: dict[str, str] = {
    "Invoices.save_data": "always true: without it there would be nothing to read after a 202",
    "FinancialStatements.save_data": "as for invoices",
    "RetrieveYearlyTaxReturns.type": "the class says it",
    "RetrieveMonthlyTaxReturns.type": "the class says it",
    "Resume.save_data": "what the call that is resumed says",
    "Refresh.fetch_resources": "named resources, as in the rest of the library",
    "CreateWidgetToken.id": "the account's own secret id, which the dialect adds",
    "CreateWidgetToken.password": "the account's own secret password, which the dialect adds",
}
# In the catalogue, and not in the specification.
ADDED: dict[str, str] = {
    "Invoice.invoice_details[].tax_type": "left the specification late in 2025; older rows hold it",
    "BusinessYearlyReturn.link": "in Belvo's example only",
    "PersonalMonthlyReturn.link": "as in the yearly returns: a row that tells its link is of that link",
    "BusinessMonthlyReturn.link": "as in the yearly returns: a row that tells its link is of that link",
}
# Read as more than the bare JSON type: a form that is documented in words, or proven by examples.
READ_AS: dict[str, type] = {
    "Invoice.invoice_date": date,
    "Invoice.payments[].exchange_rate": Decimal,
    "Invoice.payroll.days": Decimal,
}

JSON_TYPES: dict[str, type] = {
    "string": str,
    "string:date": date,
    "string:date-time": datetime,
    "number": Decimal,
    "integer": int,
    "boolean": bool,
}


def alternatives(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)


def content(kind: Any) -> Any:
    """The type without None, UNSET and the array around it."""
    (bare,) = (each for each in alternatives(kind) if each not in (type(None), msgspec.UnsetType))
    return content(get_args(bare)[0]) if get_origin(bare) in (tuple, Sequence) else bare


def is_array(kind: Any) -> bool:
    return any(get_origin(each) in (tuple, Sequence) for each in alternatives(kind))


def may_be_null(kind: Any) -> bool:
    # A Raw takes whatever comes.
    return any(each in (type(None), msgspec.Raw) for each in alternatives(kind))


@cache
def fields_of(record: type[msgspec.Struct]) -> dict[str, msgspec.structs.FieldInfo]:
    return {field.encode_name: field for field in msgspec.structs.fields(record)}


def field_at(record: type[msgspec.Struct], path: str) -> msgspec.structs.FieldInfo | None:
    """The field a path like `payments[].date` leads to; None where the catalogue ends before."""
    *way, last = path.replace("[]", "").split(".")
    for name in way:
        field = fields_of(record).get(name)
        if field is None or not hasattr(content(field.type), "__struct_fields__"):
            return None
        record = content(field.type)
    return fields_of(record).get(last)


def paths_of(record: type[msgspec.Struct], before: str = "") -> Iterator[str]:
    for name, field in fields_of(record).items():
        yield before + name
        inner = content(field.type)
        if hasattr(inner, "__struct_fields__"):
            yield from paths_of(inner, f"{before}{name}{'[]' if is_array(field.type) else ''}.")


def test_the_facts_are_of_this_catalogue() -> None:
    """Nothing of the facts file stays unread."""
    assert {*RECORDS, *REQUESTS, *SECRETS} == set(FIELDS)
    assert set(EXAMPLES_OF) == set(EXAMPLES)
    assert {each.path for each in BY_RECORD.values()} == set(PARAMETERS)
    assert set(TYPED.values()) == set(get_args(TypedTaxReturn))


def fits(field: msgspec.structs.FieldInfo | None, fact: str, read_as: type | None = None) -> bool:
    """Whether a field takes what is documented, in our type for it."""
    if field is None or fact.startswith("array") is not is_array(field.type):
        return False
    kind = content(field.type)
    if fact in ("object", "array"):
        return kind is msgspec.Raw or issubclass(kind, msgspec.Struct)
    return kind is (read_as or JSON_TYPES[fact.removeprefix("array of ")])


@pytest.mark.parametrize("name", RECORDS)
def test_every_documented_field_is_in_its_record(name: str) -> None:
    """With a type that takes what is documented, exactly; arrays are tuples, numbers Decimals, dates dates."""
    facts = {path: fact for path, (fact, _null, _required) in FIELDS[name].items()}

    misfits = [
        path
        for path, fact in facts.items()
        if not fits(field_at(RECORDS[name], path), fact, READ_AS.get(f"{name}.{path}"))
    ]

    assert [] == misfits


@pytest.mark.parametrize("record", [*RECORDS.values(), *TYPED.values()], ids=lambda record: record.__name__)
def test_every_field_of_a_record_may_be_missing_or_null(record: type[msgspec.Struct]) -> None:
    """At every depth, whatever is documented: fields came and went under one version number."""
    for path in paths_of(record):
        field = field_at(record, path)
        assert field is not None
        assert may_be_null(field.type), path
        assert not field.required, path


@pytest.mark.parametrize("record", sorted({*RECORDS.values(), *TYPED.values()}, key=lambda each: each.__name__))
def test_no_field_of_a_record_is_undocumented(record: type[msgspec.Struct]) -> None:
    """What Belvo does not name is not there, unless there is a reason."""
    named = {name for name, each in [*RECORDS.items(), *TYPED.items()] if each is record}
    known = {path for name in named for path in FIELDS[name]}
    known |= {path for name, each in EXAMPLES_OF.items() if each is record for path in EXAMPLES[name]}

    unknown = {path for path in paths_of(record) if path not in known and f"{record.__name__}.{path}" not in ADDED}

    # One type stands for several parts that differ in a few fields.
    assert set() == {path for path in unknown if not path.startswith(SHARED)}


SHARED = ("retenciones.dividendos[].", "detalle_pago_isr.", "detalle_pago_iva.")

# Texts and numbers that are more than their JSON type says.
EXAMPLES_READ_AS: dict[str, type] = {
    "collected_at": datetime,
    "created_at": datetime,
    "informacion_general.fecha_hora_presentacion": datetime,
    "informacion_general.ejercicio": int,
}


@pytest.mark.parametrize("name", EXAMPLES_OF)
def test_every_key_of_an_example_is_in_the_typed_return(name: str) -> None:
    """The parts are documented as open objects; the typed returns follow Belvo's examples to the last key."""
    misfits = []
    for path, fact in EXAMPLES[name].items():
        field = field_at(EXAMPLES_OF[name], path)
        # What is null in all examples may be an amount or a text.
        facts = ["number", "string"] if fact == "null" else [fact]
        if not any(fits(field, each, EXAMPLES_READ_AS.get(path)) for each in facts):
            misfits.append(path)

    assert [] == misfits


@pytest.mark.parametrize("name", TYPED)
def test_every_documented_part_is_in_the_typed_return(name: str) -> None:
    """What the specification names beside the examples is there as well."""
    assert set() == set(FIELDS[name]) - set(fields_of(TYPED[name]))


@pytest.mark.parametrize("name", REQUESTS)
def test_every_documented_key_of_a_request_can_be_given(name: str) -> None:
    """Each is an attribute of the task or call; what must be there has no default, unless we always send it."""
    for path, (_fact, _null, required) in FIELDS[name].items():
        field = field_at(REQUESTS[name], path)
        if f"{name}.{path}" in LEFT_OUT:
            assert field is None
            continue
        assert field is not None, path
        assert not field.required or required == "required", path


@pytest.mark.parametrize("name", SECRETS)
def test_what_is_secret_is_read_into_secrets(name: str) -> None:
    """Every documented text of it, and nothing else."""
    fields = fields_of(SECRETS[name])

    assert set(FIELDS[name]) == set(fields)
    assert {Secret} == {content(field.type) for field in fields.values()}


def test_what_is_left_out_is_documented() -> None:
    """No reason outlives its field."""
    assert [] == [each for each in LEFT_OUT if each.split(".", 1)[1] not in FIELDS[each.split(".", 1)[0]]]


# Parameters that the walk itself sends, and comparisons that a period or an amount with both ends included covers.
PAGING = {"page", "page_size"}
COVERED = ("", "__gt", "__lt", "__range")
PERIODS = ("created_at", "invoice_date", "total_amount", "ejercicio")
EXPRESSED = {each + ending for each in PERIODS for ending in COVERED} | {"type__in"}


@pytest.mark.parametrize("query", Belvo("an-id", "a-password").queries, ids=lambda query: query.__name__)
def test_every_documented_parameter_of_a_list_can_be_given(query: Any) -> None:
    """And no other is sent: a firewall refuses requests that do not fit their description."""
    documented = set(PARAMETERS[BY_RECORD[answer_of(query)].path])
    sent = {field.encode_name for field in msgspec.structs.fields(query)}
    several = {f"{each}__in" for each in sent if f"{each}__in" in documented}

    assert set() == documented - sent - several - PAGING - EXPRESSED
    assert set() == sent - documented
