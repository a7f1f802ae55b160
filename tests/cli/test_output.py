"""What the commands print for other programs: whole facts as JSON, and quiet when nobody reads on."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from belvo_async import Failure, Status, Task, Way, belvo, syntage
from belvo_async._cli import main
from belvo_async._cli.demo.run import DemoOptions
from belvo_async._cli.output import use_utf8
from belvo_async.jobs import STATES, Seen
from belvo_async.stores import open_store
from tests.jobs.flat import flat

AT = datetime(2026, 6, 1, 12, 0, 0, 123456, tzinfo=UTC)
INVOICES = belvo.Invoices(
    link="c81a1dea-6dd6-4806-af9b-3fe4a9d9e8e1", date_from=date(2025, 1, 1), date_to=date(2025, 12, 31), type="INFLOW"
)
# What `jq` takes for an instant: whole seconds, and a Z.
JQ = "%Y-%m-%dT%H:%M:%SZ"


@pytest.fixture
def store(tmp_path: Path) -> str:
    """The URL of an empty store."""
    return f"sqlite:{tmp_path / 'jobs.db'}"


def keep(url: str, **facts: Any) -> None:
    """Keep a job with a timeline of two observations."""
    plain: dict[str, Any] = {"id": "a" * 32, "vendor": "belvo", "account": "x", "task": INVOICES, "created_at": AT}
    job = flat(**plain | {"attempted_at": AT, "status": Status.PENDING} | facts)
    seen = Seen(way=Way.ANSWER, at=AT, status=Status.PENDING, vendor_status="accepted")

    async def put() -> None:
        async with open_store(url) as opened:
            await opened.put(job, expected=None, observation=seen)

    asyncio.run(put())


def told(capsys: pytest.CaptureFixture[str], url: str, *argv: str) -> dict[str, Any]:
    """The one object that a command prints."""
    capsys.readouterr()
    assert 0 == main(["jobs", *argv, "--store", url, "--format", "json"])
    line: dict[str, Any] = msgspec.json.decode(capsys.readouterr().out)
    return line


def test_a_listed_job_tells_its_task(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Whose data, of which days: as the task is stored, so that it can be fired again from there."""
    keep(store)

    line = told(capsys, store, "list")

    assert INVOICES == msgspec.convert(line["task"], belvo.Invoices)
    assert ("belvo.Invoices", "INVOICES", "pending") == (line["kind"], line["resource"], line["status"])


def test_a_task_names_no_taxpayer(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Output ends in logs: where a subject is an RFC, it is left out, whatever case it is in; the rest stays."""
    task = syntage.Extraction("/taxpayers/xaxx010101000", "tax_status")
    keep(store, task=task, vendor="syntage")

    line = told(capsys, store, "list")
    assert 0 == main(["jobs", "explain", "aaaa", "--store", store])

    assert "XAXX010101000" not in (str(line) + capsys.readouterr().out).upper()
    assert ("/taxpayers/(taxpayer)", "tax_status") == (line["task"]["entity"], line["task"]["extractor"])


@pytest.mark.parametrize("command", [("list", "--all"), ("explain", "aaaa")], ids=" ".join)
def test_instants_are_those_that_jq_reads(
    command: tuple[str, ...], store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """RFC 3339 in UTC, in whole seconds: `fromdate` takes no fraction."""
    later = AT + timedelta(hours=1)
    keep(store, status=Status.FINISHED, settled_at=later, retry_at=later, deadline=later, next_poll=later)

    line = told(capsys, store, *command)

    instants = [line[name] for name in ("created", "settled", "retry_at", "deadline", "next_poll")]
    instants += [each["at"] for each in line.get("timeline", ())]
    assert [] == [text for text in instants if datetime.strptime(text, JQ).replace(tzinfo=UTC).strftime(JQ) != text]
    assert "2026-06-01T13:00:00Z" == line["settled"]


def test_explain_as_json_holds_the_timeline(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The facts that `jobs list` gives, how it fares, and what was said, in order."""
    keep(store)

    listed, explained = told(capsys, store, "list"), told(capsys, store, "explain", "aaaa")

    timeline, fares, why, todo = (explained.pop(name) for name in ("timeline", "fares", "why", "do"))
    assert "stuck" == fares
    assert why.startswith("pending for ")
    assert "belvo-async jobs resume aaaaaaaa" in todo
    assert listed == explained
    assert [{"at": "2026-06-01T12:00:00Z", "by": "answer", "status": "pending", "said": "accepted"}] == timeline


def test_explain_tells_that_data_is_missing(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Whether a job is partial, and from when more may be had."""
    keep(store, status=Status.FINISHED, settled_at=AT, partial=True, retry_at=AT + timedelta(hours=6))

    assert 0 == main(["jobs", "explain", "aaaa", "--store", store])

    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert ["partial", "yes"] in lines
    assert ["retry_at", "2026-06-01 18:00:00Z"] in lines


STATES_OF: Mapping[str, dict[str, Any]] = {
    "queued": {"status": Status.SUBMITTING, "attempted_at": None},
    "abandoned": {"status": Status.UNCERTAIN, "abandoned": True},
    "unconfirmed": {"status": Status.PENDING, "abandoned": True, "settled_by": Way.INFERENCE, "settled_at": AT},
}


@pytest.mark.parametrize("state", STATES)
def test_a_state_that_is_no_status_is_told_as_such(state: str, store: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The table and the JSON say one word, `state`, and the JSON says of which status it is one."""
    keep(store, **STATES_OF[state])

    line = told(capsys, store, "list", "--all")
    assert 0 == main(["jobs", "list", "--all", "--store", store])

    assert (state, True) == (line["state"], line["status"] in STATES[state][0])
    assert state == capsys.readouterr().out.splitlines()[-1].split()[6]


def test_stored_tasks_are_read_as_the_types_they_are(store: str) -> None:
    """A program that only opens a store sees tasks of both vendors as what they are, imported before or not."""
    keep(store)
    keep(store, id="b" * 32, vendor="syntage", task=syntage.Extraction(f"/entities/{INVOICES.link}", "tax_status"))
    program = (
        "import asyncio, sys; from belvo_async.stores import open_store\n"
        "async def main():\n"
        "    async with open_store(sys.argv[1]) as store:\n"
        "        print(sorted([type(job.task).__name__ async for job in store.open_jobs()]))\n"
        "asyncio.run(main())"
    )

    ran = subprocess.run([sys.executable, "-c", program, store], capture_output=True, text=True, check=True)

    assert "['Extraction', 'Invoices']" == ran.stdout.strip()


class StrangersTask(Task[object], frozen=True, kw_only=True, tag="elsewhere.Fetch"):
    """A task of somebody's own vendor."""

    owner: str = "somebody"

    @property
    def resource(self) -> str:
        return "things"


def test_a_task_nobody_knows_goes_by_its_stored_name(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a third vendor, whose package this program does not import."""
    keep(store, task=StrangersTask())
    program = "import sys; from belvo_async._cli import main; sys.exit(main(sys.argv[1:]))"
    argv = [sys.executable, "-c", program, "jobs", "list", "--store", store, "--format", "json"]

    ran = subprocess.run(argv, capture_output=True, text=True, check=True)

    line = msgspec.json.decode(ran.stdout)
    assert ("elsewhere.Fetch", {"kind": "elsewhere.Fetch", "owner": "somebody"}) == (line["kind"], line["task"])
    assert "UnknownTask" not in ran.stdout


COMMANDS = [("--help",), ("jobs", "list"), ("jobs", "explain", "aaaa"), ("demo",)]
# They print as those do.
OTHERS = [("jobs", "list", "--format", "json"), ("jobs", "accounts"), ("jobs", "prune", "--before", "1d", "--dry-run")]


@pytest.mark.proof
@pytest.mark.parametrize(
    "unbuffered", [False, pytest.param(True, marks=pytest.mark.proof)], ids=["buffered", "unbuffered"]
)
@pytest.mark.parametrize(
    "argv", [*COMMANDS, *(pytest.param(each, marks=pytest.mark.proof) for each in OTHERS)], ids=" ".join
)
def test_a_reader_that_leaves_ends_it_quietly(
    argv: tuple[str, ...], store: str, tmp_path: Path, *, unbuffered: bool
) -> None:
    """`belvo-async ... | head`: not a word on stderr, and the exit code that a shell gives any such program.

    (What is not buffered of `--help`, Python itself writes and asks no more.)
    """
    keep(store, failure=Failure(code="x"))
    environ = {**os.environ, "BELVO_ASYNC_STORE": store, "TMPDIR": str(tmp_path / "scratch"), "COLUMNS": "80"}
    environ["PYTHONUNBUFFERED"] = "1" if unbuffered else ""
    (tmp_path / "scratch").mkdir()
    unread, end = os.pipe()
    os.close(unread)

    ran = subprocess.run([sys.executable, "-m", "belvo_async", *argv], stdout=end, stderr=subprocess.PIPE, env=environ)
    os.close(end)

    code = 0 if unbuffered and argv == ("--help",) else 141
    assert (code, b"") == (ran.returncode, ran.stderr)
    assert [] == list((tmp_path / "scratch").iterdir())


@pytest.mark.parametrize("argv", [("jobs", "list"), pytest.param(("--help",), marks=pytest.mark.proof)], ids=" ".join)
def test_output_that_is_closed_is_none(argv: tuple[str, ...], store: str) -> None:
    """`belvo-async ... >&- 2>&-`: it is done, and nobody wants to be told."""
    keep(store)
    environ = {**os.environ, "BELVO_ASYNC_STORE": store}
    closing = (
        "import os, sys; os.close(1); os.execv(sys.executable, [sys.executable, '-m', 'belvo_async', *sys.argv[1:]])"
    )

    ran = subprocess.run([sys.executable, "-c", closing, *argv], stderr=subprocess.PIPE, env=environ)

    assert (0, b"") == (ran.returncode, ran.stderr)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is full cannot be had here")
@pytest.mark.parametrize("argv", [("--help",), ("jobs", "list"), ("jobs", "explain", "aaaa")], ids=" ".join)
def test_output_that_cannot_be_written_is_one_sentence(argv: tuple[str, ...], store: str) -> None:
    """What it is redirected to has no room left."""
    keep(store)
    environ = {**os.environ, "BELVO_ASYNC_STORE": store, "PYTHONUNBUFFERED": ""}

    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "belvo_async", *argv], stdout=full, stderr=subprocess.PIPE, env=environ
        )

    assert (1, b"belvo-async: No space left on device\n") == (ran.returncode, ran.stderr)


@pytest.mark.proof
def test_a_demo_that_nobody_reads_on_ends_at_once(store: str, tmp_path: Path) -> None:
    """`demo | head -1`: it is over with the next line it would print."""
    argv = [sys.executable, "-m", "belvo_async", "demo", "--speed", "1", "--store", str(tmp_path / "jobs.db")]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as demo:
        assert demo.stdout is not None
        demo.stdout.readline()
        demo.stdout.close()
        said = demo.stderr.read() if demo.stderr else ""

    assert (141, "") == (demo.returncode, said)
    assert asyncio.run(ended_jobs(store)) < 16  # of those that it would have brought to their end


async def ended_jobs(url: str) -> int:
    async with open_store(url) as opened:
        return sum((await opened.count_jobs(ended=True)).values())


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize(
    "numbers",
    [
        pytest.param([signal.SIGINT], id="SIGINT", marks=pytest.mark.proof),
        pytest.param([signal.SIGTERM], id="SIGTERM", marks=pytest.mark.proof),
        pytest.param([signal.SIGHUP], id="SIGHUP", marks=pytest.mark.proof),
        pytest.param([signal.SIGINT, signal.SIGTERM], id="SIGINT and SIGTERM", marks=pytest.mark.proof),
    ],
)
def test_a_demo_that_is_ended_leaves_nothing_behind(numbers: list[signal.Signals], tmp_path: Path) -> None:
    """By Ctrl-C, by whoever ends processes, or with its terminal: the exit code says by which."""
    argv = [sys.executable, "-m", "belvo_async", "demo", "--speed", "1"]
    environ = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ) as demo:
        assert demo.stdout is not None
        assert demo.stderr is not None
        while "uncertain" not in demo.stdout.readline():
            pass  # the first job is on its way when this is told
        for each in numbers:
            demo.send_signal(each)
        demo.stdout.read()
        said = demo.stderr.read()

    told = "ended; nothing is left of it (with --store FILE, its jobs would be kept)"
    farewells = {128 + each: f"belvo-async: {each.name}: {told}\n" for each in numbers}
    assert demo.returncode in farewells
    # One that is told twice says nothing: it ends where it stands.
    assert said in {farewells[demo.returncode], *([""] if len(numbers) > 1 else [])}
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("code", [0, 1], ids=["as intended", "not as intended"])
def test_a_demo_leaves_nothing_behind(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its scratch folder goes with it; of a run that went wrong, the log's warnings are told."""

    async def run(options: DemoOptions, *_: object) -> int:
        options.store.write_bytes(b"jobs")
        options.out.write_bytes(b"records")
        return code

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr("belvo_async._cli.demo.run.run_demo", run)

    assert code == main(["demo"])

    assert [] == list(tmp_path.iterdir())
    assert ("The last warnings of its log:" in capsys.readouterr().out) == bool(code)


def test_a_demo_keeps_what_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--out`, `--store` and `--log` name the files that stay."""

    async def run(options: DemoOptions, *_: object) -> int:
        options.store.write_bytes(b"jobs")
        options.out.write_bytes(b"records")
        return 0

    monkeypatch.setattr("belvo_async._cli.demo.run.run_demo", run)
    names = {"--out": "records.ndjson", "--store": "jobs.db", "--log": "log.txt"}

    assert 0 == main(["demo", *(word for option, name in names.items() for word in (option, str(tmp_path / name)))])

    assert set(names.values()) == {each.name for each in tmp_path.iterdir()}
    said = capsys.readouterr().out
    assert [] == [name for name in names.values() if str(tmp_path / name) not in said]


def test_what_is_printed_is_utf8_where_a_pipe_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows, whose pipes know neither the signs of a progress bar nor every name."""
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="cp1252"))

    use_utf8()
    print("▓ Ñandú → Š", flush=True)

    assert "▓ Ñandú → Š\n" == written.getvalue().decode()
