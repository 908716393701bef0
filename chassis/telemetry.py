"""OpenTelemetry and Prometheus, wired once for HTTP in and out, SQL and NATS.

Without a collector nothing is recorded, yet the trace context still travels from a request to the events it caused
and to whoever hears them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, Decision, ParentBased, Sampler, SamplingResult
from opentelemetry.trace import Link, Span, SpanKind, TraceState
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import Attributes
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

from chassis import measures

if TYPE_CHECKING:
    import httpx
    from sqlalchemy.ext.asyncio import AsyncEngine
    from starlette.types import ASGIApp

UNTRACED = "healthz,readyz,metrics,//[^/]+/(d|o)/"
"""Probes, and addresses that are secrets themselves: those of debtors' pages and of pixels."""


def current_traceparent() -> str | None:
    """The W3C ``traceparent`` of the present span, to be stored beside the events it causes."""
    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent")


MOST_STORIES = 20
"""A batch that goes on with more traces than this shows in so many of them."""
SAMPLED = "-01"
"""How a ``traceparent`` ends whose trace is recorded (W3C Trace Context, 3.2.2.5)."""


@contextmanager
def taken_up(
    name: str, traceparents: Iterable[str | None], kind: SpanKind = SpanKind.CONSUMER, **attributes: str | int
) -> Iterator[Mapping[str, str]]:
    """One span in each recorded trace that began elsewhere, for work done for all of them together; what is done
    inside, SQL above all, shows in the first. Answers the spans' own ``traceparent`` by the one they go on from,
    for what is said inside."""
    own: dict[str, str] = {}
    stories = [one for one in dict.fromkeys(traceparents) if one is not None and one.endswith(SAMPLED)]
    if not stories:
        yield own
        return
    tracer, propagator = trace.get_tracer("relance"), TraceContextTextMapPropagator()
    with ExitStack() as spans:
        # the first is entered last, so that it is the present one
        for story in reversed(stories[:MOST_STORIES]):
            before = propagator.extract({"traceparent": story}, context=Context())
            spans.enter_context(tracer.start_as_current_span(name, before, kind, attributes))
            own[story] = current_traceparent() or story
        yield own


class OwnStory(Sampler):
    """Records every trace except those that a lone call begins: polls of a table or a stream, many a second."""

    def should_sample(  # noqa: PLR0913, PLR0917 - the signature is the library's
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        lone = kind is SpanKind.CLIENT
        return SamplingResult(Decision.DROP if lone else Decision.RECORD_AND_SAMPLE, attributes, trace_state)

    def get_description(self) -> str:
        return "OwnStory"


ADDRESSES = ("http.url", "http.target", "url.full", "url.path", "url.query")
"""Attributes of a request's span that hold its address, in either generation of names."""


def _without_address(span: Span, scope: Mapping[str, Any]) -> None:
    """A search may name a person, and so may a path: neither is recorded. ``RequestMetrics`` writes the route down
    once it is known."""
    for name in ADDRESSES:
        if name in (getattr(span, "attributes", None) or {}):
            span.set_attribute(name, "")


class ForkSafeProvider(TracerProvider):
    """A child between fork and exec keeps the resource of its parent: the library would start a thread there to
    detect another, and wait for it for ever.
    """

    def _handle_fork(self) -> None:
        self._tracers_lock = threading.Lock()


class Telemetry:
    """The tracer provider and the metrics registry of one process."""

    def __init__(self, service: str, otlp_endpoint: str | None) -> None:
        self.exports = otlp_endpoint is not None
        sampler = ParentBased(OwnStory()) if otlp_endpoint else ALWAYS_OFF
        self.tracer_provider = ForkSafeProvider(
            resource=Resource({SERVICE_NAME: f"relance-{service}"}), sampler=sampler
        )
        if otlp_endpoint:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - slow to import
                OTLPSpanExporter,
            )
            from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - with the exporter

            from chassis.discreet_spans import Discreet  # noqa: PLC0415 - with the exporter

            exporter = OTLPSpanExporter(endpoint=f"{otlp_endpoint.rstrip('/')}/v1/traces")
            self.tracer_provider.add_span_processor(BatchSpanProcessor(Discreet(exporter)))
        trace.set_tracer_provider(self.tracer_provider)
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        measures.register(self.registry)

    def trace_app(self, app: ASGIApp) -> ASGIApp:
        """The application with a span around every request except those of ``UNTRACED``."""
        from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware  # noqa: PLC0415 - only servers
        from opentelemetry.util.http import parse_excluded_urls  # noqa: PLC0415 - only servers

        traced: ASGIApp = OpenTelemetryMiddleware(
            app,
            excluded_urls=parse_excluded_urls(UNTRACED),
            tracer_provider=self.tracer_provider,
            exclude_spans=["receive", "send"],
            server_request_hook=_without_address,
        )
        return traced

    def trace_engine(self, engine: AsyncEngine) -> None:
        """Spans around SQL statements; their parameters are never recorded."""
        if not self.exports:
            return
        from opentelemetry.instrumentation.sqlalchemy.engine import EngineTracer  # noqa: PLC0415 - if exported
        from opentelemetry.metrics import NoOpMeterProvider  # noqa: PLC0415 - if exported

        # the tracer itself: the instrumentor around it knows no SQLAlchemy 2.1, and takes one engine only
        usage = NoOpMeterProvider().get_meter("relance").create_up_down_counter("connections")
        tracer = self.tracer_provider.get_tracer("relance.sql")
        EngineTracer(tracer, engine.sync_engine, usage)  # type: ignore[no-untyped-call]

    def trace_http(self, http: httpx.AsyncClient) -> None:
        """Spans around calls to neighbours, which receive the trace context."""
        from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor  # noqa: PLC0415 - with callers only

        HTTPXClientInstrumentor.instrument_client(http, tracer_provider=self.tracer_provider)

    def stop(self) -> None:
        """Sends what is left to the collector."""
        self.tracer_provider.shutdown()
