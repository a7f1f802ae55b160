"""`python -m tests.simulation --seeds 100000 --start 0`, or `--seed 1234` to see one with its trace."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

from tests.simulation.runner import run_seed


def main() -> int:
    """Run seeds; the exit code says whether every rule held."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=2000, help="how many seeds to run")
    parser.add_argument("--start", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="run this one only and print its trace")
    parser.add_argument("--keep-going", action="store_true", help="do not end at the first broken rule")
    asked = parser.parse_args()
    if asked.seed is not None:
        report = run_seed(asked.seed)
        print(report.explain() if report.broken else f"seed {asked.seed}: every rule held ({report.digest[:16]})")
        return int(bool(report.broken))
    return _run_many(range(asked.start, asked.start + asked.seeds), keep_going=asked.keep_going)


def _run_many(seeds: range, *, keep_going: bool) -> int:
    began = time.perf_counter()
    hits: Counter[str] = Counter()
    rules: Counter[str] = Counter()
    examples: dict[str, int] = {}
    virtual_seconds = 0.0
    for count, seed in enumerate(seeds, start=1):
        report = run_seed(seed)
        hits += report.hits
        virtual_seconds += report.virtual_seconds
        if report.broken and not keep_going:
            print(report.explain())
            return 1
        for rule in {each.partition(": ")[2] or each for each in report.broken}:
            rules[rule] += 1
            examples.setdefault(rule, seed)
        if count % 500 == 0:
            print(f"{count} seeds, {count / (time.perf_counter() - began):.0f}/s", file=sys.stderr)
    spent = time.perf_counter() - began
    for name, count in sorted(hits.items()):
        print(f"{count:8} {name}")
    print(
        f"{len(seeds)} seeds in {spent:.1f} s ({len(seeds) / spent:.0f}/s), {virtual_seconds / 86400:.1f} virtual days"
    )
    for rule, count in rules.most_common():
        print(f"BROKEN in {count} seeds (first {examples[rule]}): {rule}")
    return int(bool(rules))


if __name__ == "__main__":
    sys.exit(main())
