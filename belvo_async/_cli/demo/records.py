"""The records of a job: into the file, and remembered to be compared."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import IO, Any, Final

import msgspec

from ..._session import JobHandle
from ...errors import IncompleteResultError, PayloadError, TransportError, VendorError
from ...vendors import belvo, syntage
from .plan import PlannedJob

# With one answer in twelve cut, five readings in a row are cut once in 200,000 times.
READINGS: Final = 5
PAUSE_SECONDS: Final = 0.1

# Amounts are JSON texts in the file: readers that take JSON numbers for floats would change them.
_ENCODER: Final = msgspec.json.Encoder()


@dataclass(kw_only=True)
class RecordFile:
    """What was read of one job: the total of each record by its id. `cuts` counts readings that broke off."""

    totals: dict[str, Decimal] = field(default_factory=dict[str, Decimal])
    repeated: int = 0
    cuts: int = 0

    @property
    def sum(self) -> Decimal:
        return sum(self.totals.values(), Decimal(0))

    def matches(self, held: Mapping[str, Decimal]) -> bool:
        """Whether these are exactly the records held: same ids, same totals, none twice."""
        return self.totals == held and not self.repeated


async def read(handle: JobHandle[Any], record_file: RecordFile, file: IO[bytes]) -> None:
    """Write a finished job's records to the file, one line each; a reading that breaks off is begun again."""
    while True:
        try:
            await _read_once(handle, record_file, file)
            return
        except (TransportError, PayloadError, VendorError, IncompleteResultError):
            record_file.cuts += 1
            if record_file.cuts >= READINGS:
                raise
            await asyncio.sleep(PAUSE_SECONDS)


async def _read_once(handle: JobHandle[Any], record_file: RecordFile, file: IO[bytes]) -> None:
    seen: set[str] = set()
    async for record in handle.results():
        number, total = _id_and_total(record)
        record_file.repeated += number in seen
        seen.add(number)
        if number not in record_file.totals:
            record_file.totals[number] = total
            file.write(_ENCODER.encode({"job": handle.id, "record": record}) + b"\n")


def _id_and_total(record: object) -> tuple[str, Decimal]:
    if isinstance(record, belvo.Invoice):
        return record.id or "", record.total_amount or Decimal(0)
    assert isinstance(record, syntage.Invoice)
    return record.id or "", record.total or Decimal(0)


def held_by_vendor(planned: PlannedJob) -> dict[str, Decimal]:
    """What the simulator holds for an invoice job: the total of each row by its id."""
    rows = planned.held() if planned.held else ()
    # The total is named `total_amount` at Belvo, `total` at Syntage.
    return {str(row["id"]): Decimal(str(row.get("total_amount", row.get("total")) or 0)) for row in rows}
