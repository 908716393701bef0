"""What alpha and beta say, remember and do."""

from typing import ClassVar
from uuid import NAMESPACE_OID, uuid5

from sqlalchemy import BigInteger, Column, Integer, MetaData, PrimaryKeyConstraint, SmallInteger, Table, Text, text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.delivered import Delivered, Said
from chassis.eventlog import Say
from chassis.jobs import NewJob, enqueue
from chassis.listening import Listening
from contracts.event import Event, Fact


class Counted(Event):
    """An amount of one client."""

    speaker: ClassVar[str] = "alpha"
    amount: int


class Line(Fact):
    client_id: str
    amount: int


class Loaded(Event):
    """Amounts of many clients of one partition."""

    speaker: ClassVar[str] = "alpha"
    lines: tuple[Line, ...]


class Milestone(Event):
    """A client passed an amount that asks for a word."""

    speaker: ClassVar[str] = "beta"
    amount: int


class Forgotten(Event, must_be_heard="erasure"):
    """Nothing of the client is to be kept."""

    speaker: ClassVar[str] = "alpha"


REGISTRY = {event.type_name(): event for event in (Counted, Loaded, Milestone, Forgotten)}

metadata = MetaData()

# md5 over everything heard: any event lost, doubled or out of order shows
tally = Table(
    "tally",
    metadata,
    Column("company", Text),
    Column("client_id", Text),
    Column("p", SmallInteger, nullable=False),
    Column("events", Integer, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("chain", Text, nullable=False),
    PrimaryKeyConstraint("company", "client_id"),
)

milestone = Table(
    "milestone",
    metadata,
    Column("company", Text),
    Column("client_id", Text),
    Column("p", SmallInteger, nullable=False),
    Column("times", Integer, nullable=False),
    PrimaryKeyConstraint("company", "client_id"),
)

HEAR = text(
    "insert into tally as t (company, client_id, p, events, amount, chain)"
    " values (:company, :client_id, :p, 1, :amount, md5(:link))"
    " on conflict (company, client_id) do update set events = t.events + 1, amount = t.amount + excluded.amount,"
    " chain = md5(t.chain || :link)"
)

POISON = 666
"""An amount that no projection can take in."""


async def hear(  # noqa: PLR0917
    tx: AsyncConnection, company: str, client_id: str, p: int, amount: int, link: str
) -> None:
    if amount == POISON:
        await tx.execute(text("select 1 / 0"))
    await tx.execute(HEAR, {"company": company, "client_id": client_id, "p": p, "amount": amount, "link": link})


async def counted(tx: AsyncConnection, events: list[Delivered]) -> None:
    for event in events:
        fact = event.parse()
        assert isinstance(fact, Counted)
        assert event.client_id is not None
        await hear(tx, event.company, event.client_id, event.partition, fact.amount, event.event_id.hex)


async def loaded(tx: AsyncConnection, events: list[Delivered]) -> None:
    for event in events:
        fact = event.parse()
        assert isinstance(fact, Loaded)
        for line in fact.lines:
            await hear(tx, event.company, line.client_id, event.partition, line.amount, event.event_id.hex)


async def forgotten(tx: AsyncConnection, events: list[Delivered]) -> None:
    for _ in events:
        await tx.execute(text("select 1 / 0"))


async def milestone_passed(tx: AsyncConnection, events: list[Delivered]) -> None:
    for event in events:
        await tx.execute(
            text(
                "insert into milestone as m values (:company, :client_id, :p, 1)"
                " on conflict (company, client_id) do update set times = m.times + 1"
            ),
            {"company": event.company, "client_id": event.client_id, "p": event.partition},
        )


async def say_milestone(say: Say, events: list[Delivered]) -> None:
    for event in events:
        fact = event.parse()
        assert isinstance(fact, Counted)
        if fact.amount % 10 == 0:
            said = [Said(Milestone(amount=fact.amount), event.client_id)]
            await say(event.company, said, as_of=event.as_of, cause=event.cause())
            job = NewJob(uuid5(NAMESPACE_OID, str(event.event_id)), event.company, {"amount": fact.amount})
            await enqueue(say.tx, "congratulate", [job])


ALPHA = Listening()
BETA = Listening(
    streams=("alpha",),
    project={"Counted": counted, "Loaded": loaded, "Forgotten": forgotten, "Milestone": milestone_passed},
    react={"Counted": say_milestone},
    tables=(tally, milestone),
    bulk={"Loaded": "lines"},
)
