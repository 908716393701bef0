"""A collector of spans for one's own machine: OTLP over HTTP, kept in memory."""

from __future__ import annotations

import gzip
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Exported
from opentelemetry.proto.trace.v1.trace_pb2 import Status


@dataclass(frozen=True, slots=True)
class Span:
    """One piece of work. ``began``, ``ended``: nanoseconds of the epoch; ``parent`` is empty for the first."""

    trace: str
    span: str
    parent: str
    service: str
    name: str
    kind: str
    began: int
    ended: int
    failed: bool = False


class Collector:
    """Listens on this machine, at ``endpoint``, until ``close``."""

    def __init__(self) -> None:
        self._spans: list[Span] = []
        self._known = threading.Lock()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if self.headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                collector.take(body)
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nobody reads who exported when."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, name="collector", daemon=True)
        self._thread.start()

    @property
    def endpoint(self) -> str:
        """For ``RELANCE_OTLP_ENDPOINT``."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def take(self, body: bytes) -> None:
        """Keep what one export brings (OTLP, ``ExportTraceServiceRequest``)."""
        found = [
            _span(service, span)
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for service in [
                next(
                    (one.value.string_value for one in resource.resource.attributes if one.key == "service.name"),
                    "",
                )
            ]
            for scope in resource.scope_spans
            for span in scope.spans
        ]
        with self._known:
            self._spans += found

    def of_trace(self, trace: str) -> list[Span]:
        """What was exported of a trace until now, by its beginning."""
        with self._known:
            return sorted((span for span in self._spans if span.trace == trace), key=lambda span: span.began)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _span(service: str, span: Exported) -> Span:
    return Span(
        trace=span.trace_id.hex(),
        span=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        service=service.removeprefix("relance-"),
        name=span.name,
        kind=Exported.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
        began=span.start_time_unix_nano,
        ended=span.end_time_unix_nano,
        failed=span.status.code == Status.STATUS_CODE_ERROR,
    )
