"""Events as they are said, numbered and heard."""

import builtins
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Self
from uuid import UUID, uuid4

from chassis import clock
from contracts.event import Event
from contracts.subjects import partition_of


@dataclass(frozen=True, slots=True)
class Cause:
    """Who caused what is about to be said, and in which conversation."""

    actor: str
    correlation_id: UUID
    causation_id: UUID | None = None
    traceparent: str | None = None

    @classmethod
    def new(cls, actor: str, traceparent: str | None = None) -> Self:
        """The beginning of a conversation."""
        return cls(actor, uuid4(), None, traceparent)


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Where an event stands: number ``number`` of a speaker's partition. Spelled ``ledger/7/42``."""

    speaker: str
    partition: int
    number: int

    def __str__(self) -> str:
        return f"{self.speaker}/{self.partition}/{self.number}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ``ValueError`` when the text is no position."""
        speaker, partition, number = text.strip().split("/")
        return cls(speaker, int(partition), int(number))


@dataclass(frozen=True, slots=True)
class Said:
    """An event to append. ``client_id`` is None for events about the company, and for bulk events, which name
    their ``partition`` since they hold many clients of it.

    ``body`` is the event's JSON where it was made without its model, as bulk events are; ``event`` then only says
    of which type it is. Whoever gives one answers for its fitting the model. ``cause`` is the event's own, where
    those said together have different ones.
    """

    event: Event
    client_id: str | None = None
    partition: int | None = None
    body: bytes | None = None
    cause: Cause | None = None

    def partition_in(self, company: str) -> int:
        """The partition where it goes."""
        return partition_of(company, self.client_id) if self.partition is None else self.partition


@dataclass(frozen=True, slots=True)
class Delivered:
    """One event as heard: from a stream, or just said. ``type`` is the name of the event's class; ``body`` its
    JSON, to be handed to PostgreSQL as it is."""

    speaker: str
    type: str
    event_id: UUID
    company: str
    client_id: str | None
    partition: int
    number: int
    as_of: date
    occurred_at: datetime
    actor: str
    correlation_id: UUID
    body: bytes
    causation_id: UUID | None = None
    traceparent: str | None = None
    major: int = 1
    model: builtins.type[Event] | None = field(default=None, repr=False, compare=False)
    parsed: Event | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of(  # noqa: PLR0913 an event has this many attributes
        cls,
        event: Event,
        *,
        company: str,
        client_id: str | None,
        as_of: date,
        number: int = 1,
        partition: int | None = None,
        event_id: UUID | None = None,
        occurred_at: datetime | None = None,
        cause: Cause | None = None,
        body: bytes | None = None,
    ) -> Self:
        """An event as its hearers would get it."""
        cause = cause or Cause.new("system")
        return cls(
            speaker=event.speaker,
            type=type(event).__name__,
            event_id=event_id or uuid4(),
            company=company,
            client_id=client_id,
            partition=partition_of(company, client_id) if partition is None else partition,
            number=number,
            as_of=as_of,
            occurred_at=occurred_at or clock.now(),
            actor=cause.actor,
            correlation_id=cause.correlation_id,
            body=event.__pydantic_serializer__.to_json(event) if body is None else body,
            causation_id=cause.causation_id,
            traceparent=cause.traceparent,
            major=event.major,
            model=type(event),
            parsed=event if body is None else None,
        )

    def parse(self) -> Event:
        """The typed event. Meant for small events: bulk bodies go to PostgreSQL unread.

        Raises ``UnknownEvent`` when the service was not wired with this type, pydantic's ``ValidationError``
        when the body does not fit it.
        """
        if self.parsed is None:
            if self.model is None:
                raise UnknownEvent(self.speaker, self.type, self.major)
            object.__setattr__(self, "parsed", self.model.model_validate_json(self.body))
            assert self.parsed is not None
        return self.parsed

    def cause(self, actor: str | None = None) -> Cause:
        """The cause for what follows from this event; by default its actor is the cause's too."""
        return Cause(actor or self.actor, self.correlation_id, self.event_id, self.traceparent)

    @property
    def position(self) -> Position:
        return Position(self.speaker, self.partition, self.number)


class UnknownEvent(Exception):
    """No model is registered for an event type."""

    def __init__(self, speaker: str, name: str, major: int) -> None:
        super().__init__(f"relance.{speaker}.{name}.v{major}")


def in_runs(delivered: Iterable[Delivered]) -> list[list[Delivered]]:
    """Group events into runs of one type, to be handled in one call each.

    The order inside a partition is kept; partitions are independent of one another, so runs reach across them
    and are as long as possible.
    """
    queues: dict[tuple[str, int], deque[Delivered]] = {}
    for event in delivered:
        queues.setdefault((event.speaker, event.partition), deque()).append(event)
    waiting = list(queues.values())
    runs: list[list[Delivered]] = []
    while waiting:
        name = waiting[0][0].type
        run: list[Delivered] = []
        for queue in waiting:
            while queue and queue[0].type == name:
                run.append(queue.popleft())
        runs.append(run)
        waiting = [queue for queue in waiting if queue]
    return runs


def vector(positions: Sequence[Position]) -> dict[str, dict[int, int]]:
    """The least that must have been heard to know all of them: ``{speaker: {partition: number}}``."""
    heard: dict[str, dict[int, int]] = {}
    for position in positions:
        numbers = heard.setdefault(position.speaker, {})
        numbers[position.partition] = max(position.number, numbers.get(position.partition, 0))
    return heard
