"""How a run is shown: the texts of a row, the live view, the help, and the exit codes."""

from __future__ import annotations

import argparse
import asyncio
import io
import re
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from belvo_async._cli import main
from belvo_async._cli.arguments import make_parser
from belvo_async._cli.codes import MEANINGS, Code, worst
from belvo_async._cli.plans.display.look import Look
from belvo_async._cli.plans.display.screen import LogScreen, open_screen
from belvo_async._cli.words import money, span
from belvo_async._session.extraction.progress import PlanEvent, PlanProgress, PlanTally
from belvo_async.planning import Estimate, Price
from tests.test_house import commands
from tests.virtual_time import VirtualClock

BEGAN = datetime(2026, 6, 1, 12, tzinfo=UTC)
ESTIMATE = Estimate(
    requests=20,
    reused=0,
    under_way=0,
    to_fire=20,
    later=0,
    refused=0,
    currency="MXN",
    price=None,
    by_year=None,
    p50=timedelta(minutes=30),
    p95=timedelta(hours=1),
    history=0,
)


class Terminal(io.StringIO):
    """A text that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def a_look() -> Look:
    return Look(name="invoices", began=BEGAN, estimate=ESTIMATE)


def said(event: PlanEvent, until: datetime | None = None, **tally: object) -> PlanProgress:
    return PlanProgress(event=event, at=BEGAN, tally=PlanTally(**tally), until=until)  # type: ignore[arg-type]


def test_a_row_says_how_a_plan_stands() -> None:
    """Done, open, rate, what is left by its own pace, money."""
    look = a_look()
    price = Price(Decimal(100), Decimal(230))

    look.take(said(PlanEvent.ENDED, finished=9, failed=1, open=6, left=4, rows=1234, spent=price))

    later = BEGAN + timedelta(minutes=5)
    assert (
        "invoices",
        "10/20",
        "6",
        "1,234",
        "2/min",
        "~5 min",
        "100.00 to 230.00 MXN",
        "the vendor",
    ) == look.cells(later)
    assert "10/20 done, 6 open, 1,234 rows, 2/min, ~5 min left, 100.00 to 230.00 MXN, waiting for the vendor" == (
        look.line(later)
    )


def test_before_there_is_a_pace_the_estimate_counts() -> None:
    """And a wait is part of what is left."""
    look = a_look()
    look.take(said(PlanEvent.FIRED, open=2, left=18))
    assert timedelta(minutes=20) == look.eta(BEGAN + timedelta(minutes=10))

    midnight = BEGAN + timedelta(hours=18)
    look.take(said(PlanEvent.WAITING, until=midnight, left=18))

    assert timedelta(hours=18) == look.eta(BEGAN)
    assert "the tax office's limits, until 2026-06-02 06:00Z" == look.waits_for(BEGAN)
    assert "" == look.waits_for(midnight)
    look.is_over = True
    assert look.eta(BEGAN) is None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (5, "5 s"),
        (3580, "1 h 00 min"),
        (600, "10 min"),
        (7260, "2 h 01 min"),
        (200_000, "2 d 7 h"),
        (-3, "0 s"),
    ],
)
def test_spans_are_short(given: int, words: str) -> None:
    """Two units at most."""
    assert words == span(timedelta(seconds=given))


def test_money_is_a_sum_or_a_range() -> None:
    """Nothing where no price is known."""
    assert "" == money(None, "MXN")
    assert "1,500.00 MXN" == money(Price(Decimal(1500), Decimal(1500)), "MXN")


async def test_the_live_view_shows_the_plans(clock: VirtualClock) -> None:
    """On a terminal with rich: a table and a bar, refreshed in place."""
    stream = Terminal()
    screen = open_screen(stream)
    assert not isinstance(screen, LogScreen)
    look = a_look()

    with screen.live([look], clock) as refresh:
        look.take(said(PlanEvent.FIRED, open=2, left=18))
        refresh()
        screen.say("invoices: a line that stays")

    assert "0/20" in stream.getvalue()
    assert "a line that stays" in stream.getvalue()


async def test_a_log_is_told_even_while_nothing_happens(clock: VirtualClock) -> None:
    """Each half minute while something does, else each five; nothing is said of what had nothing to do."""
    stream = io.StringIO()
    screen, look, idle = LogScreen(stream), a_look(), a_look()
    look.take(said(PlanEvent.FIRED, open=2, left=18))

    with screen.live([look, idle], clock) as refresh:
        for _ in range(20):
            refresh()
            await asyncio.sleep(30)
        look.take(said(PlanEvent.ENDED, open=1, left=18, finished=1))
        refresh()
        look.is_over = True
        for _ in range(20):
            refresh()
            await asyncio.sleep(30)

    assert 4 == len(stream.getvalue().splitlines())


def test_plain_lines_without_rich_or_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe or a file gets the plain lines, rich or not; so does a terminal without rich."""
    assert isinstance(open_screen(io.StringIO()), LogScreen)
    monkeypatch.delitem(sys.modules, "belvo_async._cli.plans.display.rich_screen", raising=False)
    monkeypatch.setitem(sys.modules, "rich", None)
    monkeypatch.setitem(sys.modules, "rich.box", None)

    assert isinstance(open_screen(Terminal()), LogScreen)


def ours() -> list[tuple[str, argparse.ArgumentParser]]:
    names = ("extract", "sync", "estimate", "coverage", "verify", "links", "entities", "jobs resume", "jobs stop")
    found = commands(make_parser(), "belvo-async")
    return [(name, parser) for name, parser in found if name.removeprefix("belvo-async").strip() in ("", *names)]


@pytest.mark.parametrize(("name", "parser"), ours(), ids=[name for name, _ in ours()])
def test_help_fits_a_hundred_columns(
    name: str, parser: argparse.ArgumentParser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With examples, whatever the terminal's width, and with its exit codes."""
    monkeypatch.setenv("COLUMNS", "300")

    text = parser.format_help()

    assert [] == [line for line in text.splitlines() if len(line) > 100]
    assert "exit codes:" in text
    assert len(re.findall(r"^  belvo-async ", text, re.MULTILINE)) >= 1


def test_help_is_in_colours_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where rich-argparse is installed; without it, it is plain."""
    monkeypatch.setattr("sys.stdout", Terminal())
    assert "rich_argparse" in type(make_parser()._get_formatter()).__module__

    monkeypatch.setitem(sys.modules, "rich_argparse", None)

    assert "argparse" == type(make_parser()._get_formatter()).__module__


def test_neither_help_nor_completion_is_loaded_unasked() -> None:
    """A parser is made without them, and without the planner."""
    import subprocess

    program = "import sys; from belvo_async._cli.arguments import make_parser; make_parser(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()

    assert [] == [each for each in ("rich", "rich_argparse", "shtab", "belvo_async.planning") if each in loaded]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed(shell: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """For three shells; without shtab it says what to install."""
    with pytest.raises(SystemExit) as left:
        main(["--print-completion", shell])
    assert 0 == left.value.code
    assert "max-cost" in capsys.readouterr().out

    monkeypatch.setitem(sys.modules, "shtab", None)
    with pytest.raises(SystemExit) as left:
        main(["--print-completion", shell])
    assert 2 == left.value.code
    assert "pip install 'belvo-async[cli]'" in capsys.readouterr().err


def test_of_several_ends_the_highest_counts() -> None:
    """But what broke off before all: then nothing is known of the rest."""
    assert Code.WHOLE == worst([])
    assert Code.DECIDE == worst([0, 3, 4])
    assert Code.FAILED == worst([5, 1, 0])


def test_the_page_has_every_exit_code() -> None:
    """Once, in a table, in the words of the help."""
    page = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text(encoding="utf-8")

    for code, meaning in MEANINGS.items():
        assert 1 == page.count(f"| {code.value} | {meaning} |"), code
