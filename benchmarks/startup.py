"""How long `import belvo_async` takes, against the two libraries it builds on, and what it leaves unloaded.

    python benchmarks/startup.py [--quick]

Fresh interpreters, in turns, each started until it has ended. Beside the import of the package, the one of a session
with both vendors is shown.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time

from table import Row, Size, middle_ratio, run, span

AREA = "startup"
WAYS = {
    "package": "import belvo_async",
    "session": "from belvo_async import Belvo, Session, Syntage",
    "peer": "import aiohttp, msgspec",
}
# Loaded when used, and not before.
LATE = (
    "tenacity",
    "rich",
    "belvo_async.simulator",
    "belvo_async.stores",
    "belvo_async.vendors",
    "belvo_async._session",
)


def seconds(code: str) -> float:
    """One fresh interpreter."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - began


def loaded_early() -> list[str]:
    """Which of the late ones the import brings along."""
    code = "import json, sys, belvo_async; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE)
    loaded = set(json.loads(done.stdout))
    return [name for name in LATE if name in loaded]


def measure(size: Size = Size.FULL) -> list[Row]:
    """All imports in turns."""
    rounds = size.pick(21, 7, 1)
    for code in WAYS.values():
        seconds(code)  # compiles, warms the disk's cache
    times = [{name: seconds(code) for name, code in WAYS.items()} for _ in range(rounds)]
    took = {name: [each[name] for each in times] for name in WAYS}
    middle = {name: statistics.median(each) for name, each in took.items()}
    early = loaded_early()
    rows = [
        Row(
            area=AREA, what=f"`{WAYS[name]}` beside `{WAYS['peer']}`", ours=span(middle[name]),
            peer=span(middle['peer']), ratio=middle_ratio(took[name], took["peer"]),
            goal=goal, at_least=False,
        )
        for name, goal in (("package", 1.3), ("session", None))
    ]  # fmt: skip
    late = Row(
        area=AREA, what=f"loaded though not used, of {len(LATE)} late parts", ours=", ".join(early) or "none", peer="",
        ratio=len(early), goal=0, at_least=False,
    )  # fmt: skip
    return [*rows, late]


if __name__ == "__main__":
    run(measure, "Measure how long the import takes.")
