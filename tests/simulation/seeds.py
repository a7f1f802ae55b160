"""Which seeds the tests run: a sample in the plain run and the others as proofs; and where a search begins."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

import pytest

Search = Callable[[Iterable[int], range], Iterable[int]]


def chunks(usual: int, *, plain: int, size: int) -> pytest.MarkDecorator:
    """Parametrise a test by `seeds`: those beyond `plain` are proofs, unless BELVO_ASYNC_SEEDS asks for a number."""
    asked = os.environ.get("BELVO_ASYNC_SEEDS")
    count = int(asked or usual)
    size = max(size, count // 100)
    ranges = [range(start, min(start + size, count)) for start in range(0, count, size)]
    return pytest.mark.parametrize(
        "seeds",
        [pytest.param(each, marks=[] if asked or each.start < plain else [pytest.mark.proof]) for each in ranges],
        ids=lambda seeds: f"{seeds.start}-{seeds.stop - 1}",
    )


def known_first(known: Iterable[int], seeds: range) -> Iterable[int]:
    """Begin with the seeds that showed it when last searched; go on as ever, should they show it no more."""
    return (*known, *seeds)


def from_scratch(_known: Iterable[int], seeds: range) -> Iterable[int]:
    """Every seed in turn."""
    return seeds


each_search = pytest.mark.parametrize(
    "search", [known_first, pytest.param(from_scratch, marks=pytest.mark.proof)], ids=lambda each: each.__name__
)


def never_seen(wanted: Iterable[str], hits_of: Callable[[int], Iterable[str]], seeds: Iterable[int]) -> set[str]:
    """What happens under none of the seeds."""
    missing = set(wanted)
    for seed in seeds:
        missing.difference_update(hits_of(seed))
        if not missing:
            break
    return missing
