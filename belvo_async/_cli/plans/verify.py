"""`belvo-async verify`: a certificate against exported files, without store, network or keys."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...errors import ConfigurationError, PayloadError
from ...planning import Certificate, Known, read_certificate
from ..codes import Code
from ..words import counted


def verify(certificate: Path, data: Sequence[Path]) -> int:
    """Recount the files, and print what was found: the first thing that does not fit, or that all does."""
    from ...sinks import recount

    _check_one(data)
    held = _read(certificate)
    missing = held.unreceipted
    found = recount(held.receipts, data)
    if found.fault is not None:
        print(f"does not fit: {found.fault}")
        return Code.FAILED
    rows, parts = counted(found.rows, "row"), counted(found.parts, "part")
    print(f"fits: {rows} in {parts}, recounted; ids, sums and bytes are those of the receipts")
    days, every = held.days.get(str(Known.PROVEN), 0), sum(held.days.values())
    period = "" if held.plan.first is None else f", {held.plan.first} to {held.plan.last}"
    plan = f"{held.plan.vendor} {held.plan.resource} of {counted(len(held.plan.subjects), 'subject')}{period}"
    print(f"{plan}: {days:,} of {every:,} days proven on {held.made_at:%Y-%m-%d %H:%MZ}")
    if missing:
        print(f"the rows of {counted(len(missing), 'job')} have no receipt (the first: {missing[0]}): extract again")
        return Code.PARTIAL
    return Code.WHOLE if held.is_whole else Code.PARTIAL


def _read(path: Path) -> Certificate:
    try:
        return read_certificate(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"the certificate {path} cannot be read: {error.strerror}") from None
    except PayloadError as error:
        raise ConfigurationError(f"{path} is no certificate as `extract` writes it: {error.reason}") from None


def _check_one(data: Sequence[Path]) -> None:
    """A second certificate among the data would be passed over, and its files taken for verified."""
    others = [each for each in data if each.suffix == ".json" and each.is_file()]
    if others:
        raise ConfigurationError(f"{others[0]} is no data: verify one certificate at a time")
