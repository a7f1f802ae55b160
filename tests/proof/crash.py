"""Kill processes that write to an SQLite store, at every point and at any time, and look at what is left.

    python -m tests.proof.crash [--trials 3000] [--seed 1] [--directory DIR]

Each trial is a child process with the real store; it tells through a pipe what it tries and what was acknowledged.
Two thirds of the trials are killed at one statement of the store's connection: just before it, in its midst or just
after it; one third at a random moment. `SIGKILL` leaves the page cache, so a RAM disk proves as much as a disk; loss of
power is another proof.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import shutil
import signal
import sqlite3
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from belvo_async.stores.sqlite.store import SqliteStore
from tests.proof.ledger import Ledger, examine
from tests.proof.workload import Fact, work

WORKERS, JOBS = 4, 2
WHERE = ("before", "in", "after")


class Point(NamedTuple):
    """Where a child dies: `number` counts the statements of its connection; 0 for a random moment."""

    where: str
    number: int


class Line(msgspec.Struct, array_like=True):
    """What a child tells its parent."""

    done: bool
    kind: str
    name: str
    number: int


class Teller:
    """A witness in the child: what is in the pipe survives the child."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe

    def tries(self, fact: Fact) -> None:
        os.write(self._pipe, msgspec.json.encode(Line(False, *fact)) + b"\n")

    def done(self, fact: Fact) -> None:
        os.write(self._pipe, msgspec.json.encode(Line(True, *fact)) + b"\n")


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def deadly(point: Point, bell: int, chance: random.Random, count: list[int]) -> Any:
    """A connection factory whose connections kill their process at a point.

    In the midst of a statement SQLite's progress handler does it; a commit hardly runs through that, so the parent is
    rung and kills from outside while it goes on.
    """

    class Connection(sqlite3.Connection):
        def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
            return self._guard(super().execute, statement, *values)

        def executemany(self, statement: str, *values: Any) -> sqlite3.Cursor:
            return self._guard(super().executemany, statement, *values)

        def _guard(self, run: Any, statement: str, *values: Any) -> sqlite3.Cursor:
            count[0] += 1
            struck = count[0] == point.number
            if struck and point.where == "before":
                die()
            if struck and point.where == "in":
                if statement == "COMMIT":
                    os.write(bell, b"!")
                else:
                    self.set_progress_handler(die, chance.randrange(1, 30))
            cursor: sqlite3.Cursor = run(statement, *values)
            if struck and not (point.where == "in" and statement == "COMMIT"):
                die()
            return cursor

    def connect(path: str) -> sqlite3.Connection:
        return sqlite3.connect(path, isolation_level=None, factory=Connection)

    return connect


async def live(path: Path, point: Point, pipe: int, bell: int, seed: int, count: list[int]) -> None:
    """A child's life: open the store and work until it is done or killed."""
    connect = deadly(point, bell, random.Random(seed), count)
    async with SqliteStore(path, connect=connect) as store:
        await work(store, Teller(pipe), first=0, workers=WORKERS, jobs=JOBS)


def give_birth(path: Path, point: Point, seed: int) -> tuple[int, int, int]:
    """Fork a child: its id, the pipe it tells facts through and the one it rings."""
    told, tell = os.pipe()
    heard, ring = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(told)
            os.close(heard)
            asyncio.run(live(path, point, tell, ring, seed, [0]))
            status = 0
        finally:
            os._exit(status)
    os.close(tell)
    os.close(ring)
    return child, told, heard


@dataclass
class Toll:
    """What all trials found."""

    trials: int = 0
    killed: int = 0
    acknowledged: int = 0
    lost: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    points: set[tuple[str, int]] = field(default_factory=set)
    seconds: float = 0.0

    def __str__(self) -> str:
        return (
            f"{self.trials} trials in {self.seconds:.0f} s ({self.trials / self.seconds:.1f}/s), {self.killed} killed, "
            f"{len(self.points)} write points; {self.acknowledged} acknowledged, "
            f"lost={len(self.lost)} broken={len(self.broken)}"
        )


def count_statements(directory: Path) -> int:
    """How many statements a child runs when nobody kills it."""
    count = [0]
    pipe = os.open(os.devnull, os.O_WRONLY)
    asyncio.run(live(directory / "count.db", Point("after", 0), pipe, pipe, 0, count))
    os.close(pipe)
    return count[0]


def plan(statements: int, trials: int, chance: random.Random) -> list[Point]:
    """Every write point in random order, over and over, and every third time a random moment."""
    points: list[Point] = []
    every: list[tuple[str, int]] = []
    for index in range(trials):
        if index % 3 == 2:
            points.append(Point("any", 0))
            continue
        if not every:
            every = [(where, number) for where in WHERE for number in range(1, statements + 1)]
            chance.shuffle(every)
        points.append(Point(*every.pop()))
    return points


def try_once(directory: Path, point: Point, seed: int, usual_seconds: float, toll: Toll) -> None:
    """One child, one death, one look at what it left."""
    path = directory / "jobs.db"
    ledger = Ledger()
    chance = random.Random(seed)
    child, told, heard = give_birth(path, point, seed)
    if point.number == 0:
        time.sleep(chance.uniform(0, usual_seconds))
        os.kill(child, signal.SIGKILL)
    elif point.where == "in" and os.read(heard, 1):
        time.sleep(chance.choice((0, 0, chance.uniform(0, 0.004))))
        os.kill(child, signal.SIGKILL)
    with os.fdopen(told, "rb") as lines:
        for line in lines:
            read_line(line, ledger)
    os.close(heard)
    _, status = os.waitpid(child, 0)
    toll.trials += 1
    toll.killed += os.WIFSIGNALED(status)
    if os.WIFSIGNALED(status) and point.number:
        toll.points.add((point.where, point.number))
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        toll.broken.append(f"{point}: the child failed by itself")
    toll.acknowledged += ledger.acknowledgements
    look(path, ledger, toll, str(point))


def read_line(line: bytes, ledger: Ledger) -> None:
    told = msgspec.json.decode(line, type=Line)
    (ledger.done if told.done else ledger.tries)(Fact(told.kind, told.name, told.number))


def look(path: Path, ledger: Ledger, toll: Toll, words: str) -> None:
    """Open the file with the real store, twice: the second opening finds what the first left."""
    if not path.exists() and not ledger.acknowledgements:
        return
    contents = []
    for _ in range(2):
        try:
            asyncio.run(open_and_close(path))
        except Exception as error:
            toll.broken.append(f"{words}: does not open: {error}")
            return
        wrongs = examine(path, ledger)
        toll.lost += [f"{words}: {each}" for each in wrongs.lost]
        toll.broken += [f"{words}: {each}" for each in wrongs.broken]
        database = sqlite3.connect(path)
        contents.append(list(database.iterdump()))
        database.close()
    if contents[0] != contents[1]:
        toll.broken.append(f"{words}: opening it again changed it")


async def open_and_close(path: Path) -> None:
    async with SqliteStore(path) as store:
        await store.get("job-0000")


def run(trials: int, seed: int, directory: str | None = None) -> Toll:
    """Make all trials."""
    toll, chance = Toll(), random.Random(seed)
    with tempfile.TemporaryDirectory(dir=directory) as name:
        began = time.perf_counter()
        statements = count_statements(Path(name))
        usual_seconds = time.perf_counter() - began
        began = time.perf_counter()
        for index, point in enumerate(plan(statements, trials, chance)):
            room = Path(name) / str(index)
            room.mkdir()
            try_once(room, point, seed * 1_000_003 + index, usual_seconds, toll)
            shutil.rmtree(room)
        toll.seconds = time.perf_counter() - began
    return toll


def main() -> int:
    parser = argparse.ArgumentParser(description="Kill writers of an SQLite store and look at what is left.")
    parser.add_argument("--trials", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--directory", help="where the files are made; default: the temporary directory")
    options = parser.parse_args()
    toll = run(options.trials, options.seed, options.directory)
    for each in (toll.lost + toll.broken)[:20]:
        print(each)
    print(toll)
    return 1 if toll.lost or toll.broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
