"""The contract of a sink: where the records of jobs are written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from typing import Protocol

import msgspec


class PartKey(msgspec.Struct, frozen=True, kw_only=True):
    """What one part holds: the rows of one resource that one job brought. A sink makes the part's name of it.

    `subject` is as the task has it (a link, an IRI); `job` our own id of the job; `first` and `last` the period it was
    asked for, both counted, None where it has none; `directions` what was asked for, () for all there are. `record` is
    the type of the rows: it says which columns there are before a row has come.
    """

    vendor: str
    resource: str
    subject: str
    job: str
    record: type
    first: dt.date | None = None
    last: dt.date | None = None
    directions: tuple[str, ...] = ()

    def __repr__(self) -> str:
        # A subject of the deprecated form is an RFC.
        return f"PartKey({self.vendor}, {self.resource}, job {self.job})"


class SideFile(msgspec.Struct, frozen=True, kw_only=True):
    """A further file of a part, like the line items of its invoices; fields as of the `Receipt`."""

    part: str
    rows: int
    size_bytes: int
    digest: str


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """That the rows of a job are in a sink, durably. Goes to JSON and back by msgspec; names no taxpayer.

    `sink` is the sink's `name`, `part` the file below its directory, with `/` on every system. `digest` is the SHA-256
    of the file's bytes, in hexadecimal digits. `ids` is one of the rows' ids, whatever their order, so that rows can be
    recounted after they were merged, sorted or rewritten. `sums` are the exact sums of the record type's own columns of
    decimals, those of nested records not counted. `beside` are further files, of sinks that split records into several
    tables. `at` is when it was committed.

    A row's id is its `uuid`, or its `id` where it has none, in small letters; rows without either add nothing. As a
    number, a UUID is its 128 bits, any other id its BLAKE2b (16 bytes, big-endian, over UTF-8). `ids` is the sum of
    these numbers, times 0x9e3779b97f4a7c15f39cc0605cedc835, modulo 2^128 - 1, in 32 hexadecimal digits; those of
    several receipts add up, by the same modulus, to that of all their rows. That rows were lost, doubled or exchanged
    goes unseen by one chance in 2^122 (UUIDs of version 4; in 2^74 of version 7, by the bits that are random). It tells
    of accidents, not of forgers, and hides nothing: the id of a part's only row can be worked out.
    """

    sink: str
    job: str
    part: str
    rows: int
    size_bytes: int
    digest: str
    ids: str
    at: dt.datetime
    sums: dict[str, Decimal] = msgspec.field(default_factory=dict[str, Decimal])
    beside: tuple[SideFile, ...] = ()


class OpenPart(Protocol):
    """A part that is being written, under a temporary name. Used by one task at a time."""

    async def write(self, records: Sequence[object]) -> None:
        """Add rows of the key's `record` type. They are not changed; memory stays bounded, however many come.

        Some may be on their way when it returns: a fault is raised by the call that follows it, as SinkError. Then
        nothing of the part stays, and the job can be read and written again. So it is when it was cancelled.
        """
        ...

    async def commit(self, *, now: dt.datetime) -> Receipt:
        """Make the part durable and give it its name, in place of an earlier one of the same job. Once, at the end.

        What returned is kept over a loss of power: the bytes first, then the name. Raises SinkError when that is not
        possible; then there is no new part, and an earlier one is as it was.
        """
        ...


class Sink(Protocol):
    """Keeps rows as parts, one for each job and resource. A part is whole or absent; a repeated job replaces its own.

    `begin` before anything else, `end` at the end; both once, on the event loop that uses the sink. Work on files is
    done off the loop. Several processes may use one sink, even for the same part: the last commit stands.
    Errors name paths and columns, never values.
    """

    @property
    def name(self) -> str:
        """What receipts know the sink by: its kind and its resolved, absolute place. The same place has the same name.

        Known before `begin`; holds no secret.
        """
        ...

    async def begin(self) -> None:
        """Make sure that parts can be written, before anything is paid for: makes the place where there is none.

        Raises ConfigurationError when they cannot (the place is a file, may not be written, has no space, what writes
        it is not installed) and says what to do. Removes what runs that died have left under temporary names, and
        nothing of runs that live.
        """
        ...

    def part(self, key: PartKey) -> AbstractAsyncContextManager[OpenPart]:
        """Begin a part. Left without `commit`, by an error or not, nothing of it stays."""
        ...

    async def holds(self, receipt: Receipt) -> bool:
        """Whether what the receipt tells of is still there, as far as a look at names and sizes tells.

        False for receipts of another sink. Reads no rows: `recount` does.
        """
        ...

    async def end(self) -> None:
        """Let go of what the sink holds open. Parts that were committed do not need it."""
        ...
