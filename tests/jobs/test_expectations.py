"""What is expected of deliveries, and when a poll is due meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from belvo_async.jobs import Expectations, Job, News, Polling, Status, Way
from belvo_async.jobs.expectations import FEW, HEARD, KINDS_AT_MOST, MISSED, NOTED_AT_MOST, REMEMBERED
from tests.jobs.flat import flat
from tests.simulation.dialect import OpenFetch

POLLING = Polling()
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
GRACE = timedelta(seconds=16)
DAY = timedelta(days=1)
spans = st.timedeltas(timedelta(0), timedelta(hours=5))
phases = st.floats(0, 1, exclude_max=True)


def a_job(name: str = "a", *, began: datetime = NOW, table: str = "rows", **facts: object) -> Job:
    """A job that runs at the vendor."""
    usual = {"status": Status.PENDING, "remote_id": name, "attempted_at": began, "planned_at": began}
    task = OpenFetch(owner="a", table=table)
    return flat(id=name, vendor="open", account="open#1", task=task, created_at=began, **usual | facts)


def ended(job: Job, way: Way, after: timedelta) -> Job:
    return flat(job, status=Status.FINISHED, settled_by=way, settled_at=job.submission.attempted_at + after)


@dataclass
class Account:
    """Jobs of one account that end one after the other."""

    expectations: Expectations = field(default_factory=lambda: Expectations(POLLING))
    now: datetime = NOW
    jobs: int = 0
    news: list[News] = field(default_factory=lambda: list[News]())

    def end(self, way: Way, after: timedelta = timedelta(minutes=1), **facts: object) -> Job:
        self.jobs += 1
        job = ended(a_job(f"job{self.jobs}", began=self.now, **facts), way, after)
        self.now += after
        self.take(self.expectations.end(job, self.now))
        return job

    def hear(self, job: Job) -> None:
        self.take(self.expectations.hear(job, self.now))

    def wait(self, span: timedelta) -> None:
        self.now += span
        self.take(self.expectations.review(a_job(), self.now))

    def take(self, news: News | None) -> None:
        self.news += [] if news is None else [news]

    def due(self, job: Job, polls: int = 0, *, phase: float = 0.5) -> datetime:
        return self.expectations.due(job, polls, self.now, phase=phase)


@given(st.integers(0, 50), phases, st.sampled_from([Way.POLL, Way.INFERENCE, Way.USER]))
def test_without_a_delivery_the_schedule_is_the_usual_one(polls: int, phase: float, way: Way) -> None:
    """However many jobs ended by other ways."""
    account = Account()
    for _ in range(5):
        account.end(way)
        account.wait(DAY)

    assert POLLING.instant(account.now, polls, phase=phase) == account.due(a_job(), polls, phase=phase)
    assert [] == account.news


@given(st.lists(spans, min_size=1, max_size=100), spans, st.integers(0, 60), phases)
def test_a_lost_delivery_waits_for_the_longest_interval_at_most(
    durations: list[timedelta], age: timedelta, polls: int, phase: float
) -> None:
    """A poll comes beyond what is usual, and by no more than `longest`; after that every `longest` at most."""
    account = Account()
    for each in durations:
        account.end(Way.WEBHOOK, each)
    job = a_job("new", began=account.now)
    usual = account.expectations.usual(job)
    began, account.now = account.now, account.now + age

    due = account.due(job, polls, phase=phase)

    late = max(began + usual, account.now) + POLLING.longest
    assert account.now < due <= late + timedelta(microseconds=2)
    assert age > usual or due > began + usual


@given(st.lists(spans, min_size=FEW, max_size=2 * REMEMBERED))
def test_nine_of_ten_have_ended_in_the_usual_time(durations: list[timedelta]) -> None:
    """Of those that are remembered, the last ones."""
    account = Account()
    for each in durations:
        account.end(Way.WEBHOOK, each)

    usual = account.expectations.usual(a_job())

    last = durations[-REMEMBERED:]
    assert sum(each <= usual for each in last) >= 0.9 * len(last)
    assert usual in last


def test_what_few_jobs_took_is_not_yet_usual() -> None:
    """The first to end are the quick ones; a job that took longer counts at once."""
    account = Account()
    for _ in range(FEW - 1):
        account.end(Way.WEBHOOK, timedelta(seconds=1))
    quick = account.expectations.usual(a_job())
    account.end(Way.WEBHOOK, timedelta(seconds=1))
    slow = account.end(Way.WEBHOOK, timedelta(hours=1), table="others")

    assert timedelta(minutes=1) == quick
    assert timedelta(seconds=1) == account.expectations.usual(a_job())
    assert timedelta(hours=1) == account.expectations.usual(slow)


def test_durations_are_learned_from_polls_only_while_those_are_frequent() -> None:
    """A poll for safety sees an end long after it."""
    account = Account()
    for _ in range(FEW):
        account.end(Way.POLL, timedelta(minutes=2))
    account.end(Way.WEBHOOK, timedelta(minutes=2))
    account.end(Way.POLL, timedelta(hours=5))

    assert timedelta(minutes=2) == account.expectations.usual(a_job())


def test_deliveries_that_stay_away_are_told_once_and_once_when_they_are_back() -> None:
    """After a few jobs in a row that polls have settled, and a few more that deliveries have."""
    account = Account()
    account.end(Way.WEBHOOK)
    for _ in range(2 * MISSED):
        account.end(Way.POLL)
        account.wait(GRACE)
    away, usual = list(account.news), account.due(a_job())
    for _ in range(2 * HEARD):
        account.end(Way.WEBHOOK)

    assert [News.COME, News.AWAY] == away
    assert usual <= account.now + POLLING.interval(0)
    assert [News.COME, News.AWAY, News.BACK] == account.news


def test_a_delivery_that_comes_after_the_poll_is_none_lost() -> None:
    """It was under way while the list was read."""
    account = Account()
    account.end(Way.WEBHOOK)
    for _ in range(5 * MISSED):
        job = account.end(Way.POLL)
        account.wait(GRACE / 2)
        account.hear(job)
        account.wait(DAY)

    assert [News.COME] == account.news


def test_a_delivery_that_only_asks_for_a_poll_is_one() -> None:
    """Where the vendor is asked again before a webhook is believed, polls settle every job."""
    account = Account()
    for number in range(5 * MISSED):
        account.hear(a_job(f"job{number + 1}"))
        account.end(Way.POLL)
        account.wait(DAY)

    assert [News.COME] == account.news


@given(st.integers(1, MISSED - 1))
def test_some_lost_deliveries_change_nothing(lost: int) -> None:
    """As long as others come between them."""
    account = Account()
    for _ in range(20):
        account.end(Way.WEBHOOK)
        for _ in range(lost):
            account.end(Way.POLL)
            account.wait(GRACE)

    assert [News.COME] == account.news
    assert account.due(a_job("new", began=account.now)) > account.now + timedelta(minutes=1)


def test_late_jobs_of_a_silent_vendor_speak_against_its_deliveries() -> None:
    """Several of which nobody knows anything, while nothing has come for longer than is usual; one alone does not."""
    account = Account()
    account.end(Way.WEBHOOK)
    began, late = account.now, timedelta(minutes=7)
    account.now += late

    for number in range(MISSED):
        for _ in range(2):
            account.take(account.expectations.ask_in_vain(a_job(f"late{number}", began=began), account.now))

    assert [News.COME, News.AWAY] == account.news


def test_a_slow_job_speaks_against_nothing_while_others_are_told_of() -> None:
    """The vendor takes its time with these."""
    account = Account()
    for number in range(10):
        account.end(Way.WEBHOOK)
        account.expectations.ask_in_vain(a_job(f"slow{number}", began=NOW - DAY), account.now)

    assert [News.COME] == account.news


def test_what_was_planned_before_deliveries_came_may_wait() -> None:
    """Until it would be due; what was planned since is as it should be."""
    account = Account()
    early = a_job("early", began=NOW)
    account.end(Way.WEBHOOK)
    since = a_job("since", began=NOW, planned_at=account.now)

    assert account.expectations.may_wait(early, account.now)
    assert not account.expectations.may_wait(since, account.now)
    assert not account.expectations.may_wait(early, account.now + timedelta(minutes=10))


@given(st.timedeltas(timedelta(seconds=10), timedelta(minutes=20)), phases)
def test_a_poll_comes_before_the_deadline(left: timedelta, phase: float) -> None:
    """Who was promised an answer by then is not left waiting for a poll after it."""
    account = Account()
    account.end(Way.WEBHOOK, timedelta(minutes=10))
    job = a_job("new", began=account.now, deadline=account.now + left)

    assert account.due(job, phase=phase) < account.now + left


def test_of_a_kind_that_no_delivery_ends_none_is_expected() -> None:
    """Some are only reported of, and end by what is found; others of the same account are told."""
    account = Account()
    account.end(Way.WEBHOOK)
    for number in range(5 * MISSED):
        reported = a_job(f"job{number + 2}", table="reported")
        account.take(account.expectations.hear(reported, account.now, tells_end=False))
        account.end(Way.INFERENCE, table="reported")
        account.wait(DAY)

    assert [News.COME] == account.news
    assert account.due(a_job(table="reported")) <= account.now + POLLING.interval(0)


@pytest.mark.parametrize("by", [timedelta(days=-400), timedelta(days=400)], ids=str)
def test_a_clock_that_was_set_does_no_harm(by: timedelta) -> None:
    """A poll is due within what is usual all the same."""
    account = Account()
    account.end(Way.WEBHOOK)
    account.end(Way.POLL)
    job = a_job("new", began=account.now)
    account.now += by
    account.wait(timedelta(0))

    assert account.now < account.due(job) <= account.now + timedelta(minutes=2)


def test_memory_is_bounded() -> None:
    """By kinds, by jobs of each, and by what is waited for."""
    account = Account()
    for number in range(2 * KINDS_AT_MOST):
        account.end(Way.WEBHOOK, table=f"table{number}")
    for _ in range(2 * NOTED_AT_MOST):
        account.end(Way.WEBHOOK)
        account.end(Way.POLL, timedelta(0))

    known = account.expectations
    one = known._accounts["open#1"]
    assert KINDS_AT_MOST == len(known._kinds)
    assert {REMEMBERED} == {each.durations.maxlen for each in known._kinds.values()}
    assert max(len(one._told), len(one._unheard)) <= NOTED_AT_MOST
