"""Where the processor's time goes on the paths that run all day: microseconds an operation, by room.

    python benchmarks/profile.py [--only PATH] [--seconds N] [--functions N]

PATH is `webhook` (one delivery given to `session.receive`, which ends an open job), `fire` (one `session.fire` on a
fresh connection, 64 in flight, the vendor in a process of its own), `poll` (one look at an open job that learns
nothing) or `page` (one invoice of a page of 1000). Each runs in a process of its own. The whole is its processor time
over its operations; the parts are shares of samples, one every few milliseconds of processor time: of the innermost
frame that is of a room of ours, of another package or of asyncio, so that the standard library and what is written in C
count for who called it. `--functions` tells the same by function. A machine that is busy changes the whole by a little
and the shares hardly.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import FrameType

SAMPLE_SECONDS = 0.001
IN_FLIGHT = 64
OPEN_JOBS = 20_000
LOOK_SECONDS = 4.0

# A place: the room or package, and the function.
Place = tuple[str, str]


class Sampler:
    """Counts where the interpreter is found."""

    def __init__(self) -> None:
        self.places: Counter[Place] = Counter()
        self.seconds = 0.0

    @contextmanager
    def sampling(self) -> Generator[None]:
        """Look at every tick of processor time in this block: the system's are a few milliseconds apart."""
        signal.signal(signal.SIGPROF, self._look)
        gc.collect()
        began = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, SAMPLE_SECONDS, SAMPLE_SECONDS)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            self.seconds += time.process_time() - began

    def _look(self, _number: int, frame: FrameType | None) -> None:
        while frame is not None:
            code = frame.f_code
            room = room_of(code.co_filename)
            if room is not None:
                self.places[room, code.co_qualname] += 1
                return
            frame = frame.f_back
        self.places["interpreter", "-"] += 1

    def report(self, what: str, operations: int, functions: int) -> None:
        """Print the whole and its parts, the largest first."""
        whole_us = 1e6 * self.seconds / operations
        print(f"\n{what}: {whole_us:.1f} us of {operations:,} operations, {self.places.total():,} samples")
        by_room: Counter[str] = Counter()
        for (room, _), count in self.places.items():
            by_room[room] += count
        self._lines(whole_us, by_room.most_common())
        if functions:
            named = [(f"{room} {function}", count) for (room, function), count in self.places.most_common(functions)]
            self._lines(whole_us, named)

    def _lines(self, whole_us: float, parts: list[tuple[str, int]]) -> None:
        for name, count in parts:
            share = count / self.places.total()
            if share >= 0.005:
                print(f"  {whole_us * share:8.1f} us  {100 * share:5.1f} %  {name}")


def room_of(path: str) -> str | None:
    """The room of ours that a file is in, else its package; None for the standard library, but for asyncio."""
    parts = Path(path).parts
    if "belvo_async" in parts:
        below = parts[parts.index("belvo_async") + 1 :]
        return "/".join(below[:2] if below[0] in ("vendors", "stores") else below[:1])
    if "site-packages" in parts:
        return parts[parts.index("site-packages") + 1].removesuffix(".py")
    if "benchmarks" in parts:
        return "the benchmark"
    return "asyncio" if "asyncio" in parts or parts[-1] == "selectors.py" else None


async def deliver(sampler: Sampler, seconds: float) -> int:
    """Deliveries, each of which ends another open job."""
    from webhooks_events import event, signature
    from webhooks_server import open_session

    count = int(seconds * 4_000)
    bodies = [event(number) for number in range(count)]
    given = [([*HEADERS, *signature(body), ("Content-Length", str(len(body)))], body) for body in bodies]
    async with open_session("memory:", count) as session:
        with sampler.sampling():
            for headers, body in given:
                assert await session.receive("syntage", headers, body) == 200
    return count


HEADERS = [("Host", "127.0.0.1"), ("User-Agent", "Syntage"), ("Content-Type", "application/ld+json")]


async def fire(sampler: Sampler, seconds: float) -> int:
    """Submissions of tasks."""
    from apart import serving
    from fire import ours

    count, numbers = int(seconds * 1_000), itertools.count()
    rest = iter(range(count))
    with serving("fire_server.py") as url:
        async with ours(url) as post:

            async def work() -> None:
                for _ in rest:
                    await post(next(numbers))

            await post(next(numbers))
            with sampler.sampling():
                await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
    return count


async def look(sampler: Sampler, seconds: float) -> int:
    """Looks at open jobs, each once an interval."""
    from jobs_side import ours, waiting_jobs

    interval = timedelta(seconds=LOOK_SECONDS)
    rounds = max(1, round(seconds / LOOK_SECONDS))
    async with ours(waiting_jobs(OPEN_JOBS, interval), interval):
        await asyncio.sleep(2 * LOOK_SECONDS)
        with sampler.sampling():
            await asyncio.sleep(rounds * LOOK_SECONDS)
    return rounds * OPEN_JOBS


async def page(sampler: Sampler, seconds: float) -> int:
    """Pages of 1000 invoices, exact types."""
    from decode import make_page, make_rows, read_ours

    body = make_page(make_rows(1000))
    await read_ours(body)
    rounds = int(seconds * 25)
    with sampler.sampling():
        for _ in range(rounds):
            await read_ours(body)
    return 1000 * rounds


PATHS: dict[str, Callable[[Sampler, float], Awaitable[int]]] = {
    "webhook": deliver,
    "fire": fire,
    "poll": look,
    "page": page,
}


async def run(path: str, seconds: float, functions: int) -> None:
    sampler = Sampler()
    operations = await PATHS[path](sampler, seconds)
    sampler.report(path, operations, functions)


def main() -> None:
    parser = argparse.ArgumentParser(description="Show where the time of the paths goes that run all day.")
    parser.add_argument("--only", choices=PATHS, action="append", help="profile this path; may be repeated")
    parser.add_argument("--seconds", type=float, default=8.0, help="about how long each path runs")
    parser.add_argument("--functions", type=int, default=0, help="name so many functions as well")
    options = parser.parse_args()
    paths = options.only or list(PATHS)
    if len(paths) == 1:
        asyncio.run(run(paths[0], options.seconds, options.functions))
        return
    for path in paths:
        command = [sys.executable, __file__, "--only", path, "--seconds", str(options.seconds)]
        subprocess.run([*command, "--functions", str(options.functions)], check=True)


if __name__ == "__main__":
    main()
