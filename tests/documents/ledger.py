"""The ledger of operations: every one that a vendor documents, and which type offers it.

    python -m tests.documents.ledger                       who offers what, anew; and the pages that are printed of it
    python -m tests.documents.ledger belvo DOCUMENT        the facts, too, from an OpenAPI document in YAML or JSON

An operation is one line, in the order of paths. After a merge that met in these files or pages, take either side of
them and give the first command: all but the facts is worked out from the code.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from tests.documents.offers import VENDORS, Offers, Operation, offers_of, ties
from tests.documents.openapi import Document
from tests.documents.pages import PAGES, printed

HERE: Final = Path(__file__).parent

# What a vendor offers beside fiscal data of Mexico, by the begin of a path. The first that fits is the reason.
OUT: Final[Mapping[str, str]] = {
    "/payments/": "payments in Brazil",
    "/api/br/employments/": "employment in Brazil",
    "/api/br/": "banking in Brazil",
    "/api/cl/": "fiscal data of Chile",
    "/api/consents/": "consents of open finance in Brazil",
    "/api/employment-": "employment, from the IMSS",
    "/api/mx/current-employments/": "employment, from the IMSS",
    "/api/accounts/": "banking",
    "/api/bills/": "banking",
    "/api/incomes/": "banking",
    "/api/owners/": "banking",
    "/api/recurring-expenses/": "banking",
    "/api/risk-insights/": "banking",
    "/api/transactions/": "banking",
}
# Of what is out, no more than which operation it is.
_OF_OUT: Final = ("path", "method", "name", "group", "deprecated")


def read(vendor: str) -> list[Operation]:
    """The operations of a vendor's ledger."""
    operations: list[Operation] = _whole(vendor)["operations"]
    return operations


def _whole(vendor: str) -> dict[str, Any]:
    whole: dict[str, Any] = json.loads((HERE / f"{vendor}.json").read_text(encoding="utf-8"))
    return whole


@cache
def operations(vendor: str) -> list[Operation]:
    """The operations of a vendor's ledger, read once; offers name the very same ones."""
    return read(vendor)


@cache
def offers(vendor: str) -> Offers:
    """What the vendor's catalogue offers of them, as the code stands."""
    return offers_of(VENDORS[vendor], operations(vendor))


def facts_from(document: Document) -> list[Operation]:
    """The operations of a document, those out of scope with the reason."""
    return [_scoped(each) for each in document.operations()]


def _scoped(operation: Operation) -> Operation:
    reason = next((reason for begin, reason in OUT.items() if operation["path"].startswith(begin)), None)
    if reason is None:
        return operation
    return {name: fact for name, fact in operation.items() if name in _OF_OUT} | {"out": reason}


def tied(vendor: str) -> list[Operation]:
    """The operations of a ledger with the names of the types that offer them, as the code stands."""
    offered = ties(offers(vendor))
    bare = [{name: fact for name, fact in each.items() if name != "offered"} for each in operations(vendor)]
    return [each | ({"offered": offered[each["name"]]} if each["name"] in offered else {}) for each in bare]


def write(vendor: str, version: str, operations: list[Operation]) -> None:
    """Write a ledger, one operation a line."""
    lines = ",\n".join(json.dumps(each, ensure_ascii=False) for each in operations)
    text = f'{{"version": "{version}", "operations": [\n{lines}\n]}}\n'
    (HERE / f"{vendor}.json").write_text(text, encoding="utf-8")


def main(arguments: list[str]) -> None:
    """Bring ledgers and pages up to date."""
    if arguments:
        vendor, document = arguments
        facts = Document.read(Path(document))
        write(vendor, facts.version, facts_from(facts))
    ledgers = {vendor: tied(vendor) for vendor in VENDORS}
    for vendor, operations in ledgers.items():
        write(vendor, _whole(vendor)["version"], operations)
    for page in PAGES:
        text = page.path.read_text(encoding="utf-8")
        start, end = page.markers
        new = re.sub(f"{start}.*?{end}", lambda _, page=page: printed(page, ledgers), text, flags=re.DOTALL)
        page.path.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
