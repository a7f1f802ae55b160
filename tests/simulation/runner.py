"""Runs seeds, and says how to repeat the ones that fail."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass

from tests.simulation.loop import simulation_loop
from tests.simulation.world import Plant, World


@dataclass(frozen=True)
class Report:
    """What one seed showed."""

    seed: int
    broken: tuple[str, ...]
    hits: Counter[str]
    digest: str
    trace: str
    virtual_seconds: float

    def explain(self) -> str:
        rules = "\n".join(f"  - {rule}" for rule in self.broken)
        again = f"python -m tests.simulation --seed {self.seed}"
        return f"{self.trace}\n\nseed {self.seed} breaks:\n{rules}\nrepeat with: {again}"


class _Errors(logging.Handler):
    """Errors in the library's log are violations: its tasks must not end by themselves."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.getMessage()} ({record.__dict__.get('task')}: {record.__dict__.get('error')})")


def run_seed(seed: int, plant: Plant | None = None, kind: type[World] = World) -> Report:
    """Run one seed on a loop of its own."""
    log = logging.getLogger("belvo_async")
    errors = _Errors()
    level, propagate = log.level, log.propagate
    log.addHandler(errors)
    log.setLevel(logging.ERROR)
    log.propagate = False
    try:
        with simulation_loop(seed) as loop:
            world = kind(seed, loop, plant)
            try:
                loop.run_until_complete(world.play())
            except Exception as error:
                world.trace.check(False, f"the run ended with {error!r}")
            seconds = loop.time()
    finally:
        log.removeHandler(errors)
        log.setLevel(level)
        log.propagate = propagate
    broken = (*world.trace.broken, *errors.lines, *loop.complaints)
    trace = world.trace.show() if broken else ""
    return Report(seed, broken, world.swarm.hits, world.trace.digest(), trace, seconds)
