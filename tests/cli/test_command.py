"""The command line itself: help, arguments, exit codes, and the screen it chooses."""

from __future__ import annotations

import asyncio
import io
import os
import socket
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from belvo_async import __version__, belvo
from belvo_async._cli import main
from belvo_async._cli.arguments import make_parser
from belvo_async._cli.demo.run import DemoOptions
from belvo_async._cli.demo.screen import PlainScreen, open_screen
from belvo_async.errors import StoreError
from belvo_async.jobs import Job, Seen, Status, Way
from belvo_async.stores import open_store

COMMANDS = (
    *("extract", "sync", "estimate", "coverage", "verify", "links", "entities"),
    *("demo", "simulate", "serve", "jobs"),
)
AT = datetime(2026, 6, 1, 12, tzinfo=UTC)


class Terminal(io.StringIO):
    """A text that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def leave(*argv: str) -> int | str | None:
    with pytest.raises(SystemExit) as left:
        main(argv)
    return left.value.code


def test_help_documents_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` names each command with a line of its own, and the exit codes."""
    code = leave("--help")

    text = capsys.readouterr().out
    assert 0 == code
    assert [] == [name for name in COMMANDS if f"\n    {name} " not in text]
    assert "exit codes: 0 done" in " ".join(text.split())


@pytest.mark.parametrize(
    "command",
    [
        ("demo",),
        ("simulate",),
        ("serve",),
        ("jobs",),
        ("jobs", "list"),
        ("jobs", "explain"),
        ("jobs", "abandon"),
        ("jobs", "prune"),
        ("jobs", "aside"),
        ("jobs", "resume"),
        ("jobs", "stop"),
    ],
    ids=" ".join,
)
def test_each_command_has_help(command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """`COMMAND --help` says what it does and what its exit codes mean."""
    assert 0 == leave(*command, "--help")

    assert "exit codes:" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` prints the package's."""
    assert 0 == leave("--version")

    assert f"belvo-async {__version__}\n" == capsys.readouterr().out


@pytest.mark.parametrize(
    "argv",
    [(), ("dance",), ("demo", "--fast"), ("demo", "--speed", "0"), ("simulate", "--belvo-port", "99999"), ("jobs",)],
    ids=repr,
)
def test_wrong_arguments_exit_2(argv: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing runs, and the usage is on stderr."""
    assert 2 == leave(*argv)

    assert capsys.readouterr().err.startswith("usage: belvo-async")


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        pytest.param(("demo", "--speed", "abc"), "must be a number above 0, at most 10000", id="speed: a word"),
        pytest.param(("simulate", "--speed", "nan"), "must be a number above 0, at most 10000", id="speed: nan"),
        pytest.param(("serve", "--port", "http"), "must be a number from 0 to 65535", id="port"),
    ],
)
def test_a_wrong_value_says_what_is_expected(
    argv: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """In words of the user's, not of the program's."""
    assert 2 == leave(*argv)

    said = capsys.readouterr().err
    assert words in said
    assert "_speed" not in said


@pytest.mark.parametrize("option", ["--belvo-webhook", "--syntage-webhook"])
@pytest.mark.parametrize(
    "url", ["localhost:80", "localhost", "", "ftp://h/x", "http:///x", "http://h:x/", "http://a b/"]
)
def test_what_is_no_address_gets_no_webhooks(option: str, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Most often the scheme is missing: found before anything is served."""
    with pytest.raises(SystemExit) as left:
        make_parser().parse_args(["simulate", option, url])

    assert 2 == left.value.code
    assert f"{option}: must be an address like http://" in capsys.readouterr().err


@pytest.mark.parametrize("url", ["http://localhost:80/hooks", "https://service.example.com", "HTTP://[::1]:8080/"])
def test_webhooks_go_to_http_addresses(url: str) -> None:
    """With scheme and host; port and path as they come."""
    assert url == make_parser().parse_args(["simulate", "--belvo-webhook", url]).belvo_webhook


def test_port_in_use_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """An error a user can mend is one line on stderr and exit code 1."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        code = main(["simulate", "--belvo-port", str(taken.getsockname()[1]), "--syntage-port", "0"])

    error = capsys.readouterr().err
    assert 1 == code
    assert error.startswith("belvo-async: ")
    assert "address already in use" in error
    assert 1 == error.count("\n")


def test_plain_without_rich(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra `cli`, a terminal gets the plain lines."""
    monkeypatch.delitem(sys.modules, "belvo_async._cli.demo.rich_screen", raising=False)
    monkeypatch.setitem(sys.modules, "rich", None)
    monkeypatch.setitem(sys.modules, "rich.box", None)

    assert isinstance(open_screen(Terminal()), PlainScreen)


def test_plain_when_no_terminal() -> None:
    """A pipe or a file gets the plain lines, rich or not."""
    assert isinstance(open_screen(io.StringIO()), PlainScreen)


def test_live_on_a_terminal() -> None:
    """A terminal gets the live view when rich is there."""
    assert not isinstance(open_screen(Terminal()), PlainScreen)


def test_interrupt_names_the_store(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C exits 130 and says where the jobs are kept, also where it comes as an exception."""

    async def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("belvo_async._cli.demo.run.run_demo", interrupted)

    code = main(["demo", "--store", "kept.db"])

    assert 130 == code
    assert "SIGINT: ended; every job is kept in the store: belvo-async jobs list --store sqlite:kept.db" in (
        capsys.readouterr().err
    )


def test_a_store_that_is_there_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The demo's seeded jobs would meet those of another run: nothing starts, nothing is changed, nothing is left."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    path = tmp_path / "jobs.db"
    path.write_bytes(b"kept")

    assert 1 == main(["demo", "--store", str(path)])

    said = capsys.readouterr()
    assert f"belvo-async: there is something at {path} already: the demo begins with a store of its own\n" == said.err
    assert ("", b"kept") == (said.out, path.read_bytes())
    assert [path] == list(tmp_path.iterdir())


def test_a_directory_of_another_demo_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its parts would stand among those of this one."""
    (tmp_path / "page.html").touch()

    assert 1 == main(["demo", "--keep", str(tmp_path)])

    assert "--keep takes a new directory, or an empty one" in capsys.readouterr().err


@pytest.mark.parametrize("error", [StoreError("the disk is full"), KeyError("oops")], ids=["foreseen", "a bug"])
def test_a_failed_demo_leaves_nothing_behind(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its folder in the temporary directory goes with it."""
    made: list[Path] = []

    async def fail(options: DemoOptions, *_: object) -> int:
        made.append(options.store)
        options.store.write_bytes(b"jobs")
        raise error

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("belvo_async._cli.demo.run.run_demo", fail)

    with suppress(KeyError):
        assert 1 == main(["demo"])

    assert tmp_path in made[0].parents
    assert [] == list(tmp_path.iterdir())


def test_an_error_of_many_jobs_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What several of the jobs' tasks raise together is told once."""

    async def fail(*_: object) -> int:
        raise ExceptionGroup("tasks", [StoreError("the disk is full"), StoreError("the disk is full")])

    monkeypatch.setattr("belvo_async._cli.demo.run.run_demo", fail)

    assert 1 == main(["demo"])

    assert "belvo-async: the disk is full\n" == capsys.readouterr().err


def test_a_bug_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error nobody foresaw keeps its traceback, even beside one that was foreseen."""

    async def fail(*_: object) -> int:
        raise ExceptionGroup("tasks", [StoreError("the disk is full"), KeyError("oops")])

    monkeypatch.setattr("belvo_async._cli.demo.run.run_demo", fail)

    with pytest.raises(ExceptionGroup):
        main(["demo"])


@pytest.fixture
def store(tmp_path: Path) -> str:
    """The URL of a store with one running job."""
    url = f"sqlite:{tmp_path / 'jobs.db'}"
    asyncio.run(_fill(url))
    return url


async def _fill(url: str) -> None:
    first, last = datetime(2025, 1, 1, tzinfo=UTC).date(), datetime(2025, 12, 31, tzinfo=UTC).date()
    task = belvo.Invoices(link="c81a1dea-6dd6-4806-af9b-3fe4a9d9e8e1", date_from=first, date_to=last, type="INFLOW")
    job = Job(id="a" * 32, vendor="belvo", account="x", task=task, created_at=AT, status=Status.PENDING, remote_id="r")
    seen = Seen(way=Way.ANSWER, at=AT, status=Status.PENDING, vendor_status="accepted")
    async with open_store(url) as opened:
        await opened.put(job, expected=None, observation=seen)


def test_jobs_list_as_table(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One aligned line for each open job."""
    assert 0 == main(["jobs", "list", "--store", store])

    heading, _, row = capsys.readouterr().out.splitlines()
    assert ["job", "vendor", "resource", "subject", "direction", "period", "state", "age", "account"] == heading.split()
    *facts, age, account = row.split()
    assert ["a" * 8, "belvo", "INVOICES", "c81a1dea", "received", "2025", "pending", "x"] == [*facts, account]
    assert age.endswith(("d", "h", "m"))


def test_jobs_explain_shows_the_timeline(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What the vendor said, by which way, and when."""
    assert 0 == main(["jobs", "explain", "a" * 32, "--store", store])

    last = capsys.readouterr().out.splitlines()[-1]
    assert ["2026-06-01", "12:00:00.000", "answer", "pending", "accepted"] == last.split()


def test_jobs_explain_aligns_what_it_knows(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    """All values begin in one column, and its age is in words."""
    assert 0 == main(["jobs", "explain", "a" * 32, "--store", store])

    facts = capsys.readouterr().out.split("\n\n")[0].splitlines()
    assert {(" ", True)} == {(line[10], line[11] != " ") for line in facts}
    assert ["age"] == [line.split()[0] for line in facts if line.startswith("age")]


@pytest.mark.parametrize("argv", [("list",), ("explain", "b")], ids=" ".join)
def test_a_store_that_is_not_there_is_not_made(
    argv: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mistyped path is an error, not a new empty store."""
    code = main(["jobs", *argv, "--store", f"sqlite:{tmp_path / 'typo.db'}"])

    assert 1 == code
    assert "there is no store at" in capsys.readouterr().err
    assert [] == os.listdir(tmp_path)


def test_unknown_job_is_one_sentence(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An id the store does not hold exits 1; what is too short to be a beginning is told so."""
    assert 1 == main(["jobs", "explain", "bbbb", "--store", store])
    unknown = capsys.readouterr().err
    assert 1 == main(["jobs", "explain", "aaa", "--store", store])
    short = capsys.readouterr().err

    assert "belvo-async: the store holds no job 'bbbb', nor one whose id begins so\n" == unknown
    assert "belvo-async: the store holds no job 'aaa'; the beginning of an id is at least 4 characters\n" == short
