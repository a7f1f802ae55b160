"""Sessions on the accounts of some errands, with their plans settled and apart from each other."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from ... import belvo, syntage
from ..._session import Session
from ...abc import Clock, Vendor
from ...errors import ConfigurationError, TaskError
from ...planning import Plan, check_apart, settle_plan
from ..config import prefix
from .accounts import Environ, vendor_of
from .errands import Errand


@dataclass(frozen=True, kw_only=True)
class Ready:
    """An errand that can be run. `left_out`: how many subjects of the account are not valid."""

    errand: Errand
    session: Session
    plan: Plan
    left_out: int = 0


Settle: TypeAlias = Callable[[Plan, Mapping[str, Vendor], datetime], Plan]


def _settle(plan: Plan, vendors: Mapping[str, Vendor], now: datetime) -> Plan:
    return settle_plan(plan, vendors, now).plan


@asynccontextmanager
async def opened(
    errands: Sequence[Errand], store: str, environ: Environ, clock: Clock, *, settle: Settle = _settle
) -> AsyncGenerator[list[Ready]]:
    """Open one session for each account; `settle` reads plans by their vendors' rules.

    Raises ConfigurationError and TaskError before anything is paid for.
    """
    accounts = list(dict.fromkeys(_identity(each) for each in errands))
    made = {
        identity: vendor_of(next(each.account for each in errands if _identity(each) == identity), environ)
        for identity in accounts
    }
    async with AsyncExitStack() as stack:
        sessions = {
            identity: await stack.enter_async_context(Session(vendor, store=store, clock=clock))
            for identity, vendor in made.items()
        }
        ready = [await _settled(each, sessions[_identity(each)], clock, settle) for each in errands]
        _check_apart(ready)
        yield ready


def _identity(errand: Errand) -> tuple[str, str | None, tuple[tuple[str, str], ...]]:
    account = errand.account
    return account.vendor, account.env, tuple(sorted(account.variables.items()))


async def _settled(errand: Errand, session: Session, clock: Clock, settle: Settle) -> Ready:
    subjects, left_out = errand.subjects, 0
    if subjects is None:
        subjects, left_out = await valid_subjects(session, errand.account.vendor)
    try:
        plan = settle(errand.plan(subjects), session.vendors, clock.now())
    except TaskError as error:
        raise TaskError(f"{prefix(errand.name)}{error}", field=error.field) from None
    return Ready(errand=errand, session=session, plan=plan, left_out=left_out)


def _check_apart(ready: Sequence[Ready]) -> None:
    try:
        check_apart({each.errand.name: each.plan for each in ready})
    except TaskError as error:
        raise TaskError(f"{error}: shorten one, or choose by --plan", field=error.field) from None


async def valid_subjects(session: Session, vendor: str) -> tuple[tuple[str, ...], int]:
    """Ask a vendor for all subjects whose access is valid, and how many there are whose is not."""
    found, invalid = list[str](), 0
    async for subject, status in _every(session, vendor):
        if status == "valid":
            found.append(subject)
        else:
            invalid += 1
    if not found:
        raise ConfigurationError(
            f"{vendor} has no valid link or entity: there is nobody to ask for ({invalid} invalid)"
        )
    return tuple(found), invalid


async def _every(session: Session, vendor: str) -> AsyncGenerator[tuple[str, str | None]]:
    # What is no vendor with a list of subjects was refused when the session was made.
    if vendor == "belvo":
        async for link in session.list(belvo.Links()):
            if link.id is not None:
                yield link.id, link.status
        return
    async for entity in session.list(syntage.Entities()):
        if entity.id is not None:
            yield entity.id, None if entity.credential is None else entity.credential.status
