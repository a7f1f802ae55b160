"""The page as a text: one file, well made, nothing unescaped, nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from datetime import date, timedelta
from itertools import pairwise

import pytest
from msgspec.structs import replace

from belvo_async._page import Held, Preferences, Scope, make_morning, render
from belvo_async._page.facts import Trouble
from belvo_async._page.render.markup import h
from belvo_async._page.render.words import days, span
from belvo_async.jobs import Failure, Job, Status
from belvo_async.planning import Cell, Known, Prices
from tests.page.kit import (
    LINK,
    NOW,
    OTHER,
    RFC,
    Reading,
    a_job,
    extraction,
    failed_job,
    invoices,
    morning,
    open_job,
    planned,
)


def every_state() -> list[Job]:
    """A job for each of the five colours: issued invoices of one link, year by year."""
    return [
        a_job("whole", task=invoices(year=2025)),
        a_job("part", task=invoices(year=2023), partial=True, retry_at=NOW + timedelta(hours=5)),
        failed_job(task=invoices(year=2022)),
        open_job(task=invoices(year=2021)),
    ]


def read(*jobs: Job, **more: object) -> Reading:
    return Reading(render(morning(*jobs, **more)))  # type: ignore[arg-type]


def test_it_is_one_whole_document() -> None:
    """Every element ends, headings go down by one, ids are unique, and it says its language and title."""
    jobs = every_state()
    read_page = read(*jobs, scopes=[planned(*jobs, years=5, subjects=(LINK, OTHER))])

    levels = [int(tag[1]) for tag, _ in read_page.elements if re.fullmatch(r"h[1-6]", tag)]
    ids = [attributes["id"] for _, attributes in read_page.elements if "id" in attributes]
    targets = {(each.get("href") or "")[1:] for each in read_page.all("a")}
    assert {"en"} == {each.get("lang") for each in read_page.all("html")}
    assert ["html", "head", "meta", "meta", "meta", "meta", "title"] == [tag for tag, _ in read_page.elements[:7]]
    assert all(after <= before + 1 for before, after in zip([0, *levels], levels, strict=False))
    assert len(set(ids)) == len(ids)
    assert targets <= set(ids)


def test_an_empty_store_is_said_to_be_empty() -> None:
    """Each part says so in a sentence."""
    text = read().text

    assert "Nothing was asked for yet." in text
    assert "Nothing waits for anybody." in text
    assert "Nothing is under way." in text


def test_whole_taxpayers_do_not_hide_what_needs_a_person() -> None:
    """Webhooks that nobody receives are of no taxpayer; the first line tells of them all the same."""
    whole = morning(a_job("whole"))
    trouble = Trouble(vendor="belvo", resource="", code="webhooks", why="one is disabled", taxpayers=0, commands=())

    quiet, troubled = (Reading(render(replace(whole, troubles=each))).text for each in ((), (trouble,)))

    assert "1 taxpayer, and all is whole." in quiet
    assert "1 taxpayer, and all is whole; something else needs a person." in troubled


def test_the_three_numbers_are_first() -> None:
    """Who is whole, what it costs, what is oldest; then who needs a person."""
    text = read(*every_state(), prices=Prices.from_toml("belvo = 2"), budget=10).text

    places = [text.index(each) for each in ("of 1 whole", "Money this month", "Oldest open job", "Needs a person")]
    assert sorted(places) == places
    assert "MXN 8 for 4 requests in June, by your price list. 80 % of the budget of MXN 10." in text
    assert "$ " not in text
    assert "belvo-async jobs explain failed" in text


def test_no_colour_stands_alone() -> None:
    """Each has a title, a letter or its plainness, and a place in the legend; the strip is said in words."""
    jobs = every_state()
    read_page = read(*jobs, scopes=[planned(*jobs, years=5)])

    drawn = {each.get("class") for each in read_page.all("rect")}
    said = [each.get("aria-label") or "" for each in read_page.all("svg") if each.get("class") == "strip"]
    assert {"p", "a", "f", "m", "e"} <= drawn
    assert (
        "issued 2021-01 to 2021-12 missing; 2022-01 to 2022-12 failed; 2023-01 to 2023-12 partial; "
        "2024-01 to 2024-12 never asked; 2025-01 to 2025-12 proven"
    ) == said[0]
    for word in ("proven :", "partial :", "failed :", "missing :", "never asked :"):
        assert word in read_page.text


def test_what_comes_from_outside_is_escaped() -> None:
    """Codes, messages, resources, plans and ids."""
    evil = "<script>alert('x')</script>\"&"
    job = failed_job(evil, failure=Failure(code=evil, message=evil))

    html = render(morning(job, open_job(vendor=evil), scopes=[planned(job, name=evil)]))

    assert "<script" not in html
    assert "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;&quot;&amp;" in html
    Reading(html)


def test_an_element_escapes_its_texts_and_attributes() -> None:
    """Only what is markup already stands as it is."""
    assert '<p title="&quot;&gt;">&lt;b&gt;<b>1</b></p>' == h("p", "<b>", h("b", 1), None, title='">')


def test_no_rfc_is_shown() -> None:
    """Nor in titles, nor in what is folded away."""
    jobs = [
        failed_job(vendor="syntage", task=extraction(f"/taxpayers/{RFC}")),
        open_job(vendor="syntage", task=extraction(f"/taxpayers/{RFC}")),
    ]

    assert RFC not in render(morning(*jobs))
    assert RFC in render(morning(*jobs, show_taxpayers=True))


def test_nothing_comes_from_elsewhere() -> None:
    """No address, no script, and a policy that lets a browser take nothing but the page's own style."""
    html = render(morning(*every_state()))
    policy = next(each["content"] for each in Reading(html).all("meta") if "http-equiv" in each) or ""
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()

    assert not re.search(r"https?:|<script|<img|<link|@import| style=| on\w+=", html)
    assert f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'" == policy


def test_the_live_page_may_run_its_own_lines_only() -> None:
    """And ask its own server."""
    html = render(morning(), is_live=True)
    script = re.search(r'<script type="module">(.*?)</script>', html, re.DOTALL)
    assert script is not None

    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    assert f"script-src &#x27;sha256-{digest}&#x27;; connect-src &#x27;self&#x27;" in html


@pytest.mark.proof
def test_a_huge_store_stays_a_small_page() -> None:
    """Two thousand taxpayers by ten years: within seconds, below five megabytes, and it says what it leaves out."""
    jobs: dict[str, Job] = {}
    for link in range(2_000):
        subject = f"{link:08x}-6dd6-4806-af9b-3fe4a9d9e8e1"
        for year in (2021, 2022, 2023, 2025):
            for side in ("OUTFLOW", "INFLOW"):
                make = failed_job if (link + year) % 3 == 0 else a_job
                job = make(f"{link}-{year}-{side}", task=invoices(subject, year, side))
                jobs[job.id] = job
    began = time.process_time()

    html = render(make_morning(Held(jobs=jobs), None, Preferences(), NOW))

    assert time.process_time() - began < 20  # a few seconds on a machine that is left alone
    assert len(html.encode()) < 5_000_000
    assert "not shown are 1,800 more that are not whole" in Reading(html).text


@pytest.mark.proof
def test_the_noisiest_strips_are_bounded() -> None:
    """Ten years of which every other day differs: fewer rows are shown, and the page stays small."""
    links = [f"{number:08x}-6dd6-4806-af9b-3fe4a9d9e8e1" for number in range(300)]

    def noise(link: str) -> list[Cell]:
        months = [date(2016 + each // 12, each % 12 + 1, 1) for each in range(121)]
        return [
            Cell(
                subject=link,
                direction=direction,
                first=first,
                last=after - timedelta(days=1),
                known=Known.FAILED if place % 2 else Known.PROVEN,
                job="x" * 32,
                code="login_error",
            )
            for direction in ("issued", "received")
            for place, (first, after) in enumerate(pairwise(months))
        ]

    scope = Scope(name="noise", vendor="belvo", resource="INVOICES", cells={each: noise(each) for each in links})
    html = render(morning(scopes=[scope]))

    assert len(html.encode()) < 5_000_000
    assert "more stretches of this taxpayer not shown." in Reading(html).text


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ((2025, 1, 1), (2025, 12, 31), "2025"),
        ((2022, 1, 1), (2025, 12, 31), "2022 to 2025"),
        ((2025, 3, 1), (2025, 3, 31), "2025-03"),
        ((2024, 11, 1), (2025, 2, 28), "2024-11 to 2025-02"),
        ((2025, 3, 4), (2025, 3, 4), "2025-03-04"),
        ((2025, 3, 4), (2025, 4, 3), "2025-03-04 to 2025-04-03"),
        ((9999, 1, 1), (9999, 12, 31), "9999-01-01 to 9999-12-31"),
    ],
)
def test_days_are_said_shortly(first: tuple[int, int, int], last: tuple[int, int, int], said: str) -> None:
    """By the longest whole thing that they are."""
    assert said == days(date(*first), date(*last))


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(seconds=-4), "0 s"),
        (timedelta(seconds=42), "42 s"),
        (timedelta(minutes=2), "2 min"),
        (timedelta(minutes=61), "1 h 1 min"),
        (timedelta(days=3, hours=2, minutes=59), "3 d 2 h"),
    ],
)
def test_spans_are_said_in_two_units(length: timedelta, said: str) -> None:
    """The largest ones."""
    assert said == span(length)


def test_the_contrast_of_texts_is_enough() -> None:
    """WCAG AA: 4.5 for texts, 3 for what is drawn, light and dark."""
    css = re.search(r"<style>(.*?)</style>", render(morning()), re.DOTALL)
    assert css is not None
    themes = re.findall(r":root \{(.*?)\}", css[1], re.DOTALL)
    assert 2 == len(themes)
    for theme in themes:
        colours = dict(re.findall(r"--([\w-]+): (#\w+)", theme))
        for back in ("paper", "raised"):
            assert all(contrast(colours[each], colours[back]) >= 4.5 for each in ("ink", "soft")), colours
        for known in ("partial", "failed", "missing"):
            assert contrast(colours[f"on-{known}"], colours[known]) >= 4.5, known
        for drawn in ("proven", "partial", "failed", "missing", "never", "focus"):
            assert contrast(colours[drawn], colours["paper"]) >= 3, drawn


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(each * 2 for each in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_an_uncertain_job_is_open() -> None:
    """It is looked for; nobody needs to do anything yet."""
    uncertain = open_job(status=Status.UNCERTAIN)

    assert "0 of 1 taxpayer whole; nobody needs a person." in read(uncertain).text
