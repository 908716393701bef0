"""What was decided, durably: events said, verdicts and next days written, in bulk and only where they changed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.database import driver
from chassis.eventlog import Said
from contracts.dunning import (
    ActionDue,
    ActionExcluded,
    ActionProposed,
    ActionWithdrawn,
    DunningExhausted,
    LevelSet,
)
from contracts.event import Event
from contracts.subjects import partition_of
from services.dunning.domain import sayings
from services.dunning.domain.sayings import Change
from services.dunning.domain.scenario import STEP_NAMES
from services.dunning.domain.verdicts import Decision, PlannedAction, SilentMove, Withdrawal
from services.dunning.states import Known
from services.dunning.verdicts_kept import as_text, resting_text

WRITE_VERDICTS = """
    insert into decided (company, client_id, p, verdicts, decided_on)
    select %(company)s, client_id, p, verdicts, %(as_of)s
    from unnest(%(clients)b::text[], %(ps)b::smallint[], %(verdicts)b::text[]) as v(client_id, p, verdicts)
    on conflict (company, client_id) do update set verdicts = excluded.verdicts, decided_on = excluded.decided_on
"""
SCHEDULE = """
    insert into schedule (company, p, client_id, next_on, touched)
    select %(company)s, p, client_id, next_on::date, case when rests then '{}'::text[] end
    from unnest(%(ps)b::smallint[], %(clients)b::text[], %(days)b::text[], %(rests)b::boolean[])
        as n(p, client_id, next_on, rests)
    on conflict (company, p, client_id) do update set next_on = excluded.next_on, touched = excluded.touched
"""
SPOKEN_ORDER = (ActionWithdrawn, LevelSet, ActionProposed, ActionDue, ActionExcluded, DunningExhausted)


@dataclass
class Record:
    """What a transaction is about to write about many clients of a company on one day."""

    company: str
    as_of: date
    spoken: dict[type[Event], list[Said]] = field(default_factory=lambda: {kind: [] for kind in SPOKEN_ORDER})
    verdicts: dict[str, str] = field(default_factory=dict)
    next_on: dict[str, date | None] = field(default_factory=dict)
    resting: set[str] = field(default_factory=set)
    """Clients whose sleeping lines the next look may leave out."""
    entries: int = 0
    proposed: int = 0
    due: int = 0
    steps: list[int] = field(default_factory=lambda: [0] * len(STEP_NAMES))

    @property
    def said(self) -> list[Said]:
        """By type, so that each type is one call of its projection; the order is that of each client too."""
        return [one for together in self.spoken.values() for one in together]

    def decided(
        self,
        known: Known,
        decision: Decision,
        *,
        rests: bool = False,
        asleep: Sequence[str] = (),
    ) -> None:
        """Note a client's decision; only what differs from what is known leaves a trace.

        ``rests`` where what it leaves asleep may be left out of the next look (``domain/narrow``); ``asleep`` are
        the lines left out of this one, as ``verdicts_kept`` has them.
        """
        client = known.state.client_id
        self.entries += len(decision.verdicts)
        self._say(known, decision)
        entries = known.state.entries
        verdicts = resting_text(decision, entries, asleep) if rests else as_text(decision.verdicts)
        if verdicts != known.verdicts:
            self.verdicts[client] = verdicts
        self.next_on[client] = decision.next_on
        if rests:
            self.resting.add(client)

    def _say(self, known: Known, decision: Decision) -> None:
        client = known.state.client_id
        for withdrawal in decision.withdrawals:
            self._withdraw(client, withdrawal)
        if decision.moves:
            self._advance(client, decision.moves)
        for planned in decision.actions:
            self._open(client, decision, planned)
            self.due += planned.automatic
            self.proposed += not planned.automatic
            self.steps[STEP_NAMES.index(planned.step)] += 1
        changed = sayings.changed_exclusions(decision.verdicts, known.exclusions)
        if changed:
            self._exclude(client, changed, known)
        for event in sayings.newly_exhausted(client, decision.verdicts, known.exhausted):
            self._note(client, event)

    def _withdraw(self, client: str, withdrawal: Withdrawal) -> None:
        self._note(client, sayings.withdrawn(client, withdrawal))

    def _advance(self, client: str, moves: Sequence[SilentMove]) -> None:
        self._note(client, sayings.advanced(client, moves, self.as_of))

    def _open(self, client: str, decision: Decision, planned: PlannedAction) -> None:
        self._note(client, sayings.opening(client, decision, planned))

    def _exclude(self, client: str, changed: Sequence[Change], _: Known) -> None:
        self._note(client, sayings.excluded(client, changed))

    def _note(self, client: str, event: Event) -> None:
        self.spoken[type(event)].append(Said(event, client))

    async def write(self, tx: AsyncConnection) -> None:
        """The cached part: verdicts and next days. Say ``said`` before: what is said marks its client, and this
        takes the mark away.
        """
        connection = await driver(tx)
        ps = {client: partition_of(self.company, client) for client in self.next_on}
        async with connection.cursor() as cursor:
            if self.verdicts:
                await cursor.execute(
                    WRITE_VERDICTS,
                    {
                        "company": self.company,
                        "as_of": self.as_of,
                        "clients": list(self.verdicts),
                        "ps": [ps[client] for client in self.verdicts],
                        "verdicts": list(self.verdicts.values()),
                    },
                )
            await cursor.execute(SCHEDULE, {"company": self.company, "ps": [*ps.values()], **self._days()})

    def _days(self) -> dict[str, list[Any]]:
        return {
            "clients": list(self.next_on),
            "days": ["infinity" if day is None else day.isoformat() for day in self.next_on.values()],
            "rests": [client in self.resting for client in self.next_on],
        }
