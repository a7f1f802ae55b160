"""Whether a platform of many processes does what the formulas of `capacity.py` say, and what these take of a job.

    python benchmarks/scale.py [--quick]

Sessions that stand for processes share one store, and keys with the budgets that the vendors' simulators keep, on a
loop whose time jumps (`scale_side.py`): what holds them up is waiting for places in a budget or for the store's writes,
as it would be in an hour of a real platform. What was measured stands beside what the formula says; the ratio is how
far one is from the other, 1 being the same. Processors are no part of this: the other areas measure them.
"""

from __future__ import annotations

import asyncio
import statistics
from contextlib import closing
from datetime import timedelta
from typing import Any

import capacity
from apart import ask
from decode import make_rows
from msgspec.structs import replace
from psycopg import sql
from store_jobs import IN_FLIGHT, Ours, make_jobs
from store_servers import POSTGRES, admin, on_server, open_store
from table import Row, Size, run

from belvo_async.abc import Store
from belvo_async.jobs import Job, Seen, Status, Way
from belvo_async.vendors.belvo.dialect import RATE_LIMIT

AREA = "scale"
# How far the formulas may be off.
OFF = 1.15
PROCESSES = 4
# Jobs of a key under way: more than its budget keeps up with while the slowest takes its time.
BUSY = 240
# The simulator's usual retrievals. Of what a store bears, so much is asked: where it is more, deliveries wait longer
# than they may, come again or never, and polls take their place.
MEAN_SECONDS = 55
LOAD = 0.95
# So slow that it is what everybody waits for.
STORE_WRITES = 20


def simulate(vendor: str, keys: int, processes: int, jobs: int, under_way: int = BUSY) -> Any:
    """Under the vendor's limits, all that may be under way begun at once."""
    return ask("scale_side.py", vendor, *map(str, (keys, processes, jobs, under_way, 1, 0, 0)))


def simulate_store(writes: int, jobs: int, under_way: int = BUSY) -> Any:
    """Without limits, begun little by little: polls come often until it is known how long jobs take."""
    return ask("scale_side.py", "belvo", *map(str, (1, PROCESSES, jobs, under_way, 0, writes, 3 * MEAN_SECONDS)))


def beside_formula(what: str, unit: str, measured: float, formula: float) -> Row:
    ratio = max(measured, formula) / min(measured, formula)
    shown = [f"{each:.2f} {unit}" for each in (measured, formula)]
    return Row(area=AREA, what=what, ours=shown[0], peer=shown[1], ratio=ratio, goal=OFF, at_least=False)


def by_budgets(jobs: int) -> list[Row]:
    """One key with one process, with several; three keys."""
    rows: list[Row] = []
    for keys, processes in ((1, 1), (1, PROCESSES), (3, 2 * 3)):
        done = simulate("belvo", keys, processes, jobs * keys)
        # What a budget gives at once is no rate.
        rate = (done["requests"] - keys * RATE_LIMIT) / done["seconds"]
        what = f"Belvo, {keys} key{'s' * (keys > 1)}, {processes} process{'es' * (processes > 1)}, requests"
        rows.append(beside_formula(what, "/s", rate, keys * capacity.belvo_requests()))
    return rows


def by_keys(jobs: int) -> list[Row]:
    """Syntage, whose headers tell the windows; the first is given at once. Processes learn of its end by refusals."""
    rows: list[Row] = []
    for processes in (1, PROCESSES):
        done = simulate("syntage", 1, processes, jobs)
        rate = (done["jobs"] - capacity.SYNTAGE_CALLS) / done["seconds"]
        what = f"Syntage, 1 key, {processes} process{'es' * (processes > 1)}"
        rows.append(beside_formula(f"{what}, extractions", "/s", rate, capacity.syntage_requests()))
        share = done["refused"] / (done["requests"] + done["refused"])
        rows.append(Row(area=AREA, what=f"{what}, requests refused", ours=f"{100 * share:.0f} %"))
    return rows


def by_store(jobs: int) -> list[Row]:
    """What a job asks of vendor and store where nothing holds it up, and a store that takes few writes."""
    free = simulate_store(0, jobs)
    writes_a_job, requests_a_job = (free[f"late_{each}"] / free["late_jobs"] for each in ("writes", "requests"))
    formula = capacity.jobs_by_store(STORE_WRITES, writes_a_job)
    under_way = round(formula * MEAN_SECONDS * LOAD)
    slow = simulate_store(STORE_WRITES, jobs, under_way)
    what = f"a store of {STORE_WRITES} writes/s, {PROCESSES} processes, jobs"
    return [
        Row(area=AREA, what="writes of a job to the store", ours=f"{writes_a_job:.2f}"),
        Row(area=AREA, what="requests of a Belvo job, its rows read", ours=f"{requests_a_job:.2f}"),
        beside_formula(what, "/s", slow["late_jobs"] / slow["late_seconds"], formula),
    ]


def ended(job: Job) -> tuple[Job, Seen]:
    """The job as a webhook ended it."""
    at = job.created_at + timedelta(minutes=1)
    seen = Seen(way=Way.WEBHOOK, at=at, status=Status.FINISHED, remote_id=job.remote_id, delivery_id=job.id)
    return replace(job, status=Status.FINISHED, settled_by=Way.WEBHOOK, settled_at=at, version=1), seen


async def fill(store: Store, jobs: list[Job]) -> None:
    """Write jobs, and their ends."""
    await Ours(store)(jobs)
    for begin in range(0, len(jobs), IN_FLIGHT):
        ends = map(ended, jobs[begin : begin + IN_FLIGHT])
        await asyncio.gather(*(store.put(job, expected=0, observation=seen) for job, seen in ends))


async def kept_in_postgres(count: int, schema: str, _: str) -> list[Row]:
    """What an ended job takes on the disk, indexes and timeline included, once the dead rows are gone."""
    relations = "SELECT oid, relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind = 'r'"
    async with open_store(POSTGRES, schema) as store:
        with closing(admin()) as connection:

            def size() -> int:
                found = connection.execute(relations, (schema,)).fetchall()
                for _, name in found:
                    connection.execute(sql.SQL("VACUUM FULL {}").format(sql.Identifier(schema, name)))
                sizes = [connection.execute("SELECT pg_total_relation_size(%s)", (oid,)).fetchone() for oid, _ in found]
                return sum(each[0] for each in sizes if each)

            await fill(store, make_jobs(0, IN_FLIGHT))
            before = size()
            await fill(store, make_jobs(IN_FLIGHT, count))
            grown = (size() - before) / count
    return [Row(area=AREA, what="bytes of an ended job in PostgreSQL, all of it", ours=f"{grown:,.0f} B")]


def sizes(count: int) -> list[Row]:
    """What the formulas take besides speeds."""
    invoice = statistics.mean(map(len, make_rows(200)))
    requests = ask("jobs_polls.py", str(count))["requests"]
    return [
        *on_server("PostgreSQL", lambda one, two: kept_in_postgres(count, one, two)),
        Row(area=AREA, what="bytes of an invoice of Belvo's, without XML", ours=f"{invoice:,.0f} B"),
        Row(area=AREA, what="open Syntage jobs a list request tells of", ours=f"{count / requests:.0f}"),
    ]


def measure(size: Size = Size.FULL) -> list[Row]:
    """Simulated platforms, then sizes."""
    # Windows of Syntage's that are used up; of a store's jobs, most once all have begun.
    jobs, extractions, stored = size.pick((1_200, 420, 1_200), (300, 180, 800), (90, 120, 90))
    return [*by_budgets(jobs), *by_keys(extractions), *by_store(stored), *sizes(size.pick(10_000, 2_000, 256))]


if __name__ == "__main__":
    run(measure, "Hold the formulas of scale against simulated platforms.")
