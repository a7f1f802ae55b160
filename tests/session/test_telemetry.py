"""What a session tells OpenTelemetry: spans, links and counts, and nothing of a taxpayer."""

from __future__ import annotations

import importlib
import json
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import belvo_async
from belvo_async import ConfigurationError, Session, TransportError, belvo
from belvo_async.planning import Price, Prices
from belvo_async.telemetry import SILENT, Telemetry, TraceSpan
from tests.session.world import FIRST, LAST, World

pytest.importorskip("opentelemetry.sdk", reason="no SDK of OpenTelemetry: `pip install -e '.[dev]'` brings it")

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from belvo_async.integrations.otel import OpenTelemetry

PAGE = (Path(__file__).parents[2] / "docs" / "telemetry.md").read_text(encoding="utf-8")

STRANGE = "00000000-0000-4000-8000-00000000dead"


class Told:
    """A telemetry, and what it told."""

    def __init__(self, prices: Prices | None = None) -> None:
        self._spans = InMemorySpanExporter()
        self._metrics = InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        meters = MeterProvider([self._metrics])
        self.telemetry = OpenTelemetry(tracer_provider=self.tracers, meter_provider=meters, prices=prices)

    def spans(self, name: str = "") -> list[ReadableSpan]:
        return [each for each in self._spans.get_finished_spans() if each.name.startswith(name)]

    def points(self, name: str = "") -> list[tuple[str, dict[str, Any], Any]]:
        """Each series: its metric, its attributes, and its sum, or what was last."""
        found = self._metrics.get_metrics_data()
        return [
            (metric.name, dict(point.attributes), getattr(point, "sum", getattr(point, "value", None)))
            for resource in (found.resource_metrics if found else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            for point in metric.data.data_points
            if metric.name.startswith(name)
        ]


@pytest.fixture
def told() -> Told:
    return Told()


def facts(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


async def test_a_request_of_a_fire_is_told_as_the_conventions_want_it(world: World, told: Told) -> None:
    """A client span within that of the fire; the path is a template, and the host the origin's."""
    session = await world.open(telemetry=told.telemetry)

    job = await session.fire(world.invoices())

    (fire,) = told.spans("fire")
    (post,) = told.spans("POST")
    assert ("fire INVOICES", job.id, "pending") == (
        fire.name,
        facts(fire)["belvo_async.job.id"],
        facts(fire)["belvo_async.status"],
    )
    assert fire.context.span_id == post.parent.span_id
    assert "CLIENT" == post.kind.name
    assert {
        "http.request.method": "POST",
        "url.template": "/api/invoices/",
        "server.address": "127.0.0.1",
        "server.port": int(world.belvo.url.rpartition(":")[2]),
        "http.response.status_code": 202,
    } == facts(post)


async def test_a_webhook_is_linked_to_the_fire_of_its_job(world: World, told: Told, tmp_path: Path) -> None:
    """In whatever process either was: the job keeps the trace it was fired in."""
    sender = Told()
    firing = await world.open(telemetry=sender.telemetry, webhooks=False, store=f"sqlite:{tmp_path / 'jobs.db'}")
    receiving = await world.open(telemetry=told.telemetry, webhooks=False, store=f"sqlite:{tmp_path / 'jobs.db'}")
    job = await firing.fire(world.invoices())

    await receiving.receive("belvo", *world.belvo_delivery(job.job.remote_id or ""))

    (fire,) = sender.spans("fire")
    (webhook,) = told.spans("webhook")
    (link,) = webhook.links
    assert fire.context.span_id == link.context.span_id
    assert fire.context.trace_id == link.context.trace_id != webhook.context.trace_id
    assert {"belvo_async.job.id": job.id, "belvo_async.status": "finished"} == dict(link.attributes or {})
    assert 200 == facts(webhook)["http.response.status_code"]


async def test_a_poll_is_linked_to_the_fires_of_what_it_ended(world: World, told: Told) -> None:
    """One poll may tell of many jobs."""
    session = await world.open(telemetry=told.telemetry, webhooks=False)
    jobs = [await session.fire(world.extraction(entity)) for entity in (0, 1)]

    for job in jobs:
        await job

    fired = {each.context.span_id for each in told.spans("fire")}
    polls = told.spans("poll syntage")
    assert fired == {link.context.span_id for each in polls for link in each.links}
    assert all(facts(each)["belvo_async.jobs"] >= 1 for each in polls)


async def test_pages_are_told_with_their_rows(world: World, told: Told) -> None:
    """One span a page, also of who leaves early: that is no error."""
    session = await world.open(telemetry=told.telemetry)
    job = await session.fire(world.invoices())
    await job

    records = await job.results().to_list()
    async with aclosing(job.results().batches()) as batches:
        await anext(batches)

    *whole, left = told.spans("page belvo")
    assert len(records) == sum(facts(each)["belvo_async.rows"] for each in whole)
    assert "belvo_async.rows" not in facts(left)
    assert "UNSET" == left.status.status_code.name


async def test_what_happens_is_counted(world: World) -> None:
    """Verdicts, durations, deliveries, waits, and money by the price list."""
    told = Told(Prices(currency="MXN", of={"belvo": Price(Decimal("1.50"), Decimal("2.00"))}))
    session = await world.open(telemetry=told.telemetry)
    job = await session.fire(world.invoices())
    ended = await job
    await session.receive("belvo", *world.belvo_delivery("unknown" * 4))
    await session.receive("belvo", {}, b"{}")

    mine = {"belvo_async.vendor": "belvo", "belvo_async.resource": "INVOICES"}
    assert ended.settled_at is not None
    seconds = (ended.settled_at - ended.created_at).total_seconds()
    assert [(mine | {"belvo_async.way": "webhook", "belvo_async.status": "finished"}, seconds)] == [
        each[1:] for each in told.points("belvo_async.job.duration")
    ]
    assert [(mine, 1)] == [each[1:] for each in told.points("belvo_async.jobs.accepted")]
    assert {("low", 1.5), ("high", 2.0)} == {
        (each["belvo_async.bound"], value) for _, each, value in told.points("belvo_async.spent")
    }
    by_status = {
        each["http.response.status_code"]: value
        for name, each, value in told.points("belvo_async.deliveries")
        if name == "belvo_async.deliveries"
    }
    assert 1 == by_status[401]
    assert by_status[200] >= 2
    assert [({"belvo_async.vendor": "belvo"}, 1)] == [each[1:] for each in told.points("belvo_async.deliveries.parked")]
    assert ("advanced", "webhook") in {
        (each["belvo_async.verdict"], each["belvo_async.way"]) for _, each, _ in told.points("belvo_async.observations")
    }
    assert {"/api/invoices/"} <= {each["url.template"] for _, each, _ in told.points("belvo_async.request.wait")}
    assert {202} <= {each["http.response.status_code"] for _, each, _ in told.points("http.client.request.duration")}


async def test_open_jobs_are_told_every_half_minute(world: World, told: Told) -> None:
    """Those of the store, whoever fired them."""
    session = await world.open(telemetry=told.telemetry, webhooks=False)
    await session.fire(world.invoices())

    await world.until(lambda: ("belvo_async.jobs.open", {"belvo_async.vendor": "belvo"}, 1) in told.points())


async def test_a_failure_is_told_by_its_class_alone(world: World, told: Told) -> None:
    """What an exception says may hold anything; a request that had no answer says so, and each try is a span."""
    vendor = world.belvo_vendor(base_url="http://127.0.0.1:9")
    session = await world.open(vendor, telemetry=told.telemetry, webhooks=False)

    with pytest.raises(TransportError):
        await session.list(belvo.InvoiceList(link="a", date_from=FIRST, date_to=LAST)).to_list()

    gets = told.spans("GET")
    assert [None, *range(1, len(gets))] == [facts(each).get("http.request.resend_count") for each in gets]
    assert {"TransportError"} == {facts(each)["error.type"] for each in gets}
    assert {"ERROR"} == {each.status.status_code.name for each in (*gets, *told.spans("page"))}
    assert [] == [event for each in told.spans() for event in each.events]
    assert {None} == {each.status.description for each in told.spans()}


async def test_no_taxpayer_and_no_key_is_told(world: World, told: Told) -> None:
    """In no name, attribute, link or event of a whole story: fired, told, polled, read, downloaded, refused."""
    session = await world.open(telemetry=told.telemetry, store="memory:")
    jobs = [
        await session.fire(world.invoices(), tags={"team": "tag-of-mine"}),
        await session.fire(world.extraction()),
        await session.fire(world.extraction(1, extractor="tax_status")),
    ]
    for job in jobs:
        await job
        await job.results().to_list()
    await session.receive("belvo", *world.belvo_delivery(jobs[0].job.remote_id or ""))
    await session.receive("syntage", *world.syntage_delivery(STRANGE))

    everything = json.dumps([json.loads(each.to_json()) for each in told.spans()]) + json.dumps(told.points())

    ids = [each.job.remote_id for each in jobs] + [each.job.task.subject for each in jobs]
    secrets = [world.belvo.secret_id, world.belvo.secret_password, world.syntage.api_key, world.syntage.signing_secret]
    hidden = [*ids, *secrets, *(str(each).rpartition("/")[2] for each in ids), "tag-of-mine", STRANGE, "?"]
    assert len(told.spans()) > 20
    assert [] == [each for each in hidden if each and each in everything]


async def test_spans_are_within_those_of_the_program(world: World, told: Told) -> None:
    """And nothing of ours stays current when a call is over."""
    session = await world.open(telemetry=told.telemetry)
    from opentelemetry import trace

    with told.tracers.get_tracer("mine").start_as_current_span("nightly") as mine:
        await session.fire(world.invoices())

        assert trace.get_current_span() is mine

    (fire,) = told.spans("fire")
    assert mine.get_span_context().span_id == fire.parent.span_id


async def test_polls_begin_traces_of_their_own(world: World, told: Told) -> None:
    """None belongs to the fire that woke the poller, nor to the poll before: one trace would go on for months."""
    session = await world.open(telemetry=told.telemetry, webhooks=False)

    with told.tracers.get_tracer("mine").start_as_current_span("nightly"):
        await (await session.fire(world.extraction()))
        await (await session.fire(world.invoices()))

    polls = told.spans("poll")
    assert len(polls) > 3
    assert {None} == {each.parent for each in polls}


async def test_without_telemetry_nothing_is_kept_with_a_job(world: World) -> None:
    """And the tells are one object that does nothing."""
    session = await world.open()

    job = await session.fire(world.invoices())

    assert job.job.traceparent is None
    assert SILENT.fire(job.task) is SILENT.poll("belvo", 1) is SILENT.page("belvo", "GET /") is SILENT.webhook("belvo")


async def test_a_telemetry_of_your_own_is_told_too(world: World) -> None:
    """Whoever measures otherwise replaces what they want to be told."""
    seen: list[str] = []

    class Mine(Telemetry):
        def webhook(self, vendor: str) -> TraceSpan:
            seen.append(vendor)
            return super().webhook(vendor)

    session = await world.open(telemetry=Mine())
    await session.receive("belvo", {}, b"{}")

    assert ["belvo"] == seen


def _fails(*_: object) -> Any:
    raise ZeroDivisionError("the disk of the collector is full")


def faulty(*, spans: bool) -> Telemetry:
    """A telemetry that fails whatever it is told; with `spans`, these begin, and fail from then on."""
    tells: dict[str, Any] = {each: _fails for each in vars(TraceSpan) if each == "__exit__" or each[0] != "_"}
    span = type("FaultySpan", (TraceSpan,), tells)
    begins = ("fire", "request", "poll", "webhook", "page") if spans else ()
    places = [each for each in vars(Telemetry) if each[0] != "_" and each != "is_on"]
    told: dict[str, Any] = {each: (lambda *_: span()) if each in begins else _fails for each in places}
    telemetry: Telemetry = type("Faulty", (Telemetry,), {"is_on": True, **told})()
    return telemetry


@pytest.mark.parametrize("spans", [False, True], ids=["at once", "when spans end"])
async def test_a_telemetry_that_fails_costs_no_job(world: World, caplog: pytest.LogCaptureFixture, spans: bool) -> None:
    """Every job is fired once, ends and is read as without it; no connection is lost to it. It is told once."""
    session = await world.open(telemetry=faulty(spans=spans), connections=8)

    jobs = [await session.fire(world.invoices(type=each)) for each in ("INFLOW", "OUTFLOW")]
    jobs += [await session.fire(world.extraction(number)) for number in range(3)]
    for job in jobs:
        await job
        assert await job.results().to_list()

    assert 2 == len(world.sent("POST", "/api/invoices"))
    assert 3 == len(world.sent("POST", "/extractions"))
    (told_of,) = [each for each in caplog.records if each.name == "belvo_async.telemetry"]
    assert "ZeroDivisionError" in told_of.getMessage()
    assert "collector" not in caplog.text


@contextmanager
def without(module: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, module, None)
        patched.delitem(sys.modules, "belvo_async.integrations.otel")
        yield


def test_without_the_package_one_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the module is imported; nothing else needs it."""
    with without("opentelemetry", monkeypatch), pytest.raises(ConfigurationError, match=r"belvo-async\[otel\]"):
        importlib.import_module("belvo_async.integrations.otel")


def test_a_session_loads_nothing_of_opentelemetry() -> None:
    """Also where it is installed."""
    program = (
        "import sys; from belvo_async import Session; print(*[each for each in sys.modules if 'elemetry' in each])"
    )

    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert "belvo_async.telemetry" == told.stdout.strip()


async def test_logs_come_by_children_of_one_logger(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """So that each can be turned up or down by itself; every one of them stands on the page."""
    caplog.set_level(logging.DEBUG, "belvo_async")
    session = await world.open()
    await (await session.fire(world.invoices()))
    await session.receive("belvo", {}, b"{}")

    names = {each.name for each in caplog.records if each.name.startswith("belvo_async")}

    assert {"belvo_async.http", "belvo_async.jobs", "belvo_async.webhooks"} <= names
    assert set() == {each for each in names if f"`{each}`" not in PAGE}


def test_every_field_of_the_log_stands_on_the_page() -> None:
    """As far as the source names it where it is given to a line."""
    rooms = [Path(belvo_async.__file__).parent / each for each in ("_http", "_session", "_tracker", "stores", "web")]
    source = "\n".join(path.read_text(encoding="utf-8") for room in rooms for path in room.rglob("*.py"))
    given = re.findall(r"(?:extra=|\b(?:facts|fields) = )(\{[^}]*\})", source)
    fields = {each for text in given for each in re.findall(r'"(\w+)":', text)}

    assert {"job", "vendor", "request"} <= fields
    assert set() == {each for each in fields if f"`{each}`" not in PAGE.split("## Logs")[1]}


def test_unconfigured_logging_stays_quiet() -> None:
    """A library writes nothing to the screen by itself."""
    program = "import belvo_async, logging; logging.getLogger('belvo_async.jobs').warning('heard by nobody')"

    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert ("", "") == (told.stdout, told.stderr)


async def test_every_span_and_every_metric_stands_on_the_page(world: World) -> None:
    """With every attribute that it has."""
    told = Told(Prices(of={"belvo": Price(Decimal(1), Decimal(1))}))
    session: Session = await world.open(telemetry=told.telemetry)
    job = await session.fire(world.invoices())
    await job
    await job.results().to_list()

    named = {name for name, _, _ in told.points()}
    attributes = {key for _, each, _ in told.points() for key in each} | {key for s in told.spans() for key in facts(s)}

    assert set() == {each for each in named | attributes if f"`{each}`" not in PAGE}
    assert set() == {each.name.split()[0] for each in told.spans()} - {"fire", "webhook", "poll", "page", "GET", "POST"}
