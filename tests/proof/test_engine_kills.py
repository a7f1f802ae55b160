"""Three workers of an engine, killed without warning: every job is paid for once, every row is written once."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import date
from pathlib import Path

import msgspec
import pytest

from belvo_async import Plan, Polling, Session, Syntage, syntage
from belvo_async.simulator import SyntageSimulator
from belvo_async.sinks import recount
from tests.engines.kinds import KINDS, Kind, kind_of, new_place
from tests.stores.urls import empty_store
from tests.variables import variables_of

pytestmark = pytest.mark.proof

ROOT = Path(__file__).parents[2]
# One is played with every change; a release is worth twenty of each engine.
ROUNDS = int(os.environ.get("ENGINE_ROUNDS", "1"))
SPEED = 20.0
PLANNED, FIRED = 180, 20
WORKERS, KILLS = 3, 10
# A worker imports and begins within one or two seconds; a kill is to meet it anywhere in its work.
LIVES_SECONDS = (0.5, 3.5)
PATIENCE_SECONDS = 180.0
FIRST, LAST = date(2021, 1, 1), date(2025, 12, 31)

COMMANDS = {
    "procrastinate": ("procrastinate", "--app=tests.proof.engine_worker.app", "worker", "--concurrency=4"),
    "rabbitmq": ("taskiq", "worker", "tests.proof.engine_worker:broker", "--workers=1", "--max-async-tasks=4"),
    "redis": ("taskiq", "worker", "tests.proof.engine_worker:broker", "--workers=1", "--max-async-tasks=4"),
}
# What is left to do for an engine.
ERRANDS = {"order", "ended", "share"}
TICKS = ("taskiq", "scheduler", "tests.proof.engine_worker:scheduler")


@pytest.mark.timeout(ROUNDS * 900)
@pytest.mark.parametrize("kind", KINDS)
def test_ten_kills_pay_for_no_job_twice(kind: str, tmp_path: Path) -> None:
    """Whatever the workers were doing when they died, others end it, and the certificate is whole."""
    for number in range(ROUNDS):
        with empty_store("postgres", tmp_path) as store:
            began = time.monotonic()
            # On a loop of its own with the machine's clock: processes live by no other.
            asyncio.run(play(kind, store, tmp_path / f"round-{number}", random.Random(f"{kind} {number}")))
            print(f"{kind}: round {number + 1} of {ROUNDS} in {time.monotonic() - began:.0f} s", flush=True)


async def play(name: str, store: str, home: Path, rng: random.Random) -> None:
    place = new_place()
    kind = kind_of(name, place)
    await kind.prepare()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(kind.remove)
        vendor = SyntageSimulator(speed=SPEED, entities=PLANNED + FIRED, invoices_per_year=4, limits=False)
        await stack.enter_async_context(vendor)
        environ = os.environ | variables_of(vendor) | {"BELVO_ASYNC_STORE": store, "SPEED": str(SPEED)}
        environ |= {"KIND": name, "PLACE": place, "OUT": str(home)}
        await stack.enter_async_context(receiving(environ, vendor))
        if name != "procrastinate":
            await stack.enter_async_context(running(environ, TICKS))
        plan = Plan(vendor="syntage", resource="invoice", subjects=vendor.entities[:PLANNED], first=FIRST, last=LAST)
        await wish(kind, vendor, store, plan, f"ndjson:{home / 'out'}")
        await kill_and_wait(COMMANDS[name], environ, rng, store, vendor, plan, home)
        await check(vendor, store, plan, home)


def session_on(vendor: SyntageSimulator, store: str) -> Session:
    account = Syntage(vendor.api_key, base_url=vendor.url, webhook_secrets=(vendor.signing_secret,))
    return Session(account, store=store, sweep=False, polling=Polling())


async def wish(kind: Kind, vendor: SyntageSimulator, store: str, plan: Plan, into: str, *, retry: bool = False) -> None:
    """Say what is wanted, and leave: nobody but the workers is there after that."""

    async def nobody(_: object) -> None:
        raise AssertionError("only workers collect")

    engine = kind.make(lambda: session_on(vendor, store), nobody)
    async with kind.open():
        await engine.extract(plan, into=into, retry=retry)
        if not retry:
            for entity in vendor.entities[PLANNED:]:
                await engine.fire(syntage.Extraction(entity=entity, extractor="tax_status"), once=f"status {entity}")
        await engine.close()


async def kill_and_wait(
    command: tuple[str, ...],
    environ: dict[str, str],
    rng: random.Random,
    store: str,
    vendor: SyntageSimulator,
    plan: Plan,
    home: Path,
) -> None:
    # What the vendor was asked for, and what was written, when a worker died.
    met = list[tuple[int, int]]()
    workers = [await start(environ, command) for _ in range(WORKERS)]
    try:
        await until_at_work(vendor)
        for _ in range(KILLS):
            await asyncio.sleep(rng.uniform(*LIVES_SECONDS))
            victim = rng.randrange(WORKERS)
            met.append((len(vendor.jobs), parts_in(home)))
            await kill(workers[victim])
            workers[victim] = await start(environ, command)
        print(f"asked for and written at each kill: {met}", flush=True)
        await until_over(store, vendor)
        async with session_on(vendor, store) as session:
            coverage = await session.coverage(plan)
        if not coverage.is_whole:
            # A worker died between noting that it sends and the first byte, and nobody could tell whether it came. A
            # person decides, who knows that nothing did.
            kind = kind_of(environ["KIND"], environ["PLACE"])
            await wish(kind, vendor, store, plan, f"ndjson:{home / 'out'}", retry=True)
            await until_over(store, vendor)
    finally:
        for worker in workers:
            await kill(worker)


async def until_at_work(vendor: SyntageSimulator) -> None:
    """Wait for the first request: before it, a kill would meet an import."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not vendor.jobs:  # noqa: ASYNC110 - the simulator has no event for it
            await asyncio.sleep(0.1)


def parts_in(home: Path) -> int:
    return sum(1 for _ in home.rglob("*.ndjson"))


async def until_over(store: str, vendor: SyntageSimulator) -> None:
    """Wait until the engine has nothing left to do."""
    until = time.monotonic() + PATIENCE_SECONDS
    async with session_on(vendor, store) as session:
        while True:
            # In this order: what ends meanwhile is open first, then told of, then left.
            opened = [handle.job async for handle in session.open_jobs()]
            ended = {handle.id async for handle in session.ended_jobs(tags={"engine": "belvo_async"})}
            kept = [entry async for entry in session.store.entries(None)]
            untold = ended - {each.key for each in kept if each.kind.startswith("acknowledged engine.")}
            left = [(each.kind, each.document[-300:]) for each in kept if each.kind.removeprefix("engine.") in ERRANDS]
            if not opened and not untold and not left:
                return
            assert time.monotonic() < until, (opened, untold, left)
            await asyncio.sleep(0.5)


async def check(vendor: SyntageSimulator, store: str, plan: Plan, home: Path) -> None:
    async with session_on(vendor, store) as session:
        certificate = await session.certificate(plan, into=f"ndjson:{home / 'out'}")
    assert certificate.is_whole, certificate.days
    assert () == certificate.unreceipted
    assert PLANNED + FIRED == len(vendor.jobs)
    period = {"period": {"from": FIRST.isoformat(), "to": LAST.isoformat()}}
    held = Counter(row["uuid"] for entity in plan.subjects for row in vendor.invoices(entity, period))
    lines = (line for part in (home / "out").rglob("*.ndjson") for line in part.read_bytes().splitlines())
    assert held == Counter(msgspec.json.decode(line)["uuid"] for line in lines)
    assert recount(certificate.receipts, [home / "out"]).fault is None
    collected = {each.name.partition("-")[0]: each.read_text() for each in (home / "collected").iterdir()}
    assert FIRED == len(collected)
    assert all(each.startswith("finished ") for each in collected.values())


async def start(environ: dict[str, str], command: tuple[str, ...]) -> asyncio.subprocess.Process:
    program = Path(sys.executable).with_name(command[0])
    # In a group of its own: the command of taskiq is a process that keeps another one alive.
    return await asyncio.create_subprocess_exec(
        str(program),
        *command[1:],
        cwd=ROOT,
        env=environ,
        start_new_session=True,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )


async def kill(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


@asynccontextmanager
async def running(environ: dict[str, str], command: tuple[str, ...]) -> AsyncIterator[None]:
    process = await start(environ, command)
    try:
        yield
    finally:
        await kill(process)


@asynccontextmanager
async def receiving(environ: dict[str, str], vendor: SyntageSimulator) -> AsyncIterator[None]:
    """Have a receiver that does nothing else, and is not killed."""
    receiver = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "belvo_async", "serve", "--port", "0", "--no-poll"),
        cwd=ROOT,
        env=environ,
        stdout=asyncio.subprocess.PIPE,
    )
    assert receiver.stdout is not None
    vendor.webhook_url = f"{(await receiver.stdout.readline()).decode().split()[-1]}/webhooks/syntage"
    try:
        yield
    finally:
        receiver.kill()
        await receiver.communicate()
