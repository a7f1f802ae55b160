"""Spans and metrics by OpenTelemetry's API (extra `otel`): what receives them is your program's to set up."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import Token
from time import perf_counter
from typing import Final, Self
from urllib.parse import urlsplit

from ..errors import ConfigurationError
from ..jobs import Job, Observation, Status, Task, Verdict, Way
from ..planning import Prices
from ..telemetry import Telemetry, TraceSpan

try:
    from opentelemetry import context, metrics, trace
    from opentelemetry.context import Context
except ImportError as error:
    raise ConfigurationError("telemetry needs `pip install 'belvo-async[otel]'`") from error

Attributes = dict[str, str | int | float | bool]

_NAME: Final = "belvo_async"
# Of the stable conventions for HTTP (https://opentelemetry.io/docs/specs/semconv/http/http-metrics/).
_HTTP_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
# Jobs take minutes or hours.
_JOB_SECONDS: Final = (10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 21600, 43200, 86400)
_UNSENT: Final = (Status.SUBMITTING, Status.UNCERTAIN)


class OpenTelemetry(Telemetry):
    """Tells a session's spans and metrics to OpenTelemetry: `Session(..., telemetry=OpenTelemetry())`.

    By default to the providers that the program has set (`opentelemetry.trace.set_tracer_provider`, or those of
    `opentelemetry-instrument`); without any, to nobody. `prices` makes money of what vendors took: without it, requests
    are counted and not priced. Attributes hold no subject, remote id, tag, address or key; see docs/telemetry.md.
    """

    is_on = True

    def __init__(
        self,
        *,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
        prices: Prices | None = None,
    ) -> None:
        self._tracer = trace.get_tracer(_NAME, tracer_provider=tracer_provider)
        self._prices = prices or Prices()
        meter = metrics.get_meter(_NAME, meter_provider=meter_provider)
        self._http_duration = meter.create_histogram(
            "http.client.request.duration",
            unit="s",
            description="How long answers took to begin.",
            explicit_bucket_boundaries_advisory=_HTTP_SECONDS,
        )
        self._waits = meter.create_histogram(
            "belvo_async.request.wait",
            unit="s",
            description="How long requests waited for their turn: a connection, a budget, a rate window.",
            explicit_bucket_boundaries_advisory=_HTTP_SECONDS,
        )
        self._job_duration = meter.create_histogram(
            "belvo_async.job.duration",
            unit="s",
            description="From the firing of jobs until their ends were known.",
            explicit_bucket_boundaries_advisory=_JOB_SECONDS,
        )
        self._open = meter.create_gauge("belvo_async.jobs.open", unit="{job}", description="Open jobs of the store.")
        self._accepted = meter.create_counter(
            "belvo_async.jobs.accepted", unit="{job}", description="Jobs that a vendor took, and may bill."
        )
        self._spent = meter.create_counter(
            "belvo_async.spent", unit="{currency}", description="What accepted jobs cost, by the price list."
        )
        self._verdicts = meter.create_counter(
            "belvo_async.observations", unit="{observation}", description="What was made of what vendors said."
        )
        self._deliveries = meter.create_counter(
            "belvo_async.deliveries", unit="{delivery}", description="Webhooks, by how they were answered."
        )
        self._parked = meter.create_counter(
            "belvo_async.deliveries.parked", unit="{delivery}", description="Deliveries about jobs not known yet."
        )

    def fire(self, task: Task[object]) -> TraceSpan:
        """See `Telemetry.fire`."""
        facts: Attributes = {"belvo_async.vendor": task.vendor, "belvo_async.resource": task.resource}
        return self._begin(f"fire {task.resource}", facts)

    def request(self, origin: str, name: str, attempt: int) -> TraceSpan:
        """See `Telemetry.request`."""
        method, _, template = name.partition(" ")
        facts: Attributes = {"http.request.method": method, **_server(origin)}
        more: Attributes = {"url.template": template}
        if attempt > 1:
            more["http.request.resend_count"] = attempt - 1
        span = self._tracer.start_span(name, kind=trace.SpanKind.CLIENT, attributes={**facts, **more})
        return _RequestSpan(span, self._http_duration, {**facts, "url.template": template})

    def poll(self, vendor: str, jobs: int) -> TraceSpan:
        """See `Telemetry.poll`."""
        return self._begin(f"poll {vendor}", {"belvo_async.vendor": vendor, "belvo_async.jobs": jobs})

    def webhook(self, vendor: str) -> TraceSpan:
        """See `Telemetry.webhook`."""
        facts: Attributes = {"belvo_async.vendor": vendor}
        span = self._tracer.start_span(f"webhook {vendor}", kind=trace.SpanKind.CONSUMER, attributes=facts)
        return _WebhookSpan(span, self._deliveries, facts)

    def page(self, vendor: str, name: str) -> TraceSpan:
        """See `Telemetry.page`."""
        facts: Attributes = {"belvo_async.vendor": vendor, "url.template": name.partition(" ")[2]}
        return _OpenSpan(self._tracer.start_span(f"page {vendor}", attributes=facts), is_current=False)

    def traceparent(self) -> str | None:
        """See `Telemetry.traceparent`."""
        now = trace.get_current_span().get_span_context()
        return f"00-{now.trace_id:032x}-{now.span_id:016x}-{now.trace_flags:02x}" if now.is_valid else None

    def wait(self, origin: str, name: str, seconds: float) -> None:
        """See `Telemetry.wait`."""
        self._waits.record(seconds, {**_server(origin), "url.template": name.partition(" ")[2]})

    def observe(self, before: Job, job: Job, seen: Observation, verdict: Verdict) -> None:
        """See `Telemetry.observe`."""
        vendor: Attributes = {"belvo_async.vendor": job.vendor}
        self._verdicts.add(1, {**vendor, "belvo_async.way": str(seen.way), "belvo_async.verdict": str(verdict)})
        facts: Attributes = {**vendor, "belvo_async.resource": job.task.resource}
        if before.status in _UNSENT and job.status not in (*_UNSENT, Status.REJECTED):
            self._accepted.add(1, facts)
            self._count_money(job, facts)
        if job.settled_at is not None and before.settled_at is None:
            way = "" if job.settled_by is None else str(job.settled_by)
            ended: Attributes = {**facts, "belvo_async.way": way, "belvo_async.status": job.state}
            self._job_duration.record((job.settled_at - job.created_at).total_seconds(), ended)
        _link(job, seen, verdict)

    def park(self, vendor: str) -> None:
        """See `Telemetry.park`."""
        self._parked.add(1, {"belvo_async.vendor": vendor})

    def count_open(self, vendor: str, jobs: int) -> None:
        """See `Telemetry.count_open`."""
        self._open.set(jobs, {"belvo_async.vendor": vendor})

    def _count_money(self, job: Job, facts: Attributes) -> None:
        price = self._prices.price(job.vendor, job.task.resource)
        if price is not None:
            currency: Attributes = {**facts, "belvo_async.currency": self._prices.currency}
            self._spent.add(float(price.low), {**currency, "belvo_async.bound": "low"})
            self._spent.add(float(price.high), {**currency, "belvo_async.bound": "high"})

    def _begin(self, name: str, facts: Attributes) -> _OpenSpan:
        return _OpenSpan(self._tracer.start_span(name, attributes=facts))


class _OpenSpan(TraceSpan):
    """A span that is the current one while it is open, unless others go on between its beginning and its end."""

    __slots__ = ("_is_current", "_token", "span")

    def __init__(self, span: trace.Span, *, is_current: bool = True) -> None:
        self.span = span
        self._is_current = is_current
        self._token: Token[Context] | None = None

    def __enter__(self) -> Self:
        if self._is_current:
            self._token = context.attach(trace.set_span_in_context(self.span))
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._token is not None:
            context.detach(self._token)
        kind = exc_info[0]
        # Its class alone: what it says may hold anything. Who leaves early, or is cancelled, makes no error.
        if isinstance(kind, type) and issubclass(kind, Exception):
            self.fail(kind.__name__)
        self.span.end()

    def answer(self, status: int) -> None:
        self.span.set_attribute("http.response.status_code", status)
        if status >= 400:
            self.fail(str(status))

    def fail(self, kind: str) -> None:
        self.span.set_attribute("error.type", kind)
        self.span.set_status(trace.StatusCode.ERROR)

    def become(self, job: Job) -> None:
        self.span.set_attribute("belvo_async.job.id", job.id)
        self.span.set_attribute("belvo_async.status", job.state)

    def count(self, rows: int) -> None:
        self.span.set_attribute("belvo_async.rows", rows)


class _RequestSpan(_OpenSpan):
    """A span of one request, which is measured too."""

    __slots__ = ("_began", "_duration", "_facts")

    def __init__(self, span: trace.Span, duration: metrics.Histogram, facts: Attributes) -> None:
        super().__init__(span)
        self._duration = duration
        self._facts = facts
        self._began = perf_counter()

    def __exit__(self, *exc_info: object) -> None:
        super().__exit__(*exc_info)
        self._duration.record(perf_counter() - self._began, self._facts)

    def answer(self, status: int) -> None:
        super().answer(status)
        self._facts["http.response.status_code"] = status

    def fail(self, kind: str) -> None:
        super().fail(kind)
        self._facts["error.type"] = kind


class _WebhookSpan(_OpenSpan):
    """A span of one delivery, which is counted too."""

    __slots__ = ("_deliveries", "_facts")

    def __init__(self, span: trace.Span, deliveries: metrics.Counter, facts: Attributes) -> None:
        super().__init__(span)
        self._deliveries = deliveries
        self._facts = facts

    def answer(self, status: int) -> None:
        # What is refused is the sender's fault, not ours.
        self.span.set_attribute("http.response.status_code", status)
        if status >= 500:
            self.fail(str(status))
        self._deliveries.add(1, {**self._facts, "http.response.status_code": status})


def _link(job: Job, seen: Observation, verdict: Verdict) -> None:
    """Link the webhook or poll that is under way to the firing of the job it told of, in whatever process that was."""
    if seen.way not in (Way.WEBHOOK, Way.POLL) or verdict is not Verdict.ADVANCED:
        return
    fired, span = _read_traceparent(job.traceparent), trace.get_current_span()
    # Early deliveries are applied while the job is fired: that need not be linked to itself.
    if fired is not None and fired.span_id != span.get_span_context().span_id:
        span.add_link(fired, {"belvo_async.job.id": job.id, "belvo_async.status": job.state})


def _read_traceparent(text: str | None) -> trace.SpanContext | None:
    parts = (text or "").split("-")
    if len(parts) != 4:
        return None
    try:
        ids = int(parts[1], 16), int(parts[2], 16)
        return trace.SpanContext(*ids, is_remote=True, trace_flags=trace.TraceFlags(int(parts[3], 16)))
    except ValueError:
        return None


def _server(origin: str) -> Attributes:
    """The host that requests go to, as the conventions want it."""
    if origin not in _SERVERS:
        parts = urlsplit(origin)
        port = parts.port or {"https": 443}.get(parts.scheme, 80)
        _SERVERS[origin] = {"server.address": parts.hostname or "", "server.port": port}
    return dict(_SERVERS[origin])


_SERVERS: Final[dict[str, Mapping[str, str | int]]] = {}
