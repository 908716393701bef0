"""A client explained: today from the tables, a past day from its facts, a later one as if nothing changed.

Both ways give the same state (tested), so what is told of a past day is what was told on it.
"""

import logging
from dataclasses import dataclass
from datetime import date
from typing import Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.past import PastUnreadable
from chassis.running import Running
from services.dunning.domain.case import Seen, see
from services.dunning.domain.evolve import ClientBook
from services.dunning.domain.memory import Memory, remember
from services.dunning.domain.state import ClientState
from services.dunning.past import PastOfClient, past_of, rules_of
from services.dunning.rulebook import Rulebook, compiled, country_of, published
from services.dunning.states import load

log = logging.getLogger(__name__)

View = Literal["now", "past", "ahead"]

PIECES = text(
    "select entry_id, piece, kind from entry where company = :company and client_id = :client_id"
    " and entry_id = any(cast(:entries as text[]))"
)
CLIENT_OF = text("select client_id from entry where company = :company and entry_id = :entry_id")
HOME = text("select currency from company where company = :company")
LAST_ROUND = text(
    "select max(as_of) from round where company = :company and as_of <= :as_of and status = 'completed'"
)


@dataclass(frozen=True)
class Asked:
    """A client, the day it is looked at, and the day on which somebody looks."""

    company: str
    client_id: str
    as_of: date
    today: date

    @property
    def view(self) -> View:
        if self.as_of == self.today:
            return "now"
        return "past" if self.as_of < self.today else "ahead"


@dataclass(frozen=True)
class Told:
    """What an answer is made of. ``past`` is ``None`` when the streams do not answer: then nobody's name and no
    history is told, and no past day can be.
    """

    asked: Asked
    seen: Seen
    policy_version: int
    pieces: dict[str, tuple[str, str]]
    round_on: date | None
    past: PastOfClient | None


async def client_of(tx: AsyncConnection, company: str, entry_id: str) -> str | None:
    """Whose entry it is, or was before accounting took it back."""
    found: str | None = await tx.scalar(CLIENT_OF, {"company": company, "entry_id": entry_id})
    return found


async def told(process: Running, tx: AsyncConnection, asked: Asked) -> Told:
    """Raises ``CompanyUnknown``; for a past day ``NothingKnownYet`` and ``PastUnreadable``."""
    past = await _past(process, tx, asked)
    memory = Memory() if past is None else remember(past.until(asked.as_of))
    if asked.view == "past":
        assert past is not None
        book = past.book(asked.as_of)
        rules, version = await rules_of(tx, asked.company, asked.as_of)
        state = book.state()
        pieces = _pieces_of(book)
    else:
        policy, scenarios = await published(tx, asked.company)
        rules = compiled(policy, scenarios, await country_of(tx, asked.company))
        version = policy.version
        state = (await load(tx, asked.company, [asked.client_id]))[asked.client_id].state
        pieces = await _pieces(tx, asked, state)
    home = await tx.scalar(HOME, {"company": asked.company}) or "EUR"
    round_on = await tx.scalar(LAST_ROUND, {"company": asked.company, "as_of": asked.as_of})
    return Told(asked, _seen(asked, state, rules, home, memory), version, pieces, round_on, past)


async def _past(process: Running, tx: AsyncConnection, asked: Asked) -> PastOfClient | None:
    try:
        return await past_of(process, tx, asked.company, asked.client_id)
    except PastUnreadable as unreadable:
        if asked.view == "past":
            raise
        log.warning("explained without the past", extra={"company": asked.company, "error": str(unreadable)})
        return None


def _seen(asked: Asked, state: ClientState, rules: Rulebook, home: str, memory: Memory) -> Seen:
    ordered = tuple(sorted(state.entries, key=lambda entry: (entry.due_date, entry.entry_id)))
    scenario = rules.scenario_of(state)
    return see(state._replace(entries=ordered), rules.policy, scenario, asked.as_of, home=home, memory=memory)


def _pieces_of(book: ClientBook) -> dict[str, tuple[str, str]]:
    return {line.entry_id: (line.piece, line.kind) for line in book.lines.values()}


async def _pieces(tx: AsyncConnection, asked: Asked, state: ClientState) -> dict[str, tuple[str, str]]:
    wanted = {
        "company": asked.company,
        "client_id": asked.client_id,
        "entries": [entry.entry_id for entry in state.entries],
    }
    return {row.entry_id: (row.piece, row.kind) for row in await tx.execute(PIECES, wanted)}
