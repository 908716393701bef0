"""The base of every event and its CloudEvents 1.0 envelope.

An event is a fact in the business's words, frozen, typed and versioned. Within a major version fields are only
added, always with a default; readers ignore fields they do not know. Personal data (names, addresses, mail,
phones, free text) never enters an event.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

Amount = Annotated[
    Decimal,
    Field(max_digits=18, decimal_places=4),
    PlainSerializer(lambda amount: format(amount, "f"), return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^-?\d{1,18}(\.\d{1,4})?$"}, mode="serialization"),
]
"""Money: a decimal string in JSON ("1250.40"), always beside a currency, at most four decimals."""

Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
"""ISO 4217 code."""

Company = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,32}$")]
"""The slug that stands in every key, subject, token and table."""

ClientId = Annotated[str, Field(min_length=1, max_length=64)]
"""The client's code in accounting, verbatim."""

EntryId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
"""Stable identity of an accounting line: 32 hexadecimal digits."""


class Fact(BaseModel):
    """A frozen part of an event."""

    model_config = ConfigDict(frozen=True, extra="ignore")


WhyHeard = Literal["erasure", "hold", "periods", "contested", "stop", "merged"]
"""What would happen where such an event is never applied: a person's data would stay (``erasure``); proof that is
held, is to be kept longer or is contested would be erased (``hold``, ``periods``, ``contested``); somebody would
be chased in spite of a ``stop``; none of these would reach the code that the client became (``merged``)."""


class Event(Fact):
    """A fact that one service says and others may hear."""

    speaker: ClassVar[str]
    major: ClassVar[int] = 1
    must_be_heard: ClassVar[WhyHeard | None] = None
    """Nobody may decide that a service never applies it, and why; ``None`` where a person may. Said where the
    event is named: ``class LegalHoldPlaced(Event, must_be_heard="hold")``."""

    def __init_subclass__(cls, must_be_heard: WhyHeard | None = None, **more: Any) -> None:
        super().__init_subclass__(**more)
        if must_be_heard is not None:
            cls.must_be_heard = must_be_heard

    @classmethod
    def type_name(cls) -> str:
        """The CloudEvents type, e.g. ``relance.sync.EntriesSynced.v1``."""
        return f"relance.{cls.speaker}.{cls.__name__}.v{cls.major}"


class Envelope(Fact):
    """The CloudEvents attributes and the extensions that travel with every event.

    ``partitionseq`` is gapless inside (stream, partition): it alone tells duplicates and losses.
    ``asof`` is the business date of the fact; ``time`` is the instant it was recorded.
    """

    id: UUID
    source: str
    type: str
    time: datetime
    subject: str | None = None
    company: Company
    partition: int = Field(ge=0, lt=64)
    partitionseq: int = Field(ge=1)
    asof: date
    actor: str
    correlationid: UUID
    causationid: UUID | None = None
    traceparent: str | None = None
