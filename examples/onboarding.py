"""Take a taxpayer on at Syntage: entity, credential, label, first extraction; and what is fetched from then on.

    export SYNTAGE_API_KEY=... BELVO_ASYNC_STORE=sqlite:jobs.db
    python -m examples.onboarding ZZT190415QA7 "Zapateria de Tapalpa" --since 2024-01-01 --label nightly --daily
    python -m examples.onboarding ... --webhook https://example.com/webhooks/syntage --secret-file syntage.secret

Asks for the CIEC, which goes to Syntage and is kept nowhere. The label is made where there is none; with `--daily` a
scheduler runs for all who wear it, every day and without this program: that is billed as any extraction is. Whatever is
there already is left as it is, so that the same command finishes what broke off; the first extraction is paid for once.
`--webhook` makes the account's endpoint unless it has one of that address; its secret goes into a new file.
Exit code 1: the SAT did not accept the credential, the extraction failed, or nobody could be asked; see stderr.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final, TextIO

from belvo_async import BelvoAsyncError, Session, syntage
from belvo_async.abc import Secret

# How often a credential is looked at. The SAT's check takes seconds to minutes.
EVERY_SECONDS: Final = 5
UNDER_CHECK: Final = ("pending", "waiting")
# Before the office hours of all of Mexico, should Syntage read it in UTC (it does not say).
DAILY: Final = "0 9 * * *"


class RefusedError(Exception):
    """The SAT did not accept the credential."""


async def ensure_entity(session: Session, rfc: str, name: str) -> str:
    """Find the entity of an RFC, or create it: its IRI.

    Without data sources: what Syntage extracts by itself of a new entity is a setting of the account.
    """
    async for known in session.list(syntage.Entities(rfc=rfc)):
        return f"/entities/{known.id}"
    is_company = len(rfc) == 12  # a person's has 13 letters and digits
    made = await session.call(syntage.CreateEntity(name=name, type="company" if is_company else "person", rfc=rfc))
    return f"/entities/{made.id}"


async def ensure_access(session: Session, rfc: str, password: Secret) -> None:
    """Give Syntage the credential unless it has a valid one, and wait for what the SAT says."""
    known = await session.list(syntage.Credentials(rfc=rfc)).to_list()
    if any(each.status == "valid" for each in known):
        return
    begun = [each for each in known if each.status in UNDER_CHECK]
    access = syntage.Ciec(rfc=rfc, password=password)
    found = begun[0] if begun else await session.call(syntage.CreateCredential(access))
    while found.status in UNDER_CHECK:
        await asyncio.sleep(EVERY_SECONDS)
        found = await session.call(syntage.GetCredential(found.id or ""))
    if found.status != "valid":
        reason = found.status_reason.type if found.status_reason else None
        raise RefusedError(f"the credential is {found.status}{f': {reason}' if reason else ''}")


async def ensure_label(session: Session, name: str, entity: str) -> str:
    """Put a label on an entity, made if there is none of that name: its id. Labels it wears already stay."""
    labels = [each async for each in session.list(syntage.EntityTags()) if each.name == name]
    label = labels[0] if labels else await session.call(syntage.CreateEntityTag(name=name))
    await session.call(syntage.TagEntities(resources=(entity,), tags=(label.id or "",)))
    return label.id or ""


async def ensure_schedule(session: Session, label: str, since: date) -> None:
    """Have Syntage extract the invoices of all who wear a label, every day, up to that day."""
    listed = await session.list(syntage.Schedulers()).to_list()
    known = [each for each in listed if any(tag.id == label for tag in each.tags or ())]
    if known:
        made = await session.call(syntage.GetScheduler(known[0].id or ""))
    else:
        made = await session.call(syntage.CreateScheduler(name="Daily invoices", tags=(label,)))
    if made.rules:
        return
    # Also for one that was left without its rule, when this broke off.
    # In Syntage's own words a period may lack its end: a fixed one would bring the same days for ever.
    await session.call(
        syntage.CreateSchedulerRule(
            scheduler=made.id or "",
            extractor="invoice",
            cron_expression=DAILY,
            options={"period": {"from": since.isoformat()}},
        )
    )


async def ensure_invoices(session: Session, rfc: str, entity: str, since: date, until: date) -> int:
    """Fetch the invoices unless an extraction has brought them already; gives how many Syntage holds."""
    done = await session.list(syntage.Extractions(rfc=rfc, extractor="invoice", status="finished")).to_list()
    if not done:
        options = syntage.InvoiceOptions(period=syntage.Period(since, until))
        # The name makes it one job, however often and by whom it is asked for.
        await (await session.fire(syntage.Extraction(entity, "invoice", options), once=f"first {entity} {until}"))
    return sum([1 async for _ in session.list(syntage.Invoices(entity=entity))])


@contextmanager
def new_secret(path: Path) -> Generator[TextIO, None, None]:
    """Write a file that its owner alone reads, and that is gone where the block fails.

    Raises FileExistsError: a secret that is in use must not be written over.
    """
    path.touch(mode=0o600, exist_ok=False)
    try:
        with path.open("w", encoding="utf-8") as file:
            yield file
    except BaseException:
        path.unlink()
        raise


async def ensure_webhooks(session: Session, url: str, secret_file: Path) -> None:
    """Have Syntage tell an address of the ends of jobs, unless it does already; its secret goes into a new file."""
    known = await session.list(syntage.WebhookEndpoints(url=url)).to_list()
    is_kept: bool = await asyncio.to_thread(secret_file.exists)
    if known and is_kept:
        return
    wanted = syntage.CreateWebhookEndpoint(url=url, events=("extraction.updated", "export.updated"))
    with new_secret(secret_file) as file:
        # Where the answer was lost, the endpoint is there, and tells its secret.
        made = known[0] if known else await session.call(wanted)
        if made.signing_secret is not None:
            file.write(made.signing_secret.reveal())
    print(f"{url}: is told; its secret is in {secret_file}")


async def onboard(
    session: Session, rfc: str, name: str, password: Secret, *, since: date, until: date, label: str, daily: bool
) -> str:
    """Do all of it, one after the other; gives the entity's IRI."""
    entity = await ensure_entity(session, rfc, name)
    print(f"{entity}: known to Syntage")
    await ensure_access(session, rfc, password)
    print(f"{entity}: the SAT accepts its credential")
    worn = await ensure_label(session, label, entity)
    print(f"{entity}: wears {label}")
    if daily:
        await ensure_schedule(session, worn, since)
    print(f"{entity}: {await ensure_invoices(session, rfc, entity, since, until)} invoices")
    return entity


async def main(given: argparse.Namespace, password: Secret) -> int:
    """Run with a session that the environment configures."""
    try:
        async with Session.from_env() as session:
            if given.webhook:
                await ensure_webhooks(session, given.webhook, given.secret_file)
            await onboard(
                session, given.rfc.upper(), given.name, password,
                since=given.since, until=given.until, label=given.label, daily=given.daily,
            )  # fmt: skip
    except (BelvoAsyncError, RefusedError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def read_arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line; what is wrong with it is told with the usage and exit code 2."""
    parser = argparse.ArgumentParser(prog="python -m examples.onboarding", description="Take a taxpayer on at Syntage.")
    parser.add_argument("rfc", metavar="RFC")
    parser.add_argument("name", metavar="NAME", help="what the entity is called")
    parser.add_argument("--since", type=date.fromisoformat, required=True, metavar="DAY", help="the first day fetched")
    today = datetime.now(UTC).date()
    parser.add_argument(
        "--until", type=date.fromisoformat, default=today, metavar="DAY", help="the last (default: today)"
    )
    parser.add_argument("--label", default="nightly", help="what the entity wears (default: nightly)")
    parser.add_argument("--daily", action="store_true", help="have all who wear the label extracted every day")
    parser.add_argument("--webhook", metavar="URL", help="where Syntage tells of ends, unless it does already")
    parser.add_argument("--secret-file", type=Path, metavar="FILE", help="a new file, for the secret of that")
    given = parser.parse_args(words)
    if given.webhook and not given.secret_file:
        parser.error("--webhook wants a --secret-file")
    if given.since > given.until:
        parser.error("--since lies after --until")
    return given


if __name__ == "__main__":
    arguments = read_arguments()
    sys.exit(asyncio.run(main(arguments, Secret(getpass.getpass("CIEC: ")))))
