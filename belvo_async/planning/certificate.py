"""What a plan holds, as one document that anybody can check without store, network or keys."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Final

import msgspec

from ..abc import Receipt
from ..errors import PayloadError
from ..payload import decode
from .calendar import number
from .coverage import Cell, Coverage, Known

FORMAT: Final = 1


class CertifiedPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan, spelled out."""

    vendor: str
    resource: str
    subjects: tuple[str, ...]
    directions: tuple[str, ...]
    options: tuple[str, ...]
    first: date | None
    last: date | None

    def __repr__(self) -> str:
        # As of a plan: a subject may be an RFC.
        return f"<CertifiedPlan {self.vendor} {self.resource} {self.first}..{self.last}>"


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """Coverage and receipts of a plan.

    `cells` cover every day of the plan once. `receipts` are those of the jobs that the cells name, of one sink.
    `digest` is over all the rest: a changed document does not fit it. It tells of accidents, not of forgers: who can
    change the document can change the digest.
    """

    format: int
    made_at: datetime
    plan: CertifiedPlan
    is_whole: bool
    days: dict[str, int]
    cells: tuple[Cell, ...]
    receipts: tuple[Receipt, ...]
    digest: str = ""

    @property
    def unreceipted(self) -> tuple[str, ...]:
        """Jobs that prove days, and whose rows no receipt speaks of."""
        held = {each.job for each in self.receipts}
        proving = (each.job for each in self.cells if each.known is Known.PROVEN and each.job is not None)
        return tuple(job for job in dict.fromkeys(proving) if job not in held)


def certify(coverage: Coverage, receipts: Sequence[Receipt], now: datetime) -> Certificate:
    """Make the certificate of what is known and was handed over by now."""
    plan = coverage.plan
    named = {each.job for each in coverage.cells}
    certificate = Certificate(
        format=FORMAT,
        made_at=now,
        plan=CertifiedPlan(
            vendor=plan.vendor,
            resource=plan.resource,
            subjects=tuple(plan.subjects),
            directions=tuple(plan.directions),
            options=tuple(plan.options),
            first=plan.first,
            last=plan.last,
        ),
        is_whole=coverage.is_whole,
        days=_days(coverage.cells),
        cells=coverage.cells,
        receipts=tuple(sorted((each for each in receipts if each.job in named), key=lambda each: each.part)),
    )
    return msgspec.structs.replace(certificate, digest=_digest(certificate))


def encode_certificate(certificate: Certificate) -> bytes:
    """Write a certificate as JSON, a line for each cell and receipt."""
    return msgspec.json.format(msgspec.json.encode(certificate), indent=1) + b"\n"


def read_certificate(document: bytes) -> Certificate:
    """Read a certificate. Raises PayloadError for what is none, was changed, or contradicts itself."""
    certificate = decode(document, _CERTIFICATE)
    if certificate.format != FORMAT:
        raise PayloadError(
            f"a certificate of format {certificate.format}; this release knows {FORMAT}", path="$.format"
        )
    if _digest(msgspec.structs.replace(certificate, digest="")) != certificate.digest:
        raise PayloadError("the certificate was changed after it was made", path="$.digest")
    _check(certificate)
    return certificate


def _check(certificate: Certificate) -> None:
    """Raise PayloadError for one whose parts do not fit each other."""
    plan, cells = certificate.plan, certificate.cells
    axis = [(subject, direction) for subject in plan.subjects for direction in plan.directions]
    found = [(of, list(each)) for of, each in groupby(cells, key=lambda cell: (cell.subject, cell.direction))]
    if axis != [of for of, _ in found] or not all(_fill(each, plan.first, plan.last) for _, each in found):
        raise PayloadError("the cells do not cover each day of the plan once", path="$.cells")
    if certificate.days != _days(cells):
        raise PayloadError("the days are not those of the cells", path="$.days")
    if certificate.is_whole is not all(each.known is Known.PROVEN for each in cells):
        raise PayloadError("it says otherwise than its cells", path="$.is_whole")


def _fill(cells: Iterable[Cell], first: date | None, last: date | None) -> bool:
    """Whether cells cover each day of a period once."""
    begins = number(first)
    for each in cells:
        if number(each.first) != begins or each.days < 1:
            return False
        begins = number(each.last) + 1
    return begins == number(last) + 1


def _days(cells: Iterable[Cell]) -> dict[str, int]:
    counts = dict.fromkeys((str(known) for known in Known), 0)
    for each in cells:
        counts[each.known] += each.days
    return counts


def _digest(certificate: Certificate) -> str:
    return hashlib.sha256(msgspec.json.encode(certificate, order="deterministic")).hexdigest()


_CERTIFICATE: Final = msgspec.json.Decoder(Certificate)
