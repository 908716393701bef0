"""What a failure quotes of a person does not leave with its span."""

import httpx
import pytest
from fastapi import FastAPI
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Status, StatusCode

from chassis.discreet_spans import Discreet
from chassis.telemetry import ForkSafeProvider, Telemetry
from chassis.transport import RequestMetrics

QUOTED = "Failing row contains (C1, marie.durand@example.com)"


def test_a_failed_span_names_the_type_of_its_exception_and_quotes_nothing() -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(Discreet(kept)))
    tracer = provider.get_tracer("relance")

    with pytest.raises(ValueError, match="Failing row"), tracer.start_as_current_span("sending carried out"):
        raise ValueError(QUOTED)
    with tracer.start_as_current_span("INSERT", attributes={"events": 3}) as statement:
        statement.set_status(Status(StatusCode.ERROR, QUOTED))

    failed, inserted = kept.get_finished_spans()
    (happened,) = failed.events
    assert dict(happened.attributes or {})["exception.type"] == "ValueError"
    assert failed.status.status_code is inserted.status.status_code is StatusCode.ERROR
    assert inserted.attributes == {"events": 3}
    assert inserted.context is not None
    assert b"marie.durand" not in encode_spans([failed, inserted]).SerializeToString()


async def test_the_span_of_a_request_names_its_route_and_nothing_of_its_address() -> None:
    """A path holds the codes of clients and companies, a query may hold a name that is searched for."""
    kept = InMemorySpanExporter()
    telemetry = Telemetry("x", None)
    telemetry.tracer_provider = ForkSafeProvider()
    telemetry.tracer_provider.add_span_processor(SimpleSpanProcessor(kept))
    app = FastAPI()

    @app.get("/companies/{company}/clients/{client_id}")
    async def client(client_id: str) -> str:
        return client_id

    app.add_middleware(RequestMetrics, registry=telemetry.registry)
    app.add_middleware(telemetry.trace_app)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://ledger") as http:
        assert (await http.get("/companies/acme/clients/MARTIN-JEAN?q=Durand")).status_code == 200
        assert (await http.get("/nowhere/MARTIN-JEAN?q=Durand")).status_code == 404
    found, missing = kept.get_finished_spans()
    assert found.name == "GET /companies/{company}/clients/{client_id}"
    assert dict(found.attributes or {})["http.route"] == "/companies/{company}/clients/{client_id}"
    for word in (b"MARTIN", b"acme", b"Durand"):
        assert word not in encode_spans([found, missing]).SerializeToString()
