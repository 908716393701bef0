"""A row of the log as a NATS message, and back: CloudEvents 1.0, binary mode.

Header names are always lower case, since NATS keeps their case and CloudEvents does not; values are
percent-encoded as the CloudEvents NATS binding says (3.1.3).
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote
from uuid import UUID

from chassis.delivered import Delivered

if TYPE_CHECKING:
    from nats.aio.msg import Msg

    from contracts.event import Event

PLAIN = "!#$&'()*+,-./:;<=>?@[\\]^_`{|}~"
"""Printable ASCII that stands for itself in a header value, besides letters and digits."""

Registry = Mapping[str, "type[Event]"]
"""Event class by CloudEvents type."""


def headers(event: Delivered) -> dict[str, str]:
    """The CloudEvents attributes, the extensions and the tracing headers of an event."""
    event_id = str(event.event_id)
    correlation_id = str(event.correlation_id)
    made = {
        "ce-specversion": "1.0",
        "ce-id": event_id,
        "ce-source": f"relance/{event.speaker}",
        "ce-type": f"relance.{event.speaker}.{event.type}.v{event.major}",
        "ce-time": event.occurred_at.isoformat().replace("+00:00", "Z"),
        "ce-company": event.company,
        "ce-partition": str(event.partition),
        "ce-partitionseq": str(event.number),
        "ce-asof": event.as_of.isoformat(),
        "ce-actor": quote(event.actor, safe=PLAIN),
        "ce-correlationid": correlation_id,
        "content-type": "application/json",
        "correlation_id": correlation_id,
    }
    if event.client_id is not None:
        made["ce-subject"] = quote(event.client_id, safe=PLAIN)
    if event.causation_id is not None:
        made["ce-causationid"] = str(event.causation_id)
    if event.traceparent is not None:
        made["traceparent"] = quote(event.traceparent, safe=PLAIN)
    return made


def publication(where: str, made: Mapping[str, str], body: bytes) -> bytes:
    """The command of the NATS protocol that publishes a message with these headers, which ``headers`` made clean:
    nats-py's own ``publish`` looks at every letter of every header once more."""
    block = "NATS/1.0\r\n" + "".join([f"{name}: {value}\r\n" for name, value in made.items()]) + "\r\n"
    return f"HPUB {where} {len(block)} {len(block) + len(body)}\r\n{block}".encode("ascii") + body + b"\r\n"


@dataclass(frozen=True, slots=True)
class Heard:
    """A message of an event stream: its place there, its number in its partition, and the event where anybody
    here cares for its type."""

    partition: int
    number: int
    event_id: str
    at: int
    event: Delivered | None

    @classmethod
    def of(cls, event: Delivered, at: int) -> Heard:
        """An event that stands at a stream sequence."""
        return cls(event.partition, event.number, str(event.event_id), at, event)


def heard(message: Msg, registry: Registry, names: Container[str]) -> Heard:
    """Read a message of an event stream; ``names`` says which event classes to unpack.

    Raises ``KeyError`` or ``ValueError`` on a message that no relay made.
    """
    attributes = message.headers or {}
    return Heard(
        partition=int(attributes["ce-partition"]),
        number=int(attributes["ce-partitionseq"]),
        event_id=attributes["ce-id"],
        at=sequence_of(message.reply),
        event=_event(message, attributes, registry) if message.subject.rsplit(".", 1)[-1] in names else None,
    )


def sequence_of(reply: str) -> int:
    """The stream sequence in a delivery's reply subject, which has three tokens more where JetStream domains are
    named (nats-server ADR-15)."""
    tokens = reply.split(".")
    return int(tokens[5] if len(tokens) == 9 else tokens[7])


def event_of(message: Msg, registry: Registry) -> Delivered:
    """The event that a message carries, whatever its type."""
    return _event(message, message.headers or {}, registry)


def _event(message: Msg, attributes: Mapping[str, str], registry: Registry) -> Delivered:
    ce_type = attributes["ce-type"]
    _, speaker, name, major = ce_type.split(".")
    subject = attributes.get("ce-subject")
    causation = attributes.get("ce-causationid")
    return Delivered(
        speaker=speaker,
        type=name,
        event_id=UUID(attributes["ce-id"]),
        company=attributes["ce-company"],
        client_id=unquote(subject) if subject is not None and "%" in subject else subject,
        partition=int(attributes["ce-partition"]),
        number=int(attributes["ce-partitionseq"]),
        as_of=date.fromisoformat(attributes["ce-asof"]),
        occurred_at=datetime.fromisoformat(attributes["ce-time"]),
        actor=unquote(attributes["ce-actor"]),
        correlation_id=UUID(attributes["ce-correlationid"]),
        body=message.data,
        causation_id=UUID(causation) if causation is not None else None,
        traceparent=attributes.get("traceparent"),
        major=int(major[1:]),
        model=registry.get(ce_type),
    )
