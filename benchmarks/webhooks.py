"""How many deliveries a second our adapters take, against handlers written by hand on the same servers.

    python benchmarks/webhooks.py [--quick] [--directory DIR]

Each delivery is a signed event that ends another open job, on 64 kept connections, from a process of its own. By hand,
in two ways: read, verify, decode, answer, and forget; or, as ours does, find the job, apply the event by
compare-and-swap, note it in a timeline and wake who waits. Goals are set on the second, which promises as much. The
durable receivers answer only once the event is committed with synchronous=FULL; `--directory` must be on the disk that
is meant. Of receivers
that keep nothing on disk, the seconds are those of the server's processor, so that a busy machine disturbs little; of
the others, the clock's. Receivers take turns round by round, a fresh process each time.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from apart import ask, processor_seconds, serving
from table import Row, Size, beside, show

AREA = "webhooks"
CONNECTIONS = 64
# Of these receivers, server and way, fewer deliveries are enough.
SLOW = {("aiohttp", "commit")}
DURABLE = {"sqlite", "commit"}
# Deliveries before the clock runs.
WARM_UP = 500

PAIRS: tuple[tuple[str, tuple[str, str], tuple[str, str], float], ...] = (
    ("aiohttp.web, memory, beside a hand-written handler that keeps", ("aiohttp", "ours"), ("aiohttp", "kept"), 0.85),
    ("aiohttp.web, memory, beside one that verifies and forgets", ("aiohttp", "ours"), ("aiohttp", "hand"), 0.65),
    ("ASGI (uvicorn), memory, beside a hand-written handler that keeps", ("asgi", "ours"), ("asgi", "kept"), 0.75),
    ("ASGI (uvicorn), memory, beside one that verifies and forgets", ("asgi", "ours"), ("asgi", "hand"), 0.5),
    ("aiohttp.web, SQLite FULL, beside a commit per event", ("aiohttp", "sqlite"), ("aiohttp", "commit"), 2.0),
)


def speed(server: str, way: str, count: int, directory: Path) -> float:
    """Deliveries a second, to a fresh receiver."""
    count = count // 8 if (server, way) in SLOW else count
    with (
        tempfile.TemporaryDirectory(dir=directory) as room,
        serving("webhooks_server.py", server, way, str(WARM_UP + count), room) as told,
    ):
        *address, process = told.split()
        ask("webhooks_load.py", *address, "0", str(WARM_UP), str(CONNECTIONS))
        began = processor_seconds(int(process))
        seconds = ask("webhooks_load.py", *address, str(WARM_UP), str(count), str(CONNECTIONS))
        return count / (seconds if way in DURABLE else processor_seconds(int(process)) - began)


def measure(size: Size = Size.FULL, directory: Path | None = None) -> list[Row]:
    """Run all receivers in turns and say how ours compare."""
    rounds, count = size.pick((7, 20_000), (3, 2_000), (1, 500))
    receivers = list(dict.fromkeys(side for _, ours, hand, _ in PAIRS for side in (ours, hand)))
    room = directory or Path(tempfile.gettempdir())
    speeds = [{side: speed(*side, count, room) for side in receivers} for _ in range(rounds)]
    return [
        beside(AREA, what, [each[ours] for each in speeds], [each[hand] for each in speeds], goal)
        for what, ours, hand, goal in PAIRS
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the webhook adapters, in one run.")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, rougher figures")
    parser.add_argument("--directory", type=Path, help="where databases are made; default: the temporary directory")
    options = parser.parse_args()
    show(measure(Size(options.quick), options.directory))


if __name__ == "__main__":
    main()
