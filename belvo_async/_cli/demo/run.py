"""`belvo-async demo`: both vendors simulated, webhooks and faults on, what is received compared with what they hold."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, Final

from aiohttp import web

from ..._session import JobHandle, Session, SystemClock
from ...abc import Clock
from ...errors import BelvoAsyncError, ConfigurationError, JobError
from ...jobs import Polling, Status
from ...simulator import BelvoSimulator, SyntageSimulator
from ...vendors.belvo import Belvo
from ...vendors.syntage import Syntage
from ...web.aiohttp import webhook_routes
from ..lasting import ENDED, run_until_ended
from ..log import log_to
from .holding import Holding
from .plan import (
    BELVO_FAULTS,
    FAULTS_IN_WORDS,
    INVOICES_PER_YEAR,
    LINKS,
    SYNTAGE_FAULTS,
    PlannedJob,
    belvo_jobs,
    syntage_jobs,
)
from .progress import Track, in_order
from .records import held_by_vendor, read
from .report import close, complain
from .screen import Screen, open_screen

# Belvo allows 80 requests in 30 real seconds; polling more often than this would use them up.
POLLING: Final = Polling(first=timedelta(milliseconds=600), longest=timedelta(seconds=1))
REFRESH_SECONDS: Final = 0.1
# Of a run that went wrong.
LOG_LINES: Final = 20
# In the vendors' time: the slowest job takes 5 minutes, and four wait for one link.
DEADLINE_SECONDS: Final = 2400
STOP_AFTER_SECONDS: Final = 60

Held = Callable[[PlannedJob], Mapping[str, Decimal]]


@dataclass(frozen=True, kw_only=True)
class DemoOptions:
    """What the demo is told. `seed` decides data and faults, `speed` divides the vendors' time."""

    seed: int
    speed: float
    out: Path
    store: Path
    keep: Path


def demo(*, seed: int, speed: float, out: Path | None, store: Path | None, log: Path | None, keep: Path | None) -> int:
    """Run the demo on this terminal; the exit code. Nothing stays behind but the files that were asked for."""
    if store is not None and store.exists():
        # Jobs of another run would be joined, or meet those of this one: a seed makes the same ids again.
        raise ConfigurationError(f"there is something at {store} already: the demo begins with a store of its own")
    if keep is not None and keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        raise ConfigurationError(f"there is something at {keep} already: --keep takes a new directory, or an empty one")
    screen = open_screen()
    scratch = tempfile.TemporaryDirectory(prefix="belvo-async-demo-", ignore_cleanup_errors=True)
    with scratch as name:
        folder = Path(name)
        options = DemoOptions(
            seed=seed,
            speed=speed,
            out=out or folder / "records.ndjson",
            store=store or folder / "jobs.db",
            keep=keep or folder / "held",
        )
        with log_to(log or folder / "log.txt"):
            running = run_demo(options, screen, SystemClock())
            code = run_until_ended(running, farewell=_farewell(store), tidy=scratch.cleanup)
        if code > ENDED:
            return code
        for line in _kept(out, store, log, keep):
            screen.say(line)
        if code and log is None:
            _tell_log(screen, folder / "log.txt")
    return code


def _farewell(store: Path | None) -> str:
    if store is None:
        return "ended; nothing is left of it (with --store FILE, its jobs would be kept)"
    return (
        f"ended; every job is kept in the store: belvo-async jobs list --store sqlite:{store}\n"
        "A new session on a store goes on where the last one stopped (here the vendors ended with the demo)."
    )


def _kept(out: Path | None, store: Path | None, log: Path | None, keep: Path | None) -> list[str]:
    given = {"records": out, "store": store and f"sqlite:{store}", "log": log}
    if keep is not None:
        given |= {"export": keep / "export", "certificate": keep / "certificate.json", "page": keep / "page.html"}
    kept = [f"{name:11} {where}" for name, where in given.items() if where is not None]
    return kept or ["kept       nothing; --keep DIR, --out, --store and --log FILE would keep it"]


def _tell_log(screen: Screen, path: Path) -> None:
    """What went wrong stands in the log's last warnings; the file itself goes."""
    screen.say("The last warnings of its log:")
    for line in [line for line in path.read_text(encoding="utf-8").splitlines() if " WARNING " in line][-LOG_LINES:]:
        screen.say(f"  {line}")


async def run_demo(options: DemoOptions, screen: Screen, clock: Clock, held: Held = held_by_vendor) -> int:
    """Run the demo; 0 when all received equals what `held` gives and every job ended as intended, else 1."""
    belvo = BelvoSimulator(
        seed=options.seed,
        speed=options.speed,
        faults=BELVO_FAULTS,
        now=clock.now,
        links=LINKS + 1,
        invoices_per_year=INVOICES_PER_YEAR,
    )
    syntage = SyntageSimulator(
        seed=options.seed,
        speed=options.speed,
        faults=SYNTAGE_FAULTS,
        now=clock.now,
        invoices_per_year=INVOICES_PER_YEAR,
    )
    async with belvo, syntage:
        casts = [
            [Track(planned=planned) for planned in planned_jobs]
            for planned_jobs in (belvo_jobs(belvo), syntage_jobs(syntage))
        ]
        tracks = in_order([track for cast in casts for track in cast])
        _introduce(options, screen, tracks)
        options.keep.mkdir(parents=True, exist_ok=True)
        with _replaced(options.out) as file:
            async with _session(options, clock, belvo, syntage) as session, _webhooks(session) as url:
                belvo.webhook_url, syntage.webhook_url = f"{url}/belvo", f"{url}/syntage"
                began = asyncio.get_running_loop().time()
                with screen.live(tracks) as refresh:
                    await _Run(options, session, file).play(casts, refresh)
                complaints = close(screen, tracks, held, belvo, syntage)
                complaints += await Holding(
                    session=session,
                    vendor=belvo,
                    screen=screen,
                    clock=clock,
                    folder=options.keep,
                    deadline=_deadline(options),
                    began=began,
                ).hold()
        complain(screen, complaints)
    return 1 if complaints else 0


def _introduce(options: DemoOptions, screen: Screen, tracks: Sequence[Track]) -> None:
    screen.say(
        f"{len(tracks)} jobs at two simulated vendors, {options.speed:g} times faster than real, seed {options.seed}."
    )
    screen.say("Faults that are on:")
    for line in FAULTS_IN_WORDS:
        screen.say(f"  {line}")
    screen.say()


@contextmanager
def _replaced(path: Path) -> Generator[IO[bytes], None, None]:
    with path.open("wb") as file:
        yield file


def _session(options: DemoOptions, clock: Clock, belvo: BelvoSimulator, syntage: SyntageSimulator) -> Session:
    return Session(
        Belvo(
            belvo.secret_id,
            belvo.secret_password,
            base_url=belvo.url,
            webhook_authorization=belvo.webhook_authorization,
        ),
        Syntage(syntage.api_key, base_url=syntage.url, webhook_secrets=syntage.signing_secret),
        store=f"sqlite:{options.store}",
        polling=POLLING,
        clock=clock,
        chance=random.Random(options.seed),  # noqa: S311 - spreads polls, protects nothing
    )


@asynccontextmanager
async def _webhooks(session: Session) -> AsyncGenerator[str, None]:
    """Receive deliveries on any free port; gives the address that the vendors' names are added to."""
    app = web.Application()
    app.add_routes(webhook_routes(session))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/webhooks"
    finally:
        await runner.cleanup()


def _deadline(options: DemoOptions) -> timedelta:
    return timedelta(seconds=max(60.0, DEADLINE_SECONDS / options.speed))


class _Run:
    """Fires the jobs and follows each to its end."""

    def __init__(self, options: DemoOptions, session: Session, file: IO[bytes]) -> None:
        self._speed = options.speed
        self._session = session
        self._file = file
        self._deadline = _deadline(options)

    async def play(self, casts: Sequence[Sequence[Track]], refresh: Callable[[], None]) -> None:
        """Go through all jobs; vendor beside vendor, each vendor's in their order."""
        # In the group: when nobody looks any more (`demo | head`), everything ends.
        async with asyncio.TaskGroup() as group:
            showing = group.create_task(_show(refresh))
            async with asyncio.TaskGroup() as jobs:
                for cast in casts:
                    jobs.create_task(self._fire(cast, jobs))
            showing.cancel()
        refresh()

    async def _fire(self, cast: Sequence[Track], group: asyncio.TaskGroup) -> None:
        for track in cast:
            if track.planned.prepare is not None:
                track.planned.prepare()
            track.fired_at = fired_at = asyncio.get_running_loop().time()
            track.handle = await self._session.fire(track.planned.task, deadline=self._deadline)
            group.create_task(self._follow(track, track.handle, fired_at))

    async def _follow(self, track: Track, handle: JobHandle[Any], fired_at: float) -> None:
        try:
            if track.planned.ending is Status.STOPPED:
                await asyncio.sleep(STOP_AFTER_SECONDS / self._speed)
                await handle.stop()
            await handle
            if track.planned.held is not None:
                await read(handle, track.record_file, self._file)
        except JobError as error:
            # Meant for some; whether it was is judged at the end, by the status.
            track.trouble = None if error.job.status.is_terminal else f"{type(error).__name__}: {error}"
        except BelvoAsyncError as error:
            track.trouble = f"{type(error).__name__}: {error}"
        track.seconds = asyncio.get_running_loop().time() - fired_at


async def _show(refresh: Callable[[], None]) -> None:
    while True:
        refresh()
        await asyncio.sleep(REFRESH_SECONDS)
