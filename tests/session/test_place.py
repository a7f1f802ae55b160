"""An open session belongs to one process and one event loop; one that is not open yet may go anywhere."""

from __future__ import annotations

import asyncio
import http.server
import json
import os
import threading
import uuid
import warnings
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest

from belvo_async import JobHandle, Polling, Session, SessionClosedError, Syntage, belvo, syntage
from tests.session.world import World
from tests.virtual_time import VirtualTimeLoop

Redirects = Callable[[Coroutine[Any, Any, Any]], Any]


def in_a_thread(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine on a loop of another thread; what it gives."""
    given: list[Any] = []
    thread = threading.Thread(target=lambda: given.append(asyncio.run(work)), daemon=True)
    thread.start()
    thread.join(10)
    assert given, "it hangs"
    return given[0]


def in_a_child(work: Coroutine[Any, Any, Any], run: Callable[[Any], Any] = asyncio.run) -> Any:
    """Run a coroutine in a forked child; what it gives, by way of JSON."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # Newer Pythons warn of forks beside threads: they are what this is about.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            os.write(writing, json.dumps(run(work)).encode())
        finally:
            os._exit(0)
    work.close()
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return json.loads(said)


@pytest.fixture(params=[in_a_thread, in_a_child])
def elsewhere(request: pytest.FixtureRequest) -> Redirects:
    """Another thread with a loop of its own, and a forked child."""
    chosen: Redirects = request.param
    return chosen


async def first(items: AsyncIterator[Any]) -> None:
    async for _ in items:
        return


def uses(world: World, session: Session, job: JobHandle[Any]) -> dict[str, Callable[[], Coroutine[Any, Any, Any]]]:
    """Everything that may be asked of a session and its handles."""
    headers, body = world.belvo_delivery("1" * 32)
    records = session.list(belvo.InvoiceList(link=world.belvo.links[0]))
    file = session.download(syntage.FileDownload(str(uuid.uuid4())))
    return {
        "fire": lambda: session.fire(world.invoices(1)),
        "adopt": lambda: session.adopt("belvo", "1" * 32, world.invoices(1)),
        "attach": lambda: session.attach(job.id),
        "open_jobs": lambda: first(session.open_jobs()),
        "forget": lambda: session.forget(job.id),
        "run": lambda: first(session.run([world.invoices(1)])),
        "call": lambda: session.call(syntage.DeleteCredential(str(uuid.uuid4()))),
        "receive": lambda: session.receive("belvo", headers, body),
        "close": session.close,
        "list": lambda: first(aiter(records)),
        "download": lambda: file.read(),
        "await": job.wait,
        "updates": lambda: first(job.updates()),
        "refresh": job.refresh,
        "stop": job.stop,
        "resubmit": job.resubmit,
        "results": lambda: first(aiter(job.results())),
    }


async def told(calls: dict[str, Callable[[], Coroutine[Any, Any, Any]]]) -> dict[str, str]:
    """What each call raises, at once."""
    said = dict.fromkeys(calls, "nothing was raised")
    for name, call in calls.items():
        try:
            async with asyncio.timeout(5):
                await call()
        except Exception as error:
            said[name] = f"{type(error).__name__}: {error}"
    return said


async def test_an_open_session_is_used_where_it_was_opened(world: World, elsewhere: Redirects) -> None:
    """In another thread or a forked child, every call says so at once, and harms nothing."""
    session = await world.open(webhooks=False, sweep=False)
    job = await session.fire(world.invoices())
    sent = len(world.sent())
    reason = "before a fork" if elsewhere is in_a_child else "belongs to another event loop"

    said = elsewhere(told(uses(world, session, job)))

    assert {} == {name: text for name, text in said.items() if not ("SessionClosedError" in text and reason in text)}
    assert sent == len(world.sent())
    headers, body = world.belvo_delivery(job.job.remote_id or "")
    assert 200 == await session.receive("belvo", headers, body)
    assert job.id == (await job).id


async def test_a_child_that_goes_on_with_the_loop_is_told(world: World) -> None:
    """`os.fork` in the middle of a program leaves the child the same loop object; it is still the parent's session."""
    session = await world.open(webhooks=False, sweep=False)
    job = await session.fire(world.invoices())

    def run_on(work: Coroutine[Any, Any, Any]) -> Any:
        # As if the loop ran on in the child: only the process differs.
        asyncio._set_running_loop(loop)
        try:
            work.send(None)
        except StopIteration as end:
            return end.value
        return "it waits"

    loop = asyncio.get_running_loop()
    said = in_a_child(told_of_fire(session, world), run_on)

    assert "before a fork" in said
    assert job.id == (await session.attach(job.id)).id


async def told_of_fire(session: Session, world: World) -> str:
    try:
        await session.fire(world.invoices(1))
    except SessionClosedError as error:
        return str(error)
    return "nothing was raised"


async def test_a_reading_outside_of_any_loop_is_refused(world: World) -> None:
    """Plain functions of another thread have no loop at all."""
    session = await world.open(webhooks=False)

    # A fixture and its test on two loops are the usual way to get there: the setting is named.
    with pytest.raises(SessionClosedError, match=r"another event loop.*asyncio_default_fixture_loop_scope"):
        await asyncio.to_thread(lambda: session.list(belvo.InvoiceList(link=world.belvo.links[0])))


def test_a_session_whose_loop_has_ended_says_so_and_lets_its_store_go(tmp_path: Path) -> None:
    """It cannot be closed as it should; its thread and its file are not kept for that."""
    session = Session.from_env({"SYNTAGE_API_KEY": "invented-key"}, store=f"sqlite:{tmp_path}/jobs.db", sweep=False)
    loop = VirtualTimeLoop()
    loop.run_until_complete(session.open())
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(1))
    loop.close()

    with pytest.raises(SessionClosedError, match="another event loop"):
        asyncio.run(session.close())

    for thread in threading.enumerate():
        if thread.name == "belvo_async store":
            thread.join(5)
    assert "belvo_async store" not in {thread.name for thread in threading.enumerate()}


async def test_a_closed_session_is_closed_everywhere(world: World) -> None:
    """Closing twice is safe, wherever the second time is."""
    session = await world.open(webhooks=False)
    await session.close()

    assert in_a_thread(session.close()) is None


class Accepting(http.server.BaseHTTPRequestHandler):
    """Takes any extraction, and remembers what was asked for."""

    protocol_version = "HTTP/1.1"
    asked: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.asked.append(body["extractor"])
        said = {"id": str(uuid.uuid4()), "extractor": body["extractor"], "status": "pending"}
        self.send_response(202)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(said).encode())
        self.close_connection = True

    def log_message(self, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def preloaded(tmp_path: Path) -> Iterator[Session]:
    """A session that is not open yet, at a vendor that takes any extraction."""
    Accepting.asked.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Accepting) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        vendor = Syntage("invented-key", base_url=f"http://127.0.0.1:{server.server_port}")
        yield Session(vendor, store=f"sqlite:{tmp_path}/jobs.db", sweep=False)
        server.shutdown()


async def fired(session: Session, extractor: str) -> dict[str, Any]:
    """A job that a process of its own fires on it."""
    async with session:
        job = (await session.fire(syntage.Extraction(str(uuid.UUID(int=7)), extractor))).job
        assert job.schedule.next_poll is not None
        task = cast("syntage.Extraction", job.task)
        return {"id": job.id, "extractor": task.extractor, "next_poll": job.schedule.next_poll.timestamp()}


def test_a_session_made_before_a_fork_makes_jobs_of_its_own(preloaded: Session) -> None:
    """A preloaded application has one session for all its children: none is handed the job of another's taxpayer."""
    extractors = ["tax_status", "tax_compliance", "rug"]

    jobs = [in_a_child(fired(preloaded, each)) for each in extractors]

    assert extractors == [job["extractor"] for job in jobs] == Accepting.asked
    assert 3 == len({job["id"] for job in jobs})


def test_what_spreads_polls_is_not_copied_by_a_fork(preloaded: Session) -> None:
    """Else all children of a server would poll at the same instants: the points of one grid."""
    width = Polling().interval(0).total_seconds()

    jobs = [in_a_child(fired(preloaded, each)) for each in ("tax_status", "tax_compliance", "rug")]

    assert 3 == len({round(job["next_poll"] % width, 3) for job in jobs})
