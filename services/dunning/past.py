"""The past of one client: every fact about it, read again from the streams and from dunning's own log.

Nothing of it is a table. What others said comes from their streams, of the client's partition alone; what dunning
said comes from its log. Kept for the clients asked about last, and brought up to date with what came since, so
that looking at a second day of one client reads almost nothing.
"""

import asyncio
import json
import logging
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from nats.errors import Error as NatsError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.delivered import Delivered
from chassis.past import PastUnreadable, said_about
from chassis.running import Running
from contracts import dunning, ledger, sync
from contracts.event import Event
from contracts.registry import EVENTS
from contracts.subjects import partition_of, subject
from services.dunning.domain.evolve import ClientBook, evolve
from services.dunning.domain.memory import Told
from services.dunning.rulebook import Rulebook, compiled, country_of

log = logging.getLogger(__name__)

SPEAKERS = ("sync", "ledger", "notify")
KEPT_CLIENTS = 256

OWN = text(
    "select pseq, type, major, as_of, occurred_at, actor, body::text as body from event_log"
    " where p = :p and pseq > :after and company = :company and client_id = :client_id order by pseq"
)
RULES = text(
    "select type, major, body::text as body from event_log where p = :p and company = :company"
    " and type in ('PolicyChanged', 'ScenarioPublished') and as_of <= :as_of order by pseq"
)


class NothingKnownYet(Exception):
    """On that day the company was not followed: there was no policy to decide by."""

    def __init__(self, company: str, as_of: date) -> None:
        super().__init__(f"Nothing was known of this company on {as_of}.")
        self.company = company
        self.as_of = as_of


@dataclass
class Heard:
    """What one speaker said of one client, and how far its partition is read."""

    told: list[Told] = field(default_factory=list)
    last: int = 0


@dataclass
class PastOfClient:
    """Every fact about one client, by speaker."""

    company: str
    client_id: str
    speakers: dict[str, Heard] = field(default_factory=lambda: {name: Heard() for name in (*SPEAKERS, "dunning")})
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    def until(self, day: date) -> list[Told]:
        """Facts of that business date and before: speaker after speaker, each in its order, which gives the same
        state as any other interleaving (architecture, Correctness 3).
        """
        return [told for heard in self.speakers.values() for told in heard.told if told.on <= day]

    def in_order(self) -> list[Told]:
        """By business date, then as they were recorded."""
        every = [told for heard in self.speakers.values() for told in heard.told]
        return sorted(every, key=lambda told: (told.on, (told.at is not None and told.at.timestamp()) or 0.0))

    def book(self, day: date) -> ClientBook:
        """All that was known of the client at the end of that day."""
        return fold(self.company, self.client_id, self.until(day))


def fold(company: str, client_id: str, history: Iterable[Told]) -> ClientBook:
    book = ClientBook(company, client_id, errors=frozenset())
    for told in history:
        book = evolve(book, told.event, told.on)
    return book


_kept: OrderedDict[tuple[int, str, str], PastOfClient] = OrderedDict()


async def past_of(process: Running, tx: AsyncConnection, company: str, client_id: str) -> PastOfClient:
    """Everything said of a client until now. Raises ``PastUnreadable`` when the streams do not answer."""
    key = (id(process), company, client_id)
    known = _kept.setdefault(key, PastOfClient(company, client_id))
    _kept.move_to_end(key)
    while len(_kept) > KEPT_CLIENTS:
        _kept.popitem(last=False)
    async with known.reading:
        await asyncio.gather(*(_read(process, known, speaker) for speaker in SPEAKERS))
        await _read_own(tx, known)
    return known


async def _read(process: Running, known: PastOfClient, speaker: str) -> None:
    heard = known.speakers[speaker]
    p = partition_of(known.company, known.client_id)
    try:
        bus = await process.bus()
    except (NatsError, OSError, TimeoutError) as failure:
        raise PastUnreadable(speaker, "the streams do not answer") from failure
    name = known.client_id
    last, told = heard.last, []
    runs = partition_of(known.company, None)  # where sync says that a run has ended (rule 2.6)
    also = [subject("sync", known.company, runs, "SyncCompleted")] if speaker == "sync" and runs != p else []
    asked = said_about(bus, speaker, known.company, EVENTS, partitions=[p], also=also, after=heard.last)
    async for part in asked:
        for one in part:
            assert one.event is not None
            event = about(one.event, name)
            if event is not None:
                position = f"{speaker}/{one.partition}/{one.number}"
                told.append(Told(event, one.event.as_of, one.event.actor, one.event.occurred_at, position))
            last = one.at
    heard.told += told
    heard.last = last


def about(delivered: Delivered, client_id: str) -> Event | None:
    """The event as far as it speaks of the client; a bulk event is cut before its lines are checked."""
    if delivered.client_id is not None:
        return delivered.parse() if delivered.client_id == client_id and delivered.model is not None else None
    match delivered.type:
        case "SyncCompleted":
            return delivered.parse()
        case "EntriesSynced":
            body = _cut(delivered.body, "entries", client_id)
            return None if body is None else sync.EntriesSynced.model_validate(body)
        case "ClientsChanged":
            body = _cut(delivered.body, "clients", client_id)
            return None if body is None else ledger.ClientsChanged.model_validate(body)
        case "PaymentsLettered":
            body = _cut(delivered.body, "groups", client_id)
            return None if body is None else ledger.PaymentsLettered.model_validate(body)
        case _:
            return None


def _cut(body: bytes, lines: str, client_id: str) -> dict[str, Any] | None:
    if (
        json.dumps(client_id).encode() not in body
        and json.dumps(client_id, ensure_ascii=False).encode() not in body
    ):
        return None
    whole: dict[str, Any] = json.loads(body)
    whole[lines] = [line for line in whole[lines] if line["client_id"] == client_id]
    return whole if whole[lines] else None


async def _read_own(tx: AsyncConnection, known: PastOfClient) -> None:
    heard = known.speakers["dunning"]
    p = partition_of(known.company, known.client_id)
    asked = {"p": p, "after": heard.last, "company": known.company, "client_id": known.client_id}
    for row in await tx.execute(OWN, asked):
        model = EVENTS.get(f"relance.dunning.{row.type}.v{row.major}")
        if model is not None:
            event = model.model_validate_json(row.body)
            heard.told.append(Told(event, row.as_of, row.actor, row.occurred_at, f"dunning/{p}/{row.pseq}"))
        heard.last = row.pseq


async def rules_of(tx: AsyncConnection, company: str, as_of: date) -> tuple[Rulebook, int]:
    """What the company decided by at the end of that day, and the version of its policy. Raises
    ``NothingKnownYet``.
    """
    policy: dunning.PolicyChanged | None = None
    published: dict[str, dunning.ScenarioPublished] = {}
    asked = {"p": partition_of(company, None), "company": company, "as_of": as_of}
    for row in await tx.execute(RULES, asked):
        if row.type == "PolicyChanged":
            policy = dunning.PolicyChanged.model_validate_json(row.body)
        else:
            scenario = dunning.ScenarioPublished.model_validate_json(row.body)
            published[scenario.profile] = scenario
    if policy is None:
        raise NothingKnownYet(company, as_of)
    rules: Sequence[dunning.ScenarioPublished] = [published[profile] for profile in sorted(published)]
    return compiled(policy, rules, await country_of(tx, company)), policy.version
