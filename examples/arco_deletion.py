"""An ARCO deletion (LFPDPPP): what a vendor holds of a taxpayer is counted, deleted on your word, and shown to be gone.

    export BELVO_SECRET_ID=... BELVO_SECRET_PASSWORD=... SYNTAGE_API_KEY=... BELVO_ASYNC_STORE=sqlite:jobs.db
    python -m examples.arco_deletion LINK                  # counts, and deletes nothing
    python -m examples.arco_deletion LINK --delete         # asks, deletes, and looks whether it is gone
    python -m examples.arco_deletion LINK --delete --only invoices tax_statuses
    python -m examples.arco_deletion LINK --delete --forget
    python -m examples.arco_deletion ENTITY --vendor syntage --delete

Other links of the same login, and entities of the same RFC, are found by themselves. With the link goes everything that
Belvo holds by it, the stored CIEC included; what its lists still show afterwards is deleted record by record. With the
entity goes what Syntage has fetched of it; the credentials of its RFC, and events, which hold copies of records, are
deleted beside it. `--only` deletes the records of some lists alone, one by one, and the link or entity stays: the next
retrieval, or the update of a recurrent link, brings them again. `--forget` drops the jobs of all these from your own
store as well, and what they prove: then nothing of it knows them. Exit code 1: something is left, was not
confirmed, or could not be asked, and why is on stderr; give the same command again.

It says what it cannot delete: your exports, mirrors and backups, and what the vendor keeps without showing it.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias, TypeVar

import msgspec

from belvo_async import BelvoAsyncError, Job, JobError, NotFoundError, Session, VendorError, belvo, syntage
from belvo_async.abc import Call, Query

T = TypeVar("T")

# So many records of each list are asked for by their ids once they are gone: each costs a request, and there may be
# hundreds of thousands. The lists themselves are read whole.
SAMPLES: Final = 10


class Row(msgspec.Struct, frozen=True):
    """All that is read of a record. Some have no id, as monthly tax returns may, and some do not say whose they are."""

    id: str | None = None
    link: object = None


Held: TypeAlias = Mapping[str, Sequence[Row]]
"""What the vendor holds of one subject: the rows of each of its lists."""


@dataclass(frozen=True)
class Single:
    """How one record of a list is read, and deleted, where the vendor has a way."""

    get: Callable[[str], Call[Any]] | None = None
    delete: Callable[[str], Call[None]] | None = None


class Eraser(Protocol):
    """What differs between vendors."""

    vendor: str
    noun: str
    singles: Mapping[str, Single]

    def lists(self, session: Session, subject: str) -> Mapping[str, Query[Any]]:
        """All lists of a subject that are looked at, each with its name among the singles."""
        ...

    async def subjects(self, session: Session, given: str) -> list[str]:
        """All of whom the given one belongs to; that one comes last, so that others are found until they are gone."""
        ...

    async def other_names(self, session: Session, given: str) -> list[str]: ...

    async def exists(self, session: Session, subject: str) -> bool: ...

    async def erase(self, session: Session, subject: str) -> None:
        """Delete a subject with everything that is held of it."""
        ...


class BelvoEraser:
    """A link, and the other links of its login."""

    vendor = "belvo"
    noun = "links"
    singles: Mapping[str, Single] = {
        "invoices": Single(belvo.GetInvoice, belvo.DeleteInvoice),
        "financial_statements": Single(belvo.GetFinancialStatement, belvo.DeleteFinancialStatement),
        "tax_returns": Single(belvo.GetTaxReturn, belvo.DeleteTaxReturn),
        "tax_statuses": Single(belvo.GetTaxStatus, belvo.DeleteTaxStatus),
        "tax_compliance_statuses": Single(belvo.GetTaxComplianceStatus, belvo.DeleteTaxComplianceStatus),
        "tax_retentions": Single(belvo.GetTaxRetention, belvo.DeleteTaxRetention),
    }

    def lists(self, session: Session, subject: str) -> Mapping[str, Query[Any]]:
        # Nothing else of a record travels than these two.
        return {
            name: msgspec.structs.replace(query, fields=("id", "link"))
            if "fields" in query.__struct_fields__
            else query
            for name, query in _listed(session, self, subject).items()
        }

    async def subjects(self, session: Session, given: str) -> list[str]:
        link = await _read(session, belvo.GetLink(given))
        # Links from before February 2022 say no login.
        if link is None or link.id is None or link.institution_user_id is None:
            return [given]
        login = link.institution_user_id
        # Compared here as well: were the filter ignored, everybody's links would come.
        same = [each async for each in session.list(belvo.Links(institution_user_id=login))]
        others = [each.id for each in same if each.institution_user_id == login and each.id not in (None, link.id)]
        return [*(each for each in others if each), link.id]

    async def other_names(self, session: Session, given: str) -> list[str]:
        return []

    async def exists(self, session: Session, subject: str) -> bool:
        return await _read(session, belvo.GetLink(subject)) is not None

    async def erase(self, session: Session, subject: str) -> None:
        # It waits for other open jobs of the link, and ends when the link can no longer be read.
        if await self.exists(session, subject):
            await (await session.fire(belvo.DeleteLink(subject)))


class SyntageEraser:
    """An entity, and the other entities of its RFC. Few records can be deleted singly: they go with it."""

    vendor = "syntage"
    noun = "entities"
    singles: Mapping[str, Single] = {
        "invoices": Single(syntage.GetInvoice),
        "invoice_line_items": Single(syntage.GetInvoiceLineItem),
        "invoice_payments": Single(syntage.GetInvoicePayment),
        "invoice_credit_notes": Single(syntage.GetInvoiceCreditNote),
        "tax_returns": Single(syntage.GetTaxReturn),
        "tax_retentions": Single(syntage.GetTaxRetention),
        "tax_statuses": Single(syntage.GetTaxStatus),
        "tax_compliance_checks": Single(syntage.GetTaxComplianceCheck),
        "electronic_accounting_records": Single(syntage.GetElectronicAccountingRecord),
        "sat_certificates": Single(syntage.GetSatCertificate),
        "rpc_entidades": Single(syntage.GetRpcEntidade),
        "rpc_actos": Single(syntage.GetRpcActo),
        "rug_garantias": Single(syntage.GetRugGarantia),
        "rug_operaciones": Single(syntage.GetRugOperacion),
        "bil_reports": Single(syntage.GetBilReport),
        "buro_reports": Single(syntage.GetBuroReport),
        "background_checks": Single(syntage.GetBackgroundCheck),
        "company_verification_reports": Single(syntage.GetCompanyVerificationReport),
        # Not asked for singly afterwards: one may hold shares of another entity, and stays for that.
        "shareholders": Single(delete=syntage.DeleteShareholder),
        "entity_identifiers": Single(),
        "buro_authorizations": Single(syntage.GetBuroAuthorization, syntage.DeleteBuroAuthorization),
        "events": Single(syntage.GetEvent, syntage.DeleteEvent),
    }

    def lists(self, session: Session, subject: str) -> Mapping[str, Query[Any]]:
        of_entity = {"events": syntage.Events(entity=subject), "shareholders": syntage.Shareholders(entity=subject)}
        return {**_listed(session, self, subject), **of_entity}

    async def subjects(self, session: Session, given: str) -> list[str]:
        own = f"/entities/{given.rpartition('/')[2].lower()}"
        rfc = await self._rfc(session, own)
        if rfc is None:
            return [own]
        same = [f"/entities/{each.id}" async for each in session.list(syntage.Entities(rfc=rfc)) if each.id]
        return [*(each for each in same if each != own), own]

    async def other_names(self, session: Session, given: str) -> list[str]:
        # Jobs in the deprecated form are about the taxpayer: asked while the entity can still tell who that is.
        rfc = await self._rfc(session, given)
        return [] if rfc is None else [f"/taxpayers/{rfc}"]

    async def _rfc(self, session: Session, subject: str) -> str | None:
        entity = await _read(session, syntage.GetEntity(subject))
        return None if entity is None or entity.taxpayer is None else entity.taxpayer.id

    async def exists(self, session: Session, subject: str) -> bool:
        return await _read(session, syntage.GetEntity(subject)) is not None

    async def erase(self, session: Session, subject: str) -> None:
        rfc = await self._rfc(session, subject)
        if rfc is not None:
            # Before the entity, by which they are found again should this break off; and those it leaves, after it.
            await self._delete_events(session, rfc)
            for credential in await session.list(syntage.Credentials(rfc=rfc)).to_list():
                await _delete_if_there(session, syntage.DeleteCredential(str(credential.id)))
        await _delete_if_there(session, syntage.DeleteEntity(subject))
        if rfc is not None:
            await self._delete_events(session, rfc)

    async def _delete_events(self, session: Session, rfc: str) -> None:
        for event in await session.list(syntage.Events(rfc=rfc), type=Row).to_list():
            await _delete_if_there(session, syntage.DeleteEvent(str(event.id)))


async def _read(session: Session, call: Call[T]) -> T | None:
    """Make a call; None for what the vendor does not know."""
    try:
        return await session.call(call)
    except NotFoundError:
        return None


async def _delete_if_there(session: Session, call: Call[None]) -> None:
    with suppress(NotFoundError):
        await session.call(call)


def _listed(session: Session, eraser: Eraser, subject: str) -> Mapping[str, Query[Any]]:
    """The lists of the vendor's catalogue that are of a subject."""
    listings = session.vendors[eraser.vendor].listings.items()
    return {
        name: rules.query(subject, None) for name, rules in listings if name in eraser.singles and rules.is_of_subject
    }


ERASERS: Final[Mapping[str, Eraser]] = {each.vendor: each for each in (BelvoEraser(), SyntageEraser())}


async def read_held(session: Session, eraser: Eraser, subject: str) -> Held:
    """Read all that the vendor's lists show of a subject; only ids are kept."""
    held: dict[str, Sequence[Row]] = {}
    for name, query in eraser.lists(session, subject).items():
        try:
            held[name] = await session.list(query, type=Row).to_list()
        except VendorError as error:
            # How a list answers for a subject that is gone is not documented: empty, or that there is none.
            if not isinstance(error, NotFoundError) and error.code != "does_not_exist":
                raise
            held[name] = ()
    return held


def certain(subject: str, held: Held, before: Held) -> Held:
    """Keep the rows that are the subject's beyond doubt: they say so, or were listed while it was there.

    Were its filter ignored once the subject is gone, everybody's rows would be listed.
    """
    known = {(name, row.id) for name, rows in before.items() for row in rows if row.id is not None}
    return {
        name: [row for row in rows if str(row.link).lower() == subject.lower() or (name, row.id) in known]
        for name, rows in held.items()
    }


async def delete_singly(session: Session, eraser: Eraser, subject: str, held: Held, only: Sequence[str]) -> None:
    """Delete the records of some lists one by one, at the pace of the vendor's limit."""
    for name in only:
        delete = eraser.singles[name].delete
        for row in held[name]:
            if row.id is None or delete is None:
                continue
            if name != "shareholders" or not await _leave_to_others(session, subject, row.id):
                await _delete_if_there(session, delete(row.id))


async def _leave_to_others(session: Session, subject: str, shareholder: str) -> bool:
    """Whether a shareholder is one of other entities, too: then it loses what it has to do with this one alone."""
    try:
        relations = await session.list(syntage.ShareholderRelations(shareholder=shareholder)).to_list()
    except NotFoundError:
        return False
    mine = [each for each in relations if each.link == subject]
    for each in mine if len(mine) < len(relations) else ():
        await _delete_if_there(session, syntage.DeleteShareholderRelation(str(each.id), shareholder=shareholder))
    return len(mine) < len(relations)


async def count_found(session: Session, eraser: Eraser, before: Held, only: Sequence[str]) -> int:
    """Ask for some of the records that were there, by their ids; how many still are."""
    found = 0
    for name in only:
        get = eraser.singles[name].get
        if get is None:
            continue
        ids = [row.id for row in before[name] if row.id is not None]
        for record in ids[:: max(1, len(ids) // SAMPLES)]:
            found += await _read(session, get(record)) is not None
    return found


async def own_jobs(session: Session, subjects: Sequence[str]) -> list[Job]:
    """Every job of these subjects that the own store knows: open, ended, or pruned to what it proved."""
    known = [handle.job async for handle in session.open_jobs()] + [job async for job in session.history()]
    return [job for job in known if job.task.subject in subjects]


Confirm: TypeAlias = Callable[[str], Awaitable[bool]]


async def delete(
    session: Session,
    eraser: Eraser,
    given: str,
    *,
    confirm: Confirm | None = None,
    only: Sequence[str] = (),
    forget: bool = False,
) -> bool:
    """Count what is held of whom a subject belongs to and, where that is confirmed, delete it; whether all is done."""
    subjects = await eraser.subjects(session, given)
    names = [*subjects, *await eraser.other_names(session, subjects[-1])]
    wanted = list(only or eraser.singles)
    before: dict[str, Held] = {}
    for subject in subjects:
        is_there, held = await eraser.exists(session, subject), await read_held(session, eraser, subject)
        before[subject] = held if is_there else certain(subject, held, {})
        print_counts(subject, before[subject], is_there=is_there)
    if confirm is None:
        return True
    count = sum(len(held[name]) for held in before.values() for name in wanted)
    if not await confirm(f"{count} records{'' if only else f' and the {eraser.noun}'} for good"):
        print("Nothing was deleted.")
        return False
    done = [await _delete_one(session, eraser, each, before[each], wanted, whole=not only) for each in subjects]
    await tell_own(session, names, forget=forget)
    return all(done)


async def _delete_one(
    session: Session, eraser: Eraser, subject: str, before: Held, wanted: Sequence[str], *, whole: bool
) -> bool:
    if whole:
        try:
            await eraser.erase(session, subject)
        except JobError as error:
            print(f"{subject}: {error}", file=sys.stderr)
        rest = certain(subject, await read_held(session, eraser, subject), before)
        await delete_singly(session, eraser, subject, rest, wanted)
    else:
        await delete_singly(session, eraser, subject, before, wanted)
    after = await read_held(session, eraser, subject)
    left = {name: len(after[name]) for name in wanted if after[name]}
    found = await count_found(session, eraser, before, wanted)
    is_there = whole and await eraser.exists(session, subject)
    for name, count in left.items():
        print(f"{subject}: {count} of {name} are still listed")
    print(f"{subject}: {'it is still there' if is_there else 'gone' if whole else 'stays, as wanted'}; ", end="")
    print(f"{sum(left.values())} records listed, {found} found by their ids")
    return not (left or found or is_there)


def print_counts(subject: str, held: Held, *, is_there: bool) -> None:
    """Print how many records of each kind are held, and nothing of what they say."""
    known = "" if is_there else ", and the vendor knows no such subject"
    print(f"{subject}: {sum(map(len, held.values()))} records{known}")
    for name, rows in held.items():
        nameless = sum(row.id is None for row in rows)
        print(f"  {name:<29}{len(rows):>8}" + f"  ({nameless} without an id go with the link alone)" * bool(nameless))


async def tell_own(session: Session, subjects: Sequence[str], *, forget: bool) -> None:
    """Say what the own side still has, and drop from the store what is to be forgotten."""
    jobs = await own_jobs(session, subjects)
    for job in jobs if forget else ():
        await session.forget(job.id, keep_proof=False)
    left = await own_jobs(session, subjects)
    print(f"Your store: {len(jobs) - len(left)} jobs forgotten, {len(left)} left", end="")
    print(" (--forget drops them with what they prove)" if left else "")
    print("Not looked at, and yours to delete: exported files and their receipts, mirrors, caches, backups; deliveries")
    print("laid aside in the store, which keeps them for thirty days. What the vendor keeps and does not list (logs,")
    print("backups) is a question to the vendor, and the SAT keeps its own.")


async def ask(what: str) -> bool:
    """Ask whoever sits there; at the end of the input the answer is no."""
    print(f"About to delete {what}. Type DELETE to go on: ", end="", flush=True)
    answer: str = await asyncio.to_thread(sys.stdin.readline)
    return "DELETE" == answer.strip()


async def main(given: argparse.Namespace) -> bool:
    """Run with a session that the environment configures."""
    async with Session.from_env() as session:
        confirm = ask if given.delete else None
        eraser = ERASERS[given.vendor]
        return await delete(session, eraser, given.subject, confirm=confirm, only=given.only, forget=given.forget)


def read_arguments() -> argparse.Namespace:
    """Read the command line; what is wrong with it is told with the usage and exit code 2."""
    parser = argparse.ArgumentParser(prog="python -m examples.arco_deletion", description="Delete a taxpayer's data.")
    parser.add_argument("subject", metavar="SUBJECT", help="a link or an entity; others of its taxpayer are found")
    parser.add_argument("--vendor", choices=ERASERS, default="belvo", help="where (default: belvo)")
    parser.add_argument("--delete", action="store_true", help="delete, once it is confirmed; else it is only counted")
    lists = sorted({name for each in ERASERS.values() for name, single in each.singles.items() if single.delete})
    parser.add_argument("--only", nargs="+", default=(), choices=lists, metavar="LIST", help="records of these lists")
    parser.add_argument("--forget", action="store_true", help="drop the jobs from the own store as well")
    given = parser.parse_args()
    singles = ERASERS[given.vendor].singles
    unknown = [name for name in given.only if name not in singles or singles[name].delete is None]
    if unknown:
        parser.error(f"{given.vendor} deletes no single records of {', '.join(unknown)}")
    return given


if __name__ == "__main__":
    try:
        sys.exit(0 if asyncio.run(main(read_arguments())) else 1)
    except BelvoAsyncError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
