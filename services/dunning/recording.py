"""What was decided, durably: events said, verdicts and next days written, in bulk and only where they changed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

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
from services.dunning.domain.verdicts import (
    Decision,
    Due,
    Excluded,
    NoStep,
    NotDue,
    PlannedAction,
    Verdict,
    Withdrawal,
)
from services.dunning.states import Known

WRITE_VERDICTS = """
    insert into decided (company, client_id, p, verdicts, decided_on)
    select %(company)s, client_id, p, verdicts::json, %(as_of)s
    from unnest(%(clients)b::text[], %(ps)b::smallint[], %(verdicts)b::text[]) as v(client_id, p, verdicts)
    on conflict (company, client_id) do update set verdicts = excluded.verdicts, decided_on = excluded.decided_on
"""
SCHEDULE = """
    insert into schedule (company, p, client_id, next_on)
    select %(company)s, p, client_id, next_on::date
    from unnest(%(ps)b::smallint[], %(clients)b::text[], %(days)b::text[]) as n(p, client_id, next_on)
    on conflict (company, p, client_id) do update set next_on = excluded.next_on
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
    entries: int = 0
    proposed: int = 0
    due: int = 0
    steps: list[int] = field(default_factory=lambda: [0] * len(STEP_NAMES))

    @property
    def said(self) -> list[Said]:
        """By type, so that each type is one call of its projection; the order is that of each client too."""
        return [one for together in self.spoken.values() for one in together]

    def decided(self, known: Known, decision: Decision) -> None:
        """Note a client's decision; only what differs from what is known leaves a trace."""
        client = known.state.client_id
        self.entries += len(decision.verdicts)
        self._say(known, decision)
        verdicts = as_text(decision.verdicts)
        if verdicts != known.verdicts:
            self.verdicts[client] = verdicts
        self.next_on[client] = decision.next_on

    def _say(self, known: Known, decision: Decision) -> None:
        client = known.state.client_id
        for withdrawal in decision.withdrawals:
            self._withdraw(client, withdrawal)
        if decision.moves:
            self._note(client, sayings.advanced(client, decision.moves, self.as_of))
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
        async with connection.cursor() as cursor:
            if self.verdicts:
                await cursor.execute(
                    WRITE_VERDICTS,
                    {
                        "company": self.company,
                        "as_of": self.as_of,
                        "clients": list(self.verdicts),
                        "ps": [partition_of(self.company, client) for client in self.verdicts],
                        "verdicts": list(self.verdicts.values()),
                    },
                )
            await cursor.execute(SCHEDULE, {"company": self.company, **_days(self.company, self.next_on.items())})


def _days(company: str, next_on: Iterable[tuple[str, date | None]]) -> dict[str, list[Any]]:
    rows = [(partition_of(company, client), client, day) for client, day in next_on]
    return {
        "ps": [p for p, _, _ in rows],
        "clients": [client for _, client, _ in rows],
        "days": ["infinity" if day is None else day.isoformat() for _, _, day in rows],
    }


def as_text(verdicts: Mapping[str, Verdict]) -> str:
    """A client's verdicts as JSON, each with the entries that share it: ``[[verdict, [entry, ...]], ...]``, a
    verdict being status, step, next day, reasons, action.

    Their values are ids, dates and words of ours, so none needs quoting. The same verdicts give the same text.
    """
    groups: dict[object, tuple[Verdict, list[str]]] = {}
    for entry, verdict in verdicts.items():
        # the lines of an action share one verdict, and hashing its id costs more than all the rest
        key = id(verdict) if type(verdict) is Due else verdict
        group = groups.get(key)
        if group is None:
            groups[key] = verdict, [entry]
        else:
            group[1].append(entry)
    texts = [f'[{_value(verdict)},["{_QUOTED.join(sorted(entries))}"]]' for verdict, entries in groups.values()]
    return f"[{','.join(sorted(texts))}]"


_QUOTED = '","'


def _value(verdict: Verdict) -> str:
    match verdict:
        case NotDue():
            return f'["not_due","{verdict.step}","{verdict.until}",[],null]'
        case Due():
            return f'["due","{verdict.step}",null,[],"{verdict.action_id}"]'
        case Excluded():
            reasons = '","'.join(verdict.reasons)
            until = "null" if verdict.until is None else f'"{verdict.until}"'
            return f'["excluded","{verdict.step}",{until},["{reasons}"],null]'
        case NoStep():
            return f'["no_step",null,null,["{verdict.reason}"],null]'


def as_verdict(
    status: str, step: str | None, next_on: date | None, reasons: Sequence[str], action_id: UUID | None
) -> Verdict:
    """A row of the view ``verdict``."""
    match status:
        case "not_due":
            assert step is not None
            assert next_on is not None
            return NotDue(step, next_on)
        case "excluded":
            assert step is not None
            return Excluded(step, tuple(reasons), next_on)
        case "due":
            assert step is not None
            assert action_id is not None
            return Due(step, action_id)
        case _:
            return NoStep(reasons[0])
