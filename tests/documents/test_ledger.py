"""The catalogues against the vendors' documents: operation by operation, parameter by parameter, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args

import msgspec
import pytest

from belvo_async.abc import answer_of
from belvo_async.payload import decode
from tests.documents import ledger
from tests.documents.ledger import offers, operations
from tests.documents.offers import VENDORS, Offer, Operation
from tests.documents.pages import PAGES, Page, printed
from tests.documents.said import compare, say
from tests.vendors.belvo.test_drift import EXPRESSED, PAGING, field_at
from tests.vendors.syntage.test_drift import LEFT_OUT

# Parameters that no query needs to send, by how they end or what they are.
ACCEPTED_PARAMETERS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("page", "itemsPerPage", "id[gt]", "id[lt]", *PAGING), "pages are walked by the library"),
    **dict.fromkeys(EXPRESSED, "a period or an amount with both bounds included says the same"),
}
# By operation.
ACCEPTED_BODIES: Final[Mapping[str, str]] = {
    "CreateExtraction.taxpayer": "deprecated; sent for an entity that is given as /taxpayers/RFC",
    "RegisterLink.username2": "for institutions that ask for it; SAT asks for none",
    "PatchLinks.save_data": "what the call that is resumed says",
}
# Sent although the document's schema does not name it.
UNDOCUMENTED: Final[Mapping[str, str]] = {
    "ListEntityEvents.taxpayer.id": "rows are compared again, should it be ignored",
    "GenerateWidgetAccessToken.link_id": "named by the page on the widget's update mode, and sent by Belvo's clients",
    **{
        f"ExportInsight.options[{each}]": "documented in words: those of the insight that is exported"
        for each in ("from", "to", "periodicity", "type")
    },
}
# Fields of answers that are read as more, or less, than the document's schema says.
ACCEPTED_FIELDS: Final[Mapping[str, str]] = {
    "Event.data": "its two parts, `object` and `changes`, are documented in words",
    "Concentration.total": "an amount, written as a text in the deprecated form",
    "Concentration.share": "see Concentration.total",
    "FinancialInstitutions.data.transactions.total": "a whole number by its type, an amount by its words",
    "GovernmentCustomers.data.transactions.total": "see FinancialInstitutions.data.transactions.total",
    "InsightReport.insights": "groups hold entries without an end: the drift test holds them to three levels",
    "Scheduler.rules": "taken out of the envelope of a list: the drift test holds them",
    "BalanceSheet.data": "of no fields in its schema, but in its example: years stand among them, and are put apart",
    "IncomeStatement.data": "see BalanceSheet.data",
    **{
        f"EntitySummary.{each}": "a whole number by its type, an amount by its words"
        for each in (
            "lastYearNetIncome",
            "lastYearTotalIncome",
            "totalRevenueLastTaxReturn",
            "totalNetProfitLastTaxReturn",
        )
    },
    **{name: reason for name, reason in LEFT_OUT.items() if "." in name},
}

VENDOR = pytest.mark.parametrize("vendor", VENDORS)


def offered(vendor: str) -> Iterator[tuple[Operation, list[Offer]]]:
    """Each operation that some type offers, with all that offer it."""
    for operation in operations(vendor):
        found = [each for each in offers(vendor).found if each.operation is operation]
        if found:
            yield operation, found


@VENDOR
def test_every_operation_is_offered_or_out_for_a_reason(vendor: str) -> None:
    """What the vendor documents has a type, or stands outside of our scope."""
    there = {operation["name"] for operation, _ in offered(vendor)}
    names = {each["name"] for each in operations(vendor)}
    out = {each["name"] for each in operations(vendor) if "out" in each}

    assert set() == names - there - out
    assert set() == there & out


@VENDOR
def test_every_type_asks_for_documented_operations_alone(vendor: str) -> None:
    """Each has one at least, in whatever way its fields are given."""
    account = VENDORS[vendor]
    kinds = {*account.tasks.values(), *account.queries, *account.calls, *account.downloads}

    assert [] == sorted(set(offers(vendor).untied))
    assert set() == kinds - {each.kind for each in offers(vendor).found}


@VENDOR
def test_the_ledger_names_the_types_that_offer_an_operation(vendor: str) -> None:
    """Else: `python -m tests.documents.ledger`."""
    assert ledger.tied(vendor) == operations(vendor)


@VENDOR
def test_every_documented_parameter_can_be_asked(vendor: str) -> None:
    """By one of the types that offer the operation; nothing else is asked: Syntage would ignore it."""
    for operation, found in offered(vendor):
        name, documented = operation["name"], set(operation.get("query", ()))
        sent = {each for offer in found for each in offer.query}
        missing = {field_of(each) for each in documented - sent if not is_accepted(each)}

        assert set() == missing, name
        assert [] == [each for each in sorted(sent - documented) if f"{name}.{each}" not in UNDOCUMENTED], name


def field_of(parameter: str) -> str:
    """The field that a comparison is of; orders and questions whether there is one stand for themselves."""
    return parameter if parameter.startswith(("order[", "exists[")) else parameter.partition("[")[0]


def is_accepted(parameter: str) -> bool:
    """Whether nothing is lost without a parameter: by its name, or by its operator."""
    return bool({parameter, f"[{parameter.partition('[')[2]}"} & ACCEPTED_PARAMETERS.keys())


@VENDOR
def test_every_documented_field_of_a_body_can_be_sent(vendor: str) -> None:
    """At every depth, as far as the document names fields; nothing else is sent."""
    for operation, found in offered(vendor):
        name, kinds = operation["name"], operation.get("body", {})
        documented = set(paths_of(kinds))
        # Of what holds its own kind, one level is written out.
        open_ones = {path for path, kind in documented if kind == "open" or kind.startswith("@")}
        names = {path for path, _ in documented} | set(operation.get("needs", ()))
        sent = {each for offer in found for each in offer.body}
        unsent = {each for each, _ in documented if each not in sent and not is_below(each, sent)}
        others = {each for each in sent - names if not is_below(each, open_ones)}

        assert [] == [each for each in sorted(unsent) if f"{name}.{each}" not in ACCEPTED_BODIES], name
        assert [] == [each for each in sorted(others) if f"{name}.{each}" not in UNDOCUMENTED], name


def is_below(path: str, ones: set[str]) -> bool:
    """Whether a path leads on from one of these, or from a place where anything may stand."""
    return any(path.startswith(f"{each.removesuffix('*').rstrip('.')}.") for each in ones if path != each)


def paths_of(kind: Any, before: str = "") -> Iterator[tuple[str, str]]:
    """Every field of a kind by its path, with the word for it; arrays are passed through."""
    while isinstance(kind, list):
        kind = kind[0]
    for name, each in kind.items() if isinstance(kind, dict) else ():
        if name != "?":
            word = each[0] if isinstance(each, list) else each
            yield before + name, word.rstrip("?") if isinstance(word, str) else ""
            yield from paths_of(each, f"{before}{name}.")


def answers(vendor: str) -> Iterator[tuple[str, Any, type[msgspec.Struct]]]:
    """What the document says of each answer that is read into a record."""
    for operation, found in offered(vendor):
        kind = operation.get("rows", operation.get("answer"))
        for offer in found:
            record = answer_of(offer.kind) if offer.verb in ("list", "call") else None
            record = get_args(record)[0] if get_args(record) else record
            if kind is not None and isinstance(record, type) and issubclass(record, msgspec.Struct):
                yield f"{offer.name} of {operation['name']}", kind, record


def test_every_documented_field_of_a_syntage_answer_is_read() -> None:
    """All fields of a row come out under their names, at every depth, of a fitting type and with their exact value."""
    for name, kind, record in answers("syntage"):
        fields = expected_of(kind, record.__name__)

        found = decode(msgspec.json.encode(say(fields)), record)

        assert [] == list(compare(fields, found)), name


def expected_of(kind: Any, at: str) -> Any:
    """The kind without what is read otherwise, at every depth; of an array, that of its items."""
    if isinstance(kind, list):
        return [expected_of(kind[0], at)] if "." in at else expected_of(kind[0], at)
    if not isinstance(kind, dict):
        return kind
    return {key: expected_of(each, f"{at}.{key}") for key, each in kind.items() if f"{at}.{key}" not in ACCEPTED_FIELDS}


def test_every_documented_field_of_a_belvo_answer_is_in_its_record() -> None:
    """By its name, at every depth; of which types they are, the drift test of Belvo holds."""
    for name, kind, record in answers("belvo"):
        lost = [path for path, _ in paths_of(kind) if field_at(record, path) is None]

        assert [] == lost, name


def test_no_exception_outlives_its_reason() -> None:
    """What is excused is documented, or sent, to this day."""
    bodies = {
        f"{operation['name']}.{path}" for vendor in VENDORS for operation, _ in offered(vendor)
        for path, _ in paths_of(operation.get("body", {}))
    }  # fmt: skip
    asked = {
        f"{operation['name']}.{each}" for vendor in VENDORS for operation, found in offered(vendor)
        for offer in found for each in offer.query - set(operation.get("query", ()))
    }  # fmt: skip
    sent = {
        f"{operation['name']}.{each}" for vendor in VENDORS for operation, found in offered(vendor)
        for offer in found for each in offer.body
    }  # fmt: skip

    assert set() == ACCEPTED_BODIES.keys() - bodies
    assert asked <= UNDOCUMENTED.keys()
    assert set() == UNDOCUMENTED.keys() - asked - (sent - bodies)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path.name)
def test_pages_are_printed_of_the_ledger(page: Page) -> None:
    """Else: `python -m tests.documents.ledger`."""
    ledgers = {vendor: operations(vendor) for vendor in VENDORS}

    assert printed(page, ledgers) in page.path.read_text(encoding="utf-8")
