"""What one process, one store and one key carry, and how many of each a load takes: computed from one committed run.

    python benchmarks/capacity.py --taxpayers 50000 [--invoices-a-year 600] [--hours 8] [--results FILE]

Pure arithmetic: `docs/scale.md` is rendered from it, and `scale.py` holds its formulas against simulated platforms.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from results import COMMITTED, Results, read_results

from belvo_async._http.budget_queue import SLACK
from belvo_async.vendors.belvo.dialect import RATE_LIMIT, RATE_SPAN

# Syntage tells the numbers in its answers' headers and publishes none: these are those of its example, a key and route.
SYNTAGE_CALLS, SYNTAGE_WINDOW_SECONDS = 60, 60.0
# The end of a window is told in whole seconds, and nobody comes back before it.
TOLD_SLACK_SECONDS = 1.0
DAY_SECONDS = 86_400.0
# What is planned with of a process and of a store: the rest is for peaks, and for what else they do.
SHARE = 0.5
# What is assumed of loads, besides their taxpayers.
DAYS_READ_AGAIN = 3
FIRST_YEARS = 5
DAYS_KEPT = 90
DIRECTIONS = 2
# Usual retrievals of the simulator take 20 to 90 s; the vendors speak of minutes, and of hours for a first year.
MINUTES_OPEN = 30.0


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What was measured, in the units the formulas take."""

    webhooks: float
    fires: float
    read_bytes: float
    exported: float
    inserts: float
    updates: float
    writes_a_job: float
    requests_a_job: float
    requests_a_chunk: float
    bytes_a_job: float
    open_bytes: float
    invoice_bytes: float
    seen_a_request: float

    @property
    def writes(self) -> float:
        """Writes a second of one PostgreSQL: of a job's, one is an insert."""
        return self.writes_a_job / (1 / self.inserts + (self.writes_a_job - 1) / self.updates)

    @property
    def read(self) -> float:
        """Rows a second, as they stream."""
        return self.read_bytes / self.invoice_bytes


# Figure -> the area of its row, how it begins, and what its number is multiplied by.
ROWS: dict[str, tuple[str, str, float]] = {
    "webhooks": ("webhooks", "aiohttp.web, memory", 1),
    "fires": ("fire", "POSTs started, beside aiohttp, bare", 1),
    "read_bytes": ("http", "MB over HTTP, beside read", 1e6),
    "exported": ("exports", "NDJSON of Belvo's invoices, beside encode_lines", 1),
    "inserts": ("store", "PostgreSQL inserts", 1),
    "updates": ("store", "PostgreSQL updates", 1),
    "writes_a_job": ("scale", "writes of a job", 1),
    "requests_a_job": ("scale", "requests of a Belvo job", 1),
    "requests_a_chunk": ("backfill", "requests a chunk, usual, by a plan", 1),
    "bytes_a_job": ("scale", "bytes of an ended job in PostgreSQL", 1),
    "open_bytes": ("growth", "open jobs: memory a job, with its record", 1),
    "invoice_bytes": ("scale", "bytes of an invoice of Belvo's", 1),
    "seen_a_request": ("scale", "open Syntage jobs a list request tells of", 1),
}


def number(text: str) -> float:
    """Read a figure as the table writes it: `5,449/s`, `148 MB/s`, `307 B`."""
    return float(text.split()[0].removesuffix("/s").replace(",", ""))


def read_figures(results: Results) -> Figures:
    """Raises LookupError where the run lacks a row."""
    found: dict[str, float] = {}
    for name, (area, words, factor) in ROWS.items():
        rows = [row for row in results.rows if row.area == area and row.what.lstrip("0123456789, ").startswith(words)]
        if not rows:
            raise LookupError(f"the run has no row of {area} that begins with {words!r}")
        found[name] = number(rows[0].ours) * factor
    return Figures(**found)


# The formulas.


def belvo_requests(limit: int = RATE_LIMIT, span_seconds: float = RATE_SPAN.total_seconds()) -> float:
    """Requests a second of one budget of Belvo's, however many processes share it."""
    return limit / (span_seconds * (1 + SLACK))


def syntage_requests(calls: int = SYNTAGE_CALLS, window_seconds: float = SYNTAGE_WINDOW_SECONDS) -> float:
    """Requests a second of one route with one key, by what the headers say."""
    return calls / (window_seconds + TOLD_SLACK_SECONDS)


def jobs_by_budget(keys: int, requests_a_job: float) -> float:
    """Jobs a second that Belvo's budgets carry; each key from an address of its own."""
    return keys * belvo_requests() / requests_a_job


def jobs_by_store(writes_a_second: float, writes_a_job: float) -> float:
    return writes_a_second / writes_a_job


def store_writes(figures: Figures) -> float:
    """Of a job of Belvo's: its own, and one for each place that it takes in a budget."""
    return figures.writes_a_job + figures.requests_a_job


def process_seconds(jobs: float, rows: float, figures: Figures) -> float:
    """Of one core: each job is told of by a webhook, each row read and written; a request takes as much as a fire."""
    return jobs * (figures.requests_a_job / figures.fires + 1 / figures.webhooks) + rows * (
        1 / figures.read + 1 / figures.exported
    )


def open_at_once(jobs_a_second: float) -> float:
    """Little's law."""
    return jobs_a_second * 60 * MINUTES_OPEN


@dataclass(frozen=True, kw_only=True)
class Load:
    """Taxpayers whose last days are asked for once a day, in both directions, within some hours."""

    name: str
    taxpayers: int
    invoices_a_year: int = 600
    hours: float = 8

    @property
    def seconds(self) -> float:
        return 3600 * self.hours

    @property
    def rows(self) -> float:
        """Of one day."""
        return self.taxpayers * self.invoices_a_year / 365 * DAYS_READ_AGAIN


LOADS = (
    Load(name="a lender", taxpayers=2_000),
    Load(name="a platform", taxpayers=100_000),
    Load(name="a national one", taxpayers=2_000_000),
)


@dataclass(frozen=True, kw_only=True)
class Need:
    """What a load asks of one kind of thing, and what one of it gives, in the same unit."""

    what: str
    asks: float
    gives: float
    unit: str

    @property
    def times(self) -> float:
        return self.asks / self.gives

    @property
    def count(self) -> int:
        return max(1, math.ceil(self.times))


def needs(load: Load, figures: Figures) -> list[Need]:
    """Of a daily refresh, the scarcest first."""
    jobs = DIRECTIONS * load.taxpayers
    a_second = jobs / load.seconds
    found = [
        Need(what="Belvo, budgets of 80 requests in 30 s", asks=a_second * figures.requests_a_job,
             gives=belvo_requests(), unit="requests/s"),
        Need(what="Syntage, keys of 60 POSTs in 60 s", asks=load.taxpayers / load.seconds, gives=syntage_requests(),
             unit="POSTs/s"),
        Need(what="processes, half of a core each", asks=process_seconds(jobs, load.rows, figures) / load.seconds,
             gives=SHARE, unit="cores"),
        Need(what="PostgreSQL, half of its writes", asks=a_second * store_writes(figures),
             gives=SHARE * figures.writes, unit="writes/s"),
    ]  # fmt: skip
    return sorted(found, key=lambda each: -each.times)


def first_load_days(load: Load, figures: Figures, budgets: int) -> tuple[float, float]:
    """Days until all years are held: by Belvo's budgets, by Syntage's keys; as many as there are for every day."""
    chunks = load.taxpayers * DIRECTIONS * FIRST_YEARS
    belvo = chunks * figures.requests_a_chunk / (budgets * belvo_requests()) / DAY_SECONDS
    return belvo, load.taxpayers / (budgets * syntage_requests()) / DAY_SECONDS


def first_load_core_hours(load: Load, figures: Figures) -> float:
    """Of reading and writing its rows."""
    rows = load.taxpayers * load.invoices_a_year * FIRST_YEARS
    return process_seconds(load.taxpayers * DIRECTIONS * FIRST_YEARS, rows, figures) / 3600


def kept_gigabytes(load: Load, figures: Figures) -> float:
    """Of jobs that ended in the days before they are pruned."""
    return load.taxpayers * DIRECTIONS * DAYS_KEPT * figures.bytes_a_job / 1e9


def open_megabytes(load: Load, figures: Figures) -> float:
    """Of the jobs that are open at once, in the memory store."""
    return open_at_once(DIRECTIONS * load.taxpayers / load.seconds) * figures.open_bytes / 1e6


# The tables.


def shown(amount: float) -> str:
    """Three digits that count, thousands apart."""
    if amount == 0 or amount >= 100:
        return f"{float(f'{amount:.3g}'):,.0f}"
    found = f"{amount:.2g}" if amount < 10 else f"{amount:.3g}"
    return f"{amount:.6f}" if "e" in found else found


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rule = "|---" * len(head) + "|"
    return "\n".join(["| " + " | ".join(head) + " |", rule, *("| " + " | ".join(line) + " |" for line in lines)])


def units_table(figures: Figures) -> str:
    """What one of each carries."""
    by_store = jobs_by_store(figures.writes, store_writes(figures))
    singles, pieces = (jobs_by_budget(1, each) for each in (figures.requests_a_job, figures.requests_a_chunk))
    lines = [
        ("one process", "webhooks verified, applied, answered", f"{shown(figures.webhooks)}/s"),
        ("", "jobs fired", f"{shown(figures.fires)}/s"),
        ("", "rows streamed from the vendor", f"{shown(figures.read)}/s"),
        ("", "rows exported, with receipt", f"{shown(figures.exported)}/s"),
        ("", "memory of an open job, in the memory store", f"{shown(figures.open_bytes)} B"),
        ("one PostgreSQL", "writes, durable", f"{shown(figures.writes)}/s"),
        ("", "writes of a job", shown(figures.writes_a_job)),
        ("", "jobs of Belvo's, so, with their places in a budget", f"{shown(by_store)}/s"),
        ("", "a job that ended and is kept", f"{shown(figures.bytes_a_job)} B"),
        ("one budget of Belvo's", "requests: 80 in 30 s and a sixtieth of care", f"{shown(belvo_requests())}/s"),
        ("", "requests of a job", f"{figures.requests_a_job:.2f}"),
        ("", "jobs, one by one", f"{shown(singles * DAY_SECONDS)} a day"),
        ("", "requests of a piece of a plan", f"{figures.requests_a_chunk:.2f}"),
        ("", "pieces of a plan", f"{shown(pieces * DAY_SECONDS)} a day"),
        ("one key of Syntage's", "extractions: 60 POSTs in 60 s", f"{shown(syntage_requests() * DAY_SECONDS)} a day"),
        ("", "open jobs seen by their list", f"{shown(syntage_requests() * figures.seen_a_request)}/s"),
    ]
    return table(("", "what", "carries"), lines)


def loads_table(loads: Sequence[Load], figures: Figures) -> str:
    """What each load asks for, the scarcest first."""
    lines: list[tuple[str, ...]] = []
    for load in loads:
        name = f"{load.name}, {load.taxpayers:,}"
        for need in needs(load, figures):
            asks, gives = (f"{shown(each)} {need.unit}" for each in (need.asks, need.gives))
            lines.append((name, need.what, asks, gives, shown(need.times), f"{need.count:,}"))
            name = ""
    return table(("taxpayers", "what", "is asked for", "one gives", "times", "so many"), lines)


def sizes_table(loads: Sequence[Load], figures: Figures) -> str:
    """What is held, and how long the first years take."""
    lines: list[tuple[str, ...]] = []
    for load in loads:
        budgets = max(each.count for each in needs(load, figures) if each.what.startswith("Belvo"))
        belvo, syntage = first_load_days(load, figures, budgets)
        waiting = open_at_once(DIRECTIONS * load.taxpayers / load.seconds)
        line = (
            f"{load.name}, {load.taxpayers:,}",
            f"{shown(waiting)}, {shown(open_megabytes(load, figures))} MB",
            f"{shown(kept_gigabytes(load, figures))} GB",
            f"{budgets:,}",
            f"{shown(belvo)} days",
            f"{shown(syntage)} days",
            shown(first_load_core_hours(load, figures)),
        )
        lines.append(line)
    years = f"{FIRST_YEARS} years by Belvo"
    head = (
        "taxpayers",
        "open at once",
        f"ended jobs of {DAYS_KEPT} days",
        "budgets",
        years,
        "by Syntage",
        "core hours",
    )
    return table(head, lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Compute what a load takes, from measured figures.")
    parser.add_argument("--taxpayers", type=int, required=True)
    parser.add_argument("--invoices-a-year", type=int, default=600, help="of one taxpayer, both directions")
    parser.add_argument("--hours", type=float, default=8, help="within which each day's refresh has to be done")
    parser.add_argument("--results", type=Path, default=COMMITTED, help="the run to compute from")
    options = parser.parse_args()
    load = Load(name="yours", taxpayers=options.taxpayers, invoices_a_year=options.invoices_a_year, hours=options.hours)
    figures = read_figures(read_results(options.results))
    print(loads_table([load], figures), sizes_table([load], figures), sep="\n\n")


if __name__ == "__main__":
    main()
