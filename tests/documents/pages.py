"""What the pages print of the ledger: how much of each document is offered, and each operation with its type."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.documents.offers import VENDORS, Operation, verbs_of

DOCS: Final = Path(__file__).parents[2] / "docs"

Ledgers = Mapping[str, list[Operation]]


@dataclass(frozen=True)
class Page:
    """A page with a part, between markers, that is printed of the ledgers."""

    path: Path
    write: Callable[[Ledgers], str]
    markers: tuple[str, str] = ("<!-- operations -->", "<!-- /operations -->")


def printed(page: Page, ledgers: Ledgers) -> str:
    """The part of a page, its markers included."""
    start, end = page.markers
    return f"{start}\n{page.write(ledgers)}\n{end}"


def print_counts(ledgers: Ledgers) -> str:
    """One row a vendor: how many operations it documents, and what became of them."""
    lines = ["| | documented | of them in scope | offered | deprecated, in scope |", "|---|---|---|---|---|"]
    for vendor, operations in ledgers.items():
        within = _within(operations)
        offered = sum("offered" in each for each in within)
        old = sum("deprecated" in each for each in within)
        lines.append(f"| {vendor.capitalize()} | {len(operations)} | {len(within)} | {offered} | {old} |")
    return "\n".join(lines)


def print_operations(ledgers: Ledgers) -> str:
    """A table a vendor: its groups, their operations, by which verb and type each is offered; then what is out."""
    return "\n\n".join([print_counts(ledgers), *(_table(vendor, each) for vendor, each in ledgers.items())])


def _table(vendor: str, operations: list[Operation]) -> str:
    verbs = verbs_of(VENDORS[vendor])
    lines = [f"## {vendor.capitalize()}", "", "| group | operation | verb | type |", "|---|---|---|---|"]
    groups: dict[str, list[Operation]] = {}
    for each in _within(operations):
        groups.setdefault(each["group"], []).append(each)
    for group, rows in sorted(groups.items()):
        lines += (f"| {'' if index else group} | {_row(each, verbs)} |" for index, each in enumerate(rows))
    return "\n".join([*lines, *_left_out(operations)])


def _row(operation: Operation, verbs: Mapping[str, str]) -> str:
    offered: list[str] = operation.get("offered", [])
    old = ", deprecated" if "deprecated" in operation else ""
    used = ", ".join(dict.fromkeys(verbs[each] for each in offered))
    names = ", ".join(f"`{each.partition('.')[0]}`" for each in offered)
    return f"`{operation['method']} {operation['path']}`{old} | {used or '–'} | {names or '–'}"


def _left_out(operations: list[Operation]) -> Iterator[str]:
    reasons = [each["out"] for each in operations if "out" in each]
    if reasons:
        told = ", ".join(f"{reason} ({reasons.count(reason)})" for reason in sorted(set(reasons)))
        yield f"\nOut of scope, by number of operations: {told}."


def _within(operations: list[Operation]) -> list[Operation]:
    return [each for each in operations if "out" not in each]


PAGES: Final = (Page(DOCS / "catalogue.md", print_counts), Page(DOCS / "operations.md", print_operations))
