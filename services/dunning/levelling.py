"""A person sets levels: of a few entries on a page, or of thousands taken over from an older tool (rule 5.6)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.eventlog import Position, Said, Say
from contracts.dunning import LevelMove, LevelSet
from services.dunning.confirming import Occasion, decided_today, say_decision
from services.dunning.domain.levels import (
    ENTRY_UNKNOWN,
    SET_BY_PERSON,
    LevelRefused,
    chosen,
    plan_of,
    reached,
)
from services.dunning.domain.scenario import level_number
from services.dunning.rulebook import Rulebook, rulebook
from services.dunning.states import Known, load, lock

PIECES = text(
    "select e.client_id, e.piece, e.entry_id from entry e"
    " join unnest(cast(:clients as text[]), cast(:pieces as text[])) as asked(client_id, piece)"
    " on e.client_id = asked.client_id and e.piece = asked.piece"
    " where e.company = :company and not e.removed and e.lettering is null"
)


class Wanted(NamedTuple):
    """One line of what is asked: an entry by its id, or all open lines of a piece; ``next_step`` or ``level``.

    ``level`` is ``""`` for an entry that was never reminded, ``None`` when ``next_step`` says it.
    """

    client_id: str
    entry_id: str | None = None
    piece: str | None = None
    next_step: str | None = None
    level: str | None = None
    reminded_on: date | None = None


@dataclass
class Levelled:
    """``set`` counts entries whose level was set now, ``unchanged`` those that stood there already.

    ``refused`` are places in what was asked, with the reason.
    """

    set: int = 0
    unchanged: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)
    positions: list[Position] = field(default_factory=list)


async def set_levels(say: Say, occasion: Occasion, wanted: Sequence[Wanted]) -> Levelled:
    """Set what can be set, in one transaction, and name what cannot.

    Where the day's round is made, the clients are decided again at once; else their next round does.

    Raises ``CompanyUnknown``.
    """
    company, as_of = occasion.company, occasion.as_of
    answer = Levelled()
    rules = await rulebook(say.tx, company)
    clients = sorted({one.client_id for one in wanted})
    await lock(say.tx, company, clients)
    pieces = await _pieces(say.tx, company, wanted)
    known = await load(say.tx, company, clients)
    moves: dict[str, dict[str, LevelMove]] = {}
    for place, one in enumerate(wanted):
        try:
            _move(known[one.client_id], rules, pieces, one, as_of, moves.setdefault(one.client_id, {}), answer)
        except LevelRefused as refused:
            answer.refused.append((place, refused.reason))
    said = [
        Said(LevelSet(client_id=client, reason=SET_BY_PERSON, set_on=as_of, levels=tuple(of.values())), client)
        for client, of in moves.items()
        if of
    ]
    answer.set = sum(len(of) for of in moves.values())
    answer.positions = await say(company, said, as_of=as_of, cause=occasion.cause)
    if said and await decided_today(say.tx, company, as_of):
        moved = [client for client, of in moves.items() if of]
        answer.positions += await say_decision(say, occasion, moved, rules)
    return answer


def _move(  # noqa: PLR0913, PLR0917 - what one line is judged by
    known: Known,
    rules: Rulebook,
    pieces: Mapping[tuple[str, str], Sequence[str]],
    one: Wanted,
    as_of: date,
    moves: dict[str, LevelMove],
    answer: Levelled,
) -> None:
    """Note the moves of one line; the last word on an entry counts. Raises ``LevelRefused``."""
    ids = [one.entry_id] if one.entry_id else pieces.get((one.client_id, one.piece or ""), ())
    entries = [entry for entry in known.state.entries if entry.entry_id in ids]
    if not entries:
        raise LevelRefused(ENTRY_UNKNOWN)
    plan = plan_of(rules.scenario_of(known.state), known.state.has_email)
    for entry in entries:
        if one.next_step is not None:
            move = chosen(entry, plan, as_of, one.next_step, one.reminded_on)
        else:
            move = reached(entry, plan, as_of, level_number(one.level), one.reminded_on)
        if move is None:
            answer.unchanged += 1
            moves.pop(entry.entry_id, None)
        else:
            moves[entry.entry_id] = move


async def _pieces(tx: AsyncConnection, company: str, wanted: Sequence[Wanted]) -> dict[tuple[str, str], list[str]]:
    """The open lines of the pieces that are named."""
    named = sorted({(one.client_id, one.piece) for one in wanted if one.piece is not None and not one.entry_id})
    found: dict[tuple[str, str], list[str]] = {}
    if named:
        asked = {"clients": [client for client, _ in named], "pieces": [piece for _, piece in named]}
        for client, piece, entry_id in await tx.execute(PIECES, {"company": company, **asked}):
            found.setdefault((client, piece), []).append(entry_id)
    return found
