"""An institution that is down is left alone for a while."""

from __future__ import annotations

from datetime import timedelta

from belvo_async.planning import Outage
from tests.planning.kit import HOUR, NOW

MINUTE = timedelta(minutes=1)


def down() -> Outage:
    """One that three subjects met."""
    outage = Outage()
    assert [False, False, True] == [outage.failed(subject, NOW) for subject in "abc"]
    return outage


def test_failures_of_one_subject_are_its_own() -> None:
    """However many."""
    outage = Outage()

    assert not any(outage.failed("a", NOW) for _ in range(9))
    assert not outage.is_on(NOW)


def test_failures_of_three_begin_a_pause() -> None:
    """Five minutes, and then one request is to show if it is over."""
    outage = down()

    assert outage.is_on(NOW + 4 * MINUTE)
    assert not outage.is_on(NOW + 5 * MINUTE)
    assert outage.is_probing


def test_a_success_ends_it() -> None:
    """And all that was noted before it."""
    outage = down()

    outage.passed()

    assert not outage.is_on(NOW)
    assert not outage.is_probing
    assert not outage.failed("a", NOW)


def test_what_fails_during_a_pause_does_not_lengthen_it() -> None:
    """It was sent before."""
    outage = down()

    assert not outage.failed("d", NOW + MINUTE)
    assert NOW + 5 * MINUTE == outage.until


def test_pauses_grow_to_an_hour_and_no_further() -> None:
    """A weekend without the tax office is a hundred of them."""
    outage, now, pauses = down(), NOW, list[timedelta]()
    for _ in range(100):
        assert outage.until is not None
        pauses.append(outage.until - now)
        now = outage.until
        assert outage.failed("a", now)

    assert [5 * MINUTE, 10 * MINUTE, 20 * MINUTE, 40 * MINUTE, HOUR, HOUR] == pauses[:6]
    assert {HOUR} == set(pauses[6:])
