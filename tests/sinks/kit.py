"""A record with everything that records have, and ways to write and read it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from belvo_async.sinks import PartKey, Receipt, Sink

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
ENTITY = "0b8e9b2e-6a3a-4b5a-9a53-6f3c0d0f6a11"


class Party(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename="camel"):
    """Somebody."""

    tax_regime: int | None = None
    name: str | None = None


class Payment(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename="camel"):
    """A list within a list."""

    paid_amount: Decimal | None = None
    invoice_uuid: str | None = None


class Line(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename="camel"):
    """What lists hold."""

    unit_amount: Decimal | None = None
    description: str | None = None
    payments: tuple[Payment, ...] | None = ()


class Bill(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename="camel"):
    """A field of every kind."""

    iri: str | None = msgspec.field(default=None, name="@id")
    id: str | None = None
    uuid: str | None = None
    total_amount: Decimal | None = None
    issued_at: datetime | None = None
    due_on: date | None = None
    line_count: int | None = None
    is_paid: bool | None = None
    issuer: Party | None = None
    lines: tuple[Line | None, ...] | None = ()
    tags: tuple[str, ...] | None = ()
    data: msgspec.Raw = msgspec.Raw(b"null")
    note: str | None = None


def key(job: str = "j1", record: type = Bill, **changes: Any) -> PartKey:
    """The key of a part."""
    plain: dict[str, Any] = {"vendor": "syntage", "resource": "invoice", "subject": f"/entities/{ENTITY}"}
    period = {"first": date(2025, 1, 1), "last": date(2025, 12, 31), "directions": ("issued",)}
    return PartKey(**{**plain, **period, "job": job, "record": record, **changes})


async def write(sink: Sink, rows: Sequence[object], part: PartKey | None = None) -> Receipt:
    """Write a whole part."""
    await sink.begin()
    async with sink.part(part or key()) as opened:
        await opened.write(rows)
        return await opened.commit(now=NOW)


def files(root: Path) -> list[str]:
    """Every file below a directory, hidden ones too."""
    return sorted(each.relative_to(root).as_posix() for each in root.rglob("*") if each.is_file())


BILLS = (
    Bill(
        iri="/bills/1",
        id="b1",
        uuid="512EEBCE-B11E-4EDB-8260-E0CA1BA7DE33",
        total_amount=Decimal("12345678901234567890.123456"),
        issued_at=datetime(2025, 3, 1, 23, 59, 59, 123456, tzinfo=UTC),
        due_on=date(1899, 12, 31),
        line_count=2,
        is_paid=False,
        issuer=Party(tax_regime=601, name='Núñez "La Güera"\nS.A.'),
        lines=(
            Line(unit_amount=Decimal("0.10"), description="=cmd|'/c calc'!A0"),
            None,
            Line(payments=(Payment(paid_amount=Decimal(1), invoice_uuid="AAAAAAAA-B11E-4EDB-8260-E0CA1BA7DE33"),)),
        ),
        tags=("a", "b"),
        data=msgspec.Raw(b'{"a": 1.10,\n "b": [1]}'),
        note="=1+1",
    ),
    Bill(id="b2", total_amount=Decimal("-0.01"), note=""),
    Bill(id="b3", lines=None, tags=None, note="'=x"),
)
