"""Many invoices at once, for measurements: cheap copies of a few hundred real ones."""

from datetime import date, datetime, timedelta
from random import Random
from typing import Final
from uuid import UUID

from ..fiscal import Books
from .rows.invoices import Filed
from .rows.records import Records
from .state import Link

PATTERNS: Final = 400  # as many different invoices as the copies are made of


def copies(
    records: Records,
    link: Link,
    count: int,
    date_from: date,
    date_to: date,
    direction: str,
    *,
    now: datetime,
    rng: Random,
) -> list[Filed]:
    """Give `count` invoices of one direction, their dates spread evenly from one date to the other.

    Each has ids of its own, drawn from `rng`; lines, taxes and payments are shared objects, so that a row costs two
    kilobytes.
    """
    books = Books(records.books.seed, invoices_per_year=PATTERNS * 3)
    plan = [cfdi for cfdi in books.year(link.subject, date_from.year) if cfdi.direction == direction][:PATTERNS]
    patterns = [records.invoice(link, cfdi, now=now, xml=False).row for cfdi in plan]
    days = (date_to - date_from).days + 1
    rows: list[Filed] = []
    for number in range(count):
        own = str(UUID(int=rng.getrandbits(128), version=4))
        issued = (date_from + timedelta(days=number * days // count)).isoformat()
        row = {
            **patterns[number % len(patterns)],
            "id": own,
            "invoice_identification": own.upper(),
            "invoice_date": issued,
            "certification_date": issued,
        }
        rows.append(Filed(id=own, link=link.id, row=row))
    return rows
