"""The sections of the page, in the order in which they are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from ..facts import Came, Example, Money, Morning, OldestOpen, Standing, Took, Trouble, Webhooks
from ..measures import FAILURE_DAYS, WEBHOOK_DAYS
from .calendar import draw_calendar, legend
from .charts import days_chart, money_bar, scale_of, standing_bar, took_chart, ways_chart
from .markup import Child, Markup, h, table
from .words import clock, command, count, days, instant, price, rough_price, short_id, span

# Of fewer jobs than this, nineteen of twenty is a word too large.
FEW_JOBS: Final = 20


def numbers(morning: Morning) -> Markup:
    """The three numbers."""
    cards = (_taxpayers(morning.standing), _money(morning.money), _oldest(morning))
    return h("div", cards, class_="numbers", role="group", aria_label="Three numbers")


def _taxpayers(standing: Standing) -> Markup:
    parts = (
        (standing.whole, "p", "whole"),
        (standing.in_progress, "a", "in progress"),
        (standing.needs_a_person, "f", "in need of a person" if standing.needs_a_person == 1 else "needing a person"),
    )
    items = [
        h(
            "li",
            h("svg", h("rect", width=12, height=12, class_=style), class_="square", aria_hidden="true"),
            h("span", h("b", f"{number:,}"), f" {words}"),
        )
        for number, style, words in parts
    ]
    return h(
        "div",
        h("h2", "Taxpayers"),
        h("p", f"{standing.whole:,}", h("small", f" of {standing.total:,} whole"), class_="big"),
        standing_bar(standing),
        h("ul", items),
    )


def _money(money: Money) -> Markup:
    requests = count(money.requests, "request")
    if money.price is None:
        text = "No price list was given: --prices says what a request costs."
        return h(
            "div", h("h2", f"Requests in {money.month:%B}"), h("p", f"{money.requests:,}", class_="big"), h("p", text)
        )
    words = [f"{price(money.currency, money.price)} for {requests} in {money.month:%B}, by your price list."]
    if money.unpriced:
        words.append(f"{count(money.unpriced, 'request')} of them {'is' if money.unpriced == 1 else 'are'} not in it.")
    if money.budget:
        used = int(money.price.high * 100 / money.budget)
        words.append(f"{used} % of the budget of {money.currency} {money.budget:,.0f}.")
    return h(
        "div",
        h("h2", "Money this month"),
        h("p", rough_price(money.price), h("small", f" {money.currency}"), class_="big"),
        money_bar(money),
        h("p", " ".join(words)),
    )


def _oldest(morning: Morning) -> Markup:
    oldest: OldestOpen | None = morning.oldest
    if oldest is None:
        return h("div", h("h2", "Oldest open job"), h("p", "none", class_="big"), h("p", "Nothing is under way."))
    return h(
        "div",
        h("h2", "Oldest open job"),
        h("p", span(morning.made_at - oldest.since), class_="big"),
        h("p", f"{oldest.vendor} {oldest.resource} of ", short_id(oldest.subject), f", {oldest.state}. "),
        h("p", f"{count(oldest.count, 'job is', 'jobs are')} open."),
        h("p", command(f"belvo-async jobs explain {oldest.job}")),
    )


def needs_a_person(morning: Morning) -> Markup:
    """What waits, why, and what to type."""
    if not morning.troubles:
        return _section("person", "Needs a person", "Nothing waits for anybody.")
    text = "Asking again would not help by itself, or nobody can say what became of it."
    if morning.troubles_left_off:
        text += f" {count(morning.troubles_left_off, 'more reason')} not shown."
    items = [_trouble(each, f"n{place}", morning) for place, each in enumerate(morning.troubles, 1)]
    return _section("person", "Needs a person", text, h("ol", items, class_="person"))


def _trouble(trouble: Trouble, key: str, morning: Morning) -> Markup:
    what = " ".join(each for each in (trouble.vendor, trouble.resource) if each)
    who = count(trouble.taxpayers, "taxpayer") if trouble.taxpayers else ""
    return h(
        "li",
        h(
            "div",
            h("h3", trouble.code),
            h("p", _sentence(trouble.why)),
            h("p", ", ".join(each for each in (who, what) if each), class_="what"),
        ),
        h("div", [command(each) for each in trouble.commands], _examples(trouble, key, morning)),
    )


def _examples(trouble: Trouble, key: str, morning: Morning) -> Markup | None:
    if not trouble.examples:
        return None
    more = trouble.taxpayers - len(trouble.examples)
    heading = "which one" if trouble.taxpayers == 1 else f"which {trouble.taxpayers:,}"
    rows = [_example(each, morning) for each in trouble.examples]
    return h(
        "details",
        h("summary", heading),
        table(["taxpayer", "days", "ended", "job"], rows),
        h("p", f"and {more:,} more", class_="soft") if more > 0 else None,
        id=key,
    )


def _example(each: Example, morning: Morning) -> Sequence[Child]:
    job = short_id(each.job) if each.job else "none"
    return [short_id(each.subject), days(each.first, each.last), instant(each.at, morning.made_at), job]


def calendar(morning: Morning) -> Markup:
    """Every plan, taxpayer by month."""
    title = "Taxpayers by month"
    if not morning.calendars:
        return _section("calendar", title, "No job of this store asked for days yet.")
    text = "Issued above received. A month of which several things are known shows the one that needs most attention."
    if morning.is_asked:
        text = f"No plan was given: this is what was ever asked for, from each taxpayer’s first day to its last. {text}"
    drawn = [draw_calendar(each, place, morning.made_at) for place, each in enumerate(morning.calendars, 1)]
    return _section("calendar", title, text, legend(), drawn)


def since_yesterday(morning: Morning) -> Markup:
    """What came in the last day."""
    title = "Since yesterday"
    if not morning.came:
        return _section("since", title, f"Nothing ended since {clock(morning.since)}.")
    text = (
        f"What ended or was written since {clock(morning.since)}. New and changed are the vendor’s own counts. "
        "Which invoices were cancelled is not known here: the store keeps jobs, not records."
    )
    head: list[Child] = ["", "whole", "partial", "failed", "new", "changed", "rows written"]
    made = table(head, [_came(each) for each in morning.came], numbers=frozenset(range(1, 7)))
    return _section("since", title, text, made)


def _came(each: Came) -> Sequence[Child]:
    said = [
        "—" if number is None else f"{number:,}"
        for number in (each.finished, each.partial, each.failed, each.new, each.changed)
    ]
    return [f"{each.vendor} {each.resource}".strip(), *said, f"{each.rows:,}"]


def durations(morning: Morning) -> Markup:
    """How long each resource takes."""
    title = "How long jobs take"
    if not morning.took:
        return _section("durations", title, "No job has finished yet.")
    text = (
        "From submission to end. The bar begins where half of the jobs had ended and goes to nineteen of twenty; "
        "each dot is a job that ended today. Lengths grow by the same factor from left to right."
    )
    scale = scale_of(morning.took)
    head: list[Child] = ["", "half within", "19 of 20 within", "today’s half", "jobs", ""]
    rows = [[*_took(each), took_chart(each, scale)] for each in morning.took]
    return _section("durations", title, text, _with_picture(head, rows))


def _took(each: Took) -> Sequence[Child]:
    today = "—" if each.today_p50 is None else f"{span(each.today_p50)}"
    few = " (few yet)" if each.jobs < FEW_JOBS else ""
    return [f"{each.vendor} {each.resource}", span(each.p50), span(each.p95), today, f"{each.jobs:,}{few}"]


def failures(morning: Morning) -> Markup:
    """Which codes ended jobs."""
    title = "Failures by code"
    if not morning.failures:
        return _section("failures", title, f"No job failed in the last {FAILURE_DAYS} days.")
    head: list[Child] = ["", "jobs", "last", "", f"last {FAILURE_DAYS} days"]
    rows: list[list[Child]] = [
        [
            h("span", f"{each.vendor} ", h("b", each.code)),
            f"{each.count:,}",
            instant(each.last_at, morning.made_at),
            short_id(each.last_job),
            days_chart(each.by_day),
        ]
        for each in morning.failures
    ]
    text = f"Codes of jobs that failed or were refused in the last {FAILURE_DAYS} days, and the last job of each."
    return _section("failures", title, text, _with_picture(head, rows, numbers=frozenset({1})))


def webhook_health(morning: Morning) -> Markup:
    """By which way each vendor's jobs were settled."""
    title = "Webhooks"
    if not morning.webhooks:
        return _section("webhooks", title, "No vendor has been asked for anything yet.")
    text = f"By which way jobs ended in the last {WEBHOOK_DAYS} days, and when the last delivery about one came."
    head: list[Child] = ["", "last delivery", "webhook", "poll", "inference", "answer", ""]
    rows = [_webhooks(each, morning) for each in morning.webhooks]
    told = [(each.vendor, text) for each in morning.webhooks for text in _recorded(each, morning)]
    said = [h("li", h("b", vendor), ": ", text) for vendor, text in told]
    made = _with_picture(head, rows, numbers=frozenset({2, 3, 4, 5}))
    return _section("webhooks", title, text, made, h("ul", said) if said else None)


def _recorded(webhooks: Webhooks, morning: Morning) -> Iterator[Child]:
    """What a vendor that was asked says of its own deliveries."""
    said = webhooks.recorded
    if said is None:
        return
    if said.why_not is not None:
        yield f"it was asked what it recorded of its deliveries, and could not tell: {said.why_not}"
    elif not said.attempts:
        yield "it recorded no attempt to deliver"
    if said.attempts:
        last = (
            "nobody answered the last one" if not said.last_status else f"the last one was answered {said.last_status}"
        )
        counts = f"of its last {count(said.attempts, 'attempt')} to deliver {said.failed:,} failed; {last}"
        yield [counts] if said.last_at is None else [f"{counts}, ", instant(said.last_at, morning.made_at)]
    yield from said.faults


def _webhooks(each: Webhooks, morning: Morning) -> Sequence[Child]:
    ways = ((each.by_webhook, "p"), (each.by_poll, "m"), (each.by_inference, "a"), (each.by_answer, "fill"))
    said = [_part(number, each.total) for number, _ in ways]
    came: Child = "none known"
    if each.last_delivery is not None:
        ago = morning.made_at - each.last_delivery
        came = [instant(each.last_delivery, morning.made_at), f" ({span(max(ago, timedelta(0)))} ago)"]
    shares = [(number / each.total, style) for number, style in ways if number] if each.total else []
    return [each.vendor, came, *said, ways_chart(shares)]


def _part(number: int, total: int) -> str:
    return f"{number:,} ({number * 100 // total} %)" if number else "0"


def _with_picture(
    head: Sequence[Child], rows: Sequence[Sequence[Child]], *, numbers: frozenset[int] = frozenset()
) -> Markup:
    """A table whose last column only shows what the others say: a narrow screen leaves it out."""
    return table(head, rows, numbers=numbers or frozenset(range(1, len(head) - 1)), class_="pictured")


def _section(key: str, title: str, text: str, *children: Child) -> Markup:
    return h("section", h("h2", title, id=key), h("p", text), *children, aria_labelledby=key)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
