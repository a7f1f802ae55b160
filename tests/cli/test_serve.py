"""`belvo-async serve`: a receiver of webhooks as a process of its own."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from belvo_async import Session
from belvo_async._cli import main
from belvo_async._cli.serve import make_app
from belvo_async.stores import open_store
from tests.session.world import World, world
from tests.troubled_store import TroubledStore
from tests.variables import variables_of

__all__ = ["world"]

SECRETS = {
    "BELVO_SECRET_ID": "canary-id-1234",
    "BELVO_SECRET_PASSWORD": "canary-password-1234",
    "BELVO_WEBHOOK_AUTH": "Bearer canary-authorization-1234",
    "SYNTAGE_API_KEY": "canary-key-1234",
    "SYNTAGE_WEBHOOK_SECRET": "canary-secret-1234",
}
# Nothing answers there: a receiver needs no vendor to start.
NOWHERE = {"BELVO_BASE_URL": "http://127.0.0.1:9", "SYNTAGE_BASE_URL": "http://127.0.0.1:9"}
DELIVERY = {
    "webhook_id": "5" * 32,
    "webhook_type": "INVOICES",
    "process_type": "async_post",
    "webhook_code": "new_invoices_available",
    "link_id": "c81a1dea-6dd6-4806-af9b-3fe4a9d9e8e1",
    "request_id": "a" * 32,
    "external_id": None,
    "data": {"new_invoices": 3},
}


def _limit(descriptors: int) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, hard))


class Receiver:
    """The command in a process."""

    def __init__(
        self,
        store: str,
        *options: str,
        descriptors: int | None = None,
        program: tuple[str, str] = ("-m", "belvo_async"),
    ) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *program, "serve", "--store", store, "--port", "0", *options],
            env={**os.environ, **SECRETS, **NOWHERE},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=None if descriptors is None else partial(_limit, descriptors),
        )
        assert self.process.stdout is not None
        self.lines = [self.process.stdout.readline().rstrip("\n") for _ in range(5)]
        self.port = int(self.lines[0].rpartition(":")[2])

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body=body, headers=named)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer

    def end(self, number: signal.Signals) -> tuple[int, str]:
        """Send a signal; the exit code and what was written since the start."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out + err


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"sqlite:{tmp_path / 'jobs.db'}"


@pytest.fixture
def receiver(store: str) -> Iterator[Receiver]:
    """A running receiver; killed if the test has not ended it."""
    running = Receiver(store, "--prefix", "/hooks/", "--no-poll")
    yield running
    running.process.kill()
    running.process.communicate()


def test_a_proven_delivery_is_in_the_store(receiver: Receiver, store: str) -> None:
    """Answered 200, any other process on the store can read it; what is not proven or not asked for is refused.

    What was not proven is told on stderr.
    """
    body = json.dumps(DELIVERY).encode()
    proof = SECRETS["BELVO_WEBHOOK_AUTH"]

    answers = [
        receiver.ask("POST", "/hooks/belvo", body, Authorization=proof),
        receiver.ask("POST", "/hooks/belvo", body, Authorization="Bearer wrong"),
        receiver.ask("POST", "/hooks/belvo", gzip.compress(body), Authorization=proof, Content_Encoding="gzip"),
        receiver.ask("POST", "/webhooks/belvo", body, Authorization=proof),
        receiver.ask("GET", "/hooks/belvo"),
        receiver.ask("GET", "/health"),
        receiver.ask("GET", "/health", X_Long="x" * 5000),
    ]

    assert [200, 401, 415, 404, 405, 200, 400] == [answer.status for answer in answers]
    assert {None} == {answer.getheader("Server") for answer in answers[:-1]}
    assert 1 == asyncio.run(_parked(store))
    _, said = receiver.end(signal.SIGTERM)
    assert ["the delivery does not carry the configured Authorization value vendor=belvo"] == [
        line.partition("from the vendor: ")[2] for line in said.splitlines()
    ]


async def _parked(store: str) -> int:
    session = Session.from_env(SECRETS | NOWHERE, store=store)
    async with open_store(store) as opened:
        return len(await opened.parked(session.vendors["belvo"].account))


DEAF = """
import asyncio, sys
asyncio.SelectorEventLoop.add_signal_handler = asyncio.AbstractEventLoop.add_signal_handler
from belvo_async._cli import main
sys.exit(main())
"""


@pytest.mark.proof
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)], ids=lambda each: str(each))
def test_a_signal_ends_it_where_loops_handle_none(store: str, number: signal.Signals, code: int) -> None:
    """As on Windows."""
    running = Receiver(store, "--no-poll", program=("-c", DEAF))

    assert 200 == running.ask("GET", "/health").status
    assert (code, "") == running.end(number)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)], ids=lambda each: str(each))
def test_a_signal_ends_it_cleanly(receiver: Receiver, number: signal.Signals, code: int) -> None:
    """An idle connection delays nothing; the output says where it listened, and no secret."""
    idle = http.client.HTTPConnection("127.0.0.1", receiver.port, timeout=10)
    idle.request("GET", "/health")
    idle.getresponse().read()
    with socket.create_connection(("127.0.0.1", receiver.port)) as strange:
        strange.sendall(b"\x16\x03\x01 not HTTP\r\n\r\n")
        strange.recv(100)

        left, rest = receiver.end(number)

    idle.close()
    assert code == left
    assert "" == rest
    assert re.fullmatch(r"receiving webhooks on http://127\.0\.0\.1:\d+", receiver.lines[0])
    assert ["  POST /hooks/belvo", "  POST /hooks/syntage", "  GET /health"] == receiver.lines[1:4]
    assert not any(secret in "\n".join(receiver.lines) for secret in SECRETS.values())


@pytest.mark.proof
def test_more_connections_than_it_may_open_are_told_in_a_line(store: str) -> None:
    """They wait; once others are gone, deliveries are taken as ever."""
    running = Receiver(store, "--prefix", "/hooks/", "--no-poll", descriptors=64)
    try:
        with ExitStack() as stack:
            for _ in range(100):
                stack.enter_context(socket.create_connection(("127.0.0.1", running.port)))
            assert running.process.stderr is not None
            first = running.process.stderr.readline()

        body, proof = json.dumps(DELIVERY).encode(), SECRETS["BELVO_WEBHOOK_AUTH"]
        answer = running.ask("POST", "/hooks/belvo", body, Authorization=proof)
        _, rest = running.end(signal.SIGTERM)
    finally:
        running.process.kill()
        running.process.communicate()

    assert 200 == answer.status
    assert "new connections wait: this process has no file descriptors left" in first
    assert "Traceback" not in rest
    assert len(rest.splitlines()) <= 1


def refuse(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *argv: str, **environ: str) -> str:
    """Run the command where it must not start; the one sentence it says."""
    for name in SECRETS:
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    assert 1 == main(["serve", *argv])

    said = capsys.readouterr()
    assert ("", 1) == (said.out, said.err.count("\n"))
    assert not any(value in said.err for value in SECRETS.values())
    return said.err


@pytest.mark.parametrize(
    ("argv", "missing", "words"),
    [
        pytest.param([], (), "which store?", id="no store"),
        pytest.param(["--store", "memory:"], (), "no other process could read", id="memory"),
        pytest.param(["--store", "papyrus:x"], (), "none of the known forms", id="unknown store"),
        pytest.param(["--store", "sqlite:/nowhere/jobs.db"], (), "/nowhere/jobs.db", id="unusable store"),
        pytest.param(["--store", "sqlite:x"], tuple(SECRETS), "no vendor is configured", id="no vendor"),
        pytest.param(["--store", "sqlite:x"], ("BELVO_WEBHOOK_AUTH",), "set BELVO_WEBHOOK_AUTH", id="Belvo unproven"),
        pytest.param(
            ["--store", "sqlite:x"], ("SYNTAGE_WEBHOOK_SECRET",), "set SYNTAGE_WEBHOOK_SECRET", id="Syntage unproven"
        ),
    ],
)
def test_what_keeps_it_from_serving_is_one_sentence(
    argv: list[str],
    missing: tuple[str, ...],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit code 1, nothing is opened, no secret is repeated."""
    environ = {name: value for name, value in SECRETS.items() if name not in missing}

    assert words in refuse(monkeypatch, capsys, *argv, **environ)

    assert not Path("x").exists()


def test_a_wrong_address_of_a_vendor_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Credentials go to no address that is not safe."""
    said = refuse(monkeypatch, capsys, "--store", "sqlite:x", **SECRETS, BELVO_BASE_URL="http://relay.example.com")

    assert "BELVO_BASE_URL must be https" in said


@pytest.mark.parametrize("prefix", ["webhooks", "/a b", "/{x}"])
def test_a_wrong_prefix_is_a_wrong_argument(prefix: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["serve", "--store", "sqlite:x", "--prefix", prefix])

    assert 2 == left.value.code
    assert "must be a path like /webhooks" in capsys.readouterr().err


async def test_health_is_the_stores(world: World) -> None:
    """503 while the store does not answer, 200 again when it does; neither says more."""
    store = TroubledStore()
    session = await world.open(store=store, webhooks=False)
    url = await world.serve(make_app(session, "/webhooks"))

    async with aiohttp.ClientSession(url) as client:
        answers: list[tuple[int, bytes]] = []
        for store.is_down in (False, True, False):
            answer = await client.get("/health")
            answers.append((answer.status, await answer.read()))

    assert [(200, b""), (503, b""), (200, b"")] == answers


@pytest.mark.parametrize("mode", ["warn", "refuse"])
async def test_webhooks_that_are_wrong_are_told_before_it_serves(world: World, store: str, mode: str) -> None:
    """One sentence without a secret: a warning, or it does not start."""
    world.syntage.webhook_url = "http://127.0.0.1:9/webhooks/syntage"
    given = variables_of(world.syntage) | {"SYNTAGE_WEBHOOK_SECRET": SECRETS["SYNTAGE_WEBHOOK_SECRET"]}
    command = [sys.executable, "-m", "belvo_async", "serve", "--store", store, "--port", "0", "--no-poll"]

    started = await asyncio.create_subprocess_exec(
        *(*command, "--check-webhooks", mode),
        env={**os.environ, **given},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert started.stdout is not None
    first = await started.stdout.readline()
    if first:
        started.terminate()
    _, err = await started.communicate()

    said = err.decode().splitlines()
    is_refused = mode == "refuse"
    assert (is_refused, not is_refused, 1) == (bool(started.returncode), b"receiving webhooks on" in first, len(said))
    assert (
        "not set up as they should be: no endpoint is signed by a secret that SYNTAGE_WEBHOOK_SECRET holds" in said[0]
    )
    assert not any(secret in said[0] for secret in given.values() if not secret.startswith("http"))
