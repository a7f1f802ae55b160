"""Who plays in the demo: the tasks, what is meant to go wrong with each, and how each is to end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Final, Literal

from ...jobs import Status, Task
from ...simulator import BelvoSimulator, Faults, Json, SyntageSimulator
from ...vendors import belvo, syntage

# Fixed, so that a seed shows the same numbers in any year. No leap year: Belvo takes at most 365 days.
YEARS: Final = (2022, 2023)
LINKS = ENTITIES = 3
# Most of Belvo's results fit one page then: it allows 80 requests in 30 seconds, real ones.
INVOICES_PER_YEAR: Final = 160

# Belvo's webhooks are never dropped here: without one, its end could only be inferred, after ten minutes. Nor forged:
# an authentic delivery about an unknown request may be the one of an uncertain job, so that it would stay unmatched.
BELVO_FAULTS: Final = Faults(
    webhook_duplicated=0.3, webhook_reordered=0.2, webhook_early=0.1, slow=0.06, cut_body=0.08, slow_seconds=0.6
)
# A 5xx on its POST would leave a job uncertain for two minutes, so there is none.
SYNTAGE_FAULTS: Final = Faults(
    webhook_dropped=0.3,
    webhook_duplicated=0.3,
    webhook_reordered=0.2,
    webhook_early=0.15,
    webhook_forged=0.25,
    slow=0.06,
    cut_body=0.08,
    slow_seconds=0.6,
)
FAULTS_IN_WORDS: Final = (
    "belvo:   webhooks doubled, reordered, before their 202; answers slow or cut;",
    "         one 202 lost, one 429, one 500, one synchronous answer, one failure",
    "syntage: webhooks dropped, doubled, reordered, before their 202, forged;",
    "         answers slow or cut; one 202 lost, one 429, one job to be stopped",
)


@dataclass(frozen=True, kw_only=True)
class PlannedJob:
    """One job of the demo. `prepare` orders its faults, just before it is fired; `held` gives what the vendor holds.

    `label` names link and entity by number: taxpayer ids are not shown.
    """

    label: str
    task: Task[Any]
    ending: Status = Status.FINISHED
    is_uncertain: bool = False
    prepare: Callable[[], None] | None = None
    held: Callable[[], Sequence[dict[str, Json]]] | None = None


Type = Literal["INFLOW", "OUTFLOW"]


def belvo_jobs(vendor: BelvoSimulator) -> list[PlannedJob]:
    """Twelve requests for three links, one at a time each, and two for a fourth; in the order they are fired."""
    refuse = partial(vendor.next_answer, path="/api/invoices/")
    lost, failing = partial(refuse, "lost_202"), partial(refuse, "server_error")
    firsts = [
        _invoices(vendor, 0, YEARS[0], "INFLOW", prepare=lost, is_uncertain=True),
        _invoices(vendor, 1, YEARS[0], "INFLOW", prepare=failing),
        _invoices(vendor, 2, YEARS[0], "INFLOW", prepare=partial(refuse, "rate_limited")),
    ]
    last = vendor.links[LINKS]
    fail = partial(vendor.next_job, link=last, outcome="failed", error_code="institution_down")
    return [
        *firsts,
        *_waiting(vendor),
        _invoices(vendor, LINKS, YEARS[0], "INFLOW", prepare=partial(refuse, "synchronous")),
        _invoices(vendor, LINKS, YEARS[1], "INFLOW", prepare=fail, ending=Status.FAILED),
    ]


def _waiting(vendor: BelvoSimulator) -> Iterator[PlannedJob]:
    """What waits for its link: Belvo takes one request per link at a time."""
    for year, kind in ((YEARS[0], "OUTFLOW"), (YEARS[1], "INFLOW"), (YEARS[1], "OUTFLOW")):
        for link in range(LINKS):
            yield _invoices(vendor, link, year, kind)  # type: ignore[arg-type]


def _invoices(
    vendor: BelvoSimulator,
    link: int,
    year: int,
    kind: Type,
    *,
    prepare: Callable[[], None] | None = None,
    is_uncertain: bool = False,
    ending: Status = Status.FINISHED,
) -> PlannedJob:
    subject, first, last = vendor.links[link], date(year, 1, 1), date(year, 12, 31)
    return PlannedJob(
        label=f"link {link + 1} {kind} {year}",
        task=belvo.Invoices(link=subject, date_from=first, date_to=last, type=kind),
        ending=ending,
        is_uncertain=is_uncertain,
        prepare=prepare,
        held=partial(vendor.invoices, subject, first, last, kind),
    )


def syntage_jobs(vendor: SyntageSimulator) -> list[PlannedJob]:
    """Three invoice extractions and three others, in the order they are fired."""
    refuse = partial(vendor.next_answer, path="/extractions")
    stuck = partial(vendor.next_job, entity=vendor.entities[1], extractor="tax_retention", outcome="stuck")
    return [
        _extraction(vendor, 0, "invoice", YEARS[0]),
        _extraction(vendor, 1, "invoice", YEARS[0], prepare=partial(refuse, "lost_202"), is_uncertain=True),
        _extraction(vendor, 2, "invoice", YEARS[1]),
        _extraction(vendor, 0, "tax_status"),
        _extraction(vendor, 1, "tax_retention", prepare=stuck, ending=Status.STOPPED),
        # Syntage asks for five seconds of patience after a 429: last, so that nobody else waits.
        _extraction(vendor, 2, "tax_status", prepare=partial(refuse, "rate_limited")),
    ]


def _extraction(
    vendor: SyntageSimulator,
    entity: int,
    extractor: str,
    year: int | None = None,
    *,
    prepare: Callable[[], None] | None = None,
    is_uncertain: bool = False,
    ending: Status = Status.FINISHED,
) -> PlannedJob:
    subject = vendor.entities[entity]
    options, held = None, None
    if year is not None:
        first, last = date(year, 1, 1), date(year, 12, 31)
        options = syntage.InvoiceOptions(period=syntage.Period(from_=first, to=last))
        words: dict[str, Json] = {"period": {"from": first.isoformat(), "to": last.isoformat()}}
        held = partial(vendor.invoices, subject, words)
    return PlannedJob(
        label=f"entity {entity + 1} {extractor}" + (f" {year}" if year else ""),
        task=syntage.Extraction(entity=subject, extractor=extractor, options=options),
        ending=ending,
        is_uncertain=is_uncertain,
        prepare=prepare,
        held=held,
    )
