"""The page as one text: nothing of it comes from anywhere else."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import Final

from ..facts import Morning
from .calendar import definitions
from .markup import Markup, h
from .sections import (
    calendar,
    durations,
    failures,
    needs_a_person,
    numbers,
    since_yesterday,
    webhook_health,
)
from .words import clock, count

_SECTIONS: Final = (needs_a_person, calendar, since_yesterday, durations, failures, webhook_health)


def render(morning: Morning, *, is_live: bool = False) -> str:
    """Write the page. `is_live` adds the few lines that exchange it when the server says so."""
    policy = content_policy(is_live=is_live)
    head = h(
        "head",
        h("meta", charset="utf-8"),
        h("meta", http_equiv="Content-Security-Policy", content=policy),
        h("meta", name="viewport", content="width=device-width, initial-scale=1"),
        h("meta", name="referrer", content="no-referrer"),
        h("title", _title(morning)),
        h("style", Markup(_asset("page.css"))),
        h("script", Markup(_asset("live.js")), type="module") if is_live else None,
    )
    body = h(
        "body",
        h("a", "Skip to what needs a person", href="#person", class_="skip"),
        h(
            "header",
            h("h1", "Morning page, ", h("time", clock(morning.made_at)), " in Mexico City"),
            h("p", _lead(morning), class_="lead"),
            numbers(morning),
        ),
        h("main", definitions(morning.calendars), [section(morning) for section in _SECTIONS]),
        h("footer", h("p", _footer(morning, is_live=is_live))),
    )
    return f"<!doctype html>\n{h('html', head, body, lang='en')}\n"


def content_policy(*, is_live: bool) -> str:
    """What a browser may do for this page: apply its own style, run its own lines, ask its own server; nothing else."""
    rules = ["default-src 'none'", f"style-src '{_hash('page.css')}'", "base-uri 'none'", "form-action 'none'"]
    if is_live:
        rules += [f"script-src '{_hash('live.js')}'", "connect-src 'self'"]
    return "; ".join(rules)


@cache
def _asset(name: str) -> str:
    return files(__name__.rpartition(".")[0]).joinpath(name).read_text(encoding="utf-8")


def _hash(name: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(_asset(name).encode()).digest()).decode()


def _title(morning: Morning) -> str:
    standing = morning.standing
    return f"{standing.whole:,} of {standing.total:,} whole, {standing.needs_a_person:,} need a person"


def _lead(morning: Morning) -> str:
    standing = morning.standing
    if not standing.total:
        return "Nothing was asked for yet."
    if standing.whole == standing.total:
        more = "; something else needs a person" if morning.troubles else ""
        return f"{count(standing.total, 'taxpayer')}, and all is whole{more}."
    person = standing.needs_a_person
    waiting = "nobody needs a person" if not person else count(person, "needs a person", "need a person")
    return f"{standing.whole:,} of {count(standing.total, 'taxpayer')} whole; {waiting}."


def _footer(morning: Morning, *, is_live: bool) -> str:
    asked = " and ".join(each.vendor for each in morning.webhooks if each.recorded is not None)
    who = f"of its webhooks {asked} was asked" if asked else "nobody was asked"
    how = (
        "It changes by itself when the store does." if is_live else "It shows the store as it was then: write it again."
    )
    return (
        f"Worked out from the jobs and receipts of the store; {who}. {how} "
        "Instants are those of Mexico City. The commands take the store from --store, BELVO_ASYNC_STORE or "
        "belvo-async.toml."
    )
