"""What a failure quotes of a person does not leave with its span."""

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Status, StatusCode

from chassis.discreet_spans import Discreet

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
