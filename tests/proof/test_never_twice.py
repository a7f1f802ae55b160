"""Four processes on one store fire the same tasks at once, by name or within an age: each is paid for once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.proof.test_three_processes import Process, Town, in_real_time, town

pytestmark = pytest.mark.proof

RACERS = 4
ROUNDS = 4
WITHIN = {"once": None, "max_age": 3600}


async def start(place: Town) -> list[Process]:
    for _ in range(6):
        place.syntage.next_job(duration=timedelta(seconds=10))
    return list(await asyncio.gather(*(place.start(module="tests.proof.racer") for _ in range(RACERS))))


async def race(racers: list[Process], round_number: int, **order: Any) -> list[list[str]]:
    """Have all fire the same at once: the jobs that each got."""
    for racer in racers:
        racer.order(**order)
    return [(await racer.hear("got", round_number))[-1]["got"] for racer in racers]


def started(place: Town) -> int:
    return sum(each.method == "POST" for each in place.syntage.requests)


@in_real_time
async def test_a_name_is_paid_for_once(store: str) -> None:
    """While its job runs, after it ended, and in a process that was started later."""
    async with town(store) as place:
        racers = await start(place)
        subjects = place.syntage.entities[:3]
        got: list[list[str]] = []
        for number in range(1, ROUNDS + 1):
            got += await race(racers, number, subjects=subjects, once="name", max_age=None)
        late = await place.start(module="tests.proof.racer")
        got += await race([late], 1, subjects=subjects, once="name", max_age=None)

        assert [got[0]] * len(got) == got
        assert len(subjects) == len(set(got[0])) == len(place.syntage.jobs) == started(place)


@in_real_time
async def test_a_job_within_an_age_is_paid_for_once(store: str) -> None:
    """However often it is asked for while one is fresh; without an age it is paid for again."""
    async with town(store) as place:
        racers = await start(place)
        subjects = place.syntage.entities[:3]
        got: list[list[str]] = []
        for number in range(1, ROUNDS + 1):
            got += await race(racers, number, subjects=subjects, **WITHIN)
        assert [got[0]] * len(got) == got
        assert len(subjects) == len(place.syntage.jobs) == started(place)

        anew = await race(racers[:1], ROUNDS + 1, subjects=subjects, once=None, max_age=None)

        assert set(anew[0]).isdisjoint(got[0])
        assert 2 * len(subjects) == len(place.syntage.jobs) == started(place)


@in_real_time
async def test_names_and_ages_race_for_one_job(store: str) -> None:
    """Two processes by different names, two within an age: one job, which both names are given for ever."""
    async with town(store) as place:
        racers = await start(place)
        subjects = place.syntage.entities[:3]
        wishes = [
            {"once": "a", "max_age": 3600},
            {"once": "b", "max_age": 3600},
            *[{"once": None, "max_age": 3600}] * 2,
        ]
        got: list[list[str]] = []
        for number in range(1, ROUNDS + 1):
            for racer, wish in zip(racers, wishes, strict=True):
                racer.order(subjects=subjects, **wish)
            got += [(await racer.hear("got", number))[-1]["got"] for racer in racers]
        for number, name in enumerate(("a", "b"), ROUNDS + 1):
            got += await race(racers, number, subjects=subjects, once=name, max_age=None)

        assert [got[0]] * len(got) == got
        assert len(subjects) == len(place.syntage.jobs) == started(place)
