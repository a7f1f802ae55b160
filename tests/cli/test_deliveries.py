"""What vendors recorded of their deliveries: in `jobs explain --online`, and on the page of `report --online`."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from belvo_async import Session
from belvo_async._cli.arguments import make_parser
from belvo_async._cli.jobs.deliveries import told_of
from belvo_async._cli.jobs.explain import explain
from belvo_async._cli.page.report import lines, morning_at
from belvo_async._cli.page.source import PageRequest
from belvo_async._page import Morning, render
from belvo_async.abc import DeliveryAttempt
from tests.page.kit import NOW, Reading
from tests.session.world import World, world
from tests.variables import variables_of

__all__ = ["world"]

REFUSED, TAKEN = 503, 200


def attempt(minutes: int, status: int, endpoint: str = "a", event: str | None = "extraction.updated") -> Any:
    at = NOW - timedelta(minutes=minutes)
    return DeliveryAttempt(id=f"{minutes}", status=status, endpoint=endpoint, at=at, event=event)


@pytest.mark.parametrize(
    ("attempts", "said"),
    [
        ([], "Syntage recorded no attempt to tell its end"),
        (
            [attempt(4, 503), attempt(5, 0), attempt(6, 503)],
            "Syntage tried 3 times to deliver extraction.updated; the last answer was 503, 4 minutes ago",
        ),
        (
            [attempt(1, 0), attempt(5, 200), attempt(6, 503)],
            "Syntage tried once to deliver extraction.updated; nobody answered the last time, 1 minute ago",
        ),
        ([attempt(7, 200), attempt(9, 503)], "Syntage delivered extraction.updated, the last time 7 minutes ago"),
        (
            [attempt(1, 200, "b"), attempt(2, 401), attempt(3, 401), attempt(4, 200)],
            "Syntage tried 2 times to deliver extraction.updated; the last answer was 401, 2 minutes ago",
        ),
        ([attempt(3, 204, event=None)], "Syntage delivered an event, the last time 3 minutes ago"),
    ],
)
def test_attempts_are_told_in_one_sentence(attempts: list[DeliveryAttempt], said: str) -> None:
    """Of the endpoint that takes nothing, how often it was tried since it took something."""
    assert said == told_of(attempts, "Syntage", NOW)


class Office:
    """A store with a job of each vendor, whose receiver answers what it is told to; commands are typed there."""

    def __init__(self, world: World, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.world, self.store, self.capsys = world, f"sqlite:{folder / 'jobs.db'}", capsys
        self.status = TAKEN
        self.jobs: dict[str, str] = {}

    async def work(self) -> None:
        async def answer(_: web.Request) -> web.Response:
            return web.Response(status=self.status)

        app = web.Application()
        app.router.add_post("/hook", answer)
        self.world.syntage.webhook_url = f"{await self.world.serve(app)}/hook"
        vendors = self.world.belvo_vendor(), self.world.syntage_vendor()
        async with Session(*vendors, store=self.store, clock=self.world.clock) as session:
            handle = await session.fire(self.world.extraction(extractor="tax_status"))
            self.jobs = {"belvo": (await session.fire(self.world.invoices())).id, "syntage": handle.id}
            await handle

    @property
    def asked(self) -> int:
        return len(self.world.sent("GET", "/webhook-"))

    def environ(self, **changes: str) -> dict[str, str]:
        return variables_of(self.world.belvo, self.world.syntage) | changes

    async def explain(self, vendor: str, *argv: str, **environ: str) -> dict[str, Any]:
        """What is said of a vendor's job, as JSON."""
        typed = ["jobs", "explain", self.jobs[vendor], "--store", self.store, "--format", "json", *argv]
        self.capsys.readouterr()
        given = self.environ(**environ)
        assert 0 == await explain(make_parser().parse_args(typed), lambda: given, self.world.clock)
        said: dict[str, Any] = json.loads(self.capsys.readouterr().out)
        return said

    async def report(self, *, online: bool = True, **environ: str) -> Morning:
        given = self.environ(**environ)
        return await morning_at(PageRequest(store=self.store, online=online), lambda: given, self.world.clock)


@pytest.fixture
def office(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> Office:
    monkeypatch.chdir(tmp_path)
    return Office(world, tmp_path, capsys)


async def test_nobody_is_asked_unless_it_is_said(office: Office) -> None:
    """Neither for a job nor for the page."""
    await office.work()

    said, page = await office.explain("syntage"), await office.report(online=False)

    assert ("deliveries" in said, 0) == (False, office.asked)
    assert [None, None] == [each.recorded for each in page.webhooks]
    assert "nobody was asked" in Reading(render(page)).text


async def test_a_job_tells_what_became_of_its_deliveries(office: Office) -> None:
    """In one request, and in the table as well."""
    office.status = REFUSED
    await office.work()

    failing = (await office.explain("syntage", "--online"))["deliveries"]
    requests = office.asked
    options = make_parser().parse_args(["jobs", "explain", office.jobs["syntage"], "--store", office.store, "--online"])
    await explain(options, office.environ, office.world.clock)

    assert failing.startswith("Syntage tried ")
    assert "times to deliver extraction.updated; the last answer was 503, " in failing
    assert 1 == requests
    assert re.search(r"^deliveries +Syntage tried ", office.capsys.readouterr().out, re.MULTILINE)


async def test_what_cannot_be_asked_is_said_and_breaks_nothing(office: Office) -> None:
    """Keys that are not there or of another account, a vendor in trouble, one without an API."""
    await office.work()
    unset = {"SYNTAGE_API_KEY": ""}

    said = [
        (await office.explain("syntage", "--online", **unset))["deliveries"],
        (await office.explain("syntage", "--online", SYNTAGE_API_KEY="another-key-1234567890"))["deliveries"],
        (await office.explain("belvo", "--online"))["deliveries"],
    ]
    office.world.syntage.next_answer("forbidden", method="GET", path="/webhook-requests")
    said.append((await office.explain("syntage", "--online"))["deliveries"])
    office.world.syntage.next_answer("timeout", method="GET", path="/webhook-requests", count=9)
    said.append((await office.explain("syntage", "--online"))["deliveries"])

    words = ("needs the environment variable", "of another one", "no API for webhooks", "HTTP 403", "took too long")
    assert [] == [(each, text) for each, text in zip(words, said, strict=True) if each not in text]
    assert {True} == {" could not be asked: " in each for each in said}
    assert not any(secret in str(said) for secret in office.environ().values() if not secret.startswith("http"))


async def test_the_page_shows_what_the_vendor_says(office: Office) -> None:
    """Attempts, how many failed, the last answer; Belvo, whose API tells nothing, is left out."""
    office.status = REFUSED
    await office.work()

    page = await office.report()

    belvo, syntage = page.webhooks
    assert belvo.recorded is None
    assert syntage.recorded is not None
    assert (REFUSED, (), None) == (
        syntage.recorded.last_status,
        syntage.recorded.faults,
        syntage.recorded.why_not,
    )
    assert 0 < syntage.recorded.failed == syntage.recorded.attempts
    text = Reading(render(page)).text
    assert "attempts to deliver" in text
    assert "the last one was answered 503" in text
    assert "of its webhooks syntage was asked" in text
    assert [] == [each for each in page.troubles if each.code == "webhooks"]
    assert 2 == office.asked


async def test_endpoints_that_are_wrong_need_a_person(office: Office) -> None:
    """With what to type."""
    await office.work()

    page = await office.report(SYNTAGE_WEBHOOK_SECRET="another-secret-0123")

    (trouble,) = [each for each in page.troubles if each.code == "webhooks"]
    assert "no endpoint is signed by a secret that SYNTAGE_WEBHOOK_SECRET holds" in trouble.why
    assert ("belvo-async webhooks list --vendor syntage",) == trouble.commands
    assert "no endpoint is signed by a secret" in Reading(render(page)).text
    assert f"also       syntage webhooks: {trouble.why}" == list(lines(page, None))[-1]


async def test_a_page_is_made_although_nobody_answers(office: Office) -> None:
    """Why is said where the numbers would stand."""
    await office.work()
    office.world.syntage.next_answer("timeout", method="GET", path="/webhook-*", count=9)

    page, without_keys = await office.report(), await office.report(SYNTAGE_API_KEY="", BELVO_SECRET_ID="")

    for made, words in ((page, "it took too long"), (without_keys, "needs the environment variable SYNTAGE_API_KEY")):
        recorded = made.webhooks[1].recorded
        assert recorded is not None
        assert words in (recorded.why_not or "")
        assert words in Reading(render(made)).text


async def test_an_account_that_cannot_be_asked_hides_no_other(office: Office, tmp_path: Path) -> None:
    """What is wrong with the webhooks of one needs a person, whatever another's keys."""
    await office.work()
    accounts = '[accounts.a]\nvendor = "syntage"\nenv = "NOBODY"\n\n[accounts.b]\nvendor = "syntage"\nenv = "SYNTAGE"\n'
    (tmp_path / "belvo-async.toml").write_text(accounts)

    page = await office.report(SYNTAGE_WEBHOOK_SECRET="another-secret-0123")

    recorded = page.webhooks[1].recorded
    assert recorded is not None
    assert ("NOBODY_API_KEY" in (recorded.why_not or ""), recorded.attempts > 0) == (True, True)
    assert 1 == len([each for each in page.troubles if each.code == "webhooks"])
    text = Reading(render(page)).text
    assert all(
        words in text for words in ("NOBODY_API_KEY", "attempts to deliver", "no endpoint is signed by a secret")
    )
