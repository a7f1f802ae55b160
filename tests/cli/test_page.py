"""`belvo-async report` and `belvo-async ui`: the morning page as a file, and served on loopback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import aiohttp
import pytest
from aiohttp import web

from belvo_async._cli import main
from belvo_async._cli.page.board import TICK, Board
from belvo_async._cli.page.source import PageRequest
from belvo_async._cli.page.ui import check_host, make_app
from belvo_async.errors import ConfigurationError
from belvo_async.stores import MemoryStore, open_store
from tests.page.kit import LINK, OTHER, RFC, Reading, a_job, extraction, failed_job, invoices, open_job
from tests.virtual_time import VirtualClock, hold_time_while
from tests.waiting import Counter

CONFIG = f"""\
store = "sqlite:jobs.db"

[plans.nightly]
vendor = "belvo"
resource = "invoices"
subjects = ["{LINK}", "{OTHER}"]
from = 2025
to = 2025-12-31

[plans.known]
vendor = "belvo"
resource = "INVOICES"
directions = ["issued"]
from = "2025-01"
to = "2025-03"

[prices]
belvo = 1.50
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a store: two whole years, a failure, a job that is open."""

    async def fill() -> None:
        async with open_store("sqlite:jobs.db") as store:
            for job in (
                a_job("issued"),
                a_job("received", task=invoices(side="INFLOW")),
                failed_job("failed", task=invoices(OTHER)),
                open_job("open", vendor="syntage", task=extraction(f"/taxpayers/{RFC}")),
            ):
                await store.put(job, expected=None)

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BELVO_ASYNC_STORE", raising=False)
    asyncio.run(fill())
    return tmp_path


def test_report_writes_a_page_and_three_lines(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without plans, it is of what was ever asked for; only its owner reads it."""
    assert 0 == main(["report", "--store", "sqlite:jobs.db"])

    first, second, third = capsys.readouterr().out.splitlines()
    assert "taxpayers  1 whole, 1 in progress, 1 needing a person  (report.html)" == first
    assert second.startswith("money      no price list, ")
    assert third.endswith("syntage tax_status, job open")
    page = folder / "report.html"
    assert "No plan was given" in Reading(page.read_text(encoding="utf-8")).text
    assert 0o600 == page.stat().st_mode & 0o777
    assert ["jobs.db", "report.html"] == sorted(each.name for each in folder.iterdir() if "-" not in each.name)


def test_report_takes_plans_prices_and_store_from_the_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a key: subjects in normal form, `all` as far as the store knows them."""
    (folder / "belvo-async.toml").write_text(CONFIG, encoding="utf-8")

    assert 0 == main(["report", "--format", "json", "--out", "-"])

    page = json.loads(capsys.readouterr().out)
    assert not page["is_asked"]
    assert [("nightly", 2, 12), ("known", 2, 3)] == [
        (each["name"], each["taxpayers"], each["months"]) for each in page["calendars"]
    ]
    assert ("MXN", 0) == (page["money"]["currency"], page["money"]["price"] is None)


def test_report_of_one_plan(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Named, of a named file; the name stands in the command to type."""
    (folder / "other.toml").write_text(CONFIG, encoding="utf-8")

    assert 0 == main(["report", "--config", "other.toml", "--plan", "nightly", "--out", "-"])

    html = capsys.readouterr().out
    assert "belvo-async extract --plan nightly --retry" in Reading(html).text
    assert "<h3>nightly</h3>" in html
    assert "<h3>known</h3>" not in html


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--store", "sqlite:nowhere.db"], "there is no store at nowhere.db"),
        ([], "which store? give --store "),
        (["--store", "sqlite:jobs.db", "--plan", "x"], "which file are the plans in?"),
        (["--store", "sqlite:jobs.db", "--config", "nowhere.toml"], "nowhere.toml"),
        (["--store", "sqlite:jobs.db", "--out", "nowhere/report.html"], "nowhere"),
        (["--store", "sqlite:jobs.db", "--prices", "nowhere.toml"], "nowhere.toml"),
    ],
)
def test_what_is_missing_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    """On stderr, in a line; nothing is written."""
    assert 1 == main(["report", *options])

    assert said in capsys.readouterr().err
    assert not (folder / "report.html").exists()


def test_a_plan_that_is_not_there_is_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With those that are."""
    (folder / "belvo-async.toml").write_text(CONFIG, encoding="utf-8")

    assert 1 == main(["report", "--plan", "nigthly"])

    assert "has no plan 'nigthly': it has nightly, known" in capsys.readouterr().err


def test_rfcs_are_masked_unless_asked(folder: Path) -> None:
    """`--show-taxpayers` is what asks."""
    page = folder / "page.html"
    options = ["report", "--store", "sqlite:jobs.db", "--out", str(page)]

    main(options)
    assert RFC not in page.read_text(encoding="utf-8")
    main([*options, "--show-taxpayers"])
    assert RFC in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "example.org"])
def test_an_address_that_others_reach_is_refused(folder: Path, capsys: pytest.CaptureFixture[str], host: str) -> None:
    """Before anything listens; who says so, may."""
    assert 1 == main(["ui", "--store", "sqlite:jobs.db", "--host", host])

    assert "--allow-remote" in capsys.readouterr().err
    check_host(host, allow_remote=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback_is_not_refused(host: str) -> None:
    """Only this machine reaches it."""
    check_host(host, allow_remote=False)


@asynccontextmanager
async def served(store: MemoryStore, clock: VirtualClock, *, allow_remote: bool = False) -> AsyncGenerator[str]:
    """The page of a store on loopback; its address. While a thread makes it anew, no time passes."""
    board, waiting = Board(store, PageRequest(), clock.now), Counter()
    with patch.object(Board, "refresh", waiting.counting(Board.refresh)), hold_time_while(lambda: waiting.count > 0):
        async with _serving(board, allow_remote=allow_remote) as url:
            yield url


@asynccontextmanager
async def _serving(board: Board, *, allow_remote: bool) -> AsyncGenerator[str]:
    await board.refresh()
    runner = web.AppRunner(make_app(board, allow_remote=allow_remote), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    following = asyncio.create_task(board.follow())
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await runner.cleanup()


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working directory without a file of plans."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("elsewhere")
async def test_the_page_is_served_with_a_strict_policy(clock: VirtualClock) -> None:
    """It may take nothing from anywhere, stand in no frame, and is kept by nobody."""
    async with (
        MemoryStore() as store,
        served(store, clock) as url,
        aiohttp.ClientSession() as client,
        client.get(url) as answer,
    ):
        html = await answer.text()

    assert 200 == answer.status
    policy = answer.headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "connect-src 'self'", "frame-ancestors 'none'"} <= set(policy)
    assert not any("unsafe" in each or "*" in each for each in policy)
    assert ("no-store", "nosniff") == (answer.headers["Cache-Control"], answer.headers["X-Content-Type-Options"])
    assert "Server" not in answer.headers
    assert "EventSource" in html


@pytest.mark.usefixtures("elsewhere")
async def test_another_name_for_loopback_reads_nothing(clock: VirtualClock) -> None:
    """A page elsewhere that made its name point here is misdirected; not where a proxy is in front."""
    async with MemoryStore() as store, aiohttp.ClientSession() as client:
        for allow_remote, status in ((False, 421), (True, 200)):
            async with (
                served(store, clock, allow_remote=allow_remote) as url,
                client.get(url, headers={"Host": "evil.example"}) as answer,
            ):
                assert status == answer.status


@pytest.mark.usefixtures("elsewhere")
async def test_an_event_is_sent_when_the_store_changed(clock: VirtualClock) -> None:
    """And only then: time that goes by is none; the page that is fetched then shows the change."""
    async with MemoryStore() as store, served(store, clock) as url, aiohttp.ClientSession() as client:
        async with client.get(f"{url}/events") as events:
            assert "text/event-stream; charset=utf-8" == events.headers["Content-Type"]
            began = clock.now()
            before = await _read_until(events, clock, began + 3 * TICK)
            await store.put(open_job("new", created_at=clock.now()), expected=None)
            after = await _read_until(events, clock, clock.now() + 2 * TICK)
        async with client.get(url) as answer:
            html = await answer.text()

    assert "event: changed" not in before
    assert ": still here" in before
    assert 1 == after.count("event: changed")
    assert "belvo-async jobs explain new" in html


@pytest.mark.usefixtures("elsewhere")
async def test_who_comes_back_late_is_told_at_once(clock: VirtualClock) -> None:
    """By the last event that it saw."""
    async with (
        MemoryStore() as store,
        served(store, clock) as url,
        aiohttp.ClientSession() as client,
        client.get(f"{url}/events", headers={"Last-Event-ID": "another"}) as events,
    ):
        said = await _read_until(events, clock, clock.now() + timedelta(seconds=1))

    assert "event: changed" in said


async def _read_until(events: aiohttp.ClientResponse, clock: VirtualClock, until: datetime) -> str:
    said = b""
    try:
        async with asyncio.timeout((until - clock.now()).total_seconds()):
            while True:
                said += await events.content.readany()
    except TimeoutError:
        return said.decode()


def test_a_store_in_memory_is_of_no_use(capsys: pytest.CaptureFixture[str]) -> None:
    """It ends with its process."""
    with pytest.raises(ConfigurationError, match="a store in memory"):
        PageRequest(store="memory:").open_store()
